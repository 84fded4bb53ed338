/* info: what a model (or a saved trace) is, and what would compute here. */
#include "app/cli.h"
#include "app/info_machine.h"
#include "base/file.h"
#include "tokenizer/chat.h"

#include <stdio.h>
#include <string.h>

/* ---- a model --------------------------------------------------------------------------------- */

static bool stack_json(const ModelStack *stack, StrBuf *out, Error *err)
{
    return strbuf_printf(out, err,
                         "{\"kind\":\"%s\",\"layers\":%d,\"heads\":%d,\"kv_heads\":%d,"
                         "\"head_dim\":%d}",
                         stack->name, stack->n_layers, stack->n_heads, stack->n_kv_heads,
                         stack->head_width);
}

static bool model_json(const ModelInfo *info, const char *tokenizer, bool has_chat, StrBuf *out,
                       Error *err)
{
    const ModelStack *first = &info->stacks[0];
    bool ok = strbuf_puts(out, "{\"name\":", err) && cli_json_string(out, info->name, err) &&
              strbuf_puts(out, ",\"path\":", err) && cli_json_string(out, info->path, err) &&
              strbuf_puts(out, ",\"architecture\":", err) &&
              cli_json_string(out, info->architecture, err) &&
              strbuf_puts(out, ",\"model_type\":", err) &&
              cli_json_string(out, info->model_type, err) &&
              strbuf_puts(out, ",\"family\":", err) && cli_json_string(out, info->family, err);
    ok = ok && strbuf_printf(
                   out, err,
                   ",\"layers\":%d,\"heads\":%d,\"kv_heads\":%d,\"head_dim\":%d,"
                   "\"width\":%d,\"vocabulary\":%d,\"max_positions\":%d,"
                   "\"positions_limited\":%s,\"predicts_tokens\":%s,"
                   "\"parameters\":%llu,\"file_bytes\":%llu,\"dtype\":",
                   first->n_layers, first->n_heads, first->n_kv_heads, first->head_width,
                   info->width, info->vocabulary, info->max_positions,
                   info->positions_limited ? "true" : "false", info->has_logits ? "true" : "false",
                   (unsigned long long)info->n_params, (unsigned long long)info->file_bytes);
    ok = ok && cli_json_string(out, info->dtype, err) && strbuf_puts(out, ",\"tokenizer\":", err) &&
         cli_json_string(out, tokenizer, err) &&
         strbuf_printf(out, err, ",\"chat_template\":%s,\"stacks\":[", has_chat ? "true" : "false");
    for (int32_t i = 0; i < info->n_stacks && ok; i++) {
        ok = (!i || strbuf_puts(out, ",", err)) && stack_json(&info->stacks[i], out, err);
    }
    return ok && strbuf_puts(out, "],", err);
}

static bool model_table(const ModelInfo *info, const char *tokenizer, bool has_chat, StrBuf *out,
                        Error *err)
{
    char a[32];
    char b[32];
    bool ok = strbuf_printf(out, err, "%-14s%s\n", "model", info->name);
    if (*info->path) {
        ok = ok && strbuf_printf(out, err, "%-14s%s\n", "path", info->path);
    }
    ok = ok &&
         strbuf_printf(out, err, "%-14s%s (%s)\n", "architecture", info->family, info->model_type);
    for (int32_t i = 0; i < info->n_stacks && ok; i++) {
        const ModelStack *s = &info->stacks[i];
        ok = strbuf_printf(out, err, "%-14s%d layers of %d heads, %d wide", s->name, s->n_layers,
                           s->n_heads, s->head_width) &&
             (s->n_kv_heads == s->n_heads ||
              strbuf_printf(out, err, "; keys and values in %d group%s", s->n_kv_heads,
                            s->n_kv_heads == 1 ? "" : "s")) &&
             strbuf_puts(out, "\n", err);
    }
    ok = ok && strbuf_printf(out, err, "%-14s%d\n%-14s%s tokens; %s\n", "width", info->width,
                             "vocabulary", format_count((uint64_t)info->vocabulary, a), tokenizer);
    if (has_chat) {
        ok = ok && strbuf_printf(out, err, "%-14s%s\n", "chat", "a template of its own (--chat)");
    }
    if (info->max_positions) {
        ok = ok && strbuf_printf(out, err, "%-14s%s%s\n", "positions",
                                 format_count((uint64_t)info->max_positions, a),
                                 info->positions_limited ? ", a fixed table: no longer texts"
                                                         : " in training; longer texts can be run");
    }
    if (info->n_params) {
        ok = ok && strbuf_printf(out, err, "%-14s%s, %s of %s\n", "parameters",
                                 format_count(info->n_params, a), format_bytes(info->file_bytes, b),
                                 info->dtype);
    }
    return ok && strbuf_printf(out, err, "%-14s%s\n", "predicts",
                               info->has_logits ? "tokens (dump --what logits)" : "no tokens");
}

