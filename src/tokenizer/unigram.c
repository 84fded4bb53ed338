#include "tokenizer/engine.h"

#include "base/str.h"

#include <math.h>
#include <string.h>

/*
 * Unigram: of all ways to cut a word into pieces, the one whose scores (log probabilities) add up
 * to most; characters that no piece covers alone cost UNK_PENALTY more than the worst piece.
 * Source: Kudo 2018 (arXiv:1804.10959), the best path by Viterbi; ties go to the path whose last
 * piece begins first, as in the tokenizers library.
 */
static const double UNK_PENALTY = 10.0;

/* Every place of a text is compared with pieces up to the longest. SentencePiece's own have some
 * dozen characters; a file with longer ones than this was made to run for ever. */
enum { LONGEST_PIECE = 4096 };

bool unigram_finish(Reader *reader, double *scores, const bool *left_out, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    double least = INFINITY;
    for (uint32_t i = 0; i < t->vocab.n_ids; i++) {
        if (left_out && left_out[i]) {
            continue;
        }
        if (t->vocab.lengths[i] > LONGEST_PIECE) {
            return error_set(err, ERR_RANGE, "%s: piece %u has %u bytes; at most %d are read",
                             reader->name, i, t->vocab.lengths[i], LONGEST_PIECE);
        }
        if (!isfinite(scores[i])) {
            return error_set(err, ERR_FORMAT, "%s: the score of piece %u is not a finite number",
                             reader->name, i);
        }
        least = AS_MIN(least, scores[i]);
    }
    t->unigram.scores = scores;
    t->unigram.unk_score = least - UNK_PENALTY;
    bpe_finish(t);
    return piece_trie_build(&t->unigram.trie, &t->vocab, left_out, &t->arena, err);
}

/** A better way to come to `cell`, or the first one. SentencePiece adds up in single precision. */
static void improve(const Unigram *u, UnigramCell *cell, double score, uint32_t begin, int32_t id)
{
    score = u->rounds ? (double)(float)score : score;
    if (cell->begin == UNIGRAM_UNREACHED || score > cell->score) {
        *cell = (UnigramCell){.score = score, .begin = begin, .id = id};
    }
}

static bool missing_unknown(const char *word, size_t n, Error *err)
{
    return error_set(err, ERR_FORMAT,
                     "\"%.*s\" is not in the vocabulary, and it has no unknown token either",
                     clip_text(word, n), word);
}

/** cells[i] is the best way to cover word[0..i). */
static bool find_best(const Tokenizer *t, const char *word, size_t n, UnigramCell *cells,
                      Error *err)
{
    const PieceTrie *trie = &t->unigram.trie;
    cells[0] = (UnigramCell){0};
    for (size_t i = 1; i <= n; i++) {
        cells[i].begin = UNIGRAM_UNREACHED;
    }
    for (size_t at = 0; at < n;) {
        double so_far = cells[at].score;
        uint32_t c;
        size_t length = utf8_decode(word + at, n - at, &c);
        bool has_single = false;
        uint32_t node = 0;
        for (size_t end = at; end < n;) {
            node = piece_trie_step(trie, node, word[end++]);
            if (!node) {
                break;
            }
            int32_t id = trie->ids[node];
            if (id >= 0) {
                improve(&t->unigram, &cells[end], so_far + t->unigram.scores[id], (uint32_t)at, id);
                has_single |= end - at == length;
            }
        }
        if (!has_single) {
            UnigramCell *next = &cells[at + length];
            double score = so_far + t->unigram.unk_score;
            if (t->settings.unk_id < 0 &&
                (next->begin == UNIGRAM_UNREACHED || score > next->score)) {
                return missing_unknown(word + at, length, err);
            }
            improve(&t->unigram, next, score, (uint32_t)at, t->settings.unk_id);
        }
        at += length;
    }
    return true;
}

