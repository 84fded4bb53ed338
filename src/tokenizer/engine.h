#pragma once
/*
 * What a tokenizer is made of, inside. tokenizer.json is read into tables of components:
 *
 *   text -> added tokens cut out -> normalizer -> added tokens again -> pre-tokenizer -> model
 *        -> post-processor -> Tokens
 *
 * A kind of component is one row of one table (NORMALIZERS, PRE_TOKENIZERS, POST_PROCESSORS,
 * DECODERS) or of MODELS: its name in tokenizer.json, how its settings are read, what it does.
 */
#include "base/json.h"
#include "formats/tensor_file.h"
#include "tokenizer/aligned.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/clip.h"
#include "tokenizer/piece_file.h"
#include "tokenizer/piece_trie.h"
#include "tokenizer/regex.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab.h"

/* ---- while encoding ---- */

/** A stretch of the working text: one added token, or text still to be split and tokenised. */
typedef struct Piece {
    uint32_t begin;
    uint32_t end;
    int32_t id; /* of an added token; -1 for text */
} Piece;

/** A token before post-processing: bytes [begin, end) of the working text. */
typedef struct RawToken {
    int32_t id;
    uint32_t begin;
    uint32_t end;
} RawToken;

/** A token after it: in bytes of the original text. */
typedef struct PlacedToken {
    int32_t id;
    ByteSpan span;
    uint32_t begin; /* bytes of the working text; 0, 0 where added */
    uint32_t end;
    uint8_t added;
    uint8_t type_id;
    int8_t sequence;
} PlacedToken;
typedef ARRAY_OF(PlacedToken) PlacedTokens;

/** A token inside a word, relative to the word's start. */
typedef struct WordToken {
    int32_t id;
    uint32_t begin;
    uint32_t end;
} WordToken;
typedef ARRAY_OF(WordToken) WordTokens;

/** Words seen in this text with their tokens. */
typedef struct WordCache {
    struct WordEntry *slots; /* owned; NULL until the first word */
    size_t n_slots;
    size_t n_used;
    WordTokens tokens; /* of all entries */
} WordCache;

/** Tokens of a word of `text` seen before, or NULL. Borrowed until the next put. */
const WordToken *word_cache_find(const WordCache *cache, const char *text, const char *word,
                                 size_t n, size_t *n_tokens);
AS_MUST_CHECK bool word_cache_put(WordCache *cache, const char *text, const char *word, size_t n,
                                  const WordTokens *tokens, Error *err);
void word_cache_free(WordCache *cache);

/** BPE's working memory. */
typedef struct BpeSymbol {
    int32_t id;       /* -1 = joined to one before */
    int32_t previous; /* -1 = none */
    int32_t next;     /* -1 = none */
    uint32_t begin;   /* bytes of the word */
    uint32_t end;
    bool is_frozen; /* a user-defined piece, which joins nothing */
} BpeSymbol;
typedef struct BpeCandidate {
    uint32_t rank;
    int32_t left; /* index of the symbol that would take in its next */
    int32_t id;   /* of what they would become */
} BpeCandidate;
typedef struct BpeScratch {
    ARRAY_OF(BpeSymbol) symbols;
    ARRAY_OF(BpeCandidate) heap;
    uint32_t *cuts; /* [vocab.n_ids] of unused pieces: bytes of the left one it was last proposed
                       from; NULL until needed */
} BpeScratch;

/** Unigram's working memory: the best way to cover a word's first bytes. */
#define UNIGRAM_UNREACHED UINT32_MAX
typedef struct UnigramCell {
    double score;
    uint32_t begin; /* of the last piece; UNIGRAM_UNREACHED = no way yet */
    uint32_t end;   /* of the piece behind it on the path; 0 = it is the last */
    int32_t id;
} UnigramCell;

