#include "session/commands_internal.h"

#include "session/flow_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How Flow shows attention. */

static FlowOptions *flow_of(Session *s)
{
    return &s->options.flow;
}

static bool choose(int32_t *field, const char *a, const char *const *names, int n, Error *err)
{
    int value = *field;
    if (!*a) {
        *field = (value + 1) % n;
        return true;
    }
    if (!command_read_choice(a, names, n, &value, err)) {
        return false;
    }
    *field = value;
    return true;
}

static bool do_mode(Session *s, const char *a, Error *err)
{
    static const char *const names[FLOW_MODE_COUNT] = {"columns", "arcs", "layers", "graph"};
    return choose(&flow_of(s)->mode, a, names, FLOW_MODE_COUNT, err);
}

static bool do_nodes(Session *s, const char *a, Error *err)
{
    static const char *const names[FLOW_NODE_COUNT] = {"received", "given", "both"};
    return choose(&flow_of(s)->node, a, names, FLOW_NODE_COUNT, err);
}

/* More curves, or fewer, by what they are picked by. */
static void pick_more(FlowOptions *o, bool more)
{
    if (o->pick == FLOW_COVERAGE) {
        o->coverage = AS_CLAMP(flow_coverage(o) + (more ? 0.05f : -0.05f), 0.05f, 1.0f);
    } else if (o->pick == FLOW_TOP_K) {
        o->top_k = AS_CLAMP(flow_top_k(o) + (more ? 1 : -1), 1, FLOW_MOST_TOP);
    } else {
        o->threshold = AS_CLAMP(flow_threshold(o) * (more ? 0.8f : 1.25f), 1e-6f, 1.0f);
    }
}

/* "coverage 0.8", "top 3", "threshold 0.05", or only the name; "+", "-"; nothing: the next. */
static bool do_pick(Session *s, const char *a, Error *err)
{
    static const char *const names[FLOW_PICK_COUNT] = {"coverage", "top", "threshold"};
    FlowOptions *o = flow_of(s);
    if (strcmp(a, "+") == 0 || strcmp(a, "-") == 0) {
        pick_more(o, *a == '+');
        return true;
    }
    if (!*a) {
        return choose(&o->pick, a, names, FLOW_PICK_COUNT, err);
    }
    char name[16] = "";
    size_t n = strcspn(a, " ");
    memcpy(name, a, AS_MIN(n, sizeof name - 1));
    const char *value = a + n + strspn(a + n, " ");
    int pick = o->pick;
    double number = 0;
    if (!command_read_choice(name, names, FLOW_PICK_COUNT, &pick, err)) {
        return false;
    }
    static const double lo[FLOW_PICK_COUNT] = {0.01, 1, 1e-6};
    static const double hi[FLOW_PICK_COUNT] = {1, FLOW_MOST_TOP, 1};
    if (*value && !command_read_number(value, lo[pick], hi[pick], &number, err)) {
        return false;
    }
    o->pick = pick;
    if (*value && pick == FLOW_COVERAGE) {
        o->coverage = (float)number;
    } else if (*value && pick == FLOW_TOP_K) {
        o->top_k = (int32_t)number;
    } else if (*value) {
        o->threshold = (float)number;
    }
    return true;
}

static bool toggle(int32_t *field, const char *a, Error *err)
{
    static const char *const names[] = {"off", "on"};
    return choose(field, a, names, 2, err);
}

static bool do_bundled(Session *s, const char *a, Error *err)
{
    return toggle(&flow_of(s)->bundled, a, err);
}

static bool do_value(Session *s, const char *a, Error *err)
{
    if (s->trace && !trace_info(s->trace)->has_values) {
        return error_set(err, ERR_UNSUPPORTED,
                         "this record holds no values: record it with --store qkv");
    }
    return toggle(&flow_of(s)->by_value, a, err);
}

static bool do_arrows(Session *s, const char *a, Error *err)
{
    return toggle(&flow_of(s)->arrows, a, err);
}

