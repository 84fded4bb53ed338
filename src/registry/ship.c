#include "registry/ship.h"

#include "registry/help.h"

#include <string.h>

static bool is_listed(OptionId id, CommandId command)
{
    return option_table[id].help && option_table[id].commands & (1u << command);
}

static bool is_any(OptionId id)
{
    return option_table[id].help != NULL;
}

/* ---- manual page ---- */

/* Text of a page: what roff would take as its own is escaped. */
static bool roff(StrBuf *out, const char *text, Error *err)
{
    bool line_start = true;
    for (const char *c = text; *c; c++) {
        bool ok = true;
        if (*c == '\\') {
            ok = strbuf_puts(out, "\\e", err);
        } else if (*c == '-') {
            ok = strbuf_puts(out, "\\-", err);
        } else if (line_start && (*c == '.' || *c == '\'')) {
            ok = strbuf_printf(out, err, "\\&%c", *c);
        } else {
            ok = strbuf_add(out, c, 1, err);
        }
        if (!ok) {
            return false;
        }
        line_start = *c == '\n';
    }
    return true;
}

static bool man_option(const OptionDef *o, StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out, ".TP\n\\fB", err);
    if (o->letter) {
        ok = ok && strbuf_printf(out, err, "\\-%c\\fR, \\fB", o->letter);
    }
    ok = ok && strbuf_puts(out, "\\-\\-", err) && roff(out, o->name, err) &&
         strbuf_puts(out, "\\fR", err);
    if (o->value) {
        ok = ok && strbuf_puts(out, " \\fI", err) && roff(out, o->value, err) &&
             strbuf_puts(out, "\\fR", err);
    }
    ok = ok && strbuf_puts(out, "\n", err) && roff(out, o->help, err);
    if (o->choices) {
        ok = ok && strbuf_puts(out, "; one of ", err) && roff(out, o->choices, err);
    }
    if (o->fallback) {
        ok = ok && strbuf_puts(out, " (default ", err) && roff(out, o->fallback, err) &&
             strbuf_puts(out, ")", err);
    }
    return ok && strbuf_puts(out, ".\n", err);
}

static bool man_commands(StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out, ".SH COMMANDS\n", err);
    for (int i = 0; i < COMMAND_COUNT && ok; i++) {
        const CommandDef *c = &command_table[i];
        ok = strbuf_printf(out, err, ".TP\n\\fB%s\\fR %s\n", c->name, c->operands) &&
             roff(out, c->summary, err) && strbuf_puts(out, ".\n", err);
    }
    return ok;
}

bool ship_man(const char *version, StrBuf *out, Error *err)
{
    bool ok = strbuf_printf(out, err,
                            ".TH ATTNSCOPE 1 \"\" \"attnscope %s\" \"User Commands\"\n"
                            ".SH NAME\nattnscope \\- shows the attention of transformer models\n"
                            ".SH SYNOPSIS\n.B attnscope\n[\\fICOMMAND\\fR] [\\fIOPTIONS\\fR]\n",
                            version) &&
              man_commands(out, err);
    for (int g = 0; g < OPTION_GROUP_COUNT && ok; g++) {
        ok = strbuf_printf(out, err, ".SH OPTIONS: %s\n", option_group_title((OptionGroup)g));
        for (int i = 0; i < OPTION_COUNT && ok; i++) {
            if (option_table[i].group == (OptionGroup)g && is_any((OptionId)i)) {
                ok = man_option(&option_table[i], out, err);
            }
        }
    }
    for (size_t i = 0; i < n_help_topics && ok; i++) {
        ok = strbuf_puts(out, ".SH ", err) && roff(out, help_topics[i].summary, err) &&
             strbuf_puts(out, "\n.nf\n", err) && roff(out, help_topics[i].text, err) &&
             strbuf_puts(out, ".fi\n", err);
    }
    ok = ok && strbuf_puts(out, ".SH EXAMPLES\n.nf\n", err);
    for (int i = 0; i < COMMAND_COUNT && ok; i++) {
        const char *examples = help_extra((CommandId)i)->examples;
        ok = !examples || roff(out, examples, err);
    }
    ok = ok && strbuf_puts(out, ".fi\n", err);
    return ok && strbuf_puts(out,
                             ".SH FILES\n.TP\n\\fI$XDG_CONFIG_HOME/attnscope/settings\\fR\n"
                             "What the window keeps between runs.\n"
                             ".TP\n\\fI$XDG_CONFIG_HOME/attnscope/input.conf\\fR\n"
                             "Keys of your own, in the form of `attnscope help keys'.\n",
                             err);
}

/* ---- completions ---- */

static bool takes_path(const OptionDef *o)
{
    return o->type == OPTION_PATH || strcmp(o->name, "model") == 0;
}

