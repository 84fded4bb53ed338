#include "views/internal.h"

/* The line of status. */

typedef struct Line {
    Ui *ui;
    float x, right, y, h;
    bool first;
} Line;

/* One piece of the line, or nothing when it does not fit whole. */
static bool piece(Line *line, Color color, const char *text)
{
    Ui *ui = line->ui;
    float w = ui_text_width(ui, FONT_MONO, 11, text);
    float gap = line->first ? 0 : 25;
    if (line->x + gap + w > line->right) {
        return false;
    }
    if (!line->first) {
        draw_rect(ui->list,
                  &(DrawRect){.box = {ui_snap(ui, line->x + 12), line->y + 8, 1, line->h - 16},
                              .fill = ui->theme.edge2});
    }
    line->x += gap;
    line->x += ui_label(ui, rect(line->x, line->y, w + 1, line->h),
                        &(UiLabel){.face = FONT_MONO, .size = 11, .color = color}, text);
    line->first = false;
    return true;
}

static const char *all_weights(ViewContext *c)
{
    const TraceInfo *info = trace_info(c->session->trace);
    char a[32];
    char b[32];
    char total[32];
    /* Only what is there: a run may be on its way, or cancelled. */
    int32_t done = c->session->layers_done;
    uint64_t n = (uint64_t)info->n_queries * (uint64_t)info->n_keys * (uint64_t)done *
                 (uint64_t)info->n_heads;
    const char *layers = done < info->n_layers
                             ? draw_format(c->ui->list, "%d of %d", done, info->n_layers)
                             : draw_format(c->ui->list, "%d", done);
    const char *exact = info->weight_shift > 0 ? draw_format(c->ui->list, "exact to %.1g of each",
                                                             (double)info->weight_shift)
                                               : "all exact";
    return draw_format(c->ui->list, "%s × %s tokens × %s layers × %d heads = %s weights, %s",
                       format_count((uint64_t)info->n_queries, a),
                       format_count((uint64_t)info->n_keys, b), layers, info->n_heads,
                       format_count(n, total), exact);
}

/* Patterns that were made up are never shown without saying so, nor what the head was made to be.
 */
static void synthetic_piece(ViewContext *c, Line *line)
{
    const Model *model = session_model(c->session);
    const Selection *s = &c->session->selection;
    char made[96];
    if (model && model_info(model)->synthetic) {
        piece(line, c->ui->theme.warn,
              draw_format(c->ui->list, "synthetic, L%d H%d is %s", s->layer, s->head,
                          model_head_made(model, s->layer, s->head, made)));
    }
}

static void trace_pieces(ViewContext *c, Line *line)
{
    Ui *ui = c->ui;
    const TraceInfo *info = trace_info(c->session->trace);
    char bytes[32];
    piece(line, ui->theme.text, all_weights(c));
    /* Times change from run to run: a picture must not. */
    double seconds = info->attention_seconds;
    if (!ui->still && seconds > 0) {
        bool fast = info->attention_flops > 1e8; /* a rate of next to nothing says nothing */
        piece(line, ui->theme.text2,
              fast ? draw_format(ui->list, "attention %.2g s, %.1f GF/s", seconds,
                                 info->attention_flops / seconds / 1e9)
                   : draw_format(ui->list, "attention %.2g s", seconds));
    }
    piece(line, ui->theme.text2,
          draw_format(ui->list, "%s%s", format_bytes(info->held_bytes, bytes),
                      info->spilled ? " in a file" : ""));
    /* Which machine computes them changes no picture. */
    if (!ui->still && c->session->tiles.device) {
        piece(line, ui->theme.text2,
              draw_format(ui->list, "tiles %s", c->session->tiles.device->name));
    }
}

static void job_piece(ViewContext *c, Line *line, const JobStatus *status)
{
    Ui *ui = c->ui;
    const char *what = status->stage ? draw_format(ui->list, "%s: %s", status->title, status->stage)
                                     : status->title;
    const char *text = status->fraction >= 0
                           ? draw_format(ui->list, "%s %.0f %%", what, 100 * status->fraction)
                           : draw_format(ui->list, "%s", what);
    if (!piece(line, ui->theme.accent, text) || line->x + 160 > line->right) {
        return;
    }
    ui_progress(ui, rect(line->x + 12, line->y + line->h / 2 - 2, 110, 4), (float)status->fraction);
    if (ui_icon_button(ui, UI_ID("cancel"), rect(line->x + 128, line->y + 3, 22, line->h - 6),
                       ICON_CLOSE, "stop it")) {
        session_post(c->session, "cancel");
    }
    if (!ui->still) {
        ui_wake_in(ui, 0.1);
    }
}

/* Tiles that a device computes: the same words as of the job, but for the way to stop it. */
static bool device_piece(ViewContext *c, Line *line)
{
    Ui *ui = c->ui;
    const char *what;
    double fraction;
    if (!tiles_on_device(&c->session->tiles, &what, &fraction)) {
        return false;
    }
    if (piece(line, ui->theme.accent,
              draw_format(ui->list, "sharpening: %s %.0f %%", what, 100 * fraction)) &&
        line->x + 130 <= line->right) {
        ui_progress(ui, rect(line->x + 12, line->y + line->h / 2 - 2, 110, 4), (float)fraction);
        line->x += 122;
    }
    return true;
}

void chrome_status(ViewContext *c, Rect bar)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    Session *s = c->session;
    draw_rect(ui->list, &(DrawRect){.box = bar, .fill = t->status});
    ui_hairline_h(ui, bar.x, bar.y, bar.w);
    JobStatus status = jobs_status(s->jobs);
    Color dot = s->error.code ? t->error : status.id ? t->accent : t->ok;
    draw_circle(ui->list,
                &(DrawCircle){.center = {bar.x + 20, bar.y + bar.h / 2}, .radius = 4, .fill = dot});
    const char *look =
        draw_format(ui->list, "scale %.4g×   theme %s", (double)s->options.scale, t->name);
    float w = ui_text_width(ui, FONT_MONO, 11, look);
    ui_label(ui, rect(bar.x + bar.w - 24 - w, bar.y, w + 1, bar.h),
             &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text2}, look);
    Line line = {ui, bar.x + 34, bar.x + bar.w - 24 - w - 24, bar.y, bar.h, true};
    if (s->trace) {
        synthetic_piece(c, &line);
        trace_pieces(c, &line);
    }
    if (status.id) {
        job_piece(c, &line, &status);
        return;
    }
    bool busy = device_piece(c, &line);
    if (s->note[0]) {
        float room = line.right - line.x - 25;
        if (room > 120) {
            piece(&line, t->warn,
                  text_elide(ui->fonts, FONT_MONO, 11, s->note, TEXT_ALL, room - 1,
                             &ui->list->arena, NULL));
        }
    } else if (!busy) {
        piece(&line, t->text2, "idle");
    }
}
