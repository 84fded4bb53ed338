#include "views/architecture.h"

#include "views/internal.h"

#include <math.h>

/* The three diagrams, each drawn from below upwards as the data rises. */

const char *architecture_shape(Ui *ui, const ModelBlock *b)
{
    return draw_format(ui->list, "%lld × %lld%s", (long long)b->rows, (long long)b->columns,
                       b->has_bias ? " + bias" : "");
}

static const char *places_text(Ui *ui, const ModelHalf *h)
{
    switch (h->places) {
    case MODEL_PLACES_LEARNED:
        return draw_format(ui->list, "a table, %s",
                           architecture_shape(ui, &h->blocks[MODEL_BLOCK_POSITIONS]));
    case MODEL_PLACES_SINES:
        return "sines and cosines";
    case MODEL_PLACES_ROTARY:
        return "q and k are turned by place";
    case MODEL_PLACES_DISTANCE:
        return "scores by distance";
    default:
        return "none";
    }
}

/* ---- the network ---- */

/* Slabs of the layers of one half, the lowest first; returns the top. */
static float draw_layers(const ArchitectureScene *s, int half, Rect box)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    const ModelHalf *h = &s->halves[half];
    Session *session = s->c->session;
    float pitch = fminf(box.h / (float)h->n_layers, 150);
    float slab = fmaxf(pitch - (pitch > 8 ? 3 : 1), 1);
    bool front = half == s->chosen;
    for (int32_t i = 0; i < h->n_layers; i++) {
        Rect r = {box.x, box.y + box.h - pitch * (float)(i + 1), box.w, slab};
        bool all = model_layer_sees_all(s->model, h->encoder, i);
        bool on = front && i == session->selection.layer;
        bool hot;
        bool held;
        if (ui_click(ui, ui_id("arch-layer", half * 4096 + i), r, pitch > 10, &hot, &held)) {
            session_post(session, "layer %d", i);
        }
        Color color = all ? t->score : t->k;
        draw_rect(ui->list, &(DrawRect){.box = r,
                                        .radius = fminf(5, slab / 3),
                                        .fill = color_mix(t->card, color,
                                                          on    ? 0.55f
                                                          : hot ? 0.3f
                                                                : 0.16f),
                                        .border = slab > 6 ? 1 : 0,
                                        .border_color = color_mix(t->edge, color, on ? 1 : 0.5f)});
        if (slab >= 16) {
            ui_label(ui, rect(r.x + 10, r.y, r.w - 20, r.h),
                     &(UiLabel){
                         .face = on ? FONT_SANS_SEMIBOLD : FONT_SANS, .size = 11, .color = t->text},
                     draw_format(ui->list, "layer %d%s", i,
                                 all ? "" : draw_format(ui->list, ", sees %d tokens", h->window)));
        }
        ui_tooltip(
            ui, r,
            all ? draw_format(ui->list, "layer %d", i)
                : draw_format(ui->list, "layer %d: each token sees %d others", i, h->window));
    }
    return box.y + box.h - pitch * (float)h->n_layers;
}

typedef struct Column {
    const ArchitectureScene *s;
    int half;
    Rect box;
    float y;   /* lower edge of what comes next */
    float gap; /* between blocks */
    float h;   /* of a block */
} Column;

static void put(Column *col, const ArchitectureBlock *block)
{
    Rect r = {col->box.x, col->y - col->h, col->box.w, col->h};
    architecture_block(col->s, r, block);
    col->y = r.y;
}

static void rise(Column *col, int step)
{
    float x = col->box.x + col->box.w / 2;
    architecture_arrow(col->s, vec2(x, col->y), vec2(x, col->y - col->gap), step);
    col->y -= col->gap;
}