/* "--model --text …" of a command, between blanks. */
static bool option_names(CommandId command, StrBuf *out, Error *err)
{
    bool ok = true;
    for (int i = 0; i < OPTION_COUNT && ok; i++) {
        ok = !is_listed((OptionId)i, command) ||
             strbuf_printf(out, err, "--%s ", option_table[i].name);
    }
    return ok;
}

static bool choices(const char *words, StrBuf *out, Error *err)
{
    bool ok = true;
    for (const char *c = words; *c && ok; c++) {
        ok = strbuf_add(out, *c == '|' ? " " : c, 1, err);
    }
    return ok;
}

/* The words an option takes, with | between them; NULL = anything. */
static const char *words_of(const OptionDef *o, const ShipWords *words)
{
    return o == &option_table[OPTION_VIEW_ID] ? words->views : o->choices;
}

/* What `help` takes. */
static bool topic_names(const ShipWords *words, StrBuf *out, Error *err)
{
    bool ok = choices(words->topics, out, err);
    for (size_t i = 0; i < n_help_topics && ok; i++) {
        ok = strbuf_printf(out, err, " %s", help_topics[i].name);
    }
    for (int i = 0; i < COMMAND_COUNT && ok; i++) {
        ok = strbuf_printf(out, err, " %s", command_table[i].name);
    }
    return ok;
}

static bool command_names(StrBuf *out, Error *err)
{
    bool ok = true;
    for (int i = 0; i < COMMAND_COUNT && ok; i++) {
        ok = strbuf_printf(out, err, "%s ", command_table[i].name);
    }
    return ok;
}

bool ship_bash(const ShipWords *words, StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out,
                          "# bash completion for attnscope, written from its tables\n"
                          "_attnscope() {\n"
                          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}"
                          " command=view word\n"
                          "    [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
                          "    [[ $cur == = ]] && cur= && prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                          "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                          "        case $word in\n        ",
                          err);
    for (int i = 0; i < COMMAND_COUNT && ok; i++) {
        ok = strbuf_printf(out, err, "%s%s", i ? "|" : "", command_table[i].name);
    }
    ok = ok &&
         strbuf_puts(out, ") command=$word; break ;;\n        esac\n    done\n    case $prev in\n",
                     err);
    for (int i = 0; i < OPTION_COUNT && ok; i++) {
        const OptionDef *o = &option_table[i];
        if (!is_any((OptionId)i) || o->type == OPTION_FLAG) {
            continue;
        }
        ok = strbuf_printf(out, err, "    --%s", o->name);
        if (o->letter) {
            ok = ok && strbuf_printf(out, err, "|-%c", o->letter);
        }
        if (words_of(o, words)) {
            ok = ok && strbuf_puts(out, ") COMPREPLY=($(compgen -W '", err) &&
                 choices(words_of(o, words), out, err) &&
                 strbuf_puts(out, "' -- \"$cur\")); return ;;\n", err);
        } else {
            ok = ok &&
                 strbuf_puts(out,
                             takes_path(o) ? ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
                                           : ") return ;;\n",
                             err);
        }
    }
    ok = ok && strbuf_puts(out, "    esac\n    local options\n    case $command in\n", err);
    for (int i = 0; i < COMMAND_COUNT && ok; i++) {
        ok = strbuf_printf(out, err, "    %s) options='", command_table[i].name) &&
             option_names((CommandId)i, out, err) && strbuf_puts(out, "' ;;\n", err);
    }
    return ok &&
           strbuf_puts(out,
                       "    esac\n"
                       "    if [[ $cur == -* ]]; then\n"
                       "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
                       "    elif [[ $command == help ]]; then\n"
                       "        COMPREPLY=($(compgen -W '",
                       err) &&
           topic_names(words, out, err) &&
           strbuf_puts(out,
                       "' -- \"$cur\"))\n"
                       "    elif ((COMP_CWORD == 1)); then\n"
                       "        COMPREPLY=($(compgen -W '",
                       err) &&
           command_names(out, err) && choices(words->views, out, err) &&
           strbuf_puts(out, " ", err) && choices(words->models, out, err) &&
           strbuf_puts(out,
                       "' -- \"$cur\") $(compgen -f -- \"$cur\"))\n"
                       "    else\n"
                       "        COMPREPLY=($(compgen -W '",
                       err) &&
           choices(words->models, out, err) &&
           strbuf_puts(out,
                       "' -- \"$cur\") $(compgen -f -- \"$cur\"))\n"
                       "    fi\n}\ncomplete -o filenames -F _attnscope attnscope\n",
                       err);
}

/* For shells' quotes: what would end them goes. */
static bool plain(StrBuf *out, const char *text, const char *without, Error *err)
{
    bool ok = true;
    for (const char *c = text; *c && ok; c++) {
        ok = strchr(without, *c) ? strbuf_puts(out, *c == ':' ? " -" : "", err)
                                 : strbuf_add(out, c, 1, err);
    }
    return ok;
}

