/* Where the parts of a record stand. */
#include "trace/internal.h"

enum { PAGE = 4096, LINE = 64 };

/* Appends n * m * bytes at *at, aligned; the place in *offset. False on overflow. */
static bool place(size_t *at, size_t n, size_t m, size_t bytes, size_t *offset)
{
    size_t size;
    if (!checked_mul(n, m, &size) || !checked_mul(size, bytes, &size) ||
        !checked_add(size, LINE - 1, &size)) {
        return false;
    }
    *offset = *at;
    return checked_add(*at, size / LINE * LINE, at);
}

static bool whole_pages(size_t *n)
{
    if (!checked_add(*n, PAGE - 1, n)) {
        return false;
    }
    *n = *n / PAGE * PAGE;
    return true;
}

bool trace_layout_make(const TraceInfo *info, bool causal, bool own_states, TraceLayout *layout,
                       Error *err)
{
    size_t n_heads = (size_t)info->n_heads;
    size_t n_groups = (size_t)info->n_kv_heads;
    size_t N = (size_t)info->n_queries;
    size_t M = (size_t)info->n_keys;
    size_t element = info->params.dtype == TRACE_F16 ? 2 : 4;
    size_t dim = (size_t)info->head_dim;
    size_t rows_q;
    size_t rows_k;
    *layout = (TraceLayout){0};
    AttnArgs shape_args = {
        .n_queries = info->n_queries,
        .n_keys = info->n_keys,
        .n_heads = 1,
        .head_dim = info->head_dim,
        .mask.kind = causal ? ATTN_MASK_CAUSAL : ATTN_MASK_NONE,
    };
    AttnSummaryShape shape = attn_summary_shape(&shape_args, info->params.summary_size);
    layout->n_texels = shape.n_texels;
    size_t at = 0;
    bool ok = checked_mul(n_heads, N, &rows_q) && checked_mul(n_groups, M, &rows_k) &&
              place(&at, rows_q, dim, element, &layout->q) &&
              place(&at, rows_k, dim, element, &layout->k) &&
              place(&at, info->has_values ? rows_k : 0, dim, element, &layout->v);
#define TRACE_ROW_PLACE(name, type, dtype, rows)                                                   \
    ok = ok && place(&at, n_heads, rows, sizeof(type), &layout->name);
    TRACE_ROW_ARRAYS(TRACE_ROW_PLACE)
#undef TRACE_ROW_PLACE
    ok = ok && place(&at, n_heads, (size_t)shape.n_texels, 4, &layout->summary_mean) &&
         place(&at, n_heads, (size_t)shape.n_texels, 4, &layout->summary_max) && whole_pages(&at);
    layout->layer_bytes = at;
    ok = ok && checked_mul(at, (size_t)info->n_layers, &layout->hidden);
    if (ok && own_states) {
        ok = checked_mul(N, (size_t)info->model_dim, &layout->hidden_bytes) &&
             checked_mul(layout->hidden_bytes, 4, &layout->hidden_bytes) &&
             whole_pages(&layout->hidden_bytes);
    }
    size_t hidden_total = 0;
    ok = ok && checked_mul(layout->hidden_bytes, (size_t)info->n_layers + 1, &hidden_total) &&
         checked_add(layout->hidden, hidden_total, &layout->total_bytes);
    return ok ? true
              : error_set(err, ERR_MEMORY,
                          "the record of %d tokens in %d layers of %d heads does "
                          "not fit into any memory",
                          info->n_queries, info->n_layers, info->n_heads);
}
