#pragma once
/*
 * From a text (or ids) to the tokens of a run: tokenised, cut to the wanted part, told apart. The
 * window and the command line go the same way. Everything that is left out is said in the log.
 */
#include "base/log.h"
#include "model/model.h"
#include "tokenizer/tokenizer.h"
#include "trace/trace.h"

/** What to tokenise. Zero: the empty text with special tokens. All borrowed. */
typedef struct TextRequest {
    const char *text; /* valid UTF-8; NULL = "" */
    size_t n_text;    /* bytes */
    const char *pair; /* second text, valid UTF-8; NULL = none */
    size_t n_pair;
    const int32_t *ids; /* in place of a text; NULL = the text counts */
    size_t n_ids;
    bool leave_special_out;
    bool chat;          /* the text goes into the tokenizer's chat template, see tokenizer/chat.h */
    const char *system; /* with it: what the system says, valid UTF-8; NULL = nothing */
    int64_t range_first, range_end; /* tokens [first, end) of what the tokenizer gives; end 0 or
                                       past the last = to the end */
    int64_t max_tokens;             /* 0 = no limit */
} TextRequest;

/** Tokens of a run, in the arena given. `source` is what their byte ranges point into: the text
 *  (as the chat template wrote it) and behind it the pair. */
typedef struct TextTokens {
    TraceToken *tokens;
    size_t n;
    const char *source;
    size_t n_source;
    size_t second_at; /* where the pair begins; 0 = there is none */
} TextTokens;

/**
 * Opens the tokenizer that a model comes with. NULL with *err for models that have none
 * (ERR_UNSUPPORTED: use --ids).
 */
AS_MUST_CHECK Tokenizer *text_open_tokenizer(const Model *model, const Log *log, Error *err);

/** What a token reads as: valid UTF-8. Made-up models show the word itself, without a tokenizer it
 *  is "#17". Owned by the arena; NULL on ERR_MEMORY. */
const char *text_of_token(const char *source, const TraceToken *token, const Tokenizer *tokenizer,
                          Arena *arena, Error *err);

/**
 * tokenizer  NULL is fine when request has ids; their texts are then "#17"
 * model      borrowed; NULL when only tokens are wanted (then nothing is checked against it)
 * Errors     ERR_RANGE no tokens left, a range outside, an id outside the vocabulary, more tokens
 *            than a learned position table holds
 */
AS_MUST_CHECK bool text_tokens(const TextRequest *request, const Model *model,
                               const Tokenizer *tokenizer, Arena *arena, const Log *log,
                               TextTokens *tokens, Error *err);
