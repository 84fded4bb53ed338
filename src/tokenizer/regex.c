#include "tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <string.h>

#include "tokenizer/clip.h"

struct Regex {
    pcre2_general_context *memory;
    pcre2_code *code;
};

struct RegexScratch {
    pcre2_general_context *memory;
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static void *regex_malloc(size_t n, void *payload)
{
    (void)payload;
    return mem_alloc(n, NULL);
}

static void regex_mem_free(void *p, void *payload)
{
    (void)payload;
    mem_free(p);
}

static Regex *compile(const char *pattern, size_t n, uint32_t options, const char *shown,
                      Error *err)
{
    Regex *regex = mem_alloc_zeroed(1, sizeof *regex, err);
    if (!regex) {
        return NULL;
    }
    regex->memory = pcre2_general_context_create(regex_malloc, regex_mem_free, NULL);
    pcre2_compile_context *context =
        regex->memory ? pcre2_compile_context_create(regex->memory) : NULL;
    if (!context) {
        error_set(err, ERR_MEMORY, "no memory for a regular expression");
        regex_free(regex);
        return NULL;
    }
    /* Ruby's lines end in \n alone, and ^ and $ are always about lines. */
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    int code = 0;
    PCRE2_SIZE at = 0;
    regex->code = pcre2_compile((PCRE2_SPTR)pattern, n, options, &code, &at, context);
    pcre2_compile_context_free(context);
    if (!regex->code) {
        PCRE2_UCHAR why[128] = "";
        pcre2_get_error_message(code, why, sizeof why);
        error_set(err, ERR_UNSUPPORTED, "the regular expression \"%.*s\" is not understood: %s",
                  CLIPPED(shown), (const char *)why);
        regex_free(regex);
        return NULL;
    }
    /* Where there is no just-in-time compiler, the interpreter does the same more slowly. */
    (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    return regex;
}

Regex *regex_compile(const char *pattern, size_t n, Error *err)
{
    StrBuf translated = {0};
    Regex *regex = NULL;
    if (regex_translate(pattern, n, &translated, err)) {
        regex = compile(strbuf_text(&translated), translated.n,
                        PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, pattern,
                        err);
    }
    strbuf_free(&translated);
    return regex;
}

Regex *regex_compile_literal(const char *text, size_t n, Error *err)
{
    if (n == 0) {
        return compile("(?!)", 4, PCRE2_UTF, "", err); /* nothing is found, as in the library */
    }
    return compile(text, n, PCRE2_UTF | PCRE2_LITERAL, text, err);
}

void regex_free(Regex *regex)
{
    if (regex) {
        pcre2_code_free(regex->code);
        pcre2_general_context_free(regex->memory);
        mem_free(regex);
    }
}

RegexScratch *regex_scratch_create(Error *err)
{
    enum { STACK_START = 32 << 10, STACK_MOST = 4 << 20 };
    RegexScratch *scratch = mem_alloc_zeroed(1, sizeof *scratch, err);
    if (!scratch) {
        return NULL;
    }
    scratch->memory = pcre2_general_context_create(regex_malloc, regex_mem_free, NULL);
    if (scratch->memory) {
        /* One pair: only where the whole match lies is asked. */
        scratch->match = pcre2_match_data_create(1, scratch->memory);
        scratch->context = pcre2_match_context_create(scratch->memory);
        scratch->stack = pcre2_jit_stack_create(STACK_START, STACK_MOST, scratch->memory);
    }
    if (!scratch->match || !scratch->context) {
        error_set(err, ERR_MEMORY, "no memory to match regular expressions");
        regex_scratch_destroy(scratch);
        return NULL;
    }
    if (scratch->stack) {
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    }
    return scratch;
}

void regex_scratch_destroy(RegexScratch *scratch)
{
    if (scratch) {
        pcre2_match_data_free(scratch->match);
        pcre2_match_context_free(scratch->context);
        pcre2_jit_stack_free(scratch->stack);
        pcre2_general_context_free(scratch->memory);
        mem_free(scratch);
    }
}

static bool push(Matches *matches, size_t begin, size_t end, bool is_match, Error *err)
{
    Match match = {.begin = (uint32_t)begin, .end = (uint32_t)end, .is_match = is_match};
    return ARRAY_PUSH(matches, match, err);
}

bool regex_find_all(const Regex *regex, RegexScratch *scratch, const char *text, size_t n,
                    Matches *matches, Error *err)
{
    size_t covered = 0;         /* everything before is in matches */
    size_t last_end = SIZE_MAX; /* of the last match */
    size_t at = 0;
    const PCRE2_SIZE *where = pcre2_get_ovector_pointer(scratch->match);
    while (at <= n && n > 0) {
        int found = pcre2_match(regex->code, (PCRE2_SPTR)text, n, at, PCRE2_NO_UTF_CHECK,
                                scratch->match, scratch->context);
        if (found == PCRE2_ERROR_NOMATCH) {
            break;
        }
        if (found < 0) {
            PCRE2_UCHAR why[128] = "";
            pcre2_get_error_message(found, why, sizeof why);
            return error_set(err, ERR_UNSUPPORTED,
                             "a regular expression of the tokenizer fails on this text near byte "
                             "%zu of a piece of %zu: %s",
                             at, n, (const char *)why);
        }
        /* \K can put the start after the end; such a match is empty. */
        size_t end = where[1];
        size_t begin = AS_MIN(where[0], end);
        if (begin == end && end == last_end) {
            uint32_t c;
            size_t step = utf8_decode(text + at, n - at, &c);
            at += step ? step : 1;
            continue;
        }
        if (begin > covered && !push(matches, covered, begin, false, err)) {
            return false;
        }
        if (!push(matches, AS_MAX(begin, covered), end, true, err)) {
            return false;
        }
        covered = end;
        last_end = end;
        at = AS_MAX(end, at);
    }
    return covered >= n || push(matches, covered, n, false, err);
}
