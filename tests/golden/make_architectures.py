#!/usr/bin/env python3
"""Golden architectures: tiny checkpoints with random weights and what transformers (eager, float32)
computes with them.

Writes tests/golden/data/arch_<case>/, read by test_architectures.c:
  config.json, model.safetensors   the checkpoint; or model.gguf, made from one
  expected.safetensors:
    ids       i32 [N]           token ids
    type_ids  i32 [N]           token types (models that have them)
    weights   f32 [L, H, N, N]  attention weights
    logits    f32 [N, V]        models with a head; [1, V] of image classifiers
  of encoder-decoders, N source and T target tokens:
    target_ids i32 [T], and in place of weights
    encoder, decoder, cross     f32 [L, H, N, N], [L, H, T, T], [L, H, T, N]
    written    i32 [at most 41] what generate (greedy) writes for ids, its start first
  of decoders alone:
    continued  i32 [at most 12] what generate (greedy) writes after the first 8 ids
  of vision models in place of ids:
    pixels    f32 [3, side, side]
    picture   f32 [3, side, side]  what the image processor makes of picture.png, by the
                                   preprocessor_config.json beside it

Every case is reproducible: weights come from a seed, rounded to the type they are saved in.

Usage, from the top of the repository: python tests/golden/make_architectures.py [case …]
"""
import json
import os
import shutil
import sys

import gguf
import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
TOKENS = 14
EPS = ("layer_norm_eps", "layer_norm_epsilon", "rms_norm_eps", "norm_eps")
VOCABULARY = 32
LINEAR = {"rope_type": "linear", "factor": 2.5}
LLAMA3 = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 16}


def usual(**more):
    """Names that most configs share."""
    return {"vocab_size": VOCABULARY, "num_hidden_layers": 2, "max_position_embeddings": 20,
            "pad_token_id": 0, **more}


def sizes(heads, width, mlp, **more):
    return usual(num_attention_heads=heads, hidden_size=width, intermediate_size=mlp, **more)


def bart(layers, heads, mlps, width, **more):
    """Sizes of encoder and decoder."""
    return {"vocab_size": VOCABULARY, "d_model": width, "max_position_embeddings": 20,
            "encoder_layers": layers[0], "decoder_layers": layers[1],
            "encoder_attention_heads": heads[0], "decoder_attention_heads": heads[1],
            "encoder_ffn_dim": mlps[0], "decoder_ffn_dim": mlps[1], "pad_token_id": 1,
            "decoder_start_token_id": 2, "eos_token_id": 2, "bos_token_id": 0,
            "forced_eos_token_id": 2, **more}


def t5(layers, heads, head_width, width, mlp, **more):
    return {"vocab_size": VOCABULARY, "d_model": width, "d_kv": head_width, "d_ff": mlp,
            "num_layers": layers[0], "num_decoder_layers": layers[1], "num_heads": heads,
            "decoder_start_token_id": 0, **more}


def grouped(heads, kv_heads, head_width, width, mlp, **more):
    return sizes(heads, width, mlp, num_key_value_heads=kv_heads, head_dim=head_width, **more)


