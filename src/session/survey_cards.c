#include "session/survey_cards.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

/* Of each query's weight the links show at least this much, strongest first. */
static const double MASS = 0.8;
/* A link between words that is worth showing before all else. */
static const float LINK_LIMIT = 0.2f;

/* ---- links between words ---- */

static bool is_word(const TraceToken *token)
{
    const char *s = token->text ? token->text : "";
    if (token->special || *s == '#') {
        return false;
    }
    for (; *s; s++) {
        if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (unsigned char)*s >= 0xC3) {
            return true;
        }
    }
    return false;
}

/* The same word, whatever its case and whether a space is part of it. */
static bool same_word(const TraceToken *a, const TraceToken *b)
{
    const char *x = a->text ? a->text : "";
    const char *y = b->text ? b->text : "";
    return strcasecmp(x + (*x == ' '), y + (*y == ' ')) == 0;
}

static bool is_repeat(const TraceToken *tokens, int32_t i, int32_t j)
{
    return same_word(&tokens[i], &tokens[j]) || (j > 0 && same_word(&tokens[i], &tokens[j - 1]));
}

/* Later tokens have more to choose from: a strong look there says more. */
static float lateness(int32_t i, int32_t n)
{
    return 0.5f + 0.5f * (float)i / (float)n;
}

/* A word that is read from afar says more than one just before. */
static float farness(int32_t i, int32_t j)
{
    return fminf(1, (float)(abs(i - j) - 1) / 4);
}

static float content_worth(const SurveyHead *head, int32_t n)
{
    return head->query < 0
               ? 0
               : head->weight * lateness(head->query, n) * farness(head->query, head->key);
}

void survey_find_content(const Trace *trace, const TraceRows *rows, SurveyHead *out)
{
    int32_t n = trace_info(trace)->n_queries;
    const TraceToken *tokens = trace_tokens(trace);
    float best = 0;
    out->query = -1;
    out->key = -1;
    for (int32_t i = 0; i < n && !trace_is_cross(trace); i++) {
        int32_t j = rows->max_key[i];
        float worth = rows->max_weight[i] * lateness(i, n) * farness(i, j);
        if (j > 0 && abs(i - j) > 1 && worth > best && !is_repeat(tokens, i, j) &&
            is_word(&tokens[i]) && is_word(&tokens[j])) {
            best = worth;
            out->query = i;
            out->key = j;
            out->weight = rows->max_weight[i];
        }
    }
}

/* ---- the link that shows a pattern ---- */

static bool belongs(const Trace *trace, const SurveyCard *card, int32_t i, int32_t j)
{
    return card->reason < PATTERN_COUNT && j >= 0 &&
           pattern_has_cell(trace, (Pattern)card->reason, i, j);
}

static void find_telling(const Trace *trace, SurveyCard *card)
{
    const TraceInfo *info = trace_info(trace);
    TraceRows rows;
    float best = -1;
    card->query = info->n_queries - 1;
    card->key = 0;
    if (!trace_rows(trace, card->layer, card->head, &rows)) {
        return;
    }
    for (int32_t i = 0; i < info->n_queries; i++) {
        int32_t j = rows.max_key[i];
        float bonus = belongs(trace, card, i, j) ? 2 : 0;
        float worth = j < 0 ? -1 : bonus + rows.max_weight[i] * lateness(i, info->n_queries);
        if (worth > best) {
            best = worth;
            card->query = i;
            card->key = j;
            card->weight = rows.max_weight[i];
        }
    }
}

/* ---- the part of the text that is shown ---- */

static void add_slots(SurveyCard *card, int32_t first, int32_t end)
{
    for (int32_t i = first; i < end && card->n_slots < SURVEY_SLOTS; i++) {
        if (card->n_slots == 0 || card->slots[card->n_slots - 1] < i) {
            card->slots[card->n_slots++] = i;
        }
    }
}

/* All of a short text; else the tokens around the two ends of the link, in one piece or two. */
static void choose_slots(int32_t n, SurveyCard *card)
{
    int32_t a = AS_MIN(card->query, card->key);
    int32_t b = AS_MAX(card->query, card->key);
    if (n <= SURVEY_SLOTS) {
        add_slots(card, 0, n);
    } else if (b - a < SURVEY_SLOTS - 2) {
        int32_t first = AS_CLAMP(b + 2 - SURVEY_SLOTS, 0, AS_MAX(a - 1, 0));
        first = AS_MIN(first, n - SURVEY_SLOTS);
        add_slots(card, first, first + SURVEY_SLOTS);
    } else {
        int32_t half = SURVEY_SLOTS / 2;
        int32_t left = AS_MAX(a - half / 2, 0);
        int32_t right = AS_MIN(AS_MAX(b - half / 2, left + half), n - half);
        add_slots(card, left, left + half);
        add_slots(card, right, right + half);
    }
}

