#!/usr/bin/env python3
"""Golden tokens of Unigram tokenizers: the kinds that T5, XLM-R, ALBERT and mBART carry; GGUF's.

Writes tests/golden/data/tokens_{json,}_{t5,xlmr,albert,mbart}.json, tokens_t5.gguf and
tokens_gguf_t5.json; formats as make_tokens.py says. The table of character rules is ours, written
in SentencePiece's format: what NFKC and SentencePiece's NMT rules do to the texts' characters.

Usage, from the top of the repository:
  python tests/golden/make_tokens_unigram.py [--seeds | --spm FOLDER]
--seeds writes first inputs for tests/fuzz instead.
--spm also compares vocabularies that are too large to keep: FOLDER is test/ of the source archive
of the Python package sentencepiece, whose models carry full tables; writes tokens_kyoto.json and its
tokenizer to the folder $TMPDIR, for test_tokens.c by ATTNSCOPE_GOLDEN.
"""
import base64
import json
import os
import struct
import sys
import unicodedata

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors, trainers)

import make_tokens
from make_tokens import DATA, LINES, PAIRS, TEXTS, golden, write, write_gguf


# ---- the table of character rules ---------------------------------------------------------------


def rules():
    """{string: what it becomes} for what occurs in the texts."""
    out = {}
    text = "".join(TEXTS) + "".join(LINES)
    for c in sorted(set(text)):
        if unicodedata.normalize("NFKC", c) != c:
            out[c] = unicodedata.normalize("NFKC", c)
    for a, b in sorted(set(zip(text, text[1:]))):
        if unicodedata.combining(b):
            both = unicodedata.normalize("NFKC", a + b)
            if both != a + b and len(both) == 1:
                out[a + b] = both
    for c in list(range(1, 9)) + [11] + list(range(14, 32)) + [0x7F, 0x8F, 0x9F]:
        out[chr(c)] = ""
    for c in [9, 10, 12, 13, 0x1680, *range(0x200B, 0x2010), 0x2028, 0x2029, 0xFEFF, 0xFFFD]:
        out[chr(c)] = " "
    return out


def double_array(keys):
    """Units of Darts-clone for {bytes: value}: cell at (offset of the parent) ^ byte."""
    units, used = [0] * 256, {0}
    tree = {}
    for key, value in keys.items():
        node = tree
        for byte in key:
            node = node.setdefault(byte, {})
        node[None] = value

    def place(node, at):
        labels = sorted(0 if b is None else b for b in node)
        offset = next(o for o in range(1, 1 << 21)
                      if all(o ^ at ^ b not in used for b in labels)) ^ at
        # The offset is kept relative to the cell, by exclusive or.
        delta = offset ^ at
        used.update(offset ^ b for b in labels)
        units.extend([0] * ((max(used) | 255) + 1 - len(units)))
        units[at] |= delta << 10 | (1 << 8 if None in node else 0)
        for b, child in node.items():
            cell = offset ^ (0 if b is None else b)
            if b is None:
                units[cell] = child | 1 << 31
            else:
                units[cell] = b
                place(child, cell)

    place(tree, 0)
    return units


def charsmap(table=None):
    table, texts, keys = table or rules(), bytearray(), {}
    for value in sorted(set(table.values())):
        at = len(texts)
        texts += value.encode() + b"\0"
        keys.update({k.encode(): at for k, v in table.items() if v == value})
    units = double_array(dict(sorted(keys.items())))
    return struct.pack("<I", 4 * len(units)) + struct.pack(f"<{len(units)}I", *units) + bytes(texts)


# ---- the tokenizers -----------------------------------------------------------------------------


def train(special, size, **parts):
    t = Tokenizer(models.Unigram())
    for key, value in parts.items():
        setattr(t, key, value)
    t.train_from_iterator(LINES * 3, trainers.UnigramTrainer(
        vocab_size=size, show_progress=False, special_tokens=special, unk_token="<unk>"))
    return t


def rebuilt(t, byte_fallback):
    """The same with byte tokens, which the trainer does not make."""
    model = json.loads(t.to_str())["model"]
    vocab = [tuple(v) for v in model["vocab"]] + [(f"<0x{i:02X}>", 0.0) for i in range(256)]
    new = Tokenizer(models.Unigram(vocab, model["unk_id"], byte_fallback))
    for key in ("normalizer", "pre_tokenizer", "decoder"):
        if getattr(t, key):
            setattr(new, key, getattr(t, key))
    return new


