#pragma once
/*
 * The Matrix view: one head as a heatmap, from one cell to whole heads seen from afar, always with
 * whole device pixels per weight or whole weights per device pixel.
 */
#include "views/views.h"

/** One of the two is 1. */
typedef struct MatrixZoom {
    int32_t px;     /* device pixels a side per weight */
    int32_t factor; /* weights a side per device pixel */
} MatrixZoom;

/** A tile of COMBINE_OWNER as a picture. */
typedef struct OwnerImage {
    uint64_t tile, look; /* tile version; scale and theme */
    uint64_t used, version;
    unsigned char *pixels; /* owned, RGBA */
} OwnerImage;

/** Cells (row + k, key + k), k < n, that are a pattern's and the strongest of their rows. */
typedef struct MatrixRun {
    int32_t row, key, n;
} MatrixRun;

/** What was found in the whole text, once. Zero is empty. */
typedef struct MatrixFound {
    uint64_t trace_version;
    int32_t layer, head, pattern;
    ARRAY_OF(MatrixRun) runs; /* by row */
    uint64_t words_trace;
    char words[FIND_MAX];        /* what was searched for … */
    ARRAY_OF(int32_t) places[2]; /* … and the queries, the keys where it stands */
} MatrixFound;

typedef struct MatrixView {
    /* where the camera stands; chosen anew for every new text */
    uint64_t trace_version;
    int32_t n_queries, n_keys; /* of the text the camera was chosen for */
    MatrixZoom zoom;
    int64_t row_px, col_px; /* device pixel of the world at the area's top left */
    int32_t area_w, area_h; /* device px of the heatmap's area in the last frame */
    bool fitted;            /* the whole is shown and stays so when the window changes */
    bool placed;

    /* a move of the camera under way, from here to where it stands now */
    bool moving;
    double start_s, start_unit, start_row, start_col; /* as shown_… when it began */
    double shown_unit, shown_row, shown_col; /* device px per weight, weight at the area's corner */
    MatrixZoom seen_zoom;
    int64_t seen_row_px, seen_col_px;
    bool placed_anew; /* another text: no flight from the old camera */

    /* a drag under way */
    bool dragging;
    Vec2 drag_from;
    int64_t drag_row_px, drag_col_px;
    bool moved;
    bool boxing;            /* a box is dragged; it is zoomed to when let go */
    double last_move_s;     /* when the camera was dragged last … */
    float speed_x, speed_y; /* … and how fast, device px a second: it glides on */
    bool gliding;
    int brushing; /* 1 + the strip (or the legend) that is dragged along; 0 = none */
    int32_t brush_from;
    float legend_from; /* 0..1 along it */
    Rect menu_button;  /* of the last frame */
    /* the strongest cell under the pointer: of this pixel */
    uint64_t strongest_trace, strongest_source;
    int64_t strongest_row_px, strongest_col_px;
    int32_t strongest_factor, strongest_layer, strongest_head, strongest_query, strongest_key;
    float wheel;                    /* notches not used up yet (touchpads send parts) */
    int32_t seen_query, seen_key;   /* selection in the last frame */
    int32_t hover_query, hover_key; /* the pointer's last choice: it is in view as it is */

    /* the last head gives way to the next */
    TileKey shown_key, fade_key;
    double fade_s; /* when it began; 0 = none */

    /* tiles in the colours of their owners */
    OwnerImage owner_images[32];
    uint64_t owner_tick, owner_versions;

    MatrixFound found;

    /* the head's summary, while exact values are computed and for the minimap */
    float *summary; /* owned, [rows, cols] */
    size_t summary_n;
    int32_t summary_rows, summary_cols, row_texel, col_texel;
    uint64_t summary_trace, summary_version, summary_source;
    int32_t summary_layer, summary_head;
} MatrixView;

void matrix_draw(ViewContext *c, Rect stage);
extern const ViewCommand matrix_commands[];
bool matrix_command(Views *views, Session *session, const char *name, const char *arguments,
                    Error *err);
void matrix_free(MatrixView *view);

/* ---- layout (matrix_layout.c) ---- */

