#include "tokenizer/engine.h"

#include "base/str.h"
#include "formats/tensor_file.h"
#include "tokenizer/gguf_pre.h"

#include <string.h>

/* tokenizer.ggml.token_type is a PieceType. Source: github.com/ggml-org/ggml docs/gguf.md. */

static const char MARK[] = "\xE2\x96\x81"; /* SentencePiece's space */

/** What the file says about its vocabulary. */
typedef struct GgufVocab {
    const TextView *tokens;
    size_t n;
    int64_t *types; /* [n], or NULL: all normal */
} GgufVocab;

static int64_t type_of(const GgufVocab *v, size_t id)
{
    return v->types ? v->types[id] : PIECE_NORMAL;
}

static bool read_tokens(Reader *reader, const TensorFile *file, GgufVocab *v, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    size_t n_types = 0;
    if (!tensor_file_get_strings(file, "tokenizer.ggml.tokens", &v->tokens, &v->n, err) ||
        !tensor_file_get_ints(file, "tokenizer.ggml.token_type", &t->arena, &v->types, &n_types,
                              err)) {
        return false;
    }
    if (v->n == 0) {
        return error_set(err, ERR_FORMAT,
                         "%s has no tokenizer.ggml.tokens: give token ids with --ids",
                         reader->name);
    }
    if (v->types && n_types != v->n) {
        return error_set(err, ERR_FORMAT, "%s: %zu tokens, but %zu token types", reader->name, v->n,
                         n_types);
    }
    return true;
}

static bool is_bracketed(TextView name)
{
    return name.n > 2 && name.text[0] == '[' && name.text[name.n - 1] == ']';
}

/**
 * BERT's vocabulary in GGUF marks words where vocab.txt marks continuations: "▁the" is "the" and
 * "ing" is "##ing".
 */
static void put_wordpiece(const GgufVocab *v, size_t id, Tokenizer *t, char *spelled)
{
    TextView name = v->tokens[id];
    if (name.n >= 3 && memcmp(name.text, MARK, 3) == 0) {
        vocab_put(&t->vocab, (uint32_t)id, name.text + 3, name.n - 3);
    } else if (type_of(v, id) != PIECE_NORMAL || is_bracketed(name)) {
        vocab_put(&t->vocab, (uint32_t)id, name.text, name.n);
    } else {
        memcpy(spelled, "##", 2);
        memcpy(spelled + 2, name.text, name.n);
        vocab_put(&t->vocab, (uint32_t)id, spelled, name.n + 2);
    }
}

static bool put_vocab(Reader *reader, const GgufVocab *v, bool is_wordpiece, Error *err)
{
    enum { LONGEST_TOKEN = 1 << 20 };
    Tokenizer *t = reader->tokenizer;
    size_t n_bytes = 0;
    size_t longest = 0;
    for (size_t i = 0; i < v->n; i++) {
        if (utf8_count_invalid(v->tokens[i].text, v->tokens[i].n)) {
            return error_set(err, ERR_FORMAT, "%s: token %zu is not UTF-8", reader->name, i);
        }
        if (v->tokens[i].n > LONGEST_TOKEN) {
            return error_set(err, ERR_FORMAT, "%s: token %zu has %zu bytes", reader->name, i,
                             v->tokens[i].n);
        }
        n_bytes += v->tokens[i].n + 2;
        longest = AS_MAX(longest, v->tokens[i].n);
    }
    char *spelled = mem_alloc(longest + 2, err);
    bool ok = spelled && vocab_create(&t->vocab, &t->arena, v->n, n_bytes, err);
    for (size_t i = 0; i < v->n && ok; i++) {
        if (is_wordpiece) {
            put_wordpiece(v, i, t, spelled);
        } else {
            vocab_put(&t->vocab, (uint32_t)i, v->tokens[i].text, v->tokens[i].n);
        }
    }
    mem_free(spelled);
    return ok;
}

