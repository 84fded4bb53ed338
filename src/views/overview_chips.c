#include "views/internal.h"
#include "views/overview.h"

#include <math.h>

/* The text as chips: one line of them, spread over the width where all fit, else as many as fit
 * around the selected token, to be moved by the wheel. */

typedef struct Chips {
    Rect line; /* chips and numbers */
    float h, gap, size;
    float inside; /* beside the text, both sides together */
    bool numbers;
} Chips;

enum { MOST = 200 };

static float chip_width(ViewContext *c, const Chips *chips, int32_t token)
{
    const char *text = label_of(c, token);
    /* A patch of a picture stands before its name. */
    float patch = trace_image(c->session->trace) ? chips->h : 0;
    return AS_CLAMP(ceilf(ui_text_width(c->ui, FONT_SANS_SEMIBOLD, chips->size, text)) +
                        chips->inside + patch,
                    34, 220);
}

/* How many chips from `first` on fit into `room`, and the width they take. */
static int32_t fit(ViewContext *c, const Chips *chips, int32_t first, float room, float *widths,
                   float *taken)
{
    int32_t n = trace_info(c->session->trace)->n_queries;
    int32_t k = 0;
    *taken = 0;
    for (; first + k < n && k < MOST; k++) {
        float w = chip_width(c, chips, first + k);
        float more = w + (k ? chips->gap : 0);
        if (*taken + more > room) {
            break;
        }
        widths[k] = w;
        *taken += more;
    }
    return k;
}

static void draw_chip(OverviewScene *s, const Chips *chips, int32_t token, float x, float w)
{
    ViewContext *c = s->c;
    Ui *ui = c->ui;
    const Selection *sel = &c->session->selection;
    Rect box = {x, chips->line.y, w, chips->h};
    bool hot;
    bool clicked = ui_click(ui, ui_id("chip", token), box, true, &hot, NULL);
    TraceRows rows;
    int32_t key = token;
    if (trace_rows(c->session->trace, sel->layer, sel->head, &rows) && rows.max_key[token] >= 0) {
        key = rows.max_key[token];
    }
    if (clicked) {
        bool again = sel->pinned && sel->query == token;
        session_post(c->session, again ? "unpin" : "pin %d %d", token, key);
    } else if (hot && ui->mouse_moved && sel->query != token && !sel->pinned) {
        session_post(c->session, "hover %d %d", token, key);
    }
    bool chosen = sel->query == token;
    if (trace_image(c->session->trace)) {
        if (draw_patch(c, rect(box.x, box.y, chips->h - 4, chips->h), token)) {
            box.x += chips->h;
            box.w -= chips->h;
        }
    }
    ui_chip(ui, box,
            &(UiChip){.text = label_of(c, token),
                      .color = token_color(c, token),
                      .chosen = chosen,
                      .size = chips->size});
    if (chips->numbers) {
        ui_label(ui, rect(x - 4, chips->line.y + chips->h + 4, w + 8, 16),
                 &(UiLabel){.face = FONT_MONO,
                            .size = 11,
                            .align = DRAW_CENTER,
                            .color = chosen ? ui->theme.text : ui->theme.text3},
                 draw_format(ui->list, "%d", token));
    }
}

/* "‹ 118": how many stand before or after; a click moves on by `step`. */
static void draw_more(OverviewScene *s, const Chips *chips, Rect box, int32_t n, int32_t step)
{
    Ui *ui = s->c->ui;
    char count[32];
    if (n <= 0) {
        return;
    }
    bool hot;
    bool back = step < 0;
    if (ui_click(ui, ui_id("more-chips", back), box, true, &hot, NULL)) {
        s->view->chip_first += step;
        ui->moves = true;
    }
    Color color = hot ? ui->theme.text : ui->theme.text2;
    draw_icon(ui->list,
              &(DrawIcon){.icon = back ? ICON_CHEVRON_LEFT : ICON_CHEVRON_RIGHT,
                          .center = {back ? box.x + 8 : box.x + box.w - 8, box.y + chips->h / 2},
                          .size = 16,
                          .color = color});
    ui_label(
        ui, rect(box.x + (back ? 18 : 0), box.y, box.w - 18, chips->h),
        &(UiLabel){
            .face = FONT_MONO, .size = 11, .color = color, .align = back ? DRAW_LEFT : DRAW_RIGHT},
        format_count((uint64_t)n, count));
    ui_tooltip(ui, box,
               draw_format(ui->list, "%s more tokens %s", count, back ? "before" : "after"));
}

