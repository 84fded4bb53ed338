/* help, --help: everything comes from the tables of registry. */
#include "app/cli.h"
#include "base/embedded.h"
#include "model/synthetic.h"
#include "registry/help.h"
#include "registry/keys.h"
#include "registry/nearest.h"
#include "registry/ship.h"
#include "session/commands.h"
#include "session/story.h"
#include "views/views.h"
#include "session/session.h"

#include <stdio.h>
#include <string.h>

static bool print_models(StrBuf *out, Error *err)
{
    return strbuf_printf(
        out, err,
        "MODEL is one of\n"
        "  tiny                      the built-in model\n"
        "  translate                 the built-in encoder-decoder, English to French\n"
        "  FOLDER                    config.json, safetensors, tokenizer.json or vocab.txt, or a\n"
        "                            folder that holds one .gguf\n"
        "  FILE.gguf\n"
        "  NAME                      of a folder in models/cache or $ATTNSCOPE_MODELS, in the\n"
        "                            local Hugging Face cache, or of a GGUF file that Ollama,\n"
        "                            LM Studio, llama.cpp or GPT4All keeps\n"
        "  random:L=4,H=8,d=64,seed=1   made-up weights (Xavier); d is the model width\n"
        "  hash:L=4,H=8,d=64         the same, made from names by a hash\n"
        "  synthetic:local           the same with attention made to a pattern:\n"
        "                            %s\n"
        "\nArchitectures: %s\n"
        "Weights: safetensors and GGUF. `attnscope models` lists what is installed.\n",
        synthetic_names(), model_known_architectures());
}

static bool print_views(StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out, "Views (--view NAME), with their keys in the window\n", err);
    for (int i = 0; i < VIEW_COUNT && ok; i++) {
        const ViewDef *view = view_def((ViewId)i);
        char left[40];
        snprintf(left, sizeof left, "%-14s%s", view_name((ViewId)i), view_key((ViewId)i));
        ok = help_row(out, left, view->help, err) &&
             (!view->comes_with || help_row(out, "", "Not built yet.", err));
    }
    return ok && strbuf_puts(out, "\n`attnscope NAME …` opens the window there.\n", err);
}

/* Three columns, so that a line of it less the last one is a line of input.conf. */
static bool print_keys(App *app, StrBuf *out, Error *err)
{
    EmbeddedFile file;
    KeyMap map = {0};
    if (!embedded_find("assets/input.conf", &file)) {
        return error_set(err, ERR_INTERNAL, "assets/input.conf is not in the program");
    }
    bool ok =
        keys_parse(&map, (const char *)file.data, file.n_bytes, file.name, &app->arena, err) &&
        strbuf_puts(out,
                    "Keys of the window: KEY COMMAND, and what it does; VIEW:KEY in that view "
                    "alone.\nLines of your own in ~/.config/attnscope/input.conf, such as\n"
                    "  Ctrl+M   view matrix\ncome before these (`help commands` lists "
                    "commands).\n\n",
                    err);
    for (size_t i = 0; i < map.n && ok; i++) {
        const KeyBinding *key = &map.bindings[i];
        char name[64];
        snprintf(name, sizeof name, "%s%s%s", key->place, *key->place ? ":" : "", key->key);
        ok = strbuf_printf(out, err, "  %-19s%-20s %s\n", name, key->command, key->help);
    }
    return ok;
}

static bool print_stories(App *app, StrBuf *out, Error *err)
{
    static const char folder[] = "assets/stories/";
    EmbeddedFile file;
    bool ok = strbuf_puts(out,
                          "Guided stories: S in the window, or a scene as a picture with\n"
                          "  attnscope shot --do \"story 1-self-attention 0\" -o scene.png\n\n",
                          err);
    for (size_t i = 0; ok && embedded_next(folder, i, &file); i++) {
        Story story;
        const char *name = file.name + sizeof folder - 1;
        size_t n = strlen(name) - strlen(".story");
        name = arena_strndup(&app->arena, name, n, err);
        ok = name &&
             story_parse(name, (const char *)file.data, file.n_bytes, &app->arena, &story, err) &&
             strbuf_printf(out, err, "%s: %s\n  %s\n", name, story.title, story.about);
        for (int scene = 0; ok && scene < story.n_scenes; scene++) {
            ok = strbuf_printf(out, err, "  %2d  %s\n", scene, story.scenes[scene].title);
        }
    }
    return ok;
}

static bool print_command_row(StrBuf *out, const char *name, const char *arguments,
                              const char *help, Error *err)
{
    enum { COLUMN = 30 };
    char head[120];
    snprintf(head, sizeof head, "%s %s", name, arguments);
    bool own_line = strlen(head) > COLUMN;
    return strbuf_printf(out, err, "  %-*s%s", COLUMN, head, own_line ? "\n" : "") &&
           strbuf_printf(out, err, "%*s%s\n", own_line ? COLUMN + 2 : 0, "", help);
}

