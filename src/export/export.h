#pragma once
/*
 * Display lists as files, without GL or a display: SVG with real text, PDF and PNG by cairo.
 * Files are written whole or not at all; "-" is standard output. Main thread only.
 */
#include "draw/draw_list.h"

/**
 * Paints what only GL paints well: the box of command `cmd` of `list` alone, over nothing, into
 * rgba [height][width][4] of opaque pixels. False with ERR_GRAPHICS: the processor paints it
 * instead.
 */
typedef bool (*ExportRasterise)(void *payload, const DrawList *list, const DrawCmd *cmd,
                                float scale, int32_t width, int32_t height, unsigned char *rgba,
                                Error *err);

typedef struct ExportDesc {
    float scale; /* device pixels per logical one (PNG; resolution of embedded images); 0 = 1 */
    int32_t cells_as_image_above; /* cells drawn as shapes up to this many, else as one embedded
                                     image; 0 = 4096 */
    const char *title;            /* document title; NULL = "attnscope" */
    ExportRasterise rasterise;    /* scenes in space; NULL = by the processor */
    void *payload;
} ExportDesc;

/** rgba [height][width][4], straight alpha, rows from the top. */
AS_MUST_CHECK bool export_png_pixels(const char *path, const unsigned char *rgba, int32_t width,
                                     int32_t height, Error *err);
/** The list drawn by cairo, for machines without any GL. */
AS_MUST_CHECK bool export_png(const char *path, const DrawList *list, const ExportDesc *desc,
                              Error *err);
AS_MUST_CHECK bool export_svg(const char *path, const DrawList *list, const ExportDesc *desc,
                              Error *err);
AS_MUST_CHECK bool export_pdf(const char *path, const DrawList *list, const ExportDesc *desc,
                              Error *err);