# case: (class, config class, config, dtype of the file, changes made to config.json afterwards).
# A change to None removes a key; configs on the hub write keys that this version renames.
CASES = {
    "bert": ("BertForMaskedLM", "BertConfig", sizes(3, 18, 20), "float32", {}),
    "bert_plain": ("BertModel", "BertConfig", sizes(2, 16, 24), "float16", {}),
    "distilbert": ("DistilBertForMaskedLM", "DistilBertConfig",
                   dict(vocab_size=VOCABULARY, max_position_embeddings=14, n_layers=2, n_heads=3,
                        dim=24, hidden_dim=28), "bfloat16", {}),
    "distilbert_relu": ("DistilBertForMaskedLM", "DistilBertConfig",
                        dict(vocab_size=VOCABULARY, max_position_embeddings=14, n_layers=3,
                             n_heads=1, dim=12, hidden_dim=20, activation="relu",
                             tie_word_embeddings=False), "float32", {}),
    "distilbert_plain": ("DistilBertModel", "DistilBertConfig",
                         dict(vocab_size=VOCABULARY, max_position_embeddings=14, n_layers=2,
                              n_heads=2, dim=16, hidden_dim=20), "float16", {}),
    "roberta": ("RobertaForMaskedLM", "RobertaConfig",
                {**sizes(3, 24, 20), "pad_token_id": 1, "type_vocab_size": 1}, "float16", {}),
    "roberta_plain": ("RobertaModel", "RobertaConfig",
                      {**sizes(2, 16, 24), "pad_token_id": 3, "type_vocab_size": 2}, "float16", {}),
    "xlm_roberta": ("XLMRobertaForMaskedLM", "XLMRobertaConfig",
                    {**sizes(5, 20, 24), "pad_token_id": 1, "type_vocab_size": 1,
                     "tie_word_embeddings": False}, "bfloat16", {}),
    "camembert": ("CamembertForMaskedLM", "CamembertConfig",
                  {**sizes(1, 12, 16), "pad_token_id": 1, "type_vocab_size": 1}, "bfloat16", {}),
    "modernbert": ("ModernBertForMaskedLM", "ModernBertConfig",
                   sizes(3, 18, 16, num_hidden_layers=4, local_attention=6), "bfloat16", {}),
    "modernbert_biases": ("ModernBertForMaskedLM", "ModernBertConfig",
                          sizes(2, 16, 24, num_hidden_layers=3, local_attention=5,
                                attention_bias=True, mlp_bias=True, norm_bias=True,
                                classifier_bias=True, tie_word_embeddings=False), "float16",
                          {"rope_parameters": None, "layer_types": None,
                           "global_attn_every_n_layers": 2, "global_rope_theta": 40000.0,
                           "local_rope_theta": 500.0, "position_embedding_type": "absolute"}),
    "gpt2": ("GPT2LMHeadModel", "GPT2Config",
             dict(vocab_size=VOCABULARY, n_positions=14, n_embd=18, n_layer=2, n_head=3),
             "bfloat16", {}),
    "gpt2_untied": ("GPT2LMHeadModel", "GPT2Config",
                    dict(vocab_size=VOCABULARY, n_positions=14, n_embd=20, n_layer=2, n_head=5,
                         n_inner=28, activation_function="relu", tie_word_embeddings=False),
                    "float16", {}),
    "gptneox": ("GPTNeoXForCausalLM", "GPTNeoXConfig",
                sizes(3, 24, 20, rope_parameters={"rope_type": "default", "rope_theta": 500.0,
                                                  "partial_rotary_factor": 0.5}), "bfloat16", {}),
    "gptneox_serial": ("GPTNeoXForCausalLM", "GPTNeoXConfig",
                       sizes(2, 24, 20, use_parallel_residual=False, attention_bias=False,
                             tie_word_embeddings=True), "float16",
                       {"rope_parameters": None, "rotary_pct": 0.5, "rotary_emb_base": 3000}),
    "gptneox_whole": ("GPTNeoXForCausalLM", "GPTNeoXConfig", sizes(5, 20, 20), "bfloat16",
                      {"rope_parameters": None, "rotary_pct": 1.0, "rotary_emb_base": 10000,
                       "rope_scaling": {"type": "linear", "factor": 2.0}}),
    "gptneox_gguf": ("GPTNeoXForCausalLM", "GPTNeoXConfig", sizes(3, 24, 28), "gguf", {}),
    "bert_gguf": ("BertModel", "BertConfig", sizes(2, 8, 12), "gguf", {}),
    "gpt2_gguf": ("GPT2LMHeadModel", "GPT2Config",
                  dict(vocab_size=VOCABULARY, n_positions=14, n_embd=12, n_layer=2, n_head=3),
                  "gguf", {}),
    "llama_gguf": ("LlamaForCausalLM", "LlamaConfig", grouped(2, 1, 8, 8, 12), "gguf", {}),
    "qwen2_gguf": ("Qwen2ForCausalLM", "Qwen2Config",
                   sizes(2, 12, 12, num_key_value_heads=1, tie_word_embeddings=True), "gguf", {}),
    "qwen3_gguf": ("Qwen3ForCausalLM", "Qwen3Config", grouped(2, 1, 6, 8, 12), "gguf", {}),
    "opt": ("OPTForCausalLM", "OPTConfig",
            usual(num_attention_heads=3, hidden_size=24, ffn_dim=28), "bfloat16", {}),
    "opt_untied": ("OPTForCausalLM", "OPTConfig",
                   usual(num_attention_heads=5, hidden_size=20, ffn_dim=24, enable_bias=False,
                         activation_function="gelu", tie_word_embeddings=False), "float16", {}),
    "llama": ("LlamaForCausalLM", "LlamaConfig", grouped(6, 2, 6, 24, 20), "bfloat16", {}),
    "llama_biases": ("LlamaForCausalLM", "LlamaConfig",
                     grouped(3, 3, 6, 18, 20, attention_bias=True, mlp_bias=True,
                             tie_word_embeddings=True, rope_parameters={**LINEAR,
                                                                        "rope_theta": 7000.0}),
                     "float16", {}),
    "llama3": ("LlamaForCausalLM", "LlamaConfig",
               grouped(5, 1, 8, 20, 16, tie_word_embeddings=True), "float16",
               {"rope_parameters": None, "rope_theta": 500000.0, "rope_scaling": LLAMA3}),
    "mistral": ("MistralForCausalLM", "MistralConfig",
                grouped(6, 3, 6, 18, 24, sliding_window=5), "bfloat16", {}),
    "qwen2": ("Qwen2ForCausalLM", "Qwen2Config",
              sizes(6, 24, 20, num_key_value_heads=2, tie_word_embeddings=True), "bfloat16", {}),
    "qwen2_window": ("Qwen2ForCausalLM", "Qwen2Config",
                     sizes(3, 18, 20, num_key_value_heads=1, use_sliding_window=True,
                           sliding_window=4, max_window_layers=1), "float16",
                     {"layer_types": None}),
    "qwen3": ("Qwen3ForCausalLM", "Qwen3Config", grouped(6, 3, 8, 18, 24), "bfloat16", {}),
    "qwen3_biases": ("Qwen3ForCausalLM", "Qwen3Config",
                     grouped(3, 1, 4, 18, 20, attention_bias=True, tie_word_embeddings=True),
                     "float16", {}),
    "phi3": ("Phi3ForCausalLM", "Phi3Config", sizes(6, 24, 28, num_key_value_heads=2), "float16",
             {}),
    "phi3_window": ("Phi3ForCausalLM", "Phi3Config",
                    sizes(3, 24, 20, num_key_value_heads=3, sliding_window=4,
                          tie_word_embeddings=True), "bfloat16",
                    {"rope_parameters": None, "rope_theta": 3000.0, "rope_scaling": None,
                     "partial_rotary_factor": 0.5}),
    "phi3_gguf": ("Phi3ForCausalLM", "Phi3Config",
                  sizes(6, 24, 28, num_key_value_heads=2, sliding_window=7), "gguf", {}),
    "gemma2": ("Gemma2ForCausalLM", "Gemma2Config",
               grouped(4, 2, 6, 20, 24, num_hidden_layers=3, sliding_window=5,
                       query_pre_attn_scalar=9, attn_logit_softcapping=1.5,
                       final_logit_softcapping=2.0), "bfloat16", {}),
    "gemma2_uncapped": ("Gemma2ForCausalLM", "Gemma2Config",
                        grouped(3, 1, 8, 18, 20, sliding_window=3, query_pre_attn_scalar=30,
                                attn_logit_softcapping=None, final_logit_softcapping=None,
                                tie_word_embeddings=False), "float16", {"layer_types": None}),
    "gemma2_gguf": ("Gemma2ForCausalLM", "Gemma2Config",
                    grouped(4, 2, 6, 20, 24, sliding_window=5, query_pre_attn_scalar=6,
                            attn_logit_softcapping=2.0, final_logit_softcapping=3.0), "gguf", {}),
    "gemma3": ("Gemma3ForCausalLM", "Gemma3TextConfig",
               grouped(4, 1, 6, 20, 24, num_hidden_layers=3, sliding_window=5,
                       sliding_window_pattern=2, query_pre_attn_scalar=9), "bfloat16", {}),
    "gemma3_untied": ("Gemma3ForCausalLM", "Gemma3TextConfig",
                      grouped(3, 3, 4, 12, 20, sliding_window=4, query_pre_attn_scalar=4,
                              tie_word_embeddings=False), "float32",
                      {"rope_parameters": None, "layer_types": None,
                       "_sliding_window_pattern": None, "sliding_window_pattern": 2,
                       "rope_theta": 5000.0, "rope_local_base_freq": 300.0}),
    "gemma3_gguf": ("Gemma3ForCausalLM", "Gemma3TextConfig",
                    grouped(2, 1, 4, 8, 8, num_hidden_layers=6, sliding_window=5,
                            query_pre_attn_scalar=4), "gguf", {}),
    "modernbert_gguf": ("ModernBertModel", "ModernBertConfig",
                        sizes(2, 8, 8, num_hidden_layers=4, local_attention=6), "gguf", {}),
    "t5": ("T5ForConditionalGeneration", "T5Config",
           t5((2, 2), 3, 6, 20, 24, relative_attention_num_buckets=8,
              relative_attention_max_distance=12), "bfloat16", {}),
    "t5_gated": ("T5ForConditionalGeneration", "T5Config",
                 t5((1, 2), 5, 4, 16, 20, feed_forward_proj="gated-gelu",
                    relative_attention_num_buckets=6, tie_word_embeddings=False), "float16", {}),
    "t5_gguf": ("T5ForConditionalGeneration", "T5Config",
                t5((2, 2), 2, 6, 8, 12, relative_attention_num_buckets=8,
                   feed_forward_proj="gated-gelu"), "gguf", {}),
    "t5_encoder": ("T5EncoderModel", "T5Config",
                   t5((3, 1), 3, 5, 16, 20, relative_attention_num_buckets=10,
                      feed_forward_proj="gated-gelu"), "bfloat16", {}),
    "t5_encoder_gguf": ("T5EncoderModel", "T5Config",
                        t5((2, 1), 2, 6, 8, 12, relative_attention_num_buckets=8), "gguf", {}),
    "bart": ("BartForConditionalGeneration", "BartConfig",
             bart((2, 1), (3, 2), (20, 28), 18, scale_embedding=True), "bfloat16", {}),
    "bart_plain": ("BartForConditionalGeneration", "BartConfig",
                   bart((1, 2), (5, 1), (24, 20), 20, activation_function="relu"), "float16", {}),
    "marian": ("MarianMTModel", "MarianConfig",
               bart((1, 2), (3, 1), (20, 28), 21, scale_embedding=True,
                    activation_function="swish"), "bfloat16", {}),
    "marian_apart": ("MarianMTModel", "MarianConfig",
                     bart((2, 1), (2, 4), (20, 24), 16, decoder_vocab_size=29,
                          share_encoder_decoder_embeddings=False), "float16", {}),
    "vit": ("ViTForImageClassification", "ViTConfig",
            dict(num_hidden_layers=2, num_attention_heads=3, hidden_size=24, intermediate_size=28,
                 image_size=12, patch_size=3, num_labels=5), "bfloat16", {}),
    "vit_plain": ("ViTModel", "ViTConfig",
                  dict(num_hidden_layers=2, num_attention_heads=1, hidden_size=16,
                       intermediate_size=20, image_size=12, patch_size=4, qkv_bias=False,
                       hidden_act="gelu_new"), "float16", {}),
    "opt_350m": ("OPTForCausalLM", "OPTConfig",
                 usual(num_attention_heads=3, hidden_size=24, ffn_dim=20, word_embed_proj_dim=10,
                       do_layer_norm_before=False), "float16", {}),
    "phi3_long": ("Phi3ForCausalLM", "Phi3Config",
                  sizes(3, 24, 20, num_key_value_heads=1, max_position_embeddings=64,
                        original_max_position_embeddings=12), "bfloat16",
                  {"rope_parameters": None, "rope_theta": 5000.0, "rope_scaling":
                   {"type": "longrope", "short_factor": [1.0, 1.1, 1.25, 1.5],
                    "long_factor": [1.0, 2.0, 3.5, 6.0]}}),
    "phi3_short": ("Phi3ForCausalLM", "Phi3Config",
                   sizes(3, 24, 20, num_key_value_heads=3, max_position_embeddings=64,
                         original_max_position_embeddings=16), "float16",
                   {"rope_parameters": None, "rope_theta": 5000.0, "rope_scaling":
                    {"rope_type": "longrope", "short_factor": [1.0, 1.1, 1.25, 1.5],
                     "long_factor": [1.0, 2.0, 3.5, 6.0]}}),
}


