#include "views/flow.h"

#include <math.h>
#include <string.h>

#include "ui/controls.h"
#include "views/internal.h"

/* Title, heads and modes above; below what is shown, how much of it, and the legend. */

static const char *const mode_names[FLOW_MODE_COUNT] = {"Columns", "Arcs", "Layers", "Graph"};
static const char *const mode_args[FLOW_MODE_COUNT] = {"columns", "arcs", "layers", "graph"};

/* ---- above ---- */

static int32_t n_shown(const FlowScene *s)
{
    const TraceInfo *info = trace_info(s->c->session->trace);
    int32_t n = 0;
    for (int32_t h = 0; h < info->n_heads; h++) {
        n += flow_shows_head(s->options, h, s->c->session->selection.head);
    }
    return n;
}

static void head_chips(const FlowScene *s, float from)
{
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    int32_t n = trace_info(session->trace)->n_heads;
    float pitch = fminf(46, (s->title.x + s->title.w - from - 48) / (float)n);
    if (pitch < 15) {
        return; /* the top bar steps through them */
    }
    float w = pitch - (pitch > 30 ? 6 : 2);
    float x = s->title.x + s->title.w - pitch * (float)n + (pitch - w);
    ui_label(ui, rect(x - 56, s->title.y, 46, 28),
             &(UiLabel){.face = FONT_SANS, .size = 12, .align = DRAW_RIGHT}, "Heads");
    for (int32_t h = 0; h < n; h++, x += pitch) {
        Rect box = {ui_snap(ui, x), s->title.y, w, 28};
        bool on = flow_shows_head(s->options, h, session->selection.head);
        Color c = color_head(h);
        const Theme *t = &ui->theme;
        bool hot;
        bool clicked = ui_click(ui, ui_id("flow-head", h), box, true, &hot, NULL);
        draw_rect(ui->list, &(DrawRect){.box = box,
                                        .radius = pitch > 30 ? 8 : 4,
                                        .fill = color_mix(t->page, c,
                                                          on    ? 0.45f
                                                          : hot ? 0.25f
                                                                : 0.12f),
                                        .border = on ? 1.5f : 1,
                                        .border_color = color_mix(t->page, c, on ? 1 : 0.35f)});
        ui_label(ui, rect(box.x + 1, box.y, box.w - 2, box.h),
                 &(UiLabel){.face = on ? FONT_SANS_SEMIBOLD : FONT_SANS_MEDIUM,
                            .size = pitch > 30 ? 12 : 11,
                            .align = DRAW_CENTER,
                            .color = on ? t->text : t->text2},
                 draw_format(ui->list, pitch > 34 ? "H%d" : "%d", h));
        ui_tooltip(ui, box,
                   draw_format(ui->list, "Head %d. Shift-click shows it beside the others", h));
        if (clicked && (ui->mods & KEY_MOD_SHIFT)) {
            session_post(session, "flow-heads %d", h);
        } else if (clicked) {
            session_post(session, "flow-heads one");
            session_post(session, "head %d", h);
        }
    }
}

static const char *subtitle(const FlowScene *s)
{
    static const char *const texts[FLOW_MODE_COUNT] = {
        "Each curve joins a query (left) to a key it reads (right), as wide as the weight.",
        "Each arc joins a query to a key it reads, as wide as the weight.",
        "What reaches the chosen token through all layers, by attention rollout.",
        "Tokens pull on those they read; the ones that read each other gather."};
    if (s->queries.block > 1 && s->options->mode < FLOW_LAYERS) {
        return draw_format(
            s->c->ui->list,
            "Bundles of %d × %d weights, as wide as their exact mass. Zoom in to open them.",
            s->queries.block, s->keys.block);
    }
    return texts[s->options->mode];
}

