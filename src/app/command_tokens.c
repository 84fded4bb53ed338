/* tokens: a text as the model's tokens. Needs no weights. */
#include "app/cli.h"

#include <stdio.h>
#include <string.h>

static bool add_json(const TraceToken *tokens, size_t n, StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out, "{\"tokens\":[", err);
    for (size_t i = 0; i < n && ok; i++) {
        const TraceToken *t = &tokens[i];
        /* Tokens that stand for no text have the empty range 0, 0, as the tokenizers library
         * gives it. */
        ok = strbuf_printf(out, err, "%s\n{\"id\":%d,\"text\":", i ? "," : "", t->id) &&
             cli_json_string(out, t->text, err) &&
             strbuf_printf(out, err, ",\"start\":%lld,\"end\":%lld}",
                           t->start < 0 ? 0LL : (long long)t->start,
                           t->end < 0 ? 0LL : (long long)t->end);
    }
    return ok && strbuf_puts(out, "\n]}\n", err);
}

/* "   12     317  [10,14)  \" the\"" */
static bool add_table(const TraceToken *tokens, size_t n, StrBuf *out, Error *err)
{
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        const TraceToken *t = &tokens[i];
        char span[64] = "-";
        if (t->start >= 0) {
            snprintf(span, sizeof span, "%lld:%lld", (long long)t->start, (long long)t->end);
        }
        ok = strbuf_printf(out, err, "%6zu %8d  %-16s", i, t->id, span) &&
             cli_json_string(out, t->text, err) &&
             strbuf_puts(out, t->special ? "  special\n" : "\n", err);
    }
    return ok;
}

/* Byte ranges of a second text, which begins at second_at, count from its own beginning. */
static bool print_tokens(App *app, const TraceToken *tokens, size_t n, size_t second_at, Error *err)
{
    StrBuf out = {0};
    bool json = app_option(app, OPTION_JSON_ID)->given;
    TraceToken *shown = ARENA_ARRAY(&app->arena, TraceToken, n, err);
    if (!shown) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int64_t shift = tokens[i].start >= (int64_t)second_at ? (int64_t)second_at : 0;
        shown[i] = tokens[i];
        shown[i].start -= shift;
        shown[i].end -= shift;
    }
    bool ok = json ? add_json(shown, n, &out, err) : add_table(shown, n, &out, err);
    if (ok) {
        cli_print(&out);
    }
    strbuf_free(&out);
    return ok;
}

static bool tokenise(App *app, const RunRequest *request, Error *err)
{
    TextTokens tokens;
    ModelDesc desc = {.spec = request->model, .need = MODEL_NEED_TOKENIZER, .log = &app->log};
    Model *model = model_open(&desc, err);
    Error no_tokenizer = {0};
    Tokenizer *tokenizer = model ? text_open_tokenizer(model, &app->log, &no_tokenizer) : NULL;
    bool ok = model != NULL;
    if (ok && !tokenizer && !request->text.ids) {
        *err = no_tokenizer;
        ok = false;
    }
    ok = ok && text_tokens(&request->text, NULL, tokenizer, &app->arena, &app->log, &tokens, err) &&
         print_tokens(app, tokens.tokens, tokens.n, tokens.second_at, err);
    tokenizer_close(&tokenizer);
    model_close(&model);
    return ok;
}

bool command_tokens(App *app, Error *err)
{
    RunRequest request;
    if (!app_read_request(app, &request, err)) {
        return false;
    }
    atomic_store(app->may_end, true);
    if (!request.trace_path) {
        if (!request.text_given) {
            cli_say_example(app);
        }
        return tokenise(app, &request, err);
    }
    Trace *trace = trace_open(request.trace_path, err);
    bool ok = trace && print_tokens(app, trace_tokens(trace), (size_t)trace_info(trace)->n_queries,
                                    trace_info(trace)->second_at, err);
    trace_close(trace);
    return ok;
}