# Preparation of the pictures of vision models.
PICTURES = {"vit": {"resample": 2},
            "vit_plain": {"resample": 3, "image_mean": [0.48, 0.46, 0.41],
                          "image_std": [0.27, 0.26, 0.28]}}


def randomise(model, seed, dtype):
    """Weights for which attention is neither flat nor a single spike."""
    generator = torch.Generator().manual_seed(seed)
    zero_based = "Gemma" in type(model).__name__  # norms keep weight - 1
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1 and name.endswith("weight"):
                value = 0.2 * noise + (0 if zero_based else 1)
            elif parameter.dim() == 1:
                value = 0.2 * noise
            elif "embed" in name or "wte" in name or "wpe" in name or name == "shared.weight" or \
                    "relative_attention_bias" in name or parameter.dim() == 3:
                value = noise
            else:
                value = 1.5 * noise / max(parameter[0].numel(), len(parameter)) ** 0.5
            if "Attention.q." in name:  # T5 has its scale in the weights
                value = value / model.config.d_kv ** 0.5
            parameter.copy_(value.to(dtype).float())


# Names of GGUF after those of safetensors, "#" the layer; as llama.cpp's converter has them.
LLAMA_NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
               "model.layers.#.input_layernorm": "blk.#.attn_norm",
               "model.layers.#.self_attn.q_proj": "blk.#.attn_q",
               "model.layers.#.self_attn.k_proj": "blk.#.attn_k",
               "model.layers.#.self_attn.v_proj": "blk.#.attn_v",
               "model.layers.#.self_attn.q_norm": "blk.#.attn_q_norm",
               "model.layers.#.self_attn.k_norm": "blk.#.attn_k_norm",
               "model.layers.#.self_attn.o_proj": "blk.#.attn_output",
               "model.layers.#.post_attention_layernorm": "blk.#.ffn_norm",
               "model.layers.#.mlp.gate_proj": "blk.#.ffn_gate",
               "model.layers.#.mlp.up_proj": "blk.#.ffn_up",
               "model.layers.#.mlp.down_proj": "blk.#.ffn_down"}
