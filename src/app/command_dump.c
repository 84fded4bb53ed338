/* dump: what the heads computed, as numbers. Streamed in bands, so that N x M is never held. */
#include "app/cli.h"
#include "app/dump_sink.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>

typedef enum DumpWhat {
    DUMP_WEIGHTS,
    DUMP_SCORES,
    DUMP_Q,
    DUMP_K,
    DUMP_V,
    DUMP_LSE,
    DUMP_OUTPUT,
    DUMP_HIDDEN,
    DUMP_LOGITS
} DumpWhat;

/* A range of one axis; `kept` axes are in the result's shape, a single layer or head is not. */
typedef struct Axis {
    int32_t first, end;
    bool kept;
} Axis;

typedef struct Dump {
    App *app;
    const AppRun *run;
    DumpWhat what;
    Axis layers, heads, rows, cols;
    DumpSink sink;
} Dump;

/* ---- which part ------------------------------------------------------------------------------ */

static bool has_heads(DumpWhat what)
{
    return what != DUMP_HIDDEN && what != DUMP_LOGITS;
}

/* --layer or --head: a number, or all (also when it is not given). */
static bool pick(const App *app, OptionId id, int32_t n, Axis *axis, Error *err)
{
    const OptionValue *value = app_option(app, id);
    *axis = (Axis){0, n, true};
    if (!value->given || value->integer < 0) {
        return true;
    }
    if (value->integer >= n) {
        char what[32];
        snprintf(what, sizeof what, "--%s", option_table[id].name);
        return error_not_there(err, what, value->integer, n);
    }
    *axis = (Axis){(int32_t)value->integer, (int32_t)value->integer + 1, false};
    return true;
}

/* --rows or --cols of an axis of n, called `unit` in messages. */
static bool cut(const App *app, OptionId id, int32_t n, const char *unit, Axis *axis, Error *err)
{
    const OptionValue *value = app_option(app, id);
    *axis = (Axis){0, n, true};
    if (!value->given) {
        return true;
    }
    int64_t end = value->end < 0 ? n : value->end;
    if (value->first >= n || end > n) {
        return error_set(err, ERR_RANGE, "--%s %.60s: there are %d %s, 0:%d", option_table[id].name,
                         value->text, n, unit, n);
    }
    *axis = (Axis){(int32_t)value->first, (int32_t)end, true};
    return true;
}

static void say_ignored(const Dump *d, OptionId id)
{
    if (app_option(d->app, id)->given) {
        log_write(&d->app->log, LOG_WARNING, "--%s has no meaning for %s and is not used",
                  option_table[id].name, app_option(d->app, OPTION_WHAT_ID)->text);
    }
}

/* Shape facts that are known before anything is computed. */
typedef struct Facts {
    const char *name;
    int32_t n_layers, n_heads, n_queries, n_keys, head_dim, model_dim, n_vocab;
} Facts;

static Facts facts_of(const AppRun *run)
{
    if (run->trace) {
        const TraceInfo *info = trace_info(run->trace);
        return (Facts){info->model_name, info->n_layers, info->n_heads,   info->n_queries,
                       info->n_keys,     info->head_dim, info->model_dim, info->n_vocab};
    }
    const ModelInfo *info = model_info(run->model);
    const ModelStack *stack = app_run_stack(run);
    bool of_target = info->n_stacks > 1 && stack->kind != MODEL_STACK_ENCODER;
    int32_t n_source = (int32_t)run->input.text.n;
    int32_t n_queries = of_target ? (int32_t)run->input.target.n : n_source;
    int32_t n_keys = stack->kind == MODEL_STACK_CROSS ? n_source : n_queries;
    return (Facts){info->name, stack->n_layers,   stack->n_heads, n_queries,
                   n_keys,     stack->head_width, info->width,    info->vocabulary};
}

/* What the rows are: k and v are of the keys. */
static int32_t rows_of(const Facts *f, DumpWhat what)
{
    return what == DUMP_K || what == DUMP_V ? f->n_keys : f->n_queries;
}

