#include "views/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PHRASE_MOST = 6 };

/* How many tokens up to the query also stand, in order, right before the key. */
static int32_t repeated_before(const Trace *trace, int32_t query, int32_t key)
{
    const TraceToken *t = trace_tokens(trace);
    int32_t n = 0;
    while (n < PHRASE_MOST && key - 1 - n >= 0 && query - n > key - 1 - n &&
           t[query - n].id == t[key - 1 - n].id) {
        n++;
    }
    return n;
}

/* The part of the text that the tokens are made of, or NULL where they come from none. The space
 * before a word is left out, tokens of spaces are not. */
static const char *source_of(ViewContext *c, int32_t first, int32_t last)
{
    const TraceToken *tokens = trace_tokens(c->session->trace);
    size_t n;
    const char *source = trace_source(c->session->trace, &n);
    for (int32_t i = first; i <= last; i++) {
        if (tokens[i].start < 0 || (i > first && tokens[i].start < tokens[i - 1].start)) {
            return NULL;
        }
    }
    /* Ranges are of whole characters: a piece of one must not be told as all of it. */
    int32_t n_tokens = trace_info(c->session->trace)->n_queries;
    if ((first > 0 && tokens[first - 1].end > tokens[first].start) ||
        (last + 1 < n_tokens && tokens[last + 1].start >= 0 &&
         tokens[last + 1].start < tokens[last].end)) {
        return NULL;
    }
    int64_t at = tokens[first].start;
    int64_t end = tokens[last].end;
    if (!source || at >= end || end > (int64_t)n || end - at > 120) {
        return NULL;
    }
    at += source[at] == ' ' && tokens[first].end > at + 1;
    for (int64_t i = at; i < end; i++) {
        if ((unsigned char)source[i] < ' ') {
            return NULL; /* line breaks are shown as signs */
        }
    }
    return draw_format(c->ui->list, "%.*s", (int)(end - at), source + at);
}

/* "an individual or" from the tokens [first, last]. */
static const char *phrase(ViewContext *c, int32_t first, int32_t last)
{
    const char *text = source_of(c, first, last);
    if (text) {
        return text;
    }
    char out[256];
    size_t n = 0;
    const TraceToken *tokens = trace_tokens(c->session->trace);
    for (int32_t i = first; i <= last; i++) {
        char label[TOKEN_LABEL_MAX];
        session_label(c->session, i, label);
        const char *own = tokens[i].text ? tokens[i].text : "";
        bool blank = *own && own[strspn(own, " ")] == 0;
        bool piece = strstr(own, "\xEF\xBF\xBD");
        bool space = !blank && i > first && (*own == ' ' || piece);
        int m = snprintf(out + n, sizeof out - n, "%s%s", space ? " " : "", blank ? own : label);
        if (m < 0 || n + (size_t)m >= sizeof out) {
            break;
        }
        n += (size_t)m;
    }
    out[n] = 0;
    return draw_format(c->ui->list, "%s", out);
}

static const char *share(ViewContext *c, float weight)
{
    double percent = 100 * (double)weight;
    if (percent > 0 && percent < 0.1) {
        return "less than 0.1 %";
    }
    bool fine = percent < 10 || (percent >= 99 && percent < 99.95);
    return draw_format(c->ui->list, fine ? "%.1f %%" : "%.0f %%", percent);
}

static const char *where(ViewContext *c, const Reading *r)
{
    int32_t back = r->query - r->key;
    if (trace_is_cross(c->session->trace)) {
        return draw_format(c->ui->list, "“%s”, token %d of the source", key_label_of(c, r->key),
                           r->key);
    }
    if (back == 0) {
        return "itself";
    }
    const char *name = label_of(c, r->key);
    if (back == 1) {
        return draw_format(c->ui->list, "the token just before it, “%s”", name);
    }
    if (back == -1) {
        return draw_format(c->ui->list, "the token just after it, “%s”", name);
    }
    if (r->key == 0) {
        return draw_format(c->ui->list, "the first token, “%s”", name);
    }
    return draw_format(c->ui->list, "“%s”, %d tokens %s", name, back > 0 ? back : -back,
                       back > 0 ? "back" : "ahead");
}

