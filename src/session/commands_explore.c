#include "session/commands_internal.h"
#include "session/search.h"
#include "session/shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sets of heads, what is left out, brushes, bookmarks, search. */

/* A cell is strong from here on. */
static const float STRONG = 0.3f;

static bool no_trace(Error *err)
{
    return error_set(err, ERR_USAGE, "there is nothing to look at yet");
}

/* ---- sets of heads ---- */

static bool do_combine(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"one", "mean", "max", "owner"};
    int way = ((int)s->selection.combine + 1) % COMBINE_COUNT;
    if (*a && !command_read_choice(a, names, COMBINE_COUNT, &way, err)) {
        return false;
    }
    if (way != COMBINE_ONE && s->selection.set.n == 0) {
        return error_set(err, ERR_USAGE,
                         "no heads are chosen: \"set layer\" takes a layer's, \"set 17.3,2.1\" "
                         "these, \"set toggle\" the one in view");
    }
    s->selection.combine = (Combine)way;
    return true;
}

static bool add_layer(Session *s, HeadSet *set, Error *err)
{
    bool ok = true;
    for (int32_t h = 0; ok && h < trace_info(s->trace)->n_heads; h++) {
        ok = head_set_add(set, s->selection.layer, h, err);
    }
    return ok;
}

bool command_read_heads(const Trace *trace, const char *a, HeadSet *set, Error *err)
{
    const TraceInfo *info = trace_info(trace);
    while (*a) {
        char *end;
        long layer = strtol(a, &end, 10);
        if (end == a || *end != '.') {
            return command_bad(a, "LAYER.HEAD,LAYER.HEAD…", err);
        }
        a = end + 1;
        long head = strtol(a, &end, 10);
        if (end == a || (*end && *end != ',')) {
            return command_bad(a, "LAYER.HEAD,LAYER.HEAD…", err);
        }
        if (layer < 0 || layer >= info->n_layers || head < 0 || head >= info->n_heads) {
            return error_set(err, ERR_RANGE,
                             "there is no head %ld in layer %ld; layers are 0–%d, "
                             "heads 0–%d",
                             head, layer, info->n_layers - 1, info->n_heads - 1);
        }
        if (!head_set_add(set, (int32_t)layer, (int32_t)head, err)) {
            return false;
        }
        a = *end ? end + 1 : end;
    }
    return true;
}

static bool do_set(Session *s, const char *a, Error *err)
{
    Selection *sel = &s->selection;
    HeadSet set = {0};
    if (!s->trace) {
        return no_trace(err);
    }
    bool toggle = strncmp(a, "toggle", 6) == 0 && (a[6] == 0 || a[6] == ' ');
    if (toggle) {
        HeadSet one = {0};
        const char *which = a + 6 + strspn(a + 6, " ");
        bool read = *which ? command_read_heads(s->trace, which, &one, err)
                           : head_set_add(&one, sel->layer, sel->head, err);
        if (!read) {
            return false;
        }
        set = sel->set;
        for (int32_t i = 0; i < one.n; i++) {
            HeadRef h = one.heads[i];
            if (head_set_find(&set, h.layer, h.head) >= 0) {
                head_set_remove(&set, h.layer, h.head);
            } else if (!head_set_add(&set, h.layer, h.head, err)) {
                return false;
            }
        }
    } else if (strcmp(a, "layer") == 0) {
        if (!add_layer(s, &set, err)) {
            return false;
        }
    } else if (strcmp(a, "none") != 0) {
        if (!*a) {
            return command_bad(a, "layer, none, toggle or LAYER.HEAD,…", err);
        }
        if (!command_read_heads(s->trace, a, &set, err)) {
            return false;
        }
    }
    sel->set = set;
    sel->combine = set.n ? sel->combine : COMBINE_ONE;
    return true;
}

/* ---- how it is shown ---- */

static bool do_hide(Session *s, const char *a, Error *err)
{
    SessionOptions *o = &s->options;
    if (strcmp(a, "first") == 0) {
        o->hide_first = !o->hide_first;
    } else if (strcmp(a, "special") == 0) {
        o->hide_special = !o->hide_special;
    } else if (strcmp(a, "none") == 0) {
        o->hide_first = o->hide_special = false;
    } else {
        return command_bad(a, "first, special or none", err);
    }
    return true;
}

static bool do_pair(Session *s, const char *a, Error *err)
{
    (void)a;
    if (!s->trace || !trace_info(s->trace)->second_at) {
        return error_set(err, ERR_USAGE, "this needs two texts: --text-pair gives the second");
    }
    s->options.pair_only = !s->options.pair_only;
    return true;
}

static bool do_reduce(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"max", "mean"};
    int way = !s->options.reduce_mean;
    if (*a && !command_read_choice(a, names, 2, &way, err)) {
        return false;
    }
    s->options.reduce_mean = way;
    return true;
}