static bool print_commands(StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out,
                          "Commands of the window: keys, palette and --do speak them, --do several "
                          "with ;\nbetween them. Layers, heads, tokens and steps count from 0; +N "
                          "and -N step, and\nstop at the ends. What is not there is refused (--do: "
                          "exit code 1).\n\n",
                          err);
    for (const SessionCommand *const *table = session_command_tables; *table && ok; table++) {
        for (const SessionCommand *c = *table; c->name && ok; c++) {
            ok = c->fleeting || print_command_row(out, c->name, c->arguments, c->help, err);
        }
    }
    for (int i = 0; i < VIEW_COUNT && ok; i++) {
        const ViewCommand *own = view_def((ViewId)i)->commands;
        ok = !own || strbuf_printf(out, err, "In %s\n", view_title((ViewId)i));
        for (; own && own->name && ok; own++) {
            ok = print_command_row(out, own->name, own->arguments, own->help, err);
        }
    }
    return ok;
}

/* Topics that are written here, beside those of registry's table. */
static const struct {
    const char *name;
    const char *summary;
} own_topics[] = {
    {"model", "the forms of MODEL"},
    {"views", "what each view shows"},
    {"keys", "keys of the window"},
    {"stories", "the guided stories and their scenes"},
    {"commands", "what keys, palette and --do can do"},
    {"man", "all of this as a manual page"},
    {"bash", "completions for bash"},
    {"zsh", "completions for zsh"},
    {"fish", "completions for fish"},
};

static bool print_program(StrBuf *out, Error *err)
{
    bool ok = help_program(out, err);
    for (size_t i = 0; i < AS_COUNT(own_topics) && ok; i++) {
        ok = help_row(out, own_topics[i].name, own_topics[i].summary, err);
    }
    return ok &&
           strbuf_puts(
               out, "\n`attnscope help COMMAND` lists a command's options, with examples.\n", err);
}

static bool refuse_topic(const char *topic, Error *err)
{
    const char *names[64];
    int n = 0;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        names[n++] = command_table[i].name;
    }
    for (size_t i = 0; i < n_help_topics; i++) {
        names[n++] = help_topics[i].name;
    }
    for (size_t i = 0; i < AS_COUNT(own_topics); i++) {
        names[n++] = own_topics[i].name;
    }
    int near = nearest_word(topic, names, n);
    return error_set(
        err, ERR_USAGE, "no help on '%.60s'%s%s%s; `attnscope --help` lists the topics", topic,
        near < 0 ? "" : " (did you mean ", near < 0 ? "" : names[near], near < 0 ? "" : "?)");
}

static bool print_completions(bool (*ship)(const ShipWords *words, StrBuf *out, Error *err),
                              StrBuf *out, Error *err)
{
    StrBuf views = {0};
    StrBuf topics = {0};
    bool ok = true;
    for (int i = 0; i < VIEW_COUNT && ok; i++) {
        ok = strbuf_printf(&views, err, "%s%s", i ? "|" : "", view_name((ViewId)i));
    }
    for (size_t i = 0; i < AS_COUNT(own_topics) && ok; i++) {
        ok = strbuf_printf(&topics, err, "%s%s", i ? "|" : "", own_topics[i].name);
    }
    ok = ok && ship(&(ShipWords){.views = strbuf_text(&views),
                                 .models = "tiny|translate",
                                 .topics = strbuf_text(&topics)},
                    out, err);
    strbuf_free(&views);
    strbuf_free(&topics);
    return ok;
}

static bool print_topic(App *app, const char *topic, StrBuf *out, Error *err)
{
    CommandId command;
    if (command_find(topic, &command)) {
        return help_command(command, out, err);
    }
    for (size_t i = 0; i < n_help_topics; i++) {
        if (!strcmp(topic, help_topics[i].name)) {
            return strbuf_puts(out, help_topics[i].text, err);
        }
    }
    if (!strcmp(topic, "model")) {
        return print_models(out, err);
    }
    if (!strcmp(topic, "views")) {
        return print_views(out, err);
    }
    if (!strcmp(topic, "keys")) {
        return print_keys(app, out, err);
    }
    if (!strcmp(topic, "stories")) {
        return print_stories(app, out, err);
    }
    if (!strcmp(topic, "man")) {
        return ship_man(ATTNSCOPE_VERSION, out, err);
    }
    bool (*const ship)(const ShipWords *words, StrBuf *out, Error *err) =
        !strcmp(topic, "bash")   ? ship_bash
        : !strcmp(topic, "zsh")  ? ship_zsh
        : !strcmp(topic, "fish") ? ship_fish
                                 : NULL;
    if (ship) {
        return print_completions(ship, out, err);
    }
    if (!strcmp(topic, "commands")) {
        return print_commands(out, err);
    }
    return refuse_topic(topic, err);
}

bool command_help(App *app, Error *err)
{
    const Arguments *arguments = app->arguments;
    StrBuf out = {0};
    bool ok;
    if (arguments->command == COMMAND_HELP && arguments->n_operands) {
        ok = print_topic(app, arguments->operands[0], &out, err);
    } else if (arguments->command_given && arguments->command != COMMAND_HELP) {
        ok = help_command(arguments->command, &out, err);
    } else {
        ok = print_program(&out, err);
    }
    if (ok) {
        cli_print(&out);
    }
    strbuf_free(&out);
    return ok;
}
