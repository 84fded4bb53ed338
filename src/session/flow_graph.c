#include "session/flow.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

/*
 * A force-directed layout that cannot run away: every node moves by no more than a temperature that
 * only falls, inside a square.
 * Sources: Fruchterman & Reingold 1991 (forces, cooling); Barnes & Hut 1986 (far nodes as one).
 */

static const double THETA = 0.9; /* a cell this wide against its distance counts as one node */
/* Pull to the middle: repulsion k^2 n / R against it comes to rest at R about 0.35. */
static const double GRAVITY = 3;
static const double PI2 = 6.283185307179586;

enum { ROUNDS_FEW = 300, ROUNDS_MANY = 150, ROUNDS_HELD = 60, DEPTH_MOST = 24 };

/* A square of the tree; child 0 = none. */
typedef struct Cell {
    int32_t child[4];
    int32_t node; /* the only one in it, or -1 */
    double mass, x, y;
} Cell;

typedef struct Field {
    const GraphDesc *desc;
    int32_t n;
    double (*at)[2], (*force)[2];
    const bool *still; /* held */
    double *degree;    /* sum of the weights of a node's links */
    Cell *cells;
    int32_t n_cells, most_cells;
    double k; /* how far apart neighbours like to be */
} Field;

/* ---- Barnes & Hut ---- */

static int32_t new_cell(Field *f)
{
    f->cells[f->n_cells] = (Cell){.node = -1};
    return f->n_cells++;
}

static int quarter(double x, double y, double cx, double cy)
{
    return (x >= cx) + 2 * (y >= cy);
}

static void insert(Field *f, int32_t node, double cx, double cy, double half)
{
    int32_t at = 0;
    double x = f->at[node][0];
    double y = f->at[node][1];
    for (int depth = 0;; depth++) {
        Cell *cell = &f->cells[at];
        bool empty = cell->mass == 0;
        double m = cell->mass + 1;
        cell->x += (x - cell->x) / m;
        cell->y += (y - cell->y) / m;
        cell->mass = m;
        if (empty) {
            cell->node = node;
            return;
        }
        /* Nodes on one spot stay together: their common cell counts them all. */
        if (depth == DEPTH_MOST || f->n_cells + 2 > f->most_cells) {
            cell->node = -1;
            return;
        }
        half /= 2;
        if (cell->node >= 0) {
            int32_t other = cell->node;
            double ox = f->at[other][0];
            double oy = f->at[other][1];
            int32_t down = new_cell(f);
            f->cells[at].node = -1;
            f->cells[at].child[quarter(ox, oy, cx, cy)] = down;
            f->cells[down] = (Cell){.node = other, .mass = 1, .x = ox, .y = oy};
        }
        int q = quarter(x, y, cx, cy);
        if (!f->cells[at].child[q]) {
            int32_t down = new_cell(f);
            f->cells[at].child[q] = down;
        }
        at = f->cells[at].child[q];
        cx += q & 1 ? half : -half;
        cy += q & 2 ? half : -half;
    }
}

static void build_tree(Field *f)
{
    f->n_cells = 0;
    new_cell(f);
    for (int32_t i = 0; i < f->n; i++) {
        insert(f, i, 0.5, 0.5, 0.5);
    }
}

/* Repulsion k^2 / d, from cells of this half width down. */
static void push_from(const Field *f, int32_t at, double half, int32_t node, double out[2])
{
    const Cell *cell = &f->cells[at];
    double dx = f->at[node][0] - cell->x;
    double dy = f->at[node][1] - cell->y;
    double d2 = dx * dx + dy * dy;
    bool leaf = !(cell->child[0] | cell->child[1] | cell->child[2] | cell->child[3]);
    if (leaf || 4 * half * half < THETA * THETA * d2) {
        double mass = cell->mass;
        if (cell->node == node) {
            return;
        }
        if (d2 < 1e-12) { /* on one spot: apart in a direction of its own */
            dx = 1e-6 * cos(node * 2.399963);
            dy = 1e-6 * sin(node * 2.399963);
            d2 = 1e-12;
        }
        double push = f->k * f->k * mass / d2;
        out[0] += dx * push;
        out[1] += dy * push;
        return;
    }
    for (int q = 0; q < 4; q++) {
        if (cell->child[q]) {
            push_from(f, cell->child[q], half / 2, node, out);
        }
    }
}

/* ---- rounds ---- */

