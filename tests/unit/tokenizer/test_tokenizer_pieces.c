#include "helpers.h"

#include "base/file.h"
#include "tokenizer/piece_file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a model file, field by field ---- */

static void put(StrBuf *b, const void *bytes, size_t n)
{
    Error err = {0};
    assert_ok(strbuf_add(b, bytes, n, &err), err);
}

static void put_varint(StrBuf *b, uint64_t value)
{
    for (; value > 127; value >>= 7) {
        put(b, (char[]){(char)(value | 128)}, 1);
    }
    put(b, (char[]){(char)value}, 1);
}

static void put_number(StrBuf *b, uint32_t field, uint64_t value)
{
    put_varint(b, field << 3);
    put_varint(b, value);
}

static void put_bytes(StrBuf *b, uint32_t field, const void *bytes, size_t n)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, n);
    put(b, bytes, n);
}

static void put_piece(StrBuf *b, const char *name, size_t n, float score, uint64_t type)
{
    StrBuf piece = {0};
    put_bytes(&piece, 1, name, n);
    put_varint(&piece, 2 << 3 | 5);
    put(&piece, &score, 4);
    put_number(&piece, 3, type);
    put_bytes(b, 1, strbuf_text(&piece), piece.n);
    strbuf_free(&piece);
}

/** Pieces from "name:score:type|name:…". */
static void put_pieces(StrBuf *b, const char *pieces)
{
    for (const char *at = pieces; *at;) {
        const size_t n = strcspn(at, ":");
        char *end;
        const float score = strtof(at + n + 1, &end);
        put_piece(b, at, n, score, strtoul(end + 1, &end, 10));
        at = end + (*end == '|');
    }
}

static const char PIECES[] = "<unk>:0:2|<s>:0:3|</s>:0:3|\xE2\x96\x81:-2:1|a:-3:1|b:-3:1|"
                             "ab:-1:1|\xE2\x96\x81"
                             "ab:-9:5|USER:0:4";

/** The file `b` without bytes to spare, so that a sanitizer sees every read past its end. */
static bool read_copy(const StrBuf *b, PieceFile *file, Arena *arena, Error *err)
{
    uint8_t *copy = malloc(b->n ? b->n : 1);
    assert_non_null(copy);
    memcpy(copy, strbuf_text(b), b->n);
    const bool ok = piece_file_read(file, arena, copy, b->n, "m.model", err);
    free(copy);
    return ok;
}

static void test_piece_file_read__fields(void **state)
{
    (void)state;
    StrBuf b = {0};
    StrBuf trainer = {0};
    StrBuf normalizer = {0};
    Arena arena = {0};
    Error err = {0};
    PieceFile file;
    put_pieces(&b, PIECES);
    put_number(&trainer, 3, 2);
    put_number(&trainer, 24, 1);
    put_bytes(&trainer, 46, "<go>", 4);
    put_number(&trainer, 99, 1);
    put_number(&normalizer, 3, 0);
    put_number(&normalizer, 4, 0);
    put_bytes(&b, 2, strbuf_text(&trainer), trainer.n);
    put_bytes(&b, 3, strbuf_text(&normalizer), normalizer.n);
    put_number(&b, 1000, 7);
    assert_true(piece_file_is((const uint8_t *)strbuf_text(&b), b.n));
    assert_ok(piece_file_read(&file, &arena, (const uint8_t *)strbuf_text(&b), b.n, "m", &err),
              err);
    assert_int_equal(file.n, 9);
    assert_int_equal(file.unknown, 0);
    assert_int_equal(file.model, PIECE_MODEL_BPE);
    assert_true(file.spaces_are_suffixes && file.escapes_spaces);
    assert_false(file.adds_space || file.trims_spaces || file.byte_fallback);
    assert_memory_equal(file.bos.text, "<go>", 4);
    assert_memory_equal(file.eos.text, "</s>", 4);
    assert_int_equal(file.pieces[7].type, PIECE_UNUSED);
    assert_true(file.pieces[6].score == -1);
    strbuf_free(&b);
    strbuf_free(&trainer);
    strbuf_free(&normalizer);
    arena_destroy(&arena);
}

