/* bench: attention against the machine's peak, as a table or JSON. */
#include "app/cli.h"
#include "attention/attention.h"
#include "benchmark/benchmark.h"

#include <stdio.h>

static const int32_t default_n[] = {512, 1024, 2048, 4096};

static bool machine_json(const BenchMachine *machine, StrBuf *out, Error *err)
{
    return strbuf_puts(out, "{\"machine\":{\"cpu\":", err) &&
           cli_json_string(out, machine->cpu, err) && strbuf_puts(out, ",\"compiler\":", err) &&
           cli_json_string(out, machine->compiler, err) &&
           strbuf_printf(out, err,
                         ",\"isa\":\"%s\",\"threads\":%d,\"peak_gflops\":%.2f,"
                         "\"peak_gflops_one_thread\":%.2f},\"results\":[",
                         machine->isa, machine->threads, machine->peak_gflops,
                         machine->peak_gflops_one);
}

static bool result_json(const BenchResult *r, bool first, StrBuf *out, Error *err)
{
    return strbuf_printf(out, err,
                         "%s\n{\"n\":%d,\"heads\":%d,\"kv_heads\":%d,\"dim\":%d,\"causal\":%s,"
                         "\"window\":%d,\"isa\":\"%s\",\"precision\":\"%s\",\"threads\":%d,"
                         "\"repeats\":%d",
                         first ? "" : ",", r->n, r->heads, r->kv_heads, r->dim,
                         r->causal ? "true" : "false", r->window, r->isa, r->precision, r->threads,
                         r->repeats) &&
           strbuf_printf(out, err,
                         ",\"ms\":%.4f,\"ms_min\":%.4f,\"gflops\":%.3f,\"gflops_best\":%.3f,"
                         "\"percent_of_peak\":%.2f,\"full_ms\":%.4f,\"full_ms_min\":%.4f,"
                         "\"full_percent\":%.2f,\"tile_us\":%.2f,\"bytes\":%.0f,\"error_o\":%.3g,"
                         "\"error_weights\":%.3g}",
                         r->ms, r->ms_min, r->gflops, r->gflops_best, r->percent_of_peak,
                         r->full_ms, r->full_ms_min, r->full_percent, r->tile_us, r->bytes,
                         r->error_o, r->error_weights);
}

static void print_heading(const BenchMachine *machine)
{
    printf("%s, %s, %d thread%s, peak %.1f GF/s (%.1f on one)\n\n", machine->cpu, machine->isa,
           machine->threads, machine->threads == 1 ? "" : "s", machine->peak_gflops,
           machine->peak_gflops_one);
    printf("%9s %6s %4s  %-7s %10s %9s %7s  %12s  %9s\n", "tokens", "heads", "dim", "mask", "ms",
           "GF/s", "peak", "+ statistics", "error");
    fflush(stdout);
}

static void print_result(const BenchResult *r)
{
    char mask[24] = "none";
    if (r->window) {
        snprintf(mask, sizeof mask, "%s%d", r->causal ? "c" : "w", r->window);
    } else if (r->causal) {
        snprintf(mask, sizeof mask, "causal");
    }
    printf("%9d %6d %4d  %-7s %10.3f %9.2f %6.1f%%  %+11.1f%%  %9.1e\n", r->n, r->heads, r->dim,
           mask, r->ms, r->gflops, r->percent_of_peak, r->full_percent, r->error_weights);
    fflush(stdout);
}

bool command_bench(App *app, Error *err)
{
    BenchMachine machine;
    StrBuf out = {0};
    bool json = app_option(app, OPTION_JSON_ID)->given;
    const OptionValue *n = app_option(app, OPTION_N_ID);
    const int32_t *list = n->given ? n->list : default_n;
    size_t n_list = n->given ? n->n_list : AS_COUNT(default_n);
    int threads = (int)app_option(app, OPTION_THREADS_ID)->integer;
    AttnIsa isa;
    if (!attn_isa_parse(app_option(app, OPTION_ISA_ID)->text, &isa)) {
        return error_set(err, ERR_INTERNAL, "an instruction set of the table is not known");
    }
    bool ok = bench_machine(&machine, isa, threads, err);
    if (ok && json) {
        ok = machine_json(&machine, &out, err);
    } else if (ok) {
        print_heading(&machine);
    }
    for (size_t i = 0; i < n_list && ok; i++) {
        BenchAttentionDesc desc = {
            .n = list[i],
            .heads = (int32_t)app_option(app, OPTION_HEADS_ID)->integer,
            .dim = (int32_t)app_option(app, OPTION_DIM_ID)->integer,
            .causal = app_option(app, OPTION_CAUSAL_ID)->given,
            .window = (int32_t)app_option(app, OPTION_WINDOW_ID)->integer,
            .isa = isa,
            .n_threads = threads,
            .cancel = &app->control->cancel,
        };
        BenchResult result;
        ok = bench_attention(&machine, &desc, &result, err);
        if (ok && json) {
            ok = result_json(&result, i == 0, &out, err);
        } else if (ok) {
            print_result(&result);
        }
    }
    if (ok && json) {
        ok = strbuf_puts(&out, "\n]}\n", err);
        cli_print(&out);
    }
    strbuf_free(&out);
    return ok;
}
