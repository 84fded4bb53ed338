/* The Stack view's title, its controls, and the chosen token through all layers. */
#include "views/stack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "views/head_grid.h"
#include "views/internal.h"

static const float PAD = 16;
static const float STRIP_W = 196;
static const float CONTROLS_W = 214;
static const float CONTROLS_H = 148;

float stack_strip_width(Rect stage)
{
    return stage.w >= 820 && stage.h >= 420 ? STRIP_W : 0;
}

/* ---- places ---- */

static float row_pitch(const StackModel *m)
{
    float room = m->stage.h - 100 - 180 - 92;
    return AS_CLAMP(floorf(room / (float)m->n_layers), 2.0f, 17.0f);
}

void stack_side_place(StackModel *m)
{
    float w = stack_strip_width(m->stage);
    if (w > 0) {
        float h = 58 + row_pitch(m) * (float)m->n_layers + 34;
        m->strip = rect(m->stage.x + m->stage.w - 24 - w, m->stage.y + 100, w, h);
    }
    if (m->stage.w >= 640 && m->stage.h >= 420) {
        m->controls = rect(m->stage.x + 24, m->stage.y + m->stage.h - 24 - CONTROLS_H, CONTROLS_W,
                           CONTROLS_H);
    }
}

bool stack_free_place(const StackModel *m, Rect box)
{
    Rect title = {m->stage.x, m->stage.y, m->stage.w, 84};
    return rect_is_empty(rect_intersect(box, rect_inset(m->strip, -8))) &&
           rect_is_empty(rect_intersect(box, rect_inset(m->controls, -8))) &&
           rect_is_empty(rect_intersect(box, title));
}

/* ---- words ---- */

static const char *ordinal(Ui *ui, int32_t n)
{
    static const char *const words[] = {"",      "",      "second",  "third", "fourth",
                                        "fifth", "sixth", "seventh", "eighth"};
    return n < (int32_t)AS_COUNT(words) ? words[n] : draw_format(ui->list, "%dth", n);
}

const char *stack_heads_says(StackModel *m)
{
    const Session *s = m->c->session;
    int32_t n = trace_info(s->trace)->n_heads;
    switch (s->stack3d.heads) {
    case STACK_HEADS_MEAN:
        return draw_format(m->c->ui->list, "mean of %d head%s", n, n == 1 ? "" : "s");
    case STACK_HEADS_MAX:
        return draw_format(m->c->ui->list, "largest of %d head%s", n, n == 1 ? "" : "s");
    default:
        return draw_format(m->c->ui->list, "head %d", s->selection.head);
    }
}

const char *stack_says(StackModel *m)
{
    Ui *ui = m->c->ui;
    const StackChoice *c = &m->c->session->stack3d;
    const char *heads = stack_heads_says(m);
    if (c->planes == STACK_PLANES_RANGE) {
        return draw_format(ui->list, "layers %d–%d of %d, %s", AS_MIN(c->first, m->n_layers - 1),
                           AS_MIN(c->last, m->n_layers - 1), m->n_layers, heads);
    }
    if (m->every == 1) {
        return draw_format(ui->list, "all %d layers, %s", m->n_layers, heads);
    }
    if (c->planes == STACK_PLANES_GROUP) {
        return draw_format(ui->list, "%d layers a plane, %s", m->every, heads);
    }
    return draw_format(ui->list, "every %s layer, %s", ordinal(ui, m->every), heads);
}

static void draw_title(StackModel *m)
{
    static const char *const names[] = {"Orbit", "Front", "Top", "Side", "Fly to layer"};
    Ui *ui = m->c->ui;
    const Theme *t = &ui->theme;
    float x = m->stage.x + 24;
    float y = m->stage.y + 24;
    int now = (int)m->c->session->stack3d.camera.preset;
    float w = m->stage.w >= 780 ? 372 : 0;
    if (w > 0) {
        int chosen = ui_segmented(ui, UI_ID("stack-camera"),
                                  rect(m->stage.x + m->stage.w - 24 - w, y, w, 28), names, 5, now);
        if (chosen != now) {
            session_post(m->c->session, "stack-camera %s", stack_preset_name((StackPreset)chosen));
        }
    }
    float room = m->stage.w - 48 - (w > 0 ? w + 24 : 0);
    float tw =
        ui_label(ui, rect(x, y, room, 28),
                 &(UiLabel){.face = FONT_DISPLAY_SEMIBOLD, .size = 20, .color = t->text}, "Stack");
    ui_label(ui, rect(x + tw + 18, y, room - tw - 18, 30),
             &(UiLabel){.size = 16, .color = t->text2}, stack_says(m));
    const char *token = label_of(m->c, m->c->session->selection.query);
    const char *words =
        m->n_levels > 1
            ? draw_format(ui->list,
                          "What “%s” reads, and what that reads, %d planes down: %.1f %% of its "
                          "reading is followed.",
                          token, m->n_levels, (double)m->followed * 100)
            : draw_format(ui->list,
                          "“%s” climbs from the bottom; each curve is what it reads in the layer "
                          "above.",
                          token);
    ui_label(ui, rect(x, y + 32, m->stage.w - 48, 20), &(UiLabel){.size = 13, .color = t->text2},
             words);
}

