#!/usr/bin/env python3
"""How much memory a trace of a large model takes: writes a GGUF of 7 billion weights in random Q4_0
blocks (some 3.8 GB), traces a short text with attnscope and watches its memory.

Layers stream: beside the mapped file (whose pages the system may take back) a run shall need one
expanded stage of a layer, the trace, and a little more. Exits with 1 where it needs more.

Usage: python tests/bench/large.py ATTNSCOPE FOLDER [TOKENS]
FOLDER needs 4 GB; the file is deleted afterwards. Needs gguf and numpy (tests/golden/requirements.txt).
"""
import json
import os
import subprocess
import sys
import time

import gguf
import numpy as np

LAYERS, WIDTH, HEADS, MLP, VOCABULARY = 32, 4096, 32, 11008, 32000
BLOCK = 32           # weights of a Q4_0 block: a half and 16 bytes of nibbles
SLACK = 256 << 20    # code, activations, the tokenizer, the C library's own


def blocks(n):
    """n random blocks whose weights have the spread of a trained matrix."""
    rng = np.random.default_rng(7)
    data = np.empty((n, 18), np.uint8)
    data[:, :2] = (rng.uniform(0.001, 0.004, n).astype(np.float16)[:, None]).view(np.uint8)
    data[:, 2:] = rng.integers(0, 256, (n, 16), dtype=np.uint8)
    return data.reshape(-1)


def tensors():
    """name, rows, columns; rows 0: a norm."""
    yield "token_embd.weight", VOCABULARY, WIDTH
    for i in range(LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{i}.{name}.weight", WIDTH, WIDTH
        yield f"blk.{i}.ffn_gate.weight", MLP, WIDTH
        yield f"blk.{i}.ffn_up.weight", MLP, WIDTH
        yield f"blk.{i}.ffn_down.weight", WIDTH, MLP
        for name in ("attn_norm", "ffn_norm"):
            yield f"blk.{i}.{name}.weight", 0, WIDTH
    yield "output_norm.weight", 0, WIDTH
    yield "output.weight", VOCABULARY, WIDTH


def write(path):
    w = gguf.GGUFWriter(path, "llama")
    w.add_block_count(LAYERS)
    w.add_embedding_length(WIDTH)
    w.add_feed_forward_length(MLP)
    w.add_context_length(4096)
    w.add_head_count(HEADS)
    w.add_head_count_kv(HEADS)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_dimension_count(WIDTH // HEADS)
    quantised = gguf.GGMLQuantizationType.Q4_0
    for name, rows, columns in tensors():
        if rows:
            row = columns // BLOCK * 18
            w.add_tensor_info(name, (rows, row), np.uint8, rows * row, quantised)
        else:
            w.add_tensor_info(name, (columns,), np.float32, 4 * columns)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_ti_data_to_file()
    pool = blocks(1 << 20)
    n_weights = 0
    for name, rows, columns in tensors():
        if rows:
            n = rows * columns // BLOCK * 18
            w.write_tensor_data(np.resize(pool, n).reshape(rows, -1))
            n_weights += rows * columns
        else:
            w.write_tensor_data(np.ones(columns, np.float32))
    w.close()
    return n_weights


def watch(command):
    """Runs it; the largest anonymous and mapped memory seen, in bytes, and seconds."""
    most = {"RssAnon": 0, "RssFile": 0}
    start = time.monotonic()
    process = subprocess.Popen(command)
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status") as f:
                for line in f:
                    key = line.split(":")[0]
                    if key in most:
                        most[key] = max(most[key], int(line.split()[1]) << 10)
        except OSError:
            pass
        time.sleep(0.01)
    if process.returncode:
        sys.exit(f"attnscope failed with {process.returncode}")
    return most["RssAnon"], most["RssFile"], time.monotonic() - start


def main():
    program, folder = sys.argv[1:3]
    n = int(sys.argv[3]) if len(sys.argv) > 3 else 64
    model, trace = os.path.join(folder, "large.gguf"), os.path.join(folder, "large.safetensors")
    try:
        n_weights = write(model)
        ids = ",".join(str(i % VOCABULARY) for i in range(1, 97 * n, 97))
        anonymous, mapped, seconds = watch([program, "trace", "--model", model, "--ids", ids,
                                            "--store", "qk", "-o", trace])
        stage = 4 * (WIDTH * WIDTH + 3 * WIDTH * MLP)
        held = os.path.getsize(trace)
        allowed = stage + held + SLACK
        mib = lambda b: round(b / (1 << 20))
        print(json.dumps({"weights": n_weights, "file_mib": mib(os.path.getsize(model)), "tokens": n,
                          "seconds": round(seconds, 1), "anonymous_mib": mib(anonymous),
                          "mapped_mib": mib(mapped), "stage_mib": mib(stage),
                          "trace_mib": mib(held), "allowed_mib": mib(allowed)}))
        if anonymous > allowed:
            sys.exit("more than a stage of a layer, the trace and a little")
    finally:
        for path in (model, trace):
            if os.path.exists(path):
                os.unlink(path)


if __name__ == "__main__":
    main()