/** Control and user-defined tokens are found whole in the text. */
static bool put_added(Reader *reader, const GgufVocab *v, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) {
        n += type_of(v, i) == PIECE_CONTROL || type_of(v, i) == PIECE_USER_DEFINED;
    }
    t->added.items = ARENA_ARRAY(&t->arena, AddedToken, n, err);
    for (size_t i = 0; i < v->n && t->added.items; i++) {
        int64_t type = type_of(v, i);
        if ((type == PIECE_CONTROL || type == PIECE_USER_DEFINED) && t->vocab.lengths[i]) {
            t->added.items[t->added.n++] = (AddedToken){.id = (int32_t)i,
                                                        .content = t->vocab.names[i],
                                                        .n = t->vocab.lengths[i],
                                                        .special = type == PIECE_CONTROL};
        }
    }
    return t->added.items != NULL;
}

static bool read_special_ids(Reader *reader, const TensorFile *file, Error *err)
{
    static const struct {
        const char *key;
        SpecialToken which;
    } keys[] = {{"tokenizer.ggml.bos_token_id", SPECIAL_BOS},
                {"tokenizer.ggml.eos_token_id", SPECIAL_EOS},
                {"tokenizer.ggml.padding_token_id", SPECIAL_PAD},
                {"tokenizer.ggml.unknown_token_id", SPECIAL_UNK},
                {"tokenizer.ggml.cls_token_id", SPECIAL_CLS},
                {"tokenizer.ggml.seperator_token_id", SPECIAL_SEP}, /* the format's spelling */
                {"tokenizer.ggml.separator_token_id", SPECIAL_SEP},
                {"tokenizer.ggml.mask_token_id", SPECIAL_MASK}};
    Tokenizer *t = reader->tokenizer;
    for (size_t i = 0; i < AS_COUNT(keys); i++) {
        int64_t id;
        if (!tensor_file_get_int(file, keys[i].key, 0, UINT32_MAX, -1, &id, err)) {
            return false;
        }
        if (id >= 0 && id < (int64_t)t->vocab.n_ids) {
            t->special[keys[i].which] = (int32_t)id;
        } else if (id >= 0) {
            log_write(reader->log, LOG_WARNING, "%s: %s is %lld, but there are %u tokens",
                      reader->name, keys[i].key, (long long)id, t->vocab.n_ids);
        }
    }
    return true;
}

/** <s> before and </s> behind, as the file says or else by default. */
static bool set_ends(Reader *reader, const TensorFile *file, bool adds_bos, bool adds_eos,
                     Error *err)
{
    Tokenizer *t = reader->tokenizer;
    if (!tensor_file_get_bool(file, "tokenizer.ggml.add_bos_token", adds_bos, &adds_bos, err) ||
        !tensor_file_get_bool(file, "tokenizer.ggml.add_eos_token", adds_eos, &adds_eos, err)) {
        return false;
    }
    int32_t ids[2] = {t->special[SPECIAL_BOS], t->special[SPECIAL_EOS]};
    if ((adds_bos && ids[0] < 0) || (adds_eos && ids[1] < 0)) {
        return error_set(err, ERR_FORMAT, "%s: a text is to %s with a token the file does not name",
                         reader->name, adds_bos && ids[0] < 0 ? "begin" : "end");
    }
    static const char *const single[4] = {"A0", "00A0", "A010", "00A010"};
    static const char *const pair[4] = {"A0B1", "00A001B1", "A010B111", "00A01001B111"};
    int which = adds_bos + 2 * adds_eos;
    t->post_processor = component_create(t, POST_PROCESSORS, "TemplateProcessing", 0, err);
    return t->post_processor && template_set(t, t->post_processor, 0, single[which], ids, err) &&
           template_set(t, t->post_processor, 1, pair[which], ids, err);
}

/* ---- byte-level BPE ---- */

static bool read_gguf_merges(Reader *reader, const TensorFile *file, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    const TextView *merges;
    size_t n;
    if (!tensor_file_get_strings(file, "tokenizer.ggml.merges", &merges, &n, err)) {
        return false;
    }
    if (n > UINT32_MAX || !merges_create(&t->merges, &t->arena, n, err)) {
        return error_set(err, ERR_RANGE, "%s: %zu merges do not fit", reader->name, n);
    }
    for (size_t i = 0; i < n; i++) {
        const char *space =
            merges[i].n > 1 ? memchr(merges[i].text + 1, ' ', merges[i].n - 1) : NULL;
        if (!space) {
            return error_set(err, ERR_FORMAT, "%s: merge %zu is not \"left right\"", reader->name,
                             i);
        }
        size_t n_left = (size_t)(space - merges[i].text);
        TextView left = {merges[i].text, n_left};
        TextView right = {space + 1, merges[i].n - n_left - 1};
        if (!bpe_add_merge(t, reader->name, left, right, (uint32_t)i, err)) {
            return false;
        }
    }
    return true;
}

