#pragma once
/*
 * Attributes, asserts and checked arithmetic that every folder uses.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AS_MUST_CHECK       __attribute__((warn_unused_result))
#define AS_PRINTF(f, a)     __attribute__((format(printf, f, a)))
#define AS_COUNT(array)     (sizeof(array) / sizeof((array)[0]))
#define AS_MIN(a, b)        ((a) < (b) ? (a) : (b))
#define AS_MAX(a, b)        ((a) > (b) ? (a) : (b))
#define AS_CLAMP(x, lo, hi) ((x) < (lo) ? (lo) : (x) > (hi) ? (hi) : (x))

/** Broken invariant: prints where and aborts. No side effects in COND; input errors are Errors. */
#define AS_ASSERT(cond) ((cond) ? (void)0 : as_assert_failed(#cond, __FILE__, __LINE__))
__attribute__((noreturn)) void as_assert_failed(const char *what, const char *file, int line);

/** *out = a * b; false (and *out untouched) when the product does not fit. Any thread. */
static inline AS_MUST_CHECK bool checked_mul(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r)) {
        return false;
    }
    *out = r;
    return true;
}

/** *out = a + b; false (and *out untouched) when the sum does not fit. Any thread. */
static inline AS_MUST_CHECK bool checked_add(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_add_overflow(a, b, &r)) {
        return false;
    }
    *out = r;
    return true;
}
