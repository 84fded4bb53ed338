#include "views/architecture.h"

#include "views/internal.h"

#include <math.h>

/* The third diagram: attention from the inside, from queries, keys and values up to the output. */

typedef struct Inside {
    const ArchitectureScene *s;
    const ModelHalf *h;
    Rect box;
    float y, gap, row;
    int32_t queries, keys;
} Inside;

/* One square for each head; those that share a key stand together. */
static void draw_heads(const Inside *in, float y)
{
    Ui *ui = in->s->c->ui;
    Session *session = in->s->c->session;
    int32_t heads = in->h->n_heads;
    int32_t share = AS_MAX(heads / AS_MAX(in->h->n_kv_heads, 1), 1);
    float group_gap = share > 1 ? 6 : 0;
    float room = in->box.w - group_gap * (float)(in->h->n_kv_heads - 1);
    float pitch = fminf(room / (float)heads, 30);
    float total = pitch * (float)heads + group_gap * (float)(in->h->n_kv_heads - 1);
    float x0 = in->box.x + (in->box.w - total) / 2;
    float size = fminf(pitch - (pitch > 6 ? 3 : 1), 22);
    for (int32_t i = 0; i < heads; i++) {
        Rect r = {x0 + pitch * (float)i + group_gap * (float)(i / share), y, fmaxf(size, 1), size};
        bool on = i == session->selection.head;
        bool hot;
        bool held;
        if (ui_click(ui, ui_id("arch-head", i), r, false, &hot, &held)) {
            session_post(session, "head %d", i);
        }
        draw_rect(ui->list, &(DrawRect){.box = r,
                                        .radius = fminf(4, size / 4),
                                        .fill = color_with_alpha(color_head(i), on    ? 1
                                                                                : hot ? 0.7f
                                                                                      : 0.45f),
                                        .border = on && size > 6 ? 1.5f : 0,
                                        .border_color = ui->theme.text});
        if (size >= 18) {
            ui_label(ui, r,
                     &(UiLabel){.face = FONT_MONO,
                                .size = 11,
                                .color = on ? color_hex(0x0B1020) : ui->theme.text,
                                .align = DRAW_CENTER},
                     draw_format(ui->list, "%d", i));
        }
        ui_tooltip(ui, r, draw_format(ui->list, "head %d", i));
    }
}

static Rect row_box(Inside *in, float inset)
{
    in->y -= in->row;
    return rect(in->box.x + inset, in->y, in->box.w - 2 * inset, in->row);
}

static void step_up(Inside *in, int step)
{
    float x = in->box.x + in->box.w / 2;
    architecture_arrow(in->s, vec2(x, in->y), vec2(x, in->y - in->gap), step);
    in->y -= in->gap;
}

static void draw_projections(Inside *in, bool cross)
{
    Ui *ui = in->s->c->ui;
    const Theme *t = &ui->theme;
    const struct {
        ModelBlockKind self, cross;
        const char *id, *title;
        Color color;
        const char *tip;
    } maps[] = {{MODEL_BLOCK_Q, MODEL_BLOCK_CROSS_Q, "arch-q", "W_Q", t->q,
                 "queries: what a token looks for"},
                {MODEL_BLOCK_K, MODEL_BLOCK_CROSS_K, "arch-k", "W_K", t->k,
                 "keys: what a token has to offer"},
                {MODEL_BLOCK_V, MODEL_BLOCK_CROSS_V, "arch-v", "W_V", t->v,
                 "values: what is taken from it"}};
    float gap = 10;
    float w = (in->box.w - 2 * gap) / 3;
    float y = in->y - in->row;
    for (int i = 0; i < 3; i++) {
        const ModelBlock *b = &in->h->blocks[cross ? maps[i].cross : maps[i].self];
        Rect r = {in->box.x + (w + gap) * (float)i, y, w, in->row};
        float x = r.x + w / 2;
        bool narrow = w < 130;
        const char *shape = architecture_shape(ui, b);
        if (ui_text_width(ui, FONT_MONO, 11, shape) > w - 20 && b->has_bias) {
            shape =
                draw_format(ui->list, "%lld × %lld + b", (long long)b->rows, (long long)b->columns);
        }
        architecture_arrow(in->s, vec2(x, in->y + in->gap), vec2(x, in->y), 3);
        architecture_block(in->s, r,
                           &(ArchitectureBlock){.id = maps[i].id,
                                                .formula = maps[i].title,
                                                .detail = shape,
                                                .n_params = narrow ? 0 : b->n_params,
                                                .color = maps[i].color,
                                                .step = 3,
                                                .command = "view steps",
                                                .tip = maps[i].tip});
        /* Queries and keys meet in the scores; values wait for the weights. */
        architecture_arrow(in->s, vec2(x, y), vec2(x, y - in->gap), i < 2 ? 4 : 7);
    }
    in->y = y;
}

