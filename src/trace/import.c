/*
 * Attention from elsewhere: weights, or queries and keys (and values), of a .npy, .npz or
 * safetensors file. Nothing in it is believed.
 *
 * Arrays, where one axis of 1 before H may be the batch's and is left out:
 *   weights | attentions | attn   [L, H, N, M], [H, N, M] or [N, M]; or one a layer, weights.0 …
 *   q, k, v                       [L, H, N, D], [L, G, M, D] twice; or one a layer, q.0, k.0 …
 * A small JSON object beside it (FILE.json in place of the ending), or under "attnscope" in the
 * metadata of safetensors, may say
 *   tokens, keys (lists of texts), model, causal, window, scale, soft_cap
 * Without tokens, their numbers stand for them. Without "causal", weights whose upper half is all 0
 * are causal; queries and keys are not.
 */
#include "base/file.h"
#include "base/half.h"
#include "base/json.h"
#include "base/str.h"
#include "formats/npz.h"
#include "formats/tensor_file.h"
#include "trace/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LAYERS_MOST = 4096, HEADS_MOST = 1 << 16, DIMS_MOST = 5 };

/* Numbers in the file. */
typedef struct Block {
    DType dtype;
    int32_t n_dims;
    int64_t shape[DIMS_MOST];
    const unsigned char *data; /* NULL = there is none */
} Block;

typedef struct Importer {
    const char *path;
    Trace *trace;
    TensorFile *tensors; /* one of these three; they live as long as the trace */
    NpzFile npz;
    NpyArray npy;
    cJSON *facts;        /* NULL = nothing is said */
    const char *weights; /* name of the array; NULL: q and k */
    bool by_layer;       /* q.0, q.1 … */
    bool has_values;
} Importer;

static bool bad(const Importer *im, const char *what, Error *err)
{
    return error_set(err, ERR_FORMAT, "%s: %s (help import says what can be opened)", im->path,
                     what);
}

/* What, where, found, expected, what to do. */
static bool bad_shape(const Importer *im, const char *name, int32_t n_dims, const int64_t *shape,
                      Error *err)
{
    char found[128];
    return error_set(err, ERR_FORMAT,
                     "%s: \"%s\" has shape %s; expected [layers, heads, queries, keys], [heads, "
                     "queries, keys] or [queries, keys] (of q, k and v [layers, heads, tokens, "
                     "width]): reshape it in Python",
                     im->path, name, tensor_shape_text(n_dims, shape, found));
}

/* ---- arrays ---------------------------------------------------------------------------------- */

static bool is_number(DType dtype)
{
    return dtype == DTYPE_F32 || dtype == DTYPE_F16 || dtype == DTYPE_BF16 || dtype == DTYPE_F64;
}

/* Takes a shape over, without a batch of 1 that makes it longer than the axes we know. */
static bool take(const Importer *im, const char *name, DType dtype, int32_t n_dims,
                 const int64_t *shape, const void *data, Block *out, Error *err)
{
    *out = (Block){.dtype = dtype, .data = data};
    if (!is_number(dtype)) {
        return error_set(err, ERR_UNSUPPORTED, "%s: \"%s\" is %s, expected F32, F16, BF16 or F64",
                         im->path, name, dtype_name(dtype));
    }
    int32_t batch = n_dims <= 4 - im->by_layer || shape[0] != 1 ? -1 : 0;
    if (!im->by_layer && n_dims > 4 && shape[1] == 1) {
        batch = 1; /* [L, 1, H, N, M], as a stack of what models return */
    }
    for (int32_t i = 0; i < n_dims; i++) {
        if (i != batch) {
            if (out->n_dims == DIMS_MOST - 1 || shape[i] < 1) {
                return bad_shape(im, name, n_dims, shape, err);
            }
            out->shape[out->n_dims++] = shape[i];
        }
    }
    return true;
}

/* The array of this name; data NULL when there is none. */
static bool find(Importer *im, const char *name, Block *out, Error *err)
{
    *out = (Block){0};
    if (im->tensors) {
        const TensorView *t = tensor_file_find(im->tensors, name);
        return !t || take(im, name, t->dtype, t->n_dims, t->shape, t->data, out, err);
    }
    NpyArray array = im->npy;
    if (im->npz.entries) {
        const NpzEntry *entry = npz_find(&im->npz, name);
        if (!entry) {
            return true;
        }
        if (!npz_read(&im->npz, entry, &array, err)) {
            return false;
        }
    } else if (strcmp(name, "weights") != 0) {
        return true; /* a single array is weights */
    }
    return take(im, name, array.dtype, array.n_dims, array.shape, array.data, out, err);
}