void flow_draw_title(FlowScene *s)
{
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    Rect row = s->title;
    float x =
        row.x +
        ui_label(ui, rect(row.x, row.y, row.w, 28),
                 &(UiLabel){.face = FONT_DISPLAY_SEMIBOLD, .size = 20, .color = ui->theme.text},
                 "Flow");
    bool layers = s->options->mode == FLOW_LAYERS;
    int32_t n = n_shown(s);
    const char *what =
        layers && !s->options->all_heads ? "All layers · all heads"
        : layers ? draw_format(ui->list, "All layers · %d head%s", n, n == 1 ? "" : "s")
        : n > 1  ? draw_format(ui->list, "Layer %d · %d heads", session->selection.layer, n)
                 : draw_format(ui->list, "Layer %d · Head %d", session->selection.layer,
                               session->selection.head);
    x += 16;
    x += ui_label(ui, rect(x, row.y + 1, row.x + row.w - x, 28),
                  &(UiLabel){.face = FONT_SANS, .size = 14}, what);
    head_chips(s, x + 24);
    float modes_w = 292;
    Rect modes = {row.x + row.w - modes_w, row.y + 38, modes_w, 30};
    ui_label(ui, rect(row.x, row.y + 42, modes.x - row.x - 24, 20),
             &(UiLabel){.face = FONT_SANS, .size = 13}, subtitle(s));
    int mode =
        ui_segmented(ui, UI_ID("flow-mode"), modes, mode_names, FLOW_MODE_COUNT, s->options->mode);
    if (mode != s->options->mode) {
        session_post(session, "flow %s", mode_args[mode]);
    }
}

/* ---- below ---- */

/* Where on its slider a value stands: thresholds on a log scale, counts from 1 to 32. */
static float place_of(const FlowOptions *o)
{
    switch (o->pick) {
    case FLOW_TOP_K:
        return log2f((float)flow_top_k(o)) / 5;
    case FLOW_THRESHOLD:
        return 1 + log10f(flow_threshold(o)) / 4;
    default:
        return flow_coverage(o);
    }
}

static void post_place(Session *session, int pick, float place)
{
    switch (pick) {
    case FLOW_TOP_K:
        session_post(session, "flow-strongest top %d", (int)roundf(exp2f(5 * place)));
        break;
    case FLOW_THRESHOLD:
        session_post(session, "flow-strongest threshold %.5f", pow(10, 4 * ((double)place - 1)));
        break;
    default:
        session_post(session, "flow-strongest coverage %.2f", (double)fmaxf(place, 0.01f));
    }
}

static float draw_choice(const FlowScene *s, Rect box)
{
    static const char *const names[] = {"Coverage", "Top-k", "Threshold"};
    static const char *const args[] = {"coverage", "top", "threshold"};
    static const char *const says[] = {"Strongest until", "Strongest", "Weights from"};
    Ui *ui = s->c->ui;
    const FlowOptions *o = s->options;
    Session *session = s->c->session;
    float segment_w = 226;
    ui_caps(ui, rect(box.x, box.y, segment_w, 16), "Show per query");
    int pick = ui_segmented(ui, UI_ID("flow-pick"), rect(box.x, box.y + 22, segment_w, 28), names,
                            FLOW_PICK_COUNT, o->pick);
    if (pick != o->pick) {
        session_post(session, "flow-strongest %s", args[pick]);
    }
    float x = box.x + segment_w + 24;
    float w = fminf(210, box.w - segment_w - 24);
    const char *value =
        o->pick == FLOW_COVERAGE ? draw_format(ui->list, "%.0f %%", 100 * (double)flow_coverage(o))
        : o->pick == FLOW_TOP_K  ? draw_format(ui->list, "%d", flow_top_k(o))
                                 : draw_format(ui->list, "%.3g", (double)flow_threshold(o));
    ui_label(ui, rect(x, box.y, w, 16), &(UiLabel){.face = FONT_SANS}, says[o->pick]);
    ui_label(
        ui, rect(x, box.y, w, 16),
        &(UiLabel){.face = FONT_MONO, .size = 13, .align = DRAW_RIGHT, .color = ui->theme.text},
        value);
    UiSliderResult r =
        ui_slider(ui, UI_ID("flow-slider"), rect(x, box.y + 24, w, 24),
                  &(UiSlider){.value = AS_CLAMP(place_of(o), 0.0f, 1.0f), .mark = -1});
    if (r.changed) {
        post_place(session, o->pick, r.value);
    }
    return segment_w + 24 + w;
}

