#include "views/overview.h"

#include "views/internal.h"

#include <math.h>

void overview_free(OverviewView *view)
{
    head_grid_free(&view->grid);
    *view = (OverviewView){0};
}

/* ---- layout ---- */

/* The cards of heads and the prediction, from the right column's width. */
static void place_cards(OverviewLayout *l, Rect row, float gap, bool has_next)
{
    float next = has_next && row.w >= 460 ? AS_CLAMP(floorf(row.w * 0.228f), 210, 304) : 0;
    float rest = row.w - (next > 0 ? next + gap : 0);
    int n = rest >= 3 * 232 + 2 * gap ? 3 : rest >= 2 * 216 + gap ? 2 : rest >= 200 ? 1 : 0;
    float w = n ? floorf((rest - gap * (float)(n - 1)) / (float)n) : 0;
    l->n_cards = n;
    for (int i = 0; i < n; i++) {
        l->cards[i] = rect(row.x + (float)i * (w + gap), row.y, w, row.h);
    }
    if (next > 0) {
        l->next = rect(row.x + row.w - next, row.y, next, row.h);
    }
}

OverviewLayout overview_layout(Rect stage, bool has_next)
{
    OverviewLayout l = {.pad = 16};
    bool small = stage.h < 700 || stage.w < 1000;
    float pad = small ? 16 : 24;
    float gap = small ? 16 : 24;
    Rect box = rect_inset(stage, pad);
    float chips = stage.h < 420 ? 44 : small ? 62 : 76;
    l.chips = rect(box.x, box.y, box.w, chips);
    Rect below = {box.x, box.y + chips + gap, box.w, box.h - chips - gap};
    bool narrow = box.w < 620;
    float left = AS_CLAMP(floorf(box.w * 0.2205f), 292, 384);
    if (!narrow && below.h >= 200) {
        l.left = rect(below.x, below.y, left, below.h);
        below = rect(below.x + left + gap, below.y, below.w - left - gap, below.h);
    }
    float top = below.h >= 700   ? floorf(below.h * 0.381f)
                : below.h >= 380 ? AS_CLAMP(floorf(below.h * 0.39f), 172, 302)
                                 : 0;
    if (top > 0) {
        place_cards(&l, rect(below.x, below.y, below.w, top), gap, has_next);
        below = rect(below.x, below.y + top + gap, below.w, below.h - top - gap);
    }
    l.grid = below;
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
    s.layout = overview_layout(stage, has_next);
    overview_draw_chips(&s);
    overview_draw_grid(&s); /* reads the pictures that the mean is made of */
    overview_draw_left(&s);
    for (int i = 0; i < s.layout.n_cards; i++) {
        overview_draw_card(&s, i);
    }
    overview_draw_next(&s);
    if (v && !v->finished && !v->failure.code) {
        c->views->settled = false;
    }
}
