#include "views/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The command palette: one line to type into, and what matches it. */

enum { WIDTH = 680, HEAD = 52, ROW = 38, FOOT = 32, TITLE = 208 };

static void choose(ViewContext *c, const PaletteEntry *entry, UiId id)
{
    if (entry->asks) {
        text_field_continue(c->ui, id, draw_format(c->ui->list, "%s ", entry->line));
        return;
    }
    session_post(c->session, "palette");
    session_post(c->session, "%s", entry->line);
}

/* The title with the letters that were typed in the accent colour. */
static void draw_title(Ui *ui, Rect box, const PaletteEntry *e)
{
    const Theme *t = &ui->theme;
    bool command = e->kind == PALETTE_COMMAND;
    FontFace plain = command ? FONT_MONO : FONT_SANS_MEDIUM;
    UiLabel style = {.face = plain, .size = 12, .color = t->text};
    if (!e->match.n || ui_text_width(ui, plain, 12, e->title) > box.w) {
        ui_label(ui, box, &style, e->title);
        return;
    }
    float x = box.x;
    int mark = 0;
    size_t n = strlen(e->title);
    for (size_t i = 0; i < n;) {
        bool marked = mark < e->match.n && e->match.at[mark] == i;
        size_t end = i;
        while (end < n && (mark < e->match.n && e->match.at[mark] == end) == marked) {
            mark += marked;
            end++;
        }
        while (end < n && ((unsigned char)e->title[end] & 0xC0) == 0x80) {
            end++; /* whole characters */
        }
        style.color = marked ? t->accent : t->text;
        const char *piece = draw_format(ui->list, "%.*s", (int)(end - i), e->title + i);
        draw_text(ui->list, &(DrawText){.face = plain,
                                        .size = 12,
                                        .color = style.color,
                                        .text = piece,
                                        .at = {x, text_center_baseline(ui->fonts, plain, 12,
                                                                       box.y + box.h / 2)}});
        x += ui_text_width(ui, plain, 12, piece);
        i = end;
    }
}

static float draw_key(Ui *ui, Rect row, float right, const char *key)
{
    if (!key || !*key) {
        return right;
    }
    float w = fmaxf(ui_text_width(ui, FONT_MONO, 11, key) + 14, 24);
    Rect cap = {right - w, row.y + 9, w, row.h - 18};
    ui_key_cap(ui, cap, key);
    return cap.x - 10;
}

static void draw_entry(Ui *ui, Rect row, const PaletteEntry *e, bool hot)
{
    const Theme *t = &ui->theme;
    if (hot) {
        draw_rect(ui->list, &(DrawRect){.box = row, .radius = 8, .fill = t->accent_tint});
        draw_rect(ui->list, &(DrawRect){.box = {row.x, row.y + 9, 3, row.h - 18},
                                        .radius = 1.5f,
                                        .fill = t->accent});
    }
    Vec2 icon = {row.x + 22, row.y + row.h / 2};
    if (e->color.a > 0) {
        draw_circle(ui->list, &(DrawCircle){.center = icon, .radius = 5, .fill = e->color});
    } else {
        draw_icon(ui->list, &(DrawIcon){.icon = e->icon,
                                        .center = icon,
                                        .size = 16,
                                        .color = hot ? t->accent : t->text3});
    }
    float right = draw_key(ui, row, row.x + row.w - 12, e->key);
    const char *kind = palette_kind_name(e->kind);
    float kind_w = ui_text_width(ui, FONT_SANS, 11, kind);
    bool with_kind = e->kind != PALETTE_COMMAND && row.w > 420;
    if (with_kind) {
        ui_label(ui, rect(right - kind_w, row.y, kind_w + 1, row.h),
                 &(UiLabel){.size = 11, .color = hot ? t->text2 : t->text3}, kind);
        right -= kind_w + 14;
    }
    float title_w = fminf(TITLE, (right - row.x - 42) * 0.5f);
    draw_title(ui, rect(row.x + 42, row.y, title_w, row.h), e);
    float x = row.x + 42 + title_w + 14;
    ui_label(ui, rect(x, row.y, fmaxf(right - x, 0), row.h), &(UiLabel){.color = t->text2},
             e->detail);
}

