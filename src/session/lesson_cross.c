/* What enters cross attention, made again for a few tokens. */
#include "session/lesson_internal.h"

#include "session/run.h"

#include <string.h>

bool lesson_has_cross_input(const LessonSource *source)
{
    return source->shared && source->decoder && source->encoder &&
           trace_info(source->decoder)->has_hidden && trace_info(source->decoder)->has_values &&
           trace_info(source->encoder)->has_hidden;
}

/* Does the network go on without the change that the record shows? */
static bool is_local(const TraceInfo *info)
{
    const TraceParams *p = &info->params;
    return !p->propagate && (p->unscaled || p->mask != TRACE_MASK_AUTO || p->n_ablate > 0 ||
                             (p->temperature > 0 && p->temperature != 1));
}

/* Outputs [rows, D] of one head of self attention in the unchanged network. */
static bool plain_output(const LessonPlain *plain, int32_t head, LessonWindow rows, float *out,
                         Error *err)
{
    enum { BLOCK = 256 };
    const TraceInfo *info = trace_info(plain->trace);
    const int32_t d = info->head_dim, n_keys = info->n_keys;
    float *weights = mem_alloc((size_t)n_keys * sizeof *weights, err);
    float *values = mem_alloc((size_t)BLOCK * (size_t)d * sizeof *values, err);
    double *sums = mem_alloc((size_t)d * sizeof *sums, err);
    bool ok = weights && values && sums;
    for (int32_t i = 0; ok && i < rows.count; i++) {
        memset(sums, 0, (size_t)d * sizeof *sums);
        ok = lesson_plain_row(plain, head, rows.first + i, weights, err);
        for (int32_t j0 = 0; ok && j0 < n_keys; j0 += BLOCK) {
            const int32_t j1 = AS_MIN(j0 + BLOCK, n_keys);
            ok = trace_v(plain->trace, plain->layer, head, j0, j1, values, err);
            for (int32_t j = j0; ok && j < j1; j++) {
                for (int32_t c = 0; c < d; c++) {
                    sums[c] += (double)weights[j] * (double)values[(ptrdiff_t)(j - j0) * d + c];
                }
            }
        }
        for (int32_t c = 0; ok && c < d; c++) {
            out[(ptrdiff_t)i * d + c] = (float)sums[c];
        }
    }
    mem_free(sums);
    mem_free(values);
    mem_free(weights);
    return ok;
}

/* joined [rows, H D]: the heads' outputs side by side, as the network went on with them. */
static bool join_heads(const LessonSource *source, int32_t layer, LessonWindow rows, float *joined,
                       Error *err)
{
    const TraceInfo *info = trace_info(source->decoder);
    const int32_t d = info->head_dim;
    const ptrdiff_t wide = (ptrdiff_t)info->n_heads * d;
    const bool local = is_local(info);
    LessonPlain plain;
    lesson_plain_of(source, source->decoder, layer, &plain);
    if (local && !plain.known) {
        return error_set(err, ERR_UNSUPPORTED,
                         "what enters cross attention is not known under this change");
    }
    float *own = mem_alloc((size_t)rows.count * (size_t)d * sizeof *own, err);
    bool ok = own;
    for (int32_t h = 0; ok && h < info->n_heads; h++) {
        ok = local ? plain_output(&plain, h, rows, own, err)
                   : trace_output(source->decoder, layer, h, rows.first, rows.first + rows.count,
                                  own, err);
        for (int32_t i = 0; ok && i < rows.count; i++) {
            memcpy(joined + i * wide + (ptrdiff_t)h * d, own + (ptrdiff_t)i * d,
                   (size_t)d * sizeof *own);
        }
    }
    mem_free(own);
    return ok;
}

bool lesson_cross_queries(const LessonSource *source, int32_t layer, LessonWindow rows, float *x,
                          Error *err)
{
    const Model *model = source->shared->model;
    const TraceInfo *info = trace_info(source->decoder);
    const TapPlace place = {trace_model_stack(source->decoder, model), layer};
    const size_t n = (size_t)rows.count * (size_t)info->model_dim;
    const size_t wide = (size_t)info->n_heads * (size_t)info->head_dim;
    float *space = mem_alloc((2 * n + (size_t)rows.count * wide) * sizeof *space, err);
    if (!space) {
        return false;
    }
    float *input = space, *attended = space + n, *joined = space + 2 * n;
    const bool ok =
        trace_hidden(source->decoder, layer, rows.first, rows.first + rows.count, input, err) &&
        join_heads(source, layer, rows, joined, err) &&
        model_project(model, place, MODEL_PROJECTION_O, joined, rows.count, attended, err) &&
        model_attention_residual(model, place, input, attended, rows.count, x, err);
    mem_free(space);
    return ok;
}

bool lesson_cross_keys(const LessonSource *source, LessonWindow keys, float *x, Error *err)
{
    return trace_hidden(source->encoder, trace_info(source->encoder)->n_layers, keys.first,
                        keys.first + keys.count, x, err);
}

/* ---- the other attention of the same tokens ---- */

/* Of `all` keys the `count` in a row that get the most from these rows [n, all]. */
static LessonWindow most_read(const float *weights, int32_t n, int32_t all, int32_t count)
{
    LessonWindow best = {0, AS_MIN(count, all)};
    double most = -1;
    for (int32_t first = 0; first + best.count <= all; first++) {
        double sum = 0;
        for (int32_t k = 0; k < n * best.count; k++) {
            sum += (double)weights[(ptrdiff_t)(k / best.count) * all + first + k % best.count];
        }
        best.first = sum > most ? first : best.first;
        most = AS_MAX(sum, most);
    }
    return best;
}

bool lesson_beside(const LessonSource *source, Lesson *l, Error *err)
{
    const bool decoder = source->trace == source->decoder;
    const Trace *other = decoder                          ? source->cross
                         : source->trace == source->cross ? source->decoder
                                                          : NULL;
    if (!other || !trace_layer(other, l->layer)) {
        return true;
    }
    const TraceInfo *info = trace_info(other);
    LessonBeside *b = &l->beside;
    *b = (LessonBeside){
        .stack = info->stack, .head = AS_MIN(l->head, info->n_heads - 1), .keys = l->rows};
    const TraceRegion rows = {.layer = l->layer,
                              .head = b->head,
                              .row0 = l->rows.first,
                              .row1 = l->rows.first + l->n,
                              .col1 = info->n_keys};
    float *all = mem_alloc((size_t)l->n * (size_t)info->n_keys * sizeof *all, err);
    b->weights = ARENA_ARRAY(&l->arena, float, (size_t)l->n *LESSON_MOST, err);
    b->elsewhere = ARENA_ARRAY(&l->arena, float, (size_t)l->n, err);
    bool ok =
        all && b->weights && b->elsewhere && trace_tile(other, &rows, TRACE_WEIGHTS, all, 0, err);
    if (ok && info->stack == TRACE_STACK_CROSS) {
        b->keys = most_read(all, l->n, info->n_keys, LESSON_MOST);
    }
    for (int32_t i = 0; ok && i < l->n; i++) {
        double sum = 0;
        for (int32_t j = 0; j < b->keys.count; j++) {
            const float w = all[(ptrdiff_t)i * info->n_keys + b->keys.first + j];
            b->weights[i * b->keys.count + j] = w;
            sum += (double)w;
        }
        const bool whole = b->keys.count == info->n_keys;
        b->elsewhere[i] = whole ? 0 : (float)AS_CLAMP(1 - sum, 0.0, 1.0);
    }
    mem_free(all);
    return ok;
}
