/*
 * A tokenizer from SentencePiece's model file, with the ids and special tokens that its family of
 * models gives it. Ids are mostly the pieces' places in the file; families that came from fairseq
 * shift them, and Marian names them in vocab.json.
 */
#include "tokenizer/engine.h"

#include "base/str.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FIXED = 5, MOST_NAMES = 8, MOST_EXTRA = 100 };

typedef struct FixedPiece {
    const char *name;
    int32_t id;
} FixedPiece;

/** How a family numbers pieces and surrounds a text. */
typedef struct PieceFamily {
    const char *names[MOST_NAMES]; /* tokenizer classes (without "Fast") and types of models */
    FixedPiece fixed[MOST_FIXED];  /* ids that do not follow from places */
    int32_t shift;                 /* of all others */
    bool has_mask;                 /* <mask> behind all pieces */
    bool has_extra;                /* <extra_id_99> to <extra_id_0> behind all pieces */
    bool adds_bos, adds_eos;       /* where tokenizer_config.json does not say */
    const char *pair;              /* as template_set spells it; NULL = one after the other */
} PieceFamily;

static const PieceFamily FAMILIES[] = {
    {.names = {"T5Tokenizer", "t5", "MT5Tokenizer", "mt5"},
     .has_extra = true,
     .adds_eos = true,
     .pair = "A010B010"},
    {.names = {"LlamaTokenizer", "llama", "mistral", "phi3"}, .adds_bos = true},
    {.names = {"GemmaTokenizer", "gemma", "gemma2", "gemma3_text", "gemma3"}, .adds_bos = true},
    {.names = {"XLMRobertaTokenizer", "xlm-roberta"},
     .fixed = {{"<s>", 0}, {"<pad>", 1}, {"</s>", 2}, {"<unk>", 3}},
     .shift = 1,
     .has_mask = true,
     .adds_bos = true,
     .adds_eos = true,
     .pair = "00A01010B010"},
    {.names = {"CamembertTokenizer", "camembert"},
     .fixed =
         {{"<s>NOTUSED", 0}, {"<pad>", 1}, {"</s>NOTUSED", 2}, {"<unk>", 3}, {"<unk>NOTUSED", 4}},
     .shift = 4,
     .has_mask = true,
     .adds_bos = true,
     .adds_eos = true,
     .pair = "00A01010B010"},
};
static const PieceFamily MARIAN = {.adds_eos = true, .pair = "A0B010"};
static const PieceFamily PLAIN = {0};

static const PieceFamily *find_family(const char *name)
{
    static const char FAST[] = "Fast";
    size_t n = name ? strlen(name) : 0;
    if (n > strlen(FAST) && strcmp(name + n - strlen(FAST), FAST) == 0) {
        n -= strlen(FAST);
    }
    for (size_t i = 0; i < AS_COUNT(FAMILIES) && n; i++) {
        for (size_t k = 0; k < MOST_NAMES && FAMILIES[i].names[k]; k++) {
            if (strlen(FAMILIES[i].names[k]) == n && memcmp(FAMILIES[i].names[k], name, n) == 0) {
                return &FAMILIES[i];
            }
        }
    }
    return NULL;
}

static const PieceFamily *choose_family(const Reader *reader, const PieceSetup *setup)
{
    if (setup->vocab) {
        return &MARIAN;
    }
    const char *class = json_get_string(setup->config, "tokenizer_class", NULL);
    const PieceFamily *family = find_family(class);
    family = family ? family : find_family(setup->model_type);
    if (!family) {
        log_write(
            reader->log, LOG_WARNING,
            "%s: neither the tokenizer class \"%.*s\" nor the type of model \"%.*s\" is known "
            "to number SentencePiece's pieces in a way of its own: ids are their places, "
            "and no special tokens are added",
            reader->name, CLIPPED(class ? class : ""),
            CLIPPED(setup->model_type ? setup->model_type : ""));
        family = &PLAIN;
    }
    return family;
}

/* ---- the vocabulary ---- */

/** What a tokenizer is being made from. */
typedef struct Build {
    Reader *reader;
    const PieceSetup *setup;
    const PieceFamily *family;
    int32_t *ids; /* [file->n] of the pieces */
    size_t n_ids;
    size_t n_extra;
    PieceType *types; /* [n_ids]; 0 = not among the pieces */
    float *scores;    /* [n_ids] */
} Build;

static bool is_name(TextView view, const char *name)
{
    return view.n == strlen(name) && memcmp(view.text, name, view.n) == 0;
}