static bool set_splits(Reader *reader, const GgufPre *pre, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    uint32_t n = 0;
    while (n < PRE_MOST_PATTERNS && pre->patterns[n]) {
        n++;
    }
    Component *sequence = component_create(t, PRE_TOKENIZERS, "Sequence", n + 1, err);
    if (!sequence) {
        return false;
    }
    for (uint32_t i = 0; i <= n; i++) {
        Component *c = component_create(t, PRE_TOKENIZERS, i < n ? "Split" : "ByteLevel", 0, err);
        if (!c) {
            return false;
        }
        if (i < n) {
            c->split.behavior = SPLIT_ISOLATED;
            c->regex = tokenizer_add_regex(t, pre->patterns[i], false, err);
            if (!c->regex) {
                return false;
            }
        }
        sequence->children[i] = *c;
    }
    t->pre_tokenizer = sequence;
    t->decoder = component_create(t, DECODERS, "ByteLevel", 0, err);
    return t->decoder != NULL;
}

static bool read_byte_level(Reader *reader, const TensorFile *file, const GgufVocab *v, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    TextView name;
    if (!tensor_file_get_string(file, "tokenizer.ggml.pre", &name, err)) {
        return false;
    }
    const GgufPre *pre = name.text ? gguf_pre_find(name.text, name.n) : NULL;
    if (!pre) {
        log_write(reader->log, LOG_WARNING,
                  "%s splits words by \"%.*s\", which is not known; GPT-2's words are taken, so "
                  "tokens may differ from the model's own",
                  reader->name, clip_text(name.text, name.n), name.text ? name.text : "");
        pre = gguf_pre_find("gpt-2", 5);
    }
    t->model = model_kind_find("BPE");
    if (!put_vocab(reader, v, false, err) || !read_special_ids(reader, file, err) ||
        !put_added(reader, v, err) || !read_gguf_merges(reader, file, err) ||
        !set_splits(reader, pre, err)) {
        return false;
    }
    t->settings.ignore_merges = pre->ignore_merges;
    bpe_finish(t);
    return set_ends(reader, file, pre->add_bos, false, err);
}

/* ---- SentencePiece's BPE ---- */

/** One a token. */
static bool read_scores(Reader *reader, const TensorFile *file, const GgufVocab *v, float **scores,
                        Error *err)
{
    size_t n;
    if (!tensor_file_get_floats(file, "tokenizer.ggml.scores", &reader->tokenizer->arena, scores,
                                &n, err)) {
        return false;
    }
    return n == v->n ||
           error_set(err, ERR_FORMAT, "%s: %zu tokens, but %zu scores", reader->name, v->n, n);
}

static bool read_piece_merges(Reader *reader, const TensorFile *file, const GgufVocab *v,
                              Error *err)
{
    float *scores;
    if (!read_scores(reader, file, v, &scores, err)) {
        return false;
    }
    bool *takes = mem_alloc(v->n, err);
    for (size_t i = 0; i < v->n && takes; i++) {
        takes[i] = type_of(v, i) == PIECE_NORMAL;
    }
    const bool ok = takes && piece_merges_build(reader->tokenizer, scores, takes, err);
    mem_free(takes);
    return ok;
}

/** Normalizer and decoder: spaces are marks, one more before the text where the model wants it. */
static bool set_marks(Reader *reader, bool prepends, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    Component *before = component_create(t, NORMALIZERS, "Prepend", 0, err);
    Component *replace = component_create(t, NORMALIZERS, "Replace", 0, err);
    Component *sequence = component_create(t, NORMALIZERS, "Sequence", prepends + 1u, err);
    Component *decoder = piece_decoder_create(t, prepends, err);
    if (!before || !replace || !sequence || !decoder) {
        return false;
    }
    replace->regex = tokenizer_add_regex(t, " ", true, err);
    if (!replace->regex) {
        return false;
    }
    before->text = replace->text = MARK;
    before->n_text = replace->n_text = strlen(MARK);
    sequence->children[0] = prepends ? *before : *replace;
    sequence->children[prepends] = *replace;
    t->normalizer = sequence;
    t->decoder = decoder;
    return true;
}

