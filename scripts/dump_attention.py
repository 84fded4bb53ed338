#!/usr/bin/env python3
"""Writes q, k, v of every attention of a PyTorch model, so that attnscope can show it.

Works for any model that calls torch.nn.functional.scaled_dot_product_attention, whatever
else it does; cost is linear in the length of the text. As a program, for models of
transformers:

    python scripts/dump_attention.py NAME_OR_FOLDER "some text" -o attention.safetensors
    python scripts/dump_attention.py NAME_OR_FOLDER --file text.txt -o attention.safetensors
    attnscope --trace attention.safetensors

or around any call of a model:

    from dump_attention import record
    with record() as calls:
        model(inputs)
    calls.save("attention.safetensors", tokens=["a", "list", "of", "texts"])

torch.nn.MultiheadAttention calls it too, unless it is asked for the weights. Calls whose shapes
differ from the first (other stacks, cross attention) are left out and counted.
"""
import argparse
import contextlib
import json
import math
import os
import sys

try:
    import torch
    import torch.nn.functional as F
    from safetensors.torch import save_file
except ImportError as error:
    sys.exit(f"dump_attention: {error}: it needs torch and safetensors, such as pip installs them")


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
            raise SystemExit("dump_attention: torch.nn.functional.scaled_dot_product_attention was "
                             "never called: load models of transformers with "
                             "attn_implementation=\"sdpa\", and call it through its module in your "
                             "own")
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
        part = f"{path}.part-{os.getpid()}"
        try:
            save_file(tensors, part, metadata={"attnscope": json.dumps(said)})
            os.replace(part, path)
        except Exception as error:
            if os.path.exists(part):
                os.remove(part)
            raise SystemExit(f"dump_attention: cannot write {path}: {error}") from None


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
    fast = torch.backends.mha.get_fastpath_enabled()  # encoders of torch.nn would go past it
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield calls
    finally:
        F.scaled_dot_product_attention = original
        torch.backends.mha.set_fastpath_enabled(fast)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a name or folder that transformers can load")
    parser.add_argument("text", nargs="?", help="the text itself, or --file")
    parser.add_argument("-f", "--file", help="read the text from a file in UTF-8")
    parser.add_argument("-o", "--output", required=True, help="FILE.safetensors")
    args = parser.parse_args()
    if (args.text is None) == (args.file is None):
        parser.error("give the text, or --file FILE")
    if not args.output.endswith(".safetensors"):
        parser.error(f"'{args.output}' does not end with .safetensors")
    folder = os.path.dirname(args.output) or "."
    if not os.access(folder, os.W_OK):
        parser.error(f"cannot write into {folder}")
    try:
        text = args.text if args.file is None else open(args.file, encoding="utf-8").read()
        from transformers import AutoModel, AutoTokenizer
        tokenizer = AutoTokenizer.from_pretrained(args.model)
        model = AutoModel.from_pretrained(args.model, attn_implementation="sdpa").eval()
    except (OSError, ValueError, ImportError) as error:
        raise SystemExit(f"dump_attention: {str(error).splitlines()[0]}") from None
    inputs = tokenizer(text, return_tensors="pt")
    try:
        with torch.no_grad(), record() as calls:
            model(**inputs)
    except (RuntimeError, IndexError) as error:
        raise SystemExit(f"dump_attention: {args.model} failed on {inputs['input_ids'].shape[1]} "
                         f"tokens: {str(error).splitlines()[0]}") from None
    tokens = [tokenizer.decode([i]) for i in inputs["input_ids"][0].tolist()]
    name = os.path.basename(os.path.normpath(args.model))
    calls.save(args.output, tokens=tokens, model=name)
    print(f"{args.output}: {len(calls.layers)} layers, {len(tokens)} tokens"
          + (f"; {calls.left_out} calls of another shape left out" if calls.left_out else ""))


if __name__ == "__main__":
    main()