/** One call's memory. Freed whole at its end. */
typedef struct Encoder {
    const Tokenizer *tokenizer;
    Aligned text;       /* working text, all pieces */
    Aligned next;       /* where a step that rewrites it writes */
    Aligned scratch[2]; /* normalizers go back and forth */
    ARRAY_OF(Piece) pieces;
    ARRAY_OF(Piece) next_pieces;
    Matches matches;
    Matches groups;
    RegexScratch *regex; /* created when first needed */
    WordCache cache;
    BpeScratch bpe;
    ARRAY_OF(UnigramCell) unigram;
    WordTokens word; /* of the word being tokenised */
    ARRAY_OF(RawToken) tokens;
} Encoder;

void encoder_free(Encoder *encoder);
/** Adds a piece of the next step; an empty one vanishes. */
AS_MUST_CHECK bool encoder_emit(Encoder *encoder, uint32_t begin, uint32_t end, int32_t id,
                                Error *err);
/** Matches of text[0..n) into encoder->matches. */
AS_MUST_CHECK bool encoder_find_all(Encoder *encoder, const Regex *regex, const char *text,
                                    size_t n, Error *err);

/* ---- components ---- */

typedef struct Component Component;

/** What a decoder works on: texts that end up joined. */
typedef struct DecodeState {
    Arena *arena;
    struct DecodePart {
        const char *text;
        size_t n;
    } * parts;
    size_t n_parts;
} DecodeState;

/** What a post-processor works on. Once a template joined them, all tokens are in the first. */
typedef struct PostState {
    PlacedTokens tokens[2];
    const char *texts[2];     /* working texts */
    const char *originals[2]; /* the texts themselves */
    int n_sequences;          /* 1 or 2 */
    bool is_joined;           /* a template ran */
    bool add_special;
} PostState;

/** A tokenizer being read. */
typedef struct Reader {
    Tokenizer *tokenizer;
    const char *name; /* of the file, for messages */
    const Log *log;
    int depth; /* of Sequence components */
} Reader;

typedef struct ComponentKind {
    const char *name;
    /** Settings from JSON; NULL = it has none. */
    bool (*read)(Reader *reader, const cJSON *json, Component *component, Error *err);
    /** What it does: one of these. A Sequence has none: its children are run in order. */
    bool (*normalize)(const Component *component, Encoder *encoder, const Aligned *in, Aligned *out,
                      Error *err);
    bool (*split)(const Component *component, Encoder *encoder, Error *err);
    bool (*process)(const Component *component, PostState *state, Error *err);
    bool (*decode)(const Component *component, DecodeState *state, Error *err);
    int variant; /* tells rows apart that share functions */
} ComponentKind;

/** Rows, ended by one without a name. */
extern const ComponentKind NORMALIZERS[];
extern const ComponentKind PRE_TOKENIZERS[];
extern const ComponentKind POST_PROCESSORS[];
extern const ComponentKind DECODERS[];

typedef enum SplitBehavior {
    SPLIT_ISOLATED,
    SPLIT_REMOVED,
    SPLIT_MERGED_WITH_PREVIOUS,
    SPLIT_MERGED_WITH_NEXT,
    SPLIT_CONTIGUOUS
} SplitBehavior;

typedef enum PrependScheme { PREPEND_ALWAYS, PREPEND_FIRST, PREPEND_NEVER } PrependScheme;

/** A part of a template: a special token or a sequence. */
typedef struct TemplatePart {
    int32_t sequence; /* 0 = A, 1 = B, -1 = the ids */
    const int32_t *ids;
    uint32_t n_ids;
    uint8_t type_id;
} TemplatePart;

