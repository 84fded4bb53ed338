#!/usr/bin/env python3
"""Golden attention: what transformers (eager, float32) computes for the real models.

Writes tests/golden/data/attention_<model>_<text>.safetensors, read by test_attention_golden.c:
  ids         i32 [N]           token ids of the reference tokenizer, special tokens included
  rows        i32 [R]           the query rows kept
  weights     f32 [L, H, R, N]  attention weights of those rows, every layer and head
  full_heads  i32 [S, 2]        layer and head of the heads kept whole
  full        f32 [S, N, N]     their weights
  hidden      f32 [L + 1, C]    hidden state of the last row, 0 = embeddings
  logits_ids  i32 [K], logits f32 [K]   the K largest logits of the last row (models with a head)
Metadata: model (folder), text, made_with (versions).

Usage, from the top of the repository, after models/fetch.sh minilm smollm2:
  python tests/golden/make_attention.py [minilm|smollm2|tiny …]
"""
import glob
import os
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

TEXTS = {
    "fox": "The quick brown fox jumps over the lazy dog. The quick brown",
    "mixed": "Ayam makan Taufik! Grüße, naïve café: 3.14 ≈ π, 你好 世界 🙂\n\tfor (i = 0; i < 10; i++)",
    "letter": (
        "In the evening the harbour was quiet. The old pilot counted the boats that had come home, "
        "and the boats that had not, and wrote both numbers into the book. In the morning the old "
        "pilot counted the boats again, because the sea gives back some of what it takes, and "
        "because a number that is written down once should be read twice."
    ),
}
FOLDERS = {"minilm": "models/cache/minilm", "smollm2": "models/cache/smollm2", "tiny": "models/tiny"}
TOP_LOGITS = 32


def load(name):
    folder = FOLDERS[name]
    options = {"attn_implementation": "eager", "dtype": torch.float32}
    gguf = glob.glob(os.path.join(folder, "*.gguf"))
    source = {"gguf_file": os.path.basename(gguf[0])} if gguf else {}
    tokenizer = AutoTokenizer.from_pretrained(folder, **source)
    kind = AutoModel if name == "minilm" else AutoModelForCausalLM
    return kind.from_pretrained(folder, **source, **options).eval(), tokenizer


def make(name, model, tokenizer, title, text):
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        out = model(input_ids=ids, output_attentions=True, output_hidden_states=True)
    weights = torch.stack([a[0] for a in out.attentions])  # [L, H, N, N]
    layers, heads, n, _ = weights.shape
    rows = sorted({n - 1, n // 2, min(7, n - 1)})
    full = sorted({(0, 0), (layers // 2, heads // 2), (layers - 1, heads - 1)})
    tensors = {
        "ids": ids[0].to(torch.int32),
        "rows": torch.tensor(rows, dtype=torch.int32),
        "weights": weights[:, :, rows, :].contiguous(),
        "full_heads": torch.tensor(full, dtype=torch.int32),
        "full": torch.stack([weights[l, h] for l, h in full]),
        "hidden": torch.stack([h[0, -1] for h in out.hidden_states]),
    }
    if getattr(out, "logits", None) is not None:
        top = out.logits[0, -1].topk(TOP_LOGITS)
        tensors["logits_ids"] = top.indices.to(torch.int32)
        tensors["logits"] = top.values
    made_with = f"transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}"
    path = f"tests/golden/data/attention_{name}_{title}.safetensors"
    save_file(tensors, path, {"model": FOLDERS[name], "text": text, "made_with": made_with})
    os.chmod(path, 0o644)
    print(f"{path}: {n} tokens, {layers} layers, {heads} heads")


def main():
    torch.manual_seed(0)
    for name in sys.argv[1:] or FOLDERS:
        model, tokenizer = load(name)
        for title, text in TEXTS.items():
            make(name, model, tokenizer, title, text)


if __name__ == "__main__":
    main()
