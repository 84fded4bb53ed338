#include "views/mechanism.h"

#include <math.h>
#include <string.h>

void mechanism_timeline(Views *views, const Session *session, Timeline *timeline)
{
    (void)views;
    *timeline = (Timeline){.length_s = MECHANISM_SECONDS,
                           .n_steps = trace_info(session->trace)->n_layers,
                           .steps_layers = true};
}

/* ---- layout ---- */

MechanismLayout mechanism_layout(Rect stage, int32_t n_tokens)
{
    MechanismLayout l = {0};
    bool small = stage.h < 700 || stage.w < 1100;
    float pad = small ? 16 : 24;
    Rect box = rect_inset(stage, pad);
    box.y = stage.y + (small ? 10 : 16);
    box.h = stage.y + stage.h - pad - box.y;
    l.title = rect(box.x, box.y, box.w, 28);
    l.brackets = rect(box.x, box.y + 30, box.w, 18);
    float top = box.y + 52;
    float cards = stage.h >= 640 ? 86 : 0;
    l.has_cards = cards > 0;
    float bottom = box.y + box.h;
    float h = bottom - top - (l.has_cards ? cards + (small ? 12 : 20) : 0);
    l.gap = AS_CLAMP(floorf(box.w * 0.023f), 16, 40);
    float rest = box.w - 2 * l.gap;
    float wa = floorf(rest * 0.298f);
    float wb = floorf(rest * 0.368f);
    l.a = rect(box.x, top, wa, h);
    l.b = rect(box.x + wa + l.gap, top, wb, h);
    l.c = rect(l.b.x + wb + l.gap, top, box.x + box.w - (l.b.x + wb + l.gap), h);
    if (l.has_cards) {
        float gap = small ? 16 : 24;
        float w = floorf((box.w - 2 * gap) / 3);
        for (int i = 0; i < 3; i++) {
            l.cards[i] = rect(box.x + (float)i * (w + gap), bottom - cards, w, cards);
        }
    }
    float rows = h - 110;
    int32_t few = AS_CLAMP((int32_t)(rows / 64), 4, LESSON_MOST);
    l.room = n_tokens <= LESSON_MOST && rows / (float)n_tokens >= 48 ? n_tokens : few;
    return l;
}

/* ---- around the panels ---- */

static const char *direction(const MechanismScene *s)
{
    const Trace *trace = s->c->session->trace;
    return s->l->cross                               ? "the words of the source"
           : trace_image(trace)                      ? "the patches around it"
           : trace_layer(trace, s->l->layer)->causal ? "the words before it"
                                                     : "the words around it";
}

static void draw_title(MechanismScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    float w = ui_label(
        ui, box, &(UiLabel){.face = FONT_DISPLAY_SEMIBOLD, .size = 20, .color = ui->theme.text},
        "Mechanism");
    const char *text = draw_format(
        ui->list, "How “%s” gathers meaning from %s. Every number is computed by the model.",
        label_of(s->c, s->l->query), direction(s));
    ui_label(ui, rect(box.x + w + 16, box.y + 2, box.w - w - 16 - 216, box.h),
             &(UiLabel){.face = FONT_SANS, .size = 12}, text);
}

