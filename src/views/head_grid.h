#pragma once
/*
 * Every head of every layer as a small picture, made from the summaries of the trace a few at a
 * time, so that no frame waits: a value is the maximum of the weights under it, -INFINITY where the
 * mask hides all of them. And the mean of all heads.
 */
#include "views/views.h"

/** Zero is empty. */
typedef struct HeadGrid {
    uint64_t trace_version;
    int32_t n_layers, n_heads;
    int32_t rows, cols;           /* of a small picture */
    int32_t factor;               /* texels of the summary a side under one of its values */
    int32_t sum_rows, sum_cols;   /* of the summary */
    int32_t row_texel, col_texel; /* weights under one texel of it */
    int64_t n_done;               /* heads that were read, layer after layer */
    float *values;                /* [L, H, rows, cols] owned */
    double *sum;                  /* [sum_rows, sum_cols] owned */
    float *mean;                  /* [sum_rows, sum_cols] owned: of the heads read */
    int64_t mean_of;              /* heads in `mean` */
    float *scratch;               /* [sum_rows, sum_cols] owned */
    uint64_t space;               /* 0..: no two grids of a window have the same */
    uint64_t version;             /* of the first picture; of the mean: + L * H + n_done */
} HeadGrid;

/** Reads on, for pictures of about `px` device pixels a side. True when all computed heads are
 *  there. False too when memory is short. */
bool head_grid_update(HeadGrid *grid, ViewContext *c, int32_t px);
void head_grid_free(HeadGrid *grid);
bool head_grid_has(const HeadGrid *grid, int32_t layer, int32_t head);
/** The picture of a head in a box; what is masked shows the card. */
void head_grid_draw(const HeadGrid *grid, ViewContext *c, Rect box, int32_t layer, int32_t head,
                    Scale scale, float alpha);
/** The mean of all heads in a box, cells inset where they are large. */
void head_grid_draw_mean(const HeadGrid *grid, ViewContext *c, Rect box, Scale scale);
/** Of the pictures: √, or log for long texts, whose maxima from afar are small. */
Scale head_grid_scale(const Session *session);
/** "weight, √ scale". Static. */
const char *head_grid_scale_says(Scale scale);
/** "1 cell = 2 × 2 px, exact" or "1 px = 12 × 12 weights, max" of a picture of `px` device px. */
const char *head_grid_says(const HeadGrid *grid, ViewContext *c, float px, const char *reduce);
/** Side in device px, at most `px`, at which cells (or values) take whole pixels if that costs no
 *  more than a fifth of it. */
int32_t head_grid_side(int32_t n, int32_t px);
/** How pictures of all heads stand: one axis goes down in groups, the other across, in several
 * lines of a group where one line would leave most of the room unused. */
typedef struct HeadTable {
    bool down;      /* layers are the groups, heads go across; else the other way round */
    int32_t across; /* pictures in a line */
    int32_t lines;  /* of a group */
    int32_t groups;
} HeadTable;

/** The table with the largest pictures in w x h px; below a picture of more lines `label_h` px are
 *  kept free for its name. */
HeadTable head_table_fit(int32_t n_layers, int32_t n_heads, float w, float h, float label_h);
/** Column and row (of groups * lines) of a head. */
void head_table_place(const HeadTable *table, int32_t layer, int32_t head, int32_t *column,
                      int32_t *row);
/** The head there; false past the last of a line. */
bool head_table_at(const HeadTable *table, int32_t n_layers, int32_t n_heads, int32_t column,
                   int32_t row, int32_t *layer, int32_t *head);
/** What is not there in a small picture. */
Color head_grid_masked(const Ui *ui);
/** One head at the resolution of its summary. Zero is empty. */
typedef struct HeadPicture {
    uint64_t trace_version;
    int32_t layer, head, rows, cols, row_texel;
    float *values; /* [rows, cols] owned; maxima, -INFINITY where masked */
    uint64_t version;
} HeadPicture;

/** Reads another head if it is another. `space` as in HeadGrid. False: not there, or no memory. */
bool head_picture_read(HeadPicture *picture, const Session *session, int32_t layer, int32_t head,
                       uint64_t space);
void head_picture_free(HeadPicture *picture);
void head_picture_draw(const HeadPicture *picture, ViewContext *c, Rect box, Scale scale);

/** "prev", "induct": a pattern's name where there is little room. Static. */
const char *pattern_short(Pattern pattern);
/** A colour made light (dark) enough to be read as text on this theme's cards. */
Color color_as_text(const Ui *ui, Color color);
