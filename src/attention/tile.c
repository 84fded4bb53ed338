#include <string.h>

#include <omp.h>

#include "attention/scratch.h"
#include "attention/strip.h"

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static AttnStatus check_tile(const AttnPlan *plan, const AttnTileDesc *tile)
{
    const AttnArgs *a = &plan->args;
    if (tile->kind == ATTN_TILE_WEIGHTS && (!tile->row_max || !tile->row_log_sum)) {
        return ATTN_OPERAND;
    }
    bool inside = tile->head >= 0 && tile->head < a->n_heads && tile->row0 >= 0 &&
                  tile->row0 < tile->row1 && tile->row1 <= a->n_queries && tile->col0 >= 0 &&
                  tile->col0 < tile->col1 && tile->col1 <= a->n_keys;
    return inside ? ATTN_OK : ATTN_RANGE;
}

static void fill_hidden(const AttnTileDesc *tile, int32_t n_rows, int32_t n_cols, float *out,
                        ptrdiff_t ld)
{
    float value = tile->kind == ATTN_TILE_WEIGHTS ? 0.0f : -INFINITY;
    for (int32_t r = 0; r < n_rows; r++) {
        for (int32_t c = 0; c < n_cols; c++) {
            out[r * ld + c] = value;
        }
    }
}

/* One strip of rows against one step of keys. */
static void strip_step(AttnStrip *strip, const AttnTileDesc *tile, int32_t col0, int32_t n_cols,
                       float *out, ptrdiff_t ld)
{
    if (!attn_strip_sees(strip, 0, strip->n_rows, col0, n_cols)) {
        fill_hidden(tile, strip->n_rows, n_cols, out, ld);
        return;
    }
    attn_strip_pack(strip, col0, n_cols, strip->panel);
    for (int32_t r = 0; r < strip->n_rows; r += ATTN_GROUP) {
        int32_t n = least(strip->n_rows - r, ATTN_GROUP);
        attn_strip_scores(strip, r, n, strip->panel, col0, n_cols);
        for (int32_t i = 0; i < n; i++) {
            const float *s = strip->s + i * ATTN_STEP;
            float *to = out + (r + i) * ld;
            if (tile->kind == ATTN_TILE_WEIGHTS) {
                strip->plan->kernel->weights(s, n_cols, strip->reference[r + i],
                                             strip->factor[r + i], to);
            } else {
                memcpy(to, s, (size_t)n_cols * sizeof(float));
            }
        }
    }
}

static void tile_by_rows(AttnStrip *strip, const AttnTileDesc *tile, float *out, ptrdiff_t ld)
{
    for (int32_t row = tile->row0; row < tile->row1; row += ATTN_STRIP_ROWS) {
        attn_strip_load(strip, tile->head, row, least(tile->row1 - row, ATTN_STRIP_ROWS));
        for (int32_t col = tile->col0; col < tile->col1; col += ATTN_STEP) {
            strip_step(strip, tile, col, least(tile->col1 - col, ATTN_STEP),
                       out + (row - tile->row0) * ld + (col - tile->col0), ld);
        }
    }
}

/* Cap, bias and mask of scores that stand query by query in their columns,
 * s[n_cols][ATTN_STEP]. */
static void finish_columns(AttnStrip *strip, const AttnTileDesc *tile, int32_t row, int32_t n_rows,
                           int32_t n_cols)
{
    if (attn_scores_plain(strip->plan, row, n_rows, tile->col0, n_cols)) {
        return;
    }
    float turned[ATTN_STEP * ATTN_GROUP];
    for (int32_t r = 0; r < n_rows; r++) {
        for (int32_t c = 0; c < n_cols; c++) {
            turned[r * n_cols + c] = strip->s[c * ATTN_STEP + r];
        }
    }
    attn_scores_finish(strip->plan, tile->head, row, n_rows, tile->col0, n_cols, turned, n_cols,
                       strip->bias);
    for (int32_t r = 0; r < n_rows; r++) {
        for (int32_t c = 0; c < n_cols; c++) {
            strip->s[c * ATTN_STEP + r] = turned[r * n_cols + c];
        }
    }
}