/* Which tokens are shown, and the way to others. */
static void draw_window_stepper(MechanismScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    int32_t n = trace_info(s->c->session->trace)->n_queries;
    int32_t last = l->rows.first + l->n - 1;
    Rect field = {box.x + box.w - 204, box.y, 204, 28};
    ui_field_box(ui, field, 0);
    if (ui_icon_button(ui, UI_ID("window-less"), rect(field.x + 2, field.y + 2, 24, 24),
                       ICON_CHEVRON_LEFT, "earlier tokens")) {
        session_post(s->c->session, "window -%d", l->n);
    }
    if (ui_icon_button(ui, UI_ID("window-more"), rect(field.x + field.w - 26, field.y + 2, 24, 24),
                       ICON_CHEVRON_RIGHT, "later tokens")) {
        session_post(s->c->session, "window +%d", l->n);
    }
    if (ui_icon_button(ui, UI_ID("window-fewer"), rect(field.x + field.w - 74, field.y + 2, 24, 24),
                       ICON_MINUS, "one token less")) {
        session_post(s->c->session, "window %d %d", l->rows.first, AS_MAX(l->n - 1, 1));
    }
    if (ui_icon_button(ui, UI_ID("window-wider"), rect(field.x + field.w - 50, field.y + 2, 24, 24),
                       ICON_PLUS, "one token more, up to 8")) {
        session_post(s->c->session, "window %d %d", l->rows.first, AS_MIN(l->n + 1, LESSON_MOST));
    }
    Rect between = rect(field.x + 28, field.y, field.w - 28 - 76, field.h);
    const char *text = draw_format(ui->list, "%d–%d of %d", l->rows.first, last, n);
    if (ui_text_width(ui, FONT_MONO, 11, text) > between.w) {
        text = draw_format(ui->list, "%d–%d", l->rows.first, last);
    }
    ui_label(ui, between, &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text}, text);
    ui_tooltip(ui, field,
               draw_format(ui->list,
                           "the tokens in front, of %d; the rest of each row is told as elsewhere",
                           n));
}

static void draw_bracket(Ui *ui, float x0, float x1, float y, const char *name, const char *note)
{
    float middle = (x0 + x1) / 2;
    /* Capitals with wide spacing are this much wider than the word as it is. */
    float wn = ui_text_width(ui, FONT_SANS_SEMIBOLD, 11, name) * 1.22f + 2;
    float wt = ui_text_width(ui, FONT_SANS_ITALIC, 12, note);
    bool fits = wn + wt + 60 < x1 - x0;
    float w = wn + (fits ? wt + 10 : 0);
    Color line = ui->theme.edge2;
    float left = middle - w / 2;
    draw_rect(ui->list, &(DrawRect){.box = {x0, ui_snap(ui, y), left - 14 - x0, 1}, .fill = line});
    draw_rect(ui->list, &(DrawRect){.box = {x0, ui_snap(ui, y), 1, 7}, .fill = line});
    float right = left + w + 14;
    draw_rect(ui->list, &(DrawRect){.box = {right, ui_snap(ui, y), x1 - right, 1}, .fill = line});
    draw_rect(ui->list, &(DrawRect){.box = {x1 - 1, ui_snap(ui, y), 1, 7}, .fill = line});
    ui_caps(ui, rect(left, y - 9, wn + 4, 18), name);
    if (fits) {
        ui_label(ui, rect(left + wn + 10, y - 9, wt + 1, 18),
                 &(UiLabel){.face = FONT_SANS_ITALIC, .size = 12}, note);
    }
}

Rect mechanism_panel(MechanismScene *s, Rect box, Color tint, Role role, const char *letter,
                     const char *title, const char *note)
{
    Ui *ui = s->c->ui;
    const Theme *t = &ui->theme;
    draw_shadow(ui->list, &(DrawShadow){.box = box,
                                        .radius = 12,
                                        .blur = 16,
                                        .dy = 4,
                                        .color = color_with_alpha(t->shadow, t->shadow_alpha)});
    draw_rect(ui->list,
              &(DrawRect){.box = box,
                          .radius = 12,
                          .fill = tint,
                          .border = 1,
                          .border_color = color_mix(tint, role.fill, t->dark ? 0.35f : 0.16f)});
    float pad = box.w < 400 ? 12 : 16;
    teach_badge(ui, rect(box.x + pad, box.y + 12, 24, 24), role.fill, letter);
    float x = box.x + pad + 34;
    float room = box.x + box.w - pad - x;
    float note_w = ui_text_width(ui, FONT_SANS, 12, note);
    float title_w = ui_text_width(ui, FONT_SANS_SEMIBOLD, 16, title);
    bool both = title_w + note_w + 16 <= room;
    ui_label(ui, rect(x, box.y + 10, room, 28),
             &(UiLabel){
                 .face = FONT_SANS_SEMIBOLD, .size = title_w <= room ? 16 : 14, .color = role.text},
             title);
    if (both) {
        ui_label(ui, rect(x, box.y + 11, room, 28),
                 &(UiLabel){.face = FONT_SANS, .size = 12, .align = DRAW_RIGHT}, note);
    }
    return rect(box.x + pad, box.y + 44, box.w - 2 * pad, box.h - 44 - (box.h < 480 ? 10 : 14));
}

