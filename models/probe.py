#!/usr/bin/env python3
"""What the heads of a decoder do, measured with transformers in float32; prints Markdown tables.

    probe.py [--model models/tiny] [--texts assets/examples]        probe scores and head table
    probe.py --heldout WORK/heldout.txt                             cost of a text in bits a byte
    probe.py --pictures DIR [--heads 2.3,3.1]                       weights as PNG, head by head

Probe: a block of 64 random tokens, twice, after the BOS token; mean over 16 such sequences.
  induction   mean weight of the second block on the token after the same token in the first
  previous    mean weight on the token just before
Text measures are means over the query rows of all texts (rows 0 and 1, which have no choice,
left out):
  previous    weight on the token just before         self       weight on the token itself
  sink        weight on token 0                       local      weight 2 to 7 tokens before
  induction   weight on the tokens that followed earlier occurrences of this token, over the rows
              that have any                           same       weight on those occurrences
  reach       how many tokens share the weight: exp of the row's entropy
Cost of a text: pieces (separated by NUL) are read in windows of 512 tokens (--window), BOS first,
that advance by half; a token is scored once, with half a window before it where there is that much.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent


def weights_of(model, ids):
    """[L, H, N, N] of one sequence."""
    with torch.no_grad():
        out = model(torch.tensor([ids]), output_attentions=True)
    return torch.stack([a[0] for a in out.attentions]).numpy()


def random_probe(model, bos, block=64, count=16, seed=2024):
    rng = np.random.default_rng(seed)
    induction, previous = [], []
    for _ in range(count):
        half = rng.integers(1, model.config.vocab_size, block).tolist()
        w = weights_of(model, [bos] + half + half)
        i = np.arange(block + 1, 2 * block + 1)
        j = np.arange(2, 2 * block + 1)
        induction.append(w[:, :, i, i - block + 1].mean(-1))
        previous.append(w[:, :, j, j - 1].mean(-1))
    return {"induction": np.mean(induction, 0), "previous": np.mean(previous, 0)}


def text_rows(w, ids):
    """Per measure, [L, H, rows] values of the rows it is defined for."""
    n = len(ids)
    rows = np.arange(2, n)
    ids = np.array(ids)
    earlier = (ids[:, None] == ids[None, :]) & (np.arange(n)[:, None] > np.arange(n)[None, :])
    after = np.zeros_like(earlier)
    after[:, 1:] = earlier[:, :-1]
    seen = rows[earlier[2:].any(-1)]
    distance = np.arange(n)[:, None] - np.arange(n)[None, :]
    near = (distance >= 2) & (distance < 8)
    entropy = -(w * np.log(np.maximum(w, 1e-30))).sum(-1)
    return {
        "previous": w[:, :, rows, rows - 1],
        "self": w[:, :, rows, rows],
        "sink": w[:, :, 2:, 0],
        "local": (w * near).sum(-1)[:, :, 2:],
        "induction": (w * after).sum(-1)[:, :, seen],
        "same": (w * earlier).sum(-1)[:, :, seen],
        "reach": np.exp(entropy)[:, :, 2:],
    }


def text_measures(model, tokenizer, paths):
    parts = {}
    for path in paths:
        ids = tokenizer(path.read_text(encoding="utf-8")).input_ids
        for name, values in text_rows(weights_of(model, ids), ids).items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values, -1).mean(-1) for name, values in parts.items()}


def bits_a_byte(model, tokenizer, text, n):
    bits, size, advance = 0.0, 0, n // 2
    for piece in text.split("\0"):
        size += len(piece.encode())
        ids = tokenizer(piece).input_ids
        bos, done = ids[0], 1
        while done < len(ids):
            start = max(1, done - (n - 1 - advance)) if done > 1 else 1
            stop = min(start + n - 1, len(ids))
            window = torch.tensor([[bos] + ids[start:stop]])
            with torch.no_grad():
                logits = model(window).logits[0, :-1].double()
            costs = -logits.log_softmax(-1).gather(1, window[0, 1:, None])[:, 0]
            bits += costs[done - start:].sum().item() / math.log(2)
            done = stop
    return bits / size, size


def table(scores, names):
    layers, heads = scores[names[0]].shape
    lines = ["| head | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for layer in range(layers):
        for head in range(heads):
            values = {n: scores[n][layer, head] for n in names}
            cells = [f"{v:.1f}" if n == "reach" else f"{v:.2f}" for n, v in values.items()]
            lines.append(f"| {layer}.{head} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def best(scores):
    layer, head = np.unravel_index(scores.argmax(), scores.shape)
    return f"{scores[layer, head]:.3f} at layer {layer}, head {head}"


def pictures(model, tokenizer, paths, heads, folder):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        ids = tokenizer(path.read_text(encoding="utf-8")).input_ids
        w = weights_of(model, ids)
        picked = heads or [(a, b) for a in range(w.shape[0]) for b in range(w.shape[1])]
        columns = min(8, len(picked))
        rows = -(-len(picked) // columns)
        figure, axes = plt.subplots(rows, columns, squeeze=False,
                                    figsize=(2.4 * columns, 2.5 * rows))
        for axis in axes.flat:
            axis.axis("off")
        for axis, (layer, head) in zip(axes.flat, picked):
            axis.imshow(np.sqrt(w[layer, head]), cmap="magma", vmin=0, vmax=1,
                        interpolation="nearest")
            axis.set_title(f"{layer}.{head}", fontsize=8, pad=2)
        figure.tight_layout(pad=0.3)
        figure.savefig(folder / f"{path.stem}.png", dpi=80)
        plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "models/tiny")
    parser.add_argument("--texts", type=Path, default=ROOT / "assets/examples")
    parser.add_argument("--heldout", type=Path)
    parser.add_argument("--window", type=int, default=512)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--heads", default="", help="layer.head,… (all when left out)")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()

    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(args.threads)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32,
                                                 attn_implementation="eager").eval()
    paths = sorted(args.texts.glob("*.txt"))
    if args.heldout:
        text = args.heldout.read_text(encoding="utf-8")
        cost, size = bits_a_byte(model, tokenizer, text, args.window)
        print(f"{args.heldout.name}: {cost:.3f} bits a byte over {size} bytes")
    elif args.pictures:
        heads = [tuple(map(int, h.split("."))) for h in args.heads.split(",") if h]
        pictures(model, tokenizer, paths, heads, args.pictures)
    else:
        probe = random_probe(model, tokenizer.bos_token_id)
        print(f"best induction head {best(probe['induction'])}; "
              f"best previous-token head {best(probe['previous'])}\n")
        print("Probe of random tokens:\n\n" + table(probe, ["induction", "previous"]) + "\n")
        names = ["previous", "self", "sink", "local", "induction", "same", "reach"]
        print("Texts:\n\n" + table(text_measures(model, tokenizer, paths), names))


if __name__ == "__main__":
    main()
