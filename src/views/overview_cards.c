#include "views/internal.h"
#include "views/overview.h"

#include <math.h>
#include <string.h>

/* The most striking heads, each with the links that show why, and the prediction. */

static const struct {
    const char *title, *brief, *kind, *score; /* brief: the title where a card is narrow */
} texts[SURVEY_REASON_COUNT] = {
    [PATTERN_PREVIOUS] = {"Reads the previous token", "Previous token", "positional",
                          "previous-token score"},
    [PATTERN_NEXT] = {"Reads the next token", "Next token", "positional", "next-token score"},
    [PATTERN_SELF] = {"Reads the token itself", "Reads itself", "positional", "self score"},
    [PATTERN_SINK] = {"Rests on the first token", "First token", "attention sink", "sink score"},
    [PATTERN_SEPARATOR] = {"Rests on separators", "Separators", "separators", "separator score"},
    [PATTERN_LOCAL] = {"Reads the words around", "Words around", "local, 2–8 tokens",
                       "local score"},
    [PATTERN_INDUCTION] = {"Continues a repeated phrase", "Repeated phrase", "induction",
                           "induction score"},
    [PATTERN_DUPLICATE] = {"Finds the same token before", "Same token", "duplicate",
                           "duplicate score"},
    [PATTERN_GLOBAL] = {"Reads all tokens alike", "All alike", "global", "entropy, of its largest"},
    [PATTERN_CONTENT] = {"Looks far away by content", "Far, by content", "content, a hypothesis",
                         "content score"},
    [PATTERN_LONG] = {"Reads far back", "Far back", "32 or more tokens", "long-range score"},
    [SURVEY_LINK] = {NULL, NULL, "content, a hypothesis", NULL},
};

/* ---- arcs ---- */

typedef struct Arcs {
    Rect box;
    float x0, pitch, y; /* of the slots' middles */
    float most;         /* height of the highest arc */
} Arcs;

static float slot_x(const Arcs *a, int slot)
{
    return a->x0 + a->pitch * (float)slot;
}

static void draw_arc(Ui *ui, const Arcs *a, const SurveyCard *card, const SurveyLink *link)
{
    Color head = color_head(card->head);
    float alpha = (0.3f + 0.6f * link->weight) * (link->strong ? 1 : 0.25f);
    float width = fmaxf(0.75f, 8 * link->weight);
    float x1 = slot_x(a, link->query);
    float x2 = slot_x(a, link->key);
    float y = a->y - 8;
    Color color = color_with_alpha(head, alpha);
    if (link->query == link->key) { /* it reads itself: a ring above the token */
        float r = fminf(6, a->pitch * 0.42f);
        draw_circle(ui->list, &(DrawCircle){.center = {x1, y - r},
                                            .radius = r,
                                            .border = fminf(fmaxf(1, 4 * link->weight), r),
                                            .border_color = color});
        return;
    }
    float span = fabsf(x2 - x1);
    float height = fminf(a->most, 8 + span * 0.48f) * 4 / 3;
    draw_bezier(ui->list, &(DrawBezier){.a = {x1, y},
                                        .c1 = {x1, y - height},
                                        .c2 = {x2, y - height},
                                        .b = {x2, y},
                                        .width = width,
                                        .color = color});
}

/* Head of the arrow, where the key is. */
static void draw_tip(Ui *ui, const Arcs *a, const SurveyCard *card, const SurveyLink *link)
{
    if (link->query == link->key) {
        return;
    }
    float r = 2.5f + 2 * link->weight;
    float x = slot_x(a, link->key);
    float y = a->y - 8;
    Color color = color_with_alpha(color_head(card->head), link->strong ? 0.95f : 0.35f);
    Vec2 points[] = {{x - r, y - r}, {x + r, y - r}, {x, y + r * 0.6f}};
    draw_polygon(ui->list,
                 &(DrawPolygon){.points = points, .n_points = AS_COUNT(points), .fill = color});
}