struct Component {
    const ComponentKind *kind;
    Component *children; /* of a Sequence */
    uint32_t n_children;
    const Charsmap *charsmap; /* Precompiled; the tokenizer's */
    Regex *regex;             /* Split, Replace, ByteLevel; borrowed from the tokenizer */
    const char *text;         /* Replace: content. Prepend, Metaspace: what is put before. WordPiece
                                 decoder: prefix. BPEDecoder: suffix. Strip decoder: character */
    size_t n_text;
    union {
        struct {
            bool clean_text, space_cjk, strip_accents, lowercase;
        } bert;
        struct {
            bool left, right;
        } strip;
        struct {
            SplitBehavior behavior;
            bool invert;
            bool individual; /* Digits */
            uint32_t delimiter;
        } split;
        struct {
            uint32_t length; /* characters */
        } fixed;
        struct {
            bool add_prefix_space, use_regex;
        } byte_level;
        struct {
            PrependScheme prepend;
            bool split;
        } metaspace;
        struct {
            PrependScheme prepend;
            bool appends; /* the space that is added goes behind the text */
            bool trims, escapes;
        } pieces; /* SentencePiece's own */
        struct {
            const TemplatePart *parts[2]; /* for one and for two sequences */
            uint32_t n_parts[2];
            bool trim_offsets, add_prefix_space; /* before it */
            bool clear_types;                    /* RoBERTa: all type ids 0 */
            bool fixed; /* BERT's and RoBERTa's: nothing at all without special tokens */
            bool has_template;
        } post;
        struct {
            bool cleanup;          /* WordPiece, CTC */
            const char *delimiter; /* CTC: of words */
            uint32_t start, stop;  /* Strip */
        } decode;
    };
};

/** Reads a component of `table` from tokenizer.json; null gives *out = NULL. */
AS_MUST_CHECK bool component_read(Reader *reader, const cJSON *json, const ComponentKind *table,
                                  const char *what, Component **out, Error *err);
/** A new component of a kind that the table has, or a Sequence with room for n_children. */
AS_MUST_CHECK Component *component_create(Tokenizer *tokenizer, const ComponentKind *table,
                                          const char *kind, uint32_t n_children, Error *err);
/** Compiles {"String": …} or {"Regex": …} of a component; the tokenizer frees it. */
AS_MUST_CHECK bool component_read_pattern(Reader *reader, const cJSON *json, Component *component,
                                          Error *err);
AS_MUST_CHECK Regex *tokenizer_add_regex(Tokenizer *tokenizer, const char *pattern, bool is_literal,
                                         Error *err);
/** String setting copied to component->text. */
AS_MUST_CHECK bool component_read_text(Reader *reader, const cJSON *json, const char *key,
                                       const char *fallback, Component *component, Error *err);
bool component_is_sequence(const Component *component);
/** Does `component` or one inside it have this kind? NULL has none. */
const Component *component_find(const Component *component, const char *kind);

/** precompiled.c: the normalizer of that name. */
bool precompiled_read(Reader *reader, const cJSON *json, Component *component, Error *err);
bool precompiled_normalize(const Component *component, Encoder *encoder, const Aligned *in,
                           Aligned *out, Error *err);

/* Run a whole component; NULL does nothing. */
AS_MUST_CHECK bool normalize_piece(const Component *normalizer, Encoder *encoder, Aligned *io,
                                   Error *err);
AS_MUST_CHECK bool pre_tokenize(const Component *pre_tokenizer, Encoder *encoder, Error *err);
AS_MUST_CHECK bool post_process(const Component *post_processor, PostState *state, Error *err);
AS_MUST_CHECK bool decode_parts(const Component *decoder, DecodeState *state, Error *err);

/** Sets a template from pairs of characters: A, B or a digit (index into ids), then the type id. */
AS_MUST_CHECK bool template_set(Tokenizer *tokenizer, Component *component, int which,
                                const char *spelled, const int32_t *ids, Error *err);
/** Adds the bytes that a byte-level token spells. */
AS_MUST_CHECK bool decode_bytes(const char *text, size_t n, StrBuf *out, Error *err);
/** "<0xNN>" as its byte; false when it is none. */
bool decode_byte_name(const char *text, size_t n, char *byte);

/* ---- byte-level alphabet ---- */

/** The character GPT-2 writes for a byte: itself where printable, else one past 255.
 *  Source: github.com/openai/gpt-2 src/encoder.py (bytes_to_unicode). */
