/* The inspector of the Stack view: one token on its way through the layers. */
#include "views/stack.h"

#include <math.h>

#include "views/internal.h"

enum { TOP_SOURCES = 4, TOP_HEADS = 4 };

static const float HEADER = 34;
static const float ROW = 22;

typedef struct Inspect {
    ViewContext *c;
    Ui *ui;
    const StackRows *rows;
    const StackPatterns *patterns;
    int32_t layer;
    Rect box;
    float y;
} Inspect;

/* ---- parts ---- */

/* False where there is no room for `body` more px. */
static bool section(Inspect *in, const char *title, const char *note, float body)
{
    Ui *ui = in->ui;
    if (in->y + HEADER + body > in->box.y + in->box.h) {
        return false;
    }
    ui_hairline_h(ui, in->box.x, in->y, in->box.w);
    float w = note ? ui_text_width(ui, FONT_MONO, 11, note) : 0;
    ui_caps(ui, rect(in->box.x, in->y + 1, in->box.w - w - 8, HEADER - 2), title);
    if (note) {
        ui_label(ui, rect(in->box.x + in->box.w - w - 1, in->y + 1, w + 2, HEADER - 2),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text3}, note);
    }
    in->y += HEADER;
    return true;
}

static void bar(Inspect *in, const char *name, const char *place, float value, Color color, bool on)
{
    Ui *ui = in->ui;
    Rect box = {in->box.x, in->y, in->box.w, ROW};
    Color text = on ? ui->theme.text : ui->theme.text2;
    float place_w = ui_text_width(ui, FONT_MONO, 11, place);
    float name_w = ui_label(ui, rect(box.x, box.y, 84 - (*place ? place_w + 6 : 0), ROW),
                            &(UiLabel){.face = FONT_SANS, .color = text}, name);
    ui_label(ui, rect(box.x + name_w + 6, box.y, place_w + 2, ROW),
             &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text2}, place);
    ui_bar(ui, rect(box.x + 92, box.y + ROW / 2 - 4, box.w - 92 - 56, 8), value, color);
    ui_label(ui, rect(box.x + box.w - 50, box.y, 50, ROW),
             &(UiLabel){.face = FONT_MONO, .color = text, .align = DRAW_RIGHT},
             draw_format(ui->list, "%.3f", (double)value));
    in->y += ROW;
}

static const float *row_of(const Inspect *in)
{
    return in->rows->weights + (size_t)in->layer * (size_t)in->rows->n_keys;
}

static void draw_reads(Inspect *in)
{
    const StackRows *r = in->rows;
    StackSource top[STACK_CURVES_A_PLANE];
    float mass;
    int32_t n = stack_sources(row_of(in), r->n_keys, in->c->session->stack3d.coverage, top,
                              STACK_CURVES_A_PLANE, &mass);
    n = AS_MIN(n, TOP_SOURCES);
    double listed = 0;
    for (int32_t i = 0; i < n; i++) {
        listed += (double)top[i].weight;
    }
    const char *title = draw_format(in->ui->list, "What “%s” reads", label_of(in->c, r->query));
    const char *note = draw_format(in->ui->list, "%.1f %% shown", listed * 100);
    if (!section(in, title, note, ROW * TOP_SOURCES + 8)) {
        return;
    }
    for (int32_t i = 0; i < n; i++) {
        bar(in, key_label_of(in->c, top[i].key), draw_format(in->ui->list, "%d", top[i].key),
            top[i].weight, key_token_color(in->c, top[i].key), top[i].key == r->key);
    }
    in->y += 8;
}

/* The heads of all layers that read the chosen key most. */
static int strongest_heads(const StackRows *r, int64_t out[TOP_HEADS])
{
    int n = 0;
    int64_t all = (int64_t)r->n_layers * r->n_heads;
    for (int64_t i = 0; i < all; i++) {
        if (n == TOP_HEADS && r->pair[i] <= r->pair[out[n - 1]]) {
            continue;
        }
        n = AS_MIN(n + 1, TOP_HEADS);
        int at = n - 1;
        for (; at > 0 && r->pair[i] > r->pair[out[at - 1]]; at--) {
            out[at] = out[at - 1];
        }
        out[at] = i;
    }
    return n;
}

