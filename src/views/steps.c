#include "views/steps.h"

#include <math.h>

static const struct {
    const char *label, *topic;
    double seconds;
} kinds[STEP_KIND_COUNT] = {
#define STEP_ROW(id, label, topic, seconds) [STEP_##id] = {label, topic, seconds},
    STEP_KINDS(STEP_ROW)
#undef STEP_ROW
};

static const StepKind NINE[] = {STEP_TOKENS,  STEP_EMBED, STEP_PROJECT, STEP_DOTS,  STEP_SCALE,
                                STEP_SOFTMAX, STEP_MIX,   STEP_CONCAT,  STEP_OUTPUT};
static const StepKind SIX[] = {STEP_INPUT, STEP_PROJECT, STEP_SPLIT,
                               STEP_MASK,  STEP_ATTEND,  STEP_FINAL};
static const StepKind FLOW[] = {STEP_FLOW_QUERY, STEP_FLOW_MATCH, STEP_FLOW_WEIGHT, STEP_FLOW_VALUE,
                                STEP_FLOW_OUT};

const char *step_label(StepKind kind)
{
    return kinds[kind].label;
}

const char *step_topic(StepKind kind)
{
    return kinds[kind].topic;
}

double step_seconds(StepKind kind)
{
    return kinds[kind].seconds;
}

int steps_course(TeachCourse course, const StepKind **list)
{
    switch (course) {
    case COURSE_SIX:
        *list = SIX;
        return (int)AS_COUNT(SIX);
    case COURSE_FLOW:
        *list = FLOW;
        return (int)AS_COUNT(FLOW);
    default:
        *list = NINE;
        return (int)AS_COUNT(NINE);
    }
}

const char *steps_course_name(TeachCourse course)
{
    return course == COURSE_SIX ? "Six steps" : course == COURSE_FLOW ? "Token flow" : "Nine steps";
}

void steps_timeline(Views *views, const Session *session, Timeline *timeline)
{
    (void)views;
    const StepKind *list;
    int n = steps_course(session->options.course, &list);
    int step = AS_CLAMP(session->selection.step, 0, n - 1);
    *timeline = (Timeline){.length_s = kinds[list[step]].seconds, .n_steps = n};
}

const char *steps_step_name(ViewContext *c, int32_t step)
{
    const StepKind *list;
    int n = steps_course(c->session->options.course, &list);
    return kinds[list[AS_CLAMP(step, 0, n - 1)]].label;
}

/* ---- layout ---- */

StepsLayout steps_layout(Rect stage, int32_t n_tokens, bool has_strip)
{
    StepsLayout l = {0};
    bool small = stage.h < 700 || stage.w < 1100;
    float pad = small ? 12 : 24;
    l.gap = small ? 12 : 24;
    Rect box = rect_inset(stage, pad);
    float stepper = stage.h >= 800 ? 86 : 66;
    l.stepper = rect(box.x, stage.y + (small ? 8 : 18), box.w, stepper);
    float y = l.stepper.y + stepper + (small ? 6 : 10);
    float bottom = box.y + box.h;
    float side = AS_CLAMP(floorf(box.w * 0.234f), 264, 408);
    float left = box.w - side - l.gap;
    float formula = stage.h >= 860 ? 92 : stage.h >= 640 ? 66 : 0;
    float strip = !has_strip ? 0 : stage.h >= 860 ? 140 : stage.h >= 640 ? 116 : 0;
    float gap = small ? 12 : 18;
    l.formula = rect(box.x, y, left, formula);
    float top = y + (formula > 0 ? formula + gap : 0);
    l.main = rect(box.x, top, left, bottom - top - (strip > 0 ? strip + gap : 0));
    l.strip = rect(box.x, bottom - strip, left, strip);
    float height = bottom - y;
    float controls = height >= 720 ? 388 : 356;
    l.tabs = height < 700;
    l.words = rect(box.x + left + l.gap, y, side, l.tabs ? height : height - controls - gap);
    l.controls = l.tabs ? l.words : rect(l.words.x, bottom - controls, side, controls);
    float rows = l.main.h - 110;
    float card = floorf((left - 2 * l.gap) * 0.354f);
    float columns = (card - 84) / 40;
    int32_t few = AS_CLAMP((int32_t)fminf(rows / 30, columns), 3, LESSON_MOST);
    l.room = AS_MIN(few, AS_MAX(n_tokens, 1));
    return l;
}

/* ---- stepper ---- */

