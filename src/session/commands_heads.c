#include "session/commands_internal.h"

#include <stdlib.h>
#include <string.h>

/* The view Heads: order, filter, threshold, the pinned card. What the Matrix has open. */

const char *heads_sort_name(HeadsSort sort)
{
    static const char *const names[HEADS_SORT_COUNT] = {"layer", "pattern", "entropy", "distance"};
    return (unsigned)sort < HEADS_SORT_COUNT ? names[sort] : "?";
}

const char *heads_filter_name(int filter)
{
    return filter == HEADS_ALL     ? "all"
           : filter == HEADS_MIXED ? "mixed"
                                   : pattern_name((Pattern)(filter - 1));
}

static bool do_sort(Session *s, const char *a, Error *err)
{
    const char *names[HEADS_SORT_COUNT];
    for (int i = 0; i < HEADS_SORT_COUNT; i++) {
        names[i] = heads_sort_name((HeadsSort)i);
    }
    int way = 0;
    if (!command_read_choice(a, names, HEADS_SORT_COUNT, &way, err)) {
        return false;
    }
    s->options.heads.sort = way;
    return true;
}

static bool do_filter(Session *s, const char *a, Error *err)
{
    const char *names[HEADS_FILTER_COUNT];
    for (int i = 0; i < HEADS_FILTER_COUNT; i++) {
        names[i] = heads_filter_name(i);
    }
    int filter = 0;
    if (!command_read_choice(a, names, HEADS_FILTER_COUNT, &filter, err)) {
        return false;
    }
    s->options.heads.filter = filter;
    return true;
}

static bool do_score(Session *s, const char *a, Error *err)
{
    double least = 0;
    if (strcmp(a, "none") != 0 && !command_read_number(a, 0, 1, &least, err)) {
        return false;
    }
    s->options.heads.least = (float)least;
    return true;
}

static bool do_card(Session *s, const char *a, Error *err)
{
    HeadsOptions *o = &s->options.heads;
    if (strcmp(a, "none") == 0) {
        o->pinned = false;
        return true;
    }
    if (!s->trace) {
        return error_set(err, ERR_USAGE, "there is nothing to look at yet");
    }
    HeadSet set = {.n = 1, .heads = {{(int16_t)s->selection.layer, (int16_t)s->selection.head}}};
    if (*a) {
        set.n = 0;
        if (!command_read_heads(s->trace, a, &set, err)) {
            return false;
        }
    }
    HeadRef ref = set.heads[0];
    bool there = o->pinned && o->card_layer == ref.layer && o->card_head == ref.head;
    o->pinned = !there;
    o->card_layer = ref.layer;
    o->card_head = ref.head;
    return true;
}

/* "", "on" or "off" */
static bool do_switch(const char *a, bool *is_on, Error *err)
{
    static const char *const names[] = {"off", "on"};
    int on = !*is_on;
    if (*a && !command_read_choice(a, names, 2, &on, err)) {
        return false;
    }
    *is_on = on;
    return true;
}

static bool do_menu(Session *s, const char *a, Error *err)
{
    return do_switch(a, &s->options.matrix_menu, err);
}

static bool do_reading(Session *s, const char *a, Error *err)
{
    return do_switch(a, &s->options.matrix_reading, err);
}

const SessionCommand session_heads_commands[] = {
    {"sort", "layer|pattern|entropy|distance", "Heads: put them in this order", false, do_sort},
    {"filter", "all|mixed|PATTERN", "Heads: only those that follow this pattern", false, do_filter},
    {"score", "X|none", "Heads: only those whose score is at least this", false, do_score},
    {"card", "[L.H]|none", "Heads: pin the card of a head, or let it go", false, do_card},
    {"menu", "[on|off]", "Matrix: open or close the choice of what the cells show", false, do_menu},
    {"reading", "[on|off]", "Matrix: the text around query and key, or the cells", false,
     do_reading},
    {0},
};
