#pragma once
/* PNG encoding into any sink, for files and for pictures inside SVG. Not for other folders. */
#include "export/export.h"

/** rgba [height][width][4] straight alpha; opaque pictures are written without alpha. *err must be
 *  clear before. */
AS_MUST_CHECK bool png_encode(const unsigned char *rgba, int32_t width, int32_t height,
                              bool (*write)(void *payload, const void *bytes, size_t n, Error *err),
                              void *payload, Error *err);