uint32_t byte_level_char(uint8_t byte);
/** The byte such a character stands for, or -1. */
int byte_level_byte(uint32_t c);

/* ---- models ---- */

typedef struct ModelKind {
    const char *name; /* "type" in tokenizer.json */
    /** Vocabulary and settings; NULL = known by name but not supported. */
    bool (*read)(Reader *reader, const cJSON *json, Error *err);
    /** Tokens of one word, appended to `out`. */
    bool (*tokenize)(const Tokenizer *tokenizer, Encoder *encoder, const char *word, size_t n,
                     WordTokens *out, Error *err);
} ModelKind;
extern const ModelKind MODELS[]; /* ended by a row without a name */
const ModelKind *model_kind_find(const char *name);
/** models.c: the "model" of tokenizer.json. */
AS_MUST_CHECK bool model_read(Reader *reader, const cJSON *json, Error *err);
/** models.c: {"token": id, …} under "vocab". */
AS_MUST_CHECK bool model_read_vocab(Reader *reader, const cJSON *json, Error *err);
/** models.c: {"token": id, …}. */
AS_MUST_CHECK bool vocab_read_table(Reader *reader, const cJSON *table, Error *err);
/** models.c: the id of "unk_token"; -1 where the vocabulary lacks it or none is named. */
void model_read_unk(Reader *reader, const cJSON *json, const char *fallback);

/** What joins two tokens. Open addressing. */
typedef struct Merge {
    uint64_t pair; /* left << 32 | right; UINT64_MAX = free */
    uint32_t rank; /* smaller goes first */
    int32_t id;    /* of the joined token */
} Merge;
typedef struct Merges {
    Merge *slots; /* owned by the arena */
    uint64_t mask;
} Merges;
AS_MUST_CHECK bool merges_create(Merges *merges, Arena *arena, size_t n, Error *err);
/** A pair given twice means its last rank. At most the n of merges_create. */
void merges_put(Merges *merges, int32_t left, int32_t right, uint32_t rank, int32_t id);
const Merge *merges_find(const Merges *merges, int32_t left, int32_t right);

enum { BPE_LONGEST_AFFIX = 64 };

/** bpe.c: adds the merge "left right" whose result must be in the vocabulary. */
AS_MUST_CHECK bool bpe_add_merge(Tokenizer *tokenizer, const char *name, TextView left,
                                 TextView right, uint32_t rank, Error *err);
/** bpe.c: looks up what the settings name, once the vocabulary is there. */
void bpe_finish(Tokenizer *tokenizer);
bool bpe_tokenize(const Tokenizer *tokenizer, Encoder *encoder, const char *word, size_t n,
                  WordTokens *out, Error *err);
void bpe_scratch_free(BpeScratch *scratch);
bool bpe_read(Reader *reader, const cJSON *json, Error *err);

typedef struct Unigram {
    const double *scores; /* [vocab.n_ids], finite */
    double unk_score;
    bool rounds; /* sums are kept in single precision, as SentencePiece does */
    PieceTrie trie;
} Unigram;
/** unigram.c: the last step of reading one, once the vocabulary and its settings are there. scores
 *  [n_ids], the arena's; left_out [n_ids]: tokens that are no pieces, or NULL. */
AS_MUST_CHECK bool unigram_finish(Reader *reader, double *scores, const bool *left_out, Error *err);
bool unigram_tokenize(const Tokenizer *tokenizer, Encoder *encoder, const char *word, size_t n,
                      WordTokens *out, Error *err);
bool unigram_read(Reader *reader, const cJSON *json, Error *err);

/** piece_merges.c: SentencePiece's BPE. Merges from the scores of pieces; takes [vocab.n_ids] says
 *  which are pieces. */
AS_MUST_CHECK bool piece_merges_build(Tokenizer *tokenizer, const float *scores, const bool *takes,
                                      Error *err);