static bool do_paths(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"all", "shown"};
    return choose(&flow_of(s)->all_heads, a, names, 2, err);
}

static bool do_first(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"out", "in"};
    return choose(&flow_of(s)->with_first, a, names, 2, err);
}

/* "3" turns one more head on or off; "all", "one". */
static bool do_heads(Session *s, const char *a, Error *err)
{
    FlowOptions *o = flow_of(s);
    int32_t n = s->trace ? trace_info(s->trace)->n_heads : 32 * FLOW_HEAD_WORDS;
    n = AS_MIN(n, 32 * FLOW_HEAD_WORDS);
    if (strcmp(a, "one") == 0 || strcmp(a, "all") == 0) {
        memset(o->heads, 0, sizeof o->heads);
        for (int32_t h = 0; *a == 'a' && h < n; h++) {
            o->heads[h / 32] |= 1u << (h % 32);
        }
        return true;
    }
    int32_t head = 0;
    if (!command_read_index(a, "head", n, &head, err)) {
        return false;
    }
    bool shown = flow_shows_head(o, head, s->selection.head);
    if (!shown) {
        o->heads[head / 32] |= 1u << (head % 32);
        o->heads[s->selection.head / 32] |= 1u << (s->selection.head % 32);
        return true;
    }
    o->heads[head / 32] &= ~(1u << (head % 32));
    /* The selected head steps back for another one that is shown. */
    for (int32_t h = 0; head == s->selection.head && h < n; h++) {
        if (o->heads[h / 32] >> (h % 32) & 1) {
            s->selection.head = h;
        }
    }
    return true;
}

/* ---- tokens that are looked at ---- */

static void select_strongest(Session *s, int32_t token, bool as_key)
{
    TraceRows rows;
    Selection *sel = &s->selection;
    if (as_key) {
        sel->key = token;
        int32_t n = trace_info(s->trace)->n_queries;
        float *column = mem_alloc((size_t)n * sizeof *column, NULL);
        if (column && trace_column_profile(s->trace, sel->layer, sel->head, token, column, NULL)) {
            int32_t best = AS_MIN(token, n - 1);
            for (int32_t i = 0; i < n; i++) {
                best = column[i] > column[best] ? i : best;
            }
            sel->query = best;
        }
        mem_free(column);
    } else if (trace_rows(s->trace, sel->layer, sel->head, &rows)) {
        sel->query = token;
        sel->key = AS_MAX(rows.max_key[token], 0);
    }
}

/* "q8" looks at query 8 alone, "+k3" adds key 3 to the set or takes it out. */
static bool do_look(Session *s, const char *a, Error *err)
{
    FlowOptions *o = flow_of(s);
    bool add = *a == '+';
    char selected[16];
    if (!a[add]) {
        snprintf(selected, sizeof selected, "%sq%d", add ? "+" : "", s->selection.query);
        a = selected;
    }
    const char *side = a + add;
    bool as_key = *side == 'k';
    int32_t token = 0;
    if (!s->trace || (*side != 'q' && *side != 'k')) {
        return command_bad(a, "[+]qTOKEN or [+]kTOKEN", err);
    }
    const TraceInfo *info = trace_info(s->trace);
    int32_t n_tokens = as_key ? info->n_keys : info->n_queries;
    if (side[1] < '0' || side[1] > '9') {
        return command_bad(a, "[+]qTOKEN or [+]kTOKEN", err);
    }
    if (!command_read_index(side + 1, as_key ? "key" : "query", n_tokens, &token, err)) {
        return false;
    }
    int32_t pin = 2 * token + as_key;
    bool had = flow_is_pinned(o, token, as_key);
    bool alone = had && o->n_pins == 1;
    int32_t n = 0;
    for (int32_t i = 0; add && i < o->n_pins; i++) {
        if (o->pins[i] != pin) {
            o->pins[n++] = o->pins[i];
        }
    }
    if (add ? !had : !alone) {
        if (n == FLOW_PINS) {
            return error_set(err, ERR_RANGE, "no more than %d tokens can be looked at together",
                             (int)FLOW_PINS);
        }
        o->pins[n++] = pin;
        select_strongest(s, token, as_key);
    }
    memset(o->pins + n, 0, (size_t)(FLOW_PINS - n) * sizeof *o->pins);
    o->n_pins = n;
    s->selection.pinned = n > 0;
    return true;
}

