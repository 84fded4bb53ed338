/*
 * A saved trace, mapped. Nothing in it is believed: shapes follow from the run's numbers, which are
 * bounded first; keys and byte ranges that are later used as indices are checked here.
 */
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "formats/tensor_file.h"
#include "trace/internal.h"
#include "trace/names.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Opener {
    Trace *trace;
    const TensorFile *file;
    const char *path;
    cJSON *run;
} Opener;

static bool bad(const Opener *o, const char *what, Error *err)
{
    return error_set(err, ERR_FORMAT, "%s: %s; it is damaged, or no trace of attnscope", o->path,
                     what);
}

/* ---- the run --------------------------------------------------------------------------------- */

static bool get_int(const Opener *o, const char *key, int64_t lo, int64_t hi, int32_t *out,
                    Error *err)
{
    int64_t value;
    if (!json_get(o->run, key)) {
        return error_set(err, ERR_FORMAT,
                         "%s: the run does not say its \"%s\"; it is damaged, or "
                         "no trace of attnscope",
                         o->path, key);
    }
    if (!json_get_int(o->run, key, lo, hi, lo, &value, o->path, err)) {
        return false;
    }
    *out = (int32_t)value;
    return true;
}

static bool get_word(const Opener *o, const char *key, const char *const *words, int n, int *out,
                     Error *err)
{
    const char *word = json_get_string(o->run, key, "");
    for (int i = 0; i < n; i++) {
        if (!strcmp(word, words[i])) {
            *out = i;
            return true;
        }
    }
    return error_set(err, ERR_FORMAT, "%s: the run's \"%s\" is '%.40s', which is not known",
                     o->path, key, word);
}

static bool get_number(const Opener *o, const cJSON *object, const char *key, double lo, double hi,
                       double *out, Error *err)
{
    double value = json_get_number(object, key, NAN);
    if (!(value >= lo && value <= hi)) {
        return error_set(err, ERR_FORMAT, "%s: \"%s\" is not a number from %g to %g", o->path, key,
                         lo, hi);
    }
    *out = value;
    return true;
}

/* Version 1 has no stacks: they are all "self". */
static bool read_stack(const Opener *o, const char *key, TraceStack *stack, Error *err)
{
    const char *name = json_get_string(o->run, key, trace_stack_name(TRACE_STACK_SELF));
    return trace_stack_find(name, stack) ||
           error_set(err, ERR_FORMAT, "%s: the run's \"%s\" is '%.40s', which is not known",
                     o->path, key, name);
}

static bool read_shape(Opener *o, Error *err)
{
    TraceInfo *info = &o->trace->info;
    bool ok = read_stack(o, "stack", &info->stack, err) &&
              read_stack(o, "ablate_stack", &info->params.ablate_stack, err) &&
              get_int(o, "layers", 1, 1 << 16, &info->n_layers, err) &&
              get_int(o, "heads", 1, 1 << 16, &info->n_heads, err) &&
              get_int(o, "kv_heads", 1, 1 << 16, &info->n_kv_heads, err) &&
              get_int(o, "queries", 1, ATTN_MAX_LENGTH, &info->n_queries, err) &&
              get_int(o, "keys", 1, ATTN_MAX_LENGTH, &info->n_keys, err) &&
              get_int(o, "head_dim", 1, ATTN_MAX_DIM, &info->head_dim, err) &&
              get_int(o, "model_dim", 1, 1 << 24, &info->model_dim, err) &&
              get_int(o, "vocabulary", 0, INT32_MAX, &info->n_vocab, err) &&
              get_int(o, "summary", 1, ATTN_SUMMARY_MAX, &info->params.summary_size, err);
    bool two_texts = info->stack == TRACE_STACK_CROSS;
    if (ok &&
        (info->n_heads % info->n_kv_heads || (!two_texts && info->n_keys != info->n_queries))) {
        return bad(o, "its numbers of heads or tokens do not fit each other", err);
    }
    return ok;
}

