#include "views/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "views/internal.h"

/* The camera along the text, and what of it is asked of the session. */

/* px a token may take at most and a block at least, down and to the right. */
static const float PITCH_MOST = 33.5f;
static const float PITCH_LEAST = 14;
static const float FLAT_MOST = 84;
static const float FLAT_LEAST = 21;

float flow_axis_at(const FlowAxis *a, double token)
{
    return a->start + (float)((token - a->first) * a->px);
}

float flow_block_at(const FlowAxis *a, int32_t block)
{
    /* The last block has the room of all others, however many tokens it holds. */
    return flow_axis_at(a, ((double)block + 0.5) * a->block);
}

float flow_axis_pitch(const FlowAxis *a)
{
    return (float)(a->px * a->block);
}

void flow_axis_blocks(const FlowAxis *a, int32_t *first, int32_t *end)
{
    double from = floor(a->first / a->block);
    double to = ceil((a->first + a->length / a->px) / a->block);
    int32_t n = (a->n + a->block - 1) / a->block;
    *first = (int32_t)AS_CLAMP(from, 0, n - 1);
    *end = (int32_t)AS_CLAMP(to, *first + 1, n);
}

static float most_of(const FlowAxis *a)
{
    /* A few tokens stand further apart, so that they are no strip at the top. */
    float few = AS_CLAMP(a->length / 1.5f / (float)a->n, PITCH_MOST, 72.0f);
    float wide = AS_CLAMP(a->length / 1.5f / (float)a->n, FLAT_MOST, 150.0f);
    return a->flat ? wide : few;
}

/* How far in the last zoom goes: until single tokens stand as far apart as they ever do. */
static double zoom_most(const FlowAxis *a)
{
    double fit = fmin((double)most_of(a), (double)a->length / a->n);
    return fmax((double)most_of(a) / fit, 1);
}

static void place(FlowAxis *a, double zoom, double middle)
{
    double most = (double)most_of(a);
    double fit = fmin(most, (double)a->length / a->n);
    a->px = fmin(most, fit * zoom);
    double least = (double)(a->flat ? FLAT_LEAST : PITCH_LEAST);
    a->block = 1;
    while (a->block * a->px < least && a->block < a->n) {
        a->block *= 2;
    }
    double n = ceil((double)a->n / a->block) * a->block;
    a->px *= fmin(1, fmax(a->length / (n * a->px), (double)a->n / n));
    double seen = (double)a->length / a->px;
    if (seen >= n) {
        a->first = -(seen - n) / 2;
    } else {
        a->first = AS_CLAMP(middle * a->n - seen / 2, 0, n - seen);
    }
}

static FlowAxis axis_of(float start, float length, int32_t n, bool flat, bool as_keys)
{
    return (FlowAxis){
        .start = start, .length = fmaxf(length, 1), .n = n, .flat = flat, .as_keys = as_keys};
}

