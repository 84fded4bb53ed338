/*
 * The keys that are seen are cut into parts at places that depend on the mask and the lengths
 * alone; each part leaves a row's sums and their reference, and a second round adds those up in the
 * order of the keys. So threads share a head's keys and bits do not depend on their number.
 */
#include "attention/few.h"

#include <omp.h>
#include <string.h>

#include "attention/panel.h"
#include "attention/rows.h"
#include "attention/scratch.h"

enum {
    FEW_ROWS = 48,   /* most rows of a key/value head: whole groups */
    MOST_PARTS = 64, /* of a head: bounds what they leave */
    LEAST_STEPS = 8, /* of a part */
    LONG_FROM = 16,  /* steps seen; below it panels fit the caches and the other way is as good */
};

/* What a part leaves of a row, beside o and the lanes. */
typedef struct PartRow {
    double sum, moment, distance;
    float ref, limit;
    float named[ATTN_NAMED];
} PartRow;

/* What all threads share. */
typedef struct Few {
    const AttnPlan *plan;
    const AttnOutputs *out;
    bool full;
    int32_t n_rows; /* of a key/value head: its query heads times N */
    int32_t first_step, last_step, part_steps, n_parts;
    int32_t block_steps;
    bool direct_k, direct_v; /* read where they are */
    AttnPanelSize panel;
    PartRow *rows;              /* [G][n_parts][n_rows], as the arrays below */
    float *o;                   /* [ep] each */
    float *lane_max, *lane_key; /* [W] each */
    const AttnProgress *progress;
    _Atomic int64_t done;
    int64_t total;
} Few;

/* Scratch of one thread: rows of one key/value head. */
typedef struct Worker {
    AttnRows rows;
    float *bias; /* [group][block] */
    float *k, *v, *hidden;
    bool v_finite[ATTN_BLOCK_STEPS], any_hidden[ATTN_BLOCK_STEPS];
} Worker;

static int32_t rows_of(const AttnArgs *a)
{
    int64_t n = (int64_t)(a->n_heads / a->n_kv_heads) * a->n_queries;
    return n <= FEW_ROWS ? (int32_t)n : FEW_ROWS + 1;
}

/* Steps [*first, *last) that some query sees. */
static void steps_seen(const AttnPlan *plan, int32_t *first, int32_t *last)
{
    const AttnArgs *a = &plan->args;
    int32_t begin, end;
    attn_mask_hull(&a->mask, a->n_keys, 0, a->n_queries, &begin, &end);
    *first = begin / ATTN_STEP;
    *last = (end + ATTN_STEP - 1) / ATTN_STEP;
}

bool attn_few_suits(const AttnPlan *plan)
{
    int32_t first, last;
    steps_seen(plan, &first, &last);
    return plan->args.precision != ATTN_PRECISION_BF16 && rows_of(&plan->args) <= FEW_ROWS &&
           last - first >= LONG_FROM;
}

static Few few_make(const AttnPlan *plan, const AttnOutputs *out)
{
    Few f = {.plan = plan, .out = out, .n_rows = rows_of(&plan->args)};
    steps_seen(plan, &f.first_step, &f.last_step);
    int32_t n_steps = f.last_step - f.first_step;
    f.part_steps = (n_steps + MOST_PARTS - 1) / MOST_PARTS;
    f.part_steps = f.part_steps > LEAST_STEPS ? f.part_steps : LEAST_STEPS;
    f.n_parts = (n_steps + f.part_steps - 1) / f.part_steps;
    f.direct_k = f.n_rows <= ATTN_DIRECT && plan->kernel->k_per_word == 1;
    f.direct_v = f.n_rows <= ATTN_DIRECT && plan->kernel->v_per_word == 1 && out->o &&
                 plan->args.v_dim == plan->ep;
    /* One group uses a panel once: it should still be in first-level cache then. */
    bool panels = !f.direct_k || (out->o && !f.direct_v);
    f.block_steps = panels && f.n_rows <= ATTN_GROUP ? 1 : plan->block_steps;
    f.panel = attn_panel_size(plan, out->o != NULL);
    f.total = (int64_t)plan->args.n_kv_heads * f.n_parts;
    return f;
}

static void shared_carve(Few *f, AttnCarver *carver)
{
    size_t n = (size_t)f->total * (size_t)f->n_rows, lanes = (size_t)f->plan->kernel->lanes;
    f->rows = attn_carve(carver, n, sizeof(PartRow));
    f->o = attn_carve(carver, f->out->o ? n * (size_t)f->plan->ep : 0, sizeof(float));
    f->lane_max = attn_carve(carver, n * lanes, sizeof(float));
    f->lane_key = attn_carve(carver, n * lanes, sizeof(float));
}

