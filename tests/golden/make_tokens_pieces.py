#!/usr/bin/env python3
"""Golden tokens of SentencePiece's own model files, as the sentencepiece package makes them.

Writes tests/golden/data/pieces_<name>/ (a model trained on a few lines of our own, beside the small
JSON files that checkpoints have) and tests/golden/data/tokens_pieces_<name>.json in make_tokens.py's
format. Ids are those of the family (T5, LLaMA, XLM-R, CamemBERT, Marian); special tokens are cut
out of the text first, as transformers does. A token's bytes are those of the characters that its
normalised characters come from, by the offsets of SentencePiece's normalizer.

Usage, from the top of the repository:
  python tests/golden/make_tokens_pieces.py [--seeds]
--seeds writes first inputs of tests/fuzz instead. Needs sentencepiece, protobuf and transformers (requirements.txt). Training again gives the same
models.
"""
import io
import json
import os
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto

import make_tokens
from make_tokens import DATA, LINES, PAIRS, TEXTS, byte_offsets, write
from make_tokens_unigram import SEED_RULES, charsmap, rules

MARK = "\u2581"


# ---- models -------------------------------------------------------------------------------------


def train(lines=LINES, **options):
    """A ModelProto. Character rules are a few of ours, since full tables are large."""
    out = io.BytesIO()
    if "normalization_rule_name" not in options:
        path = os.path.join(os.environ.get("TMPDIR", "/tmp"), "rules.tsv")
        with open(path, "w") as f:
            for a, b in sorted(rules().items()):
                if a not in "\n\r\t" and a != "\0":
                    f.write(" ".join(f"{ord(c):X}" for c in a) + "\t"
                            + " ".join(f"{ord(c):X}" for c in b) + "\n")
        options["normalization_rule_tsv"] = path
    options = {"hard_vocab_limit": False, "minloglevel": 2, "num_threads": 1,
               "character_coverage": 0.98, **options}
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines * 2), model_writer=out,
                                             **options)
    model = proto.ModelProto()
    model.ParseFromString(out.getvalue())
    model.normalizer_spec.ClearField("normalization_rule_tsv")
    return model


NO_RULES = {"normalization_rule_name": "identity"}


def models():
    """name: (model, family, files beside it)"""
    t5 = train(model_type="unigram", vocab_size=420, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
               user_defined_symbols=["TOK", "ha"], normalization_rule_name="nmt_nfkc")
    llama = train(model_type="bpe", vocab_size=620, byte_fallback=True, split_digits=True,
                  remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, **NO_RULES)
    gemma = train(model_type="bpe", vocab_size=620, byte_fallback=True, add_dummy_prefix=False,
                  remove_extra_whitespaces=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3,
                  user_defined_symbols=["\n\n", "<b>", MARK * 2, "TOK", "ha", "\U0001f642"],
                  **NO_RULES)
    xlmr = train(model_type="unigram", vocab_size=400)
    unused = train(model_type="bpe", vocab_size=520)
    for i, piece in enumerate(unused.pieces):
        if piece.type == 1 and len(piece.piece) > 1 and i % 3 == 0:
            piece.type = proto.ModelProto.SentencePiece.UNUSED
    sides = [train(model_type="unigram", vocab_size=380, lines=LINES[:3] + [LINES[5]]),
             train(model_type="unigram", vocab_size=380, lines=LINES[3:5])]
    for i, piece in enumerate(sides[0].pieces):
        if piece.type == 1 and i % 11 == 0:
            piece.type = proto.ModelProto.SentencePiece.UNUSED
    config = lambda **more: {"tokenizer_config.json": more}
    return {
        "t5": (t5, "t5", config(tokenizer_class="T5Tokenizer", extra_ids=100)),
        "llama": (llama, "llama", {
            **config(tokenizer_class="LlamaTokenizer", legacy=False, add_eos_token=False),
            "added_tokens.json": {"<|im_start|>": len(llama.pieces)}}),
        "gemma": (gemma, "llama", {"config.json": {"model_type": "gemma2"}, **config(
            added_tokens_decoder={"3": {"content": "<unk>", "special": True},
                                  str(len(gemma.pieces)): {"content": "<mask>", "rstrip": True}})}),
        "xlmr": (xlmr, "xlmr", {"config.json": {"model_type": "xlm-roberta"}}),
        "camembert": (train(model_type="unigram", vocab_size=300, treat_whitespace_as_suffix=True),
                      "camembert", config(tokenizer_class="CamembertTokenizerFast")),
        "words": (train(model_type="word", vocab_size=60), "plain", config(add_eos_token=True)),
        "characters": (train(model_type="char", vocab_size=90, user_defined_symbols=["the"]),
                       "plain", config(add_bos_token=True)),
        "unused": (unused, "plain", config(add_bos_token=True, add_eos_token=True)),
        "marian": (sides, "marian", config(tokenizer_class="MarianTokenizer")),
        "marian_two": (sides[::-1], "marian", config(separate_vocabs=True)),
    }