/* ---- the graph ---- */

static bool do_seed(Session *s, const char *a, Error *err)
{
    FlowOptions *o = flow_of(s);
    if (!*a) {
        o->seed = (o->seed + 1) & 0xFFFF;
    } else if (!command_read_count(a, 0, 0xFFFF, &o->seed, err)) {
        return false;
    }
    return true;
}

/* "17 0.3 0.7" puts a node there; "17" lets it go, "" all. */
static bool do_hold(Session *s, const char *a, Error *err)
{
    FlowOptions *o = flow_of(s);
    if (!*a) {
        memset(o->held, 0, sizeof o->held);
        o->n_held = 0;
        return true;
    }
    char *end;
    long token = strtol(a, &end, 10);
    int32_t n_tokens = s->trace ? trace_info(s->trace)->n_keys : 0;
    if (end == a || token < 0) {
        return command_bad(a, "TOKEN [X Y]", err);
    }
    if (token >= n_tokens) {
        return error_not_there(err, "token", token, n_tokens);
    }
    double x = -1;
    double y = -1;
    if (*end) {
        char *second;
        x = strtod(end, &second);
        y = strtod(second, &end);
        if (*end || end == second || !(x >= 0 && x <= 1 && y >= 0 && y <= 1)) {
            return command_bad(a, "TOKEN [X Y], both from 0 to 1", err);
        }
    }
    int32_t n = 0;
    for (int32_t i = 0; i < o->n_held; i++) {
        if (o->held[i].token != (int32_t)token) {
            o->held[n++] = o->held[i];
        }
    }
    if (x >= 0) {
        if (n == FLOW_HELD) {
            return error_set(err, ERR_RANGE, "no more than %d nodes can be held", (int)FLOW_HELD);
        }
        o->held[n++] = (FlowHeld){(int32_t)token, (float)x, (float)y};
    }
    memset(o->held + n, 0, (size_t)(FLOW_HELD - n) * sizeof *o->held);
    o->n_held = n;
    return true;
}

const SessionCommand session_flow_commands[] = {
    {"flow", "[columns|arcs|layers|graph]", "how Flow shows attention", false, do_mode},
    {"flow-strongest", "[coverage|top|threshold [VALUE]|+|-]",
     "which curves are drawn: a share of each query's attention, so many of each, or all above a "
     "weight; more or fewer",
     false, do_pick},
    {"flow-heads", "N|all|one", "show one more head, all, or only the selected one", false,
     do_heads},
    {"flow-bundle", "[on|off]", "several heads as one curve for each pair of tokens", false,
     do_bundled},
    {"flow-value", "[on|off]", "weights times the length of the value that they carry", false,
     do_value},
    {"flow-arrows", "[on|off]", "what runs: queries to the keys they match, not values back", false,
     do_arrows},
    {"flow-paths", "[all|shown]", "paths through all heads or through the ones shown", false,
     do_paths},
    {"flow-first", "[out|in]", "paths without the first token, or with it", false, do_first},
    {"flow-look", "[+][qN|kN]", "look at a token, or add it to those looked at", false, do_look},
    {"flow-nodes", "[received|given|both]", "what the size of a node means", false, do_nodes},
    {"flow-seed", "[N]", "another arrangement of the graph", false, do_seed},
    {"flow-hold", "[TOKEN [X Y]]", "put a node somewhere, let it go, or let all go", false,
     do_hold},
    {0},
};
