#include "views/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Steps of the wheel follow each other fast. */
static const double CAMERA_S = 0.22;

void matrix_free(MatrixView *view)
{
    matrix_free_owner_images(view);
    mem_free(view->summary);
    ARRAY_FREE(&view->found.runs);
    ARRAY_FREE(&view->found.places[0]);
    ARRAY_FREE(&view->found.places[1]);
    *view = (MatrixView){0};
}

float matrix_key_x(const MatrixScene *s, int32_t key)
{
    const MatrixView *v = s->view;
    double px = (double)(zoom_pixel_of(v->zoom, key) - v->col_px) + v->zoom.px / 2.0;
    if (v->moving) {
        px = ((double)key + 0.5 - v->shown_col) * v->shown_unit;
    }
    return s->layout.heat.x + (float)px / s->c->ui->scale;
}

float matrix_query_y(const MatrixScene *s, int32_t query)
{
    const MatrixView *v = s->view;
    double px = (double)(zoom_pixel_of(v->zoom, query) - v->row_px) + v->zoom.px / 2.0;
    if (v->moving) {
        px = ((double)query + 0.5 - v->shown_row) * v->shown_unit;
    }
    return s->layout.heat.y + (float)px / s->c->ui->scale;
}

void matrix_draw_masked(Ui *ui, Rect box)
{
    Vec2 points[] = {{box.x, box.y},
                     {box.x + box.w, box.y},
                     {box.x + box.w, box.y + box.h},
                     {box.x, box.y + box.h}};
    draw_hatch(ui->list, &(DrawHatch){.points = points,
                                      .n_points = AS_COUNT(points),
                                      .fill = ui->theme.masked,
                                      .color = ui->theme.hatch,
                                      .spacing = 10});
}

void matrix_draw_number(const MatrixScene *s, Rect cell, float weight, float shown, bool strong)
{
    Ui *ui = s->c->ui;
    int digits = cell.w >= 64 ? 4 : cell.w >= 46 ? 3 : 2;
    double least = 0.5 * pow(10, -digits);
    const char *text = "·";
    if ((double)weight >= least) {
        text = draw_format(ui->list, "%.*f", digits, (double)weight);
        if (*text == '0') {
            text++; /* ".37": the nought says nothing */
        }
    }
    Color ground = colormap_value(s->map, s->scale, shown);
    Color color = color_readable(ground, color_hex(0x0B1020), color_hex(0xE6EAF5));
    if (*text != '.' && *text != '1') {
        color = color_mix(ground, color, 0.55f);
    }
    ui_label(ui, cell,
             &(UiLabel){.face = strong ? FONT_MONO_SEMIBOLD : FONT_MONO,
                        .size = cell.w >= 96   ? 14
                                : cell.w >= 46 ? 12
                                               : 11,
                        .align = DRAW_CENTER,
                        .color = color},
             text);
}

/* ---- the cross ---- */

/* Large cells: the row and the column are framed as far as they are not masked; numbers stay
 * free. */
static void draw_bands(const MatrixScene *s, float x, float y, bool in_x, bool in_y)
{
    Ui *ui = s->c->ui;
    const Session *session = s->c->session;
    const Selection *sel = &session->selection;
    float px = s->layout.px;
    Color band = color_with_alpha(ui->theme.cross, 0.45f);
    int32_t first;
    int32_t end;
    trace_visible_keys(session->trace, sel->layer, sel->query, &first, &end);
    if (in_y && first < end) {
        float x0 = matrix_key_x(s, first) - px / 2;
        float x1 = matrix_key_x(s, end - 1) + px / 2;
        draw_rect(ui->list, &(DrawRect){.box = {x0 - 1, y - px / 2, x1 - x0 + 2, px},
                                        .radius = 3,
                                        .border = 1,
                                        .border_color = band});
    }
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(s->view, &r0, &r1, &c0, &c1);
    int32_t top = -1;
    int32_t low = -1;
    for (int32_t i = r0; i < r1; i++) {
        trace_visible_keys(session->trace, sel->layer, i, &first, &end);
        if (first <= sel->key && sel->key < end) {
            top = top < 0 ? i : top;
            low = i;
        }
    }
    if (in_x && top >= 0) {
        float y0 = matrix_query_y(s, top) - px / 2;
        float y1 = matrix_query_y(s, low) + px / 2;
        draw_rect(ui->list, &(DrawRect){.box = {x - px / 2, y0 - 1, px, y1 - y0 + 2},
                                        .radius = 3,
                                        .border = 1,
                                        .border_color = band});
    }
}

