#include "tokenizer/engine.h"

#include "base/str.h"

#include <string.h>

Tokenizer *tokenizer_create(Error *err)
{
    Tokenizer *t = mem_alloc_zeroed(1, sizeof *t, err);
    if (t) {
        t->settings.unk_id = -1;
        t->settings.prefix = "";
        t->settings.suffix = "";
        for (int i = 0; i < SPECIAL_COUNT; i++) {
            t->special[i] = -1;
        }
    }
    return t;
}

void tokenizer_close(Tokenizer **tokenizer)
{
    Tokenizer *t = tokenizer ? *tokenizer : NULL;
    if (t) {
        for (size_t i = 0; i < t->regexes.n; i++) {
            regex_free(t->regexes.items[i]);
        }
        ARRAY_FREE(&t->regexes);
        tokenizer_close(&t->target);
        arena_destroy(&t->arena);
        mem_free(t);
        *tokenizer = NULL;
    }
}

/** Names that special tokens go by where no file says which is which. */
static void guess_specials(Tokenizer *t)
{
    static const char *const names[SPECIAL_COUNT][5] = {
        [SPECIAL_BOS] = {"<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>"},
        [SPECIAL_EOS] = {"</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>"},
        [SPECIAL_PAD] = {"[PAD]", "<pad>"},
        [SPECIAL_UNK] = {"[UNK]", "<unk>"},
        [SPECIAL_CLS] = {"[CLS]"},
        [SPECIAL_SEP] = {"[SEP]"},
        [SPECIAL_MASK] = {"[MASK]", "<mask>"},
    };
    if (t->special[SPECIAL_UNK] < 0) {
        t->special[SPECIAL_UNK] = t->settings.unk_id;
    }
    for (int i = 0; i < SPECIAL_COUNT; i++) {
        for (size_t k = 0; k < AS_COUNT(names[i]) && names[i][k] && t->special[i] < 0; k++) {
            const AddedToken *token = added_find_name(&t->added, names[i][k], strlen(names[i][k]));
            t->special[i] = token ? token->id : -1;
        }
    }
}

bool tokenizer_finish(Tokenizer *t, Error *err)
{
    t->n_vocab = (int32_t)(t->settings.n_own ? t->settings.n_own : t->vocab.n_ids);
    for (uint32_t i = 0; i < t->added.n; i++) {
        t->n_vocab = AS_MAX(t->n_vocab, t->added.items[i].id + 1);
    }
    if (!added_finish(t, err)) {
        return false;
    }
    guess_specials(t);
    t->shows_bytes = (t->decoder && component_find(t->decoder, "ByteLevel")) ||
                     (t->pre_tokenizer && component_find(t->pre_tokenizer, "ByteLevel"));
    t->shows_spaces = !t->shows_bytes;
    t->kind_name = strcmp(t->model->name, "BPE") != 0 ? t->model->name
                   : t->shows_bytes                   ? "byte-level BPE"
                   : t->settings.byte_fallback        ? "BPE with byte fallback"
                                                      : "BPE";
    return true;
}

/* ---- questions ---- */

int32_t tokenizer_n_vocab(const Tokenizer *t)
{
    return t->n_vocab;
}

/** Not a piece that Marian's vocabulary lacks? */
static bool is_own(const Tokenizer *t, int32_t id)
{
    return id >= 0 && (!t->settings.n_own || (uint32_t)id < t->settings.n_own);
}

const char *tokenizer_token_name(const Tokenizer *t, int32_t id)
{
    const AddedToken *added = added_find_id(&t->added, id);
    if (added) {
        return added->content;
    }
    return is_own(t, id) && (uint32_t)id < t->vocab.n_ids ? t->vocab.names[id] : NULL;
}

int32_t tokenizer_find(const Tokenizer *t, const char *name)
{
    const AddedToken *added = added_find_name(&t->added, name, strlen(name));
    int32_t id = added ? added->id : vocab_find(&t->vocab, name, strlen(name));
    return is_own(t, id) ? id : -1;
}