static bool read_params(Opener *o, Error *err)
{
    TraceInfo *info = &o->trace->info;
    int store = 0;
    int dtype = 0;
    int mask = 0;
    double temperature = 1;
    double shift = 0;
    if (!get_word(o, "store", trace_store_names, 3, &store, err) ||
        !get_word(o, "dtype", trace_dtype_names, 2, &dtype, err) ||
        !get_word(o, "mask", trace_mask_names, 3, &mask, err) ||
        !get_number(o, o->run, "temperature", 1e-6, 1e9, &temperature, err) ||
        !get_number(o, o->run, "weight_shift", 0, 1, &shift, err) ||
        !get_number(o, o->run, "seconds", 0, 1e12, &info->seconds, err) ||
        !get_number(o, o->run, "attention_seconds", 0, 1e12, &info->attention_seconds, err) ||
        !get_number(o, o->run, "attention_flops", 0, 1e300, &info->attention_flops, err)) {
        return false;
    }
    info->params.store = (TraceStore)store;
    info->params.dtype = (TraceDtype)dtype;
    info->params.mask = (TraceMask)mask;
    info->params.temperature = (float)temperature;
    info->params.unscaled = json_get_bool(o->run, "unscaled", false);
    info->params.propagate = json_get_bool(o->run, "propagate", false);
    info->weight_shift = (float)shift;
    info->has_values = store != TRACE_STORE_QK;
    info->has_hidden = store == TRACE_STORE_ALL;
    info->model_name = arena_strdup(&o->trace->arena, json_get_string(o->run, "model", ""), err);
    info->architecture =
        arena_strdup(&o->trace->arena, json_get_string(o->run, "architecture", ""), err);
    return info->model_name && info->architecture;
}

static bool read_ablated(Opener *o, Error *err)
{
    const cJSON *list = json_get(o->run, "ablate");
    int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    TraceHead *heads = ARENA_ARRAY(&o->trace->arena, TraceHead, (size_t)n, err);
    if (!heads) {
        return false;
    }
    const cJSON *item;
    int i = 0;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *layer = cJSON_GetArrayItem(item, 0);
        const cJSON *head = cJSON_GetArrayItem(item, 1);
        if (i >= n || !cJSON_IsNumber(layer) || !cJSON_IsNumber(head)) {
            return bad(o, "its list of ablated heads cannot be read", err);
        }
        heads[i++] = (TraceHead){layer->valueint, head->valueint};
    }
    return trace_set_ablated(o->trace, heads, (size_t)i, err) || error_wrap(err, "%s", o->path);
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* The data of a tensor with this type and shape, aligned; NULL with *err. Traces are mapped
 * read-only and never written once opened, hence the cast. */
static void *need(const Opener *o, const char *name, DType dtype, int32_t n_dims,
                  const int64_t *shape, Error *err)
{
    const TensorView *view = tensor_file_need(o->file, name, n_dims, shape, err);
    if (!view) {
        return NULL;
    }
    size_t align = (size_t)dtype_info(dtype)->block_bytes;
    if (view->dtype != dtype || (uintptr_t)view->data % align) {
        error_set(err, ERR_FORMAT, "%s: tensor %s is %s%s, expected %s", o->path, name,
                  dtype_name(view->dtype), view->dtype == dtype ? " but not aligned" : "",
                  dtype_name(dtype));
        return NULL;
    }
    return (void *)(uintptr_t)view->data;
}

/* Tokens and their text; prefix "" or, of the keys of cross attention, "key_". */
static bool read_text(Opener *o, const char *prefix, int64_t n, TraceText *text, Error *err)
{
    Arena *arena = &o->trace->arena;
    int64_t one[] = {n};
    int64_t two[] = {n, 2};
    char name[64];
#define NAMED(what) (snprintf(name, sizeof name, "%s%s", prefix, what), name)
    const int32_t *ids = need(o, NAMED("tokens.id"), DTYPE_I32, 1, one, err);
    const int64_t *spans = ids ? need(o, NAMED("tokens.span"), DTYPE_I64, 2, two, err) : NULL;
    const uint8_t *flags =
        spans ? need(o, NAMED("tokens.special_segment"), DTYPE_U8, 2, two, err) : NULL;
    const int64_t *ends = flags ? need(o, NAMED("tokens.text_end"), DTYPE_I64, 1, one, err) : NULL;
    const TensorView *texts =
        ends ? tensor_file_need(o->file, NAMED("tokens.text"), -1, NULL, err) : NULL;
    const TensorView *source =
        texts ? tensor_file_need(o->file, NAMED("source"), -1, NULL, err) : NULL;
#undef NAMED
    if (!source) {
        return false;
    }
    if (texts->dtype != DTYPE_U8 || source->dtype != DTYPE_U8 ||
        utf8_count_invalid(source->data, source->n_bytes)) {
        return bad(o, "its text is not UTF-8", err);
    }
    TraceToken *tokens = ARENA_ARRAY(arena, TraceToken, (size_t)n, err);
    if (!tokens) {
        return false;
    }
    int64_t at = 0;
    for (int64_t i = 0; i < n; at = ends[i], i++) {
        int64_t start = spans[2 * i];
        int64_t end = spans[2 * i + 1];
        bool no_span = start == -1 && end == -1;
        if (ends[i] < at || (uint64_t)ends[i] > texts->n_bytes ||
            (!no_span && (start < 0 || end < start || (uint64_t)end > source->n_bytes))) {
            return bad(o, "the byte range of a token is outside its text", err);
        }
        const char *own = (const char *)texts->data + at;
        size_t n_own = (size_t)(ends[i] - at);
        if (utf8_count_invalid(own, n_own) || memchr(own, 0, n_own)) {
            return bad(o, "the text of a token is not UTF-8", err);
        }
        tokens[i] = (TraceToken){
            .id = ids[i],
            .text = arena_strndup(arena, own, n_own, err),
            .start = start,
            .end = end,
            .special = flags[2 * i],
            .segment = flags[2 * i + 1],
        };
        if (!tokens[i].text) {
            return false;
        }
    }
    const char *copy =
        arena_strndup(arena, source->n_bytes ? source->data : "", source->n_bytes, err);
    *text = (TraceText){tokens, (size_t)n, copy, source->n_bytes};
    return copy != NULL;
}

