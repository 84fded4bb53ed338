#include "ui/widgets.h"

#include "ui/popup.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

float ui_text_width(Ui *ui, FontFace face, float size, const char *text)
{
    return text_width(ui->fonts, face, size, text, TEXT_ALL);
}

static Color label_color(const Ui *ui, const UiLabel *style)
{
    return style->color.a > 0 ? style->color : ui->theme.text2;
}

float ui_label(Ui *ui, Rect box, const UiLabel *style, const char *text)
{
    float size = style->size > 0 ? style->size : 12;
    float full = text_width_tracked(ui->fonts, style->face, size, style->tracking, text, TEXT_ALL);
    float x = style->align == DRAW_LEFT    ? box.x
              : style->align == DRAW_RIGHT ? box.x + box.w
                                           : box.x + box.w / 2;
    bool cut = full > box.w + 0.01f;
    draw_text(ui->list, &(DrawText){.face = style->face,
                                    .size = size,
                                    .color = label_color(ui, style),
                                    .text = text,
                                    .at = {x, text_center_baseline(ui->fonts, style->face, size,
                                                                   box.y + box.h / 2)},
                                    .align = style->align,
                                    .tracking = style->tracking,
                                    .max_width = cut ? fmaxf(box.w, 1) : 0});
    if (cut) {
        ui_tooltip(ui, box, text);
    }
    return fminf(full, box.w);
}

enum { PARAGRAPH_LINES = 64 };

float ui_paragraph_height(Ui *ui, float width, const UiLabel *style, float line, const char *text)
{
    size_t starts[PARAGRAPH_LINES];
    size_t ends[PARAGRAPH_LINES];
    size_t n = text_wrap(ui->fonts, style->face, style->size > 0 ? style->size : 12, text,
                         strlen(text), width, starts, ends, PARAGRAPH_LINES);
    return (float)n * line;
}

float ui_paragraph(Ui *ui, Rect box, const UiLabel *style, float line, const char *text)
{
    size_t starts[PARAGRAPH_LINES];
    size_t ends[PARAGRAPH_LINES];
    float size = style->size > 0 ? style->size : 12;
    size_t n = text_wrap(ui->fonts, style->face, size, text, strlen(text), box.w, starts, ends,
                         PARAGRAPH_LINES);
    size_t fit = (size_t)fmaxf(0, floorf((box.h + 0.5f) / line));
    size_t shown = AS_MIN(AS_MIN(n, fit), (size_t)PARAGRAPH_LINES);
    for (size_t i = 0; i < shown; i++) {
        bool last = i + 1 == shown && n > shown;
        size_t end = last ? strlen(text) : ends[i];
        ui_label(ui, rect(box.x, box.y + line * (float)i, box.w, line), style,
                 draw_format(ui->list, "%.*s", (int)(end - starts[i]), text + starts[i]));
    }
    return (float)shown * line;
}

float ui_caps(Ui *ui, Rect box, const char *text)
{
    static const char open[] = "“", close[] = "”";
    char upper[160];
    size_t n = 0;
    bool quoted = false; /* tokens are shown as they are */
    for (; text[n] && n + 1 < sizeof upper; n++) {
        quoted = strncmp(text + n, open, sizeof open - 1) == 0 ||
                 (quoted && strncmp(text + n, close, sizeof close - 1) != 0);
        /* ASCII only: the rest stays as it is */
        upper[n] = (char)(quoted ? text[n] : toupper((unsigned char)text[n]));
    }
    upper[n] = 0;
    return ui_label(
        ui, box,
        &(UiLabel){
            .face = FONT_SANS_SEMIBOLD, .size = 11, .tracking = 0.7f, .color = ui->theme.text3},
        upper);
}

void ui_card(Ui *ui, Rect box)
{
    const Theme *t = &ui->theme;
    draw_shadow(ui->list, &(DrawShadow){.box = box,
                                        .radius = 12,
                                        .blur = 16,
                                        .dy = 4,
                                        .color = color_with_alpha(t->shadow, t->shadow_alpha)});
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 12,
                                    .fill = t->card_top,
                                    .fill_bottom = t->card,
                                    .gradient = true,
                                    .border = 1,
                                    .border_color = t->edge});
}