static void draw_heads(Inspect *in)
{
    const StackRows *r = in->rows;
    int64_t top[TOP_HEADS];
    int n = strongest_heads(r, top);
    const char *title = draw_format(in->ui->list, "Strongest head, “%s” → “%s”",
                                    label_of(in->c, r->query), key_label_of(in->c, r->key));
    if (!section(in, title, NULL, ROW * (float)n + 8)) {
        return;
    }
    for (int i = 0; i < n; i++) {
        int32_t layer = (int32_t)(top[i] / r->n_heads);
        int32_t head = (int32_t)(top[i] % r->n_heads);
        Rect row = {in->box.x, in->y, in->box.w, ROW};
        if (ui_click(in->ui, ui_id("stack-head", i), row, false, NULL, NULL)) {
            session_post(in->c->session, "layer %d", layer);
            session_post(in->c->session, "head %d", head);
        }
        ui_tooltip(in->ui, row, "a click goes to this head");
        bar(in, draw_format(in->ui->list, "L%d H%d", layer, head), "", r->pair[top[i]],
            color_head(head), layer == in->layer);
    }
    in->y += 8;
}

/* Values over layers as a line with the area below it; a click goes to a layer. */
static void chart(Inspect *in, const char *id, const float *values, int32_t first, int32_t n,
                  float most, float step, const char *format)
{
    Ui *ui = in->ui;
    const Theme *t = &ui->theme;
    Rect area = {in->box.x + 26, in->y + 6, in->box.w - 34, 54};
    for (float v = 0; v <= most + 1e-4f; v += step) {
        float y = ui_snap(ui, area.y + area.h * (1 - v / most));
        ui_hairline_h(ui, area.x, y, area.w);
        ui_label(ui, rect(area.x - 30, y - 8, 22, 16),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text3, .align = DRAW_RIGHT},
                 draw_format(ui->list, format, (double)v));
    }
    float pitch = n > 1 ? area.w / (float)(n - 1) : 0;
    Vec2 *points = ARENA_ARRAY(&ui->list->arena, Vec2, (size_t)n + 1, NULL);
    if (!points) {
        return;
    }
    int32_t count = 0;
    for (int32_t l = first; l < n; l++) {
        points[count++] = vec2(area.x + pitch * (float)l,
                               area.y + area.h * (1 - AS_CLAMP(values[l] / most, 0.0f, 1.0f)));
    }
    for (int32_t i = 0; i + 1 < count; i++) {
        Vec2 quad[4] = {points[i],
                        points[i + 1],
                        {points[i + 1].x, area.y + area.h},
                        {points[i].x, area.y + area.h}};
        draw_polygon(ui->list, &(DrawPolygon){.points = quad,
                                              .n_points = 4,
                                              .fill = color_with_alpha(t->track, 0.55f)});
    }
    draw_polyline(ui->list, &(DrawPolyline){.points = points,
                                            .n_points = (size_t)count,
                                            .width = 1.5f,
                                            .color = t->accent,
                                            .cap = DRAW_ROUND});
    if (count == 1) { /* of two layers one has a layer before it */
        draw_circle(ui->list,
                    &(DrawCircle){.center = points[0], .radius = 2.5f, .fill = t->accent});
    }
    int32_t at = in->layer - first;
    if (at >= 0 && at < count) {
        draw_line(ui->list, &(DrawLine){.a = {points[at].x, area.y - 4},
                                        .b = {points[at].x, area.y + area.h},
                                        .width = 1,
                                        .color = t->text3,
                                        .dash_on = 3,
                                        .dash_off = 3});
        draw_circle(ui->list, &(DrawCircle){.center = points[at],
                                            .radius = 5,
                                            .fill = t->accent,
                                            .border = 1.5f,
                                            .border_color = t->text});
    }
    int32_t ticks = n > 20 ? 10 : n > 8 ? 4 : 1;
    for (int32_t l = 0; l < n; l++) {
        bool last = l == n - 1;
        if (last || (l % ticks == 0 && (float)(n - 1 - l) * pitch > 22)) {
            ui_label(
                ui, rect(area.x + pitch * (float)l - 12, area.y + area.h + 3, 24, 16),
                &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text3, .align = DRAW_CENTER},
                draw_format(ui->list, "%d", l));
        }
    }
    Rect hit = rect_inset(area, -6);
    int32_t under = pitch > 0 ? (int32_t)lroundf((ui->mouse.x - area.x) / pitch) : 0;
    under = AS_CLAMP(under, first, n - 1);
    if (ui_hovers(ui, hit)) {
        ui_tooltip(ui, hit, draw_format(ui->list, "layer %d: %.4f", under, (double)values[under]));
    }
    if (ui_click(ui, UI_ID(id), hit, false, NULL, NULL)) {
        session_post(in->c->session, "layer %d", under);
    }
    in->y += 84;
}

