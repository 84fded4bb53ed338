#include "views/internal.h"
#include "views/overview.h"

#include <math.h>

/* The prediction layer by layer (the logit lens), in the card of the prediction. */

bool overview_draw_lens_switch(const OverviewScene *s, Rect card)
{
    static const char *const items[] = {"After the last layer", "Layer by layer"};
    static const char *const short_items[] = {"Last", "By layer"};
    Ui *ui = s->c->ui;
    const Survey *v = s->survey;
    bool on = s->c->session->options.lens;
    if (!v || v->n_lens == 0) {
        return false;
    }
    bool low = card.h < 240;
    Rect box = {card.x + 12, card.y + card.h - (low ? 34 : 42), card.w - 24, 30};
    int chosen =
        ui_segmented(ui, UI_ID("overview-lens"), box, card.w < 290 ? short_items : items, 2, on);
    if (chosen != (int)on) {
        session_post(s->c->session, "lens");
    }
    return on;
}

/* The first layer from which on the prediction stays what it is in the end. */
static int32_t settled_from(const Survey *v)
{
    int32_t from = v->n_lens - 1;
    while (from > 0 && v->lens[from - 1].rank_of_final == 0) {
        from--;
    }
    return from;
}

static void draw_row(const OverviewScene *s, Rect row, int32_t state, bool settled)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    const SurveyLens *lens = &s->survey->lens[state];
    bool named;
    const char *name = overview_name_next(&lens->top, &named);
    const char *place = state == 0 ? "in" : draw_format(ui->list, "%d", state - 1);
    ui_label(ui, rect(row.x, row.y, 22, row.h),
             &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text2, .align = DRAW_RIGHT},
             place);
    float label_w = fminf(96, row.w * 0.38f);
    ui_label(ui, rect(row.x + 32, row.y, label_w - 8, row.h),
             &(UiLabel){.face = named     ? FONT_SANS_ITALIC
                                : settled ? FONT_SANS_SEMIBOLD
                                          : FONT_SANS,
                        .size = 12,
                        .color = settled ? t->text : t->text2},
             name);
    Rect bar = {row.x + 32 + label_w, row.y + row.h / 2 - 4, row.w - 32 - label_w - 52, 8};
    ui_bar(ui, bar, lens->top.probability,
           settled ? t->output : color_mix(t->track, t->output, 0.55f));
    ui_label(ui, rect(row.x + row.w - 48, row.y, 48, row.h),
             &(UiLabel){.face = FONT_MONO, .size = 11, .align = DRAW_RIGHT, .color = t->text2},
             draw_format(ui->list, "%.1f %%", 100 * (double)lens->top.probability));
    const char *after =
        state == 0 ? "the embedding alone" : draw_format(ui->list, "after layer %d", state - 1);
    ui_tooltip(ui, row,
               draw_format(ui->list,
                           "%s: “%s” %.4f; what is predicted in the end is at rank %d with %.4f",
                           after, name, (double)lens->top.probability, lens->rank_of_final + 1,
                           (double)lens->of_final));
}

void overview_draw_lens(const OverviewScene *s, Rect box)
{
    const Survey *v = s->survey;
    int32_t rows = AS_CLAMP((int32_t)(box.h / 18), 1, v->n_lens);
    float pitch = fminf(box.h / (float)rows, 26);
    int32_t from = settled_from(v);
    for (int32_t i = 0; i < rows; i++) {
        /* From the embeddings to the last layer, evenly; each row says which one it is. */
        int32_t state =
            rows > 1 ? (int32_t)lroundf((float)i * (float)(v->n_lens - 1) / (float)(rows - 1))
                     : v->n_lens - 1;
        draw_row(s, rect(box.x, box.y + pitch * (float)i, box.w, pitch), state, state >= from);
    }
}
