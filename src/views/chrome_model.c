#include "views/internal.h"

#include "base/file.h"
#include "ui/popup.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void list_models(Views *views)
{
    views->models_listed = true;
    if (!model_list_local(&views->model_arena, views->desc.model_cache, &views->models,
                          &views->n_models, NULL)) {
        views->n_models = 0;
    }
}

static bool same_place(const char *a, const char *b)
{
    char x[PATH_MAX];
    char y[PATH_MAX];
    return realpath(a, x) && realpath(b, y) && strcmp(x, y) == 0;
}

/* Does `spec` open this one? A folder may be written in many ways. */
static bool opens(const char *spec, const ModelListing *one)
{
    return strcmp(spec, one->spec) == 0 || (one->path[0] && same_place(spec, one->path));
}

/* Found where `spec` says, in place of by a name. */
static bool is_path(const ModelListing *one)
{
    return one->path[0] && strcmp(one->spec, one->path) == 0;
}

static const char *short_name(const ModelListing *one)
{
    return is_path(one) ? path_base_name(one->spec) : one->spec;
}

/* The short name; where another one has the same, the place too. */
static const char *entry_name(Ui *ui, const Views *views, size_t at)
{
    const ModelListing *one = &views->models[at];
    const char *name = short_name(one);
    for (size_t i = 0; i < views->n_models; i++) {
        if (i != at && strcmp(short_name(&views->models[i]), name) == 0) {
            return draw_format(ui->list, "%s · %s", name, one->where);
        }
    }
    return name;
}

typedef struct Menu {
    const char **items, **specs; /* [n] in the frame's arena */
    int n, current;
} Menu;

static bool is_in(const Menu *menu, const char *spec)
{
    for (int i = 0; i < menu->n; i++) {
        if (strcmp(menu->specs[i], spec) == 0 || same_place(menu->specs[i], spec)) {
            return true;
        }
    }
    return false;
}

/* Models opened before that are found nowhere by themselves, while they are still there. */
static void add_recent(ViewContext *c, Menu *menu)
{
    static const char command[] = "model ";
    const Views *views = c->views;
    const Recent *recent = &c->session->recent;
    for (int i = 0; i < recent->n; i++) {
        const char *spec = recent->lines[i] + sizeof command - 1;
        bool listed = strncmp(recent->lines[i], command, sizeof command - 1) != 0 ||
                      (strchr(spec, '/') && !path_exists(spec)) || is_in(menu, spec);
        for (size_t k = 0; k < views->n_models; k++) {
            listed = listed || opens(spec, &views->models[k]);
        }
        if (!listed) {
            menu->specs[menu->n] = spec;
            menu->items[menu->n++] = draw_format(c->ui->list, "%s · recent",
                                                 strchr(spec, '/') ? path_base_name(spec) : spec);
        }
    }
}

/* What is listed, what was used before, and the model in use where it is none of these. */
static void make_menu(ViewContext *c, const char *spec, const char *name, Menu *menu)
{
    const Views *views = c->views;
    Arena *arena = &c->ui->list->arena;
    size_t most = views->n_models + RECENT_MOST + 1;
    *menu = (Menu){.current = -1,
                   .items = ARENA_ARRAY(arena, const char *, most, NULL),
                   .specs = ARENA_ARRAY(arena, const char *, most, NULL)};
    if (!menu->items || !menu->specs) {
        return;
    }
    for (size_t i = 0; i < views->n_models; i++) {
        if (menu->current < 0 && opens(spec, &views->models[i])) {
            menu->current = menu->n;
        }
        menu->specs[menu->n] = views->models[i].spec;
        menu->items[menu->n++] = entry_name(c->ui, views, i);
    }
    if (menu->current < 0) {
        menu->current = menu->n;
        menu->specs[menu->n] = spec;
        menu->items[menu->n++] = name;
    }
    if (views->models_listed) {
        add_recent(c, menu);
    }
}

void chrome_model_menu(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    Views *views = c->views;
    const Session *s = c->session;
    const char *spec = s->trace           ? trace_info(s->trace)->model_name
                       : s->request.model ? s->request.model
                                          : "tiny";
    const char *name = session_model(s) ? model_info(session_model(s))->name : path_base_name(spec);
    UiId id = UI_ID("model");
    /* A choice is taken in the pass after the menu has closed: the list must still be there. */
    if (ui->popup.id != id && ui->popup.chosen_for != id) {
        views->models_listed = false;
        arena_reset(&views->model_arena);
        views->models = NULL;
        views->n_models = 0;
    }
    Menu menu;
    make_menu(c, spec, name, &menu);
    int chosen = ui_dropdown(ui, id, box, "Model", name, menu.items, menu.n, menu.current);
    if (ui->popup.id == id && !views->models_listed) { /* it opens: from now on with the list */
        list_models(views);
        make_menu(c, spec, name, &menu);
        ui->popup.hot = -1;
        popup_offer(ui, id, box, menu.items, menu.n, menu.current);
        return;
    }
    ui_tooltip(ui, box, spec);
    if (chosen != menu.current && menu.n) {
        session_post(c->session, "model %s", menu.specs[chosen]);
    }
}
