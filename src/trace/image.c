/* The picture that a vision model looked at, and where its tokens stand in it. */
#include "trace/internal.h"

#include <string.h>

bool trace_copy_image(Trace *trace, const TraceImage *image, Error *err)
{
    size_t n;
    int64_t patches = (int64_t)image->patch_rows * image->patch_columns;
    if (image->width < 1 || image->height < 1 || image->patch_rows < 1 ||
        image->patch_columns < 1 || image->patch_rows > image->height ||
        image->patch_columns > image->width || image->first_patch < 0 ||
        image->first_patch + patches > trace->info.n_queries ||
        !checked_mul((size_t)image->width, (size_t)image->height, &n) || !checked_mul(n, 3, &n)) {
        return error_set(err, ERR_RANGE,
                         "a picture of %d x %d pixels, %d x %d patches, for %d tokens",
                         image->width, image->height, image->patch_columns, image->patch_rows,
                         trace->info.n_queries);
    }
    uint8_t *rgb = arena_alloc(&trace->arena, n, err);
    TraceImage *copy = ARENA_NEW(&trace->arena, TraceImage, err);
    if (!rgb || !copy) {
        return false;
    }
    memcpy(rgb, image->rgb, n);
    *copy = *image;
    copy->rgb = rgb;
    trace->image = copy;
    return true;
}

const TraceImage *trace_image(const Trace *trace)
{
    return trace->image;
}

bool trace_image_patch(const Trace *trace, int32_t token, int32_t *x, int32_t *y, int32_t *w,
                       int32_t *h)
{
    const TraceImage *image = trace->image;
    int32_t patch = image ? token - image->first_patch : -1;
    if (patch < 0 || patch >= image->patch_rows * image->patch_columns) {
        return false;
    }
    *w = image->width / image->patch_columns;
    *h = image->height / image->patch_rows;
    *x = patch % image->patch_columns * *w;
    *y = patch / image->patch_columns * *h;
    return true;
}