/* ---- the cards below ---- */

typedef struct CardText {
    Icon icon;
    Role role;
    const char *title, *text;
} CardText;

static void draw_insight(Ui *ui, Rect box, const CardText *card)
{
    ui_card(ui, box);
    Rect icon = {box.x + 16, box.y + 16, 36, 36};
    draw_rect(ui->list, &(DrawRect){.box = icon,
                                    .radius = 9,
                                    .fill = color_mix(ui->theme.card, card->role.fill, 0.16f)});
    draw_icon(ui->list, &(DrawIcon){.icon = card->icon,
                                    .center = rect_center(icon),
                                    .size = 20,
                                    .stroke = 1.7f,
                                    .color = card->role.text});
    float x = box.x + 68;
    float w = box.x + box.w - 14 - x;
    float top = box.h >= 92 ? 14 : 8;
    ui_label(ui, rect(x, box.y + top, w, 20),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = card->role.text},
             card->title);
    RichText style = {.size = 12, .line = 18};
    if (teach_rich(ui, rect(x, 0, w, 0), &style, card->text) > 36) {
        style.line = 16;
    }
    float room = box.h - top - 22 - 4;
    teach_rich(ui, rect(x, box.y + top + 22, w, room), &style, card->text);
}

/* Two other heads that read this query's row most unlike this one: what several heads are for. */
static const char *heads_text(MechanismScene *s)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    const Trace *trace = s->c->session->trace;
    const char *query = label_of(s->c, l->query);
    int32_t best[2] = {-1, -1};
    int32_t keys[2] = {-1, -1};
    TraceRows rows;
    for (int32_t h = 0; h < l->n_heads; h++) {
        if (!trace_rows(trace, l->layer, h, &rows) || rows.max_key[l->query] < 0) {
            continue;
        }
        int32_t key = rows.max_key[l->query];
        float w = rows.max_weight[l->query];
        for (int k = 0; k < 2; k++) {
            bool other = k == 0 || key != keys[0];
            TraceRows now;
            float held = best[k] >= 0 && trace_rows(trace, l->layer, best[k], &now)
                             ? now.max_weight[l->query]
                             : -1;
            if (other && w > held) {
                best[k] = h;
                keys[k] = key;
                break;
            }
        }
    }
    if (best[0] < 0) {
        return "Each head has its own q, k and v, so each can look for something else.";
    }
    trace_rows(trace, l->layer, best[0], &rows);
    const char *first =
        draw_format(ui->list, "head %d puts *%.0f %% on “%s”*", best[0],
                    100 * (double)rows.max_weight[l->query], key_label_of(s->c, keys[0]));
    if (best[1] < 0) {
        return draw_format(ui->list, "Each head looks for something else: for “%s”, %s.", query,
                           first);
    }
    trace_rows(trace, l->layer, best[1], &rows);
    return draw_format(ui->list,
                       "Each head looks for something else: for “%s”, %s, head %d *%.0f %% on "
                       "“%s”.*",
                       query, first, best[1], 100 * (double)rows.max_weight[l->query],
                       key_label_of(s->c, keys[1]));
}