/* Labels of the tokens that matter most, as many as fit beside each other. */
static void draw_slot_labels(const OverviewScene *s, const Arcs *a, const SurveyCard *card,
                             const float *matters)
{
    Ui *ui = s->c->ui;
    float taken[SURVEY_SLOTS][2];
    int n_taken = 0;
    bool done[SURVEY_SLOTS] = {0};
    float left = a->box.x + 8;
    float right = a->box.x + a->box.w - 8;
    for (int k = 0; k < card->n_slots; k++) {
        int best = -1;
        for (int i = 0; i < card->n_slots; i++) {
            if (!done[i] && (best < 0 || matters[i] > matters[best])) {
                best = i;
            }
        }
        done[best] = true;
        if (matters[best] <= 0) {
            return;
        }
        const char *text = label_of(s->c, card->slots[best]);
        float w = fminf(ui_text_width(ui, FONT_SANS_MEDIUM, 11, text), a->box.w * 0.4f);
        float x = AS_CLAMP(slot_x(a, best) - w / 2, left, right - w);
        bool clear = true;
        for (int i = 0; i < n_taken; i++) {
            clear &= x + w + 8 <= taken[i][0] || x >= taken[i][1] + 8;
        }
        if (clear) {
            ui_label(ui, rect(x, a->y + 10, w + 0.5f, 18),
                     &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 11, .color = ui->theme.text},
                     text);
            taken[n_taken][0] = x;
            taken[n_taken++][1] = x + w;
        }
    }
}

static void draw_slots(const OverviewScene *s, const Arcs *a, const SurveyCard *card)
{
    Ui *ui = s->c->ui;
    float matters[SURVEY_SLOTS] = {0};
    for (int i = 0; i < card->n_links; i++) {
        const SurveyLink *link = &card->links[i];
        float w = link->weight * (link->strong ? 4 : 1);
        matters[link->query] = fmaxf(matters[link->query], w);
        matters[link->key] = fmaxf(matters[link->key], w);
    }
    float side = AS_CLAMP(a->pitch * 0.55f, 5, 11);
    for (int i = 0; i < card->n_slots; i++) {
        float x = slot_x(a, i);
        bool told = card->slots[i] == card->query || card->slots[i] == card->key;
        matters[i] += told ? 10 : 0;
        float alpha = matters[i] > 0.15f ? 1 : 0.45f;
        Rect box = {ui_snap(ui, x - side / 2), ui_snap(ui, a->y - side / 2), side, side};
        draw_rect(ui->list,
                  &(DrawRect){.box = box,
                              .radius = 3,
                              .fill = color_with_alpha(token_color(s->c, card->slots[i]), alpha)});
        ui_tooltip(ui, rect(x - a->pitch / 2, a->y - 8, a->pitch, 16),
                   draw_format(ui->list, "token %d: “%s”", card->slots[i],
                               label_of(s->c, card->slots[i])));
        if (i && card->slots[i] != card->slots[i - 1] + 1) { /* here tokens are left out */
            float gx = x - a->pitch / 2;
            draw_line(ui->list, &(DrawLine){.a = {gx, a->y - 9},
                                            .b = {gx, a->y + 9},
                                            .width = 1,
                                            .color = ui->theme.edge2,
                                            .dash_on = 2,
                                            .dash_off = 3});
        }
    }
    draw_slot_labels(s, a, card, matters);
}

static const char *part_shown(const OverviewScene *s, const SurveyCard *card)
{
    DrawList *list = s->c->ui->list;
    int32_t n = trace_info(s->c->session->trace)->n_queries;
    if (card->n_slots >= n) {
        return NULL;
    }
    for (int i = 1; i < card->n_slots; i++) {
        if (card->slots[i] != card->slots[i - 1] + 1) {
            return draw_format(list, "tokens %d–%d, %d–%d", card->slots[0], card->slots[i - 1],
                               card->slots[i], card->slots[card->n_slots - 1]);
        }
    }
    return draw_format(list, "tokens %d–%d", card->slots[0], card->slots[card->n_slots - 1]);
}

/* Between two texts: the one link as two tokens, as wide as its weight. */
static void draw_pair(const OverviewScene *s, Rect box, const SurveyCard *card)
{
    Ui *ui = s->c->ui;
    float w = fminf(96, (box.w - 60) / 2);
    float y = box.y + box.h / 2 - 14;
    Rect a = {box.x + 16, y, w, 28};
    Rect b = {box.x + box.w - 16 - w, y, w, 28};
    draw_line(ui->list, &(DrawLine){.a = {a.x + w + 4, y + 14},
                                    .b = {b.x - 4, y + 14},
                                    .width = 1 + 8 * card->weight,
                                    .color = color_with_alpha(color_head(card->head),
                                                              0.3f + 0.6f * card->weight)});
    ui_chip(
        ui, a,
        &(UiChip){.text = label_of(s->c, card->query), .color = token_color(s->c, card->query)});
    ui_chip(ui, b,
            &(UiChip){.text = key_label_of(s->c, card->key),
                      .color = key_token_color(s->c, card->key)});
    UiLabel small = {.face = FONT_SANS, .size = 11, .align = DRAW_CENTER};
    ui_label(ui, rect(a.x, y + 32, w, 16), &small, draw_format(ui->list, "query %d", card->query));
    ui_label(ui, rect(b.x, y + 32, w, 16), &small, draw_format(ui->list, "source %d", card->key));
}

