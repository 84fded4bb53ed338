/* bench: attention against the machine's peak, as a table, JSON and a picture. */
#include "app/bench_render.h"
#include "app/bench_report.h"
#include "app/cli.h"
#include "attention/attention.h"
#include "base/file.h"
#include "benchmark/benchmark.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

static const int32_t default_n[] = {512, 1024, 2048, 4096};
/* What the chart of threads is measured at when nobody asked for several numbers of them. */
enum { SCALING_N = 2048, WINDOW = 256 };

/* What --masks names, in the order of its words. */
typedef enum MaskWord { MASK_FULL, MASK_CAUSAL, MASK_WINDOW } MaskWord;

/* What is asked for, and what has been measured so far. */
typedef struct BenchRun {
    App *app;
    BenchReport report;
    const Trace *trace; /* NULL = random numbers */
    const int32_t *lengths;
    size_t n_lengths;
    const OptionValue *queries, *precisions;
    const char *plot; /* NULL = none */
    bool json, headed;
} BenchRun;

static bool add_result(BenchRun *run, const BenchMachine *machine, const BenchAttentionDesc *desc,
                       Error *err)
{
    BenchResult result;
    bool ok = run->trace ? bench_trace(machine, run->trace, desc, &result, err)
                         : bench_attention(machine, desc, &result, err);
    if (ok && !run->json) {
        bench_print_result(&result);
    }
    return ok && ARRAY_PUSH(&run->report.results, result, err);
}

/* The machine with an instruction set and threads; the first one heads the report. */
static bool measure_machine(BenchRun *run, AttnIsa isa, int threads, BenchMachine *machine,
                            Error *err)
{
    if (!bench_machine(machine, isa, threads, err)) {
        return false;
    }
    if (!run->json) {
        if (run->headed) {
            printf("\n");
        }
        bench_print_heading(machine);
        bench_print_columns();
    }
    if (!run->headed) {
        run->report.machine = *machine;
        run->headed = true;
    }
    if (machine->peak_gflops > run->report.fastest.peak_gflops) {
        run->report.fastest = *machine;
    }
    return true;
}

/* The shape of a case: heads, width, mask, queries. */
static void fill_shape(const BenchRun *run, size_t shape, BenchAttentionDesc *desc)
{
    App *app = run->app;
    const OptionValue *heads = app_option(app, OPTION_HEADS_ID);
    const OptionValue *kv_heads = app_option(app, OPTION_KV_HEADS_ID);
    const OptionValue *dims = app_option(app, OPTION_DIM_ID);
    const OptionValue *masks = app_option(app, OPTION_MASKS_ID);
    int32_t window = (int32_t)app_option(app, OPTION_WINDOW_ID)->integer;
    desc->queries = run->queries->list[shape % run->queries->n_list];
    shape /= run->queries->n_list;
    desc->dim = dims->list[shape % dims->n_list];
    shape /= dims->n_list;
    desc->heads = heads->list[shape % heads->n_list];
    shape /= heads->n_list;
    desc->kv_heads = kv_heads->list[shape % kv_heads->n_list];
    shape /= kv_heads->n_list;
    desc->causal = app_option(app, OPTION_CAUSAL_ID)->given;
    desc->window = window;
    if (masks->given) {
        MaskWord word = (MaskWord)masks->list[shape];
        desc->causal = word != MASK_FULL;
        desc->window = word != MASK_WINDOW ? 0 : window > 0 ? window : WINDOW;
    }
}

static size_t count_shapes(const BenchRun *run)
{
    const OptionValue *masks = app_option(run->app, OPTION_MASKS_ID);
    return app_option(run->app, OPTION_HEADS_ID)->n_list *
           app_option(run->app, OPTION_KV_HEADS_ID)->n_list *
           app_option(run->app, OPTION_DIM_ID)->n_list * run->queries->n_list *
           (masks->given ? masks->n_list : 1);
}

static bool measure_cases(BenchRun *run, const BenchMachine *machine, AttnIsa isa, int threads,
                          Error *err)
{
    size_t n_shapes = run->trace ? 1 : count_shapes(run), n_types = run->precisions->n_list;
    for (size_t c = 0; c < n_shapes * n_types * run->n_lengths; c++) {
        BenchAttentionDesc desc = {
            .n = run->lengths[c % run->n_lengths],
            /* The words of the option are the names of AttnPrecision, in its order. */
            .precision = (AttnPrecision)run->precisions->list[c / run->n_lengths % n_types],
            .isa = isa,
            .n_threads = threads,
            .naive = !app_option(run->app, OPTION_NO_NAIVE_ID)->given,
            .cancel = &run->app->control->cancel,
        };
        if (!run->trace) {
            fill_shape(run, c / run->n_lengths / n_types, &desc);
        }
        if (!add_result(run, machine, &desc, err)) {
            return false;
        }
    }
    return true;
}

/* For the picture: one case on 1, 2, 4, … threads, unless several numbers were asked for. The
 * whole number of threads is in the results already. */