void ui_key_cap(Ui *ui, Rect box, const char *key)
{
    const Theme *t = &ui->theme;
    draw_rect(
        ui->list,
        &(DrawRect){
            .box = box, .radius = 5, .fill = t->raised, .border = 1, .border_color = t->edge2});
    ui_label(ui, box,
             &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text, .align = DRAW_CENTER},
             key);
}

void ui_raised(Ui *ui, Rect box, float radius)
{
    const Theme *t = &ui->theme;
    draw_shadow(ui->list,
                &(DrawShadow){.box = box,
                              .radius = radius,
                              .blur = 28,
                              .dy = 8,
                              .color = color_with_alpha(t->shadow, t->dark ? 0.6f : 0.2f)});
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = radius,
                                    .fill = t->raised,
                                    .border = 1,
                                    .border_color = t->edge2});
}

void ui_hairline_h(Ui *ui, float x, float y, float w)
{
    draw_rect(ui->list, &(DrawRect){.box = {x, ui_snap(ui, y), w, 1}, .fill = ui->theme.edge});
}

void ui_hairline_v(Ui *ui, float x, float y, float h)
{
    draw_rect(ui->list, &(DrawRect){.box = {ui_snap(ui, x), y, 1, h}, .fill = ui->theme.edge});
}

void ui_field_box(Ui *ui, Rect box, float hot)
{
    const Theme *t = &ui->theme;
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 8,
                                    .fill = color_mix(t->raised, t->raised_hot, hot),
                                    .border = 1,
                                    .border_color = color_mix(t->edge, t->edge2, hot)});
}

bool ui_rail_item(Ui *ui, UiId id, Rect box, Icon icon_of_item, const char *name, const char *key,
                  bool active)
{
    const Theme *t = &ui->theme;
    bool hot;
    bool clicked = ui_click(ui, id, box, true, &hot, NULL);
    float h = ui_ease(ui, id, hot && !active, EASE_HOVER_S);
    if (active) {
        draw_rect(ui->list, &(DrawRect){.box = box,
                                        .radius = 10,
                                        .fill = t->accent_tint,
                                        .border = 1,
                                        .border_color = t->accent_edge});
        draw_rect(ui->list, &(DrawRect){.box = {box.x - 6, box.y + box.h / 2 - 16, 3, 32},
                                        .radius = 1.5f,
                                        .fill = t->accent});
    } else if (h > 0) {
        draw_rect(ui->list,
                  &(DrawRect){.box = box, .radius = 10, .fill = color_fade(t->raised, h)});
    }
    Color c = active ? t->text : color_mix(t->text2, t->text, h);
    /* Icon and name as one group in the middle; closer together where the item is low. */
    bool low = box.h < 56;
    float icon = low ? 18 : 22;
    float gap = low ? 1 : 5;
    float top = box.y + (box.h - icon - gap - 16) / 2;
    draw_icon(ui->list, &(DrawIcon){.icon = icon_of_item,
                                    .center = {box.x + box.w / 2, top + icon / 2},
                                    .size = icon,
                                    .stroke = 1.6f,
                                    .color = active ? t->accent : c});
    ui_label(ui, rect(box.x + 2, top + icon + gap, box.w - 4, 16),
             &(UiLabel){.face = active ? FONT_SANS_SEMIBOLD : FONT_SANS_MEDIUM,
                        .size = 11,
                        .color = c,
                        .align = DRAW_CENTER},
             name);
    if (key && *key) {
        ui_label(ui, rect(box.x + box.w - 24, box.y + 4, 20, 14),
                 &(UiLabel){.face = FONT_MONO,
                            .size = 11,
                            .color = active ? t->text2 : t->text3,
                            .align = DRAW_RIGHT},
                 key);
    }
    return clicked;
}

bool ui_icon_button(Ui *ui, UiId id, Rect box, Icon icon, const char *tip)
{
    const Theme *t = &ui->theme;
    bool hot;
    bool clicked = ui_click(ui, id, box, true, &hot, NULL);
    float h = ui_ease(ui, id, hot, EASE_HOVER_S);
    draw_rect(ui->list, &(DrawRect){.box = box, .radius = 8, .fill = color_fade(t->raised_hot, h)});
    draw_icon(ui->list, &(DrawIcon){.icon = icon,
                                    .center = rect_center(box),
                                    .size = fminf(20, box.h - 8),
                                    .stroke = 1.5f,
                                    .color = color_mix(t->text2, t->text, h)});
    ui_tooltip(ui, box, tip);
    return clicked;
}

