#include "ui/ui.h"

#include "ui/controls.h"
#include "ui/popup.h"
#include "ui/text_field.h"

#include <math.h>
#include <string.h>

static const double TIP_DELAY_S = 0.45;
static const float TIP_EDGE = 24;
static const double DOUBLE_CLICK_S = 0.35;

UiId ui_id(const char *text, int64_t index)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a, 64 bit */
    for (; *text; text++) {
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    }
    for (int i = 0; i < 8; i++) {
        h = (h ^ (unsigned char)((uint64_t)index >> (8 * i))) * 1099511628211u;
    }
    return h ? h : 1;
}

static bool edge_waits(const Ui *ui, int button)
{
    return ui->pressed[button] || ui->released[button];
}

bool ui_feed(Ui *ui, const UiEvent *event)
{
    switch (event->kind) {
    case UI_EVENT_MOVE:
        /* A drag that starts and moves in one pass would lose its start. */
        if (ui->pressed[0]) {
            return false;
        }
        ui->mouse_moved |=
            !ui->mouse_inside || event->at.x != ui->mouse.x || event->at.y != ui->mouse.y;
        ui->mouse = event->at;
        ui->mouse_inside = true;
        return true;
    case UI_EVENT_LEAVE:
        ui->mouse_inside = false;
        return true;
    case UI_EVENT_DOWN:
    case UI_EVENT_UP: {
        int b = event->button;
        if (b < 0 || b >= UI_BUTTONS) {
            return true;
        }
        for (int i = 0; i < UI_BUTTONS; i++) {
            if (edge_waits(ui, i)) {
                return false;
            }
        }
        ui->mouse = event->at;
        ui->mods = event->mods;
        ui->mouse_inside = true;
        ui->down[b] = event->kind == UI_EVENT_DOWN;
        if (event->kind == UI_EVENT_DOWN) {
            bool again = event->time_s - ui->press_s < DOUBLE_CLICK_S &&
                         fabsf(event->at.x - ui->press_at.x) < 4 &&
                         fabsf(event->at.y - ui->press_at.y) < 4;
            ui->clicks = again ? ui->clicks + 1 : 1;
            ui->press_s = event->time_s;
            ui->press_at = event->at;
            ui->pressed[b] = true;
        } else {
            ui->released[b] = true;
        }
        return true;
    }
    case UI_EVENT_WHEEL:
        ui->mouse = event->at;
        ui->wheel += event->wheel;
        ui->wheel_x += event->wheel_x;
        ui->mods = event->mods;
        return true;
    case UI_EVENT_KEY:
    case UI_EVENT_TEXT:
        if (ui->n_keys == UI_MAX_KEYS) {
            return false;
        }
        ui->keys[ui->n_keys++] = (UiKeyPress){
            .key = event->key,
            .mods = event->mods,
            .is_text = event->kind == UI_EVENT_TEXT,
        };
        return true;
    }
    return true;
}

void ui_begin(Ui *ui, const UiFrame *frame)
{
    ui->list = frame->list;
    ui->fonts = frame->fonts;
    ui->theme = theme_make(frame->theme);
    ui->width = frame->width;
    ui->height = frame->height;
    ui->scale = frame->scale > 0 ? frame->scale : 1;
    ui->now_s = frame->now_s;
    ui->still = frame->still;
    ui->pass++;
    ui->n_focus = 0;
    ui->focus_used = false;
    ui->cursor = UI_CURSOR_ARROW;
    ui->moves = false;
    ui->wake_s = 0;
    ui->tip_id = 0;
    ui->popup.n_items = 0;
    ui->shield = (Rect){0};
    draw_begin(ui->list, ui->fonts, ui->width, ui->height);
    draw_set_background(ui->list, ui->theme.page);
    popup_keys(ui);
}

static void drop_key(Ui *ui, int i)
{
    memmove(&ui->keys[i], &ui->keys[i + 1], sizeof ui->keys[0] * (size_t)(ui->n_keys - i - 1));
    ui->n_keys--;
}

bool ui_take_key(Ui *ui, uint32_t key, uint32_t mods)
{
    for (int i = 0; i < ui->n_keys; i++) {
        if (ui->keys[i].key == key && ui->keys[i].mods == mods) {
            drop_key(ui, i);
            return true;
        }
    }
    return false;
}

