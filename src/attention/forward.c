/*
 * The streaming pass. A task is a run of query rows of one head; it goes through its rows in query
 * blocks, each of which meets the keys block by block: K and V panels stay in second-level cache
 * while all groups of 12 rows of the query block use them. Panels of whole heads are packed ahead,
 * in waves of heads, as long as they fit a fixed budget; else every query block packs for itself.
 * Groups, blocks and steps start at fixed rows and keys, so results do not depend on threads.
 */
#include "attention/plan.h"

#include <omp.h>
#include <string.h>

#include "attention/few.h"
#include "attention/kept.h"
#include "attention/panel.h"
#include "attention/rows.h"
#include "attention/scratch.h"
#include "attention/strip.h"
#include "attention/summary.h"

enum {
    QUERY_BLOCK_SHORT = 96, /* rows; keeps short texts balanced over threads */
    QUERY_BLOCK_LONG = 192, /* rows from LONG_FROM queries on: panels are read half as often */
    LONG_FROM = 2048,
    RUN_FLOATS = ATTN_BLOCK_STEPS * ATTN_STEP,
};
static const size_t PACK_BUDGET = (size_t)32 << 20; /* bytes of panels packed ahead */

/* What all threads share; const while the pass runs, but for the panels and the counters. */
typedef struct Pass {
    AttnPlan plan;
    AttnOutputs out; /* strides resolved */
    AttnSummaryShape shape;
    bool summary, full;
    bool keeps; /* exponentials, for attention received */
    int32_t query_block, task_rows, tasks_per_head;
    int32_t wave_heads; /* key/value heads packed ahead at once; 0 = tasks pack for themselves */
    AttnPanelSize panel;
    float *k, *v;     /* [wave_heads][n_steps] panels */
    bool *v_finite;   /* [wave_heads][n_steps] */
    float *hidden;    /* [n_steps][64] slot order; NULL = no key_mask */
    bool *any_hidden; /* [n_steps] */
    AttnReceived received;
    const AttnProgress *progress;
    _Atomic int64_t done;
    int64_t total;
    atomic_bool stop;
} Pass;

/* Scratch of one thread. */
typedef struct Worker {
    AttnRows rows;                                   /* of a query block */
    float *inverse, *reference, *factor, *max, *key; /* of finished rows, see AttnRowsEnd */
    float *texel_sum, *texel_max;                    /* [query_block][texels.ld] */
    float *bias;                                     /* [group][RUN_FLOATS] */
    float *k, *v; /* panels of one block, where tasks pack for themselves */
    bool v_finite[ATTN_BLOCK_STEPS];
    AttnTexelRow texels;
    AttnKept kept;
    double busy; /* seconds */
} Worker;

static void worker_carve(const Pass *p, Worker *w, AttnCarver *carver)
{
    const AttnPlan *plan = &p->plan;
    size_t rows = (size_t)p->query_block;
    attn_rows_carve(&w->rows, plan, p->query_block, p->out.o != NULL, carver);
    float **ends[] = {&w->inverse, &w->reference, &w->factor, &w->max, &w->key};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        *ends[i] = attn_carve(carver, rows, sizeof(float));
    }
    if (plan->args.bias.fill) {
        w->bias = attn_carve(carver, ATTN_GROUP * RUN_FLOATS, sizeof(float));
    }
    if (p->summary) {
        attn_texel_row_carve(&w->texels, &p->shape, plan, carver);
        size_t ld = (size_t)w->texels.ld;
        w->texel_sum = attn_carve(carver, rows * ld, sizeof(float));
        w->texel_max = attn_carve(carver, rows * ld, sizeof(float));
        size_t runs = ATTN_GROUP * ATTN_BLOCK_STEPS * ATTN_PAD;
        w->rows.attend.run_sum = attn_carve(carver, runs, sizeof(float));
        w->rows.attend.run_max = attn_carve(carver, runs, sizeof(float));
    }
    if (p->keeps) {
        attn_kept_carve(&w->kept, plan, p->query_block, carver);
    }
    if (p->wave_heads == 0) {
        size_t steps = (size_t)plan->block_steps;
        w->k = attn_carve(carver, steps * p->panel.k, sizeof(float));
        w->v = attn_carve(carver, steps * p->panel.v, sizeof(float));
    }
}

