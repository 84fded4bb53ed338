#include "views/internal.h"

#include "session/shown.h"

#include <math.h>

/* The selection's row and column, and the sums of rows and columns, of what the cells are: one head
 * as it is has them in the trace; of sets and of what is left out they are computed. */

void matrix_read_shown(MatrixScene *s)
{
    Session *session = s->c->session;
    s->profile = (MatrixProfile){0};
    if (s->plain) {
        const Reading *r = session_reading(session);
        if (r) {
            s->profile = (MatrixProfile){.row = r->row,
                                         .column = r->column,
                                         .query = r->query,
                                         .key = r->key,
                                         .row_first = r->row_first,
                                         .row_end = r->row_end,
                                         .entropy = (double)r->cell.row.entropy,
                                         .color = color_head(r->head)};
        }
        return;
    }
    const ShownProfile *p = session_shown_profile(session, &s->source);
    if (p) {
        s->profile = (MatrixProfile){.row = p->row,
                                     .column = p->column,
                                     .query = p->query,
                                     .key = p->key,
                                     .row_first = p->row_first,
                                     .row_end = p->row_end,
                                     .entropy = (double)p->entropy};
    }
    bool one = s->source.combine == COMBINE_ONE;
    s->profile.color = one ? color_head(session->selection.head) : s->c->ui->theme.accent;
    if (!p && !shown_failure(session, &s->source)->code) {
        s->c->views->settled = false;
    }
}

const char *matrix_shown_words(const MatrixScene *s)
{
    const ShownRows *rows = s->rows;
    if (s->plain || !rows) {
        return NULL;
    }
    if (shown_rows_has(rows, 0, rows->n_queries)) {
        return NULL;
    }
    const Error *failure = shown_failure(s->c->session, &s->source);
    if (failure->code) {
        return failure->code == ERR_CANCELLED ? "sums of rows stopped (command sums: go on)"
                                              : failure->message;
    }
    double share = 100.0 * rows->parts_done / AS_MAX(rows->n_parts, 1);
    return draw_format(s->c->ui->list, "sums of rows %.*f %%", share < 10 ? 1 : 0, share);
}

float matrix_shown_value(const MatrixScene *s, int32_t query, int32_t key, int16_t *owner)
{
    const Session *session = s->c->session;
    TraceRegion region = {
        session->selection.layer, session->selection.head, query, query + 1, key, key + 1};
    float value;
    return weight_source_read(session->trace, &s->source, &region, &value, owner, NULL) ? value
                                                                                        : -INFINITY;
}
