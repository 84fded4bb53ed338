/* render_scene FILE.png [SCALE]: the test scene as a picture, to be looked at; says what it cost.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "export/export.h"
#include "gfx/headless.h"
#include "scene.h"

static bool run(const char *path, float scale, Error *err)
{
    static Scene scene;
    scene_init(&scene);
    int32_t w = (int32_t)(SCENE_W * scale);
    int32_t h = (int32_t)(SCENE_H * scale);
    size_t n = (size_t)w * (size_t)h * 4;
    FontSet *fonts = fontset_create(err);
    Headless *headless = fonts ? headless_create(w, h, err) : NULL;
    Gfx *gfx = headless ? gfx_create(headless_proc, err) : NULL;
    unsigned char *pixels = gfx ? mem_alloc(n, err) : NULL;
    bool ok = pixels != NULL;
    DrawList list = {0};
    for (int frame = 0; ok && frame < 3; frame++) {
        double start = clock_now_s();
        draw_begin(&list, fonts, SCENE_W, SCENE_H);
        scene_draw(&scene, &list);
        double built = clock_now_s();
        gfx_begin_frame(gfx, w, h, scale);
        ok = draw_end(&list, err) && gfx_paint(gfx, &list, err) &&
             gfx_read_pixels(gfx, pixels, n, err);
        GfxStats s = gfx_stats(gfx);
        printf("%s: %d commands, %d boxes, %d vertices, %d draw calls; list %.2f ms, submit "
               "%.2f ms, with pixels %.2f ms\n",
               gfx_renderer(gfx), s.n_commands, s.n_instances, s.n_vertices, s.n_draw_calls,
               (built - start) * 1e3, s.cpu_s * 1e3, (clock_now_s() - start) * 1e3);
    }
    ExportDesc desc = {.scale = scale, .title = "Test scene"};
    if (path_has_suffix(path, ".svg")) {
        ok = ok && export_svg(path, &list, &desc, err);
    } else if (path_has_suffix(path, ".pdf")) {
        ok = ok && export_pdf(path, &list, &desc, err);
    } else if (path_has_suffix(path, ".cairo.png")) {
        ok = ok && export_png(path, &list, &desc, err);
    } else {
        ok = ok && export_png_pixels(path, pixels, w, h, err);
    }
    draw_list_free(&list);
    mem_free(pixels);
    gfx_destroy(gfx);
    headless_destroy(headless);
    fontset_destroy(fonts);
    return ok;
}

int main(int argc, char **argv)
{
    Error err = {0};
    if (argc < 2 || !run(argv[1], argc > 2 ? strtof(argv[2], NULL) : 1, &err)) {
        fprintf(stderr, "render_scene: %s\n",
                argc < 2 ? "FILE.{png,svg,pdf} [SCALE]" : err.message);
        return 1;
    }
    return 0;
}
