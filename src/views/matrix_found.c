#include "views/internal.h"

#include "session/search.h"

#include <math.h>
#include <string.h>

/* Found patterns where they are, at any length: the rows' strongest cells are looked through once
 * for a head, then each frame draws those in view. */

enum { RUNS_MOST = 512, LINES_MOST = 64, LENGTHS = 1024, SEPARATORS_MOST = 64, PART_PX = 24 };

/* A cell of a pattern is outlined from this weight on. */
static const float OUTLINED = 0.1f;
/* Of the fullest part: parts that have as many cells are outlined. */
static const float FULL = 0.3f;

/* ---- what is found ---- */

static bool is_cell(const Trace *trace, Pattern p, int32_t i, int32_t j)
{
    return p == PATTERN_CONTENT ? pattern_is_content(trace, i, j)
                                : pattern_has_cell(trace, p, i, j);
}

/* All runs of the head, joined where cells follow. False when they are not there. */
static bool find_runs(const MatrixScene *s, Pattern p)
{
    const Session *session = s->c->session;
    const Selection *sel = &session->selection;
    MatrixFound *f = &s->view->found;
    TraceRows rows;
    if (f->trace_version == session->trace_version && f->layer == sel->layer &&
        f->head == sel->head && f->pattern == (int32_t)p) {
        return true;
    }
    if (trace_is_cross(session->trace) ||
        !trace_rows(session->trace, sel->layer, sel->head, &rows)) {
        return false;
    }
    f->runs.n = 0;
    f->trace_version = 0;
    for (int32_t i = 0; i < s->view->n_queries; i++) {
        int32_t j = rows.max_key[i];
        if (j < 0 || rows.max_weight[i] < OUTLINED || !is_cell(session->trace, p, i, j)) {
            continue;
        }
        MatrixRun *last = f->runs.n ? &f->runs.items[f->runs.n - 1] : NULL;
        if (last && last->row + last->n == i && last->key + last->n == j) {
            last->n++;
        } else if (!ARRAY_PUSH(&f->runs, ((MatrixRun){i, j, 1}), NULL)) {
            return false;
        }
    }
    f->trace_version = session->trace_version;
    f->layer = sel->layer;
    f->head = sel->head;
    f->pattern = (int32_t)p;
    return true;
}

/* ---- cell by cell ---- */

static bool in_view(const MatrixRun *r, const MatrixWindow *w)
{
    return r->row + r->n > w->r0 && r->row < w->r1 && r->key + r->n > w->c0 && r->key < w->c1;
}

/* The least length of a run that is drawn, so that no more than RUNS_MOST are and none is shorter
 * than `visible`; *n: how many there are in view, of any length. */
static int32_t least_length(const MatrixFound *f, const MatrixWindow *w, int32_t visible,
                            int32_t *n)
{
    int32_t of_length[LENGTHS] = {0};
    *n = 0;
    for (size_t i = 0; i < f->runs.n; i++) {
        const MatrixRun *r = &f->runs.items[i];
        if (in_view(r, w)) {
            of_length[AS_MIN(r->n, LENGTHS - 1)]++;
            ++*n;
        }
    }
    int32_t sum = 0;
    int32_t least = LENGTHS;
    while (least > visible && sum + of_length[least - 1] <= RUNS_MOST) {
        sum += of_length[--least];
    }
    return least;
}

static void outline_run(const MatrixScene *s, const MatrixRun *r, Color color)
{
    if (matrix_outline_steps(s, r->row, r->n, r->key, 1, color)) {
        return;
    }
    float half = s->layout.px / 2 + 2.5f;
    Vec2 a = {matrix_key_x(s, r->key), matrix_query_y(s, r->row)};
    Vec2 b = {matrix_key_x(s, r->key + r->n - 1), matrix_query_y(s, r->row + r->n - 1)};
    Vec2 corners[] = {{a.x - half, a.y - half}, {a.x + half, a.y - half}, {b.x + half, b.y - half},
                      {b.x + half, b.y + half}, {b.x - half, b.y + half}, {a.x - half, a.y + half}};
    draw_polyline(s->c->ui->list, &(DrawPolyline){.points = corners,
                                                  .n_points = AS_COUNT(corners),
                                                  .width = 1,
                                                  .color = color,
                                                  .closed = true});
}

/* Each run that can be seen: cells of 6 px, or lines as long. False: there are some and none can.
 */