static float chip_toggle(const FlowScene *s, float x, float y, const char *text, bool on,
                         const char *command, const char *tip)
{
    Ui *ui = s->c->ui;
    float w = ui_text_width(ui, FONT_SANS_MEDIUM, 11, text) + 24;
    Rect box = {x, y, w, 22};
    if (ui_chip_button(ui, ui_id(command, 0), box,
                       &(UiChip){.text = text,
                                 .color = on ? ui->theme.accent : ui->theme.edge2,
                                 .chosen = on,
                                 .size = 11})) {
        session_post(s->c->session, "%s", command);
    }
    ui_tooltip(ui, box, tip);
    return x + w + 8;
}

static void draw_toggles(const FlowScene *s, float x, float y)
{
    const FlowOptions *o = s->options;
    const TraceInfo *info = trace_info(s->c->session->trace);
    if (info->has_values) {
        x = chip_toggle(s, x, y, "w · ‖v‖", o->by_value, "flow-value",
                        "Weights times the length of the value that they carry");
    }
    if (o->mode == FLOW_GRAPH) {
        static const char *const sizes[] = {"Size: received", "Size: given", "Size: both"};
        x = chip_toggle(s, x, y, sizes[o->node], o->node != FLOW_RECEIVED, "flow-nodes",
                        "What the size of a node means");
        x = chip_toggle(s, x, y, "Rearrange", false, "flow-seed",
                        "Another arrangement of the same graph");
        if (o->n_held > 0) {
            chip_toggle(s, x, y, "Let go", false, "flow-hold", "Nodes that were put somewhere");
        }
        return;
    }
    x = chip_toggle(s, x, y, o->arrows ? "Query → key" : "Key → query", o->arrows, "flow-arrows",
                    "What runs: the values that are read, or the queries that match");
    if (n_shown(s) > 1) {
        chip_toggle(s, x, y, "Bundled", o->bundled, "flow-bundle",
                    "Several heads as one curve for each pair of tokens");
    }
}

/* The keys of the selected query by rank, summed up, with the cut. */
static void draw_ranks(const FlowScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    const FlowMap *map = s->map;
    int32_t row = s->c->session->selection.query / s->queries.block;
    int32_t r = row - map->key.row0 / map->key.row_block;
    ui_label(ui, rect(box.x, box.y, 110, 16), &(UiLabel){.face = FONT_SANS}, "Mass by rank");
    if (r < 0 || r >= map->n_rows) {
        ui_label(ui, rect(box.x, box.y + 20, 110, 16),
                 &(UiLabel){.face = FONT_SANS, .color = t->text3}, "out of view");
        return;
    }
    ui_label(ui, rect(box.x, box.y + 20, 100, 16), &(UiLabel){.face = FONT_SANS, .color = t->text3},
             draw_format(ui->list, map->key.row_block > 1 ? "%s" : "query “%s”",
                         flow_block_label(s, row, false)));
    size_t at = (size_t)s->slot * (size_t)map->n_rows + (size_t)r;
    const FlowTop *top = map->top + at * (size_t)map->n_top;
    double mass = map->row_mass[at];
    int32_t taken =
        flow_take(top, map->n_top, mass, map->n_queries[r], s->options, map->key.by_value);
    ui_label(ui, rect(box.x, box.y + 40, 100, 16), &(UiLabel){.face = FONT_MONO, .color = t->text},
             draw_format(ui->list, "%d of %d", taken, map->n_pairs[at]));
    int32_t n = AS_MIN(AS_MIN(map->n_pairs[at], map->n_top), 12);
    Rect plot = {box.x + 104, box.y, 12 * 9, 64};
    double sum = 0;
    for (int32_t k = 0; k < n && mass > 0; k++) {
        sum += (double)top[k].mass;
        float h = plot.h * (float)AS_MIN(sum / mass, 1);
        draw_rect(ui->list, &(DrawRect){.box = {plot.x + 9 * (float)k, plot.y + plot.h - h, 7, h},
                                        .radius = fminf(2, h / 2),
                                        .fill = k < taken ? flow_head_color(s, s->slot)
                                                          : color_mix(t->card, t->text3, 0.45f)});
    }
    if (s->options->pick == FLOW_COVERAGE) {
        float y = ui_snap(ui, plot.y + plot.h * (1 - flow_coverage(s->options)));
        draw_line(ui->list, &(DrawLine){.a = {plot.x - 4, y},
                                        .b = {plot.x + plot.w, y},
                                        .width = 1,
                                        .color = t->text2,
                                        .dash_on = 3,
                                        .dash_off = 3});
    }
}

