#include "registry/options.h"

#include <string.h>

#define BIT(id) (1u << COMMAND_##id)
#define ANY_MODEL                                                                                  \
    (BIT(VIEW) | BIT(INFO) | BIT(TOKENS) | BIT(DUMP) | BIT(TRACE) | BIT(SHOT) | BIT(BENCH))
#define ANY_TEXT (BIT(VIEW) | BIT(TOKENS) | BIT(DUMP) | BIT(TRACE) | BIT(SHOT) | BIT(BENCH))
#define ANY_RUN  (BIT(VIEW) | BIT(DUMP) | BIT(TRACE) | BIT(SHOT))
#define ANY_HEAD (BIT(VIEW) | BIT(DUMP) | BIT(SHOT))
#define ANY_DRAW (BIT(VIEW) | BIT(SHOT))
#define ANY      ((1u << COMMAND_COUNT) - 1)

static const char *const group_titles[] = {
#define OPTION_GROUP_TITLE(id, title) [OPTION_GROUP_##id] = title,
    OPTION_GROUPS(OPTION_GROUP_TITLE)
#undef OPTION_GROUP_TITLE
};

const char *option_group_title(OptionGroup group)
{
    return group_titles[group];
}

const CommandDef command_table[COMMAND_COUNT] = {
#define COMMAND_ROW(id, name, operands, summary) [COMMAND_##id] = {name, operands, summary},
    COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
};

bool command_find(const char *name, CommandId *id)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (!strcmp(name, command_table[i].name)) {
            *id = (CommandId)i;
            return true;
        }
    }
    return false;
}