static void shared_carve(Pass *p, AttnCarver *carver)
{
    size_t steps = (size_t)p->plan.n_steps, heads = (size_t)p->wave_heads;
    p->k = attn_carve(carver, heads * steps * p->panel.k, sizeof(float));
    p->v = attn_carve(carver, heads * steps * p->panel.v, sizeof(float));
    p->v_finite = attn_carve(carver, heads * steps, sizeof(bool));
    if (p->plan.args.mask.key_mask) {
        p->hidden = attn_carve(carver, steps * ATTN_STEP, sizeof(float));
        p->any_hidden = attn_carve(carver, steps, sizeof(bool));
    }
    if (p->keeps) {
        int32_t per_kv = p->plan.args.n_heads / p->plan.args.n_kv_heads;
        attn_received_carve(&p->received, &p->plan, p->wave_heads * per_kv, carver);
    }
}

/* ---------------------------------------------------------------- packing */

/* key_mask in slot order, once for all heads. */
static void pack_hidden(Pass *p)
{
    for (int32_t step = 0; p->hidden && step < p->plan.n_steps; step++) {
        p->any_hidden[step] =
            attn_panel_hidden(&p->plan, step, p->hidden + (ptrdiff_t)step * ATTN_STEP);
    }
}

/* ---------------------------------------------------------------- a query block */

static void start_rows(const Pass *p, Worker *w, int32_t head, int32_t row0, int32_t n_rows)
{
    const AttnPlan *plan = &p->plan;
    const AttnArgs *a = &plan->args;
    int32_t first_begin, last_end;
    attn_rows_start(&w->rows, plan, head, row0, n_rows);
    attn_mask_hull(&a->mask, a->n_keys, row0, n_rows, &first_begin, &last_end);
    for (int32_t r = 0; p->summary && r < n_rows; r += ATTN_GROUP) {
        int32_t n = n_rows - r < ATTN_GROUP ? n_rows - r : ATTN_GROUP, begin, end;
        attn_mask_hull(&a->mask, a->n_keys, row0 + r, n, &begin, &end);
        ptrdiff_t at = (ptrdiff_t)r * w->texels.ld;
        attn_texel_row_start(&w->texels, n, begin, end, last_end, w->texel_sum + at,
                             w->texel_max + at);
    }
}

/* Steps [*first, *last) of the block at key0 that some of n rows from row on can see. */
static bool steps_seen(const AttnPlan *plan, int32_t row, int32_t n, int32_t key0, int32_t n_steps,
                       int32_t *first, int32_t *last)
{
    int32_t begin, end;
    attn_mask_hull(&plan->args.mask, plan->args.n_keys, row, n, &begin, &end);
    *first = begin > key0 ? (begin - key0) / ATTN_STEP : 0;
    *last = end > key0 ? (end - key0 + ATTN_STEP - 1) / ATTN_STEP : 0;
    *last = *last < n_steps ? *last : n_steps;
    return *first < *last;
}

static void fill_bias(const Pass *p, Worker *w, AttnBlock *block, int32_t head, int32_t row,
                      int32_t n_rows)
{
    const AttnArgs *a = &p->plan.args;
    int32_t skip = block->first_step * ATTN_STEP;
    int32_t key = block->key0 + skip;
    int32_t stop = block->key0 + block->last_step * ATTN_STEP;
    stop = stop < a->n_keys ? stop : a->n_keys;
    a->bias.fill(a->bias.payload, head, row, n_rows, key, stop - key, w->bias + skip, RUN_FLOATS);
    block->bias = w->bias;
    block->bias_ld = RUN_FLOATS;
}

static AttnGroup group_at(const Pass *p, const Worker *w, int32_t r, int32_t n_rows)
{
    AttnGroup g = attn_rows_group(&w->rows, &p->plan, r, n_rows);
    if (p->summary) {
        g.texel_ld = w->texels.ld;
        g.texel_sum = w->texel_sum + r * g.texel_ld;
        g.texel_max = w->texel_max + r * g.texel_ld;
    }
    return g;
}

