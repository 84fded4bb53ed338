/* The Matrix view as pixels: the colour of a cell is colour map (scale (weight)), in every theme,
 * at every scale; the same picture every time. */
#include "testing.h"

#include <stdlib.h>

#include "gfx/headless.h"
#include "session/session.h"
#include "ui/ui.h"
#include "views/views.h"

enum { WIDTH = 1280, HEIGHT = 720, TOKENS = 40 };

typedef struct Shot {
    Session *session;
    Views *views;
    FontSet *fonts;
    Ui ui;
    DrawList list;
    Headless *headless;
    Gfx *gfx;
    unsigned char *rgba;
} Shot;

static void shot_open(Shot *s)
{
    Error err = {0};
    StrBuf text = {0};
    for (int i = 0; i < TOKENS; i++) {
        assert_true(strbuf_printf(&text, NULL, "w%d ", i * 31 % 17));
    }
    *s = (Shot){0};
    s->headless = headless_create(WIDTH, HEIGHT, &err);
    assert_ok(s->headless, err);
    s->gfx = gfx_create(headless_proc, &err);
    assert_ok(s->gfx, err);
    s->rgba = mem_alloc((size_t)WIDTH * HEIGHT * 4, &err);
    s->fonts = fontset_create(&err);
    s->session = session_create(&(SessionDesc){0}, &err);
    assert_ok(s->rgba && s->fonts && s->session, err);
    s->views = views_create(s->session, &(ViewsDesc){0}, &err);
    assert_ok(s->views, err);
    SessionRequest request = {.model = "random:L=2,H=2,d=64,seed=4",
                              .text = {.text = strbuf_text(&text), .n_text = text.n}};
    assert_ok(session_request(s->session, &request, &err), err);
    session_settle(s->session);
    strbuf_free(&text);
}

static void shot_close(Shot *s)
{
    views_destroy(&s->views);
    session_destroy(&s->session);
    ui_free(&s->ui);
    draw_list_free(&s->list);
    fontset_destroy(s->fonts);
    mem_free(s->rgba);
    gfx_destroy(s->gfx);
    headless_destroy(s->headless);
}

static void shot_take(Shot *s, float scale)
{
    Error err = {0};
    ui_begin(&s->ui, &(UiFrame){.list = &s->list,
                                .fonts = s->fonts,
                                .theme = (ThemeId)s->session->options.theme,
                                .width = WIDTH / scale,
                                .height = HEIGHT / scale,
                                .scale = scale,
                                .still = true});
    views_frame(s->views, &s->ui, s->session);
    ui_end(&s->ui);
    assert_ok(draw_end(&s->list, &err), err);
    gfx_begin_frame(s->gfx, WIDTH, HEIGHT, scale);
    assert_ok(gfx_paint(s->gfx, &s->list, &err), err);
    assert_ok(gfx_read_pixels(s->gfx, s->rgba, (size_t)WIDTH * HEIGHT * 4, &err), err);
}

static const DrawCells *heatmap(const Shot *s)
{
    for (size_t i = 0; i < s->list.cmds.n; i++) {
        const DrawCmd *cmd = &s->list.cmds.items[i];
        if (cmd->kind == DRAW_CELLS && cmd->u.cells.source.rows > 1) {
            return &cmd->u.cells; /* the first one; the minimap comes later */
        }
    }
    fail();
    return NULL;
}

static void check_pixel(const Shot *s, int x, int y, Color want, const char *what)
{
    const unsigned char *p = s->rgba + ((size_t)y * WIDTH + (size_t)x) * 4;
    const float channels[] = {want.r, want.g, want.b};
    for (int c = 0; c < 3; c++) {
        int expected = (int)lroundf(channels[c] * 255);
        if (abs((int)p[c] - expected) > 2) {
            print_error("%s at (%d, %d): %d %d %d, expected %.0f %.0f %.0f\n", what, x, y, p[0],
                        p[1], p[2], (double)want.r * 255, (double)want.g * 255,
                        (double)want.b * 255);
            fail();
        }
    }
}

static void check_cells(const Shot *s, float scale, const char *what)
{
    const DrawCells *cells = heatmap(s);
    float px = cells->box.w * scale / (float)cells->source.cols;
    const Selection *sel = &s->session->selection;
    int32_t row0 = 0;
    for (int32_t i = 1; i < cells->source.rows; i += 3) {
        for (int32_t j = 0; j <= i && j < cells->source.cols; j += 4) {
            if (i == sel->query || j == sel->key) {
                continue; /* under the crosshair */
            }
            TraceCell cell;
            assert_true(
                trace_cell(s->session->trace, sel->layer, sel->head, row0 + i, j, &cell, NULL));
            int x = (int)(cells->box.x * scale + px * ((float)j + 0.5f));
            int y = (int)(cells->box.y * scale + px * ((float)i + 0.5f));
            check_pixel(s, x, y, colormap_value(cells->map, cells->scale, cell.weight), what);
        }
    }
}

static void test_matrix__pixels_are_weights(void **state)
{
    (void)state;
    static const char *const scales[] = {"map-scale log", "map-scale sqrt", "map-scale linear"};
    Shot s;
    shot_open(&s);
    session_post(s.session, "pin 30 12");
    session_settle(s.session);
    for (int theme = 0; theme < 3; theme++) {
        session_post(s.session, "%s", scales[theme]);
        session_settle(s.session);
        s.session->options.theme = theme;
        for (int k = 0; k < 2; k++) {
            float scale = k ? 1.5f : 1;
            shot_take(&s, scale);
            check_cells(&s, scale, scales[theme]);
        }
    }
    shot_close(&s);
}

/* What is masked is not the map's zero: hatched, with the ground of its own. */
static void test_matrix__masked_is_not_zero(void **state)
{
    (void)state;
    Shot s;
    shot_open(&s);
    shot_take(&s, 1);
    const DrawCells *cells = heatmap(&s);
    float px = cells->box.w / (float)cells->source.cols;
    Theme theme = theme_make(THEME_NIGHT);
    int n_ground = 0;
    int n_hatch = 0;
    for (int k = 0; k < 60; k++) {
        int x = (int)(cells->box.x + px * 35) + k % 10;
        int y = (int)(cells->box.y + px * 12) + k / 10;
        const unsigned char *p = s.rgba + ((size_t)y * WIDTH + (size_t)x) * 4;
        uint32_t masked = color_pack(theme.masked);
        uint32_t is;
        memcpy(&is, p, 4);
        n_ground += is == masked;
        n_hatch += is != masked;
    }
    assert_true(n_ground > 20);
    assert_true(n_hatch > 3);
    shot_close(&s);
}

static void test_shot__same_bytes(void **state)
{
    (void)state;
    unsigned char *first = NULL;
    for (int run = 0; run < 2; run++) {
        Shot s;
        shot_open(&s);
        shot_take(&s, 1);
        if (run == 0) {
            first = s.rgba;
            s.rgba = NULL;
        } else {
            assert_memory_equal(first, s.rgba, (size_t)WIDTH * HEIGHT * 4);
        }
        shot_close(&s);
    }
    mem_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix__pixels_are_weights),
        cmocka_unit_test(test_matrix__masked_is_not_zero),
        cmocka_unit_test(test_shot__same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