static bool outline_cells(const MatrixScene *s, Pattern p, Color color)
{
    const MatrixFound *f = &s->view->found;
    MatrixWindow w = matrix_window_of(s);
    float px = s->layout.px;
    int32_t visible = (int32_t)AS_CLAMP(ceilf(6 / px), 1, LENGTHS - 1);
    int32_t n;
    int32_t least = least_length(f, &w, visible, &n);
    const MatrixRun *longest = NULL;
    int32_t drawn = 0;
    for (size_t i = 0; i < f->runs.n; i++) {
        const MatrixRun *r = &f->runs.items[i];
        if (r->n >= least && in_view(r, &w)) {
            outline_run(s, r, color);
            longest = !longest || r->n > longest->n ? r : longest;
            drawn++;
        }
    }
    if (longest) {
        DrawList *list = s->c->ui->list;
        const char *name = pattern_name(p);
        if (drawn < n && drawn == 1) {
            name = draw_format(list, "%s, the longest of %d", name, n);
        } else if (drawn < n) {
            name = draw_format(list, "%s, the %d longest of %d", name, drawn, n);
        }
        matrix_name_tag(s, matrix_key_x(s, longest->key) + px / 2 + 12,
                        matrix_query_y(s, longest->row) - px / 2 - 20, name, color);
    }
    return longest || n == 0;
}

/* ---- from afar, or too short to be seen: parts of the picture ---- */

typedef struct Parts {
    int32_t across, rows;
    int32_t *n; /* cells in each part */
    int32_t most;
} Parts;

static int32_t parts_at(const Parts *p, int32_t column, int32_t row)
{
    bool inside = column >= 0 && column < p->across && row >= 0 && row < p->rows;
    return inside ? p->n[row * p->across + column] : 0;
}

static bool count_parts(const MatrixScene *s, Parts *p)
{
    const MatrixFound *f = &s->view->found;
    const MatrixView *v = s->view;
    Rect heat = s->layout.heat;
    int32_t part = (int32_t)lroundf((float)PART_PX * s->c->ui->scale);
    p->across = (int32_t)(heat.w * s->c->ui->scale) / part + 1;
    p->rows = (int32_t)(heat.h * s->c->ui->scale) / part + 1;
    p->n = ARENA_ARRAY(&s->c->ui->list->arena, int32_t, (size_t)p->across * (size_t)p->rows, NULL);
    if (!p->n) {
        return false;
    }
    memset(p->n, 0, (size_t)p->across * (size_t)p->rows * sizeof *p->n);
    for (size_t i = 0; i < f->runs.n; i++) {
        const MatrixRun *r = &f->runs.items[i];
        for (int32_t k = 0; k < r->n; k++) {
            int64_t x = zoom_pixel_of(v->zoom, r->key + k) - v->col_px;
            int64_t y = zoom_pixel_of(v->zoom, r->row + k) - v->row_px;
            if (x >= 0 && y >= 0 && x / part < p->across && y / part < p->rows) {
                int32_t *n = &p->n[y / part * p->across + x / part];
                ++*n;
                p->most = AS_MAX(p->most, *n);
            }
        }
    }
    return p->most > 0;
}

/* One line around all parts that have many of the cells. */
static void outline_parts(const MatrixScene *s, Pattern name, Color color)
{
    Ui *ui = s->c->ui;
    Parts p = {0};
    if (!count_parts(s, &p)) {
        return;
    }
    int32_t least = AS_MAX((int32_t)ceilf(FULL * (float)p.most), 1);
    int32_t inside = 0;
    int32_t all = 0;
    int32_t fullest = 0;
    float side = roundf((float)PART_PX * ui->scale) / ui->scale;
    for (int32_t at = 0; at < p.across * p.rows; at++) {
        int32_t column = at % p.across;
        int32_t row = at / p.across;
        float x = s->layout.heat.x + side * (float)column;
        float y = s->layout.heat.y + side * (float)row;
        all += p.n[at];
        fullest = p.n[at] > p.n[fullest] ? at : fullest;
        if (p.n[at] < least) {
            continue;
        }
        inside += p.n[at];
        Rect edges[] = {{x, y, side, 1},
                        {x, y + side - 1, side, 1},
                        {x, y, 1, side},
                        {x + side - 1, y, 1, side}};
        int32_t beside[] = {parts_at(&p, column, row - 1), parts_at(&p, column, row + 1),
                            parts_at(&p, column - 1, row), parts_at(&p, column + 1, row)};
        for (size_t k = 0; k < AS_COUNT(edges); k++) {
            if (beside[k] < least) {
                draw_rect(ui->list, &(DrawRect){.box = edges[k], .fill = color});
            }
        }
    }
    matrix_name_tag(
        s, s->layout.heat.x + side * (float)(fullest % p.across + 1) + 6,
        s->layout.heat.y + side * (float)(fullest / p.across) - 20,
        draw_format(ui->list, "%s, %d of %d rows in these parts", pattern_name(name), inside, all),
        color);
}

void matrix_outline_runs(const MatrixScene *s, Pattern p, Color color)
{
    if (!find_runs(s, p)) {
        return;
    }
    if (s->view->zoom.factor > 1 || !outline_cells(s, p, color)) {
        outline_parts(s, p, color);
    }
}

/* ---- columns ---- */

static bool is_column(const TraceToken *keys, Pattern p, int32_t j)
{
    return p == PATTERN_SINK ? j == 0 : j > 0 && pattern_is_separator(&keys[j]);
}

