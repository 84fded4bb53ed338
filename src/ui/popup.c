#include "ui/popup.h"

#include <math.h>

static const float ROW_PX = 30;

void popup_toggle(Ui *ui, UiId id)
{
    bool open = ui->popup.id == id;
    ui->popup = (UiPopup){.id = open ? 0 : id, .hot = -1, .chosen = -1};
    ui->moves = true;
}

void popup_offer(Ui *ui, UiId id, Rect anchor, const char *const *items, int n_items, int current)
{
    UiPopup *p = &ui->popup;
    if (p->id != id) {
        return;
    }
    p->n_items = AS_MIN(n_items, (int)UI_POPUP_ITEMS);
    for (int i = 0; i < p->n_items; i++) {
        p->items[i] = items[i];
    }
    p->anchor = anchor;
    p->current = current;
    if (p->hot < 0) {
        p->hot = current;
    }
}

int popup_take(Ui *ui, UiId id)
{
    UiPopup *p = &ui->popup;
    if (p->chosen_for != id) {
        return -1;
    }
    int chosen = p->chosen;
    p->chosen_for = 0;
    p->chosen = -1;
    return chosen;
}

static void choose(Ui *ui, int item)
{
    UiId id = ui->popup.id;
    ui->popup = (UiPopup){.chosen = item, .chosen_for = id, .hot = -1};
    ui->moves = true; /* the drop-down takes it in the next pass */
}

void popup_keys(Ui *ui)
{
    UiPopup *p = &ui->popup;
    if (!p->id) {
        return;
    }
    if (ui_take_key(ui, KEY_ESC, 0)) {
        popup_toggle(ui, p->id);
        return;
    }
    p->hot += ui_take_key(ui, KEY_DOWN, 0);
    p->hot -= ui_take_key(ui, KEY_UP, 0) && p->hot > 0;
    if (ui_take_key(ui, KEY_ENTER, 0) && p->hot >= 0) {
        choose(ui, p->hot);
    }
}

static void draw_row(Ui *ui, Rect row, const char *text, bool hot, bool current)
{
    const Theme *t = &ui->theme;
    if (hot) {
        draw_rect(ui->list, &(DrawRect){.box = row, .radius = 6, .fill = t->accent_tint});
    }
    draw_text(ui->list, &(DrawText){.face = current ? FONT_SANS_SEMIBOLD : FONT_SANS,
                                    .size = 12,
                                    .color = current || hot ? t->text : t->text2,
                                    .text = text,
                                    .at = {row.x + 10, text_center_baseline(ui->fonts, FONT_SANS,
                                                                            12, row.y + row.h / 2)},
                                    .max_width = row.w - 36});
    if (current) {
        draw_icon(ui->list, &(DrawIcon){.icon = ICON_CHECK,
                                        .center = {row.x + row.w - 14, row.y + row.h / 2},
                                        .size = 14,
                                        .color = t->accent});
    }
}

void popup_draw(Ui *ui)
{
    UiPopup *p = &ui->popup;
    if (!p->id) {
        return;
    }
    if (!p->n_items) {
        p->id = 0; /* its drop-down is gone */
        return;
    }
    p->hot = AS_MIN(p->hot, p->n_items - 1);
    float width = p->anchor.w;
    for (int i = 0; i < p->n_items; i++) {
        float w = text_width(ui->fonts, FONT_SANS_SEMIBOLD, 12, p->items[i], TEXT_ALL);
        width = fmaxf(width, fminf(ceilf(w) + 56, 420));
    }
    Rect box = {p->anchor.x, p->anchor.y + p->anchor.h + 4, width, (float)p->n_items * ROW_PX + 12};
    box.x = fminf(box.x, ui->width - box.w - 8);
    if (box.y + box.h > ui->height - 8) {
        box.y = fmaxf(8, p->anchor.y - 4 - box.h);
    }
    p->box = box;
    const Theme *t = &ui->theme;
    draw_shadow(ui->list,
                &(DrawShadow){.box = box,
                              .radius = 10,
                              .blur = 20,
                              .dy = 6,
                              .color = color_with_alpha(t->shadow, t->dark ? 0.5f : 0.14f)});
    draw_rect(
        ui->list,
        &(DrawRect){
            .box = box, .radius = 10, .fill = t->raised, .border = 1, .border_color = t->edge2});
    bool over = ui->mouse_inside && rect_contains(box, ui->mouse);
    for (int i = 0; i < p->n_items; i++) {
        Rect row = {box.x + 6, box.y + 6 + ROW_PX * (float)i, box.w - 12, ROW_PX};
        if (over && rect_contains(row, ui->mouse)) {
            p->hot = i;
        }
        draw_row(ui, row, p->items[i], p->hot == i, p->current == i);
    }
    if (ui->pressed[0]) {
        if (over && p->hot >= 0) {
            ui->active = 1; /* nothing below gets this press */
            choose(ui, p->hot);
        } else if (!rect_contains(p->anchor, ui->mouse)) {
            popup_toggle(ui, p->id);
        }
    }
}