static void draw_entropy(Inspect *in)
{
    const StackRows *r = in->rows;
    float most = 1;
    for (int32_t l = 0; l < r->n_layers; l++) {
        most = AS_MAX(most, r->entropy[l]);
    }
    most = ceilf(most);
    const char *title =
        draw_format(in->ui->list, "Entropy of “%s”, by layer", label_of(in->c, r->query));
    const char *note = draw_format(in->ui->list, "%.3f bits", (double)r->entropy[in->layer]);
    if (section(in, title, note, 84)) {
        chart(in, "stack-entropy", r->entropy, 0, r->n_layers, most, most > 3 ? ceilf(most / 3) : 1,
              "%.0f");
    }
}

static void draw_similarity(Inspect *in)
{
    const StackPatterns *p = in->patterns;
    if (!p || p->n_layers < 2) {
        return;
    }
    const char *note = in->layer > 0 && in->layer < p->n_layers
                           ? draw_format(in->ui->list, "%.3f to %d",
                                         (double)p->similarity[in->layer], in->layer - 1)
                           : NULL;
    if (section(in, "Like the layer before", note, 84)) {
        ui_tooltip(in->ui, rect(in->box.x, in->y - HEADER, in->box.w, HEADER),
                   "Mean over rows of the overlap of √weights with the layer before: 1 = the same "
                   "pattern (Bhattacharyya)");
        chart(in, "stack-similarity", p->similarity, 1, p->n_layers, 1, 0.5f, "%.1f");
    }
}

/* ---- words ---- */

static const char *words(Inspect *in)
{
    const StackRows *r = in->rows;
    DrawList *list = in->ui->list;
    StackSource top[3];
    float mass;
    int32_t n = stack_sources(row_of(in), r->n_keys, 1, top, 3, &mass);
    const char *token = label_of(in->c, r->query);
    if (n < 1) {
        return draw_format(list, "In layer %d “%s” reads nothing.", in->layer, token);
    }
    const char *first = key_label_of(in->c, top[0].key);
    double most = (double)top[0].weight * 100;
    const float *pair = r->pair + (size_t)in->layer * (size_t)r->n_heads;
    int32_t head = 0;
    for (int32_t h = 1; h < r->n_heads; h++) {
        head = pair[h] > pair[head] ? h : head;
    }
    switch (in->c->session->options.level) {
    case LEVEL_SIMPLE:
        return n > 1 ? draw_format(list,
                                   "In layer %d “%s” looks most at “%s” (%.0f %%), then at “%s”.",
                                   in->layer, token, first, most, key_label_of(in->c, top[1].key))
                     : draw_format(list, "In layer %d “%s” looks only at “%s”.", in->layer, token,
                                   first);
    case LEVEL_STUDENT:
        if (top[0].key == r->key) {
            return draw_format(list,
                               "In layer %d “%s” gives %.1f %% of its weight to “%s”, more than to "
                               "any other; head %d reads it most: %.1f %%.",
                               in->layer, token, most, first, head, (double)pair[head] * 100);
        }
        return draw_format(list,
                           "In layer %d “%s” gives %.1f %% of its weight to “%s”. “%s” gets "
                           "%.1f %%, and head %d reads it most: %.1f %%.",
                           in->layer, token, most, first, key_label_of(in->c, r->key),
                           (double)row_of(in)[r->key] * 100, head, (double)pair[head] * 100);
    default:
        return draw_format(list,
                           "Layer %d: entropy %.3f bits, w(%d, %d) = %.6f, largest at head %d "
                           "(%.6f). Overlap with the layer before: %.3f.",
                           in->layer, (double)r->entropy[in->layer], r->query, r->key,
                           (double)row_of(in)[r->key], head, (double)pair[head],
                           in->patterns && in->layer > 0 && in->layer < in->patterns->n_layers
                               ? (double)in->patterns->similarity[in->layer]
                               : 0);
    }
}

