#include "views/heads.h"
#include "views/internal.h"

#include <math.h>
#include <string.h>

/* Filters, the best example of each pattern, and the enlarged head. */

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

static int32_t count_of(const HeadsScene *s, int label)
{
    const TraceInfo *info = trace_info(s->c->session->trace);
    int32_t n = 0;
    for (int32_t layer = 0; layer < info->n_layers; layer++) {
        for (int32_t head = 0; head < info->n_heads; head++) {
            const SurveyHead *h = heads_scored(s, layer, head);
            n += label == HEADS_ALL || (h && heads_label(h) == label);
        }
    }
    return n;
}

/* The argument of the command for a filter. */
static const char *filter_name(int label)
{
    return label == HEADS_ALL     ? "all"
           : label == HEADS_MIXED ? "mixed"
                                  : pattern_name((Pattern)(label - 1));
}

/* All, the patterns that have heads in the order of the table, mixed, then those that have none. */
static int order_labels(const HeadsScene *s, int order[HEADS_FILTER_COUNT])
{
    int n = 0;
    order[n++] = HEADS_ALL;
    for (int pass = 0; pass < 2; pass++) {
        for (int label = 1; label < HEADS_FILTER_COUNT; label++) {
            bool has = label == HEADS_MIXED || count_of(s, label) > 0;
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

float heads_draw_filters(HeadsScene *s)
{
    Ui *ui = s->c->ui;
    Rect row = s->layout.filters;
    float x = row.x;
    int order[HEADS_FILTER_COUNT];
    int n_labels = order_labels(s, order);
    for (int at = 0; at < n_labels; at++) {
        int label = order[at];
        const char *name = heads_label_name(label);
        const char *count = draw_format(ui->list, "%d", count_of(s, label));
        float name_w = ui_text_width(ui, FONT_SANS_MEDIUM, 12, name);
        float count_w = ui_text_width(ui, FONT_MONO, 11, count);
        float w = ceilf(name_w + count_w) + 46;
        if (x + w > row.x + row.w) {
            break;
        }
        Rect box = {x, row.y, w, row.h};
        bool chosen = s->view->filter == label;
        bool hot;
        if (ui_click(ui, ui_id("heads-filter", label), box, true, &hot, NULL)) {
            session_post(s->c->session, "filter %s", chosen ? "all" : filter_name(label));
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
    float side = fminf(card.h - 32, card.w - 116);
    Rect picture = {card.x + 16, card.y + (card.h - side) / 2, side, side};
    HeadPicture *p = &s->view->best[pattern];
    if (found && head_picture_read(p, s->c->session, layer, head, 8 + (uint64_t)pattern)) {
        head_picture_draw(p, s->c, picture, s->scale);
    } else {
        draw_rect(ui->list, &(DrawRect){.box = picture, .fill = head_grid_masked(ui)});
    }
    draw_rect(ui->list, &(DrawRect){.box = rect_inset(picture, -1),
                                    .radius = 3,
                                    .border = 1,
                                    .border_color = color_mix(ui->theme.card, color, 0.7f)});
    float x = picture.x + side + 14;
    float w = card.x + card.w - 10 - x;
    float y = picture.y + fmaxf(0, (side - 100) / 2) - (side < 100 ? 6 : 2);
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
    int32_t n = count_of(s, 1 + (int)pattern);
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
    for (int at = 0; at < n_labels && placed < n; at++) {
        if (order[at] != HEADS_ALL && order[at] != HEADS_MIXED) {
            Rect card = {row.x + (float)placed * (w + gap), row.y, w, row.h};
            draw_example(s, card, (Pattern)(order[at] - 1));
            ui_tooltip(s->c->ui, card, label_tip(s, order[at]));
            placed++;
        }
    }
}

/* ---- the enlarged head ---- */

static void draw_score(const HeadsScene *s, Rect row, Pattern p, const PatternScores *scores)
{
    Ui *ui = s->c->ui;
    bool best = scores->best == (int)p;
    ui_label(ui, rect(row.x, row.y, 66, row.h),
             &(UiLabel){.face = best ? FONT_SANS_SEMIBOLD : FONT_SANS,
                        .size = 12,
                        .color = best ? ui->theme.text : ui->theme.text2},
             p == PATTERN_SINK ? "Sink" : heads_label_name(1 + (int)p));
    if (!scores->known[p]) {
        ui_label(ui, rect(row.x + 70, row.y, row.w - 70, row.h),
                 &(UiLabel){.face = FONT_SANS, .size = 11}, "not scored: long text");
        return;
    }
    Rect bar = {row.x + 70, row.y + row.h / 2 - 4, row.w - 70 - 48, 8};
    draw_rect(ui->list, &(DrawRect){.box = bar, .radius = 4, .fill = ui->theme.well});
    float w = bar.w * AS_CLAMP(scores->score[p], 0, 1);
    if (w >= 0.5f) {
        draw_rect(ui->list, &(DrawRect){.box = {bar.x, bar.y, w, bar.h},
                                        .radius = fminf(4, w / 2),
                                        .fill = pattern_color(p)});
    }
    draw_rect(ui->list,
              &(DrawRect){.box = {ui_snap(ui, bar.x + bar.w * pattern_limit(p)), bar.y - 2, 1, 12},
                          .fill = ui->theme.cross});
    ui_label(
        ui, rect(row.x + row.w - 44, row.y, 44, row.h),
        &(UiLabel){.face = FONT_MONO, .size = 12, .align = DRAW_RIGHT, .color = ui->theme.text},
        draw_format(ui->list, "%.3f", (double)scores->score[p]));
}

static void draw_pair(Ui *ui, Rect row, const char *name, const char *value)
{
    ui_label(ui, rect(row.x, row.y, row.w / 2, row.h), &(UiLabel){.face = FONT_SANS, .size = 12},
             name);
    ui_label(
        ui, rect(row.x + row.w / 2, row.y, row.w / 2, row.h),
        &(UiLabel){.face = FONT_MONO, .size = 12, .align = DRAW_RIGHT, .color = ui->theme.text},
        value);
}

static void draw_card_numbers(const HeadsScene *s, Rect box, const SurveyHead *h)
{
    enum { SHOWN = 6 };
    Pattern order[PATTERN_COUNT];
    pattern_order(&h->scores, order);
    Ui *ui = s->c->ui;
    ui_caps(ui, rect(box.x, box.y - 4, box.w, 18), "Scores");
    float y = box.y + 18;
    for (size_t i = 0; i < SHOWN; i++) {
        draw_score(s, rect(box.x, y, box.w, 22), order[i], &h->scores);
        y += 22;
    }
    ui_label(ui, rect(box.x, y + 2, box.w, 18),
             &(UiLabel){.face = FONT_SANS, .size = 11, .color = ui->theme.text3},
             "tick: limit for the label");
    y += 26;
    draw_pair(ui, rect(box.x, y, box.w, 20), "Entropy",
              draw_format(ui->list, "%.2f bits", (double)h->entropy));
    draw_pair(ui, rect(box.x, y + 20, box.w, 20), "Mean distance",
              draw_format(ui->list, "%.1f tokens", (double)h->distance));
    ui_label(ui, rect(box.x, box.y + box.h - 16, box.w, 16),
             &(UiLabel){.face = FONT_SANS, .size = 11, .color = ui->theme.text3},
             "click: Matrix, Shift+click: compare");
}

void heads_draw_card(HeadsScene *s, Rect tile, Rect stage, int32_t layer, int32_t head)
{
    Ui *ui = s->c->ui;
    const SurveyHead *h = heads_scored(s, layer, head);
    Rect card = {tile.x + tile.w + 18, tile.y + tile.h / 2 - 165, 520, 330};
    if (card.x + card.w > stage.x + stage.w - 8) {
        card.x = tile.x - 18 - card.w;
    }
    card.x = AS_CLAMP(card.x, stage.x + 8, fmaxf(stage.x + 8, stage.x + stage.w - card.w - 8));
    card.y = AS_CLAMP(card.y, stage.y + 8, fmaxf(stage.y + 8, stage.y + stage.h - card.h - 8));
    const Theme *t = &ui->theme;
    draw_shadow(ui->list,
                &(DrawShadow){.box = card,
                              .radius = 14,
                              .blur = 28,
                              .dy = 8,
                              .color = color_with_alpha(t->shadow, t->dark ? 0.6f : 0.2f)});
    draw_rect(
        ui->list,
        &(DrawRect){
            .box = card, .radius = 14, .fill = t->raised, .border = 1, .border_color = t->edge2});
    ui_label(ui, rect(card.x + 20, card.y + 14, 300, 26),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 16, .color = t->text},
             draw_format(ui->list, "Layer %d · Head %d", layer, head));
    if (h) {
        int label = heads_label(h);
        const char *what = label == HEADS_MIXED ? "mixed"
                                                : draw_format(ui->list, "%s %.2f",
                                                              pattern_name((Pattern)(label - 1)),
                                                              (double)h->scores.score[label - 1]);
        float w = ui_text_width(ui, FONT_SANS_MEDIUM, 12, what) + 36;
        Rect chip = {card.x + card.w - 20 - w, card.y + 15, w, 24};
        Color color = heads_label_color(ui, label);
        draw_rect(ui->list, &(DrawRect){.box = chip,
                                        .radius = 12,
                                        .fill = color_mix(t->raised, color, 0.22f),
                                        .border = 1,
                                        .border_color = color_mix(t->raised, color, 0.8f)});
        draw_circle(
            ui->list,
            &(DrawCircle){.center = {chip.x + 14, chip.y + 12}, .radius = 4, .fill = color});
        ui_label(ui, rect(chip.x + 24, chip.y, w - 30, 24),
                 &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 12, .color = t->text}, what);
    }
    Rect picture = {card.x + 20, card.y + 54, 256, 256};
    HeadPicture *p = &s->view->hovered;
    if (head_picture_read(p, s->c->session, layer, head, 7)) {
        int32_t n = AS_MAX(p->rows, p->cols);
        float dev = (float)head_grid_side(n, (int32_t)(256 * ui->scale)) / ui->scale;
        Rect shown = {picture.x, picture.y, dev, dev};
        head_picture_draw(p, s->c, shown, s->scale);
        draw_rect(ui->list, &(DrawRect){.box = rect_inset(shown, -1),
                                        .radius = 3,
                                        .border = 1,
                                        .border_color = t->edge2});
        if (p->row_texel > 1) {
            ui_label(
                ui, rect(shown.x, shown.y + 6, shown.w - 10, 18),
                &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT, .color = t->text2},
                draw_format(ui->list, "1 px = %d × %d, max", p->row_texel, p->row_texel));
        }
    }
    Rect numbers = {card.x + 300, card.y + 58, card.w - 320, 252};
    if (h) {
        draw_card_numbers(s, numbers, h);
    } else {
        ui_paragraph(ui, numbers, &(UiLabel){.face = FONT_SANS, .size = 12}, 19,
                     "Its scores are being added up …");
    }
}
