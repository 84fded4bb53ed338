#include "views/steps.h"

#include <math.h>

/* From the text to q, k and v, and from the heads back to the residual stream. */

/* ---- embeddings ---- */

static Rect from_same_cell(const void *payload, int32_t i, int32_t j)
{
    return step_matrix_cell(payload, i, AS_MIN(j, ((const StepMatrix *)payload)->m - 1));
}

/* Side by side, as many as there are. */
static void place_columns(StepsScene *s, StepMatrix *const *list, int n)
{
    Rect main = s->layout.main;
    float w = (main.w - (float)(n - 1) * s->layout.gap) / (float)n;
    for (int i = 0; i < n; i++) {
        step_matrix_place(s, list[i],
                          rect(main.x + (float)i * (w + s->layout.gap), main.y, w, main.h));
    }
}

void scene_embed(StepsScene *s)
{
    const Lesson *l = s->l;
    if (!l->has_input) {
        steps_missing(s, s->layout.main, STEPS_LACK_INPUT);
        return;
    }
    StepMatrix x = matrix_of_input(s, false);
    StepMatrix h = matrix_of_input(s, true);
    StepMatrix source = matrix_of_source(s);
    StepMatrix *list[3] = {&x};
    int n = 1;
    if (l->has_norm) {
        list[n++] = &h;
    }
    if (l->cross) {
        list[n++] = &source;
    }
    x.note = s->kind == STEP_INPUT ? "one row a token: this is where the layer starts"
             : l->cross            ? "of the target, after its self attention: q is made of these"
             : l->layer == 0       ? "rows of the embedding table, places added"
                                   : "the residual stream: what layers below have made of it";
    h.note = l->cross ? "each row brought to one size: what q is made of"
                      : "each row brought to one size: what q, k, v are made of";
    source.note = "of the source, after the last layer: k and v are made of these";
    place_columns(s, list, n);
    for (int i = 0; i < n; i++) {
        list[i]->flight = (Flight){.start = 0.2 + (s->length - 0.2) * 0.96 * i / n,
                                   .end = (s->length - 0.2) * 0.96 * (i + 1) / n};
    }
    h.flight.from = l->has_norm ? from_same_cell : NULL;
    h.flight.payload = &x;
    for (int i = 0; i < n; i++) {
        step_matrix_draw(s, list[i]);
    }
}

/* ---- projections ---- */

static Rect from_row(const void *payload, int32_t i, int32_t j)
{
    const StepMatrix *m = payload;
    (void)j;
    return step_matrix_cell(m, AS_MIN(i, m->n - 1), m->m - 1);
}

void scene_project(StepsScene *s)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    static const char *const names[] = {"W_Q", "W_K", "W_V"};
    Rect three[3];
    steps_three(s, three);
    if (!l->has_input) {
        steps_missing(s, three[0], STEPS_LACK_INPUT);
    }
    StepMatrix x = l->has_input ? matrix_of_input(s, true) : matrix_of_vectors(s, 0);
    StepMatrix source = l->source ? matrix_of_source(s) : x;
    Rect top = three[0];
    if (l->source) {
        top.h = (top.h - 12) / 2;
        source.note = "k and v are made of these";
        step_matrix_place(s, &source, rect(top.x, top.y + top.h + 12, top.w, top.h));
        step_matrix_draw(s, &source);
    }
    x.title = l->cross ? "H, the decoder's states" : "H, the layer's input";
    x.note = l->cross ? "q is made of these" : x.note;
    step_matrix_place(s, &x, top);
    if (l->has_input) {
        step_matrix_draw(s, &x);
    }
    float gap = 12;
    float h = (three[1].h - 2 * gap) / 3;
    for (int p = 0; p < 3; p++) {
        Rect weights = {three[1].x, three[1].y + (h + gap) * (float)p, three[1].w, h};
        Rect result = {three[2].x, weights.y, three[2].w, h};
        Role role = p == 0 ? role_q(ui) : p == 1 ? role_k(ui) : role_v(ui);
        draw_push_alpha(ui->list, phase(s->t, 0.3 + 0.3 * p, 0.8 + 0.3 * p));
        steps_weights(s, weights, (ModelProjection)p, names[p], role);
        draw_pop_alpha(ui->list);
        if (p == 2 && !l->has_values) {
            steps_missing(s, result, STEPS_LACK_VALUES);
            continue;
        }
        StepMatrix m = matrix_of_vectors(s, p);
        ui_card(ui, result);
        ui_label(ui, rect(result.x + 12, result.y + 5, result.w - 24, 20),
                 &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 13, .color = role.text}, m.title);
        ui_label(ui, rect(result.x + 12, result.y + 5, result.w - 24, 20),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT},
                 draw_format(ui->list, "%s%s", teach_shape(ui, m.rows_all, m.all),
                             p < 2 && l->turned ? ", turned" : ""));
        m.bare = true;
        double from = 0.8 + (s->length - 1.4) * p / 3.0;
        m.flight = (Flight){.start = from,
                            .end = from + (s->length - 1.4) / 3 + 0.5,
                            .from = from_row,
                            .payload = p > 0 ? &source : &x};
        step_matrix_place(s, &m, rect(result.x + 12, result.y + 24, result.w - 24, result.h - 32));
        step_matrix_draw(s, &m);
    }
}

