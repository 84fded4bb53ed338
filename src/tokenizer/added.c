#include "tokenizer/engine.h"

#include "base/str.h"
#include "tokenizer/unicode.h"

#include <stdlib.h>
#include <string.h>

/* ---- the trie ---- */

static int32_t trie_step(const Trie *trie, int32_t node, char byte)
{
    if (node == 0) {
        return trie->roots[(uint8_t)byte];
    }
    int32_t child = trie->nodes[node].first_child;
    while (child && trie->nodes[child].byte != byte) {
        child = trie->nodes[child].next;
    }
    return child;
}

/** n_bytes bounds how many nodes all strings need. */
static bool trie_create(Trie *trie, Arena *arena, size_t n_bytes, Error *err)
{
    if (n_bytes >= INT32_MAX) {
        return error_set(err, ERR_RANGE, "the added tokens have %zu bytes, too many", n_bytes);
    }
    *trie = (Trie){.n_nodes = 1};
    trie->nodes = ARENA_ARRAY(arena, TrieNode, n_bytes + 1, err);
    return trie->nodes != NULL;
}

static void trie_put(Trie *trie, const char *text, size_t n, int32_t token)
{
    int32_t node = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t child = trie_step(trie, node, text[i]);
        if (!child) {
            child = trie->n_nodes++;
            trie->nodes[child] = (TrieNode){.token = -1, .byte = text[i]};
            if (node) {
                trie->nodes[child].next = trie->nodes[node].first_child;
                trie->nodes[node].first_child = child;
            } else {
                trie->roots[(uint8_t)text[i]] = child;
            }
        }
        node = child;
    }
    if (node && trie->nodes[node].token < 0) {
        trie->nodes[node].token = token;
    }
}

/** Token of the longest string at text[0..n), or -1. */
static int32_t trie_find(const Trie *trie, const char *text, size_t n, size_t *length)
{
    int32_t found = -1;
    int32_t node = 0;
    for (size_t i = 0; i < n; i++) {
        node = trie_step(trie, node, text[i]);
        if (!node) {
            break;
        }
        if (trie->nodes[node].token >= 0) {
            found = trie->nodes[node].token;
            *length = i + 1;
        }
    }
    return found;
}

/* ---- cutting ---- */

/** Code point that ends at text[n), 0 at the start. */
static uint32_t character_before(const char *text, size_t n, size_t *length)
{
    size_t at = n;
    uint32_t c = 0;
    *length = 0;
    while (at > 0 && n - at < 4) {
        at--;
        if (((uint8_t)text[at] & 0xC0) != 0x80) {
            *length = utf8_decode(text + at, n - at, &c);
            return c;
        }
    }
    return c;
}

static bool is_inside_word(const char *text, size_t begin, size_t end, size_t n)
{
    size_t length;
    uint32_t after = 0;
    bool joins_before = begin > 0 && unicode_is_word(character_before(text, begin, &length));
    bool joins_after = utf8_decode(text + end, n - end, &after) && unicode_is_word(after);
    return joins_before || joins_after;
}

static size_t skip_spaces_back(const char *text, size_t at, size_t least)
{
    while (at > least) {
        size_t length;
        uint32_t c = character_before(text, at, &length);
        if (length == 0 || length > at - least || !unicode_is_space(c)) {
            break;
        }
        at -= length;
    }
    return at;
}

static size_t skip_spaces(const char *text, size_t at, size_t n)
{
    while (at < n) {
        uint32_t c;
        size_t length = utf8_decode(text + at, n - at, &c);
        if (!unicode_is_space(c)) {
            break;
        }
        at += length;
    }
    return at;
}