static void draw_arcs(const OverviewScene *s, Rect box, const SurveyCard *card)
{
    Ui *ui = s->c->ui;
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 10,
                                    .fill = ui->theme.well,
                                    .border = 1,
                                    .border_color = ui->theme.edge});
    if (!card->n_slots) {
        draw_pair(s, box, card);
        return;
    }
    Arcs a = {.box = box, .y = ui_snap(ui, box.y + box.h - (box.h >= 150 ? 47 : 36))};
    float room = box.w - 36;
    a.pitch = card->n_slots > 1 ? fminf(room / (float)(card->n_slots - 1), 46) : 0;
    a.x0 = box.x + box.w / 2 - a.pitch * (float)(card->n_slots - 1) / 2;
    a.most = AS_CLAMP(a.y - 8 - box.y - 34, 10, 84);
    UiLabel small = {.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT};
    const char *mass = draw_format(ui->list, "%.0f %% of mass drawn", 100 * (double)card->mass);
    bool captions = a.y - a.most - 8 >= box.y + 24; /* the arcs come first */
    float mass_w =
        captions ? ui_label(ui, rect(box.x + 12, box.y + 6, box.w - 24, 18), &small, mass) : 0;
    const char *part = part_shown(s, card);
    float left = box.w - 24 - mass_w - 12;
    if (captions && part && ui_text_width(ui, FONT_SANS, 11, part) <= left) {
        ui_label(ui, rect(box.x + 12, box.y + 6, left, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11}, part);
    }
    for (int strong = 0; strong < 2; strong++) { /* what it is about lies above the rest */
        for (int i = card->n_links - 1; i >= 0; i--) {
            if (card->links[i].strong == strong) {
                draw_arc(ui, &a, card, &card->links[i]);
                draw_tip(ui, &a, card, &card->links[i]);
            }
        }
    }
    draw_slots(s, &a, card);
}

/* ---- a card ---- */

static const char *title_of(const OverviewScene *s, const SurveyCard *card, bool brief)
{
    if (card->reason != SURVEY_LINK) {
        return brief ? texts[card->reason].brief : texts[card->reason].title;
    }
    return draw_format(s->c->ui->list, brief ? "%s → %s" : "“%s” reads “%s”",
                       label_of(s->c, card->query), key_label_of(s->c, card->key));
}

static const char *tip_of(const OverviewScene *s, const SurveyCard *card)
{
    DrawList *list = s->c->ui->list;
    if (card->reason == SURVEY_LINK) {
        return draw_format(list,
                           "Of all heads this link between two words is the strongest: token %d "
                           "reads token %d with weight %.6f. What it means is a guess.",
                           card->query, card->key, (double)card->weight);
    }
    if (card->reason == PATTERN_GLOBAL) {
        return draw_format(list,
                           "Entropy of its rows, divided by log₂ of the visible keys, on average "
                           "%.6f. Shown are the links of token %d.",
                           (double)card->score, card->query);
    }
    return draw_format(list,
                       "The %s score is an exact sum of weights over all queries, %.6f; above "
                       "%.2f a head may be called so.",
                       pattern_name((Pattern)card->reason), (double)card->score,
                       (double)pattern_limit((Pattern)card->reason));
}