bool ui_button(Ui *ui, UiId id, Rect box, const char *text, UiButtonKind kind)
{
    const Theme *t = &ui->theme;
    bool hot;
    bool clicked = ui_click(ui, id, box, true, &hot, NULL);
    float h = ui_ease(ui, id, hot, EASE_HOVER_S);
    if (kind == UI_BUTTON_ACCENT) {
        draw_rect(
            ui->list,
            &(DrawRect){.box = box, .radius = 8, .fill = color_mix(t->accent, t->text, 0.15f * h)});
    } else {
        ui_field_box(ui, box, h);
    }
    ui_label(ui, rect(box.x + 8, box.y, box.w - 16, box.h),
             &(UiLabel){.face = FONT_SANS_MEDIUM,
                        .size = 12,
                        .align = DRAW_CENTER,
                        .color = kind == UI_BUTTON_ACCENT ? t->on_accent : t->text},
             text);
    return clicked;
}

bool ui_play_button(Ui *ui, UiId id, Vec2 center, bool playing, const char *tip)
{
    const Theme *t = &ui->theme;
    Rect box = {center.x - 18, center.y - 18, 36, 36};
    bool hot;
    bool clicked = ui_click(ui, id, box, true, &hot, NULL);
    float h = ui_ease(ui, id, hot, EASE_HOVER_S);
    draw_circle(ui->list, &(DrawCircle){.center = center,
                                        .radius = 18,
                                        .fill = color_mix(t->dark ? t->segment : t->accent,
                                                          t->accent, t->dark ? 0.35f * h : 0),
                                        .border = 1,
                                        .border_color = color_mix(t->accent_edge, t->accent, h)});
    draw_icon(ui->list, &(DrawIcon){.icon = playing ? ICON_PAUSE : ICON_PLAY,
                                    .center = center,
                                    .size = 20,
                                    .color = t->dark ? t->text : t->on_accent});
    ui_tooltip(ui, box, tip);
    return clicked;
}

int ui_arrow_choice(Ui *ui, UiId id, Rect box, int n, int current)
{
    if (!ui_focusable(ui, id, box) || !ui->focus_shown) {
        return current;
    }
    int step = ui_take_key(ui, KEY_RIGHT, 0) + ui_take_key(ui, KEY_DOWN, 0) -
               ui_take_key(ui, KEY_LEFT, 0) - ui_take_key(ui, KEY_UP, 0);
    return step ? AS_CLAMP(current + step, 0, n - 1) : current;
}

int ui_segmented(Ui *ui, UiId id, Rect box, const char *const *items, int n, int current)
{
    enum { MOST = 8 };
    AS_ASSERT(n >= 1 && n <= MOST);
    const Theme *t = &ui->theme;
    draw_rect(ui->list,
              &(DrawRect){
                  .box = box, .radius = 8, .fill = t->well, .border = 1, .border_color = t->edge});
    /* Each segment gets its text and an equal share of what is left. */
    float widths[MOST];
    float sum = 0;
    for (int i = 0; i < n; i++) {
        widths[i] = ui_text_width(ui, FONT_SANS_SEMIBOLD, 12, items[i]) + 12;
        sum += widths[i];
    }
    float inner = box.w - 6;
    float x = box.x + 3;
    int chosen = ui_arrow_choice(ui, id, box, n, current);
    for (int i = 0; i < n; i++) {
        float w = sum <= inner ? widths[i] + (inner - sum) / (float)n : widths[i] * inner / sum;
        Rect seg = {x, box.y + 3, w, box.h - 6};
        x += w;
        UiId seg_id = id + (UiId)i + 1;
        bool hot;
        if (ui_click(ui, seg_id, seg, false, &hot, NULL)) {
            chosen = i;
        }
        bool on = i == current;
        float h = ui_ease(ui, seg_id, hot && !on, EASE_HOVER_S);
        if (on) {
            draw_rect(ui->list, &(DrawRect){.box = seg,
                                            .radius = 6,
                                            .fill = t->segment,
                                            .border = 1,
                                            .border_color = t->accent_edge});
        }
        ui_label(ui, rect(seg.x + 3, seg.y, seg.w - 6, seg.h),
                 &(UiLabel){.face = on ? FONT_SANS_SEMIBOLD : FONT_SANS_MEDIUM,
                            .size = 12,
                            .align = DRAW_CENTER,
                            .color = on ? t->text : color_mix(t->text2, t->text, h)},
                 items[i]);
    }
    return chosen;
}