/* One query block meets one block of keys. */
static void meet_block(const Pass *p, Worker *w, int32_t head, int32_t wave_head, int32_t row0,
                       int32_t n_rows, int32_t step0)
{
    const AttnPlan *plan = &p->plan;
    int32_t left = plan->n_steps - step0;
    AttnBlock block = {
        .key0 = step0 * ATTN_STEP,
        .n_steps = left < plan->block_steps ? left : plan->block_steps,
        .block_steps = plan->block_steps,
        .k_words = attn_kernel_words(plan->kernel, plan->args.head_dim),
        .ep = plan->ep,
        .col_width = p->summary ? p->shape.col_width : 0,
        .n_cols = p->summary ? p->shape.n_cols : 0,
        .soft_cap = plan->args.soft_cap,
        .hidden = p->hidden ? p->hidden + (ptrdiff_t)step0 * ATTN_STEP : NULL,
        .any_hidden = p->hidden ? p->any_hidden + step0 : NULL,
    };
    int32_t first, last;
    if (!steps_seen(plan, row0, n_rows, block.key0, block.n_steps, &first, &last)) {
        return;
    }
    if (p->wave_heads > 0) {
        size_t at = (size_t)wave_head * (size_t)plan->n_steps + (size_t)step0;
        block.k = p->k + at * p->panel.k;
        block.v = p->out.o ? p->v + at * p->panel.v : NULL;
        block.v_finite = p->v_finite + at;
    } else {
        int32_t kv_head = attn_plan_kv_head(plan, head);
        for (int32_t s = first; s < last; s++) {
            float *v = p->out.o ? w->v + (size_t)s * p->panel.v : NULL;
            attn_panel_pack(plan, kv_head, step0 + s, w->k + (size_t)s * p->panel.k, v,
                            &w->v_finite[s]);
        }
        block.k = w->k;
        block.v = p->out.o ? w->v : NULL;
        block.v_finite = w->v_finite;
    }
    for (int32_t r = 0; r < n_rows; r += ATTN_GROUP) {
        int32_t n = n_rows - r < ATTN_GROUP ? n_rows - r : ATTN_GROUP;
        if (!steps_seen(plan, row0 + r, n, block.key0, block.n_steps, &block.first_step,
                        &block.last_step)) {
            continue;
        }
        if (plan->args.bias.fill) {
            fill_bias(p, w, &block, head, row0 + r, n);
        }
        AttnGroup group = group_at(p, w, r, n);
        if (p->keeps) {
            group.kept = attn_kept_at(&w->kept, step0 + block.first_step, r / ATTN_GROUP);
            group.kept_ld = (ptrdiff_t)w->kept.n_groups * ATTN_KEPT;
        }
        (p->full ? plan->kernel->attend_full : plan->kernel->attend)(&block, &group,
                                                                     &w->rows.attend);
    }
}

/* The rows of a query block, texel row by texel row, into the summary. */
static void end_texels(const Pass *p, Worker *w, int32_t head, int32_t row0, int32_t n_rows)
{
    int64_t head_at = head * p->shape.n_texels;
    float *mean = p->out.summary_mean ? p->out.summary_mean + head_at : NULL;
    float *max = p->out.summary_max ? p->out.summary_max + head_at : NULL;
    const float *log_sum = p->out.row_log_sum + (int64_t)head * p->plan.args.n_queries + row0;
    for (int32_t r = 0, n; r < n_rows; r += n) {
        int32_t texel_row = (row0 + r) / p->shape.row_width, first, stop, n_keys = 0;
        attn_summary_texel_rows(&p->shape, texel_row, &first, &stop);
        n = stop - (row0 + r) < n_rows - r ? stop - (row0 + r) : n_rows - r;
        for (int32_t i = r; i < r + n; i++) {
            n_keys = w->rows.end[i] > n_keys ? w->rows.end[i] : n_keys;
        }
        AttnTexelRows rows = {.sum = w->texel_sum + (ptrdiff_t)r * w->texels.ld,
                              .largest = w->texel_max + (ptrdiff_t)r * w->texels.ld,
                              .ld = w->texels.ld,
                              .n_rows = n,
                              .inverse = w->inverse + r,
                              .reference = w->reference + r,
                              .factor = w->factor + r,
                              .log_sum = log_sum + r};
        attn_texel_row_add(&w->texels, p->plan.kernel, &rows, n_keys, texel_row, mean, max);
    }
}