static void put_inputs(Column *col)
{
    const ArchitectureScene *s = col->s;
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    const ModelHalf *h = &s->halves[col->half];
    const TraceInfo *info = trace_info(s->c->session->trace);
    bool second = s->n == 2;
    bool pictures = h->blocks[MODEL_BLOCK_PATCHES].present;
    const char *what = pictures               ? "Picture"
                       : second && h->encoder ? "Source text"
                       : second               ? "Target text"
                                              : "Text";
    bool cross = info->stack == TRACE_STACK_CROSS;
    int32_t tokens = cross && h->encoder ? info->n_keys : info->n_queries;
    bool shown = col->half == s->chosen || cross;
    put(col, &(ArchitectureBlock){.id = h->encoder ? "arch-text-e" : "arch-text",
                                  .title = what,
                                  .detail = shown ? draw_format(ui->list, "%d %s", tokens,
                                                                pictures ? "patches" : "tokens")
                                                  : NULL,
                                  .color = t->text3,
                                  .step = 1,
                                  .command = "view overview",
                                  .tip = "to the tokens (Overview)"});
    rise(col, 2);
    const ModelBlock *table = &h->blocks[pictures ? MODEL_BLOCK_PATCHES : MODEL_BLOCK_TOKENS];
    put(col,
        &(ArchitectureBlock){.id = h->encoder ? "arch-embed-e" : "arch-embed",
                             .title = pictures ? "Patch embedding" : "Token embedding",
                             .detail = architecture_shape(ui, table),
                             .n_params = table->shared ? 0 : table->n_params,
                             .color = t->q,
                             .step = 2,
                             .command = "view steps",
                             .tip = table->shared ? "the same table as the encoder's"
                                                  : "one row for each token of the vocabulary"});
    if (col->gap > 8) {
        rise(col, 2);
        put(col, &(ArchitectureBlock){.id = h->encoder ? "arch-place-e" : "arch-place",
                                      .title = "Positions",
                                      .detail = places_text(ui, h),
                                      .n_params = h->places == MODEL_PLACES_LEARNED
                                                      ? h->blocks[MODEL_BLOCK_POSITIONS].n_params
                                                      : 0,
                                      .color = t->q,
                                      .step = 2});
    }
    rise(col, 3);
}

static void put_outputs(Column *col, float top)
{
    const ArchitectureScene *s = col->s;
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    const ModelHalf *h = &s->halves[col->half];
    const ModelBlock *norm = &h->blocks[MODEL_BLOCK_FINAL_NORM];
    const ModelBlock *head = &h->blocks[MODEL_BLOCK_HEAD];
    col->y = top;
    if (norm->present) {
        rise(col, 9);
        put(col,
            &(ArchitectureBlock){.id = h->encoder ? "arch-final-e" : "arch-final",
                                 .title = h->rms_norm ? "RMS norm" : "Layer norm",
                                 .detail = draw_format(ui->list, "%d numbers a token", h->width),
                                 .n_params = norm->n_params,
                                 .color = t->text3,
                                 .step = 9});
    }
    if (head->present) {
        rise(col, 9);
        put(col, &(ArchitectureBlock){.id = "arch-head",
                                      .title = "Prediction",
                                      .detail = head->shared ? "the token embedding again"
                                                             : architecture_shape(ui, head),
                                      .n_params = head->shared ? 0 : head->n_params,
                                      .color = t->output,
                                      .step = 9,
                                      .command = "view overview",
                                      .tip = "to the predicted tokens (Overview)"});
    }
}

static Rect draw_half(const ArchitectureScene *s, int half, Rect box)
{
    Ui *ui = s->c->ui;
    const ModelHalf *h = &s->halves[half];
    bool low = box.h < 480;
    Column col = {.s = s,
                  .half = half,
                  .box = box,
                  .y = box.y + box.h,
                  .gap = low ? 8 : 16,
                  .h = low ? 26 : 40};
    if (s->n == 2) {
        ui_label(ui, rect(box.x, box.y - 2, box.w, 18),
                 &(UiLabel){.face = FONT_SANS_SEMIBOLD,
                            .size = 12,
                            .color = ui->theme.text2,
                            .align = DRAW_CENTER},
                 h->encoder ? "Encoder" : "Decoder");
        box.y += 20;
        box.h -= 20;
    }
    put_inputs(&col);
    int above = (h->blocks[MODEL_BLOCK_FINAL_NORM].present ? 1 : 0) +
                (h->blocks[MODEL_BLOCK_HEAD].present ? 1 : 0);
    float outputs = (col.h + col.gap) * (float)above;
    Rect layers = {box.x, box.y + outputs, box.w, col.y - box.y - outputs};
    float top = draw_layers(s, half, layers);
    put_outputs(&col, top);
    return rect(layers.x, top, layers.w, layers.y + layers.h - top);
}

