#include "views/internal.h"

#include <math.h>
#include <string.h>

static const float CARD_W = 560;

static Rect center_card(ViewContext *c, Rect stage, float height)
{
    float w = fminf(CARD_W, stage.w - 32);
    float h = fminf(height, stage.h - 16);
    Rect card = {ui_snap(c->ui, stage.x + (stage.w - w) / 2),
                 ui_snap(c->ui, stage.y + fmaxf(8, (stage.h - h) * 0.42f)), w, h};
    ui_card(c->ui, card);
    return card;
}

static void card_icon(Ui *ui, Rect card, Icon icon, Color color)
{
    Vec2 at = {card.x + 24 + 24, card.y + 24 + 24};
    draw_rect(ui->list, &(DrawRect){.box = {at.x - 24, at.y - 24, 48, 48},
                                    .radius = 12,
                                    .fill = color_mix(ui->theme.card, color, 0.16f)});
    draw_icon(ui->list,
              &(DrawIcon){.icon = icon, .center = at, .size = 26, .stroke = 1.6f, .color = color});
}

/* Title and small line beside the icon, paragraph below; returns where it ends. */
static float card_text(Ui *ui, Rect card, const char *title, const char *small, const char *text)
{
    float x = card.x + 24 + 48 + 16;
    float w = card.x + card.w - 24 - x;
    ui_label(ui, rect(x, card.y + 24, w, 26),
             &(UiLabel){.face = FONT_DISPLAY_SEMIBOLD, .size = 20, .color = ui->theme.text}, title);
    ui_label(ui, rect(x, card.y + 51, w, 20), &(UiLabel){.face = FONT_SANS, .size = 12}, small);
    Rect body = {card.x + 24, card.y + 92, card.w - 48, 0};
    UiLabel style = {.face = FONT_SANS, .size = 14, .color = ui->theme.text2};
    body.h =
        fminf(ui_paragraph_height(ui, body.w, &style, 22, text), card.y + card.h - 72 - body.y);
    ui_paragraph(ui, body, &style, 22, text);
    return body.y + body.h;
}

static float text_height(Ui *ui, Rect stage, const char *text)
{
    UiLabel style = {.face = FONT_SANS, .size = 14};
    return ui_paragraph_height(ui, fminf(CARD_W, stage.w - 32) - 48, &style, 22, text);
}

static bool card_button(Ui *ui, float *x, float y, const char *text, UiButtonKind kind)
{
    float w = ceilf(ui_text_width(ui, FONT_SANS_MEDIUM, 12, text)) + 32;
    Rect box = {*x, y, w, 32};
    *x += w + 12;
    return ui_button(ui, UI_ID(text), box, text, kind);
}

void stage_not_built(ViewContext *c, Rect stage, ViewId id)
{
    Ui *ui = c->ui;
    const ViewDef *def = view_def(id);
    const char *text = draw_format(ui->list, "%s %s", def->help, def->comes_with);
    Rect card = center_card(c, stage, 92 + text_height(ui, stage, text) + 24 + 32 + 24);
    card_icon(ui, card, def->icon, ui->theme.accent);
    card_text(ui, card, view_title(id), "not built yet", text);
    float x = card.x + 24;
    if (card_button(ui, &x, card.y + card.h - 56, "Go to Matrix", UI_BUTTON_ACCENT)) {
        session_post(c->session, "view matrix");
    }
    ui_label(ui, rect(x, card.y + card.h - 56, card.x + card.w - 24 - x, 32),
             &(UiLabel){.face = FONT_SANS, .size = 12, .color = ui->theme.text3}, "or press 4");
}

void stage_loading(ViewContext *c, Rect stage)
{
    Ui *ui = c->ui;
    JobStatus status = jobs_status(c->session->jobs);
    Rect card = center_card(c, stage, 212);
    card_icon(ui, card, ICON_MATRIX, ui->theme.accent);
    const char *model = c->session->request.model ? c->session->request.model : "tiny";
    const char *now = !status.id ? "Nothing runs: type a text above, or choose a model."
                      : status.stage
                          ? draw_format(ui->list, "Now %s: %s.", status.title, status.stage)
                          : "Waiting for what runs before.";
    card_text(ui, card, status.id ? "Getting ready" : "Nothing to show yet",
              draw_format(ui->list, "%s", model), now);
    if (!status.id) {
        return;
    }
    float y = card.y + 134;
    ui_progress(ui, rect(card.x + 24, y, card.w - 48, 6), (float)status.fraction);
    float x = card.x + 24;
    if (card_button(ui, &x, card.y + card.h - 56, "Cancel", UI_BUTTON_PLAIN)) {
        session_post(c->session, "cancel");
    }
}

