#include "attention/kept.h"

#include <string.h>

enum {
    LEAST_ROWS = 24, /* with fewer, panels are read so often that a second pass costs less */
    ENOUGH_ROWS = 48,
    MOST_GROUPS = 16,
    FOLD_GROUPS = 8, /* whose rows sums in f32 may gather */
};
/* Bytes of one thread: more rows than ENOUGH_ROWS gain nothing, so they shall not take much. */
static const size_t BUDGET = (size_t)13 << 18, BUDGET_OF_FEW = (size_t)13 << 19;

/* Steps that the keys of so many rows can lie in. */
static int32_t steps_of(const AttnPlan *plan, int32_t rows)
{
    const AttnMask *mask = &plan->args.mask;
    const uint32_t sliding = ATTN_MASK_CAUSAL | ATTN_MASK_WINDOW;
    if (mask->kind & ATTN_MASK_WINDOW_SYMMETRIC || (mask->kind & sliding) == sliding) {
        int64_t steps = ((int64_t)mask->window + rows) / ATTN_STEP + 2;
        return steps < plan->n_steps ? (int32_t)steps : plan->n_steps;
    }
    return plan->n_steps;
}

int32_t attn_kept_rows(const AttnPlan *plan, int32_t rows)
{
    for (; rows >= LEAST_ROWS; rows /= 2) {
        size_t steps = (size_t)steps_of(plan, rows) * (size_t)(rows / ATTN_GROUP);
        size_t budget = rows > ENOUGH_ROWS ? BUDGET : BUDGET_OF_FEW;
        if (steps <= budget / (ATTN_KEPT * sizeof(float))) {
            return rows;
        }
    }
    return 0;
}

void attn_kept_carve(AttnKept *kept, const AttnPlan *plan, int32_t rows, AttnCarver *carver)
{
    kept->most_steps = steps_of(plan, rows);
    kept->n_groups = rows / ATTN_GROUP;
    size_t steps = (size_t)kept->most_steps;
    kept->steps = attn_carve(carver, steps * (size_t)kept->n_groups * ATTN_KEPT, sizeof(float));
    kept->sum = attn_carve(carver, steps * ATTN_STEP, sizeof(int64_t));
    kept->inverse = attn_carve(carver, (size_t)rows, sizeof(float));
}

void attn_received_carve(AttnReceived *received, const AttnPlan *plan, int32_t n_heads,
                         AttnCarver *carver)
{
    received->n_heads = n_heads;
    received->width = plan->n_steps * ATTN_STEP;
    size_t heads = (size_t)n_heads;
    received->sum = attn_carve(carver, heads * (size_t)received->width, sizeof(int64_t));
    received->lock = attn_carve(carver, heads, sizeof(omp_lock_t));
    /* No weight is above 1 but for rounding, so no sum fills more than half of 63 bits. */
    int bits = 0;
    while (plan->args.n_queries >> bits) {
        bits++;
    }
    received->unit = (double)((int64_t)1 << (62 - bits));
}

void attn_received_open(AttnReceived *received)
{
    for (int32_t h = 0; h < received->n_heads; h++) {
        omp_init_lock(&received->lock[h]);
    }
}

void attn_received_close(AttnReceived *received)
{
    for (int32_t h = 0; h < received->n_heads; h++) {
        omp_destroy_lock(&received->lock[h]);
    }
}

void attn_received_clear(AttnReceived *received, int32_t head)
{
    size_t width = (size_t)received->width;
    memset(received->sum + (size_t)head * width, 0, width * sizeof(int64_t));
}

void attn_received_write(const AttnReceived *received, const AttnPlan *plan, int32_t head,
                         float *out)
{
    const int64_t *sum = received->sum + (ptrdiff_t)head * received->width;
    for (int32_t j = 0; j < plan->args.n_keys; j++) {
        out[j] = sum[j] < 0 ? NAN : (float)((double)sum[j] / received->unit);
    }
}