GEMMA_NAMES = {**LLAMA_NAMES,
               "model.layers.#.post_attention_layernorm": "blk.#.post_attention_norm",
               "model.layers.#.pre_feedforward_layernorm": "blk.#.ffn_norm",
               "model.layers.#.post_feedforward_layernorm": "blk.#.post_ffw_norm"}
GGUF_NAMES = {
    "bert": {"embeddings.word_embeddings": "token_embd",
             "embeddings.position_embeddings": "position_embd",
             "embeddings.token_type_embeddings": "token_types",
             "embeddings.LayerNorm": "token_embd_norm",
             "encoder.layer.#.attention.self.query": "blk.#.attn_q",
             "encoder.layer.#.attention.self.key": "blk.#.attn_k",
             "encoder.layer.#.attention.self.value": "blk.#.attn_v",
             "encoder.layer.#.attention.output.dense": "blk.#.attn_output",
             "encoder.layer.#.attention.output.LayerNorm": "blk.#.attn_output_norm",
             "encoder.layer.#.intermediate.dense": "blk.#.ffn_up",
             "encoder.layer.#.output.dense": "blk.#.ffn_down",
             "encoder.layer.#.output.LayerNorm": "blk.#.layer_output_norm"},
    "modern-bert": {"embeddings.tok_embeddings": "token_embd", "embeddings.norm": "token_embd_norm",
                    "final_norm": "output_norm", "layers.#.attn_norm": "blk.#.attn_norm",
                    "layers.#.attn.Wqkv": "blk.#.attn_qkv", "layers.#.attn.Wo": "blk.#.attn_output",
                    "layers.#.mlp_norm": "blk.#.ffn_norm", "layers.#.mlp.Wi": "blk.#.ffn_up",
                    "layers.#.mlp.Wo": "blk.#.ffn_down"},
    "gpt2": {"transformer.wte": "token_embd", "transformer.wpe": "position_embd",
             "transformer.ln_f": "output_norm", "transformer.h.#.ln_1": "blk.#.attn_norm",
             "transformer.h.#.attn.c_attn": "blk.#.attn_qkv",
             "transformer.h.#.attn.c_proj": "blk.#.attn_output",
             "transformer.h.#.ln_2": "blk.#.ffn_norm", "transformer.h.#.mlp.c_fc": "blk.#.ffn_up",
             "transformer.h.#.mlp.c_proj": "blk.#.ffn_down"},
    "gptneox": {"gpt_neox.embed_in": "token_embd", "gpt_neox.final_layer_norm": "output_norm",
                "lm_head": "output", "gpt_neox.layers.#.input_layernorm": "blk.#.attn_norm",
                "gpt_neox.layers.#.attention.query_key_value": "blk.#.attn_qkv",
                "gpt_neox.layers.#.attention.dense": "blk.#.attn_output",
                "gpt_neox.layers.#.post_attention_layernorm": "blk.#.ffn_norm",
                "gpt_neox.layers.#.mlp.dense_h_to_4h": "blk.#.ffn_up",
                "gpt_neox.layers.#.mlp.dense_4h_to_h": "blk.#.ffn_down"},
    "llama": LLAMA_NAMES, "qwen2": LLAMA_NAMES, "qwen3": LLAMA_NAMES,
    "phi3": {**LLAMA_NAMES, "model.layers.#.self_attn.qkv_proj": "blk.#.attn_qkv",
             "model.layers.#.mlp.gate_up_proj": "blk.#.ffn_up"},
    "gemma2": GEMMA_NAMES, "gemma3": GEMMA_NAMES,
}


