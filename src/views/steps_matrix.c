#include "views/steps.h"

#include <math.h>

enum { HEAD_H = 50, KEYS_H = 18, FOOT_H = 30 };

/* ---- cards ---- */

/* `share` of the width is each side's. */
static void lay_out_three(const StepsScene *s, float share, Rect out[3])
{
    Rect main = s->layout.main;
    float gap = s->layout.gap;
    float rest = main.w - 2 * gap;
    float side = floorf(rest * share);
    float middle = rest - 2 * side;
    out[0] = rect(main.x, main.y, side, main.h);
    out[1] = rect(main.x + side + gap, main.y, middle, main.h);
    out[2] = rect(main.x + main.w - side, main.y, side, main.h);
}

void steps_three(const StepsScene *s, Rect out[3])
{
    lay_out_three(s, 0.354f, out);
}

void steps_thirds(const StepsScene *s, Rect out[3])
{
    lay_out_three(s, 1 / 3.0f, out);
}

Rect steps_card(StepsScene *s, Rect box, const char *title, const char *note, Color color)
{
    Ui *ui = s->c->ui;
    float pad = box.w < 330 ? 10 : 16;
    ui_card(ui, box);
    ui_label(ui, rect(box.x + pad, box.y + 9, box.w - 2 * pad, 22),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = color}, title);
    ui_label(ui, rect(box.x + pad, box.y + 30, box.w - 2 * pad, 18),
             &(UiLabel){.face = FONT_SANS, .size = 11}, note);
    return rect(box.x + pad, box.y + HEAD_H + 4, box.w - 2 * pad, box.h - HEAD_H - 14);
}

void steps_ribbon(Ui *ui, Rect from, Rect to, Color color, float alpha)
{
    /* Slices, so that the sides may bend. */
    enum { SLICES = 20 };
    for (int i = 0; i < SLICES; i++) {
        float t0 = (float)i / SLICES;
        float t1 = (float)(i + 1) / SLICES;
        float u0 = t0 * t0 * (3 - 2 * t0);
        float u1 = t1 * t1 * (3 - 2 * t1);
        float x0 = from.x + (to.x - from.x) * t0;
        float x1 = from.x + (to.x - from.x) * t1;
        Vec2 points[] = {{x0, from.y + (to.y - from.y) * u0},
                         {x1, from.y + (to.y - from.y) * u1},
                         {x1, from.y + from.h + (to.y + to.h - from.y - from.h) * u1},
                         {x0, from.y + from.h + (to.y + to.h - from.y - from.h) * u0}};
        float fade = 0.5f - 0.38f * t0;
        draw_polygon(ui->list, &(DrawPolygon){.points = points,
                                              .n_points = 4,
                                              .fill = color_fade(color, fade * alpha)});
    }
}

/* ---- placing ---- */

static void find_range(StepMatrix *m)
{
    m->lo = INFINITY;
    m->hi = -INFINITY;
    for (int32_t i = 0; i < m->n; i++) {
        int32_t columns = m->columns == COLUMNS_KEYS ? m->m : m->all;
        for (int32_t j = 0; j < columns; j++) {
            float v = m->values[i * m->ld + (m->columns == COLUMNS_KEYS ? m->first : 0) + j];
            if (!isinf(v)) {
                m->lo = fminf(m->lo, v);
                m->hi = fmaxf(m->hi, v);
            }
        }
    }
    if (m->lo > m->hi) {
        m->lo = m->hi = 0;
    }
}