static int slot_of(const SurveyCard *card, int32_t token)
{
    for (int i = 0; i < card->n_slots; i++) {
        if (card->slots[i] == token) {
            return i;
        }
    }
    return -1;
}

typedef struct Entry {
    float weight;
    int32_t key;
} Entry;

static int by_weight(const void *a, const void *b)
{
    const Entry *x = a;
    const Entry *y = b;
    return x->weight != y->weight ? (x->weight < y->weight) - (x->weight > y->weight)
                                  : (x->key > y->key) - (x->key < y->key);
}

static int links_by_weight(const void *a, const void *b)
{
    const SurveyLink *x = a;
    const SurveyLink *y = b;
    return (x->weight < y->weight) - (x->weight > y->weight);
}

/* The links of one query until MASS of its weight is reached; of these, those to tokens shown. */
static double add_links(const Trace *trace, SurveyCard *card, int slot, Entry *entries, int32_t m)
{
    int32_t query = card->slots[slot];
    double reached = 0;
    double shown = 0;
    qsort(entries, (size_t)m, sizeof *entries, by_weight);
    for (int32_t k = 0; k < m && reached < MASS && entries[k].weight > 0; k++) {
        int to = slot_of(card, entries[k].key);
        reached += (double)entries[k].weight;
        if (to < 0 || card->n_links == SURVEY_LINKS) {
            continue;
        }
        bool one = card->reason == SURVEY_LINK;
        card->links[card->n_links++] = (SurveyLink){
            .query = (int16_t)slot,
            .key = (int16_t)to,
            .weight = entries[k].weight,
            .strong =
                one ? entries[k].key == card->key
                    : card->reason == PATTERN_GLOBAL || belongs(trace, card, query, entries[k].key),
        };
        shown += (double)entries[k].weight;
    }
    return shown;
}

/* Is it one of the queries whose links the card shows? Of repeats only those that have them. */
static bool is_asked(const Trace *trace, const SurveyCard *card, int slot)
{
    int32_t query = card->slots[slot];
    if (card->reason == SURVEY_LINK || card->reason == PATTERN_GLOBAL) {
        return query == card->query;
    }
    bool repeats = card->reason == PATTERN_INDUCTION || card->reason == PATTERN_DUPLICATE;
    for (int to = 0; repeats && to < card->n_slots; to++) {
        if (belongs(trace, card, query, card->slots[to])) {
            return true;
        }
    }
    return !repeats;
}

static bool fill_links(const Trace *trace, SurveyCard *card, Error *err)
{
    int32_t m = trace_info(trace)->n_keys;
    float *row = mem_alloc((size_t)m * sizeof *row, err);
    Entry *entries = mem_alloc((size_t)m * sizeof *entries, err);
    bool ok = row && entries;
    double mass = 0;
    for (int slot = 0; ok && slot < card->n_slots; slot++) {
        if (!is_asked(trace, card, slot)) {
            continue;
        }
        ok = trace_row_profile(trace, card->layer, card->head, card->slots[slot], row, err);
        for (int32_t j = 0; ok && j < m; j++) {
            entries[j] = (Entry){row[j], j};
        }
        if (ok) {
            mass += add_links(trace, card, slot, entries, m);
            card->n_queries++;
        }
    }
    card->mass = card->n_queries ? (float)(mass / card->n_queries) : 0;
    qsort(card->links, (size_t)card->n_links, sizeof *card->links, links_by_weight);
    mem_free(row);
    mem_free(entries);
    return ok;
}

/* ---- which heads ---- */

static float worth_of(const SurveyHead *head, int reason, int32_t n)
{
    switch (reason) {
    case SURVEY_LINK:
        return content_worth(head, n);
    default:
        return head->scores.known[reason] ? head->scores.score[reason] : 0;
    }
}

static float limit_of(int reason)
{
    return reason == SURVEY_LINK ? LINK_LIMIT : pattern_limit((Pattern)reason);
}

