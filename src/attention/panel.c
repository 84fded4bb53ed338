#include "attention/panel.h"

AttnPanelSize attn_panel_size(const AttnPlan *plan, bool with_v)
{
    const AttnKernel *kernel = plan->kernel;
    size_t words = (size_t)attn_kernel_words(kernel, plan->args.head_dim);
    size_t values = (size_t)(plan->ep * ATTN_STEP / kernel->v_per_word);
    return (AttnPanelSize){.k = words * ATTN_STEP, .v = with_v ? values : 0};
}

void attn_panel_pack(const AttnPlan *plan, int32_t kv_head, int32_t step, float *k, float *v,
                     bool *v_finite)
{
    const AttnArgs *a = &plan->args;
    int32_t key = step * ATTN_STEP;
    int32_t n = a->n_keys - key < ATTN_STEP ? a->n_keys - key : ATTN_STEP;
    if (k) {
        plan->kernel->pack_k(attn_plan_k(plan, kv_head, key), a->k_row_stride, n, a->head_dim, 1.0f,
                             true, k);
    }
    if (v) {
        *v_finite = plan->kernel->pack_v(attn_plan_v(plan, kv_head, key), a->v_row_stride, n,
                                         a->v_dim, plan->ep, v);
    }
}

bool attn_panel_hidden(const AttnPlan *plan, int32_t step, float *hidden)
{
    const AttnArgs *a = &plan->args;
    int32_t lanes = plan->kernel->lanes, per_lane = ATTN_STEP / lanes;
    bool any = false;
    for (int32_t slot = 0; slot < ATTN_STEP; slot++) {
        int32_t key = step * ATTN_STEP + slot % lanes * per_lane + slot / lanes;
        bool hide = key < a->n_keys && a->mask.key_mask[key] == 0;
        hidden[slot] = hide ? 1.0f : 0.0f;
        any = any || hide;
    }
    return any;
}