void step_matrix_place(StepsScene *s, StepMatrix *m, Rect box)
{
    float pad = box.w < 330 ? 10 : 16;
    Rect in = m->bare ? box
                      : rect(box.x + pad, box.y + HEAD_H + 2, box.w - 2 * pad,
                             box.h - HEAD_H - 2 - FOOT_H - 10);
    m->box = box;
    const bool patches = trace_image(s->session->trace); /* "[r12 c3]" */
    m->label_w = patches ? 62 : in.w < 300 ? 44 : 52;
    float room = in.w - m->label_w - 4;
    if (m->columns == COLUMNS_KEYS) {
        m->pitch_x = fminf(52, room / (float)m->m);
    } else {
        m->pitch_x = 46;
        m->m = teach_dims(room, m->pitch_x, 0, m->all, &m->more);
        int32_t first = AS_MIN(s->session->selection.dim, m->all - 1);
        m->first = AS_CLAMP(first, 0, AS_MAX(m->all - m->m, 0));
    }
    float most = m->bare ? 30 : 74;
    /* Where not all rows have room, those around the chosen one are shown. */
    int32_t fit = AS_MAX((int32_t)((in.h - KEYS_H) / 13.5f), 1);
    if (fit < m->n) {
        int32_t skip = AS_CLAMP(m->chosen - fit / 2, 0, m->n - fit);
        m->values += skip * m->ld;
        m->hidden_where = m->hidden_where ? m->hidden_where + (ptrdiff_t)skip * m->m : NULL;
        m->rows.first += skip;
        m->chosen = m->chosen >= 0 ? m->chosen - skip : -1;
        m->n = fit;
        m->skipped = skip;
    }
    m->pitch_y = AS_CLAMP((in.h - KEYS_H) / (float)m->n, 12, most);
    m->cells = rect(in.x + m->label_w + 4, in.y + KEYS_H, m->pitch_x * (float)m->m,
                    m->pitch_y * (float)m->n);
    find_range(m);
}

Rect step_matrix_cell(const StepMatrix *m, int32_t i, int32_t j)
{
    float gap_y = m->pitch_y > 26 ? 4 : 2;
    return rect(m->cells.x + m->pitch_x * (float)j, m->cells.y + m->pitch_y * (float)i,
                m->pitch_x - (m->pitch_x > 30 ? 3 : 1.5f), m->pitch_y - gap_y);
}

Rect step_matrix_row(const StepMatrix *m, int32_t i)
{
    Rect a = step_matrix_cell(m, i, 0);
    Rect b = step_matrix_cell(m, i, m->m - 1);
    return rect(a.x - 3, a.y - 3, b.x + b.w - a.x + 6, a.h + 6);
}

/* ---- time ---- */

/* A few are under way at once, never so many that they hide what they leave. */
static double flight_seconds(const Flight *f, double cells)
{
    return AS_CLAMP(3.2 * (f->end - f->start) / cells, 0.16, 0.55);
}

float step_matrix_arrival(const StepsScene *s, const StepMatrix *m, int32_t i, int32_t j)
{
    const Flight *f = &m->flight;
    if (f->end <= 0) {
        return 1;
    }
    double cells = (double)m->n * m->m;
    double takes = flight_seconds(f, cells);
    double each = fmax(f->end - f->start - takes, 0.01) / cells;
    double from = f->start + each * (i * m->m + j);
    return (float)ease_in_out_cubic(ease_span(s->t, from, from + takes));
}

bool step_matrix_current(const StepsScene *s, const StepMatrix *m, int32_t *i, int32_t *j)
{
    for (int32_t k = m->n * m->m; k-- > 0;) {
        float p = step_matrix_arrival(s, m, k / m->m, k % m->m);
        if (p > 0 && p < 1) {
            *i = k / m->m;
            *j = k % m->m;
            return true;
        }
    }
    return false;
}

/* ---- drawing ---- */

static float amount_of(const StepMatrix *m, float value)
{
    if (m->by_size) {
        return fabsf(value) / fmaxf(fmaxf(fabsf(m->lo), fabsf(m->hi)), 1e-9f);
    }
    if (m->weights) {
        return sqrtf(fmaxf(value, 0)); /* the square root keeps small shares apart */
    }
    return (value - m->lo) / fmaxf(m->hi - m->lo, 1e-9f);
}

static const char *cell_text(Ui *ui, const StepMatrix *m, float value, float width)
{
    const char *text = m->weights ? teach_fixed(ui, (double)value, 2) : "";
    return m->weights && ui_text_width(ui, FONT_MONO, 11, text) <= width - 2
               ? text
               : teach_fit(ui, value, width);
}

static const char *cell_tip(StepsScene *s, const StepMatrix *m, int32_t i, int32_t j, float value)
{
    Ui *ui = s->c->ui;
    int32_t row = m->rows.first + i;
    const char *who = m->rows_are_keys ? key_label_of(s->c, row) : label_of(s->c, row);
    return m->columns == COLUMNS_KEYS
               ? draw_format(ui->list, "“%s”, “%s”: %.6f", who,
                             key_label_of(s->c, m->keys.first + j), (double)value)
               : draw_format(ui->list, "“%s” [%d] = %.6f", who, m->first + j, (double)value);
}