void attn_kept_start(AttnKept *kept, const AttnPlan *plan, int32_t row0, int32_t n_rows)
{
    int32_t begin, end;
    attn_mask_hull(&plan->args.mask, plan->args.n_keys, row0, n_rows, &begin, &end);
    kept->step0 = begin / ATTN_STEP;
    kept->n_steps = begin < end ? (end + ATTN_STEP - 1) / ATTN_STEP - kept->step0 : 0;
}

static inline int64_t units_add(int64_t a, int64_t b)
{
    return (a | b) < 0 ? -1 : a + b;
}

/* sum[slot] in f32 into to[key]. */
static void add_columns(const float *sum, int32_t lanes, double unit, int64_t *to)
{
    int32_t run = ATTN_STEP / lanes;
    for (int32_t key = 0; key < ATTN_STEP; key++) {
        float x = sum[key % run * lanes + key / run];
        bool is_number = x >= 0 && x <= 2 * FOLD_GROUPS * ATTN_GROUP;
        to[key] = units_add(to[key], is_number ? (int64_t)((double)x * unit + 0.5) : -1);
    }
}

/* By what a row's exponentials of a step become weights: the reference may have been raised since.
 * One that went down is the 0 of a row that had not seen a key, whose exponentials are 0. */
static void step_factors(const AttnPlan *plan, const float *then, const float *now,
                         const float *inverse, int32_t n_rows, float *factor)
{
    for (int32_t r = 0; r < n_rows; r++) {
        factor[r] = inverse[r];
        if (then[r] != now[r]) {
            double down = ((double)then[r] - (double)now[r]) * plan->kernel->reference_log2;
            factor[r] *= (float)exp2(down > 0 ? 0 : down);
        }
    }
}

typedef struct GroupRange {
    int32_t first, last; /* steps */
} GroupRange;

void attn_kept_fold(AttnKept *kept, const AttnPlan *plan, int32_t row0, int32_t n_rows,
                    const float *ref, AttnReceived *received, int32_t head)
{
    const AttnArgs *a = &plan->args;
    int32_t n_groups = (n_rows + ATTN_GROUP - 1) / ATTN_GROUP;
    GroupRange ranges[MOST_GROUPS];
    for (int32_t g = 0; g < n_groups; g++) {
        int32_t r = g * ATTN_GROUP, begin, end;
        int32_t rows = n_rows - r < ATTN_GROUP ? n_rows - r : ATTN_GROUP;
        attn_mask_hull(&a->mask, a->n_keys, row0 + r, rows, &begin, &end);
        ranges[g] =
            (GroupRange){begin / ATTN_STEP, begin < end ? (end + ATTN_STEP - 1) / ATTN_STEP : 0};
    }
    memset(kept->sum, 0, (size_t)kept->n_steps * ATTN_STEP * sizeof *kept->sum);
    for (int32_t i = 0; i < kept->n_steps; i++) {
        int32_t step = kept->step0 + i;
        for (int32_t g0 = 0; g0 < n_groups; g0 += FOLD_GROUPS) {
            _Alignas(ATTN_ALIGN) float sum[ATTN_STEP] = {0};
            int32_t stop = n_groups - g0 < FOLD_GROUPS ? n_groups : g0 + FOLD_GROUPS;
            for (int32_t g = g0; g < stop; g++) {
                if (step < ranges[g].first || step >= ranges[g].last) {
                    continue;
                }
                const float *e = attn_kept_at(kept, step, g);
                float factor[ATTN_GROUP];
                int32_t r = g * ATTN_GROUP;
                int32_t rows = n_rows - r < ATTN_GROUP ? n_rows - r : ATTN_GROUP;
                step_factors(plan, e + ATTN_GROUP * ATTN_STEP, ref + r, kept->inverse + r, rows,
                             factor);
                plan->kernel->fold_rows(e, factor, rows, sum);
            }
            add_columns(sum, plan->kernel->lanes, received->unit, kept->sum + i * ATTN_STEP);
        }
    }
    int64_t *to = received->sum + (ptrdiff_t)head * received->width + kept->step0 * ATTN_STEP;
    omp_set_lock(&received->lock[head]);
    for (int32_t j = 0; j < kept->n_steps * ATTN_STEP; j++) {
        to[j] = units_add(to[j], kept->sum[j]);
    }
    omp_unset_lock(&received->lock[head]);
}
