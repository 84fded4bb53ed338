#pragma once
/*
 * Models: what a MODEL argument names, what it is, and one forward pass with taps.
 *
 * USE
 *   1. model_open: finds the files, reads config and headers, binds tensors to roles. Weights stay
 *      where they are (mapped); nothing is expanded yet.
 *   2. model_info: sizes, family, where its tokenizer is.
 *   3. model_forward: runs token ids through all layers. What happens inside is seen, kept and
 *      changed through a TapTable; the function itself returns nothing but success.
 *
 * An architecture is data (arch.h): forward.c alone computes. Axis letters: L layers, H query
 * heads, G key/value heads, N tokens, D head width, C model width, V vocabulary.
 */
#include "attention/attention.h"
#include "base/arena.h"
#include "base/jobs.h"
#include "base/log.h"

struct TensorFile; /* formats/tensor_file.h */

/** A model. Unchanging after model_open: any number of threads may run and read it. */
typedef struct Model Model;

/* ---------------------------------------------------------------- opening */

/** How much of a model the caller needs. Everything that is needed is checked by model_open. */
typedef enum ModelNeed {
    MODEL_NEED_WEIGHTS,   /* all: config, headers, every tensor present with the right shape */
    MODEL_NEED_INFO,      /* config and headers; n_params and dtypes are 0 / "" without weights */
    MODEL_NEED_TOKENIZER, /* only where the tokenizer is; config.json and weights may be missing */
} ModelNeed;

typedef struct ModelDesc {
    const char *spec; /* MODEL of the command line; NULL or "" = "tiny" */
    ModelNeed need;
    const Log *log; /* warnings (tensors that play no role); NULL = silent */
} ModelDesc;

/**
 * Opens what `spec` names, in this order:
 *   tiny                      the embedded model
 *   random:KEYS  hash:KEYS    made-up weights (Xavier; by hash of name and index). KEYS, all
 *                             optional: L=4,H=8,G=H,d=64,f=4d,V=4096,n=8192,seed=1,arch=llama|gpt2;
 *                             d is the model width C, f the width of the MLP, n the positions
 *   synthetic:KEYS            the same with queries and keys made to a pattern (model/synthetic.h):
 *                             pattern=evolving|local|…, or its name alone; d=256
 *   a file FILE.gguf
 *   a folder with config.json (Hugging Face form: model.safetensors, or sharded with its index)
 *   a folder that holds one .gguf file
 *   ORG/NAME or NAME          in the local Hugging Face cache (HF_HUB_CACHE, HF_HOME, or
 *                             ~/.cache/huggingface), newest snapshot
 *   NAME                      of a GGUF file of Ollama, LM Studio, llama.cpp or GPT4All, as they
 *                             call it (runners.h)
 *
 * desc     borrowed for the call
 * Errors   ERR_IO missing, or no model of that name (lists what would do); ERR_FORMAT files that
 *          lie; ERR_UNSUPPORTED unknown architecture (named, with the known ones), or only a
 *          PyTorch pickle (it can run code when opened; says how to convert); ERR_MEMORY
 * Threads  any
 * Returns  owned; model_close
 */
AS_MUST_CHECK Model *model_open(const ModelDesc *desc, Error *err);
/** Frees *model and nulls it; NULL is fine. No forward pass may be running. */
void model_close(Model **model);

/* ---------------------------------------------------------------- what it is */

typedef enum ModelStackKind {
    MODEL_STACK_DECODER, /* causal self-attention */
    MODEL_STACK_ENCODER, /* self-attention in both directions */
    MODEL_STACK_CROSS,   /* decoder queries, encoder keys */
} ModelStackKind;

enum { MODEL_MAX_STACKS = 3 };

/** One stack of layers whose heads are drawn together. Of encoder-decoders: encoder, decoder, cross
 *  attention, in this order. */
typedef struct ModelStack {
    ModelStackKind kind;
    const char *name;   /* "decoder", "encoder", "cross"; static */
    int32_t n_layers;   /* L */
    int32_t n_heads;    /* H */
    int32_t n_kv_heads; /* G, divides H */
    int32_t head_width; /* D of q, k and v */
} ModelStack;

/** Where the tokenizer of a model is. Strings and the file are borrowed until model_close. */
typedef enum ModelTokenizerKind {
    MODEL_TOKENIZER_NONE,     /* only --ids will do */
    MODEL_TOKENIZER_FOLDER,   /* path: a folder with tokenizer.json or vocab.txt */
    MODEL_TOKENIZER_EMBEDDED, /* path: prefix for base/embedded.h, such as "models/tiny/" */
    MODEL_TOKENIZER_GGUF,     /* path: the .gguf; file: the same, open */
    MODEL_TOKENIZER_WORDS,    /* made-up models: words by spaces, any word has an id below V */
} ModelTokenizerKind;

