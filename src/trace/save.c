/* A finished trace as a safetensors file. */
#include "base/str.h"
#include "formats/safetensors_write.h"
#include "trace/internal.h"
#include "trace/names.h"

#include <stdio.h>
#include <string.h>

/* One tensor of the file and where its bytes are. */
typedef struct Part {
    size_t tensor;
    const void *data;
    size_t n_bytes;
} Part;

typedef struct Saver {
    const Trace *trace;
    SafetensorsWriter *writer;
    ARRAY_OF(Part) parts;
    Arena arena; /* token arrays */
} Saver;

static bool declare(Saver *s, const char *name, DType dtype, const void *data, int32_t n_dims,
                    const int64_t *shape, Error *err)
{
    Part part = {.data = data};
    size_t n = 1;
    for (int32_t i = 0; i < n_dims; i++) {
        if (!checked_mul(n, (size_t)shape[i], &n)) {
            return error_set(err, ERR_INTERNAL, "%s does not fit", name);
        }
    }
    return (dtype_bytes(dtype, n, &part.n_bytes)
                ? true
                : error_set(err, ERR_INTERNAL, "%s does not fit", name)) &&
           safetensors_writer_declare(s->writer, name, dtype, n_dims, shape, &part.tensor, err) &&
           ARRAY_PUSH(&s->parts, part, err);
}

/* ---- the run as JSON ------------------------------------------------------------------------- */

static bool add_layers_json(const Trace *trace, StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out, "\"attention\":[", err);
    for (int32_t l = 0; l < trace->info.n_layers && ok; l++) {
        const LayerData *layer = &trace->layers[l];
        ok = strbuf_printf(out, err,
                           "%s{\"scale\":%.9g,\"soft_cap\":%.9g,\"causal\":%s,\"window\":%d,"
                           "\"symmetric\":%s,\"bias\":%s}",
                           l ? "," : "", (double)layer->facts.scale, (double)layer->facts.soft_cap,
                           layer->facts.causal ? "true" : "false", layer->facts.window,
                           layer->mask.kind & ATTN_MASK_WINDOW_SYMMETRIC ? "true" : "false",
                           layer->facts.has_bias ? "true" : "false");
    }
    return ok && strbuf_puts(out, "]", err);
}