static const char *layers_there(ViewContext *c)
{
    const Session *s = c->session;
    return draw_format(c->ui->list, "%d of %d layers are there", s->layers_done,
                       trace_info(s->trace)->n_layers);
}

/* Nothing computes the layer any more. */
static void layer_missing(ViewContext *c, Rect stage)
{
    Ui *ui = c->ui;
    const Session *s = c->session;
    const char *text = draw_format(ui->list,
                                   "The run was cancelled before layer %d. The layers that are "
                                   "there are exact and stay.",
                                   s->selection.layer);
    Rect card = center_card(c, stage, 92 + text_height(ui, stage, text) + 24 + 32 + 24);
    card_icon(ui, card, ICON_WARNING, ui->theme.warn);
    card_text(ui, card, draw_format(ui->list, "Layer %d was not computed", s->selection.layer),
              draw_format(ui->list, "cancelled; %s", layers_there(c)), text);
    float x = card.x + 24;
    float y = card.y + card.h - 56;
    if (session_model(s) && card_button(ui, &x, y, "Compute again", UI_BUTTON_ACCENT)) {
        session_post(c->session, "compute");
    }
    const char *last = draw_format(ui->list, "Go to layer %d", s->layers_done - 1);
    if (s->layers_done && card_button(ui, &x, y, last, UI_BUTTON_PLAIN)) {
        session_post(c->session, "layer %d", s->layers_done - 1);
    }
}

void stage_layer_pending(ViewContext *c, Rect stage)
{
    Ui *ui = c->ui;
    const Session *s = c->session;
    if (!s->run) {
        layer_missing(c, stage);
        return;
    }
    JobStatus status = jobs_status(s->jobs);
    Rect card = center_card(c, stage, 170);
    card_icon(ui, card, ICON_MATRIX, ui->theme.accent);
    card_text(ui, card, draw_format(ui->list, "Layer %d is on its way", s->selection.layer),
              layers_there(c), "Each layer can be looked at as soon as it is computed.");
    ui_progress(ui, rect(card.x + 24, card.y + card.h - 32, card.w - 48, 6),
                status.id == s->run_job ? (float)status.fraction : 0);
}

void stage_weights_only(ViewContext *c, Rect stage)
{
    const char *text =
        "This view shows how weights come about from queries and keys. The file that "
        "is open holds the weights alone; with q and k in it there would be more to "
        "see.";
    Rect card = center_card(c, stage, 92 + text_height(c->ui, stage, text) + 24 + 32 + 24);
    card_icon(c->ui, card, ICON_INFO, c->ui->theme.accent);
    card_text(c->ui, card, "Imported weights", trace_info(c->session->trace)->model_name, text);
    float x = card.x + 24;
    if (card_button(c->ui, &x, card.y + card.h - 56, "To the matrix", UI_BUTTON_ACCENT)) {
        session_post(c->session, "view matrix");
    }
}

static const char *what_to_call(ErrorCode code)
{
    switch (code) {
    case ERR_IO:
        return "A file could not be read";
    case ERR_FORMAT:
        return "A file is not what it should be";
    case ERR_UNSUPPORTED:
        return "This is not supported";
    case ERR_RANGE:
        return "This does not fit the model";
    case ERR_MEMORY:
        return "This does not fit in memory";
    default:
        return "That did not work";
    }
}

void stage_error(ViewContext *c, Rect stage)
{
    Ui *ui = c->ui;
    const Error *error = &c->session->error;
    const char *text = draw_format(ui->list, "%s", error->message);
    Rect card = center_card(c, stage, 92 + text_height(ui, stage, text) + 24 + 32 + 24);
    card_icon(ui, card, ICON_WARNING, ui->theme.warn);
    card_text(ui, card, what_to_call(error->code),
              c->session->trace ? "what was shown before is still there" : "nothing is loaded yet",
              text);
    float x = card.x + 24;
    float y = card.y + card.h - 56;
    if (c->session->trace && card_button(ui, &x, y, "Back", UI_BUTTON_ACCENT)) {
        session_post(c->session, "dismiss");
    }
    if (!c->session->trace && card_button(ui, &x, y, "Open the embedded model", UI_BUTTON_ACCENT)) {
        session_post(c->session, "model tiny");
    }
    if (card_button(ui, &x, y, "Edit the text", UI_BUTTON_PLAIN)) {
        session_post(c->session, "edit-text");
    }
}