typedef struct ModelTokenizerSource {
    ModelTokenizerKind kind;
    const char *path;
    const struct TensorFile *file; /* GGUF only */
} ModelTokenizerSource;

/** The pictures that a vision model reads. Zero: it reads texts. */
typedef struct ModelImage {
    int32_t side;       /* pixels, square */
    int32_t patch_side; /* pixels of a patch, which is a token */
    int32_t n_special;  /* tokens before the patches ([CLS]) */
    int32_t n_tokens;   /* of a picture */
} ModelImage;

/** What a model is. Everything is borrowed until model_close. */
typedef struct ModelInfo {
    const char *name;         /* folder, file or spec, short: "smollm2", "tiny", "random:L=4" */
    const char *path;         /* folder or file; "" for embedded and made-up models */
    const char *architecture; /* row of the table: "bert", "llama", … */
    const char *model_type;   /* what the files call themselves: "bert", "mistral", … */
    const char *family;       /* for people: "LLaMA family decoder" */
    ModelStack stacks[MODEL_MAX_STACKS];
    int32_t n_stacks;
    int32_t width;          /* C */
    int32_t vocabulary;     /* V */
    int32_t n_token_types;  /* rows of the token type table; 0 = type_ids have no meaning */
    int32_t max_positions;  /* 0 = not stated */
    bool positions_limited; /* a learned position table: longer texts are ERR_RANGE. Otherwise
                               they go on with a warning */
    bool synthetic;         /* its attention patterns are made up: model_head_made */
    bool has_logits;        /* TAP_LOGITS can be asked for */
    int32_t start_token;    /* encoder-decoders: what every target begins with; -1 = no such */
    int32_t end_token;      /* ... and what ends it; -1 = not known */
    ModelImage image;       /* vision models */
    uint64_t n_params;      /* weights in the files, each tensor once */
    uint64_t file_bytes;    /* the tensors take in the files */
    const char *dtype;      /* of most weights: "F32", "F16", "Q4_1"; "" unknown */
    ModelTokenizerSource tokenizer;
} ModelInfo;

const ModelInfo *model_info(const Model *model);

/** What a head of a synthetic model was made to do, "local: reads the tokens just before it", in
 *  out; "" where the model is none. Returns out. Any thread. */
const char *model_head_made(const Model *model, int32_t layer, int32_t head, char out[96]);

/** What a class of a vision model is called, by the model's own files; NULL where they do not say.
 *  Borrowed until model_close. Any thread. */
const char *model_class_name(const Model *model, int32_t class_id);

/** Names of the architectures that can be opened, "bert, llama, …", static. For messages. */
const char *model_known_architectures(void);

/* ---------------------------------------------------------------- taps */

/*
 * name, when it fires and what data is then.
 * [rows, width] data has n_heads = 1. "May change" sites: the pass goes on with what the tap left.
 */
#define MODEL_TAP_SITES(X)                                                                         \
    X(EMBEDDING, "[N, C] what enters the first layer (stack's layer 0); may change")               \
    X(LAYER_INPUT, "[N, C] the residual stream before a layer; may change")                        \
    X(QUERY, "[H, N, D] after q norm and rotary, as the attention core gets it; may change")       \
    X(KEY, "[G, N, D] after k norm and rotary; may change")                                        \
    X(VALUE, "[G, N, D]; may change")                                                              \
    X(HEAD_OUTPUT, "[H, N, D] o of the pass, before W_O; may change. The pass has ended: what the" \
                   " attention callback asked for is complete")                                    \
    X(ATTENTION_OUTPUT, "[N, C] after W_O and its bias, before the residual, in row blocks")       \
    X(LAYER_OUTPUT, "[N, C] the residual stream after a layer; may change")                        \
    X(FINAL_HIDDEN, "[N, C] after the final norm (post-norm models: the last layer's output)")     \
    X(LOGITS, "[rows, V] in row blocks")

typedef enum TapSite {
#define MODEL_TAP_ENUM(name, text) TAP_##name,
    MODEL_TAP_SITES(MODEL_TAP_ENUM)
#undef MODEL_TAP_ENUM
        TAP_COUNT
} TapSite;

#define TAP_BIT(site) (1u << (site))

/** Which attention of the model: index into ModelInfo.stacks and layer within it. */
typedef struct TapPlace {
    int32_t stack;
    int32_t layer; /* -1 for FINAL_HIDDEN and LOGITS */
} TapPlace;

