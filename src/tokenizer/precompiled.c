/*
 * The normalizer "Precompiled": SentencePiece's character rules as the tokenizers library applies
 * them. A cluster (what a reader takes for one character) of fewer than 6 bytes is looked up whole,
 * and where it begins with a string that has a rule, all of it becomes that; else each of its
 * characters is looked up. (SentencePiece itself takes the longest match at every place. Models in
 * tokenizer.json mean the library's way.)
 */
#include "tokenizer/engine.h"

#include "base/str.h"
#include "tokenizer/unicode.h"

enum { LONGEST_CLUSTER = 5 }; /* bytes that are looked up whole */

/** A rewrite whose last character waits: what is taken away behind a character counts for it. */
typedef struct Rules {
    const Charsmap *map;
    AlignedRewrite rewrite;
    uint32_t waiting;
    int32_t change;
    bool waits;
    bool modified;
} Rules;

static bool put(Rules *r, uint32_t code_point, int32_t change, Error *err)
{
    bool ok = !r->waits || aligned_rewrite(&r->rewrite, r->waiting, r->change, err);
    r->waiting = code_point;
    r->change = change;
    r->waits = true;
    return ok;
}

static int32_t count_characters(const char *text, size_t n)
{
    int32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += ((uint8_t)text[i] & 0xC0) != 0x80;
    }
    return count;
}

/** text[0..n) by its rule; *found says whether it has one. */
static bool replace(Rules *r, const char *text, size_t n, bool *found, Error *err)
{
    size_t n_new;
    const char *replacement = charsmap_find(r->map, text, n, &n_new);
    *found = replacement != NULL;
    if (!replacement) {
        return true;
    }
    r->modified = true;
    int32_t n_old = count_characters(text, n);
    int32_t more = count_characters(replacement, n_new) - n_old;
    for (size_t at = 0; at < n_new; n_old--) {
        uint32_t c;
        at += utf8_decode(replacement + at, n_new - at, &c);
        if (!put(r, c, n_old > 0 ? 0 : 1, err)) {
            return false;
        }
    }
    r->change += more < 0 && r->waits ? more : 0;
    return true;
}

static bool rewrite_cluster(Rules *r, const char *text, size_t n, Error *err)
{
    bool found = false;
    if (n <= LONGEST_CLUSTER && !replace(r, text, n, &found, err)) {
        return false;
    }
    for (size_t at = 0; at < n && !found;) {
        uint32_t c;
        bool has_rule;
        size_t length = utf8_decode(text + at, n - at, &c);
        if (!replace(r, text + at, length, &has_rule, err) || (!has_rule && !put(r, c, 0, err))) {
            return false;
        }
        at += length;
    }
    return true;
}

/** Where the cluster that starts at text[0] ends. */
static size_t cluster_length(const char *text, size_t n)
{
    bool is_plain = (uint8_t)text[0] < 0x80 && text[0] != '\r';
    if (n == 1 || (is_plain && (uint8_t)text[1] < 0x80)) {
        return 1;
    }
    uint32_t before;
    int32_t state = 0;
    size_t at = utf8_decode(text, n, &before);
    while (at < n) {
        uint32_t after;
        size_t length = utf8_decode(text + at, n - at, &after);
        if (unicode_ends_cluster(before, after, &state)) {
            break;
        }
        before = after;
        at += length;
    }
    return at;
}

bool precompiled_normalize(const Component *c, Encoder *e, const Aligned *in, Aligned *out,
                           Error *err)
{
    (void)e;
    Rules r = {.map = c->charsmap, .rewrite = {.in = in, .out = out}};
    for (size_t at = 0; at < in->n;) {
        size_t n = cluster_length(in->text + at, in->n - at);
        if (!rewrite_cluster(&r, in->text + at, n, err)) {
            return false;
        }
        at += n;
    }
    if (r.waits && !aligned_rewrite(&r.rewrite, r.waiting, r.change, err)) {
        return false;
    }
    if (!r.modified) {
        aligned_clear(out);
        return aligned_copy(out, in, 0, in->n, err);
    }
    return true;
}

bool precompiled_read(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    Charsmap *map = ARENA_NEW(&reader->tokenizer->arena, Charsmap, err);
    c->charsmap = map;
    return map && charsmap_read_base64(map, &reader->tokenizer->arena,
                                       json_get_string(json, "precompiled_charsmap", ""),
                                       reader->name, err);
}
