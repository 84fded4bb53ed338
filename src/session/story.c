#include "session/session.h"

#include "base/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FOLDER[] = "assets/stories/";
static const char ENDING[] = ".story";

/* ---- reading ---- */

enum { SCENES_MOST = 64, COMMANDS_MOST = 32, WORD_MOST = 16 };

typedef struct Reader {
    const char *name;
    Arena *arena;
    Story *story;
    StoryScene *scene; /* being read; NULL before the first */
    const char **last; /* what a continued line is added to */
    int line;
    Error *err;
} Reader;

static bool bad(const Reader *r, const char *what, const char *text)
{
    return error_set(r->err, ERR_FORMAT, "%s%s, line %d: %s: \"%.60s\"", r->name, ENDING, r->line,
                     what, text);
}

static bool set_text(Reader *r, const char **to, const char *text)
{
    *to = arena_strdup(r->arena, text, r->err);
    r->last = to;
    return *to;
}

static bool read_when(Reader *r, const char *text)
{
    static const struct {
        const char *name;
        StoryWhat what;
    } names[] = {{"layer", STORY_LAYER}, {"head", STORY_HEAD}, {"query", STORY_QUERY},
                 {"key", STORY_KEY},     {"step", STORY_STEP}, {"temperature", STORY_TEMPERATURE},
                 {"view", STORY_VIEW},   {"mask", STORY_MASK}};
    StoryCondition *when = &r->scene->when;
    size_t n = strcspn(text, " ");
    for (size_t i = 0; i < AS_COUNT(names); i++) {
        if (strlen(names[i].name) == n && memcmp(names[i].name, text, n) == 0) {
            when->what = names[i].what;
        }
    }
    text += n + strspn(text + n, " ");
    r->last = NULL;
    if (when->what == STORY_NOTHING || !*text) {
        return bad(r, "expected what is to be, such as \"layer >= 2\"", text);
    }
    if (when->what == STORY_VIEW || when->what == STORY_MASK) {
        return set_text(r, &when->name, text);
    }
    when->relation = strncmp(text, ">=", 2) == 0   ? STORY_AT_LEAST
                     : strncmp(text, "<=", 2) == 0 ? STORY_AT_MOST
                                                   : STORY_IS;
    text += strspn(text, "<>= ");
    char *end;
    when->number = strtod(text, &end);
    return (end != text && !*end) || bad(r, "expected a number", text);
}

static bool begin_scene(Reader *r, const char *title)
{
    if (r->story->n_scenes == SCENES_MOST) {
        return bad(r, "too many scenes", title);
    }
    r->scene = &r->story->scenes[r->story->n_scenes++];
    r->scene->commands = ARENA_ARRAY(r->arena, const char *, COMMANDS_MOST, r->err);
    return r->scene->commands && set_text(r, &r->scene->title, title);
}

static bool read_line(Reader *r, const char *key, const char *text)
{
    const struct {
        const char *key;
        const char **to;
    } of_story[] = {{"title", &r->story->title},
                    {"about", &r->story->about},
                    {"model", &r->story->model},
                    {"text", &r->story->text}};
    for (size_t i = 0; !r->scene && i < AS_COUNT(of_story); i++) {
        if (strcmp(key, of_story[i].key) == 0) {
            return set_text(r, of_story[i].to, text);
        }
    }
    if (strcmp(key, "scene") == 0) {
        return begin_scene(r, text);
    }
    if (!r->scene) {
        return bad(r, "expected title, about, model, text or scene", key);
    }
    if (strcmp(key, "do") == 0) {
        if (r->scene->n_commands == COMMANDS_MOST) {
            return bad(r, "too many commands", text);
        }
        return set_text(r, &r->scene->commands[r->scene->n_commands++], text);
    }
    if (strcmp(key, "when") == 0) {
        return read_when(r, text);
    }
    const char **to = strcmp(key, "says") == 0   ? &r->scene->says
                      : strcmp(key, "try") == 0  ? &r->scene->asks
                      : strcmp(key, "well") == 0 ? &r->scene->well
                                                 : NULL;
    return to ? set_text(r, to, text) : bad(r, "expected scene, do, says, try, when or well", key);
}

/* A line that begins with a space goes on with the one before. */
static bool take_line(Reader *r, const char *line, size_t n)
{
    char *text = arena_strndup(r->arena, line, n, r->err);
    if (!text) {
        return false;
    }
    while (n > 0 && strchr(" \t\r", text[n - 1])) {
        text[--n] = 0;
    }
    size_t skip = strspn(text, " \t");
    if (!text[skip] || text[0] == '#') {
        return true;
    }
    if (skip > 0) {
        if (!r->last) {
            return bad(r, "nothing to go on with", text + skip);
        }
        *r->last = arena_printf(r->arena, r->err, "%s %s", *r->last, text + skip);
        return *r->last;
    }
    size_t word = strcspn(text, " \t");
    if (word >= WORD_MOST) {
        return bad(r, "expected a keyword", text);
    }
    const char *rest = text + word + strspn(text + word, " \t");
    text[word] = 0;
    return read_line(r, text, rest);
}