static void draw_empty(const OverviewScene *s, Rect card, int index)
{
    Ui *ui = s->c->ui;
    const Survey *v = s->survey;
    UiLabel title = {.face = FONT_SANS_SEMIBOLD, .size = 14, .color = ui->theme.text};
    Rect line = {card.x + 16, card.y + 14, card.w - 32, 24};
    Rect body = {card.x + 16, card.y + 44, card.w - 32, card.h - 96};
    UiLabel plain = {.face = FONT_SANS, .size = 12};
    if (v && v->finished) {
        ui_label(ui, line, &title, "No further head stands out");
        ui_paragraph(ui, body, &plain, 19,
                     "No other pattern of this text is above its limit. The pictures below show "
                     "every head.");
        return;
    }
    if (v && v->failure.code) {
        bool stopped = v->failure.code == ERR_CANCELLED;
        ui_label(ui, line, &title, stopped ? "Stopped" : "This did not work");
        ui_paragraph(ui, body, &plain, 19,
                     stopped ? "The heads were not all looked through." : v->failure.message);
        if (index == 0 &&
            ui_button(ui, UI_ID("survey-again"), rect(card.x + 16, card.y + card.h - 44, 96, 30),
                      "Go on", UI_BUTTON_PLAIN)) {
            session_post(s->c->session, "survey");
        }
        return;
    }
    ui_label(ui, line, &title, "Looking for striking heads");
    int32_t n = v ? v->n_layers : 0;
    ui_paragraph(ui, body, &plain, 19,
                 n ? draw_format(ui->list, "Layer %d of %d layers is being scored.",
                                 AS_MIN(v->layers_scored, n - 1), n)
                   : "They are looked through once every layer is computed.");
    ui_progress(ui, rect(card.x + 16, card.y + card.h - 28, card.w - 32, 6),
                n ? (float)v->layers_scored / (float)n : 0);
}

void overview_draw_card(const OverviewScene *s, int index)
{
    Ui *ui = s->c->ui;
    Rect box = s->layout.cards[index];
    ui_card(ui, box);
    if (!s->survey || !s->survey->finished || index >= s->survey->n_cards) {
        draw_empty(s, box, index);
        return;
    }
    const SurveyCard *card = &s->survey->cards[index];
    bool hot;
    if (ui_click(ui, ui_id("overview-card", index), box, true, &hot, NULL)) {
        session_post(s->c->session, "pin %d %d", card->query, card->key);
        open_head(s->c->session, card->layer, card->head);
    }
    if (hot) {
        draw_rect(
            ui->list,
            &(DrawRect){.box = box, .radius = 12, .border = 1, .border_color = ui->theme.edge2});
    }
    float x = box.x + 16;
    float w = box.w - 32;
    bool low = box.h < 240;
    float y = box.y + (low ? 8 : 14);
    overview_badge(ui, vec2(x + 11, y + 12), 11, card->head, index + 1);
    const char *title = title_of(s, card, false);
    if (ui_text_width(ui, FONT_SANS_SEMIBOLD, 13, title) > w - 30) {
        title = title_of(s, card, true);
    }
    bool wide = ui_text_width(ui, FONT_SANS_SEMIBOLD, 14, title) > w - 30;
    ui_label(
        ui, rect(x + 30, y, w - 30, 24),
        &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = wide ? 13 : 14, .color = ui->theme.text},
        title);
    ui_tooltip(ui, rect(x, y, w, 24), tip_of(s, card));
    y += low ? 25 : 30;
    const char *where = draw_format(ui->list, "layer %d · head %d", card->layer, card->head);
    Color color = color_as_text(ui, color_mix(color_head(card->head), ui->theme.text, 0.25f));
    float where_w =
        ui_label(ui, rect(x, y, w, 18),
                 &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 12, .color = color}, where);
    const char *kind = texts[card->reason].kind;
    if (where_w + 10 + ui_text_width(ui, FONT_SANS, 11, kind) <= w) {
        ui_label(ui, rect(x + where_w + 10, y, w - where_w - 10, 18),
                 &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT}, kind);
    }
    y += low ? 22 : 26;
    float score_y = box.y + box.h - (low ? 38 : 46);
    draw_arcs(s, rect(x, y, w, score_y - (low ? 4 : 12) - y), card);
    const char *value = draw_format(ui->list, "%.3f", (double)card->score);
    float value_w = ui_text_width(ui, FONT_MONO_MEDIUM, 12, value);
    ui_label(ui, rect(x + w - value_w, score_y, value_w + 1, 20),
             &(UiLabel){.face = FONT_MONO_MEDIUM, .size = 12, .color = ui->theme.text}, value);
    const char *name = texts[card->reason].score;
    if (!name) {
        name = draw_format(ui->list, "weight “%s” → “%s”", label_of(s->c, card->query),
                           key_label_of(s->c, card->key));
    }
    ui_label(ui, rect(x, score_y, w - value_w - 12, 20), &(UiLabel){.face = FONT_SANS, .size = 11},
             name);
    ui_bar(ui, rect(x, score_y + 22, w, 6), card->score, color_head(card->head));
}

/* ---- the prediction ---- */