/** One firing. data[head * head_stride + (row - row0) * row_stride + i], i < width. */
typedef struct TapEvent {
    TapSite site;
    TapPlace place;
    float *data;          /* borrowed until the callback returns */
    int32_t n_heads;      /* 1 where data has no heads */
    int32_t row0, n_rows; /* tokens; whole unless the site says "in row blocks" */
    int32_t width;
    ptrdiff_t head_stride, row_stride; /* elements */
} TapEvent;

/**
 * Where q, k and v of a layer go. NULL fields stay in scratch of the pass and are overwritten by
 * the next layer. Packed [heads, N, D], 4-byte aligned (64 is faster), owned by the caller,
 * written before QUERY, KEY and VALUE fire and only read afterwards.
 */
typedef struct TapBuffers {
    float *q; /* [H, N, D] */
    float *k; /* [G, N, D] */
    float *v; /* [G, N, D] */
} TapBuffers;

/**
 * Observers of a pass; zero is none. Callbacks run on the thread that called model_forward, in the
 * order of the computation. Returning false (with *err filled) stops the pass with that error.
 *
 * place      before a layer's q, k and v are computed; n_tokens = queries
 * attention  before the attention pass of a layer. args: complete, operands included; keep a copy
 *            (without key_mask) to compute tiles later. out: zeroed but for o and its strides,
 *            which are the model's; set whatever else the same pass shall write. row_max and
 *            row_log_sum left NULL go to scratch. args->bias, where there is one, is the same in
 *            all layers of a stack and depends on head and key - query alone.
 * fire       at the sites of `sites`
 */
typedef struct TapTable {
    uint32_t sites; /* TAP_BIT of each wanted site */
    bool (*place)(void *payload, TapPlace place, int32_t n_tokens, TapBuffers *buffers, Error *err);
    bool (*attention)(void *payload, TapPlace place, const AttnArgs *args, AttnOutputs *out,
                      Error *err);
    bool (*fire)(void *payload, const TapEvent *event, Error *err);
    void *payload;
} TapTable;

/* ---------------------------------------------------------------- the forward pass */

typedef enum ModelMask {
    MODEL_MASK_AUTO,   /* what the architecture says */
    MODEL_MASK_CAUSAL, /* causal everywhere (windows of the architecture stay) */
    MODEL_MASK_NONE,   /* every token sees every token; windows are lifted too */
} ModelMask;

typedef struct ModelHead {
    int32_t stack, layer, head; /* head is the query head */
} ModelHead;

/**
 * What-if of a run. Zero changes nothing.
 *
 * propagate false ("local"): the network runs unchanged, and each layer's recorded attention (the
 * one with taps) is computed a second time with the change. propagate true: later layers see what
 * the change did. An ablated head's output (HEAD_OUTPUT) is 0; its weights are still recorded.
 */
typedef struct ModelWhatIf {
    float temperature; /* scores are divided by it; 0 = 1 */
    bool unscaled;     /* q.k is not divided by sqrt(d_k) */
    ModelMask mask;
    const ModelHead *ablated; /* [n_ablated], borrowed for the call */
    int32_t n_ablated;
    bool propagate;
} ModelWhatIf;

/** Which rows of logits TAP_LOGITS gives. */
typedef enum ModelLogits { MODEL_LOGITS_LAST, MODEL_LOGITS_ALL } ModelLogits;

/** Zero is a plain run. */
typedef struct ForwardOptions {
    const AttnCtx *attention; /* threads and instruction set, for everything; borrowed; NULL = one
                                 of its own with all defaults */
    ModelWhatIf what_if;
    ModelLogits logits;  /* with TAP_LOGITS */
    int32_t n_layers;    /* stop after this many layers of the stack; 0 = all (then no
                            FINAL_HIDDEN, LOGITS when fewer than L); not of encoder-decoders */
    bool ends_at_heads;  /* stop after the heads of the last layer: what follows is computed for
                            nobody; no ATTENTION_OUTPUT or LAYER_OUTPUT there, no FINAL_HIDDEN, no
                            LOGITS. An encoder whose decoder follows is finished all the same */
    JobControl *control; /* progress (units: 1000 a layer) and cancel; NULL = none */
    const Log *log;      /* warnings (positions beyond what was trained); NULL = silent */
} ForwardOptions;

/** Tokens of one text (or of a pair, joined, told apart by type_ids). Borrowed for the call. */
typedef struct ModelInput {
    const int32_t *ids;      /* [n_tokens] */
    const int32_t *type_ids; /* [n_tokens] or NULL = all 0 */
    int32_t n_tokens;        /* N, at least 1 */
    /* Encoder-decoders: what the decoder reads, its start token first. Without one only the encoder
     * runs. */
    const int32_t *target_ids; /* [n_target] */
    int32_t n_target;
    /* Vision models, in place of ids: [3, side, side] of ModelInfo.image, normalised. */
    const float *pixels;
} ModelInput;