static void worker_carve(const Few *f, Worker *w, AttnCarver *carver)
{
    const AttnPlan *plan = f->plan;
    size_t steps = (size_t)f->block_steps;
    attn_rows_carve(&w->rows, plan, FEW_ROWS, f->out->o != NULL, carver);
    if (plan->args.bias.fill) {
        w->bias = attn_carve(carver, ATTN_GROUP * steps * ATTN_STEP, sizeof(float));
    }
    w->k = attn_carve(carver, steps * f->panel.k, sizeof(float));
    w->v = attn_carve(carver, steps * f->panel.v, sizeof(float));
    w->hidden = attn_carve(carver, steps * ATTN_STEP, sizeof(float));
}

/* ---------------------------------------------------------------- a part of the keys */

static int32_t first_head(const Few *f, int32_t kv_head)
{
    return kv_head * (f->plan->args.n_heads / f->plan->args.n_kv_heads);
}

static int32_t head_of(const Few *f, int32_t kv_head, int32_t r)
{
    return first_head(f, kv_head) + r / f->plan->args.n_queries;
}

/* One call for each head that has rows in the group. */
static void fill_bias(const Few *f, Worker *w, AttnBlock *block, int32_t kv_head, int32_t r0,
                      int32_t n)
{
    const AttnArgs *a = &f->plan->args;
    int32_t stop = block->key0 + block->n_steps * ATTN_STEP;
    int32_t n_keys = (stop < a->n_keys ? stop : a->n_keys) - block->key0;
    ptrdiff_t ld = (ptrdiff_t)f->block_steps * ATTN_STEP;
    for (int32_t r = r0, take; r < r0 + n; r += take) {
        int32_t row = r % a->n_queries;
        take = a->n_queries - row < r0 + n - r ? a->n_queries - row : r0 + n - r;
        a->bias.fill(a->bias.payload, head_of(f, kv_head, r), row, take, block->key0, n_keys,
                     w->bias + (r - r0) * ld, ld);
    }
    block->bias = w->bias;
    block->bias_ld = ld;
}

static void meet_block(const Few *f, Worker *w, int32_t kv_head, int32_t step0, int32_t n_steps)
{
    const AttnPlan *plan = f->plan;
    AttnBlock block = {
        .k = w->k,
        .v = f->out->o ? w->v : NULL,
        .v_finite = w->v_finite,
        .key0 = step0 * ATTN_STEP,
        .last_step = n_steps,
        .n_steps = n_steps,
        .k_words = attn_kernel_words(plan->kernel, plan->args.head_dim),
        .ep = plan->ep,
        .soft_cap = plan->args.soft_cap,
    };
    /* The last step may lack keys; it comes alone. */
    bool whole = (step0 + n_steps) * ATTN_STEP <= plan->args.n_keys;
    bool direct_k = whole && f->direct_k, direct_v = whole && f->direct_v;
    if (direct_k) {
        block.k_rows = attn_plan_k(plan, kv_head, block.key0);
        block.k_ld = plan->args.k_row_stride;
    }
    if (direct_v) {
        block.v_rows = attn_plan_v(plan, kv_head, block.key0);
        block.v_ld = plan->args.v_row_stride;
        block.v_room = w->v;
    }
    for (int32_t s = 0; s < n_steps; s++) {
        attn_panel_pack(plan, kv_head, step0 + s, direct_k ? NULL : w->k + (size_t)s * f->panel.k,
                        direct_v || !f->out->o ? NULL : w->v + (size_t)s * f->panel.v,
                        &w->v_finite[s]);
        if (plan->args.mask.key_mask) {
            w->any_hidden[s] =
                attn_panel_hidden(plan, step0 + s, w->hidden + (ptrdiff_t)s * ATTN_STEP);
            block.hidden = w->hidden;
            block.any_hidden = w->any_hidden;
        }
    }
    for (int32_t r = 0; r < f->n_rows; r += ATTN_GROUP) {
        int32_t n = f->n_rows - r < ATTN_GROUP ? f->n_rows - r : ATTN_GROUP;
        if (plan->args.bias.fill) {
            fill_bias(f, w, &block, kv_head, r, n);
        }
        AttnGroup group = attn_rows_group(&w->rows, plan, r, n);
        (f->full ? plan->kernel->attend_full : plan->kernel->attend)(&block, &group,
                                                                     &w->rows.attend);
    }
}