static bool read_texts(Opener *o, Error *err)
{
    Trace *trace = o->trace;
    int64_t second_at;
    if (!read_text(o, "", trace->info.n_queries, &trace->queries, err)) {
        return false;
    }
    trace->keys = trace->queries;
    if (trace_is_cross(trace) && !read_text(o, "key_", trace->info.n_keys, &trace->keys, err)) {
        return false;
    }
    if (!json_get_int(o->run, "second_text_at", 0, (int64_t)trace->queries.n_source, 0, &second_at,
                      o->path, err)) {
        return false;
    }
    trace->info.second_at = (size_t)second_at;
    return true;
}

static bool read_bias(Opener *o, Error *err)
{
    Trace *trace = o->trace;
    const TraceInfo *info = &trace->info;
    int64_t n = (int64_t)info->n_queries + info->n_keys - 1;
    int64_t shape[] = {info->n_heads, n};
    if (!tensor_file_find(o->file, "bias")) {
        return true;
    }
    const float *values = need(o, "bias", DTYPE_F32, 2, shape, err);
    trace->bias = (DistanceBias){values, (size_t)n, info->n_queries - 1};
    return values != NULL;
}

static bool read_image(Opener *o, Error *err)
{
    const TensorView *view = tensor_file_find(o->file, "image");
    TraceImage image = {0};
    if (!view) {
        return true;
    }
    if (view->dtype != DTYPE_U8 || view->n_dims != 3 || view->shape[2] != 3 ||
        view->shape[0] > INT32_MAX || view->shape[1] > INT32_MAX) {
        return bad(o, "its picture is not [height, width, 3] bytes", err);
    }
    if (!get_int(o, "patch_rows", 1, 1 << 16, &image.patch_rows, err) ||
        !get_int(o, "patch_columns", 1, 1 << 16, &image.patch_columns, err) ||
        !get_int(o, "first_patch", 0, 1 << 16, &image.first_patch, err)) {
        return false;
    }
    image.height = (int32_t)view->shape[0];
    image.width = (int32_t)view->shape[1];
    image.rgb = view->data;
    return trace_copy_image(o->trace, &image, err) || error_wrap(err, "%s", o->path);
}

