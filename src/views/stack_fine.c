/* The plane in focus, finer than the layers' small pictures: by tiles, as the Matrix has them. */
#include "views/stack.h"

#include <math.h>
#include <string.h>

#include "views/internal.h"

/* Values a side of the whole plane, and of a tile of it. */
enum {
    FINE_SIDE = 1024,
    FINE_BLOCK = 256,
    FINE_TILES = (FINE_SIDE / FINE_BLOCK) * (FINE_SIDE / FINE_BLOCK)
};
/* Multiplications that are worth it: some seconds on two cores. A device takes more. */
static const double MOST_WORK = 3e10;
static const double MOST_DEVICE_WORK = 2e12;

/* What the planes show, as a source of tiles. False when there are too many heads for one. */
static bool source_of(const StackModel *m, WeightSource *source)
{
    const Session *s = m->c->session;
    int32_t n_heads = trace_info(s->trace)->n_heads;
    *source = (WeightSource){0};
    if (s->stack3d.heads == STACK_HEADS_ONE) {
        return true;
    }
    if (n_heads > HEAD_SET_MAX) {
        return false;
    }
    source->combine = s->stack3d.heads == STACK_HEADS_MEAN ? COMBINE_MEAN : COMBINE_MAX;
    source->set.n = n_heads;
    for (int32_t h = 0; h < n_heads; h++) {
        source->set.heads[h] = (HeadRef){(int16_t)m->focus_layer, (int16_t)h};
    }
    return true;
}

static bool is_worth_it(const StackModel *m, const WeightSource *source, const TileKey *whole)
{
    Session *s = m->c->session;
    const StackPatterns *p = m->patterns;
    double heads = source->combine == COMBINE_ONE ? 1 : source->set.n;
    double work = (double)m->n_queries * m->n_keys * heads * (double)trace_info(s->trace)->head_dim;
    bool rests = fabsf(m->focus - (float)m->focus_layer) < 1e-3f && !s->playback.playing;
    return rests && whole->factor < AS_MAX(p->row_texel, p->col_texel) &&
           (work <= MOST_WORK ||
            (work <= MOST_DEVICE_WORK && session_device_takes(s, source, whole)));
}

static int32_t list_tiles(const StackModel *m, TileKey whole, TileKey keys[FINE_TILES])
{
    int32_t n = 0;
    int32_t size = FINE_BLOCK * whole.factor;
    for (int32_t row = 0; row < m->n_queries; row += size) {
        for (int32_t col = 0; col < m->n_keys && n < FINE_TILES; col += size) {
            keys[n] = whole;
            keys[n].row0 = row;
            keys[n].row1 = (int32_t)AS_MIN((int64_t)row + size, m->n_queries);
            keys[n].col0 = col;
            keys[n++].col1 = (int32_t)AS_MIN((int64_t)col + size, m->n_keys);
        }
    }
    return n;
}

static bool same_plane(const StackFine *f, const TileKey *key)
{
    return f->values && f->key.trace_version == key->trace_version &&
           f->key.source == key->source && f->key.layer == key->layer && f->key.head == key->head &&
           f->key.factor == key->factor;
}

/* All tiles side by side. */
static bool assemble(StackFine *f, TileCache *cache, const TileKey *keys, int32_t n)
{
    const TileKey *last = &keys[n - 1];
    int32_t rows = (last->row1 - 1) / last->factor + 1;
    int32_t cols = (last->col1 - 1) / last->factor + 1;
    mem_free(f->values);
    f->values = mem_alloc((size_t)rows * (size_t)cols * sizeof *f->values, NULL);
    for (int32_t i = 0; f->values && i < n; i++) {
        const Tile *tile = tiles_find(cache, &keys[i]);
        if (!tile) { /* the budget is too small for all of them */
            mem_free(f->values);
            f->values = NULL;
            break;
        }
        for (int32_t r = 0; r < tile->rows; r++) {
            memcpy(f->values + (size_t)(keys[i].row0 / last->factor + r) * (size_t)cols +
                       keys[i].col0 / last->factor,
                   tile->values + (size_t)r * (size_t)tile->cols,
                   (size_t)tile->cols * sizeof *f->values);
        }
    }
    f->rows = rows;
    f->cols = cols;
    f->key = keys[0];
    f->version++;
    return f->values;
}

const StackFine *stack_fine(StackModel *m)
{
    Session *s = m->c->session;
    StackFine *f = &m->view->fine;
    WeightSource source;
    int32_t longest = AS_MAX(m->n_queries, m->n_keys);
    int32_t factor = (longest + FINE_SIDE - 1) / FINE_SIDE;
    if (!m->patterns || !source_of(m, &source)) {
        return NULL;
    }
    bool one = source.combine == COMBINE_ONE;
    TileKey whole = {.trace_version = s->trace_version,
                     .source = weight_source_id(&source),
                     .layer = m->focus_layer,
                     .head = one ? s->selection.head : 0,
                     .row1 = m->n_queries,
                     .col1 = m->n_keys,
                     .factor = factor};
    if (!is_worth_it(m, &source, &whole)) {
        return NULL;
    }
    if (same_plane(f, &whole)) {
        return f;
    }
    TileKey keys[FINE_TILES];
    int32_t n = list_tiles(m, whole, keys);
    Error err = {0};
    if (session_want_tiles(s, &source, keys, (size_t)n, &err)) {
        return assemble(f, &s->tiles, keys, n) ? f : NULL;
    }
    if (err.code == ERR_NONE) {
        m->c->views->settled = false;
        m->c->ui->moves |= s->tiles.device_pending;
    }
    return NULL;
}