static bool is_taken(const SurveyCard *cards, int n, int32_t layer, int32_t head)
{
    for (int i = 0; i < n; i++) {
        if (cards[i].layer == layer && cards[i].head == head) {
            return true;
        }
    }
    return false;
}

/* The best head for a reason, if it has more than `least` and is not shown already. */
static bool take_best(const Trace *trace, const SurveyHead *heads, int32_t n_layers, int reason,
                      float least, SurveyCard *cards, int *n_cards)
{
    const TraceInfo *info = trace_info(trace);
    const SurveyHead *best = NULL;
    SurveyCard card = {.reason = reason};
    float most = least;
    for (int32_t layer = 0; layer < n_layers; layer++) {
        for (int32_t head = 0; head < info->n_heads; head++) {
            const SurveyHead *h = &heads[layer * info->n_heads + head];
            float worth = worth_of(h, reason, info->n_queries);
            if (worth > most && !is_taken(cards, *n_cards, layer, head)) {
                most = worth;
                best = h;
                card.layer = layer;
                card.head = head;
            }
        }
    }
    if (!best) {
        return false;
    }
    if (reason == SURVEY_LINK) {
        card.query = best->query;
        card.key = best->key;
        card.weight = best->weight;
        card.score = best->weight;
    } else {
        find_telling(trace, &card);
        card.score = worth_of(best, reason, info->n_queries);
    }
    cards[(*n_cards)++] = card;
    return true;
}

/* Between two texts: the heads with the strongest single links to what is no special token, one
 * link each, which stands for itself. */
static void choose_cross(const Trace *trace, int32_t n_layers, SurveyCard *cards, int *n_cards)
{
    const TraceInfo *info = trace_info(trace);
    const TraceToken *queries = trace_tokens(trace);
    const TraceToken *keys = trace_key_tokens(trace, NULL);
    while (*n_cards < SURVEY_CARDS) {
        SurveyCard best = {.reason = SURVEY_LINK, .layer = -1};
        for (int32_t at = 0; at < n_layers * info->n_heads; at++) {
            TraceRows rows;
            int32_t layer = at / info->n_heads;
            int32_t head = at % info->n_heads;
            if (is_taken(cards, *n_cards, layer, head) || !trace_rows(trace, layer, head, &rows)) {
                continue;
            }
            for (int32_t i = 0; i < info->n_queries; i++) {
                int32_t j = rows.max_key[i];
                if (j >= 0 && rows.max_weight[i] > best.weight && !queries[i].special &&
                    !keys[j].special) {
                    best.layer = layer;
                    best.head = head;
                    best.query = i;
                    best.key = j;
                    best.weight = best.score = best.mass = rows.max_weight[i];
                    best.n_queries = 1;
                }
            }
        }
        if (best.layer < 0) {
            return;
        }
        cards[(*n_cards)++] = best;
    }
}

bool survey_choose_cards(const Trace *trace, const SurveyHead *heads, int32_t n_layers,
                         SurveyCard *cards, int *n_cards, Error *err)
{
    /* In this order: what is found in few heads says more. */
    static const int reasons[] = {
        SURVEY_LINK,  PATTERN_PREVIOUS, PATTERN_INDUCTION, PATTERN_DUPLICATE, PATTERN_NEXT,
        PATTERN_SELF, PATTERN_LOCAL,    PATTERN_GLOBAL,    PATTERN_SEPARATOR, PATTERN_LONG,
        PATTERN_SINK, PATTERN_PREVIOUS, PATTERN_SELF,      PATTERN_GLOBAL,    PATTERN_SINK};
    const TraceInfo *info = trace_info(trace);
    int n = (int)AS_COUNT(reasons);
    *n_cards = 0;
    /* Where too few heads pass a limit (a short text, one layer) the nearest ones stand in. */
    for (int i = 0; i < 2 * n && *n_cards < SURVEY_CARDS && !trace_is_cross(trace); i++) {
        int reason = reasons[i % n];
        take_best(trace, heads, n_layers, reason, i < n ? limit_of(reason) : 0, cards, n_cards);
    }
    if (trace_is_cross(trace)) {
        choose_cross(trace, n_layers, cards, n_cards);
        return true;
    }
    for (int i = 0; i < *n_cards; i++) {
        choose_slots(info->n_queries, &cards[i]);
        if (!fill_links(trace, &cards[i], err)) {
            return false;
        }
    }
    return true;
}