void architecture_network(const ArchitectureScene *s, Rect box)
{
    if (s->n == 1) {
        (void)draw_half(s, 0, box);
        return;
    }
    float gap = 40;
    float w = (box.w - gap) / 2;
    Rect a = draw_half(s, 0, rect(box.x, box.y, w, box.h));
    Rect b = draw_half(s, 1, rect(box.x + w + gap, box.y, w, box.h));
    /* What the encoder made is read by every layer of the decoder. */
    Ui *ui = s->c->ui;
    float x = a.x + a.w + gap / 2;
    int arrows = AS_CLAMP(s->halves[1].n_layers, 1, 6);
    float low = b.y + b.h * ((float)arrows - 0.5f) / (float)arrows; /* the lowest arrow */
    draw_line(ui->list, &(DrawLine){.a = {a.x + a.w, a.y + 6},
                                    .b = {x, a.y + 6},
                                    .width = 1.5f,
                                    .color = ui->theme.v});
    draw_line(ui->list, &(DrawLine){.a = {x, fminf(a.y + 6, b.y + 8)},
                                    .b = {x, fmaxf(low, a.y + 6)},
                                    .width = 1.5f,
                                    .color = ui->theme.v});
    for (int i = 0; i < arrows; i++) {
        float y = b.y + b.h * ((float)i + 0.5f) / (float)arrows;
        draw_line(ui->list,
                  &(DrawLine){.a = {x, y}, .b = {b.x - 5, y}, .width = 1.5f, .color = ui->theme.v});
        Vec2 tip[] = {{b.x, y}, {b.x - 6, y - 3.5f}, {b.x - 6, y + 3.5f}};
        draw_polygon(ui->list, &(DrawPolygon){.points = tip, .n_points = 3, .fill = ui->theme.v});
    }
}

/* ---- one layer ---- */

typedef struct Rung {
    const char *id, *title, *detail;
    uint64_t n_params;
    Color color;
    int step;
    const char *command, *tip;
    bool adds; /* the stream from before is added after it */
    bool norm; /* a thin one */
    bool wide; /* opened in the card beside it */
} Rung;

enum { RUNGS_MOST = 12 };

static uint64_t params(const ModelHalf *h, const ModelBlockKind *kinds, int n)
{
    uint64_t sum = 0;
    for (int i = 0; i < n; i++) {
        sum += h->blocks[kinds[i]].n_params;
    }
    return sum;
}

static void add_norm(const ArchitectureScene *s, Rung *rungs, int *n, ModelBlockKind kind,
                     const char *id)
{
    const ModelHalf *h = &s->halves[s->chosen];
    const ModelBlock *b = &h->blocks[kind];
    if (b->present) {
        rungs[(*n)++] = (Rung){.id = id,
                               .title = h->rms_norm ? "RMS norm" : "Layer norm",
                               .n_params = b->n_params,
                               .color = s->c->ui->theme.text3,
                               .norm = true};
    }
}

/* From below upwards. */
static int rungs_of(const ArchitectureScene *s, Rung rungs[RUNGS_MOST])
{
    static const ModelBlockKind self[] = {MODEL_BLOCK_Q, MODEL_BLOCK_K, MODEL_BLOCK_V,
                                          MODEL_BLOCK_O};
    static const ModelBlockKind cross[] = {MODEL_BLOCK_CROSS_Q, MODEL_BLOCK_CROSS_K,
                                           MODEL_BLOCK_CROSS_V, MODEL_BLOCK_CROSS_O};
    static const ModelBlockKind mlp[] = {MODEL_BLOCK_GATE, MODEL_BLOCK_UP, MODEL_BLOCK_DOWN};
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    const ModelHalf *h = &s->halves[s->chosen];
    int n = 0;
    add_norm(s, rungs, &n, MODEL_BLOCK_ATTENTION_NORM, "arch-n1");
    const char *groups = h->n_kv_heads == h->n_heads
                             ? draw_format(ui->list, "%d heads of %d", h->n_heads, h->head_width)
                             : draw_format(ui->list, "%d heads of %d share %d keys and values",
                                           h->n_heads, h->head_width, h->n_kv_heads);
    rungs[n++] = (Rung){.id = "arch-self",
                        .title = "Self-attention",
                        .detail = groups,
                        .n_params = params(h, self, 4),
                        .color = t->score,
                        .step = 3,
                        .command = s->n == 2 ? (h->encoder ? "stack encoder" : "stack decoder")
                                             : "view mechanism",
                        .tip = "where tokens read each other",
                        .adds = true,
                        .wide = trace_info(s->c->session->trace)->stack != TRACE_STACK_CROSS};
    add_norm(s, rungs, &n, MODEL_BLOCK_ATTENTION_ADD_NORM, "arch-n2");
    if (h->crosses) {
        add_norm(s, rungs, &n, MODEL_BLOCK_CROSS_NORM, "arch-n3");
        rungs[n++] = (Rung){.id = "arch-cross",
                            .title = "Cross-attention",
                            .detail = "reads what the encoder made",
                            .n_params = params(h, cross, 4),
                            .color = t->v,
                            .step = 3,
                            .command = "stack cross",
                            .tip = "where the target reads the source",
                            .adds = true,
                            .wide = trace_info(s->c->session->trace)->stack == TRACE_STACK_CROSS};
        add_norm(s, rungs, &n, MODEL_BLOCK_CROSS_ADD_NORM, "arch-n4");
    }
    add_norm(s, rungs, &n, MODEL_BLOCK_MLP_NORM, "arch-n5");
    rungs[n++] =
        (Rung){.id = "arch-mlp",
               .title = "Feed-forward",
               .detail = draw_format(ui->list, "%d → %d → %d, %s%s", h->width, h->mlp_width,
                                     h->width, h->gated ? "gated " : "", h->activation),
               .n_params = params(h, mlp, 3),
               .color = t->k,
               .tip = "every token by itself: widened, bent, narrowed",
               .adds = true};
    add_norm(s, rungs, &n, MODEL_BLOCK_MLP_ADD_NORM, "arch-n6");
    return n;
}

