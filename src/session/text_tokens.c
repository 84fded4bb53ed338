#include "session/text_tokens.h"

#include "base/str.h"
#include "tokenizer/chat.h"

#include <string.h>

Tokenizer *text_open_tokenizer(const Model *model, const Log *log, Error *err)
{
    const ModelInfo *info = model_info(model);
    switch (info->tokenizer.kind) {
    case MODEL_TOKENIZER_FOLDER:
        return tokenizer_open(info->tokenizer.path, log, err);
    case MODEL_TOKENIZER_EMBEDDED:
        return tokenizer_open_embedded(info->tokenizer.path, log, err);
    case MODEL_TOKENIZER_GGUF:
        return tokenizer_open_gguf(info->tokenizer.file, log, err);
    case MODEL_TOKENIZER_WORDS:
        return tokenizer_open_words(info->vocabulary, err);
    case MODEL_TOKENIZER_NONE:
        break;
    }
    error_set(err, ERR_UNSUPPORTED,
              "%s has no tokenizer (tokenizer.json, vocab.txt or SentencePiece's .model): give "
              "token ids with --ids 1,2,3",
              info->name);
    return NULL;
}

const char *text_of_token(const char *source, const TraceToken *token, const Tokenizer *tokenizer,
                          Arena *arena, Error *err)
{
    size_t n;
    Error ignored = {0};
    char *raw = tokenizer ? tokenizer_token_text(tokenizer, token->id, arena, &n, &ignored) : NULL;
    if (ignored.code == ERR_MEMORY) {
        error_set(err, ERR_MEMORY, "%s", ignored.message);
        return NULL;
    }
    if (raw) {
        return utf8_repair(arena, raw, n, &n, NULL, err);
    }
    if (tokenizer && token->start >= 0) {
        return arena_strndup(arena, source + token->start, (size_t)(token->end - token->start),
                             err);
    }
    return arena_printf(arena, err, "#%d", token->id);
}

/* The text and behind it the pair, which byte ranges point into. */
static bool make_source(const TextRequest *request, Arena *arena, TextTokens *out, Error *err)
{
    size_t n_pair = request->pair ? request->n_pair : 0;
    size_t n_text = request->text ? request->n_text : 0;
    size_t n;
    if (!checked_add(n_text, n_pair, &n) || !checked_add(n, 1, &n)) {
        return error_set(err, ERR_MEMORY, "the texts do not fit");
    }
    char *source = arena_alloc(arena, n, err);
    if (!source) {
        return false;
    }
    if (n_text) {
        memcpy(source, request->text, n_text);
    }
    if (n_pair) {
        memcpy(source + n_text, request->pair, n_pair);
    }
    out->source = source;
    out->n_source = n_text + n_pair;
    out->second_at = request->pair ? n_text : 0;
    return true;
}

static bool from_text(const TextRequest *request, const Tokenizer *tokenizer, Arena *arena,
                      TextTokens *out, Error *err)
{
    TokenizeOptions options = {
        .add_special = !request->leave_special_out,
        .text_pair = request->pair,
        .n_pair_bytes = request->n_pair,
    };
    Tokens tokens;
    if (!tokenizer_encode(tokenizer, request->text ? request->text : "",
                          request->text ? request->n_text : 0, &options, arena, &tokens, err)) {
        return false;
    }
    out->n = tokens.n;
    out->tokens = ARENA_ARRAY(arena, TraceToken, tokens.n, err);
    if (!out->tokens) {
        return false;
    }
    int64_t pair_at = (int64_t)(request->text ? request->n_text : 0);
    for (size_t i = 0; i < tokens.n; i++) {
        int64_t shift = tokens.sequence[i] == 1 ? pair_at : 0;
        out->tokens[i] = (TraceToken){
            .id = tokens.ids[i],
            .start = tokens.added[i] ? -1 : shift + (int64_t)tokens.start[i],
            .end = tokens.added[i] ? -1 : shift + (int64_t)tokens.end[i],
            .special = tokens.added[i] || tokenizer_is_special(tokenizer, tokens.ids[i]),
            .segment = tokens.type_ids[i],
        };
    }
    return true;
}