/* ---- controls ---- */

static void slider_row(StackModel *m, Rect row, const char *name, const char *command, float value,
                       float lo, float hi, float *held)
{
    Ui *ui = m->c->ui;
    ui_label(ui, rect(row.x, row.y, 70, row.h), &(UiLabel){.color = ui->theme.text2}, name);
    bool log_scale = lo > 0;
    float at = log_scale ? logf(value / lo) / logf(hi / lo) : (value - lo) / (hi - lo);
    UiSliderResult r = ui_slider(ui, UI_ID(command), rect(row.x + 74, row.y, row.w - 74, row.h),
                                 &(UiSlider){.value = AS_CLAMP(at, 0.0f, 1.0f), .mark = -1});
    float to = log_scale ? lo * powf(hi / lo, r.value) : lo + (hi - lo) * r.value;
    if (r.released && r.changed) {
        session_post(m->c->session, "%s %.3f", command, (double)to);
    }
    *held = r.held ? to : -1;
    ui->moves |= r.held;
}

static void draw_controls(StackModel *m)
{
    Ui *ui = m->c->ui;
    const Theme *t = &ui->theme;
    Rect box = m->controls;
    if (rect_is_empty(box)) {
        return;
    }
    ui_card(ui, box);
    StackView *v = m->view;
    const StackChoice *c = &m->c->session->stack3d;
    Rect in = rect_inset(box, PAD);
    slider_row(m, rect(in.x, in.y - 4, in.w, 24), "Explode", "stack-explode",
               v->slider_explode >= 0 ? v->slider_explode : c->explode, STACK_LEAST_EXPLODE,
               STACK_MOST_EXPLODE, &v->slider_explode);
    slider_row(m, rect(in.x, in.y + 22, in.w, 24), "Opacity", "stack-opacity",
               v->slider_opacity >= 0 ? v->slider_opacity : c->opacity, 0, 1, &v->slider_opacity);
    Scale scale = head_grid_scale(m->c->session);
    const char *root = scale.kind == SCALE_LOG ? "log" : "√";
    ui_label(ui, rect(in.x, in.y + 48, in.w, 20), &(UiLabel){.color = t->text2},
             m->fine ? draw_format(ui->list, "Weight, %s · cell %d², focus %d²", root,
                                   m->patterns->row_texel, m->fine->key.factor)
                     : draw_format(ui->list, "Weight, %s scale", root));
    ui_legend(ui, rect(in.x, in.y + 70, in.w, 32), weight_map(ui), scale);
    /* Where a plane would have more curves than can be told apart, it says how much is there. */
    bool cut = m->mass_least < c->coverage - 0.005f;
    const char *curves =
        cut ? draw_format(ui->list, "curves: top %.0f–%.0f %%", (double)m->mass_least * 100,
                          (double)m->mass_most * 100)
            : draw_format(ui->list, "curves: strongest %.0f %%", (double)c->coverage * 100);
    bool exact = !m->patterns || (m->patterns->row_texel == 1 && m->patterns->col_texel == 1);
    ui_label(ui, rect(in.x, in.y + 104, in.w, 16), &(UiLabel){.size = 11, .color = t->text3},
             exact || m->fine
                 ? draw_format(ui->list, "%s per layer", curves)
                 : draw_format(ui->list, "%s · cell %d²", curves, m->patterns->row_texel));
}

/* ---- the token through the layers ---- */

enum { STRIP_KEYS = 9 };

