#include "tokenizer/engine.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

/*
 * Byte pair encoding: a word's characters are joined pair by pair, the pair of the lowest rank
 * first and among equals the leftmost, until no pair is left that the merges know.
 * Source: Sennrich, Haddow & Birch 2016 (arXiv:1508.07909). A heap of candidates over a linked list
 * makes it O(n log n); a candidate whose symbols changed meanwhile is dropped when it comes up.
 */

bool merges_create(Merges *merges, Arena *arena, size_t n, Error *err)
{
    size_t n_slots = 16;
    while (n_slots / 2 < n) {
        n_slots *= 2;
    }
    merges->slots = ARENA_ARRAY(arena, Merge, n_slots, err);
    if (!merges->slots) {
        return false;
    }
    merges->mask = n_slots - 1;
    for (size_t i = 0; i < n_slots; i++) {
        merges->slots[i].pair = UINT64_MAX;
    }
    return true;
}

static Merge *merge_slot(const Merges *merges, uint64_t pair)
{
    uint64_t h = pair * 0x9E3779B97F4A7C15u;
    uint64_t slot = (h ^ h >> 29) & merges->mask;
    while (merges->slots[slot].pair != UINT64_MAX && merges->slots[slot].pair != pair) {
        slot = (slot + 1) & merges->mask;
    }
    return &merges->slots[slot];
}