/* One layer of an operand as [H, N, X]. */
static bool layer_of(Importer *im, const char *name, int32_t layer, Block *out, Error *err)
{
    char full[64];
    snprintf(full, sizeof full, im->by_layer ? "%s.%d" : "%s", name, layer);
    Block all;
    if (!find(im, full, &all, err)) {
        return false;
    }
    if (!all.data) {
        return error_set(err, ERR_FORMAT, "%s: there is no array \"%s\"", im->path, full);
    }
    *out = (Block){.dtype = all.dtype, .n_dims = 3, .data = all.data};
    for (int i = 0; i < 3; i++) {
        int32_t at = all.n_dims - 3 + i;
        out->shape[i] = at >= 0 ? all.shape[at] : 1;
    }
    if (im->by_layer || all.n_dims < 4) {
        return all.n_dims <= 3 || bad(im, "an array of one layer has too many axes", err);
    }
    size_t bytes;
    size_t n = (size_t)out->shape[0] * (size_t)out->shape[1] * (size_t)out->shape[2];
    if (layer >= all.shape[0] || !dtype_bytes(all.dtype, n, &bytes)) {
        return bad(im, "its arrays have different numbers of layers", err);
    }
    out->data += (size_t)layer * bytes;
    return true;
}

static float one_float(DType dtype, const unsigned char *p)
{
    uint16_t half;
    float single;
    double wide;
    switch (dtype) {
    case DTYPE_F16:
        memcpy(&half, p, sizeof half);
        return half_to_float(half);
    case DTYPE_BF16:
        memcpy(&half, p, sizeof half);
        return bfloat_to_float(half);
    case DTYPE_F64:
        memcpy(&wide, p, sizeof wide);
        return (float)wide;
    default:
        memcpy(&single, p, sizeof single);
        return single;
    }
}

static void to_floats(const Block *b, size_t n, float *out)
{
    size_t step = b->dtype == DTYPE_F64 ? 8 : b->dtype == DTYPE_F32 ? 4 : 2;
    for (size_t i = 0; i < n; i++) {
        out[i] = one_float(b->dtype, b->data + i * step);
    }
}

/* ---- what it is ------------------------------------------------------------------------------ */

static int32_t few_layers(const Importer *im, int64_t n, Error *err)
{
    if (n > LAYERS_MOST) {
        (void)!error_set(err, ERR_RANGE, "%s: more than %d layers; save fewer of them", im->path,
                         LAYERS_MOST);
        return -1;
    }
    return (int32_t)n;
}

/* -1 with an error. */
static int32_t count_layers(Importer *im, const char *name, Error *err)
{
    Block b;
    char full[64];
    im->by_layer = false;
    if (!find(im, name, &b, err)) {
        return -1;
    }
    if (b.data) {
        if (b.n_dims < 2) {
            (void)!bad_shape(im, name, b.n_dims, b.shape, err);
            return -1;
        }
        return b.n_dims < 4 ? 1 : few_layers(im, b.shape[0], err);
    }
    im->by_layer = true;
    int32_t n = 0;
    for (;; n++) {
        snprintf(full, sizeof full, "%s.%d", name, n);
        if (!find(im, full, &b, err)) {
            return -1;
        }
        if (!b.data) {
            return n;
        }
        if (few_layers(im, n + 1, err) < 0) {
            return -1;
        }
    }
}

/* Which arrays there are, and how many layers. */
static bool recognise(Importer *im, Error *err)
{
    static const char *const names[] = {"weights", "attentions", "attn", "q"};
    TraceInfo *info = &im->trace->info;
    for (size_t i = 0; i < AS_COUNT(names); i++) {
        int32_t n = count_layers(im, names[i], err);
        if (n < 0) {
            return false;
        }
        if (n > 0) {
            Block v;
            char full[32];
            im->weights = strcmp(names[i], "q") == 0 ? NULL : names[i];
            info->n_layers = n;
            snprintf(full, sizeof full, im->by_layer ? "v.%d" : "v", 0);
            if (!im->weights && !find(im, full, &v, err)) {
                return false;
            }
            im->has_values = !im->weights && v.data;
            return true;
        }
    }
    return bad(im, "there is neither \"weights\" nor \"q\" and \"k\" in it", err);
}