/* What about the tokens themselves may explain the look; "" when nothing stands out. */
static const char *why(ViewContext *c, const Reading *r)
{
    const Trace *trace = c->session->trace;
    const TraceToken *t = trace_tokens(trace);
    if (trace_is_cross(trace)) {
        return t[r->query].id == trace_key_tokens(trace, NULL)[r->key].id
                   ? " Both are the same token."
                   : "";
    }
    int32_t n = repeated_before(trace, r->query, r->key);
    if (n > 0 && r->key > 0 && r->cell.weight > 0.02f) {
        int32_t first = r->key - n;
        const char *place = n == 1 ? draw_format(c->ui->list, "%d", first)
                                   : draw_format(c->ui->list, "%d–%d", first, r->key - 1);
        return draw_format(c->ui->list,
                           " “%s” also stands at %s, and “%s” came next: the head looks at what "
                           "followed last time.",
                           phrase(c, r->query - n + 1, r->query), place, label_of(c, r->key));
    }
    if (r->query != r->key && t[r->query].id == t[r->key].id) {
        return " Both are the same token.";
    }
    if (r->key == 0 && r->query > 0 && r->cell.weight > 0.3f) {
        return " Heads that find nothing to read often rest on the first token.";
    }
    return "";
}

static const char *place_in_row(ViewContext *c, const Reading *r)
{
    if (r->cell.rank == 0) {
        return "Nothing gets more.";
    }
    if (r->n_top && r->cell.rank == 1) {
        return draw_format(c->ui->list, "Only “%s” gets more.", key_label_of(c, r->top[0].key));
    }
    return draw_format(c->ui->list, "%d others get more, most of all “%s” with %s.", r->cell.rank,
                       r->n_top ? key_label_of(c, r->top[0].key) : "?",
                       share(c, r->n_top ? r->top[0].weight : 0));
}

static const char *masked_words(ViewContext *c, const Reading *r)
{
    const TraceLayer *layer = trace_layer(c->session->trace, r->layer);
    const char *name = label_of(c, r->query);
    const char *key = key_label_of(c, r->key);
    if (layer && layer->causal && r->key > r->query) {
        return draw_format(c->ui->list,
                           "“%s” comes after “%s”. A decoder reads from left to right, so this "
                           "weight does not exist: the mask makes its score −∞.",
                           key, name);
    }
    return draw_format(c->ui->list,
                       "“%s” lies outside what “%s” may see in this layer: the mask makes its "
                       "score −∞.",
                       key, name);
}

const char *words_about(ViewContext *c, const Reading *r)
{
    if (!r->cell.visible) {
        return masked_words(c, r);
    }
    DrawList *list = c->ui->list;
    const char *name = label_of(c, r->query);
    switch (c->session->options.level) {
    case LEVEL_SIMPLE:
        return draw_format(list, "Out of all it looks at, “%s” gives %s to %s. %s", name,
                           share(c, r->cell.weight), where(c, r), place_in_row(c, r));
    case LEVEL_ENGINEER: {
        double bits = (double)r->cell.row.entropy / log(2.0);
        double most = log2((double)AS_MAX(r->cell.visible_keys, 1));
        return draw_format(list,
                           "w = exp(%.6f − %.6f). Row entropy %.2f of at most %.2f bits, mean "
                           "distance %.1f tokens, largest weight %.6f at key %d. Column mass "
                           "%.3f from %d queries. The row sums to %.6f.",
                           (double)r->cell.score, (double)r->cell.lse, bits, most,
                           (double)r->cell.row.distance, (double)r->cell.row.max_weight,
                           r->cell.row.max_key, r->received, r->n_readers, r->row_sum);
    }
    default:
        return draw_format(list, "“%s” puts %s of its attention on %s. %s%s", name,
                           share(c, r->cell.weight), where(c, r), place_in_row(c, r), why(c, r));
    }
}