static bool read_facts(Opener *o, const cJSON *item, LayerData *layer, Error *err)
{
    const TraceInfo *info = &o->trace->info;
    double scale = 0;
    double cap = 0;
    int64_t window = 0;
    if (!get_number(o, item, "scale", -1e9, 1e9, &scale, err) ||
        !get_number(o, item, "soft_cap", 0, 1e9, &cap, err) ||
        !json_get_int(item, "window", 0, INT32_MAX, 0, &window, o->path, err)) {
        return false;
    }
    bool causal = json_get_bool(item, "causal", false);
    bool symmetric = json_get_bool(item, "symmetric", false);
    layer->mask.kind = (causal ? ATTN_MASK_CAUSAL : 0u) | (!window     ? 0u
                                                           : symmetric ? ATTN_MASK_WINDOW_SYMMETRIC
                                                                       : ATTN_MASK_WINDOW);
    layer->mask.window = (int32_t)window;
    AttnArgs args = {
        .n_queries = info->n_queries,
        .n_keys = info->n_keys,
        .n_heads = info->n_heads,
        .n_kv_heads = info->n_kv_heads,
        .head_dim = info->head_dim,
        .mask = layer->mask,
    };
    bool has_bias = json_get_bool(item, "bias", false);
    if (has_bias && !o->trace->bias.values) {
        return bad(o, "a layer has a bias, and the tensor \"bias\" is missing", err);
    }
    layer->shape = attn_summary_shape(&args, info->params.summary_size);
    layer->facts = (TraceLayer){
        .scale = (float)scale,
        .soft_cap = (float)cap,
        .causal = causal,
        .has_bias = has_bias,
        .window = (int32_t)window,
        .summary_rows = layer->shape.n_rows,
        .summary_cols = layer->shape.n_cols,
        .row_texel = layer->shape.row_width,
        .col_texel = layer->shape.col_width,
    };
    return layer->facts.scale != 0 ? true : bad(o, "a layer's scale is 0", err);
}