/* What cannot be seen is named, in italics. */
const char *overview_name_next(const SurveyNext *next, bool *named)
{
    static const struct {
        const char *label, *name;
    } names[] = {{"⏎", "line break"},
                 {"⏎⏎", "two line breaks"},
                 {"⇥", "tab"},
                 {"<|endoftext|>", "end of text"},
                 {"<|im_end|>", "end of turn"},
                 {"</s>", "end of text"},
                 {"<eos>", "end of text"}};
    *named = next->special || strncmp(next->label, "space", 5) == 0;
    for (size_t i = 0; i < AS_COUNT(names); i++) {
        if (strcmp(next->label, names[i].label) == 0) {
            *named = true;
            return names[i].name;
        }
    }
    return next->label;
}

static void draw_next_row(const OverviewScene *s, Rect row, const SurveyNext *next, float most,
                          float label_w)
{
    Ui *ui = s->c->ui;
    bool named;
    const char *name = overview_name_next(next, &named);
    ui_label(ui, rect(row.x, row.y, label_w - 8, row.h),
             &(UiLabel){.face = named ? FONT_SANS_ITALIC : FONT_SANS_MEDIUM,
                        .size = 12,
                        .color = named ? ui->theme.text2 : ui->theme.text},
             name);
    float share = next->probability / most;
    Color color = color_mix(ui->theme.track, ui->theme.output, 0.5f + 0.5f * share);
    Rect bar = {row.x + label_w, row.y + row.h / 2 - 6, row.w - label_w - 54, 12};
    ui_bar(ui, bar, share, color);
    ui_label(
        ui, rect(row.x + row.w - 50, row.y, 50, row.h),
        &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT, .color = ui->theme.text2},
        draw_format(ui->list, "%.1f %%", 100 * (double)next->probability));
    ui_tooltip(ui, row,
               draw_format(ui->list, "token id %d, probability %.6f", next->id,
                           (double)next->probability));
}

void overview_draw_next(const OverviewScene *s)
{
    Ui *ui = s->c->ui;
    Rect card = s->layout.next;
    const Survey *v = s->survey;
    if (rect_is_empty(card)) {
        return;
    }
    ui_card(ui, card);
    float x = card.x + 16;
    float w = card.w - 32;
    bool low = card.h < 240;
    float y = card.y + (low ? 8 : 14);
    bool lens = overview_draw_lens_switch(s, card);
    const Model *model = session_model(s->c->session);
    bool picture = model && model_info(model)->image.side > 0;
    const char *title = picture                ? "What it shows"
                        : v && v->next_is_mask ? "In place of the mask"
                                               : "Next token";
    float title_w = ui_label(
        ui, rect(x, y, w, 24),
        &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = ui->theme.text}, title);
    if (!v || !v->n_next) {
        ui_paragraph(ui, rect(x, y + 32, w, 40), &(UiLabel){.face = FONT_SANS, .size = 12}, 19,
                     "What the model predicts is being computed …");
        return;
    }
    const char *last = label_of(s->c, v->next_at);
    const char *after = picture           ? "by the first token"
                        : v->next_is_mask ? draw_format(ui->list, "token %d", v->next_at)
                        : v->next_at > 0  ? draw_format(ui->list, "after “%s %s”",
                                                        label_of(s->c, v->next_at - 1), last)
                                          : draw_format(ui->list, "after “%s”", last);
    ui_label(ui, rect(x + title_w + 12, y, w - title_w - 12, 24),
             &(UiLabel){.face = FONT_SANS, .size = 11, .align = DRAW_RIGHT}, after);
    y += low ? 28 : 34;
    float room = card.y + card.h - (low ? 6 : 14) - (low ? 28 : 34) - y;
    if (lens) {
        overview_draw_lens(s, rect(x, y, w, room));
        return;
    }
    int n = AS_CLAMP((int)(room / 19), 1, v->n_next);
    float pitch = fminf(room / (float)n, 29.5f);
    float label_w = fminf(86, w * 0.32f);
    for (int i = 0; i < n; i++) {
        bool named;
        float full =
            ui_text_width(ui, FONT_SANS_MEDIUM, 12, overview_name_next(&v->next[i], &named)) + 12;
        label_w = fmaxf(label_w, fminf(full, w * 0.44f));
    }
    for (int i = 0; i < n; i++) {
        draw_next_row(s, rect(x, y + pitch * (float)i, w, pitch), &v->next[i],
                      v->next[0].probability, label_w);
    }
}
