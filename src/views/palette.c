#include "views/internal.h"

#include "base/file.h"
#include "session/commands.h"
#include "session/find.h"
#include "session/survey.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_LISTED = 6, HEADS_LISTED = 5 };

const char *palette_kind_name(PaletteKind kind)
{
    static const char *const names[PALETTE_KIND_COUNT] = {
        [PALETTE_PLACE] = "go to",      [PALETTE_VIEW] = "view",   [PALETTE_COMMAND] = "command",
        [PALETTE_MODEL] = "model",      [PALETTE_TOKEN] = "token", [PALETTE_HEAD] = "head",
        [PALETTE_TEXT] = "recent text",
    };
    return names[kind];
}

void palette_free(Palette *palette)
{
    arena_destroy(&palette->arena);
    *palette = (Palette){0};
}

void palette_list_models(Palette *palette, const char *model_cache)
{
    ModelListing *all;
    size_t n;
    arena_reset(&palette->arena);
    palette->n_models = 0;
    if (!model_list_local(&palette->arena, model_cache, &all, &n, NULL)) {
        return;
    }
    palette->models = ARENA_ARRAY(&palette->arena, const char *, n + 1, NULL);
    palette->model_places = ARENA_ARRAY(&palette->arena, const char *, n + 1, NULL);
    for (size_t i = 0; palette->models && palette->model_places && i < n; i++) {
        palette->models[i] = all[i].spec;
        palette->model_places[i] = all[i].where;
        palette->n_models++;
    }
}

/* ---- gathering ---- */

typedef struct Finder {
    ViewContext *c;
    const char *typed;
    const char *missing; /* PaletteResults */
    ARRAY_OF(PaletteEntry) all;
} Finder;

static Arena *arena_of(const Finder *f)
{
    return &f->c->ui->list->arena;
}

static const char *key_of(const Finder *f, const char *line)
{
    const KeyMap *keys = f->c->views->desc.keys;
    const KeyBinding *binding =
        keys ? keys_find_command(keys, line, view_name(f->c->session->view)) : NULL;
    return binding ? binding->key : "";
}

/* Adds it when it matches: by its title, or less well by what it does. */
static void offer(Finder *f, PaletteEntry entry, int bonus)
{
    int title = fuzzy_score(f->typed, entry.title, &entry.match);
    FuzzyMatch ignored;
    int detail = f->typed[0] ? fuzzy_score(f->typed, entry.detail, &ignored) : 0;
    /* Scattered letters of a sentence mean nothing: at least half of what a word would get. */
    size_t n = strlen(f->typed);
    detail = detail < (int)n * 60 ? 0 : detail * 2 / 3;
    if (detail > title) {
        entry.match.n = 0;
    }
    entry.score = AS_MAX(title, detail);
    if (entry.score <= 0) {
        return;
    }
    entry.score += f->typed[0] ? bonus : 0;
    entry.order = (int)f->all.n;
    entry.icon = entry.kind == PALETTE_COMMAND ? ICON_COMMAND
                 : entry.kind == PALETTE_MODEL ? ICON_ARCHITECTURE
                                               : entry.icon;
    entry.key = entry.key ? entry.key : key_of(f, entry.line);
    (void)ARRAY_PUSH(&f->all, entry, NULL);
}

static bool is_listed(const Finder *f, const char *line)
{
    for (size_t i = 0; i < f->all.n; i++) {
        if (strcmp(f->all.items[i].line, line) == 0) {
            return true;
        }
    }
    return false;
}

/* "night|paper|contrast": words that can be chosen as they are. */
static bool is_choice(const char *word, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool fine = islower((unsigned char)word[i]) || word[i] == '-';
        if (!fine || (word[i] == '-' && (i == 0 || i + 1 == n))) {
            return false;
        }
    }
    return n > 0;
}

