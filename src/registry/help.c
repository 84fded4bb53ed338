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

/* "  left      text wrapped to the right margin". */
static bool add_row(StrBuf *out, const char *left, const char *text, Error *err)
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
    ok = ok && add_row(out, strbuf_text(&left), strbuf_text(&text), err);
    strbuf_free(&left);
    strbuf_free(&text);
    return ok;
}

static const char *const usage_lines[COMMAND_COUNT] = {
    [COMMAND_VIEW] = "attnscope [view] [MODEL] [TEXT] [OPTIONS]",
    [COMMAND_INFO] = "attnscope info [--model M] [--json]",
    [COMMAND_TOKENS] = "attnscope tokens [--model M] [TEXT-OPTIONS] [--json]",
    [COMMAND_DUMP] = "attnscope dump [--model M] [TEXT-OPTIONS] --what WHAT --layer L --head H\n"
                     "                 [--rows A:B] [--cols A:B] -o FILE.{npy,csv,json}",
    [COMMAND_TRACE] = "attnscope trace [--model M] [TEXT-OPTIONS] -o FILE.safetensors",
    [COMMAND_SHOT] = "attnscope shot [--model M] [TEXT-OPTIONS] --view NAME [OPTIONS]\n"
                     "                 -o FILE.{png,svg,pdf}",
    [COMMAND_BENCH] = "attnscope bench [--n 512,2048,…] [--heads H] [--dim D] [OPTIONS] [--json]\n"
                      "                 [--plot FILE.{png,svg,pdf}]\n"
                      "  attnscope bench --model M [TEXT-OPTIONS] [--n N,…] [OPTIONS]",
    [COMMAND_MODELS] = "attnscope models [--json]",
    [COMMAND_HELP] = "attnscope help [TOPIC]",
    [COMMAND_VERSION] = "attnscope --version",
};

bool help_program(StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out,
                          "attnscope shows transformer attention: every layer, head, query and "
                          "key, exactly.\n\n"
                          "  attnscope                       the built-in model on its example\n"
                          "  attnscope MODEL [TEXT]          another model, another text\n"
                          "  attnscope COMMAND [OPTIONS]\n\nCommands\n",
                          err);
    for (int i = 0; i < COMMAND_COUNT && ok; i++) {
        ok = add_row(out, command_table[i].name, command_table[i].summary, err);
    }
    ok = ok && strbuf_puts(out, "\nTopics: attnscope help TOPIC\n", err);
    for (size_t i = 0; i < n_help_topics && ok; i++) {
        ok = add_row(out, help_topics[i].name, help_topics[i].summary, err);
    }
    return ok && strbuf_puts(out, "\n`attnscope help COMMAND` lists a command's options.\n", err);
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
    return ok;
}
