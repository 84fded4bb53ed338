#pragma once
/*
 * An architecture is data: the names it answers to, how its config is read, which tensor plays
 * which role, and what a layer does. forward.c computes what this file can say; a new architecture
 * is a file arch_NAME.c with one Arch and a row in arch_list.h.
 *
 * A layer, from top to bottom; every step whose role has no tensor is left out:
 *
 *   h = ATTENTION_NORM(x)                         pre-norm
 *   q, k, v = Q(h), K(h), V(h); Q_NORM, K_NORM on each head; positions
 *   a = O(attention(q, k, v))
 *   a = ATTENTION_OUT_NORM(a)                     Gemma
 *   x = ATTENTION_ADD_NORM(x + a)                 post-norm (BERT)
 *   h = CROSS_NORM(x)                             decoders that read an encoder's states s
 *   x = CROSS_ADD_NORM(x + CROSS_O(attention(CROSS_Q(h), CROSS_K(s), CROSS_V(s))))
 *   h = MLP_NORM(x)                               pre-norm; of the layer's input if `parallel`
 *   m = DOWN(act(GATE(h)) * UP(h))                or DOWN(act(UP(h)))
 *   m = MLP_OUT_NORM(m)                           Gemma
 *   x = MLP_ADD_NORM(x + m)                       post-norm
 *
 * Before the layers x = EMBEDDING_NORM(PROJECT_IN(tokens * scale) + positions + types), after them
 * FINAL_NORM, and logits = HEAD(HEAD_NORM(act(HEAD_DENSE(PROJECT_OUT(x * scale))))), HEAD falling
 * back on the token embeddings. Vision models have CLASS and PATCHES(pixels) in place of tokens.
 *
 * An encoder-decoder is two of these: the Arch of its decoder, which names that of its encoder.
 */
#include "base/base.h"
#include "compute/activation.h"
#include "compute/norm.h"
#include "compute/rotary.h"
#include "model/model.h"

/* name, per layer, kind: M matrix [rows, columns], V vector [columns] */
#define ARCH_ROLES(X)                                                                              \
    X(TOKENS, false, 'M')                                                                          \
    X(POSITIONS, false, 'M')                                                                       \
    X(TYPES, false, 'M')                                                                           \
    X(CLASS, false, 'V')                                                                           \
    X(PATCHES, false, 'M')                                                                         \
    X(PROJECT_IN, false, 'M')                                                                      \
    X(DISTANCE_BIAS, false, 'M')                                                                   \
    X(EMBEDDING_NORM, false, 'V')                                                                  \
    X(FINAL_NORM, false, 'V')                                                                      \
    X(PROJECT_OUT, false, 'M')                                                                     \
    X(HEAD_DENSE, false, 'M')                                                                      \
    X(HEAD_NORM, false, 'V')                                                                       \
    X(HEAD, false, 'M')                                                                            \
    X(HEAD_BIAS, false, 'V')                                                                       \
    X(ROTARY_DIVISORS, false, 'V')                                                                 \
    X(ROTARY_DIVISORS_LONG, false, 'V')                                                            \
    X(ATTENTION_NORM, true, 'V')                                                                   \
    X(Q, true, 'M')                                                                                \
    X(K, true, 'M')                                                                                \
    X(V, true, 'M')                                                                                \
    X(Q_NORM, true, 'V')                                                                           \
    X(K_NORM, true, 'V')                                                                           \
    X(O, true, 'M')                                                                                \
    X(ATTENTION_OUT_NORM, true, 'V')                                                               \
    X(ATTENTION_ADD_NORM, true, 'V')                                                               \
    X(CROSS_NORM, true, 'V')                                                                       \
    X(CROSS_Q, true, 'M')                                                                          \
    X(CROSS_K, true, 'M')                                                                          \
    X(CROSS_V, true, 'M')                                                                          \
    X(CROSS_O, true, 'M')                                                                          \
    X(CROSS_ADD_NORM, true, 'V')                                                                   \
    X(MLP_NORM, true, 'V')                                                                         \
    X(GATE, true, 'M')                                                                             \
    X(UP, true, 'M')                                                                               \
    X(DOWN, true, 'M')                                                                             \
    X(MLP_OUT_NORM, true, 'V')                                                                     \
    X(MLP_ADD_NORM, true, 'V')

typedef enum ArchRole {
#define ARCH_ROLE_ENUM(name, per_layer, kind) ROLE_##name,
    ARCH_ROLES(ARCH_ROLE_ENUM)
#undef ARCH_ROLE_ENUM
        ROLE_COUNT,
    ROLE_FIRST_OF_LAYER = ROLE_ATTENTION_NORM
} ArchRole;

/** "Q", "ATTENTION_NORM"; static. */
const char *arch_role_name(ArchRole role);

typedef enum ArchPositions {
    ARCH_POSITIONS_NONE,
    ARCH_POSITIONS_LEARNED,  /* a table: its rows limit the text */
    ARCH_POSITIONS_SINUSOID, /* sines, then cosines (Vaswani et al. 2017, arXiv:1706.03762) */
    ARCH_POSITIONS_ROTARY,
    ARCH_POSITIONS_DISTANCE, /* a term of the scores by distance: DISTANCE_BIAS (T5) */
} ArchPositions;