static void draw_cross(const MatrixScene *s)
{
    Ui *ui = s->c->ui;
    const Selection *sel = &s->c->session->selection;
    Rect heat = s->layout.heat;
    float x = matrix_key_x(s, sel->key);
    float y = matrix_query_y(s, sel->query);
    float px = s->layout.px;
    Color line = color_with_alpha(ui->theme.cross, 0.62f);
    bool in_x = x >= heat.x && x < heat.x + heat.w;
    bool in_y = y >= heat.y && y < heat.y + heat.h;
    draw_push_clip(ui->list, rect_inset(heat, -8)); /* the ring may stand on the edge */
    if (px >= 10) {
        draw_bands(s, x, y, in_x, in_y);
        draw_rect(ui->list, &(DrawRect){.box = {x - px / 2 - 1, y - px / 2 - 1, px + 2, px + 2},
                                        .radius = fminf(5, px * 0.2f),
                                        .border = 2,
                                        .border_color = ui->theme.cross});
        draw_pop_clip(ui->list);
        return;
    }
    float gap = 8;
    float sx = ui_snap(ui, x - 0.5f);
    float sy = ui_snap(ui, y - 0.5f);
    if (in_y) {
        draw_rect(ui->list, &(DrawRect){.box = {heat.x, sy, x - gap - heat.x, 1}, .fill = line});
        draw_rect(ui->list,
                  &(DrawRect){.box = {x + gap, sy, heat.x + heat.w - x - gap, 1}, .fill = line});
    }
    if (in_x) {
        draw_rect(ui->list, &(DrawRect){.box = {sx, heat.y, 1, y - gap - heat.y}, .fill = line});
        draw_rect(ui->list,
                  &(DrawRect){.box = {sx, y + gap, 1, heat.y + heat.h - y - gap}, .fill = line});
    }
    draw_circle(ui->list, &(DrawCircle){.center = {x, y},
                                        .radius = 6.5f,
                                        .border = 1.5f,
                                        .border_color = ui->theme.cross});
    draw_pop_clip(ui->list);
}

/* "induction 0.42": what the head seems to do, with the score that says so. The width it takes. */
static float draw_pattern(const MatrixScene *s, float x, float y, float card_right)
{
    Ui *ui = s->c->ui;
    const PatternScores *p = session_patterns(s->c->session);
    if (!p || p->best < 0) {
        return 0;
    }
    const char *name = pattern_name((Pattern)p->best);
    const char *text = draw_format(ui->list, "%s %.2f", name, (double)p->score[p->best]);
    float w = ui_text_width(ui, FONT_SANS_MEDIUM, 12, text) + 32;
    if (x + w > card_right - 24) {
        return 0;
    }
    Color color = pattern_color((Pattern)p->best);
    Rect box = {x, y, w, 24};
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 10,
                                    .fill = color_mix(ui->theme.card, color, 0.22f),
                                    .border = 1,
                                    .border_color = color_mix(ui->theme.card, color, 0.8f)});
    draw_circle(ui->list, &(DrawCircle){.center = {x + 13, y + 12}, .radius = 3.5f, .fill = color});
    ui_label(ui, rect(x + 22, y, w - 30, 24),
             &(UiLabel){.face = FONT_SANS_MEDIUM, .color = ui->theme.text}, text);
    ui_tooltip(ui, box,
               draw_format(ui->list,
                           "A hypothesis: the %s score of this head is %.3f, above the "
                           "limit of %.2f. See Head patterns in the inspector.",
                           name, (double)p->score[p->best],
                           (double)pattern_limit((Pattern)p->best)));
    return w + 20;
}

/* What is left out, else the pattern. */
static float draw_note(const MatrixScene *s, float x, float y, float card_right)
{
    Ui *ui = s->c->ui;
    const char *words = matrix_source_words(s);
    const char *sums = matrix_shown_words(s);
    if (words && sums) {
        words = draw_format(ui->list, "%s, %s", words, sums);
    }
    words = words ? words : sums;
    if (!words) {
        return s->source.combine == COMBINE_ONE ? draw_pattern(s, x, y, card_right) : 0;
    }
    float room = s->layout.heat.x + s->layout.heat.w - 48 - x;
    float w = fminf(ui_text_width(ui, FONT_SANS_MEDIUM, 12, words) + 24, room);
    if (w < 60) {
        return 0;
    }
    Color color = color_hex(0xF2AF48);
    draw_rect(ui->list, &(DrawRect){.box = {x, y, w, 24},
                                    .radius = 10,
                                    .fill = color_mix(ui->theme.card, color, 0.16f),
                                    .border = 1,
                                    .border_color = color_mix(ui->theme.card, color, 0.6f)});
    ui_label(ui, rect(x + 12, y, w - 22, 24),
             &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 12, .color = ui->theme.text}, words);
    return w + 20;
}