static void draw_list(ViewContext *c, Rect box, const PaletteResults *r, UiId id)
{
    Ui *ui = c->ui;
    Palette *p = &c->views->palette;
    float most = fmaxf(0, (float)r->n * ROW - box.h);
    bool over = ui->mouse_inside && rect_contains(box, ui->mouse);
    if (over && ui->wheel != 0) {
        p->scroll -= ui->wheel * 2 * ROW;
        ui->wheel = 0;
    }
    if (p->follow) {
        float y = (float)p->hot * ROW;
        p->scroll = AS_CLAMP(p->scroll, y + ROW - box.h, y);
        p->follow = false;
    }
    p->scroll = AS_CLAMP(p->scroll, 0, most);
    draw_push_clip(ui->list, box);
    for (size_t i = (size_t)(p->scroll / ROW); i < r->n; i++) {
        Rect row = {box.x, ui_snap(ui, box.y + ROW * (float)i - p->scroll), box.w - 8, ROW};
        if (row.y >= box.y + box.h) {
            break;
        }
        bool under = over && rect_contains(row, ui->mouse);
        if (under && (ui->mouse_moved || ui->pressed[0])) {
            p->hot = (int)i;
        }
        draw_entry(ui, row, &r->entries[i], p->hot == (int)i);
        if (ui_click(ui, ui_id("palette-row", (int64_t)i), row, false, NULL, NULL)) {
            choose(c, &r->entries[i], id);
        }
    }
    if (most > 0) {
        float h = fmaxf(24, box.h * box.h / ((float)r->n * ROW));
        float y = box.y + (box.h - h) * p->scroll / most;
        draw_rect(
            ui->list,
            &(DrawRect){.box = {box.x + box.w - 4, y, 4, h}, .radius = 2, .fill = ui->theme.edge2});
    }
    draw_pop_clip(ui->list);
}

static void draw_foot(ViewContext *c, Rect box, const PaletteResults *r)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    ui_hairline_h(ui, box.x, box.y, box.w);
    const char *count = r->n_tokens_more ? draw_format(ui->list, "%zu found, and %zu more tokens",
                                                       r->n, r->n_tokens_more)
                                         : draw_format(ui->list, "%zu found", r->n);
    float w = ui_text_width(ui, FONT_MONO, 11, count);
    ui_label(ui, rect(box.x + box.w - 20 - w, box.y, w + 1, box.h),
             &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text3}, count);
    ui_label(ui, rect(box.x + 20, box.y, box.w - 60 - w, box.h),
             &(UiLabel){.size = 11, .color = t->text3},
             "↑ ↓ choose    Enter does it    Tab completes    Esc closes");
}

/* The keys that choose; those that write are the field's. */
static void take_keys(ViewContext *c, const PaletteResults *r, UiId id)
{
    Ui *ui = c->ui;
    Palette *p = &c->views->palette;
    int last = AS_MAX((int)r->n - 1, 0);
    int step = ui_take_key(ui, KEY_DOWN, 0) - ui_take_key(ui, KEY_UP, 0) +
               8 * (ui_take_key(ui, KEY_PAGE_DOWN, 0) - ui_take_key(ui, KEY_PAGE_UP, 0));
    if (step) {
        p->hot = AS_CLAMP(p->hot + step, 0, last);
        p->follow = true;
    }
    if (ui_take_key(ui, KEY_TAB, 0) && r->n) {
        const PaletteEntry *e = &r->entries[p->hot];
        text_field_continue(ui, id, draw_format(ui->list, e->asks ? "%s " : "%s", e->line));
    }
}