static bool choose(Dump *d, Error *err)
{
    const Facts f = facts_of(d->run);
    const struct {
        int32_t n;
        const char *unit;
    } columns[] = {
        [DUMP_WEIGHTS] = {f.n_keys, "keys"},
        [DUMP_SCORES] = {f.n_keys, "keys"},
        [DUMP_Q] = {f.head_dim, "dimensions"},
        [DUMP_K] = {f.head_dim, "dimensions"},
        [DUMP_V] = {f.head_dim, "dimensions"},
        [DUMP_LSE] = {1, "columns"},
        [DUMP_OUTPUT] = {f.head_dim, "dimensions"},
        [DUMP_HIDDEN] = {f.model_dim, "dimensions"},
        [DUMP_LOGITS] = {f.n_vocab, "vocabulary entries"},
    };
    bool ok = true;
    if (d->what == DUMP_HIDDEN) {
        const OptionValue *layer = app_option(d->app, OPTION_LAYER_ID);
        if (layer->given && layer->integer > f.n_layers) {
            return error_set(err, ERR_RANGE,
                             "--layer %lld: %s has hidden states 0 (embeddings) to %d",
                             (long long)layer->integer, f.name, f.n_layers);
        }
        ok = pick(d->app, OPTION_LAYER_ID, f.n_layers + 1, &d->layers, err);
    } else if (d->what == DUMP_LOGITS) {
        /* With a layer, what would be predicted after that many (the logit lens). */
        d->layers = (Axis){f.n_layers, f.n_layers + 1, false};
        ok = !app_option(d->app, OPTION_LAYER_ID)->given ||
             pick(d->app, OPTION_LAYER_ID, f.n_layers + 1, &d->layers, err);
    } else {
        ok = pick(d->app, OPTION_LAYER_ID, f.n_layers, &d->layers, err);
    }
    if (has_heads(d->what)) {
        ok = ok && pick(d->app, OPTION_HEAD_ID, f.n_heads, &d->heads, err);
    } else {
        d->heads = (Axis){0, 1, false};
        say_ignored(d, OPTION_HEAD_ID);
    }
    ok = ok && cut(d->app, OPTION_ROWS_ID, rows_of(&f, d->what), "tokens", &d->rows, err);
    if (d->what == DUMP_LSE) {
        d->cols = (Axis){0, 1, false};
        say_ignored(d, OPTION_COLS_ID);
        return ok;
    }
    return ok &&
           cut(d->app, OPTION_COLS_ID, columns[d->what].n, columns[d->what].unit, &d->cols, err);
}

static int32_t dump_shape(const Dump *d, int64_t shape[DUMP_MAX_DIMS])
{
    const Axis *axes[] = {&d->layers, &d->heads, &d->rows, &d->cols};
    int32_t n = 0;
    for (size_t i = 0; i < AS_COUNT(axes); i++) {
        if (axes[i]->kept) {
            shape[n++] = axes[i]->end - axes[i]->first;
        }
    }
    return n;
}

/* ---- writing --------------------------------------------------------------------------------- */

enum { BAND_FLOATS = 4 << 20 };

/* Rows [row0, row1) of weights or scores into out. */
static bool tile_band(const Dump *d, int32_t layer, int32_t head, int32_t row0, int32_t row1,
                      float *out, Error *err)
{
    TraceRegion region = {layer, head, row0, row1, d->cols.first, d->cols.end};
    return trace_tile(d->run->trace, &region, d->what == DUMP_SCORES ? TRACE_SCORES : TRACE_WEIGHTS,
                      out, 0, err);
}

/* Rows [row0, row1) of vectors, all their columns. */
static bool vector_band(const Dump *d, int32_t layer, int32_t head, int32_t row0, int32_t row1,
                        float *out, Error *err)
{
    const Trace *trace = d->run->trace;
    switch (d->what) {
    case DUMP_Q:
        return trace_q(trace, layer, head, row0, row1, out, err);
    case DUMP_K:
        return trace_k(trace, layer, head, row0, row1, out, err);
    case DUMP_V:
        return trace_v(trace, layer, head, row0, row1, out, err);
    case DUMP_LSE:
        return trace_lse(trace, layer, head, row0, row1, out, err);
    case DUMP_OUTPUT:
        return trace_output(trace, layer, head, row0, row1, out, err);
    case DUMP_HIDDEN:
        return trace_hidden(trace, layer, row0, row1, out, err);
    case DUMP_LOGITS:
        return trace_logits_at(trace, d->run->model, layer, row0, row1, out, err);
    default:
        return error_set(err, ERR_INTERNAL, "not a vector");
    }
}

static int32_t full_width(const Dump *d)
{
    const Facts f = facts_of(d->run);
    switch (d->what) {
    case DUMP_WEIGHTS:
    case DUMP_SCORES: /* tiles are cut where they are computed */
        return d->cols.end - d->cols.first;
    case DUMP_LSE:
        return 1;
    case DUMP_HIDDEN:
        return f.model_dim;
    case DUMP_LOGITS:
        return f.n_vocab;
    default:
        return f.head_dim;
    }
}