static void draw_title(MatrixScene *s)
{
    Ui *ui = s->c->ui;
    const MatrixLayout *l = &s->layout;
    const char *title = matrix_source_title(s);
    float y = l->card.y + (l->area.y - l->card.y) / 2 - 14;
    float x = l->card.x + 24;
    float w = ui_text_width(ui, FONT_SANS_SEMIBOLD, 16, title);
    float room = l->card.x + l->card.w - 24 - x;
    ui_label(ui, rect(x, y, room, 24),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 16, .color = ui->theme.text}, title);
    w += draw_note(s, x + w + 20, y, l->card.x + l->card.w);
    int32_t r0;
    int32_t r1;
    int32_t c0;
    int32_t c1;
    matrix_window(s->view, &r0, &r1, &c0, &c1);
    const char *range = draw_format(ui->list, "queries %d–%d, keys %d–%d", r0, r1 - 1, c0, c1 - 1);
    const MatrixView *v = s->view;
    float right = l->heat.x + l->heat.w;
    right -= matrix_menu_button(s, right, y);
    if (r1 - r0 < v->n_queries || c1 - c0 < v->n_keys) {
        const char *hint = draw_format(ui->list, "%s (F shows all)", range);
        bool fits = right - ui_text_width(ui, FONT_MONO, 12, hint) > x + w + 16;
        range = fits ? hint : range;
    }
    float range_w = ui_text_width(ui, FONT_MONO, 12, range);
    if (right - range_w > x + w + 16) {
        ui_label(ui, rect(right - range_w, y, range_w + 1, 24),
                 &(UiLabel){.face = FONT_MONO, .size = 12, .color = ui->theme.text3}, range);
    }
}

/* ---- the view ---- */

static void keep_camera(MatrixScene *s)
{
    MatrixView *v = s->view;
    const Session *session = s->c->session;
    const TraceInfo *info = trace_info(session->trace);
    float scale = s->c->ui->scale;
    int32_t area_w = (int32_t)floorf(s->layout.area.w * scale + 0.01f);
    int32_t area_h = (int32_t)floorf(s->layout.area.h * scale + 0.01f);
    bool resized = area_w != v->area_w || area_h != v->area_h;
    v->area_w = area_w;
    v->area_h = area_h;
    bool other_text = v->n_queries != info->n_queries || v->n_keys != info->n_keys;
    v->n_queries = info->n_queries;
    v->n_keys = info->n_keys;
    const Selection *sel = &session->selection;
    if (!v->placed || other_text || (resized && v->fitted)) {
        const TraceLayer *layer = trace_layer(session->trace, sel->layer);
        matrix_place(v, sel->query, sel->key, layer && layer->causal);
    }
    MatrixZoom coarsest = zoom_fit(v->n_queries, v->n_keys, area_w, area_h);
    if (zoom_finer(coarsest, v->zoom)) {
        v->zoom = coarsest;
    }
    bool changed = sel->query != v->seen_query || sel->key != v->seen_key;
    bool by_pointer = sel->query == v->hover_query && sel->key == v->hover_key &&
                      ui_hovers(s->c->ui, s->layout.area);
    if (changed && !by_pointer) {
        matrix_reveal(v, sel->query, sel->key);
    }
    v->seen_query = sel->query;
    v->seen_key = sel->key;
    v->trace_version = session->trace_version;
    matrix_clamp(v);
}

Scale matrix_scale(const Session *session)
{
    Scale scale = weight_scale(session);
    const SessionOptions *o = &session->options;
    if (o->map_hi > 0) {
        scale.lo = scale.kind == SCALE_LOG ? fmaxf(o->map_lo, scale.lo) : o->map_lo;
        scale.hi = o->map_hi;
    }
    return scale;
}