/**
 * Runs the tokens through the model in float32.
 *
 * Heads are given to taps in Hugging Face dimension order (GGUF's permutation of LLaMA's q and k
 * is undone), after rotary positions. Scratch is model_forward_bytes; no N x N anywhere.
 *
 * taps     may be NULL (useful for timing only)
 * Errors   ERR_RANGE no tokens, an id outside 0..V-1, more tokens than a learned position table
 *          has (says the limit and how to take a part), a layer or head to ablate that is not
 *          there; ERR_UNSUPPORTED logits of a model without a prediction head; ERR_FORMAT weights
 *          that cannot be read; ERR_MEMORY; ERR_CANCELLED; what a tap raised
 * Threads  any; uses the threads of options->attention; same bits for any number of them
 * Test     tests/unit/model/test_forward.c, tests/golden
 */
AS_MUST_CHECK bool model_forward(const Model *model, const ModelInput *input,
                                 const ForwardOptions *options, const TapTable *taps, Error *err);

/**
 * The attention of a layer as model_forward computes it, before any run: every field of *args but
 * the operands' pointers and strides and the bias (scale with temperature, caps, mask with window,
 * heads). False when there is no such place. Any thread.
 */
AS_MUST_CHECK bool model_attention_args(const Model *model, TapPlace place, int32_t n_queries,
                                        int32_t n_keys, const ModelWhatIf *what_if, AttnArgs *args);

/**
 * Logits from the residual stream after the last layer (what LAYER_OUTPUT gave there): final norm
 * and prediction head. Rows are independent.
 *
 * hidden   [n_rows, C], packed          out   [n_rows, V], packed, must not overlap
 * Errors   ERR_UNSUPPORTED no prediction head; ERR_MEMORY
 * Threads  any; uses n_threads, 0 = all of OpenMP's
 */
AS_MUST_CHECK bool model_logits(const Model *model, const float *hidden, int32_t n_rows, float *out,
                                int n_threads, Error *err);

/**
 * What a model writes by itself, the likeliest token each time: an encoder-decoder for a source
 * (its start token comes first, then the one its config forces, never the one it bars, and the one
 * that ends a text is left out), a decoder alone after a text (no token ends it).
 *
 * source   ids, n_tokens            attention  NULL = a context of its own
 * control  cancel; may be NULL      target     [n_most] out
 * *n       how many                 *ended     the model ended it; else n_most (or
 *                                              model_generate_most) did
 * Errors   ERR_UNSUPPORTED an encoder, or no prediction head; ERR_RANGE no positions left; those of
 *          model_forward
 * Cost     the source once, then one row a token; 8 bytes a dimension of keys and values of every
 *          layer for each of n_most tokens and those of the source
 * Threads  any
 */
AS_MUST_CHECK bool model_generate(const Model *model, const ModelInput *source,
                                  const AttnCtx *attention, JobControl *control, int32_t *target,
                                  int32_t n_most, int32_t *n, bool *ended, Error *err);

/** The most tokens that model_generate can write for a source of n_tokens: as many as there are
 *  learned positions for. Any thread. */
int32_t model_generate_most(const Model *model, int32_t n_tokens);

/**
 * Checks what model_forward would check of the input before it starts; for a clear line before any
 * memory is laid out. Errors as there. Any thread.
 */
AS_MUST_CHECK bool model_check_input(const Model *model, const ModelInput *input, const Log *log,
                                     Error *err);

/**
 * Upper bound of the working memory of model_forward for an input of these lengths (nothing else of
 * it is read), in bytes, without what the attention callback asks for (attn_scratch_bytes).
 * `placed`: taps->place gives all of q, k, v. UINT64_MAX when it does not fit. Any thread.
 */
uint64_t model_forward_bytes(const Model *model, const ModelInput *input,
                             const ForwardOptions *options, bool placed);

/* ---------------------------------------------------------------- what is there */

/** One model found on this machine. Strings are owned by the arena given to model_list_local. */
typedef struct ModelListing {
    const char *spec;  /* what --model takes */
    const char *where; /* "embedded", "models/cache", "Hugging Face cache" */
    const char *path;  /* "" for embedded */
} ModelListing;

/**
 * Models installed here: embedded ones, those under `cache_folder` (models/cache; may be NULL) and
 * in the Hugging Face cache, and GGUF files of Ollama, LM Studio, llama.cpp and GPT4All. Headers
 * are not read; model_open tells more. *listings is owned by the arena. Any thread.
 */
AS_MUST_CHECK bool model_list_local(Arena *arena, const char *cache_folder, ModelListing **listings,
                                    size_t *n_listings, Error *err);