/* ---- heads apart ---- */

static void draw_head_split(StepsScene *s, const StepMatrix *all, Rect box, int32_t head, int order)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    float in = phase_of(s->t, 1.2, order, 0.25, 0.8);
    Role role = role_head(ui, head);
    Rect from = all->cells;
    Rect at = {from.x + (box.x - from.x) * in, box.y, box.w, box.h};
    bool chosen = head == l->head;
    draw_push_alpha(ui->list, in);
    teach_well(ui, at, color_mix(ui->theme.card, role.fill, chosen ? 0.22f : 0.08f),
               chosen ? role.fill : ui->theme.edge, chosen ? 1.5f : 1);
    ui_label(ui, rect(at.x + 8, at.y + 3, at.w - 16, 16),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 11, .color = role.text},
             draw_format(ui->list, at.w > 60 ? "head %d" : "%d", head));
    float side = fminf(20, (at.h - 26) / (float)l->n);
    int32_t columns = AS_MIN((int32_t)((at.w - 14) / side), l->head_dim);
    for (int32_t i = 0; i < l->n && side >= 3; i++) {
        const float *o =
            l->outputs ? l->outputs + ((ptrdiff_t)head * l->n + i) * l->head_dim : NULL;
        float most = o ? teach_most(o, (size_t)l->head_dim) : 1;
        for (int32_t d = 0; o && d < columns; d++) {
            draw_rect(ui->list,
                      &(DrawRect){.box = {at.x + 7 + side * (float)d, at.y + 21 + side * (float)i,
                                          side - 1, side - 1},
                                  .radius = 1.5f,
                                  .fill = role_fade(ui, role, fabsf(o[d]) / most)});
        }
    }
    draw_pop_alpha(ui->list);
    bool hot;
    if (ui_click(ui, ui_id("split-head", head), box, true, &hot, NULL)) {
        session_post(s->session, "head %d", head);
    }
}

static void draw_head_boxes(StepsScene *s, const StepMatrix *all, Rect box)
{
    const Lesson *l = s->l;
    int32_t columns = l->n_heads <= 4    ? 2
                      : l->n_heads <= 9  ? 3
                      : l->n_heads <= 16 ? 4
                      : l->n_heads <= 32 ? 6
                                         : 8;
    int32_t rows = (l->n_heads + columns - 1) / columns;
    float w = (box.w - 8 * (float)(columns - 1)) / (float)columns;
    float h = fminf(200, (box.h - 8 * (float)(rows - 1)) / (float)rows);
    for (int32_t i = 0; i < l->n_heads; i++) {
        draw_head_split(s, all,
                        rect(box.x + (w + 8) * (float)(i % columns),
                             box.y + (h + 8) * (float)(i / columns), w, h),
                        i, (int)AS_MIN(i, 12));
    }
}

void scene_split(StepsScene *s)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    Rect main = s->layout.main;
    float w = (main.w - s->layout.gap) / 2;
    Rect left = {main.x, main.y, w, main.h};
    Rect right = {main.x + w + s->layout.gap, main.y, w, main.h};
    float h = (main.h - 16) / 2;
    for (int p = 0; p < 2; p++) {
        StepMatrix m = matrix_of_vectors(s, p);
        m.note = draw_format(ui->list, "of head %d: %d of %d dimensions", l->head, l->head_dim,
                             (p ? l->n_kv_heads : l->n_heads) * l->head_dim);
        step_matrix_place(s, &m, rect(left.x, left.y + (h + 16) * (float)p, left.w, h));
        m.flight = (Flight){.start = 0.2, .end = s->length * 0.5};
        step_matrix_draw(s, &m);
    }
    if (!l->has_values) {
        steps_missing(s, right, STEPS_LACK_VALUES);
        return;
    }
    Rect in =
        steps_card(s, right, draw_format(ui->list, "%d heads, each with its own part", l->n_heads),
                   l->n_heads != l->n_kv_heads
                       ? draw_format(ui->list, "k and v are shared: %d groups of %d heads",
                                     l->n_kv_heads, l->n_heads / l->n_kv_heads)
                       : "q, k and v are cut alike; squares are outputs to come",
                   role_output(ui).text);
    StepMatrix from = matrix_of_vectors(s, 0);
    step_matrix_place(s, &from, left);
    draw_head_boxes(s, &from, in);
}

/* ---- concatenate ---- */