/* "17 / 29" is set as three pieces so that the value stands out. */
static float stepper_value_width(Ui *ui, int32_t last)
{
    const char *widest = draw_format(ui->list, "%d", last);
    return ui_text_width(ui, FONT_MONO_MEDIUM, 14, widest);
}

float ui_stepper_width(Ui *ui, const char *caption, int32_t last, bool dot)
{
    const char *total = draw_format(ui->list, "/ %d", last);
    return 28 + ui_text_width(ui, FONT_SANS, 12, caption) + 8 + (dot ? 16.0f : 0) +
           stepper_value_width(ui, last) + 6 + ui_text_width(ui, FONT_MONO, 11, total) + 28;
}

int ui_stepper(Ui *ui, UiId id, Rect box, const char *caption, int32_t value, int32_t last,
               Color dot, const char *tip_less, const char *tip_more)
{
    const Theme *t = &ui->theme;
    ui_field_box(ui, box, 0);
    int step = 0;
    Rect less = {box.x + 2, box.y + 2, 26, box.h - 4};
    Rect more = {box.x + box.w - 28, box.y + 2, 26, box.h - 4};
    if (ui_icon_button(ui, id, less, ICON_CHEVRON_LEFT, tip_less)) {
        step = -1;
    }
    if (ui_icon_button(ui, id + 1, more, ICON_CHEVRON_RIGHT, tip_more)) {
        step = 1;
    }
    float x = box.x + 28;
    x += ui_label(ui, rect(x, box.y, box.w - 56, box.h), &(UiLabel){.face = FONT_SANS}, caption);
    x += 8;
    if (dot.a > 0) {
        draw_circle(ui->list,
                    &(DrawCircle){.center = {x + 4, box.y + box.h / 2}, .radius = 4, .fill = dot});
        x += 16;
    }
    float w = stepper_value_width(ui, last);
    ui_label(
        ui, rect(x, box.y, w, box.h),
        &(UiLabel){.face = FONT_MONO_MEDIUM, .size = 14, .color = t->text, .align = DRAW_RIGHT},
        draw_format(ui->list, "%d", value));
    x += w + 6;
    ui_label(ui, rect(x, box.y, more.x - x, box.h),
             &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text3},
             draw_format(ui->list, "/ %d", last));
    return step;
}

UiSliderResult ui_slider(Ui *ui, UiId id, Rect box, const UiSlider *slider)
{
    const Theme *t = &ui->theme;
    UiSliderResult r = {.value = AS_CLAMP(slider->value, 0, 1)};
    float y = box.y + box.h / 2;
    float x0 = box.x + 8;
    float w = box.w - 16;
    bool hot;
    bool clicked = ui_click(ui, id, box, true, &hot, &r.held);
    if ((r.held || (clicked && ui->released[0])) && w > 0) {
        float v = AS_CLAMP((ui->mouse.x - x0) / w, 0, 1);
        if (slider->mark >= 0 && slider->snap > 0 && fabsf(v - slider->mark) < slider->snap) {
            v = slider->mark;
        }
        r.value = v;
    }
    r.released = ui->released[0] && ui->active == id;
    if (ui->focus == id && ui->focus_shown) {
        float step = slider->step > 0 ? slider->step : 0.02f;
        int move = ui_take_key(ui, KEY_RIGHT, 0) - ui_take_key(ui, KEY_LEFT, 0);
        if (move) {
            r.value = AS_CLAMP(r.value + step * (float)move, 0, 1);
            r.released = true;
        }
    }
    r.changed = r.value != slider->value;
    float knob = x0 + w * r.value;
    draw_rect(ui->list, &(DrawRect){.box = {x0, y - 2, w, 4}, .radius = 2, .fill = t->track});
    draw_rect(ui->list,
              &(DrawRect){.box = {x0, y - 2, knob - x0, 4}, .radius = 2, .fill = t->accent});
    if (slider->mark >= 0) {
        draw_rect(ui->list, &(DrawRect){.box = {ui_snap(ui, x0 + w * slider->mark), y + 5, 1, 4},
                                        .fill = t->text3});
    }
    float h = ui_ease(ui, id, hot || r.held, EASE_HOVER_S);
    if (h > 0) {
        draw_circle(ui->list, &(DrawCircle){.center = {knob, y},
                                            .radius = 12,
                                            .fill = color_with_alpha(t->accent, 0.18f * h)});
    }
    draw_circle(ui->list, &(DrawCircle){.center = {knob, y},
                                        .radius = 7,
                                        .fill = t->dark ? t->text : t->card,
                                        .border = t->dark ? 0 : 2,
                                        .border_color = t->accent});
    if (t->dark) {
        draw_circle(ui->list, &(DrawCircle){.center = {knob, y}, .radius = 3, .fill = t->accent});
    }
    return r;
}