/** Where everything stands, logical px. Empty boxes are left out for want of room. */
typedef struct MatrixLayout {
    Rect card;
    Rect area; /* what the heatmap may fill, a square */
    Rect heat; /* what it fills */
    Rect row_profile, col_profile;
    float gutter;     /* width left of the heat for labels */
    float key_labels; /* height below for labels */
    Rect lens_card;   /* empty: no room */
    int32_t lens_n;   /* cells a side */
    float lens_cell;
    Rect side_card; /* minimap, legend, controls; empty: no room */
    float minimap;  /* side of it; 0 = none */
    bool stacked;   /* minimap above the controls instead of beside */
    float px;       /* logical px per weight; below 1 where a pixel is several */
} MatrixLayout;

/** Boxes of the cards and of the heatmap's area; matrix_layout_heat then puts the heatmap in. */
MatrixLayout matrix_layout(const Ui *ui, Rect stage);
void matrix_layout_heat(const Ui *ui, MatrixLayout *layout, const MatrixView *view);

/* ---- parts (matrix_axes.c, matrix_side.c, matrix_pointer.c) ---- */

/** The row of the selected query and the column of the selected key, of what the cells are. */
typedef struct MatrixProfile {
    const float *row,
        *column; /* [M], [N]; -INFINITY where masked or left out; NULL: not there yet */
    int32_t query, key;
    int32_t row_first, row_end; /* keys outside are not shown */
    double entropy;             /* nats, of the row divided by its sum */
    Color color;                /* of its bars */
} MatrixProfile;

/** What the parts draw from. */
typedef struct MatrixScene {
    ViewContext *c;
    MatrixView *view;
    MatrixLayout layout;
    MatrixProfile profile;        /* of the selection */
    bool plain;                   /* the cells are one head's weights as traced */
    const struct ShownRows *rows; /* of what they are else; NULL: nothing yet (matrix_strips.c) */
    Colormap map;
    Scale scale;
    WeightSource source; /* what the cells are */
    bool exact;          /* every cell in view is */
} MatrixScene;

/** Logical x (y) of the middle of a key's column (a query's row). */
float matrix_key_x(const MatrixScene *s, int32_t key);
float matrix_query_y(const MatrixScene *s, int32_t query);
void matrix_draw_labels(const MatrixScene *s);
void matrix_draw_profiles(const MatrixScene *s);
void matrix_draw_side(MatrixScene *s);
/** The card above it (matrix_lens.c). */
void matrix_draw_lens(const MatrixScene *s);
/** Values with every row divided by its largest, where the person wants colours so; in the frame's
 *  arena. row_max may be NULL: as they are. */
const float *matrix_by_row(const MatrixScene *s, const float *values, const float *row_max,
                           int32_t rows, int32_t cols);
/** Sets profile (matrix_shown.c). */
void matrix_read_shown(MatrixScene *s);
/** How far the sums of rows are that the strips show, NULL = they are there. In the frame's arena.
 */
const char *matrix_shown_words(const MatrixScene *s);
/** The value of one cell as it is shown; -INFINITY where masked or left out. *owner: the place in
 * the set of the head it is of. */
float matrix_shown_value(const MatrixScene *s, int32_t query, int32_t key, int16_t *owner);
/** Scale of the colours: as chosen, cut to the brushed range of the legend. */
Scale matrix_scale(const Session *session);
/** The cells; sets s->exact. */
void matrix_draw_heat(MatrixScene *s);
/** The colour of a head of the set where the hue says whose weight it is. */
Color matrix_owner_color(const MatrixScene *s, int32_t place);
void matrix_free_owner_images(MatrixView *view);
/** The text around query and key, below the title of a card. */
void matrix_draw_reading(const MatrixScene *s, Rect card);
/** Sets rows: what the strips need of those in view. */
void matrix_read_strips(MatrixScene *s);
/** Strips of received, given and entropy, that brush. */
void matrix_draw_strips(MatrixScene *s);
/** "Mean of 9 heads"; what is left out, NULL = nothing. In the frame's arena. */
const char *matrix_source_title(const MatrixScene *s);
const char *matrix_source_words(const MatrixScene *s);
/** The same in a sentence: "L4 H5", "the mean of 9 heads, first token left out, …". */
const char *matrix_source_name(const MatrixScene *s);
/** The button that opens the menu, its right end at `right`; the width it takes. */
float matrix_menu_button(MatrixScene *s, float right, float y);
/** Drawn last; what lies below does not see the pointer in its box. */
void matrix_draw_menu(MatrixScene *s);
Rect matrix_menu_shield(const MatrixScene *s);
/** Rows [r0, r1) and keys [c0, c1) in view. */
typedef struct MatrixWindow {
    int32_t r0, r1, c0, c1;
} MatrixWindow;
MatrixWindow matrix_window_of(const MatrixScene *s);
/** The box of rows [r0, r1) and keys [c0, c1), as they are shown. */
Rect matrix_cells_box(const MatrixScene *s, int32_t r0, int32_t r1, int32_t c0, int32_t c1);
/** A word on a small plate, kept inside the heatmap. */
void matrix_name_tag(const MatrixScene *s, float x, float y, const char *text, Color color);
/** Around cells of one shape a row, each row a key further: [key + k, key + k + width) of row + k.
 *  Where cells are large enough to be read: no line crosses one. False: they are not. */
