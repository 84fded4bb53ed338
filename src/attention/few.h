#pragma once
/*
 * The pass for few queries and many keys, where a program writes one token after another: all query
 * heads that share a key/value head go through its keys together, and threads share the keys of a
 * head. See AttnOutputs for what is written; the contract is that of attn_forward.
 */
#include "attention/plan.h"

/** True where this way is the faster one: by shapes, mask and precision alone. */
bool attn_few_suits(const AttnPlan *plan);

/** Scratch for attn_few_forward, in bytes; that of a summary not counted. */
size_t attn_few_scratch_bytes(const AttnCtx *ctx, const AttnPlan *plan, const AttnOutputs *out);

/**
 * m, l, o, statistics and summary of all heads.
 *
 * plan  of the kernel of its precision; attn_few_suits(plan)
 * out   strides resolved
 * full  some of the statistics are wanted
 */
AttnStatus attn_few_forward(const AttnCtx *ctx, const AttnPlan *plan, const AttnOutputs *out,
                            bool full, const AttnProgress *progress);
