#include "views/flow.h"

#include <math.h>
#include <string.h>

#include "views/internal.h"

/* Tokens at both ends of the curves, with what each gives and receives; arcs on one line. */

enum { CHIP_W = 104, CHIP_LEAST_W = 72 };

/* ---- chips ---- */

/* The tokens of a block as far as there is room: "The animal did …". */
const char *flow_block_label(const FlowScene *s, int32_t block, bool as_key)
{
    const FlowAxis *a = as_key ? &s->keys : &s->queries;
    int32_t from = block * a->block;
    if (a->block == 1) {
        return as_key ? key_label_of(s->c, from) : label_of(s->c, from);
    }
    enum { TOKENS = 4 };
    const char *text = "";
    int32_t end = AS_MIN(from + AS_MIN(a->block, TOKENS), a->n);
    for (int32_t i = from; i < end; i++) {
        const char *word = as_key ? key_label_of(s->c, i) : label_of(s->c, i);
        text = draw_format(s->c->ui->list, "%s%s%s", text, i > from ? " " : "", word);
    }
    return draw_format(s->c->ui->list, "%s …", text);
}

static bool is_chosen(const FlowScene *s, int32_t block, bool as_key)
{
    const FlowFocus *f = &s->view->hovered;
    const Selection *sel = &s->c->session->selection;
    const FlowOptions *o = s->options;
    int32_t cut = as_key ? s->keys.block : s->queries.block;
    if (f->token_hovered && f->as_key == as_key && f->block == block) {
        return true;
    }
    for (int32_t i = 0; i < o->n_pins; i++) {
        if (o->pins[i] % 2 == as_key && o->pins[i] / 2 / cut == block) {
            return true;
        }
    }
    return !o->n_pins && (as_key ? sel->key : sel->query) / cut == block;
}

static void point_chip(FlowScene *s, Rect box, int32_t block, bool as_key, const char *label)
{
    Ui *ui = s->c->ui;
    FlowFocus *f = &s->view->hovered;
    const FlowAxis *a = as_key ? &s->keys : &s->queries;
    Session *session = s->c->session;
    bool hot;
    UiId id = ui_id(as_key ? "flow-key" : "flow-query", block);
    bool clicked = ui_click(ui, id, box, false, &hot, NULL);
    if (hot) {
        int32_t from = block * a->block;
        int32_t last = AS_MIN(from + a->block, a->n) - 1;
        bool moved = !f->token_hovered || f->as_key != as_key || f->block != block;
        *f = (FlowFocus){.token_hovered = true, .as_key = as_key, .block = block};
        ui->moves |= moved;
        ui->cursor = UI_CURSOR_HAND;
        ui_tooltip(ui, box,
                   a->block == 1
                       ? draw_format(ui->list, "%s %d: %s. Click keeps it, Shift adds to it",
                                     as_key ? "key" : "query", from, label)
                       : draw_format(ui->list, "%s %d–%d: %s", as_key ? "keys" : "queries", from,
                                     last, label));
    }
    if (clicked && a->block == 1) {
        bool add = ui->mods & KEY_MOD_SHIFT;
        session_post(session, "flow-look %s%c%d", add ? "+" : "", as_key ? 'k' : 'q', block);
    } else if (clicked) { /* a block opens */
        s->view->zoom_goal *= 4;
        s->view->middle_goal = ((double)block + 0.5) * a->block / a->n;
    }
}

void flow_chip(FlowScene *s, Rect box, int32_t block, bool as_key)
{
    Ui *ui = s->c->ui;
    const FlowAxis *a = as_key ? &s->keys : &s->queries;
    const char *label = flow_block_label(s, block, as_key);
    int32_t token = block * a->block;
    Color color = a->block > 1 ? ui->theme.edge2
                  : as_key     ? key_token_color(s->c, token)
                               : token_color(s->c, token);
    bool on = is_chosen(s, block, as_key);
    bool up = box.h > box.w;
    float thick = up ? box.w : box.h;
    ui_chip(ui, box,
            &(UiChip){.text = label,
                      .color = color,
                      .chosen = on,
                      .vertical = up,
                      .size = thick >= 22 ? 13 : 11});
    point_chip(s, box, block, as_key, label);
}

/* ---- two columns ---- */

typedef struct Columns {
    float chip_w, value_w, bar_w, index_w;
    bool values; /* room for entropy and received mass */
} Columns;

