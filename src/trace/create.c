/* Before a run: its shape, what it takes, and room for it. */
#include "base/str.h"
#include "model/model.h"
#include "trace/internal.h"

#include <math.h>

/* One stack that a run records. */
typedef struct PlannedStack {
    TraceInfo info; /* without pointers that a trace would own */
    TraceLayout layout;
    int32_t index; /* in ModelInfo.stacks */
    bool causal;
} PlannedStack;

typedef struct Plan {
    PlannedStack stacks[MODEL_MAX_STACKS];
    int n_stacks;
    TraceEstimate estimate;
} Plan;

/* ---- shape ----------------------------------------------------------------------------------- */

TraceStack trace_stack_of(const ModelInfo *model, int32_t index)
{
    static const TraceStack stacks[] = {
        [MODEL_STACK_ENCODER] = TRACE_STACK_ENCODER,
        [MODEL_STACK_DECODER] = TRACE_STACK_DECODER,
        [MODEL_STACK_CROSS] = TRACE_STACK_CROSS,
    };
    return model->n_stacks == 1 ? TRACE_STACK_SELF : stacks[model->stacks[index].kind];
}

int32_t trace_stack_index(const ModelInfo *model, TraceStack stack)
{
    for (int32_t i = 0; i < model->n_stacks; i++) {
        if (trace_stack_of(model, i) == stack) {
            return i;
        }
    }
    return -1;
}

int32_t trace_model_stack(const Trace *trace, const Model *model)
{
    return trace_stack_index(model_info(model), trace->info.stack);
}

static bool check_lengths(const TraceDesc *desc, Error *err)
{
    if (desc->n_tokens < 1) {
        return error_set(err, ERR_RANGE, "there are no tokens to run");
    }
    size_t n = AS_MAX(desc->n_tokens, desc->target.n);
    if (n > ATTN_MAX_LENGTH) {
        return error_set(err, ERR_RANGE,
                         "%zu tokens; at most %d can be run at once: take a part "
                         "with --range or --max-tokens",
                         n, ATTN_MAX_LENGTH);
    }
    return true;
}

static bool check_params(const TraceDesc *desc, int32_t *summary_size, Error *err)
{
    const TraceParams *params = &desc->params;
    float t = params->temperature;
    if (!isfinite(t) || t < 0) {
        return error_set(err, ERR_RANGE, "temperature %g: it must be above 0", (double)t);
    }
    *summary_size = params->summary_size ? params->summary_size : ATTN_SUMMARY_DEFAULT;
    if (*summary_size < 16 || *summary_size > ATTN_SUMMARY_MAX) {
        return error_set(err, ERR_RANGE, "summary of %d texels a side: 16 to %d can be",
                         *summary_size, ATTN_SUMMARY_MAX);
    }
    return true;
}

static void describe(const TraceDesc *desc, int32_t index, int32_t summary_size,
                     PlannedStack *planned)
{
    const ModelInfo *model = model_info(desc->model);
    const TraceParams *params = &desc->params;
    const ModelStack *stack = &model->stacks[index];
    bool of_source = model->n_stacks == 1 || stack->kind == MODEL_STACK_ENCODER;
    bool cross = stack->kind == MODEL_STACK_CROSS;
    int32_t n_queries = (int32_t)(of_source ? desc->n_tokens : desc->target.n);
    TraceInfo *info = &planned->info;
    *info = (TraceInfo){
        .model_name = desc->model_name ? desc->model_name : model->name,
        .architecture = model->architecture,
        .stack = trace_stack_of(model, index),
        .n_layers = stack->n_layers,
        .n_heads = stack->n_heads,
        .n_kv_heads = stack->n_kv_heads,
        .n_queries = n_queries,
        .n_keys = cross ? (int32_t)desc->n_tokens : n_queries,
        .head_dim = stack->head_width,
        .model_dim = model->width,
        .n_vocab = model->vocabulary,
        .has_values = params->store != TRACE_STORE_QK,
        .has_hidden = params->store == TRACE_STORE_ALL,
        .second_at = of_source && desc->second_at <= desc->n_source ? desc->second_at : 0,
        .params = *params,
    };
    info->params.temperature = params->temperature > 0 ? params->temperature : 1;
    info->params.summary_size = summary_size;
    planned->index = index;
    planned->causal =
        !cross && (params->mask == TRACE_MASK_CAUSAL ||
                   (params->mask == TRACE_MASK_AUTO && stack->kind == MODEL_STACK_DECODER));
}