bool ui_hovers(const Ui *ui, Rect box)
{
    if (!ui->mouse_inside || !rect_contains(box, ui->mouse) ||
        !rect_contains(draw_clip(ui->list), ui->mouse)) {
        return false;
    }
    if (!rect_is_empty(ui->shield) && rect_contains(ui->shield, ui->mouse)) {
        return false;
    }
    return !(ui->popup.id && rect_contains(ui->popup.box, ui->mouse));
}

bool ui_focusable(Ui *ui, UiId id, Rect box)
{
    if (ui->n_focus < UI_FOCUS_MAX) {
        ui->focus_order[ui->n_focus++] = id;
    }
    if (ui->focus != id) {
        return false;
    }
    ui->focus_used = true;
    ui->focus_box = box;
    ui->focus_clip = draw_clip(ui->list);
    return true;
}

bool ui_click(Ui *ui, UiId id, Rect box, bool focusable, bool *hot, bool *held)
{
    bool over = ui_hovers(ui, box);
    bool clicked = false;
    if (ui->pressed[0] && over && !ui->active) {
        ui->active = id;
        ui->focus = focusable ? id : 0;
        ui->focus_shown = false;
    }
    if (ui->released[0] && ui->active == id) {
        clicked = over;
    }
    if (focusable && ui_focusable(ui, id, box)) {
        clicked |= ui_take_key(ui, KEY_ENTER, 0);
        clicked |= ui->focus_shown && ui_take_key(ui, ' ', 0);
    }
    if (over && (!ui->active || ui->active == id)) {
        ui->cursor = UI_CURSOR_HAND;
    }
    if (hot) {
        *hot = over && (!ui->active || ui->active == id);
    }
    if (held) {
        *held = ui->active == id && ui->down[0];
    }
    return clicked;
}

double ui_tween(Ui *ui, UiId id, double goal, double seconds)
{
    if (ui->still) {
        return goal;
    }
    UiTween *slot = &ui->tweens[0];
    for (int i = 0; i < UI_TWEENS; i++) {
        if (ui->tweens[i].id == id) {
            slot = &ui->tweens[i];
            break;
        }
        if (ui->tweens[i].pass < slot->pass) {
            slot = &ui->tweens[i];
        }
    }
    if (slot->id != id || slot->pass + 2 < ui->pass) {
        *slot = (UiTween){.id = id, .tween = tween_at(goal)};
    }
    slot->pass = ui->pass;
    tween_to(&slot->tween, goal, ui->now_s, seconds);
    if (tween_moves(&slot->tween, ui->now_s)) {
        ui->moves = true;
    }
    return tween_value(&slot->tween, ui->now_s);
}

float ui_ease(Ui *ui, UiId id, bool on, double seconds)
{
    return (float)ui_tween(ui, id, on ? 1 : 0, seconds);
}

void ui_wake_in(Ui *ui, double seconds)
{
    double at = ui->now_s + seconds;
    if (ui->wake_s == 0 || at < ui->wake_s) {
        ui->wake_s = at;
    }
}

float ui_snap(const Ui *ui, float x)
{
    return roundf(x * ui->scale) / ui->scale;
}

void ui_tooltip(Ui *ui, Rect box, const char *text)
{
    if (!text || !*text || ui->popup.id || !ui_hovers(ui, box) || ui->down[0]) {
        return;
    }
    UiId id = ui_id(text, (int64_t)(box.x * 64) * 65536 + (int64_t)(box.y * 64));
    if (ui->tip_seen != id) {
        ui->tip_seen = id;
        ui->tip_since_s = ui->now_s;
    }
    ui->tip_id = id;
    ui->tip_box = box;
    size_t n = strlen(text);
    while (n >= sizeof ui->tip ||
           (n && n < strlen(text) && ((unsigned char)text[n] & 0xC0) == 0x80)) {
        n--; /* cut on a character */
    }
    memcpy(ui->tip, text, n);
    ui->tip[n] = 0;
}

