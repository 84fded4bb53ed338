#include <cairo-ft.h>
#include <cairo-pdf.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "export/canvas.h"

/* PDF counts in points of 1/72 inch, the screen in pixels of 1/96. */
static const double POINTS_PER_PX = 0.75;

static cairo_status_t to_file(void *closure, const unsigned char *bytes, unsigned int n)
{
    Canvas *c = closure;
    return atomic_file_write(c->file, bytes, n, c->err) ? CAIRO_STATUS_SUCCESS
                                                        : CAIRO_STATUS_WRITE_ERROR;
}

static bool paint_all(Canvas *c, cairo_surface_t *surface, double scale, Error *err)
{
    const DrawList *list = c->list;
    c->cr = cairo_create(surface);
    cairo_scale(c->cr, scale, scale);
    Color b = list->background;
    cairo_set_source_rgb(c->cr, (double)b.r, (double)b.g, (double)b.b);
    cairo_paint(c->cr);
    bool ok = true;
    for (size_t i = 0; ok && i < list->cmds.n; i++) {
        c->cmd = &list->cmds.items[i];
        ok = canvas_command(c, err);
    }
    cairo_status_t status = cairo_status(c->cr);
    cairo_destroy(c->cr);
    canvas_free(c);
    if (ok && status != CAIRO_STATUS_SUCCESS) {
        ok = error_set(err, ERR_INTERNAL, "cairo: %s", cairo_status_to_string(status));
    }
    return ok;
}

bool export_pdf(const char *path, const DrawList *list, const ExportDesc *desc, Error *err)
{
    Error own = {0};
    AtomicFile file = {0};
    if (!atomic_file_open(&file, path, err)) {
        return false;
    }
    /* cairo refuses a whole document for one byte of its title that is no UTF-8. */
    const char *title = desc && desc->title ? desc->title : "attnscope";
    Arena arena = {0};
    size_t n;
    title = utf8_repair(&arena, title, strlen(title), &n, NULL, err);
    if (!title) {
        atomic_file_abort(&file);
        return false;
    }
    Canvas c = {.list = list, .desc = desc, .is_pdf = true, .file = &file, .err = err ? err : &own};
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
        to_file, &c, (double)list->width * POINTS_PER_PX, (double)list->height * POINTS_PER_PX);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title);
    arena_destroy(&arena);
    bool ok = paint_all(&c, surface, POINTS_PER_PX, err);
    cairo_surface_finish(surface);
    cairo_status_t status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (ok && status != CAIRO_STATUS_SUCCESS) {
        ok = c.err->code
                 ? false
                 : error_set(err, ERR_IO, "%s: cairo: %s", path, cairo_status_to_string(status));
    }
    ok = ok && atomic_file_commit(&file, err);
    atomic_file_abort(&file);
    return ok;
}

/* cairo's premultiplied native-endian pixels to RGBA bytes; the frame is opaque. */
static void to_rgba(cairo_surface_t *surface, int32_t w, int32_t h, unsigned char *rgba)
{
    const unsigned char *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int32_t y = 0; y < h; y++) {
        const unsigned char *row = pixels + (ptrdiff_t)y * stride;
        for (int32_t x = 0; x < w; x++) {
            uint32_t p;
            memcpy(&p, row + 4 * (ptrdiff_t)x, 4);
            unsigned char *out = rgba + 4 * ((size_t)y * (size_t)w + (size_t)x);
            out[0] = (unsigned char)(p >> 16);
            out[1] = (unsigned char)(p >> 8);
            out[2] = (unsigned char)p;
            out[3] = 255;
        }
    }
}

bool export_png(const char *path, const DrawList *list, const ExportDesc *desc, Error *err)
{
    enum { MOST_SIDE = 32767 }; /* cairo's */
    float scale = export_scale(desc);
    double width = ceil((double)list->width * (double)scale);
    double height = ceil((double)list->height * (double)scale);
    if (!(width >= 1 && height >= 1 && width <= MOST_SIDE && height <= MOST_SIDE)) {
        return error_set(
            err, ERR_RANGE,
            "a picture of %.0f x %.0f pixels cannot be written: choose a size or scale "
            "that gives 1 to %d a side",
            width, height, (int)MOST_SIDE);
    }
    int32_t w = (int32_t)width;
    int32_t h = (int32_t)height;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, w, h);
    Canvas c = {.list = list, .desc = desc};
    bool ok = paint_all(&c, surface, (double)scale, err);
    cairo_surface_flush(surface);
    unsigned char *rgba = ok ? mem_alloc_zeroed((size_t)w * (size_t)h, 4, err) : NULL;
    if (rgba) {
        to_rgba(surface, w, h, rgba);
    }
    cairo_surface_destroy(surface);
    ok = rgba && export_png_pixels(path, rgba, w, h, err);
    mem_free(rgba);
    return ok;
}