static void run_part(Few *f, Worker *w, int32_t kv_head, int32_t part)
{
    const AttnPlan *plan = f->plan;
    int32_t step = f->first_step + part * f->part_steps;
    int32_t stop = f->last_step - step > f->part_steps ? step + f->part_steps : f->last_step;
    attn_rows_start(&w->rows, plan, first_head(f, kv_head), 0, f->n_rows);
    for (int32_t n; step < stop; step += n) {
        if (attn_cancelled(f->progress)) {
            return;
        }
        int32_t whole = plan->args.n_keys / ATTN_STEP - step, left = stop - step;
        n = left < f->block_steps ? left : f->block_steps;
        n = whole > 0 && whole < n ? whole : n;
        meet_block(f, w, kv_head, step, n);
    }
    size_t at = ((size_t)kv_head * (size_t)f->n_parts + (size_t)part) * (size_t)f->n_rows;
    size_t n = (size_t)f->n_rows, lanes = (size_t)plan->kernel->lanes, ep = (size_t)plan->ep;
    const AttnRows *rows = &w->rows;
    for (size_t r = 0; r < n; r++) {
        f->rows[at + r] =
            (PartRow){rows->sum[r],      rows->moment[r],
                      rows->distance[r], rows->ref[r],
                      rows->limit[r],    {rows->named[0][r], rows->named[1][r], rows->named[2][r]}};
    }
    memcpy(f->lane_max + at * lanes, rows->lane_max, n * lanes * sizeof(float));
    memcpy(f->lane_key + at * lanes, rows->lane_key, n * lanes * sizeof(float));
    if (f->out->o) {
        memcpy(f->o + at * ep, rows->o, n * ep * sizeof(float));
    }
    atomic_fetch_add_explicit(&f->done, 1, memory_order_relaxed);
}

/* ---------------------------------------------------------------- parts into rows */

/* The largest reference of a row's parts; parts without a key that counts have none. */
static float common_reference(const Few *f, size_t first)
{
    float ref = -INFINITY;
    for (size_t p = 0; p < (size_t)f->n_parts; p++) {
        const PartRow *part = &f->rows[first + p * (size_t)f->n_rows];
        ref = part->limit != -INFINITY && part->ref > ref ? part->ref : ref;
    }
    return ref == -INFINITY ? 0 : ref;
}

static void merge_row(const Few *f, Worker *w, int32_t kv_head, int32_t r)
{
    const AttnPlan *plan = f->plan;
    const AttnArgs *a = &plan->args;
    int32_t lanes = plan->kernel->lanes, ep = f->out->o ? plan->ep : 0;
    size_t first = (size_t)kv_head * (size_t)f->n_parts * (size_t)f->n_rows + (size_t)r;
    float *lane_max = w->rows.lane_max, *lane_key = w->rows.lane_key, *o = w->rows.o;
    struct {
        float ref, named[ATTN_NAMED], inverse, reference, factor, max, key;
        double sum, moment, distance;
    } row = {.ref = common_reference(f, first), .named = {-INFINITY, -INFINITY, -INFINITY}};
    for (int32_t l = 0; l < lanes; l++) {
        lane_max[l] = -INFINITY;
        lane_key[l] = 0;
    }
    for (int32_t e = 0; e < ep; e++) {
        o[e] = 0;
    }
    for (size_t p = 0; p < (size_t)f->n_parts; p++) {
        size_t at = first + p * (size_t)f->n_rows;
        const PartRow *part = &f->rows[at];
        double down = ((double)part->ref - (double)row.ref) * plan->kernel->reference_log2;
        double factor = part->limit == -INFINITY ? 1 : exp2(down);
        row.moment += factor * (part->moment + (part->sum == 0 ? 0 : down * part->sum));
        row.sum += factor * part->sum;
        row.distance += factor * part->distance;
        for (int i = 0; i < ATTN_NAMED; i++) {
            float s = part->named[i];
            row.named[i] = s == -INFINITY ? row.named[i] : s;
        }
        const float *max = f->lane_max + at * (size_t)lanes,
                    *key = f->lane_key + at * (size_t)lanes;
        for (int32_t l = 0; l < lanes; l++) {
            lane_key[l] = max[l] > lane_max[l] ? key[l] : lane_key[l];
            lane_max[l] = max[l] > lane_max[l] ? max[l] : lane_max[l];
        }
        const float *from = f->o + at * (size_t)ep;
        for (int32_t e = 0; e < ep; e++) {
            o[e] += (float)factor * from[e];
        }
    }
    AttnRowsEnd end = {
        .head = head_of(f, kv_head, r),
        .row0 = r % a->n_queries,
        .n_rows = 1,
        .ref = &row.ref,
        .sum = &row.sum,
        .moment = &row.moment,
        .distance = &row.distance,
        .named = {&row.named[0], &row.named[1], &row.named[2]},
        .lane_max = lane_max,
        .lane_key = lane_key,
        .o = o,
        .inverse = &row.inverse,
        .reference = &row.reference,
        .factor = &row.factor,
        .max = &row.max,
        .key = &row.key,
    };
    attn_rows_write(plan, f->out, f->full, &end);
}