static bool from_ids(const TextRequest *request, const Tokenizer *tokenizer, Arena *arena,
                     TextTokens *out, Error *err)
{
    out->n = request->n_ids;
    out->tokens = ARENA_ARRAY(arena, TraceToken, request->n_ids, err);
    if (!out->tokens) {
        return false;
    }
    for (size_t i = 0; i < request->n_ids; i++) {
        out->tokens[i] = (TraceToken){
            .id = request->ids[i],
            .start = -1,
            .end = -1,
            .special = tokenizer && tokenizer_is_special(tokenizer, request->ids[i]),
        };
    }
    return true;
}

/* --range, then --max-tokens. */
static bool take_part(const TextRequest *request, const Log *log, TextTokens *out, Error *err)
{
    int64_t n = (int64_t)out->n;
    int64_t first = request->range_first;
    int64_t end = request->range_end > 0 && request->range_end < n ? request->range_end : n;
    if (first < 0 || first >= n) {
        return error_set(err, ERR_RANGE,
                         "a range from token %lld on: the text has %lld tokens, "
                         "counted from 0",
                         (long long)first, (long long)n);
    }
    if (end <= first) {
        return error_set(err, ERR_RANGE, "the range %lld:%lld is empty", (long long)first,
                         (long long)end);
    }
    if (request->range_end > n) {
        log_write(log, LOG_WARNING, "the range ends at token %lld, the text at %lld",
                  (long long)request->range_end, (long long)n);
    }
    if (request->max_tokens > 0 && end - first > request->max_tokens) {
        end = first + request->max_tokens;
    }
    if (end - first < n) {
        log_write(log, LOG_WARNING, "tokens %lld to %lld of %lld are taken, the rest is left out",
                  (long long)first, (long long)end - 1, (long long)n);
    }
    out->tokens += first;
    out->n = (size_t)(end - first);
    return true;
}

/* Only errors: what the model warns of comes when it runs. */
static bool check_model(const TextTokens *tokens, const Model *model, Arena *arena, Error *err)
{
    int32_t *ids = ARENA_ARRAY(arena, int32_t, tokens->n, err);
    if (!ids) {
        return false;
    }
    for (size_t i = 0; i < tokens->n; i++) {
        ids[i] = tokens->tokens[i].id;
    }
    if (tokens->n > INT32_MAX) {
        return error_set(err, ERR_RANGE,
                         "%zu tokens are too many: take a part with --range or "
                         "--max-tokens",
                         tokens->n);
    }
    ModelInput input = {.ids = ids, .n_tokens = (int32_t)tokens->n};
    return model_check_input(model, &input, NULL, err);
}

/* The text inside the chat template, which writes the special tokens too. */
static bool wrap_chat(const TextRequest *request, const Tokenizer *tokenizer, Arena *arena,
                      TextRequest *wrapped, Error *err)
{
    if (request->ids || request->pair) {
        return error_set(err, ERR_USAGE, "a chat is one text: no ids and no second text");
    }
    *wrapped = *request;
    wrapped->leave_special_out = true;
    wrapped->text = tokenizer_wrap_chat(tokenizer, request->text ? request->text : "",
                                        request->text ? request->n_text : 0, request->system, arena,
                                        &wrapped->n_text, err);
    return wrapped->text != NULL;
}

bool text_tokens(const TextRequest *request, const Model *model, const Tokenizer *tokenizer,
                 Arena *arena, const Log *log, TextTokens *tokens, Error *err)
{
    *tokens = (TextTokens){.source = ""};
    if (request->ids ? request->n_ids == 0 : tokenizer == NULL) {
        return error_set(err, ERR_RANGE,
                         request->ids ? "the list of token ids is empty"
                                      : "a text needs a tokenizer: use --ids");
    }
    TextRequest wrapped;
    if (request->chat) {
        if (!wrap_chat(request, tokenizer, arena, &wrapped, err)) {
            return false;
        }
        request = &wrapped;
    }
    bool ok = request->ids ? from_ids(request, tokenizer, arena, tokens, err)
                           : make_source(request, arena, tokens, err) &&
                                 from_text(request, tokenizer, arena, tokens, err);
    if (ok && tokens->n == 0) {
        return error_set(err, ERR_RANGE,
                         "the text is empty and no special tokens are added to it: "
                         "give a text with --text, --file or --ids");
    }
    ok = ok && take_part(request, log, tokens, err) &&
         (!model || check_model(tokens, model, arena, err));
    for (size_t i = 0; i < tokens->n && ok; i++) {
        tokens->tokens[i].text =
            text_of_token(tokens->source, &tokens->tokens[i], tokenizer, arena, err);
        ok = tokens->tokens[i].text != NULL;
    }
    return ok;
}