static void gather_forces(Field *f)
{
    build_tree(f);
    for (int32_t i = 0; i < f->n; i++) {
        f->force[i][0] = (0.5 - f->at[i][0]) * GRAVITY;
        f->force[i][1] = (0.5 - f->at[i][1]) * GRAVITY;
        push_from(f, 0, 0.5, i, f->force[i]);
    }
    for (size_t e = 0; e < f->desc->n_links; e++) {
        const GraphLink *link = &f->desc->links[e];
        if (link->a == link->b) {
            continue;
        }
        double dx = f->at[link->b][0] - f->at[link->a][0];
        double dy = f->at[link->b][1] - f->at[link->a][1];
        double d = sqrt(dx * dx + dy * dy);
        /* A hub that pulled at full strength on all it is linked to would be one clot. */
        double da = f->degree[link->a];
        double db = f->degree[link->b];
        double pull = (double)link->weight / sqrt(AS_MAX(AS_MIN(da, db), 1e-9)) * d / f->k;
        f->force[link->a][0] += dx * pull;
        f->force[link->a][1] += dy * pull;
        f->force[link->b][0] -= dx * pull;
        f->force[link->b][1] -= dy * pull;
    }
}

static void move_nodes(Field *f, double temperature)
{
    for (int32_t i = 0; i < f->n; i++) {
        double x = f->force[i][0];
        double y = f->force[i][1];
        double length = sqrt(x * x + y * y);
        if (f->still[i] || !(length > 0) || !isfinite(length)) {
            continue;
        }
        double step = AS_MIN(length, temperature) / length;
        f->at[i][0] = AS_CLAMP(f->at[i][0] + x * step, 0.0, 1.0);
        f->at[i][1] = AS_CLAMP(f->at[i][1] + y * step, 0.0, 1.0);
    }
}

static bool relax(Field *f, int rounds, double hot, JobControl *control, Error *err)
{
    for (int r = 0; r < rounds; r++) {
        if (control && atomic_load(&control->cancel)) {
            return error_set(err, ERR_CANCELLED, "cancelled");
        }
        double left = 1 - (double)r / rounds;
        gather_forces(f);
        move_nodes(f, hot * left * left);
    }
    return true;
}

/* Fills the square. The distance that neighbours like grows alike, or the next round would undo it.
 */
static void spread(Field *f)
{
    double lo[2] = {INFINITY, INFINITY};
    double hi[2] = {-INFINITY, -INFINITY};
    for (int32_t i = 0; i < f->n; i++) {
        for (int d = 0; d < 2; d++) {
            lo[d] = fmin(lo[d], f->at[i][d]);
            hi[d] = fmax(hi[d], f->at[i][d]);
        }
    }
    /* The picture is wider than high, so each way has its own scale; neither grows without end. */
    double both = 1;
    for (int d = 0; d < 2; d++) {
        double extent = fmax(hi[d] - lo[d], 1e-6);
        double scale = fmin(0.94 / extent, 8);
        for (int32_t i = 0; i < f->n; i++) {
            f->at[i][d] = 0.5 + (f->at[i][d] - (lo[d] + hi[d]) / 2) * scale;
        }
        both *= scale;
    }
    f->k *= sqrt(both);
}

/* ---- communities: Blondel et al. 2008 (Louvain), moves of single nodes, then of groups ---- */

typedef struct Groups {
    int32_t n;
    size_t *start;  /* [n + 1] into to, w */
    int32_t *to;    /* neighbours */
    double *w;      /* weights */
    double *self;   /* [n] weight inside */
    double *degree; /* [n] */
    int32_t *of;    /* [n] community */
    double *sum;    /* [n] degree of a community */
    double *toward; /* [n] scratch: weight to each community */
    double total;   /* of all degrees */
} Groups;

static bool groups_reserve(Groups *g, int32_t n, size_t n_links, Arena *arena, Error *err)
{
    g->n = n;
    g->start = ARENA_ARRAY(arena, size_t, (size_t)n + 1, err);
    g->to = g->start ? ARENA_ARRAY(arena, int32_t, 2 * n_links, err) : NULL;
    g->w = g->to ? ARENA_ARRAY(arena, double, 2 * n_links, err) : NULL;
    g->self = g->w ? ARENA_ARRAY(arena, double, (size_t)n, err) : NULL;
    g->degree = g->self ? ARENA_ARRAY(arena, double, (size_t)n, err) : NULL;
    g->of = g->degree ? ARENA_ARRAY(arena, int32_t, (size_t)n, err) : NULL;
    g->sum = g->of ? ARENA_ARRAY(arena, double, (size_t)n, err) : NULL;
    g->toward = g->sum ? ARENA_ARRAY(arena, double, (size_t)n, err) : NULL;
    return g->toward;
}

