#include "views/internal.h"

#include <math.h>

/* The first eleven are views; help and settings join them when there is something behind them. */
void chrome_rail(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    draw_rect(ui->list, &(DrawRect){.box = box, .fill = t->bar});
    ui_hairline_v(ui, box.x + box.w - 1, box.y, box.h);
    draw_icon(ui->list, &(DrawIcon){.icon = ICON_LOGO,
                                    .center = {box.x + box.w / 2, 28},
                                    .size = 36,
                                    .stroke = 2,
                                    .color = t->accent});
    float top = box.y + TOP_PX + 12;
    float room = box.y + box.h - 12 - top;
    float pitch = fminf(68, room / (float)VIEW_COUNT);
    for (int i = 0; i < VIEW_COUNT; i++) {
        ViewId id = (ViewId)i;
        float y = ui_snap(ui, top + pitch * (float)i);
        Rect item = {box.x + 6, y, 76, floorf(pitch - fminf(6, pitch * 0.1f))};
        bool active = c->session->view == id;
        bool clicked;
        if (pitch >= 54) {
            clicked = ui_rail_item(ui, ui_id("rail", i), item, view_def(id)->icon, view_title(id),
                                   view_key(id), active);
        } else {
            /* A low window: icons alone, the name in a tooltip. */
            item.x += 16;
            item.w = 44;
            if (active) {
                draw_rect(ui->list, &(DrawRect){.box = item,
                                                .radius = 8,
                                                .fill = t->accent_tint,
                                                .border = 1,
                                                .border_color = t->accent_edge});
            }
            clicked =
                ui_icon_button(ui, ui_id("rail", i), item, view_def(id)->icon,
                               draw_format(ui->list, "%s (%s)", view_title(id), view_key(id)));
        }
        if (clicked && !active) {
            session_post(c->session, "view %s", view_name(id));
        }
    }
}