static Columns columns_of(const FlowScene *s)
{
    float w = s->area.w;
    Columns c = {.chip_w = CHIP_W, .value_w = 34, .bar_w = 56, .index_w = 22};
    const TraceInfo *info = trace_info(s->c->session->trace);
    int32_t most = AS_MAX(info->n_queries, info->n_keys);
    c.index_w = most > 99999 ? 52 : most > 9999 ? 42 : most > 999 ? 34 : most > 99 ? 26 : 20;
    c.values = w >= 760;
    if (w < 920) {
        c.bar_w = 36;
    }
    if (w < 620) {
        c.chip_w = CHIP_LEAST_W;
    }
    return c;
}

static float side_width(const Columns *c)
{
    return (c->values ? c->value_w + 10 + c->bar_w + 10 : 0) + c->index_w + 12 + c->chip_w + 12;
}

/* Mean over the block's queries, bits; of the selected head. */
static float entropy_of(const FlowScene *s, const TraceRows *rows, int32_t block)
{
    double sum = 0;
    int32_t from = block * s->queries.block;
    int32_t end = AS_MIN(from + s->queries.block, s->queries.n);
    for (int32_t i = from; i < end; i++) {
        sum += (double)rows->entropy[i];
    }
    return (float)(sum / (end - from) / log(2));
}

/* What a block of keys receives: of all queries, or of those that are looked at. */
static float received_of(const FlowScene *s, const float *received, int32_t block)
{
    double sum = 0;
    int32_t from = block * s->keys.block;
    int32_t end = AS_MIN(from + s->keys.block, s->keys.n);
    for (int32_t j = from; j < end; j++) {
        sum += (double)received[j];
    }
    return (float)sum;
}

static void side_value(const FlowScene *s, const Columns *c, float y, bool right, float value,
                       float share, bool lit)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    float x = right ? s->area.x + s->area.w : s->area.x;
    const char *text = draw_format(ui->list,
                                   value < 99.995f ? "%.2f"
                                   : value < 99999 ? "%.0f"
                                                   : "%.2e",
                                   (double)value);
    Rect value_box = {right ? x - c->value_w - 8 : x - 2, y - 9, c->value_w + 8, 18};
    ui_label(
        ui, value_box,
        &(UiLabel){
            .face = FONT_MONO, .size = 11, .align = DRAW_RIGHT, .color = lit ? t->text : t->text2},
        text);
    Rect bar = {right ? x - c->value_w - 10 - c->bar_w : x + c->value_w + 14, y - 3, c->bar_w, 6};
    draw_rect(ui->list, &(DrawRect){.box = bar, .radius = 3, .fill = t->track});
    float w = bar.w * AS_CLAMP(share, 0.0f, 1.0f);
    Color fill = right ? color_mix(t->card, flow_head_color(s, s->slot), lit ? 1 : 0.6f)
                       : color_mix(t->card, t->accent, lit ? 1 : 0.55f);
    if (w > 0.5f) { /* entropy grows from the token outwards */
        draw_rect(ui->list, &(DrawRect){.box = {right ? bar.x : bar.x + bar.w - w, bar.y, w, 6},
                                        .radius = fminf(3, w / 2),
                                        .fill = fill});
    }
}

static void draw_index(const FlowScene *s, const Columns *c, float y, bool right, int32_t block,
                       bool lit)
{
    Ui *ui = s->c->ui;
    const FlowAxis *a = right ? &s->keys : &s->queries;
    float inner = side_width(c) - 12;
    float x = right ? s->area.x + s->area.w - inner + c->chip_w + 10
                    : s->area.x + inner - c->chip_w - 10 - c->index_w;
    ui_label(ui, rect(x, y - 9, c->index_w, 18),
             &(UiLabel){.face = lit ? FONT_MONO_SEMIBOLD : FONT_MONO,
                        .size = 11,
                        .align = right ? DRAW_LEFT : DRAW_RIGHT,
                        .color = lit ? ui->theme.text : ui->theme.text3},
             draw_format(ui->list, "%d", block * a->block));
}

static float edge_fade(const FlowScene *s, float y, float pitch)
{
    float room = fminf(y - s->area.y, s->area.y + s->area.h - y);
    return AS_CLAMP(room / fmaxf(pitch * 0.5f, 1), 0.0f, 1.0f);
}

