#include <png.h>
#include <setjmp.h>
#include <string.h>

#include "base/file.h"
#include "export/png.h"

/* libpng's pointer back to us. */
typedef struct PngSink {
    bool (*write)(void *payload, const void *bytes, size_t n, Error *err);
    void *payload;
    Error *err;
    char message[128];
} PngSink;

static void on_write(png_structp png, png_bytep bytes, png_size_t n)
{
    PngSink *sink = png_get_io_ptr(png);
    if (!sink->write(sink->payload, bytes, n, sink->err)) {
        png_error(png, "write failed");
    }
}

static void on_flush(png_structp png)
{
    (void)png;
}

static void on_error(png_structp png, png_const_charp message)
{
    PngSink *sink = png_get_error_ptr(png);
    strncpy(sink->message, message, sizeof(sink->message) - 1);
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static bool is_opaque(const unsigned char *rgba, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (rgba[4 * i + 3] != 255) {
            return false;
        }
    }
    return true;
}

bool png_encode(const unsigned char *rgba, int32_t width, int32_t height,
                bool (*write)(void *payload, const void *bytes, size_t n, Error *err),
                void *payload, Error *err)
{
    size_t row_bytes;
    size_t n_bytes;
    if (width < 1 || height < 1 || !checked_mul((size_t)width, 4, &row_bytes) ||
        !checked_mul(row_bytes, (size_t)height, &n_bytes)) {
        return error_set(err, ERR_RANGE, "a picture of %d x %d cannot be written", width, height);
    }
    bool opaque = is_opaque(rgba, n_bytes / 4);
    unsigned char *row = mem_alloc(row_bytes, err);
    if (!row) {
        return false;
    }
    PngSink sink = {.write = write, .payload = payload, .err = err};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &sink, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        mem_free(row);
        return error_set(err, ERR_MEMORY, "libpng could not be started");
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        mem_free(row);
        return err && err->code
                   ? false
                   : error_set(err, ERR_IO, "the PNG could not be written: %s", sink.message);
    }
    png_set_write_fn(png, &sink, on_write, on_flush);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8,
                 opaque ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGB_ALPHA, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_set_compression_level(png, 6);
    png_write_info(png, info);
    for (int32_t y = 0; y < height; y++) {
        const unsigned char *in = rgba + (size_t)y * row_bytes;
        if (opaque) {
            for (int32_t x = 0; x < width; x++) {
                memcpy(row + 3 * x, in + 4 * x, 3);
            }
        } else {
            memcpy(row, in, row_bytes);
        }
        png_write_row(png, row);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    mem_free(row);
    return true;
}

static bool to_file(void *payload, const void *bytes, size_t n, Error *err)
{
    return atomic_file_write(payload, bytes, n, err);
}

bool export_png_pixels(const char *path, const unsigned char *rgba, int32_t width, int32_t height,
                       Error *err)
{
    AtomicFile file = {0};
    if (!atomic_file_open(&file, path, err)) {
        return false;
    }
    bool ok =
        png_encode(rgba, width, height, to_file, &file, err) && atomic_file_commit(&file, err);
    atomic_file_abort(&file);
    return ok;
}
