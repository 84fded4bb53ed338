#include "views/architecture.h"

#include "views/internal.h"
#include "views/teach.h"

#include <math.h>

static const double STEP_S = 1.6;

void architecture_timeline(Views *views, const Session *session, Timeline *timeline)
{
    (void)views;
    (void)session;
    *timeline = (Timeline){.length_s = STEP_S, .n_steps = ARCHITECTURE_STEPS};
}

const char *architecture_step_name(ViewContext *c, int32_t step)
{
    static const char *const names[ARCHITECTURE_STEPS] = {
        "Tokens",  "Embeddings",   "Projections",  "Query times key", "Scale",
        "Softmax", "Times values", "Side by side", "Output"};
    (void)c;
    return names[AS_CLAMP(step, 0, ARCHITECTURE_STEPS - 1)];
}

/* ---- shared ---- */

const char *architecture_count(Ui *ui, uint64_t n)
{
    double v = (double)n;
    if (n < 10000) {
        return draw_format(ui->list, "%llu", (unsigned long long)n);
    }
    const char *unit = n < 1000000 ? "k" : n < 1000000000 ? "M" : "G";
    v /= n < 1000000 ? 1e3 : n < 1000000000 ? 1e6 : 1e9;
    return draw_format(ui->list, v < 99.95 ? "%.1f %s" : "%.0f %s", v, unit);
}

void architecture_block(const ArchitectureScene *s, Rect box, const ArchitectureBlock *b)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    bool lit = b->step && b->step - 1 == s->step;
    bool hot = false;
    bool held = false;
    if (b->command && ui_click(ui, UI_ID(b->id), box, true, &hot, &held)) {
        session_post(s->c->session, "%s", b->command);
    }
    float h = ui_ease(ui, ui_id(b->id, 1), hot, EASE_HOVER_S);
    float glow = lit ? (s->resting ? 0.5f : (float)ease_out_cubic(s->time)) : 0;
    draw_rect(ui->list,
              &(DrawRect){.box = box,
                          .radius = 8,
                          .fill = color_mix(t->card, b->color, 0.10f + 0.06f * h + 0.22f * glow),
                          .border = lit ? 2 : 1,
                          .border_color = color_mix(t->edge, b->color, lit ? 1 : 0.5f + 0.3f * h)});
    bool two = b->detail && !b->small && box.h >= 34;
    float y = two ? box.y + box.h / 2 - 18 : box.y; /* two lines stand together in the middle */
    float line = two ? 18 : box.h;
    float x = box.x + 10;
    float w = box.w - 20;
    if (b->n_params) {
        const char *count = architecture_count(ui, b->n_params);
        float cw = ui_text_width(ui, FONT_MONO, 11, count);
        ui_label(ui, rect(box.x + box.w - 10 - cw, y, cw + 1, line),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text2}, count);
        w -= cw + 8;
    }
    float tw;
    if (b->formula) {
        Formula style = {.size = 16, .color = t->text};
        tw = ui_formula(ui, vec2(x, y + line / 2 + 5), &style, b->formula);
    } else {
        tw = ui_label(ui, rect(x, y, w, line),
                      &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 12, .color = t->text},
                      b->title);
    }
    UiLabel detail = {.face = FONT_MONO, .size = 11, .color = t->text2};
    if (two) {
        ui_label(ui, rect(x, y + line, box.w - 20, line), &detail, b->detail);
    } else if (b->detail && w - tw > 40) {
        ui_label(ui, rect(x + tw + 10, y, w - tw - 10, line), &detail, b->detail);
    }
    if (b->tip) {
        ui_tooltip(ui, box, b->tip);
    }
}

void architecture_arrow(const ArchitectureScene *s, Vec2 from, Vec2 to, int step)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    bool lit = step && step - 1 == s->step;
    bool passed = step && step - 1 < s->step;
    Color color = lit || passed ? t->accent : t->edge2;
    float dx = to.x - from.x;
    float dy = to.y - from.y;
    float length = fmaxf(hypotf(dx, dy), 1e-3f);
    float ux = dx / length;
    float uy = dy / length;
    draw_line(ui->list, &(DrawLine){.a = from,
                                    .b = {to.x - ux * 5, to.y - uy * 5},
                                    .width = lit ? 2 : 1.5f,
                                    .color = color});
    Vec2 tip[] = {to,
                  {to.x - ux * 6 - uy * 3.5f, to.y - uy * 6 + ux * 3.5f},
                  {to.x - ux * 6 + uy * 3.5f, to.y - uy * 6 - ux * 3.5f}};
    draw_polygon(ui->list, &(DrawPolygon){.points = tip, .n_points = 3, .fill = color});
    if (lit && !s->resting) {
        float at = (float)s->time;
        draw_circle(ui->list, &(DrawCircle){.center = {from.x + dx * at, from.y + dy * at},
                                            .radius = 4,
                                            .fill = t->accent});
    }
}

void architecture_plus(const ArchitectureScene *s, Vec2 at)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    draw_circle(
        ui->list,
        &(DrawCircle){
            .center = at, .radius = 9, .fill = t->card, .border = 1.5f, .border_color = t->text2});
    draw_icon(ui->list, &(DrawIcon){.icon = ICON_PLUS, .center = at, .size = 14, .color = t->text});
}

