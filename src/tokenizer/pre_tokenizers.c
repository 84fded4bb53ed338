#include "tokenizer/engine.h"
#include "tokenizer/unicode.h"

#include "base/str.h"

#include <string.h>

/* GPT-2's words. Source: github.com/openai/gpt-2 src/encoder.py. */
static const char GPT2_WORDS[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

#define RUST_WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}"

/* ---- splitting ---- */

/** Groups matches into pieces of the working text that starts at `base`. */
static bool emit_matches(Encoder *e, uint32_t base, SplitBehavior behavior, Error *err)
{
    Matches *groups = &e->groups;
    groups->n = 0;
    bool after_match = false;
    size_t n = e->matches.n;
    bool backwards = behavior == SPLIT_MERGED_WITH_NEXT;
    for (size_t k = 0; k < n; k++) {
        Match m = e->matches.items[backwards ? n - 1 - k : k];
        Match *last = groups->n ? &groups->items[groups->n - 1] : NULL;
        bool joins = behavior == SPLIT_CONTIGUOUS ? last && last->is_match == m.is_match
                     : behavior == SPLIT_MERGED_WITH_PREVIOUS || backwards
                         ? last && m.is_match && !after_match
                         : false;
        after_match = m.is_match;
        if (joins && backwards) {
            last->begin = m.begin;
        } else if (joins) {
            last->end = m.end;
        } else if (!(behavior == SPLIT_REMOVED && m.is_match) && !ARRAY_PUSH(groups, m, err)) {
            return false;
        }
    }
    for (size_t k = 0; k < groups->n; k++) {
        Match m = groups->items[backwards ? groups->n - 1 - k : k];
        if (!encoder_emit(e, base + m.begin, base + m.end, -1, err)) {
            return false;
        }
    }
    return true;
}

typedef bool (*CharacterTest)(const Component *c, uint32_t code_point);

static bool find_characters(const Component *c, Encoder *e, Piece piece, CharacterTest test,
                            Error *err)
{
    const char *text = e->text.text + piece.begin;
    uint32_t n = piece.end - piece.begin;
    uint32_t covered = 0;
    e->matches.n = 0;
    for (uint32_t at = 0; at < n;) {
        uint32_t u;
        uint32_t end = at + (uint32_t)utf8_decode(text + at, n - at, &u);
        if (test(c, u)) {
            Match between = {.begin = covered, .end = at};
            Match match = {.begin = at, .end = end, .is_match = true};
            if ((at > covered && !ARRAY_PUSH(&e->matches, between, err)) ||
                !ARRAY_PUSH(&e->matches, match, err)) {
                return false;
            }
            covered = end;
        }
        at = end;
    }
    Match rest = {.begin = covered, .end = n};
    return covered == n || ARRAY_PUSH(&e->matches, rest, err);
}

/** Takes the emitted pieces as the new ones. */
static void take_pieces(Encoder *e)
{
    void *items = e->pieces.items;
    size_t capacity = e->pieces.capacity;
    e->pieces.items = e->next_pieces.items;
    e->pieces.n = e->next_pieces.n;
    e->pieces.capacity = e->next_pieces.capacity;
    e->next_pieces.items = items;
    e->next_pieces.n = 0;
    e->next_pieces.capacity = capacity;
}

/** Takes the rewritten text, whose pieces were emitted, as the new one. */
static void take_text(Encoder *e)
{
    Aligned old = e->text;
    e->text = e->next;
    e->next = old;
    aligned_clear(&e->next);
    take_pieces(e);
}

/** Splits every piece of text by characters or, without a test, by the component's regex. */
static bool split_pieces(const Component *c, Encoder *e, CharacterTest test, SplitBehavior behavior,
                         bool invert, Error *err)
{
    for (size_t i = 0; i < e->pieces.n; i++) {
        Piece piece = e->pieces.items[i];
        if (piece.id >= 0) {
            if (!encoder_emit(e, piece.begin, piece.end, piece.id, err)) {
                return false;
            }
            continue;
        }
        bool ok = test ? find_characters(c, e, piece, test, err)
                       : encoder_find_all(e, c->regex, e->text.text + piece.begin,
                                          piece.end - piece.begin, err);
        for (size_t k = 0; k < e->matches.n && ok && invert; k++) {
            e->matches.items[k].is_match = !e->matches.items[k].is_match;
        }
        if (!ok || !emit_matches(e, piece.begin, behavior, err)) {
            return false;
        }
    }
    take_pieces(e);
    return true;
}

/** Copies a piece to the next text with `prefix` before it, which stands where it starts. */
static bool copy_piece(Encoder *e, Piece piece, const char *prefix, size_t n_prefix, Error *err)
{
    uint32_t begin = (uint32_t)e->next.n;
    return (piece.begin == piece.end ||
            aligned_add(&e->next, prefix, n_prefix, e->text.spans[piece.begin], err)) &&
           aligned_copy(&e->next, &e->text, piece.begin, piece.end, err) &&
           encoder_emit(e, begin, (uint32_t)e->next.n, piece.id, err);
}

static bool piece_starts_with(const Encoder *e, Piece piece, const char *text, size_t n)
{
    return piece.end - piece.begin >= n && memcmp(e->text.text + piece.begin, text, n) == 0;
}

/* ---- kinds ---- */

static bool test_space(const Component *c, uint32_t u)
{
    (void)c;
    return unicode_is_space(u);
}

static bool test_punctuation(const Component *c, uint32_t u)
{
    (void)c;
    return unicode_is_punctuation(u);
}

static bool test_numeric(const Component *c, uint32_t u)
{
    (void)c;
    return unicode_is_numeric(u);
}

static bool test_delimiter(const Component *c, uint32_t u)
{
    return u == c->split.delimiter;
}

static bool split_bert(const Component *c, Encoder *e, Error *err)
{
    return split_pieces(c, e, test_space, SPLIT_REMOVED, false, err) &&
           split_pieces(c, e, test_punctuation, SPLIT_ISOLATED, false, err);
}

static bool read_byte_level(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    c->byte_level.add_prefix_space = json_get_bool(json, "add_prefix_space", true);
    c->byte_level.use_regex = json_get_bool(json, "use_regex", true);
    if (c->byte_level.use_regex) {
        c->regex = tokenizer_add_regex(reader->tokenizer, GPT2_WORDS, false, err);
    }
    return c->regex || !c->byte_level.use_regex;
}

/** Every byte of the text becomes a character; a character's bytes stand for all of it. */
static bool spell_bytes(Encoder *e, Error *err)
{
    for (size_t i = 0; i < e->pieces.n; i++) {
        Piece piece = e->pieces.items[i];
        uint32_t begin = (uint32_t)e->next.n;
        bool ok = piece.id < 0 || aligned_copy(&e->next, &e->text, piece.begin, piece.end, err);
        for (uint32_t at = piece.begin; at < piece.end && ok && piece.id < 0; at++) {
            ok = aligned_add_code_point(&e->next, byte_level_char((uint8_t)e->text.text[at]),
                                        e->text.spans[at], err);
        }
        if (!ok || !encoder_emit(e, begin, (uint32_t)e->next.n, piece.id, err)) {
            return false;
        }
    }
    take_text(e);
    return true;
}

static bool split_byte_level(const Component *c, Encoder *e, Error *err)
{
    if (c->byte_level.add_prefix_space) {
        for (size_t i = 0; i < e->pieces.n; i++) {
            Piece piece = e->pieces.items[i];
            bool adds = piece.id < 0 && !piece_starts_with(e, piece, " ", 1);
            if (!copy_piece(e, piece, " ", adds, err)) {
                return false;
            }
        }
        take_text(e);
    }
    if (c->byte_level.use_regex && !split_pieces(c, e, NULL, SPLIT_ISOLATED, false, err)) {
        return false;
    }
    return spell_bytes(e, err);
}

static bool read_digits(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    (void)reader;
    (void)err;
    c->split.individual = json_get_bool(json, "individual_digits", false);
    return true;
}

static bool split_digits(const Component *c, Encoder *e, Error *err)
{
    return split_pieces(c, e, test_numeric, c->split.individual ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS,
                        false, err);
}

static bool read_behavior(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    static const char *const names[] = {
        [SPLIT_ISOLATED] = "Isolated",
        [SPLIT_REMOVED] = "Removed",
        [SPLIT_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
        [SPLIT_MERGED_WITH_NEXT] = "MergedWithNext",
        [SPLIT_CONTIGUOUS] = "Contiguous",
    };
    const char *found = json_get_string(json, "behavior", "Isolated");
    for (size_t i = 0; i < AS_COUNT(names); i++) {
        if (strcmp(found, names[i]) == 0) {
            c->split.behavior = (SplitBehavior)i;
            return true;
        }
    }
    return error_set(err, ERR_UNSUPPORTED,
                     "%s: %s has the behavior \"%.*s\"; known are Isolated, Removed, "
                     "MergedWithPrevious, MergedWithNext, Contiguous",
                     reader->name, c->kind->name, CLIPPED(found));
}

static bool split_punctuation(const Component *c, Encoder *e, Error *err)
{
    return split_pieces(c, e, test_punctuation, c->split.behavior, false, err);
}

static bool read_split(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    c->split.invert = json_get_bool(json, "invert", false);
    return read_behavior(reader, json, c, err) && component_read_pattern(reader, json, c, err);
}

static bool split_regex(const Component *c, Encoder *e, Error *err)
{
    return split_pieces(c, e, NULL, c->split.behavior, c->split.invert, err);
}

static bool read_whitespace(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    (void)json;
    c->split.behavior = SPLIT_REMOVED;
    c->split.invert = true;
    /* The library runs this one by another engine, whose words have joiners and no fractions. */
    c->regex =
        tokenizer_add_regex(reader->tokenizer, "[" RUST_WORD "]+|[^\\s" RUST_WORD "]+", false, err);
    return c->regex != NULL;
}

static bool split_whitespace(const Component *c, Encoder *e, Error *err)
{
    return split_pieces(c, e, test_space, SPLIT_REMOVED, false, err);
}

static bool read_delimiter(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    if (!component_read_text(reader, json, "delimiter", NULL, c, err)) {
        return false;
    }
    if (c->n_text == 0 || utf8_decode(c->text, c->n_text, &c->split.delimiter) != c->n_text) {
        return error_set(err, ERR_FORMAT,
                         "%s: CharDelimiterSplit needs a delimiter of one character", reader->name);
    }
    return true;
}

static bool split_delimiter(const Component *c, Encoder *e, Error *err)
{
    return split_pieces(c, e, test_delimiter, SPLIT_REMOVED, false, err);
}

static bool read_metaspace(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    /* Older files say add_prefix_space instead of prepend_scheme. */
    bool adds = json_get_bool(json, "add_prefix_space", true);
    const char *scheme = json_get_string(json, "prepend_scheme", adds ? "always" : "never");
    c->metaspace.prepend = strcmp(scheme, "never") == 0   ? PREPEND_NEVER
                           : strcmp(scheme, "first") == 0 ? PREPEND_FIRST
                                                          : PREPEND_ALWAYS;
    c->metaspace.split = json_get_bool(json, "split", true);
    if (!component_read_text(reader, json, "replacement", "\xE2\x96\x81", c, err)) {
        return false;
    }
    c->regex = tokenizer_add_regex(reader->tokenizer, c->text, true, err);
    return c->regex != NULL;
}

static bool split_metaspace(const Component *c, Encoder *e, Error *err)
{
    for (size_t i = 0; i < e->pieces.n; i++) {
        Piece piece = e->pieces.items[i];
        if (piece.id >= 0 || piece.begin == piece.end) {
            if (!copy_piece(e, piece, "", 0, err)) {
                return false;
            }
            continue;
        }
        uint32_t begin = (uint32_t)e->next.n;
        ByteSpan first = e->text.spans[piece.begin];
        bool is_marked =
            e->text.text[piece.begin] == ' ' || piece_starts_with(e, piece, c->text, c->n_text);
        bool adds = !is_marked && (c->metaspace.prepend == PREPEND_ALWAYS ||
                                   (c->metaspace.prepend == PREPEND_FIRST && first.start == 0));
        bool ok = !adds || aligned_add(&e->next, c->text, c->n_text, first, err);
        for (uint32_t at = piece.begin; at < piece.end && ok; at++) {
            ok = e->text.text[at] == ' '
                     ? aligned_add(&e->next, c->text, c->n_text, e->text.spans[at], err)
                     : aligned_copy(&e->next, &e->text, at, at + 1, err);
        }
        if (!ok || !encoder_emit(e, begin, (uint32_t)e->next.n, -1, err)) {
            return false;
        }
    }
    take_text(e);
    return !c->metaspace.split || split_pieces(c, e, NULL, SPLIT_MERGED_WITH_NEXT, false, err);
}

static bool read_fixed(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    int64_t length;
    if (!json_get_int(json, "length", 1, INT32_MAX, 5, &length, reader->name, err)) {
        return false;
    }
    c->fixed.length = (uint32_t)length;
    return true;
}

/** Every so many characters. */
static bool split_fixed(const Component *c, Encoder *e, Error *err)
{
    for (size_t i = 0; i < e->pieces.n; i++) {
        const Piece piece = e->pieces.items[i];
        uint32_t begin = piece.begin;
        uint32_t n = 0;
        for (uint32_t at = begin; piece.id < 0 && at < piece.end;) {
            uint32_t u;
            at += (uint32_t)utf8_decode(e->text.text + at, piece.end - at, &u);
            if (++n % c->fixed.length == 0) {
                if (!encoder_emit(e, begin, at, -1, err)) {
                    return false;
                }
                begin = at;
            }
        }
        if (!encoder_emit(e, begin, piece.end, piece.id, err)) {
            return false;
        }
    }
    take_pieces(e);
    return true;
}

/** Where the script changes. What a piece begins with that fits to any script is left out, as the
 *  library does. */
static bool split_scripts(const Component *c, Encoder *e, Error *err)
{
    (void)c;
    for (size_t i = 0; i < e->pieces.n; i++) {
        const Piece piece = e->pieces.items[i];
        uint32_t begin = piece.id < 0 ? piece.end : piece.begin;
        uint32_t script = 0;
        for (uint32_t at = piece.begin; piece.id < 0 && at < piece.end;) {
            uint32_t u;
            const uint32_t here = at;
            at += (uint32_t)utf8_decode(e->text.text + at, piece.end - at, &u);
            const uint32_t own = unicode_script(u);
            if (own && own != script) {
                if (script && !encoder_emit(e, begin, here, -1, err)) {
                    return false;
                }
                begin = here;
                script = own;
            }
        }
        if (!encoder_emit(e, begin, piece.end, piece.id, err)) {
            return false;
        }
    }
    take_pieces(e);
    return true;
}

const ComponentKind PRE_TOKENIZERS[] = {
    {.name = "BertPreTokenizer", .split = split_bert},
    {.name = "ByteLevel", .read = read_byte_level, .split = split_byte_level},
    {.name = "CharDelimiterSplit", .read = read_delimiter, .split = split_delimiter},
    {.name = "Digits", .read = read_digits, .split = split_digits},
    {.name = "FixedLength", .read = read_fixed, .split = split_fixed},
    {.name = "Metaspace", .read = read_metaspace, .split = split_metaspace},
    {.name = "Punctuation", .read = read_behavior, .split = split_punctuation},
    {.name = "Sequence"},
    {.name = "Split", .read = read_split, .split = split_regex},
    {.name = "UnicodeScripts", .split = split_scripts},
    {.name = "Whitespace", .read = read_whitespace, .split = split_regex},
    {.name = "WhitespaceSplit", .split = split_whitespace},
    {0},
};

bool pre_tokenize(const Component *pre_tokenizer, Encoder *encoder, Error *err)
{
    if (!pre_tokenizer) {
        return true;
    }
    if (component_is_sequence(pre_tokenizer)) {
        for (uint32_t i = 0; i < pre_tokenizer->n_children; i++) {
            if (!pre_tokenize(&pre_tokenizer->children[i], encoder, err)) {
                return false;
            }
        }
        return true;
    }
    return pre_tokenizer->kind->split(pre_tokenizer, encoder, err);
}