bool story_parse(const char *name, const char *text, size_t n, Arena *arena, Story *story,
                 Error *err)
{
    *story = (Story){.model = "tiny", .text = "default.txt", .about = ""};
    Reader r = {.name = name, .arena = arena, .story = story, .err = err};
    story->scenes = ARENA_ARRAY(arena, StoryScene, SCENES_MOST, err);
    story->name = arena_strdup(arena, name, err);
    if (!story->scenes || !story->name) {
        return false;
    }
    for (size_t at = 0; at < n;) {
        const char *end = memchr(text + at, '\n', n - at);
        size_t length = end ? (size_t)(end - text) - at : n - at;
        r.line++;
        if (!take_line(&r, text + at, length)) {
            return false;
        }
        at += length + 1;
    }
    for (int i = 0; i < story->n_scenes; i++) {
        const StoryScene *scene = &story->scenes[i];
        if (!scene->says || (scene->asks && scene->when.what == STORY_NOTHING)) {
            return bad(&r, "a scene needs \"says\", and \"when\" where it has \"try\"",
                       scene->title);
        }
    }
    return (story->title && story->n_scenes > 0) ||
           error_set(err, ERR_FORMAT, "%s%s: expected a title and at least one scene", name,
                     ENDING);
}

static bool read_all(StoryPlace *place, Error *err)
{
    EmbeddedFile file;
    size_t n = 0;
    while (embedded_next(FOLDER, n, &file)) {
        n++;
    }
    place->stories = ARENA_ARRAY(&place->arena, Story, n ? n : 1, err);
    for (size_t i = 0; place->stories && i < n; i++) {
        if (!embedded_next(FOLDER, i, &file)) {
            break;
        }
        const char *base = file.name + sizeof FOLDER - 1;
        const char *ending = strstr(base, ENDING);
        char *name = arena_strndup(&place->arena, base, ending ? (size_t)(ending - base) : 0, err);
        if (!name || !story_parse(name, (const char *)file.data, file.n_bytes, &place->arena,
                                  &place->stories[i], err)) {
            return false;
        }
        place->n_stories++;
    }
    return place->stories;
}

/* ---- where the learner is ---- */

const Story *session_stories(Session *session, int *n)
{
    StoryPlace *place = &session->story;
    if (!place->read) {
        Error err = {0};
        place->read = true;
        if (!read_all(place, &err)) {
            snprintf(session->note, sizeof session->note, "%s", err.message);
            place->n_stories = 0;
        }
    }
    *n = place->n_stories;
    return place->stories;
}

const Story *session_story(const Session *session)
{
    const StoryPlace *place = &session->story;
    return place->story ? &place->stories[place->story - 1] : NULL;
}

const StoryScene *session_scene(const Session *session)
{
    const Story *story = session_story(session);
    return story ? &story->scenes[session->story.scene] : NULL;
}

static bool shows_text_of(const Session *s, const Story *story)
{
    const SessionRequest *is = &s->published;
    const char *model = is->model ? is->model : "tiny";
    return s->trace && !s->run && is->text_name && strcmp(is->text_name, story->text) == 0 &&
           strcmp(model, story->model) == 0 && is->params.mask == TRACE_MASK_AUTO &&
           (is->params.temperature == 0 || is->params.temperature == 1) && !is->params.n_ablate;
}

static bool run_text_of(Session *s, const Story *story, Error *err)
{
    char path[128];
    EmbeddedFile file;
    snprintf(path, sizeof path, "assets/examples/%s", story->text);
    if (!embedded_find(path, &file)) {
        return error_set(err, ERR_INTERNAL, "the story %s: there is no example %s", story->name,
                         story->text);
    }
    size_t n = file.n_bytes;
    while (n > 0 && file.data[n - 1] == '\n') {
        n--;
    }
    SessionRequest request = {.model = story->model,
                              .text_name = story->text,
                              .text = {.text = (const char *)file.data, .n_text = n}};
    return session_request(s, &request, err);
}

static void run_commands(Session *s)
{
    const StoryScene *scene = session_scene(s);
    for (int i = 0; i < scene->n_commands; i++) {
        session_post(s, "%s", scene->commands[i]);
    }
    s->story.waiting = false;
    s->version++;
}

static bool refuse_story(const Story *stories, int n, const char *name, Error *err)
{
    char names[256] = "";
    size_t used = 0;
    for (int i = 0; i < n && used < sizeof names; i++) {
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                                 stories[i].name);
    }
    return error_set(err, ERR_USAGE, "there is no story \"%s\"; there are %s", name, names);
}