def gguf_name(names, name):
    base, _, suffix = name.rpartition(".")
    parts = base.split(".")
    layer = next((p for p in parts if p.isdigit()), "")
    generic = names.get(".".join("#" if p.isdigit() else p for p in parts))
    return generic and generic.replace("#", layer) + "." + suffix


def gguf_data(arch, config, name, data):
    """What the converter does to the numbers."""
    heads = config.num_attention_heads
    rest = data.shape[1:]
    if "query_key_value" in name:  # heads of q, then of k, then of v
        return data.reshape(heads, 3, -1, *rest).swapaxes(0, 1).reshape(-1, *rest)
    if arch == "gpt2" and data.ndim == 2 and ".h." in name:
        return data.T
    if arch == "llama" and ("q_proj" in name or "k_proj" in name):  # pairs that turn together
        n = heads if "q_proj" in name else config.num_key_value_heads
        return data.reshape(n, 2, -1, *rest).swapaxes(1, 2).reshape(-1, *rest)
    return data + 1 if arch.startswith("gemma") and name.endswith("norm.weight") else data


def write_t5(w, c, model):
    w.add_block_count(c.num_layers)
    if hasattr(model, "decoder"):
        w.add_decoder_block_count(c.num_decoder_layers)
    w.add_embedding_length(c.d_model)
    w.add_feed_forward_length(c.d_ff)
    w.add_context_length(512)
    w.add_head_count(c.num_heads)
    w.add_key_length(c.d_kv)
    w.add_value_length(c.d_kv)
    w.add_layer_norm_rms_eps(c.layer_norm_epsilon)
    w.add_relative_attn_buckets_count(c.relative_attention_num_buckets)
    w.add_decoder_start_token_id(c.decoder_start_token_id)
    mlps = {"wi_0": "ffn_gate", "wi_1": "ffn_up", "wi": "ffn_up", "wo": "ffn_down"}
    for name, tensor in model.named_parameters():
        side, _, rest = name.partition(".")
        words = rest.split(".")
        if name == "shared.weight":
            to = "token_embd"
        elif words[0] == "final_layer_norm":
            to = f"{side[:3]}.output_norm"
        else:
            last, layer, mlp = words[-2], words[3], "1" if side == "encoder" else "2"
            if last == "layer_norm":
                last = {"0": "attn_norm", mlp: "ffn_norm"}.get(layer, "cross_attn_norm")
            elif last == "relative_attention_bias":
                last = "attn_rel_b"
            elif last in "qkvo":
                last = ("attn_" if words[4] == "SelfAttention" else "cross_attn_") + last
            else:
                last = mlps[last]
            to = f"{side[:3]}.blk.{words[1]}.{last}"
        data = tensor.detach().numpy()
        data = data.astype(np.float16) if data.ndim == 2 else data
        w.add_tensor(to + ".weight", np.ascontiguousarray(data))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def write_gguf(path, arch, model):
    c = model.config
    heads = c.num_attention_heads
    head_width = getattr(c, "head_dim", None) or c.hidden_size // heads
    rope = getattr(c, "rope_parameters", None) or {}
    w = gguf.GGUFWriter(path, arch)
    if arch.startswith("t5"):
        return write_t5(w, c, model)
    w.add_block_count(c.num_hidden_layers)
    w.add_embedding_length(c.hidden_size)
    w.add_feed_forward_length(getattr(c, "intermediate_size", 4 * c.hidden_size))
    w.add_context_length(c.max_position_embeddings)
    w.add_head_count(heads)
    eps = [getattr(c, name) for name in EPS if hasattr(c, name)][0]
    if arch in ("bert", "modern-bert", "gpt2", "gptneox"):
        w.add_layer_norm_eps(eps)
    else:
        w.add_head_count_kv(c.num_key_value_heads)
        w.add_layer_norm_rms_eps(eps)
    if arch == "gptneox":
        w.add_parallel_residual(c.use_parallel_residual)
        w.add_rope_dimension_count(int(head_width * rope["partial_rotary_factor"]))
    if arch in ("llama", "phi3"):
        w.add_rope_dimension_count(head_width)
    if "rope_theta" in rope and arch not in ("gptneox", "gemma2"):
        w.add_rope_freq_base(rope["rope_theta"])
    if arch in ("llama", "qwen3", "gemma2", "gemma3"):
        w.add_key_length(head_width)
        w.add_value_length(head_width)
    if arch in ("phi3", "gemma2", "gemma3", "modern-bert"):
        w.add_sliding_window(getattr(c, "local_attention", 0) or c.sliding_window)
    if arch == "gemma2":
        w.add_attn_logit_softcapping(c.attn_logit_softcapping)
        w.add_final_logit_softcapping(c.final_logit_softcapping)
    if arch == "modern-bert":
        w.add_sliding_window_pattern(3)
        w.add_rope_scaling_type(gguf.RopeScalingType.NONE)
        w.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])
    if arch in ("gemma3", "modern-bert"):
        w.add_rope_freq_base(rope["full_attention"]["rope_theta"])
    for name, tensor in model.named_parameters():
        to = gguf_name(GGUF_NAMES[arch], name)
        if to:  # not BERT's pooler
            data = gguf_data(arch, c, name, tensor.detach().numpy())
            data = data.astype(np.float16) if data.ndim == 2 else data
            w.add_tensor(to, np.ascontiguousarray(data))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def change_config(folder, changes):
    path = os.path.join(folder, "config.json")
    with open(path) as f:
        config = json.load(f)
    for key, value in changes.items():
        config.pop(key, None)
        if value is not None:
            config[key] = value
    config.pop("transformers_version", None)
    with open(path, "w") as f:
        json.dump(config, f, indent=1, sort_keys=True)
        f.write("\n")


