#include "views/internal.h"

#include <math.h>

/* ---- transport ---- */

static void draw_knob(Ui *ui, Vec2 at, bool lit)
{
    const Theme *t = &ui->theme;
    float h = ui_ease(ui, UI_ID("scrubber-hot"), lit, EASE_HOVER_S);
    draw_circle(ui->list, &(DrawCircle){.center = at,
                                        .radius = 11 + 2 * h,
                                        .fill = color_with_alpha(t->accent, 0.2f + 0.1f * h)});
    draw_circle(ui->list, &(DrawCircle){.center = at,
                                        .radius = 7.5f,
                                        .fill = t->dark ? t->text : t->card,
                                        .border = t->dark ? 0 : 2,
                                        .border_color = t->accent});
    if (t->dark) {
        draw_circle(ui->list, &(DrawCircle){.center = at, .radius = 4, .fill = t->accent});
    }
}

static void scrubber(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    Session *s = c->session;
    int32_t n = trace_info(s->trace)->n_layers;
    float y = box.y + 22;
    float x0 = box.x + 8;
    float w = box.w - 16;
    float pitch = n > 1 ? w / (float)(n - 1) : 0;
    bool hot;
    bool held;
    ui_click(ui, UI_ID("scrubber"), rect(box.x, box.y + 8, box.w, 28), true, &hot, &held);
    if (held && n > 1) {
        int32_t to = (int32_t)AS_CLAMP(lroundf((ui->mouse.x - x0) / pitch), 0, n - 1);
        if (to != s->selection.layer) {
            session_post(s, "layer %d", to);
        }
    }
    float at = x0 + pitch * (float)s->selection.layer;
    float shown = x0 + (float)ui_tween(ui, UI_ID("scrubber-knob"), (double)(at - x0), 0.2);
    float done = x0 + pitch * (float)AS_CLAMP(s->layers_done - 1, 0, n - 1);
    draw_rect(ui->list, &(DrawRect){.box = {x0, y - 2, w, 4}, .radius = 2, .fill = t->track});
    if (s->layers_done < n) {
        draw_rect(ui->list,
                  &(DrawRect){.box = {x0, y - 2, done - x0, 4}, .radius = 2, .fill = t->edge2});
    }
    draw_rect(ui->list,
              &(DrawRect){.box = {x0, y - 2, shown - x0, 4}, .radius = 2, .fill = t->accent});
    /* Numbers at every layer, every fifth, … and at the last one. */
    static const int32_t steps[] = {1, 5, 10, 20, 50, 100};
    int32_t step = 100;
    for (size_t i = AS_COUNT(steps); i-- > 0;) {
        step = (float)steps[i] * pitch >= 52 ? steps[i] : step;
    }
    for (int32_t i = 0; i < n; i++) {
        float x = x0 + pitch * (float)i;
        bool named = i == n - 1 || (i % step == 0 && (float)(n - 1 - i) * pitch >= 28);
        if (pitch >= 5 || named) {
            Color dot = i >= s->layers_done ? t->edge2 : x <= shown ? t->text : t->text3;
            draw_circle(
                ui->list,
                &(DrawCircle){.center = {x, y}, .radius = named ? 2.6f : 1.6f, .fill = dot});
        }
        if (named) {
            ui_label(
                ui, rect(x - 16, y + 8, 32, 16),
                &(UiLabel){.face = FONT_MONO, .size = 11, .color = t->text3, .align = DRAW_CENTER},
                draw_format(ui->list, "%d", i));
        }
    }
    draw_knob(ui, vec2(shown, y), hot || held);
}

static float speed_menu(ViewContext *c, Rect bar, float right)
{
    static const char *const items[] = {"0.5×", "1×", "2×", "4×", "8×"};
    static const float speeds[] = {0.5f, 1, 2, 4, 8};
    Ui *ui = c->ui;
    Session *s = c->session;
    int now = 1;
    for (int i = 0; i < (int)AS_COUNT(speeds); i++) {
        if (fabsf(speeds[i] - s->playback.speed) < fabsf(speeds[now] - s->playback.speed)) {
            now = i;
        }
    }
    const char *value = draw_format(ui->list, "%g×", (double)s->playback.speed);
    Rect box = {right - 118, bar.y + 12, 118, 32};
    int chosen = ui_dropdown(ui, UI_ID("speed"), box, "Speed", value, items, AS_COUNT(items), now);
    if (chosen != now) {
        session_post(s, "speed %g", (double)speeds[chosen]);
    }
    ui_tooltip(ui, box, "layers a second");
    return box.x - 12;
}

void chrome_transport(ViewContext *c, Rect bar)
{
    Ui *ui = c->ui;
    Session *s = c->session;
    draw_rect(ui->list, &(DrawRect){.box = bar, .fill = ui->theme.bar});
    ui_hairline_h(ui, bar.x, bar.y, bar.w);
    if (!s->trace) {
        return;
    }
    int32_t last = trace_info(s->trace)->n_layers - 1;
    float y = bar.y + bar.h / 2;
    float x = bar.x + 24;
    if (ui_icon_button(ui, UI_ID("to-first"), rect(x, y - 14, 28, 28), ICON_SKIP_BACK,
                       "first layer")) {
        session_post(s, "layer 0");
    }
    if (ui_play_button(ui, UI_ID("play"), vec2(x + 54, y), s->playback.playing,
                       s->playback.playing ? "stop" : "walk through the layers")) {
        session_post(s, "play");
    }
    if (ui_icon_button(ui, UI_ID("to-last"), rect(x + 80, y - 14, 28, 28), ICON_SKIP_FORWARD,
                       "last layer")) {
        session_post(s, "layer %d", last);
    }
    x += 132;
    x += ui_label(ui, rect(x, bar.y, 60, bar.h), &(UiLabel){.face = FONT_SANS}, "Layer") + 10;
    const char *place = draw_format(ui->list, "%d / %d", s->selection.layer, last);
    const char *widest = draw_format(ui->list, "%d / %d", last, last);
    float w = ui_text_width(ui, FONT_MONO, 14, widest) + 1;
    ui_label(ui, rect(x, bar.y, w, bar.h),
             &(UiLabel){.face = FONT_MONO, .size = 14, .color = ui->theme.text}, place);
    x += w + 24;
    float right = bar.x + bar.w - 24;
    Rect loop = {right - 32, y - 16, 32, 32};
    if (s->playback.loop) {
        draw_rect(ui->list, &(DrawRect){.box = loop,
                                        .radius = 8,
                                        .fill = ui->theme.accent_tint,
                                        .border = 1,
                                        .border_color = ui->theme.accent_edge});
    }
    if (ui_icon_button(ui, UI_ID("loop"), loop, ICON_LOOP,
                       s->playback.loop ? "starts over at the last layer"
                                        : "stops at the last layer")) {
        session_post(s, "loop");
    }
    right = speed_menu(c, bar, right - 44);
    if (right - x > 80) {
        scrubber(c, rect(x, bar.y, right - x - 12, bar.h));
    }
}

/* ---- status ---- */

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
        trace_pieces(c, &line);
    }
    if (status.id) {
        job_piece(c, &line, &status);
    } else if (s->note[0]) {
        float room = line.right - line.x - 25;
        if (room > 120) {
            piece(&line, t->warn,
                  text_elide(ui->fonts, FONT_MONO, 11, s->note, TEXT_ALL, room - 1,
                             &ui->list->arena, NULL));
        }
    } else {
        piece(&line, t->text2, "idle");
    }
}
