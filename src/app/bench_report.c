/* bench: its table and its JSON. */
#include "app/bench_report.h"

#include "app/cli.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

double bench_report_unrest(const BenchReport *report)
{
    double most = 0;
    for (size_t i = 0; i < report->results.n; i++) {
        const BenchResult *r = &report->results.items[i];
        most = r->ms_min > 0 ? fmax(most, r->ms / r->ms_min) : most;
    }
    return most;
}

/* ---- table ----------------------------------------------------------------------------------- */

void bench_print_heading(const BenchMachine *machine)
{
    printf("%s, %s, %d thread%s, %s\npeak %.1f GF/s (%.1f on one thread)", machine->cpu,
           machine->isa, machine->threads, machine->threads == 1 ? "" : "s", machine->compiler,
           machine->peak_gflops, machine->peak_gflops_one);
    if (machine->bf16_gflops > 0) {
        printf(", %.1f in bf16", machine->bf16_gflops);
    }
    if (machine->read_gbs > 0) {
        printf(", memory %.1f GB/s reading, %.1f GB/s triad", machine->read_gbs,
               machine->triad_gbs);
    }
    printf("\n");
}

void bench_print_columns(void)
{
    printf("\n%9s %9s %5s %4s  %-7s %-7s %-7s %3s %10s %10s %8s %7s %6s %5s %7s %8s %8s %10s %9s "
           "%6s\n",
           "tokens", "queries", "heads", "dim", "mask", "isa", "type", "thr", "ms median",
           "ms least", "GF/s", "peak", "GB/s", "idle", "+stats", "memory", "error", "naive ms",
           "memory", "times");
    fflush(stdout);
}

/* "12.3M": short enough for a column. */
static const char *short_bytes(double bytes, char out[16])
{
    static const char units[] = "BKMGT";
    int unit = 0;
    while (bytes >= 1000 && units[unit + 1]) {
        bytes /= 1024;
        unit++;
    }
    snprintf(out, 16,
             bytes < 10    ? "%.2f%c"
             : bytes < 100 ? "%.1f%c"
                           : "%.0f%c",
             bytes, units[unit]);
    return out;
}

void bench_print_result(const BenchResult *r)
{
    char heads[24], mask[24] = "none", memory[16], naive[16], naive_ms[32] = "-", times[32] = "-";
    if (r->window) {
        snprintf(mask, sizeof mask, "%s%d", r->causal ? "c" : "w", r->window);
    } else if (r->causal) {
        snprintf(mask, sizeof mask, "causal");
    }
    if (r->naive_ms > 0) {
        snprintf(naive_ms, sizeof naive_ms, "%.3f", r->naive_ms);
        snprintf(times, sizeof times, "%.1fx", r->naive_ms / r->ms);
    }
    int used = snprintf(heads, sizeof heads, "%d", r->heads);
    if (r->kv_heads != r->heads) {
        snprintf(heads + used, sizeof heads - (size_t)used, "/%d", r->kv_heads);
    }
    printf("%9d %9d %5s %4d  %-7s %-7s %-7s %3d %10.3f %10.3f %8.2f %6.1f%% %6.1f %4.1f%% %+6.1f%% "
           "%8s %8.1e %10s %9s %6s\n",
           r->n, r->queries, heads, r->dim, mask, r->isa, r->precision, r->threads, r->ms,
           r->ms_min, r->gflops, r->percent_of_peak, r->gbs, r->idle_percent, r->full_percent,
           short_bytes(r->bytes, memory), r->error_o, naive_ms,
           r->naive_bytes > 0 ? short_bytes(r->naive_bytes, naive) : "-", times);
    fflush(stdout);
}

void bench_print_run_columns(const char *model)
{
    printf("%s, traced from ids to the finished record\n\n%9s %4s %10s %10s %9s %13s %8s %9s\n",
           model, "tokens", "thr", "ms median", "ms least", "tokens/s", "attention ms", "record",
           "resident");
    fflush(stdout);
}

