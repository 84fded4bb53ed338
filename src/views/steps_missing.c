#include "views/steps.h"

#include "base/file.h"

#include <math.h>

/* What a step would show is not there: what and why, and the way to have it. */

typedef struct Words {
    const char *title, *text;
} Words;

static Words words_of(const StepsScene *s, StepsLack what)
{
    bool record = !session_model(s->session);
    switch (what) {
    case STEPS_LACK_VALUES:
        return (Words){"Values are not here",
                       record ? "This record was made without them: --store qkv or all keeps them."
                              : "This run keeps queries and keys alone: --store qkv or all keeps "
                                "values too."};
    case STEPS_LACK_WEIGHTS:
        return (Words){"The weight matrices are not here",
                       "A record keeps what attention has read and made; the matrices are the "
                       "model's."};
    default:
        break;
    }
    if (s->l->cross) {
        return (Words){"What enters is not here",
                       record ? "Queries are made of the decoder's states, keys and values of the "
                                "encoder's. A record of cross attention keeps neither; the model "
                                "makes them again."
                              : "Queries are made of the decoder's states, keys and values of the "
                                "encoder's: --store all keeps them."};
    }
    return (Words){"The layer's input is not here",
                   record ? "This record keeps what was made of the residual stream, not the "
                            "stream itself: --store all keeps it."
                          : "This run does not keep the residual stream: --store all does."};
}

/* Of a record: its model on its text has everything. NULL where nothing was run. */
static const char *model_to_run(const StepsScene *s)
{
    const TraceInfo *info = trace_info(s->session->trace);
    return session_model(s->session) || info->weights_only || !*info->model_name ? NULL
                                                                                 : info->model_name;
}

void steps_missing(StepsScene *s, Rect box, StepsLack what)
{
    enum { ICON = 40, BUTTON_H = 32, AIR = 14 };
    Ui *ui = s->c->ui;
    Words words = words_of(s, what);
    const char *model = model_to_run(s);
    bool large = box.w >= 360 && box.h >= 220;
    float pad = large ? 24 : 14;
    float w = fminf(box.w - 2 * pad, 440);
    UiLabel title = {.face = FONT_SANS_SEMIBOLD, .size = large ? 16 : 13, .color = ui->theme.text};
    UiLabel style = {.face = FONT_SANS, .size = large ? 13 : 12, .color = ui->theme.text2};
    float line = large ? 20 : 18;
    float title_h = ui_paragraph_height(ui, w, &title, line + 2, words.title);
    float text_h = ui_paragraph_height(ui, w, &style, line, words.text);
    float need = (large ? ICON + AIR : 0) + title_h + 6 + text_h;
    bool button = model && need + AIR + BUTTON_H <= box.h - 2 * pad;
    need += button ? AIR + BUTTON_H : 0;
    ui_card(ui, box);
    Rect at = {ui_snap(ui, box.x + (large ? (box.w - w) / 2 : pad)),
               ui_snap(ui, large ? box.y + fmaxf(pad, (box.h - need) * 0.42f) : box.y + pad), w, 0};
    if (large) {
        draw_icon(ui->list, &(DrawIcon){.icon = ICON_INFO,
                                        .center = {at.x + ICON / 2.0f, at.y + ICON / 2.0f},
                                        .size = 28,
                                        .stroke = 1.6f,
                                        .color = ui->theme.accent});
        at.y += ICON + AIR;
    }
    at.h = title_h;
    ui_paragraph(ui, at, &title, line + 2, words.title);
    at.y += title_h + 6;
    at.h = fminf(text_h, box.y + box.h - pad - at.y);
    ui_paragraph(ui, at, &style, line, words.text);
    at.y += text_h + AIR;
    if (!button) {
        return;
    }
    const char *name = path_base_name(model);
    const char *run = draw_format(ui->list, "Run %s on this text", name);
    float run_w = ceilf(ui_text_width(ui, FONT_SANS_MEDIUM, 12, run)) + 32;
    if (run_w > w) {
        run = "Run its model";
        run_w = ceilf(ui_text_width(ui, FONT_SANS_MEDIUM, 12, run)) + 32;
    }
    Rect place = {at.x, at.y, fminf(run_w, w), BUTTON_H};
    /* The same button may stand in several cards of a step. */
    if (ui_button(ui, ui_id("steps-run", (int)what), place, run, UI_BUTTON_ACCENT)) {
        session_post(s->session, "model %s", model);
    }
    ui_tooltip(ui, place,
               draw_format(ui->list, "runs the model %s again, on the text of the record", model));
}
