#!/usr/bin/env python3
"""Golden tokens of vocab.json with merges.txt, as transformers' AutoTokenizer reads them: GPT-2, OPT
(which begins texts with </s>), RoBERTa and BART.

Writes tests/golden/data/merges_<name>/ and tests/golden/data/tokens_merges_<name>.json in
make_tokens.py's format. Vocabulary and merges are those of tokens_json_roberta.json.

Usage, from the top of the repository: python tests/golden/make_tokens_merges.py
"""
import json
import os

from transformers import AutoTokenizer

from make_tokens import DATA, PAIRS, TEXTS, golden

MASK = {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "rstrip": False,
        "normalized": False, "single_word": False, "special": True}
CASES = {
    "gpt2": {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<s>", "eos_token": "</s>",
             "unk_token": "</s>"},
    "opt": {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "bos_token": "</s>",
            "eos_token": "</s>", "unk_token": "</s>", "pad_token": "<pad>"},
    "roberta": {"tokenizer_class": "RobertaTokenizer", "bos_token": "<s>", "eos_token": "</s>",
                "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<pad>",
                "pad_token": "<pad>", "mask_token": MASK},
    "bart": {"tokenizer_class": "BartTokenizer", "bos_token": "<s>", "eos_token": "</s>",
             "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<pad>", "pad_token": "<pad>",
             "mask_token": MASK, "add_prefix_space": True},
}


def main():
    with open(f"{DATA}/tokens_json_roberta.json", encoding="utf-8") as f:
        model = json.load(f)["model"]
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    texts = TEXTS + [x for p in PAIRS for x in p if x not in TEXTS]
    for name, config in CASES.items():
        folder = f"{DATA}/merges_{name}"
        os.makedirs(folder, exist_ok=True)
        files = {"vocab.json": json.dumps(model["vocab"]),
                 "merges.txt": "#version: 0.2\n" + "\n".join(merges) + "\n",
                 "tokenizer_config.json": json.dumps(config)}
        for file, text in files.items():
            with open(f"{folder}/{file}", "w", encoding="utf-8") as f:
                f.write(text)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        golden(f"merges_{name}", folder, tokenizer.backend_tokenizer, texts)
        print(type(tokenizer).__name__, tokenizer.backend_tokenizer.post_processor)


if __name__ == "__main__":
    main()