/* Shapes of the first layer are those of all. */
static bool read_shapes(Importer *im, Error *err)
{
    TraceInfo *info = &im->trace->info;
    Block a;
    Block b;
    if (!layer_of(im, im->weights ? im->weights : "q", 0, &a, err) ||
        !layer_of(im, im->weights ? im->weights : "k", 0, &b, err)) {
        return false;
    }
    int64_t m = im->weights ? a.shape[2] : b.shape[1];
    int64_t dim = im->weights ? 1 : a.shape[2];
    if (a.shape[0] > HEADS_MOST || a.shape[1] > ATTN_MAX_LENGTH || m > ATTN_MAX_LENGTH ||
        dim > ATTN_MAX_DIM || b.shape[0] > a.shape[0] || a.shape[0] % b.shape[0] ||
        (!im->weights && b.shape[2] != dim)) {
        char one[128];
        char other[128];
        return error_set(err, ERR_FORMAT,
                         "%s: a layer of \"%s\" is %s%s%s; expected at most %d heads, whole groups "
                         "of them for each of k, and one width of at most %d",
                         im->path, im->weights ? im->weights : "q",
                         tensor_shape_text(3, a.shape, one), im->weights ? "" : ", of \"k\" ",
                         im->weights ? "" : tensor_shape_text(3, b.shape, other), HEADS_MOST,
                         ATTN_MAX_DIM);
    }
    info->n_heads = (int32_t)a.shape[0];
    info->n_kv_heads = im->weights ? info->n_heads : (int32_t)b.shape[0];
    info->n_queries = (int32_t)a.shape[1];
    info->n_keys = (int32_t)m;
    info->head_dim = (int32_t)dim;
    info->model_dim = info->n_heads * info->head_dim;
    info->has_values = im->has_values;
    info->weights_only = im->weights != NULL;
    return true;
}

/* ---- what is said of it ---------------------------------------------------------------------- */

static bool read_facts(Importer *im, Error *err)
{
    TextView said = {0};
    if (im->tensors && !tensor_file_get_string(im->tensors, "attnscope", &said, err)) {
        return false;
    }
    if (said.text) {
        im->facts = json_parse(said.text, said.n, im->path, err);
        return im->facts;
    }
    const char *base = path_base_name(im->path);
    const char *dot = strrchr(base, '.');
    size_t n = dot ? (size_t)(dot - im->path) : strlen(im->path);
    char *beside =
        arena_printf(&im->trace->arena, err, "%.*s.json", (int)AS_MIN(n, 4096u), im->path);
    if (!beside) {
        return false;
    }
    if (path_exists(beside)) {
        im->facts = json_parse_file(beside, err);
        return im->facts;
    }
    return true;
}

static bool read_tokens(const Importer *im, const char *key, int32_t n, TraceText *out, Error *err)
{
    const cJSON *list = json_get(im->facts, key);
    if (!list && cJSON_IsArray(im->facts) && strcmp(key, "tokens") == 0) {
        list = im->facts; /* a bare list */
    }
    if (list && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != n)) {
        return error_set(err, ERR_FORMAT, "%s: \"%s\" has %d entries for %d tokens", im->path, key,
                         cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0, n);
    }
    TraceToken *tokens = ARENA_ARRAY(&im->trace->arena, TraceToken, (size_t)n, err);
    const cJSON *item = list ? list->child : NULL;
    for (int32_t i = 0; tokens && i < n; i++, item = item ? item->next : NULL) {
        const char *text = cJSON_IsString(item) ? item->valuestring : NULL;
        if (item && !text) {
            return error_set(err, ERR_FORMAT, "%s: entry %d of \"%s\" is no text", im->path, i,
                             key);
        }
        size_t length;
        char *copy = text ? utf8_repair(&im->trace->arena, text, strlen(text), &length, NULL, err)
                          : arena_printf(&im->trace->arena, err, "%d", i);
        if (!copy) {
            return false;
        }
        /* Equal texts are equal tokens. */
        uint64_t id = text ? 0 : (uint64_t)i;
        for (const char *c = text ? copy : ""; *c; c++) {
            id = (id ^ (unsigned char)*c) * 0x100000001B3u;
        }
        tokens[i] =
            (TraceToken){.id = (int32_t)(id & INT32_MAX), .text = copy, .start = -1, .end = -1};
    }
    *out = (TraceText){.tokens = tokens, .n = (size_t)n, .source = ""};
    return tokens;
}

