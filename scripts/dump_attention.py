#!/usr/bin/env python3
"""Writes q, k, v of every attention of a PyTorch model, so that attnscope can show it.

Works for any model that calls torch.nn.functional.scaled_dot_product_attention, whatever
else it does; cost is linear in the length of the text. As a program, for models of
transformers:

    python scripts/dump_attention.py NAME_OR_FOLDER "some text" -o attention.safetensors
    attnscope --trace attention.safetensors

or around any call of a model:

    from dump_attention import record
    with record() as calls:
        model(inputs)
    calls.save("attention.safetensors", tokens=["a", "list", "of", "texts"])

Calls whose shapes differ from the first (other stacks, cross attention) are left out and counted.
"""
import argparse
import contextlib
import json
import math

import torch
import torch.nn.functional as F
from safetensors.torch import save_file


class Calls:
    """What the calls of one forward pass were made with."""

    def __init__(self):
        self.layers = []
        self.causal = None
        self.scale = None
        self.left_out = 0

    def take(self, q, k, v, mask, causal, scale):
        if q.dim() != 4 or q.shape[0] != 1:
            raise SystemExit("dump_attention: expected one text at a time (a batch of 1)")
        causal = causal or is_causal_mask(mask, q.shape[2], k.shape[2])
        scale = 1 / math.sqrt(q.shape[3]) if scale is None else float(scale)
        shape = (q.shape, k.shape, causal, scale)
        if self.layers and shape != self.shape:
            self.left_out += 1
            return
        if mask is not None and not causal and not is_open_mask(mask):
            raise SystemExit("dump_attention: this model adds a mask or bias that is neither "
                             "causal nor empty, which the file cannot say")
        self.shape, self.causal, self.scale = shape, causal, scale
        self.layers.append([t[0].detach().float().cpu().contiguous() for t in (q, k, v)])

    def save(self, path, tokens=None, keys=None, model=None):
        if not self.layers:
            raise SystemExit("dump_attention: scaled_dot_product_attention was never called; load "
                             "the model with attn_implementation=\"sdpa\"")
        tensors = {}
        for i, layer in enumerate(self.layers):
            for name, tensor in zip("qkv", layer):
                tensors[f"{name}.{i}"] = tensor
        said = {"causal": bool(self.causal), "scale": self.scale}
        if tokens is not None:
            said["tokens"] = list(tokens)
        if keys is not None:
            said["keys"] = list(keys)
        if model is not None:
            said["model"] = model
        save_file(tensors, path, metadata={"attnscope": json.dumps(said)})


def is_causal_mask(mask, n, m):
    if mask is None or n != m or n == 1:
        return False
    seen = mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2
    lower = torch.ones(n, m, dtype=torch.bool, device=mask.device).tril()
    return bool((seen.reshape(-1, n, m) == lower).all())


def is_open_mask(mask):
    return bool(mask.all()) if mask.dtype == torch.bool else bool((mask == 0).all())


@contextlib.contextmanager
def record():
    """Keeps the operands of every call of scaled_dot_product_attention inside the block."""
    calls = Calls()
    original = F.scaled_dot_product_attention

    def watch(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None,
              **rest):
        calls.take(query, key, value, attn_mask, is_causal, scale)
        return original(query, key, value, attn_mask=attn_mask, dropout_p=dropout_p,
                        is_causal=is_causal, scale=scale, **rest)

    F.scaled_dot_product_attention = watch
    try:
        yield calls
    finally:
        F.scaled_dot_product_attention = original


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a name or folder that transformers can load")
    parser.add_argument("text")
    parser.add_argument("-o", "--output", required=True, help="FILE.safetensors")
    args = parser.parse_args()
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModel.from_pretrained(args.model, attn_implementation="sdpa").eval()
    inputs = tokenizer(args.text, return_tensors="pt")
    with torch.no_grad(), record() as calls:
        model(**inputs)
    tokens = [tokenizer.decode([i]) for i in inputs["input_ids"][0].tolist()]
    calls.save(args.output, tokens=tokens, model=args.model)
    print(f"{args.output}: {len(calls.layers)} layers, {len(tokens)} tokens"
          + (f"; {calls.left_out} calls of another shape left out" if calls.left_out else ""))


if __name__ == "__main__":
    main()