static void offer_command(Finder *f, const char *name, const char *arguments, const char *help)
{
    bool optional = arguments[0] == '[' || !arguments[0];
    bool choices = strchr(arguments, '|') != NULL;
    bool rest = !choices; /* something is left to be written by hand */
    const char *at = arguments + (arguments[0] == '[');
    while (choices && *at) {
        size_t n = strcspn(at, "|]");
        if (is_choice(at, n)) {
            const char *line = draw_format(f->c->ui->list, "%s %.*s", name, (int)n, at);
            offer(f,
                  (PaletteEntry){
                      .kind = PALETTE_COMMAND, .title = line, .detail = help, .line = line},
                  0);
        } else {
            rest = true;
        }
        at += n + (at[n] != 0);
    }
    if (optional) {
        offer(f,
              (PaletteEntry){.kind = PALETTE_COMMAND, .title = name, .detail = help, .line = name},
              20);
    } else if (rest) {
        offer(f,
              (PaletteEntry){.kind = PALETTE_COMMAND,
                             .title = draw_format(f->c->ui->list, "%s %s", name, arguments),
                             .detail = help,
                             .line = name,
                             .asks = true},
              10);
    }
}

/* What was written in full: a command's name and what it is to do. */
static void offer_written(Finder *f)
{
    size_t n = strcspn(f->typed, " ");
    if (!f->typed[n] || !f->typed[n + 1]) {
        return;
    }
    const char *help = NULL;
    for (const SessionCommand *const *table = session_command_tables; *table; table++) {
        for (const SessionCommand *command = *table; command->name; command++) {
            if (strlen(command->name) == n && memcmp(command->name, f->typed, n) == 0) {
                help = command->help;
            }
        }
    }
    const ViewCommand *own = view_def(f->c->session->view)->commands;
    for (; own && own->name; own++) {
        if (strlen(own->name) == n && memcmp(own->name, f->typed, n) == 0) {
            help = own->help;
        }
    }
    if (help && !is_listed(f, f->typed)) {
        const char *line = draw_format(f->c->ui->list, "%s", f->typed);
        offer(f,
              (PaletteEntry){.kind = PALETTE_COMMAND, .title = line, .detail = help, .line = line},
              4000);
    }
}

static void offer_views(Finder *f)
{
    for (int i = 0; i < VIEW_COUNT; i++) {
        ViewId id = (ViewId)i;
        const char *line = draw_format(f->c->ui->list, "view %s", view_name(id));
        offer(f,
              (PaletteEntry){.kind = PALETTE_VIEW,
                             .title = view_title(id),
                             .detail = view_def(id)->help,
                             .icon = view_def(id)->icon,
                             .line = line},
              40);
    }
}

static void offer_commands(Finder *f)
{
    const ViewCommand *own = view_def(f->c->session->view)->commands;
    for (; own && own->name; own++) {
        offer_command(f, own->name, own->arguments, own->help);
    }
    const KeyMap *keys = f->c->views->desc.keys;
    for (const SessionCommand *const *table = session_command_tables; *table; table++) {
        for (const SessionCommand *command = *table; command->name; command++) {
            /* Hovering, and what playback does to itself, is nothing to choose. */
            if (!command->fleeting && strcmp(command->name, "palette") != 0 &&
                strcmp(command->name, "view") != 0) {
                offer_command(f, command->name, command->arguments, command->help);
            }
        }
    }
    /* What keys do with arguments of their own: "layer +1". */
    for (size_t i = 0; keys && i < keys->n; i++) {
        const KeyBinding *b = &keys->bindings[i];
        bool acts = keys_acts(keys, b, view_name(f->c->session->view));
        if (acts && b->help[0] && strncmp(b->command, "palette", 7) != 0 &&
            !is_listed(f, b->command)) {
            offer(f,
                  (PaletteEntry){.kind = PALETTE_COMMAND,
                                 .title = b->command,
                                 .detail = b->help,
                                 .line = b->command},
                  0);
        }
    }
}