static void end_rows(const Pass *p, Worker *w, int32_t head, int32_t row0, int32_t n_rows)
{
    const AttnRows *rows = &w->rows;
    AttnRowsEnd end = {
        .head = head,
        .row0 = row0,
        .n_rows = n_rows,
        .ref = rows->ref,
        .sum = rows->sum,
        .moment = rows->moment,
        .distance = rows->distance,
        .named = {rows->named[0], rows->named[1], rows->named[2]},
        .lane_max = rows->lane_max,
        .lane_key = rows->lane_key,
        .o = rows->o,
        .inverse = w->inverse,
        .reference = w->reference,
        .factor = w->factor,
        .max = w->max,
        .key = w->key,
    };
    attn_rows_write(&p->plan, &p->out, p->full, &end);
    if (p->keeps) {
        memcpy(w->kept.inverse, w->inverse, (size_t)n_rows * sizeof(float));
    }
    if (p->summary) {
        end_texels(p, w, head, row0, n_rows);
    }
}

/* wave_head counts query heads from those of the wave's first key/value head kv0 on. */
static void run_task(Pass *p, Worker *w, int32_t kv0, int32_t wave_head, int32_t row_begin)
{
    const AttnPlan *plan = &p->plan;
    int32_t per_kv = plan->args.n_heads / plan->args.n_kv_heads;
    int32_t head = kv0 * per_kv + wave_head;
    int32_t left = plan->args.n_queries - row_begin;
    int32_t row_end = row_begin + (left < p->task_rows ? left : p->task_rows);
    if (p->summary) {
        attn_texel_row_clear(&w->texels);
    }
    for (int32_t row0 = row_begin; row0 < row_end; row0 += p->query_block) {
        int32_t n = row_end - row0 < p->query_block ? row_end - row0 : p->query_block;
        start_rows(p, w, head, row0, n);
        if (p->keeps) {
            attn_kept_start(&w->kept, plan, row0, n);
        }
        for (int32_t step = 0; step < plan->n_steps; step += plan->block_steps) {
            if (attn_cancelled(p->progress)) {
                atomic_store_explicit(&p->stop, true, memory_order_relaxed);
                return;
            }
            meet_block(p, w, head, wave_head / per_kv, row0, n, step);
        }
        end_rows(p, w, head, row0, n);
        if (p->keeps) {
            attn_kept_fold(&w->kept, plan, row0, n, w->rows.ref, &p->received, wave_head);
        }
    }
    atomic_fetch_add_explicit(&p->done, 1, memory_order_relaxed);
}

/* ---------------------------------------------------------------- the pass */

static void pass_layout(Pass *p)
{
    const AttnPlan *plan = &p->plan;
    const AttnArgs *a = &plan->args;
    p->query_block = a->n_queries >= LONG_FROM ? QUERY_BLOCK_LONG : QUERY_BLOCK_SHORT;
    p->panel = attn_panel_size(plan, p->out.o != NULL);
    size_t head_bytes = (size_t)plan->n_steps * (p->panel.k + p->panel.v) * sizeof(float);
    size_t fit = PACK_BUDGET / head_bytes;
    p->wave_heads = fit > (size_t)a->n_kv_heads ? a->n_kv_heads : (int32_t)fit;
    /* Sums of a wave's columns are small beside its panels. */
    int32_t kept_rows = attn_kept_rows(plan, p->query_block);
    p->keeps = p->out.received && kept_rows > 0 && p->wave_heads > 0 &&
               plan->kernel->k_per_word == 1 && !attn_few_suits(plan);
    p->query_block = p->keeps ? kept_rows : p->query_block;
    p->task_rows = p->query_block;
    if (p->summary) {
        /* A texel row belongs to one task; both widths are a power of two times 1 or 3. */
        p->shape = attn_summary_shape(a, p->out.summary_size);
        while (p->task_rows % p->shape.row_width != 0) {
            p->task_rows *= 2;
        }
    }
    p->tasks_per_head = (a->n_queries + p->task_rows - 1) / p->task_rows;
    p->total = (int64_t)a->n_heads * p->tasks_per_head;
}