bool tokenizer_is_special(const Tokenizer *t, int32_t id)
{
    const AddedToken *added = added_find_id(&t->added, id);
    return added && added->special;
}

int32_t tokenizer_special_id(const Tokenizer *t, SpecialToken which)
{
    return t->special[which];
}

const Tokenizer *tokenizer_for_target(const Tokenizer *t)
{
    return t->target ? t->target : t;
}

const char *tokenizer_kind(const Tokenizer *t)
{
    return t->kind_name;
}

/** SentencePiece's mark as a space. */
static bool spell_spaces(const char *name, StrBuf *out, Error *err)
{
    static const char mark[] = "\xE2\x96\x81";
    for (const char *hit; (hit = strstr(name, mark)); name = hit + 3) {
        if (!strbuf_add(out, name, (size_t)(hit - name), err) || !strbuf_puts(out, " ", err)) {
            return false;
        }
    }
    return strbuf_puts(out, name, err);
}

char *tokenizer_token_text(const Tokenizer *t, int32_t id, Arena *arena, size_t *n_bytes,
                           Error *err)
{
    const char *name = tokenizer_token_name(t, id);
    if (!name) {
        error_set(err, ERR_RANGE, "there is no token with the id %d", id);
        return NULL;
    }
    StrBuf buf = {0};
    char byte;
    bool ok = true;
    if (added_find_id(&t->added, id)) {
        ok = strbuf_puts(&buf, name, err);
    } else if (t->shows_bytes) {
        ok = decode_bytes(name, strlen(name), &buf, err);
    } else if (t->settings.byte_fallback && decode_byte_name(name, strlen(name), &byte)) {
        ok = strbuf_add(&buf, &byte, 1, err);
    } else {
        ok = spell_spaces(name, &buf, err);
    }
    char *text = ok ? arena_strndup(arena, strbuf_text(&buf), buf.n, err) : NULL;
    *n_bytes = buf.n;
    strbuf_free(&buf);
    return text;
}

char *tokenizer_decode(const Tokenizer *t, const int32_t *ids, size_t n_ids, bool skip_special,
                       Arena *arena, size_t *n_bytes, Error *err)
{
    DecodeState state = {.arena = arena,
                         .parts = arena_alloc_array(arena, n_ids, sizeof *state.parts, err)};
    if (!state.parts) {
        return NULL;
    }
    for (size_t i = 0; i < n_ids; i++) {
        const AddedToken *added = added_find_id(&t->added, ids[i]);
        const char *name = added ? added->spelled : tokenizer_token_name(t, ids[i]);
        /* Special ones are known by their name: one that is spelled otherwise stays, as in the
         * library. */
        bool skips =
            skip_special && added && added->special && strcmp(added->spelled, added->content) == 0;
        if (name && !skips) {
            state.parts[state.n_parts].text = name;
            state.parts[state.n_parts++].n = strlen(name);
        }
    }
    if (!decode_parts(t->decoder, &state, err)) {
        return NULL;
    }
    StrBuf all = {0};
    bool ok = true;
    for (size_t i = 0; i < state.n_parts && ok; i++) {
        ok = (t->decoder || i == 0 || strbuf_puts(&all, " ", err)) &&
             strbuf_add(&all, state.parts[i].text, state.parts[i].n, err);
    }
    char *text = ok ? arena_strndup(arena, strbuf_text(&all), all.n, err) : NULL;
    *n_bytes = all.n;
    strbuf_free(&all);
    return text;
}

/* ---- byte-level alphabet ---- */

static bool is_printable_byte(uint32_t byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

uint32_t byte_level_char(uint8_t byte)
{
    if (is_printable_byte(byte)) {
        return byte;
    }
    /* 0..32, 127..160 and 173, in this order, are 256, 257, … */
    return byte <= 32 ? 256u + byte : byte == 173 ? 323u : 256u + 33u + (byte - 127u);
}

int byte_level_byte(uint32_t c)
{
    if (c < 256) {
        return is_printable_byte(c) ? (int)c : -1;
    }
    return c <= 288 ? (int)c - 256 : c <= 322 ? (int)c - 289 + 127 : c == 323 ? 173 : -1;
}
