#!/usr/bin/env python3
"""Small right files for the fuzzers to start from: tests/fuzz/corpus/fuzz_{safetensors,gguf,npy,json},
and of foreign attention in fuzz_trace.

Usage, from the top of the repository: python tests/fuzz/make_seeds.py   (needs gguf, safetensors, numpy)
"""
import io
import json
import os

import gguf
import numpy as np
from safetensors.numpy import save

CORPUS = "tests/fuzz/corpus"


def put(target, name, data):
    folder = f"{CORPUS}/fuzz_{target}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{name}", "wb") as f:
        f.write(data)


def make_gguf(name, **arrays):
    path = f"{CORPUS}/fuzz_gguf/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_rope_freq_base(1e4)
    writer.add_array("tokenizer.ggml.tokens", ["a", "b", "ab", "é"])
    writer.add_array("tokenizer.ggml.scores", [0.5, -1.0])
    writer.add_array("tokenizer.ggml.token_type", [1, 3])
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    writer.add_uint64("u64", 2**63)
    writer.add_int8("i8", -1)
    writer.add_float64("f64", 0.1)
    for key, (array, kind) in arrays.items():
        writer.add_tensor(key, array, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    f32 = np.arange(6, dtype=np.float32).reshape(2, 3)
    put("safetensors", "two", save({"w": f32, "b": np.zeros(3, np.float16)}, {"format": "pt"}))
    put("safetensors", "scalar_and_empty", save({"n": np.array(3), "none": np.zeros((0, 4), np.uint8)}))
    put("safetensors", "nothing", save({}))
    put("safetensors", "zip", b"PK\3\4" + bytes(30))
    put("safetensors", "pickle", b"\x80\x02\x8a\x0a" + bytes(30))
    kinds = gguf.GGMLQuantizationType
    q4_0 = gguf.quantize(np.linspace(-1, 1, 64, dtype=np.float32).reshape(2, 32), kinds.Q4_0)
    make_gguf("quantised", w=(q4_0, kinds.Q4_0), norm=(np.ones(4, np.float32), None))
    make_gguf("metadata_only")
    for kind in ("<f4", "<f8", "<f2", "<i8", "|u1", "|b1"):
        for shape in ((), (3,), (2, 1, 3)):
            buffer = io.BytesIO()
            np.save(buffer, np.zeros(shape, kind))
            put("npy", f"{kind[1:]}_{len(shape)}d", buffer.getvalue())
    put("npy", "fortran", b"\x93NUMPY\1\0\x3b\0{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), } \n" + bytes(16))
    for name, write in (("stored", np.savez), ("deflated", np.savez_compressed)):
        buffer = io.BytesIO()
        write(buffer, q=f32, k=f32)
        put("npy", f"{name}.npz", buffer.getvalue())
    rows = np.tril(np.ones((1, 2, 3, 3), np.float32))
    put("trace", "weights.safetensors", save({"weights": rows / rows.sum(-1, keepdims=True)}))
    put("trace", "operands.safetensors", save({name + ".0": np.ones((2, 3, 4), np.float16) for name in "qkv"},
                                              {"attnscope": '{"tokens":["a","b","a"],"causal":true,"window":2}'}))
    put("json", "llama", json.dumps({"model_type": "llama", "hidden_size": 64, "rope_theta": 1e4, "vocab_size": 9,
                                     "attention_bias": False, "rope_scaling": None}).encode())
    put("json", "nested", b'{"text_config":{"n_embd":-1e2,"vocab_size":1.5},"a":["\\u00e9\\ud83d\\ude00",[],{}]}')
    put("json", "deep", b"[" * 400 + b"]" * 400)


main()