static bool read_texts(Importer *im, Error *err)
{
    Trace *trace = im->trace;
    TraceInfo *info = &trace->info;
    bool cross = info->n_keys != info->n_queries || json_get(im->facts, "keys");
    info->stack = cross ? TRACE_STACK_CROSS : TRACE_STACK_SELF;
    info->architecture = "imported";
    info->model_name = arena_strdup(
        &trace->arena, json_get_string(im->facts, "model", path_base_name(im->path)), err);
    if (!info->model_name || !read_tokens(im, "tokens", info->n_queries, &trace->queries, err)) {
        return false;
    }
    trace->keys = trace->queries;
    return !cross || read_tokens(im, "keys", info->n_keys, &trace->keys, err);
}

/* ---- the layers ------------------------------------------------------------------------------ */

/* All above the diagonal is 0: weights of a causal head. */
static bool upper_is_empty(const float *w, int32_t heads, int32_t n)
{
    for (int32_t h = 0; h < heads; h++) {
        for (int32_t i = 0; i < n; i++) {
            const float *row = w + ((size_t)h * (size_t)n + (size_t)i) * (size_t)n;
            for (int32_t j = i + 1; j < n; j++) {
                if (row[j] != 0) {
                    return false;
                }
            }
        }
    }
    return n > 1;
}

/* No weight is below 0 or infinite; *shift takes how far rows are from adding up to 1. Rows of 0
 * alone (padding) may be. */
static bool check_weights(const Importer *im, int32_t layer, const float *w, float *shift,
                          Error *err)
{
    const TraceInfo *info = &im->trace->info;
    size_t rows = (size_t)info->n_heads * (size_t)info->n_queries;
    size_t m = (size_t)info->n_keys;
    for (size_t r = 0; r < rows; r++) {
        double sum = 0;
        for (size_t j = 0; j < m; j++) {
            float x = w[r * m + j];
            if (!(x >= 0) || !isfinite(x)) {
                return error_set(err, ERR_FORMAT,
                                 "%s: layer %d has a weight of %g; expected numbers from 0 to 1",
                                 im->path, layer, (double)x);
            }
            sum += (double)x;
        }
        *shift = fmaxf(*shift, sum > 0 ? (float)fabs(sum - 1) : 0);
    }
    return true;
}

/* AttnBias.fill for a whole layer of weights. */
typedef struct GivenLayer {
    const float *weights;
    size_t n, m;
} GivenLayer;

static void fill_layer(void *payload, int32_t head, int32_t row0, int32_t n_rows, int32_t col0,
                       int32_t n_cols, float *bias, ptrdiff_t ld)
{
    const GivenLayer *given = payload;
    for (int32_t r = 0; r < n_rows; r++) {
        const float *row =
            given->weights + ((size_t)head * given->n + (size_t)(row0 + r)) * given->m + col0;
        for (int32_t c = 0; c < n_cols; c++) {
            bias[r * ld + c] = logf(row[c]);
        }
    }
}

/* Are weights read where they are mapped? */
static bool lies_ready(const Block *b)
{
    return b->dtype == DTYPE_F32 && (uintptr_t)b->data % _Alignof(float) == 0;
}