/* First chip so that the selected token is in view, moved by the wheel. */
static void choose_first(OverviewScene *s, const Chips *chips, float room)
{
    OverviewView *v = s->view;
    const Session *session = s->c->session;
    int32_t n = trace_info(session->trace)->n_queries;
    int32_t query = session->selection.query;
    float widths[MOST];
    float taken;
    Ui *ui = s->c->ui;
    if (ui_hovers(ui, s->layout.chips)) {
        v->wheel -= ui->wheel + ui->wheel_x;
        int32_t by = (int32_t)truncf(v->wheel);
        v->wheel -= (float)by;
        v->chip_first += 3 * by;
    }
    v->chip_first = AS_CLAMP(v->chip_first, 0, n - 1);
    int32_t k = fit(s->c, chips, v->chip_first, room, widths, &taken);
    bool moved = v->seen_query != query || v->seen_trace != session->trace_version;
    if (moved && (query < v->chip_first || query >= v->chip_first + k)) {
        v->chip_first = AS_CLAMP(query - k / 2, 0, n - 1);
    }
    v->seen_query = query;
    v->seen_trace = session->trace_version;
    /* No empty room behind the last token. */
    while (v->chip_first > 0 &&
           v->chip_first + fit(s->c, chips, v->chip_first - 1, room, widths, &taken) > n) {
        v->chip_first--;
    }
    while (v->chip_first > 0 &&
           v->chip_first - 1 + fit(s->c, chips, v->chip_first - 1, room, widths, &taken) >= n) {
        v->chip_first--;
    }
}

void overview_draw_chips(OverviewScene *s)
{
    Ui *ui = s->c->ui;
    Rect card = s->layout.chips;
    int32_t n = trace_info(s->c->session->trace)->n_queries;
    Chips chips = {.h = card.h >= 70 ? 30 : 26, .gap = card.h >= 70 ? 12 : 8};
    chips.size = card.h >= 70 ? 14 : 12;
    chips.inside = 26;
    chips.numbers = card.h >= 56;
    float inner = chips.h + (chips.numbers ? 20 : 0);
    chips.line = rect(card.x + 16, ui_snap(ui, card.y + (card.h - inner) / 2), card.w - 32, inner);
    ui_card(ui, card);
    float widths[MOST];
    float taken;
    float x = chips.line.x;
    float room = chips.line.w;
    int32_t k = fit(s->c, &chips, 0, room, widths, &taken);
    if (k < n) { /* closer together, if that shows the whole text */
        Chips close = chips;
        close.gap = 6;
        close.inside = 14;
        close.size = 12;
        int32_t closer = fit(s->c, &close, 0, room, widths, &taken);
        chips = closer == n ? close : chips;
        k = closer == n ? n : fit(s->c, &chips, 0, room, widths, &taken);
    }
    if (k == n) { /* all: spread, but not beyond what looks like a chip */
        float more = fminf(40, (room - taken) / (float)n);
        s->view->chip_first = 0;
        for (int32_t i = 0; i < n; i++) {
            float x1 = x + widths[i] + more;
            draw_chip(s, &chips, i, roundf(x), roundf(x1) - roundf(x));
            x = x1 + chips.gap;
        }
        return;
    }
    enum { MORE_W = 66 };
    room -= 2 * MORE_W;
    choose_first(s, &chips, room);
    int32_t first = s->view->chip_first;
    k = fit(s->c, &chips, first, room, widths, &taken);
    draw_more(s, &chips, rect(x, chips.line.y, MORE_W - 8, chips.h), first, -AS_MAX(k - 1, 1));
    draw_more(s, &chips, rect(x + chips.line.w - MORE_W + 8, chips.line.y, MORE_W - 8, chips.h),
              n - first - k, AS_MAX(k - 1, 1));
    x += MORE_W;
    float more = k ? fminf(40, (room - taken) / (float)k) : 0;
    for (int32_t i = 0; i < k; i++) {
        float x1 = x + widths[i] + more;
        draw_chip(s, &chips, first + i, roundf(x), roundf(x1) - roundf(x));
        x = x1 + chips.gap;
    }
}
