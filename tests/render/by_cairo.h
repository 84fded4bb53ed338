#pragma once
/* The same picture by the other way there is: what cairo makes of a stage's list. */
#include "export/export.h"

#include <png.h>
#include <unistd.h>

#include "stage.h"

/** [h][w][4] of a PNG file that must be of this size; free it. */
static inline unsigned char *read_png(const char *path, int w, int h)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.width, w);
    assert_int_equal(image.height, h);
    image.format = PNG_FORMAT_RGBA;
    unsigned char *pixels = malloc(PNG_IMAGE_SIZE(image));
    assert_non_null(pixels);
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    return pixels;
}

/** What stage_paint painted at scale 1, painted by cairo: of the size of s->pixels; free it. */
static inline unsigned char *cairo_pixels(const Stage *s)
{
    char path[] = "/tmp/attnscope-cairo-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    Error err = {0};
    assert_ok(export_png(path, &s->list, NULL, &err), err);
    unsigned char *pixels = read_png(path, s->w, s->h);
    unlink(path);
    return pixels;
}
