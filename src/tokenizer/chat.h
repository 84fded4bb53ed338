#pragma once
/*
 * Texts inside the template by which a chat model was taught: "<|im_start|>user\n…<|im_end|>\n…".
 * The template is the model's own, from tokenizer_config.json, chat_template.jinja or a GGUF's
 * tokenizer.chat_template, in the language of template.h.
 */
#include "base/arena.h"

typedef struct Tokenizer Tokenizer;

typedef struct ChatMessage {
    const char *role; /* "system", "user", "assistant" */
    const char *text; /* valid UTF-8 */
    size_t n;         /* bytes */
} ChatMessage;

/** Zero is valid but for the template. */
typedef struct ChatDesc {
    const char *source; /* the template */
    size_t n_source;
    const ChatMessage *messages;
    size_t n_messages;
    bool closed; /* the answer's beginning is left out (add_generation_prompt is false) */
    /** Names and texts that the template may use, bos_token and so on; a NULL text is none. */
    const char *const *names;
    const char *const *texts;
    size_t n_names;
    int64_t time_s; /* what "now" is, in seconds since 1970; 0 = now */
} ChatDesc;

/**
 * The messages in the template, as transformers writes them (apply_chat_template). The text is the
 * arena's, NUL-terminated. NULL with the line of the template in the message: ERR_FORMAT where it
 * is broken or refuses these messages, ERR_UNSUPPORTED for what this interpreter does not know,
 * ERR_RANGE where it runs too long. Any thread. Cost: at most some seconds whatever it holds.
 */
AS_MUST_CHECK char *chat_render(const ChatDesc *desc, Arena *arena, size_t *n_out, Error *err);

/** The template a tokenizer carries, or NULL. */
const char *tokenizer_chat_template(const Tokenizer *tokenizer);
/**
 * text[0..n) as what a user says, behind system's words (NULL = none), up to where the model would
 * answer. Encode the result without special tokens: the template wrote them. NULL with
 * ERR_UNSUPPORTED, in one clear line, where the tokenizer carries no template.
 */
AS_MUST_CHECK char *tokenizer_wrap_chat(const Tokenizer *tokenizer, const char *text, size_t n,
                                        const char *system, Arena *arena, size_t *n_out,
                                        Error *err);
