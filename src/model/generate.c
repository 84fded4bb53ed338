/*
 * What a model writes by itself: the likeliest token each time. Keys and values of the tokens so
 * far are kept, and those of the source, so that a token costs one row.
 */
#include "model/forward.h"

#include <string.h>

typedef struct Writer {
    const Model *model;
    const AttnCtx *ctx;
    const ForwardOptions *options;
    JobControl *control;
    const float *states; /* [n_source, C] of the encoder; NULL = a decoder alone */
    int32_t n_source;
    PassCache cache;
    int32_t *ids; /* [n_given + n_most] what the decoder reads: given, then written */
    int32_t n_given;
    int32_t n_most;
    int32_t n;  /* written */
    bool ended; /* by the token that ends a text */
    int32_t next;
} Writer;

static bool take_likeliest(void *payload, const TapEvent *event, Error *err)
{
    Writer *w = payload;
    const ArchConfig *c = &w->model->main.config;
    const float *last = event->data + (event->n_rows - 1) * event->row_stride;
    const int64_t barred = w->states ? c->barred_token : -1;
    (void)err;
    w->next = -1;
    for (int32_t v = 0; v < event->width; v++) {
        if (v != barred && (w->next < 0 || last[v] > last[w->next])) {
            w->next = v;
        }
    }
    if (w->states && w->n == 0 && c->forced_first >= 0 && c->forced_first < event->width) {
        w->next = (int32_t)c->forced_first;
    }
    return true;
}

static bool cache_create(PassCache *cache, const ArchConfig *c, int32_t n_rows, int32_t n_source,
                         Error *err)
{
    const size_t heads = (size_t)c->n_layers * (size_t)c->n_kv_heads * (size_t)c->head_width;
    size_t own;
    size_t cross;
    *cache = (PassCache){.capacity = n_rows};
    if (!checked_mul(heads * sizeof(float), (size_t)n_rows, &own) ||
        !checked_mul(heads * sizeof(float), (size_t)n_source, &cross)) {
        return error_set(err, ERR_MEMORY, "%d tokens need more memory than there can be", n_rows);
    }
    cache->k = mem_alloc(own, err);
    cache->v = cache->k ? mem_alloc(own, err) : NULL;
    cache->cross_k = cache->v && n_source ? mem_alloc(cross, err) : NULL;
    cache->cross_v = cache->cross_k ? mem_alloc(cross, err) : NULL;
    return cache->v && (cache->cross_v || !n_source);
}

static void cache_free(PassCache *cache)
{
    mem_free(cache->k);
    mem_free(cache->v);
    mem_free(cache->cross_k);
    mem_free(cache->cross_v);
}

/* Do rows so far have to be computed again, since a text of n tokens turns by other frequencies
 * than a shorter one? */
static bool turns_anew(const Model *model, int32_t n)
{
    const ArchConfig *c = &model->main.config;
    const bool listed =
        c->rotary_listed || model->main.weights.roles[ROLE_ROTARY_DIVISORS_LONG].vector;
    return listed && (double)(n - 1) == c->rotary.original_positions;
}

/* Writes until the end or w->n_most. */
static bool write_on(Writer *w, Error *err)
{
    const TapTable taps = {.sites = TAP_BIT(TAP_LOGITS), .fire = take_likeliest, .payload = w};
    const int64_t end = w->states ? w->model->main.config.end_token : -1;
    PassCache *cache = &w->cache;
    if (w->control) {
        atomic_store(&w->control->total_units, (uint64_t)w->n_most);
    }
    while (w->n < w->n_most) {
        const int32_t n_all = w->n_given + w->n;
        if (w->control) {
            atomic_store(&w->control->done_units, (uint64_t)w->n);
        }
        if (turns_anew(w->model, n_all)) {
            cache->n = cache->n_placed = 0;
        }
        if (!part_extend(w->model, w->ids + cache->n, n_all - cache->n, w->states, w->n_source,
                         w->options, &taps, w->ctx, cache, err)) {
            return false;
        }
        if (w->next < 0 || w->next == end) {
            w->ended = true;
            return true;
        }
        w->ids[n_all] = w->next;
        w->n++;
    }
    return true;
}

