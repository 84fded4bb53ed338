#include "views/steps.h"

#include <math.h>
#include <string.h>

/* "Try it": what can be changed, at once where the run is short. */

static const double T_LO = 0.1, T_HI = 4;

typedef struct TryPanel {
    StepsScene *s;
    Rect in;
    float y, bottom, line;
} TryPanel;

/* A caption and a note over a control; where the control stands. Empty = no room. */
static Rect next_row(TryPanel *p, const char *caption, const char *note, float h)
{
    Ui *ui = p->s->c->ui;
    if (p->y + 18 + h > p->bottom + 0.5f) {
        return (Rect){0};
    }
    float note_w = note ? ui_text_width(ui, FONT_SANS, 11, note) : 0;
    ui_label(ui, rect(p->in.x, p->y, p->in.w * 0.55f, 18),
             &(UiLabel){.face = FONT_SANS, .size = 12}, caption);
    if (note && note_w < p->in.w * 0.62f) {
        ui_label(ui, rect(p->in.x, p->y, p->in.w, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT}, note);
    }
    Rect box = {p->in.x, p->y + 19, p->in.w, h};
    p->y += 19 + h + p->line;
    return box;
}

/* Two things in one row: caption at the left, segments at the right. */
static int short_row(TryPanel *p, const char *caption, const char *tip, const char *const *items,
                     int n, int now, const char *id)
{
    Ui *ui = p->s->c->ui;
    if (p->y + 28 > p->bottom + 0.5f) {
        return now;
    }
    float w = p->in.w * 0.58f;
    Rect row = {p->in.x, p->y, p->in.w, 28};
    ui_label(ui, rect(row.x, row.y, row.w - w - 8, 28), &(UiLabel){.face = FONT_SANS, .size = 12},
             caption);
    Rect box = {row.x + row.w - w, row.y, w, 28};
    int chosen = ui_segmented(ui, UI_ID(id), box, items, n, now);
    ui_tooltip(ui, rect(row.x, row.y, row.w - w, 28), tip);
    p->y += 28 + p->line;
    return chosen;
}

/* Short runs follow the pointer, long ones wait until it lets go. */
static bool follows(const StepsScene *s)
{
    return trace_info(s->session->trace)->seconds < 0.25 && !s->session->run;
}

static void temperature_row(TryPanel *p)
{
    StepsScene *s = p->s;
    Ui *ui = s->c->ui;
    double now = (double)s->l->temperature;
    float held = s->c->views->temperature_held;
    double shown = held > 0 ? (double)held : now;
    Rect box = next_row(p, "Temperature", draw_format(ui->list, "%.2f", shown), 22);
    if (box.w <= 0) {
        return;
    }
    float place = (float)(log(AS_CLAMP(shown, T_LO, T_HI) / T_LO) / log(T_HI / T_LO));
    UiSliderResult r = ui_slider(ui, UI_ID("steps-temperature"), box,
                                 &(UiSlider){.value = place,
                                             .mark = (float)(log(1 / T_LO) / log(T_HI / T_LO)),
                                             .snap = 0.015f});
    double chosen = r.changed ? T_LO * pow(T_HI / T_LO, (double)r.value) : shown;
    if (r.held) {
        s->c->views->temperature_held = (float)chosen;
    }
    bool act = r.released || (r.held && r.changed && follows(s));
    if (r.released) {
        s->c->views->temperature_held = 0;
    }
    if (act && fabs(chosen - now) > 1e-4) {
        session_post(s->session, "temperature %.4g", chosen);
    }
}

static void mask_row(TryPanel *p)
{
    static const char *const items[] = {"Auto", "Causal", "None"};
    static const char *const names[] = {"auto", "causal", "none"};
    StepsScene *s = p->s;
    int now = (int)session_params(s->session).mask;
    int chosen =
        short_row(p, "Mask", "which keys a query may see; auto is what the model was made for",
                  items, 3, now, "steps-mask");
    if (chosen != now) {
        session_post(s->session, "mask %s", names[chosen]);
    }
}

static void divide_row(TryPanel *p)
{
    static const char *const items[] = {"On", "Off"};
    StepsScene *s = p->s;
    int now = session_params(s->session).unscaled;
    int chosen = short_row(p, "Divide by √d_k", "what if scores were not divided", items, 2, now,
                           "steps-divide");
    if (chosen != now) {
        session_post(s->session, "divide %s", chosen ? "off" : "on");
    }
}