/** decode_spaces: marks become spaces, bytes characters, and one space at the start goes where
 *  `strips`. */
AS_MUST_CHECK Component *piece_decoder_create(Tokenizer *tokenizer, bool strips, Error *err);

/* ---- SentencePiece's own way (models in .model and .spm files) ---- */

/** pieces.c: the one row is how SentencePiece prepares a text. */
extern const ComponentKind PIECE_NORMALIZERS[];
/** pieces.c: whole words. */
extern const ModelKind PIECE_WORDS;
/** pieces.c: length of the code in angle brackets that text[0..n) begins with; 0 = none. */
size_t piece_code_length(const char *text, size_t n);
/** pieces.c: Marian's id of a piece, or of what is unknown to SentencePiece, by its spelling. */
int32_t piece_own_id(const Tokenizer *tokenizer, int32_t id, const char *spelled, size_t n);

/** What may lie beside a model file. Zero is valid but for file. */
typedef struct PieceSetup {
    const PieceFile *file;
    const cJSON *config; /* tokenizer_config.json, or NULL */
    const cJSON *added;  /* added_tokens.json, or NULL */
    const cJSON *vocab;  /* Marian's vocab.json: ids by name; NULL = ids are the pieces' places */
    const char *model_type; /* of config.json, or NULL */
} PieceSetup;
/** read_pieces.c: a model file, with the ids and special tokens of its family. */
AS_MUST_CHECK bool tokenizer_read_pieces(Reader *reader, const PieceSetup *setup, Error *err);

/** read_merges.c: vocab.json and merges.txt (byte-level BPE). Zero is valid but for vocab, merges.
 */
typedef struct MergesSetup {
    const cJSON *vocab;
    const char *merges; /* [n_merges] bytes of merges.txt, valid UTF-8 */
    size_t n_merges;
    const cJSON *config;    /* tokenizer_config.json, or NULL */
    const cJSON *added;     /* added_tokens.json, or NULL */
    const char *model_type; /* of config.json, or NULL */
} MergesSetup;
AS_MUST_CHECK bool tokenizer_read_merges(Reader *reader, const MergesSetup *setup, Error *err);

/* ---- added tokens ---- */

typedef struct AddedToken {
    int32_t id;
    const char *content;
    const char *spelled; /* what it decodes to: content, or that normalised; by added_finish */
    uint32_t n;
    bool special, single_word, lstrip, rstrip, normalized;
} AddedToken;

/** Finds the longest of several strings at a place. */
typedef struct TrieNode {
    int32_t first_child; /* 0 = none */
    int32_t next;        /* sibling; 0 = none */
    int32_t token;       /* index of the added token that ends here; -1 = none */
    char byte;
} TrieNode;
typedef struct Trie {
    TrieNode *nodes; /* owned by the arena; NULL = empty */
    int32_t n_nodes;
    int32_t roots[256]; /* 0 = none */
} Trie;

typedef struct AddedTokens {
    AddedToken *items; /* owned by the arena */
    uint32_t n;
    const AddedToken **by_id; /* sorted */
    Trie raw;                 /* found in the text as it is */
    Trie normalized;          /* found after the normalizer, in normalised spelling */
} AddedTokens;

/** Once the list and the normalizer are there: builds what finds them. */
AS_MUST_CHECK bool added_finish(Tokenizer *tokenizer, Error *err);
/** Cuts text[begin, end) of the working text into pieces, added tokens and the rest. */
AS_MUST_CHECK bool added_split(Encoder *encoder, const Trie *trie, const Aligned *text,
                               size_t begin, size_t end, Error *err);
const AddedToken *added_find_id(const AddedTokens *added, int32_t id);
const AddedToken *added_find_name(const AddedTokens *added, const char *name, size_t n);

/* ---- the tokenizer ---- */