void scene_concat(StepsScene *s)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    Rect main = s->layout.main;
    if (!l->has_values) {
        steps_missing(s, main, STEPS_LACK_VALUES);
        return;
    }
    float w = floorf(main.w * 0.46f);
    Rect left = {main.x, main.y, w, main.h};
    Rect right = {main.x + w + s->layout.gap, main.y, main.w - w - s->layout.gap, main.h};
    Rect in = steps_card(s, left, "Outputs of all heads",
                         draw_format(ui->list, "%d heads, %d numbers a token each; a click chooses",
                                     l->n_heads, l->head_dim),
                         role_output(ui).text);
    StepMatrix z = matrix_of_all_heads(s);
    z.note = "each colour is a head; the wheel walks from head to head";
    step_matrix_place(s, &z, right);
    StepMatrix boxes = z;
    boxes.cells = in;
    draw_head_boxes(s, &boxes, in);
    z.flight = (Flight){
        .start = s->length * 0.3, .end = s->length * 0.96, .from = from_row, .payload = &boxes};
    boxes.pitch_x = 40;
    step_matrix_draw(s, &z);
}

/* ---- output ---- */

typedef struct Compare {
    const char *name;
    const float *values;
    Role role;
} Compare;

/* Input and output of attention side by side, and how far they lie apart. */
static void draw_compare(StepsScene *s, Rect box)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    ptrdiff_t at = (ptrdiff_t)s->row * l->width;
    const Compare rows[3] = {
        {"input x", l->x + at, role_plain(ui)},
        {"attention adds", l->attended + at, role_output(ui)},
        {"output", l->after + at, role_softmax(ui)},
    };
    double xx = 0, oo = 0, xo = 0, aa = 0;
    for (int32_t d = 0; d < l->width; d++) {
        double x = (double)rows[0].values[d];
        double o = (double)rows[2].values[d];
        xx += x * x;
        oo += o * o;
        xo += x * o;
        aa += (double)rows[1].values[d] * (double)rows[1].values[d];
    }
    double cosine = xx > 0 && oo > 0 ? xo / sqrt(xx * oo) : 0;
    Rect in = steps_card(
        s, box, draw_format(ui->list, "Input against output of “%s”", label_of(s->c, l->query)),
        draw_format(ui->list, "cosine %.4f · length %.2f + %.2f → %.2f", cosine, sqrt(xx), sqrt(aa),
                    sqrt(oo)),
        ui->theme.text);
    float line = fminf(34, in.h / 3);
    float label = 96;
    int32_t more;
    int32_t n = teach_dims(in.w - label, 50, 0, l->width, &more);
    int32_t first = AS_CLAMP(s->session->selection.dim, 0, AS_MAX(l->width - n, 0));
    for (int k = 0; k < 3; k++) {
        float y = in.y + line * (float)k;
        float most = teach_most(rows[k].values, (size_t)l->width);
        ui_label(ui, rect(in.x, y, label - 6, line - 4),
                 &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 12, .color = rows[k].role.text},
                 rows[k].name);
        for (int32_t d = 0; d < n; d++) {
            float value = rows[k].values[first + d];
            draw_push_alpha(ui->list,
                            phase_of(s->t, s->length * (0.2 + 0.25 * k), (int)d, 0.04, 0.4));
            teach_cell(ui, &(ValueCell){.box = {in.x + label + 50 * (float)d, y, 47, line - 4},
                                        .value = value,
                                        .amount = fabsf(value) / most,
                                        .role = rows[k].role});
            draw_pop_alpha(ui->list);
        }
        teach_more(ui, rect(in.x + label + 50 * (float)n + 2, y, 40, line - 4), more, first);
    }
    teach_scroll_dims(s->c, in, n, l->width);
}

void scene_output(StepsScene *s)
{
    const Lesson *l = s->l;
    Ui *ui = s->c->ui;
    Rect three[3];
    if (!l->attended || !l->has_values) {
        steps_missing(s, s->layout.main,
                      !l->has_values              ? STEPS_LACK_VALUES
                      : l->cross || !l->has_input ? STEPS_LACK_INPUT
                                                  : STEPS_LACK_WEIGHTS);
        return;
    }
    float low = AS_CLAMP(s->layout.main.h * 0.33f, 130, 176);
    StepsScene upper = *s;
    upper.layout.main.h -= low + 16;
    steps_three(&upper, three);
    StepMatrix z = matrix_of_all_heads(s);
    step_matrix_place(s, &z, three[0]);
    step_matrix_draw(s, &z);
    steps_weights(s, three[1], MODEL_PROJECTION_O, "W_O", role_score(ui));
    StepMatrix out = matrix_of_attended(s);
    out.note = "Z W_O and its bias: goes into the residual stream";
    step_matrix_place(s, &out, three[2]);
    out.flight = (Flight){.start = 0.5, .end = s->length * 0.7, .from = from_row, .payload = &z};
    step_matrix_draw(s, &out);
    Rect main = s->layout.main;
    draw_compare(s, rect(main.x, main.y + main.h - low, main.w, low));
}