static bool measure_scaling(BenchRun *run, AttnIsa isa, Error *err)
{
    const BenchResult *all = NULL;
    for (size_t i = 0; i < run->report.results.n; i++) {
        const BenchResult *r = &run->report.results.items[i];
        bool better = !all || r->n > all->n;
        if (r->n <= SCALING_N && r->threads > 1 && better && !strcmp(r->precision, "f32")) {
            all = r;
        }
    }
    if (!all || app_option(run->app, OPTION_THREADS_ID)->n_list > 1) {
        return true;
    }
    BenchAttentionDesc desc = {.n = all->n,
                               .queries = all->queries,
                               .heads = all->heads,
                               .kv_heads = all->kv_heads,
                               .dim = all->dim,
                               .causal = all->causal,
                               .window = all->window,
                               .isa = isa,
                               .cancel = &run->app->control->cancel};
    int most = all->threads;
    for (int threads = 1; threads < most; threads *= 2) {
        BenchMachine machine;
        desc.n_threads = threads;
        if (!measure_machine(run, isa, threads, &machine, err) ||
            !add_result(run, &machine, &desc, err)) {
            return false;
        }
    }
    return true;
}

/* The machine alone, beside which the runs of a model are told. */
static bool measure_first_machine(BenchRun *run, Error *err)
{
    const int threads = app_option(run->app, OPTION_THREADS_ID)->list[0];
    BenchMachine machine;
    if (!bench_machine(&machine, (AttnIsa)app_option(run->app, OPTION_ISA_ID)->list[0], threads,
                       err)) {
        return false;
    }
    run->report.machine = run->report.fastest = machine;
    if (!run->json) {
        bench_print_heading(&machine);
    }
    return true;
}

static bool measure_all(BenchRun *run, Error *err)
{
    const OptionValue *isas = app_option(run->app, OPTION_ISA_ID);
    const OptionValue *threads = app_option(run->app, OPTION_THREADS_ID);
    for (size_t i = 0; i < isas->n_list; i++) {
        /* The words of the option are the names of AttnIsa, in its order. */
        AttnIsa isa = (AttnIsa)isas->list[i];
        for (size_t t = 0; t < threads->n_list; t++) {
            BenchMachine machine;
            if (!measure_machine(run, isa, threads->list[t], &machine, err) ||
                !measure_cases(run, &machine, isa, threads->list[t], err)) {
                return false;
            }
        }
    }
    return !run->plot || measure_scaling(run, (AttnIsa)isas->list[0], err);
}

/* The model as a whole, before anything else is held in memory. */
static bool measure_runs(BenchRun *run, const RunRequest *request, const AppRun *opened, Error *err)
{
    const OptionValue *threads = app_option(run->app, OPTION_THREADS_ID);
    TraceDesc desc = app_run_desc(run->app, request, opened);
    if (!app_option(run->app, OPTION_STORE_ID)->given) {
        desc.params.store = TRACE_STORE_QK;
    }
    for (size_t c = 0; c < run->n_lengths * threads->n_list; c++) {
        BenchRunResult result;
        int n_threads = threads->list[c / run->n_lengths];
        n_threads = n_threads > 0 ? n_threads : omp_get_max_threads();
        if (!bench_run(&desc, run->lengths[c % run->n_lengths], n_threads, 0, run->app->control,
                       &result, err) ||
            !ARRAY_PUSH(&run->report.runs, result, err)) {
            return false;
        }
        if (!run->json) {
            if (c == 0) {
                bench_print_run_columns(request->model);
            }
            bench_print_run(&result);
        }
    }
    if (!run->json) {
        printf("\n");
    }
    return true;
}

static bool report(BenchRun *run, Error *err)
{
    if (!run->json) {
        bench_print_scaling(&run->report);
    }
    double unrest = bench_report_unrest(&run->report);
    if (unrest > BENCH_RESTLESS) {
        log_write(&run->app->log, LOG_WARNING,
                  "others are using this machine: a median is %.1f times its least time; the least "
                  "times are nearer to what it can do",
                  unrest);
    }
    if (run->json) {
        StrBuf out = {0};
        bool ok = bench_report_json(&run->report, &out, err);
        if (ok) {
            cli_print(&out);
        }
        strbuf_free(&out);
        if (!ok) {
            return false;
        }
    }
    if (!run->plot) {
        return true;
    }
    BenchPictureDesc picture = {.path = run->plot,
                                .theme = app_option(run->app, OPTION_THEME_ID)->text,
                                .scale = (float)app_option(run->app, OPTION_SCALE_ID)->number};
    return bench_picture_write(&run->report, &picture, err);
}