/** However much of a good file is there, nothing past it is read; and what was said is said. */
static void test_piece_file_read__cut_anywhere(void **state)
{
    (void)state;
    StrBuf b = {0};
    Arena arena = {0};
    PieceFile file;
    put_pieces(&b, PIECES);
    const size_t n = b.n;
    size_t n_read = 0;
    for (b.n = 0; b.n < n; b.n++) {
        Error err = {0};
        if (read_copy(&b, &file, &arena, &err)) {
            n_read++;
        } else {
            assert_int_equal(err.code, ERR_FORMAT);
            assert_non_null(strstr(err.message, "m.model"));
        }
    }
    assert_int_equal(n_read, 8); /* behind each piece from the first on */
    strbuf_free(&b);
    arena_destroy(&arena);
}

static void test_piece_file_read__refused(void **state)
{
    (void)state;
    static const struct {
        const char *pieces;
        const char *rest; /* bytes behind them */
        size_t n_rest;
        ErrorCode code;
        const char *says;
    } cases[] = {
        {"", "", 0, ERR_FORMAT, "no pieces"},
        {"a:0:1", "", 0, ERR_FORMAT, "0 pieces stand for what is unknown"},
        {"<unk>:0:2|?:0:2", "", 0, ERR_FORMAT, "2 pieces stand for what is unknown"},
        {"<unk>:0:2|a:0:1|b:0:1|a:0:1", "", 0, ERR_FORMAT, "pieces 1 and 3 are both \"a\""},
        {"<unk>:0:2|:0:1", "", 0, ERR_FORMAT, "piece 1 is empty"},
        {"<unk>:0:2|\xFF:0:1", "", 0, ERR_FORMAT, "piece 1 is no text"},
        {"<unk>:0:2|a:nan:1", "", 0, ERR_FORMAT, "score of piece 1"},
        {"<unk>:0:2|a:inf:1", "", 0, ERR_FORMAT, "score of piece 1"},
        {"<unk>:0:2|a:0:0", "", 0, ERR_FORMAT, "a kind that is not known"},
        {"<unk>:0:2|a:0:7", "", 0, ERR_FORMAT, "a kind that is not known"},
        {"<unk>:0:2|<0x00>:0:6", "", 0, ERR_FORMAT, "1 of its pieces stand for bytes, expected 0"},
        {"<unk>:0:2|<0x0g>:0:6", "", 0, ERR_FORMAT, "stands for a byte"},
        {"<unk>:0:2", "\x12\x02\x18\x05", 4, ERR_UNSUPPORTED, "kind of model is 5"},
        {"<unk>:0:2", "\x12\x03\x98\x02\x01", 5, ERR_FORMAT, "expected 256"},
        {"<unk>:0:2", "\x12\x02\x1A\x00", 4, ERR_FORMAT, "another kind"},
        {"<unk>:0:2", "\x12\x05\x18", 3, ERR_FORMAT, "ends behind its message"},
        {"<unk>:0:2", "\x10\x05", 2, ERR_FORMAT, "a number where a message"},
        {"<unk>:0:2", "\x0B", 1, ERR_FORMAT, "a kind that is not known"},
        {"<unk>:0:2", "\x02\x00", 2, ERR_FORMAT, "number cannot be"},
        {"<unk>:0:2", "\x25\x00", 2, ERR_FORMAT, "ends behind its message"},
        {"<unk>:0:2", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, ERR_FORMAT, "64 bits"},
        {"<unk>:0:2", "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11, ERR_FORMAT,
         "ends behind its message"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        StrBuf b = {0};
        Arena arena = {0};
        Error err = {0};
        PieceFile file;
        put_pieces(&b, cases[i].pieces);
        put(&b, cases[i].rest, cases[i].n_rest);
        assert_false(read_copy(&b, &file, &arena, &err));
        if (err.code != cases[i].code || !strstr(err.message, cases[i].says)) {
            fail_msg("case %zu: %s", i, err.message);
        }
        strbuf_free(&b);
        arena_destroy(&arena);
    }
}

/* ---- folders ---- */

static char *put_file(Arena *arena, const char *folder, const char *name, const void *bytes,
                      size_t n)
{
    Error err = {0};
    char *path = path_join(arena, folder, name, &err);
    assert_ok(path && file_write_all(path, bytes, n, &err), err);
    return path;
}

/** What lies beside a model file decides ids and ends. */
static void test_tokenizer_open__families(void **state)
{
    (void)state;
    static const struct {
        const char *model, *beside, *json, *expected;
    } cases[] = {
        {"spiece.model", "config.json", "{\"model_type\":\"t5\"}", "6:0-2 +2:0-0"},
        {"spiece.model", "tokenizer_config.json", "{\"tokenizer_class\":\"T5TokenizerFast\"}",
         "6:0-2 +2:0-0"},
        {"tokenizer.model", "config.json", "{\"model_type\":\"llama\"}", "+1:0-0 6:0-2"},
        {"tokenizer.model", "tokenizer_config.json",
         "{\"tokenizer_class\":\"LlamaTokenizer\",\"add_bos_token\":false,\"add_eos_token\":true}",
         "6:0-2 +2:0-0"},
        {"tokenizer.model", "added_tokens.json", "{\"ab\":12}", "12:0-2"},
        {"tokenizer.model", "config.json", "{}", "6:0-2"},
        {"sentencepiece.bpe.model", "config.json", "{\"model_type\":\"xlm-roberta\"}",
         "+0:0-0 7:0-2 +2:0-0"},
        {"sentencepiece.bpe.model", "config.json", "{\"model_type\":\"camembert\"}",
         "+5:0-0 10:0-2 +6:0-0"},
    };
    char folder[] = "/tmp/test_pieces_XXXXXX";
    StrBuf b = {0};
    Arena arena = {0};
    Error err = {0};
    assert_non_null(mkdtemp(folder));
    put_pieces(&b, PIECES);
    const char no_prefix[] = "\x1A\x02\x18";
    put(&b, no_prefix, sizeof no_prefix);
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        char *model = put_file(&arena, folder, cases[i].model, strbuf_text(&b), b.n);
        char *beside =
            put_file(&arena, folder, cases[i].beside, cases[i].json, strlen(cases[i].json));
        Tokenizer *t = tokenizer_open(i % 2 ? folder : model, NULL, &err);
        assert_ok(t, err);
        assert_string_equal(
            show_tokens(t, "ab", 2, &(TokenizeOptions){.add_special = true}, &arena),
            cases[i].expected);
        tokenizer_close(&t);
        assert_int_equal(unlink(model) | unlink(beside), 0);
    }
    assert_int_equal(rmdir(folder), 0);
    strbuf_free(&b);
    arena_destroy(&arena);
}