/* ---------------------------------------------------------------- sizes and numbers */

/** Everything that differs between two models of one architecture. Zero is "not set". */
typedef struct ArchConfig {
    int64_t n_layers, n_heads, n_kv_heads, head_width; /* L, H, G, D */
    int64_t width, mlp_width, vocabulary;              /* C, F, V */
    int64_t n_types;                                   /* rows of the token type table */
    int64_t embedding_width;                           /* columns of the token table; 0 = C */
    int64_t distance_buckets;                          /* rows of DISTANCE_BIAS */
    int64_t furthest_distance;                  /* from here on all distances share one of them */
    int64_t image_side, patch_side, n_channels; /* pixels; of vision models */
    int64_t start_token;                        /* a decoder's first token */
    int64_t end_token;                          /* ends what is generated; -1 = not known */
    int64_t forced_first; /* the first token generated after the start; -1 = any */
    int64_t barred_token; /* never generated; -1 = none */
    int64_t max_positions;
    int64_t position_offset; /* rows of the position table before position 0 (RoBERTa, OPT: 2) */
    int64_t window;          /* keys a query of a local layer sees; 0 = all layers are global */
    int64_t window_pattern;  /* every n-th layer is global; 0 = none is, 1 = all are */
    uint64_t
        global_layers[8];  /* bit per layer, instead of the pattern, where the file lists them */
    bool layers_listed;    /* global_layers counts */
    bool window_symmetric; /* both sides (encoders) */
    bool pads_unplaced;    /* tokens with id position_offset - 1 take that row of the position table
                              and are not counted (RoBERTa's padding) */
    bool parallel;         /* attention and MLP read the same input */
    bool norm_after;       /* rows marked ARCH_NORM_AFTER count, those ARCH_NORM_BEFORE do not */

    Activation activation;
    Activation head_activation; /* after HEAD_DENSE */
    double norm_eps;
    double score_scale;     /* 0 = 1 / sqrt(D) */
    double score_cap;       /* soft cap of scores; 0 = none */
    double logit_cap;       /* soft cap of logits; 0 = none */
    double embedding_scale; /* 0 = 1 */
    double head_scale;      /* of the last states, before the head; 0 = 1 */
    double rotary_fraction; /* part of D that turns; 0 = all */
    RotaryDesc rotary;      /* width is derived; theta */
    /* [W / 2] each frequency is divided by it, in texts of up to rotary.original_positions and in
     * longer ones (longrope) */
    float rotary_short[ATTN_MAX_DIM / 2], rotary_long[ATTN_MAX_DIM / 2];
    bool rotary_listed;        /* they count */
    double rotary_local_theta; /* of layers with a window; 0 = as global ones, with their scaling */
    bool tied;                 /* without a HEAD of its own, HEAD is TOKENS */
} ArchConfig;

typedef enum ArchFieldKind {
    ARCH_FIELD_INT,        /* int64_t */
    ARCH_FIELD_REAL,       /* double */
    ARCH_FIELD_ACTIVATION, /* Activation, by name; config.json only */
    ARCH_FIELD_BOOL,       /* bool */
} ArchFieldKind;

/** One number of a config: where it goes and what files call it. */
typedef struct ArchField {
    size_t offset; /* in ArchConfig */
    ArchFieldKind kind;
    const char *hf;   /* keys of config.json, "|" between; "a.b" is b inside a; NULL = none */
    const char *gguf; /* key without the architecture prefix, "block_count"; NULL = none */
    bool required;
    double lo, hi;   /* allowed range */
    double fallback; /* when absent and not required */
} ArchField;

#define ARCH_INT(field, hf, gguf, required, lo, hi, fallback)                                      \
    {                                                                                              \
        offsetof(ArchConfig, field), ARCH_FIELD_INT, hf, gguf, required, lo, hi, fallback          \
    }
#define ARCH_REAL(field, hf, gguf, required, lo, hi, fallback)                                     \
    {                                                                                              \
        offsetof(ArchConfig, field), ARCH_FIELD_REAL, hf, gguf, required, lo, hi, fallback         \
    }

#define ARCH_ACTIVATION(hf)                                                                        \
    {                                                                                              \
        offsetof(ArchConfig, activation), ARCH_FIELD_ACTIVATION, hf, NULL, false, 0, 0, 0          \
    }
#define ARCH_HEAD_ACTIVATION(hf)                                                                   \
    {                                                                                              \
        offsetof(ArchConfig, head_activation), ARCH_FIELD_ACTIVATION, hf, NULL, false, 0, 0, 0     \
    }
#define ARCH_BOOL(field, hf, fallback)                                                             \
    {                                                                                              \
        offsetof(ArchConfig, field), ARCH_FIELD_BOOL, hf, NULL, false, 0, 1, fallback              \
    }
#define ARCH_FIELDS_END                                                                            \
    {                                                                                              \
        0, ARCH_FIELD_INT, NULL, NULL, false, 0, 0, 0                                              \
    }

