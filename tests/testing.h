#pragma once
/*
 * What every test file includes: cmocka with its headers, and comparisons that say where and by how
 * much. cmocka leaves by longjmp: never assert inside a parallel region or another thread.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/** Fails unless |a - b| <= abs_tol + rel_tol * |b| everywhere (equal infinities are equal, NaN
 * never); prints the worst index and its error. */
static inline void assert_close_at(const float *a, const float *b, size_t n, double abs_tol,
                                   double rel_tol, const char *file, int line)
{
    size_t worst = n;
    double worst_excess = 0;
    for (size_t i = 0; i < n; i++) {
        if (a[i] == b[i]) {
            continue;
        }
        double error = fabs((double)a[i] - (double)b[i]);
        double excess = error - (abs_tol + rel_tol * fabs((double)b[i]));
        if (!(excess <= 0) && (worst == n || !(excess <= worst_excess))) {
            worst = i;
            worst_excess = excess;
        }
    }
    if (worst != n) {
        print_error("index %zu of %zu: %.9g, expected %.9g (abs %.3g, rel %.3g)\n", worst, n,
                    (double)a[worst], (double)b[worst], abs_tol, rel_tol);
        _fail(file, line);
    }
}
#define assert_close(a, b, n, abs_tol, rel_tol)                                                    \
    assert_close_at((a), (b), (n), (abs_tol), (rel_tol), __FILE__, __LINE__)

/** Fails with the error's message unless COND. */
#define assert_ok(cond, err)                                                                       \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            print_error("%s: %s\n", #cond, (err).message);                                         \
            _fail(__FILE__, __LINE__);                                                             \
        }                                                                                          \
    } while (0)
