#include "tokenizer/charsmap.h"

#include "base/str.h"

#include <string.h>

/* A unit of the double array: label in bits 0 to 7 and 31, "a value follows" in bit 8, and the
 * offset of the children in bits 10 to 30, shifted by 8 where bit 9 is set. */
static size_t unit_offset(uint32_t unit)
{
    return (size_t)(unit >> 10) << ((unit & 1u << 9) >> 6);
}

static uint32_t read_u32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* NFKC makes at most 33 bytes of a character; more than this would only fill memory. */
enum { LONGEST_RULE = 1024 };

/** The longest of texts[0..n) that NUL ends. */
static size_t longest_text(const char *texts, size_t n)
{
    size_t longest = 0;
    for (size_t at = 0; at < n;) {
        size_t length = strnlen(texts + at, n - at);
        longest = AS_MAX(longest, length);
        at += length + 1;
    }
    return longest;
}

bool charsmap_read(Charsmap *map, Arena *arena, const uint8_t *bytes, size_t n, const char *name,
                   Error *err)
{
    *map = (Charsmap){0};
    if (n == 0) {
        return true;
    }
    size_t n_trie = n >= 4 ? read_u32(bytes) : 0;
    if (n < 4 || n_trie > n - 4 || n_trie % 4) {
        return error_set(err, ERR_FORMAT,
                         "%s: the table of character rules says %zu bytes of trie and has %zu",
                         name, n_trie, n >= 4 ? n - 4 : 0);
    }
    const char *texts = (const char *)bytes + 4 + n_trie;
    size_t n_texts = n - 4 - n_trie;
    if (utf8_count_invalid(texts, n_texts)) {
        return error_set(err, ERR_FORMAT, "%s: the texts of the character rules are not UTF-8",
                         name);
    }
    if (longest_text(texts, n_texts) > LONGEST_RULE) {
        return error_set(err, ERR_RANGE,
                         "%s: a character rule makes %zu bytes of a character; at most %d are made",
                         name, longest_text(texts, n_texts), LONGEST_RULE);
    }
    uint32_t *units = ARENA_ARRAY(arena, uint32_t, n_trie / 4, err);
    char *copy = units ? arena_strndup(arena, texts, n_texts, err) : NULL;
    if (!copy) {
        return false;
    }
    for (size_t i = 0; i < n_trie / 4; i++) {
        units[i] = read_u32(bytes + 4 + 4 * i);
    }
    *map = (Charsmap){.units = units, .n_units = n_trie / 4, .texts = copy, .n_texts = n_texts};
    return true;
}

static int base64_digit(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

bool charsmap_read_base64(Charsmap *map, Arena *arena, const char *text, const char *name,
                          Error *err)
{
    size_t n = strlen(text);
    size_t n_digits = n;
    while (n_digits && n - n_digits < 2 && text[n_digits - 1] == '=') {
        n_digits--;
    }
    uint8_t *bytes = mem_alloc(n / 4 * 3 + 3, err);
    if (!bytes) {
        return false;
    }
    size_t n_bytes = 0;
    uint32_t bits = 0;
    bool ok = n % 4 == 0;
    for (size_t i = 0; i < n_digits && ok; i++) {
        int digit = base64_digit(text[i]);
        ok = digit >= 0;
        bits = bits << 6 | (uint32_t)(digit & 63);
        if (i % 4) {
            bytes[n_bytes++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
        }
    }
    ok = ok ? charsmap_read(map, arena, bytes, n_bytes, name, err)
            : error_set(err, ERR_FORMAT, "%s: the table of character rules is not base64", name);
    mem_free(bytes);
    return ok;
}

/** The text at a position the trie names; NULL where there is none. */
static const char *text_at(const Charsmap *map, size_t at, size_t *n_out)
{
    if (at >= map->n_texts || ((uint8_t)map->texts[at] & 0xC0) == 0x80) {
        return NULL;
    }
    *n_out = strlen(map->texts + at);
    return map->texts + at;
}

/** A walk through the trie along a text. */
typedef struct Walk {
    size_t at;  /* unit whose children come next */
    size_t n;   /* bytes gone */
    bool alive; /* more bytes may follow */
} Walk;

static Walk begin_walk(const Charsmap *map)
{
    return (Walk){.at = map->n_units ? unit_offset(map->units[0]) : 0, .alive = map->n_units > 0};
}

/** Goes on to the next string with a rule; NULL where there is none. */
static const char *next_rule(const Charsmap *map, Walk *walk, const char *text, size_t n,
                             size_t *n_out)
{
    while (walk->alive && walk->n < n && text[walk->n]) {
        const uint8_t byte = (uint8_t)text[walk->n];
        const size_t at = walk->at ^ byte;
        const uint32_t unit = at < map->n_units ? map->units[at] : 0;
        if ((unit & (1u << 31 | 0xFF)) != byte) {
            break;
        }
        walk->at = at ^ unit_offset(unit);
        walk->n++;
        if (unit >> 8 & 1) {
            walk->alive = walk->at < map->n_units;
            const char *found =
                walk->alive ? text_at(map, map->units[walk->at] & (UINT32_MAX >> 1), n_out) : NULL;
            if (found) {
                return found;
            }
        }
    }
    walk->alive = false;
    return NULL;
}

const char *charsmap_find(const Charsmap *map, const char *text, size_t n, size_t *n_out)
{
    Walk walk = begin_walk(map);
    return next_rule(map, &walk, text, n, n_out);
}

const char *charsmap_find_longest(const Charsmap *map, const char *text, size_t n, size_t *n_in,
                                  size_t *n_out)
{
    Walk walk = begin_walk(map);
    const char *longest = NULL;
    size_t n_found = 0;
    for (const char *found; (found = next_rule(map, &walk, text, n, &n_found));) {
        /* A hostile trie's rule may end inside a character: what is left were no UTF-8. */
        if (walk.n == n || ((uint8_t)text[walk.n] & 0xC0) != 0x80) {
            longest = found;
            *n_in = walk.n;
            *n_out = n_found;
        }
    }
    return longest;
}