void bench_print_run(const BenchRunResult *r)
{
    char record[16], resident[16];
    printf("%9d %4d %10.1f %10.1f %9.1f %13.1f %8s %9s\n", r->n, r->threads, r->ms, r->ms_min,
           r->tokens_per_s, r->attention_ms, short_bytes(r->record_bytes, record),
           short_bytes(r->resident_bytes, resident));
    fflush(stdout);
}

static bool same_case(const BenchResult *a, const BenchResult *b)
{
    return a->n == b->n && a->queries == b->queries && a->heads == b->heads &&
           a->kv_heads == b->kv_heads && a->dim == b->dim && a->window == b->window &&
           a->causal == b->causal && !strcmp(a->isa, b->isa) && !strcmp(a->precision, b->precision);
}

double bench_report_scaling(const BenchReport *report, const BenchResult *result)
{
    for (size_t i = 0; i < report->results.n && result->threads > 1; i++) {
        const BenchResult *one = &report->results.items[i];
        if (one->threads == 1 && same_case(one, result)) {
            return one->ms_min / result->ms_min;
        }
    }
    return 0;
}

void bench_print_scaling(const BenchReport *report)
{
    for (size_t i = 0, n_printed = 0; i < report->results.n; i++) {
        const BenchResult *r = &report->results.items[i];
        double ratio = bench_report_scaling(report, r);
        if (ratio > 0) {
            printf("%s%9d tokens, %d head%s, width %d, %s%s, %s: %d threads %.2f times as fast\n",
                   n_printed++ == 0 ? "\nbeside one thread, by least times:\n" : "", r->n, r->heads,
                   r->heads == 1 ? "" : "s", r->dim, r->causal ? "causal" : "all keys",
                   r->window ? " in a window" : "", r->precision, r->threads, ratio);
        }
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static bool machine_json(const BenchMachine *machine, StrBuf *out, Error *err)
{
    return strbuf_puts(out, "{\"machine\":{\"cpu\":", err) &&
           cli_json_string(out, machine->cpu, err) && strbuf_puts(out, ",\"compiler\":", err) &&
           cli_json_string(out, machine->compiler, err) &&
           strbuf_printf(out, err,
                         ",\"isa\":\"%s\",\"threads\":%d,\"peak_gflops\":%.2f,"
                         "\"peak_gflops_one_thread\":%.2f,\"bf16_gflops\":%.2f,\"read_gbs\":%.2f,"
                         "\"triad_gbs\":%.2f},"
                         "\"results\":[",
                         machine->isa, machine->threads, machine->peak_gflops,
                         machine->peak_gflops_one, machine->bf16_gflops, machine->read_gbs,
                         machine->triad_gbs);
}

/* What was not measured, or is not finite, is null. */
static bool number_json(StrBuf *out, const char *key, const char *format, double value, bool known,
                        Error *err)
{
    char text[64] = "null";
    if (known && isfinite(value)) {
        int digits = format[0] - '0';
        snprintf(text, sizeof text, format[1] == 'g' ? "%.*g" : "%.*f", digits, value);
    }
    return strbuf_printf(out, err, ",\"%s\":%s", key, text);
}

static bool result_json(const BenchReport *report, const BenchResult *r, bool first, StrBuf *out,
                        Error *err)
{
    double scaling = bench_report_scaling(report, r);
    bool naive = r->naive_ms > 0;
    bool model = r->model != NULL;
    const struct {
        const char *key, *format; /* digits, then f or g */
        double value;
        bool known;
    } numbers[] = {
        {"ms", "4f", r->ms, true},
        {"ms_min", "4f", r->ms_min, true},
        {"gflops", "3f", r->gflops, true},
        {"gflops_best", "3f", r->gflops_best, true},
        {"peak_gflops", "2f", r->peak_gflops, true},
        {"percent_of_peak", "2f", r->percent_of_peak, true},
        {"idle_percent", "2f", r->idle_percent, r->threads > 1},
        {"full_ms", "4f", r->full_ms, true},
        {"full_ms_min", "4f", r->full_ms_min, true},
        {"full_percent", "2f", r->full_percent, true},
        {"times_one_thread", "3f", scaling, scaling > 0},
        {"gbs", "2f", r->gbs, true},
        {"tile_us", "2f", r->tile_us, r->tile_us > 0},
        {"row_us", "2f", r->row_us, r->row_us > 0},
        {"col_us", "2f", r->col_us, r->col_us > 0},
        {"bytes", "0f", r->bytes, true},
        {"traffic_bytes", "0f", r->traffic_bytes, true},
        {"error_o", "3g", r->error_o, true},
        {"error_lse", "3g", r->error_lse, true},
        {"error_weights", "3g", r->error_weights, true},
        {"naive_ms", "4f", r->naive_ms, naive},
        {"naive_ms_min", "4f", r->naive_ms_min, naive},
        {"naive_gflops", "3f", r->naive_gflops, naive},
        {"naive_bytes", "0f", r->naive_bytes, !model},
        {"naive_traffic_bytes", "0f", r->naive_traffic_bytes, !model},
        {"naive_difference", "3g", r->naive_difference, naive},
    };
    bool ok =
        strbuf_puts(out, first ? "\n{" : ",\n{", err) &&
        (!model || (strbuf_puts(out, "\"model\":", err) && cli_json_string(out, r->model, err) &&
                    strbuf_printf(out, err, ",\"layers\":%d,", r->layers))) &&
        strbuf_printf(
            out, err,
            "\"n\":%d,\"queries\":%d,\"heads\":%d,\"kv_heads\":%d,\"dim\":%d,\"causal\":%s,"
            "\"window\":%d,\"isa\":\"%s\",\"precision\":\"%s\",\"threads\":%d,"
            "\"repeats\":%d",
            r->n, r->queries, r->heads, r->kv_heads, r->dim, r->causal ? "true" : "false",
            r->window, r->isa, r->precision, r->threads, r->repeats);
    for (size_t i = 0; i < AS_COUNT(numbers) && ok; i++) {
        ok = number_json(out, numbers[i].key, numbers[i].format, numbers[i].value, numbers[i].known,
                         err);
    }
    return ok && strbuf_puts(out, "}", err);
}

static bool run_json(const BenchRunResult *r, StrBuf *out, Error *err)
{
    return strbuf_printf(
               out, err,
               "{\"n\":%d,\"layers\":%d,\"threads\":%d,\"repeats\":%d,\"ms\":%.3f,"
               "\"ms_min\":%.3f,\"cpu_ms\":%.3f,\"tokens_per_s\":%.3f,\"tokens_per_s_best\":%.3f,"
               "\"attention_ms\":%.3f,\"attention_flops\":%.0f,\"record_bytes\":%.0f,"
               "\"spilled\":%s",
               r->n, r->layers, r->threads, r->repeats, r->ms, r->ms_min, r->cpu_ms,
               r->tokens_per_s, r->tokens_per_s_best, r->attention_ms, r->attention_flops,
               r->record_bytes, r->spilled ? "true" : "false") &&
           number_json(out, "resident_bytes", "0f", r->resident_bytes, r->resident_bytes > 0,
                       err) &&
           strbuf_puts(out, "}", err);
}

bool bench_report_json(const BenchReport *report, StrBuf *out, Error *err)
{
    bool ok = machine_json(&report->machine, out, err);
    for (size_t i = 0; i < report->results.n && ok; i++) {
        ok = result_json(report, &report->results.items[i], i == 0, out, err);
    }
    ok = ok && strbuf_puts(out, "\n]", err);
    for (size_t i = 0; i < report->runs.n && ok; i++) {
        ok = strbuf_puts(out, i == 0 ? ",\"runs\":[\n" : ",\n", err) &&
             run_json(&report->runs.items[i], out, err);
    }
    return ok && strbuf_puts(out, report->runs.n ? "\n]}\n" : "}\n", err);
}
