#include "views/internal.h"

#include "base/file.h"
#include "ui/popup.h"

#include <math.h>
#include <string.h>

/* Temperatures are chosen on one log scale everywhere: 0.1 … 4, T = 1 at its own place. */
static const double T_LO = 0.1;
static const double T_HI = 4;

static float temperature_place(double t)
{
    return (float)(log(t / T_LO) / log(T_HI / T_LO));
}

static double temperature_at(float place)
{
    double t = T_LO * pow(T_HI / T_LO, (double)place);
    return t < 1 ? round(t * 100) / 100 : round(t * 50) / 50;
}

/* ---- which controls fit ---- */

enum { STACK_CHOICE_W = 156, LEAST_MODEL = 120, LEAST_TEXT = 92, TEXT_READABLE = 150 };

typedef struct TopLayout {
    Rect model, text, layer, head, temperature, mask, find, theme;
} TopLayout;

static Rect cut_right(float *right, float w, Rect bar)
{
    *right -= w;
    Rect box = {*right, bar.y + 12, w, 32};
    *right -= 12;
    return box;
}

/* layer_w 0: there are no layers to step through yet; can_run: a model that can run again;
 * stack_w: what the choice of a stack takes of the text's room, or 0. */
static TopLayout layout_top(Rect bar, float layer_w, float head_w, float stack_w, bool can_run)
{
    TopLayout l = {0};
    float right = bar.x + bar.w - 16;
    float left = bar.x + 24;
    l.theme = cut_right(&right, 32, bar);
    enum { FIND_W = 184, FIND_ICON_W = 32 };
    float controls = layer_w + head_w + 24 + 148 + 244 + stack_w;
    if (right - left - controls > 240 + 12 + 420 + FIND_W) {
        l.find = cut_right(&right, FIND_W, bar);
    } else if (right - left > 560) {
        l.find = cut_right(&right, FIND_ICON_W, bar);
    }
    /* What is used least goes first when the window is narrow: the text keeps 200 px. */
    float base = right - left - (layer_w + head_w + 24) - 150 - 12 - stack_w;
    bool mask = can_run && base - 148 > 180;
    bool temperature = can_run && base - 148 - 244 > 180;
    if (mask) {
        l.mask = cut_right(&right, 136, bar);
    }
    if (temperature) {
        l.temperature = cut_right(&right, 232, bar);
    }
    float least = LEAST_MODEL + 12 + LEAST_TEXT;
    if (layer_w > 0 && right - left > head_w + layer_w + 24 + least) {
        l.head = cut_right(&right, head_w, bar);
    }
    if (layer_w > 0 && right - left > layer_w + 12 + least) {
        l.layer = cut_right(&right, layer_w, bar);
    }
    float rest = right - left;
    float model_w = fminf(240, fmaxf(LEAST_MODEL, rest * (rest < 420 ? 0.4f : 0.34f)));
    l.model = rect(left, bar.y + 12, model_w, 32);
    l.text = rect(left + model_w + 12, bar.y + 12, right - left - model_w - 12, 32);
    return l;
}

/* ---- controls ---- */

/* "14 tokens"; "14 → 15 tokens" where a target is read too. */
static const char *count_tokens(ViewContext *c)
{
    const TraceInfo *info = trace_info(c->session->trace);
    char n[32];
    char m[32];
    format_count((uint64_t)info->n_queries, n);
    format_count((uint64_t)info->n_keys, m);
    return trace_is_cross(c->session->trace) ? draw_format(c->ui->list, "%s → %s tokens", m, n)
                                             : draw_format(c->ui->list, "%s tokens", n);
}

/* ---- texts shown before ---- */

enum { RECENT_BUTTON = 26 };

typedef struct RecentTexts {
    const char *items[RECENT_MOST], *lines[RECENT_MOST]; /* shown; the commands for them */
    int n;
} RecentTexts;

static void find_recent_texts(ViewContext *c, RecentTexts *texts)
{
    const Recent *recent = &c->session->recent;
    texts->n = 0;
    for (int i = 0; i < recent->n; i++) {
        const char *line = recent->lines[i];
        bool text = strncmp(line, "text ", 5) == 0;
        if (text || strncmp(line, "open ", 5) == 0) {
            const char *name = text ? line + 5 : path_base_name(line + 5);
            texts->items[texts->n] = draw_format(c->ui->list, "%.200s", name);
            texts->lines[texts->n++] = line;
        }
    }
}

/* Its button in the field's right end. Before the field, so that a press on it is the button's;
 * returns whether it is lit. */
static bool recent_button(ViewContext *c, Rect button, Rect field, const RecentTexts *texts)
{
    Ui *ui = c->ui;
    UiId id = UI_ID("recent-texts");
    bool hot;
    int chosen = popup_take(ui, id);
    if (chosen >= 0 && chosen < texts->n) {
        session_post(c->session, "%s", texts->lines[chosen]);
    }
    if (ui_click(ui, id, button, true, &hot, NULL)) {
        popup_toggle(ui, id);
    }
    popup_offer(ui, id, field, texts->items, texts->n, -1);
    ui_tooltip(ui, button, "texts shown before");
    return hot || ui->popup.id == id;
}

