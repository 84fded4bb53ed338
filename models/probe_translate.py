#!/usr/bin/env python3
"""Measures the embedded model `translate`, from the files of its folder; the numbers of its card.

    probe_translate.py [--model DIR] [--count 4096]

Sentences are held out (make_translate.py says which) and without unknown words. Of each head of
each cross layer it prints
  weight     mean weight on the English words that the next French word says (the grammar knows
             them), over all French words
  hits       share of French words whose largest weight is on one of those
  moved      the same share, of words that stand before a word that comes earlier in English
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from transformers import MarianMTModel

sys.path.insert(0, str(Path(__file__).parent))
import make_translate as made  # noqa: E402


def moved_words(rows, n):
    """[B, n]: does French word i say an English word behind one that a later French word says?"""
    out = torch.zeros(len(rows), n, dtype=torch.bool)
    for b, (_, _, sources) in enumerate(rows):
        for i, at in enumerate(sources):
            out[b, i] = any(max(at) > max(later) for later in sources[i + 1:])
    return out


@torch.no_grad()
def hits_of_moved(model, codec, rows, size=64):
    hits = count = 0
    for k in range(0, len(rows), size):
        ids, mask, start, labels, truth = made.collate(codec, rows[k:k + size])
        cross = torch.stack(model(input_ids=ids, attention_mask=mask, decoder_input_ids=start,
                                  output_attentions=True).cross_attentions)
        moved = moved_words(rows[k:k + size], labels.shape[1])
        right = truth.gather(-1, cross.argmax(-1).permute(1, 0, 2, 3).flatten(1, 2)
                             .transpose(1, 2)).transpose(1, 2) > 0
        right = right.view(len(moved), *cross.shape[:1], cross.shape[2], -1)
        hits = hits + (right & moved[:, None, None]).sum((0, 3))
        count += moved.sum()
    return hits / count, int(count)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path(__file__).parent / "translate")
    parser.add_argument("--count", type=int, default=4096)
    args = parser.parse_args()
    model = MarianMTModel.from_pretrained(args.model, dtype=torch.float32,
                                          attn_implementation="eager").eval()
    codec = made.Codec(args.model)
    rows = made.held_out(args.count)
    size = sum(f.stat().st_size for f in args.model.iterdir() if f.suffix != ".md")
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {size} bytes")
    words = sum(len(f) for _, f, _ in rows)
    print(f"{len(rows)} held-out sentences, {words} French words")
    made_up = made.translate(model, codec, rows)
    wrong = [(e, f, m) for (e, f, _), m in zip(rows, made_up) if codec.encode(f)[:-1] != m]
    print(f"exact: {1 - len(wrong) / len(rows):.4f} ({len(wrong)} wrong)")
    names = {i: n for n, i in codec.ids.items()}
    for e, f, m in wrong[:8]:
        print("  wrong:", " ".join(e), "=>", " ".join(names[i] for i in m), "| right:", " ".join(f))
    weight, hits = made.alignment(model, codec, rows)
    moved, n_moved = hits_of_moved(model, codec, rows)
    print(f"layer head  weight  hits   moved (of {n_moved})")
    for layer in range(weight.shape[0]):
        for head in range(weight.shape[1]):
            print(f"{layer:5} {head:4}  {weight[layer, head]:.3f}   {hits[layer, head]:.3f}  "
                  f"{moved[layer, head]:.3f}")


if __name__ == "__main__":
    sys.exit(main())
