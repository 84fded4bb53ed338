#include "tokenize.h"

#include "formats/tensor_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const char text[] = "Hello, w\xC3\xB6rld! <s> it's 12 345\n \xE4\xBD\xA0 [MASK]";
    Error err = {0};
    TensorFile *file = tensor_file_open_memory("fuzzed", data, n_bytes, &err);
    Tokenizer *tokenizer = file ? tokenizer_open_gguf(file, NULL, &err) : NULL;
    tensor_file_close(&file);
    if (tokenizer) {
        tokenize_text(tokenizer, text, strlen(text), true, NULL);
        tokenize_text(tokenizer, text, strlen(text), false, text);
    }
    tokenizer_close(&tokenizer);
    return 0;
}