/* Options that mean nothing beside the others are refused, not left unread. */
static bool check_options(App *app, bool model, Error *err)
{
    static const OptionId shapes[] = {OPTION_HEADS_ID,   OPTION_KV_HEADS_ID, OPTION_DIM_ID,
                                      OPTION_QUERIES_ID, OPTION_CAUSAL_ID,   OPTION_MASKS_ID,
                                      OPTION_WINDOW_ID,  OPTION_NO_NAIVE_ID};
    for (size_t i = 0; i < AS_COUNT(shapes) && model; i++) {
        if (app_option(app, shapes[i])->given) {
            return error_set(err, ERR_USAGE,
                             "bench: --%s and a model cannot be given together: the model's own "
                             "attention is measured",
                             option_table[shapes[i]].name);
        }
    }
    const OptionValue *masks = app_option(app, OPTION_MASKS_ID);
    if (masks->given && app_option(app, OPTION_CAUSAL_ID)->given) {
        return error_set(err, ERR_USAGE, "bench: give --causal or --masks, not both");
    }
    bool windows = !masks->given;
    for (size_t i = 0; masks->given && i < masks->n_list; i++) {
        windows = windows || masks->list[i] == MASK_WINDOW;
    }
    if (!windows && app_option(app, OPTION_WINDOW_ID)->given) {
        return error_set(err, ERR_USAGE, "bench: --window needs window among --masks");
    }
    for (int i = 0; i < OPTION_COUNT && !model; i++) {
        if (option_table[i].group == OPTION_GROUP_TEXT && app_option(app, (OptionId)i)->given) {
            return error_set(err, ERR_USAGE,
                             "bench: --%s is for a model; name one with --model, or leave it out",
                             option_table[i].name);
        }
    }
    const char *plot = app_option(app, OPTION_PLOT_ID)->text;
    if (app_option(app, OPTION_RUNS_ONLY_ID)->given &&
        (plot || app_option(app, OPTION_TRACE_ID)->given || !model)) {
        return error_set(err, ERR_USAGE,
                         "bench: --runs-only is of a model that runs, without --plot and --trace");
    }
    if (plot && !path_has_suffix(plot, ".png") && !path_has_suffix(plot, ".svg") &&
        !path_has_suffix(plot, ".pdf")) {
        return error_set(err, ERR_USAGE, "bench: '%.200s' does not end with .png, .svg or .pdf",
                         plot);
    }
    return true;
}

/* What cannot be measured is said before anything is. */
static bool check_measurable(const BenchRun *run, Error *err)
{
    for (size_t q = 0; q < run->queries->n_list; q++) {
        for (size_t i = 0; i < run->n_lengths; i++) {
            /* Length 0 is a model's whole text, and models take no --queries. */
            if (run->lengths[i] > 0 && run->queries->list[q] > run->lengths[i]) {
                return error_set(err, ERR_USAGE, "bench: --queries %d is more than --n %d",
                                 run->queries->list[q], run->lengths[i]);
            }
        }
    }
    const OptionValue *heads = app_option(run->app, OPTION_HEADS_ID);
    const OptionValue *kv_heads = app_option(run->app, OPTION_KV_HEADS_ID);
    for (size_t i = 0; i < heads->n_list * kv_heads->n_list; i++) {
        int32_t all = heads->list[i % heads->n_list], shared = kv_heads->list[i / heads->n_list];
        if (shared > 0 && all % shared != 0) {
            return error_set(err, ERR_USAGE, "bench: --heads %d are no multiple of --kv-heads %d",
                             all, shared);
        }
    }
    const OptionValue *isas = app_option(run->app, OPTION_ISA_ID);
    bool ok = true;
    for (size_t i = 0; i < isas->n_list && ok; i++) {
        for (size_t p = 0; p < run->precisions->n_list && ok; p++) {
            ok = bench_precision_check((AttnIsa)isas->list[i],
                                       (AttnPrecision)run->precisions->list[p], err);
        }
    }
    return ok;
}

bool command_bench(App *app, Error *err)
{
    const OptionValue *n = app_option(app, OPTION_N_ID);
    bool model = app_option(app, OPTION_MODEL_ID)->given || app_option(app, OPTION_TRACE_ID)->given;
    static const int32_t whole_text[] = {0};
    BenchRun run = {
        .app = app,
        .lengths = n->given ? n->list
                   : model  ? whole_text
                            : default_n,
        .n_lengths = n->given ? n->n_list
                     : model  ? 1
                              : AS_COUNT(default_n),
        .queries = app_option(app, OPTION_QUERIES_ID),
        .precisions = app_option(app, OPTION_PRECISION_ID),
        .plot = app_option(app, OPTION_PLOT_ID)->text,
        .json = app_option(app, OPTION_JSON_ID)->given,
    };
    if (app_option(app, OPTION_RENDER_ID)->given) {
        return bench_render(app, err);
    }
    if (!check_options(app, model, err) || !check_measurable(&run, err)) {
        return false;
    }
    RunRequest request;
    AppRun opened = {0};
    bool ok = true;
    const bool attention = !app_option(app, OPTION_RUNS_ONLY_ID)->given;
    if (model) {
        ok = app_read_request(app, &request, err) && app_run_open(app, &request, &opened, err) &&
             (opened.trace || measure_runs(&run, &request, &opened, err));
        request.params.store = TRACE_STORE_QKV;
        ok = ok && (!attention || app_run_trace(app, &request, &opened, err));
        run.trace = opened.trace;
    }
    ok = ok && (attention ? measure_all(&run, err) : measure_first_machine(&run, err)) &&
         report(&run, err);
    ARRAY_FREE(&run.report.results);
    ARRAY_FREE(&run.report.runs);
    app_run_close(&opened);
    return ok;
}
