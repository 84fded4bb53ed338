#include "tokenize.h"

#include "base/json.h"
#include "tokenizer/engine.h"

/* Model files of SentencePiece, each with the ids of every family. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const char text[] =
        "  Hello, w\xC3\xB6rld!  <s> it's 12 345\n \xE4\xBD\xA0 [MASK]ha \xEF\xAC\x81 ";
    static const char *const types[] = {"t5", "llama", "xlm-roberta", "camembert", "", NULL};
    Arena arena = {0};
    Error err = {0};
    PieceFile file;
    const char names[] = "{\"<unk>\":1,\"</s>\":0,\"\xE2\x96\x81Hello\":3,\",\":4}";
    cJSON *vocab = json_parse(names, strlen(names), "vocab.json", &err);
    const bool ok = piece_file_read(&file, &arena, data, n_bytes, "fuzzed", &err);
    if (piece_file_is(data, n_bytes) && ok && file.n == 0) {
        abort();
    }
    for (size_t i = 0; i < AS_COUNT(types) && ok; i++) {
        PieceSetup setup = {
            .file = &file, .model_type = types[i], .vocab = types[i] ? NULL : vocab};
        Reader reader = {.tokenizer = tokenizer_create(&err), .name = "fuzzed"};
        Tokenizer *t = reader.tokenizer;
        if (t && tokenizer_read_pieces(&reader, &setup, &err) && tokenizer_finish(t, &err)) {
            tokenize_text(t, text, strlen(text), true, NULL);
            tokenize_text(t, text, strlen(text), false, text);
        }
        tokenizer_close(&t);
    }
    json_free(vocab);
    arena_destroy(&arena);
    return 0;
}
