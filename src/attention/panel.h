#pragma once
/* Panels of one step of keys, as the kernels of the pass read them. */
#include "attention/plan.h"

/** Floats of the panels of one step; v is 0 without an o. */
typedef struct AttnPanelSize {
    size_t k, v;
} AttnPanelSize;

AttnPanelSize attn_panel_size(const AttnPlan *plan, bool with_v);

/** Packs keys and values of a step, each where its panel is not NULL; *v_finite
 * as AttnKernel.pack_v. */
void attn_panel_pack(const AttnPlan *plan, int32_t kv_head, int32_t step, float *k, float *v,
                     bool *v_finite);

/** key_mask of a step in slot order: hidden[64] is 1 where a key is hidden.
 * True if any is. */
bool attn_panel_hidden(const AttnPlan *plan, int32_t step, float *hidden);
