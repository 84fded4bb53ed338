#pragma once
/*
 * All pieces of a vocabulary that a text begins with, a byte at a time. Nodes are in the order of
 * their depth, so a node's children are neighbours and a step is a search in a few bytes.
 */
#include "tokenizer/vocab.h"

/** Zero is empty. Read-only once built; all memory is the arena's. */
typedef struct PieceTrie {
    uint8_t *labels;       /* [n_nodes] the byte that leads to a node */
    uint32_t *first_child; /* [n_nodes + 1] a node's children end where the next one's begin */
    int32_t *ids;          /* [n_nodes] of the piece that ends here; -1 = none */
    uint32_t n_nodes;
    int32_t roots[256]; /* node after the first byte; 0 = none */
} PieceTrie;

/** Every name of the vocabulary with the id that vocab_find gives it, but for those that `left_out`
 *  [n_ids] says (NULL = none). */
AS_MUST_CHECK bool piece_trie_build(PieceTrie *trie, const Vocab *vocab, const bool *left_out,
                                    Arena *arena, Error *err);
/** Id of the piece text[0..n), or -1. */
int32_t piece_trie_find(const PieceTrie *trie, const char *text, size_t n);
/** Length of the longest piece that text[0..n) begins with, and its id; 0 without one. */
size_t piece_trie_longest(const PieceTrie *trie, const char *text, size_t n, int32_t *id);
/** The node after `byte`, or 0. Begin with node 0, the root. */
static inline uint32_t piece_trie_step(const PieceTrie *trie, uint32_t node, char byte)
{
    if (node == 0) {
        return (uint32_t)trie->roots[(uint8_t)byte];
    }
    uint32_t first = trie->first_child[node];
    uint32_t n = trie->first_child[node + 1] - first;
    if (n == 0 || trie->labels[first] > (uint8_t)byte) {
        return 0;
    }
    /* Labels are sorted and differ, so a byte lies no further in than its distance to the first;
     * where many children are there, it lies just there. */
    uint32_t at = AS_MIN((uint32_t)(uint8_t)byte - trie->labels[first], n - 1);
    while (trie->labels[first + at] > (uint8_t)byte) {
        at--;
    }
    return trie->labels[first + at] == (uint8_t)byte ? first + at : 0;
}