static void draw_words(Inspect *in)
{
    static const char *const items[] = {"Simple", "Student", "Engineer"};
    static const char *const names[] = {"simple", "student", "engineer"};
    if (!section(in, "In words", NULL, 102)) {
        return;
    }
    Session *s = in->c->session;
    int now = (int)s->options.level;
    int chosen =
        ui_segmented(in->ui, UI_ID("level"), rect(in->box.x, in->y, in->box.w, 28), items, 3, now);
    if (chosen != now) {
        session_post(s, "level %s", names[chosen]);
    }
    ui_paragraph(in->ui, rect(in->box.x, in->y + 36, in->box.w, 64), &(UiLabel){.size = 12}, 18,
                 words(in));
    in->y += 102;
}

/* Length of the query's residual stream before and after the layer. */
static void draw_stream(Inspect *in)
{
    const Trace *trace = in->c->session->trace;
    const TraceInfo *info = trace_info(trace);
    if (!info->has_hidden || in->layer + 1 > in->c->session->layers_done) {
        return;
    }
    size_t n = (size_t)info->model_dim;
    float *x = ARENA_ARRAY(&in->ui->list->arena, float, n, NULL);
    double norm[2] = {0};
    for (int i = 0; x && i < 2; i++) {
        if (!trace_hidden(trace, in->layer + i, in->rows->query, in->rows->query + 1, x, NULL)) {
            return;
        }
        for (size_t k = 0; k < n; k++) {
            norm[i] += (double)x[k] * (double)x[k];
        }
    }
    (void)section(in, draw_format(in->ui->list, "Stream of “%s”", label_of(in->c, in->rows->query)),
                  draw_format(in->ui->list, "norm %.1f → %.1f", sqrt(norm[0]), sqrt(norm[1])), 0);
}

/* ---- what is shown ---- */

static Rect choice_row(Inspect *in, const char *name)
{
    ui_label(in->ui, rect(in->box.x, in->y, 62, 28), &(UiLabel){.color = in->ui->theme.text2},
             name);
    Rect box = {in->box.x + 66, in->y, in->box.w - 66, 28};
    in->y += 36;
    return box;
}

static void planes_row(Inspect *in)
{
    static const char *const items[] = {"automatic",    "all layers", "every second", "every third",
                                        "every fourth", "2 together", "4 together",   "8 together"};
    static const char *const commands[] = {"auto",    "all",     "every 2", "every 3",
                                           "every 4", "group 2", "group 4", "group 8"};
    Session *s = in->c->session;
    const StackChoice *c = &s->stack3d;
    int now = -1;
    if (c->planes == STACK_PLANES_AUTO || c->planes == STACK_PLANES_ALL) {
        now = c->planes == STACK_PLANES_ALL;
    } else if (c->planes == STACK_PLANES_EVERY && c->every >= 2 && c->every <= 4) {
        now = c->every;
    } else if (c->planes == STACK_PLANES_GROUP) {
        now = c->every == 2 ? 5 : c->every == 4 ? 6 : c->every == 8 ? 7 : -1;
    }
    const char *value = now >= 0 ? items[now]
                        : c->planes == STACK_PLANES_RANGE
                            ? draw_format(in->ui->list, "%d–%d", c->first, c->last)
                            : draw_format(in->ui->list, "%d apart", c->every);
    Rect box = choice_row(in, "Planes");
    box.h = 32;
    box.y -= 2;
    int chosen =
        ui_dropdown(in->ui, UI_ID("stack-planes"), box, "", value, items, AS_COUNT(items), now);
    if (chosen != now) {
        session_post(s, "stack-planes %s", commands[chosen]);
    }
}