static void draw_tooltip(Ui *ui)
{
    if (!ui->tip_id) {
        ui->tip_seen = 0;
        return;
    }
    if (ui->now_s - ui->tip_since_s < TIP_DELAY_S) {
        ui_wake_in(ui, TIP_DELAY_S - (ui->now_s - ui->tip_since_s) + 0.01);
        return;
    }
    const Theme *t = &ui->theme;
    enum { MOST = 6 };
    size_t starts[MOST];
    size_t ends[MOST];
    size_t n =
        text_wrap(ui->fonts, FONT_SANS, 12, ui->tip, strlen(ui->tip), 280, starts, ends, MOST);
    n = AS_MIN(n, (size_t)MOST);
    float width = 0;
    for (size_t i = 0; i < n; i++) {
        width = fmaxf(
            width, text_width(ui->fonts, FONT_SANS, 12, ui->tip + starts[i], ends[i] - starts[i]));
    }
    Rect box = {0, 0, ceilf(width) + 20, (float)n * 18 + 12};
    box.x = AS_CLAMP(ui->tip_box.x + ui->tip_box.w / 2 - box.w / 2, 8, ui->width - box.w - 8);
    box.y = ui->tip_box.y + ui->tip_box.h + 8;
    if (box.y + box.h > ui->height - 8) {
        box.y = ui->tip_box.y - box.h - 8;
    }
    if (ui->tip_box.x < TIP_EDGE) { /* in a column at the left edge: not over what comes below */
        box.x = ui->tip_box.x + ui->tip_box.w + 8;
        box.y = AS_CLAMP(ui->tip_box.y + (ui->tip_box.h - box.h) / 2, 8, ui->height - box.h - 8);
    }
    box.x = ui_snap(ui, box.x);
    box.y = ui_snap(ui, box.y);
    draw_shadow(ui->list, &(DrawShadow){.box = box,
                                        .radius = 8,
                                        .blur = 14,
                                        .dy = 4,
                                        .color = color_with_alpha(t->shadow, t->shadow_alpha)});
    draw_rect(
        ui->list,
        &(DrawRect){
            .box = box, .radius = 8, .fill = t->raised, .border = 1, .border_color = t->edge2});
    for (size_t i = 0; i < n; i++) {
        float middle = box.y + 6 + 18 * (float)i + 9;
        draw_text(ui->list,
                  &(DrawText){
                      .face = FONT_SANS,
                      .size = 12,
                      .color = t->text,
                      .text = draw_format(ui->list, "%.*s", (int)(ends[i] - starts[i]),
                                          ui->tip + starts[i]),
                      .at = {box.x + 10, text_center_baseline(ui->fonts, FONT_SANS, 12, middle)}});
    }
}

static void move_focus(Ui *ui)
{
    bool back = ui_take_key(ui, KEY_TAB, KEY_MOD_SHIFT);
    bool forward = ui_take_key(ui, KEY_TAB, 0);
    if ((!back && !forward) || !ui->n_focus) {
        return;
    }
    int at = -1;
    for (int i = 0; i < ui->n_focus; i++) {
        if (ui->focus_order[i] == ui->focus) {
            at = i;
        }
    }
    int n = ui->n_focus;
    at = at < 0 ? (back ? n - 1 : 0) : (at + (back ? n - 1 : 1)) % n;
    ui->focus = ui->focus_order[at];
    ui->focus_shown = true;
    ui->moves = true;
}

void ui_end(Ui *ui)
{
    if (ui->focus && !ui->focus_used) {
        ui->focus = 0;
    }
    if (ui->focus && ui->focus_shown) {
        draw_push_clip(ui->list, rect_inset(ui->focus_clip, -3));
        draw_rect(ui->list, &(DrawRect){.box = rect_inset(ui->focus_box, -3),
                                        .radius = 10,
                                        .border = 2,
                                        .border_color = ui->theme.accent});
        draw_pop_clip(ui->list);
    }
    ui_toasts_draw(ui);
    popup_draw(ui);
    draw_tooltip(ui);
    move_focus(ui);
    if (ui->pressed[0] && !ui->active) {
        ui->focus = 0; /* a click on nothing puts the keyboard back to the view */
    }
    if (ui->released[0] || !ui->down[0]) {
        ui->active = 0;
    }
    memset(ui->pressed, 0, sizeof ui->pressed);
    memset(ui->released, 0, sizeof ui->released);
    ui->mouse_moved = false;
    ui->wheel = 0;
    ui->wheel_x = 0;
    ui->n_keys = 0;
}

void ui_free(Ui *ui)
{
    text_edit_free(&ui->edit);
}
