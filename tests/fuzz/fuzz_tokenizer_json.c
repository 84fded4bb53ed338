#include "tokenize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const char *const texts[] = {
        "",
        "Hello, w\xC3\xB6rld! [MASK] <mask> <s> it's 12 345\n\n\t  x_y",
        "\xE4\xBD\xA0 e\xCC\x81\xCC\xA3 \xF0\x9F\x99\x82\xE2\x80\x8D \xE2\x96\x81 a[MASK]b  ",
    };
    Error err = {0};
    TokenizerJson desc = {.json = (const char *)data, .n_json = n_bytes, .name = "fuzzed"};
    Tokenizer *tokenizer = tokenizer_open_json(&desc, NULL, &err);
    for (size_t i = 0; i < AS_COUNT(texts) && tokenizer; i++) {
        tokenize_text(tokenizer, texts[i], strlen(texts[i]), true, NULL);
        tokenize_text(tokenizer, texts[i], strlen(texts[i]), false, texts[1]);
    }
    tokenizer_close(&tokenizer);
    return 0;
}
