#pragma once
/*
 * Text to token ids and back, as the tokenizers library does it: id for id, offset for offset.
 *
 * A Tokenizer comes from tokenizer.json (a file or bytes in memory), from vocab.txt with
 * tokenizer_config.json (WordPiece), from a model file of SentencePiece, from the metadata of a
 * GGUF file, or is the plain word splitter of made-up models. It is read-only after open: any
 * thread may use it, several at once. Truncation and padding stored in tokenizer.json are ignored.
 *
 * Texts are valid UTF-8: repair others first (utf8_repair of base/str.h) and encode the repaired
 * text, since offsets count its bytes. Sequences that are not UTF-8 are refused with ERR_FORMAT.
 */
#include "base/arena.h"
#include "base/log.h"

typedef struct Tokenizer Tokenizer;
typedef struct TensorFile TensorFile; /* formats/tensor_file.h */

/**
 * Opens what `path` is: a folder (its tokenizer.json, else its vocab.txt, else its source.spm,
 * spiece.model, sentencepiece.bpe.model or tokenizer.model, else its merges.txt, else its only
 * .gguf), or one of these files. tokenizer_config.json beside the others is read for the names of
 * special tokens, the chat template (see chat.h; chat_template.jinja goes before it), with
 * vocab.txt for lower case and accents, and with SentencePiece's models for the family and its
 * added tokens; so are config.json and added_tokens.json. source.spm and merges.txt need
 * vocab.json, and target.spm is for the target. log may be NULL; it is told what is guessed (an
 * unknown GGUF pre-tokenizer). NULL with ERR_IO, ERR_FORMAT (what is wrong where) or
 * ERR_UNSUPPORTED (a component that is not known: its name and the list of those that are).
 */
AS_MUST_CHECK Tokenizer *tokenizer_open(const char *path, const Log *log, Error *err);

/** A tokenizer.json in memory, copied as far as needed. Zero is valid but for json. */
typedef struct TokenizerJson {
    const char *json;          /* bytes of tokenizer.json */
    size_t n_json;             /* how many */
    const char *config;        /* bytes of tokenizer_config.json, or NULL */
    size_t n_config;           /* how many */
    const char *chat_template; /* goes before the config's, or NULL */
    size_t n_chat_template;
    const char *name; /* for messages; NULL = "tokenizer.json" */
} TokenizerJson;
AS_MUST_CHECK Tokenizer *tokenizer_open_json(const TokenizerJson *desc, const Log *log, Error *err);
/** An embedded one by the prefix of its files, such as "models/tiny/". */
AS_MUST_CHECK Tokenizer *tokenizer_open_embedded(const char *prefix, const Log *log, Error *err);
/** From the tokenizer.ggml.* keys of an open GGUF, which may be closed afterwards. */
AS_MUST_CHECK Tokenizer *tokenizer_open_gguf(const TensorFile *file, const Log *log, Error *err);
/**
 * Plain words, for models without a vocabulary: each run of letters, marks and digits and each
 * other visible character is a token; space is none. A word's id is the number of different words
 * before its first appearance in the text, modulo n_vocab (> 0): equal words have equal ids, and
 * more text behind changes nothing before. No special tokens.
 */
AS_MUST_CHECK Tokenizer *tokenizer_open_words(int32_t n_vocab, Error *err);
/** NULL is fine; *tokenizer becomes NULL. */
void tokenizer_close(Tokenizer **tokenizer);

/** Zero is valid: the bare text. */
typedef struct TokenizeOptions {
    bool add_special;      /* what the model expects around a text: [CLS] … [SEP], <s> … */
    const char *text_pair; /* second text (sentence pairs), or NULL */
    size_t n_pair_bytes;   /* its length */
} TokenizeOptions;

/** n tokens. All arrays have n items and are owned by the arena. */
typedef struct Tokens {
    size_t n;
    int32_t *ids;      /* each below tokenizer_n_vocab */
    uint32_t *start;   /* [start, end): bytes of the text (of the pair where sequence is 1) that */
    uint32_t *end;     /*   the token stands for, in the library's sense: whole characters, so the
                          pieces of one character share it; 0, 0 for tokens that were added */
    uint8_t *added;    /* 1 = put there by add_special, stands for no text */
    uint8_t *type_ids; /* segment of BERT-like models, mostly 0 and 1 */
    int8_t *sequence;  /* 0 the text, 1 the pair, -1 added */
} Tokens;

/**
 * Tokens of text[0..n_bytes). An empty text gives the special tokens, maybe none (then n = 0).
 * options NULL = zero. Cost O(n log n). Any thread.
 * Errors   ERR_FORMAT not UTF-8; ERR_RANGE over 1 GiB; ERR_MEMORY; ERR_UNSUPPORTED a regular
 *          expression of the tokenizer that runs away on this text.
 */
AS_MUST_CHECK bool tokenizer_encode(const Tokenizer *tokenizer, const char *text, size_t n_bytes,
                                    const TokenizeOptions *options, Arena *arena, Tokens *tokens,
                                    Error *err);

/** Text of ids by the tokenizer's decoder; may hold broken UTF-8 where a character was cut (repair
 *  it to show it). Ids that are no tokens are left out. NULL on ERR_MEMORY. */
AS_MUST_CHECK char *tokenizer_decode(const Tokenizer *tokenizer, const int32_t *ids, size_t n_ids,
                                     bool skip_special, Arena *arena, size_t *n_bytes, Error *err);

/** Smallest number above every id. Ids below it need not all exist. */
int32_t tokenizer_n_vocab(const Tokenizer *tokenizer);
/**
 * What a token reads as by itself: byte-level pieces as their bytes (maybe a part of a character:
 * repair before showing), SentencePiece's mark as a space, WordPiece continuations with their "##",
 * special tokens by name. NULL with ERR_RANGE without a token of this id (always, for plain words:
 * show the text).
 */
AS_MUST_CHECK char *tokenizer_token_text(const Tokenizer *tokenizer, int32_t id, Arena *arena,
                                         size_t *n_bytes, Error *err);
/** The token as the vocabulary spells it ("Ġthe"), borrowed until close; NULL without one. */
const char *tokenizer_token_name(const Tokenizer *tokenizer, int32_t id);
/** Id of a token as the vocabulary spells it; -1 without one. */
int32_t tokenizer_find(const Tokenizer *tokenizer, const char *name);
/** Control tokens such as [CLS] or <|endoftext|>. */
bool tokenizer_is_special(const Tokenizer *tokenizer, int32_t id);

typedef enum SpecialToken {
    SPECIAL_BOS,
    SPECIAL_EOS,
    SPECIAL_PAD,
    SPECIAL_UNK,
    SPECIAL_CLS,
    SPECIAL_SEP,
    SPECIAL_MASK,
    SPECIAL_COUNT
} SpecialToken;
/** -1 when the tokenizer has or names none. */
int32_t tokenizer_special_id(const Tokenizer *tokenizer, SpecialToken which);
/** What tokenises the targets of an encoder-decoder: another one where the model has two (Marian),
 *  else the same. Borrowed until close. */
const Tokenizer *tokenizer_for_target(const Tokenizer *tokenizer);
/** "byte-level BPE", "WordPiece", "words": for a line of information. Static. */
const char *tokenizer_kind(const Tokenizer *tokenizer);
