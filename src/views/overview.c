#include "views/overview.h"

#include "views/internal.h"

#include <math.h>

void overview_free(OverviewView *view)
{
    head_grid_free(&view->grid);
    *view = (OverviewView){0};
}

/* ---- layout ---- */

enum { CARDS_MOST = SURVEY_CARDS + 1, CARD_LEAST_W = 186, CARD_LEAST_H = 172, NEXT_MOST_W = 304 };
enum { GRID_LEAST_H = 250, LEFT_LEAST_H = 430, LEFT_LEAST_W = 292 };

/* Cards beside each other; the rest goes below. */
static int cards_across(float w, float gap, bool has_next)
{
    int n = SURVEY_CARDS + has_next;
    int across = AS_CLAMP((int)((w + gap) / (CARD_LEAST_W + gap)), 1, n);
    int lines = (n + across - 1) / across;
    return (n + lines - 1) / lines;
}

static float cards_least_h(float w, float gap, bool has_next)
{
    int across = cards_across(w, gap, has_next);
    int lines = (SURVEY_CARDS + has_next + across - 1) / across;
    return (float)lines * (CARD_LEAST_H + gap) - gap;
}

/* The cards of heads and the prediction. In one line the prediction is narrower. */
static void place_cards(OverviewLayout *l, Rect area, float gap, bool has_next)
{
    int n = SURVEY_CARDS + has_next;
    int across = cards_across(area.w, gap, has_next);
    int lines = (n + across - 1) / across;
    float h = floorf((area.h - gap * (float)(lines - 1)) / (float)lines);
    float w = floorf((area.w - gap * (float)(across - 1)) / (float)across);
    float next = w;
    if (has_next && lines == 1) {
        next = AS_CLAMP(floorf(area.w * 0.228f), fminf(w, 210), NEXT_MOST_W);
        w = floorf((area.w - next - gap * (float)(across - 1)) / (float)(across - 1));
    }
    Rect boxes[CARDS_MOST];
    for (int i = 0; i < n; i++) {
        int column = i % across;
        boxes[i] = rect(area.x + (float)column * (w + gap),
                        area.y + (float)(i / across) * (h + gap), w, h);
        if (i == n - 1 && lines > 1) { /* it takes what is left of its line */
            boxes[i].w = area.x + area.w - boxes[i].x;
        }
    }
    for (int i = 0; i < SURVEY_CARDS; i++) {
        l->cards[i] = boxes[i];
    }
    if (has_next) {
        l->next = boxes[n - 1];
        l->next.w = lines == 1 ? next : l->next.w;
    }
}

OverviewLayout overview_layout(Rect stage, bool has_next)
{
    OverviewLayout l = {.pad = 16};
    bool small = stage.h < 700 || stage.w < 1000;
    float pad = small ? 16 : 24;
    float gap = small ? 16 : 24;
    Rect box = rect_inset(stage, pad);
    float chips = small ? 62 : 76;
    bool narrow = box.w < 620;
    float left = narrow ? 0 : AS_CLAMP(floorf(box.w * 0.2205f), LEFT_LEAST_W, 384) + gap;
    float cards = cards_least_h(box.w - left, gap, has_next);
    float least = cards + gap + GRID_LEAST_H;
    least = narrow ? least + gap + LEFT_LEAST_H : fmaxf(least, LEFT_LEAST_H);
    float chrome = 2 * pad + chips + gap;
    l.height = fmaxf(stage.h, chrome + least);
    l.chips = rect(box.x, box.y, box.w, chips);
    Rect below = {box.x + left, box.y + chips + gap, box.w - left, l.height - chrome};
    if (narrow) {
        l.left = rect(below.x, below.y + below.h - LEFT_LEAST_H, below.w, LEFT_LEAST_H);
        below.h -= LEFT_LEAST_H + gap;
    } else {
        l.left = rect(box.x, below.y, left - gap, below.h);
    }
    float top = fmaxf(cards, fminf(floorf(below.h * (below.h >= 700 ? 0.381f : 0.39f)),
                                   below.h - gap - GRID_LEAST_H));
    place_cards(&l, rect(below.x, below.y, below.w, top), gap, has_next);
    l.grid = rect(below.x, below.y + top + gap, below.w, below.h - top - gap);
    return l;
}

/* ---- small things ---- */

void open_head(Session *session, int32_t layer, int32_t head)
{
    session_post(session, "layer %d", layer);
    session_post(session, "head %d", head);
    session_post(session, "view matrix");
}

void overview_badge(Ui *ui, Vec2 center, float radius, int32_t head, int number)
{
    Color color = color_head(head);
    draw_circle(ui->list, &(DrawCircle){.center = center, .radius = radius, .fill = color});
    ui_label(ui, rect(center.x - radius, center.y - radius, 2 * radius, 2 * radius),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD,
                        .size = radius >= 10 ? 12 : 11,
                        .align = DRAW_CENTER,
                        .color = color_readable(color, color_hex(0x0B1020), color_hex(0xFFFFFF))},
             draw_format(ui->list, "%d", number));
}

/* ---- the view ---- */

void overview_draw(ViewContext *c, Rect stage)
{
    OverviewScene s = {
        .c = c,
        .view = &c->views->overview,
        .survey = session_survey(c->session),
        .scale = head_grid_scale(c->session),
    };
    /* Room for the prediction is kept from the start where one will come. */
    const Survey *v = s.survey;
    const Model *model = session_model(c->session);
    bool has_next =
        v && (v->n_next > 0 || (!v->step && model && model_info(model)->has_logits &&
                                model_info(model)->stacks[0].kind == MODEL_STACK_DECODER));
    /* What has no room is below: nothing is left out. */
    float height = overview_layout(stage, has_next).height;
    bool scrolls = height > stage.h + 0.5f;
    if (scrolls) {
        Rect content = ui_scroll_begin(c->ui, UI_ID("overview"), stage, height, &s.view->scroll);
        stage = rect(content.x, content.y, content.w, stage.h);
    }
    s.layout = overview_layout(stage, has_next);
    overview_draw_chips(&s);
    overview_draw_grid(&s); /* reads the pictures that the mean is made of */
    overview_draw_left(&s);
    for (int i = 0; i < SURVEY_CARDS; i++) {
        overview_draw_card(&s, i);
    }
    overview_draw_next(&s);
    if (scrolls) {
        ui_scroll_end(c->ui, &s.view->scroll);
    }
    if (v && !v->finished && !v->failure.code) {
        c->views->settled = false;
    }
}