/** An unknown stretch: a piece after all, its bytes, or the unknown token. */
static bool add_unknown(const Tokenizer *t, const char *word, uint32_t begin, uint32_t end,
                        WordTokens *out, Error *err)
{
    WordToken token = {.id = piece_trie_find(&t->unigram.trie, word + begin, end - begin),
                       .begin = begin,
                       .end = end};
    bool has_bytes = token.id < 0 && t->settings.byte_fallback;
    for (uint32_t i = begin; i < end && has_bytes; i++) {
        has_bytes = t->settings.byte_ids[(uint8_t)word[i]] >= 0;
    }
    if (!has_bytes) {
        token.id = token.id < 0 ? t->settings.unk_id : token.id;
        return ARRAY_PUSH(out, token, err);
    }
    for (uint32_t i = begin; i < end; i++) {
        token.id = t->settings.byte_ids[(uint8_t)word[i]];
        if (!ARRAY_PUSH(out, token, err)) {
            return false;
        }
    }
    return true;
}

bool unigram_tokenize(const Tokenizer *t, Encoder *e, const char *word, size_t n, WordTokens *out,
                      Error *err)
{
    if (!ARRAY_RESERVE(&e->unigram, n + 1, err)) {
        return false;
    }
    UnigramCell *cells = e->unigram.items;
    if (!find_best(t, word, n, cells, err)) {
        return false;
    }
    /* The path is found from its end; each cell is told where its piece ends, so that it can be
     * gone from the start. Unknown neighbours become one. */
    uint32_t end = (uint32_t)n;
    uint32_t next_end = 0;
    for (uint32_t at = end; at > 0; at = end) {
        end = cells[at].begin;
        cells[at].end = next_end;
        next_end = at;
    }
    for (uint32_t at = next_end, begin = 0; at > 0;) {
        int32_t id = cells[at].id;
        bool is_unknown = id == t->settings.unk_id;
        while (is_unknown && cells[at].end && cells[cells[at].end].id == id) {
            at = cells[at].end;
        }
        WordToken token = {.id = id, .begin = begin, .end = at};
        if (!(is_unknown ? add_unknown(t, word, begin, at, out, err)
                         : ARRAY_PUSH(out, token, err))) {
            return false;
        }
        begin = at;
        at = cells[at].end;
    }
    return true;
}

static bool read_piece(Reader *reader, const cJSON *item, uint32_t id, double *score, Error *err)
{
    const cJSON *name = cJSON_IsArray(item) ? item->child : NULL;
    const cJSON *number = name ? name->next : NULL;
    if (!cJSON_IsString(name) || !cJSON_IsNumber(number) || number->next) {
        return error_set(err, ERR_FORMAT, "%s: piece %u is not [\"text\", score]", reader->name,
                         id);
    }
    *score = number->valuedouble;
    return true;
}

bool unigram_read(Reader *reader, const cJSON *json, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    const cJSON *list = json_get(json, "vocab");
    int64_t unk;
    size_t n = 0;
    size_t n_bytes = 0;
    if (!cJSON_IsArray(list)) {
        return error_set(err, ERR_FORMAT, "%s: the Unigram model has no list \"vocab\"",
                         reader->name);
    }
    for (const cJSON *item = list->child; item; item = item->next, n++) {
        const cJSON *name = cJSON_IsArray(item) ? item->child : NULL;
        n_bytes += cJSON_IsString(name) ? strlen(name->valuestring) : 0;
    }
    if (!json_get_int(json, "unk_id", 0, VOCAB_MOST_IDS, -1, &unk, reader->name, err)) {
        return false;
    }
    if (unk >= (int64_t)n) {
        return error_set(err, ERR_FORMAT, "%s: unk_id is %lld, but there are %zu pieces",
                         reader->name, (long long)unk, n);
    }
    double *scores = ARENA_ARRAY(&t->arena, double, n, err);
    if (!scores || !vocab_create(&t->vocab, &t->arena, n, n_bytes, err)) {
        return false;
    }
    uint32_t id = 0;
    for (const cJSON *item = list->child; item; item = item->next, id++) {
        if (!read_piece(reader, item, id, &scores[id], err)) {
            return false;
        }
        vocab_put(&t->vocab, id, item->child->valuestring, strlen(item->child->valuestring));
    }
    t->settings.unk_id = (int32_t)unk;
    t->settings.byte_fallback = json_get_bool(json, "byte_fallback", false);
    return unigram_finish(reader, scores, NULL, err);
}
