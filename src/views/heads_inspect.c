/* The inspector of the Heads view: what the heads of this text do, counted. */
#include "views/heads.h"

#include <math.h>
#include <string.h>

#include "views/inspector.h"
#include "views/internal.h"

enum { CHART_H = 96, CHART_AXIS_H = 22, SET_H = 24 };

/* What is counted, once a frame. */
typedef struct Tally {
    const HeadsScene *s;
    const TraceInfo *info;
    int32_t counts[HEADS_FILTER_COUNT];
    int order[HEADS_FILTER_COUNT]; /* labels that have heads, in the order of the table */
    int n;
    int most; /* the label with most heads; 0 = none yet */
    int32_t scored;
} Tally;

static Tally tally_of(const HeadsScene *s)
{
    Tally t = {.s = s, .info = trace_info(s->c->session->trace)};
    for (int32_t layer = 0; layer < t.info->n_layers; layer++) {
        for (int32_t head = 0; head < t.info->n_heads; head++) {
            const SurveyHead *h = heads_scored(s, layer, head);
            if (h) {
                t.counts[heads_label(h)]++;
                t.scored++;
            }
        }
    }
    for (int label = 1; label < HEADS_FILTER_COUNT; label++) {
        if (t.counts[label] > 0) {
            t.order[t.n++] = label;
            bool named = label != HEADS_MIXED;
            t.most = named && t.counts[label] > t.counts[t.most] ? label : t.most;
        }
    }
    return t;
}

/* ---- how many heads follow each pattern ---- */

static float draw_counts(ViewContext *c, Rect box, const void *payload)
{
    const Tally *tally = payload;
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    float row = inspector_pitch(c).row;
    int32_t most = 1;
    for (int i = 0; i < tally->n; i++) {
        most = AS_MAX(most, tally->counts[tally->order[i]]);
    }
    float name_w = floorf(box.w * 0.32f);
    float value_w = ui_text_width(ui, FONT_MONO, 12, "0000");
    for (int i = 0; i < tally->n; i++) {
        int label = tally->order[i];
        Rect line = {box.x, box.y + row * (float)i, box.w, row};
        bool on = c->session->options.heads.filter == label;
        bool hot;
        if (ui_click(ui, ui_id("heads-count", label), line, false, &hot, NULL)) {
            session_post(c->session, "filter %s", on ? "all" : heads_filter_name(label));
        }
        Color text = on || hot ? t->text : t->text2;
        ui_label(ui, rect(line.x, line.y, name_w, row), &(UiLabel){.color = text},
                 heads_label_name(label));
        float x = line.x + name_w + 6;
        ui_bar(ui, rect(x, line.y + row / 2 - 4, line.x + line.w - value_w - 8 - x, 8),
               (float)tally->counts[label] / (float)most, heads_label_color(ui, label));
        ui_label(ui, rect(line.x + line.w - value_w, line.y, value_w, row),
                 &(UiLabel){.face = FONT_MONO, .size = 12, .align = DRAW_RIGHT, .color = text},
                 draw_format(ui->list, "%d", tally->counts[label]));
        ui_tooltip(ui, line,
                   on ? "a click shows all heads again" : "a click shows these heads only");
    }
    return row * (float)tally->n;
}

/* ---- the same layer by layer ---- */

/* Heads of one layer as a column, from the top in the order of the patterns. */
static void draw_layer(const Tally *tally, Rect column, int32_t layer)
{
    Ui *ui = tally->s->c->ui;
    float unit = column.h / (float)tally->info->n_heads;
    float gap = unit >= 4 ? 1 : 0;
    float y = column.y;
    for (int i = 0; i < tally->n; i++) {
        int label = tally->order[i];
        int32_t n = 0;
        for (int32_t head = 0; head < tally->info->n_heads; head++) {
            const SurveyHead *h = heads_scored(tally->s, layer, head);
            n += h && heads_label(h) == label;
        }
        if (n == 0) {
            continue;
        }
        float h = unit * (float)n;
        Color color = heads_label_color(ui, label);
        draw_rect(
            ui->list,
            &(DrawRect){.box = {column.x, y, column.w, fmaxf(h - gap, 0.5f)},
                        .radius = gap,
                        .fill = label == HEADS_MIXED ? color_with_alpha(color, 0.55f) : color});
        y += h;
    }
}