/* clang-format off */
const OptionDef option_table[OPTION_COUNT] = {
[OPTION_MODEL_ID] = {"model", 'm', OPTION_STRING, OPTION_GROUP_MODEL, ANY_MODEL, "MODEL",
    .fallback = "tiny", .without = BIT(BENCH),
    .help = "the model: tiny, a folder with config.json, a .gguf file, or the name of one that is "
            "here (`attnscope models`; `help model` lists all forms)"},
[OPTION_TRACE_ID] = {"trace", 0, OPTION_PATH, OPTION_GROUP_MODEL, ANY_MODEL & ~BIT(TRACE), "FILE",
    .help = "a saved trace, or attention of another program (`help import`), in place of a model "
            "and a text"},

[OPTION_TEXT_ID] = {"text", 't', OPTION_STRING, OPTION_GROUP_TEXT, ANY_TEXT, "TEXT",
    .help = "the text itself; with no text at all, the built-in example"},
[OPTION_FILE_ID] = {"file", 'f', OPTION_PATH, OPTION_GROUP_TEXT, ANY_TEXT, "FILE",
    .help = "read the text from a file, - for standard input"},
[OPTION_IDS_ID] = {"ids", 0, OPTION_INTS, OPTION_GROUP_TEXT, ANY_TEXT, "1,2,3",
    .lo = 0, .hi = 2147483647,
    .help = "token ids, used as they are; needs no tokenizer"},
[OPTION_TEXT_PAIR_ID] = {"text-pair", 0, OPTION_STRING, OPTION_GROUP_TEXT, ANY_TEXT, "TEXT",
    .help = "a second text, for models that compare two"},
[OPTION_RANGE_ID] = {"range", 0, OPTION_RANGE, OPTION_GROUP_TEXT, ANY_TEXT, "A:B",
    .help = "only the tokens from A up to but not including B"},
[OPTION_MAX_TOKENS_ID] = {"max-tokens", 0, OPTION_INT, OPTION_GROUP_TEXT, ANY_TEXT, "N",
    .lo = 1, .hi = 16777216,
    .help = "at most the first N tokens; what is left out is said"},
[OPTION_NO_SPECIAL_ID] = {"no-special", 0, OPTION_FLAG, OPTION_GROUP_TEXT, ANY_TEXT,
    .help = "leave out special tokens such as [CLS] or <|im_start|>"},
[OPTION_CHAT_ID] = {"chat", 0, OPTION_FLAG, OPTION_GROUP_TEXT, ANY_TEXT,
    .help = "the text as what a user says, in the model's own chat template"},
[OPTION_SYSTEM_ID] = {"system", 0, OPTION_STRING, OPTION_GROUP_TEXT, ANY_TEXT, "TEXT",
    .help = "with --chat: the system's words before it"},
[OPTION_IMAGE_ID] = {"image", 0, OPTION_PATH, OPTION_GROUP_TEXT, ANY_TEXT, "FILE",
    .help = "the picture for models that read pictures (ViT): PNG or JPEG"},
[OPTION_TARGET_TEXT_ID] = {"target-text", 0, OPTION_STRING, OPTION_GROUP_TEXT, ANY_TEXT, "TEXT",
    .help = "what the decoder of an encoder-decoder reads, after its start token; without a target "
            "the model writes one itself"},
[OPTION_TARGET_IDS_ID] = {"target-ids", 0, OPTION_INTS, OPTION_GROUP_TEXT, ANY_TEXT, "1,2,3",
    .lo = 0, .hi = 2147483647,
    .help = "the same as token ids; the start token is put before them where it is missing"},
[OPTION_TARGET_MOST_ID] = {"target-most", 0, OPTION_INT, OPTION_GROUP_TEXT, ANY_TEXT, "N",
    .lo = 1, .hi = 16777216,
    .help = "at most N tokens of the target; where the model writes it, 512 unless this is given, or "
            "as many as it has positions for"},
[OPTION_STACK_ID] = {"stack", 0, OPTION_CHOICE, OPTION_GROUP_TEXT, ANY_RUN, "STACK",
    .choices = "self|encoder|decoder|cross", .fallback = "self", .without = ANY_RUN,
    .help = "which attention of an encoder-decoder (cross where it is not given)"},

[OPTION_TEMPERATURE_ID] = {"temperature", 0, OPTION_NUMBER, OPTION_GROUP_RUN, ANY_RUN, "T",
    .lo = 0.001, .hi = 1000, .fallback = "1",
    .help = "divide the scores by T before the softmax"},
[OPTION_UNSCALED_ID] = {"unscaled", 0, OPTION_FLAG, OPTION_GROUP_RUN, ANY_RUN,
    .help = "what if scores were not divided by sqrt(d_k)"},
[OPTION_MASK_ID] = {"mask", 0, OPTION_CHOICE, OPTION_GROUP_RUN, ANY_RUN, "MASK",
    .choices = "auto|causal|none", .fallback = "auto",
    .help = "which keys a query sees; auto is what the model was made for"},
[OPTION_ABLATE_ID] = {"ablate", 0, OPTION_HEADS, OPTION_GROUP_RUN, ANY_RUN, "L.H,…",
    .help = "set the output of these heads to zero"},
[OPTION_PROPAGATE_ID] = {"propagate", 0, OPTION_FLAG, OPTION_GROUP_RUN, ANY_RUN,
    .help = "let temperature, mask and ablation change the layers above too"},
[OPTION_THREADS_ID] = {"threads", 'j', OPTION_INTS, OPTION_GROUP_RUN, ANY_RUN | BIT(BENCH), "N",
    .one_value = ANY_RUN, .lo = 0, .hi = 1024, .fallback = "0",
    .help = "threads to compute with; 0 is all; bench measures several by commas"},
[OPTION_MEMORY_ID] = {"memory", 0, OPTION_BYTES, OPTION_GROUP_RUN, ANY_RUN, "SIZE",
    .help = "what may be held in memory, such as 8G; past it the trace goes to a file that "
            "vanishes at the end; without it, three quarters of what is free"},
[OPTION_STORE_ID] = {"store", 0, OPTION_CHOICE, OPTION_GROUP_RUN, ANY_RUN, "WHAT",
    .choices = "all|qkv|qk", .fallback = "all",
    .help = "what the trace holds: qk gives weights, qkv outputs too, all hidden states too; "
            "without it dump holds only what it writes"},
[OPTION_DTYPE_ID] = {"dtype", 0, OPTION_CHOICE, OPTION_GROUP_RUN, ANY_RUN, "TYPE",
    .choices = "f32|f16", .fallback = "f32",
    .help = "how the trace holds it; f16 halves it and says by how much weights may move"},
[OPTION_SUMMARY_ID] = {"summary", 0, OPTION_INT, OPTION_GROUP_RUN, ANY_RUN, "TEXELS",
    .lo = 16, .hi = 1024, .fallback = "256",
    .help = "side of each head's overview"},

[OPTION_WHAT_ID] = {"what", 'w', OPTION_CHOICE, OPTION_GROUP_PART, BIT(DUMP), "WHAT",
    .choices = "weights|scores|q|k|v|lse|output|hidden|logits",
    .help = "what to write"},
[OPTION_LAYER_ID] = {"layer", 'l', OPTION_INDEX, OPTION_GROUP_PART, ANY_HEAD, "L",
    .help = "layer, counted from 0, or all; for hidden, state 0 is the embeddings"},
[OPTION_HEAD_ID] = {"head", 0, OPTION_INDEX, OPTION_GROUP_PART, ANY_HEAD, "H",
    .help = "query head, counted from 0, or all; k and v are its group's"},
[OPTION_ROWS_ID] = {"rows", 0, OPTION_RANGE, OPTION_GROUP_PART, BIT(DUMP), "A:B",
    .help = "only these rows (queries; tokens)"},
[OPTION_COLS_ID] = {"cols", 0, OPTION_RANGE, OPTION_GROUP_PART, BIT(DUMP), "A:B",
    .help = "only these columns (keys; dimensions; vocabulary)"},

[OPTION_VIEW_ID] = {"view", 0, OPTION_STRING, OPTION_GROUP_PICTURE, ANY_DRAW, "NAME",
    .help = "which view (`help views` lists them)"},
[OPTION_SIZE_ID] = {"size", 0, OPTION_SIZE, OPTION_GROUP_PICTURE, ANY_DRAW | BIT(BENCH), "WxH",
    .lo = 64, .hi = 16384,
    .help = "size of the picture (1920x1080) or window in pixels"},
[OPTION_SCALE_ID] = {"scale", 0, OPTION_NUMBER, OPTION_GROUP_PICTURE, ANY_DRAW | BIT(BENCH), "S",
    .lo = 0.25, .hi = 8,
    .help = "size of text and lines; 2 for high-resolution screens"},
[OPTION_THEME_ID] = {"theme", 0, OPTION_CHOICE, OPTION_GROUP_PICTURE, ANY_DRAW | BIT(BENCH), "THEME",
    .choices = "night|paper|contrast", .fallback = "night",
    .help = "colours"},
[OPTION_QUERY_ID] = {"query", 0, OPTION_INT, OPTION_GROUP_PICTURE, ANY_DRAW, "I",
    .lo = 0, .hi = 16777215,
    .help = "token whose attention is shown, counted from 0"},
[OPTION_KEY_ID] = {"key", 0, OPTION_INT, OPTION_GROUP_PICTURE, ANY_DRAW, "J",
    .lo = 0, .hi = 16777215,
    .help = "token that is looked at, counted from 0"},
[OPTION_STEP_ID] = {"step", 0, OPTION_INT, OPTION_GROUP_PICTURE, ANY_DRAW, "K",
    .lo = 0, .hi = 1000,
    .help = "step of views that have steps"},
[OPTION_TIME_ID] = {"time", 0, OPTION_NUMBER, OPTION_GROUP_PICTURE, ANY_DRAW, "S",
    .lo = 0, .hi = 1e6,
    .help = "moment of the animation, in seconds"},
[OPTION_DO_ID] = {"do", 0, OPTION_STRING, OPTION_GROUP_PICTURE, ANY_DRAW, "COMMANDS",
    .help = "commands of the window to run first, with ; between them: \"layer +1; zoom in\" "
            "(help commands)"},
[OPTION_REDUCED_MOTION_ID] = {"reduced-motion", 0, OPTION_FLAG, OPTION_GROUP_PICTURE, BIT(VIEW),
    .help = "no animations"},
[OPTION_GPU_TILES_ID] = {"gpu-tiles", 0, OPTION_CHOICE, OPTION_GROUP_PICTURE,
    BIT(VIEW) | BIT(SHOT) | BIT(BENCH) | BIT(INFO), "WHEN", .choices = "auto|on|off", .fallback = "auto",
    .help = "the matrix's tiles by compute shaders: auto where a graphics card has OpenGL 4.3, on "
            "with a software renderer too"},
[OPTION_TILE_MEMORY_ID] = {"tile-memory", 0, OPTION_BYTES, OPTION_GROUP_PICTURE,
    BIT(VIEW) | BIT(SHOT) | BIT(BENCH), "SIZE", .fallback = "256M",
    .help = "what tiles may hold in memory; as much again is kept on a graphics card for their "
            "operands"},

[OPTION_N_ID] = {"n", 'n', OPTION_INTS, OPTION_GROUP_BENCH, BIT(BENCH), "512,2048,…",
    .lo = 1, .hi = 16777216,
    .help = "numbers of tokens to measure; with a model or trace, the first tokens of its text "
            "(without either, random numbers are measured)"},
[OPTION_HEADS_ID] = {"heads", 0, OPTION_INTS, OPTION_GROUP_BENCH, BIT(BENCH), "H,…",
    .lo = 1, .hi = 65536, .fallback = "8",
    .help = "heads; several by commas"},
[OPTION_KV_HEADS_ID] = {"kv-heads", 0, OPTION_INTS, OPTION_GROUP_BENCH, BIT(BENCH), "G,…",
    .lo = 0, .hi = 65536, .fallback = "0",
    .help = "heads of keys and values, each shared by H / G heads; 0 is one for each head"},
[OPTION_DIM_ID] = {"dim", 'd', OPTION_INTS, OPTION_GROUP_BENCH, BIT(BENCH), "D,…",
    .lo = 1, .hi = 256, .fallback = "64",
    .help = "width of a head; several by commas"},
[OPTION_QUERIES_ID] = {"queries", 0, OPTION_INTS, OPTION_GROUP_BENCH, BIT(BENCH), "Q,…",
    .lo = 0, .hi = 16777216, .fallback = "0",
    .help = "only the last Q tokens ask, as new ones do that a decoder writes; 0 is all of them"},
[OPTION_CAUSAL_ID] = {"causal", 0, OPTION_FLAG, OPTION_GROUP_BENCH, BIT(BENCH),
    .help = "with the causal mask"},
[OPTION_MASKS_ID] = {"masks", 0, OPTION_CHOICES, OPTION_GROUP_BENCH, BIT(BENCH), "MASK,…",
    .choices = "full|causal|window",
    .help = "several masks in one run; window is a causal one of --window keys, or of 256"},
[OPTION_WINDOW_ID] = {"window", 0, OPTION_INT, OPTION_GROUP_BENCH, BIT(BENCH), "W",
    .lo = 1, .hi = 16777216,
    .help = "with a sliding window of W keys"},
[OPTION_ISA_ID] = {"isa", 0, OPTION_CHOICES, OPTION_GROUP_BENCH, BIT(BENCH), "ISA,…",
    .choices = "auto|scalar|neon|avx2|avx512", .fallback = "auto",
    .help = "instruction set, several by commas"},
[OPTION_PRECISION_ID] = {"precision", 0, OPTION_CHOICES, OPTION_GROUP_BENCH, BIT(BENCH), "TYPE,…",
    .choices = "f32|bf16|bf16-pv", .fallback = "f32",
    .help = "products in f32, both in bf16, or weights times values alone in bf16; sums and softmax "
            "are f32 in all; several by commas"},
[OPTION_NO_NAIVE_ID] = {"no-naive", 0, OPTION_FLAG, OPTION_GROUP_BENCH, BIT(BENCH),
    .help = "leave out the naive method, which holds all scores and is measured beside the "
            "streaming one as long as they fit"},
[OPTION_RUNS_ONLY_ID] = {"runs-only", 0, OPTION_FLAG, OPTION_GROUP_BENCH, BIT(BENCH),
    .help = "with a model: its traced run alone (tokens a second, memory), not its attention"},
[OPTION_RENDER_ID] = {"render", 0, OPTION_FLAG, OPTION_GROUP_BENCH, BIT(BENCH),
    .help = "measure the window instead: frame times of scripted journeys at the lengths of --n "
            "(512, 8192 and 131072), first picture, tiles, frames while a model runs, idling"},
[OPTION_JOURNEY_ID] = {"journey", 0, OPTION_STRING, OPTION_GROUP_BENCH, BIT(BENCH), "NAME",
    .help = "with --render: only what has this in its name, such as matrix, tiles, first, runs, idle"},
[OPTION_PLOT_ID] = {"plot", 0, OPTION_PATH, OPTION_GROUP_BENCH, BIT(BENCH), "FILE",
    .help = "draw what was measured into a .png, .svg or .pdf: roofline, speed, threads, growth "
            "of time and memory"},

[OPTION_OUTPUT_ID] = {"output", 'o', OPTION_PATH, OPTION_GROUP_OUTPUT,
    BIT(DUMP) | BIT(TRACE) | BIT(SHOT), "FILE",
    .help = "where to write; the ending says how"},
[OPTION_JSON_ID] = {"json", 0, OPTION_FLAG, OPTION_GROUP_OUTPUT,
    BIT(INFO) | BIT(TOKENS) | BIT(BENCH) | BIT(MODELS),
    .help = "print JSON"},
[OPTION_HELP_ID] = {"help", 'h', OPTION_FLAG, OPTION_GROUP_OUTPUT, ANY,
    .help = "explain this command"},
[OPTION_VERSION_ID] = {"version", 'V', OPTION_FLAG, OPTION_GROUP_OUTPUT, BIT(VIEW),
    .help = "print the version"},
};
/* clang-format on */

bool option_find(const char *name, OptionId *id)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (!strcmp(name, option_table[i].name)) {
            *id = (OptionId)i;
            return true;
        }
    }
    return false;
}
