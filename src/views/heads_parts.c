#include "views/heads.h"
#include "views/internal.h"

#include <math.h>
#include <string.h>

/* Filters and the best example of each pattern. */

const SurveyHead *heads_scored(const HeadsScene *s, int32_t layer, int32_t head)
{
    const Survey *v = s->survey;
    return v && layer < v->layers_scored
               ? &v->heads[layer * trace_info(s->c->session->trace)->n_heads + head]
               : NULL;
}

int heads_label(const SurveyHead *head)
{
    return head->scores.best >= 0 ? 1 + head->scores.best : HEADS_MIXED;
}

const char *heads_label_name(int label)
{
    return label == HEADS_ALL     ? "All"
           : label == HEADS_MIXED ? "Mixed"
                                  : pattern_text((Pattern)(label - 1))->title;
}

Color heads_label_color(const Ui *ui, int label)
{
    return label == HEADS_ALL     ? ui->theme.accent
           : label == HEADS_MIXED ? ui->theme.text3
                                  : pattern_color((Pattern)(label - 1));
}

/* ---- filters ---- */

float heads_score(int filter, const SurveyHead *head)
{
    int label = filter == HEADS_ALL ? heads_label(head) : filter;
    if (label != HEADS_MIXED) {
        return head->scores.score[label - 1];
    }
    float most = 0;
    for (int p = 0; p < PATTERN_COUNT; p++) {
        most = head->scores.known[p] ? fmaxf(most, head->scores.score[p]) : most;
    }
    return most;
}

/* With a threshold a pattern's score counts whatever the label says. */
static bool is_counted(const HeadsScene *s, const SurveyHead *h, int label)
{
    float least = s->options->least;
    if (!h) {
        return label == HEADS_ALL && least <= 0;
    }
    bool labelled = label == HEADS_ALL || heads_label(h) == label;
    if (least <= 0) {
        return labelled;
    }
    bool pattern = label != HEADS_ALL && label != HEADS_MIXED;
    return (pattern ? h->scores.known[label - 1] : labelled) && heads_score(label, h) >= least;
}

bool heads_match(const HeadsScene *s, const SurveyHead *head)
{
    return is_counted(s, head, s->options->filter);
}

/* Heads that the filter for a label lets through, or those that have the label. */
static int32_t count(const HeadsScene *s, int label, bool by_label)
{
    const TraceInfo *info = trace_info(s->c->session->trace);
    int32_t n = 0;
    for (int32_t layer = 0; layer < info->n_layers; layer++) {
        for (int32_t head = 0; head < info->n_heads; head++) {
            const SurveyHead *h = heads_scored(s, layer, head);
            n += by_label ? h && heads_label(h) == label : is_counted(s, h, label);
        }
    }
    return n;
}

static int32_t count_of(const HeadsScene *s, int label)
{
    return count(s, label, false);
}

static int32_t n_labelled(const HeadsScene *s, int label)
{
    return count(s, label, true);
}

/* All, the patterns that have heads in the order of the table, mixed, then those that have none. */
static int order_labels(const HeadsScene *s, int order[HEADS_FILTER_COUNT])
{
    int n = 0;
    order[n++] = HEADS_ALL;
    for (int pass = 0; pass < 2; pass++) {
        for (int label = 1; label < HEADS_FILTER_COUNT; label++) {
            bool has = label == HEADS_MIXED || n_labelled(s, label) > 0;
            if (has == (pass == 0)) {
                order[n++] = label;
            }
        }
    }
    return n;
}

static const char *label_tip(const HeadsScene *s, int label)
{
    const PatternText *text = pattern_text((Pattern)(label - 1));
    return draw_format(s->c->ui->list,
                       "%s %s Counted are heads whose %s score (%s) is above %.2f and furthest "
                       "above its limit: a hypothesis about this text.",
                       text->what, text->why, text->name, text->cells, (double)text->limit);
}

static float filter_width(const HeadsScene *s, int label, float *name_w, float *count_w)
{
    Ui *ui = s->c->ui;
    *name_w = ui_text_width(ui, FONT_SANS_MEDIUM, 12, heads_label_name(label));
    *count_w = ui_text_width(ui, FONT_MONO, 11, draw_format(ui->list, "%d", count_of(s, label)));
    return ceilf(*name_w + *count_w) + 46;
}