static bool read_pieces(Reader *reader, const TensorFile *file, const GgufVocab *v, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    bool prepends;
    t->model = model_kind_find("BPE");
    if (!put_vocab(reader, v, false, err) || !read_special_ids(reader, file, err) ||
        !put_added(reader, v, err) || !read_piece_merges(reader, file, v, err) ||
        !tensor_file_get_bool(file, "tokenizer.ggml.add_space_prefix", true, &prepends, err) ||
        !set_marks(reader, prepends, err)) {
        return false;
    }
    t->settings.unk_id = t->special[SPECIAL_UNK];
    t->settings.fuse_unk = true;
    t->settings.byte_fallback = true;
    bpe_finish(t);
    return set_ends(reader, file, true, false, err);
}

/* ---- SentencePiece's Unigram ---- */

static bool read_piece_scores(Reader *reader, const TensorFile *file, const GgufVocab *v,
                              Error *err)
{
    Tokenizer *t = reader->tokenizer;
    float *scores;
    if (!read_scores(reader, file, v, &scores, err)) {
        return false;
    }
    double *wide = ARENA_ARRAY(&t->arena, double, v->n, err);
    bool *left_out = ARENA_ARRAY(&t->arena, bool, v->n, err);
    if (!wide || !left_out) {
        return false;
    }
    for (size_t i = 0; i < v->n; i++) {
        int64_t type = type_of(v, i);
        wide[i] = (double)scores[i];
        left_out[i] = type != PIECE_NORMAL && type != PIECE_UNUSED;
        t->settings.byte_fallback |= type == PIECE_BYTE;
    }
    return unigram_finish(reader, wide, left_out, err);
}

static bool read_charsmap(Reader *reader, const TensorFile *file, Component *c, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    int64_t *values;
    size_t n;
    if (!tensor_file_get_ints(file, "tokenizer.ggml.precompiled_charsmap", &t->arena, &values, &n,
                              err)) {
        return false;
    }
    Charsmap *map = ARENA_NEW(&t->arena, Charsmap, err);
    uint8_t *bytes = ARENA_ARRAY(&t->arena, uint8_t, n, err);
    if (!map || !bytes) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)values[i]; /* some writers store them with a sign */
    }
    c->charsmap = map;
    return charsmap_read(map, &t->arena, bytes, n, reader->name, err);
}

static bool set_replace(Tokenizer *t, Component *c, const char *pattern, const char *text,
                        Error *err)
{
    c->regex = tokenizer_add_regex(t, pattern, false, err);
    c->text = text;
    c->n_text = strlen(text);
    return c->regex != NULL;
}

/** The character rules, spaces made single where the model wants it, and marks for spaces. */
static bool set_unigram_parts(Reader *reader, const TensorFile *file, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    bool prepends;
    bool trims;
    if (!tensor_file_get_bool(file, "tokenizer.ggml.add_space_prefix", true, &prepends, err) ||
        !tensor_file_get_bool(file, "tokenizer.ggml.remove_extra_whitespaces", true, &trims, err)) {
        return false;
    }
    Component *rules = component_create(t, NORMALIZERS, "Precompiled", 0, err);
    Component *ends = component_create(t, NORMALIZERS, "Replace", 0, err);
    Component *runs = component_create(t, NORMALIZERS, "Replace", 0, err);
    t->normalizer = component_create(t, NORMALIZERS, "Sequence", trims ? 3 : 1, err);
    t->pre_tokenizer = component_create(t, PRE_TOKENIZERS, "Metaspace", 0, err);
    t->decoder = component_create(t, DECODERS, "Metaspace", 0, err);
    if (!rules || !ends || !runs || !t->normalizer || !t->pre_tokenizer || !t->decoder ||
        !read_charsmap(reader, file, rules, err) || !set_replace(t, ends, "^ +| +$", "", err) ||
        !set_replace(t, runs, " {2,}", " ", err)) {
        return false;
    }
    t->normalizer->children[0] = *rules;
    if (trims) {
        t->normalizer->children[1] = *ends;
        t->normalizer->children[2] = *runs;
    }
    t->pre_tokenizer->text = t->decoder->text = MARK;
    t->pre_tokenizer->n_text = t->decoder->n_text = strlen(MARK);
    t->pre_tokenizer->metaspace.prepend = prepends ? PREPEND_ALWAYS : PREPEND_NEVER;
    t->pre_tokenizer->metaspace.split = true;
    t->decoder->metaspace.prepend = t->pre_tokenizer->metaspace.prepend;
    t->pre_tokenizer->regex = tokenizer_add_regex(t, MARK, true, err);
    return t->pre_tokenizer->regex != NULL;
}

