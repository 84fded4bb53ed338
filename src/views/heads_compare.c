#include "views/heads.h"
#include "views/internal.h"

#include <math.h>

/* The chosen heads side by side, below the grid, and what can be done with them together. */

enum { LEAST_W = 205, TOGETHER_W = 236 };

static void draw_chosen(HeadsScene *s, Rect card, int32_t place)
{
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    HeadRef ref = session->selection.set.heads[place];
    const SurveyHead *h = heads_scored(s, ref.layer, ref.head);
    int label = h ? heads_label(h) : HEADS_MIXED;
    Color color = color_as_text(ui, heads_label_color(ui, label));
    ui_card(ui, card);
    HeadsText text = heads_draw_small(
        s, card, &s->view->chosen[place],
        &(HeadsSmall){ref.layer, ref.head, .slot = 32 + (uint64_t)place, .color = color});
    float x = text.x;
    float y = text.y;
    float w = text.w;
    ui_label(ui, rect(x, y, w - 24, 18),
             &(UiLabel){.face = FONT_MONO_SEMIBOLD, .size = 12, .color = ui->theme.text},
             draw_format(ui->list, "L%d H%d", ref.layer, ref.head));
    ui_label(ui, rect(x, y + 20, w, 18),
             &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 12, .color = color},
             h ? heads_label_name(label) : "…");
    UiLabel small = {.face = FONT_SANS, .size = 11};
    if (h && label != HEADS_MIXED) {
        ui_label(ui, rect(x, y + 40, w, 26),
                 &(UiLabel){.face = FONT_MONO, .size = 20, .color = ui->theme.text},
                 draw_format(ui->list, "%.2f", (double)h->scores.score[label - 1]));
    }
    if (h) {
        ui_label(ui, rect(x, y + 68, w, 16), &small,
                 draw_format(ui->list, "%.2f bits", (double)h->entropy));
        ui_label(ui, rect(x, y + 83, w, 16), &small,
                 draw_format(ui->list, "%.0f tokens", (double)h->distance));
    }
    Rect close = {card.x + card.w - 30, card.y + 6, 24, 24};
    if (ui_icon_button(ui, ui_id("heads-drop", place), close, ICON_CLOSE,
                       "take it out of the set")) {
        session_post(session, "set toggle %d.%d", ref.layer, ref.head);
    } else if (ui_click(ui, ui_id("heads-chosen", place), rect(card.x, card.y, card.w - 32, card.h),
                        true, NULL, NULL)) {
        open_head(session, ref.layer, ref.head);
    }
}

static void draw_together(HeadsScene *s, Rect card, int32_t shown)
{
    static const char *const ways[] = {"mean", "max", "owner"};
    static const char *const names[] = {"Mean", "Max", "Owner"};
    Ui *ui = s->c->ui;
    Session *session = s->c->session;
    int32_t n = session->selection.set.n;
    ui_card(ui, card);
    float x = card.x + 16;
    float w = card.w - 32;
    ui_label(ui, rect(x, card.y + 12, w, 22),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = ui->theme.text},
             draw_format(ui->list, n == 1 ? "%d head chosen" : "%d heads chosen", n));
    bool low = card.h < 140;
    if (!low) {
        ui_label(ui, rect(x, card.y + 36, w, 18), &(UiLabel){.face = FONT_SANS, .size = 11},
                 shown < n ? draw_format(ui->list, "%d of them here; together in Matrix:", shown)
                           : "Together in Matrix:");
    }
    float y = card.y + (low ? 40 : 62);
    float each = (w - 12) / 3;
    for (int i = 0; i < 3; i++) {
        Rect box = {x + (float)i * (each + 6), y, each, 28};
        if (ui_button(ui, ui_id("heads-together", i), box, names[i], UI_BUTTON_PLAIN)) {
            session_post(session, "combine %s", ways[i]);
            session_post(session, "view matrix");
        }
    }
    if (ui_button(ui, UI_ID("heads-set-none"), rect(x, y + 36, w, low ? 24 : 28), "Let all go",
                  UI_BUTTON_PLAIN)) {
        session_post(session, "set none");
    }
}

bool heads_draw_compare(HeadsScene *s)
{
    const HeadSet *set = &s->c->session->selection.set;
    Rect row = s->layout.best;
    if (!set->n || rect_is_empty(row) || row.w < TOGETHER_W + LEAST_W) {
        return false;
    }
    float gap = row.h >= 140 ? 24 : 12;
    float room = row.w - TOGETHER_W;
    int32_t most = AS_MAX((int32_t)(room / (LEAST_W + gap)), 1);
    int32_t n = AS_MIN(AS_MIN(set->n, most), HEADS_CHOSEN_MOST);
    float w = floorf(fminf((room - gap * (float)n) / (float)n, 300));
    for (int32_t i = 0; i < n; i++) {
        draw_chosen(s, rect(row.x + (float)i * (w + gap), row.y, w, row.h), i);
    }
    draw_together(s, rect(row.x + (float)n * (w + gap), row.y, TOGETHER_W, row.h), n);
    return true;
}