/* The sizes by the names that most families give them. */
#define ARCH_USUAL_SIZES                                                                           \
    ARCH_INT(n_layers, "num_hidden_layers", "block_count", true, 1, ARCH_MAX_LAYERS, 0),           \
        ARCH_INT(width, "hidden_size", "embedding_length", true, 1, ARCH_MAX_SIZE, 0),             \
        ARCH_INT(n_heads, "num_attention_heads", "attention.head_count", true, 1, ARCH_MAX_SIZE,   \
                 0),                                                                               \
        ARCH_INT(mlp_width, "intermediate_size", "feed_forward_length", true, 1, ARCH_MAX_SIZE,    \
                 0),                                                                               \
        ARCH_INT(vocabulary, "vocab_size", "vocab_size", false, 1, ARCH_MAX_SIZE, 0)

/* Ends of ranges: sizes that fit int32_t with room for products of two in int64_t. */
#define ARCH_MAX_SIZE 16777216.0
enum { ARCH_MAX_LAYERS = 512 };

/* ---------------------------------------------------------------- tensors */

/** How a tensor plays a role. */
enum {
    ARCH_OPTIONAL = 1,       /* absent is fine */
    ARCH_IN_OUT_HF = 2,      /* safetensors have [in, out], the transpose of PyTorch's Linear */
    ARCH_NO_SUFFIX = 4,      /* the name is complete: no ".weight" is added, no bias looked for */
    ARCH_NO_PREFIX = 8,      /* of safetensors: outside the base model, so after no prefix */
    ARCH_QKV_ROWS = 16,      /* one tensor holds q, then k, then v: take this role's rows */
    ARCH_QKV_PER_HEAD = 32,  /* ... or q, k and v of head 0, then of head 1, and on (GPT-NeoX) */
    ARCH_PAIR_ROWS = 64,     /* one tensor holds GATE, then UP: take this role's half */
    ARCH_NOT_IN_FIRST = 128, /* the first layer has none (ModernBERT) */
    ARCH_NORM_BEFORE = 256,  /* only where config.norm_after is false (OPT) */
    ARCH_NORM_AFTER = 512,   /* only where it is true */
};

/**
 * One name under which a role is found. Several rows for a role are tried in order. %d stands for
 * the layer; ".weight" and ".bias" (or gamma and beta, as old BERT files have) are added.
 */
typedef struct ArchTensor {
    ArchRole role;
    uint32_t flags;
    const char *hf;   /* in safetensors, after one of the prefixes; NULL = not there */
    const char *gguf; /* in GGUF; NULL = not there */
} ArchTensor;

/* ---------------------------------------------------------------- the architecture */

#define ARCH_TENSORS_END                                                                           \
    {                                                                                              \
        ROLE_COUNT, 0, NULL, NULL                                                                  \
    }

/** What files of one kind do differently from the description. */
typedef struct ArchFileHabits {
    bool heads_interleaved; /* rows of Q and K keep rotary pairs together (GGUF's LLaMA) */
    float norm_offset;      /* added to norm weights (Gemma's safetensors: 1) */
} ArchFileHabits;

typedef struct ArchSource ArchSource; /* arch_config.h: what config fields are read from */

typedef struct Arch Arch;
struct Arch {
    const char *id;          /* "llama" */
    const char *family;      /* "LLaMA family decoder" */
    const char *model_types; /* model_type of config.json, "|" between */
    const char *gguf_names;  /* general.architecture, "|" between; "" = not in GGUF */
    ModelStackKind stack;
    ArchPositions positions;
    NormKind norm;
    bool head_needs_dense;       /* no logits without HEAD_DENSE (BERT) */
    Activation activation;       /* where the config does not say */
    const ArchField *fields;     /* ended by a row without names */
    const ArchTensor *tensors;   /* ended by a NULL, NULL row */
    const char *const *prefixes; /* of safetensors names, ended by NULL; tried in order */
    ArchFileHabits safetensors, gguf;
    const Arch *encoder; /* of encoder-decoders, whose decoder this is; else NULL */
    const char *alone;   /* such an encoder can be a model by itself: what "architectures" in its
                            config.json ends with; NULL = it cannot */
    /** What fields cannot say (scaling of rotary positions, lists of layers); may be NULL. Runs
     *  after the fields. */
    bool (*finish)(const ArchSource *source, ArchConfig *config, Error *err);
};

/** NULL when there is none. */
const Arch *arch_by_model_type(const char *model_type);
const Arch *arch_by_gguf_name(const char *name, size_t n);
const Arch *arch_by_id(const char *id);
/** Is `name` one of "a|b|c"? */
bool arch_name_in(const char *names, const char *name, size_t n);

/** Shape a role has under this config; rows is 1 for vectors. */
void arch_role_shape(const ArchConfig *config, ArchRole role, int64_t *rows, int64_t *columns);
bool arch_role_is_vector(ArchRole role);
/** Does layer see all keys (no window)? */
bool arch_layer_is_global(const ArchConfig *config, int32_t layer);