/** Ids that a family fixes lie past the pieces of a file that lacks the others. */
static void test_tokenizer_open__fixed_ids_past_the_end(void **state)
{
    (void)state;
    static const struct {
        const char *pieces, *type;
        const char *says; /* NULL: it opens */
    } cases[] = {
        {"<unk>:0:2", "xlm-roberta", "piece 0 has the id 3"},
        {"<unk>:0:2|<s>:0:3", "xlm-roberta", "piece 0 has the id 3"},
        {"<unk>:0:2|<s>:0:3|</s>:0:3", "xlm-roberta", NULL},
        {"<unk>:0:2", "llama", "does not have"},
    };
    char folder[] = "/tmp/test_pieces_XXXXXX";
    Arena arena = {0};
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        StrBuf b = {0};
        Error err = {0};
        put_pieces(&b, cases[i].pieces);
        const char *config = arena_printf(&arena, &err, "{\"model_type\":\"%s\"}", cases[i].type);
        assert_ok(config, err);
        char *model = put_file(&arena, folder, "spiece.model", strbuf_text(&b), b.n);
        char *beside = put_file(&arena, folder, "config.json", config, strlen(config));
        Tokenizer *t = tokenizer_open(folder, NULL, &err);
        const bool said = cases[i].says
                              ? !t && err.code == ERR_FORMAT && strstr(err.message, cases[i].says)
                              : t != NULL;
        if (!said) {
            fail_msg("case %zu: %s", i, t ? "opened" : err.message);
        }
        tokenizer_close(&t);
        assert_int_equal(unlink(model) | unlink(beside), 0);
        strbuf_free(&b);
    }
    assert_int_equal(rmdir(folder), 0);
    arena_destroy(&arena);
}