int ui_dropdown(Ui *ui, UiId id, Rect box, const char *caption, const char *value,
                const char *const *items, int n, int current)
{
    const Theme *t = &ui->theme;
    bool hot;
    if (ui_click(ui, id, box, true, &hot, NULL)) {
        popup_toggle(ui, id);
    }
    bool open = ui->popup.id == id;
    ui_field_box(ui, box, ui_ease(ui, id, hot || open, EASE_HOVER_S));
    float x = box.x + 12;
    if (caption) {
        x +=
            ui_label(ui, rect(x, box.y, box.w - 24, box.h), &(UiLabel){.face = FONT_SANS}, caption);
        x += 8;
    }
    ui_label(ui, rect(x, box.y, box.x + box.w - 26 - x, box.h),
             &(UiLabel){.face = FONT_SANS_MEDIUM, .size = 12, .color = t->text}, value);
    draw_icon(ui->list, &(DrawIcon){.icon = ICON_CHEVRON_DOWN,
                                    .center = {box.x + box.w - 15, box.y + box.h / 2},
                                    .size = 14,
                                    .color = t->text2});
    popup_offer(ui, id, box, items, n, current);
    int chosen = popup_take(ui, id);
    return chosen >= 0 && chosen < n ? chosen : current;
}

void ui_bar(Ui *ui, Rect box, float fraction, Color color)
{
    float f = AS_CLAMP(fraction, 0, 1);
    float radius = fminf(4, box.h / 2);
    draw_rect(ui->list, &(DrawRect){.box = box, .radius = radius, .fill = ui->theme.track});
    if (f * box.w >= 0.5f) {
        float w = fmaxf(box.w * f, 1);
        draw_rect(ui->list, &(DrawRect){.box = {box.x, box.y, w, box.h},
                                        .radius = fminf(radius, w / 2),
                                        .fill = color});
    }
}

void ui_progress(Ui *ui, Rect box, float fraction)
{
    const Theme *t = &ui->theme;
    draw_rect(ui->list, &(DrawRect){.box = box, .radius = box.h / 2, .fill = t->track});
    if (fraction >= 0) {
        float w = fmaxf(box.h, box.w * AS_MIN(fraction, 1));
        draw_rect(
            ui->list,
            &(DrawRect){.box = {box.x, box.y, w, box.h}, .radius = box.h / 2, .fill = t->accent});
        return;
    }
    float phase = ui->still ? 0.35f : (float)(0.5 - 0.5 * cos(ui->now_s * 2.5));
    float w = box.w * 0.3f;
    draw_rect(ui->list, &(DrawRect){.box = {box.x + (box.w - w) * phase, box.y, w, box.h},
                                    .radius = box.h / 2,
                                    .fill = t->accent});
    if (!ui->still) {
        ui_wake_in(ui, 0.05);
    }
}

void ui_chip(Ui *ui, Rect box, const UiChip *chip)
{
    const Theme *t = &ui->theme;
    float fill = chip->chosen ? (t->dark ? 0.40f : 0.42f) : t->chip_fill;
    Color base = t->card;
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = fminf(7, fminf(box.w, box.h) * 0.3f),
                                    .fill = color_mix(base, chip->color, fill),
                                    .border = chip->chosen ? 1.5f : 1,
                                    .border_color = color_mix(base, chip->color,
                                                              chip->chosen ? 1 : t->chip_edge)});
    float size = chip->size > 0 ? chip->size : 12;
    FontFace face = chip->chosen ? FONT_SANS_SEMIBOLD : FONT_SANS_MEDIUM;
    if (!chip->vertical &&
        box.h < size) { /* too low for letters: they would reach the next one's */
        ui_tooltip(ui, box, chip->text);
        return;
    }
    if (!chip->vertical) {
        ui_label(ui, rect(box.x + 6, box.y, box.w - 12, box.h),
                 &(UiLabel){.face = face, .size = size, .align = DRAW_CENTER, .color = t->text},
                 chip->text);
        return;
    }
    FontMetrics m = font_metrics(ui->fonts, face, size);
    draw_text(ui->list, &(DrawText){.face = face,
                                    .size = size,
                                    .color = t->text,
                                    .text = chip->text,
                                    .turn = TEXT_UP,
                                    .align = DRAW_CENTER,
                                    .at = {ui_snap(ui, box.x + box.w / 2 + m.cap_height / 2),
                                           box.y + box.h / 2},
                                    .max_width = box.h - 12});
}

