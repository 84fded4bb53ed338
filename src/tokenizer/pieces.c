/*
 * What SentencePiece does to a text besides its models: how it is prepared, whole words, and what
 * Marian puts around it.
 * Source: Kudo & Richardson 2018 (arXiv:1808.06226); github.com/google/sentencepiece
 * src/normalizer.cc.
 */
#include "tokenizer/engine.h"

#include "base/str.h"

#include <string.h>

static const char MARK[] = "\xE2\x96\x81"; /* stands for a space */
enum { MARK_BYTES = 3 };

/* ---- preparing a text ---- */

typedef struct Preparation {
    const Component *c;
    const PieceTrie *user;
    const Aligned *in;
    Aligned *out;
    size_t at;        /* next byte of in */
    size_t group;     /* where in out the bytes of the source before `at` begin */
    size_t n_before;  /* bytes of out that are the space before the text */
    bool after_space; /* spaces that follow are left out */
} Preparation;

/** What the text goes on with: in->text[at, at + n_in) becomes text[0, n). */
typedef struct Step {
    const char *text;
    size_t n;
    size_t n_in;
} Step;

static Step next_step(const Preparation *p)
{
    const char *text = p->in->text + p->at;
    const size_t n = p->in->n - p->at;
    Step step = {.text = text};
    int32_t id;
    step.n = step.n_in = piece_trie_longest(p->user, text, n, &id);
    if (step.n == 0) {
        step.text = charsmap_find_longest(p->c->charsmap, text, n, &step.n_in, &step.n);
    }
    if (!step.text) {
        uint32_t c;
        step.text = text;
        step.n = step.n_in = utf8_decode(text, n, &c);
    }
    return step;
}

/** Where in the original byte `at` of the text begins. */
static uint32_t source_of(const Aligned *in, size_t at)
{
    return at < in->n ? in->spans[at].start : in->n ? in->spans[in->n - 1].end : 0;
}

static bool add_space(Preparation *p, Error *err)
{
    const uint32_t at = source_of(p->in, p->at);
    return aligned_add(p->out, p->c->pieces.escapes ? MARK : " ",
                       p->c->pieces.escapes ? MARK_BYTES : 1, (ByteSpan){at, at}, err);
}

static void stretch(Aligned *out, size_t begin, uint32_t end)
{
    for (size_t i = begin; i < out->n; i++) {
        out->spans[i].end = end;
    }
}

/** Adds what a stretch of the text becomes; where that is nothing, the stretch belongs to what came
 *  before it. */
static bool add_step(Preparation *p, Step step, Error *err)
{
    const ByteSpan span = {source_of(p->in, p->at), source_of(p->in, p->at + step.n_in)};
    Aligned *out = p->out;
    while (p->after_space && step.n && step.text[0] == ' ') {
        step.text++;
        step.n--;
    }
    if (step.n == 0) {
        stretch(out, p->group, span.end);
        return true;
    }
    p->group = out->n;
    for (size_t i = 0; i < step.n; i++) {
        const bool marks = step.text[i] == ' ' && p->c->pieces.escapes;
        if (!aligned_add(out, marks ? MARK : step.text + i, marks ? MARK_BYTES : 1, span, err)) {
            return false;
        }
    }
    if (p->n_before && p->group == p->n_before && out->spans[0].start == span.start) {
        p->group = 0; /* the space before the text shares its first character */
        stretch(out, 0, span.end);
    }
    p->after_space = step.text[step.n - 1] == ' ';
    return true;
}

static void trim_end(Preparation *p)
{
    const char *space = p->c->pieces.escapes ? MARK : " ";
    const size_t n = strlen(space);
    Aligned *out = p->out;
    while (out->n >= n && memcmp(out->text + out->n - n, space, n) == 0) {
        out->n -= n;
    }
}

static bool prepare(const Component *c, Encoder *e, const Aligned *in, Aligned *out, Error *err)
{
    Preparation p = {
        .c = c, .user = &e->tokenizer->user, .in = in, .out = out, .after_space = c->pieces.trims};
    aligned_clear(out);
    while (c->pieces.trims && p.at < in->n) {
        const Step step = next_step(&p);
        if (step.n != 1 || step.text[0] != ' ') {
            break;
        }
        p.at += step.n_in;
    }
    if (p.at >= in->n) {
        return true;
    }
    const bool adds = c->pieces.prepend == PREPEND_ALWAYS ||
                      (c->pieces.prepend == PREPEND_FIRST && in->spans[0].start == 0);
    if (adds && !c->pieces.appends && !add_space(&p, err)) {
        return false;
    }
    p.n_before = out->n;
    while (p.at < in->n) {
        const Step step = next_step(&p);
        if (!add_step(&p, step, err)) {
            return false;
        }
        p.at += step.n_in;
        p.after_space = p.after_space && c->pieces.trims;
    }
    if (c->pieces.trims) {
        /* The end is where the first space of those that go was. */
        const size_t n = out->n;
        trim_end(&p);
        for (; out->n < n && p.at > 0 && source_of(in, p.at - 1) >= out->spans[out->n].start;) {
            p.at--;
        }
    }
    return !adds || !c->pieces.appends || add_space(&p, err);
}

const ComponentKind PIECE_NORMALIZERS[] = {{.name = "SentencePiece", .normalize = prepare}, {0}};

/* ---- whole words ---- */

/** Every mark begins a word, or ends one where spaces are suffixes. Unknown neighbours are one. */
static bool tokenize_words(const Tokenizer *t, Encoder *e, const char *text, size_t n,
                           WordTokens *out, Error *err)
{
    (void)e;
    const bool ends = t->normalizer->pieces.appends;
    const size_t n_before = out->n;
    for (size_t at = 0; at < n;) {
        const size_t skip = at + !ends < n ? at + !ends : n;
        const char *mark = memmem(text + skip, n - skip, MARK, MARK_BYTES);
        const size_t end = mark ? (size_t)(mark - text) + (ends ? MARK_BYTES : 0) : n;
        WordToken token = {vocab_find(&t->vocab, text + at, end - at), (uint32_t)at, (uint32_t)end};
        token.id = token.id < 0 ? t->settings.unk_id : token.id;
        const bool joins = token.id == t->settings.unk_id && out->n > n_before &&
                           out->items[out->n - 1].id == token.id;
        if (joins) {
            out->items[out->n - 1].end = token.end;
        } else if (!ARRAY_PUSH(out, token, err)) {
            return false;
        }
        at = end;
    }
    return true;
}

const ModelKind PIECE_WORDS = {.name = "words of SentencePiece", .tokenize = tokenize_words};

/* ---- Marian ---- */

size_t piece_code_length(const char *text, size_t n)
{
    const char *end = n > 2 && memcmp(text, ">>", 2) == 0 ? memmem(text, n, "<<", 2) : NULL;
    return end ? (size_t)(end - text) + 2 : 0;
}

int32_t piece_own_id(const Tokenizer *t, int32_t id, const char *spelled, size_t n)
{
    if (id == t->settings.unk_id) {
        id = vocab_find(&t->vocab, spelled, n);
    }
    return id >= 0 && (uint32_t)id < t->settings.n_own ? id : t->settings.unk_id;
}
