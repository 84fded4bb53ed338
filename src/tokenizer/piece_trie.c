#include "tokenizer/piece_trie.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 1 << 25 }; /* vocabularies of 250,000 pieces have some 2 million */

typedef struct SortedName {
    const char *text;
    uint32_t n;
    int32_t id;
} SortedName;

static int compare_names(const void *a, const void *b)
{
    const SortedName *x = a;
    const SortedName *y = b;
    int order = memcmp(x->text, y->text, AS_MIN(x->n, y->n));
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

/** The different names, sorted; empty ones are found nowhere and left out. */
static SortedName *sort_names(const Vocab *vocab, const bool *left_out, size_t *n_out, Error *err)
{
    SortedName *names = mem_alloc_zeroed((size_t)vocab->n_ids + 1, sizeof *names, err);
    size_t n = 0;
    for (uint32_t i = 0; i < vocab->n_ids && names; i++) {
        if (vocab->names[i] && vocab->lengths[i] && !(left_out && left_out[i]) &&
            vocab_find(vocab, vocab->names[i], vocab->lengths[i]) == (int32_t)i) {
            names[n++] = (SortedName){vocab->names[i], vocab->lengths[i], (int32_t)i};
        }
    }
    if (names && n) {
        qsort(names, n, sizeof *names, compare_names);
    }
    *n_out = n;
    return names;
}

/** One node for each byte by which a name goes on from the name before it. */
static size_t count_nodes(const SortedName *names, size_t n)
{
    size_t total = 1;
    for (size_t i = 0; i < n; i++) {
        size_t shared = 0;
        while (i && shared < names[i].n && shared < names[i - 1].n &&
               names[i].text[shared] == names[i - 1].text[shared]) {
            shared++;
        }
        total += names[i].n - shared;
    }
    return total;
}

/** The names that go through a node. */
typedef struct NameRange {
    uint32_t first;
    uint32_t end;
    uint32_t depth;
} NameRange;

/** Nodes level by level: ranges is the queue, one entry a node. */
static void fill(PieceTrie *trie, const SortedName *names, size_t n, NameRange *ranges)
{
    uint32_t n_nodes = 1;
    ranges[0] = (NameRange){0, (uint32_t)n, 0};
    for (uint32_t node = 0; node < n_nodes; node++) {
        NameRange range = ranges[node];
        trie->ids[node] = -1;
        trie->first_child[node] = n_nodes;
        if (range.first < range.end && names[range.first].n == range.depth) {
            trie->ids[node] = names[range.first++].id;
        }
        while (range.first < range.end) {
            char label = names[range.first].text[range.depth];
            uint32_t end = range.first;
            while (end < range.end && names[end].text[range.depth] == label) {
                end++;
            }
            if (node == 0) {
                trie->roots[(uint8_t)label] = (int32_t)n_nodes;
            }
            trie->labels[n_nodes] = (uint8_t)label;
            ranges[n_nodes++] = (NameRange){range.first, end, range.depth + 1};
            range.first = end;
        }
    }
    trie->first_child[n_nodes] = n_nodes;
}

bool piece_trie_build(PieceTrie *trie, const Vocab *vocab, const bool *left_out, Arena *arena,
                      Error *err)
{
    size_t n;
    *trie = (PieceTrie){0};
    SortedName *names = sort_names(vocab, left_out, &n, err);
    if (!names) {
        return false;
    }
    size_t n_nodes = count_nodes(names, n);
    bool ok = n_nodes <= MOST_NODES || error_set(err, ERR_RANGE,
                                                 "the vocabulary's pieces are too "
                                                 "long together");
    NameRange *ranges = ok ? mem_alloc_zeroed(n_nodes, sizeof *ranges, err) : NULL;
    if (ranges) {
        trie->n_nodes = (uint32_t)n_nodes;
        trie->labels = ARENA_ARRAY(arena, uint8_t, n_nodes, err);
        trie->first_child = trie->labels ? ARENA_ARRAY(arena, uint32_t, n_nodes + 1, err) : NULL;
        trie->ids = trie->first_child ? ARENA_ARRAY(arena, int32_t, n_nodes, err) : NULL;
    }
    if (trie->ids) {
        fill(trie, names, n, ranges);
    }
    mem_free(ranges);
    mem_free(names);
    return trie->ids != NULL;
}

int32_t piece_trie_find(const PieceTrie *trie, const char *text, size_t n)
{
    uint32_t node = 0;
    for (size_t i = 0; i < n; i++) {
        node = piece_trie_step(trie, node, text[i]);
        if (!node) {
            return -1;
        }
    }
    return n ? trie->ids[node] : -1;
}

size_t piece_trie_longest(const PieceTrie *trie, const char *text, size_t n, int32_t *id)
{
    size_t longest = 0;
    uint32_t node = 0;
    for (size_t i = 0; i < n && (node = piece_trie_step(trie, node, text[i])); i++) {
        if (trie->ids[node] >= 0) {
            longest = i + 1;
            *id = trie->ids[node];
        }
    }
    return longest;
}
