#include "views/internal.h"

#include "ui/controls.h"

#include <math.h>
#include <string.h>

enum { PAD = 24, KEY_ROW = 26, KEY_NAME = 116 };

/* The dialog; its text starts PAD from its left edge. */
static Rect panel_card(ViewContext *c, Rect window, float w, float h, const char *title)
{
    bool closed;
    Rect in = ui_dialog(c->ui, UI_ID("close-panel"), window, w, h, title, &closed);
    if (closed) {
        static const char *const closes[] = {
            [PANEL_HELP] = "help", [PANEL_SETTINGS] = "settings", [PANEL_STORIES] = "stories"};
        session_post(c->session, "%s", closes[c->session->panel]);
    }
    return rect(in.x - PAD, in.y - 60, in.w + 2 * PAD, in.h + 60 + PAD);
}

/* ---- keys ---- */

/* Those that act in the view in front, each command once. */
static bool is_shown(const KeyMap *keys, size_t at, const char *view)
{
    const KeyBinding *b = &keys->bindings[at];
    return b->help[0] && keys_find_command(keys, b->command, view) == b;
}

static void key_row(Ui *ui, Rect row, const KeyBinding *binding)
{
    float w = fmaxf(ui_text_width(ui, FONT_MONO, 11, binding->key) + 16, 26);
    Rect cap = {row.x + 104 - w, row.y + 3, w, row.h - 6};
    ui_key_cap(ui, cap, binding->key);
    ui_label(ui, rect(row.x + KEY_NAME, row.y, row.w - KEY_NAME - 8, row.h),
             &(UiLabel){.face = FONT_SANS}, binding->help);
}

/* What the overlay lists: headings and bindings. */
typedef struct KeyLine {
    const char *heading; /* or NULL */
    const KeyBinding *binding;
} KeyLine;

/* The keys of the view in front come first. */
static int collect_keys(ViewContext *c, KeyLine **lines)
{
    const KeyMap *keys = c->views->desc.keys;
    ViewId id = c->session->view;
    size_t most = (keys ? keys->n : 0) + 3;
    int n = 0;
    *lines = ARENA_ARRAY(&c->ui->list->arena, KeyLine, most, NULL);
    for (int own = 1; *lines && keys && own >= 0; own--) {
        int heading = n++;
        for (size_t i = 0; i < keys->n; i++) {
            if ((keys->bindings[i].place[0] != 0) == own && is_shown(keys, i, view_name(id))) {
                (*lines)[n++] = (KeyLine){.binding = &keys->bindings[i]};
            }
        }
        if (n == heading + 1) {
            n--; /* nothing under it */
        } else {
            (*lines)[heading] = (KeyLine){
                .heading = own ? draw_format(c->ui->list, "In %s", view_title(id)) : "Everywhere"};
        }
    }
    return n;
}

