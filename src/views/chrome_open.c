#include "views/internal.h"

#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The open panel: a path that completes itself, a text to write or paste, what was shown before. */

enum { ROW = 32, NAME_ROW = 26, NAMES_SHOWN = 5, AREA = 108, WIDTH = 640, HEIGHT = 560 };

void chrome_open_free(OpenPanel *panel)
{
    mem_free(panel->text);
    arena_destroy(&panel->arena);
    *panel = (OpenPanel){0};
}

static void keep_text(OpenPanel *p, const char *text)
{
    char *copy = mem_strdup(text, NULL);
    if (copy) {
        mem_free(p->text);
        p->text = copy;
    }
}

/* The panel closes when it is there, and says so when it cannot be opened. */
static void ask_for(ViewContext *c, UiId field, const char *line)
{
    OpenPanel *p = &c->views->open;
    p->asked_by = field;
    p->asked_s = c->ui->now_s;
    session_post(c->session, "%s", line);
}

/* ---- what became of it ---- */

/* What is asked for takes a while, or could not be opened; the height that is taken. */
static float answer_part(ViewContext *c, Rect box)
{
    enum { LINE = 18, PAD = 10 };
    static const double QUIET_S = 0.25;
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    Session *s = c->session;
    OpenPanel *p = &c->views->open;
    if (s->open_waits) {
        double waited = ui->now_s - p->asked_s;
        if (waited < QUIET_S) {
            ui_wake_in(ui, QUIET_S - waited + 0.01);
            return 0;
        }
        JobStatus status = jobs_status(s->jobs);
        Rect cancel = {box.x + box.w - 72, box.y, 72, 32};
        ui_label(ui, rect(box.x, box.y, box.w - 84, 18), &(UiLabel){.color = t->text},
                 status.stage ? draw_format(ui->list, "Now %s: %s", status.title, status.stage)
                              : "Waiting for what runs before");
        ui_progress(ui, rect(box.x, box.y + 24, box.w - 84, 6), (float)status.fraction);
        if (ui_button(ui, UI_ID("open-cancel"), cancel, "Cancel", UI_BUTTON_PLAIN)) {
            session_post(s, "cancel");
        }
        return 32 + 16;
    }
    if (!s->open_error.code) {
        return 0;
    }
    UiLabel style = {.color = t->text};
    const char *why = s->open_error.code == ERR_CANCELLED ? "cancelled" : s->open_error.message;
    float room = box.w - 42 - 2 * PAD;
    float h = fminf(ui_paragraph_height(ui, room, &style, LINE, why), 4 * LINE);
    Rect card = {box.x, box.y, box.w, h + 2 * PAD};
    draw_rect(ui->list, &(DrawRect){.box = card,
                                    .radius = 8,
                                    .fill = color_mix(t->card, t->error, 0.1f),
                                    .border = 1,
                                    .border_color = color_mix(t->card, t->error, 0.55f)});
    draw_icon(ui->list, &(DrawIcon){.icon = ICON_WARNING,
                                    .center = {card.x + 21, card.y + PAD + LINE / 2},
                                    .size = 16,
                                    .color = t->error});
    ui_paragraph(ui, rect(card.x + 42, card.y + PAD, room, h), &style, LINE, why);
    return card.h + 16;
}

/* ---- path ---- */

/* "~/x" as the shell means it. */
static const char *expand(Ui *ui, const char *path)
{
    const char *home = getenv("HOME");
    return path[0] == '~' && (path[1] == '/' || !path[1]) && home
               ? draw_format(ui->list, "%s%s", home, path + 1)
               : path;
}

typedef struct Names {
    const char **items; /* that begin with what was typed; a folder ends with / */
    size_t n;
    size_t stem; /* bytes of the path before the name */
} Names;