/* Neighbour lists from links whose ends are taken through `of` (NULL = as they are). */
static void groups_fill(Groups *g, const GraphLink *links, size_t n_links, const int32_t *of)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t e = 0; e < n_links; e++) {
            int32_t a = of ? of[links[e].a] : links[e].a;
            int32_t b = of ? of[links[e].b] : links[e].b;
            double w = (double)links[e].weight;
            if (a == b) {
                g->self[a] += pass ? w : 0;
                continue;
            }
            if (!pass) {
                g->start[a + 1]++;
                g->start[b + 1]++;
                continue;
            }
            /* start[i] walks to the end of i's list, which is where i + 1's began */
            g->to[g->start[a]] = b;
            g->w[g->start[a]++] = w;
            g->to[g->start[b]] = a;
            g->w[g->start[b]++] = w;
        }
        if (!pass) {
            for (int32_t i = 0; i < g->n; i++) {
                g->start[i + 1] += g->start[i];
            }
        }
    }
    for (int32_t i = g->n; i > 0; i--) {
        g->start[i] = g->start[i - 1];
    }
    g->start[0] = 0;
    for (int32_t i = 0; i < g->n; i++) {
        g->degree[i] = 2 * g->self[i];
        for (size_t e = g->start[i]; e < g->start[i + 1]; e++) {
            g->degree[i] += g->w[e];
        }
        g->of[i] = i;
        g->sum[i] = g->degree[i];
        g->total += g->degree[i];
    }
}

static bool groups_move(Groups *g)
{
    enum { PASSES = 20 };
    bool any = false;
    bool moved = g->total > 0;
    for (int pass = 0; moved && pass < PASSES; pass++) {
        moved = false;
        for (int32_t i = 0; i < g->n; i++) {
            for (size_t e = g->start[i]; e < g->start[i + 1]; e++) {
                g->toward[g->of[g->to[e]]] += g->w[e];
            }
            int32_t own = g->of[i];
            g->sum[own] -= g->degree[i];
            int32_t best = own;
            double most = g->toward[own] - g->sum[own] * g->degree[i] / g->total;
            for (size_t e = g->start[i]; e < g->start[i + 1]; e++) {
                int32_t c = g->of[g->to[e]];
                double gain = g->toward[c] - g->sum[c] * g->degree[i] / g->total;
                if (gain > most + 1e-12) {
                    most = gain;
                    best = c;
                }
            }
            for (size_t e = g->start[i]; e < g->start[i + 1]; e++) {
                g->toward[g->of[g->to[e]]] = 0;
            }
            g->of[i] = best;
            g->sum[best] += g->degree[i];
            moved |= best != own;
        }
        any |= moved;
    }
    return any;
}

/* Numbers from 0 in place of names; returns how many. */
static int32_t renumber(int32_t *of, int32_t n, int32_t *names)
{
    int32_t count = 0;
    for (int32_t i = 0; i < n; i++) {
        names[i] = -1;
    }
    for (int32_t i = 0; i < n; i++) {
        if (names[of[i]] < 0) {
            names[of[i]] = count++;
        }
        of[i] = names[of[i]];
    }
    return count;
}

/* The largest first; equal ones by their first node. */
static void sort_communities(GraphLayout *out, int32_t *sizes, int32_t *order, int32_t *names)
{
    int32_t n = out->n_communities;
    memset(sizes, 0, (size_t)n * sizeof *sizes);
    for (int32_t i = 0; i < out->n_nodes; i++) {
        sizes[out->community[i]]++;
    }
    for (int32_t i = 0; i < n; i++) {
        int32_t k = i;
        for (; k > 0 && sizes[order[k - 1]] < sizes[i]; k--) {
            order[k] = order[k - 1];
        }
        order[k] = i;
    }
    for (int32_t i = 0; i < n; i++) {
        names[order[i]] = i;
    }
    for (int32_t i = 0; i < out->n_nodes; i++) {
        out->community[i] = names[out->community[i]];
    }
}

static bool find_communities(const GraphDesc *desc, GraphLayout *out, Arena *scratch, Error *err)
{
    enum { LEVELS = 8 };
    int32_t n = desc->n_nodes;
    int32_t *names = ARENA_ARRAY(scratch, int32_t, (size_t)n, err);
    int32_t *order = names ? ARENA_ARRAY(scratch, int32_t, (size_t)n, err) : NULL;
    int32_t *sizes = order ? ARENA_ARRAY(scratch, int32_t, (size_t)n, err) : NULL;
    if (!sizes) {
        return false;
    }
    for (int32_t i = 0; i < n; i++) {
        out->community[i] = i;
    }
    int32_t count = n;
    for (int level = 0; level < LEVELS; level++) {
        Groups g = {0};
        if (!groups_reserve(&g, count, desc->n_links, scratch, err)) {
            return false;
        }
        groups_fill(&g, desc->links, desc->n_links, out->community);
        if (!groups_move(&g)) {
            break;
        }
        count = renumber(g.of, count, names);
        for (int32_t i = 0; i < n; i++) {
            out->community[i] = g.of[out->community[i]];
        }
    }
    out->n_communities = renumber(out->community, n, names);
    sort_communities(out, sizes, order, names);
    return true;
}