int heads_filter_lines(const HeadsScene *s, float width)
{
    int order[HEADS_FILTER_COUNT];
    int n_labels = order_labels(s, order);
    int lines = 1;
    float x = 0;
    for (int at = 0; at < n_labels; at++) {
        float name_w;
        float count_w;
        float w = filter_width(s, order[at], &name_w, &count_w);
        if (x + w > width && x > 0) {
            x = 0;
            lines++;
        }
        x += w + 8;
    }
    return lines;
}

float heads_draw_filters(HeadsScene *s)
{
    Ui *ui = s->c->ui;
    Rect row = s->layout.filters;
    row.h = FILTER_H;
    float x = row.x;
    int order[HEADS_FILTER_COUNT];
    int n_labels = order_labels(s, order);
    for (int at = 0; at < n_labels; at++) {
        int label = order[at];
        const char *name = heads_label_name(label);
        const char *count = draw_format(ui->list, "%d", count_of(s, label));
        float name_w;
        float count_w;
        float w = filter_width(s, label, &name_w, &count_w);
        if (x + w > row.x + row.w && x > row.x) {
            x = row.x;
            row.y += row.h + FILTER_GAP;
        }
        Rect box = {x, row.y, w, row.h};
        bool chosen = s->options->filter == label;
        bool hot;
        if (ui_click(ui, ui_id("heads-filter", label), box, true, &hot, NULL)) {
            session_post(s->c->session, "filter %s", chosen ? "all" : heads_filter_name(label));
        }
        const Theme *t = &ui->theme;
        draw_rect(ui->list, &(DrawRect){.box = box,
                                        .radius = row.h / 2,
                                        .fill = chosen ? t->accent_tint
                                                : hot  ? t->raised_hot
                                                       : t->card,
                                        .border = 1,
                                        .border_color = chosen ? t->accent : t->edge});
        draw_circle(ui->list, &(DrawCircle){.center = {x + 15, row.y + row.h / 2},
                                            .radius = 4,
                                            .fill = heads_label_color(ui, label)});
        ui_label(ui, rect(x + 26, row.y, name_w + 1, row.h),
                 &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 12, .color = t->text}, name);
        ui_label(ui, rect(x + 34 + name_w, row.y, count_w + 1, row.h),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text2}, count);
        if (label > HEADS_ALL && label < HEADS_MIXED) {
            ui_tooltip(ui, box, label_tip(s, label));
        }
        x += w + 8;
    }
    return x - 8;
}

/* ---- a small picture with room for words beside it ---- */

HeadsText heads_draw_small(HeadsScene *s, Rect card, HeadPicture *p, const HeadsSmall *small)
{
    Ui *ui = s->c->ui;
    float side = fminf(card.h - 32, card.w - 116);
    Rect picture = {card.x + 16, card.y + (card.h - side) / 2, side, side};
    if (p && head_picture_read(p, s->c->session, small->layer, small->head, small->slot)) {
        head_picture_draw(p, s->c, picture, s->scale);
    } else {
        draw_rect(ui->list, &(DrawRect){.box = picture, .fill = head_grid_masked(ui)});
    }
    draw_rect(ui->list, &(DrawRect){.box = rect_inset(picture, -1),
                                    .radius = 3,
                                    .border = 1,
                                    .border_color = color_mix(ui->theme.card, small->color, 0.7f)});
    float x = picture.x + side + 14;
    return (HeadsText){.x = x,
                       .y = picture.y + fmaxf(0, (side - 100) / 2) - (side < 100 ? 6 : 2),
                       .w = card.x + card.w - 10 - x};
}

/* ---- best examples ---- */

static bool best_of(const HeadsScene *s, Pattern pattern, int32_t *layer, int32_t *head)
{
    const TraceInfo *info = trace_info(s->c->session->trace);
    float most = 0;
    for (int32_t l = 0; l < info->n_layers; l++) {
        for (int32_t h = 0; h < info->n_heads; h++) {
            const SurveyHead *one = heads_scored(s, l, h);
            if (one && heads_label(one) == 1 + (int)pattern && one->scores.score[pattern] > most) {
                most = one->scores.score[pattern];
                *layer = l;
                *head = h;
            }
        }
    }
    return most > 0;
}