void flow_move_axis(FlowScene *s)
{
    Ui *ui = s->c->ui;
    FlowView *v = s->view;
    const Session *session = s->c->session;
    const TraceInfo *info = trace_info(session->trace);
    bool flat = s->options->mode == FLOW_ARCS;
    float start = flat ? s->area.x : s->area.y;
    float length = flat ? s->area.w : s->area.h;
    if (v->trace_version != session->trace_version || !v->placed) {
        v->trace_version = session->trace_version;
        v->zoom_goal = 1;
        v->middle_goal = 0.5;
        v->placed = true;
        v->dragged = -1;
    }
    s->queries = axis_of(start, length, info->n_queries, flat, false);
    s->keys = axis_of(start, length, info->n_keys, flat, true);
    if (s->options->mode == FLOW_GRAPH) {
        /* all of the text, in at most so many nodes */
        enum { NODES_MOST = 1024 };
        s->queries.block = s->keys.block = 1;
        while ((info->n_keys + s->keys.block - 1) / s->keys.block > NODES_MOST) {
            s->queries.block = s->keys.block *= 2;
        }
        s->queries.px = s->keys.px = (double)length / AS_MAX(info->n_queries, info->n_keys);
        return;
    }
    double most = fmax(zoom_most(&s->queries), zoom_most(&s->keys));
    v->zoom_goal = AS_CLAMP(v->zoom_goal, 1, most);
    double zoom = exp(ui_tween(ui, UI_ID("flow-zoom"), log(v->zoom_goal), EASE_STATE_S));
    double middle = ui_tween(ui, UI_ID("flow-middle"), v->middle_goal, EASE_STATE_S);
    place(&s->queries, zoom, middle);
    place(&s->keys, zoom, middle);
    /* One text on both sides is cut alike. */
    if (!trace_is_cross(session->trace)) {
        s->keys = s->queries;
        s->keys.as_keys = true;
    }
    bool over = ui_hovers(ui, s->area);
    double along = (double)((flat ? ui->mouse.x : ui->mouse.y) - start);
    double seen = (double)length / s->queries.px;
    if (over && ui->wheel != 0 && most > 1) {
        double token = s->queries.first + along / s->queries.px;
        double to = AS_CLAMP(v->zoom_goal * pow(1.25, (double)ui->wheel), 1, most);
        double px = fmin((double)most_of(&s->queries),
                         fmin((double)most_of(&s->queries), (double)length / info->n_queries) * to);
        v->zoom_goal = to;
        v->middle_goal = (token + ((double)length / 2 - along) / px) / info->n_queries;
        ui->wheel = 0;
    }
    if (over && ui->pressed[0] && seen < info->n_queries && !v->hovered.token_hovered &&
        !v->hovered.edge_hovered) {
        v->pans = true;
        v->pan_from = ui->mouse;
        v->pan_middle = v->middle_goal;
    }
    v->pans = v->pans && ui->down[0];
    if (v->pans) {
        double moved = (double)(flat ? ui->mouse.x - v->pan_from.x : ui->mouse.y - v->pan_from.y);
        v->middle_goal = v->pan_middle - moved / s->queries.px / info->n_queries;
    }
    double half = AS_MIN(seen / info->n_queries, 1) / 2;
    v->middle_goal = AS_CLAMP(v->middle_goal, half, 1 - half);
}

/* ---- what is asked for ---- */

/* A stretch around what is in view, so that a little panning asks for nothing new. */
static void stretch(const FlowAxis *a, int32_t *from, int32_t *to)
{
    enum { STEP = 16 };
    int32_t first;
    int32_t end;
    flow_axis_blocks(a, &first, &end);
    first = first / STEP * STEP;
    end = (end + STEP - 1) / STEP * STEP;
    *from = first * a->block;
    *to = (int32_t)AS_MIN((int64_t)end * a->block, (int64_t)a->n);
}

static void key_heads(const FlowScene *s, FlowKey *key)
{
    const TraceInfo *info = trace_info(s->c->session->trace);
    int32_t selected = s->c->session->selection.head;
    for (int32_t h = 0; h < info->n_heads && h < 32 * FLOW_HEAD_WORDS; h++) {
        if (flow_shows_head(s->options, h, selected)) {
            key->heads[h / 32] |= 1u << (h % 32);
        }
    }
}

static int same_pair(const void *a, const void *b)
{
    const FlowEdge *x = a;
    const FlowEdge *y = b;
    if (x->row != y->row) {
        return x->row < y->row ? -1 : 1;
    }
    if (x->col != y->col) {
        return x->col < y->col ? -1 : 1;
    }
    return x->weight != y->weight ? (x->weight < y->weight ? 1 : -1) : x->slot - y->slot;
}

static int by_weight(const void *a, const void *b)
{
    const FlowEdge *x = a;
    const FlowEdge *y = b;
    return x->weight != y->weight ? (x->weight < y->weight ? 1 : -1) : same_pair(a, b);
}

/* One curve a pair: the mean of the shown heads, in the colour of the one that gives most. */
static void bundle(const FlowScene *s)
{
    FlowEdges *e = s->edges;
    qsort(e->edges, (size_t)e->n, sizeof *e->edges, same_pair);
    int32_t n = 0;
    for (int32_t i = 0; i < e->n; i++) {
        FlowEdge *last = n ? &e->edges[n - 1] : NULL;
        if (last && last->row == e->edges[i].row && last->col == e->edges[i].col) {
            last->weight += e->edges[i].weight;
            last->mass += e->edges[i].mass;
            last->rank = AS_MIN(last->rank, e->edges[i].rank);
        } else {
            e->edges[n++] = e->edges[i];
        }
    }
    e->n = n;
    for (int32_t i = 0; i < n; i++) {
        e->edges[i].weight /= (float)s->map->n_heads;
    }
    qsort(e->edges, (size_t)n, sizeof *e->edges, by_weight);
}