static void draw_counts(const FlowScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const FlowEdges *e = s->edges;
    bool bundles = s->queries.block > 1 || s->keys.block > 1;
    const char *what = bundles ? "bundles" : "connections";
    UiLabel strong = {.face = FONT_MONO, .color = ui->theme.text};
    double share = e->mass > 0 ? 100 * e->shown / e->mass : 0;
    int64_t weaker = e->n_pairs - e->n;
    bool pairs = s->options->bundled && s->map->n_heads > 1;
    ui_label(ui, rect(box.x, box.y, box.w, 16), &strong,
             pairs ? draw_format(ui->list, "%d pairs of tokens", e->n)
                   : draw_format(ui->list, "%d of %lld %s", e->n - e->n_outside,
                                 (long long)e->n_pairs, what));
    ui_label(ui, rect(box.x, box.y + 22, box.w, 16), &strong,
             draw_format(ui->list, "carry %.1f %% of the %smass", share,
                         s->options->by_value ? "value-weighted " : ""));
    const char *rest = s->options->mode == FLOW_GRAPH ? "not drawn" : "as a haze";
    ui_label(ui, rect(box.x, box.y + 44, box.w, 16),
             &(UiLabel){.face = FONT_SANS, .color = ui->theme.text3},
             pairs ? draw_format(ui->list, "of %lld weights in %d heads", (long long)e->n_pairs,
                                 s->map->n_heads)
             : e->n_outside ? "keys out of view in bundles"
             : e->cut       ? draw_format(ui->list, "the %d strongest a query; the rest %s",
                                          (int)FLOW_ROW_MOST, rest)
                      : draw_format(ui->list, "%lld weaker ones %s", (long long)weaker, rest));
    const TraceInfo *info = trace_info(s->c->session->trace);
    const FlowMap *m = s->map;
    const char *scope = "";
    if (m->key.row1 - m->key.row0 < info->n_queries) {
        scope = draw_format(ui->list, "of queries %d–%d", m->key.row0, m->key.row1 - 1);
    } else if (m->by_summary) {
        scope = "summed from the summary, exact";
    }
    if (!s->exact) {
        scope = session_flow_error(s->c->session)->code ? session_flow_error(s->c->session)->message
                                                        : "the strongest are being found …";
    }
    ui_label(ui, rect(box.x, box.y + 64, box.w, 16),
             &(UiLabel){.face = FONT_SANS,
                        .size = 11,
                        .color = s->exact ? ui->theme.text3 : ui->theme.accent},
             scope);
}

static void draw_legend(const FlowScene *s, Rect box)
{
    static const float weights[] = {0.1f, 0.25f, 0.5f, 1};
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    Color c = flow_head_color(s, s->slot);
    ui_label(ui, rect(box.x, box.y, box.w, 16), &(UiLabel){.face = FONT_SANS},
             draw_format(ui->list, "Width 8·w px × %.3g, opacity 0.3 + 0.6·w", (double)(s->k / 8)));
    float pitch = fminf(58, (box.w - 110) / 4);
    for (size_t i = 0; i < AS_COUNT(weights); i++) {
        float x = box.x + pitch * (float)i;
        float w = fmaxf(s->k * weights[i], 1);
        draw_rect(ui->list, &(DrawRect){.box = {x, box.y + 36 - w / 2, pitch - 16, w},
                                        .fill = color_with_alpha(c, 0.3f + 0.6f * weights[i])});
        ui_label(ui, rect(x, box.y + 50, pitch - 16, 16),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_CENTER, .color = t->text3},
                 draw_format(ui->list, "%g", (double)weights[i]));
    }
    float x = box.x + 4 * pitch + 4;
    draw_circle(ui->list, &(DrawCircle){.center = {x + 4, box.y + 36},
                                        .radius = 0.5f,
                                        .soft = 9,
                                        .fill = color_with_alpha(c, 0.8f)});
    draw_circle(ui->list, &(DrawCircle){.center = {x + 4, box.y + 36},
                                        .radius = 2.6f,
                                        .fill = t->dark ? t->text : c});
    const char *first = s->options->arrows ? "matching runs" : "value runs";
    const char *second = s->options->arrows ? "query → key" : "key → query";
    ui_label(ui, rect(x + 18, box.y + 20, 92, 16), &(UiLabel){.face = FONT_SANS, .size = 11},
             first);
    ui_label(ui, rect(x + 18, box.y + 34, 92, 16), &(UiLabel){.face = FONT_SANS, .size = 11},
             second);
}

