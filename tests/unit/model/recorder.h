#pragma once
/*
 * Runs a model and keeps everything that taps give.
 */
#include "model/model.h"
#include "testing.h"

#include <stdlib.h>

typedef struct Recorder {
    const AttnCtx *ctx;
    const ModelInfo *info;
    int N;
    int events[TAP_COUNT];
    float *row_max, *row_log_sum; /* of the layer that runs */
    AttnArgs args;
    float *weights;    /* [L, H, N, N] */
    float *hidden;     /* [L + 1, N, C] */
    float *final;      /* [N, C] */
    float *logits;     /* [N, V] */
    float *q, *k;      /* [L, H, N, D], [L, G, N, D] */
    AttnStatus status; /* of the tiles */
} Recorder;

static inline float *rec_alloc(size_t n)
{
    float *x = calloc(n ? n : 1, sizeof *x);
    assert_non_null(x);
    return x;
}

static inline bool rec_attention(void *payload, TapPlace place, const AttnArgs *args,
                                 AttnOutputs *out, Error *err)
{
    Recorder *r = payload;
    (void)place;
    (void)err;
    r->args = *args;
    out->row_max = r->row_max;
    out->row_log_sum = r->row_log_sum;
    return true;
}

static inline void rec_tiles(Recorder *r, int layer)
{
    const int H = r->info->stacks[0].n_heads;
    for (int h = 0; h < H && r->status == ATTN_OK; h++) {
        const AttnTileDesc tile = {.head = h,
                                   .row1 = r->N,
                                   .col1 = r->N,
                                   .row_max = r->row_max,
                                   .row_log_sum = r->row_log_sum};
        r->status =
            attn_tile(r->ctx, &r->args, &tile,
                      r->weights + ((size_t)(layer * H + h) * (size_t)r->N) * (size_t)r->N, r->N);
    }
}

static inline bool rec_fire(void *payload, const TapEvent *e, Error *err)
{
    Recorder *r = payload;
    const size_t n = (size_t)e->n_rows * (size_t)e->width * (size_t)e->n_heads;
    const size_t state = (size_t)r->N * (size_t)r->info->width;
    float *to = NULL;
    (void)err;
    r->events[e->site]++;
    if (e->site == TAP_EMBEDDING) {
        to = r->hidden;
    } else if (e->site == TAP_LAYER_OUTPUT) {
        to = r->hidden + (size_t)(e->place.layer + 1) * state;
    } else if (e->site == TAP_FINAL_HIDDEN) {
        to = r->final;
    } else if (e->site == TAP_LOGITS) {
        to = r->logits + (size_t)e->row0 * (size_t)e->width;
    } else if (e->site == TAP_QUERY) {
        to = r->q + (size_t)e->place.layer * n;
    } else if (e->site == TAP_KEY) {
        to = r->k + (size_t)e->place.layer * n;
    } else if (e->site == TAP_HEAD_OUTPUT) {
        rec_tiles(r, e->place.layer);
    }
    if (to) {
        memcpy(to, e->data, n * sizeof *to);
    }
    return true;
}

/** Room for everything a run of `input` gives. */
static inline void rec_make(Recorder *r, const Model *model, int n)
{
    const ModelInfo *info = model_info(model);
    const ModelStack *s = &info->stacks[0];
    const size_t N = (size_t)n, L = (size_t)s->n_layers, H = (size_t)s->n_heads;
    *r = (Recorder){.info = info, .N = n};
    r->row_max = rec_alloc(H * N);
    r->row_log_sum = rec_alloc(H * N);
    r->weights = rec_alloc(L * H * N * N);
    r->hidden = rec_alloc((L + 1) * N * (size_t)info->width);
    r->final = rec_alloc(N * (size_t)info->width);
    r->logits = rec_alloc(info->has_logits ? N * (size_t)info->vocabulary : 0);
    r->q = rec_alloc(L * H * N * (size_t)s->head_width);
    r->k = rec_alloc(L * (size_t)s->n_kv_heads * N * (size_t)s->head_width);
}

static inline void rec_free(Recorder *r)
{
    free(r->row_max);
    free(r->row_log_sum);
    free(r->weights);
    free(r->hidden);
    free(r->final);
    free(r->logits);
    free(r->q);
    free(r->k);
}

static inline TapTable rec_taps(Recorder *r)
{
    const uint32_t all = (1u << TAP_COUNT) - 1;
    return (TapTable){.sites = r->info->has_logits ? all : all & ~TAP_BIT(TAP_LOGITS),
                      .attention = rec_attention,
                      .fire = rec_fire,
                      .payload = r};
}

/** Runs with `threads` threads and all logits; fails the test on errors. */
static inline void rec_run(Recorder *r, const Model *model, const ModelInput *input,
                           const ModelWhatIf *what_if, int threads)
{
    Error err = {0};
    AttnCtx *ctx = NULL;
    assert_int_equal(attn_ctx_create(&(AttnCtxDesc){.n_threads = threads}, &ctx, NULL, 0), ATTN_OK);
    rec_make(r, model, input->n_tokens);
    r->ctx = ctx;
    const TapTable taps = rec_taps(r);
    ForwardOptions options = {.attention = ctx, .logits = MODEL_LOGITS_ALL};
    if (what_if) {
        options.what_if = *what_if;
    }
    assert_ok(model_forward(model, input, &options, &taps, &err), err);
    assert_int_equal(r->status, ATTN_OK);
    attn_ctx_destroy(&ctx);
}
