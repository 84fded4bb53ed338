#include "ui/popup.h"

#include "base/str.h"
#include "registry/fuzzy.h"
#include "ui/widgets.h"

#include <math.h>
#include <string.h>

static const float ROW_PX = 30;
static const float SEARCH_PX = 32;

/* Lists of this many items say that they can be searched. */
enum { SEARCH_FROM = 10 };

void popup_toggle(Ui *ui, UiId id)
{
    bool open = ui->popup.id == id;
    ui->popup = (UiPopup){.id = open ? 0 : id, .hot = -1, .chosen = -1};
    ui->moves = true;
}

static void filter(Ui *ui, UiPopup *p)
{
    p->n_shown = 0;
    p->shown = ARENA_ARRAY(&ui->list->arena, int, (size_t)AS_MAX(p->n_items, 1), NULL);
    for (int i = 0; p->shown && i < p->n_items; i++) {
        if (!p->search[0] || fuzzy_score(p->search, p->items[i], NULL) > 0) {
            p->shown[p->n_shown++] = i;
        }
    }
}

void popup_offer(Ui *ui, UiId id, Rect anchor, const char *const *items, int n_items, int current)
{
    UiPopup *p = &ui->popup;
    if (p->id != id) {
        return;
    }
    p->items = ARENA_ARRAY(&ui->list->arena, const char *, (size_t)AS_MAX(n_items, 1), NULL);
    p->n_items = p->items ? n_items : 0;
    for (int i = 0; i < p->n_items; i++) {
        p->items[i] = items[i];
    }
    p->anchor = anchor;
    p->current = current;
    filter(ui, p);
    if (p->hot < 0) {
        p->hot_by_keys = true;
        p->hot = 0;
        for (int i = 0; i < p->n_shown; i++) {
            p->hot = p->shown[i] == current ? i : p->hot;
        }
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

static void type(UiPopup *p, uint32_t code_point)
{
    char bytes[4];
    size_t n = utf8_encode(code_point, bytes);
    size_t have = strlen(p->search);
    if (have + n < sizeof p->search) {
        memcpy(p->search + have, bytes, n);
        p->search[have + n] = 0;
    }
}

static void untype(UiPopup *p)
{
    size_t n = strlen(p->search);
    while (n && ((unsigned char)p->search[--n] & 0xC0) == 0x80) {
    }
    p->search[n] = 0;
}

/* All keys are the list's while it is open. The items are those of the last pass. */
void popup_keys(Ui *ui)
{
    UiPopup *p = &ui->popup;
    if (!p->id) {
        return;
    }
    int n = p->n_shown;
    int step = 0;
    bool enter = false;
    for (int i = 0; i < ui->n_keys && p->id; i++) {
        UiKeyPress k = ui->keys[i];
        if (k.is_text && k.key >= ' ' && !(k.mods & KEY_MOD_CTRL)) {
            type(p, k.key);
            p->hot = 0;
        } else if (k.key == KEY_BACKSPACE) {
            untype(p);
            p->hot = 0;
        } else if (k.key == KEY_ESC || k.key == KEY_TAB) {
            popup_toggle(ui, p->id);
        } else if (k.key == KEY_ENTER) {
            enter = true;
        } else {
            step += (k.key == KEY_DOWN) - (k.key == KEY_UP) +
                    10 * ((k.key == KEY_PAGE_DOWN) - (k.key == KEY_PAGE_UP));
        }
    }
    ui->n_keys = 0;
    if (!p->id) {
        return;
    }
    if (step) {
        p->hot = AS_CLAMP(p->hot + step, 0, AS_MAX(n - 1, 0));
        p->hot_by_keys = true;
    }
    p->enter = enter;
}

static void draw_row(Ui *ui, Rect row, const char *text, bool hot, bool current)
{
    const Theme *t = &ui->theme;
    if (hot) {
        draw_rect(ui->list, &(DrawRect){.box = row, .radius = 6, .fill = t->accent_tint});
    }
    ui_label(ui, rect(row.x + 10, row.y, row.w - 36, row.h),
             &(UiLabel){.face = current ? FONT_SANS_SEMIBOLD : FONT_SANS,
                        .color = current || hot ? t->text : t->text2},
             text);
    if (current) {
        draw_icon(ui->list, &(DrawIcon){.icon = ICON_CHECK,
                                        .center = {row.x + row.w - 14, row.y + row.h / 2},
                                        .size = 14,
                                        .color = t->accent});
    }
}

static Rect place(Ui *ui, UiPopup *p, bool with_search)
{
    float width = p->anchor.w;
    for (int i = 0; i < p->n_items; i++) {
        float w = text_width(ui->fonts, FONT_SANS_SEMIBOLD, 12, p->items[i], TEXT_ALL);
        width = fmaxf(width, fminf(ceilf(w) + 56, 420));
    }
    width = fminf(width, ui->width - 16);
    float top = with_search ? SEARCH_PX : 0;
    float want = (float)AS_MAX(p->n_shown, 1) * ROW_PX + 12 + top;
    float below = ui->height - 8 - (p->anchor.y + p->anchor.h + 4);
    float above = p->anchor.y - 4 - 8;
    bool up = want > below && above > below;
    float h = fminf(want, fmaxf(up ? above : below, ROW_PX + 12 + top));
    float y = up ? p->anchor.y - 4 - h : p->anchor.y + p->anchor.h + 4;
    return rect(fminf(p->anchor.x, ui->width - width - 8), fmaxf(y, 8), width, h);
}

static void draw_search(Ui *ui, const UiPopup *p, Rect line)
{
    const Theme *t = &ui->theme;
    draw_icon(ui->list, &(DrawIcon){.icon = ICON_SEARCH,
                                    .center = {line.x + 16, line.y + line.h / 2},
                                    .size = 14,
                                    .color = t->text3});
    bool typed = p->search[0];
    float w = ui_label(ui, rect(line.x + 30, line.y, line.w - 44, line.h),
                       &(UiLabel){.color = typed ? t->text : t->text3},
                       typed ? p->search : "type to search");
    draw_rect(ui->list, &(DrawRect){.box = {ui_snap(ui, line.x + 30 + (typed ? w + 1 : -3)),
                                            line.y + 9, 1.5f, line.h - 18},
                                    .fill = t->accent});
    ui_hairline_h(ui, line.x, line.y + line.h - 1, line.w);
}

/* The rows; returns whether the pointer is over one of them. */
static bool draw_rows(Ui *ui, UiPopup *p, Rect inner)
{
    bool over = ui->mouse_inside && rect_contains(inner, ui->mouse);
    float most = fmaxf(0, (float)p->n_shown * ROW_PX - inner.h);
    if (over && ui->wheel != 0) {
        p->scroll -= ui->wheel * 2 * ROW_PX;
        ui->wheel = 0;
    }
    if (p->hot_by_keys) {
        float y = (float)p->hot * ROW_PX;
        p->scroll = AS_CLAMP(p->scroll, y + ROW_PX - inner.h, y);
        p->hot_by_keys = false;
    }
    p->scroll = AS_CLAMP(p->scroll, 0, most);
    bool on_row = false;
    draw_push_clip(ui->list, inner);
    for (int i = (int)(p->scroll / ROW_PX); i < p->n_shown; i++) {
        Rect row = {inner.x, ui_snap(ui, inner.y + ROW_PX * (float)i - p->scroll), inner.w, ROW_PX};
        if (row.y >= inner.y + inner.h) {
            break;
        }
        if (over && rect_contains(row, ui->mouse)) {
            on_row = true;
            p->hot = ui->mouse_moved || ui->pressed[0] ? i : p->hot;
        }
        draw_row(ui, row, p->items[p->shown[i]], p->hot == i, p->current == p->shown[i]);
    }
    if (most > 0) {
        float h = fmaxf(20, inner.h * inner.h / ((float)p->n_shown * ROW_PX));
        float y = inner.y + (inner.h - h) * p->scroll / most;
        draw_rect(ui->list, &(DrawRect){.box = {inner.x + inner.w - 4, y, 4, h},
                                        .radius = 2,
                                        .fill = ui->theme.edge2});
    }
    draw_pop_clip(ui->list);
    return on_row;
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
    bool with_search = p->n_items >= SEARCH_FROM || p->search[0];
    p->hot = AS_CLAMP(p->hot, 0, AS_MAX(p->n_shown - 1, 0));
    Rect box = p->box = place(ui, p, with_search);
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
    Rect inner = {box.x + 6, box.y + 6, box.w - 12, box.h - 12};
    UiId id = p->id;
    p->id = 0; /* its own rows are not shielded by it */
    if (with_search) {
        draw_search(ui, p, rect(inner.x, inner.y, inner.w, SEARCH_PX - 4));
        inner.y += SEARCH_PX;
        inner.h -= SEARCH_PX;
    }
    bool on_row = draw_rows(ui, p, inner);
    if (!p->n_shown) {
        ui_label(ui, rect(inner.x + 10, inner.y, inner.w - 20, ROW_PX),
                 &(UiLabel){.color = t->text3}, "nothing matches");
    }
    p->id = id;
    if (p->enter && p->n_shown) {
        choose(ui, p->shown[p->hot]);
    } else if (ui->pressed[0]) {
        if (on_row) {
            ui->active = 1; /* nothing below gets this press */
            choose(ui, p->shown[p->hot]);
        } else if (rect_contains(box, ui->mouse)) {
            ui->active = 1;
        } else if (!rect_contains(p->anchor, ui->mouse)) {
            popup_toggle(ui, p->id);
        }
    }
    ui->popup.enter = false;
}