static void text_field(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    Session *s = c->session;
    UiId id = UI_ID("text");
    Rect button = {box.x + box.w - RECENT_BUTTON - 4, box.y + 3, RECENT_BUTTON, RECENT_BUTTON};
    RecentTexts recent;
    find_recent_texts(c, &recent);
    bool offers = box.w >= 200 && recent.n > 1;
    bool hot = offers && recent_button(c, button, box, &recent);
    const SessionRequest *asked = &s->request;
    const char *text = asked->text.text ? asked->text.text : "";
    const char *name = s->text_name;
    const char *note = NULL;
    if (session_pending(s)) { /* from the moment it was asked for */
        name = asked->trace_path ? path_base_name(asked->trace_path) : asked->text_name;
        note = "on its way";
    } else if (s->trace) {
        text = session_source(s, NULL);
        note = count_tokens(c);
    }
    bool picture = asked->image_path && !asked->trace_path;
    if (picture) {
        name = path_base_name(asked->image_path);
    }
    const char *shown = text;
    if (name && !text_field_is_edited(ui, id)) {
        shown = draw_format(ui->list, *text ? "%s: %.500s" : "%s", name, text);
    }
    if (s->wants_text_focus) {
        s->wants_text_focus = false;
        text_field_begin(ui, id, text);
    }
    float note_w = note ? ui_text_width(ui, FONT_MONO, 11, note) : 0;
    TextField field = {.text = text_field_is_edited(ui, id) ? text : shown,
                       .note = note_w + TEXT_READABLE <= box.w ? note : NULL,
                       .right_px = offers ? RECENT_BUTTON - 4 : 0,
                       .hint = "Enter computes, Esc leaves",
                       .caption = picture ? "Picture" : "Text"};
    /* The name is not part of the text: an edit that starts by a click starts from the text. */
    bool was = text_field_is_edited(ui, id);
    TextFieldResult result = ui_text_field(ui, id, box, &field);
    if (!was && result == TEXT_FIELD_EDITING && shown != text) {
        text_field_begin(ui, id, text);
    }
    if (result == TEXT_FIELD_SUBMIT) {
        const char *typed = text_field_text(ui);
        const char *line = text_escape(&ui->list->arena, typed, strlen(typed), NULL);
        session_post(s, "text %s", line ? line : "");
    }
    if (offers) {
        ui->cursor = hot ? UI_CURSOR_HAND : ui->cursor;
        draw_icon(ui->list,
                  &(DrawIcon){.icon = ICON_CHEVRON_DOWN,
                              .center = {button.x + button.w / 2, button.y + button.h / 2},
                              .size = 14,
                              .color = hot ? ui->theme.text : ui->theme.text3});
    }
}

static void temperature(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    Views *views = c->views;
    Session *s = c->session;
    const TraceParams *p = &s->request.params;
    double now = p->temperature > 0 ? (double)p->temperature : 1.0;
    double shown = views->temperature_held > 0 ? (double)views->temperature_held : now;
    float w = ui_label(ui, box, &(UiLabel){.face = FONT_SANS}, "Temperature");
    UiSliderResult r =
        ui_slider(ui, UI_ID("temperature"), rect(box.x + w + 6, box.y, box.w - w - 6 - 42, box.h),
                  &(UiSlider){.value = temperature_place(AS_CLAMP(shown, T_LO, T_HI)),
                              .mark = temperature_place(1),
                              .snap = 0.03f});
    double chosen = r.changed ? temperature_at(r.value) : shown;
    if (ui->clicks == 2 && (r.held || (r.released && ui->released[0]))) {
        chosen = 1;
    }
    Rect caption = {box.x, box.y, w, box.h};
    if (ui_click(ui, UI_ID("temperature-caption"), caption, false, NULL, NULL) && ui->clicks == 2) {
        session_post(s, "temperature 1");
    }
    views->temperature_held = r.held ? (float)chosen : 0;
    ui_label(
        ui, rect(box.x + box.w - 40, box.y, 40, box.h),
        &(UiLabel){.face = FONT_MONO, .size = 12, .color = ui->theme.text, .align = DRAW_RIGHT},
        draw_format(ui->list, "%.2f", chosen));
    ui_tooltip(ui, box,
               "Scores are divided by it before the softmax: below 1 sharpens, above 1 "
               "flattens. Each layer is shown as if only its own softmax had changed. "
               "A double click goes back to 1.");
    /* A short text follows the hand; a long one is computed when the knob is let go. */
    double seconds = s->trace ? trace_info(s->trace)->seconds : 1;
    bool live = seconds > 0 && seconds < 0.1 && !s->run;
    if (fabs(chosen - now) > 1e-6 && (r.released || (r.held && live))) {
        session_post(s, "temperature %.4g", chosen);
    }
}