/* Received mass: of those looked at where there are any, else of all. */
static const float *received_column(const FlowScene *s, float *most)
{
    const Session *session = s->c->session;
    const FlowOptions *o = s->options;
    const TraceInfo *info = trace_info(session->trace);
    const float *all =
        trace_received(session->trace, session->selection.layer, session->selection.head);
    const float *out = all;
    int32_t n_queries = 0;
    for (int32_t i = 0; i < o->n_pins; i++) {
        n_queries += o->pins[i] % 2 == 0;
    }
    if (n_queries > 0) {
        size_t m = (size_t)info->n_keys;
        float *sum = ARENA_ARRAY(&s->c->ui->list->arena, float, m, NULL);
        float *row = sum ? ARENA_ARRAY(&s->c->ui->list->arena, float, m, NULL) : NULL;
        for (int32_t i = 0; row && i < o->n_pins; i++) {
            if (o->pins[i] % 2 == 0 && o->pins[i] / 2 < info->n_queries &&
                trace_row_profile(session->trace, session->selection.layer, session->selection.head,
                                  o->pins[i] / 2, row, NULL)) {
                for (size_t j = 0; j < m; j++) {
                    sum[j] += row[j];
                }
            }
        }
        out = row ? sum : all;
    }
    *most = 0;
    int32_t first;
    int32_t end;
    flow_axis_blocks(&s->keys, &first, &end);
    for (int32_t b = first; out && b < end; b++) {
        *most = fmaxf(*most, received_of(s, out, b));
    }
    return out;
}

static void draw_side(FlowScene *s, const Columns *c, bool right)
{
    Ui *ui = s->c->ui;
    const Session *session = s->c->session;
    const FlowAxis *a = right ? &s->keys : &s->queries;
    float pitch = flow_axis_pitch(a);
    float h = fminf(26, fmaxf(pitch - 3, 12));
    if (pitch > 30) {
        h = 26;
    }
    float inner = side_width(c) - 12;
    float x = right ? s->area.x + s->area.w - inner : s->area.x + inner - c->chip_w;
    TraceRows rows = {0};
    bool have_rows =
        trace_rows(session->trace, session->selection.layer, session->selection.head, &rows);
    float most = 0;
    const float *received = right && c->values ? received_column(s, &most) : NULL;
    float top_entropy = log2f((float)AS_MAX(s->keys.n, 2));
    int32_t first;
    int32_t end;
    flow_axis_blocks(a, &first, &end);
    for (int32_t b = first; b < end; b++) {
        float y = flow_block_at(a, b);
        float fade = edge_fade(s, y, pitch);
        if (fade <= 0.02f) {
            continue;
        }
        bool lit = is_chosen(s, b, right);
        draw_push_alpha(ui->list, fade);
        flow_chip(s, rect(ui_snap(ui, x), ui_snap(ui, y - h / 2), c->chip_w, h), b, right);
        draw_circle(ui->list, &(DrawCircle){.center = {right ? x - 6 : x + c->chip_w + 6, y},
                                            .radius = lit ? 3 : 2.2f,
                                            .fill = a->block > 1 ? ui->theme.text3
                                                    : right      ? key_token_color(s->c, b)
                                                                 : token_color(s->c, b)});
        draw_index(s, c, y, right, b, lit);
        if (c->values && right && received) {
            float v = received_of(s, received, b);
            side_value(s, c, y, true, v, most > 0 ? v / most : 0, lit);
        } else if (c->values && !right && have_rows) {
            float v = entropy_of(s, &rows, b);
            side_value(s, c, y, false, v, v / top_entropy, lit);
        }
        draw_pop_alpha(ui->list);
    }
}

static void caption(Ui *ui, float x, float w, float y, const char *text, DrawAlign align)
{
    ui_label(ui, rect(x, y, w, 18),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD,
                        .size = 11,
                        .tracking = 0.7f,
                        .align = align,
                        .color = ui->theme.text3},
             text);
}

static void draw_captions(const FlowScene *s, const Columns *c)
{
    Ui *ui = s->c->ui;
    float top = fminf(flow_block_at(&s->queries, 0) - flow_axis_pitch(&s->queries) / 2,
                      flow_block_at(&s->keys, 0) - flow_axis_pitch(&s->keys) / 2);
    float y = fmaxf(top, s->area.y) - 30;
    float inner = side_width(c) - 12;
    float left = s->area.x + inner - c->chip_w;
    float right = s->area.x + s->area.w - inner;
    bool cross = trace_is_cross(s->c->session->trace);
    caption(ui, left - 20, c->chip_w + 40, y, cross ? "DECODER READS" : "QUERIES READ",
            DRAW_CENTER);
    caption(ui, right - 20, c->chip_w + 40, y, cross ? "ENCODER IS READ" : "KEYS ARE READ",
            DRAW_CENTER);
    if (c->values) {
        float side = inner - c->chip_w - 22;
        bool set = false;
        for (int32_t i = 0; i < s->options->n_pins; i++) {
            set |= s->options->pins[i] % 2 == 0;
        }
        caption(ui, s->area.x, side, y, s->queries.block > 1 ? "MEAN BITS" : "ENTROPY, BITS",
                DRAW_LEFT);
        caption(ui, s->area.x + s->area.w - side, side, y, set ? "SUM OF SET" : "MASS RECEIVED",
                DRAW_RIGHT);
    }
}

