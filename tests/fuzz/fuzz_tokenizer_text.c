/* Any bytes as a text: the first one picks the tokenizer. Broken UTF-8 must be refused and, once
 * repaired, taken. */
#include "tokenize.h"

#define BYTES                                                                                      \
    "\"a\":1,\"b\":2,\"c\":3,\"ab\":4,\"\xC4\xA0\":5,\"\xC4\xA0"                                   \
    "a\":6,\"\xC3\xA9\":7,\"abc\":8"

/* Some rules as make_tokens_unigram.py --seeds writes them, in base64. */
#define RULES                                                                                      \
    "AAQAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAIAKBQAAAAAAAAAAAAAAAAAAAAAAAA0EAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMAACAgQUAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAACsCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAoAUAAAEAAIBlBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAgK0FAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAMAAIC9BQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADMBAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAIEFAAAJAACAAAAAAMIEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAADvBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAx4oGEMgBmaQDDqQA="

static const char *const JSONS[] = {
    "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"<unk>\":0," BYTES
    "},\"merges\":[\"a b\",\"ab c\",\"\xC4\xA0 a\"],\"unk_token\":\"<unk>\",\"fuse_unk\":true},"
    "\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":\"ByteLevel\","
    "\"add_prefix_space\":true},\"post_processor\":{\"type\":\"RobertaProcessing\","
    "\"sep\":[\"b\",2],\"cls\":[\"a\",1]},\"decoder\":{\"type\":\"ByteLevel\"},\"added_tokens\":["
    "{\"id\":9,\"content\":\"<m>\",\"lstrip\":true,\"rstrip\":true,\"special\":true}]}",
    "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0,\"a\":1,\"##a\":2,\"ab\":3,\"##b\":"
    "4,"
    "\"e\":5,\".\":6}},\"normalizer\":{\"type\":\"BertNormalizer\"},\"pre_tokenizer\":{\"type\":"
    "\"BertPreTokenizer\"},\"decoder\":{\"type\":\"WordPiece\"},\"added_tokens\":[{\"id\":7,"
    "\"content\":\"ABA\",\"normalized\":true,\"single_word\":true}]}",
    "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"\xE2\x96\x81\":3,\"ab\":"
    "4,"
    "\"\xE2\x96\x81"
    "a\":5,\"<0xC3>\":6,\"<0xA9>\":7},\"merges\":[[\"a\",\"b\"],[\"\xE2\x96\x81\",\"a\"]],"
    "\"unk_token\":\"<unk>\",\"byte_fallback\":true},\"normalizer\":{\"type\":\"Sequence\","
    "\"normalizers\":[{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"},{\"type\":\"Lowercase\"},"
    "{\"type\":\"Nmt\"},{\"type\":\"Strip\"},{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"b+\"},"
    "\"content\":\"b\"}]},\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":"
    "\"\xE2\x96\x81\","
    "\"prepend_scheme\":\"first\"},\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":"
    "\"ByteFallback\"},{\"type\":\"Metaspace\"},{\"type\":\"Fuse\"}]}}",
    "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"<unk>\":0,\"a\":1,\"7\":2},\"unk_token\":\"<"
    "unk>\"},"
    "\"normalizer\":{\"type\":\"NFKC\"},\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":"
    "["
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i:'s)|\\\\p{N}{1,3}|\\\\b\"},\"behavior\":"
    "\"MergedWithNext\"},{\"type\":\"Whitespace\"},{\"type\":\"Punctuation\",\"behavior\":"
    "\"Contiguous\"},{\"type\":\"Digits\",\"individual_digits\":true}]}}",
    "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"byte_fallback\":true,\"vocab\":[[\"<unk>\",0],"
    "[\"a\",-1],[\"b\",-2],[\"ab\",-2.5],[\"\xE2\x96\x81\",-1.5],[\"\xE2\x96\x81"
    "a\",-2],[\"<0xC3>\",0],[\"<0xA9>\",0],[\"fi\",-3],[\"\xC3\xA9\",-3]]},\"normalizer\":{"
    "\"type\":"
    "\"Precompiled\",\"precompiled_charsmap\":\"" RULES "\"},\"pre_tokenizer\":{\"type\":"
    "\"Metaspace\",\"prepend_scheme\":\"always\"},\"decoder\":{\"type\":\"Metaspace\"}}",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    if (n_bytes < 1) {
        return 0;
    }
    Error err = {0};
    Arena arena = {0};
    size_t which = data[0] % (AS_COUNT(JSONS) + 1);
    const char *text = (const char *)data + 1;
    size_t n = n_bytes - 1;
    Tokenizer *tokenizer;
    if (which == AS_COUNT(JSONS)) {
        tokenizer = tokenizer_open_words(7, &err);
    } else {
        TokenizerJson desc = {.json = JSONS[which], .n_json = strlen(JSONS[which])};
        tokenizer = tokenizer_open_json(&desc, NULL, &err);
    }
    if (!tokenizer) {
        abort();
    }
    size_t n_repaired;
    char *repaired = utf8_repair(&arena, text, n, &n_repaired, NULL, &err);
    tokenize_text(tokenizer, text, n, true, NULL);
    if (repaired) {
        Tokens tokens;
        if (!tokenizer_encode(tokenizer, repaired, n_repaired, NULL, &arena, &tokens, &err)) {
            abort();
        }
        tokenize_text(tokenizer, repaired, n_repaired, true, "a b");
    }
    tokenizer_close(&tokenizer);
    arena_destroy(&arena);
    return 0;
}