def picture(folder, side, more):
    """A smooth picture of another size, how it is to be prepared, and what becomes of it."""
    colors = np.random.default_rng(3).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    image = Image.fromarray(colors).resize((31, 22), Image.BICUBIC)
    image.save(os.path.join(folder, "picture.png"), optimize=True)
    config = {"do_resize": True, "size": {"height": side, "width": side}, **more}
    with open(os.path.join(folder, "preprocessor_config.json"), "w") as f:
        json.dump(config, f, indent=1, sort_keys=True)
        f.write("\n")
    processor = transformers.ViTImageProcessorPil(**config)
    return processor(image, return_tensors="pt")["pixel_values"][0].contiguous()


def run(model, class_name, generator):
    """What is given to the model, and what it computes."""
    c = model.config
    if class_name.startswith("ViT"):
        pixels = torch.randn((1, 3, c.image_size, c.image_size), generator=generator)
        given, tensors = {"pixel_values": pixels}, {"pixels": pixels[0]}
    else:
        ids = torch.randint(0, VOCABULARY, (1, TOKENS), generator=generator)
        if "oberta" in class_name or "Camembert" in class_name:
            ids[0, 7] = ids[0, 9] = c.pad_token_id  # padding counts for no position
        given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        tensors = {"ids": ids[0].to(torch.int32)}
    if getattr(c, "type_vocab_size", 0) > 1:
        given["token_type_ids"] = (torch.arange(TOKENS) > 8).long()[None]
        tensors["type_ids"] = given["token_type_ids"][0].to(torch.int32)
    both = c.is_encoder_decoder and class_name != "T5EncoderModel"
    if both:
        size = getattr(c, "decoder_vocab_size", None) or VOCABULARY
        target = torch.randint(3, size, (1, TOKENS - 3), generator=generator)
        target[0, 0] = c.decoder_start_token_id
        given["decoder_input_ids"] = target
        tensors["target_ids"] = target[0].to(torch.int32)
    with torch.no_grad():
        out = model(**given, output_attentions=True)
    names = {"encoder": "encoder_attentions", "decoder": "decoder_attentions",
             "cross": "cross_attentions"} if both else {"weights": "attentions"}
    for name, key in names.items():
        tensors[name] = torch.stack([a[0] for a in out[key]]).float().contiguous()
    if both:
        barred = [[c.pad_token_id]] if class_name.startswith("Marian") else None
        with torch.no_grad():
            text = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), num_beams=1,
                                  do_sample=False, max_new_tokens=40 if "T5" in class_name else 18,
                                  use_cache=False, bad_words_ids=barred, forced_eos_token_id=None)[0]
        end = len(text) - (text[-1] == c.eos_token_id).int()
        tensors["written"] = text[:end].to(torch.int32)
    elif model.can_generate() and not getattr(c, "is_decoder", False) and "Masked" not in class_name:
        with torch.no_grad():
            text = model.generate(input_ids=ids[:, :8], attention_mask=torch.ones_like(ids[:, :8]),
                                  num_beams=1, do_sample=False,
                                  max_new_tokens=min(12, c.max_position_embeddings - 8),
                                  eos_token_id=-1, pad_token_id=0)[0]
        tensors["continued"] = text[8:].to(torch.int32)
    if "logits" in out:
        tensors["logits"] = out.logits.reshape(-1, out.logits.shape[-1]).float().contiguous()
    return tensors


