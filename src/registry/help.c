#include "registry/help.h"

#include <string.h>

enum { LEFT = 26, RIGHT = 80 };

/* Columns a UTF-8 text takes, near enough for our own help: one a code point. */
static size_t columns(const char *text, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return count;
}

bool help_row(StrBuf *out, const char *left, const char *text, Error *err)
{
    size_t at = 2 + columns(left, strlen(left));
    bool ok = strbuf_printf(out, err, "  %s", left);
    if (at + 2 > LEFT) {
        ok = ok && strbuf_printf(out, err, "\n%*s", LEFT, "");
    } else {
        ok = ok && strbuf_printf(out, err, "%*s", (int)(LEFT - at), "");
    }
    at = LEFT;
    while (ok && *text) {
        size_t n = strcspn(text, " ");
        size_t width = columns(text, n);
        if (at > LEFT && at + 1 + width > RIGHT) {
            ok = strbuf_printf(out, err, "\n%*s", LEFT, "");
            at = LEFT;
        } else if (at > LEFT) {
            ok = strbuf_add(out, " ", 1, err);
            at++;
        }
        ok = ok && strbuf_add(out, text, n, err);
        at += width;
        text += n;
        text += strspn(text, " ");
    }
    return ok && strbuf_add(out, "\n", 1, err);
}

static bool add_option(StrBuf *out, const OptionDef *option, CommandId command, Error *err)
{
    StrBuf left = {0};
    StrBuf text = {0};
    bool ok = option->letter ? strbuf_printf(&left, err, "-%c, ", option->letter)
                             : strbuf_puts(&left, "    ", err);
    ok = ok && strbuf_printf(&left, err, "--%s%s%s", option->name, option->value ? " " : "",
                             option->value ? option->value : "");
    ok = ok && strbuf_puts(&text, option->help, err);
    for (const char *c = option->choices; ok && c; c = *c ? c + 1 : NULL) {
        size_t n = strcspn(c, "|");
        ok = strbuf_puts(&text,
                         c == option->choices ? ": "
                         : c[n]               ? ", "
                                              : " or ",
                         err) &&
             strbuf_add(&text, c, n, err);
        c += n;
        if (!*c) {
            break;
        }
    }
    if (ok && option->fallback && !(option->without & (1u << command))) {
        ok = strbuf_printf(&text, err, " (default %s)", option->fallback);
    }
    ok = ok && help_row(out, strbuf_text(&left), strbuf_text(&text), err);
    strbuf_free(&left);
    strbuf_free(&text);
    return ok;
}

static const char *const usage_lines[COMMAND_COUNT] = {
    [COMMAND_VIEW] = "attnscope [view] [MODEL] [TEXT] [OPTIONS]",
    [COMMAND_INFO] = "attnscope info [MODEL] [--json]",
    [COMMAND_TOKENS] = "attnscope tokens [MODEL] [TEXT] [OPTIONS] [--json]",
    [COMMAND_DUMP] = "attnscope dump [MODEL] [TEXT] --what WHAT [--layer L] [--head H]\n"
                     "                 [--rows A:B] [--cols A:B] [OPTIONS] -o FILE.{npy,csv,json}",
    [COMMAND_TRACE] = "attnscope trace [MODEL] [TEXT] [OPTIONS] -o FILE.safetensors",
    [COMMAND_SHOT] = "attnscope shot [MODEL] [TEXT] [--view NAME] [OPTIONS]\n"
                     "                 -o FILE.{png,svg,pdf}",
    [COMMAND_BENCH] = "attnscope bench [--n 512,2048,…] [--heads H] [--dim D] [OPTIONS] [--json]\n"
                      "                 [--plot FILE.{png,svg,pdf}]\n"
                      "  attnscope bench --model M [TEXT-OPTIONS] [--n N,…] [OPTIONS]",
    [COMMAND_MODELS] = "attnscope models [--json]",
    [COMMAND_HELP] = "attnscope help [TOPIC]",
    [COMMAND_VERSION] = "attnscope --version",
};