/* Keys out of view are one bundle a query and side, of their exact mass: curves on one spot would
 * add up to more than they are. */
static bool gather_outside(FlowScene *s)
{
    const FlowMap *map = s->map;
    FlowEdges *e = s->edges;
    int32_t first;
    int32_t end;
    flow_axis_blocks(&s->keys, &first, &end);
    if (s->options->mode != FLOW_COLUMNS || (first == 0 && end >= map->n_all_cols)) {
        return true;
    }
    size_t n_rows = (size_t)map->n_heads * (size_t)map->n_rows;
    FlowEdge *out = ARENA_ARRAY(&s->c->ui->list->arena, FlowEdge, (size_t)e->n + 2 * n_rows, NULL);
    if (!out) {
        return false;
    }
    int32_t n = 0;
    e->shown = 0;
    for (int32_t i = 0; i < e->n; i++) {
        if (e->edges[i].col >= first && e->edges[i].col < end) {
            out[n++] = e->edges[i];
            e->shown += (double)e->edges[i].mass;
        }
    }
    int32_t inside = n;
    int32_t c0 = map->key.col0 / map->key.col_block;
    for (size_t at = 0; at < n_rows; at++) {
        int32_t r = (int32_t)(at % (size_t)map->n_rows);
        const float *dense = map->dense + at * (size_t)(map->n_cols + 2);
        double unit = map->key.by_value ? map->row_mass[at] : map->n_queries[r];
        double mass[2] = {0, 0};
        for (int32_t c = 0; c < map->n_cols + 2; c++) {
            int32_t col = c0 + c - 1;
            mass[0] += col < first ? (double)dense[c] : 0;
            mass[1] += col >= end ? (double)dense[c] : 0;
        }
        for (int side = 0; side < 2; side++) {
            if (mass[side] > 0 && unit > 0) {
                out[n++] = (FlowEdge){.row = map->key.row0 / map->key.row_block + r,
                                      .col = side ? end : first - 1,
                                      .slot = (int32_t)(at / (size_t)map->n_rows),
                                      .weight = (float)(mass[side] / unit),
                                      .mass = (float)mass[side],
                                      .rank = -1};
                e->shown += mass[side];
            }
        }
    }
    e->edges = out;
    e->n = n;
    e->n_outside = n - inside;
    e->cut = false;
    qsort(out, (size_t)n, sizeof *out, by_weight);
    return true;
}

void flow_read(FlowScene *s)
{
    Session *session = s->c->session;
    FlowKey key = {.trace_version = session->trace_version,
                   .layer = session->selection.layer,
                   .row_block = s->queries.block,
                   .col_block = s->keys.block,
                   .by_value = s->options->by_value && trace_info(session->trace)->has_values};
    if (s->options->mode == FLOW_GRAPH) {
        key.row1 = s->queries.n;
        key.col1 = s->keys.n;
    } else {
        stretch(&s->queries, &key.row0, &key.row1);
        stretch(&s->keys, &key.col0, &key.col1);
    }
    key_heads(s, &key);
    s->map = session_flow(session, &key, &s->exact);
    s->c->views->settled &= s->exact || session_flow_error(session)->code;
    if (!s->map) {
        return;
    }
    for (int32_t k = 0; k < s->map->n_heads; k++) {
        s->slot = s->map->heads[k] == session->selection.head ? k : s->slot;
    }
    Error err = {0};
    s->edges = flow_select(s->map, s->options, &s->c->ui->list->arena, &err);
    /* What is drawn until the new one is there is cut as it was. */
    s->queries.block = s->map->key.row_block;
    s->keys.block = s->map->key.col_block;
    if (s->edges && !gather_outside(s)) {
        s->edges = NULL;
    }
    if (s->edges && s->options->bundled && s->map->n_heads > 1) {
        bundle(s);
    }
}