/*
 * A tall narrow tile: queries take the place of keys in the panels. A product commutes, so every
 * score is the same chain of the same values and has the same bits.
 */
static void tile_by_cols(AttnStrip *strip, const AttnTileDesc *tile, float *out, ptrdiff_t ld)
{
    const AttnPlan *plan = strip->plan;
    const AttnArgs *a = &plan->args;
    int32_t n_cols = tile->col1 - tile->col0;
    plan->kernel->pack_q(attn_plan_k(plan, attn_plan_kv_head(plan, tile->head), tile->col0),
                         a->k_row_stride, n_cols, a->head_dim, 1.0f, strip->q);
    for (int32_t row = tile->row0; row < tile->row1; row += ATTN_STEP) {
        int32_t n_rows = least(tile->row1 - row, ATTN_STEP), begin, end;
        float *to = out + (row - tile->row0) * ld;
        attn_mask_hull(&a->mask, a->n_keys, row, n_rows, &begin, &end);
        if (begin >= tile->col1 || end <= tile->col0) {
            fill_hidden(tile, n_rows, n_cols, to, ld);
            continue;
        }
        plan->kernel->pack_k(attn_plan_q(plan, tile->head, row), a->q_row_stride, n_rows,
                             a->head_dim, a->scale, false, strip->panel);
        plan->kernel->scores(strip->q, strip->panel, a->head_dim, n_cols, strip->s);
        finish_columns(strip, tile, row, n_rows, n_cols);
        for (int32_t r = 0; tile->kind == ATTN_TILE_WEIGHTS && r < n_rows; r++) {
            int64_t at = (int64_t)tile->head * a->n_queries + row + r;
            strip->reference[r] = attn_row_reference(tile->row_max[at]);
            strip->factor[r] = attn_row_factor(tile->row_max[at], tile->row_log_sum[at]);
        }
        for (int32_t c = 0; c < n_cols; c++) {
            float *s = strip->s + c * ATTN_STEP;
            if (tile->kind == ATTN_TILE_WEIGHTS) {
                plan->kernel->weights_each(s, n_rows, strip->reference, strip->factor, s);
            }
            for (int32_t r = 0; r < n_rows; r++) {
                to[r * ld + c] = s[r];
            }
        }
    }
}

static bool is_column(const AttnTileDesc *tile)
{
    return tile->col1 - tile->col0 <= ATTN_GROUP && tile->row1 - tile->row0 > ATTN_GROUP;
}

/* ---------------------------------------------------------------- pieces of a
 * batch */

enum {
    PIECE_LONG = 8192, /* of a narrow tile */
    PIECE_COLS = 1024, /* of others, whose pieces are one strip high */
};

typedef struct PieceGrid {
    int32_t height, width;  /* of a piece */
    int32_t n_down, n_over; /* pieces of the tile */
} PieceGrid;

static PieceGrid piece_grid(const AttnTileDesc *tile)
{
    int32_t n_rows = tile->row1 - tile->row0, n_cols = tile->col1 - tile->col0;
    PieceGrid grid = {.height = ATTN_STRIP_ROWS, .width = PIECE_COLS};
    if (is_column(tile)) {
        grid.height = PIECE_LONG;
    } else if (n_rows <= ATTN_GROUP) {
        grid.width = PIECE_LONG;
    }
    grid.n_down = (n_rows - 1) / grid.height + 1;
    grid.n_over = (n_cols - 1) / grid.width + 1;
    return grid;
}