void matrix_draw(ViewContext *c, Rect stage)
{
    MatrixScene s = {
        .c = c,
        .view = &c->views->matrix,
        .layout = matrix_layout(c->ui, stage),
        .map = weight_map(c->ui),
        .scale = matrix_scale(c->session),
    };
    keep_camera(&s);
    session_weight_source(c->session, &s.source);
    s.plain = weight_source_is_plain(&s.source);
    matrix_layout_heat(c->ui, &s.layout, s.view);
    Rect shield = c->ui->shield;
    if (rect_is_empty(shield)) {
        c->ui->shield = matrix_menu_shield(&s);
    }
    matrix_pointer(&s);
    if (matrix_ease(s.view, c->ui->now_s, c->ui->still ? 0 : CAMERA_S)) {
        c->ui->moves = true;
        s.layout.px = (float)s.view->shown_unit / c->ui->scale;
    }
    matrix_read_shown(&s);
    matrix_read_strips(&s);
    ui_card(c->ui, s.layout.card);
    draw_title(&s);
    matrix_draw_heat(&s);
    matrix_draw_overlay(&s);
    matrix_draw_profiles(&s);
    matrix_draw_labels(&s);
    draw_cross(&s);
    matrix_draw_strips(&s);
    matrix_draw_side(&s);
    c->ui->shield = shield;
    matrix_draw_menu(&s);
}

const ViewCommand matrix_commands[] = {
    {"zoom", "in|out", "closer to the selected weight, or further away"},
    {"fit", "", "show the whole matrix"},
    {"look", "QUERY KEY", "move so that this weight is in the middle"},
    {"box", "Q0 Q1 K0 K1", "show queries Q0 up to Q1 and keys K0 up to K1 as large as they fit"},
    {0},
};

/* n tokens separated by blanks, those past every text as INT32_MAX; false: something else. */
static bool read_tokens(const char *from, int64_t *at, int n)
{
    for (int i = 0; i < n; i++) {
        char *end;
        at[i] = strtoll(from, &end, 10);
        if (end == from || at[i] < 0) {
            return false;
        }
        at[i] = AS_MIN(at[i], INT32_MAX);
        from = end;
    }
    return from[strspn(from, " ")] == 0;
}

/* Are these in the text? q1 and k1 are past the last ones. */
static bool are_there(const MatrixView *v, int64_t q1, int64_t k1, Error *err)
{
    if (q1 > v->n_queries) {
        return error_not_there(err, "query", q1 - 1, v->n_queries);
    }
    return k1 <= v->n_keys || error_not_there(err, "key", k1 - 1, v->n_keys);
}

bool matrix_command(Views *views, Session *session, const char *name, const char *arguments,
                    Error *err)
{
    MatrixView *v = &views->matrix;
    const Selection *sel = &session->selection;
    if (!v->placed) {
        return false;
    }
    if (strcmp(name, "zoom") == 0) {
        int direction = strcmp(arguments, "in") == 0 ? 1 : strcmp(arguments, "out") == 0 ? -1 : 0;
        double x = (double)(zoom_pixel_of(v->zoom, sel->key) - v->col_px) + v->zoom.px / 2.0;
        double y = (double)(zoom_pixel_of(v->zoom, sel->query) - v->row_px) + v->zoom.px / 2.0;
        if (direction) {
            matrix_zoom_at(v, direction, AS_CLAMP(x, 0, v->area_w), AS_CLAMP(y, 0, v->area_h));
        }
        return direction != 0;
    }
    if (strcmp(name, "fit") == 0) {
        v->zoom = zoom_fit(v->n_queries, v->n_keys, v->area_w, v->area_h);
        v->fitted = true;
        matrix_clamp(v);
        return true;
    }
    if (strcmp(name, "box") == 0) {
        int64_t at[4];
        if (!read_tokens(arguments, at, 4) || at[1] <= at[0] || at[3] <= at[2] ||
            !are_there(v, at[1], at[3], err)) {
            return false;
        }
        matrix_look_at(v, (int32_t)at[0], (int32_t)at[1], (int32_t)at[2], (int32_t)at[3]);
        return true;
    }
    if (strcmp(name, "look") == 0) {
        int64_t at[2];
        if (!read_tokens(arguments, at, 2) || !are_there(v, at[0] + 1, at[1] + 1, err)) {
            return false;
        }
        v->row_px = zoom_pixel_of(v->zoom, at[0]) - v->area_h / 2;
        v->col_px = zoom_pixel_of(v->zoom, at[1]) - v->area_w / 2;
        v->fitted = false;
        matrix_clamp(v);
        return true;
    }
    return false;
}