static const char *step_shape(StepsScene *s, StepKind kind)
{
    Ui *ui = s->c->ui;
    const TraceInfo *info = trace_info(s->session->trace);
    int32_t n = info->n_queries, m = info->n_keys;
    int32_t wide = info->n_heads * info->head_dim;
    switch (kind) {
    case STEP_TOKENS:
        return draw_format(ui->list, "%d", n);
    case STEP_EMBED:
    case STEP_INPUT:
    case STEP_OUTPUT:
    case STEP_FINAL:
        return teach_shape(ui, n, info->model_dim);
    case STEP_PROJECT:
        return draw_format(ui->list, "3 × %d × %d", n, info->head_dim);
    case STEP_SPLIT:
        return draw_format(ui->list, "%d × %d × %d", info->n_heads, n, info->head_dim);
    case STEP_DOTS:
    case STEP_SCALE:
    case STEP_SOFTMAX:
    case STEP_MASK:
        return teach_shape(ui, n, m);
    case STEP_CONCAT:
        return teach_shape(ui, n, wide);
    case STEP_MIX:
    case STEP_ATTEND:
        return teach_shape(ui, n, info->head_dim);
    case STEP_FLOW_MATCH:
    case STEP_FLOW_WEIGHT:
        return teach_shape(ui, 1, m);
    default:
        return teach_shape(ui, 1, info->head_dim);
    }
}

static void draw_node(StepsScene *s, Vec2 at, int index, StepKind kind, float pitch)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    bool done = index < s->step;
    bool now = index == s->step;
    Color color = t->k;
    Rect hit = {at.x - pitch / 2 + 2, at.y - 22, pitch - 4, s->layout.stepper.h};
    bool hot;
    if (ui_click(ui, ui_id("steps-node", index), hit, true, &hot, NULL)) {
        session_post(s->session, "step %d", index);
    }
    float r = now ? 18 : 14;
    if (now) {
        for (int k = 0; k < 2; k++) {
            draw_circle(ui->list, &(DrawCircle){.center = at,
                                                .radius = 22 + 4 * (float)k,
                                                .fill = color_with_alpha(color, 0.12f)});
        }
    }
    draw_circle(ui->list, &(DrawCircle){.center = at,
                                        .radius = r,
                                        .fill = now    ? color
                                                : done ? t->accent_tint
                                                       : t->card,
                                        .border = now ? 0 : 1.5f,
                                        .border_color = done || hot ? t->accent : t->edge2});
    if (done) {
        draw_icon(
            ui->list,
            &(DrawIcon){
                .icon = ICON_CHECK, .center = at, .size = 15, .stroke = 2, .color = t->accent});
    } else {
        ui_label(ui, rect(at.x - 14, at.y - 12, 28, 24),
                 &(UiLabel){.face = FONT_SANS_SEMIBOLD,
                            .size = now ? 15 : 12,
                            .align = DRAW_CENTER,
                            .color = now ? color_hex(0x04140C) : t->text2},
                 draw_format(ui->list, "%d", index + 1));
    }
    ui_label(ui, rect(at.x - pitch / 2 + 2, at.y + 23, pitch - 4, 18),
             &(UiLabel){.face = now ? FONT_SANS_SEMIBOLD : FONT_SANS_MEDIUM,
                        .size = 12,
                        .align = DRAW_CENTER,
                        .color = now || hot ? t->text : t->text2},
             step_label(kind));
    if (s->layout.stepper.h >= 80) {
        ui_label(ui, rect(at.x - pitch / 2 + 2, at.y + 41, pitch - 4, 16),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_CENTER},
                 step_shape(s, kind));
    }
}

static void draw_stepper(StepsScene *s)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    Rect box = s->layout.stepper;
    const StepKind *list;
    int n = steps_course(s->session->options.course, &list);
    static const char *const courses[] = {"Nine steps", "Six steps", "Token flow"};
    float choose = 250;
    Rect segments = {box.x + box.w - choose, box.y + 6, choose, 32};
    int now = (int)s->session->options.course;
    int course = ui_segmented(ui, UI_ID("steps-course"), segments, courses, 3, now);
    if (course != now) {
        static const char *const names[] = {"nine", "six", "flow"};
        session_post(s->session, "course %s", names[course]);
    }
    ui_label(ui, rect(segments.x, segments.y + 36, segments.w, 18),
             &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_CENTER},
             draw_format(ui->list, "layer %d · head %d · tokens %d–%d", s->l->layer, s->l->head,
                         s->l->rows.first, s->l->rows.first + s->l->n - 1));
    float w = box.w - choose - 20;
    float pitch = w / (float)n;
    float y = box.y + 22;
    for (int i = 0; i + 1 < n; i++) {
        float x0 = box.x + pitch * ((float)i + 0.5f) + (i == s->step ? 26 : 18);
        float x1 = box.x + pitch * ((float)i + 1.5f) - (i + 1 == s->step ? 26 : 18);
        float part = i < s->step ? 1 : i == s->step ? (float)ease_span(s->t, 0, s->length) : 0;
        draw_rect(ui->list, &(DrawRect){.box = {x0, y - 1, x1 - x0, 2}, .fill = t->edge2});
        draw_rect(ui->list, &(DrawRect){.box = {x0, y - 1, (x1 - x0) * part, 2},
                                        .fill = i < s->step ? t->accent : t->k});
    }
    for (int i = 0; i < n; i++) {
        draw_node(s, vec2(box.x + pitch * ((float)i + 0.5f), y), i, list[i], pitch);
    }
}