static void offer_models(Finder *f)
{
    const Palette *p = &f->c->views->palette;
    for (size_t i = 0; i < p->n_models; i++) {
        const char *name = strchr(p->models[i], '/') ? path_base_name(p->models[i]) : p->models[i];
        offer(f,
              (PaletteEntry){.kind = PALETTE_MODEL,
                             .title = name,
                             .detail = p->model_places[i],
                             .line = draw_format(f->c->ui->list, "model %s", p->models[i])},
              5);
    }
}

static void offer_recent(Finder *f)
{
    const Recent *recent = &f->c->session->recent;
    for (int i = 0; i < recent->n; i++) {
        const char *line = recent->lines[i];
        if (strncmp(line, "model ", 6) == 0) {
            continue; /* among the models */
        }
        bool file = strncmp(line, "open ", 5) == 0;
        offer(f,
              (PaletteEntry){.kind = PALETTE_TEXT,
                             .title = file ? path_base_name(line)
                                           : draw_format(f->c->ui->list, "%.60s", line + 5),
                             .detail = file ? line + 5 : "run the model on it again",
                             .line = line,
                             .icon = ICON_OPEN},
              5);
    }
}

/* ---- places ---- */

static void offer_token(Finder *f, int32_t token, int score)
{
    ViewContext *c = f->c;
    int32_t last = trace_info(c->session->trace)->n_queries - 1;
    PaletteEntry entry = {
        .kind = PALETTE_TOKEN,
        .title = label_of(c, token),
        .detail = draw_format(c->ui->list, "t%d   %s %s %s", token,
                              token > 0 ? label_of(c, token - 1) : "", label_of(c, token),
                              token < last ? label_of(c, token + 1) : ""),
        .line = draw_format(c->ui->list, "go t%d", token),
        .key = "",
        .color = token_color(c, token),
        .score = score,
        .order = (int)f->all.n,
    };
    (void)ARRAY_PUSH(&f->all, entry, NULL);
}

static void offer_place(Finder *f)
{
    const Session *s = f->c->session;
    Place place;
    if (!s->trace || !place_parse(f->typed, &place)) {
        return;
    }
    /* "layer 7" is a command as it stands. */
    bool one = (place.layer < 0) != (place.head < 0);
    if (one && strcspn(f->typed, " ") > 3) {
        return;
    }
    const TraceInfo *info = trace_info(s->trace);
    Error err = {0};
    if (!place_is_there(info, &place, &err)) {
        f->missing = draw_format(f->c->ui->list, "%s", err.message);
        return;
    }
    if (place.token >= 0) {
        offer_token(f, place.token, 1 << 20);
        return;
    }
    int32_t layer = place.layer >= 0 ? place.layer : s->selection.layer;
    int32_t head = place.head >= 0 ? place.head : s->selection.head;
    DrawList *list = f->c->ui->list;
    PaletteEntry entry = {
        .kind = PALETTE_PLACE,
        .title = draw_format(list, "L%d H%d", layer, head),
        .detail = draw_format(list, "layer %d of 0–%d, head %d of 0–%d", layer, info->n_layers - 1,
                              head, info->n_heads - 1),
        .line = draw_format(list, "go L%d H%d", layer, head),
        .key = "",
        .color = color_head(head),
        .score = 1 << 20,
    };
    (void)ARRAY_PUSH(&f->all, entry, NULL);
}

/* 0: not in it; 3 the whole token, 2 its beginning, 1 somewhere. ASCII letters in any case. */
static int token_fits(const char *typed, const char *text)
{
    while (*text == ' ') {
        text++;
    }
    if (strncasecmp(text, typed, strlen(typed)) == 0) {
        return text[strlen(typed)] ? 2 : 3;
    }
    return strcasestr(text, typed) ? 1 : 0;
}