/* Through the layers nothing is chosen: all that is wider than a hair is drawn. */
static void draw_layers_strip(const FlowScene *s, Rect in)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    const FlowOptions *o = s->options;
    ui_caps(ui, rect(in.x, in.y, 260, 16), "Rollout through");
    float x = chip_toggle(s, in.x, in.y + 26, "All heads", !o->all_heads, "flow-paths",
                          "The mean of all heads, or of those that are shown");
    const TraceLayer *layer = trace_layer(s->c->session->trace, 0);
    if (layer && layer->causal) {
        chip_toggle(s, x, in.y + 26, "Without first token", !o->with_first, "flow-first",
                    "Heads with nothing to read rest on the first token, and rollout would end "
                    "there. Left out, the rest of each row is scaled to sum to 1");
    }
    Rect words = {in.x + 290, in.y, in.w - 290 - 250, in.h};
    ui_hairline_v(ui, words.x - 20, in.y, in.h - 4);
    ui_paragraph(ui, words, &(UiLabel){.face = FONT_SANS, .size = 12}, 19, s->note ? s->note : "");
    Rect legend = {in.x + in.w - 220, in.y, 220, in.h};
    ui_hairline_v(ui, legend.x - 20, in.y, in.h - 4);
    static const char *const names[] = {"stays with its token", "read by attention",
                                        "the path that carries most"};
    const Color colors[] = {color_with_alpha(t->text3, 0.5f), token_color(s->c, 1),
                            t->dark ? color_hex(0xB4D934) : t->accent};
    for (int i = 0; i < 3; i++) {
        float y = legend.y + 10 + 24 * (float)i;
        draw_rect(ui->list, &(DrawRect){.box = {legend.x, y - (i == 2 ? 2 : 4), 34, i == 2 ? 4 : 8},
                                        .radius = 1,
                                        .fill = colors[i]});
        ui_label(ui, rect(legend.x + 46, y - 9, legend.w - 46, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 12}, names[i]);
    }
}

void flow_draw_strip(FlowScene *s)
{
    Ui *ui = s->c->ui;
    ui_card(ui, s->strip);
    Rect in = {s->strip.x + 20, s->strip.y + 16, s->strip.w - 40, s->strip.h - 28};
    if (s->options->mode == FLOW_LAYERS) {
        draw_layers_strip(s, in);
        return;
    }
    float wide = in.w;
    Rect choice = {in.x, in.y, wide < 900 ? 400 : 460, in.h};
    float x = in.x + draw_choice(s, choice);
    draw_toggles(s, in.x, in.y + 60);
    if (!s->edges) {
        return;
    }
    bool ranks = wide > 900;
    bool legend = wide > 1180;
    if (ranks) {
        ui_hairline_v(ui, x + 20, in.y, in.h - 4);
        draw_ranks(s, rect(x + 41, in.y, 212, in.h));
        x += 41 + 212;
    }
    ui_hairline_v(ui, x + 20, in.y, in.h - 4);
    float end = in.x + in.w;
    float counts_w = legend ? 215 : end - x - 41;
    draw_counts(s, rect(x + 41, in.y, counts_w, in.h));
    x += 41 + counts_w;
    if (legend) {
        ui_hairline_v(ui, x + 14, in.y, in.h - 4);
        draw_legend(s, rect(x + 35, in.y, end - x - 35, in.h));
    }
}
