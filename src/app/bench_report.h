#pragma once
/*
 * What `bench` says: a table, JSON, a picture. command_bench.c measures.
 */
#include "app/app.h"
#include "base/str.h"
#include "benchmark/benchmark.h"

/** All results of one call, in the order they were measured. */
typedef struct BenchReport {
    BenchMachine machine; /* of the first result */
    BenchMachine fastest; /* the highest peak among what was measured on */
    ARRAY_OF(BenchResult) results;
    ARRAY_OF(BenchRunResult) runs; /* of a whole model */
} BenchReport;

/** The largest median over its least time. Far above 1 others were using the machine, and the least
 *  times are nearer to what it can do. 0 without results. */
double bench_report_unrest(const BenchReport *report);
/* From here on a person is told. */
#define BENCH_RESTLESS 1.5

/** How much faster a result is than the same case on one thread in the same report, by least times;
 *  0 if that was not measured. */
double bench_report_scaling(const BenchReport *report, const BenchResult *result);

/* ---- table: on standard output, row by row */

void bench_print_heading(const BenchMachine *machine);
void bench_print_columns(void);
void bench_print_result(const BenchResult *result);
void bench_print_run_columns(const char *model);
void bench_print_run(const BenchRunResult *run);
/** Every case that was measured on one thread and on more: their ratio. */
void bench_print_scaling(const BenchReport *report);

/* ---- JSON */

AS_MUST_CHECK bool bench_report_json(const BenchReport *report, StrBuf *out, Error *err);

/* ---- picture */

typedef struct BenchPictureDesc {
    const char *path;  /* .png, .svg or .pdf */
    const char *theme; /* "night", "paper", "contrast" */
    float scale;       /* device pixels per logical one; 0 = 1 */
} BenchPictureDesc;

/** A page of charts: roofline, speed by length, threads, growth of time and memory, and what was
 *  measured. Needs no display. ERR_RANGE without results. */
AS_MUST_CHECK bool bench_picture_write(const BenchReport *report, const BenchPictureDesc *desc,
                                       Error *err);
