#pragma once
/*
 * As much of cmocka's interface as the attention tests use, for machines that have no cmocka of
 * their own: a test fails by longjmp, the program's exit status counts failures.
 */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

enum { CROSS_FAILED = 1, CROSS_SKIPPED = 2 };

/* One program, one thread that asserts. */
static jmp_buf cross_return;

#define cmocka_unit_test(f)                                                                        \
    {                                                                                              \
#f, f                                                                                      \
    }
#define print_error(...)   fprintf(stderr, __VA_ARGS__)
#define print_message(...) fprintf(stderr, __VA_ARGS__)
#define skip()             longjmp(cross_return, CROSS_SKIPPED)

static inline __attribute__((noreturn)) void _fail(const char *file, int line)
{
    fprintf(stderr, "%s:%d: failed\n", file, line);
    longjmp(cross_return, CROSS_FAILED);
}

#define fail_msg(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), _fail(__FILE__, __LINE__))
#define assert_true(x)                                                                             \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "not true: %s\n", #x);                                                 \
            _fail(__FILE__, __LINE__);                                                             \
        }                                                                                          \
    } while (0)
#define assert_false(x)           assert_true(!(x))
#define assert_null(p)            assert_true((p) == NULL)
#define assert_non_null(p)        assert_true((p) != NULL)
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)
#define assert_int_equal(a, b)                                                                     \
    do {                                                                                           \
        long long left = (long long)(a), right = (long long)(b);                                   \
        if (left != right) {                                                                       \
            fprintf(stderr, "%s is %lld, expected %lld\n", #a, left, right);                       \
            _fail(__FILE__, __LINE__);                                                             \
        }                                                                                          \
    } while (0)

static inline int cross_run_one(const struct CMUnitTest *test)
{
    void *state = NULL;
    int how = setjmp(cross_return);
    if (how == 0) {
        test->run(&state);
    }
    return how;
}

static inline int cross_run(const struct CMUnitTest *tests, size_t n)
{
    static const char *const RESULTS[] = {"passed ", "FAILED ", "skipped"};
    int n_failed = 0;
    for (size_t i = 0; i < n; i++) {
        int how = cross_run_one(&tests[i]);
        n_failed += how == CROSS_FAILED;
        fprintf(stderr, "%s %s\n", RESULTS[how], tests[i].name);
    }
    return n_failed;
}

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    ((void)(setup), (void)(teardown), cross_run(tests, sizeof tests / sizeof tests[0]))