static void dashed_box(Ui *ui, Rect b, Color color)
{
    const DrawLine line = {.width = 1, .color = color, .dash_on = 3, .dash_off = 3};
    Vec2 p[] = {{b.x, b.y}, {b.x + b.w, b.y}, {b.x + b.w, b.y + b.h}, {b.x, b.y + b.h}};
    for (int k = 0; k < 4; k++) {
        DrawLine side = line;
        side.a = p[k];
        side.b = p[(k + 1) % 4];
        draw_line(ui->list, &side);
    }
}

static Role cell_role(Ui *ui, const StepMatrix *m, int32_t j)
{
    return m->per_head ? role_head(ui, (m->first + j) / m->per_head) : m->role;
}

static void draw_flying(StepsScene *s, const StepMatrix *m, int32_t i, int32_t j, float value,
                        float part)
{
    Ui *ui = s->c->ui;
    Rect to = step_matrix_cell(m, i, j);
    Rect from = m->flight.from ? m->flight.from(m->flight.payload, i, j) : to;
    Role role = cell_role(ui, m, j);
    Vec2 a = rect_center(from);
    Vec2 b = rect_center(to);
    float lift = fminf(60, fabsf(b.x - a.x) * 0.14f) * 4 * part * (1 - part);
    Vec2 at = {a.x + (b.x - a.x) * part, a.y + (b.y - a.y) * part - lift};
    float grow = 1 + 0.15f * 4 * part * (1 - part);
    float w = from.w + (to.w - from.w) * part;
    float h = from.h + (to.h - from.h) * part;
    Rect box = {at.x - w * grow / 2, at.y - h * grow / 2, w * grow, h * grow};
    draw_shadow(ui->list, &(DrawShadow){.box = box,
                                        .radius = 5,
                                        .blur = 14,
                                        .color = color_with_alpha(role.fill, 0.55f)});
    teach_cell(ui, &(ValueCell){.box = box,
                                .value = value,
                                .amount = amount_of(m, value),
                                .role = role,
                                .text = cell_text(ui, m, value, box.w),
                                .strong = true});
}

static void draw_value(StepsScene *s, const StepMatrix *m, int32_t i, int32_t j)
{
    Ui *ui = s->c->ui;
    Rect box = step_matrix_cell(m, i, j);
    float value = m->values[i * m->ld + m->first + j];
    float part = step_matrix_arrival(s, m, i, j);
    const Selection *sel = &s->session->selection;
    if (m->hidden_where && isinf(m->hidden_where[i * m->m + j])) {
        teach_masked_cell(ui, box, "masked: the query may not look at this key");
        return;
    }
    if (part < 1) {
        dashed_box(ui, rect_inset(box, 0.5f), color_fade(m->role.text, 0.35f));
        return;
    }
    int32_t token = m->rows.first + i;
    bool cell = m->columns == COLUMNS_KEYS && token == sel->query && m->keys.first + j == sel->key;
    bool hot = teach_cell(ui, &(ValueCell){.box = box,
                                           .value = value,
                                           .amount = amount_of(m, value),
                                           .role = cell_role(ui, m, j),
                                           .text = cell_text(ui, m, value, box.w),
                                           .strong = cell,
                                           .tip = NULL});
    if (!hot) {
        return;
    }
    ui_tooltip(ui, box, cell_tip(s, m, i, j, value));
    if (m->columns == COLUMNS_KEYS && ui->pressed[0]) {
        session_post(s->session, "pin %d %d", token, m->keys.first + j);
    } else if (m->columns == COLUMNS_KEYS && ui->mouse_moved && !sel->pinned && !cell) {
        session_post(s->session, "hover %d %d", token, m->keys.first + j);
    }
}