/* Words alone: an empty picture would look like a head that does nothing. */
static void draw_no_example(HeadsScene *s, Rect card, Pattern pattern)
{
    Ui *ui = s->c->ui;
    bool known =
        s->survey->repeats_known || (pattern != PATTERN_INDUCTION && pattern != PATTERN_DUPLICATE);
    Rect in = rect_inset(card, 16);
    ui_label(ui, rect(in.x, in.y, in.w, 18),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD,
                        .size = 12,
                        .color = color_as_text(ui, pattern_color(pattern))},
             heads_label_name(1 + (int)pattern));
    ui_paragraph(ui, rect(in.x, in.y + 22, in.w, in.h - 22),
                 &(UiLabel){.face = FONT_SANS, .size = 11}, 16,
                 known ? draw_format(ui->list, "No head here: none scores above its limit of %.2g.",
                                     (double)pattern_limit(pattern))
                       : "Not scored: the text is too long.");
}

static void draw_example(HeadsScene *s, Rect card, Pattern pattern)
{
    Ui *ui = s->c->ui;
    Color color = color_as_text(ui, pattern_color(pattern));
    int32_t layer = 0;
    int32_t head = 0;
    bool found = best_of(s, pattern, &layer, &head);
    bool done = s->survey && s->survey->layers_scored == s->survey->n_layers;
    ui_card(ui, card);
    if (!found && done) {
        draw_no_example(s, card, pattern);
        return;
    }
    HeadsText text =
        heads_draw_small(s, card, found ? &s->view->best[pattern] : NULL,
                         &(HeadsSmall){layer, head, .slot = 8 + (uint64_t)pattern, .color = color});
    float x = text.x;
    float y = text.y;
    float w = text.w;
    ui_label(ui, rect(x, y, w, 18),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 12, .color = color},
             heads_label_name(1 + (int)pattern));
    UiLabel small = {.face = FONT_SANS, .size = 11};
    if (!found) {
        ui_paragraph(ui, rect(x, y + 20, w, 60), &small, 16, "looking …");
        return;
    }
    const SurveyHead *h = heads_scored(s, layer, head);
    ui_label(ui, rect(x, y + 20, w, 18), &(UiLabel){.face = FONT_MONO, .size = 12},
             draw_format(ui->list, "L%d H%d", layer, head));
    ui_label(ui, rect(x, y + 40, w, 26),
             &(UiLabel){.face = FONT_MONO, .size = 20, .color = ui->theme.text},
             draw_format(ui->list, "%.2f", (double)h->scores.score[pattern]));
    int32_t n = n_labelled(s, 1 + (int)pattern);
    ui_label(ui, rect(x, y + 68, w, 16), &small, "best of");
    ui_label(ui, rect(x, y + 83, w, 16), &small,
             draw_format(ui->list, "%d %s", n, n == 1 ? "head" : "heads"));
    bool hot;
    if (ui_click(ui, ui_id("heads-best", pattern), card, true, &hot, NULL)) {
        open_head(s->c->session, layer, head);
    }
    if (hot) {
        draw_rect(
            ui->list,
            &(DrawRect){.box = card, .radius = 12, .border = 1, .border_color = ui->theme.edge2});
    }
}

void heads_draw_best(HeadsScene *s)
{
    Rect row = s->layout.best;
    float gap = row.h >= 140 ? 24 : 12;
    if (rect_is_empty(row)) {
        return;
    }
    int n = AS_CLAMP((int)((row.w + gap) / (205 + gap)), 1, (int)PATTERN_COUNT);
    float w = floorf((row.w - gap * (float)(n - 1)) / (float)n);
    int order[HEADS_FILTER_COUNT];
    int n_labels = order_labels(s, order);
    int placed = 0;
    for (int at = 1; at < n_labels; at++) { /* what is filtered for comes first */
        if (order[at] == s->options->filter) {
            memmove(&order[1], &order[0], (size_t)at * sizeof order[0]);
            order[0] = s->options->filter;
            break;
        }
    }
    for (int at = 0; at < n_labels && placed < n; at++) {
        if (order[at] != HEADS_ALL && order[at] != HEADS_MIXED) {
            Rect card = {row.x + (float)placed * (w + gap), row.y, w, row.h};
            draw_example(s, card, (Pattern)(order[at] - 1));
            ui_tooltip(s->c->ui, card, label_tip(s, order[at]));
            placed++;
        }
    }
}