static void test_tokenizer_open__marian_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text; /* NULL text: the model */
        ErrorCode code;
        const char *says;
    } steps[] = {
        {"source.spm", NULL, ERR_IO, "vocab.json"},
        {"vocab.json", "[1]", ERR_FORMAT, "no object"},
        {"vocab.json", "{\"a\":0,\"</s>\":1}", ERR_FORMAT, "lacks <unk>"},
        {"vocab.json", "{\"a\":0,\"<unk>\":1}", ERR_FORMAT, "does not have"},
        {"vocab.json", "{\"a\":0,\"<unk>\":0}", ERR_FORMAT, "same id"},
        {"vocab.json", "{\"a\":0,\"<unk>\":1,\"</s>\":2}", ERR_NONE, ""},
        {"target.spm", "version https://git-lfs", ERR_FORMAT, "not a SentencePiece model"},
        {"target.spm", NULL, ERR_NONE, ""},
        {"tokenizer_config.json", "{\"added_tokens_decoder\":{\"x\":{\"content\":\"y\"}}}",
         ERR_FORMAT, "added token \"x\""},
        {"tokenizer_config.json", "{\"added_tokens_decoder\":{\"7\":{}}}", ERR_FORMAT,
         "added token \"7\""},
        {"tokenizer_config.json", "{\"added_tokens_decoder\":{\"99999999\":{\"content\":\"y\"}}}",
         ERR_FORMAT, "no id below"},
    };
    char folder[] = "/tmp/test_pieces_XXXXXX";
    StrBuf b = {0};
    Arena arena = {0};
    assert_non_null(mkdtemp(folder));
    put_pieces(&b, PIECES);
    for (size_t i = 0; i < AS_COUNT(steps); i++) {
        Error err = {0};
        const char *text = steps[i].text ? steps[i].text : strbuf_text(&b);
        put_file(&arena, folder, steps[i].file, text, steps[i].text ? strlen(text) : b.n);
        Tokenizer *t = tokenizer_open(folder, NULL, &err);
        if (err.code != steps[i].code || (err.code && !strstr(err.message, steps[i].says))) {
            fail_msg("step %zu: %s", i, err.message);
        }
        assert_true((t != NULL) == (steps[i].code == ERR_NONE));
        if (t) {
            assert_int_equal(tokenizer_n_vocab(t), 3);
            assert_null(tokenizer_token_name(t, 3));
            assert_int_equal(tokenizer_find(t, "ab"), -1);
            assert_true((tokenizer_for_target(t) == t) == (i < 6));
        }
        tokenizer_close(&t);
    }
    char **names;
    size_t n;
    Error err = {0};
    assert_ok(folder_list(&arena, folder, &names, &n, &err), err);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(unlink(path_join(&arena, folder, names[i], &err)), 0);
    }
    assert_int_equal(rmdir(folder), 0);
    strbuf_free(&b);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_piece_file_read__fields),
        cmocka_unit_test(test_piece_file_read__cut_anywhere),
        cmocka_unit_test(test_piece_file_read__refused),
        cmocka_unit_test(test_tokenizer_open__families),
        cmocka_unit_test(test_tokenizer_open__fixed_ids_past_the_end),
        cmocka_unit_test(test_tokenizer_open__marian_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