def made():
    N, P, D, T = normalizers, pre_tokenizers, decoders, processors
    table, out = charsmap(), {}

    t = train(["<pad>", "</s>", "<unk>"], 420, normalizer=N.Precompiled(table),
              pre_tokenizer=P.Sequence([P.WhitespaceSplit(), P.Metaspace()]),
              decoder=D.Metaspace())
    t.post_processor = T.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>",
                                            special_tokens=[("</s>", 1)])
    t.add_special_tokens([f"<extra_id_{i}>" for i in range(3)])
    out["t5"] = t

    t = train(["<s>", "<pad>", "</s>", "<unk>"], 500,
              normalizer=N.Sequence([N.Precompiled(table), N.Replace(Regex(" {2,}"), " ")]),
              pre_tokenizer=P.Metaspace(prepend_scheme="always"), decoder=D.Metaspace())
    t.post_processor = T.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
                                            special_tokens=[("<s>", 0), ("</s>", 2)])
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=True, special=True)])
    out["xlmr"] = t

    t = train(["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], 350,
              normalizer=N.Sequence([N.Replace("``", '"'), N.Replace("''", '"'), N.NFKD(),
                                     N.StripAccents(), N.Lowercase(), N.Precompiled(table),
                                     N.Replace(Regex(" {2,}"), " ")]),
              pre_tokenizer=P.Metaspace(prepend_scheme="first"),
              decoder=D.Metaspace(prepend_scheme="first"))
    t.post_processor = T.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    out["albert"] = t

    t = train(["<s>", "<pad>", "</s>", "<unk>"], 300, normalizer=N.Precompiled(table),
              pre_tokenizer=P.Metaspace(split=False), decoder=D.Sequence(
                  [D.ByteFallback(), D.Metaspace()]))
    t = rebuilt(t, True)
    t.add_special_tokens(["en_XX", "fr_XX"])
    t.post_processor = T.TemplateProcessing(
        single="$A </s> en_XX", pair="$A $B </s> en_XX",
        special_tokens=[("</s>", 2), ("en_XX", t.token_to_id("en_XX"))])
    out["mbart"] = t
    return out


def tokenizers():
    """Trained where a file is not there: training again gives other pieces."""
    paths = {name: f"{DATA}/tokens_json_{name}.json" for name in ("t5", "xlmr", "albert", "mbart")}
    if not all(os.path.exists(path) for path in paths.values()):
        for name, t in made().items():
            write(paths[name], t.to_str(pretty=False) + "\n")
    return paths


def like_gguf(pieces, kinds, table, trims, prepends, unk, eos):
    """What GGUF's "t5" means, in components of the library."""
    N, P, D, T = normalizers, pre_tokenizers, decoders, processors
    t = Tokenizer(models.Unigram([tuple(p) for p in pieces], unk, 6 in kinds))
    trim = [N.Replace(Regex("^ +| +$"), ""), N.Replace(Regex(" {2,}"), " ")]
    t.normalizer = N.Sequence([N.Precompiled(table)] + (trim if trims else []))
    scheme = "always" if prepends else "never"
    t.pre_tokenizer = P.Metaspace(prepend_scheme=scheme)
    t.decoder = D.Metaspace(prepend_scheme=scheme)
    name = pieces[eos][0]
    t.post_processor = T.TemplateProcessing(single=f"$A {name}", pair=f"$A {name} $B:1 {name}:1",
                                            special_tokens=[(name, eos)])
    for kind, special in ((3, True), (4, False)):
        add = t.add_special_tokens if special else t.add_tokens
        add([AddedToken(p[0], normalized=False, special=special)
             for p, k in zip(pieces, kinds) if k == kind])
    return t


def gguf_t5(texts):
    model = json.load(open(f"{DATA}/tokens_json_t5.json", encoding="utf-8"))
    pieces = [[p, struct.unpack("<f", struct.pack("<f", s))[0]] for p, s in model["model"]["vocab"]]
    kinds = [2 if p == "<unk>" else 3 if p in ("<pad>", "</s>") else 4 if p == "TOK" else 1
             for p, _ in pieces]
    table = base64.b64decode(model["normalizer"]["precompiled_charsmap"])
    path = f"{DATA}/tokens_t5.gguf"
    write_gguf(path, "t5", [p for p, _ in pieces], kinds, scores=[s for _, s in pieces],
               eos_token_id=1, unknown_token_id=2, padding_token_id=0,
               precompiled_charsmap=table, remove_extra_whitespaces=True)
    golden("gguf_t5", path, like_gguf(pieces, kinds, table, True, True, 2, 1), texts)


# ---- models too large to keep -------------------------------------------------------------------


def fields(data):
    """(number, value) of a protocol buffer's fields."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            size = varint()
            yield key >> 3, data[at:at + size]
            at += size
        else:
            size = 4 if key & 7 == 5 else 8
            yield key >> 3, struct.unpack("<f" if size == 4 else "<d", data[at:at + size])[0]
            at += size


def kyoto(folder, texts):
    """A SentencePiece model of 8,000 Japanese pieces with the full table of NFKC."""
    pieces, kinds, table = [], [], b""
    with open(f"{folder}/kyoto_ja_unigram_8000.model", "rb") as f:
        for number, value in fields(f.read()):
            if number == 1:
                piece = dict(fields(value))
                pieces.append([piece[1].decode(), piece.get(2, 0.0)])
                kinds.append(piece.get(3, 1))
            elif number == 3:
                table = dict(fields(value))[2]
    t = like_gguf(pieces, kinds, table, True, True, 0, 2)
    out = os.environ.get("TMPDIR", "/tmp")
    make_tokens.DATA = out
    write(f"{out}/tokens_texts.json", json.dumps(texts))
    write(f"{out}/tokens_json_kyoto.json", t.to_str() + "\n")
    golden("kyoto", f"{out}/tokens_json_kyoto.json", t, texts)


SEED_RULES = {"\u00a0": " ", "e\u0301": "é", "ﬁ": "fi", "\u00ad": "", "½": "1⁄2", "\r\n": " "}


def seeds():
    """First inputs of the fuzz targets: the same components with a few pieces and rules."""
    corpus, table = "tests/fuzz/corpus", charsmap(SEED_RULES)
    for name, path in tokenizers().items():
        with open(path, encoding="utf-8") as f:
            t = json.load(f)
        vocab = t["model"]["vocab"]
        t["model"]["vocab"] = vocab[:60] + [v for v in vocab if v[0] in ("<0xC3>", "<0xB6>")]
        parts = t["normalizer"].get("normalizers", [t["normalizer"]])
        for part in parts:
            if part["type"] == "Precompiled":
                part["precompiled_charsmap"] = base64.b64encode(table).decode()
        write(f"{corpus}/fuzz_tokenizer_json/{name}", json.dumps(t, ensure_ascii=False))
    for trims in (True, False):
        write_gguf(f"{corpus}/fuzz_tokenizer_gguf/t5_{'trimmed' if trims else 'as_it_is'}", "t5",
                   ["<pad>", "</s>", "<unk>", "▁", "▁hel", "lo", "é", "<0xC3>", "<0xB6>", "TOK"],
                   [3, 3, 2, 1, 1, 1, 1, 6, 6, 4],
                   scores=[0.0, 0.0, 0.0, -2.0, -3.0, -4.0, -5.0, 0.0, 0.0, 0.0], eos_token_id=1,
                   unknown_token_id=2, precompiled_charsmap=table, remove_extra_whitespaces=trims)
    for i in (10, 25, 37):
        write(f"{corpus}/fuzz_tokenizer_text/{i}_5", chr(55) + TEXTS[i])


def main():
    if "--seeds" in sys.argv:
        return seeds()
    texts = TEXTS + [x for p in PAIRS for x in p if x not in TEXTS]
    for name, path in tokenizers().items():
        golden(name, path, Tokenizer.from_file(path), texts)
    gguf_t5(texts)
    if "--spm" in sys.argv:
        kyoto(sys.argv[sys.argv.index("--spm") + 1], texts)


if __name__ == "__main__":
    sys.exit(main())
