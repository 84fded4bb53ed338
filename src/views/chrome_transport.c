#include "views/internal.h"

#include <math.h>

/* The transport: play, the scrubber of layers or of a view's own time, speed, loop. */

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

/* With the focus on it the arrow keys go along it. */
static void scrub_by_keys(ViewContext *c, const char *command, int32_t at, int32_t last)
{
    Ui *ui = c->ui;
    if (ui->focus != UI_ID("scrubber") || !ui->focus_shown) {
        return;
    }
    int32_t to = at + ui_take_key(ui, KEY_RIGHT, 0) - ui_take_key(ui, KEY_LEFT, 0);
    to = ui_take_key(ui, KEY_HOME, 0) ? 0 : to;
    to = ui_take_key(ui, KEY_END, 0) ? last : to;
    to = AS_CLAMP(to, 0, last);
    if (to != at) {
        session_post(c->session, "%s %d", command, to);
    }
}

static void layer_scrubber(ViewContext *c, Rect box)
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
    scrub_by_keys(c, "layer", s->selection.layer, n - 1);
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

/* Time of a view with steps: a stretch of equal width for each, the knob where its time is. */
static void time_scrubber(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    Session *s = c->session;
    const Timeline *line = &s->playback.timeline;
    int32_t n = AS_MAX(line->n_steps, 1);
    float y = box.y + 22;
    float x0 = box.x + 8;
    float w = box.w - 16;
    float pitch = w / (float)n;
    bool hot;
    bool held;
    ui_click(ui, UI_ID("scrubber"), rect(box.x, box.y + 8, box.w, 28), true, &hot, &held);
    scrub_by_keys(c, "step", playback_step(s), n - 1);
    if (held) {
        float at = AS_CLAMP((ui->mouse.x - x0) / pitch, 0.0f, (float)n - 1e-3f);
        int32_t step = (int32_t)at;
        if (step != playback_step(s)) {
            session_post(s, "step %d", step);
        }
        session_post(s, "time %.4f", (double)(at - (float)step) * line->length_s);
    }
    float at = x0 + pitch * ((float)playback_step(s) + (float)playback_fraction(&s->playback));
    draw_rect(ui->list, &(DrawRect){.box = {x0, y - 2, w, 4}, .radius = 2, .fill = t->track});
    draw_rect(ui->list,
              &(DrawRect){.box = {x0, y - 2, at - x0, 4}, .radius = 2, .fill = t->accent});
    for (int32_t i = 0; i <= n; i++) {
        float x = x0 + pitch * (float)i;
        draw_circle(ui->list, &(DrawCircle){.center = {x, y},
                                            .radius = 2.4f,
                                            .fill = x <= at + 0.5f ? t->text : t->text3});
        if (i < n && pitch >= 20) {
            const char *number = draw_format(ui->list, "%d", i + 1);
            ui_label(ui, rect(x, y + 8, pitch, 16),
                     &(UiLabel){.face = FONT_MONO,
                                .size = 11,
                                .color = i == playback_step(s) ? t->accent : t->text3,
                                .align = DRAW_CENTER},
                     number);
        }
    }
    draw_knob(ui, vec2(at, y), hot || held);
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
    ui_tooltip(ui, box,
               s->playback.timeline.length_s > 0 ? "1× is as designed" : "layers a second");
    return box.x - 12;
}

/* What the transport steps through. */
typedef struct Course {
    const char *unit; /* "Layer" */
    const char *command;
    int32_t at, last;
    int32_t first_number; /* steps count from 1 for people, layers from 0 as everywhere */
    const char *play, *end;
} Course;

static Course course_of(const Session *s)
{
    const Timeline *line = &s->playback.timeline;
    if (line->n_steps > 0 && !line->steps_layers && !line->endless) {
        return (Course){.unit = "Step",
                        .command = "step",
                        .at = playback_step(s),
                        .last = line->n_steps - 1,
                        .first_number = 1,
                        .play = "play",
                        .end = "step"};
    }
    return (Course){.unit = "Layer",
                    .command = "layer",
                    .at = s->selection.layer,
                    .last = trace_info(s->trace)->n_layers - 1,
                    .play = line->endless ? "play" : "walk through the layers",
                    .end = "layer"};
}

/* Where it stands, in words; its width. */
static float place_label(ViewContext *c, Rect bar, float x, const Course *course)
{
    Ui *ui = c->ui;
    float x0 = x;
    int32_t add = course->first_number;
    x += ui_label(ui, rect(x, bar.y, 60, bar.h), &(UiLabel){.face = FONT_SANS}, course->unit) + 10;
    const char *place = draw_format(ui->list, "%d / %d", course->at + add, course->last + add);
    const char *widest = draw_format(ui->list, "%d / %d", course->last + add, course->last + add);
    float w = ui_text_width(ui, FONT_MONO, 14, widest) + 1;
    ui_label(ui, rect(x, bar.y, w, bar.h),
             &(UiLabel){.face = FONT_MONO, .size = 14, .color = ui->theme.text}, place);
    x += w + 12;
    const ViewDef *def = view_def(c->session->view);
    if (def->step_name && course->first_number == 1 && bar.w > 760) {
        const char *name = def->step_name(c, course->at);
        x += ui_label(ui, rect(x, bar.y, 150, bar.h), &(UiLabel){.color = ui->theme.text}, name);
        x = AS_MAX(x, x0 + 230) + 12;
    }
    return x + 12 - x0;
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
    Course course = course_of(s);
    float y = bar.y + bar.h / 2;
    float x = bar.x + 24;
    if (ui_icon_button(ui, UI_ID("to-first"), rect(x, y - 14, 28, 28), ICON_SKIP_BACK,
                       draw_format(ui->list, "first %s", course.end))) {
        session_post(s, "%s 0", course.command);
    }
    if (ui_play_button(ui, UI_ID("play"), vec2(x + 54, y), s->playback.playing,
                       s->playback.playing ? "stop" : course.play)) {
        session_post(s, "play");
    }
    if (ui_icon_button(ui, UI_ID("to-last"), rect(x + 80, y - 14, 28, 28), ICON_SKIP_FORWARD,
                       draw_format(ui->list, "last %s", course.end))) {
        session_post(s, "%s %d", course.command, course.last);
    }
    x += 132;
    x += place_label(c, bar, x, &course);
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
                       draw_format(ui->list, "%s at the last %s",
                                   s->playback.loop ? "starts over" : "stops", course.end))) {
        session_post(s, "loop");
    }
    right = speed_menu(c, bar, right - 44);
    if (right - x > 80) {
        Rect box = rect(x, bar.y, right - x - 12, bar.h);
        if (course.first_number == 1) {
            time_scrubber(c, box);
        } else {
            layer_scrubber(c, box);
        }
    }
}