static void list_folder(OpenPanel *p, const char *folder)
{
    if (p->names && strcmp(p->folder, folder) == 0) {
        return;
    }
    arena_reset(&p->arena);
    p->n_names = 0;
    p->names = NULL;
    snprintf(p->folder, sizeof p->folder, "%s", folder);
    if (path_is_folder(folder) && !folder_list(&p->arena, folder, &p->names, &p->n_names, NULL)) {
        p->n_names = 0;
    }
}

static Names find_names(Ui *ui, OpenPanel *p)
{
    const char *slash = strrchr(p->path, '/');
    Names names = {.stem = slash ? (size_t)(slash - p->path) + 1 : 0};
    const char *prefix = p->path + names.stem;
    const char *folder =
        slash ? expand(ui, draw_format(ui->list, "%.*s", (int)names.stem, p->path)) : ".";
    list_folder(p, folder);
    names.items = ARENA_ARRAY(&ui->list->arena, const char *, p->n_names + 1, NULL);
    for (size_t i = 0; names.items && i < p->n_names; i++) {
        const char *name = p->names[i];
        bool hidden = name[0] == '.' && prefix[0] != '.';
        if (hidden || strncmp(name, prefix, strlen(prefix)) != 0) {
            continue;
        }
        const char *whole = draw_format(ui->list, "%s/%s", folder, name);
        names.items[names.n++] = path_is_folder(whole) ? draw_format(ui->list, "%s/", name) : name;
        if (names.n > 400) {
            break; /* a long list is looked into when more of the name is there */
        }
    }
    return names;
}

static void put_path(Ui *ui, OpenPanel *p, UiId id, size_t stem, const char *name, size_t n)
{
    char path[sizeof p->path];
    snprintf(path, sizeof path, "%.*s%.*s", (int)stem, p->path, (int)n, name);
    memcpy(p->path, path, sizeof path);
    text_field_continue(ui, id, p->path);
    ui->moves = true;
}

/* As far as all names agree. */
static void complete(Ui *ui, OpenPanel *p, UiId id, const Names *names)
{
    if (!names->n) {
        return;
    }
    size_t n = strlen(names->items[0]);
    for (size_t i = 1; i < names->n; i++) {
        size_t same = 0;
        while (same < n && names->items[i][same] == names->items[0][same]) {
            same++;
        }
        n = same;
    }
    while (n && ((unsigned char)names->items[0][n] & 0xC0) == 0x80) {
        n--; /* whole characters */
    }
    put_path(ui, p, id, names->stem, names->items[0], n);
}

static void open_path(ViewContext *c, const char *path)
{
    ask_for(c, UI_ID("open-path"), draw_format(c->ui->list, "open %s", expand(c->ui, path)));
}

/* A folder is gone into, unless it holds a model. */
static void choose_name(ViewContext *c, UiId id, size_t stem, const char *name)
{
    OpenPanel *p = &c->views->open;
    Ui *ui = c->ui;
    const char *path = draw_format(ui->list, "%.*s%s", (int)stem, p->path, name);
    bool folder = path_has_suffix(name, "/");
    if (folder && !path_exists(expand(ui, draw_format(ui->list, "%sconfig.json", path)))) {
        put_path(ui, p, id, stem, name, strlen(name));
        return;
    }
    open_path(c, path);
}

