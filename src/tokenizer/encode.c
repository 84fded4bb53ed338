#include "tokenizer/engine.h"

#include "base/str.h"
#include "tokenizer/unicode.h"

#include <string.h>

bool encoder_emit(Encoder *encoder, uint32_t begin, uint32_t end, int32_t id, Error *err)
{
    Piece piece = {.begin = begin, .end = end, .id = id};
    return begin == end || ARRAY_PUSH(&encoder->next_pieces, piece, err);
}

bool encoder_find_all(Encoder *encoder, const Regex *regex, const char *text, size_t n, Error *err)
{
    encoder->matches.n = 0;
    if (!encoder->regex) {
        encoder->regex = regex_scratch_create(err);
        if (!encoder->regex) {
            return false;
        }
    }
    return regex_find_all(regex, encoder->regex, text, n, &encoder->matches, err);
}

void encoder_free(Encoder *e)
{
    aligned_free(&e->text);
    aligned_free(&e->next);
    aligned_free(&e->scratch[0]);
    aligned_free(&e->scratch[1]);
    ARRAY_FREE(&e->pieces);
    ARRAY_FREE(&e->next_pieces);
    ARRAY_FREE(&e->matches);
    ARRAY_FREE(&e->groups);
    regex_scratch_destroy(e->regex);
    word_cache_free(&e->cache);
    bpe_scratch_free(&e->bpe);
    ARRAY_FREE(&e->unigram);
    ARRAY_FREE(&e->word);
    ARRAY_FREE(&e->tokens);
}

/** A stretch of the raw text, without the code it may begin with. */
static bool take_piece(Encoder *e, const Aligned *raw, Piece piece, Error *err)
{
    const Tokenizer *t = e->tokenizer;
    const char *text = raw->text + piece.begin;
    const size_t n_code = t->settings.has_codes && piece.id < 0
                              ? piece_code_length(text, piece.end - piece.begin)
                              : 0;
    if (n_code) {
        Piece code = {.begin = piece.begin, .end = piece.begin + (uint32_t)n_code};
        code.id = piece_own_id(t, t->settings.unk_id, text, n_code);
        if (!ARRAY_PUSH(&e->pieces, code, err)) {
            return false;
        }
        piece.begin = code.end;
    }
    return piece.begin == piece.end || ARRAY_PUSH(&e->pieces, piece, err);
}

/** Working text and pieces: added tokens cut out, the rest normalised. */
static bool cut_and_normalize(Encoder *e, const char *text, size_t n, Error *err)
{
    const Tokenizer *t = e->tokenizer;
    Aligned raw = {0};
    bool ok = aligned_add_original(&raw, text, 0, n, err) &&
              added_split(e, &t->added.raw, &raw, 0, n, err);
    /* The pieces of the raw text; those of the working text are emitted as it grows. */
    size_t n_raw = e->next_pieces.n;
    for (size_t i = 0; i < n_raw && ok; i++) {
        ok = take_piece(e, &raw, e->next_pieces.items[i], err);
    }
    n_raw = e->pieces.n;
    e->next_pieces.n = 0;
    for (size_t i = 0; i < n_raw && ok; i++) {
        Piece piece = e->pieces.items[i];
        uint32_t begin = (uint32_t)e->text.n;
        if (piece.id >= 0) {
            ok = aligned_copy(&e->text, &raw, piece.begin, piece.end, err) &&
                 encoder_emit(e, begin, (uint32_t)e->text.n, piece.id, err);
            continue;
        }
        Aligned *part = &e->scratch[0];
        aligned_clear(part);
        ok = aligned_copy(part, &raw, piece.begin, piece.end, err) &&
             normalize_piece(t->normalizer, e, part, err) &&
             aligned_copy(&e->text, part, 0, part->n, err) &&
             added_split(e, &t->added.normalized, &e->text, begin, e->text.n, err);
    }
    e->pieces.n = 0;
    for (size_t i = 0; i < e->next_pieces.n && ok; i++) {
        ok = ARRAY_PUSH(&e->pieces, e->next_pieces.items[i], err);
    }
    e->next_pieces.n = 0;
    aligned_free(&raw);
    return ok;
}

static bool add_word(Encoder *e, const WordToken *tokens, size_t n, uint32_t base, Error *err)
{
    const Tokenizer *t = e->tokenizer;
    for (size_t i = 0; i < n; i++) {
        RawToken token = {tokens[i].id, base + tokens[i].begin, base + tokens[i].end};
        if (t->settings.n_own) {
            token.id =
                piece_own_id(t, token.id, e->text.text + token.begin, token.end - token.begin);
        }
        if (!ARRAY_PUSH(&e->tokens, token, err)) {
            return false;
        }
    }
    return true;
}