/** Ids by places, but for those that the family fixes. */
static bool number_by_place(Build *b, Error *err)
{
    const PieceFile *file = b->setup->file;
    size_t n_fixed = 0;
    while (n_fixed < MOST_FIXED && b->family->fixed[n_fixed].name) {
        n_fixed++;
    }
    for (size_t i = 0; i < file->n; i++) {
        b->ids[i] = -1;
        for (size_t k = 0; k < n_fixed; k++) {
            if (is_name(file->pieces[i].name, b->family->fixed[k].name)) {
                b->ids[i] = b->family->fixed[k].id;
            }
        }
        if (b->ids[i] >= 0) {
            continue;
        }
        b->ids[i] = (int32_t)i + b->family->shift;
        for (size_t k = 0; k < n_fixed; k++) {
            if (b->ids[i] == b->family->fixed[k].id) {
                return error_set(err, ERR_FORMAT,
                                 "%s: piece %zu has the id %d, which is that of %s: the pieces are "
                                 "not in the order of its family",
                                 b->reader->name, i, b->ids[i], b->family->fixed[k].name);
            }
        }
    }
    const size_t n_pieces = file->n + (size_t)b->family->shift;
    for (size_t i = 0; i < file->n; i++) {
        if ((size_t)b->ids[i] >= n_pieces) {
            return error_set(err, ERR_FORMAT,
                             "%s: piece %zu has the id %d in its family, and the file's %zu pieces "
                             "have ids below %zu: pieces of its family are missing",
                             b->reader->name, i, b->ids[i], file->n, n_pieces);
        }
    }
    b->n_ids = n_pieces + b->family->has_mask;
    if (b->family->has_extra) {
        int64_t n_extra;
        if (!json_get_int(b->setup->config, "extra_ids", 0, MOST_EXTRA * 100, MOST_EXTRA, &n_extra,
                          "tokenizer_config.json", err)) {
            return false;
        }
        b->n_extra = (size_t)n_extra;
        b->n_ids += b->n_extra;
    }
    return true;
}

/** Marian's: ids by name, and behind them those of pieces that the vocabulary lacks. */
static bool number_by_name(Build *b, Error *err)
{
    Tokenizer *t = b->reader->tokenizer;
    const PieceFile *file = b->setup->file;
    const size_t n_own = t->vocab.n_ids;
    b->n_ids = n_own;
    for (size_t i = 0; i < file->n; i++) {
        const int32_t id = vocab_find(&t->vocab, file->pieces[i].name.text, file->pieces[i].name.n);
        b->ids[i] = id >= 0 ? id : (int32_t)b->n_ids++;
        if (b->n_ids > VOCAB_MOST_IDS) {
            return error_set(err, ERR_RANGE, "%s: more than %d ids", b->reader->name,
                             VOCAB_MOST_IDS);
        }
    }
    t->settings.n_own = (uint32_t)n_own;
    return true;
}

static bool put_names(Build *b, const Vocab *own, Error *err)
{
    Tokenizer *t = b->reader->tokenizer;
    const PieceFile *file = b->setup->file;
    size_t n_bytes = 32 * (b->n_extra + MOST_FIXED + 1) + own->pool_used;
    for (size_t i = 0; i < file->n; i++) {
        n_bytes += file->pieces[i].name.n;
    }
    if (!vocab_create(&t->vocab, &t->arena, b->n_ids, n_bytes, err)) {
        return false;
    }
    for (uint32_t i = 0; i < own->n_ids; i++) {
        if (own->names[i]) {
            vocab_put(&t->vocab, i, own->names[i], own->lengths[i]);
        }
    }
    for (size_t i = 0; i < file->n; i++) {
        const uint32_t id = (uint32_t)b->ids[i];
        if (!t->vocab.names[id]) {
            vocab_put(&t->vocab, id, file->pieces[i].name.text, file->pieces[i].name.n);
        }
        b->types[id] = file->pieces[i].type;
        b->scores[id] = file->pieces[i].score;
    }
    for (size_t k = 0; k < MOST_FIXED && b->family->fixed[k].name; k++) {
        const FixedPiece *fixed = &b->family->fixed[k];
        const uint32_t id = (uint32_t)fixed->id;
        if (id < b->n_ids && !t->vocab.names[id]) {
            vocab_put(&t->vocab, id, fixed->name, strlen(fixed->name));
            b->types[id] = PIECE_CONTROL;
        }
    }
    for (size_t k = 0; k < b->n_extra + b->family->has_mask; k++) {
        char name[32];
        const uint32_t id = (uint32_t)(b->n_ids - 1 - k);
        const int n = b->n_extra ? snprintf(name, sizeof name, "<extra_id_%zu>", k)
                                 : snprintf(name, sizeof name, "<mask>");
        if (vocab_find(&t->vocab, name, (size_t)n) < 0) {
            vocab_put(&t->vocab, id, name, (size_t)n);
            b->types[id] = PIECE_CONTROL;
        }
    }
    return true;
}