/* ---- all of it ---- */

static bool prepare(Field *f, bool *still, Arena *scratch, Error *err)
{
    size_t n = (size_t)f->n;
    f->most_cells = f->n * 8 + 64;
    f->at = arena_alloc_array(scratch, n, sizeof *f->at, err);
    f->force = f->at ? arena_alloc_array(scratch, n, sizeof *f->force, err) : NULL;
    f->degree = f->force ? ARENA_ARRAY(scratch, double, n, err) : NULL;
    f->cells = f->degree ? ARENA_ARRAY(scratch, Cell, (size_t)f->most_cells, err) : NULL;
    if (!f->cells) {
        return false;
    }
    f->still = still;
    f->k = 0.6 / sqrt((double)AS_MAX(f->n, 1));
    Random random = {f->desc->seed * 0x9E3779B97F4A7C15u + 1};
    double turn = f->desc->seed ? random_uniform(&random) : 0.75;
    for (int32_t i = 0; i < f->n; i++) {
        double a = PI2 * ((double)i / f->n + turn);
        f->at[i][0] = 0.5 + 0.42 * cos(a) + 0.02 * (random_uniform(&random) - 0.5);
        f->at[i][1] = 0.5 + 0.42 * sin(a) + 0.02 * (random_uniform(&random) - 0.5);
    }
    for (size_t e = 0; e < f->desc->n_links; e++) {
        const GraphLink *link = &f->desc->links[e];
        if (link->a != link->b) {
            f->degree[link->a] += (double)link->weight;
            f->degree[link->b] += (double)link->weight;
        }
    }
    return true;
}

static void copy_places(const Field *f, float (*out)[2])
{
    for (int32_t i = 0; i < f->n; i++) {
        out[i][0] = (float)f->at[i][0];
        out[i][1] = (float)f->at[i][1];
    }
}

static bool lay_out(const GraphDesc *desc, GraphLayout *out, Arena *scratch, JobControl *control,
                    Error *err)
{
    Field f = {.desc = desc, .n = desc->n_nodes};
    bool *still = ARENA_ARRAY(scratch, bool, (size_t)desc->n_nodes, err);
    if (!still || !prepare(&f, still, scratch, err)) {
        return false;
    }
    copy_places(&f, out->from);
    out->n_rounds = desc->n_nodes > 300 ? ROUNDS_MANY : ROUNDS_FEW;
    if (!relax(&f, out->n_rounds, 0.1, control, err)) {
        return false;
    }
    spread(&f);
    /* Those held are put where they belong; the others give way, but start from the whole picture,
     * so that moving one leaves the rest as it was. */
    for (int32_t i = 0; i < desc->n_held; i++) {
        int32_t node = desc->held[i].token;
        if (node >= 0 && node < f.n) {
            still[node] = true;
            f.at[node][0] = (double)AS_CLAMP(desc->held[i].x, 0.0f, 1.0f);
            f.at[node][1] = (double)AS_CLAMP(desc->held[i].y, 0.0f, 1.0f);
        }
    }
    if (desc->n_held > 0) {
        out->n_rounds += ROUNDS_HELD;
        if (!relax(&f, ROUNDS_HELD, 0.012, control, err)) {
            return false;
        }
    }
    copy_places(&f, out->at);
    return true;
}

GraphLayout *graph_layout_make(const GraphDesc *desc, JobControl *control, Error *err)
{
    GraphLayout *out = mem_alloc_zeroed(1, sizeof *out, err);
    if (!out) {
        return NULL;
    }
    size_t n = (size_t)AS_MAX(desc->n_nodes, 0);
    out->n_nodes = desc->n_nodes;
    out->at = arena_alloc_array(&out->arena, n, sizeof *out->at, err);
    out->from = out->at ? arena_alloc_array(&out->arena, n, sizeof *out->from, err) : NULL;
    out->community = out->from ? ARENA_ARRAY(&out->arena, int32_t, n, err) : NULL;
    Arena scratch = {0};
    bool ok = out->community && (n == 0 || (lay_out(desc, out, &scratch, control, err) &&
                                            find_communities(desc, out, &scratch, err)));
    arena_destroy(&scratch);
    if (!ok) {
        graph_layout_free(out);
        return NULL;
    }
    return out;
}

void graph_layout_free(GraphLayout *layout)
{
    if (layout) {
        arena_destroy(&layout->arena);
        mem_free(layout);
    }
}