static bool read_layer(Opener *o, int32_t l, const cJSON *item, Error *err)
{
    const TraceInfo *info = &o->trace->info;
    LayerData *layer = &o->trace->layers[l];
    DType dtype = info->params.dtype == TRACE_F16 ? DTYPE_F16 : DTYPE_F32;
    if (!read_facts(o, item, layer, err)) {
        return false;
    }
    int64_t N = info->n_queries;
    int64_t M = info->n_keys;
    int64_t queries[] = {info->n_heads, N, info->head_dim};
    int64_t keys[] = {info->n_kv_heads, M, info->head_dim};
    int64_t texels[] = {info->n_heads, layer->shape.n_texels};
    char name[64];
#define NAMED(what) (snprintf(name, sizeof name, "layers.%d.%s", l, what), name)
    bool ok = (layer->q = need(o, NAMED("q"), dtype, 3, queries, err)) &&
              (layer->k = need(o, NAMED("k"), dtype, 3, keys, err)) &&
              (!info->has_values || (layer->v = need(o, NAMED("v"), dtype, 3, keys, err))) &&
              (layer->summary_mean = need(o, NAMED("summary_mean"), DTYPE_F32, 2, texels, err)) &&
              (layer->summary_max = need(o, NAMED("summary_max"), DTYPE_F32, 2, texels, err));
#define TRACE_ROW_NEED(field, type, dtype_, rows)                                                  \
    if (ok) {                                                                                      \
        int64_t shape[] = {info->n_heads, rows};                                                   \
        ok = (layer->field = need(o, NAMED(#field), DTYPE_##dtype_, 2, shape, err)) != NULL;       \
    }
    TRACE_ROW_ARRAYS(TRACE_ROW_NEED)
#undef TRACE_ROW_NEED
#undef NAMED
    for (int64_t i = 0; i < info->n_heads * N && ok; i++) {
        if (layer->max_key[i] < -1 || layer->max_key[i] >= M) {
            ok = bad(o, "a strongest key is outside the text", err);
        }
    }
    return ok;
}

static bool read_hidden(Opener *o, Error *err)
{
    Trace *trace = o->trace;
    const TraceInfo *info = &trace->info;
    int64_t shape[] = {info->n_queries, info->model_dim};
    trace->hidden = ARENA_ARRAY(&trace->arena, float *, (size_t)info->n_layers + 1, err);
    bool ok = trace->hidden != NULL;
    for (int32_t s = 0; s <= info->n_layers && ok && info->has_hidden; s++) {
        char name[64];
        snprintf(name, sizeof name, "hidden.%d", s);
        trace->hidden[s] = need(o, name, DTYPE_F32, 2, shape, err);
        ok = trace->hidden[s] != NULL;
    }
    return ok;
}

static bool read_all(Opener *o, Error *err)
{
    Trace *trace = o->trace;
    TraceInfo *info = &trace->info;
    if (!read_shape(o, err) || !read_params(o, err) || !read_texts(o, err) || !read_bias(o, err) ||
        !read_image(o, err)) {
        return false;
    }
    const cJSON *layers = json_get(o->run, "attention");
    if (!cJSON_IsArray(layers) || cJSON_GetArraySize(layers) != info->n_layers) {
        return bad(o, "it does not describe each of its layers", err);
    }
    trace->layers = ARENA_ARRAY(&trace->arena, LayerData, (size_t)info->n_layers, err);
    if (!trace->layers) {
        return false;
    }
    const cJSON *item;
    int32_t l = 0;
    cJSON_ArrayForEach(item, layers)
    {
        if (!read_layer(o, l++, item, err)) {
            return false;
        }
    }
    /* What was claimed of layers and heads is borne out by tensors now. */
    return read_hidden(o, err) && read_ablated(o, err);
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool text_is(TextView view, const char *text)
{
    return view.text && view.n == strlen(text) && !memcmp(view.text, text, view.n);
}

/* Is it a trace of a version that we know? Then its run, parsed. */
static cJSON *read_header(const Opener *o, Error *err)
{
    TextView format;
    TextView version;
    TextView run;
    if (!tensor_file_get_string(o->file, "format", &format, err) ||
        !tensor_file_get_string(o->file, "version", &version, err) ||
        !tensor_file_get_string(o->file, "run", &run, err)) {
        return NULL;
    }
    if (tensor_file_kind(o->file) != TENSOR_FILE_SAFETENSORS ||
        !text_is(format, TRACE_FILE_FORMAT) || !version.text || !run.text) {
        error_set(err, ERR_FORMAT,
                  "%s is not a trace; `attnscope trace -o FILE.safetensors` makes "
                  "one (a model goes to --model)",
                  o->path);
        return NULL;
    }
    char known[16];
    snprintf(known, sizeof known, "%d", TRACE_FILE_VERSION);
    if (!text_is(version, "1") && !text_is(version, known)) {
        error_set(err, ERR_UNSUPPORTED,
                  "%s is a trace of version %.*s; this program reads versions "
                  "1 to %s",
                  o->path, (int)AS_MIN(version.n, 16u), version.text, known);
        return NULL;
    }
    return json_parse(run.text, run.n, o->path, err);
}

/* Takes the file, whatever comes of it. */
static Trace *open_file(TensorFile *file, const char *path, Error *err)
{
    Trace *trace = file ? trace_new(err) : NULL;
    if (!trace) {
        tensor_file_close(&file);
        return NULL;
    }
    trace->file = file;
    Opener o = {.trace = trace, .file = file, .path = path};
    bool ok = (o.run = read_header(&o, err)) && read_all(&o, err) && trace_make_ctx(trace, 0, err);
    json_free(o.run);
    if (!ok) {
        trace_close(trace);
        return NULL;
    }
    for (size_t i = 0; i < tensor_file_count(file); i++) {
        trace->info.held_bytes += tensor_file_at(file, i)->n_bytes;
    }
    atomic_store(&trace->layers_done, trace->info.n_layers);
    atomic_store(&trace->states_done, trace->info.has_hidden ? trace->info.n_layers + 1 : 0);
    return trace;
}

/* Has it our mark? Else its tensors may be attention of another program. */
static bool is_foreign(const TensorFile *file)
{
    Error none = {0};
    TextView format;
    return tensor_file_kind(file) == TENSOR_FILE_SAFETENSORS &&
           tensor_file_get_string(file, "format", &format, &none) &&
           !text_is(format, TRACE_FILE_FORMAT) &&
           (tensor_file_meta(file, "attnscope") || tensor_file_find(file, "weights") ||
            tensor_file_find(file, "attentions") || tensor_file_find(file, "weights.0") ||
            tensor_file_find(file, "q") || tensor_file_find(file, "q.0"));
}

/* Takes the file, whatever comes of it. */
static Trace *open_any(TensorFile *file, const char *path, Error *err)
{
    return file && is_foreign(file) ? trace_import_tensors(file, path, err)
                                    : open_file(file, path, err);
}

Trace *trace_open(const char *path, Error *err)
{
    if (path_has_suffix(path, ".npy") || path_has_suffix(path, ".npz")) {
        return trace_import_numpy(path, err);
    }
    if (path_is_folder(path)) {
        error_set(err, ERR_IO, "%s is a folder: a trace is one file, of `attnscope trace`", path);
        return NULL;
    }
    return open_any(tensor_file_open(path, err), path, err);
}

Trace *trace_open_memory(const char *name, const void *data, size_t n_bytes, Error *err)
{
    return open_any(tensor_file_open_memory(name, data, n_bytes, err), name, err);
}
