#include "formats/image.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "formats/image_stb.h"

bool image_read_memory(const char *name, const void *data, size_t n_bytes, Arena *arena,
                       Image *image, Error *err)
{
    int width = 0, height = 0;
    unsigned char *pixels =
        n_bytes <= IMAGE_MAX_BYTES ? image_stb_decode(data, (int)n_bytes, &width, &height) : NULL;
    if (!pixels) {
        return error_set(
            err, ERR_FORMAT,
            "%s: not a PNG or JPEG picture that can be read (at most %d pixels a side)", name,
            IMAGE_MAX_SIDE);
    }
    const size_t n = (size_t)width * (size_t)height * 3;
    *image = (Image){width, height, arena_alloc(arena, n, err)};
    if (image->rgb) {
        memcpy(image->rgb, pixels, n);
    }
    image_stb_free(pixels);
    return image->rgb != NULL;
}

bool image_read(const char *path, Arena *arena, Image *image, Error *err)
{
    size_t n;
    Arena own = {0};
    const char *data = file_read_all(&own, path, IMAGE_MAX_BYTES, &n, err);
    const bool ok = data && image_read_memory(path, data, n, arena, image, err);
    arena_destroy(&own);
    return ok;
}

/* ---------------------------------------------------------------- size */

static const double PI = 3.14159265358979323846;

static double sinc(double x)
{
    return x == 0 ? 1 : sin(PI * x) / (PI * x);
}

static double filter_at(ImageFilter filter, double x)
{
    x = fabs(x);
    switch (filter) {
    case IMAGE_BILINEAR:
        return x < 1 ? 1 - x : 0;
    case IMAGE_BICUBIC: /* Keys 1981 with a = -1/2 */
        return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    case IMAGE_LANCZOS:
        return x < 3 ? sinc(x) * sinc(x / 3) : 0;
    case IMAGE_NEAREST:
        break;
    }
    return x <= 0.5;
}

static double filter_radius(ImageFilter filter)
{
    static const double radii[] = {
        [IMAGE_NEAREST] = 0.5, [IMAGE_LANCZOS] = 3, [IMAGE_BILINEAR] = 1, [IMAGE_BICUBIC] = 2};
    return radii[filter];
}

/* What pixel `to` of n_to is made of: pixels [*first, *first + *n) of n_from with weights [*n]. */
static void weights_of(ImageFilter filter, int32_t to, int32_t n_to, int32_t n_from, int32_t *first,
                       int32_t *n, double *weights)
{
    const double scale = (double)n_from / n_to;
    const double widened = fmax(scale, 1);
    const double center = (to + 0.5) * scale;
    const double radius = filter_radius(filter) * widened;
    if (filter == IMAGE_NEAREST) {
        *first = AS_MIN((int32_t)center, n_from - 1);
        *n = 1;
        weights[0] = 1;
        return;
    }
    *first = AS_MAX((int32_t)(center - radius + 0.5), 0);
    *n = AS_MAX(AS_MIN((int32_t)(center + radius + 0.5), n_from) - *first, 1);
    double sum = 0;
    for (int32_t i = 0; i < *n; i++) {
        weights[i] = filter_at(filter, (*first + i - center + 0.5) / widened);
        sum += weights[i];
    }
    for (int32_t i = 0; i < *n; i++) {
        weights[i] /= sum;
    }
}

/* Lines of n_from pixels become lines of n_to. Pixels of a line are `step` bytes apart, lines
 * `line`; the same for what is written. */
typedef struct Stretch {
    const uint8_t *from;
    uint8_t *to;
    int32_t n_from, n_to, n_lines;
    size_t from_step, from_line, to_step, to_line;
} Stretch;

static void stretch(const Stretch *s, ImageFilter filter, double *weights)
{
    for (int32_t t = 0; t < s->n_to; t++) {
        int32_t first, n;
        weights_of(filter, t, s->n_to, s->n_from, &first, &n, weights);
        for (int32_t l = 0; l < s->n_lines; l++) {
            for (size_t c = 0; c < 3; c++) {
                const uint8_t *from =
                    s->from + (size_t)l * s->from_line + (size_t)first * s->from_step + c;
                double sum = 0;
                for (int32_t i = 0; i < n; i++) {
                    sum += weights[i] * from[(size_t)i * s->from_step];
                }
                s->to[(size_t)l * s->to_line + (size_t)t * s->to_step + c] =
                    (uint8_t)AS_CLAMP(floor(sum + 0.5), 0, 255);
            }
        }
    }
}

bool image_resize(const Image *image, int32_t width, int32_t height, ImageFilter filter,
                  Arena *arena, Image *out, Error *err)
{
    const int32_t w = image->width, h = image->height;
    if (width < 1 || height < 1 || width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE || w < 1 ||
        h < 1) {
        return error_set(err, ERR_RANGE, "a picture of %d x %d pixels at %d x %d", w, h, width,
                         height);
    }
    uint8_t *half = arena_alloc(arena, (size_t)width * (size_t)h * 3, err);
    uint8_t *whole = arena_alloc(arena, (size_t)width * (size_t)height * 3, err);
    double *weights = mem_alloc((size_t)(AS_MAX(w, h) + 8) * sizeof *weights, err);
    if (half && whole && weights) {
        const size_t line = (size_t)width * 3;
        const Stretch across = {image->rgb, half, w, width, h, 3, (size_t)w * 3, 3, line};
        const Stretch down = {half, whole, h, height, width, line, 3, line, 3};
        stretch(&across, filter, weights);
        stretch(&down, filter, weights);
        *out = (Image){width, height, whole};
    }
    mem_free(weights);
    return half && whole && weights;
}