static void draw_choice(Inspect *in)
{
    static const char *const heads[] = {"Mean", "Largest", "One"};
    static const char *const head_names[] = {"mean", "max", "one"};
    static const char *const lenses[] = {"Perspective", "Parallel"};
    static const char *const depths[] = {"1", "2", "3", "4"};
    if (!section(in, "What is shown", NULL, 4 * 36)) {
        return;
    }
    Session *s = in->c->session;
    const StackChoice *c = &s->stack3d;
    int chosen = ui_segmented(in->ui, UI_ID("stack-heads"), choice_row(in, "Heads"), heads, 3,
                              (int)c->heads);
    if (chosen != (int)c->heads) {
        session_post(s, "stack-heads %s", head_names[chosen]);
    }
    planes_row(in);
    Rect row = choice_row(in, "Sources");
    int depth = AS_MIN(c->depth, 4) - 1;
    chosen = ui_segmented(in->ui, UI_ID("stack-depth"), row, depths, 4, depth);
    ui_tooltip(in->ui, row,
               "planes down that what the token reads is followed, and what that reads");
    if (chosen != depth) {
        session_post(s, "stack-depth %d", chosen + 1);
    }
    int lens = c->camera.orthographic;
    chosen = ui_segmented(in->ui, UI_ID("stack-lens"), choice_row(in, "Lens"), lenses, 2, lens);
    if (chosen != lens) {
        session_post(s, "stack-lens %s", chosen ? "orthographic" : "perspective");
    }
}

void stack_inspect(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    Session *s = c->session;
    const StackRows *r = session_stack_rows(s);
    if (!r) {
        ui_paragraph(ui, rect(box.x, box.y + 2, box.w, 80), &(UiLabel){.size = 12}, 18,
                     "The token's row in every layer is being computed.");
        return;
    }
    Inspect in = {.c = c,
                  .ui = ui,
                  .rows = r,
                  .patterns = session_stack_patterns(s),
                  .layer = AS_CLAMP(s->selection.layer, 0, r->n_layers - 1),
                  .box = box,
                  .y = box.y};
    const char *token = label_of(c, r->query);
    float w = AS_CLAMP(ui_text_width(ui, FONT_SANS_SEMIBOLD, 14, token) + 32, 64.0f, 140.0f);
    ui_chip(
        ui, rect(box.x, in.y, w, 28),
        &(UiChip){.text = token, .color = token_color(c, r->query), .chosen = true, .size = 14});
    const char *heads = r->heads == STACK_HEADS_ONE ? draw_format(ui->list, "head %d", r->head)
                        : r->heads == STACK_HEADS_MAX
                            ? draw_format(ui->list, "largest of %d heads", r->n_heads)
                            : draw_format(ui->list, "mean of %d heads", r->n_heads);
    ui_label(ui, rect(box.x + w + 14, in.y, box.w - w - 14, 28),
             &(UiLabel){.color = ui->theme.text2},
             draw_format(ui->list, "in layer %d, %s", in.layer, heads));
    in.y += 42;
    draw_reads(&in);
    draw_heads(&in);
    draw_entropy(&in);
    draw_similarity(&in);
    draw_words(&in);
    draw_choice(&in);
    draw_stream(&in);
}
