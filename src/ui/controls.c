#include "ui/controls.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool ui_toggle(Ui *ui, UiId id, Rect box, const char *label, bool on)
{
    enum { TRACK_W = 34, TRACK_H = 18 };
    const Theme *t = &ui->theme;
    bool hot;
    bool clicked = ui_click(ui, id, box, true, &hot, NULL);
    on = on != clicked;
    float h = ui_ease(ui, id, hot, EASE_HOVER_S);
    float at = ui_ease(ui, id + 1, on, EASE_HOVER_S);
    Rect track = {box.x, ui_snap(ui, box.y + (box.h - TRACK_H) / 2), TRACK_W, TRACK_H};
    draw_rect(ui->list,
              &(DrawRect){.box = track,
                          .radius = TRACK_H / 2,
                          .fill = color_mix(color_mix(t->track, t->raised_hot, h), t->accent, at),
                          .border = 1,
                          .border_color = color_mix(t->edge2, t->accent, at)});
    draw_circle(ui->list, &(DrawCircle){.center = {track.x + 9 + 16 * at, track.y + TRACK_H / 2},
                                        .radius = 6,
                                        .fill = color_mix(t->text2, t->on_accent, at)});
    ui_label(ui, rect(box.x + TRACK_W + 10, box.y, box.w - TRACK_W - 10, box.h),
             &(UiLabel){.color = color_mix(t->text2, t->text, fmaxf(h, at))}, label);
    return on;
}

bool ui_chip_button(Ui *ui, UiId id, Rect box, const UiChip *chip)
{
    bool hot;
    bool clicked = ui_click(ui, id, box, true, &hot, NULL);
    UiChip shown = *chip;
    float h = ui_ease(ui, id, hot && !chip->chosen, EASE_HOVER_S);
    ui_chip(ui, box, &shown);
    if (h > 0) {
        draw_rect(ui->list, &(DrawRect){.box = box,
                                        .radius = fminf(7, box.h * 0.3f),
                                        .border = 1,
                                        .border_color = color_with_alpha(chip->color, h)});
    }
    return clicked;
}

int ui_tabs(Ui *ui, UiId id, Rect box, const char *const *items, int n, int current)
{
    const Theme *t = &ui->theme;
    int chosen = ui_arrow_choice(ui, id, box, n, current);
    ui_hairline_h(ui, box.x, box.y + box.h - 1, box.w);
    float sum = 0;
    for (int i = 0; i < n; i++) {
        sum += ui_text_width(ui, FONT_SANS_SEMIBOLD, 12, items[i]) + 24;
    }
    float shrink = sum > box.w ? box.w / sum : 1;
    float x = box.x;
    for (int i = 0; i < n; i++) {
        float w = (ui_text_width(ui, FONT_SANS_SEMIBOLD, 12, items[i]) + 24) * shrink;
        Rect tab = {x, box.y, w, box.h};
        x += w;
        UiId tab_id = id + (UiId)i + 1;
        bool hot;
        if (ui_click(ui, tab_id, tab, false, &hot, NULL)) {
            chosen = i;
        }
        bool on = i == current;
        float h = ui_ease(ui, tab_id, hot && !on, EASE_HOVER_S);
        ui_label(ui, rect(tab.x + 4, tab.y, tab.w - 8, tab.h - 2),
                 &(UiLabel){.face = on ? FONT_SANS_SEMIBOLD : FONT_SANS_MEDIUM,
                            .align = DRAW_CENTER,
                            .color = on ? t->text : color_mix(t->text2, t->text, h)},
                 items[i]);
        if (on) {
            draw_rect(ui->list, &(DrawRect){.box = {tab.x + 8, tab.y + tab.h - 3, tab.w - 16, 3},
                                            .radius = 1.5f,
                                            .fill = t->accent});
        }
    }
    return chosen;
}

/* ---- scroll area ---- */

static float scroll_most(const UiScroll *s)
{
    return fmaxf(0, s->content_h - s->box.h);
}