static bool model_report(App *app, const RunRequest *request, StrBuf *out, Error *err)
{
    ModelDesc desc = {.spec = request->model, .need = MODEL_NEED_INFO, .log = &app->log};
    Model *model = model_open(&desc, err);
    if (!model) {
        return false;
    }
    Error no_tokenizer = {0};
    Tokenizer *tokenizer = text_open_tokenizer(model, &app->log, &no_tokenizer);
    if (!tokenizer && no_tokenizer.code != ERR_UNSUPPORTED) {
        log_write(&app->log, LOG_WARNING, "%s", no_tokenizer.message);
    }
    const ModelInfo *info = model_info(model);
    bool json = app_option(app, OPTION_JSON_ID)->given;
    const char *kind = tokenizer ? tokenizer_kind(tokenizer) : NULL;
    bool has_chat = tokenizer && tokenizer_chat_template(tokenizer);
    bool ok =
        json ? model_json(info, kind, has_chat, out, err)
             : model_table(info, kind ? kind : "no tokenizer that can be read", has_chat, out, err);
    tokenizer_close(&tokenizer);
    model_close(&model);
    return ok;
}

/* ---- a saved trace --------------------------------------------------------------------------- */

static const char *const stores[] = {"q, k, v and hidden states", "q, k and v", "q and k"};
static const char *const dtypes[] = {"f32", "f16"};

static bool trace_json(const TraceInfo *info, StrBuf *out, Error *err)
{
    return strbuf_puts(out, "{\"model\":", err) && cli_json_string(out, info->model_name, err) &&
           strbuf_puts(out, ",\"architecture\":", err) &&
           cli_json_string(out, info->architecture, err) &&
           strbuf_printf(out, err,
                         ",\"layers\":%d,\"heads\":%d,\"kv_heads\":%d,\"head_dim\":%d,"
                         "\"width\":%d,\"vocabulary\":%d,\"stack\":\"%s\",\"tokens\":%d,"
                         "\"keys\":%d,\"values\":%s,"
                         "\"hidden\":%s,\"dtype\":\"%s\",\"weight_shift\":%.9g,"
                         "\"temperature\":%.9g,\"bytes\":%llu,\"seconds\":%.6g,"
                         "\"weights_only\":%s,\"given_shift\":%.9g,",
                         info->n_layers, info->n_heads, info->n_kv_heads, info->head_dim,
                         info->model_dim, info->n_vocab, trace_stack_name(info->stack),
                         info->n_queries, info->n_keys, info->has_values ? "true" : "false",
                         info->has_hidden ? "true" : "false", dtypes[info->params.dtype],
                         (double)info->weight_shift, (double)info->params.temperature,
                         (unsigned long long)info->held_bytes, info->seconds,
                         info->weights_only ? "true" : "false", (double)info->given_shift);
}

