#!/usr/bin/env python3
"""Golden numbers of weights in files: what the gguf and safetensors packages read.

Writes, for test_dequant_golden.c:
  tests/golden/data/dequant.safetensors     per element type T: "T/blocks" u8 [n, bytes of a block],
                                            "T/floats" f32 [n, elements of a block]
  tests/golden/data/files_<model>.json      per tensor of a real model: name, type, shape, bytes and
                                            the CRC-32 of some rows as floats; of the metadata: every
                                            value, arrays and long texts as their length and CRC-32

Usage, from the top of the repository, after models/fetch.sh minilm smollm2:
  python tests/golden/make_dequant.py [MODEL …]     (MODEL: minilm smollm2 gemma3)
"""
import glob
import json
import os
import sys
import zlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import GGUFValueType as V
from safetensors import safe_open
from safetensors.numpy import save_file

OUT = "tests/golden/data"
# Element type: where its f16 scales stand in a block.
TYPES = {
    T.F16: [0],
    T.BF16: [],
    T.Q4_0: [0],
    T.Q4_1: [0, 2],
    T.Q5_0: [0],
    T.Q5_1: [0, 2],
    T.Q8_0: [0],
    T.Q2_K: [80, 82],
    T.Q3_K: [108],
    T.Q4_K: [0, 2],
    T.Q5_K: [0, 2],
    T.Q6_K: [208],
    T.IQ4_NL: [0],
    T.IQ4_XS: [0],
}
# Largest, smallest, negative, denormal, zeros of both signs, an ordinary one.
SCALES = [0x7BFF, 0xFBFF, 0x0400, 0x03FF, 0x0001, 0x8001, 0x0000, 0x8000, 0x211F, 0xA5C3]
ROWS = 4  # first and last rows of each matrix whose floats are summed


def blocks_of(kind, rng):
    """Random bytes, all zeros and all ones, under each scale of SCALES and a random finite one."""
    _, n_bytes = gguf.GGML_QUANT_SIZES[kind]
    count = 256 if n_bytes == 2 else len(SCALES) + 2
    blocks = rng.integers(0, 256, (count, n_bytes), dtype=np.uint8)
    if n_bytes > 2:
        blocks[-1], blocks[-2] = 0xFF, 0x00
    for i, block in enumerate(blocks):
        for k, at in enumerate(TYPES[kind]):
            scale = SCALES[(i + 3 * k) % len(SCALES)]
            if n_bytes == 2 and i >= len(SCALES):
                scale = int(rng.integers(0, 0x7C00)) | int(rng.integers(0, 2)) << 15
            block[at], block[at + 1] = scale & 0xFF, scale >> 8
    if kind == T.BF16:
        blocks[:, 1] = np.where(blocks[:, 1] % 128 == 127, 0x3F, blocks[:, 1])  # no NaN
        blocks[:4] = [[0x7F, 0x7F], [0x01, 0x00], [0x00, 0x80], [0x80, 0x00]]
    return blocks


def make_blocks():
    rng = np.random.default_rng(20240607)
    tensors = {}
    for kind in TYPES:
        blocks = blocks_of(kind, rng)
        floats = gguf.dequantize(blocks, kind).astype(np.float32)
        assert np.isfinite(floats).all(), kind.name
        tensors[f"{kind.name}/blocks"] = blocks
        tensors[f"{kind.name}/floats"] = np.ascontiguousarray(floats.reshape(len(blocks), -1))
    path = f"{OUT}/dequant.safetensors"
    save_file(tensors, path, metadata={"made_with": f"gguf {version('gguf')}"})
    os.chmod(path, 0o644)
    print(path, os.path.getsize(path), "bytes")


def version(package):
    from importlib.metadata import version as of

    return of(package)


def crc(array):
    return zlib.crc32(np.ascontiguousarray(array).tobytes())


def edge_rows(matrix):
    rows = matrix.reshape(-1, matrix.shape[-1]) if matrix.ndim else matrix.reshape(1, 1)
    return np.concatenate([rows[:ROWS], rows[-ROWS:]])


def gguf_value(field):
    kind, item = field.types[0], field.types[-1]
    if kind == V.STRING and len(field.parts[-1]) > 60:
        text = field.parts[-1].tobytes()
        return {"text": len(text), "crc32": zlib.crc32(text)}
    if kind != V.ARRAY:
        return field.contents()
    if item == V.STRING:
        texts = [bytes(field.parts[i]) for i in field.data]
        return {"strings": len(texts), "crc32": zlib.crc32(b"\0".join(texts))}
    if item == V.FLOAT32:
        return {"floats": len(field.data), "crc32": crc(np.array(field.contents(), "<f4"))}
    return {"ints": len(field.data), "crc32": crc(np.array(field.contents(), "<i8"))}


def describe_gguf(path):
    reader = gguf.GGUFReader(path)
    tensors = []
    # Rows as floats: the first and the last ROWS, those of a small matrix twice.
    for t in reader.tensors:
        shape = [int(n) for n in t.shape][::-1]
        data = t.data.reshape(-1, t.data.shape[-1])
        edges = np.concatenate([data[:ROWS], data[-ROWS:]])
        tensors.append({"name": t.name, "dtype": t.tensor_type.name, "shape": shape, "n_bytes": int(t.n_bytes),
                        "crc32": crc(gguf.dequantize(edges, t.tensor_type).astype("<f4"))})
    meta = {k: gguf_value(f) for k, f in reader.fields.items() if not k.startswith("GGUF.")}
    return {"metadata": meta, "tensors": tensors}


def describe_safetensors(path):
    tensors = []
    with safe_open(path, "numpy") as f:
        for name in f.keys():
            data = f.get_tensor(name)
            kind = {"float32": "F32", "float16": "F16", "int64": "I64"}[str(data.dtype)]
            floats = edge_rows(data).astype("<f4") if kind != "I64" else None
            tensors.append({"name": name, "dtype": kind, "shape": list(data.shape), "n_bytes": data.nbytes,
                            "crc32": None if floats is None else crc(floats)})
        return {"metadata": f.metadata() or {}, "tensors": tensors}


def main():
    make_blocks()
    for model in sys.argv[1:] or ["minilm", "smollm2"]:
        folder = f"models/cache/{model}"
        ggufs = glob.glob(f"{folder}/*.gguf")
        path = ggufs[0] if ggufs else f"{folder}/model.safetensors"
        described = describe_gguf(path) if ggufs else describe_safetensors(path)
        out = f"{OUT}/files_{model}.json"
        with open(out, "w") as f:
            json.dump({"file": path, **described}, f, ensure_ascii=False, indent=None, separators=(",", ":"))
            f.write("\n")
        print(out, os.path.getsize(out), "bytes")


main()
