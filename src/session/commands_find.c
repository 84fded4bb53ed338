#include "session/commands_internal.h"

#include "session/find.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finding things by what people write: "L17 H3", "17.3", "t402", "matrix". */

static void skip_blanks(const char **text)
{
    while (**text == ' ' || **text == ',' || **text == ':') {
        (*text)++;
    }
}

static bool take_number(const char **text, int32_t *value)
{
    if (!isdigit((unsigned char)**text)) {
        return false;
    }
    char *end;
    errno = 0;
    long n = strtol(*text, &end, 10);
    if (errno || n > INT32_MAX) {
        return false;
    }
    *value = (int32_t)n;
    *text = end;
    return true;
}

/* "L17", "l 17", "layer 17". */
static bool take_named(const char **text, const char *word, int32_t *value)
{
    const char *at = *text;
    size_t n = strlen(word);
    if (strncasecmp(at, word, n) == 0) {
        at += n;
    } else if (tolower((unsigned char)*at) == word[0]) {
        at++;
    } else {
        return false;
    }
    skip_blanks(&at);
    if (!take_number(&at, value)) {
        return false;
    }
    *text = at;
    skip_blanks(text);
    return true;
}

bool place_parse(const char *text, Place *place)
{
    *place = (Place){-1, -1, -1};
    skip_blanks(&text);
    if (take_named(&text, "token", &place->token)) {
        return !*text;
    }
    if (take_named(&text, "layer", &place->layer)) {
        return !*text || (take_named(&text, "head", &place->head) && !*text);
    }
    if (take_named(&text, "head", &place->head)) {
        return !*text;
    }
    if (!take_number(&text, &place->layer) || *text++ != '.' || !take_number(&text, &place->head)) {
        return false;
    }
    skip_blanks(&text);
    return !*text;
}

static bool inside(const char *what, int32_t value, int32_t n, Error *err)
{
    return value < n || error_not_there(err, what, value, n);
}

bool place_is_there(const TraceInfo *info, const Place *place, Error *err)
{
    return inside("layer", place->layer, info->n_layers, err) &&
           inside("head", place->head, info->n_heads, err) &&
           inside("token", place->token, info->n_queries, err);
}

static bool do_go(Session *s, const char *a, Error *err)
{
    Place place;
    if (!place_parse(a, &place)) {
        return command_bad(a, "L17 H3, 17.3 or t402", err);
    }
    if (!s->trace) {
        return error_set(err, ERR_USAGE, "there is nothing to look at yet");
    }
    if (!place_is_there(trace_info(s->trace), &place, err)) {
        return false;
    }
    Selection *to = &s->selection;
    to->layer = place.layer >= 0 ? place.layer : to->layer;
    to->head = place.head >= 0 ? place.head : to->head;
    to->query = place.token >= 0 ? place.token : to->query;
    return true;
}

static bool do_palette(Session *s, const char *a, Error *err)
{
    (void)err;
    bool closes = s->panel == PANEL_PALETTE && !*a;
    s->panel = closes ? PANEL_NONE : PANEL_PALETTE;
    snprintf(s->palette_text, sizeof s->palette_text, "%s", a);
    s->palette_opened++;
    return true;
}

const SessionCommand session_find_commands[] = {
    {"go", "L17 H3|17.3|t402", "go to a head, a layer or a token by its name", false, do_go},
    {"palette", "[TEXT]", "find a command, a view, a model, a token or a head", false, do_palette},
    {0},
};
