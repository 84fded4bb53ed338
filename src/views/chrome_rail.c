#include "views/internal.h"

#include <math.h>

/* Names where there is room for them, else the icon alone with the name in a tooltip. */
static bool item(ViewContext *c, UiId id, Rect box, Icon icon, const char *name, const char *key,
                 bool active)
{
    Ui *ui = c->ui;
    if (box.h >= 38) {
        return ui_rail_item(ui, id, box, icon, name, key, active);
    }
    box.x += 16;
    box.w = 44;
    if (active) {
        draw_rect(ui->list, &(DrawRect){.box = box,
                                        .radius = 8,
                                        .fill = ui->theme.accent_tint,
                                        .border = 1,
                                        .border_color = ui->theme.accent_edge});
    }
    return ui_icon_button(ui, id, box, icon, draw_format(ui->list, "%s (%s)", name, key));
}

void chrome_rail(ViewContext *c, Rect box)
{
    enum { BELOW = 3 };
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    Session *s = c->session;
    draw_rect(ui->list, &(DrawRect){.box = box, .fill = t->bar});
    ui_hairline_v(ui, box.x + box.w - 1, box.y, box.h);
    draw_icon(ui->list, &(DrawIcon){.icon = ICON_LOGO,
                                    .center = {box.x + box.w / 2, 28},
                                    .size = 36,
                                    .stroke = 2,
                                    .color = t->accent});
    float top = box.y + TOP_PX + 12;
    float low = box.y + box.h - 10;
    float pitch = fminf(68, (low - top) / (float)(VIEW_COUNT + BELOW));
    float h = floorf(pitch - fminf(6, pitch * 0.08f));
    for (int i = 0; i < VIEW_COUNT; i++) {
        ViewId id = (ViewId)i;
        Rect at = {box.x + 6, ui_snap(ui, top + pitch * (float)i), 76, h};
        bool active = s->view == id && !s->panel;
        if (item(c, ui_id("rail", i), at, view_def(id)->icon, view_title(id), view_key(id),
                 active) &&
            !active) {
            session_post(s, "view %s", view_name(id));
        }
    }
    Rect at = {box.x + 6, ui_snap(ui, low - pitch * BELOW), 76, h};
    bool told = s->panel == PANEL_STORIES || session_story(s) != NULL;
    if (item(c, UI_ID("stories"), at, ICON_BULB, "Stories", "S", told)) {
        session_post(s, "stories");
    }
    at.y = ui_snap(ui, low - pitch * 2);
    if (item(c, UI_ID("help"), at, ICON_HELP, "Keys", "?", s->panel == PANEL_HELP)) {
        session_post(s, "help");
    }
    at.y = ui_snap(ui, low - pitch);
    if (item(c, UI_ID("settings"), at, ICON_SETTINGS, "Settings", ",",
             s->panel == PANEL_SETTINGS)) {
        session_post(s, "settings");
    }
}