static bool read_weights(Importer *im, int32_t l, LayerData *layer, Error *err)
{
    TraceInfo *info = &im->trace->info;
    Block b;
    size_t heads = (size_t)info->n_heads;
    size_t cells = (size_t)info->n_queries * (size_t)info->n_keys;
    size_t bytes;
    if (!layer_of(im, im->weights, l, &b, err)) {
        return false;
    }
    if (b.shape[0] != info->n_heads || b.shape[1] != info->n_queries ||
        b.shape[2] != info->n_keys) {
        return bad(im, "its layers have different shapes", err);
    }
    if (lies_ready(&b)) {
        layer->given = (const float *)(const void *)b.data; /* where it is mapped */
    } else {
        if (!checked_mul(heads * cells, sizeof(float), &bytes)) {
            return bad(im, "its weights do not fit into memory", err);
        }
        float *own = arena_alloc(&im->trace->arena, bytes, err);
        if (!own) {
            return error_wrap(err, "%s: the weights of layer %d", im->path, l);
        }
        to_floats(&b, heads * cells, own);
        layer->given = own;
    }
    memset(layer->q, 0, heads * (size_t)info->n_queries * sizeof(float));
    memset(layer->k, 0, heads * (size_t)info->n_keys * sizeof(float));
    return check_weights(im, l, layer->given, &info->given_shift, err);
}

static bool read_operand(Importer *im, const char *name, int32_t l, int32_t heads, int32_t rows,
                         void *to, Error *err)
{
    const TraceInfo *info = &im->trace->info;
    Block b;
    if (!layer_of(im, name, l, &b, err)) {
        return false;
    }
    if (b.shape[0] != heads || b.shape[1] != rows || b.shape[2] != info->head_dim) {
        return error_set(err, ERR_FORMAT,
                         "%s: \"%s\" of layer %d is [%lld, %lld, %lld], expected "
                         "[%d, %d, %d]",
                         im->path, name, l, (long long)b.shape[0], (long long)b.shape[1],
                         (long long)b.shape[2], heads, rows, info->head_dim);
    }
    to_floats(&b, (size_t)heads * (size_t)rows * (size_t)info->head_dim, to);
    return true;
}

static bool read_mask(const Importer *im, const LayerData *layer, AttnMask *mask, Error *err)
{
    const TraceInfo *info = &im->trace->info;
    const cJSON *said = json_get(im->facts, "causal");
    int64_t window;
    bool square = info->n_queries == info->n_keys;
    bool causal = said ? cJSON_IsTrue(said)
                       : layer->given && square &&
                             upper_is_empty(layer->given, info->n_heads, info->n_queries);
    if (!json_get_int(im->facts, "window", 0, ATTN_MAX_LENGTH, 0, &window, im->path, err)) {
        return false;
    }
    *mask = (AttnMask){.kind = causal ? ATTN_MASK_CAUSAL : ATTN_MASK_NONE};
    if (window > 0) {
        mask->kind |= causal ? ATTN_MASK_WINDOW : ATTN_MASK_WINDOW_SYMMETRIC;
        mask->window = (int32_t)window;
    }
    return true;
}

static bool import_layer(Importer *im, int32_t l, Error *err)
{
    Trace *trace = im->trace;
    TraceInfo *info = &trace->info;
    LayerData *layer = &trace->layers[l];
    bool ok = im->weights
                  ? read_weights(im, l, layer, err)
                  : read_operand(im, "q", l, info->n_heads, info->n_queries, layer->q, err) &&
                        read_operand(im, "k", l, info->n_kv_heads, info->n_keys, layer->k, err) &&
                        (!info->has_values ||
                         read_operand(im, "v", l, info->n_kv_heads, info->n_keys, layer->v, err));
    if (!ok || !read_mask(im, layer, &layer->mask, err)) {
        return false;
    }
    GivenLayer given = {layer->given, (size_t)info->n_queries, (size_t)info->n_keys};
    AttnArgs args = {
        .q = layer->q,
        .k = layer->k,
        .n_queries = info->n_queries,
        .n_keys = info->n_keys,
        .n_heads = info->n_heads,
        .n_kv_heads = info->n_kv_heads,
        .head_dim = info->head_dim,
        .scale = (float)json_get_number(im->facts, "scale", 1 / sqrt((double)info->head_dim)),
        .soft_cap = (float)json_get_number(im->facts, "soft_cap", 0),
        .mask = layer->mask};
    if (layer->given) {
        args.bias = (AttnBias){fill_layer, &given};
    }
    layer->shape = attn_summary_shape(&args, info->params.summary_size);
    layer->facts = trace_facts_of(&args, &layer->shape);
    layer->facts.has_bias = false; /* no bias by distance */
    AttnOutputs out = {0};
    trace_want_statistics(layer, info->params.summary_size, &out);
    if (!trace_attn_ok(attn_forward(trace->ctx, &args, &out, NULL), "attention", err)) {
        return error_wrap(err, "%s, layer %d", im->path, l);
    }
    return true;
}