static uint64_t pair_of(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

void merges_put(Merges *merges, int32_t left, int32_t right, uint32_t rank, int32_t id)
{
    uint64_t pair = pair_of(left, right);
    *merge_slot(merges, pair) = (Merge){.pair = pair, .rank = rank, .id = id};
}

const Merge *merges_find(const Merges *merges, int32_t left, int32_t right)
{
    if (!merges->slots) {
        return NULL;
    }
    const Merge *found = merge_slot(merges, pair_of(left, right));
    return found->pair == UINT64_MAX ? NULL : found;
}

/* ---- the heap ---- */

static bool goes_first(BpeCandidate a, BpeCandidate b)
{
    return a.rank != b.rank ? a.rank < b.rank : a.left < b.left;
}

static bool heap_push(BpeScratch *s, BpeCandidate candidate, Error *err)
{
    if (!ARRAY_PUSH(&s->heap, candidate, err)) {
        return false;
    }
    size_t at = s->heap.n - 1;
    while (at > 0 && goes_first(candidate, s->heap.items[(at - 1) / 2])) {
        s->heap.items[at] = s->heap.items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    s->heap.items[at] = candidate;
    return true;
}

static BpeCandidate heap_pop(BpeScratch *s)
{
    BpeCandidate first = s->heap.items[0];
    BpeCandidate last = s->heap.items[--s->heap.n];
    size_t at = 0;
    for (size_t child = 1; child < s->heap.n; child = 2 * at + 1) {
        if (child + 1 < s->heap.n && goes_first(s->heap.items[child + 1], s->heap.items[child])) {
            child++;
        }
        if (!goes_first(s->heap.items[child], last)) {
            break;
        }
        s->heap.items[at] = s->heap.items[child];
        at = child;
    }
    if (s->heap.n) {
        s->heap.items[at] = last;
    }
    return first;
}

/* ---- a word ---- */

static bool add_symbol(BpeScratch *s, int32_t id, uint32_t begin, uint32_t end, Error *err)
{
    int32_t index = (int32_t)s->symbols.n;
    BpeSymbol symbol = {
        .id = id, .previous = index - 1, .next = index + 1, .begin = begin, .end = end};
    return ARRAY_PUSH(&s->symbols, symbol, err);
}

/** A character with the affixes that its place in the word asks for. */
static int32_t find_character(const Tokenizer *t, const char *c, size_t n, bool is_first,
                              bool is_last)
{
    const char *prefix = is_first ? "" : t->settings.prefix;
    const char *suffix = is_last ? t->settings.suffix : "";
    size_t n_prefix = strlen(prefix);
    size_t n_suffix = strlen(suffix);
    if (n_prefix + n_suffix == 0) {
        return vocab_find(&t->vocab, c, n);
    }
    char spelled[4 + 2 * BPE_LONGEST_AFFIX];
    memcpy(spelled, prefix, n_prefix);
    memcpy(spelled + n_prefix, c, n);
    memcpy(spelled + n_prefix + n, suffix, n_suffix);
    return vocab_find(&t->vocab, spelled, n_prefix + n + n_suffix);
}

static bool has_bytes(const Tokenizer *t, const char *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (t->settings.byte_ids[(uint8_t)c[i]] < 0) {
            return false;
        }
    }
    return t->settings.byte_fallback;
}

/** The word's characters as symbols: known ones, bytes of unknown ones, or the unknown token. */
static bool spell_word(const Tokenizer *t, BpeScratch *s, const char *word, size_t n, Error *err)
{
    bool after_unknown = false;
    s->symbols.n = 0;
    for (size_t at = 0; at < n;) {
        uint32_t c;
        int32_t user_id = -1;
        size_t step = piece_trie_longest(&t->user, word + at, n - at, &user_id);
        if (user_id >= 0) {
            if (!add_symbol(s, user_id, (uint32_t)at, (uint32_t)(at + step), err)) {
                return false;
            }
            s->symbols.items[s->symbols.n - 1].is_frozen = true;
            after_unknown = false;
            at += step;
            continue;
        }
        step = utf8_decode(word + at, n - at, &c);
        uint32_t begin = (uint32_t)at;
        uint32_t end = (uint32_t)(at + step);
        int32_t id = find_character(t, word + at, step, at == 0, at + step == n);
        bool ok = true;
        if (id >= 0) {
            ok = add_symbol(s, id, begin, end, err);
            after_unknown = false;
        } else if (has_bytes(t, word + at, step)) {
            for (uint32_t i = 0; i < step && ok; i++) {
                id = t->settings.byte_ids[(uint8_t)word[at + i]];
                ok = add_symbol(s, id, begin + i, begin + i + 1, err);
            }
            after_unknown = false;
        } else if (t->settings.unk_id >= 0) {
            if (after_unknown && t->settings.fuse_unk) {
                s->symbols.items[s->symbols.n - 1].end = end;
            } else {
                ok = add_symbol(s, t->settings.unk_id, begin, end, err);
            }
            after_unknown = true;
        }
        /* Without any of these the library drops the character, and so do we. */
        if (!ok) {
            return false;
        }
        at += step;
    }
    if (s->symbols.n) {
        s->symbols.items[s->symbols.n - 1].next = -1;
    }
    return true;
}

static bool propose(const Tokenizer *t, BpeScratch *s, int32_t left, Error *err)
{
    int32_t right = left >= 0 ? s->symbols.items[left].next : -1;
    if (right < 0) {
        return true;
    }
    const BpeSymbol *a = &s->symbols.items[left];
    const BpeSymbol *b = &s->symbols.items[right];
    const Merge *merge =
        a->is_frozen || b->is_frozen ? NULL : merges_find(&t->merges, a->id, b->id);
    if (merge && t->unused && t->unused[merge->id]) {
        s->cuts[merge->id] = a->end - a->begin;
    }
    return !merge ||
           heap_push(s, (BpeCandidate){.rank = merge->rank, .left = left, .id = merge->id}, err);
}

static bool join_symbols(const Tokenizer *t, BpeScratch *s, Error *err)
{
    s->heap.n = 0;
    for (size_t i = 0; i + 1 < s->symbols.n; i++) {
        if (!propose(t, s, (int32_t)i, err)) {
            return false;
        }
    }
    while (s->heap.n) {
        BpeCandidate c = heap_pop(s);
        BpeSymbol *left = &s->symbols.items[c.left];
        if (left->id < 0 || left->next < 0) {
            continue;
        }
        BpeSymbol *right = &s->symbols.items[left->next];
        const Merge *merge = merges_find(&t->merges, left->id, right->id);
        if (!merge || merge->id != c.id) {
            continue;
        }
        left->id = c.id;
        left->end = right->end;
        right->id = -1;
        left->next = right->next;
        if (left->next >= 0) {
            s->symbols.items[left->next].previous = c.left;
        }
        if (!propose(t, s, left->previous, err) || !propose(t, s, c.left, err)) {
            return false;
        }
    }
    return true;
}

/** A symbol as a token; an unused one as the two it was joined from, each the same way. */
static bool add_token(const Tokenizer *t, const BpeScratch *s, const char *word, WordToken token,
                      WordTokens *out, Error *err)
{
    const uint32_t cut = t->unused && t->unused[token.id] ? s->cuts[token.id] : 0;
    if (!cut || cut >= token.end - token.begin) {
        return ARRAY_PUSH(out, token, err);
    }
    WordToken left = {.begin = token.begin, .end = token.begin + cut};
    WordToken right = {.begin = token.begin + cut, .end = token.end};
    left.id = vocab_find(&t->vocab, word + left.begin, cut);
    right.id = vocab_find(&t->vocab, word + right.begin, right.end - right.begin);
    AS_ASSERT(left.id >= 0 && right.id >= 0);
    return add_token(t, s, word, left, out, err) && add_token(t, s, word, right, out, err);
}

bool bpe_tokenize(const Tokenizer *t, Encoder *e, const char *word, size_t n, WordTokens *out,
                  Error *err)
{
    if (n > INT32_MAX) {
        return error_set(err, ERR_RANGE, "a word of %zu bytes is too long", n);
    }
    if (t->settings.ignore_merges) {
        int32_t id = vocab_find(&t->vocab, word, n);
        if (id >= 0) {
            WordToken token = {.id = id, .begin = 0, .end = (uint32_t)n};
            return ARRAY_PUSH(out, token, err);
        }
    }
    BpeScratch *s = &e->bpe;
    if (t->unused && !s->cuts) {
        s->cuts = mem_alloc_zeroed(t->vocab.n_ids, sizeof *s->cuts, err);
        if (!s->cuts) {
            return false;
        }
    }
    if (!spell_word(t, s, word, n, err) || !join_symbols(t, s, err)) {
        return false;
    }
    for (size_t i = 0; i < s->symbols.n; i++) {
        BpeSymbol symbol = s->symbols.items[i];
        WordToken token = {.id = symbol.id, .begin = symbol.begin, .end = symbol.end};
        if (symbol.id >= 0 && !add_token(t, s, word, token, out, err)) {
            return false;
        }
    }
    return true;
}

void bpe_scratch_free(BpeScratch *scratch)
{
    ARRAY_FREE(&scratch->symbols);
    ARRAY_FREE(&scratch->heap);
    mem_free(scratch->cuts);
}

/* ---- reading ---- */

bool bpe_add_merge(Tokenizer *t, const char *name, TextView left, TextView right, uint32_t rank,
                   Error *err)
{
    int32_t a = vocab_find(&t->vocab, left.text, left.n);
    int32_t b = vocab_find(&t->vocab, right.text, right.n);
    size_t n_prefix = strlen(t->settings.prefix);
    size_t skip = n_prefix && right.n >= n_prefix ? n_prefix : 0;
    StrBuf whole = {0};
    bool ok = strbuf_add(&whole, left.text, left.n, err) &&
              strbuf_add(&whole, right.text + skip, right.n - skip, err);
    int32_t id = ok ? vocab_find(&t->vocab, strbuf_text(&whole), whole.n) : -1;
    strbuf_free(&whole);
    if (ok && (a < 0 || b < 0 || id < 0)) {
        return error_set(err, ERR_FORMAT,
                         "%s: merge %u joins \"%.*s\" and \"%.*s\", but the vocabulary lacks %s",
                         name, rank, clip_text(left.text, left.n), left.text,
                         clip_text(right.text, right.n), right.text,
                         a < 0   ? "the first"
                         : b < 0 ? "the second"
                                 : "the result");
    }
    if (ok) {
        merges_put(&t->merges, a, b, rank, id);
    }
    return ok;
}

void bpe_finish(Tokenizer *t)
{
    for (int i = 0; i < 256; i++) {
        char name[8];
        int n = snprintf(name, sizeof name, "<0x%02X>", (unsigned)i);
        t->settings.byte_ids[i] = vocab_find(&t->vocab, name, (size_t)n);
    }
}

static bool read_merges(Reader *reader, const cJSON *list, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    uint32_t rank = 0;
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next, rank++) {
        TextView left = {0};
        TextView right = {0};
        if (cJSON_IsString(item)) {
            const char *space = strchr(item->valuestring, ' ');
            if (space) {
                left = (TextView){item->valuestring, (size_t)(space - item->valuestring)};
                right = (TextView){space + 1, strlen(space + 1)};
            }
        } else if (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 2 &&
                   cJSON_IsString(item->child) && cJSON_IsString(item->child->next)) {
            left.text = item->child->valuestring;
            left.n = strlen(left.text);
            right.text = item->child->next->valuestring;
            right.n = strlen(right.text);
        }
        if (!left.text) {
            return error_set(err, ERR_FORMAT,
                             "%s: merge %u is neither \"left right\" nor [\"left\", \"right\"]",
                             reader->name, rank);
        }
        if (!bpe_add_merge(t, reader->name, left, right, rank, err)) {
            return false;
        }
    }
    return true;
}