static void draw_labels(StepsScene *s, const StepMatrix *m)
{
    Ui *ui = s->c->ui;
    for (int32_t i = 0; i < m->n; i++) {
        Rect cell = step_matrix_cell(m, i, 0);
        Rect chip = {m->cells.x - m->label_w - 4, cell.y, m->label_w, cell.h};
        int32_t token = m->rows.first + i;
        teach_token(s->c, chip, token, m->rows_are_keys, !m->rows_are_keys && token == s->l->query,
                    11);
    }
    for (int32_t j = 0; j < m->m; j++) {
        Rect box = {m->cells.x + m->pitch_x * (float)j - 1, m->cells.y - KEYS_H, m->pitch_x,
                    KEYS_H};
        const char *text = m->columns == COLUMNS_KEYS ? key_label_of(s->c, m->keys.first + j)
                                                      : draw_format(ui->list, "%d", m->first + j);
        ui_label(ui, box,
                 &(UiLabel){.face = m->columns == COLUMNS_KEYS ? FONT_SANS_MEDIUM : FONT_MONO,
                            .size = 11,
                            .align = DRAW_CENTER},
                 text);
    }
    if (m->columns != COLUMNS_KEYS) {
        Rect more = {m->cells.x + m->cells.w + 2, m->cells.y, 36, m->pitch_y - 4};
        teach_more(ui, more, m->more, m->first);
        teach_scroll_dims(s->c, m->cells, m->m, m->all);
    }
}

static void draw_foot(StepsScene *s, const StepMatrix *m)
{
    Ui *ui = s->c->ui;
    const float most = fmaxf(fabsf(m->lo), fabsf(m->hi));
    const TeachLegend legend = {.role = m->role,
                                .lo = m->weights || m->by_size ? 0 : m->lo,
                                .hi = m->weights   ? 1
                                      : m->by_size ? most
                                                   : m->hi,
                                .root = m->weights};
    const float y = fminf(m->cells.y + m->cells.h + 8, m->box.y + m->box.h - TEACH_LEGEND_H - 5);
    const char *words = m->weights ? "share, √ scale" : m->by_size ? "magnitude" : "score";
    const float wide = ui_text_width(ui, FONT_SANS, 11, words) + 12;
    const Rect bar = {m->cells.x, y,
                      AS_CLAMP(m->box.x + m->box.w - 16 - m->cells.x - wide, 60, 180),
                      TEACH_LEGEND_H};
    teach_legend(ui, bar, &legend);
    ui_label(ui, rect(bar.x + bar.w + 10, y - 5, wide, 18),
             &(UiLabel){.face = FONT_SANS, .size = 11}, words);
}

void step_matrix_draw(StepsScene *s, const StepMatrix *m)
{
    Ui *ui = s->c->ui;
    if (!m->bare) {
        float pad = m->box.w < 330 ? 10 : 16;
        const char *shape = teach_shape(ui, m->rows_all ? m->rows_all : m->n,
                                        m->columns == COLUMNS_KEYS ? m->all : m->all);
        float w = ui_text_width(ui, FONT_MONO, 11, shape) + 2;
        ui_card(ui, m->box);
        ui_label(ui, rect(m->box.x + pad, m->box.y + 9, m->box.w - 2 * pad - w - 8, 22),
                 &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = m->role.text},
                 m->title);
        ui_label(ui, rect(m->box.x + m->box.w - pad - w, m->box.y + 9, w, 22),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT}, shape);
        ui_label(ui, rect(m->box.x + pad, m->box.y + 30, m->box.w - 2 * pad, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11}, m->note);
        draw_foot(s, m);
    }
    draw_labels(s, m);
    for (int32_t i = 0; i < m->n; i++) {
        bool faint = m->faint > 0 && i != m->chosen;
        draw_push_alpha(ui->list, faint ? m->faint : 1);
        for (int32_t j = 0; j < m->m; j++) {
            draw_value(s, m, i, j);
        }
        draw_pop_alpha(ui->list);
    }
    if (m->chosen >= 0 && m->chosen < m->n) {
        draw_rect(ui->list, &(DrawRect){.box = step_matrix_row(m, m->chosen),
                                        .radius = 7,
                                        .border = 1.5f,
                                        .border_color = m->role.text});
    }
    for (int32_t k = 0; k < m->n * m->m; k++) { /* what flies lies above everything */
        float part = step_matrix_arrival(s, m, k / m->m, k % m->m);
        bool hidden = m->hidden_where && isinf(m->hidden_where[k]);
        if (part > 0 && part < 1 && !hidden) {
            draw_flying(s, m, k / m->m, k % m->m, m->values[k / m->m * m->ld + m->first + k % m->m],
                        part);
        }
    }
}

/* ---- matrices of the lesson ---- */