static float draw_by_layer(ViewContext *c, Rect box, const void *payload)
{
    const Tally *tally = payload;
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    int32_t n = tally->info->n_layers;
    float pitch = fminf(box.w / (float)n, 28);
    float gap = pitch >= 5 ? 1.5f : pitch >= 3 ? 0.5f : 0;
    Rect area = {box.x, box.y + 4, pitch * (float)n, CHART_H};
    for (int32_t layer = 0; layer < n; layer++) {
        Rect column = {area.x + pitch * (float)layer, area.y, pitch - gap, area.h};
        draw_layer(tally, column, layer);
        Rect hit = {column.x, area.y, pitch, area.h + CHART_AXIS_H};
        if (ui_click(ui, ui_id("heads-layer", layer), hit, false, NULL, NULL)) {
            session_post(c->session, "layer %d", layer);
        }
        ui_tooltip(ui, hit, draw_format(ui->list, "layer %d", layer));
    }
    float chosen = area.x + pitch * (float)c->session->selection.layer;
    draw_rect(ui->list, &(DrawRect){.box = {chosen - 2, area.y - 2, pitch - gap + 4, area.h + 4},
                                    .radius = 3,
                                    .border = 1.5f,
                                    .border_color = t->text});
    int32_t step = n > 12 ? (n - 1) / 3 >= 10 ? (n - 1) / 30 * 10 : 5 : n > 6 ? 2 : 1;
    UiLabel small = {.face = FONT_MONO, .size = 11, .align = DRAW_CENTER, .color = t->text3};
    for (int32_t layer = 0; layer < n; layer += step) {
        bool near_end = n - 1 - layer < step && layer != n - 1 && n > 12;
        if (!near_end || (float)(n - 1 - layer) * pitch > 26) {
            float x = area.x + pitch * (float)layer + (pitch - gap) / 2;
            x = AS_CLAMP(x, box.x + 7, box.x + box.w - 10);
            ui_label(ui, rect(x - 15, area.y + area.h + 4, 30, 16), &small,
                     draw_format(ui->list, "%d", layer));
        }
    }
    if (n > 12 && (n - 1) % step != 0) {
        float x = AS_MIN(area.x + pitch * ((float)n - 0.5f), box.x + box.w - 8);
        ui_label(ui, rect(x - 15, area.y + area.h + 4, 30, 16), &small,
                 draw_format(ui->list, "%d", n - 1));
    }
    return CHART_H + CHART_AXIS_H + 8;
}

/* ---- legend, words, limits, set ---- */

static float draw_legend(ViewContext *c, Rect box, const void *payload)
{
    const Tally *tally = payload;
    ui_legend(c->ui, rect(box.x, box.y + 2, box.w, 32), weight_map(c->ui), tally->s->scale);
    const HeadGrid *grid = &tally->s->view->grid;
    if (grid->rows > 0) {
        ui_label(c->ui, rect(box.x, box.y + 36, box.w, 18), &(UiLabel){.size = 11},
                 draw_format(c->ui->list, "small pictures: %s",
                             head_grid_says(grid, c, tally->s->view->tile_px, "max")));
    }
    return 58;
}

static const char *words(const Tally *tally)
{
    DrawList *list = tally->s->c->ui->list;
    if (tally->scored == 0) {
        return "Heads are counted as soon as their layers are scored.";
    }
    const char *hypothesis = "A label is the score furthest above its limit: a hypothesis about "
                             "this text, not a finding about the model.";
    if (tally->most == 0) {
        return draw_format(list, "No head scores above a limit on this text. %s", hypothesis);
    }
    const PatternText *text = pattern_text((Pattern)(tally->most - 1));
    int32_t n = tally->counts[tally->most];
    int32_t mixed = tally->counts[HEADS_MIXED];
    switch (tally->s->c->session->options.level) {
    case LEVEL_SIMPLE:
        return draw_format(list, "%d of %d heads do the same kind of thing here. %s", n,
                           tally->scored, text->what);
    case LEVEL_STUDENT:
        return draw_format(list, "%d of %d heads are called “%s”, more than any other. %s %s", n,
                           tally->scored, text->name, text->what, hypothesis);
    default:
        return draw_format(list,
                           "“%s” (%s) above %.2f: %d of %d heads; %d above no limit. Scores are "
                           "exact sums of weights over the named cells, mean over queries. %s",
                           text->name, text->cells, (double)text->limit, n, tally->scored, mixed,
                           hypothesis);
    }
}

static float draw_words(ViewContext *c, Rect box, const void *payload)
{
    return inspector_words(c, box, words(payload));
}

static float draw_limits(ViewContext *c, Rect box, const void *payload)
{
    (void)payload;
    float row = inspector_pitch(c).row;
    for (int p = 0; p < PATTERN_COUNT; p++) {
        const PatternText *text = pattern_text((Pattern)p);
        Rect line = {box.x, box.y + row * (float)p, box.w, row};
        float name_w = floorf(box.w * 0.32f);
        float value_w = ui_text_width(c->ui, FONT_MONO, 12, "> 0.00");
        ui_label(c->ui, rect(line.x, line.y, name_w, row), &(UiLabel){0}, text->title);
        ui_label(c->ui, rect(line.x + name_w + 6, line.y, line.w - name_w - value_w - 14, row),
                 &(UiLabel){.size = 11, .color = c->ui->theme.text3}, text->cells);
        ui_label(
            c->ui, rect(line.x + line.w - value_w, line.y, value_w, row),
            &(UiLabel){
                .face = FONT_MONO, .size = 12, .align = DRAW_RIGHT, .color = c->ui->theme.text},
            draw_format(c->ui->list, "> %.2f", (double)text->limit));
    }
    return row * (float)PATTERN_COUNT;
}