static bool read_affix(Reader *reader, const cJSON *json, const char *key, const char **out,
                       Error *err)
{
    const char *text = json_get_string(json, key, "");
    if (strlen(text) > BPE_LONGEST_AFFIX) {
        return error_set(err, ERR_FORMAT, "%s: %s is longer than %d bytes", reader->name, key,
                         BPE_LONGEST_AFFIX);
    }
    *out = arena_strdup(&reader->tokenizer->arena, text, err);
    return *out != NULL;
}

bool bpe_read(Reader *reader, const cJSON *json, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    const cJSON *list = json_get(json, "merges");
    if (!cJSON_IsArray(list)) {
        return error_set(err, ERR_FORMAT, "%s: the BPE model has no list \"merges\"", reader->name);
    }
    if (!read_affix(reader, json, "continuing_subword_prefix", &t->settings.prefix, err) ||
        !read_affix(reader, json, "end_of_word_suffix", &t->settings.suffix, err) ||
        !model_read_vocab(reader, json, err) ||
        !merges_create(&t->merges, &t->arena, (size_t)cJSON_GetArraySize(list), err) ||
        !read_merges(reader, list, err)) {
        return false;
    }
    t->settings.fuse_unk = json_get_bool(json, "fuse_unk", false);
    t->settings.byte_fallback = json_get_bool(json, "byte_fallback", false);
    t->settings.ignore_merges = json_get_bool(json, "ignore_merges", false);
    const double dropout = json_get_number(json, "dropout", 0);
    if (dropout > 0) {
        log_write(
            reader->log, LOG_WARNING,
            "%s: its BPE leaves out merges by chance (dropout %g), which is for training: all "
            "are kept here",
            reader->name, dropout);
    }
    model_read_unk(reader, json, NULL);
    bpe_finish(t);
    return true;
}
