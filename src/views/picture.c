#include "views/internal.h"

#include <math.h>

/* Vision models: a token is a patch of a picture, and is shown as one. */

/* Part of the picture as pixels, in the frame's arena; NULL without memory. */
static unsigned char *pixels_of(Ui *ui, const TraceImage *image, int32_t x, int32_t y, int32_t w,
                                int32_t h)
{
    unsigned char *out = arena_alloc_array(&ui->list->arena, (size_t)w * (size_t)h, 4, NULL);
    for (int32_t r = 0; out && r < h; r++) {
        const uint8_t *from = image->rgb + ((size_t)(y + r) * (size_t)image->width + (size_t)x) * 3;
        for (int32_t c = 0; c < w; c++) {
            unsigned char *to = out + ((size_t)r * (size_t)w + (size_t)c) * 4;
            to[0] = from[3 * c];
            to[1] = from[3 * c + 1];
            to[2] = from[3 * c + 2];
            to[3] = 255;
        }
    }
    return out;
}

bool draw_patch(ViewContext *c, Rect box, int32_t token)
{
    Ui *ui = c->ui;
    const TraceImage *image = trace_image(c->session->trace);
    int32_t x;
    int32_t y;
    int32_t w;
    int32_t h;
    if (!image || !trace_image_patch(c->session->trace, token, &x, &y, &w, &h)) {
        return false;
    }
    unsigned char *pixels = pixels_of(ui, image, x, y, w, h);
    if (pixels) {
        draw_image(ui->list, &(DrawImage){.box = box, .pixels = pixels, .width = w, .height = h});
        draw_rect(ui->list, &(DrawRect){.box = box,
                                        .border = 1,
                                        .border_color = color_with_alpha(ui->theme.text, 0.5f)});
    }
    return true;
}

/* The box of a token's patch in the picture as it is drawn. */
static bool patch_box(const Trace *trace, Rect box, int32_t token, Rect *out)
{
    const TraceImage *image = trace_image(trace);
    int32_t x;
    int32_t y;
    int32_t w;
    int32_t h;
    if (!trace_image_patch(trace, token, &x, &y, &w, &h)) {
        return false;
    }
    float sx = box.w / (float)image->width;
    float sy = box.h / (float)image->height;
    *out = rect(box.x + (float)x * sx, box.y + (float)y * sy, (float)w * sx, (float)h * sy);
    return true;
}

void draw_picture_attention(ViewContext *c, Rect box, int32_t query, const float *row)
{
    Ui *ui = c->ui;
    const Trace *trace = c->session->trace;
    const TraceImage *image = trace_image(trace);
    int32_t m = trace_info(trace)->n_keys;
    float scale = fminf(box.w / (float)image->width, box.h / (float)image->height);
    Rect at = {ui_snap(ui, box.x), ui_snap(ui, box.y), (float)image->width * scale,
               (float)image->height * scale};
    unsigned char *pixels = pixels_of(ui, image, 0, 0, image->width, image->height);
    if (!pixels) {
        return;
    }
    draw_image(ui->list, &(DrawImage){.box = at,
                                      .pixels = pixels,
                                      .width = image->width,
                                      .height = image->height,
                                      .smooth = true});
    float most = 1e-12f;
    Rect patch;
    for (int32_t j = 0; j < m; j++) {
        most = patch_box(trace, at, j, &patch) ? fmaxf(most, row[j]) : most;
    }
    /* What is read little lies in the dark. */
    for (int32_t j = 0; j < m; j++) {
        if (patch_box(trace, at, j, &patch)) {
            draw_rect(ui->list,
                      &(DrawRect){.box = patch,
                                  .fill = color_with_alpha(color_hex(0x000000),
                                                           0.82f * (1 - sqrtf(row[j] / most)))});
            ui_tooltip(
                ui, patch,
                draw_format(ui->list, "%s: %.2f %%", key_label_of(c, j), 100 * (double)row[j]));
        }
    }
    if (patch_box(trace, at, query, &patch)) {
        draw_rect(ui->list,
                  &(DrawRect){.box = patch, .border = 2, .border_color = ui->theme.accent});
    }
}
