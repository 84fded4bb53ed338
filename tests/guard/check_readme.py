#!/usr/bin/env python3
"""The README's promises: files and folders it names exist, every part of src/ and every preset is in
it, and its tables of what is checked are what the golden data says. `--write` renews the tables."""
import csv
import json
import pathlib
import re
import sys

README = pathlib.Path("README.md")
DATA = pathlib.Path("tests/golden/data")

# Which tokenizers the files of an architecture come with; the golden cases of each are read below.
TOKENIZERS = {
    "bert": "WordPiece", "distilbert": "WordPiece", "roberta": "byte BPE, Unigram", "modernbert": "byte BPE",
    "gpt2": "byte BPE", "gptneox": "byte BPE", "opt": "byte BPE", "llama": "byte BPE, SentencePiece BPE",
    "mistral": "SentencePiece BPE", "qwen2": "byte BPE", "qwen3": "byte BPE", "phi3": "SentencePiece BPE",
    "gemma2": "SentencePiece BPE", "gemma3": "SentencePiece BPE", "t5": "Unigram", "t5encoder": "Unigram", "bart": "byte BPE",
    "marian": "Unigram (.spm)", "vit": "patches",
}
KINDS = {
    "WordPiece": ["minilm", "minilm_vocab", "bert_cased", "gguf_wordpiece"],
    "byte BPE": ["smollm2", "tiny", "roberta", "llama3", "splits"],
    "SentencePiece BPE": ["spm_legacy", "metaspace", "gguf_spm"],
    "Unigram": ["t5", "xlmr", "albert", "mbart", "nfkd", "gguf_t5"],
    "other components": ["affixes", "scripts", "fixed"],
    "SentencePiece's model files": ["pieces_t5", "pieces_llama", "pieces_gemma", "pieces_xlmr", "pieces_camembert",
                                    "pieces_words", "pieces_characters", "pieces_unused"],
    "vocab.json and merges.txt": ["merges_gpt2", "merges_opt", "merges_roberta", "merges_bart"],
    "Marian's .spm and vocab.json": ["pieces_marian", "pieces_marian_target", "pieces_marian_two",
                                     "pieces_marian_two_target"],
}


def architectures():
    """One row for each architecture and kind of file: the worst of its cases."""
    rows = {}
    for case in csv.DictReader((DATA / "errors.csv").open()):
        row = rows.setdefault((case["architecture"], case["file"]), {"cases": 0, "dtypes": set(), "weights": 0.0,
                                                                      "logits": 0.0})
        row["cases"] += 1
        row["dtypes"].add(case["dtype"])
        row["weights"] = max(row["weights"], float(case["weights"]))
        row["logits"] = max(row["logits"], float(case["logits"] or 0))
    out = ["| architecture | file | held as | cases | weights | logits | tokenizer |", "|---|---|---|--:|--:|--:|---|"]
    for (name, file), row in rows.items():
        logits = f"{row['logits']:.1e}" if row["logits"] else "–"
        out.append(f"| {name} | {file} | {', '.join(sorted(row['dtypes']))} | {row['cases']} | {row['weights']:.1e} "
                   f"| {logits} | {TOKENIZERS[name]} |")
    return out


def count(value):
    """Texts in a golden file of tokens."""
    rows = value.get("rows", value.get("cases", value)) if isinstance(value, dict) else value
    return len(rows)


def tokenizers():
    out = ["| tokenizer | checked with | texts | different ids or offsets |", "|---|---|--:|--:|"]
    for kind, names in KINDS.items():
        texts = sum(count(json.loads((DATA / f"tokens_{name}.json").read_text())) for name in names)
        out.append(f"| {kind} | {', '.join(n.replace('_', ' ') for n in names)} | {texts} | 0 |")
    return out


TABLES = {"architectures": architectures, "tokenizers": tokenizers}


def with_tables(text):
    """The README with its tables as the data has them."""
    for name, make in TABLES.items():
        mark = re.compile(rf"(<!-- table: {name} -->\n).*?(\n<!-- end -->)", re.S)
        if not mark.search(text):
            sys.exit(f"README.md has no place for the table {name}")
        text = mark.sub(lambda m, rows=make(): m.group(1) + "\n".join(rows) + m.group(2), text)
    return text


def check_names(text):
    wrong = []
    for name in re.findall(r"\]\(([^)#:]+)\)", text):
        if not pathlib.Path(name).exists():
            wrong.append(f"README.md links to {name}, which is not there")
    for name in re.findall(r"`((?:src|tests|models|assets|shaders|scripts|cmake|third_party)/[\w./-]*)`", text):
        if not pathlib.Path(name).exists() and not name.startswith("models/cache"):
            wrong.append(f"README.md names {name}, which is not there")
    for folder in sorted(p.name for p in pathlib.Path("src").iterdir() if p.is_dir()):
        if f"`{folder}`" not in text:
            wrong.append(f"README.md does not name the part `{folder}`")
    presets = json.loads(pathlib.Path("CMakePresets.json").read_text())["configurePresets"]
    for preset in presets:
        if not preset.get("hidden") and f"`{preset['name']}`" not in text:
            wrong.append(f"README.md does not name the preset `{preset['name']}`")
    return wrong


def main():
    text = README.read_text()
    if sys.argv[1:] == ["--write"]:
        README.write_text(with_tables(text))
        return 0
    wrong = check_names(text)
    if with_tables(text) != text:
        wrong.append("README.md: its tables are not what tests/golden/data says: "
                     "python3 tests/guard/check_readme.py --write")
    print("\n".join(wrong) or "the README's names and tables are true")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