bool ui_fold_header(Ui *ui, UiId id, Rect box, const char *title, const char *note, bool open)
{
    const Theme *t = &ui->theme;
    bool hot;
    bool clicked = ui_click(ui, id, box, true, &hot, NULL);
    float h = ui_ease(ui, id, hot, EASE_HOVER_S);
    draw_icon(ui->list, &(DrawIcon){.icon = open ? ICON_CHEVRON_DOWN : ICON_CHEVRON_RIGHT,
                                    .center = {box.x + box.w - 6, box.y + box.h / 2},
                                    .size = 14,
                                    .color = color_mix(t->text2, t->text, h)});
    float right = box.x + box.w - 20;
    if (note && *note) {
        float w = fminf(ui_text_width(ui, FONT_MONO, 11, note), box.w * 0.55f);
        ui_label(ui, rect(right - w, box.y, w, box.h),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text3, .align = DRAW_RIGHT},
                 note);
        right -= w + 10;
    }
    ui_caps(ui, rect(box.x, box.y, right - box.x, box.h), title);
    return clicked;
}

const char *ui_tick_text(Ui *ui, float value)
{
    static const char *const powers[] = {"10⁻⁴", "10⁻⁵", "10⁻⁶", "10⁻⁷", "10⁻⁸", "10⁻⁹"};
    if (value > 0 && value < 0.00099f) {
        double exponent = -log10((double)value);
        int whole = (int)lround(exponent);
        if (fabs(exponent - whole) < 1e-3 && whole >= 4 && whole <= 9) {
            return powers[whole - 4];
        }
    }
    return draw_format(ui->list, "%g", (double)roundf(value * 1e6f) / 1e6);
}

void ui_legend(Ui *ui, Rect box, Colormap map, Scale scale)
{
    enum { MOST = 6 };
    const Theme *t = &ui->theme;
    Rect bar = {box.x, box.y, box.w, 12};
    /* One cell per device pixel, each the colour the map gives there. */
    int32_t n = (int32_t)fmaxf(1, roundf(bar.w * ui->scale));
    float *ramp = ARENA_ARRAY(&ui->list->arena, float, (size_t)n, NULL);
    for (int32_t i = 0; ramp && i < n; i++) {
        ramp[i] = ((float)i + 0.5f) / (float)n;
    }
    if (ramp) {
        draw_cells(
            ui->list,
            &(DrawCells){.box = bar, .source = {.values = ramp, .rows = 1, .cols = n}, .map = map});
    }
    draw_rect(ui->list,
              &(DrawRect){
                  .box = rect_inset(bar, -1), .radius = 2, .border = 1, .border_color = t->edge2});
    float ticks[MOST];
    int n_ticks = scale_ticks(scale, MOST, ticks);
    float right = box.x - 100; /* end of the last number: the next keeps away from it */
    for (int i = 0; i < n_ticks; i++) {
        float x = bar.x + bar.w * scale_apply(scale, ticks[i]);
        draw_rect(ui->list, &(DrawRect){.box = {ui_snap(ui, fminf(x, bar.x + bar.w - 1)),
                                                bar.y + bar.h + 1, 1, 4},
                                        .fill = t->text3});
        const char *text = ui_tick_text(ui, ticks[i]);
        float w = ui_text_width(ui, FONT_MONO, 11, text);
        float at = AS_CLAMP(x - w / 2, box.x, box.x + box.w - w);
        if (at < right + 6) {
            continue;
        }
        ui_label(ui, rect(at, bar.y + bar.h + 5, w + 0.5f, 15),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text2}, text);
        right = at + w;
    }
}