/* What the run did otherwise than the model does; nothing of an ordinary one. */
static bool changes_table(const TraceParams *params, StrBuf *out, Error *err)
{
    bool warm = params->temperature > 0 && params->temperature != 1;
    bool masked = params->mask != TRACE_MASK_AUTO;
    if (!warm && !masked && !params->unscaled && !params->n_ablate) {
        return true;
    }
    bool ok = strbuf_printf(out, err, "%-14s", "changed");
    if (warm) {
        ok = ok && strbuf_printf(out, err, "temperature %g; ", (double)params->temperature);
    }
    if (params->unscaled) {
        ok = ok && strbuf_puts(out, "scores not scaled; ", err);
    }
    if (masked) {
        ok = ok && strbuf_printf(out, err, "mask %s; ",
                                 params->mask == TRACE_MASK_CAUSAL ? "causal" : "none");
    }
    if (params->n_ablate) {
        ok = ok && strbuf_printf(out, err, "%zu head%s off; ", params->n_ablate,
                                 params->n_ablate == 1 ? "" : "s");
    }
    return ok &&
           strbuf_puts(out,
                       params->propagate ? "the layers above see it\n" : "each layer on its own\n",
                       err);
}

static bool trace_table(const TraceInfo *info, StrBuf *out, Error *err)
{
    char a[32];
    if (info->weights_only) {
        char shift[48] = "";
        if (info->given_shift > 1e-3f) {
            snprintf(shift, sizeof shift, "; rows were up to %.2g from a sum of 1",
                     (double)info->given_shift);
        }
        return strbuf_printf(out, err,
                             "%-14s%s\n%-14s%d queries, %d keys\n%-14s%d layers of %d heads\n"
                             "%-14sweights as they were given%s\n",
                             "weights of", info->model_name, "tokens", info->n_queries,
                             info->n_keys, "attention", info->n_layers, info->n_heads, "holds",
                             shift);
    }
    char tokens[64];
    bool cross = info->stack == TRACE_STACK_CROSS;
    snprintf(tokens, sizeof tokens, cross ? "%d, which read %d of the source" : "%d",
             info->n_queries, info->n_keys);
    const char *name = path_base_name(info->model_name);
    return strbuf_printf(out, err, "%-14s%s (%s)\n", "trace of", name, info->architecture) &&
           (name == info->model_name ||
            strbuf_printf(out, err, "%-14s%s\n", "path", info->model_name)) &&
           strbuf_printf(out, err, "%-14s%s\n%-14s%d layers of %d heads, %d wide%s%s\n", "tokens",
                         tokens, "attention", info->n_layers, info->n_heads, info->head_dim,
                         info->stack == TRACE_STACK_SELF ? "" : ", ",
                         info->stack == TRACE_STACK_SELF ? "" : trace_stack_name(info->stack)) &&
           strbuf_printf(out, err, "%-14s%s as %s, %s\n", "holds", stores[info->params.store],
                         dtypes[info->params.dtype], format_bytes(info->held_bytes, a)) &&
           changes_table(&info->params, out, err) &&
           (info->seconds <= 0 || /* of another program */
            strbuf_printf(out, err, "%-14s%.2f s\n", "computed in", info->seconds));
}

static bool trace_report(App *app, const char *path, StrBuf *out, Error *err)
{
    Trace *trace = trace_open(path, err);
    if (!trace) {
        return false;
    }
    bool ok = app_option(app, OPTION_JSON_ID)->given ? trace_json(trace_info(trace), out, err)
                                                     : trace_table(trace_info(trace), out, err);
    trace_close(trace);
    return ok;
}

bool command_info(App *app, Error *err)
{
    RunRequest request;
    StrBuf out = {0};
    if (!app_read_request(app, &request, err)) {
        return false;
    }
    bool ok = request.trace_path ? trace_report(app, request.trace_path, &out, err)
                                 : model_report(app, &request, &out, err);
    bool json = app_option(app, OPTION_JSON_ID)->given;
    ok = ok && info_machine(app, json, &out, err) && (!json || strbuf_puts(&out, "}\n", err));
    if (ok) {
        cli_print(&out);
    }
    strbuf_free(&out);
    return ok;
}