/* Which keys have a column: all that the query sees, or those with most weight over all layers. */
static int32_t strip_keys(const StackModel *m, int32_t *keys)
{
    const StackRows *r = m->rows;
    Arena *arena = &m->c->ui->list->arena;
    float *sum = ARENA_ARRAY(arena, float, (size_t)r->n_keys, NULL);
    if (!sum) {
        return 0;
    }
    int32_t visible = 0;
    for (int32_t l = 0; l < r->n_layers; l++) {
        int32_t first;
        int32_t end;
        trace_visible_keys(m->c->session->trace, l, r->query, &first, &end);
        visible = AS_MAX(visible, end);
        for (int32_t j = 0; j < r->n_keys; j++) {
            sum[j] += r->weights[(size_t)l * (size_t)r->n_keys + (size_t)j];
        }
    }
    if (visible <= STRIP_KEYS) {
        for (int32_t j = 0; j < visible; j++) {
            keys[j] = j;
        }
        return visible;
    }
    StackSource top[STRIP_KEYS];
    float mass;
    int32_t n = stack_sources(sum, r->n_keys, 1, top, STRIP_KEYS, &mass);
    for (int32_t i = 0; i < n; i++) {
        int32_t at = i;
        for (; at > 0 && keys[at - 1] > top[i].key; at--) {
            keys[at] = keys[at - 1];
        }
        keys[at] = top[i].key;
    }
    return n;
}

static bool has_plane(const StackModel *m, int32_t layer)
{
    for (int32_t i = 0; i < m->n_planes; i++) {
        if (m->planes[i].first <= layer && layer <= m->planes[i].last) {
            return true;
        }
    }
    return false;
}

/* The head that reads the chosen key most in a layer. */
static int32_t strongest_head(const StackRows *r, int32_t layer)
{
    const float *pair = r->pair + (size_t)layer * (size_t)r->n_heads;
    int32_t best = 0;
    for (int32_t h = 1; h < r->n_heads; h++) {
        best = pair[h] > pair[best] ? h : best;
    }
    return best;
}

static void strip_rows(StackModel *m, Rect area, float pitch)
{
    Ui *ui = m->c->ui;
    const Theme *t = &ui->theme;
    const StackRows *r = m->rows;
    int32_t step = (int32_t)ceilf(14 / pitch);
    for (int32_t l = 0; l < r->n_layers; l++) {
        float y = area.y + pitch * (float)(r->n_layers - 1 - l);
        bool on = l == m->focus_layer;
        bool room = l % step == 0 && abs(l - m->focus_layer) >= step;
        if (on || room) {
            Color color = on ? t->text : has_plane(m, l) && step == 1 ? t->text2 : t->text3;
            ui_label(ui, rect(area.x - 26, y + pitch / 2 - 8, 20, 16),
                     &(UiLabel){.face = on ? FONT_MONO_SEMIBOLD : FONT_MONO,
                                .size = 11,
                                .color = color,
                                .align = DRAW_RIGHT},
                     draw_format(ui->list, "%d", l));
        }
        int32_t head = strongest_head(r, l);
        float hx = area.x + area.w + 8;
        if (pitch >= 12) {
            ui_label(ui, rect(hx, y + pitch / 2 - 8, 18, 16),
                     &(UiLabel){.face = FONT_MONO,
                                .size = 11,
                                .color = color_as_text(ui, color_head(head)),
                                .align = DRAW_CENTER},
                     draw_format(ui->list, "%d", head));
        } else {
            draw_rect(ui->list, &(DrawRect){.box = {hx + 4, y + 0.5f, 10, AS_MAX(pitch - 1, 1.0f)},
                                            .fill = color_head(head)});
        }
        Rect row = {area.x - 26, y, area.w + 60, pitch};
        if (ui_hovers(ui, row)) {
            ui_tooltip(ui, row,
                       draw_format(ui->list,
                                   "layer %d: entropy %.2f bits; head %d reads “%s” most, "
                                   "%.3f",
                                   l, (double)r->entropy[l], head, key_label_of(m->c, r->key),
                                   (double)r->pair[(size_t)l * (size_t)r->n_heads + (size_t)head]));
        }
        if (ui_click(ui, ui_id("stack-row", l), row, false, NULL, NULL)) {
            session_post(m->c->session, "layer %d", l);
        }
    }
    float y = area.y + pitch * ((float)r->n_layers - 1 - m->focus);
    draw_rect(ui->list, &(DrawRect){.box = {area.x - 2, y - 1, area.w + 4, pitch + 2},
                                    .radius = pitch > 8 ? 3 : 0,
                                    .border = 1.5f,
                                    .border_color = t->accent});
}