static void draw_help(ViewContext *c, Rect window)
{
    Ui *ui = c->ui;
    KeyLine *lines;
    int n = collect_keys(c, &lines);
    float longest = 0;
    for (int i = 0; i < n; i++) {
        const char *words = lines[i].heading ? "" : lines[i].binding->help;
        longest = fmaxf(longest, ui_text_width(ui, FONT_SANS, 12, words));
    }
    float whole = KEY_NAME + longest + 24; /* as many columns as keep the words whole */
    int cols = AS_CLAMP((int)((window.w - 16 - 2 * PAD) / whole), 1, 3);
    int rows = AS_MAX(1, (n + cols - 1) / cols);
    float col_w = fminf(whole, (window.w - 16 - 2 * PAD) / (float)cols);
    float all = KEY_ROW * (float)rows;
    static const char about[] =
        "The wheel zooms to the pointer, a drag moves, a click pins. Drop a text, a model or "
        "a record on the window to open it. Ctrl+K finds every command by name.";
    UiLabel note = {.face = FONT_SANS, .color = ui->theme.text3};
    float words = ui_paragraph_height(ui, col_w * (float)cols, &note, 18, about);
    Rect card = panel_card(c, window, col_w * (float)cols + 2 * PAD, 64 + all + 26 + words, "Keys");
    Rect list = {card.x + PAD, card.y + 60, card.w - 2 * PAD, card.h - 60 - 22 - words};
    Rect in = ui_scroll_begin(ui, UI_ID("keys-scroll"), list, all, &c->views->keys_scroll);
    for (int at = 0; at < n; at++) {
        Rect row = {in.x + col_w * (float)(at / rows), in.y + KEY_ROW * (float)(at % rows),
                    col_w - (at / rows == cols - 1 ? 10.0f : 0), KEY_ROW};
        if (row.y < list.y - 1 || row.y + row.h > list.y + list.h + 1) { /* whole ones */
            continue;
        }
        if (lines[at].heading) {
            ui_caps(ui, rect(row.x + KEY_NAME, row.y, row.w - KEY_NAME, row.h), lines[at].heading);
        } else {
            key_row(ui, row, lines[at].binding);
        }
    }
    ui_scroll_end(ui, &c->views->keys_scroll);
    ui_paragraph(ui, rect(card.x + PAD, card.y + card.h - 10 - words, card.w - 2 * PAD, words),
                 &note, 18, about);
}

/* ---- settings ---- */

static void draw_settings(ViewContext *c, Rect window)
{
    static const char *const themes[] = {"Night", "Paper", "Contrast"};
    static const char *const theme_names[] = {"night", "paper", "contrast"};
    static const char *const levels[] = {"Simple", "Student", "Engineer"};
    static const char *const level_names[] = {"simple", "student", "engineer"};
    Ui *ui = c->ui;
    const SessionOptions *o = &c->session->options;
    Rect card = panel_card(c, window, 420, 290, "Settings");
    Rect row = {card.x + PAD, card.y + 66, card.w - 2 * PAD, 14};
    ui_caps(ui, row, "Theme");
    int theme = ui_segmented(ui, UI_ID("set-theme"), rect(row.x, row.y + 20, row.w, 32), themes, 3,
                             o->theme);
    if (theme != o->theme) {
        session_post(c->session, "theme %s", theme_names[theme]);
    }
    row.y += 70;
    ui_caps(ui, row, "Explanations");
    int level = ui_segmented(ui, UI_ID("set-level"), rect(row.x, row.y + 20, row.w, 32), levels, 3,
                             (int)o->level);
    if (level != (int)o->level) {
        session_post(c->session, "level %s", level_names[level]);
    }
    row.y += 70;
    ui_caps(ui, row, "Size of text and lines");
    float y = row.y + 20;
    if (ui_icon_button(ui, UI_ID("smaller"), rect(row.x, y, 32, 32), ICON_MINUS, "smaller")) {
        session_post(c->session, "scale -");
    }
    ui_label(
        ui, rect(row.x + 36, y, 60, 32),
        &(UiLabel){.face = FONT_MONO, .size = 14, .color = ui->theme.text, .align = DRAW_CENTER},
        draw_format(ui->list, "%.4g×", (double)o->scale));
    if (ui_icon_button(ui, UI_ID("larger"), rect(row.x + 100, y, 32, 32), ICON_PLUS, "larger")) {
        session_post(c->session, "scale +");
    }
}

void chrome_panel(ViewContext *c, Rect window)
{
    c->views->stories_seen &= c->session->panel == PANEL_STORIES;
    if (c->session->panel == PANEL_HELP) {
        draw_help(c, window);
    } else if (c->session->panel == PANEL_SETTINGS) {
        draw_settings(c, window);
    } else if (c->session->panel == PANEL_STORIES) {
        float h = stories_list_height(c->session);
        Rect card = panel_card(c, window, 560, 64 + h + 8, "Stories");
        stories_list(c,
                     rect(card.x + PAD, card.y + 60, card.w - 2 * PAD, fminf(h, card.h - 60 - 12)));
    }
}