/* ---- the whole ---- */

static const char *kind_of(const ArchitectureScene *s)
{
    if (s->n == 2) {
        return "Encoder and decoder";
    }
    return s->halves[0].encoder ? "Encoder: every token reads all others"
                                : "Decoder: a token reads those before it";
}

static void draw_header(const ArchitectureScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const ModelInfo *info = model_info(s->model);
    float x = box.x;
    x += ui_label(ui, rect(x, box.y, box.w, box.h),
                  &(UiLabel){.face = FONT_DISPLAY_SEMIBOLD, .size = 20, .color = ui->theme.text},
                  "Architecture");
    x += 14;
    char exact[32];
    ui_label(ui, rect(x, box.y + 2, box.x + box.w - x, box.h), &(UiLabel){0},
             draw_format(ui->list, "%s, %s. %s. %s numbers%s.", info->name, info->family,
                         kind_of(s), format_count(info->n_params, exact),
                         *info->dtype ? draw_format(ui->list, ", held as %s", info->dtype) : ""));
}

static void card(const ArchitectureScene *s, Rect box, const char *title, const char *note)
{
    Ui *ui = s->c->ui;
    ui_card(ui, box);
    float w = ui_label(ui, rect(box.x + 16, box.y + 12, box.w - 32, 22),
                       &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = ui->theme.text},
                       title);
    if (box.w - 44 - w > 40) {
        ui_label(ui, rect(box.x + 16 + w + 12, box.y + 13, box.w - 44 - w, 22), &(UiLabel){0},
                 note);
    }
}

static Rect inside(Rect box)
{
    return rect(box.x + 16, box.y + 44, box.w - 32, box.h - 60);
}

static void draw_no_model(ViewContext *c, Rect stage)
{
    Ui *ui = c->ui;
    Rect box = {stage.x + stage.w / 2 - 240, stage.y + stage.h * 0.36f, 480, 110};
    ui_card(ui, box);
    ui_label(
        ui, rect(box.x + 20, box.y + 16, box.w - 40, 26),
        &(UiLabel){
            .face = FONT_SANS_SEMIBOLD, .size = 16, .color = ui->theme.text, .align = DRAW_CENTER},
        "A saved record has no weights");
    ui_paragraph(ui, rect(box.x + 20, box.y + 48, box.w - 40, 50), &(UiLabel){.align = DRAW_CENTER},
                 20, "Open the model that it was made with to see how it is built.");
}

static int half_in_front(const Session *session, int n)
{
    return n == 2 && trace_info(session->trace)->stack != TRACE_STACK_ENCODER ? 1 : 0;
}

void architecture_draw(ViewContext *c, Rect stage)
{
    Session *session = c->session;
    const Model *model = session_model(session);
    if (teach_too_small(c, stage)) {
        return;
    }
    ModelHalf halves[2];
    int n;
    if (!model || !model_describe(model, halves, &n)) {
        draw_no_model(c, stage);
        return;
    }
    const Playback *p = &session->playback;
    double fraction = playback_fraction(p);
    ArchitectureScene s = {.c = c,
                           .model = model,
                           .halves = halves,
                           .n = n,
                           .chosen = half_in_front(session, n),
                           .step = playback_step(session),
                           .time = fraction,
                           .resting = fraction >= 1 && !p->playing};
    bool low = stage.h < 700;
    float pad = stage.w < 900 ? 16 : 24;
    float gap = stage.w < 1100 ? 12 : 20;
    Rect box = {stage.x + pad, stage.y + (low ? 8 : 16), stage.w - 2 * pad, 0};
    draw_header(&s, rect(box.x, box.y, box.w, 34));
    float y = box.y + 34 + (low ? 6 : 12);
    float h = stage.y + stage.h - (low ? 12 : 20) - y;
    float room = box.w - 2 * gap;
    const ModelHalf *half = &halves[s.chosen];
    Rect network = {box.x, y, floorf(room * (n == 2 ? 0.38f : 0.28f)), h};
    Rect layer = {network.x + network.w + gap, y, floorf(room * (n == 2 ? 0.28f : 0.32f)), h};
    Rect attention = {layer.x + layer.w + gap, y, box.x + box.w - layer.x - layer.w - gap, h};
    card(&s, network, "The network",
         half->window > 0 ? draw_format(c->ui->list, "green layers see %d tokens", half->window)
                          : "from below upwards");
    architecture_network(&s, inside(network));
    card(&s, layer, draw_format(c->ui->list, "Layer %d", session->selection.layer),
         draw_format(c->ui->list, "of 0–%d, %s numbers", half->n_layers - 1,
                     architecture_count(c->ui, half->layer_params)));
    architecture_layer(&s, inside(layer));
    bool cross = trace_info(session->trace)->stack == TRACE_STACK_CROSS;
    card(&s, attention, cross ? "Cross-attention inside" : "Attention inside",
         draw_format(c->ui->list, "%d head%s of %d numbers", half->n_heads,
                     half->n_heads == 1 ? "" : "s", half->head_width));
    architecture_attention(&s, inside(attention));
}
