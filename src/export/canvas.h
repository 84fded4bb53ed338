#pragma once
/* A display list on a cairo context, for PDF and PNG. Not for other folders. */
#include <cairo.h>

#include "base/file.h"
#include "export/picture.h"

/** A face that cairo has loaded, by FontSet's index. */
typedef struct CanvasFace {
    cairo_font_face_t *face;
    uint16_t index;
} CanvasFace;

/** Zero but for list and desc; freed with canvas_free. */
typedef struct Canvas {
    cairo_t *cr;
    const DrawList *list;
    const DrawCmd *cmd;
    const ExportDesc *desc;
    bool is_pdf;
    AtomicFile *file; /* of PDF, borrowed */
    Error *err;       /* of the writer */
    Arena arena;
    ARRAY_OF(CanvasFace) faces;
    ARRAY_OF(cairo_glyph_t) glyphs;
    ARRAY_OF(cairo_text_cluster_t) clusters;
} Canvas;

/** Paints c->cmd. */
AS_MUST_CHECK bool canvas_command(Canvas *c, Error *err);
/** Paints a text command. */
AS_MUST_CHECK bool canvas_text(Canvas *c, Error *err);
/* canvas_curves.c */
void canvas_curves(Canvas *c);
void canvas_particles(Canvas *c);
/** Sets the source colour with the command's opacity. */
void canvas_color(Canvas *c, Color color);
void canvas_free(Canvas *c);