/* What the lit rows read out of view. */
static void draw_outside(const FlowScene *s)
{
    Ui *ui = s->c->ui;
    const FlowMap *map = s->map;
    int32_t first;
    int32_t end;
    flow_axis_blocks(&s->keys, &first, &end);
    if (!s->edges || (first == 0 && end == map->n_all_cols)) {
        return;
    }
    int32_t row0;
    int32_t row1;
    flow_axis_blocks(&s->queries, &row0, &row1);
    double out[2] = {0, 0};
    double all = 0;
    for (int32_t slot = 0; slot < map->n_heads; slot++) {
        for (int32_t r = 0; r < map->n_rows; r++) {
            int32_t row = map->key.row0 / map->key.row_block + r;
            size_t at = (size_t)slot * (size_t)map->n_rows + (size_t)r;
            if (row < row0 || row >= row1) {
                continue;
            }
            const float *dense = map->dense + at * (size_t)(map->n_cols + 2);
            int32_t c0 = map->key.col0 / map->key.col_block;
            for (int32_t c = 0; c < map->n_cols + 2; c++) {
                int32_t col = c0 + c - 1;
                out[0] += col < first ? (double)dense[c] : 0;
                out[1] += col >= end ? (double)dense[c] : 0;
            }
            all += map->row_mass[at];
        }
    }
    for (int side = 0; side < 2 && all > 0; side++) {
        int32_t n = side ? s->keys.n - end * s->keys.block : first * s->keys.block;
        if (n < 1) {
            continue;
        }
        float y = side ? s->area.y + s->area.h + 2 : s->area.y - 29;
        ui_label(ui, rect(s->left + 2, y, s->right - s->left - 4, 16),
                 &(UiLabel){
                     .face = FONT_SANS, .size = 11, .align = DRAW_CENTER, .color = ui->theme.text3},
                 draw_format(ui->list, "%s %d keys %s: %.1f %% of the mass in view",
                             side ? "↓" : "↑", n, side ? "below" : "above", 100 * out[side] / all));
    }
}

void flow_draw_columns(FlowScene *s)
{
    Columns c = columns_of(s);
    float side = side_width(&c);
    s->left = ui_snap(s->c->ui, s->area.x + side);
    s->right = ui_snap(s->c->ui, s->area.x + s->area.w - side);
    if (!s->map) {
        return;
    }
    draw_captions(s, &c);
    draw_push_clip(s->c->ui->list,
                   rect(s->left, s->area.y - 16, s->right - s->left, s->area.h + 32));
    flow_draw_rest(s);
    flow_draw_curves(s);
    draw_pop_clip(s->c->ui->list);
    s->view->hovered.token_hovered = false;
    draw_side(s, &c, false);
    draw_side(s, &c, true);
    draw_outside(s);
}

/* ---- arcs ---- */

void flow_draw_arcs(FlowScene *s)
{
    Ui *ui = s->c->ui;
    float pitch = flow_axis_pitch(&s->queries);
    bool up = pitch < 58;
    float chip_h = up ? 84 : 26;
    const TraceLayer *layer = trace_layer(s->c->session->trace, s->c->session->selection.layer);
    bool both = layer && !layer->causal;
    float y = both ? s->area.y + s->area.h * 0.56f : s->area.y + s->area.h - chip_h - 10;
    s->left = y - 5;           /* where arcs back rise */
    s->right = y + chip_h + 5; /* where arcs on hang */
    if (!s->map) {
        return;
    }
    flow_draw_rest(s);
    flow_draw_curves(s);
    s->view->hovered.token_hovered = false;
    int32_t first;
    int32_t end;
    flow_axis_blocks(&s->queries, &first, &end);
    float w = up ? AS_MIN(pitch - 4, 22.0f) : AS_MIN(pitch - 6, 110.0f);
    for (int32_t b = first; b < end; b++) {
        float x = flow_block_at(&s->queries, b);
        if (x < s->area.x + w / 2 || x > s->area.x + s->area.w - w / 2) {
            continue;
        }
        flow_chip(s, rect(ui_snap(ui, x - w / 2), ui_snap(ui, y), w, chip_h), b, false);
    }
    const char *text =
        both ? "Arcs above lead back to earlier tokens, arcs below to later ones; a "
               "stub is a token that reads itself"
             : "Arcs lead back to earlier tokens; a stub is a token that reads itself";
    ui_label(ui, rect(s->area.x, s->area.y - 28, s->area.w, 18),
             &(UiLabel){.face = FONT_SANS, .size = 11, .color = ui->theme.text3}, text);
}
