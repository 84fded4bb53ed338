#include "tokenizer/gguf_pre.h"

#include <string.h>

#define GPT2              "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define CONTRACTION       "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SYMBOLS_AND_SPACE " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define LLAMA3            CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|" SYMBOLS_AND_SPACE
#define QWEN2             CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|" SYMBOLS_AND_SPACE
#define QWEN35                                                                                     \
    CONTRACTION                                                                                    \
    "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*"           \
    "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define UPPER  "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER  "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"
#define TEKKEN                                                                                     \
    BEFORE UPPER "*" LOWER "+|" BEFORE UPPER "+" LOWER "*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"  \
                 "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define GPT4O                                                                                      \
    BEFORE UPPER "*" LOWER "+" CONTRACTION "?|" BEFORE UPPER "+" LOWER "*" CONTRACTION             \
                 "?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define DEEPSEEK3                                                                                  \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?"           \
    "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define HAN_AND_HANGUL                                                                             \
    "[\xE4\xB8\x80-\xE9\xBE\xA5\xE0\xA0\x80-\xE4\xB8\x80\xEA\xB0\x80-\xED\x9F\xBF]+"
#define BLOOM                                                                                      \
    " ?[^(\\s|[.,!?\xE2\x80\xA6\xE3\x80\x82\xEF\xBC\x8C\xE3\x80\x81\xE0\xA5\xA4\xDB\x94\xD8\x8C])" \
    "]+"

static const GgufPre ROWS[] = {
    /* digits one by one, then GPT-2's words */
    {.name = "smollm", .patterns = {"\\p{N}", GPT2}},
    {.name = "starcoder", .patterns = {"\\p{N}", GPT2}},
    {.name = "refact", .patterns = {"\\p{N}", GPT2}},
    {.name = "command-r", .patterns = {"\\p{N}", GPT2}},
    {.name = "codeshell", .patterns = {"\\p{N}", GPT2}},
    {.name = "exaone", .patterns = {"\\p{N}", GPT2}},
    {.name = "minerva-7b", .patterns = {"\\p{N}", GPT2}},
    /* GPT-2's words */
    {.name = "gpt-2", .patterns = {GPT2}},
    {.name = "gpt2", .patterns = {GPT2}},
    {.name = "phi-2", .patterns = {GPT2}},
    {.name = "mpt", .patterns = {GPT2}},
    {.name = "olmo", .patterns = {GPT2}},
    {.name = "jais", .patterns = {GPT2}},
    {.name = "gigachat", .patterns = {GPT2}},
    {.name = "roberta-bpe", .patterns = {GPT2}},
    {.name = "jina-es", .patterns = {GPT2}},
    {.name = "jina-de", .patterns = {GPT2}},
    {.name = "jina-v1-en", .patterns = {GPT2}},
    {.name = "jina-v2-es", .patterns = {GPT2}},
    {.name = "jina-v2-de", .patterns = {GPT2}},
    {.name = "jina-v2-code", .patterns = {GPT2}},
    /* numbers of up to three digits */
    {.name = "llama-bpe", .patterns = {LLAMA3}, .ignore_merges = true, .add_bos = true},
    {.name = "llama3", .patterns = {LLAMA3}, .ignore_merges = true, .add_bos = true},
    {.name = "llama-v3", .patterns = {LLAMA3}, .ignore_merges = true, .add_bos = true},
    {.name = "falcon3", .patterns = {LLAMA3}, .ignore_merges = true, .add_bos = true},
    {.name = "pixtral", .patterns = {LLAMA3}, .ignore_merges = true, .add_bos = true},
    {.name = "dbrx", .patterns = {LLAMA3}},
    {.name = "smaug-bpe", .patterns = {LLAMA3}},
    {.name = "chatglm-bpe", .patterns = {LLAMA3}},
    {.name = "gpt-4o", .patterns = {GPT4O}},
    {.name = "llama4", .patterns = {GPT4O}, .add_bos = true},
    /* digits one by one, in one pattern */
    {.name = "qwen2", .patterns = {QWEN2}},
    {.name = "deepseek-r1-qwen", .patterns = {QWEN2}},
    {.name = "stablelm2", .patterns = {QWEN2}},
    {.name = "megrez", .patterns = {QWEN2}},
    {.name = "qwen35", .patterns = {QWEN35}},
    {.name = "tekken", .patterns = {TEKKEN}, .ignore_merges = true, .add_bos = true},
    /* others */
    {.name = "deepseek-coder",
     .patterns = {"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", HAN_AND_HANGUL, "\\p{N}"}},
    {.name = "deepseek-v3",
     .patterns = {"\\p{N}{1,3}",
                  "[\xE4\xB8\x80-\xE9\xBE\xA5\xE3\x81\x80-\xE3\x82\x9F\xE3\x82\xA0-\xE3\x83\xBF]+",
                  DEEPSEEK3}},
    {.name = "falcon", .patterns = {"[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"}},
    {.name = "bloom", .patterns = {BLOOM}},
    {.name = "poro-chat", .patterns = {BLOOM}},
    {.name = "gpt3-finnish", .patterns = {BLOOM}},
    {.name = "viking", .patterns = {BLOOM, "\\p{N}"}},
};

const GgufPre *gguf_pre_find(const char *name, size_t n)
{
    for (size_t i = 0; i < AS_COUNT(ROWS); i++) {
        if (strlen(ROWS[i].name) == n && memcmp(ROWS[i].name, name, n) == 0) {
            return &ROWS[i];
        }
    }
    return NULL;
}