/* ---- added tokens ---- */

/** The id of an added token as tokenizer_config.json's "added_tokens_decoder" ({"5": {"content":
 * …}}) or added_tokens.json ({"…": 5}) gives it; -1 where that is none. */
static int32_t said_id(const cJSON *item, bool by_id)
{
    double number = !by_id && cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (by_id && item->string && *item->string && strlen(item->string) < 10 &&
        strspn(item->string, "0123456789") == strlen(item->string)) {
        number = strtod(item->string, NULL);
    }
    return number >= 0 && number < VOCAB_MOST_IDS && number == floor(number) ? (int32_t)number : -1;
}

/** One more than the largest such id of a list. */
static size_t said_end(const cJSON *list, bool by_id)
{
    size_t end = 0;
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next) {
        end = AS_MAX(end, (size_t)(said_id(item, by_id) + 1));
    }
    return end;
}

/** Adds what a list says. places [id]: one more than where in the list of added tokens an id is, 0
 * = not yet there. */
static bool put_said(Build *b, const cJSON *list, bool by_id, uint32_t *places, Error *err)
{
    Tokenizer *t = b->reader->tokenizer;
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next) {
        const char *content = by_id ? json_get_string(item, "content", NULL) : item->string;
        const int32_t id = said_id(item, by_id);
        if (!content || id < 0) {
            return error_set(err, ERR_FORMAT,
                             "%s: the added token \"%.*s\" has no text, or no id below %d",
                             by_id ? "tokenizer_config.json" : "added_tokens.json",
                             CLIPPED(item->string ? item->string : ""), VOCAB_MOST_IDS);
        }
        if (!*content) {
            continue;
        }
        if (!places[id]) {
            places[id] = ++t->added.n;
        }
        AddedToken *token = &t->added.items[places[id] - 1];
        token->id = id;
        token->content = arena_strdup(&t->arena, content, err);
        token->n = (uint32_t)strlen(content);
        if (!token->content) {
            return false;
        }
        if (by_id) {
            token->special = json_get_bool(item, "special", false);
            token->single_word = json_get_bool(item, "single_word", false);
            token->lstrip = json_get_bool(item, "lstrip", false);
            token->rstrip = json_get_bool(item, "rstrip", false);
        }
    }
    return true;
}

static size_t count_items(const cJSON *list)
{
    return cJSON_IsObject(list) ? (size_t)cJSON_GetArraySize(list) : 0;
}

/** Of Marian only what its settings name; else all pieces that stand for no text. */
static bool is_added(const Build *b, size_t id)
{
    const Tokenizer *t = b->reader->tokenizer;
    return b->setup->vocab
               ? id == (size_t)t->special[SPECIAL_EOS] || id == (size_t)t->special[SPECIAL_UNK] ||
                     id == (size_t)t->special[SPECIAL_PAD]
               : b->types[id] == PIECE_CONTROL || b->types[id] == PIECE_UNKNOWN;
}

static bool put_added(Build *b, Error *err)
{
    Tokenizer *t = b->reader->tokenizer;
    const cJSON *decoder = json_get(b->setup->config, "added_tokens_decoder");
    const cJSON *list = b->setup->added;
    size_t n = count_items(decoder) + count_items(list);
    for (size_t i = 0; i < b->n_ids; i++) {
        n += is_added(b, i);
    }
    const size_t n_places =
        AS_MAX(b->n_ids, AS_MAX(said_end(decoder, true), said_end(list, false)));
    uint32_t *places = mem_alloc_zeroed(n_places, sizeof *places, err);
    t->added.items = ARENA_ARRAY(&t->arena, AddedToken, n, err);
    if (!places || !t->added.items) {
        mem_free(places);
        return false;
    }
    for (size_t i = 0; i < b->n_ids; i++) {
        if (is_added(b, i) && t->vocab.names[i]) {
            t->added.items[t->added.n++] = (AddedToken){
                .id = (int32_t)i,
                .content = t->vocab.names[i],
                .n = t->vocab.lengths[i],
                .special = true,
                .lstrip = b->family->has_mask && strcmp(t->vocab.names[i], "<mask>") == 0,
            };
            places[i] = t->added.n;
        }
    }
    const bool ok =
        put_said(b, decoder, true, places, err) && put_said(b, list, false, places, err);
    mem_free(places);
    return ok;
}