/* ---- formulas ---- */

/* The whole formula with the operator of this step in a box, and one element of it. */
static const char *whole_formula(StepKind kind, bool cross)
{
    switch (kind) {
    case STEP_MASK:
    case STEP_ATTEND:
    case STEP_SPLIT:
        return "\\up{Attention}\\paren{\\c1{Q} , \\c2{K} , \\c3{V}} = \\c5{\\up{softmax}}"
               "\\paren{\\frac{\\c1{Q} \\c2{K}^{\\up{T}}}{\\sqrt{d_k}} + M} \\c3{V}";
    case STEP_CONCAT:
    case STEP_OUTPUT:
    case STEP_FINAL:
        return "\\up{MultiHead} = \\up{Concat}\\paren{\\c6{o_1} , … , \\c6{o_h}} W_O";
    case STEP_PROJECT:
        return cross ? "\\c1{Q} = H W_Q^{\\up{T}} ,   \\c2{K} = S W_K^{\\up{T}} ,   \\c3{V} = S "
                       "W_V^{\\up{T}}"
                     : "\\c1{Q} = H W_Q^{\\up{T}} ,   \\c2{K} = H W_K^{\\up{T}} ,   \\c3{V} = H "
                       "W_V^{\\up{T}}";
    case STEP_DOTS:
    case STEP_FLOW_MATCH:
        return "\\up{Attention}\\paren{\\c1{Q} , \\c2{K} , \\c3{V}} = \\c5{\\up{softmax}}"
               "\\paren{\\frac{\\c4{\\mark{\\c1{Q} \\c2{K}^{\\up{T}}}}}{\\sqrt{d_k}}} \\c3{V}";
    case STEP_SCALE:
        return "\\up{Attention}\\paren{\\c1{Q} , \\c2{K} , \\c3{V}} = \\c5{\\up{softmax}}"
               "\\paren{\\frac{\\c1{Q} \\c2{K}^{\\up{T}}}{\\c4{\\mark{\\sqrt{d_k}}}}} \\c3{V}";
    case STEP_SOFTMAX:
    case STEP_FLOW_WEIGHT:
        return "\\up{Attention}\\paren{\\c1{Q} , \\c2{K} , \\c3{V}} = \\c5{\\mark{\\up{softmax}}}"
               "\\paren{\\frac{\\c1{Q} \\c2{K}^{\\up{T}}}{\\sqrt{d_k}}} \\c3{V}";
    case STEP_MIX:
        return "\\up{Attention}\\paren{\\c1{Q} , \\c2{K} , \\c3{V}} = \\c5{\\up{softmax}}"
               "\\paren{\\frac{\\c1{Q} \\c2{K}^{\\up{T}}}{\\sqrt{d_k}}} \\c3{\\mark{V}}";
    default:
        return "\\up{Attention}\\paren{\\c1{Q} , \\c2{K} , \\c3{V}} = \\c5{\\up{softmax}}"
               "\\paren{\\frac{\\c1{Q} \\c2{K}^{\\up{T}}}{\\sqrt{d_k}}} \\c3{V}";
    }
}

static const char *one_formula(StepsScene *s)
{
    Ui *ui = s->c->ui;
    bool t = s->l->temperature != 1;
    switch (s->kind) {
    case STEP_TOKENS:
        return trace_image(s->session->trace) ? "\\up{picture} → \\paren{t_0 , t_1 , … , t_{N−1}}"
                                              : "\\up{text} → \\paren{t_0 , t_1 , … , t_{N−1}}";
    case STEP_EMBED:
    case STEP_INPUT:
        return s->l->has_norm ? "h_i = \\up{norm}\\paren{x_i}"
               : s->l->cross
                   ? "x_i = \\up{norm}\\paren{x_i^{\\up{in}} + \\up{self}\\paren{x^{\\up{in}}}_i}"
                   : "x_i = E_{t_i} + p_i";
    case STEP_PROJECT:
        return "\\c1{q_i} = W_Q h_i + b_Q";
    case STEP_SPLIT:
        return draw_format(ui->list, "d_k = \\frac{\\up{%d}}{\\up{%d}} = \\up{%d}",
                           s->l->n_heads * s->l->head_dim, s->l->n_heads, s->l->head_dim);
    case STEP_DOTS:
    case STEP_FLOW_MATCH:
        return "\\c1{q_i} · \\c2{k_j} = \\c1{q_{i0}} \\c2{k_{j0}} + \\c1{q_{i1}} \\c2{k_{j1}} + …";
    case STEP_SCALE:
        return t ? "\\c4{s_{ij}} = \\frac{\\c1{q_i} · \\c2{k_j}}{T \\sqrt{d_k}}"
                 : "\\c4{s_{ij}} = \\frac{\\c1{q_i} · \\c2{k_j}}{\\sqrt{d_k}}";
    case STEP_MASK:
        return "M_{ij} = \\up{0} \\up{ or } −∞";
    case STEP_SOFTMAX:
    case STEP_FLOW_WEIGHT:
        return "\\c5{a_{ij}} = \\frac{e^{\\c4{s_{ij}}}}{\\sum{k} e^{\\c4{s_{ik}}}}";
    case STEP_MIX:
    case STEP_ATTEND:
    case STEP_FLOW_VALUE:
    case STEP_FLOW_OUT:
        return "\\c6{o_i} = \\sum{j} \\c5{a_{ij}} \\c3{v_j}";
    case STEP_FLOW_QUERY:
        return "\\c1{q_i} = W_Q h_i";
    default:
        return "x_i′ = x_i + \\c6{z_i} W_O";
    }
}