/* The stream that goes past a block and is added after it. */
static void draw_bypass(const ArchitectureScene *s, float x, float side, float from, float to)
{
    Ui *ui = s->c->ui;
    Vec2 points[] = {{x, from}, {side, from}, {side, to}, {x - 9, to}};
    draw_polyline(ui->list, &(DrawPolyline){.points = points,
                                            .n_points = AS_COUNT(points),
                                            .width = 1.5f,
                                            .color = ui->theme.text3,
                                            .cap = DRAW_ROUND});
}

void architecture_layer(const ArchitectureScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    const ModelHalf *h = &s->halves[s->chosen];
    Rung rungs[RUNGS_MOST];
    int n = rungs_of(s, rungs);
    int norms = 0;
    int adds = 0;
    for (int i = 0; i < n; i++) {
        norms += rungs[i].norm;
        adds += rungs[i].adds;
    }
    float gap = AS_CLAMP((box.h - 60) / (float)(n + adds + 2) * 0.32f, 8, 34);
    float norm_h = AS_CLAMP(box.h * 0.05f, 20, 28);
    float plus_h = 18 + gap;
    float left = box.h - 44 - gap * (float)(n + 1) - norm_h * (float)norms - plus_h * (float)adds;
    float block_h = AS_CLAMP(left / (float)AS_MAX(n - norms, 1), 30, 216);
    float side = box.x + 8;
    Rect in = {box.x + 30, box.y, box.w - 30, box.h};
    float x = in.x + in.w / 2;
    float y = box.y + box.h - 20;
    UiLabel ends = {.size = 11, .align = DRAW_CENTER, .color = t->text2};
    ui_label(ui, rect(in.x, y, in.w, 18), &ends,
             draw_format(ui->list, "residual stream, %d numbers a token", h->width));
    float tapped = y - gap * 0.4f;
    for (int i = 0; i < n; i++) {
        const Rung *r = &rungs[i];
        float h_i = r->norm ? norm_h : block_h;
        architecture_arrow(s, vec2(x, y), vec2(x, y - gap), r->step);
        y -= gap;
        Rect b = {in.x, y - h_i, in.w, h_i};
        architecture_block(s, b,
                           &(ArchitectureBlock){.id = r->id,
                                                .title = r->title,
                                                .detail = r->detail,
                                                .n_params = r->n_params,
                                                .color = r->color,
                                                .step = r->step,
                                                .command = r->command,
                                                .tip = r->tip,
                                                .small = r->norm});
        if (r->wide) {
            draw_icon(ui->list, &(DrawIcon){.icon = ICON_CHEVRON_RIGHT,
                                            .center = {b.x + b.w - 12, b.y + b.h - 12},
                                            .size = 14,
                                            .color = t->text2});
        }
        y = b.y;
        if (r->adds) {
            architecture_arrow(s, vec2(x, y), vec2(x, y - gap), 0);
            y -= gap + 9;
            draw_bypass(s, x, side, tapped, y);
            architecture_plus(s, vec2(x, y));
            y -= 9;
            tapped = y - gap * 0.4f;
        }
    }
    architecture_arrow(s, vec2(x, y), vec2(x, y - gap), 9);
    const char *note = h->parallel       ? "attention and feed-forward read the same input"
                       : h->norms_around ? "a second norm follows each block"
                                         : "to the next layer";
    ui_label(ui, rect(in.x, y - gap - 19, in.w, 18), &ends, note);
}
