/* Any bytes as a chat template. Whatever it is, it ends soon, and what it gives is UTF-8 text. */
#include "fuzz.h"

#include "base/arena.h"
#include "base/str.h"
#include "tokenizer/chat.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const ChatMessage messages[] = {
        {"system", " be brief ", 10}, {"user", "H\xC3\xB6i\n{{x}}", 10}, {"assistant", "a", 1}};
    static const char *const names[] = {"bos_token", "eos_token"};
    static const char *const texts[] = {"<s>", NULL};
    Arena arena = {0};
    for (size_t first = 0; first < 2; first++) {
        Error err = {0};
        size_t n = 0;
        ChatDesc desc = {.source = (const char *)data,
                         .n_source = n_bytes,
                         .messages = messages + first,
                         .n_messages = 3 - first,
                         .closed = first == 1,
                         .names = names,
                         .texts = texts,
                         .n_names = 2,
                         .time_s = 1};
        char *text = chat_render(&desc, &arena, &n, &err);
        if (text ? text[n] != 0 || utf8_count_invalid(text, n) : err.code == ERR_NONE) {
            abort();
        }
    }
    arena_destroy(&arena);
    return 0;
}