static bool zsh_option(const OptionDef *o, const ShipWords *words, StrBuf *out, Error *err)
{
    bool ok = strbuf_printf(out, err, "            '--%s[", o->name) &&
              plain(out, o->help, "'[]", err) && strbuf_puts(out, "]", err);
    if (o->type != OPTION_FLAG) {
        ok = ok && strbuf_puts(out, ":", err) &&
             plain(out, o->value ? o->value : "value", "':()", err) && strbuf_puts(out, ":", err);
        if (words_of(o, words)) {
            ok = ok && strbuf_puts(out, "(", err) && choices(words_of(o, words), out, err) &&
                 strbuf_puts(out, ")", err);
        } else if (takes_path(o)) {
            ok = ok && strbuf_puts(out, "_files", err);
        }
    }
    return ok && strbuf_puts(out, "' \\\n", err);
}

bool ship_zsh(const ShipWords *words, StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out,
                          "#compdef attnscope\n"
                          "# zsh completion for attnscope, written from its tables\n"
                          "_attnscope() {\n"
                          "    local -a commands\n    commands=(\n",
                          err);
    for (int i = 0; i < COMMAND_COUNT && ok; i++) {
        ok = strbuf_printf(out, err, "        '%s:", command_table[i].name) &&
             plain(out, command_table[i].summary, "':", err) && strbuf_puts(out, "'\n", err);
    }
    ok = ok && strbuf_puts(out,
                           "    )\n"
                           "    if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then\n"
                           "        _describe command commands\n        _files\n        return\n"
                           "    fi\n    case $words[2] in\n",
                           err);
    for (int i = 0; i < COMMAND_COUNT && ok; i++) {
        bool view = i == COMMAND_VIEW; /* what happens with no command at all, so it comes last */
        if (view) {
            continue;
        }
        ok = strbuf_printf(out, err, "    %s)\n        _arguments \\\n", command_table[i].name);
        if (i == COMMAND_HELP) {
            ok = ok && strbuf_puts(out, "            '2:topic:(", err) &&
                 topic_names(words, out, err) && strbuf_puts(out, ")' \\\n", err);
        }
        for (int k = 0; k < OPTION_COUNT && ok; k++) {
            ok = !is_listed((OptionId)k, (CommandId)i) ||
                 zsh_option(&option_table[k], words, out, err);
        }
        ok = ok && strbuf_puts(out, "            '*:file:_files' ;;\n", err);
    }
    ok = ok && strbuf_puts(out, "    *)\n        _arguments \\\n", err);
    for (int k = 0; k < OPTION_COUNT && ok; k++) {
        ok = !is_listed((OptionId)k, COMMAND_VIEW) || zsh_option(&option_table[k], words, out, err);
    }
    return ok && strbuf_puts(
                     out, "            '*:file:_files' ;;\n    esac\n}\n_attnscope \"$@\"\n", err);
}

bool ship_fish(const ShipWords *words, StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out, "# fish completion for attnscope, written from its tables\n", err);
    for (int i = 0; i < COMMAND_COUNT && ok; i++) {
        ok = strbuf_printf(out, err, "complete -c attnscope -n __fish_use_subcommand -a %s -d '",
                           command_table[i].name) &&
             plain(out, command_table[i].summary, "'\\", err) && strbuf_puts(out, "'\n", err);
    }
    ok = ok &&
         strbuf_puts(out, "complete -c attnscope -n '__fish_seen_subcommand_from help' -f -a '",
                     err) &&
         topic_names(words, out, err) && strbuf_puts(out, "'\n", err);
    for (int i = 0; i < OPTION_COUNT && ok; i++) {
        const OptionDef *o = &option_table[i];
        if (!is_any((OptionId)i)) {
            continue;
        }
        ok = strbuf_puts(out, "complete -c attnscope", err);
        if (!(o->commands & (1u << COMMAND_VIEW))) { /* view's are there without a command too */
            ok = ok && strbuf_puts(out, " -n '__fish_seen_subcommand_from", err);
            for (int k = 0; k < COMMAND_COUNT && ok; k++) {
                ok = !is_listed((OptionId)i, (CommandId)k) ||
                     strbuf_printf(out, err, " %s", command_table[k].name);
            }
            ok = ok && strbuf_puts(out, "'", err);
        }
        ok = ok && strbuf_printf(out, err, " -l %s", o->name);
        if (o->letter) {
            ok = ok && strbuf_printf(out, err, " -s %c", o->letter);
        }
        if (o->type != OPTION_FLAG) {
            ok = ok && strbuf_puts(out, takes_path(o) ? " -r -F" : " -x", err);
        }
        if (words_of(o, words)) {
            ok = ok && strbuf_puts(out, " -a '", err) && choices(words_of(o, words), out, err) &&
                 strbuf_puts(out, "'", err);
        }
        ok = ok && strbuf_puts(out, " -d '", err) && plain(out, o->help, "'\\", err) &&
             strbuf_puts(out, "'\n", err);
    }
    return ok;
}
