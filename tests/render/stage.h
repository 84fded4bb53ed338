#pragma once
/*
 * A headless frame for render tests: fonts, context, painter and the pixels read back.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "gfx/headless.h"
#include "testing.h"

typedef struct Stage {
    FontSet *fonts;
    Headless *headless;
    Gfx *gfx;
    DrawList list;
    unsigned char *pixels; /* [h][w][4] of the last frame */
    int w, h;              /* device px */
    float scale;
} Stage;

enum { STAGE_MOST = 1024 }; /* side of the framebuffer */

static inline int stage_setup(void **state)
{
    Error err = {0};
    Stage *s = calloc(1, sizeof(*s));
    s->fonts = fontset_create(&err);
    s->headless = s->fonts ? headless_create(STAGE_MOST, STAGE_MOST, &err) : NULL;
    s->gfx = s->headless ? gfx_create(headless_proc, &err) : NULL;
    s->pixels = malloc((size_t)STAGE_MOST * STAGE_MOST * 4);
    *state = s;
    if (!s->gfx || !s->pixels) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static inline int stage_teardown(void **state)
{
    Stage *s = *state;
    draw_list_free(&s->list);
    gfx_destroy(s->gfx);
    headless_destroy(s->headless);
    fontset_destroy(s->fonts);
    free(s->pixels);
    free(s);
    return 0;
}

/** Starts a frame of w x h device pixels at a scale. */
static inline DrawList *stage_begin(Stage *s, int w, int h, float scale)
{
    s->w = w;
    s->h = h;
    s->scale = scale;
    draw_begin(&s->list, s->fonts, (float)w / scale, (float)h / scale);
    return &s->list;
}

/** Paints and reads back. The frame is the lower left of the framebuffer. */
static inline void stage_paint(Stage *s)
{
    Error err = {0};
    assert_ok(draw_end(&s->list, &err), err);
    gfx_begin_frame(s->gfx, s->w, s->h, s->scale);
    assert_ok(gfx_paint(s->gfx, &s->list, &err), err);
    assert_ok(gfx_read_pixels(s->gfx, s->pixels, (size_t)s->w * (size_t)s->h * 4, &err), err);
}

static inline const unsigned char *stage_pixel(const Stage *s, int x, int y)
{
    assert_in_range(x, 0, s->w - 1);
    assert_in_range(y, 0, s->h - 1);
    return s->pixels + 4 * ((size_t)y * (size_t)s->w + (size_t)x);
}

/** Fails unless the pixel is `want` within `steps` of 1/255 in every channel. */
static inline void stage_expect_at(const Stage *s, int x, int y, Color want, int steps,
                                   const char *file, int line)
{
    const unsigned char *got = stage_pixel(s, x, y);
    uint32_t packed = color_pack(want);
    const unsigned char *p = (const unsigned char *)&packed;
    for (int i = 0; i < 3; i++) {
        if (abs(got[i] - p[i]) > steps) {
            print_error("pixel %d,%d is #%02X%02X%02X, expected #%02X%02X%02X within %d\n", x, y,
                        got[0], got[1], got[2], p[0], p[1], p[2], steps);
            _fail(file, line);
        }
    }
}
#define stage_expect(s, x, y, want, steps)                                                         \
    stage_expect_at((s), (x), (y), (want), (steps), __FILE__, __LINE__)