bool matrix_outline_steps(const MatrixScene *s, int32_t row, int32_t n, int32_t key, int32_t width,
                          Color color);
/** Cells of repeats and of content where they are: one by one, and from afar the parts that have
 *  most of them (matrix_found.c). */
void matrix_outline_runs(const MatrixScene *s, Pattern pattern, Color color);
/** Keys of a sink or of separators; marks at the edge where they are too many. */
void matrix_outline_columns(const MatrixScene *s, Pattern pattern, Color color);
/** Tokens that are searched for. */
void matrix_draw_found(const MatrixScene *s);
/** What lies over the cells: diagonal, found patterns, brushes, bookmarks, places searched for. */
void matrix_draw_overlay(const MatrixScene *s);
/** Hover, click, drag and wheel over the heatmap. */
void matrix_pointer(MatrixScene *s);
/** The number of a cell: ".37"; middle dot below what the digits can show. `shown` is the value
 *  its colour comes from. */
void matrix_draw_number(const MatrixScene *s, Rect cell, float weight, float shown, bool strong);
/** Hatched "not there" in a box. */
void matrix_draw_masked(Ui *ui, Rect box);
/** The head's summary (maxima; of a set theirs together) into view->summary; false when it is not
 *  there. Nothing is left out in it. */
bool matrix_read_summary(const MatrixScene *s);
/** Does the summary stand for what is not computed yet? Its values are the largest of a head (or of
 *  several), and nothing else. */
bool matrix_has_summary(const MatrixScene *s);

/* ---- camera (matrix_camera.c): pure, in device pixels ---- */

/** Device pixels that n weights take. */
int64_t zoom_extent(MatrixZoom zoom, int32_t n);
/** Weight under device pixel `px` of the world; not clamped. */
int64_t zoom_weight_at(MatrixZoom zoom, int64_t px);
/** First device pixel of a weight. */
int64_t zoom_pixel_of(MatrixZoom zoom, int64_t weight);
/** The finest zoom at which n x m fits the area; at most MATRIX_MAX_PX a weight. */
MatrixZoom zoom_fit(int32_t n_queries, int32_t n_keys, int32_t area_w, int32_t area_h);
/** The next finer (direction 1) or coarser (-1) step; never past `coarsest` and MATRIX_MAX_PX. */
MatrixZoom zoom_step(MatrixZoom zoom, int direction, MatrixZoom coarsest);
/** a is finer than b. */
bool zoom_finer(MatrixZoom a, MatrixZoom b);

enum { MATRIX_MAX_PX = 160 };

/** Chooses the camera of a new text: the whole; a part around the selected cell where a causal mask
 *  hides half of a whole that would be small. */
void matrix_place(MatrixView *view, int32_t query, int32_t key, bool causal);
/** Puts the cells [q0, q1) x [k0, k1) into the area, as fine as they fit. */
void matrix_look_at(MatrixView *view, int32_t q0, int32_t q1, int32_t k0, int32_t k1);
/** Keeps the world in the area. */
void matrix_clamp(MatrixView *view);
/** Lets what is shown follow the camera; seconds <= 0 jumps. True while it is on its way. */
bool matrix_ease(MatrixView *view, double now_s, double seconds);
/** Zooms one step, the weight under area pixel (x, y) stays there. */
void matrix_zoom_at(MatrixView *view, int direction, double x, double y);
/** Moves the camera as little as needed so that the cell is in view. */
void matrix_reveal(MatrixView *view, int32_t query, int32_t key);
/** Rows and columns in view, [first, end). */
void matrix_window(const MatrixView *view, int32_t *row0, int32_t *row1, int32_t *col0,
                   int32_t *col1);