static size_t offer_tokens(Finder *f)
{
    const Session *s = f->c->session;
    const char *typed = f->typed;
    bool named = strncmp(typed, "token ", 6) == 0;
    typed += named ? 6 : 0;
    if (!s->trace || strlen(typed) < (named ? 1u : 2u)) {
        return 0;
    }
    const TraceToken *tokens = trace_tokens(s->trace);
    int32_t n = trace_info(s->trace)->n_queries;
    int32_t best[TOKENS_LISTED];
    int fits[TOKENS_LISTED];
    size_t n_best = 0;
    size_t n_all = 0;
    for (int32_t i = 0; i < n; i++) {
        int fit = tokens[i].text ? token_fits(typed, tokens[i].text) : 0;
        if (!fit) {
            continue;
        }
        n_all++;
        size_t at = n_best;
        while (at > 0 && fits[at - 1] < fit) {
            at--;
        }
        if (at == TOKENS_LISTED) {
            continue;
        }
        n_best = AS_MIN(n_best + 1, (size_t)TOKENS_LISTED);
        memmove(best + at + 1, best + at, (n_best - at - 1) * sizeof *best);
        memmove(fits + at + 1, fits + at, (n_best - at - 1) * sizeof *fits);
        best[at] = i;
        fits[at] = fit;
    }
    for (size_t i = 0; i < n_best; i++) {
        static const int scores[] = {0, 120, 260, 420};
        offer_token(f, best[i], scores[fits[i]] + (named ? 4000 : 0));
    }
    return n_all - n_best;
}

/* Heads by the name of what they do, the strongest first. */
static void offer_heads(Finder *f)
{
    const Session *s = f->c->session;
    const Survey *survey = s->survey;
    if (!s->trace || !survey || survey->trace_version != s->trace_version || strlen(f->typed) < 3) {
        return;
    }
    const TraceInfo *info = trace_info(s->trace);
    int32_t heads = AS_MIN(survey->layers_scored, info->n_layers) * info->n_heads;
    for (int p = 0; p < PATTERN_COUNT; p++) {
        const char *name = pattern_name((Pattern)p);
        int score = fuzzy_score(f->typed, name, NULL);
        float last = 2;
        int32_t last_at = -1;
        for (int k = 0; score > 0 && k < HEADS_LISTED; k++) {
            int32_t at = -1;
            for (int32_t i = 0; i < heads; i++) {
                float w = survey->heads[i].scores.score[p];
                bool after = w < last || (w == last && i > last_at);
                if (survey->heads[i].scores.best == p && after &&
                    (at < 0 || w > survey->heads[at].scores.score[p])) {
                    at = i;
                }
            }
            if (at < 0) {
                break;
            }
            last = survey->heads[at].scores.score[p];
            last_at = at;
            DrawList *list = f->c->ui->list;
            PaletteEntry entry = {
                .kind = PALETTE_HEAD,
                .title = draw_format(list, "L%d H%d", at / info->n_heads, at % info->n_heads),
                .detail = draw_format(list, "%s %.2f", name, (double)last),
                .line = draw_format(list, "go L%d H%d", at / info->n_heads, at % info->n_heads),
                .key = "",
                .color = pattern_color((Pattern)p),
                .score = score,
                .order = (int)f->all.n,
            };
            (void)ARRAY_PUSH(&f->all, entry, NULL);
        }
    }
}

static int by_score(const void *a, const void *b)
{
    const PaletteEntry *x = a;
    const PaletteEntry *y = b;
    return x->score != y->score ? (x->score < y->score) - (x->score > y->score)
                                : (x->order > y->order) - (x->order < y->order);
}

PaletteResults palette_find(ViewContext *c, const char *typed)
{
    Finder f = {.c = c, .typed = typed};
    PaletteResults results = {0};
    offer_place(&f);
    offer_views(&f);
    offer_commands(&f);
    offer_written(&f);
    offer_models(&f);
    offer_recent(&f);
    offer_heads(&f);
    results.n_tokens_more = offer_tokens(&f);
    results.entries = ARENA_ARRAY(arena_of(&f), PaletteEntry, AS_MAX(f.all.n, 1u), NULL);
    if (results.entries && f.all.n) {
        memcpy(results.entries, f.all.items, f.all.n * sizeof *results.entries);
        results.n = f.all.n;
        qsort(results.entries, results.n, sizeof *results.entries, by_score);
    }
    ARRAY_FREE(&f.all);
    results.missing = f.missing;
    return results;
}