/* Returns the height that is taken. */
static float path_part(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    OpenPanel *p = &c->views->open;
    UiId id = UI_ID("open-path");
    ui_caps(ui, rect(box.x, box.y, box.w, 14), "A file or a folder");
    Names names = {0};
    bool edited = text_field_is_edited(ui, id);
    if (edited) {
        names = find_names(ui, p);
        if (p->path[0] && names.n && ui_take_key(ui, KEY_TAB, 0)) {
            complete(ui, p, id, &names);
        }
    }
    Rect field = {box.x, box.y + 20, box.w - 84, 32};
    TextFieldResult result =
        ui_text_field(ui, id, field,
                      &(TextField){.text = p->path,
                                   .placeholder = "a text, a model's folder, a .gguf, a record",
                                   .icon = ICON_OPEN,
                                   .has_icon = true});
    const char *live = text_field_live(ui, id);
    if (live && strcmp(live, p->path) != 0) {
        snprintf(p->path, sizeof p->path, "%s", live);
        ui->moves = true;
    }
    bool open = ui_button(ui, UI_ID("open-go"), rect(box.x + box.w - 72, box.y + 20, 72, 32),
                          "Open", UI_BUTTON_PLAIN);
    if ((open || result == TEXT_FIELD_SUBMIT) && p->path[0]) {
        open_path(c, p->path);
    } else if (result == TEXT_FIELD_CANCEL) {
        session_post(c->session, "open");
    }
    float y = field.y + field.h + 4;
    size_t shown = AS_MIN(names.n, (size_t)NAMES_SHOWN);
    for (size_t i = 0; i < shown && p->path[0]; i++) {
        Rect row = {box.x, y, field.w, NAME_ROW};
        bool hot;
        if (ui_click(ui, ui_id("open-name", (int64_t)i), row, false, &hot, NULL)) {
            choose_name(c, id, names.stem, names.items[i]);
        }
        if (hot) {
            draw_rect(ui->list, &(DrawRect){.box = row, .radius = 6, .fill = t->accent_tint});
        }
        ui_label(ui, rect(row.x + 38, row.y, row.w - 130, row.h),
                 &(UiLabel){.color = hot ? t->text : t->text2}, names.items[i]);
        if (i == 0) {
            ui_label(ui, rect(row.x + row.w - 88, row.y, 80, row.h),
                     &(UiLabel){.size = 11, .color = t->text3, .align = DRAW_RIGHT},
                     names.n > shown ? draw_format(ui->list, "Tab · %zu", names.n) : "Tab");
        }
        y += NAME_ROW;
    }
    return y - box.y;
}

/* ---- text ---- */

static float text_part(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    OpenPanel *p = &c->views->open;
    UiId id = UI_ID("open-text");
    ui_caps(ui, rect(box.x, box.y, box.w, 14), "A text");
    TextFieldResult result = ui_text_area(
        ui, id, rect(box.x, box.y + 20, box.w, AREA),
        &(TextArea){.text = p->text ? p->text : "",
                    .hint = "Write or paste a text. Ctrl+Enter runs the model on it."});
    const char *live = text_field_live(ui, id);
    if (live && (!p->text || strcmp(live, p->text) != 0)) {
        keep_text(p, live);
    }
    bool go = ui_button(ui, UI_ID("open-run"), rect(box.x + box.w - 72, box.y + AREA + 28, 72, 32),
                        "Run", UI_BUTTON_ACCENT);
    if (p->text) {
        ui_label(ui, rect(box.x, box.y + AREA + 28, box.w - 84, 32),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text3},
                 draw_format(ui->list, "%zu bytes", strlen(p->text)));
    }
    if (result == TEXT_FIELD_SUBMIT || (go && p->text && *p->text)) {
        const char *line = text_escape(&ui->list->arena, p->text ? p->text : "",
                                       p->text ? strlen(p->text) : 0, NULL);
        ask_for(c, id, draw_format(ui->list, "text %s", line ? line : ""));
    } else if (result == TEXT_FIELD_CANCEL) {
        session_post(c->session, "open");
    }
    return 20 + AREA + 8 + 32;
}

/* ---- what was shown before ---- */

