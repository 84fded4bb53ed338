#include "app/cli.h"

#include "base/file.h"
#include "registry/nearest.h"
#include "session/session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

void cli_log(void *payload, LogLevel level, const char *line)
{
    (void)payload;
    if (level == LOG_DEBUG) {
        return;
    }
    fprintf(stderr, "attnscope: %s%s\n", level == LOG_WARNING ? "warning: " : "", line);
}

void cli_print(const StrBuf *text)
{
    fwrite(strbuf_text(text), 1, text->n, stdout);
}

bool cli_reader_left(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

bool cli_flush(Error *err)
{
    if (fflush(stdout) || ferror(stdout)) {
        return error_set(err, ERR_IO, "standard output cannot be written: %s", strerror(errno));
    }
    return true;
}

bool cli_check_output(const char *path, uint64_t n_bytes, const char *advice, Error *err)
{
    struct stat old;
    struct statvfs disk;
    AtomicFile probe;
    char folder[4096];
    uint64_t room;
    size_t n = (size_t)(path_base_name(path) - path);
    /* Opening a pipe or a device only to close it again is heard at its other end. */
    if (!strcmp(path, "-") ||
        (stat(path, &old) == 0 && !S_ISREG(old.st_mode) && !S_ISDIR(old.st_mode))) {
        return true;
    }
    if (!atomic_file_open(&probe, path, err)) {
        return false;
    }
    atomic_file_abort(&probe);
    if (n + 2 > sizeof folder) {
        return true;
    }
    memcpy(folder, path, n);
    memcpy(folder + n, ".", 2);
    if (statvfs(folder, &disk) == 0 &&
        !__builtin_mul_overflow((uint64_t)disk.f_bavail, (uint64_t)disk.f_frsize, &room) &&
        n_bytes > room) {
        char need_text[32];
        char room_text[32];
        return error_set(err, ERR_IO, "%.200s needs at least %s and its disk has %s free: %s", path,
                         format_bytes(n_bytes, need_text), format_bytes(room, room_text), advice);
    }
    return true;
}

bool cli_json_string(StrBuf *out, const char *text, Error *err)
{
    return text ? strbuf_json_string(out, text, strlen(text), err) : strbuf_puts(out, "null", err);
}

bool cli_go_on(const App *app, Error *err)
{
    return atomic_load(&app->control->cancel)
               ? error_set(err, ERR_CANCELLED, "stopped; nothing was written")
               : true;
}

const OptionValue *app_option(const App *app, OptionId id)
{
    return &app->arguments->values[id];
}

/* $ATTNSCOPE_MODELS, or models/cache above the program (build folders lie in the repository), or
 * here. */
static const char *find_cache(Arena *arena)
{
    const char *wanted = getenv("ATTNSCOPE_MODELS");
    if (wanted && *wanted) {
        return wanted;
    }
    char program[4096];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = 0;
    for (char *slash = strrchr(program, '/'); slash; slash = strrchr(program, '/')) {
        *slash = 0;
        char *folder = arena_printf(arena, NULL, "%s/models/cache", program);
        if (folder && path_is_folder(folder)) {
            return folder;
        }
    }
    return path_is_folder("models/cache") ? "models/cache" : NULL;
}

const char *cli_model_cache(App *app)
{
    return find_cache(&app->arena);
}

const char *cli_resolve_model(const char *word, Arena *arena)
{
    const char *cache;
    if (!*word || strchr(word, '/') || path_exists(word) || !(cache = find_cache(arena))) {
        return word;
    }
    const char *path = path_join(arena, cache, word, NULL);
    return path && path_is_folder(path) ? path : word;
}

static bool is_path_or_made(const char *word)
{
    static const char *const prefixes[] = {"random", "hash", "synthetic"};
    for (size_t i = 0; i < AS_COUNT(prefixes); i++) {
        size_t n = strlen(prefixes[i]);
        if (!strncmp(word, prefixes[i], n) && (!word[n] || word[n] == ':')) {
            return true;
        }
    }
    return strchr(word, '/') || path_has_suffix(word, ".gguf") || path_exists(word);
}

/* Adds what models that are here may be called to names[*n..most). */
static bool add_model_names(Arena *arena, const char **names, int most, int *n)
{
    ModelListing *listings;
    size_t n_listings;
    if (!model_list_local(arena, find_cache(arena), &listings, &n_listings, NULL)) {
        return false;
    }
    for (size_t i = 0; i < n_listings && *n + 2 <= most; i++) {
        names[(*n)++] = listings[i].spec;
        names[(*n)++] = path_base_name(listings[i].spec);
    }
    return true;
}

enum { NAMES_MOST = 512 };

bool cli_looks_like_model(const char *word)
{
    const char *names[NAMES_MOST];
    int n = 0;
    Arena arena = {0};
    bool found = is_path_or_made(word) || cli_resolve_model(word, &arena) != word;
    if (!found && add_model_names(&arena, names, NAMES_MOST, &n)) {
        for (int i = 0; i < n && !found; i++) {
            found = !strcmp(names[i], word);
        }
    }
    arena_destroy(&arena);
    return found;
}

bool cli_check_model_name(const char *word, Arena *arena, Error *err)
{
    const char *names[NAMES_MOST];
    int n = 0;
    if (cli_looks_like_model(word) || !add_model_names(arena, names, NAMES_MOST, &n)) {
        return true;
    }
    int near = nearest_word(word, names, n);
    return near < 0 || error_set(err, ERR_IO, "there is no model '%.60s' here; did you mean %s?",
                                 word, names[near]);
}

/* A first word that is nothing: what of all that it can be is nearest. */
static bool check_first_word(const char *word, Arena *arena, Error *err)
{
    const char *names[NAMES_MOST];
    int n = 0;
    if (*word == '-' || cli_looks_like_model(word)) {
        return true;
    }
    for (int i = 0; i < COMMAND_COUNT; i++) {
        names[n++] = command_table[i].name;
    }
    for (int i = 0; i < VIEW_COUNT; i++) {
        names[n++] = view_name((ViewId)i);
    }
    if (!add_model_names(arena, names, NAMES_MOST, &n)) {
        return true;
    }
    int near = nearest_word(word, names, n);
    return near < 0 ||
           error_set(err, ERR_USAGE, "'%.60s' is no command, view or model; did you mean %s?", word,
                     names[near]);
}

bool cli_spell_view(int *argc, const char *const **argv, Arena *arena, Error *err)
{
    const char *const *words = *argv;
    int at = *argc > 1 && !strcmp(words[1], command_table[COMMAND_VIEW].name) ? 2 : 1;
    ViewId view;
    CommandId command;
    if (at >= *argc || command_find(words[at], &command)) {
        return true;
    }
    if (!view_find(words[at], &view)) {
        return check_first_word(words[at], arena, err);
    }
    const char **longer = ARENA_ARRAY(arena, const char *, (size_t)*argc + 3, err);
    if (!longer) {
        return false;
    }
    int n = 0;
    longer[n++] = words[0];
    longer[n++] = command_table[COMMAND_VIEW].name;
    longer[n++] = "--view";
    for (int i = at; i < *argc; i++) {
        longer[n++] = words[i];
    }
    *argv = longer;
    *argc = n;
    return true;
}

static bool print_version(App *app, Error *err)
{
    (void)app;
    (void)err;
    printf("attnscope " ATTNSCOPE_VERSION "\n");
    return true;
}

static bool (*const commands[COMMAND_COUNT])(App *app, Error *err) = {
    [COMMAND_VIEW] = command_view,     [COMMAND_INFO] = command_info,
    [COMMAND_TOKENS] = command_tokens, [COMMAND_DUMP] = command_dump,
    [COMMAND_TRACE] = command_trace,   [COMMAND_SHOT] = command_shot,
    [COMMAND_BENCH] = command_bench,   [COMMAND_MODELS] = command_models,
    [COMMAND_HELP] = command_help,     [COMMAND_VERSION] = print_version,
};

bool cli_run_command(App *app, Error *err)
{
    if (app_option(app, OPTION_VERSION_ID)->given) {
        return print_version(app, err);
    }
    if (app_option(app, OPTION_HELP_ID)->given) {
        return command_help(app, err);
    }
    CommandId command = app->arguments->command;
    if (command == COMMAND_INFO || command == COMMAND_MODELS) {
        atomic_store(app->may_end, true);
    }
    return commands[command](app, err);
}