/* The stacks that desc wants; with `one`, the first of them. */
static bool choose_stacks(const TraceDesc *desc, bool one, Plan *plan, Error *err)
{
    const ModelInfo *model = model_info(desc->model);
    int32_t summary_size = 0;
    *plan = (Plan){0};
    if (model->n_stacks < 1) {
        return error_set(err, ERR_UNSUPPORTED, "%s has no layers with attention", model->name);
    }
    if (!check_lengths(desc, err) || !check_params(desc, &summary_size, err)) {
        return false;
    }
    for (int32_t i = 0; i < model->n_stacks && !(one && plan->n_stacks); i++) {
        bool wanted = !desc->stacks || (desc->stacks >> trace_stack_of(model, i)) & 1;
        bool can = model->n_stacks == 1 || model->stacks[i].kind == MODEL_STACK_ENCODER ||
                   desc->target.n > 0;
        if (wanted && can) {
            describe(desc, i, summary_size, &plan->stacks[plan->n_stacks++]);
        }
    }
    return plan->n_stacks > 0 ||
           error_set(err, ERR_RANGE, "%s has no such attention, or no target text for it",
                     model->name);
}

/* ---- how much it takes ----------------------------------------------------------------------- */

/* a + b, at most UINT64_MAX, which stands for "too much". */
static uint64_t add_up(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* What attention with all statistics allocates in the first layer; other layers are alike. */
static bool attention_bytes(const TraceDesc *desc, const PlannedStack *planned,
                            const ForwardOptions *options, uint64_t *bytes, Error *err)
{
    const TraceInfo *info = &planned->info;
    AttnCtx *ctx = NULL;
    if (!trace_ctx_create(desc->params.threads, &ctx, err)) {
        return false;
    }
    float some = 0; /* pointers only say what is wanted */
    int32_t some_key = 0;
    LayerData layer = {.max_key = &some_key, .summary_mean = &some, .summary_max = &some};
    AttnOutputs out = {.o = &some};
    AttnArgs args;
    layer.row_max = layer.row_log_sum = layer.entropy = layer.distance = layer.max_weight =
        layer.first = layer.self = layer.previous = layer.received = &some;
    trace_want_statistics(&layer, info->params.summary_size, &out);
    if (model_attention_args(desc->model, (TapPlace){.stack = planned->index}, info->n_queries,
                             info->n_keys, &options->what_if, &args)) {
        args.q = args.k = args.v = &some;
        *bytes = AS_MAX(*bytes, attn_scratch_bytes(ctx, &args, &out));
    }
    attn_ctx_destroy(&ctx);
    return true;
}

/* Cross attention shares the states of the decoder where both are recorded. */
static bool has_own_states(const Plan *plan, int i)
{
    bool shared = plan->stacks[i].info.stack == TRACE_STACK_CROSS && i > 0 &&
                  plan->stacks[i - 1].info.stack == TRACE_STACK_DECODER;
    return plan->stacks[i].info.has_hidden && !shared;
}

static bool add_stack(const TraceDesc *desc, Plan *plan, int i, const ForwardOptions *options,
                      uint64_t *attention, Error *err)
{
    PlannedStack *planned = &plan->stacks[i];
    const TraceInfo *info = &planned->info;
    TraceEstimate *e = &plan->estimate;
    if (!trace_layout_make(info, planned->causal, has_own_states(plan, i), &planned->layout, err) ||
        !attention_bytes(desc, planned, options, attention, err)) {
        return false;
    }
    e->record_bytes = add_up(e->record_bytes, planned->layout.total_bytes);
    if (desc->params.dtype == TRACE_F16) {
        /* q, k and v of one layer in full width, from which the halves are rounded */
        uint64_t rows = (uint64_t)info->n_queries * (uint64_t)info->n_heads +
                        (uint64_t)info->n_keys * 2 * (uint64_t)info->n_kv_heads;
        e->work_bytes = add_up(e->work_bytes, rows * (uint64_t)info->head_dim * 4);
    }
    return true;
}

static bool make_plan(const TraceDesc *desc, bool one, Plan *plan, Error *err)
{
    const TraceParams *params = &desc->params;
    if (!choose_stacks(desc, one, plan, err)) {
        return false;
    }
    TraceEstimate *e = &plan->estimate;
    ForwardOptions options = {.what_if = {.temperature = params->temperature,
                                          .unscaled = params->unscaled,
                                          .mask = (ModelMask)params->mask,
                                          .propagate = params->propagate}};
    bool placed = params->dtype == TRACE_F32 && params->store != TRACE_STORE_QK;
    uint64_t attention = 0;
    for (int i = 0; i < plan->n_stacks; i++) {
        if (!add_stack(desc, plan, i, &options, &attention, err)) {
            return false;
        }
    }
    ModelInput sizes = {.n_tokens = (int32_t)desc->n_tokens, .n_target = (int32_t)desc->target.n};
    e->work_bytes = add_up(e->work_bytes, attention);
    e->work_bytes =
        add_up(e->work_bytes, model_forward_bytes(desc->model, &sizes, &options, placed));
    e->memory_limit =
        params->memory_bytes ? params->memory_bytes : memory_available_bytes() / 4 * 3;
    spill_folder(params->spill_folder, e->spill_folder, sizeof e->spill_folder);
    e->disk_free = spill_disk_free(e->spill_folder);
    e->spills = add_up(e->record_bytes, e->work_bytes) > e->memory_limit;
    return true;
}

bool trace_estimate(const TraceDesc *desc, TraceEstimate *estimate, Error *err)
{
    Plan plan;
    if (!make_plan(desc, false, &plan, err)) {
        return false;
    }
    *estimate = plan.estimate;
    return true;
}

/* Neither memory nor disk: say all numbers and what helps. */
static bool check_fits(const TraceDesc *desc, const Plan *plan, Error *err)
{
    const TraceEstimate *e = &plan->estimate;
    char record[32];
    char work[32];
    char limit[32];
    char disk[32];
    uint64_t layer_bytes = 0;
    format_bytes(e->record_bytes, record);
    format_bytes(e->work_bytes, work);
    format_bytes(e->memory_limit, limit);
    format_bytes(e->disk_free, disk);
    if (!e->spills) {
        return true;
    }
    for (int i = 0; i < plan->n_stacks; i++) {
        layer_bytes = AS_MAX(layer_bytes, plan->stacks[i].layout.layer_bytes);
    }
    if (add_up(e->work_bytes, layer_bytes) > e->memory_limit) {
        return error_set(err, ERR_MEMORY,
                         "%zu tokens need %s to compute beside a record of %s, and %s of memory "
                         "may be used: take a part with --max-tokens or --range, or raise --memory",
                         desc->n_tokens, work, record, limit);
    }
    if (e->record_bytes > e->disk_free) {
        return error_set(err, ERR_MEMORY,
                         "the record needs %s; %s of memory may be used and %s has %s free: take a "
                         "part with --max-tokens, hold less with --store qk or --dtype f16, raise "
                         "--memory, or set TMPDIR to a larger disk",
                         record, limit, e->spill_folder, disk);
    }
    return true;
}

/* ---- room ------------------------------------------------------------------------------------ */

bool trace_reserve(Trace *trace, const TraceEstimate *estimate, Error *err)
{
    TraceInfo *info = &trace->info;
    TraceLayout *layout = &trace->layout;
    info->spilled = estimate->spills;
    info->held_bytes = layout->total_bytes;
    if (estimate->spills) {
        if (!spill_open(&trace->spill, estimate->spill_folder, layout->total_bytes, err)) {
            return false;
        }
        trace->record = trace->spill.data;
    } else {
        trace->record = mem_alloc(layout->total_bytes, err);
        if (!trace->record) {
            return error_wrap(err, "the record of the run");
        }
    }
    trace->layers = ARENA_ARRAY(&trace->arena, LayerData, (size_t)info->n_layers, err);
    trace->hidden = ARENA_ARRAY(&trace->arena, float *, (size_t)info->n_layers + 1, err);
    if (!trace->layers || !trace->hidden) {
        return false;
    }
    for (int32_t l = 0; l < info->n_layers; l++) {
        unsigned char *base = trace->record + (size_t)l * layout->layer_bytes;
        LayerData *layer = &trace->layers[l];
        layer->q = base + layout->q;
        layer->k = base + layout->k;
        layer->v = info->has_values ? base + layout->v : NULL;
#define TRACE_ROW_POINT(name, type, dtype, rows) layer->name = (type *)(base + layout->name);
        TRACE_ROW_ARRAYS(TRACE_ROW_POINT)
#undef TRACE_ROW_POINT
        layer->summary_mean = (float *)(base + layout->summary_mean);
        layer->summary_max = (float *)(base + layout->summary_max);
    }
    for (int32_t s = 0; s <= info->n_layers && info->has_hidden; s++) {
        trace->hidden[s] =
            trace->states
                ? trace->states->hidden[s]
                : (float *)(trace->record + layout->hidden + (size_t)s * layout->hidden_bytes);
    }
    return true;
}

static bool copy_texts(Trace *trace, const TraceDesc *desc, Error *err)
{
    const TraceText source = {desc->tokens, desc->n_tokens, desc->source, desc->n_source};
    TraceStack stack = trace->info.stack;
    bool of_source = stack == TRACE_STACK_SELF || stack == TRACE_STACK_ENCODER;
    if (!trace_copy_text(&trace->arena, of_source ? &source : &desc->target, &trace->queries,
                         err)) {
        return false;
    }
    trace->keys = trace->queries;
    return (stack != TRACE_STACK_CROSS ||
            trace_copy_text(&trace->arena, &source, &trace->keys, err)) &&
           (!of_source || !desc->image || trace_copy_image(trace, desc->image, err));
}

static bool create(Trace *trace, const TraceDesc *desc, const PlannedStack *planned,
                   const TraceEstimate *estimate, Error *err)
{
    TraceInfo *info = &trace->info;
    *info = planned->info;
    trace->layout = planned->layout;
    info->model_name = arena_strdup(&trace->arena, info->model_name, err);
    info->architecture = arena_strdup(&trace->arena, info->architecture, err);
    bool ok = info->model_name && info->architecture &&
              trace_set_ablated(trace, desc->params.ablate, desc->params.n_ablate, err) &&
              copy_texts(trace, desc, err) && trace_make_ctx(trace, desc->params.threads, err) &&
              trace_reserve(trace, estimate, err);
    info->params.spill_folder = NULL;
    return ok;
}

static bool create_all(const TraceDesc *desc, const Plan *plan, TraceSet *set, Error *err)
{
    for (int i = 0; i < plan->n_stacks; i++) {
        const PlannedStack *planned = &plan->stacks[i];
        Trace *trace = trace_new(err);
        if (!trace) {
            return false;
        }
        set->stacks[planned->info.stack] = trace;
        if (planned->info.has_hidden && !has_own_states(plan, i)) {
            trace->states = trace_retain(set->stacks[TRACE_STACK_DECODER]);
        }
        if (!create(trace, desc, planned, &plan->estimate, err)) {
            return false;
        }
    }
    if (plan->estimate.spills) {
        char need[32];
        char limit[32];
        log_write(desc->log, LOG_INFO,
                  "the record of %s goes to a file in %s, as %s of memory may "
                  "be used",
                  format_bytes(plan->estimate.record_bytes, need), plan->estimate.spill_folder,
                  format_bytes(plan->estimate.memory_limit, limit));
    }
    return true;
}

static bool create_set(const TraceDesc *desc, bool one, TraceSet *set, Error *err)
{
    Plan plan;
    *set = (TraceSet){0};
    return make_plan(desc, one, &plan, err) && check_fits(desc, &plan, err) &&
           create_all(desc, &plan, set, err);
}

bool trace_set_create(const TraceDesc *desc, TraceSet *set, Error *err)
{
    return create_set(desc, false, set, err);
}

void trace_set_close(TraceSet *set)
{
    for (int i = 0; i < TRACE_STACK_COUNT; i++) {
        trace_close(set->stacks[i]);
        set->stacks[i] = NULL;
    }
}

Trace *trace_set_first(const TraceSet *set)
{
    static const TraceStack order[] = {TRACE_STACK_CROSS, TRACE_STACK_SELF, TRACE_STACK_DECODER,
                                       TRACE_STACK_ENCODER};
    for (size_t i = 0; i < AS_COUNT(order); i++) {
        if (set->stacks[order[i]]) {
            return set->stacks[order[i]];
        }
    }
    return NULL;
}

Trace *trace_create(const TraceDesc *desc, Error *err)
{
    TraceSet set;
    if (!create_set(desc, true, &set, err)) {
        trace_set_close(&set);
        return NULL;
    }
    return trace_set_first(&set);
}

Trace *trace_run(const TraceDesc *desc, JobControl *control, Error *err)
{
    Trace *trace = trace_create(desc, err);
    if (trace && !trace_fill(trace, desc, control, err)) {
        trace_close(trace);
        return NULL;
    }
    return trace;
}