/** Id of a name, not of what Marian's vocabulary lacks; -1 = none. */
static int32_t find_name(const Build *b, TextView name)
{
    const Tokenizer *t = b->reader->tokenizer;
    const int32_t id = vocab_find(&t->vocab, name.text, name.n);
    return t->settings.n_own && id >= (int32_t)t->settings.n_own ? -1 : id;
}

static void set_specials(Build *b)
{
    Tokenizer *t = b->reader->tokenizer;
    const PieceFile *file = b->setup->file;
    const bool marian = b->setup->vocab != NULL;
    t->settings.unk_id = marian ? find_name(b, (TextView){"<unk>", 5}) : b->ids[file->unknown];
    t->special[SPECIAL_UNK] = t->settings.unk_id;
    t->special[SPECIAL_BOS] = marian ? -1 : find_name(b, file->bos);
    t->special[SPECIAL_EOS] = find_name(b, file->eos);
    t->special[SPECIAL_PAD] = find_name(b, file->pad);
    t->special[SPECIAL_MASK] = b->family->has_mask ? find_name(b, (TextView){"<mask>", 6}) : -1;
}

/** What goes around a text. */
static bool set_ends(Build *b, Error *err)
{
    static const char *const SINGLE[] = {"A0", "00A0", "A010", "00A010"};
    static const char *const PAIR[] = {"A0B1", "00A001B1", "A010B111", "00A01001B111"};
    Tokenizer *t = b->reader->tokenizer;
    const PieceFamily *family = b->family;
    const bool bos = json_get_bool(b->setup->config, "add_bos_token", family->adds_bos);
    const bool eos = json_get_bool(b->setup->config, "add_eos_token", family->adds_eos);
    const bool usual = bos == family->adds_bos && eos == family->adds_eos;
    const int32_t ids[2] = {t->special[SPECIAL_BOS], t->special[SPECIAL_EOS]};
    if ((bos && ids[0] < 0) || (eos && ids[1] < 0)) {
        return error_set(err, ERR_FORMAT, "%s: a text is to %s with a token it does not have",
                         b->reader->name, bos && ids[0] < 0 ? "begin" : "end");
    }
    const int which = bos + 2 * eos;
    const char *pair = usual && family->pair ? family->pair : PAIR[which];
    t->post_processor = component_create(t, POST_PROCESSORS, "TemplateProcessing", 0, err);
    return t->post_processor && template_set(t, t->post_processor, 0, SINGLE[which], ids, err) &&
           template_set(t, t->post_processor, 1, pair, ids, err);
}

/* ---- the engine ---- */

static bool set_unigram(Build *b, bool *left_out, Error *err)
{
    static const float UNK_PENALTY = 10;
    Tokenizer *t = b->reader->tokenizer;
    double *scores = ARENA_ARRAY(&t->arena, double, b->n_ids, err);
    if (!scores) {
        return false;
    }
    /* As SentencePiece starts them. */
    float least = FLT_MAX;
    float most = FLT_MIN;
    for (size_t i = 0; i < b->n_ids; i++) {
        if (b->types[i] == PIECE_NORMAL) {
            least = AS_MIN(least, b->scores[i]);
            most = AS_MAX(most, b->scores[i]);
        }
    }
    for (size_t i = 0; i < b->n_ids; i++) {
        const bool is_user = b->types[i] == PIECE_USER_DEFINED;
        scores[i] =
            is_user ? (double)((float)t->vocab.lengths[i] * most) - 0.1 : (double)b->scores[i];
        left_out[i] = b->types[i] != PIECE_NORMAL && !is_user;
    }
    if (!unigram_finish(b->reader, scores, left_out, err)) {
        return false;
    }
    t->unigram.unk_score = (double)(least - UNK_PENALTY);
    t->unigram.rounds = true;
    return true;
}

static bool set_bpe(Build *b, bool *takes, Error *err)
{
    Tokenizer *t = b->reader->tokenizer;
    bool *unused = ARENA_ARRAY(&t->arena, bool, b->n_ids, err);
    bool has_unused = false;
    if (!unused) {
        return false;
    }
    for (size_t i = 0; i < b->n_ids; i++) {
        unused[i] = b->types[i] == PIECE_UNUSED;
        has_unused |= unused[i];
        takes[i] =
            (b->types[i] == PIECE_NORMAL || unused[i]) && b->setup->file->model == PIECE_MODEL_BPE;
    }
    t->unused = has_unused ? unused : NULL;
    t->settings.fuse_unk = true;
    if (!piece_merges_build(t, b->scores, takes, err)) {
        return false;
    }
    bpe_finish(t);
    return true;
}

