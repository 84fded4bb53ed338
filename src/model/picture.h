#pragma once
/*
 * From a picture file to what a vision model reads: resized and normalised as its
 * preprocessor_config.json says.
 */
#include "model/model.h"

/** Owned by the arena given. */
typedef struct Picture {
    const uint8_t *rgb;  /* [side, side, 3] as resized, for people */
    const float *pixels; /* [3, side, side] normalised, ModelInput.pixels */
} Picture;

/**
 * path     PNG or JPEG
 * Errors   ERR_UNSUPPORTED the model reads no pictures, or a step of its preparation is not known;
 *          those of image_read
 * Threads  any
 * Test     tests/golden/test_architectures.c, against transformers' image processor
 */
AS_MUST_CHECK bool model_read_picture(const Model *model, const char *path, Arena *arena,
                                      Picture *picture, Error *err);
