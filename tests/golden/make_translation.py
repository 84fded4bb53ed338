#!/usr/bin/env python3
"""Golden translations: what transformers makes of the embedded model `translate`, in float32.

Writes tests/golden/data/translation.json, read by test_translation.c:
  {"cases": [{"text", "ids": [M], "target": [N] the start token and what the model writes,
              "cross": [L][H][N][M] weights, for the first case alone,
              "alignment": [N - 1] for each word written, the places of the words that it says by
                           the grammar, or null where the text is not the grammar's}, …]}
The first text is the built-in example; the others are sentences that were never trained on.

Usage, from the top of the repository: python tests/golden/make_translation.py
"""
import json
import sys

import torch
from tokenizers import Tokenizer
from transformers import MarianMTModel

sys.path.insert(0, "models")
import make_translate as made  # noqa: E402
import translate_grammar as grammar  # noqa: E402

FOLDER = "models/translate"


def main():
    model = MarianMTModel.from_pretrained(FOLDER, dtype=torch.float32,
                                          attn_implementation="eager").eval()
    tokenizer = Tokenizer.from_file(f"{FOLDER}/tokenizer.json")
    with open(f"{FOLDER}/example.txt", encoding="utf-8") as f:
        texts = [(f.read().strip(), None)]
    texts += [(grammar.spell(e), [list(s) for s in sources])
              for e, _, sources in made.held_out(24, seed=5)]
    cases = []
    for text, sources in texts:
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            out = model.generate(input_ids=torch.tensor([ids]), num_beams=1, do_sample=False,
                                 max_length=64)[0].tolist()
            target = out[:-1]  # without the end
            cross = torch.stack(model(input_ids=torch.tensor([ids]),
                                      decoder_input_ids=torch.tensor([target]),
                                      output_attentions=True).cross_attentions)[:, 0]
        case = {"text": text, "ids": ids, "target": target}
        if not cases:
            case["cross"] = [[[[float(f"{w:.7g}") for w in row] for row in head] for head in layer]
                             for layer in cross.tolist()]
        if sources:
            case["alignment"] = sources
        cases.append(case)
    with open("tests/golden/data/translation.json", "w", encoding="utf-8") as f:
        rows = ",\n".join(json.dumps(c, ensure_ascii=True, separators=(",", ":")) for c in cases)
        f.write(f'{{"cases":[\n{rows}\n]}}\n')


if __name__ == "__main__":
    sys.exit(main())