static void reach_row(TryPanel *p)
{
    static const char *const items[] = {"This layer", "All above"};
    StepsScene *s = p->s;
    int now = session_params(s->session).propagate;
    int chosen = short_row(p, "A change reaches",
                           "local: each layer sees the unchanged input; else the rest of the "
                           "network runs again",
                           items, 2, now, "steps-reach");
    if (chosen != now) {
        session_post(s->session, "propagate %s", chosen ? "on" : "off");
    }
}

static bool is_off(const StepsScene *s, int32_t head)
{
    return trace_is_ablated(s->session->trace, s->l->layer, head);
}

/* A click chooses a head, a second one (or a right click) switches it off. */
static void head_chip(TryPanel *p, Rect box, int32_t head)
{
    StepsScene *s = p->s;
    Ui *ui = s->c->ui;
    bool chosen = head == s->l->head;
    bool off = is_off(s, head);
    bool hot;
    Color color = color_head(head);
    if (ui_click(ui, ui_id("steps-head", head), box, true, &hot, NULL)) {
        if (chosen) {
            session_post(s->session, "ablate %d.%d", s->l->layer, head);
        } else {
            session_post(s->session, "head %d", head);
        }
    } else if (hot && ui->pressed[1]) {
        session_post(s->session, "ablate %d.%d", s->l->layer, head);
    }
    Color fill = off      ? ui->theme.well
                 : chosen ? color
                          : color_mix(ui->theme.card, color, hot ? 0.34f : 0.2f);
    draw_rect(ui->list,
              &(DrawRect){.box = box,
                          .radius = 6,
                          .fill = fill,
                          .border = chosen ? 1.5f : 1,
                          .border_color = chosen ? color : color_mix(ui->theme.card, color, 0.5f)});
    ui_label(
        ui, box,
        &(UiLabel){.face = FONT_SANS_MEDIUM,
                   .size = 11,
                   .align = DRAW_CENTER,
                   .color = off ? ui->theme.text2
                                : color_readable(fill, color_hex(0x04060C), color_hex(0xFFFFFF))},
        draw_format(ui->list, "%d", head));
    if (off) {
        draw_line(ui->list, &(DrawLine){.a = {box.x + 4, box.y + box.h / 2},
                                        .b = {box.x + box.w - 4, box.y + box.h / 2},
                                        .width = 1.5f,
                                        .color = ui->theme.warn});
    }
    ui_tooltip(ui, box,
               off      ? "switched off: its output is 0; a click switches it on"
               : chosen ? "the chosen head: another click switches it off"
                        : "a click chooses, a right click switches off");
}

static void heads_row(TryPanel *p)
{
    StepsScene *s = p->s;
    Ui *ui = s->c->ui;
    int32_t n = s->l->n_heads;
    int32_t columns = AS_MIN(n, n <= 12 ? 6 : n <= 32 ? 8 : 16);
    int32_t rows = (n + columns - 1) / columns;
    float h = rows > 3 ? 16 : 22;
    size_t off = session_params(s->session).n_ablate;
    const char *note = off ? draw_format(ui->list, "%zu off in all", off) : "click again: off";
    Rect box = next_row(p, "Heads", note, (h + 4) * (float)rows - 4);
    float w = (box.w - 4 * (float)(columns - 1)) / (float)columns;
    for (int32_t i = 0; box.w > 0 && i < n; i++) {
        head_chip(p,
                  rect(box.x + (w + 4) * (float)(i % columns),
                       box.y + (h + 4) * (float)(i / columns), w, h),
                  i);
    }
}

static void length_row(TryPanel *p)
{
    StepsScene *s = p->s;
    Ui *ui = s->c->ui;
    int32_t n = trace_info(s->session->trace)->n_queries;
    if (p->y + 30 > p->bottom + 0.5f) {
        return;
    }
    Rect box = {p->in.x, p->y, p->in.w, 30};
    bool cut = s->session->request.text.max_tokens > 0;
    float all = cut ? 46 : 0;
    int step = ui_stepper(ui, UI_ID("steps-length"),
                          rect(box.x, box.y, box.w - all - (cut ? 6 : 0), 30), "Sequence length", n,
                          AS_MAX(n, 1), (Color){0}, "one token less", "one token more");
    if (step) {
        session_post(s->session, "length %+d", step);
    }
    if (cut && ui_button(ui, UI_ID("steps-all"), rect(box.x + box.w - all, box.y, all, 30), "All",
                         UI_BUTTON_PLAIN)) {
        session_post(s->session, "length all");
    }
    p->y += 30 + p->line;
}

