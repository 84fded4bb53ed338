#include "session/shown.h"

#include <math.h>
#include <string.h>

/* Rows of what is shown, streamed: a few rows at a time over blocks of keys, so that a row of
 * 131,072 keys needs no more memory than a block. Every block has its own columns and its own
 * partial sums of the rows, which are put together in order: the same bits for any number of
 * threads. */

enum { BLOCK_MOST = 4096, BLOCK_LEAST = 64, BLOCKS_WISHED = 8 };

/* Of one row under one block of keys. */
typedef struct Partial {
    float most;
    double sum, others, p_log_p;
    int32_t visible;
} Partial;

static int32_t block_width(int32_t n_keys)
{
    int32_t width = (n_keys / BLOCKS_WISHED + BLOCK_LEAST) / BLOCK_LEAST * BLOCK_LEAST;
    return AS_CLAMP(width, BLOCK_LEAST, BLOCK_MOST);
}

/* What hidden keys have is read anew with each block. */
double shown_part_cost(const Trace *trace, const WeightSource *source)
{
    const TraceInfo *info = trace_info(trace);
    int32_t width = block_width(info->n_keys);
    double blocks = (info->n_keys + width - 1) / width;
    double n_heads = source->combine == COMBINE_ONE ? 1 : source->set.n;
    double keys = info->n_keys + blocks * weight_source_count_hidden(trace, source);
    return SHOWN_PART * keys * info->head_dim * n_heads;
}

static void add_row(const float *values, const TraceRegion *r, int32_t i, bool aligned,
                    Partial *part, double *received)
{
    for (int32_t j = r->col0; j < r->col1; j++) {
        float p = values[j - r->col0];
        if (isinf(p)) {
            continue;
        }
        part->visible++;
        part->most = fmaxf(part->most, p);
        part->sum += (double)p;
        part->others += j == 0 || (aligned && j == i) ? 0 : (double)p;
        part->p_log_p += p > 0 ? (double)(p * logf(p)) : 0;
        received[j] += (double)p;
    }
}

/* The keys that any of the rows sees in any head that is shown. */
static void visible_span(const Trace *trace, const WeightSource *source, int32_t layer,
                         int32_t row0, int32_t row1, int32_t *first, int32_t *end)
{
    int32_t n = source->combine == COMBINE_ONE ? 1 : source->set.n;
    *first = INT32_MAX;
    *end = 0;
    for (int32_t h = 0; h < n; h++) {
        int32_t of = source->combine == COMBINE_ONE ? layer : source->set.heads[h].layer;
        for (int32_t i = row0; i < row1; i++) {
            int32_t f;
            int32_t e;
            trace_visible_keys(trace, of, i, &f, &e);
            if (f < e) {
                *first = AS_MIN(*first, f);
                *end = AS_MAX(*end, e);
            }
        }
    }
}

static bool add_block(const Trace *trace, const WeightSource *source, const TraceRegion *region,
                      Partial *parts, double *received, Error *err)
{
    size_t width = (size_t)(region->col1 - region->col0);
    float *values = mem_alloc(width * (size_t)(region->row1 - region->row0) * sizeof *values, err);
    bool ok = values && weight_source_read(trace, source, region, values, NULL, err);
    bool aligned = !trace_is_cross(trace);
    for (int32_t i = region->row0; ok && i < region->row1; i++) {
        size_t at = (size_t)(i - region->row0);
        add_row(values + at * width, region, i, aligned, &parts[at], received);
    }
    mem_free(values);
    return ok;
}

static void finish_rows(ShownRows *rows, int32_t row0, int32_t row1, const Partial *parts,
                        int32_t n_blocks)
{
    for (int32_t i = row0; i < row1; i++) {
        Partial all = {0};
        for (int32_t b = 0; b < n_blocks; b++) {
            const Partial *p = &parts[(size_t)b * SHOWN_PART + (size_t)(i - row0)];
            all.most = fmaxf(all.most, p->most);
            all.sum += p->sum;
            all.others += p->others;
            all.p_log_p += p->p_log_p;
            all.visible += p->visible;
        }
        rows->row_max[i] = all.most;
        rows->total[i] = (float)all.sum;
        rows->others[i] = (float)all.others;
        rows->visible[i] = all.visible;
        double entropy = all.sum > 0 ? log(all.sum) - all.p_log_p / all.sum : 0;
        rows->entropy[i] = (float)fmax(entropy, 0);
    }
}

static bool compute_part(const Trace *trace, const WeightSource *source, int32_t layer,
                         int32_t head, int32_t row0, int32_t row1, Partial *parts, ShownRows *rows,
                         JobControl *control, Error *err)
{
    int32_t width = block_width(rows->n_keys);
    int32_t n_blocks = (rows->n_keys + width - 1) / width;
    int32_t first;
    int32_t end;
    visible_span(trace, source, layer, row0, row1, &first, &end);
    memset(parts, 0, (size_t)n_blocks * SHOWN_PART * sizeof *parts);
    atomic_int failed = 0;
    Error error = {0};
#pragma omp parallel for schedule(dynamic, 1)
    for (int32_t b = 0; b < n_blocks; b++) {
        TraceRegion region = {layer, head,      row0,
                              row1,  b * width, AS_MIN((b + 1) * width, rows->n_keys)};
        Error own = {0};
        if (region.col1 <= first || region.col0 >= end || atomic_load(&failed)) {
            continue;
        }
        if (control && atomic_load(&control->cancel)) {
            (void)error_set(&own, ERR_CANCELLED, "cancelled");
        }
        if ((own.code || !add_block(trace, source, &region, parts + (size_t)b * SHOWN_PART,
                                    rows->received, &own)) &&
            !atomic_fetch_add(&failed, 1)) {
            error = own;
        }
    }
    if (atomic_load(&failed)) {
        if (err) {
            *err = error;
        }
        return false;
    }
    finish_rows(rows, row0, row1, parts, n_blocks);
    return true;
}

bool shown_rows_compute(const Trace *trace, const WeightSource *source, int32_t layer, int32_t head,
                        int32_t row0, int32_t row1, ShownRows *rows, JobControl *control,
                        Error *err)
{
    AS_ASSERT(row0 % SHOWN_PART == 0);
    int32_t width = block_width(rows->n_keys);
    size_t n_blocks = (size_t)((rows->n_keys + width - 1) / width);
    Partial *parts = mem_alloc(n_blocks * SHOWN_PART * sizeof *parts, err);
    bool ok = parts;
    for (int32_t row = row0; ok && row < row1; row += SHOWN_PART) {
        ok = compute_part(trace, source, layer, head, row, AS_MIN(row + SHOWN_PART, row1), parts,
                          rows, control, err);
    }
    mem_free(parts);
    return ok;
}