static void draw_formulas(StepsScene *s)
{
    Ui *ui = s->c->ui;
    Rect box = s->layout.formula;
    if (box.h < 40) {
        return;
    }
    float split = floorf(box.w * 0.6f);
    ui_card(ui, box);
    ui_label(ui, rect(box.x + 16, box.y + 8, 90, 16), &(UiLabel){.face = FONT_SANS, .size = 11},
             "The whole");
    ui_label(ui, rect(box.x + split + 16, box.y + 8, 120, 16),
             &(UiLabel){.face = FONT_SANS, .size = 11}, "This step");
    ui_hairline_v(ui, box.x + split, box.y + 12, box.h - 24);
    float size = box.h >= 80 ? 22 : 18;
    teach_formula(ui, rect(box.x + 80, box.y + 6, split - 100, box.h - 12),
                  &(Formula){.size = size}, whole_formula(s->kind, s->l->cross));
    teach_formula(ui, rect(box.x + split + 80, box.y + 6, box.w - split - 100, box.h - 12),
                  &(Formula){.size = size}, one_formula(s));
}

/* ---- the view ---- */

static void draw_step(StepsScene *s)
{
    switch (s->kind) {
    case STEP_TOKENS:
        scene_tokens(s);
        return;
    case STEP_EMBED:
    case STEP_INPUT:
        scene_embed(s);
        return;
    case STEP_PROJECT:
        scene_project(s);
        return;
    case STEP_SPLIT:
        scene_split(s);
        return;
    case STEP_DOTS:
        scene_dots(s);
        return;
    case STEP_SCALE:
        scene_scale(s);
        return;
    case STEP_MASK:
        scene_mask(s);
        return;
    case STEP_SOFTMAX:
        scene_softmax(s);
        return;
    case STEP_MIX:
        scene_mix(s);
        return;
    case STEP_ATTEND:
        scene_attend(s);
        return;
    case STEP_CONCAT:
        scene_concat(s);
        return;
    case STEP_OUTPUT:
    case STEP_FINAL:
        scene_output(s);
        return;
    default:
        scene_flow(s);
        return;
    }
}

void steps_draw(ViewContext *c, Rect stage)
{
    if (teach_too_small(c, stage)) {
        return;
    }
    const TraceInfo *info = trace_info(c->session->trace);
    const StepKind *list;
    int n = steps_course(c->session->options.course, &list);
    int step = AS_CLAMP(c->session->selection.step, 0, n - 1);
    int32_t n_tokens = AS_MAX(info->n_queries, info->n_keys);
    StepsLayout layout = steps_layout(stage, n_tokens, steps_has_strip(list[step]));
    if (c->session->options.course == COURSE_FLOW || list[step] == STEP_MASK) {
        layout.room = AS_MIN(LESSON_MOST, n_tokens); /* one row of tokens, not matrices */
    }
    const Lesson *l = teach_lesson(c, stage, layout.room);
    if (!l) {
        return;
    }
    StepsScene s = {.c = c,
                    .session = c->session,
                    .l = l,
                    .view = view_state(c->views, VIEW_STEPS),
                    .n_steps = n,
                    .step = step,
                    .t = playback_time(&c->session->playback),
                    .layout = layout,
                    .row = AS_CLAMP(l->query - l->rows.first, 0, l->n - 1)};
    s.kind = list[s.step];
    s.length = kinds[s.kind].seconds;
    draw_stepper(&s);
    draw_formulas(&s);
    draw_step(&s);
    steps_strip(&s);
    bool trying = c->session->options.try_open;
    if (!layout.tabs || !trying) {
        steps_words(&s);
    }
    if (!layout.tabs || trying) {
        steps_controls(&s);
    }
}