static const char *reading_text(MechanismScene *s)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    const Trace *trace = s->c->session->trace;
    TraceTop top[2];
    size_t n = 0;
    if (!trace_top_keys(trace, l->layer, l->head, l->query, 2, top, &n, NULL) || !n) {
        return "This token sees no key: its row is empty.";
    }
    const char *query = label_of(s->c, l->query);
    const char *words[2] = {key_label_of(s->c, top[0].key),
                            n > 1 ? key_label_of(s->c, top[1].key) : ""};
    const char *place[2] = {"", ""};
    for (int i = 0; i < 2 && strcmp(words[0], words[1]) == 0; i++) { /* one word, two places */
        place[i] = draw_format(ui->list, " (token %d)", top[i].key);
    }
    const char *first =
        draw_format(ui->list, "Head %d lets “%s” take *%.0f %% from “%s”*%s", l->head, query,
                    100 * (double)top[0].weight, words[0], place[0]);
    bool both = n > 1 && top[1].weight >= 0.005f;
    const char *second = both ? draw_format(ui->list, " and %.0f %% from “%s”%s",
                                            100 * (double)top[1].weight, words[1], place[1])
                              : "";
    const char *mask = l->cross ? " Every word of the source may be read: nothing is masked here."
                       : trace_layer(trace, l->layer)->causal
                           ? " No line leads to a later word: that is the causal mask."
                           : " Lines lead both ways: nothing is masked here.";
    return draw_format(ui->list, "%s%s.%s", first, second, mask);
}

void mechanism_cards(MechanismScene *s, const MechanismLayout *layout)
{
    Ui *ui = s->c->ui;
    const CardText cards[3] = {
        {ICON_BULB, role_q(ui), "The key idea",
         "A query and a key that point the same way give a large score. That single product "
         "decides *who is read, and how much*."},
        {ICON_HEADS, role_score(ui), "Why several heads", heads_text(s)},
        {ICON_EYE, role_output(ui), "Reading the pattern", reading_text(s)},
    };
    for (int i = 0; layout->has_cards && i < 3; i++) {
        draw_push_alpha(ui->list, phase_of(s->t, 0.2, i, 0.15, 0.5));
        draw_insight(ui, layout->cards[i], &cards[i]);
        draw_pop_alpha(ui->list);
    }
}

/* ---- the view ---- */

void mechanism_draw(ViewContext *c, Rect stage)
{
    if (teach_too_small(c, stage)) {
        return;
    }
    const TraceInfo *info = trace_info(c->session->trace);
    MechanismLayout layout = mechanism_layout(stage, info->n_queries);
    const Lesson *l = teach_lesson(c, stage, layout.room);
    if (!l) {
        return;
    }
    MechanismScene s = {.c = c,
                        .l = l,
                        .t = playback_time(&c->session->playback),
                        .a = layout.a,
                        .b = layout.b,
                        .c_panel = layout.c,
                        .gap = layout.gap};
    draw_title(&s, layout.title);
    draw_window_stepper(&s, layout.title);
    float y = layout.brackets.y + 10;
    draw_bracket(c->ui, layout.a.x, layout.b.x + layout.b.w, y, "Mechanism",
                 "how the numbers come about");
    draw_bracket(c->ui, layout.c.x, layout.c.x + layout.c.w, y, "Behaviour",
                 "what the head ends up doing");
    mechanism_panel_a(&s);
    mechanism_panel_b(&s);
    mechanism_panel_c(&s);
    float middle = layout.a.y + layout.a.h * 0.5f;
    teach_disc(c->ui, vec2(layout.a.x + layout.a.w + layout.gap / 2, middle), ICON_ARROW_RIGHT,
               phase(s.t, 1.9, 2.2));
    teach_disc(c->ui, vec2(layout.b.x + layout.b.w + layout.gap / 2, middle), ICON_ARROW_RIGHT,
               phase(s.t, 5.8, 6.1));
    mechanism_cards(&s, &layout);
}