static StepMatrix by_tokens(const StepsScene *s, Role role, const char *title, const float *values,
                            int32_t all)
{
    const TraceInfo *info = trace_info(s->session->trace);
    return (StepMatrix){.title = title,
                        .note = "rows are tokens, columns are dimensions",
                        .role = role,
                        .n = s->l->n,
                        .values = values,
                        .ld = all,
                        .all = all,
                        .rows_all = info->n_queries,
                        .columns = COLUMNS_DIMS,
                        .rows = s->l->rows,
                        .by_size = true,
                        .chosen = s->row};
}

static StepMatrix by_keys(const StepsScene *s, Role role, const char *title, const float *values)
{
    const TraceInfo *info = trace_info(s->session->trace);
    return (StepMatrix){.title = title,
                        .note = "rows are queries, columns are keys",
                        .role = role,
                        .n = s->l->n,
                        .m = s->l->m,
                        .values = values,
                        .ld = s->l->m,
                        .all = info->n_keys,
                        .rows_all = info->n_queries,
                        .columns = COLUMNS_KEYS,
                        .rows = s->l->rows,
                        .keys = s->l->keys,
                        .hidden_where = s->l->scores,
                        .chosen = s->row};
}

StepMatrix matrix_of_input(const StepsScene *s, bool normed)
{
    const Lesson *l = s->l;
    const char *title = normed     ? "H, after the norm"
                        : l->cross ? "X, the decoder's states"
                                   : "X, the embeddings";
    return by_tokens(s, role_plain(s->c->ui), title, normed ? l->normed : l->x, l->width);
}

/* Rows that are keys: of the other text in cross attention. */
static void rows_of_keys(const StepsScene *s, StepMatrix *m)
{
    m->n = s->l->m;
    m->rows = s->l->keys;
    m->rows_all = trace_info(s->session->trace)->n_keys;
    m->rows_are_keys = true;
    m->chosen = -1;
}

StepMatrix matrix_of_source(const StepsScene *s)
{
    StepMatrix m =
        by_tokens(s, role_plain(s->c->ui), "S, the encoder's states", s->l->source, s->l->width);
    rows_of_keys(s, &m);
    return m;
}

StepMatrix matrix_of_vectors(const StepsScene *s, int part)
{
    static const char *const titles[] = {"Q, queries", "K, keys", "V, values"};
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    StepMatrix m = by_tokens(s,
                             part == 0   ? role_q(ui)
                             : part == 1 ? role_k(ui)
                                         : role_v(ui),
                             titles[part],
                             part == 0   ? l->q
                             : part == 1 ? l->k
                                         : l->v,
                             l->head_dim);
    if (part > 0) {
        rows_of_keys(s, &m);
    }
    return m;
}

StepMatrix matrix_of_dots(const StepsScene *s)
{
    return by_keys(s, role_score(s->c->ui), "Q Kᵀ, dot products", s->l->dots);
}

StepMatrix matrix_of_scores(const StepsScene *s)
{
    return by_keys(s, role_score(s->c->ui), "Scaled scores", s->l->scores);
}

StepMatrix matrix_of_weights(const StepsScene *s)
{
    StepMatrix m = by_keys(s, role_softmax(s->c->ui), "Weights", s->l->weights);
    m.weights = true;
    return m;
}

StepMatrix matrix_of_output(const StepsScene *s)
{
    const Lesson *l = s->l;
    return by_tokens(s, role_v(s->c->ui), "Output of the head",
                     l->outputs + (ptrdiff_t)l->head * l->n * l->head_dim, l->head_dim);
}

StepMatrix matrix_of_all_heads(const StepsScene *s)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    int32_t wide = l->n_heads * l->head_dim;
    float *joined = ARENA_ARRAY(&ui->list->arena, float, (size_t)l->n *(size_t)wide, NULL);
    for (int32_t h = 0; joined && h < l->n_heads; h++) {
        for (int32_t i = 0; i < l->n; i++) {
            for (int32_t d = 0; d < l->head_dim; d++) {
                joined[i * wide + h * l->head_dim + d] =
                    l->outputs[((ptrdiff_t)h * l->n + i) * l->head_dim + d];
            }
        }
    }
    StepMatrix m = by_tokens(s, role_output(ui), "Z, all heads side by side",
                             joined ? joined : l->outputs, joined ? wide : l->head_dim);
    m.per_head = l->head_dim;
    return m;
}

StepMatrix matrix_of_attended(const StepsScene *s)
{
    return by_tokens(s, role_output(s->c->ui), "What attention adds", s->l->attended, s->l->width);
}
