#include "registry/arguments.h"

#include "registry/nearest.h"

#include <string.h>

typedef struct Reader {
    int argc;
    const char *const *argv;
    int at; /* next word */
    Arena *arena;
    Arguments *arguments;
} Reader;

static bool takes(CommandId command, OptionId id)
{
    return option_table[id].commands & (1u << command);
}

/* Unknown option of a command: the nearest listed one that this command takes. */
static bool refuse_unknown(const Reader *r, const char *shown, const char *name, Error *err)
{
    const char *names[OPTION_COUNT];
    int n = 0;
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (takes(r->arguments->command, (OptionId)i) && option_table[i].help) {
            names[n++] = option_table[i].name;
        }
    }
    const char *command = command_table[r->arguments->command].name;
    int near = nearest_word(name, names, n);
    if (near >= 0) {
        return error_set(err, ERR_USAGE, "unknown option '%.60s'; did you mean --%s?", shown,
                         names[near]);
    }
    return error_set(err, ERR_USAGE,
                     "unknown option '%.60s'; `attnscope help %s` lists those that there are",
                     shown, command);
}

/* An option that exists, but not for this command: say whose it is. */
static bool refuse_elsewhere(const Reader *r, OptionId id, Error *err)
{
    char owners[128] = "";
    size_t used = 0;
    for (int c = 0; c < COMMAND_COUNT; c++) {
        size_t length = strlen(command_table[c].name);
        if (takes((CommandId)c, id) && used + length + 3 < sizeof owners) {
            memcpy(owners + used, used ? ", " : "", used ? 2 : 0);
            used += used ? 2 : 0;
            memcpy(owners + used, command_table[c].name, length + 1);
            used += length;
        }
    }
    return error_set(err, ERR_USAGE, "%s does not take --%s; it belongs to %s",
                     command_table[r->arguments->command].name, option_table[id].name, owners);
}

static bool is_option_word(const char *word)
{
    OptionId id;
    if (word[0] != '-' || word[1] != '-') {
        return false;
    }
    char name[32];
    size_t n = strcspn(word + 2, "=");
    if (n >= sizeof name) {
        return false;
    }
    memcpy(name, word + 2, n);
    name[n] = 0;
    return option_find(name, &id);
}

/* `attached` is what follows = or the letter, NULL when the value is the next word. */
static bool read_value(Reader *r, OptionId id, const char *attached, Error *err)
{
    const OptionDef *option = &option_table[id];
    OptionValue *value = &r->arguments->values[id];
    const char *text = attached;
    if (!takes(r->arguments->command, id)) {
        return refuse_elsewhere(r, id, err);
    }
    if (option->type == OPTION_FLAG) {
        if (attached) {
            return error_set(err, ERR_USAGE, "--%s takes no value", option->name);
        }
        text = "";
    } else if (!attached) {
        if (r->at >= r->argc || is_option_word(r->argv[r->at])) {
            return error_set(err, ERR_USAGE, "--%s needs a value: --%s %s", option->name,
                             option->name, option->value);
        }
        text = r->argv[r->at++];
    }
    *value = (OptionValue){.given = true};
    if (!option_parse(option, text, r->arena, value, err)) {
        return false;
    }
    CommandId command = r->arguments->command;
    if (value->n_list > 1 && (option->one_value & (1u << command))) {
        return error_set(err, ERR_USAGE, "--%s: %s takes one number, not '%.60s'", option->name,
                         command_table[command].name, text);
    }
    return true;
}

static bool read_long(Reader *r, const char *word, Error *err)
{
    char name[32];
    size_t n = strcspn(word + 2, "=");
    OptionId id;
    if (n >= sizeof name) {
        return refuse_unknown(r, word, "", err);
    }
    memcpy(name, word + 2, n);
    name[n] = 0;
    if (!option_find(name, &id)) {
        return refuse_unknown(r, word, name, err);
    }
    return read_value(r, id, word[2 + n] ? word + 2 + n + 1 : NULL, err);
}

static bool read_short(Reader *r, const char *word, Error *err)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const OptionDef *option = &option_table[i];
        if (option->letter && option->letter == word[1] &&
            (takes(r->arguments->command, (OptionId)i))) {
            return read_value(r, (OptionId)i, word[2] ? word + 2 : NULL, err);
        }
    }
    return refuse_unknown(r, word, word + 1, err);
}

/* How many words without dashes a command takes: one for each [WORD] of its table. */
static int operands_of(CommandId command)
{
    int n = 0;
    for (const char *c = command_table[command].operands; *c; c++) {
        n += *c == '[';
    }
    return n;
}

static bool read_operand(Reader *r, const char *word, Error *err)
{
    Arguments *arguments = r->arguments;
    CommandId command = arguments->command;
    int most = operands_of(command);
    AS_ASSERT(most <= (int)AS_COUNT(arguments->operands));
    if (arguments->n_operands >= most) {
        const char *hint = takes(command, OPTION_TEXT_ID) && most ? "; a text of several words "
                                                                    "needs quotes"
                           : most || !takes(command, OPTION_MODEL_ID)
                               ? ""
                               : "; name the model with --model";
        return error_set(err, ERR_USAGE, "%s: '%.60s' is not expected here%s",
                         command_table[command].name, word, hint);
    }
    arguments->operands[arguments->n_operands++] = word;
    return true;
}

static bool read_command(Reader *r, bool (*looks_like_model)(const char *word), Error *err)
{
    Arguments *arguments = r->arguments;
    arguments->command = COMMAND_VIEW;
    if (r->argc < 2 || r->argv[1][0] == '-') {
        return true;
    }
    const char *word = r->argv[1];
    if (command_find(word, &arguments->command)) {
        arguments->command_given = true;
        r->at = 2;
        return true;
    }
    if (looks_like_model && looks_like_model(word)) {
        return true;
    }
    const char *names[COMMAND_COUNT];
    for (int i = 0; i < COMMAND_COUNT; i++) {
        names[i] = command_table[i].name;
    }
    int near = nearest_word(word, names, COMMAND_COUNT);
    if (near >= 0) {
        return error_set(err, ERR_USAGE, "unknown command '%.60s'; did you mean %s?", word,
                         names[near]);
    }
    return error_set(err, ERR_USAGE,
                     "'%.60s' is neither a command nor a model that is here; `attnscope --help` "
                     "lists commands, `attnscope models` models",
                     word);
}

bool arguments_parse(int argc, const char *const *argv, bool (*looks_like_model)(const char *word),
                     Arena *arena, Arguments *arguments, Error *err)
{
    *arguments = (Arguments){0};
    Reader r = {argc, argv, 1, arena, arguments};
    for (int i = 0; i < OPTION_COUNT; i++) {
        const OptionDef *option = &option_table[i];
        if (option->fallback &&
            !option_parse(option, option->fallback, arena, &arguments->values[i], err)) {
            return error_wrap(err, "the table's default");
        }
    }
    if (!read_command(&r, looks_like_model, err)) {
        return false;
    }
    bool options_over = false;
    while (r.at < argc) {
        const char *word = argv[r.at++];
        bool ok;
        if (options_over || word[0] != '-' || !word[1]) {
            ok = read_operand(&r, word, err);
        } else if (word[1] != '-') {
            ok = read_short(&r, word, err);
        } else if (!word[2]) {
            options_over = true;
            ok = true;
        } else {
            ok = read_long(&r, word, err);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}