/* A test runs every example. */
static const HelpExtra extras[COMMAND_COUNT] = {
    [COMMAND_VIEW] = {.examples = "  attnscope tiny \"The cat sat on the mat. The cat sat\"\n"
                                  "  attnscope heads tiny --file notes.txt --layer 2 --head 1\n"
                                  "  attnscope flow translate --theme paper --scale 1.5\n"
                                  "  attnscope matrix --trace run.safetensors\n"},
    [COMMAND_INFO] = {.examples = "  attnscope info translate\n"
                                  "  attnscope info --trace run.safetensors --json\n"},
    [COMMAND_TOKENS] =
        {.prints = "  number of the token, its id, its bytes FROM:TO in the text (- for none),\n"
                   "  what it reads as, and whether it is special\n",
         .examples = "  attnscope tokens tiny \"Attention, please\"\n"
                     "  attnscope tokens tiny --file notes.txt --json\n"},
    [COMMAND_DUMP] =
        {.examples = "  attnscope dump tiny \"The cat sat\" --what weights --layer 3 --head 2 \\\n"
                     "            -o weights.npy\n"
                     "  attnscope dump tiny --file notes.txt --what weights --rows 4:8 -o -\n"
                     "  attnscope dump translate --stack cross --what scores -o scores.csv\n"
                     "  attnscope dump --trace run.safetensors --what lse -o lse.npy\n"},
    [COMMAND_TRACE] = {.examples =
                           "  attnscope trace tiny --file notes.txt -o run.safetensors\n"
                           "  attnscope trace tiny --file notes.txt --store qk --dtype f16 \\\n"
                           "            -o small.safetensors\n"},
    [COMMAND_SHOT] =
        {.examples = "  attnscope shot tiny --view matrix --layer 3 --head 2 -o matrix.svg\n"
                     "  attnscope shot tiny --view steps --step 5 --theme paper --scale 1.5 \\\n"
                     "            --size 1600x1000 -o step.pdf\n"
                     "  attnscope shot --trace run.safetensors --view heads -o heads.png\n"
                     "  attnscope shot --do \"story 3-content 1\" -o story.png\n"},
    [COMMAND_BENCH] =
        {.prints = "  heads            8/2 are 8 heads on 2 of keys and values\n"
                   "  mask             c256 is causal with a window of 256 keys\n"
                   "  isa, type, thr   instruction set, type of the products, threads\n"
                   "  GF/s, peak       10^9 operations a second, and their share of what this\n"
                   "                   machine can do at most\n"
                   "  GB/s             10^9 bytes read and written a second\n"
                   "  idle             share of the threads' time in which they waited for each\n"
                   "                   other or to be woken\n"
                   "  +stats           what row statistics and summary take on top\n"
                   "  memory           q, k, v, outputs and scratch\n"
                   "  error            largest difference of an output from float64\n"
                   "  naive, memory    the method that holds all scores, its memory, and how many\n"
                   "  times            times as long it takes; - where it was not measured\n"
                   "  With a model: attention ms is the part of a run in attention, record what\n"
                   "  the trace holds, resident the most memory this process had.\n",
         .examples = "  attnscope bench --n 256,512 --causal --json\n"
                     "  attnscope bench --n 256,512 --threads 1,2 --plot bench.svg\n"
                     "  attnscope bench --model tiny --file notes.txt --runs-only\n"},
    [COMMAND_MODELS] = {.examples = "  attnscope models --json\n"},
};

bool help_program(StrBuf *out, Error *err)
{
    bool ok =
        strbuf_puts(out,
                    "attnscope shows transformer attention: every layer, head, query and "
                    "key, exactly.\n\n"
                    "  attnscope                       the built-in model on its example\n"
                    "  attnscope MODEL [TEXT]          another model, another text\n"
                    "  attnscope VIEW [MODEL] [TEXT]   straight to a view: matrix, heads, flow, …\n"
                    "  attnscope COMMAND [OPTIONS]\n\nCommands\n",
                    err);
    for (int i = 0; i < COMMAND_COUNT && ok; i++) {
        ok = help_row(out, command_table[i].name, command_table[i].summary, err);
    }
    ok = ok && strbuf_puts(out, "\nTopics: attnscope help TOPIC\n", err);
    for (size_t i = 0; i < n_help_topics && ok; i++) {
        ok = help_row(out, help_topics[i].name, help_topics[i].summary, err);
    }
    return ok;
}

const HelpExtra *help_extra(CommandId command)
{
    return &extras[command];
}

/* A part below the options, each line as it stands. */
static bool add_part(StrBuf *out, const char *title, const char *text, Error *err)
{
    return !text || strbuf_printf(out, err, "\n%s\n%s", title, text);
}

bool help_command(CommandId command, StrBuf *out, Error *err)
{
    bool ok = strbuf_printf(out, err, "attnscope %s: %s\n\n  %s\n", command_table[command].name,
                            command_table[command].summary, usage_lines[command]);
    for (int group = 0; group < OPTION_GROUP_COUNT && ok; group++) {
        bool titled = false;
        for (int i = 0; i < OPTION_COUNT && ok; i++) {
            const OptionDef *option = &option_table[i];
            if ((int)option->group != group || !option->help ||
                !(option->commands & (1u << command))) {
                continue;
            }
            if (!titled) {
                ok = strbuf_printf(out, err, "\n%s\n", option_group_title((OptionGroup)group));
                titled = true;
            }
            ok = ok && add_option(out, option, command, err);
        }
    }
    return ok && add_part(out, "What it prints", extras[command].prints, err) &&
           add_part(out, "Examples", extras[command].examples, err);
}