static bool keep_field(ViewContext *c, UiId id)
{
    Ui *ui = c->ui;
    Palette *p = &c->views->palette;
    const Session *s = c->session;
    if (p->opened != s->palette_opened) {
        palette_list_models(p, c->views->desc.model_cache);
        p->opened = s->palette_opened;
        p->hot = 0;
        p->follow = true;
        snprintf(p->before, sizeof p->before, "%s", s->palette_text);
        text_field_continue(ui, id, p->before);
        return true;
    }
    if (!text_field_is_edited(ui, id)) { /* a click beside it took the focus */
        text_field_continue(ui, id, p->before);
    }
    return text_field_is_edited(ui, id);
}

void chrome_palette(ViewContext *c, Rect window)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    Palette *p = &c->views->palette;
    UiId id = UI_ID("palette-field");
    if (!keep_field(c, id)) {
        return;
    }
    ui->n_focus = 0; /* Tab completes: nothing else can be reached */
    const char *typed = text_field_live(ui, id);
    PaletteResults r = palette_find(c, typed ? typed + strspn(typed, " >/") : "");
    p->hot = AS_CLAMP(p->hot, 0, AS_MAX((int)r.n - 1, 0));
    float w = fminf(WIDTH, window.w - 32);
    float room = window.h - 32 - HEAD - FOOT - 12;
    int rows = AS_CLAMP((int)r.n, 1, AS_MAX(1, AS_MIN(12, (int)(room / ROW))));
    float h = HEAD + (float)rows * ROW + 12 + FOOT;
    Rect card = {ui_snap(ui, window.x + (window.w - w) / 2),
                 ui_snap(ui, fmaxf(16, fminf(window.h * 0.14f, window.h - 16 - h))), w, h};
    draw_rect(ui->list, &(DrawRect){.box = window, .fill = color_with_alpha(t->page, 0.62f)});
    draw_shadow(ui->list,
                &(DrawShadow){.box = card,
                              .radius = 14,
                              .blur = 40,
                              .dy = 14,
                              .color = color_with_alpha(t->shadow, t->dark ? 0.6f : 0.2f)});
    draw_rect(ui->list, &(DrawRect){.box = card,
                                    .radius = 14,
                                    .fill = t->card_top,
                                    .fill_bottom = t->card,
                                    .gradient = true,
                                    .border = 1,
                                    .border_color = t->edge2});
    take_keys(c, &r, id);
    TextFieldResult result = ui_text_field(
        ui, id, rect(card.x + 8, card.y + 4, w - 16, HEAD - 8),
        &(TextField){.text = "",
                     .placeholder = "A command, a view, a model, a word of the text, L17 H3, t402",
                     .icon = ICON_SEARCH,
                     .has_icon = true,
                     .bare = true,
                     .size = 16});
    ui_hairline_h(ui, card.x, card.y + HEAD, w);
    Rect list = {card.x + 8, card.y + HEAD + 6, w - 12, (float)rows * ROW};
    if (r.n) {
        draw_list(c, list, &r, id);
    } else {
        ui_label(ui, rect(list.x + 14, list.y, list.w - 28, ROW), &(UiLabel){.color = t->text2},
                 r.missing ? r.missing : "Nothing of that name. The keys and what they do: ?");
    }
    draw_foot(c, rect(card.x, card.y + h - FOOT, w, FOOT), &r);
    const char *now = text_field_live(ui, id);
    if (now && strcmp(now, p->before) != 0) {
        snprintf(p->before, sizeof p->before, "%s", now);
        p->hot = 0;
        p->follow = true;
        ui->moves = true; /* the list of the new text is drawn at once */
    }
    bool beside = ui->pressed[0] && !rect_contains(card, ui->mouse);
    if (result == TEXT_FIELD_SUBMIT && r.n) {
        choose(c, &r.entries[p->hot], id);
    } else if (result == TEXT_FIELD_CANCEL || beside) {
        session_post(c->session, "palette");
    }
    if (beside) {
        ui->active = id;
    }
}