def make(case, seed):
    class_name, config_name, numbers, kind, changes = CASES[case]
    folder = os.path.join(HERE, "arch_" + case)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    dtype = torch.float16 if kind == "gguf" else getattr(torch, kind)
    cls = getattr(transformers, class_name)
    config = getattr(transformers, config_name)(**numbers)
    for eps in EPS:
        if hasattr(config, eps):
            setattr(config, eps, 0.02)  # large enough to be seen
    model = cls(config).eval()
    randomise(model, seed, dtype)
    if hasattr(model, "final_logits_bias"):
        model.final_logits_bias.copy_(torch.linspace(-1, 1, model.final_logits_bias.shape[-1])
                                      .to(dtype).float())
    model.to(dtype).save_pretrained(folder)
    change_config(folder, changes)
    model, report = cls.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager",
                                        output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    model.eval()
    tensors = run(model, class_name, torch.Generator().manual_seed(1000 + seed))
    if case in PICTURES:
        tensors["picture"] = picture(folder, model.config.image_size, PICTURES[case])
    for name in os.listdir(folder):
        if kind == "gguf" or name not in ("config.json", "model.safetensors", "picture.png",
                                          "preprocessor_config.json"):
            os.unlink(os.path.join(folder, name))
    if kind == "gguf":
        arch = case.split("_")[0].replace("modernbert", "modern-bert")
        arch = "t5encoder" if class_name == "T5EncoderModel" else arch
        write_gguf(os.path.join(folder, "model.gguf"), arch, model)
    save_file(tensors, os.path.join(folder, "expected.safetensors"),
              {"made_with": f"torch {torch.__version__.split('+')[0]}, "
                            f"transformers {transformers.__version__}"})
    largest = tensors["cross" if "cross" in tensors else "weights"].max(-1).values.mean()
    size = sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder))
    print(f"{case:20} {size:7d} bytes, mean largest weight {largest:.2f}")


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    order = list(CASES)
    for name in sys.argv[1:] or order:
        make(name, 1 + order.index(name))