bool added_split(Encoder *encoder, const Trie *trie, const Aligned *text, size_t begin, size_t end,
                 Error *err)
{
    const AddedTokens *added = &encoder->tokenizer->added;
    const char *s = text->text ? text->text + begin : "";
    size_t n = end - begin;
    uint32_t base = (uint32_t)begin;
    size_t covered = 0;
    for (size_t at = 0; at < n && trie->nodes;) {
        size_t length = 0;
        int32_t index = trie->roots[(uint8_t)s[at]] ? trie_find(trie, s + at, n - at, &length) : -1;
        if (index < 0) {
            at++;
            continue;
        }
        const AddedToken *token = &added->items[index];
        size_t first = at;
        size_t last = at + length;
        at = last;
        if (token->single_word && is_inside_word(s, first, last, n)) {
            continue;
        }
        if (token->lstrip) {
            first = skip_spaces_back(s, first, AS_MIN(covered, first));
        }
        first = AS_MAX(first, covered);
        if (token->rstrip) {
            last = skip_spaces(s, last, n);
        }
        if ((first > covered &&
             !encoder_emit(encoder, base + (uint32_t)covered, base + (uint32_t)first, -1, err)) ||
            !encoder_emit(encoder, base + (uint32_t)first, base + (uint32_t)AS_MAX(first, last),
                          token->id, err)) {
            return false;
        }
        covered = AS_MAX(last, covered);
    }
    return covered >= n ||
           encoder_emit(encoder, base + (uint32_t)covered, base + (uint32_t)n, -1, err);
}

/* ---- the list ---- */

static int compare_ids(const void *a, const void *b)
{
    const AddedToken *x = *(const AddedToken *const *)a;
    const AddedToken *y = *(const AddedToken *const *)b;
    return x->id != y->id ? (x->id < y->id ? -1 : 1) : (x < y ? -1 : x > y);
}

const AddedToken *added_find_id(const AddedTokens *added, int32_t id)
{
    size_t lo = 0;
    size_t hi = added->n;
    while (lo < hi) {
        size_t middle = (lo + hi) / 2;
        if (added->by_id[middle]->id < id) {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    return lo < added->n && added->by_id[lo]->id == id ? added->by_id[lo] : NULL;
}

const AddedToken *added_find_name(const AddedTokens *added, const char *name, size_t n)
{
    for (uint32_t i = 0; i < added->n; i++) {
        if (added->items[i].n == n && memcmp(added->items[i].content, name, n) == 0) {
            return &added->items[i];
        }
    }
    return NULL;
}

/** A token's content as the normalizer spells it. */
static bool normalize_content(Tokenizer *t, const AddedToken *token, Aligned *out, Error *err)
{
    Encoder encoder = {.tokenizer = t};
    aligned_clear(out);
    bool ok = aligned_add_original(out, token->content, 0, token->n, err) &&
              normalize_piece(t->normalizer, &encoder, out, err);
    encoder_free(&encoder);
    return ok;
}

bool added_finish(Tokenizer *t, Error *err)
{
    AddedTokens *a = &t->added;
    size_t n_raw = 0;
    size_t n_normalized = 0;
    Aligned *spelled = mem_alloc_zeroed(a->n + 1, sizeof *spelled, err);
    a->by_id = ARENA_ARRAY(&t->arena, const AddedToken *, a->n, err);
    bool ok = spelled && a->by_id;
    for (uint32_t i = 0; i < a->n && ok; i++) {
        AddedToken *token = &a->items[i];
        a->by_id[i] = token;
        token->spelled = token->content;
        if (token->normalized) {
            ok = normalize_content(t, token, &spelled[i], err) &&
                 (token->spelled = arena_strndup(&t->arena, spelled[i].n ? spelled[i].text : "",
                                                 spelled[i].n, err));
            n_normalized += spelled[i].n;
        } else {
            n_raw += token->n;
        }
    }
    ok = ok && (n_raw == 0 || trie_create(&a->raw, &t->arena, n_raw, err)) &&
         (n_normalized == 0 || trie_create(&a->normalized, &t->arena, n_normalized, err));
    /* Special ones first: where two tokens read the same, they win in the library. */
    for (int pass = 0; pass < 2 && ok; pass++) {
        for (uint32_t i = 0; i < a->n; i++) {
            const AddedToken *token = &a->items[i];
            if (token->special != (pass == 0)) {
                continue;
            }
            if (token->normalized && spelled[i].n) {
                trie_put(&a->normalized, spelled[i].text, spelled[i].n, (int32_t)i);
            } else if (!token->normalized) {
                trie_put(&a->raw, token->content, token->n, (int32_t)i);
            }
        }
    }
    if (ok && a->n) {
        qsort((void *)a->by_id, a->n, sizeof *a->by_id, compare_ids);
    }
    for (uint32_t i = 0; i < a->n && spelled; i++) {
        aligned_free(&spelled[i]);
    }
    mem_free(spelled);
    return ok;
}
