#pragma once
/* A Ui with fonts and a list, and passes over it. */
#include "testing.h"

#include "ui/text_field.h"
#include "ui/widgets.h"

typedef struct UiCase {
    Ui ui;
    DrawList list;
    FontSet *fonts;
    double now_s;
} UiCase;

static inline void ui_case_open(UiCase *c)
{
    Error err = {0};
    *c = (UiCase){0};
    c->fonts = fontset_create(&err);
    assert_ok(c->fonts, err);
}

static inline void ui_case_close(UiCase *c)
{
    ui_free(&c->ui);
    draw_list_free(&c->list);
    fontset_destroy(c->fonts);
}

static inline void ui_case_begin(UiCase *c)
{
    c->now_s += 0.01;
    ui_begin(&c->ui, &(UiFrame){.list = &c->list,
                                .fonts = c->fonts,
                                .width = 800,
                                .height = 600,
                                .scale = 1,
                                .now_s = c->now_s,
                                .still = true});
}

static inline void ui_case_end(UiCase *c)
{
    Error err = {0};
    ui_end(&c->ui);
    assert_ok(draw_end(&c->list, &err), err);
}

static inline void feed(UiCase *c, UiEvent event)
{
    event.time_s = c->now_s;
    assert_true(ui_feed(&c->ui, &event));
}

static inline void feed_key(UiCase *c, uint32_t key, uint32_t mods)
{
    feed(c, (UiEvent){.kind = UI_EVENT_KEY, .key = key, .mods = mods});
}

static inline void feed_text(UiCase *c, const char *ascii)
{
    for (; *ascii; ascii++) {
        feed(c, (UiEvent){.kind = UI_EVENT_TEXT, .key = (unsigned char)*ascii});
    }
}
