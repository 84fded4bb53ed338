#pragma once
/* What cases of `bench` are called: a heading tells what all have in common, names the rest. */
#include "app/bench_report.h"

enum { BENCH_NAME = 128 }; /* bytes of a name */

/** True where all results of a call agree; queries: everywhere every token asks. */
typedef struct BenchCommon {
    bool isa, threads, shape, mask, precision, queries;
} BenchCommon;

/** At least one result. */
BenchCommon bench_common_of(const BenchReport *report);

/** "causal", "sliding window of 128"; what is returned is `out` or static. */
const char *bench_mask_words(const BenchResult *result, char out[BENCH_NAME]);

/** What tells a result from the others; never empty. */
void bench_series_name(const BenchCommon *common, const BenchResult *result, char out[BENCH_NAME]);