Rect ui_scroll_begin(Ui *ui, UiId id, Rect box, float content_h, UiScroll *scroll)
{
    scroll->id = id;
    scroll->box = box;
    scroll->content_h = content_h;
    scroll->goal = AS_CLAMP(scroll->goal, 0, scroll_most(scroll));
    scroll->offset = (float)ui_tween(ui, id, (double)scroll->goal, 0.12);
    scroll->offset = AS_CLAMP(scroll->offset, 0, scroll_most(scroll));
    scroll->focus_before = ui->focus_used;
    bool scrolls = scroll_most(scroll) > 0;
    if (scrolls) {
        (void)ui_focusable(ui, id, box);
    }
    draw_push_clip(ui->list, box);
    return rect(box.x, ui_snap(ui, box.y - scroll->offset), box.w - (scrolls ? 10.0f : 0),
                fmaxf(content_h, box.h));
}

static void scroll_bar(Ui *ui, UiScroll *s)
{
    const Theme *t = &ui->theme;
    float most = scroll_most(s);
    float h = fmaxf(28, s->box.h * s->box.h / s->content_h);
    float room = fmaxf(1, s->box.h - h);
    Rect bar = {s->box.x + s->box.w - 7, s->box.y + room * s->offset / most, 6, h};
    Rect grip = {s->box.x + s->box.w - 10, s->box.y, 10, s->box.h};
    bool hot;
    bool held;
    ui_click(ui, s->id + 1, grip, false, &hot, &held);
    if (held && ui->pressed[0]) {
        s->drag_from = rect_contains(rect(grip.x, bar.y, grip.w, bar.h), ui->mouse)
                           ? s->goal
                           : (ui->mouse.y - s->box.y - h / 2) / room * most;
        s->goal = s->drag_from;
    } else if (held) {
        s->goal = s->drag_from + (ui->mouse.y - ui->press_at.y) / room * most;
    }
    float lit = ui_ease(ui, s->id + 1, hot || held, EASE_HOVER_S);
    draw_rect(ui->list,
              &(DrawRect){.box = bar, .radius = 3, .fill = color_mix(t->edge2, t->text3, lit)});
}

void ui_scroll_end(Ui *ui, UiScroll *s)
{
    float most = scroll_most(s);
    draw_pop_clip(ui->list);
    /* A widget in it that has just got the focus is brought into view. */
    if (ui->focus_used && !s->focus_before && ui->focus != s->id && ui->focus != s->focus_seen) {
        s->focus_seen = ui->focus;
        float top = ui->focus_box.y - s->box.y + s->offset;
        s->goal = AS_CLAMP(s->goal, top + ui->focus_box.h + 6 - s->box.h, top - 6);
        ui->moves = true;
    } else if (!ui->focus_used || s->focus_before) {
        s->focus_seen = 0;
    }
    if (most <= 0) {
        s->goal = 0;
        return;
    }
    if (ui->wheel != 0 && ui_hovers(ui, s->box)) {
        s->goal -= ui->wheel * 60;
        ui->wheel = 0;
        ui->moves = true;
    }
    if (ui->focus == s->id && ui->focus_shown) {
        float page = s->box.h * 0.9f;
        int lines = ui_take_key(ui, KEY_DOWN, 0) - ui_take_key(ui, KEY_UP, 0);
        int pages = ui_take_key(ui, KEY_PAGE_DOWN, 0) - ui_take_key(ui, KEY_PAGE_UP, 0);
        s->goal += 40 * (float)lines + page * (float)pages;
        s->goal = ui_take_key(ui, KEY_HOME, 0) ? 0 : s->goal;
        s->goal = ui_take_key(ui, KEY_END, 0) ? most : s->goal;
        ui->moves |= lines || pages;
    }
    scroll_bar(ui, s);
    s->goal = AS_CLAMP(s->goal, 0, most);
}

/* ---- split pane ---- */