static bool write_band(Dump *d, int32_t layer, int32_t head, int32_t row0, int32_t row1,
                       float *band, Error *err)
{
    bool tiles = d->what == DUMP_WEIGHTS || d->what == DUMP_SCORES;
    bool ok = tiles ? tile_band(d, layer, head, row0, row1, band, err)
                    : vector_band(d, layer, head, row0, row1, band, err);
    if (!ok) {
        return false;
    }
    size_t n = (size_t)(row1 - row0);
    size_t width = (size_t)full_width(d);
    size_t cols = (size_t)(d->cols.end - d->cols.first);
    if (!tiles && cols < width) {
        for (size_t r = 0; r < n; r++) {
            memmove(band + r * cols, band + r * width + d->cols.first, cols * sizeof *band);
        }
    }
    /* Of lse the rows are the last axis: all of them are one row of the file. */
    return dump_sink_rows(&d->sink, band, d->what == DUMP_LSE ? 1 : n, err);
}

static bool write_head(Dump *d, int32_t layer, int32_t head, float *band, int32_t band_rows,
                       Error *err)
{
    char title[96] = "";
    if (d->layers.kept) {
        snprintf(title, sizeof title, d->what == DUMP_HIDDEN ? "state %d" : "layer %d", layer);
    }
    if (d->heads.kept) {
        size_t n = strlen(title);
        snprintf(title + n, sizeof title - n, "%shead %d", n ? " " : "", head);
    }
    bool ok = !*title || dump_sink_title(&d->sink, title, err);
    for (int32_t row = d->rows.first; row < d->rows.end && ok; row += band_rows) {
        ok = cli_go_on(d->app, err) &&
             write_band(d, layer, head, row, AS_MIN(row + band_rows, d->rows.end), band, err);
    }
    return ok;
}

static bool write_all(Dump *d, const char *path, Error *err)
{
    int64_t shape[DUMP_MAX_DIMS];
    int32_t n_dims = dump_shape(d, shape);
    int32_t width = full_width(d);
    int32_t n_rows = d->rows.end - d->rows.first;
    int32_t band_rows = d->what == DUMP_LSE ? n_rows : AS_CLAMP(BAND_FLOATS / width, 1, n_rows);
    float *band = mem_alloc((size_t)band_rows * (size_t)width * sizeof *band, err);
    bool ok = band && dump_sink_open(&d->sink, path, n_dims, shape, err);
    for (int32_t l = d->layers.first; l < d->layers.end && ok; l++) {
        for (int32_t h = d->heads.first; h < d->heads.end && ok; h++) {
            ok = write_head(d, l, h, band, band_rows, err);
        }
    }
    ok = ok && dump_sink_commit(&d->sink, err);
    dump_sink_abort(&d->sink);
    mem_free(band);
    return ok;
}

/* ---- the command ----------------------------------------------------------------------------- */

/* What must be held for it, unless the person says what to hold. */
static TraceStore store_for(DumpWhat what)
{
    switch (what) {
    case DUMP_V:
    case DUMP_OUTPUT:
        return TRACE_STORE_QKV;
    case DUMP_HIDDEN:
    case DUMP_LOGITS:
        return TRACE_STORE_ALL;
    default:
        return TRACE_STORE_QK;
    }
}

static bool run_and_write(Dump *d, RunRequest *request, AppRun *run, const char *path, Error *err)
{
    if (!app_option(d->app, OPTION_STORE_ID)->given) {
        request->params.store = store_for(d->what);
    }
    if (!app_run_open(d->app, request, run, err) || !choose(d, err)) {
        return false;
    }
    if (d->what == DUMP_LOGITS && !run->model) {
        return error_set(err, ERR_UNSUPPORTED,
                         "logits need the model, and a saved trace has none: "
                         "use --model and the text");
    }
    if (d->what == DUMP_LOGITS && !model_info(run->model)->has_logits) {
        return error_set(err, ERR_UNSUPPORTED, "%s has no prediction head, so no logits",
                         model_info(run->model)->name);
    }
    int64_t shape[DUMP_MAX_DIMS];
    int32_t n_dims = dump_shape(d, shape);
    return dump_sink_check(path, n_dims, shape, err) && app_run_trace(d->app, request, run, err) &&
           write_all(d, path, err);
}

bool command_dump(App *app, Error *err)
{
    RunRequest request;
    AppRun run = {0};
    DumpFormat format;
    const OptionValue *what = app_option(app, OPTION_WHAT_ID);
    const OptionValue *output = app_option(app, OPTION_OUTPUT_ID);
    if (!what->given) {
        return error_set(err, ERR_USAGE, "dump: say what to write with --what %s",
                         option_table[OPTION_WHAT_ID].choices);
    }
    if (!output->given) {
        return error_set(err, ERR_USAGE,
                         "dump: say where to write with -o FILE.npy, FILE.csv, "
                         "FILE.json or - for standard output");
    }
    Dump dump = {.app = app, .run = &run, .what = (DumpWhat)what->integer};
    bool ok = dump_sink_format(output->text, &format, err) &&
              app_read_request(app, &request, err) &&
              run_and_write(&dump, &request, &run, output->text, err);
    app_run_close(&run);
    return ok;
}