def marian_vocab(*sides):
    """Names to ids in an order of its own, without every seventh piece."""
    names = sorted({p.piece for side in sides for i, p in enumerate(side.pieces) if i % 7})
    names = ["</s>", "<unk>"] + [n for n in names if n not in ("<unk>", "<s>", "</s>")]
    names += [">>fra<<", "\u6c49", "<pad>"]
    return {n: i for i, n in enumerate(names)}


FILES = {"t5": "spiece.model", "llama": "tokenizer.model", "xlmr": "sentencepiece.bpe.model",
         "camembert": "sentencepiece.bpe.model", "plain": "spiece.model"}


def keep(name, model, family, beside):
    """Writes the files of a model, or reads the model that is there."""
    folder = f"{DATA}/pieces_{name}"
    files = ["source.spm", "target.spm"] if family == "marian" else [FILES[family]]
    os.makedirs(folder, exist_ok=True)
    for file, one in zip(files, model if family == "marian" else [model]):
        with open(f"{folder}/{file}", "wb") as f:
            f.write(one.SerializeToString())
    if family == "marian":
        two = beside["tokenizer_config.json"].get("separate_vocabs")
        beside["vocab.json"] = marian_vocab(*(model[:1] if two else model))
        if two:
            beside["target_vocab.json"] = marian_vocab(model[1])
    for file, value in beside.items():
        with open(f"{folder}/{file}", "w", encoding="utf-8") as f:
            json.dump(value, f)
    return folder


# ---- what is expected ---------------------------------------------------------------------------


