#include "views/internal.h"

#include "session/search.h"
#include "ui/controls.h"

#include <math.h>
#include <string.h>

/* What the cells show besides one head as it is: said in the title, chosen in a menu. */

enum { MENU_W = 284, MENU_PAD = 16, ROW = 30 };

const char *matrix_source_words(const MatrixScene *s)
{
    DrawList *list = s->c->ui->list;
    const WeightSource *w = &s->source;
    const char *hidden = w->hide_first && w->hide_special ? "first and special tokens left out"
                         : w->hide_first                  ? "first token left out"
                         : w->hide_special                ? "special tokens left out"
                                                          : NULL;
    const char *rows = hidden ? draw_format(list, "%s, rows scaled to 1", hidden) : NULL;
    const char *pair = w->pair_only ? "text A reads B" : NULL;
    if (rows && pair) {
        return draw_format(list, "%s, %s", rows, pair);
    }
    return rows ? rows : pair;
}

const char *matrix_source_title(const MatrixScene *s)
{
    DrawList *list = s->c->ui->list;
    static const char *const names[COMBINE_COUNT] = {"", "Mean", "Maximum", "Owners"};
    const Selection *sel = &s->c->session->selection;
    const HeadSet *set = &s->source.set;
    if (s->source.combine == COMBINE_ONE) {
        return draw_format(list, "Layer %d · Head %d", sel->layer, sel->head);
    }
    bool one_layer = true;
    for (int32_t i = 1; i < set->n; i++) {
        one_layer &= set->heads[i].layer == set->heads[0].layer;
    }
    int32_t n = trace_info(s->c->session->trace)->n_heads;
    const char *what = names[s->source.combine];
    if (one_layer && set->n == n) {
        return draw_format(list, "%s of layer %d, %d heads", what, set->heads[0].layer, n);
    }
    return set->n == 1
               ? draw_format(list, "%s of L%d H%d", what, set->heads[0].layer, set->heads[0].head)
               : draw_format(list, "%s of %d heads", what, set->n);
}

const char *matrix_source_name(const MatrixScene *s)
{
    static const char *const names[COMBINE_COUNT] = {"", "the mean", "the maximum", "the maximum"};
    DrawList *list = s->c->ui->list;
    const Selection *sel = &s->c->session->selection;
    const char *words = matrix_source_words(s);
    const char *what =
        s->source.combine == COMBINE_ONE
            ? draw_format(list, "L%d H%d", sel->layer, sel->head)
            : draw_format(list, s->source.set.n == 1 ? "%s of %d head" : "%s of %d heads",
                          names[s->source.combine], s->source.set.n);
    return words ? draw_format(list, "%s, %s", what, words) : what;
}

static Rect menu_box(const MatrixScene *s)
{
    const MatrixLayout *l = &s->layout;
    bool pair = trace_info(s->c->session->trace)->second_at > 0;
    float h = 2 * MENU_PAD + 14 + 34 + ROW + 12 + 14 + 34 + 12 + 14 + (float)(pair ? 3 : 2) * ROW +
              12 + 14 + 2 * ROW + 8 + 36 + 2;
    float right = l->heat.x + l->heat.w;
    return rect(fmaxf(l->card.x + 8, right - MENU_W), l->area.y + 4, MENU_W, h);
}

Rect matrix_menu_shield(const MatrixScene *s)
{
    return s->c->session->options.matrix_menu ? menu_box(s) : (Rect){0};
}

float matrix_menu_button(MatrixScene *s, float right, float y)
{
    Ui *ui = s->c->ui;
    Rect box = {right - 28, y - 2, 28, 28};
    s->view->menu_button = box;
    if (ui_icon_button(ui, UI_ID("matrix-menu"), box, ICON_EYE,
                       "heads together, what is left out, marks, search")) {
        session_post(s->c->session, "menu");
    }
    return 36;
}