static bool run_model(Encoder *e, Error *err)
{
    const Tokenizer *t = e->tokenizer;
    for (size_t i = 0; i < e->pieces.n; i++) {
        Piece piece = e->pieces.items[i];
        if (piece.id >= 0) {
            RawToken token = {piece.id, piece.begin, piece.end};
            if (!ARRAY_PUSH(&e->tokens, token, err)) {
                return false;
            }
            continue;
        }
        const char *word = e->text.text + piece.begin;
        size_t n = piece.end - piece.begin;
        size_t n_tokens = 0;
        const WordToken *known = word_cache_find(&e->cache, e->text.text, word, n, &n_tokens);
        if (!known) {
            e->word.n = 0;
            if (!t->model->tokenize(t, e, word, n, &e->word, err) ||
                !word_cache_put(&e->cache, e->text.text, word, n, &e->word, err)) {
                return false;
            }
            known = e->word.items;
            n_tokens = e->word.n;
        }
        if (!add_word(e, known, n_tokens, piece.begin, err)) {
            return false;
        }
    }
    return true;
}

static bool encode_one(Encoder *e, const char *text, size_t n, int sequence, PlacedTokens *out,
                       Error *err)
{
    if (n > (size_t)1 << 30) {
        return error_set(err, ERR_RANGE,
                         "a text of %zu bytes: at most 1 GiB is tokenised at once, take a part", n);
    }
    size_t bad = utf8_count_invalid(text, n);
    if (bad) {
        return error_set(err, ERR_FORMAT, "the text is not UTF-8 in %zu places: repair it first",
                         bad);
    }
    if (!cut_and_normalize(e, text, n, err) || !pre_tokenize(e->tokenizer->pre_tokenizer, e, err) ||
        !run_model(e, err) || !ARRAY_RESERVE(out, e->tokens.n, err)) {
        return false;
    }
    for (size_t i = 0; i < e->tokens.n; i++) {
        RawToken raw = e->tokens.items[i];
        out->items[out->n++] = (PlacedToken){.id = raw.id,
                                             .span = aligned_span(&e->text, raw.begin, raw.end),
                                             .begin = raw.begin,
                                             .end = raw.end,
                                             .type_id = (uint8_t)sequence,
                                             .sequence = (int8_t)sequence};
    }
    return true;
}

/** Tokens in the form that callers get. */
static bool write_tokens(const PlacedTokens *placed, Arena *arena, Tokens *tokens, Error *err)
{
    size_t n = placed->n;
    *tokens = (Tokens){.n = n,
                       .ids = ARENA_ARRAY(arena, int32_t, n, err),
                       .start = ARENA_ARRAY(arena, uint32_t, n, err),
                       .end = ARENA_ARRAY(arena, uint32_t, n, err),
                       .added = ARENA_ARRAY(arena, uint8_t, n, err),
                       .type_ids = ARENA_ARRAY(arena, uint8_t, n, err),
                       .sequence = ARENA_ARRAY(arena, int8_t, n, err)};
    if (!tokens->ids || !tokens->start || !tokens->end || !tokens->added || !tokens->type_ids ||
        !tokens->sequence) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        PlacedToken p = placed->items[i];
        tokens->ids[i] = p.id;
        tokens->start[i] = p.span.start;
        tokens->end[i] = p.span.end;
        tokens->added[i] = p.added;
        tokens->type_ids[i] = p.type_id;
        tokens->sequence[i] = p.sequence;
    }
    return true;
}

bool tokenizer_encode(const Tokenizer *tokenizer, const char *text, size_t n_bytes,
                      const TokenizeOptions *options, Arena *arena, Tokens *tokens, Error *err)
{
    static const TokenizeOptions bare = {0};
    options = options ? options : &bare;
    if (!tokenizer->model) {
        PlacedTokens words = {0};
        bool written = words_encode(tokenizer, text, n_bytes, options, &words, err) &&
                       write_tokens(&words, arena, tokens, err);
        ARRAY_FREE(&words);
        return written;
    }
    Encoder encoders[2] = {{.tokenizer = tokenizer}, {.tokenizer = tokenizer}};
    PostState state = {.originals = {text, options->text_pair},
                       .n_sequences = options->text_pair ? 2 : 1,
                       .add_special = options->add_special};
    bool ok = encode_one(&encoders[0], text, n_bytes, 0, &state.tokens[0], err);
    if (ok && options->text_pair) {
        ok = encode_one(&encoders[1], options->text_pair, options->n_pair_bytes, 1,
                        &state.tokens[1], err);
    }
    state.texts[0] = encoders[0].text.text;
    state.texts[1] = encoders[1].text.text;
    ok = ok && post_process(tokenizer->post_processor, &state, err) &&
         write_tokens(&state.tokens[0], arena, tokens, err);
    ARRAY_FREE(&state.tokens[0]);
    ARRAY_FREE(&state.tokens[1]);
    encoder_free(&encoders[0]);
    encoder_free(&encoders[1]);
    return ok;
}