/* Lines that the set's heads take, or draws them. */
static int lay_set(ViewContext *c, Rect box, bool draw)
{
    const HeadSet *set = &c->session->selection.set;
    Ui *ui = c->ui;
    float x = box.x;
    int line = 0;
    for (int32_t i = 0; i < set->n; i++) {
        const char *name =
            draw_format(ui->list, "L%d H%d", set->heads[i].layer, set->heads[i].head);
        float w = ui_text_width(ui, FONT_MONO, 11, name) + 20;
        if (x + w > box.x + box.w && x > box.x) {
            x = box.x;
            line++;
        }
        if (draw) {
            Rect chip = {x, box.y + (float)(line * SET_H), w, SET_H - 4};
            if (ui_click(ui, ui_id("heads-set", i), chip, false, NULL, NULL)) {
                session_post(c->session, "set toggle %d.%d", set->heads[i].layer,
                             set->heads[i].head);
            }
            ui_tooltip(ui, chip, "a click takes it out of the set");
            draw_rect(ui->list, &(DrawRect){.box = chip,
                                            .radius = 6,
                                            .fill = ui->theme.raised,
                                            .border = 1,
                                            .border_color = color_head(set->heads[i].head)});
            ui_label(
                ui, chip,
                &(UiLabel){
                    .face = FONT_MONO, .size = 11, .align = DRAW_CENTER, .color = ui->theme.text},
                name);
        }
        x += w + 6;
    }
    return set->n > 0 ? line + 1 : 0;
}

static const char SET_HINT[] = "Shift and a click on heads chooses several: they stand side by "
                               "side here, and the Matrix shows their mean, maximum or owner.";

static float draw_set(ViewContext *c, Rect box, const void *payload)
{
    (void)payload;
    if (c->session->selection.set.n == 0) {
        return ui_paragraph(c->ui, box, &(UiLabel){.size = 12}, 18, SET_HINT);
    }
    return (float)(lay_set(c, box, true) * SET_H);
}

static float set_height(ViewContext *c, float width)
{
    if (c->session->selection.set.n == 0) {
        return ui_paragraph_height(c->ui, width, &(UiLabel){.size = 12}, 18, SET_HINT) + 6;
    }
    return (float)(lay_set(c, rect(0, 0, width, 0), false) * SET_H) + 6;
}

/* ---- the whole ---- */

void heads_inspect(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    HeadsScene s = {.c = c,
                    .view = &c->views->heads,
                    .options = &c->session->options.heads,
                    .survey = session_survey(c->session),
                    .scale = head_grid_scale(c->session)};
    Tally tally = tally_of(&s);
    InspectorPitch pitch = inspector_pitch(c);
    const HeadSet *set = &c->session->selection.set;
    int32_t all = tally.info->n_layers * tally.info->n_heads;
    ui_label(ui, rect(box.x, box.y, box.w, 24),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = ui->theme.text},
             tally.scored < all
                 ? draw_format(ui->list, "This text, %d of %d heads", tally.scored, all)
                 : draw_format(ui->list, "This text, %d %s", all, all == 1 ? "head" : "heads"));
    static const char *const combined[] = {"one is shown", "mean", "max", "owner"};
    const InspectorPart parts[] = {
        {FOLD_COUNTS, "counts", "Patterns", "heads", pitch.row * (float)tally.n + 8, draw_counts},
        {FOLD_LAYERS, "layers", "By layer",
         draw_format(ui->list, "%d heads each", tally.info->n_heads), CHART_H + CHART_AXIS_H + 12,
         draw_by_layer},
        {FOLD_LEGEND, "legend", s.scale.kind == SCALE_LOG ? "Weight, log scale" : "Weight, √ scale",
         NULL, 64, draw_legend},
        {FOLD_WORDS, "words", "In words", NULL, inspector_words_height(c, box.w, words(&tally)),
         draw_words},
        {FOLD_SET, "set", "Head sets",
         set->n ? draw_format(ui->list, "%d, %s", set->n, combined[c->session->selection.combine])
                : "none",
         set_height(c, box.w), draw_set},
        {FOLD_LIMITS, "limits", "Limits of the labels", "set by hand",
         pitch.row * (float)PATTERN_COUNT + 8, draw_limits},
    };
    inspector_parts(c, rect(box.x, box.y + 34, box.w, box.h - 34), parts, AS_COUNT(parts), &tally);
}
