#pragma once
/*
 * Pictures from files: PNG and JPEG, as 8-bit RGB. Transparency is dropped, as Pillow's conversion
 * to RGB does it.
 */
#include "base/arena.h"

enum { IMAGE_MAX_SIDE = 16384, IMAGE_MAX_BYTES = 256 << 20 };

typedef struct Image {
    int32_t width, height;
    uint8_t *rgb; /* [height, width, 3], rows from the top */
} Image;

/** Owned by the arena. ERR_IO; ERR_FORMAT not a picture that can be read, or larger than
 *  IMAGE_MAX_SIDE a side. Any thread. */
AS_MUST_CHECK bool image_read(const char *path, Arena *arena, Image *image, Error *err);
/** The same from memory; `name` is for messages. */
AS_MUST_CHECK bool image_read_memory(const char *name, const void *data, size_t n_bytes,
                                     Arena *arena, Image *image, Error *err);

typedef enum ImageFilter { /* numbers as Pillow's and preprocessor_config.json's "resample" */
                           IMAGE_NEAREST = 0,
                           IMAGE_LANCZOS = 1,
                           IMAGE_BILINEAR = 2,
                           IMAGE_BICUBIC = 3,
} ImageFilter;

/**
 * A picture at another size: each way one after the other, rounded to 8 bits in between, with the
 * filter widened where it shrinks, so that every pixel counts (as Pillow's resize does it).
 * Owned by the arena. ERR_RANGE sizes outside 1..IMAGE_MAX_SIDE. Any thread.
 * Source  P. Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989, ch. 3
 * Test    tests/unit/formats/test_image.c
 */
AS_MUST_CHECK bool image_resize(const Image *image, int32_t width, int32_t height,
                                ImageFilter filter, Arena *arena, Image *out, Error *err);