/* ---------------------------------------------------------------- the pass */

/* A second look at the keys, with the rows' m and l known. */
static AttnStatus summarise(const AttnCtx *ctx, const Few *f)
{
    const AttnArgs *a = &f->plan->args;
    AttnSummaryShape shape = attn_summary_shape(a, f->out->summary_size);
    for (int32_t head = 0; head < a->n_heads; head++) {
        AttnTileDesc whole = {.kind = ATTN_TILE_WEIGHTS,
                              .head = head,
                              .row1 = a->n_queries,
                              .col1 = a->n_keys,
                              .row_max = f->out->row_max,
                              .row_log_sum = f->out->row_log_sum};
        float *mean = f->out->summary_mean, *max = f->out->summary_max;
        AttnProgress heed = {.cancel = f->progress ? f->progress->cancel : NULL};
        AttnStatus status =
            attn_tile_reduce(ctx, a, &whole, shape.row_width, shape.col_width,
                             mean ? mean + head * shape.n_texels : NULL,
                             max ? max + head * shape.n_texels : NULL, shape.n_cols, &heed);
        if (status != ATTN_OK) {
            return status;
        }
    }
    return ATTN_OK;
}

static size_t shared_bytes(Few *f)
{
    AttnCarver carver = {0};
    shared_carve(f, &carver);
    return carver.used;
}

static size_t worker_bytes(const Few *f)
{
    AttnCarver carver = {0};
    worker_carve(f, &(Worker){0}, &carver);
    return carver.used;
}

size_t attn_few_scratch_bytes(const AttnCtx *ctx, const AttnPlan *plan, const AttnOutputs *out)
{
    Few f = few_make(plan, out);
    return shared_bytes(&f) + (size_t)ctx->n_threads * worker_bytes(&f);
}

AttnStatus attn_few_forward(const AttnCtx *ctx, const AttnPlan *plan, const AttnOutputs *out,
                            bool full, const AttnProgress *progress)
{
    Few f = few_make(plan, out);
    f.full = full;
    f.progress = progress;
    size_t shared = shared_bytes(&f), per_worker = worker_bytes(&f);
    char *scratch = attn_scratch_take(ctx, shared + (size_t)ctx->n_threads * per_worker);
    if (!scratch) {
        return ATTN_MEMORY;
    }
    shared_carve(&f, &(AttnCarver){.base = scratch});
    const AttnArgs *a = &plan->args;
    double busy_s = 0;
    /* What is read, counted as if every value took a multiply-add of each row of a group. */
    double pairs = (double)a->n_kv_heads * ATTN_GROUP * (f.last_step - f.first_step) * ATTN_STEP;
    int n_threads = attn_team_size(ctx, plan, f.total, pairs);
#pragma omp parallel num_threads(n_threads) reduction(+ : busy_s)
    {
        double busy = -omp_get_wtime();
        char *own = scratch + shared + (size_t)omp_get_thread_num() * per_worker;
        Worker w = {0};
        worker_carve(&f, &w, &(AttnCarver){.base = own});
        attn_rows_open(&w.rows);
#pragma omp for schedule(dynamic, 1) nowait
        for (int64_t i = 0; i < f.total; i++) {
            if (!attn_cancelled(progress)) {
                run_part(&f, &w, (int32_t)(i / f.n_parts), (int32_t)(i % f.n_parts));
                if (omp_get_thread_num() == 0) {
                    attn_report(progress, &f.done, f.total);
                }
            }
        }
        attn_team_wait(&busy);
#pragma omp for schedule(static) nowait
        for (int64_t i = 0; i < (int64_t)a->n_kv_heads * f.n_rows; i++) {
            if (!attn_cancelled(progress)) {
                merge_row(&f, &w, (int32_t)(i / f.n_rows), (int32_t)(i % f.n_rows));
            }
        }
        busy_s += busy + omp_get_wtime();
    }
    attn_report_busy(progress, busy_s);
    attn_scratch_give(ctx, scratch);
    if (attn_cancelled(progress)) {
        return ATTN_CANCELLED;
    }
    attn_report(progress, &f.done, f.total);
    return out->summary_mean || out->summary_max ? summarise(ctx, &f) : ATTN_OK;
}