static AttnStatus pass_prepare(Pass *p, const AttnCtx *ctx, const AttnArgs *args,
                               const AttnOutputs *out)
{
    if (!attn_ctx_has_precision(ctx, args->precision)) {
        return ATTN_PRECISION;
    }
    AttnStatus status = attn_plan_make(&p->plan, ctx->kernels[args->precision], args, NULL, 0);
    if (status != ATTN_OK) {
        return status;
    }
    p->out = *out;
    if (!out->row_max || !out->row_log_sum || (out->o && !args->v)) {
        return ATTN_OPERAND;
    }
    if (out->summary_size < 0 || out->summary_size > ATTN_SUMMARY_MAX) {
        return ATTN_SUMMARY;
    }
    const AttnArgs *a = &p->plan.args;
    p->out.o_row_stride = out->o_row_stride == 0 ? a->v_dim : out->o_row_stride;
    p->out.o_head_stride =
        out->o_head_stride == 0 ? a->n_queries * p->out.o_row_stride : out->o_head_stride;
    const AttnRowStats *rows = &out->rows;
    p->summary = out->summary_mean || out->summary_max;
    p->full = p->summary || rows->entropy || rows->distance || rows->max_weight || rows->max_key ||
              rows->first_weight || rows->self_weight || rows->prev_weight;
    pass_layout(p);
    return ATTN_OK;
}

/*
 * The order of a wave's tasks: head after head, so that panels are met again while they are near.
 * Under a causal mask early rows cost little; the first half of each head's comes at the end, where
 * it evens out what threads still have to do.
 */
static int32_t task_at(const Pass *p, int64_t n_heads, int64_t i, int32_t *head)
{
    int32_t small = p->plan.args.mask.kind & ATTN_MASK_CAUSAL ? p->tasks_per_head / 2 : 0;
    int32_t large = p->tasks_per_head - small;
    if (i < n_heads * large) {
        *head = (int32_t)(i / large);
        return p->tasks_per_head - 1 - (int32_t)(i % large);
    }
    i -= n_heads * large;
    *head = (int32_t)(i % n_heads);
    return small - 1 - (int32_t)(i / n_heads);
}

/* Heads [kv0, kv0 + n_kv): pack ahead, then all their tasks. */
static void run_wave(Pass *p, Worker *w, int32_t kv0, int32_t n_kv)
{
    const AttnPlan *plan = &p->plan;
    if (p->wave_heads > 0) {
        int64_t n_panels = (int64_t)n_kv * plan->n_steps;
#pragma omp for schedule(dynamic, 4) nowait
        for (int64_t i = 0; i < n_panels; i++) {
            if (atomic_load_explicit(&p->stop, memory_order_relaxed)) {
                continue;
            }
            float *v = p->out.o ? p->v + (size_t)i * p->panel.v : NULL;
            attn_panel_pack(plan, kv0 + (int32_t)(i / plan->n_steps), (int32_t)(i % plan->n_steps),
                            p->k + (size_t)i * p->panel.k, v, &p->v_finite[i]);
        }
        attn_team_wait(&w->busy);
    }
    int32_t per_kv = plan->args.n_heads / plan->args.n_kv_heads;
    int64_t n_heads = (int64_t)n_kv * per_kv;
    if (p->keeps) {
#pragma omp for schedule(static) nowait
        for (int64_t i = 0; i < n_heads; i++) {
            attn_received_clear(&p->received, (int32_t)i);
        }
        attn_team_wait(&w->busy);
    }
#pragma omp for schedule(dynamic, 1) nowait
    for (int64_t i = 0; i < n_heads * p->tasks_per_head; i++) {
        int32_t head, task = task_at(p, n_heads, i, &head);
        if (!atomic_load_explicit(&p->stop, memory_order_relaxed)) {
            run_task(p, w, kv0, head, task * p->task_rows);
            if (omp_get_thread_num() == 0 && !attn_cancelled(p->progress)) {
                attn_report(p->progress, &p->done, p->total);
            }
        }
    }
    attn_team_wait(&w->busy);
    if (p->keeps) {
#pragma omp for schedule(static) nowait
        for (int64_t i = 0; i < n_heads; i++) {
            int64_t head = kv0 * per_kv + i;
            attn_received_write(&p->received, plan, (int32_t)i,
                                p->out.received + head * plan->args.n_keys);
        }
        attn_team_wait(&w->busy);
    }
}