class Expected:
    """Tokens of one side of a model."""

    def __init__(self, model, family, beside, side=0):
        self.family, self.legacy = family, beside.get("tokenizer_config.json", {}).get("legacy", True)
        self.model = model[side] if family == "marian" else model
        self.sp = sentencepiece.SentencePieceProcessor(model_proto=self.model.SerializeToString())
        self.pieces = [p.piece for p in self.model.pieces]
        self.n = len(self.pieces)
        config = beside.get("tokenizer_config.json", {})
        shift = {"xlmr": 1, "camembert": 4}.get(family, 0)
        self.fixed = {"xlmr": {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": self.n + 1},
                      "camembert": {"<s>NOTUSED": 0, "<pad>": 1, "</s>NOTUSED": 2, "<unk>": 3,
                                    "<unk>NOTUSED": 4, "<mask>": self.n + 4}}.get(family, {})
        if family == "marian":
            vocab = beside["target_vocab.json" if side and "target_vocab.json" in beside
                           else "vocab.json"]
            self.id = lambda piece, place: vocab.get(piece, vocab["<unk>"])
            self.added = {k: (vocab[k], "") for k in ("</s>", "<unk>", "<pad>")}
        else:
            self.id = lambda piece, place: self.fixed.get(self.pieces[place], place + shift)
            control = [(p.piece, i + shift) for i, p in enumerate(self.model.pieces)
                       if p.type in (2, 3)]
            self.added = {k: (i, "") for k, i in control}
            self.added.update({k: (i, "l" if k == "<mask>" else "") for k, i in self.fixed.items()})
            if family == "t5":
                self.added.update({f"<extra_id_{i}>": (self.n + 99 - i, "") for i in range(100)})
            for i, t in config.get("added_tokens_decoder", {}).items():
                self.added[t["content"]] = (int(i), "r" if t.get("rstrip") else "")
            for k, i in beside.get("added_tokens.json", {}).items():
                self.added[k] = (i, "")
        adds_bos = config.get("add_bos_token", family in ("llama", "xlmr", "camembert"))
        adds_eos = config.get("add_eos_token", family in ("t5", "xlmr", "camembert", "marian"))
        self.bos = [self.added["<s>"][0]] if adds_bos else []
        self.eos = [self.added["</s>"][0]] if adds_eos else []

    def chunks(self, text):
        """(begin, end, id or None) in characters; the longest added token at each place."""
        at = begin = 0
        names = sorted(self.added, key=len, reverse=True)
        while at < len(text):
            name = next((n for n in names if text.startswith(n, at)), None)
            if not name:
                at += 1
                continue
            first, end = at, at + len(name)
            token, strips = self.added[name]
            while strips == "l" and first > begin and text[first - 1].isspace():
                first -= 1
            while strips == "r" and end < len(text) and text[end].isspace():
                end += 1
            if first > begin:
                yield begin, first, None
            yield first, end, token
            at = begin = end
        if begin < len(text):
            yield begin, len(text), None

    def tokens(self, text):
        """[(id, first character, end)]"""
        out = []
        for begin, end, token in self.chunks(text):
            if token is not None:
                out.append((token, begin, end))
                continue
            part = text[begin:end]
            if self.family == "marian" and part.startswith(">>") and "<<" in part:
                n = part.index("<<") + 2
                out.append((self.id(part[:n], 0), begin, begin + n))
                begin, part = begin + n, part[n:]
            out += [(i, begin + a, begin + b) for i, a, b in self.plain(part, begin == 0)]
        return out

    def plain(self, part, is_first):
        sp = self.sp
        if not self.legacy and not is_first:
            sp = self.unprefixed()
        text, offsets = sp.normalize(part, with_offsets=True)
        names, ids = sp.encode(part, out_type=str), sp.encode(part)
        at, spell = 0, b""
        for name, place in zip(names, ids):
            n = len(name)
            if self.model.pieces[place].type == 6:
                # Bytes of one unknown character: all of them stand for it.
                n, start = 0, at
                spell += bytes([int(name[1:5], 16)])
                if spell == text[at].encode():
                    n, spell = 1, b""
                last = at + 1
            else:
                assert text[at:at + n] == name, (part, text[at:], name)
                start, last = at, at + n
            a = offsets[start] if start < len(offsets) else offsets[-1]
            b = next((o for o in offsets[last:] if o > offsets[last - 1]), offsets[-1])
            yield self.id(name, place), a, max(b, a)
            at += n
        assert at == len(text), (part, text, at)

    def unprefixed(self):
        if not hasattr(self, "bare"):
            model = proto.ModelProto()
            model.CopyFrom(self.model)
            model.normalizer_spec.add_dummy_prefix = False
            self.bare = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
        return self.bare

    def case(self, texts, index, pair=None, special=True):
        sides = [self.tokens(texts[index])] + ([] if pair is None else [self.tokens(texts[pair])])
        tables = [byte_offsets(texts[i]) for i in (index, pair) if i is not None]
        rows = [[(i, t[a], t[b], 0) for i, a, b in side] for side, t in zip(sides, tables)]
        bos, eos = ([(i, 0, 0, 1) for i in ids] if special else [] for ids in (self.bos, self.eos))
        if self.family in ("xlmr", "camembert"):
            middle, types = eos + eos, (0, 0)
        elif self.family == "t5":
            middle, types = eos, (0, 0)
        elif self.family == "marian":
            middle, types = [], (0, 0)
        else:
            middle, types = eos + bos, (0, 1)
        row = bos + rows[0]
        kinds = [0] * len(row)
        if pair is not None:
            kinds += [0] * len(eos if self.family == "plain" or self.family == "llama" else middle)
            row += middle + rows[1]
            kinds += [types[1]] * (len(row) + len(eos) - len(kinds))
        row += eos
        kinds += [0] * (len(row) - len(kinds))
        out = {"text": index, "special": special, "ids": [r[0] for r in row],
               "start": [r[1] for r in row], "end": [r[2] for r in row]}
        if pair is not None:
            out["pair"] = pair
        if any(kinds):
            out["type_ids"] = kinds
        if any(r[3] for r in row):
            out["added"] = [r[3] for r in row]
        whole = len(list(self.chunks(texts[index]))) < 2
        unk = self.sp.unk_id()
        places = self.sp.encode(texts[index])
        plain = not (self.family == "marian" and texts[index].startswith(">>"))
        if pair is None and whole and plain and unk not in places and self.family != "marian":
            out["decoded_text"] = self.sp.decode(places)
        return out


def golden(name, source, expected, texts, target=False):
    rows = [expected.case(texts, i) for i in range(len(TEXTS))]
    rows += [expected.case(texts, i, special=False) for i in (5, 36, 37)]
    for a, b in PAIRS:
        for special in (True, False):
            rows.append(expected.case(texts, texts.index(a), texts.index(b), special))
    body = ",\n".join(json.dumps(r, ensure_ascii=True, separators=(",", ":")) for r in rows)
    head = json.dumps({"source": source, "target": target})[:-1]
    write(f"{make_tokens.DATA}/tokens_{name}.json", f'{head},"cases":[\n{body}\n]}}\n')


def check_marian(folder, expected, texts, target, two):
    """Marian's ids are those of transformers' MarianTokenizer. Of two vocabularies it takes the
    first one's <pad> in a target that spells it out, which we do not."""
    from transformers import MarianTokenizer
    tokenizer = MarianTokenizer.from_pretrained(folder)
    for i, text in enumerate(texts):
        if two and target and "<pad>" in text:
            continue
        theirs = tokenizer(**{"text_target" if target else "text": text})["input_ids"]
        ours = [t[0] for t in expected.tokens(text)] + expected.eos
        assert theirs == ours, (folder, i, text, theirs, ours)


def seeds():
    """First inputs of the fuzz target: the same files without most pieces and the large table."""
    corpus = "tests/fuzz/corpus/fuzz_pieces"
    os.makedirs(corpus, exist_ok=True)
    for name, (model, family, _) in models().items():
        small = proto.ModelProto()
        small.CopyFrom(model[0] if family == "marian" else model)
        kept = [p for i, p in enumerate(small.pieces) if p.type != 1 or i % 9 == 0]
        del small.pieces[:]
        small.pieces.extend(kept)
        if len(small.normalizer_spec.precompiled_charsmap) > 10000:
            small.normalizer_spec.precompiled_charsmap = charsmap(SEED_RULES)
        small.trainer_spec.ClearField("input")
        with open(f"{corpus}/{name}", "wb") as f:
            f.write(small.SerializeToString())


def main():
    texts = TEXTS + [x for p in PAIRS for x in p if x not in TEXTS]
    if "--seeds" in sys.argv:
        return seeds()
    for name, (model, family, beside) in models().items():
        folder = keep(name, model, family, beside)
        for side in range(2 if family == "marian" else 1):
            expected = Expected(model, family, beside, side)
            label = f"pieces_{name}" + ("_target" if side else "")
            golden(label, folder, expected, texts, target=side == 1)
            if family == "marian":
                codes = [">>fra<< Hello", ">>xx<<", ">>fra<<", "a >>fra<< b", ">> <<", ">>x"]
                check_marian(folder, expected, texts + codes, side == 1,
                             "target_vocab.json" in beside)


if __name__ == "__main__":
    sys.exit(main())