/* The encoder's states of a source; the decoder begins with its start token. */
static bool read_source(Writer *w, const ModelInput *source, float **states, Error *err)
{
    const TapTable no_taps = {0};
    size_t n;
    if (!checked_mul((size_t)source->n_tokens, (size_t)w->model->main.config.width * sizeof(float),
                     &n)) {
        return error_set(err, ERR_MEMORY, "%d tokens need more memory than there can be",
                         source->n_tokens);
    }
    *states = mem_alloc(n, err);
    w->states = *states;
    w->n_source = source->n_tokens;
    return *states && part_forward(w->model, &w->model->encoder, source, w->options, &no_taps,
                                   w->ctx, NULL, *states, err);
}

static bool write_all(Writer *w, const ModelInput *source, float **states, Error *err)
{
    const bool both = w->model->encoder.arch;
    w->n_given = both ? 1 : source->n_tokens;
    w->ids = mem_alloc(((size_t)w->n_given + (size_t)w->n_most) * sizeof *w->ids, err);
    if (!w->ids || !cache_create(&w->cache, &w->model->main.config, w->n_given + w->n_most,
                                 both ? source->n_tokens : 0, err)) {
        return false;
    }
    if (both) {
        w->ids[0] = (int32_t)w->model->main.config.start_token;
        w->n_most--; /* the start token is one of those asked for */
    } else {
        memcpy(w->ids, source->ids, (size_t)source->n_tokens * sizeof *w->ids);
    }
    return (!both || read_source(w, source, states, err)) && write_on(w, err);
}

static bool check(const Model *model, const ModelInput *input, const ForwardOptions *options,
                  Error *err)
{
    const TapTable no_taps = {0};
    const ArchConfig *c = &model->main.config;
    const bool both = model->encoder.arch;
    if (!model->info.has_logits || model->info.synthetic ||
        (!both && model->info.stacks[0].kind != MODEL_STACK_DECODER)) {
        return error_set(err, ERR_UNSUPPORTED, "%s writes no texts", model->info.name);
    }
    if (both && (c->start_token < 0 || c->start_token >= c->vocabulary)) {
        return error_set(err, ERR_FORMAT, "%s: its first token %lld is not among its %lld",
                         model->info.name, (long long)c->start_token, (long long)c->vocabulary);
    }
    return forward_check(model, input, options, &no_taps, err);
}

int32_t model_generate_most(const Model *model, int32_t n_tokens)
{
    const int32_t before = model->encoder.arch ? 0 : n_tokens;
    const int64_t most = model->info.positions_limited && model->main.config.max_positions > 0
                             ? model->main.config.max_positions
                             : ATTN_MAX_LENGTH;
    return (int32_t)AS_MAX(most - before, 0);
}

bool model_generate(const Model *model, const ModelInput *source, const AttnCtx *attention,
                    JobControl *control, int32_t *target, int32_t n_most, int32_t *n, bool *ended,
                    Error *err)
{
    const ForwardOptions options = {.control = control};
    ModelInput input = *source;
    input.n_target = 0;
    *n = 0;
    *ended = false;
    if (!check(model, &input, &options, err)) {
        return false;
    }
    n_most = AS_MIN(n_most, model_generate_most(model, input.n_tokens));
    if (n_most < 1) {
        return error_set(err, ERR_RANGE, "%s has no positions left for tokens after %d",
                         model->info.name, input.n_tokens);
    }
    AttnCtx *own = NULL;
    if (!attention && attn_ctx_create(NULL, &own, NULL, 0) != ATTN_OK) {
        return error_set(err, ERR_MEMORY, "no memory to compute with");
    }
    Writer writer = {.model = model,
                     .ctx = attention ? attention : own,
                     .options = &options,
                     .control = control,
                     .n_most = n_most};
    float *states = NULL;
    const bool both = model->encoder.arch;
    const bool ok = write_all(&writer, &input, &states, err);
    if (ok) {
        *n = writer.n + both;
        *ended = writer.ended;
        memcpy(target, writer.ids + writer.n_given - both, (size_t)*n * sizeof *target);
    }
    mem_free(writer.ids);
    mem_free(states);
    cache_free(&writer.cache);
    attn_ctx_destroy(&own);
    return ok;
}