static size_t worker_bytes(const Pass *p)
{
    Worker worker = {0};
    AttnCarver carver = {0};
    worker_carve(p, &worker, &carver);
    return carver.used;
}

static size_t shared_bytes(Pass *p)
{
    AttnCarver carver = {0};
    shared_carve(p, &carver);
    return carver.used;
}

size_t attn_scratch_bytes(const AttnCtx *ctx, const AttnArgs *args, const AttnOutputs *out)
{
    Pass p = {0};
    if (pass_prepare(&p, ctx, args, out) != ATTN_OK) {
        return 0;
    }
    bool few = attn_few_suits(&p.plan);
    size_t bytes = few ? attn_few_scratch_bytes(ctx, &p.plan, &p.out)
                       : shared_bytes(&p) + (size_t)ctx->n_threads * worker_bytes(&p);
    /* What comes afterwards takes memory when that is given back. */
    if (few && p.summary) {
        size_t reduce = attn_tile_reduce_scratch_bytes(ctx, &p.plan, p.shape.n_cols);
        bytes = reduce > bytes ? reduce : bytes;
    }
    if (out->received && !p.keeps) {
        size_t received = attn_received_scratch_bytes(ctx, &p.plan);
        bytes = received > bytes ? received : bytes;
    }
    return attn_scratch_rounded(bytes);
}

static AttnStatus run_pass(const AttnCtx *ctx, Pass *pass)
{
    size_t shared = shared_bytes(pass), per_worker = worker_bytes(pass);
    char *scratch = attn_scratch_take(ctx, shared + (size_t)ctx->n_threads * per_worker);
    if (!scratch) {
        return ATTN_MEMORY;
    }
    shared_carve(pass, &(AttnCarver){.base = scratch});
    pack_hidden(pass);
    attn_received_open(&pass->received);
    const AttnArgs *a = &pass->plan.args;
    int32_t wave = pass->wave_heads > 0 ? pass->wave_heads : a->n_kv_heads;
    double pairs = (double)a->n_heads * a->n_queries * a->n_keys;
    int n_threads = attn_team_size(ctx, &pass->plan, pass->total, pairs);
    double busy_s = 0;
#pragma omp parallel num_threads(n_threads) reduction(+ : busy_s)
    {
        char *own = scratch + shared + (size_t)omp_get_thread_num() * per_worker;
        Worker w = {.busy = -omp_get_wtime()};
        worker_carve(pass, &w, &(AttnCarver){.base = own});
        attn_rows_open(&w.rows);
        for (int32_t kv0 = 0; kv0 < a->n_kv_heads; kv0 += wave) {
            int32_t left = a->n_kv_heads - kv0;
            run_wave(pass, &w, kv0, left < wave ? left : wave);
        }
        busy_s += w.busy + omp_get_wtime();
    }
    attn_report_busy(pass->progress, busy_s);
    attn_received_close(&pass->received);
    attn_scratch_give(ctx, scratch);
    if (atomic_load(&pass->stop) || attn_cancelled(pass->progress)) {
        return ATTN_CANCELLED;
    }
    attn_report(pass->progress, &pass->done, pass->total);
    return ATTN_OK;
}

AttnStatus attn_forward(const AttnCtx *ctx, const AttnArgs *args, const AttnOutputs *out,
                        const AttnProgress *progress)
{
    Pass p = {.progress = progress};
    AttnStatus status = pass_prepare(&p, ctx, args, out);
    if (status != ATTN_OK) {
        return status;
    }
    status = attn_few_suits(&p.plan) ? attn_few_forward(ctx, &p.plan, &p.out, p.full, progress)
                                     : run_pass(ctx, &p);
    if (status == ATTN_OK && out->received && !p.keeps) {
        return attn_received(ctx, args, out->row_max, out->row_log_sum, out->received, progress);
    }
    return status;
}