/* Other words in the place of the selected token. */
static void edit_row(TryPanel *p)
{
    StepsScene *s = p->s;
    Ui *ui = s->c->ui;
    if (p->y + 30 > p->bottom + 0.5f || s->l->cross) {
        return;
    }
    UiId id = UI_ID("steps-edit");
    const TraceToken *t = &trace_tokens(s->session->trace)[s->l->query];
    if (t->start < 0) {
        return;
    }
    TextField field = {
        .text = label_of(s->c, s->l->query), .caption = "Change the token", .hint = "Enter: run"};
    TextFieldResult r = ui_text_field(ui, id, rect(p->in.x, p->y, p->in.w, 30), &field);
    if (r == TEXT_FIELD_SUBMIT) {
        session_post(s->session, "edit %d %s", s->l->query, text_field_text(ui));
    }
    p->y += 30 + p->line;
}

static void weights_row(TryPanel *p)
{
    static const char *const items[] = {"Real", "Random", "Hash"};
    static const char *const names[] = {"real", "random", "hash"};
    StepsScene *s = p->s;
    const char *spec = trace_info(s->session->trace)->model_name;
    int now = strncmp(spec, "random", 6) == 0 ? 1 : strncmp(spec, "hash", 4) == 0 ? 2 : 0;
    int chosen =
        short_row(p, "Weights", "the model's own, random ones (Xavier), or ones fixed by a hash",
                  items, 3, now, "steps-source");
    if (chosen != now) {
        session_post(s->session, "weights %s", names[chosen]);
    }
}

/* Of made-up models the shape can be chosen. */
static void shape_rows(TryPanel *p)
{
    StepsScene *s = p->s;
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    const char *spec = trace_info(s->session->trace)->model_name;
    bool made = strncmp(spec, "random", 6) == 0 || strncmp(spec, "hash", 4) == 0 ||
                strncmp(spec, "synthetic", 9) == 0;
    if (!made || p->y + 30 > p->bottom + 0.5f) {
        return;
    }
    float w = (p->in.w - 8) / 2;
    int wider = ui_stepper(ui, UI_ID("steps-width"), rect(p->in.x, p->y, w, 30), "Width", l->width,
                           l->width, (Color){0}, "half as wide", "twice as wide");
    int more = ui_stepper(ui, UI_ID("steps-heads"), rect(p->in.x + w + 8, p->y, w, 30), "Heads",
                          l->n_heads, l->n_heads, (Color){0}, "half as many", "twice as many");
    int32_t width = wider > 0 ? l->width * 2 : l->width / 2;
    int32_t heads = more > 0 ? l->n_heads * 2 : l->n_heads / 2;
    /* Heads must divide the width, and rotary positions need pairs. */
    if (wider && width >= 2 * l->n_heads && width <= 4096) {
        session_post(s->session, "made-width %d", width);
    }
    if (more && heads >= 1 && l->width % heads == 0 && l->width / heads >= 2) {
        session_post(s->session, "made-heads %d", heads);
    }
    p->y += 30 + p->line;
}

void steps_controls(StepsScene *s)
{
    Ui *ui = s->c->ui;
    Rect box = s->layout.controls;
    if (box.h < 90) {
        return;
    }
    ui_card(ui, box);
    float pad = box.w < 340 ? 12 : 16;
    TryPanel p = {.s = s, .line = 6};
    p.in = steps_tabs(s, rect(box.x + pad, box.y + 8, box.w - 2 * pad, box.h - 16));
    p.bottom = box.y + box.h - 6;
    ui_label(ui, rect(p.in.x, p.in.y, p.in.w - 60, 24),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = ui->theme.text}, "Try it");
    if (session_is_changed(s->session) || s->session->request.text.max_tokens > 0) {
        if (ui_button(ui, UI_ID("steps-reset"), rect(p.in.x + p.in.w - 60, p.in.y, 60, 24), "Reset",
                      UI_BUTTON_PLAIN)) {
            session_post(s->session, "reset");
        }
    }
    p.y = p.in.y + 28;
    temperature_row(&p);
    mask_row(&p);
    divide_row(&p);
    heads_row(&p);
    reach_row(&p);
    weights_row(&p);
    shape_rows(&p);
    length_row(&p);
    edit_row(&p);
}
