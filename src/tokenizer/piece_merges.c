/*
 * What vocabularies of SentencePiece share, in GGUF and in files of their own: BPE's merges from
 * scores, and the way back to text.
 */
#include "tokenizer/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct ScoredId {
    float score;
    uint32_t id;
} ScoredId;

static int compare_scores(const void *a, const void *b)
{
    const ScoredId *x = a;
    const ScoredId *y = b;
    return x->score != y->score ? (x->score > y->score ? -1 : 1)
                                : (x->id < y->id ? -1 : x->id > y->id);
}

/**
 * SentencePiece joins the neighbours whose joined piece has the best score. That is BPE whose
 * merges are all ways to cut a piece in two pieces, ranked by the piece's score (equal scores,
 * equal rank).
 */
static size_t put_merges(Tokenizer *t, const bool *takes, const ScoredId *sorted, size_t n,
                         bool counts_only)
{
    uint32_t rank = 0;
    size_t n_merges = 0;
    for (size_t i = 0; i < n; i++) {
        rank += i > 0 && sorted[i].score != sorted[i - 1].score;
        const char *name = t->vocab.names[sorted[i].id];
        size_t length = t->vocab.lengths[sorted[i].id];
        for (size_t cut = 1; cut < length; cut++) {
            if (((uint8_t)name[cut] & 0xC0) == 0x80) {
                continue;
            }
            int32_t left = vocab_find(&t->vocab, name, cut);
            int32_t right = left < 0 ? -1 : vocab_find(&t->vocab, name + cut, length - cut);
            if (right < 0 || !takes[left] || !takes[right]) {
                continue;
            }
            n_merges++;
            if (!counts_only) {
                merges_put(&t->merges, left, right, rank, (int32_t)sorted[i].id);
            }
        }
    }
    return n_merges;
}

bool piece_merges_build(Tokenizer *t, const float *scores, const bool *takes, Error *err)
{
    enum { LONGEST_PIECE = 512 };
    const size_t n_ids = t->vocab.n_ids;
    ScoredId *sorted = mem_alloc_zeroed(n_ids + 1, sizeof *sorted, err);
    if (!sorted) {
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < n_ids; i++) {
        /* Cutting a piece everywhere costs the square of its length; SentencePiece's own are
         * short, and a longer one is only found where it is user-defined. */
        if (takes[i] && t->vocab.lengths[i] <= LONGEST_PIECE && !isnan(scores[i])) {
            sorted[n++] = (ScoredId){.score = scores[i], .id = (uint32_t)i};
        }
    }
    qsort(sorted, n, sizeof *sorted, compare_scores);
    bool ok = merges_create(&t->merges, &t->arena, put_merges(t, takes, sorted, n, true), err);
    if (ok) {
        put_merges(t, takes, sorted, n, false);
    }
    mem_free(sorted);
    return ok;
}

Component *piece_decoder_create(Tokenizer *t, bool strips, Error *err)
{
    Component *spaces = component_create(t, DECODERS, "Replace", 0, err);
    Component *bytes = component_create(t, DECODERS, "ByteFallback", 0, err);
    Component *fuse = component_create(t, DECODERS, "Fuse", 0, err);
    Component *strip = component_create(t, DECODERS, "Strip", 0, err);
    Component *decoder = component_create(t, DECODERS, "Sequence", strips + 3u, err);
    if (!spaces || !bytes || !fuse || !strip || !decoder) {
        return NULL;
    }
    spaces->regex = tokenizer_add_regex(t, "\xE2\x96\x81", true, err);
    if (!spaces->regex) {
        return NULL;
    }
    spaces->text = strip->text = " ";
    spaces->n_text = strip->n_text = 1;
    strip->decode.start = 1;
    decoder->children[0] = *spaces;
    decoder->children[1] = *bytes;
    decoder->children[2] = *fuse;
    if (strips) {
        decoder->children[3] = *strip;
    }
    return decoder;
}
