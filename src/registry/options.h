#pragma once
/*
 * Options of the command line, declared once: name, type and domain, default, help, and which
 * commands take it. The parser, `--help` and every other place that shows options read this table.
 */
#include "base/arena.h"

typedef enum OptionType {
    OPTION_FLAG,    /* no value */
    OPTION_STRING,  /* any text */
    OPTION_PATH,    /* a file or folder; never opened here */
    OPTION_INT,     /* whole number in [lo, hi] */
    OPTION_INDEX,   /* whole number from 0, or "all" */
    OPTION_NUMBER,  /* decimal number in [lo, hi] */
    OPTION_BYTES,   /* 8G, 512M, 4096 */
    OPTION_CHOICE,  /* one of the words in `choices` */
    OPTION_CHOICES, /* words of `choices`, by commas */
    OPTION_RANGE,   /* A:B, A:, :B; from A up to but not including B */
    OPTION_SIZE,    /* WxH, each in [lo, hi] */
    OPTION_INTS,    /* whole numbers in [lo, hi], by commas */
    OPTION_HEADS,   /* LAYER.HEAD by commas */
} OptionType;

/* Sections of help, in the order they are printed. */
#define OPTION_GROUPS(X)                                                                           \
    X(MODEL, "Model")                                                                              \
    X(TEXT, "Text")                                                                                \
    X(RUN, "Run")                                                                                  \
    X(PART, "Part")                                                                                \
    X(PICTURE, "Picture")                                                                          \
    X(BENCH, "Measurement")                                                                        \
    X(OUTPUT, "Output")

typedef enum OptionGroup {
#define OPTION_GROUP_ENUM(id, title) OPTION_GROUP_##id,
    OPTION_GROUPS(OPTION_GROUP_ENUM)
#undef OPTION_GROUP_ENUM
        OPTION_GROUP_COUNT
} OptionGroup;
const char *option_group_title(OptionGroup group);

/* What the program is asked to do. name, what follows it in a usage line, summary */
#define COMMANDS(X)                                                                                \
    X(VIEW, "view", "[MODEL] [TEXT]", "open the window; what happens with no command at all")      \
    X(INFO, "info", "[MODEL]", "say what a model is, and what computes it here")                   \
    X(TOKENS, "tokens", "[MODEL] [TEXT]", "split a text into the model's tokens")                  \
    X(DUMP, "dump", "[MODEL] [TEXT]", "write weights, scores, q, k, v, … as exact numbers")        \
    X(TRACE, "trace", "[MODEL] [TEXT]", "run a model once and keep the record of it")              \
    X(SHOT, "shot", "[MODEL] [TEXT]", "draw a view into a picture, without a window")              \
    X(BENCH, "bench", "", "measure attention against the machine's peak")                          \
    X(MODELS, "models", "", "list what is installed here and what can be fetched")                 \
    X(HELP, "help", "[TOPIC]", "explain a command or a topic")                                     \
    X(VERSION, "version", "", "print the version")

typedef enum CommandId {
#define COMMAND_ENUM(id, name, operands, summary) COMMAND_##id,
    COMMANDS(COMMAND_ENUM)
#undef COMMAND_ENUM
        COMMAND_COUNT
} CommandId;

typedef struct CommandDef {
    const char *name;
    const char *operands; /* "" = takes none */
    const char *summary;
} CommandDef;
extern const CommandDef command_table[COMMAND_COUNT];
/** False when there is no such command. */
AS_MUST_CHECK bool command_find(const char *name, CommandId *id);

/* clang-format off */
#define OPTION_IDS(X)                                                                              \
    X(MODEL) X(TRACE)                                                                              \
    X(TEXT) X(FILE) X(IDS) X(TEXT_PAIR) X(RANGE) X(MAX_TOKENS) X(NO_SPECIAL)                       \
    X(CHAT) X(SYSTEM)                                                                              \
    X(IMAGE) X(TARGET_TEXT) X(TARGET_IDS) X(TARGET_MOST) X(STACK)                                                 \
    X(TEMPERATURE) X(UNSCALED) X(MASK) X(ABLATE) X(PROPAGATE) X(THREADS) X(MEMORY) X(STORE) X(DTYPE) X(SUMMARY)\
    X(WHAT) X(LAYER) X(HEAD) X(ROWS) X(COLS)                                                       \
    X(VIEW) X(SIZE) X(SCALE) X(THEME) X(QUERY) X(KEY) X(STEP) X(TIME) X(DO) X(REDUCED_MOTION) X(GPU_TILES) X(TILE_MEMORY) \
    X(N) X(QUERIES) X(HEADS) X(KV_HEADS) X(DIM) X(CAUSAL) X(MASKS) X(WINDOW) X(ISA) X(PRECISION) X(NO_NAIVE) X(RUNS_ONLY)   \
    X(RENDER) X(JOURNEY) X(PLOT)                                                                   \
    X(OUTPUT) X(JSON) X(HELP) X(VERSION)
/* clang-format on */

typedef enum OptionId {
#define OPTION_ENUM(id) OPTION_##id##_ID,
    OPTION_IDS(OPTION_ENUM)
#undef OPTION_ENUM
        OPTION_COUNT
} OptionId;

typedef struct OptionDef {
    const char *name; /* without the dashes */
    char letter;      /* of the short form, or 0 */
    OptionType type;
    OptionGroup group;
    uint32_t commands;   /* bit COMMAND_… set: that command takes it */
    const char *value;   /* what help calls the value, "LAYER"; NULL for flags */
    const char *choices; /* "auto|causal|none", for OPTION_CHOICE */
    double lo, hi;
    const char *fallback; /* value when not given, in the form a person would type; NULL = none */
    const char *help;     /* one sentence; NULL: understood so that it can be refused, not listed */
    uint32_t one_value;   /* INTS: bit COMMAND_… set: that command takes one number, no list */
    uint32_t without;     /* bit COMMAND_… set: that command does without it rather than with the
                             fallback */
} OptionDef;
extern const OptionDef option_table[OPTION_COUNT];

/** A value as parsed. Which fields count depends on the type. Zero is "not given, no default". */
typedef struct OptionValue {
    bool given;          /* on the command line */
    bool has;            /* given, or has a default */
    const char *text;    /* as typed; borrowed */
    int64_t integer;     /* INT; CHOICE: index of the word; INDEX: -1 = all; INTS: the first */
    double number;       /* NUMBER */
    uint64_t bytes;      /* BYTES */
    int64_t first, end;  /* RANGE: [first, end), end -1 = to the end. SIZE: width, height */
    const int32_t *list; /* INTS: n numbers; CHOICES: n indices of words; HEADS: n pairs layer,
                            head. In the arena */
    size_t n_list;
} OptionValue;

/** Reads `text` as a value of the option. ERR_USAGE says what is wrong and what was expected. */
AS_MUST_CHECK bool option_parse(const OptionDef *option, const char *text, Arena *arena,
                                OptionValue *value, Error *err);
/** By name without dashes, exact. False when there is none. */
AS_MUST_CHECK bool option_find(const char *name, OptionId *id);