struct Tokenizer {
    Arena arena; /* everything below */
    const char *kind_name;
    const ModelKind *model; /* NULL = plain words */
    Vocab vocab;
    Merges merges;      /* of BPE */
    Unigram unigram;    /* of Unigram */
    PieceTrie user;     /* SentencePiece's user-defined pieces, which are never cut */
    const bool *unused; /* [vocab.n_ids] SentencePiece's BPE: pieces that only lead to others; NULL
                           = none */
    Tokenizer *target;  /* of an encoder-decoder's target; owned; NULL = this one */
    AddedTokens added;
    Component *normalizer;
    Component *pre_tokenizer;
    Component *post_processor;
    Component *decoder;
    ARRAY_OF(Regex *) regexes;      /* owned */
    int32_t special[SPECIAL_COUNT]; /* -1 = none */
    int32_t n_vocab;
    struct {
        int32_t unk_id;        /* -1 = none */
        const char *prefix;    /* of pieces inside a word; "" = none */
        const char *suffix;    /* BPE: of a word's last piece; "" = none */
        uint32_t longest_word; /* WordPiece: characters; longer ones are unknown */
        bool fuse_unk;         /* BPE: neighbours that are unknown are one token */
        bool byte_fallback;    /* BPE, Unigram: unknown characters become <0xNN> */
        bool ignore_merges;    /* BPE: a word that is a token is that token */
        int32_t byte_ids[256]; /* <0xNN>; -1 = none */
        uint32_t n_own;        /* Marian: ids from here on are pieces that the vocabulary lacks; 0 =
                                  there are none */
        bool has_codes;        /* Marian: a text may begin with a code such as >>fra<< */
    } settings;
    struct {
        const char *source; /* of the chat template; NULL = none */
        size_t n_source;
        const char *tokens[SPECIAL_COUNT]; /* what the file says special tokens are; NULL = none */
    } chat;
    bool shows_bytes;  /* byte-level pieces */
    bool shows_spaces; /* U+2581 stands for a space */
};

/** chat.c: keeps a copy of a chat template, or of that of a tokenizer_config.json (maybe none). */
AS_MUST_CHECK bool chat_take_template(Tokenizer *tokenizer, const char *source, size_t n,
                                      Error *err);
AS_MUST_CHECK bool chat_read_config(Tokenizer *tokenizer, const cJSON *config, Error *err);

/** words.c: the plain word splitter behind tokenizer_encode. */
AS_MUST_CHECK bool words_encode(const Tokenizer *tokenizer, const char *text, size_t n,
                                const TokenizeOptions *options, PlacedTokens *out, Error *err);

AS_MUST_CHECK Tokenizer *tokenizer_create(Error *err);
/** Last step of every way to open one. */
AS_MUST_CHECK bool tokenizer_finish(Tokenizer *tokenizer, Error *err);
/** Special ids by the names that tokenizer_config.json gives; its chat template. */
AS_MUST_CHECK bool tokenizer_read_config(Tokenizer *tokenizer, const cJSON *config, Error *err);
/** Reads tokenizer.json from its parsed form. */
AS_MUST_CHECK bool tokenizer_read_json(Reader *reader, const cJSON *json, Error *err);
/** read_json.c: vocab.txt; config may be NULL. */
AS_MUST_CHECK bool tokenizer_read_vocab_txt(Reader *reader, const char *text, size_t n,
                                            const cJSON *config, Error *err);
/** read_gguf.c: the tokenizer.ggml.* keys. */
AS_MUST_CHECK bool tokenizer_read_gguf(Reader *reader, const TensorFile *file, Error *err);

/** What BERT's WordPiece needs besides its vocabulary. */
typedef struct WordPieceDesc {
    bool lowercase, strip_accents, keeps_cjk_together;
    const char *names[SPECIAL_COUNT]; /* of special tokens; NULL = BERT's */
} WordPieceDesc;
/** read_json.c: all components around a WordPiece vocabulary that is there already. */
AS_MUST_CHECK bool wordpiece_assemble(Reader *reader, const WordPieceDesc *desc, Error *err);
