#pragma once
/*
 * Regular expressions of tokenizers: written for Oniguruma (Ruby's syntax), run by PCRE2.
 */
#include "base/str.h"

/** Compiled; read-only, any thread. */
typedef struct Regex Regex;

/** What one thread needs to match. */
typedef struct RegexScratch RegexScratch;

/**
 * Rewrites a pattern so that PCRE2 understands by it what Oniguruma does: \s, \w, \d, \b and \h
 * with their Unicode meaning there, set intersections and nested sets, (?m). Added to `out`.
 * ERR_UNSUPPORTED for what has no equal.
 */
AS_MUST_CHECK bool regex_translate(const char *pattern, size_t n, StrBuf *out, Error *err);

/** NULL with ERR_UNSUPPORTED and the place when it does not compile. */
AS_MUST_CHECK Regex *regex_compile(const char *pattern, size_t n, Error *err);
/** Matches the text itself, character by character. */
AS_MUST_CHECK Regex *regex_compile_literal(const char *text, size_t n, Error *err);
/** NULL is fine. */
void regex_free(Regex *regex);

AS_MUST_CHECK RegexScratch *regex_scratch_create(Error *err);
void regex_scratch_destroy(RegexScratch *scratch);

/** A match at bytes [begin, end), or the stretch between two. */
typedef struct Match {
    uint32_t begin;
    uint32_t end;
    bool is_match;
} Match;
typedef ARRAY_OF(Match) Matches;

/**
 * Appends matches and the stretches between them, which cover text[0..n) in order (n < 4 GiB, valid
 * UTF-8). An empty match right after a match does not count. Nothing for an empty text.
 */
AS_MUST_CHECK bool regex_find_all(const Regex *regex, RegexScratch *scratch, const char *text,
                                  size_t n, Matches *matches, Error *err);