static bool do_map_range(Session *s, const char *a, Error *err)
{
    if (strcmp(a, "all") == 0) {
        s->options.map_lo = s->options.map_hi = 0;
        return true;
    }
    char first[32] = {0};
    size_t n = strcspn(a, " ");
    double lo = 0;
    double hi = 0;
    if (n >= sizeof first || !a[n]) {
        return command_bad(a, "two weights, or all", err);
    }
    memcpy(first, a, n);
    if (!command_read_number(first, 0, 1, &lo, err) ||
        !command_read_number(a + n + 1, 0, 1, &hi, err)) {
        return false;
    }
    if (hi <= lo) {
        return error_set(err, ERR_USAGE, "the colours end at %g, not above where they begin, %g",
                         hi, lo);
    }
    s->options.map_lo = (float)lo;
    s->options.map_hi = (float)hi;
    return true;
}

static bool do_sums(Session *s, const char *a, Error *err)
{
    (void)a;
    (void)err;
    shown_again(s);
    return true;
}

static bool do_diagonal(Session *s, const char *a, Error *err)
{
    (void)a;
    (void)err;
    s->options.diagonal = !s->options.diagonal;
    return true;
}

static bool do_outline(Session *s, const char *a, Error *err)
{
    (void)a;
    (void)err;
    s->options.outline_hidden = !s->options.outline_hidden;
    return true;
}

static bool do_tile_memory(Session *s, const char *a, Error *err)
{
    double mib = 0;
    if (!command_read_number(a, 16, 65536, &mib, err)) {
        return false;
    }
    s->tiles.budget_bytes = (size_t)(mib * 1048576);
    return true;
}

/* ---- brushes ---- */

/* "A:B"; end > first. */
static bool read_span(const char *a, int32_t n, Span *span, Error *err)
{
    char *end;
    long first = strtol(a, &end, 10);
    long last = *end == ':' ? strtol(end + 1, &end, 10) : -1;
    if (*end || first < 0 || last <= first) {
        return command_bad(a, "A:B, the tokens from A up to but not including B", err);
    }
    if (last > n) {
        return error_set(err, ERR_RANGE, "\"%s\": there are %d tokens, 0:%d", a, n, n);
    }
    *span = (Span){(int32_t)first, (int32_t)last};
    return true;
}

static bool do_brush(Session *s, const char *a, Error *err)
{
    if (!s->trace) {
        return no_trace(err);
    }
    const TraceInfo *info = trace_info(s->trace);
    if (strcmp(a, "none") == 0) {
        s->selection.brush_query = s->selection.brush_key = (Span){0};
        return true;
    }
    if (strncmp(a, "queries ", 8) == 0) {
        return read_span(a + 8, info->n_queries, &s->selection.brush_query, err);
    }
    if (strncmp(a, "keys ", 5) == 0) {
        return read_span(a + 5, info->n_keys, &s->selection.brush_key, err);
    }
    return command_bad(a, "queries A:B, keys A:B or none", err);
}

/* ---- going places ---- */

static void go(Session *s, const Bookmark *to)
{
    s->selection.layer = to->layer;
    s->selection.head = to->head;
    s->selection.query = to->query;
    s->selection.key = to->key;
    s->selection.pinned = true;
}

static int32_t mark_here(const Selection *sel)
{
    for (int32_t i = 0; i < sel->n_marks; i++) {
        const Bookmark *m = &sel->marks[i];
        if (m->layer == sel->layer && m->head == sel->head && m->query == sel->query &&
            m->key == sel->key) {
            return i;
        }
    }
    return -1;
}

static bool do_mark(Session *s, const char *a, Error *err)
{
    Selection *sel = &s->selection;
    int32_t here = mark_here(sel);
    if (strcmp(a, "next") == 0 || strcmp(a, "previous") == 0) {
        if (!sel->n_marks) {
            return error_set(err, ERR_USAGE, "there are no bookmarks; M makes one");
        }
        int32_t step = *a == 'n' ? 1 : -1;
        int32_t to = here < 0 ? (step > 0 ? 0 : sel->n_marks - 1)
                              : (here + step + sel->n_marks) % sel->n_marks;
        Bookmark mark = sel->marks[to];
        go(s, &mark);
        return true;
    }
    if (strcmp(a, "none") == 0) {
        sel->n_marks = 0;
        return true;
    }
    if (*a) {
        return command_bad(a, "next, previous, none or nothing", err);
    }
    if (here >= 0) {
        sel->n_marks--;
        memmove(&sel->marks[here], &sel->marks[here + 1],
                (size_t)(sel->n_marks - here) * sizeof sel->marks[0]);
        return true;
    }
    if (sel->n_marks == BOOKMARKS_MAX) {
        return error_set(err, ERR_RANGE, "%d bookmarks are kept; take one off first (M on it)",
                         BOOKMARKS_MAX);
    }
    sel->marks[sel->n_marks++] = (Bookmark){sel->layer, sel->head, sel->query, sel->key};
    return true;
}