static float draw_heads_part(MatrixScene *s, float x, float y, float w)
{
    static const char *const ways[] = {"One", "Mean", "Max", "Owner"};
    static const char *const words[] = {"one", "mean", "max", "owner"};
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    const Selection *sel = &session->selection;
    ui_caps(ui, rect(x, y, w, 14), "Heads");
    int way = ui_segmented(ui, UI_ID("matrix-combine"), rect(x, y + 18, w, 26), ways, COMBINE_COUNT,
                           (int)sel->combine);
    if (way != (int)sel->combine) {
        if (!sel->set.n) {
            session_post(session, "set layer");
        }
        session_post(session, "combine %s", words[way]);
    }
    y += 48;
    const char *text = sel->set.n ? draw_format(ui->list, "%d chosen", sel->set.n) : "none chosen";
    ui_label(ui, rect(x, y, 90, ROW), &(UiLabel){.face = FONT_SANS, .size = 12}, text);
    if (ui_button(ui, UI_ID("matrix-set-layer"), rect(x + w - 156, y + 2, 90, 26), "This layer",
                  UI_BUTTON_PLAIN)) {
        session_post(session, "set layer");
    }
    if (ui_button(ui, UI_ID("matrix-set-none"), rect(x + w - 60, y + 2, 60, 26), "None",
                  UI_BUTTON_PLAIN)) {
        session_post(session, "set none");
    }
    return y + ROW + 12;
}

static float toggle(MatrixScene *s, float x, float y, float w, const char *label, bool on,
                    const char *command)
{
    if (ui_toggle(s->c->ui, ui_id("matrix-toggle", *command * 256 + command[strlen(command) - 1]),
                  rect(x, y, w, ROW - 4), label, on) != on) {
        session_post(s->c->session, "%s", command);
    }
    return y + ROW;
}

static float draw_find(MatrixScene *s, float x, float y, float w)
{
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    const char *needle = session->selection.find;
    UiId id = UI_ID("matrix-find");
    const char *note = NULL;
    if (needle[0] && trace_info(session->trace)->n_queries <= 16384) {
        note = draw_format(ui->list, "%d", search_count(session->trace, false, needle));
    }
    TextFieldResult result = ui_text_field(ui, id, rect(x, y, w - 68, 30),
                                           &(TextField){.text = needle,
                                                        .placeholder = "Find in the text",
                                                        .icon = ICON_SEARCH,
                                                        .has_icon = true,
                                                        .note = note});
    if (result == TEXT_FIELD_SUBMIT) {
        session_post(session, "find %s", text_field_text(ui));
    }
    if (ui_icon_button(ui, UI_ID("matrix-find-previous"), rect(x + w - 60, y, 28, 30),
                       ICON_CHEVRON_UP, "place before") &&
        needle[0]) {
        session_post(session, "find previous");
    }
    if (ui_icon_button(ui, UI_ID("matrix-find-next"), rect(x + w - 28, y, 28, 30),
                       ICON_CHEVRON_DOWN, "next place") &&
        needle[0]) {
        session_post(session, "find next");
    }
    return y + 36;
}

void matrix_draw_menu(MatrixScene *s)
{
    static const char *const reduces[] = {"Maximum", "Mean"};
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    const SessionOptions *o = &session->options;
    if (!o->matrix_menu) {
        return;
    }
    Rect box = menu_box(s);
    ui_raised(ui, box, 12);
    if (ui->pressed[0] && !rect_contains(box, ui->mouse) &&
        !rect_contains(s->view->menu_button, ui->mouse)) {
        session_post(session, "menu off");
    }
    float x = box.x + MENU_PAD;
    float w = box.w - 2 * MENU_PAD;
    float y = draw_heads_part(s, x, box.y + MENU_PAD, w);
    ui_caps(ui, rect(x, y, w, 14), "A pixel of many weights");
    int reduce = ui_segmented(ui, UI_ID("matrix-reduce"), rect(x, y + 18, w, 26), reduces, 2,
                              o->reduce_mean);
    if (reduce != (int)o->reduce_mean) {
        session_post(session, "reduce %s", reduce ? "mean" : "max");
    }
    y += 60;
    ui_caps(ui, rect(x, y, w, 14), "Leave out, scale the rest to 1");
    y = toggle(s, x, y + 18, w, "First token", o->hide_first, "hide first");
    y = toggle(s, x, y, w, "Special tokens", o->hide_special, "hide special");
    if (trace_info(session->trace)->second_at) {
        y = toggle(s, x, y, w, "Only A reads B", o->pair_only, "pair-only");
    }
    y += 8;
    ui_caps(ui, rect(x, y, w, 14), "Mark");
    y = toggle(s, x, y + 18, w, "Diagonal", o->diagonal, "diagonal");
    y = toggle(s, x, y, w, "Found pattern", !o->outline_hidden, "outline");
    draw_find(s, x, y + 8, w);
}