bool story_enter(Session *s, const char *name, int scene, Error *err)
{
    int n;
    const Story *stories = session_stories(s, &n);
    int at = 0;
    while (at < n && strcmp(stories[at].name, name) != 0) {
        at++;
    }
    if (at == n) {
        return refuse_story(stories, n, name, err);
    }
    if (scene < 0 || scene >= stories[at].n_scenes) {
        return error_not_there(err, "scene", scene, stories[at].n_scenes);
    }
    s->story.story = at + 1;
    s->story.scene = scene;
    s->story.tried = false;
    s->story.waiting = true;
    s->panel = PANEL_NONE;
    if (!shows_text_of(s, &stories[at])) {
        return run_text_of(s, &stories[at], err);
    }
    run_commands(s);
    return true;
}

void story_leave(Session *s)
{
    s->story.story = 0;
    s->story.waiting = false;
    s->version++;
}

static bool number_holds(const StoryCondition *when, double is)
{
    switch (when->relation) {
    case STORY_AT_LEAST:
        return is >= when->number - 1e-6;
    case STORY_AT_MOST:
        return is <= when->number + 1e-6;
    default:
        return is >= when->number - 1e-6 && is <= when->number + 1e-6;
    }
}

static bool holds(const Session *s, const StoryCondition *when)
{
    static const char *const masks[] = {"auto", "causal", "none"};
    const Selection *sel = &s->selection;
    TraceParams params = session_params(s);
    switch (when->what) {
    case STORY_LAYER:
        return number_holds(when, sel->layer);
    case STORY_HEAD:
        return number_holds(when, sel->head);
    case STORY_QUERY:
        return number_holds(when, sel->query);
    case STORY_KEY:
        return number_holds(when, sel->key);
    case STORY_STEP:
        return number_holds(when, sel->step);
    case STORY_TEMPERATURE:
        return number_holds(when, params.temperature > 0 ? (double)params.temperature : 1);
    case STORY_VIEW:
        return strcmp(view_name(s->view), when->name) == 0;
    case STORY_MASK:
        return strcmp(masks[params.mask], when->name) == 0;
    default:
        return false;
    }
}

void story_update(Session *s)
{
    const StoryScene *scene = session_scene(s);
    if (!scene) {
        return;
    }
    if (s->story.waiting) {
        bool over = s->trace && !s->run;
        s->story.waiting = !over;
        if (over && shows_text_of(s, session_story(s))) { /* and no other text came meanwhile */
            run_commands(s);
        }
        return;
    }
    if (scene->asks && !s->story.tried && !s->run && holds(s, &scene->when)) {
        s->story.tried = true;
        s->version++;
    }
}

/* ---- words ---- */

/* What stands for a name in braces; NULL when it is not one. */
static const char *value_of(Session *s, const char *name, size_t n, char out[TOKEN_LABEL_MAX])
{
    const Selection *sel = &s->selection;
    const Reading *r = session_reading(s);
    const struct {
        const char *name;
        double value;
        const char *form;
    } numbers[] = {{"weight", r ? (double)r->cell.weight : 0, "%.2f"},
                   {"percent", r ? 100 * (double)r->cell.weight : 0, "%.0f %%"},
                   {"layer", sel->layer, "%.0f"},
                   {"head", sel->head, "%.0f"}};
    for (size_t i = 0; i < AS_COUNT(numbers); i++) {
        if (strlen(numbers[i].name) == n && memcmp(numbers[i].name, name, n) == 0) {
            snprintf(out, TOKEN_LABEL_MAX, numbers[i].form, numbers[i].value);
            return out;
        }
    }
    if (n == 5 && memcmp(name, "query", n) == 0) {
        return session_label(s, sel->query, out);
    }
    return n == 3 && memcmp(name, "key", n) == 0 ? session_key_label(s, sel->key, out) : NULL;
}

const char *story_words(Session *s, const char *words, Arena *arena)
{
    StrBuf out = {0};
    bool ok = true;
    while (ok && *words) {
        size_t plain = strcspn(words, "{");
        ok = strbuf_add(&out, words, plain, NULL);
        words += plain;
        size_t n = *words ? strcspn(words + 1, "}") : 0;
        if (*words && words[1 + n]) {
            char label[TOKEN_LABEL_MAX];
            const char *value = s->trace ? value_of(s, words + 1, n, label) : NULL;
            ok = ok && strbuf_puts(&out, value ? value : "…", NULL);
            words += n + 2;
        } else if (*words) {
            ok = ok && strbuf_add(&out, words++, 1, NULL);
        }
    }
    const char *text = ok ? arena_strdup(arena, strbuf_text(&out), NULL) : NULL;
    strbuf_free(&out);
    return text ? text : "";
}

void story_free(StoryPlace *place)
{
    arena_destroy(&place->arena);
    *place = (StoryPlace){0};
}