/* Memory for weights that are not, beside the record. */
static bool converted_bytes(Importer *im, uint64_t *bytes, Error *err)
{
    const TraceInfo *info = &im->trace->info;
    size_t layer;
    *bytes = 0;
    if (!im->weights) {
        return true;
    }
    if (!checked_mul((size_t)info->n_heads * (size_t)info->n_queries,
                     (size_t)info->n_keys * sizeof(float), &layer) ||
        layer > SIZE_MAX / LAYERS_MOST) {
        return bad(im, "its weights do not fit into memory", err);
    }
    for (int32_t l = 0; l < info->n_layers; l++) {
        Block b;
        if (!layer_of(im, im->weights, l, &b, err)) {
            return false;
        }
        *bytes += lies_ready(&b) ? 0 : layer;
    }
    return true;
}

static bool import_all(Importer *im, Error *err)
{
    Trace *trace = im->trace;
    TraceInfo *info = &trace->info;
    info->params = (TraceParams){
        .temperature = 1, .summary_size = ATTN_SUMMARY_DEFAULT, .store = TRACE_STORE_QKV};
    if (!recognise(im, err) || !read_shapes(im, err) || !read_facts(im, err) ||
        !read_texts(im, err) || !trace_set_ablated(trace, NULL, 0, err) ||
        !trace_make_ctx(trace, 0, err)) {
        return false;
    }
    info->params.store = info->has_values ? TRACE_STORE_QKV : TRACE_STORE_QK;
    /* A summary has the fewest texels where the mask hides half: room for the whole does for all.
     */
    if (!trace_layout_make(info, false, false, &trace->layout, err)) {
        return false;
    }
    uint64_t converted;
    TraceEstimate estimate = {.record_bytes = trace->layout.total_bytes,
                              .memory_limit = memory_available_bytes() / 4 * 3};
    if (!converted_bytes(im, &converted, err)) {
        return false;
    }
    if (converted > estimate.memory_limit) {
        return error_set(err, ERR_MEMORY,
                         "%s: its weights as float32 take %.1f GiB, and %.1f GiB may be used; save "
                         "them as float32 (C order), which is read where it lies, or fewer layers",
                         im->path, (double)converted / 0x1p30,
                         (double)estimate.memory_limit / 0x1p30);
    }
    estimate.memory_limit -= converted;
    spill_folder(NULL, estimate.spill_folder, sizeof estimate.spill_folder);
    estimate.spills = estimate.record_bytes > estimate.memory_limit;
    if (!trace_reserve(trace, &estimate, err)) {
        return false;
    }
    for (int32_t l = 0; l < info->n_layers; l++) {
        if (!import_layer(im, l, err)) {
            return false;
        }
        atomic_store(&trace->layers_done, l + 1);
    }
    return true;
}

/* ---- the file -------------------------------------------------------------------------------- */

static Trace *finish(Importer *im, bool ok)
{
    json_free(im->facts);
    Trace *trace = im->trace;
    bool keeps = ok && im->weights; /* weights are read where they are */
    if (keeps) {
        trace->file = im->tensors;
        trace->npz = im->npz;
        trace->npy = im->npy;
    } else {
        tensor_file_close(&im->tensors);
        npz_close(&im->npz);
        npy_close(&im->npy);
    }
    if (!ok) {
        trace_close(trace);
        return NULL;
    }
    return trace;
}

Trace *trace_import_tensors(struct TensorFile *file, const char *path, Error *err)
{
    Importer im = {.path = path, .tensors = file, .trace = trace_new(err)};
    return finish(&im, im.trace && import_all(&im, err));
}

Trace *trace_import_numpy(const char *path, Error *err)
{
    Importer im = {.path = path, .trace = trace_new(err)};
    bool ok = im.trace && (path_has_suffix(path, ".npz") ? npz_open(&im.npz, path, err)
                                                         : npy_open(&im.npy, path, err));
    return finish(&im, ok && import_all(&im, err));
}