static void recent_row(ViewContext *c, Rect row, const char *line, int i)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    const char *what = strchr(line, ' ');
    bool text = strncmp(line, "text", 4) == 0;
    bool model = strncmp(line, "model", 5) == 0;
    bool hot;
    if (ui_click(ui, ui_id("open-recent", i), row, true, &hot, NULL)) {
        ask_for(c, UI_ID("open-path"), line);
    }
    if (hot) {
        draw_rect(ui->list, &(DrawRect){.box = row, .radius = 6, .fill = t->accent_tint});
    }
    draw_icon(ui->list, &(DrawIcon){.icon = model  ? ICON_ARCHITECTURE
                                            : text ? ICON_LECTURE
                                                   : ICON_OPEN,
                                    .center = {row.x + 18, row.y + row.h / 2},
                                    .size = 16,
                                    .color = hot ? t->accent : t->text3});
    const char *name = what ? what + 1 : line;
    if (!text && strchr(name, '/')) {
        const char *base = path_base_name(name);
        float w = ui_label(ui, rect(row.x + 38, row.y, row.w * 0.5f, row.h),
                           &(UiLabel){.color = t->text}, base);
        float x = row.x + 38 + w + 12;
        ui_label(ui, rect(x, row.y, row.x + row.w - 10 - x, row.h),
                 &(UiLabel){.size = 11, .color = t->text3}, name);
        return;
    }
    ui_label(ui, rect(row.x + 38, row.y, row.w - 48, row.h), &(UiLabel){.color = t->text},
             draw_format(ui->list, "%.300s", name));
}

static void draw_recent(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    const Recent *recent = &c->session->recent;
    if (box.h < 20 + ROW) {
        return;
    }
    ui_caps(ui, rect(box.x, box.y, box.w, 14), "Shown before");
    Rect list = {box.x, box.y + 20, box.w, box.h - 20};
    if (!recent->n) {
        ui_label(ui, rect(list.x, list.y, list.w, ROW), &(UiLabel){.color = ui->theme.text2},
                 "What you look at is listed here, also the next time.");
        return;
    }
    OpenPanel *p = &c->views->open;
    Rect inner =
        ui_scroll_begin(ui, UI_ID("open-scroll"), list, (float)recent->n * ROW, &p->scroll);
    for (int i = 0; i < recent->n; i++) {
        Rect row = {inner.x, inner.y + ROW * (float)i, inner.w, ROW};
        if (row.y + row.h > list.y - ROW && row.y < list.y + list.h + ROW) {
            recent_row(c, row, recent->lines[i], i);
        }
    }
    ui_scroll_end(ui, &p->scroll);
}

static void begin(ViewContext *c)
{
    Ui *ui = c->ui;
    Session *s = c->session;
    OpenPanel *p = &c->views->open;
    p->opened = s->open_opened;
    p->failed = s->open_failed;
    p->path[0] = 0;
    p->scroll = (UiScroll){0};
    arena_reset(&p->arena);
    p->names = NULL;
    p->n_names = 0;
    if (!s->wants_paste) {
        text_field_continue(ui, UI_ID("open-path"), "");
        return;
    }
    s->wants_paste = false;
    const char *text = ui->clipboard.get ? ui->clipboard.get(ui->clipboard.payload) : NULL;
    keep_text(p, text ? text : "");
    text_field_continue(ui, UI_ID("open-text"), p->text ? p->text : "");
}

void chrome_open(ViewContext *c, Rect window)
{
    OpenPanel *p = &c->views->open;
    bool closed;
    Rect in = ui_dialog(c->ui, UI_ID("open-close"), window, WIDTH, HEIGHT, "Open", &closed);
    if (closed) {
        session_post(c->session, "open");
    }
    if (p->opened != c->session->open_opened) {
        begin(c);
    }
    if (p->failed != c->session->open_failed) { /* what was typed stands, to be mended */
        p->failed = c->session->open_failed;
        bool text = p->asked_by == UI_ID("open-text");
        text_field_continue(c->ui, p->asked_by, !text ? p->path : p->text ? p->text : "");
    }
    float low = in.y + in.h;
    in.y += answer_part(c, in);
    in.y += path_part(c, in) + 16;
    in.y += text_part(c, in) + 12;
    draw_recent(c, rect(in.x, in.y, in.w, low - in.y));
}
