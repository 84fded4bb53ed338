/* The one place that compiles stb_image: PNG and JPEG, from memory only. */
#include <limits.h>
#include <stdlib.h>

/* To the end of the file: a compiler tells of unused functions last. */
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wextra"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_MAX_DIMENSIONS 16384
#define STBI_NO_FAILURE_STRINGS
#include <stb_image.h>

#include "formats/image_stb.h"

unsigned char *image_stb_decode(const unsigned char *data, int n_bytes, int *width, int *height)
{
    int channels;
    return stbi_load_from_memory(data, n_bytes, width, height, &channels, 3);
}

void image_stb_free(unsigned char *pixels)
{
    stbi_image_free(pixels);
}
