#include "views/heads.h"
#include "views/internal.h"

#include <math.h>

/* The enlarged head: in passing beside its small picture, or pinned. */

enum { CARD_W = 520, CARD_H = 330, CARD_PINNED_H = 366 };

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

static void draw_card_numbers(const HeadsScene *s, Rect box, const SurveyHead *h, bool hint)
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
             draw_format(ui->list, "+%d more; tick: limit for the label", PATTERN_COUNT - SHOWN));
    y += 26;
    draw_pair(ui, rect(box.x, y, box.w, 20), "Entropy",
              draw_format(ui->list, "%.2f bits", (double)h->entropy));
    draw_pair(ui, rect(box.x, y + 20, box.w, 20), "Mean distance",
              draw_format(ui->list, "%.1f tokens", (double)h->distance));
    if (hint) {
        ui_label(ui, rect(box.x, box.y + box.h - 16, box.w, 16),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .color = ui->theme.text3},
                 "click: Matrix, Shift: compare, Ctrl: pin");
    }
}

/* What it is labelled, at the right end of the title; `right` is free from there on. */
static void draw_label_chip(const HeadsScene *s, const SurveyHead *h, float right, float y)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    int label = heads_label(h);
    const char *what = label == HEADS_MIXED
                           ? "mixed"
                           : draw_format(ui->list, "%s %.2f", pattern_name((Pattern)(label - 1)),
                                         (double)h->scores.score[label - 1]);
    float w = ui_text_width(ui, FONT_SANS_MEDIUM, 12, what) + 36;
    Rect chip = {right - w, y, w, 24};
    Color color = heads_label_color(ui, label);
    draw_rect(ui->list, &(DrawRect){.box = chip,
                                    .radius = 12,
                                    .fill = color_mix(t->raised, color, 0.22f),
                                    .border = 1,
                                    .border_color = color_mix(t->raised, color, 0.8f)});
    draw_circle(ui->list,
                &(DrawCircle){.center = {chip.x + 14, chip.y + 12}, .radius = 4, .fill = color});
    ui_label(ui, rect(chip.x + 24, chip.y, w - 30, 24),
             &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 12, .color = t->text}, what);
}

static void draw_card_picture(HeadsScene *s, const HeadsCard *card, Rect picture)
{
    Ui *ui = s->c->ui;
    HeadPicture *p = card->pinned ? &s->view->pinned : &s->view->hovered;
    if (!head_picture_read(p, s->c->session, card->layer, card->head, card->pinned ? 6 : 7)) {
        return;
    }
    int32_t n = AS_MAX(p->rows, p->cols);
    float dev = (float)head_grid_side(n, (int32_t)(picture.w * ui->scale)) / ui->scale;
    Rect shown = {picture.x, picture.y, dev, dev};
    head_picture_draw(p, s->c, shown, s->scale);
    draw_rect(ui->list, &(DrawRect){.box = rect_inset(shown, -1),
                                    .radius = 3,
                                    .border = 1,
                                    .border_color = ui->theme.edge2});
    if (p->row_texel > 1) {
        ui_label(ui, rect(shown.x, shown.y + 6, shown.w - 10, 18),
                 &(UiLabel){
                     .face = FONT_MONO, .size = 11, .align = DRAW_RIGHT, .color = ui->theme.text2},
                 draw_format(ui->list, "1 px = %d × %d, max", p->row_texel, p->row_texel));
    }
}

static void draw_card_buttons(HeadsScene *s, const HeadsCard *card, Rect box)
{
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    float y = box.y + box.h - 46;
    bool in_set = head_set_find(&session->selection.set, card->layer, card->head) >= 0;
    if (ui_icon_button(ui, UI_ID("heads-card-close"), rect(box.x + box.w - 38, box.y + 12, 28, 28),
                       ICON_CLOSE, "let the card go (Esc)")) {
        session_post(session, "card none");
    }
    if (ui_button(ui, UI_ID("heads-card-open"), rect(box.x + 300, y, 96, 30), "Matrix",
                  UI_BUTTON_ACCENT)) {
        open_head(session, card->layer, card->head);
    }
    if (ui_button(ui, UI_ID("heads-card-set"), rect(box.x + 404, y, 96, 30),
                  in_set ? "Let go" : "Compare", UI_BUTTON_PLAIN)) {
        session_post(session, "set toggle %d.%d", card->layer, card->head);
    }
}

static bool overlap(Rect a, Rect b)
{
    return !rect_is_empty(b) && !rect_is_empty(rect_intersect(rect_inset(a, -8), b));
}

/* Beside the picture: to the right, else to the left, else wherever the stage has room. */
Rect heads_place_card(const HeadsCard *card, Rect stage)
{
    Rect tile = card->tile;
    float h = card->pinned ? CARD_PINNED_H : CARD_H;
    float xs[] = {tile.x + tile.w + 18, tile.x - 18 - CARD_W, stage.x + stage.w - CARD_W - 8};
    float y = AS_CLAMP(tile.y + tile.h / 2 - h / 2, stage.y + 8,
                       fmaxf(stage.y + 8, stage.y + stage.h - h - 8));
    for (size_t i = 0; i < AS_COUNT(xs); i++) {
        Rect box = {xs[i], y, CARD_W, h};
        bool last = i + 1 == AS_COUNT(xs);
        bool inside = box.x >= stage.x + 8 && box.x + box.w <= stage.x + stage.w - 8;
        if ((inside || last) && !overlap(box, card->avoid)) {
            box.x = fmaxf(box.x, stage.x + 8);
            return box;
        }
    }
    return (Rect){0};
}

void heads_draw_card(HeadsScene *s, const HeadsCard *card, Rect box)
{
    Ui *ui = s->c->ui;
    const SurveyHead *h = heads_scored(s, card->layer, card->head);
    ui_raised(ui, box, 14);
    ui_label(ui, rect(box.x + 20, box.y + 14, 300, 26),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 16, .color = ui->theme.text},
             draw_format(ui->list, "Layer %d · Head %d", card->layer, card->head));
    if (h) {
        draw_label_chip(s, h, box.x + box.w - (card->pinned ? 46 : 20), box.y + 15);
    }
    draw_card_picture(s, card, rect(box.x + 20, box.y + 54, 256, 256));
    Rect numbers = {box.x + 300, box.y + 58, box.w - 320, 252};
    if (h) {
        draw_card_numbers(s, numbers, h, !card->pinned);
    } else {
        ui_paragraph(ui, numbers, &(UiLabel){.face = FONT_SANS, .size = 12}, 19,
                     "Its scores are being added up …");
    }
    if (card->pinned) {
        draw_card_buttons(s, card, box);
    }
}