UiSplitResult ui_split(Ui *ui, UiId id, Rect box, const UiSplit *split)
{
    enum { HANDLE = 8 };
    const Theme *t = &ui->theme;
    float whole = fmaxf(1, (split->stacked ? box.h : box.w) - HANDLE);
    float least = fminf(split->least_px > 0 ? split->least_px : 80, whole / 2);
    float start = split->stacked ? box.y : box.x;
    float first = AS_CLAMP(split->fraction * whole, least, whole - least);
    UiSplitResult r = {.fraction = split->fraction};
    Rect handle = split->stacked ? rect(box.x, box.y + first, box.w, HANDLE)
                                 : rect(box.x + first, box.y, HANDLE, box.h);
    bool hot;
    bool held;
    ui_click(ui, id, handle, true, &hot, &held);
    if (held && !ui->pressed[0]) {
        float at = (split->stacked ? ui->mouse.y : ui->mouse.x) - HANDLE / 2 - start;
        first = AS_CLAMP(at, least, whole - least);
        r.fraction = first / whole;
    }
    r.released = ui->released[0] && ui->active == id;
    if (ui->focus == id && ui->focus_shown) {
        int step = split->stacked ? ui_take_key(ui, KEY_DOWN, 0) - ui_take_key(ui, KEY_UP, 0)
                                  : ui_take_key(ui, KEY_RIGHT, 0) - ui_take_key(ui, KEY_LEFT, 0);
        if (step) {
            first = AS_CLAMP(first + 24 * (float)step, least, whole - least);
            r.fraction = first / whole;
            r.released = true;
        }
    }
    r.changed = r.fraction != split->fraction;
    first = ui_snap(ui, first);
    float h = ui_ease(ui, id, hot || held, EASE_HOVER_S);
    Color line = color_mix(t->edge, t->accent, h);
    if (split->stacked) {
        r.first = rect(box.x, box.y, box.w, first);
        r.second = rect(box.x, box.y + first + HANDLE, box.w, whole - first);
        ui_hairline_h(ui, box.x, box.y + first + HANDLE / 2, box.w);
        draw_rect(ui->list, &(DrawRect){.box = {box.x + box.w / 2 - 16, box.y + first + 2, 32, 4},
                                        .radius = 2,
                                        .fill = line});
    } else {
        r.first = rect(box.x, box.y, first, box.h);
        r.second = rect(box.x + first + HANDLE, box.y, whole - first, box.h);
        ui_hairline_v(ui, box.x + first + HANDLE / 2, box.y, box.h);
        draw_rect(ui->list, &(DrawRect){.box = {box.x + first + 2, box.y + box.h / 2 - 16, 4, 32},
                                        .radius = 2,
                                        .fill = line});
    }
    return r;
}

/* ---- above everything ---- */

Rect ui_dialog(Ui *ui, UiId id, Rect area, float w, float h, const char *title, bool *closed)
{
    enum { PAD = 24, HEAD = 60 };
    const Theme *t = &ui->theme;
    /* What lies below keeps neither the focus nor a place in the order of Tab. */
    ui->n_focus = 0;
    ui->focus_used = false;
    draw_rect(ui->list, &(DrawRect){.box = area, .fill = color_with_alpha(t->page, 0.72f)});
    w = fminf(w, area.w - 16);
    h = fminf(h, area.h - 16);
    Rect card = {ui_snap(ui, area.x + (area.w - w) / 2), ui_snap(ui, area.y + (area.h - h) * 0.4f),
                 w, h};
    ui_card(ui, card);
    ui_label(ui, rect(card.x + PAD, card.y + 16, w - 2 * PAD - 40, 32),
             &(UiLabel){.face = FONT_DISPLAY_SEMIBOLD, .size = 20, .color = t->text}, title);
    Rect cross = {card.x + w - PAD - 28, card.y + 18, 28, 28};
    bool beside = ui->pressed[0] && rect_contains(area, ui->mouse) &&
                  !rect_contains(card, ui->mouse) && !ui->active && !ui->popup.id;
    *closed = ui_icon_button(ui, id, cross, ICON_CLOSE, "close (Esc)") || beside;
    if (beside) {
        ui->active = id; /* nothing below takes this press */
    }
    return rect(card.x + PAD, card.y + HEAD, w - 2 * PAD, h - HEAD - PAD);
}

static const double TOAST_S = 4.5;
static const double TOAST_FADE_S = 0.25;