/* Too many to frame them: a mark above each. */
static void mark_columns(const MatrixScene *s, Pattern p, const MatrixWindow *w, int32_t n,
                         Color color)
{
    const TraceToken *keys = trace_key_tokens(s->c->session->trace, NULL);
    Rect heat = s->layout.heat;
    float t = fmaxf(s->layout.px, 1 / s->c->ui->scale);
    float drawn = -1;
    for (int32_t j = w->c0; j < w->c1; j++) {
        float x = ui_snap(s->c->ui, matrix_key_x(s, j) - t / 2);
        if (is_column(keys, p, j) && x > drawn) {
            draw_rect(s->c->ui->list, &(DrawRect){.box = {x, heat.y, t, 4}, .fill = color});
            drawn = x;
        }
    }
    matrix_name_tag(
        s, heat.x + 8, heat.y + 8,
        draw_format(s->c->ui->list, "%s: %d of %d keys", pattern_name(p), n, w->c1 - w->c0), color);
}

void matrix_outline_columns(const MatrixScene *s, Pattern p, Color color)
{
    MatrixWindow w = matrix_window_of(s);
    const Trace *trace = s->c->session->trace;
    const TraceToken *keys = trace_key_tokens(trace, NULL);
    int32_t n = 0;
    for (int32_t j = w.c0; j < w.c1; j++) {
        n += is_column(keys, p, j);
    }
    if (n > SEPARATORS_MOST) {
        mark_columns(s, p, &w, n, color);
        return;
    }
    bool named = false;
    for (int32_t j = w.c0; j < w.c1; j++) {
        if (!is_column(keys, p, j)) {
            continue;
        }
        int32_t top = trace_layer(trace, s->c->session->selection.layer)->causal
                          ? AS_CLAMP(j, w.r0, w.r1 - 1)
                          : w.r0;
        Rect box = rect_inset(matrix_cells_box(s, top, w.r1, j, j + 1), -1);
        draw_rect(s->c->ui->list,
                  &(DrawRect){.box = box, .radius = 2, .border = 1, .border_color = color});
        if (!named) {
            matrix_name_tag(s, box.x + box.w + 6, box.y + 8, pattern_name(p), color);
            named = true;
        }
    }
}

/* ---- words searched for ---- */

/* Where they stand, looked through once. */
static bool find_words(const MatrixScene *s)
{
    const Session *session = s->c->session;
    MatrixFound *f = &s->view->found;
    if (f->words_trace == session->trace_version &&
        strcmp(f->words, session->selection.find) == 0) {
        return true;
    }
    f->words_trace = 0;
    for (int side = 0; side < 2; side++) {
        int32_t n = side ? s->view->n_keys : s->view->n_queries;
        f->places[side].n = 0;
        for (int32_t i = 0; i < n; i++) {
            if (search_matches(session->trace, side, session->selection.find, i) &&
                !ARRAY_PUSH(&f->places[side], i, NULL)) {
                return false;
            }
        }
    }
    memcpy(f->words, session->selection.find, sizeof f->words);
    f->words_trace = session->trace_version;
    return true;
}

void matrix_draw_found(const MatrixScene *s)
{
    Ui *ui = s->c->ui;
    const MatrixFound *f = &s->view->found;
    if (!s->c->session->selection.find[0] || !find_words(s)) {
        return;
    }
    MatrixWindow w = matrix_window_of(s);
    Rect heat = s->layout.heat;
    Color color = color_with_alpha(ui->theme.accent, 0.85f);
    float t = fmaxf(s->layout.px, 2);
    float last = -1;
    int32_t n = 0;
    for (size_t i = 0; i < f->places[0].n; i++) {
        n += f->places[0].items[i] >= w.r0 && f->places[0].items[i] < w.r1;
    }
    for (size_t i = 0; i < f->places[0].n; i++) {
        int32_t at = f->places[0].items[i];
        float y = matrix_query_y(s, at) - t / 2;
        if (at >= w.r0 && at < w.r1 && y >= last + 1 / ui->scale) { /* one mark a pixel */
            draw_rect(ui->list, &(DrawRect){.box = {heat.x, y, 5, t}, .fill = color});
            if (n <= LINES_MOST) { /* more of them would cover the picture */
                draw_rect(ui->list, &(DrawRect){.box = {heat.x, y, heat.w, t},
                                                .fill = color_fade(color, 0.16f)});
            }
            last = y;
        }
    }
    last = -1;
    for (size_t i = 0; i < f->places[1].n; i++) {
        int32_t at = f->places[1].items[i];
        float x = matrix_key_x(s, at) - t / 2;
        if (at >= w.c0 && at < w.c1 && x >= last + 1 / ui->scale) {
            draw_rect(ui->list, &(DrawRect){.box = {x, heat.y + heat.h - 5, t, 5}, .fill = color});
            last = x;
        }
    }
}