static void mask(ViewContext *c, Rect box)
{
    static const char *const names[] = {"auto", "causal", "none"};
    static const char *const items[] = {"auto: as the model has it", "causal: no later keys",
                                        "none: every key"};
    Session *s = c->session;
    int now = AS_CLAMP((int)s->request.params.mask, 0, 2);
    int chosen = ui_dropdown(c->ui, UI_ID("mask"), box, "Mask", names[now], items, 3, now);
    if (chosen != now) {
        session_post(s, "mask %s", names[chosen]);
    }
}

/* Which attention of an encoder-decoder; takes its room from the text's. */
static void stack(ViewContext *c, Rect *text)
{
    static const char *const titles[] = {
        [TRACE_STACK_SELF] = "self",
        [TRACE_STACK_ENCODER] = "encoder: the source reads itself",
        [TRACE_STACK_DECODER] = "decoder: the target reads itself",
        [TRACE_STACK_CROSS] = "cross: the target reads the source",
    };
    enum { WIDTH = STACK_CHOICE_W, TEXT_LEAST = 84 };
    Session *s = c->session;
    TraceStack stacks[TRACE_STACK_COUNT];
    const char *items[TRACE_STACK_COUNT];
    int n = session_stacks(s, stacks);
    int now = 0;
    if (n < 2 || text->w < WIDTH + 12 + TEXT_LEAST) {
        return;
    }
    for (int i = 0; i < n; i++) {
        items[i] = titles[stacks[i]];
        now = stacks[i] == trace_info(s->trace)->stack ? i : now;
    }
    text->w -= WIDTH + 12;
    Rect box = {text->x + text->w + 12, text->y, WIDTH, text->h};
    int chosen = ui_dropdown(c->ui, UI_ID("stack"), box, "Attention", trace_stack_name(stacks[now]),
                             items, n, now);
    if (chosen != now) {
        session_post(s, "stack %s", trace_stack_name(stacks[chosen]));
    }
}

/* The palette's door: a field in a wide window, else its icon. */
static void find_box(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    if (box.w <= box.h) {
        if (ui_icon_button(ui, UI_ID("find"), box, ICON_SEARCH,
                           "find commands, tokens, heads: Ctrl+K")) {
            session_post(c->session, "palette");
        }
        return;
    }
    bool hot;
    if (ui_click(ui, UI_ID("find"), box, true, &hot, NULL)) {
        session_post(c->session, "palette");
    }
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 8,
                                    .fill = hot ? t->raised_hot : t->raised,
                                    .border = 1,
                                    .border_color = t->edge});
    draw_icon(ui->list, &(DrawIcon){.icon = ICON_SEARCH,
                                    .center = {box.x + 18, box.y + box.h / 2},
                                    .size = 16,
                                    .color = t->text2});
    ui_label(ui, rect(box.x + 34, box.y, box.w - 90, box.h), &(UiLabel){.face = FONT_SANS},
             "Command");
    ui_label(ui, rect(box.x, box.y, box.w - 12, box.h),
             &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT, .color = t->text3},
             "Ctrl K");
    ui_tooltip(ui, box, "every command, view, model, token and head by name");
}

void chrome_top(ViewContext *c, Rect bar)
{
    Ui *ui = c->ui;
    Session *s = c->session;
    draw_rect(ui->list, &(DrawRect){.box = bar, .fill = ui->theme.bar});
    ui_hairline_h(ui, bar.x, bar.y + bar.h - 1, bar.w);
    int32_t last_layer = s->trace ? trace_info(s->trace)->n_layers - 1 : 0;
    int32_t last_head = s->trace ? trace_info(s->trace)->n_heads - 1 : 0;
    bool can_run = session_model(s) != NULL;
    TraceStack stacks[TRACE_STACK_COUNT];
    float stack_w = session_stacks(s, stacks) > 1 ? STACK_CHOICE_W + 12 : 0;
    TopLayout l =
        layout_top(bar, s->trace ? ui_stepper_width(ui, "Layer", last_layer, false) : 0,
                   s->trace ? ui_stepper_width(ui, "Head", last_head, true) : 0, stack_w, can_run);
    chrome_model_menu(c, l.model);
    stack(c, &l.text);
    text_field(c, l.text);
    int step;
    if (l.layer.w > 0) {
        step = ui_stepper(ui, UI_ID("layer"), l.layer, "Layer", s->selection.layer, last_layer,
                          (Color){0}, "layer before", "next layer");
        if (step) {
            session_post(s, "layer %+d", step);
        }
    }
    if (l.head.w > 0) {
        step = ui_stepper(ui, UI_ID("head"), l.head, "Head", s->selection.head, last_head,
                          color_head(s->selection.head), "head before", "next head");
        if (step) {
            session_post(s, "head %+d", step);
        }
    }
    if (l.temperature.w > 0) {
        temperature(c, l.temperature);
    }
    if (l.mask.w > 0) {
        mask(c, l.mask);
    }
    if (l.find.w > 0) {
        find_box(c, l.find);
    }
    Icon icons[] = {ICON_MOON, ICON_SUN, ICON_CONTRAST};
    if (ui_icon_button(ui, UI_ID("theme"), l.theme, icons[s->options.theme % 3],
                       draw_format(ui->list, "Theme: %s", ui->theme.name))) {
        session_post(s, "theme");
    }
}