static bool do_strong(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"next", "previous"};
    int way = 0;
    int32_t key = 0;
    if (!s->trace) {
        return no_trace(err);
    }
    if (!command_read_choice(a, names, 2, &way, err)) {
        return false;
    }
    Selection *sel = &s->selection;
    int32_t query =
        search_strong(s->trace, sel->layer, sel->head, STRONG, sel->query, way ? -1 : 1, &key);
    if (query < 0) {
        return error_set(err, ERR_USAGE,
                         "no row of this head has a weight of %g or more besides the first token "
                         "and itself",
                         (double)STRONG);
    }
    go(s, &(Bookmark){sel->layer, sel->head, query, key});
    return true;
}

static bool do_find(Session *s, const char *a, Error *err)
{
    static const char *const ways[] = {"next", "previous"};
    Selection *sel = &s->selection;
    int way = 0;
    if (!s->trace) {
        return no_trace(err);
    }
    bool step = sel->find[0] && (strcmp(a, ways[0]) == 0 || strcmp(a, ways[1]) == 0);
    if (!step && strlen(a) >= sizeof sel->find) {
        return error_set(err, ERR_RANGE, "at most %d bytes can be searched for", FIND_MAX - 1);
    }
    if (step) {
        way = strcmp(a, ways[1]) == 0;
    } else {
        snprintf(sel->find, sizeof sel->find, "%s", a);
        if (!*a) {
            return true;
        }
    }
    int32_t from = step ? sel->query : sel->query - 1;
    int32_t at = search_text(s->trace, false, sel->find, from, way ? -1 : 1);
    if (at < 0) {
        return error_set(err, ERR_USAGE, "“%s” does not stand in this text", sel->find);
    }
    TraceRows rows;
    sel->query = at;
    if (trace_rows(s->trace, sel->layer, sel->head, &rows) && rows.max_key[at] >= 0) {
        sel->key = rows.max_key[at];
    }
    sel->pinned = true;
    return true;
}

/* ---- another text ---- */

static void clamp_span(Span *span, int32_t n)
{
    span->end = AS_MIN(span->end, n);
    if (span->first >= span->end) {
        *span = (Span){0};
    }
}

void session_clamp_choice(Session *s)
{
    Selection *sel = &s->selection;
    const TraceInfo *info = trace_info(s->trace);
    HeadSet set = {0};
    for (int32_t i = 0; i < sel->set.n; i++) {
        HeadRef h = sel->set.heads[i];
        if (h.layer < info->n_layers && h.head < info->n_heads) {
            set.heads[set.n++] = h;
        }
    }
    sel->set = set;
    sel->combine = set.n ? sel->combine : COMBINE_ONE;
    int32_t n = 0;
    for (int32_t i = 0; i < sel->n_marks; i++) {
        const Bookmark *m = &sel->marks[i];
        if (m->layer < info->n_layers && m->head < info->n_heads && m->query < info->n_queries &&
            m->key < info->n_keys) {
            sel->marks[n++] = *m;
        }
    }
    sel->n_marks = n;
    clamp_span(&sel->brush_query, info->n_queries);
    clamp_span(&sel->brush_key, info->n_keys);
}

const SessionCommand session_explore_commands[] = {
    {"set", "layer|none|toggle [L.H]|L.H,…", "choose heads to look at together", false, do_set},
    {"combine", "[one|mean|max|owner]", "show one head, or the set in one of these ways", false,
     do_combine},
    {"hide", "first|special|none", "leave these keys out and divide the rest to sum to 1", false,
     do_hide},
    {"pair-only", "", "of two texts only what the first reads in the second", false, do_pair},
    {"reduce", "[max|mean]", "what a pixel of many weights shows", false, do_reduce},
    {"map-range", "LO HI|all", "the weights that the colours begin and end at", false,
     do_map_range},
    {"sums", "", "go on with profiles and strips of a set after they were stopped", true, do_sums},
    {"diagonal", "", "mark what each token gives itself", false, do_diagonal},
    {"outline", "", "outline found patterns where they are, or not", false, do_outline},
    {"tile-memory", "MIB", "memory for exact cells that were computed, 256 at first", false,
     do_tile_memory},
    {"brush", "queries A:B|keys A:B|none", "look at these tokens only", false, do_brush},
    {"mark", "[next|previous|none]", "bookmark this cell or take it off, or go to one", false,
     do_mark},
    {"strong", "next|previous", "go to the next row with a strong look", false, do_strong},
    {"find", "TEXT|next|previous", "go to where this text stands", false, do_find},
    {0},
};