static void draw_strip(StackModel *m)
{
    Ui *ui = m->c->ui;
    const Theme *t = &ui->theme;
    const StackRows *r = m->rows;
    Rect box = m->strip;
    if (rect_is_empty(box)) {
        return;
    }
    ui_card(ui, box);
    float x = box.x + PAD;
    float w = box.w - 2 * PAD;
    const char *token = label_of(m->c, m->c->session->selection.query);
    const char *title = draw_format(ui->list, "“%s” through the layers", token);
    if (ui_text_width(ui, FONT_SANS_SEMIBOLD, 12, title) > w) {
        title = draw_format(ui->list, "“%s” by layer", token);
    }
    ui_label(ui, rect(x, box.y + 12, w, 20),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 12, .color = t->text}, title);
    if (!r) {
        ui_paragraph(ui, rect(x, box.y + 38, w, 60), &(UiLabel){.size = 12}, 18,
                     "Its row in every layer is being computed.");
        return;
    }
    int32_t keys[STRIP_KEYS];
    int32_t n = strip_keys(m, keys);
    float pitch = row_pitch(m);
    Rect area = {x + 24, box.y + 58, w - 24 - 26, pitch * (float)r->n_layers};
    float cell = area.w / (float)AS_MAX(n, 1);
    float *values = ARENA_ARRAY(&ui->list->arena, float, (size_t)n *(size_t)r->n_layers + 1, NULL);
    if (!values || !n) {
        return;
    }
    bool all = keys[n - 1] == n - 1;
    const char *columns = all ? draw_format(ui->list, "keys 0–%d", n - 1)
                              : draw_format(ui->list, "%d strongest keys", n);
    if (ui_text_width(ui, FONT_SANS, 11, columns) > area.w - 42) {
        columns = draw_format(ui->list, "top %d", n);
    }
    ui_label(ui, rect(area.x, box.y + 34, area.w - 42, 18),
             &(UiLabel){.size = 11, .color = t->text3}, columns);
    ui_label(ui, rect(area.x + area.w - 40, box.y + 34, 40, 18),
             &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text3, .align = DRAW_RIGHT},
             head_grid_scale(m->c->session).kind == SCALE_LOG ? "log w" : "√w");
    ui_label(ui, rect(area.x + area.w + 4, box.y + 34, 30, 18),
             &(UiLabel){.size = 11, .color = t->text3}, "head");
    for (int32_t l = 0; l < r->n_layers; l++) {
        for (int32_t k = 0; k < n; k++) {
            values[(size_t)(r->n_layers - 1 - l) * (size_t)n + (size_t)k] =
                r->weights[(size_t)l * (size_t)r->n_keys + (size_t)keys[k]];
        }
    }
    draw_cells(ui->list, &(DrawCells){.box = area,
                                      .source = {.values = values, .rows = r->n_layers, .cols = n},
                                      .map = weight_map(ui),
                                      .scale = head_grid_scale(m->c->session),
                                      .inset = pitch >= 6 ? 1 : 0,
                                      .radius = pitch >= 10 ? 2 : 0});
    strip_rows(m, area, pitch);
    for (int32_t k = 0; k < n; k++) {
        Vec2 at = {area.x + cell * ((float)k + 0.5f), area.y + area.h + 12};
        draw_circle(
            ui->list,
            &(DrawCircle){.center = at, .radius = 3.5f, .fill = key_token_color(m->c, keys[k])});
        Rect column = {at.x - cell / 2, area.y, cell, area.h + 22};
        if (keys[k] == r->key) {
            draw_circle(
                ui->list,
                &(DrawCircle){.center = at, .radius = 6, .border = 1.2f, .border_color = t->text});
        }
        ui_tooltip(ui, rect(column.x, area.y + area.h, cell, 24),
                   draw_format(ui->list, "key %d, “%s”", keys[k], key_label_of(m->c, keys[k])));
    }
}

void stack_side_draw(StackModel *m)
{
    draw_title(m);
    draw_controls(m);
    draw_strip(m);
}