static bool run_json(const Trace *trace, StrBuf *out, Error *err)
{
    const TraceInfo *info = &trace->info;
    const TraceParams *params = &info->params;
    const TraceImage *image = trace->image;
    bool ok = strbuf_puts(out, "{\"model\":", err) &&
              strbuf_json_string(out, info->model_name, strlen(info->model_name), err) &&
              strbuf_puts(out, ",\"architecture\":", err) &&
              strbuf_json_string(out, info->architecture, strlen(info->architecture), err);
    ok = ok && strbuf_printf(out, err, ",\"stack\":\"%s\",\"ablate_stack\":\"%s\"",
                             trace_stack_name(info->stack), trace_stack_name(params->ablate_stack));
    if (image) {
        ok = ok &&
             strbuf_printf(out, err, ",\"patch_rows\":%d,\"patch_columns\":%d,\"first_patch\":%d",
                           image->patch_rows, image->patch_columns, image->first_patch);
    }
    ok = ok &&
         strbuf_printf(
             out, err,
             ",\"second_text_at\":%zu,\"layers\":%d,\"heads\":%d,\"kv_heads\":%d,\"queries\":%d,"
             "\"keys\":%d,\"head_dim\":%d,\"model_dim\":%d,\"vocabulary\":%d",
             info->second_at, info->n_layers, info->n_heads, info->n_kv_heads, info->n_queries,
             info->n_keys, info->head_dim, info->model_dim, info->n_vocab);
    ok = ok &&
         strbuf_printf(out, err,
                       ",\"store\":\"%s\",\"dtype\":\"%s\",\"mask\":\"%s\","
                       "\"temperature\":%.9g,\"unscaled\":%s,\"propagate\":%s,\"summary\":%d,"
                       "\"seconds\":%.6g,\"attention_seconds\":%.6g,"
                       "\"attention_flops\":%.17g,\"weight_shift\":%.9g,\"ablate\":[",
                       trace_store_names[params->store], trace_dtype_names[params->dtype],
                       trace_mask_names[params->mask], (double)params->temperature,
                       params->unscaled ? "true" : "false", params->propagate ? "true" : "false",
                       params->summary_size, info->seconds, info->attention_seconds,
                       info->attention_flops, (double)info->weight_shift);
    for (size_t i = 0; i < params->n_ablate && ok; i++) {
        ok = strbuf_printf(out, err, "%s[%d,%d]", i ? "," : "", params->ablate[i].layer,
                           params->ablate[i].head);
    }
    return ok && strbuf_puts(out, "],", err) && add_layers_json(trace, out, err) &&
           strbuf_puts(out, "}", err);
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* Tokens and their text; prefix "" or, of the keys of cross attention, "key_". */
static bool declare_text(Saver *s, const char *prefix, const TraceText *text, Error *err)
{
    size_t n = text->n;
    int32_t *ids = ARENA_ARRAY(&s->arena, int32_t, n, err);
    int64_t *spans = ARENA_ARRAY(&s->arena, int64_t, 2 * n, err);
    uint8_t *flags = ARENA_ARRAY(&s->arena, uint8_t, 2 * n, err);
    int64_t *text_ends = ARENA_ARRAY(&s->arena, int64_t, n, err);
    if (!ids || !spans || !flags || !text_ends) {
        return false;
    }
    size_t n_text = 0;
    for (size_t i = 0; i < n; i++) {
        const TraceToken *token = &text->tokens[i];
        ids[i] = token->id;
        spans[2 * i] = token->start;
        spans[2 * i + 1] = token->end;
        flags[2 * i] = token->special;
        flags[2 * i + 1] = (uint8_t)token->segment;
        n_text += strlen(token->text);
        text_ends[i] = (int64_t)n_text;
    }
    char *texts = arena_alloc(&s->arena, n_text + 1, err);
    if (!texts) {
        return false;
    }
    for (size_t i = 0, at = 0; i < n; at = (size_t)text_ends[i], i++) {
        memcpy(texts + at, text->tokens[i].text, (size_t)text_ends[i] - at);
    }
    int64_t one[] = {(int64_t)n};
    int64_t two[] = {(int64_t)n, 2};
    int64_t bytes[] = {(int64_t)n_text};
    int64_t source[] = {(int64_t)text->n_source};
    char name[64];
#define NAMED(what) (snprintf(name, sizeof name, "%s%s", prefix, what), name)
    return declare(s, NAMED("tokens.id"), DTYPE_I32, ids, 1, one, err) &&
           declare(s, NAMED("tokens.span"), DTYPE_I64, spans, 2, two, err) &&
           declare(s, NAMED("tokens.special_segment"), DTYPE_U8, flags, 2, two, err) &&
           declare(s, NAMED("tokens.text"), DTYPE_U8, texts, 1, bytes, err) &&
           declare(s, NAMED("tokens.text_end"), DTYPE_I64, text_ends, 1, one, err) &&
           declare(s, NAMED("source"), DTYPE_U8, text->source, 1, source, err);
#undef NAMED
}

/* What only some traces have: keys of another text, biases, a picture. */
static bool declare_extras(Saver *s, Error *err)
{
    const Trace *trace = s->trace;
    const DistanceBias *bias = &trace->bias;
    const TraceImage *image = trace->image;
    int64_t bias_shape[] = {trace->info.n_heads, (int64_t)bias->n};
    if ((trace_is_cross(trace) && !declare_text(s, "key_", &trace->keys, err)) ||
        (bias->values && !declare(s, "bias", DTYPE_F32, bias->values, 2, bias_shape, err))) {
        return false;
    }
    if (!image) {
        return true;
    }
    int64_t shape[] = {image->height, image->width, 3};
    return declare(s, "image", DTYPE_U8, image->rgb, 3, shape, err);
}

static bool declare_layer(Saver *s, int32_t l, Error *err)
{
    const TraceInfo *info = &s->trace->info;
    const LayerData *layer = &s->trace->layers[l];
    DType dtype = info->params.dtype == TRACE_F16 ? DTYPE_F16 : DTYPE_F32;
    int64_t N = info->n_queries;
    int64_t M = info->n_keys;
    int64_t queries[] = {info->n_heads, N, info->head_dim};
    int64_t keys[] = {info->n_kv_heads, M, info->head_dim};
    int64_t texels[] = {info->n_heads, layer->shape.n_texels};
    char name[64];
#define NAMED(what) (snprintf(name, sizeof name, "layers.%d.%s", l, what), name)
    bool ok = declare(s, NAMED("q"), dtype, layer->q, 3, queries, err) &&
              declare(s, NAMED("k"), dtype, layer->k, 3, keys, err) &&
              (!info->has_values || declare(s, NAMED("v"), dtype, layer->v, 3, keys, err));
#define TRACE_ROW_DECLARE(field, type, dtype, rows)                                                \
    if (ok) {                                                                                      \
        int64_t shape[] = {info->n_heads, rows};                                                   \
        ok = declare(s, NAMED(#field), DTYPE_##dtype, layer->field, 2, shape, err);                \
    }
    TRACE_ROW_ARRAYS(TRACE_ROW_DECLARE)
#undef TRACE_ROW_DECLARE
    return ok &&
           declare(s, NAMED("summary_mean"), DTYPE_F32, layer->summary_mean, 2, texels, err) &&
           declare(s, NAMED("summary_max"), DTYPE_F32, layer->summary_max, 2, texels, err);
#undef NAMED
}

static bool declare_all(Saver *s, Error *err)
{
    const Trace *trace = s->trace;
    const TraceInfo *info = &trace->info;
    StrBuf run = {0};
    char version[16];
    /* A trace that version 1 could hold stays one, so that older programs read it too. */
    bool old = trace->info.stack == TRACE_STACK_SELF && !trace->bias.values && !trace->image;
    snprintf(version, sizeof version, "%d", old ? 1 : TRACE_FILE_VERSION);
    bool ok = run_json(trace, &run, err) &&
              safetensors_writer_meta(s->writer, "format", TRACE_FILE_FORMAT, err) &&
              safetensors_writer_meta(s->writer, "version", version, err) &&
              safetensors_writer_meta(s->writer, "run", strbuf_text(&run), err) &&
              declare_text(s, "", &trace->queries, err) && declare_extras(s, err);
    strbuf_free(&run);
    for (int32_t l = 0; l < info->n_layers && ok; l++) {
        ok = declare_layer(s, l, err);
    }
    int64_t shape[] = {info->n_queries, info->model_dim};
    for (int32_t i = 0; i <= info->n_layers && ok && info->has_hidden; i++) {
        char name[64];
        snprintf(name, sizeof name, "hidden.%d", i);
        ok = declare(s, name, DTYPE_F32, trace->hidden[i], 2, shape, err);
    }
    return ok;
}

/* Refuses before writing where the disk has no room; a device or pipe tells when it is written. */
static bool check_room(const Saver *s, const char *path, Error *err)
{
    size_t need;
    char need_text[32];
    char free_text[32];
    if (!safetensors_writer_size(s->writer, &need, err)) {
        return false;
    }
    char folder[512];
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) + 1 : 0;
    if (n >= (int)sizeof folder) {
        return true;
    }
    snprintf(folder, sizeof folder, "%.*s.", n, path);
    uint64_t free_bytes = spill_disk_free(folder);
    if (free_bytes && need > free_bytes) {
        return error_set(err, ERR_IO,
                         "%s needs %s and its disk has %s free: hold less with "
                         "--store qk or --dtype f16",
                         path, format_bytes(need, need_text), format_bytes(free_bytes, free_text));
    }
    return true;
}

/* What lies in the spill file and was written needs no memory any more. */
static void let_go(const Trace *trace, const Part *part)
{
    uintptr_t begin = (uintptr_t)trace->spill.data;
    uintptr_t at = (uintptr_t)part->data;
    if (trace->spill.data && at >= begin && at - begin < trace->spill.n_bytes) {
        spill_let_go(&trace->spill, at - begin, part->n_bytes);
    }
}

bool trace_save(const Trace *trace, const char *path, Error *err)
{
    if (trace->info.weights_only) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: weights from elsewhere are in their own file already; only traces "
                         "with queries and keys are saved",
                         trace->info.model_name);
    }
    Saver s = {.trace = trace};
    if (trace_layers_done(trace) < trace->info.n_layers ||
        (trace->info.has_hidden && trace_states_done(trace) <= trace->info.n_layers)) {
        return error_set(err, ERR_RANGE, "%s: the run is not finished, so it cannot be saved",
                         path);
    }
    s.writer = safetensors_writer_create(err);
    bool ok = s.writer && declare_all(&s, err) && check_room(&s, path, err) &&
              safetensors_writer_open(s.writer, path, err);
    for (size_t i = 0; i < s.parts.n && ok; i++) {
        const Part *part = &s.parts.items[i];
        ok = !part->n_bytes ||
             safetensors_writer_put(s.writer, part->tensor, 0, part->data, part->n_bytes, err);
        let_go(trace, part);
    }
    ok = ok && safetensors_writer_commit(s.writer, err);
    safetensors_writer_destroy(&s.writer);
    ARRAY_FREE(&s.parts);
    arena_destroy(&s.arena);
    return ok;
}
