#pragma once
/* stb_image, behind two functions. */

/** [height, width, 3] bytes, NULL when it is no picture; image_stb_free. Any thread. */
unsigned char *image_stb_decode(const unsigned char *data, int n_bytes, int *width, int *height);
void image_stb_free(unsigned char *pixels);