static bool read_unigram(Reader *reader, const TensorFile *file, const GgufVocab *v, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    t->model = model_kind_find("Unigram");
    if (!put_vocab(reader, v, false, err) || !read_special_ids(reader, file, err) ||
        !put_added(reader, v, err)) {
        return false;
    }
    t->settings.unk_id = t->special[SPECIAL_UNK];
    for (size_t i = 0; i < v->n && t->settings.unk_id < 0; i++) {
        t->settings.unk_id = type_of(v, i) == PIECE_UNKNOWN ? (int32_t)i : -1;
    }
    return read_piece_scores(reader, file, v, err) && set_unigram_parts(reader, file, err) &&
           set_ends(reader, file, false, true, err);
}

/* ---- WordPiece ---- */

/** A vocabulary with words in capitals was learned without lowering them. */
static bool has_capitals(const GgufVocab *v)
{
    for (size_t i = 0; i < v->n; i++) {
        TextView name = v->tokens[i];
        if (type_of(v, i) == PIECE_NORMAL && !is_bracketed(name) && name.n > 4 &&
            memcmp(name.text, MARK, 3) == 0 && name.text[3] >= 'A' && name.text[3] <= 'Z') {
            return true;
        }
    }
    return false;
}

static bool read_wordpiece(Reader *reader, const TensorFile *file, const GgufVocab *v, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    bool lowers = !has_capitals(v);
    if (!put_vocab(reader, v, true, err) || !read_special_ids(reader, file, err)) {
        return false;
    }
    WordPieceDesc desc = {.lowercase = lowers, .strip_accents = lowers};
    for (int i = 0; i < SPECIAL_COUNT; i++) {
        desc.names[i] = t->special[i] >= 0 ? t->vocab.names[t->special[i]] : NULL;
    }
    return wordpiece_assemble(reader, &desc, err);
}

/** The chat template and the tokens it may name. */
static bool read_chat(Reader *reader, const TensorFile *file, Error *err)
{
    Tokenizer *t = reader->tokenizer;
    TextView source;
    if (!tensor_file_get_string(file, "tokenizer.chat_template", &source, err)) {
        return false;
    }
    if (!source.text || utf8_count_invalid(source.text, source.n)) {
        return true;
    }
    for (int i = 0; i < SPECIAL_COUNT; i++) {
        t->chat.tokens[i] = t->special[i] >= 0 ? t->vocab.names[t->special[i]] : NULL;
    }
    return chat_take_template(t, source.text, source.n, err);
}

bool tokenizer_read_gguf(Reader *reader, const TensorFile *file, Error *err)
{
    static const struct {
        const char *name;
        bool (*read)(Reader *reader, const TensorFile *file, const GgufVocab *v, Error *err);
    } kinds[] = {{"gpt2", read_byte_level},
                 {"llama", read_pieces},
                 {"bert", read_wordpiece},
                 {"t5", read_unigram}};
    TextView model;
    GgufVocab vocab = {0};
    if (tensor_file_kind(file) != TENSOR_FILE_GGUF) {
        return error_set(err, ERR_FORMAT, "%s is no GGUF file and holds no tokenizer",
                         reader->name);
    }
    if (!tensor_file_get_string(file, "tokenizer.ggml.model", &model, err) ||
        !read_tokens(reader, file, &vocab, err)) {
        return false;
    }
    for (size_t i = 0; i < AS_COUNT(kinds); i++) {
        if (model.n == strlen(kinds[i].name) && memcmp(model.text, kinds[i].name, model.n) == 0) {
            return kinds[i].read(reader, file, &vocab, err) && read_chat(reader, file, err);
        }
    }
    return error_set(err, ERR_UNSUPPORTED,
                     "%s: the tokenizer \"%.*s\" is not known; known are gpt2, llama, bert, t5",
                     reader->name, clip_text(model.text, model.n), model.text ? model.text : "");
}