static void run_piece(AttnStrip *strip, const AttnTileTask *task, int64_t index)
{
    PieceGrid grid = piece_grid(&task->tile);
    int32_t down = (int32_t)(index / grid.n_over), over = (int32_t)(index % grid.n_over);
    AttnTileDesc piece = task->tile;
    piece.row0 += down * grid.height;
    piece.row1 = least(task->tile.row1, piece.row0 + grid.height);
    piece.col0 += over * grid.width;
    piece.col1 = least(task->tile.col1, piece.col0 + grid.width);
    strip->row_max = piece.kind == ATTN_TILE_WEIGHTS ? piece.row_max : NULL;
    strip->row_log_sum = piece.row_log_sum;
    float *out =
        task->out + (piece.row0 - task->tile.row0) * task->ld + (piece.col0 - task->tile.col0);
    if (is_column(&piece)) {
        tile_by_cols(strip, &piece, out, task->ld);
    } else {
        tile_by_rows(strip, &piece, out, task->ld);
    }
}

/* The task that piece `index` of all belongs to: the last one that starts at or
 * before it. */
static int32_t task_of(const int64_t *first, int32_t n_tasks, int64_t index)
{
    int32_t low = 0, high = n_tasks - 1;
    while (low < high) {
        int32_t middle = low + (high - low + 1) / 2;
        if (first[middle] <= index) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

static AttnStatus check_task(const AttnPlan *plan, const AttnTileTask *task)
{
    AttnStatus status = check_tile(plan, &task->tile);
    if (status == ATTN_OK && !task->out) {
        status = ATTN_OPERAND;
    }
    if (status == ATTN_OK && task->ld < task->tile.col1 - task->tile.col0) {
        status = ATTN_RANGE;
    }
    return status;
}

/* Pieces of all tasks on so many threads at most. */
static AttnStatus run_tasks(const AttnCtx *ctx, const AttnArgs *args, const AttnTileTask *tasks,
                            int32_t n_tasks, int most_threads, const AttnProgress *progress)
{
    AttnPlan plan;
    AttnStatus status = attn_plan_make(&plan, ctx->kernel, args, NULL, 0);
    status = status == ATTN_OK && n_tasks > 0 && !tasks ? ATTN_OPERAND : status;
    for (int32_t t = 0; status == ATTN_OK && t < n_tasks; t++) {
        status = check_task(&plan, &tasks[t]);
    }
    if (status != ATTN_OK || n_tasks <= 0) {
        return status;
    }
    AttnCarver measure = {0};
    attn_strip_carve(&(AttnStrip){0}, &plan, &measure);
    size_t index_bytes = attn_padded((size_t)n_tasks * sizeof(int64_t));
    char *scratch = attn_scratch_take(ctx, index_bytes + measure.used * (size_t)most_threads);
    if (!scratch) {
        return ATTN_MEMORY;
    }
    int64_t *first = (int64_t *)(void *)scratch, total = 0;
    double pairs = 0;
    for (int32_t t = 0; t < n_tasks; t++) {
        const AttnTileDesc *tile = &tasks[t].tile;
        PieceGrid grid = piece_grid(tile);
        first[t] = total;
        total += (int64_t)grid.n_down * grid.n_over;
        pairs += (double)(tile->row1 - tile->row0) * (tile->col1 - tile->col0);
    }
    _Atomic int64_t done = 0;
    int n_threads = attn_team_size(ctx, &plan, total, pairs);
    n_threads = n_threads < most_threads ? n_threads : most_threads;
#pragma omp parallel num_threads(n_threads) if (n_threads > 1)
    {
        AttnStrip strip = {0};
        size_t at = index_bytes + (size_t)omp_get_thread_num() * measure.used;
        attn_strip_carve(&strip, &plan, &(AttnCarver){.base = scratch + at});
#pragma omp for schedule(dynamic, 1)
        for (int64_t i = 0; i < total; i++) {
            if (attn_cancelled(progress)) {
                continue;
            }
            int32_t t = task_of(first, n_tasks, i);
            run_piece(&strip, &tasks[t], i - first[t]);
            atomic_fetch_add_explicit(&done, 1, memory_order_relaxed);
            if (omp_get_thread_num() == 0 && !attn_cancelled(progress)) {
                attn_report(progress, &done, total);
            }
        }
    }
    attn_scratch_give(ctx, scratch);
    if (attn_cancelled(progress)) {
        return ATTN_CANCELLED;
    }
    attn_report(progress, &done, total);
    return ATTN_OK;
}

AttnStatus attn_tiles(const AttnCtx *ctx, const AttnArgs *args, const AttnTileTask *tasks,
                      int32_t n_tasks, const AttnProgress *progress)
{
    return run_tasks(ctx, args, tasks, n_tasks, ctx->n_threads, progress);
}

AttnStatus attn_tile(const AttnCtx *ctx, const AttnArgs *args, const AttnTileDesc *tile, float *out,
                     ptrdiff_t ld)
{
    return run_tasks(ctx, args, &(AttnTileTask){*tile, out, ld}, 1, 1, NULL);
}

AttnStatus attn_tile_row(const AttnCtx *ctx, const AttnArgs *args, AttnTileKind kind, int32_t head,
                         int32_t row, const float *row_max, const float *row_log_sum, float *out)
{
    int32_t n_keys = args->n_keys == 0 ? args->n_queries : args->n_keys;
    AttnTileDesc tile = {kind, head, row, row + 1, 0, n_keys, row_max, row_log_sum};
    return attn_tiles(ctx, args, &(AttnTileTask){tile, out, n_keys}, 1, NULL);
}

AttnStatus attn_tile_col(const AttnCtx *ctx, const AttnArgs *args, AttnTileKind kind, int32_t head,
                         int32_t col, const float *row_max, const float *row_log_sum, float *out)
{
    AttnTileDesc tile = {kind, head, 0, args->n_queries, col, col + 1, row_max, row_log_sum};
    return attn_tiles(ctx, args, &(AttnTileTask){tile, out, 1}, 1, NULL);
}

/* ---------------------------------------------------------------- reduced tiles */

/* Scratch of one thread: a strip, and one row of texels. */
typedef struct Reducer {
    AttnStrip strip;
    double *total; /* [texels of a row] */
    float *largest;
} Reducer;

static void reducer_carve(Reducer *reducer, const AttnPlan *plan, int32_t n_texels,
                          AttnCarver *carver)
{
    attn_strip_carve(&reducer->strip, plan, carver);
    reducer->total = attn_carve(carver, (size_t)n_texels, sizeof(double));
    reducer->largest = attn_carve(carver, (size_t)n_texels, sizeof(float));
}

/* Adds the weights of n rows and n_cols keys that start `offset` keys into the region. */
static void reduce_group(Reducer *reducer, int32_t n, int32_t offset, int32_t n_cols,
                         int32_t col_width)
{
    const float *w = reducer->strip.s;
    float sum[ATTN_STEP], largest[ATTN_STEP];
    memcpy(sum, w, sizeof sum);
    memcpy(largest, w, sizeof largest);
    for (int32_t r = 1; r < n; r++) {
        for (int32_t c = 0; c < n_cols; c++) {
            float x = w[r * ATTN_STEP + c];
            sum[c] += x;
            largest[c] = x > largest[c] ? x : largest[c];
        }
    }
    for (int32_t c = 0; c < n_cols; c++) {
        int32_t texel = (offset + c) / col_width;
        reducer->total[texel] += (double)sum[c];
        float most = reducer->largest[texel];
        reducer->largest[texel] = largest[c] > most ? largest[c] : most;
    }
}

static void reduce_rows(Reducer *reducer, const AttnTileDesc *tile, int32_t row, int32_t stop,
                        int32_t col_width)
{
    AttnStrip *strip = &reducer->strip;
    for (; row < stop; row += ATTN_STRIP_ROWS) {
        attn_strip_load(strip, tile->head, row, least(stop - row, ATTN_STRIP_ROWS));
        for (int32_t col = tile->col0; col < tile->col1; col += ATTN_STEP) {
            int32_t n_cols = least(tile->col1 - col, ATTN_STEP);
            if (!attn_strip_sees(strip, 0, strip->n_rows, col, n_cols)) {
                continue;
            }
            attn_strip_pack(strip, col, n_cols, strip->panel);
            for (int32_t r = 0; r < strip->n_rows; r += ATTN_GROUP) {
                int32_t n = least(strip->n_rows - r, ATTN_GROUP);
                if (attn_strip_sees(strip, r, n, col, n_cols)) {
                    attn_strip_weights(strip, r, n, strip->panel, col, n_cols);
                    reduce_group(reducer, n, col - tile->col0, n_cols, col_width);
                }
            }
        }
    }
}

static size_t reducer_bytes(const AttnPlan *plan, int32_t n_cols)
{
    AttnCarver measure = {0};
    reducer_carve(&(Reducer){0}, plan, n_cols, &measure);
    return measure.used;
}

size_t attn_tile_reduce_scratch_bytes(const AttnCtx *ctx, const AttnPlan *plan, int32_t n_cols)
{
    return reducer_bytes(plan, n_cols) * (size_t)ctx->n_threads;
}

AttnStatus attn_tile_reduce(const AttnCtx *ctx, const AttnArgs *args, const AttnTileDesc *tile,
                            int32_t row_width, int32_t col_width, float *out_mean, float *out_max,
                            ptrdiff_t ld, const AttnProgress *progress)
{
    AttnPlan plan;
    AttnStatus status = attn_plan_make(&plan, ctx->kernel, args, NULL, 0);
    status = status == ATTN_OK ? check_tile(&plan, tile) : status;
    if (status != ATTN_OK) {
        return status;
    }
    if (tile->kind != ATTN_TILE_WEIGHTS || row_width < 1 || col_width < 1) {
        return ATTN_RANGE;
    }
    int32_t rows = tile->row1 - tile->row0, cols = tile->col1 - tile->col0;
    int32_t n_rows = (rows - 1) / row_width + 1, n_cols = (cols - 1) / col_width + 1;
    if (ld < n_cols) {
        return ATTN_RANGE;
    }
    size_t per_reducer = reducer_bytes(&plan, n_cols);
    char *scratch = attn_scratch_take(ctx, per_reducer * (size_t)ctx->n_threads);
    if (!scratch) {
        return ATTN_MEMORY;
    }
    _Atomic int64_t done = 0;
    int n_threads = attn_team_size(ctx, &plan, n_rows, (double)rows * cols);
#pragma omp parallel num_threads(n_threads)
    {
        Reducer reducer = {.strip = {.row_max = tile->row_max, .row_log_sum = tile->row_log_sum}};
        AttnCarver own = {.base = scratch + (size_t)omp_get_thread_num() * per_reducer};
        reducer_carve(&reducer, &plan, n_cols, &own);
#pragma omp for schedule(dynamic, 1)
        for (int32_t t = n_rows - 1; t >= 0; t--) {
            if (attn_cancelled(progress)) {
                continue;
            }
            memset(reducer.total, 0, (size_t)n_cols * sizeof(double));
            memset(reducer.largest, 0, (size_t)n_cols * sizeof(float));
            int32_t row = tile->row0 + t * row_width;
            int32_t height = least(tile->row1 - row, row_width);
            reduce_rows(&reducer, tile, row, row + height, col_width);
            for (int32_t c = 0; c < n_cols; c++) {
                double pairs = (double)height * least(cols - c * col_width, col_width);
                if (out_mean) {
                    out_mean[t * ld + c] = (float)(reducer.total[c] / pairs);
                }
                if (out_max) {
                    out_max[t * ld + c] = reducer.largest[c];
                }
            }
            atomic_fetch_add_explicit(&done, 1, memory_order_relaxed);
            if (omp_get_thread_num() == 0 && !attn_cancelled(progress)) {
                attn_report(progress, &done, n_rows);
            }
        }
    }
    attn_scratch_give(ctx, scratch);
    if (attn_cancelled(progress)) {
        return ATTN_CANCELLED;
    }
    attn_report(progress, &done, n_rows);
    return ATTN_OK;
}
