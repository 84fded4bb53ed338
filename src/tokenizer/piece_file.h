#pragma once
/*
 * SentencePiece's model files (spiece.model, tokenizer.model, source.spm …): a protocol buffer that
 * holds the pieces, their scores and how a text is prepared.
 * Source: github.com/google/sentencepiece src/sentencepiece_model.proto;
 * protobuf.dev/programming-guides/encoding.
 */
#include "formats/tensor_file.h"

/* ModelProto.SentencePiece.Type and, in the same numbers, GGUF's tokenizer.ggml.token_type. */
typedef enum PieceType {
    PIECE_NORMAL = 1,
    PIECE_UNKNOWN = 2,
    PIECE_CONTROL = 3,
    PIECE_USER_DEFINED = 4,
    PIECE_UNUSED = 5,
    PIECE_BYTE = 6
} PieceType;

/* TrainerSpec.ModelType. */
typedef enum PieceModel {
    PIECE_MODEL_UNIGRAM = 1,
    PIECE_MODEL_BPE = 2,
    PIECE_MODEL_WORD = 3,
    PIECE_MODEL_CHAR = 4
} PieceModel;

typedef struct FilePiece {
    TextView name; /* valid UTF-8, not empty, unlike every other */
    float score;   /* finite */
    PieceType type;
} FilePiece;

/** Views are borrowed from the bytes that were read. */
typedef struct PieceFile {
    FilePiece *pieces; /* [n] the arena's */
    size_t n;          /* at least 1 */
    size_t unknown;    /* index of the one piece of type PIECE_UNKNOWN */
    PieceModel model;
    bool adds_space;     /* one more before the text, or behind it where spaces are suffixes */
    bool trims_spaces;   /* none at the ends, and one for several */
    bool escapes_spaces; /* U+2581 stands for a space */
    bool spaces_are_suffixes;
    bool byte_fallback; /* <0x00> to <0xFF> are all there */
    TextView bos;       /* names of special pieces, maybe none of the pieces */
    TextView eos;
    TextView pad;
    TextView charsmap; /* see charsmap.h; n = 0 = no rules */
} PieceFile;

/** Do the bytes begin like a model file? (A file of Git LFS, a web page and JSON do not.) */
bool piece_file_is(const uint8_t *bytes, size_t n);
/** Reads a model file of n bytes, every one of which may be wrong on purpose. `name` is for
 *  messages. ERR_FORMAT says at which byte, or which piece; ERR_UNSUPPORTED a kind of model that is
 *  not known. Any thread. */
AS_MUST_CHECK bool piece_file_read(PieceFile *file, Arena *arena, const uint8_t *bytes, size_t n,
                                   const char *name, Error *err);