void ui_toast(Ui *ui, UiToastKind kind, const char *text)
{
    if (ui->no_toasts) {
        return;
    }
    UiToast *slot = &ui->toasts[0];
    char line[sizeof slot->text];
    snprintf(line, sizeof line, "%s", text);
    size_t n = strlen(line);
    while (n && ((unsigned char)text[n] & 0xC0) == 0x80) { /* cut on a character */
        line[--n] = 0;
    }
    for (int i = 0; i < UI_TOASTS; i++) {
        if (ui->toasts[i].until_s > 0 && strcmp(ui->toasts[i].text, line) == 0) {
            ui->toasts[i].until_s = ui->now_s + TOAST_S;
            return;
        }
        if (ui->toasts[i].until_s < slot->until_s) {
            slot = &ui->toasts[i]; /* a free one, or the one that goes next */
        }
    }
    *slot = (UiToast){.kind = (int)kind, .since_s = ui->now_s, .until_s = ui->now_s + TOAST_S};
    memcpy(slot->text, line, sizeof slot->text);
    ui->moves = true;
}

static float toast_height(Ui *ui, const UiToast *toast, float width)
{
    return ui_paragraph_height(ui, width - 58, &(UiLabel){0}, 18, toast->text) + 20;
}

static void draw_toast(Ui *ui, UiToast *toast, Rect box, float alpha)
{
    const Theme *t = &ui->theme;
    Color colors[] = {t->accent, t->ok, t->warn};
    Color color = colors[AS_CLAMP(toast->kind, 0, 2)];
    draw_push_alpha(ui->list, alpha);
    draw_shadow(ui->list, &(DrawShadow){.box = box,
                                        .radius = 10,
                                        .blur = 16,
                                        .dy = 4,
                                        .color = color_with_alpha(t->shadow, t->shadow_alpha)});
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 10,
                                    .fill = t->raised,
                                    .border = 1,
                                    .border_color = color_mix(t->edge2, color, 0.5f)});
    draw_icon(ui->list, &(DrawIcon){.icon = toast->kind == UI_TOAST_WARNING ? ICON_WARNING
                                            : toast->kind == UI_TOAST_OK    ? ICON_CHECK
                                                                            : ICON_INFO,
                                    .center = {box.x + 22, box.y + 19},
                                    .size = 16,
                                    .color = color});
    ui_paragraph(ui, rect(box.x + 42, box.y + 10, box.w - 58, box.h - 20),
                 &(UiLabel){.color = t->text}, 18, toast->text);
    draw_pop_alpha(ui->list);
}

void ui_toasts_draw(Ui *ui)
{
    float width = fminf(360, ui->width - 32);
    float y = ui->height - 100;
    for (int i = 0; i < UI_TOASTS; i++) {
        UiToast *toast = &ui->toasts[i];
        if (toast->until_s <= 0) {
            continue;
        }
        if (ui->now_s >= toast->until_s) {
            *toast = (UiToast){0};
            continue;
        }
        float h = toast_height(ui, toast, width);
        Rect box = {ui_snap(ui, ui->width - width - 16), ui_snap(ui, y - h), width, h};
        y -= h + 10;
        double in = (ui->now_s - toast->since_s) / TOAST_FADE_S;
        double out = (toast->until_s - ui->now_s) / TOAST_FADE_S;
        float alpha = ui->still ? 1 : (float)AS_CLAMP(AS_MIN(in, out), 0.0, 1.0);
        if (ui->mouse_inside && rect_contains(box, ui->mouse)) {
            toast->until_s = AS_MAX(toast->until_s, ui->now_s + 1); /* it is being read */
            if (ui->pressed[0] && !ui->active) {
                ui->active = 1;
                toast->until_s = ui->now_s + TOAST_FADE_S;
            }
        }
        draw_toast(ui, toast, box, alpha);
        ui->moves |= !ui->still && (in < 1 || out < 1);
        ui_wake_in(ui, AS_MAX(toast->until_s - TOAST_FADE_S - ui->now_s, 0.02));
    }
}