static bool set_engine(Build *b, Error *err)
{
    Tokenizer *t = b->reader->tokenizer;
    const PieceModel model = b->setup->file->model;
    bool *marks = mem_alloc_zeroed(b->n_ids, sizeof *marks, err);
    if (!marks) {
        return false;
    }
    bool has_user = false;
    for (size_t i = 0; i < b->n_ids; i++) {
        marks[i] = b->types[i] != PIECE_USER_DEFINED;
        has_user |= !marks[i];
    }
    bool ok = !has_user || piece_trie_build(&t->user, &t->vocab, marks, &t->arena, err);
    t->settings.byte_fallback = b->setup->file->byte_fallback;
    if (ok && model == PIECE_MODEL_WORD) {
        t->model = &PIECE_WORDS;
    } else if (ok && model == PIECE_MODEL_UNIGRAM) {
        t->model = model_kind_find("Unigram");
        ok = set_unigram(b, marks, err);
    } else if (ok) {
        t->model = model_kind_find("BPE");
        ok = set_bpe(b, marks, err);
    }
    mem_free(marks);
    return ok;
}

/** How a text is prepared, and how pieces become one again. */
static bool set_components(Build *b, Error *err)
{
    Tokenizer *t = b->reader->tokenizer;
    const PieceFile *file = b->setup->file;
    Charsmap *map = ARENA_NEW(&t->arena, Charsmap, err);
    t->normalizer = component_create(t, PIECE_NORMALIZERS, "SentencePiece", 0, err);
    t->decoder = piece_decoder_create(t, file->adds_space && !file->spaces_are_suffixes, err);
    if (!map || !t->normalizer || !t->decoder ||
        !charsmap_read(map, &t->arena, (const uint8_t *)file->charsmap.text, file->charsmap.n,
                       b->reader->name, err)) {
        return false;
    }
    /* "legacy": false says that only the text's start gets a space, not what follows a special
     * token. */
    const bool everywhere = json_get_bool(b->setup->config, "legacy", true);
    t->normalizer->charsmap = map;
    t->normalizer->pieces.prepend = !file->adds_space ? PREPEND_NEVER
                                    : everywhere      ? PREPEND_ALWAYS
                                                      : PREPEND_FIRST;
    t->normalizer->pieces.appends = file->spaces_are_suffixes;
    t->normalizer->pieces.trims = file->trims_spaces;
    t->normalizer->pieces.escapes = file->escapes_spaces;
    return true;
}

static bool build(Build *b, Error *err)
{
    Tokenizer *t = b->reader->tokenizer;
    if (b->setup->vocab && !cJSON_IsObject(b->setup->vocab)) {
        return error_set(err, ERR_FORMAT, "%s: its vocab.json is no object", b->reader->name);
    }
    if (b->setup->vocab && !vocab_read_table(b->reader, b->setup->vocab, err)) {
        return false;
    }
    const Vocab own = t->vocab;
    if (!(b->setup->vocab ? number_by_name(b, err) : number_by_place(b, err))) {
        return false;
    }
    b->types = mem_alloc_zeroed(b->n_ids, sizeof *b->types, err);
    b->scores = mem_alloc_zeroed(b->n_ids, sizeof *b->scores, err);
    if (!b->types || !b->scores || !put_names(b, &own, err)) {
        return false;
    }
    set_specials(b);
    if (t->settings.unk_id < 0) {
        return error_set(err, ERR_FORMAT, "%s: vocab.json lacks <unk>", b->reader->name);
    }
    if (b->setup->vocab) {
        t->settings.has_codes = true;
    }
    return set_engine(b, err) && put_added(b, err) && set_components(b, err) && set_ends(b, err);
}

bool tokenizer_read_pieces(Reader *reader, const PieceSetup *setup, Error *err)
{
    Build b = {.reader = reader, .setup = setup, .family = choose_family(reader, setup)};
    b.ids = mem_alloc_zeroed(setup->file->n, sizeof *b.ids, err);
    const bool ok = b.ids && build(&b, err);
    mem_free(b.ids);
    mem_free(b.types);
    mem_free(b.scores);
    return ok && tokenizer_read_config(reader->tokenizer, setup->config, err);
}