void architecture_attention(const ArchitectureScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    const TraceInfo *info = trace_info(s->c->session->trace);
    const ModelHalf *h = &s->halves[s->chosen];
    bool cross = info->stack == TRACE_STACK_CROSS;
    float gap = AS_CLAMP(box.h * 0.036f, 8, 32);
    float heads_h = 30;
    float row = AS_CLAMP((box.h - 40 - heads_h - gap * 8) / 6, 26, 84);
    Inside in = {.s = s,
                 .h = h,
                 .box = box,
                 .y = box.y + box.h - 20,
                 .gap = gap,
                 .row = row,
                 .queries = info->n_queries,
                 .keys = info->n_keys};
    UiLabel ends = {.size = 11, .align = DRAW_CENTER, .color = t->text2};
    ui_label(ui, rect(box.x, in.y, box.w, 18), &ends,
             cross ? "queries from the target, keys and values from the source"
                   : draw_format(ui->list, "%d tokens × %d numbers", in.queries, h->width));
    in.y -= gap;
    draw_projections(&in, cross);
    in.y -= gap;
    in.y -= heads_h;
    draw_heads(&in, in.y + 4);
    step_up(&in, 4);
    float side = floorf(box.w * 0.36f); /* the values' way up stays free at the right */
    Rect r = row_box(&in, 0);
    r.w -= side * 0.6f;
    architecture_block(s, r,
                       &(ArchitectureBlock){.id = "arch-scores",
                                            .title = "Scores Q Kᵀ",
                                            .detail = draw_format(ui->list, "%d × %d for each head",
                                                                  in.queries, in.keys),
                                            .color = t->score,
                                            .step = 4,
                                            .command = "view matrix",
                                            .tip = "to the matrix of this head"});
    step_up(&in, 5);
    r = row_box(&in, 0);
    r.w -= side * 0.6f;
    const char *mask =
        cross || h->encoder ? "no mask"
        : h->window && !model_layer_sees_all(s->model, h->encoder, s->c->session->selection.layer)
            ? draw_format(ui->list, "mask: the last %d tokens", h->window)
            : "mask: no later tokens";
    const char *scale = h->score_cap > 0 ? draw_format(ui->list, "÷ √%d, within ± %g; %s",
                                                       h->head_width, (double)h->score_cap, mask)
                        : h->places == MODEL_PLACES_DISTANCE
                            ? draw_format(ui->list, "+ bias by distance; %s", mask)
                            : draw_format(ui->list, "÷ √%d; %s", h->head_width, mask);
    architecture_block(s, r,
                       &(ArchitectureBlock){.id = "arch-scale",
                                            .title = "Scale and mask",
                                            .detail = scale,
                                            .color = t->score,
                                            .step = 5,
                                            .command = "view mathematics",
                                            .tip = "to the formula with its numbers"});
    step_up(&in, 6);
    r = row_box(&in, 0);
    r.w -= side * 0.6f;
    architecture_block(s, r,
                       &(ArchitectureBlock){.id = "arch-softmax",
                                            .title = "Softmax",
                                            .detail = "each row becomes shares of 1",
                                            .color = t->k,
                                            .step = 6,
                                            .command = "view matrix",
                                            .tip = "to the weights of this head"});
    float top = in.y;
    step_up(&in, 7);
    r = row_box(&in, 0);
    float vx = box.x + box.w - (box.w - 20) / 6;
    architecture_arrow(s, vec2(vx, top + 3 * row + 3 * gap + heads_h - 2), vec2(vx, r.y + r.h), 7);
    architecture_block(s, r,
                       &(ArchitectureBlock){.id = "arch-mix",
                                            .title = "Weights × V",
                                            .detail = draw_format(ui->list, "%d × %d for each head",
                                                                  in.queries, h->head_width),
                                            .color = t->v,
                                            .step = 7,
                                            .command = "view flow",
                                            .tip = "to what flows where"});
    step_up(&in, 8);
    r = row_box(&in, 0);
    const ModelBlock *o = &h->blocks[cross ? MODEL_BLOCK_CROSS_O : MODEL_BLOCK_O];
    architecture_block(s, r,
                       &(ArchitectureBlock){.id = "arch-o",
                                            .title = "Side by side, then projected",
                                            .detail = architecture_shape(ui, o),
                                            .n_params = o->n_params,
                                            .color = t->output,
                                            .step = s->step == 8 ? 9 : 8,
                                            .command = "view mechanism",
                                            .tip = "to the heads put together"});
    step_up(&in, 9);
}
