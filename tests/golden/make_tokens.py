#!/usr/bin/env python3
"""Golden tokens: what the tokenizers library makes of hard texts; and seeds for tests/fuzz.

Writes tests/golden/data/tokens_texts.json (the texts, shared) and one file per tokenizer,
tests/golden/data/tokens_<name>.json, read by test_tokens.c:
  {"source": path of the tokenizer from the top of the repository,
   "cases": [{"text": index, "pair": index or absent, "special": bool,
              "ids": [...], "start": [...], "end": [...], "type_ids": [...], "added": [...]}, ...],
   "decoded": [[text, ids as indices into cases ...]]}
Offsets are bytes of the UTF-8 text: the library's character offsets, converted. The small
tokenizer.json files that show one component each are made here too (tokens_json_<name>.json),
trained on a few lines of our own.

Usage, from the top of the repository, after models/fetch.sh minilm smollm2 gemma3:
  python tests/golden/make_tokens.py
Needs tokenizers and gguf (requirements.txt).
"""
import json
import os
import sys

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers,
                        pre_tokenizers, processors, trainers)

DATA = "tests/golden/data"

LINES = [
    "The pilot counted the boats in the harbour, and wrote both numbers into the book.",
    "Grüße aus Köln! Café, naïve, Ærøskøbing, żółć; 3.14 and 2,718 are numbers.",
    "for (int i = 0; i < 10; i++) { sum += a[i] * b[i]; }  /* a loop */",
    "Привет, мир! Как дела? 你好，世界。今天天气很好。 שלום עולם مرحبا بالعالم",
    "หนังสือเล่มนี้ดีมาก नमस्ते दुनिया 안녕하세요 세계 こんにちは世界",
    "It's what we've said: they'll go, I'd stay, you're right, don't worry, I'm here.",
    "0123456789 12 345 6789 first-time x_y e-mail@example.org http://example.org/a?b=c&d=e",
]

TEXTS = [
    "",
    " ",
    "\n",
    "\t\n \r\n\x0b\x0c  end",
    "a",
    "Hello, world!",
    "The quick brown fox jumps over the lazy dog. The quick brown",
    "  two  spaces   three    four ",
    "It's they'll WE'VE I'D don't 'tis 'S 's",
    "unaffordable tokenization internationalization",
    "Grüße, naïve café: 3.14 ≈ π; Ærøskøbing żółć İstanbul ISTANBUL ıI ß ẞ ǅ",
    "e\u0301 vs \u00e9, A\u030a vs Å, o\u0323\u0308 o\u0308\u0323, q\u0307\u0323, \u1e9b\u0323",
    "Zalgo: H\u0310\u0322\u0301e\u0335l\u0489l\u0300\u0301\u0302\u0303o",
    "\u0301starts with a mark \u0344 \u0308\u0301",
    "Tiếng Việt có dấu: Nguyễn, phở, đường",
    "Привет, мир! Ёлка й\u0306 ЙЙ ѣ",
    "Ελληνικά: ΟΔΥΣΣΕΥΣ άλφα ΰ ᾳ",
    "שלום עולם! שָׁלוֹם עֲלֵיכֶם",
    "مرحبا بالعالم، كيف حالك؟ مُحَمَّد ﷺ ١٢٣٤٥",
    "नमस्ते दुनिया। क्षत्रिय ज़ क़ ०१२३",
    "ภาษาไทยไม่มีช่องว่าง น้ำ ที่นี่ ๑๒๓",
    "မြန်မာ ខ្មែរ ລາວ བོད་",
    "你好，世界！今天天气很好。𠀀𠮷豈",
    "日本語のテキスト、カタカナ、ﾊﾝｶｸ、がぎぐ か\u3099き\u3099",
    "한국어 텍스트 각 \u1100\u1161\u11a8 가나다",
    "emoji: 🙂 👍🏽 👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 1️⃣ ❤️ 🫠",
    "zero\u200bwidth\u200cnon\u200djoin\ufeffbom\u2060word\u00adsoft\u061cmark\u180emong",
    "controls \x01\x02\x07\x1b\x7f\x80\x85\x9f end \ufffd \ufffe \U000e0001 \ue000",
    "spaces:\u00a0\u1680\u2000\u2003\u2009\u200a\u202f\u205f\u3000\u2028\u2029.",
    "ligatures ﬁ ﬂ ﬃ ½ ² ³ ① Ⅻ ㎏ ™ … “quotes” ‘single’ —dash– ‐",
    "ＦＵＬＬ　ｗｉｄｔｈ １２３",
    "math: 𝒜𝔅ℂ ∑∫√∞ ≤≥≠ ∀x∈ℝ \u2126 \u212b \u212a",
    "0 12 345 6789 1,234.56 0x1F 1e-9 ½ ٣٤ २३ Ⅷ",
    "x=1;y+=2;z**3;a&&b||!c;arr[0]->p.q::r<T>{};// comment\n#include <stdio.h>\n\tint main(void)\n",
    "def f(x):\n    return {k: v for k, v in x.items()}  # done\n\n\nclass A:\n\tpass\n",
    '{"key": ["a\\n", null, true], "u": "\\u00e9"}',
    "<s> </s> <pad> [CLS] [SEP] [MASK][UNK] <|endoftext|><|im_start|>user\nhi<|im_end|>",
    "a[MASK]b [MASK] c<mask>d <mask> e  <mask>  f",
    "SINGLEWORD xSINGLEWORD SINGLEWORDx SINGLEWORD. tok éTOK TOK",
    "https://example.org/path?query=1&b=%20#frag user@example.org",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "é" * 101 + " " + "é" * 100,
    " " * 40 + "x" + "\n" * 20 + "\t" * 9 + "-" * 70 + "=" * 33,
    "ha" * 150 + " " + "12" * 60,
    "🙂" * 30,
    "▁already▁marked ▁ ▁▁ Ġspace Ċ <0x0A> ##ing ##",
    "ꙮ ﷽ 𒀀 𓀀 𐍈 \U0001f9ff \U0010fffd",
    "mixed-Case_with.DOTS/and\\slashes|pipes~tilde`tick^caret",
    "ࣰ ᬽ᮫ ᰀ ꧀ 𑀀𑁆 𞤀𞥄 ᳲ \u0c04 \u1e00\u0307 \u2e43\u061d",
    "Ayam makan Taufik! In the evening the harbour was quiet.",
    "line one\nline two\r\nline three\rline four\n\n\n  indented\n",
    "'quoted' \"double\" (paren) [bracket] {brace} <angle>",
    "ẛ̣ ﬀ ŉ ǰ ΐ և ẖ ſ K Å",
    " leading", "trailing ", "\u00a0nbsp\u00a0", "....", "!?!?", "a.b.c", "e.g., i.e.",
]

PAIRS = [("Hello, world!", " second text"), ("", "only b"), ("only a", ""), ("é 你好", "🙂 [MASK]")]


def byte_offsets(text):
    """Byte position of every character position."""
    at, table = 0, [0]
    for c in text:
        at += len(c.encode("utf-8"))
        table.append(at)
    return table


def case(tokenizer, texts, index, pair=None, special=True):
    a, b = texts[index], None if pair is None else texts[pair]
    e = tokenizer.encode(a, b, add_special_tokens=special)
    tables = [byte_offsets(a), byte_offsets(b or "")]
    start, end, added = [], [], []
    for (s, t), sequence, mask in zip(e.offsets, e.sequence_ids, e.special_tokens_mask):
        table = tables[sequence or 0]
        start.append(table[s] if not mask else 0)
        end.append(table[t] if not mask else 0)
        added.append(mask)
    row = {"text": index, "special": special, "ids": e.ids, "start": start, "end": end}
    if pair is not None:
        row["pair"] = pair
    if any(e.type_ids):
        row["type_ids"] = e.type_ids
    if any(added):
        row["added"] = added
    row["decoded"] = tokenizer.decode(e.ids, skip_special_tokens=False)
    row["decoded_text"] = tokenizer.decode(e.ids, skip_special_tokens=True)
    for key in ("decoded", "decoded_text"):
        if row[key] == a:
            row[key] = True
    return row


def write(path, value):
    with open(path, "w", encoding="utf-8") as f:
        f.write(value)
    print(path, os.path.getsize(path))


def golden(name, source, tokenizer, texts, decodes=True):
    tokenizer.no_padding()
    tokenizer.no_truncation()
    rows = [case(tokenizer, texts, i) for i in range(len(TEXTS))]
    rows += [case(tokenizer, texts, i, special=False) for i in (5, 36, 37)]
    for a, b in PAIRS:
        for special in (True, False):
            rows.append(case(tokenizer, texts, texts.index(a), texts.index(b), special))
    if not decodes:
        for row in rows:
            del row["decoded"], row["decoded_text"]
    body = ",\n".join(json.dumps(r, ensure_ascii=True, separators=(",", ":")) for r in rows)
    head = json.dumps({"source": source})[:-1]
    write(f"{DATA}/tokens_{name}.json", f'{head},"cases":[\n{body}\n]}}\n')


def smollm2(path):
    """SmolLM2's own tokenizer.json, put together again from what its GGUF keeps."""
    import gguf
    fields = gguf.GGUFReader(path).fields
    get = lambda key: fields["tokenizer.ggml." + key].contents()
    vocab = {t: i for i, t in enumerate(get("tokens"))}
    merges = [tuple(m.split(" ")) for m in get("merges")]
    t = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True),
         pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([AddedToken(x, normalized=False, special=True)
                          for x, kind in zip(get("tokens"), get("token_type")) if kind == 3])
    return t


def gemma3(path):
    """Gemma's tokenizer from its GGUF: SentencePiece BPE, merges from scores, no space before."""
    import gguf
    fields = gguf.GGUFReader(path).fields
    get = lambda key: fields["tokenizer.ggml." + key].contents()
    tokens, scores, kinds = get("tokens"), get("scores"), get("token_type")
    vocab = {t: i for i, t in enumerate(tokens)}
    merges = []
    for token, score, kind in zip(tokens, scores, kinds):
        if kind == 1:
            merges += [(-score, token[:k], token[k:]) for k in range(1, len(token))
                       if token[:k] in vocab and token[k:] in vocab]
    merges.sort(key=lambda m: m[0])
    t = Tokenizer(models.BPE(vocab=vocab, merges=[m[1:] for m in merges], unk_token="<unk>",
                             fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Replace(" ", "▁")
    t.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    t.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", vocab["<bos>"])])
    t.add_special_tokens([AddedToken(x, normalized=False, special=True)
                          for x, kind in zip(tokens, kinds) if kind == 3])
    t.add_tokens([AddedToken(x, normalized=False, special=False)
                  for x, kind in zip(tokens, kinds) if kind == 4])
    return t


def write_gguf(path, model, tokens, kinds, **more):
    import gguf
    w = gguf.GGUFWriter(path, "none")
    w.add_tokenizer_model(model)
    w.add_token_list(tokens)
    w.add_token_types(kinds)
    for key, value in more.items():
        add = {bool: w.add_bool, list: w.add_array, str: w.add_string, int: w.add_uint32,
               bytes: w.add_array}[type(value)]
        add("tokenizer.ggml." + key, value)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.close()
    print(path, os.path.getsize(path))


def small_ggufs(texts):
    """SentencePiece and WordPiece vocabularies in GGUF, from the small tokenizers made before."""
    t = Tokenizer.from_file(f"{DATA}/tokens_json_spm_legacy.json")
    tokens = [t.id_to_token(i) for i in range(t.get_vocab_size())]
    merges = json.loads(t.to_str())["model"]["merges"]
    made = {a + b: -float(rank) for rank, (a, b) in reversed(list(enumerate(merges)))}
    scores = [made.get(x, 0.0) for x in tokens]
    kinds = [2 if x == "<unk>" else 3 if x in ("<s>", "</s>") else 6 if x.startswith("<0x") else 1
             for x in tokens]
    path = f"{DATA}/tokens_spm.gguf"
    write_gguf(path, "llama", tokens, kinds, scores=scores, bos_token_id=1, eos_token_id=2,
               unknown_token_id=0, add_eos_token=True)
    # SentencePiece may cut a piece in any two pieces, not only as the trainer came to it.
    vocab = t.get_vocab()
    merges = sorted(((-s, x[:k], x[k:]) for x, s, kind in zip(tokens, scores, kinds) if kind == 1
                     for k in range(1, len(x)) if x[:k] in vocab and x[k:] in vocab),
                    key=lambda m: m[0])
    old, t = t, Tokenizer(models.BPE(vocab=vocab, merges=[m[1:] for m in merges],
                                     unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer, t.decoder = old.normalizer, old.decoder
    t.add_special_tokens(["<s>", "</s>"])
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> <s>:1 $B:1 </s>:1",
        special_tokens=[("<s>", 1), ("</s>", 2)])
    golden("gguf_spm", path, t, texts)

    t = Tokenizer.from_file(f"{DATA}/tokens_json_bert_cased.json")
    tokens = [t.id_to_token(i) for i in range(t.get_vocab_size())]
    special = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    spelled = [x if x in special else x[2:] if x.startswith("##") else "▁" + x for x in tokens]
    path = f"{DATA}/tokens_wordpiece.gguf"
    write_gguf(path, "bert", spelled, [3 if x in special else 1 for x in tokens],
               padding_token_id=0, unknown_token_id=1, cls_token_id=2, seperator_token_id=3,
               mask_token_id=4)
    golden("gguf_wordpiece", path, t, texts)


def train(model, trainer, **parts):
    t = Tokenizer(model)
    for key, value in parts.items():
        setattr(t, key, value)
    t.train_from_iterator(LINES * 2, trainer)
    return t


def bpe_trainer(size=420, **more):
    return trainers.BpeTrainer(vocab_size=size, show_progress=False, min_frequency=2, **more)


def synthetic():
    """One small tokenizer per family of components. Trained where its file is not there: equal
    counts are ordered by chance, so training again gives other merges."""
    names = ["roberta", "llama3", "bert_cased", "nfkd", "spm_legacy", "metaspace", "affixes",
             "splits", "scripts", "fixed"]
    paths = {name: f"{DATA}/tokens_json_{name}.json" for name in names}
    if not all(os.path.exists(path) for path in paths.values()):
        for name, t in train_synthetic().items():
            if os.path.exists(paths[name]):
                continue
            write(paths[name], t.to_str(pretty=False) + "\n")
    return paths


def train_synthetic():
    N, P, D, T = normalizers, pre_tokenizers, decoders, processors
    llama3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
              r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    bytes_first = P.ByteLevel.alphabet()
    byte_trainer = lambda size=400: bpe_trainer(size, initial_alphabet=sorted(bytes_first),
                                                special_tokens=["<s>", "<pad>", "</s>", "<mask>"])
    out = {}

    t = train(models.BPE(), byte_trainer(), normalizer=N.NFC(),
              pre_tokenizer=P.ByteLevel(add_prefix_space=True), decoder=D.ByteLevel())
    t.post_processor = T.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True,
                                           add_prefix_space=True)
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    out["roberta"] = t

    t = train(models.BPE(ignore_merges=True), byte_trainer(),
              pre_tokenizer=P.Sequence([P.Split(Regex(llama3), "isolated"),
                                        P.ByteLevel(add_prefix_space=False, use_regex=False)]),
              decoder=D.ByteLevel())
    t.post_processor = T.Sequence([
        T.ByteLevel(trim_offsets=True, add_prefix_space=False),
        T.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1",
                             special_tokens=[("<s>", 0)])])
    t.add_tokens([AddedToken("SINGLEWORD", single_word=True), AddedToken("TOK", normalized=False)])
    out["llama3"] = t

    wordpiece = dict(vocab_size=420, show_progress=False,
                     special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    t = train(models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(**wordpiece),
              normalizer=N.BertNormalizer(lowercase=False), pre_tokenizer=P.BertPreTokenizer(),
              decoder=D.WordPiece(cleanup=True))
    t.post_processor = T.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    out["bert_cased"] = t

    t = train(models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(**wordpiece),
              normalizer=N.Sequence([N.NFKD(), N.StripAccents(), N.Lowercase(), N.Strip(),
                                     N.Replace(Regex(r"\d+"), "7"), N.Replace("...", "…")]),
              pre_tokenizer=P.Sequence([P.Whitespace(), P.Punctuation("isolated"), P.Digits()]),
              decoder=D.WordPiece(cleanup=False))
    t.add_special_tokens([AddedToken("[MASK]", normalized=True, rstrip=True, special=True)])
    t.add_tokens([AddedToken("CAFÉ", normalized=True), AddedToken("e-mail", single_word=True)])
    out["nfkd"] = t

    t = train(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True),
              bpe_trainer(700, special_tokens=["<unk>", "<s>", "</s>"]
                          + [f"<0x{i:02X}>" for i in range(256)], limit_alphabet=60),
              normalizer=N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]),
              decoder=D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(),
                                  D.Strip(" ", 1, 0)]))
    t.post_processor = T.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1",
                                            special_tokens=[("<s>", 1), ("</s>", 2)])
    out["spm_legacy"] = t

    t = train(models.BPE(unk_token="<unk>", fuse_unk=False),
              bpe_trainer(500, special_tokens=["<unk>"], limit_alphabet=50),
              normalizer=N.NFKC(),
              pre_tokenizer=P.Metaspace(prepend_scheme="first"),
              decoder=D.Metaspace(prepend_scheme="first"))
    t.add_tokens([AddedToken("TOK", normalized=False), AddedToken("<mask>", lstrip=True)])
    out["metaspace"] = t

    t = train(models.BPE(unk_token="<unk>", continuing_subword_prefix="##",
                         end_of_word_suffix="</w>"),
              bpe_trainer(500, special_tokens=["<unk>"], continuing_subword_prefix="##",
                          end_of_word_suffix="</w>"),
              normalizer=N.Sequence([N.NFD(), N.Lowercase()]),
              pre_tokenizer=P.Sequence([P.WhitespaceSplit(), P.Punctuation("removed")]),
              decoder=D.BPEDecoder())
    out["affixes"] = t

    t = train(models.WordLevel(unk_token="<unk>"),
              trainers.WordLevelTrainer(special_tokens=["<unk>"], show_progress=False),
              normalizer=N.Nmt(),
              pre_tokenizer=P.Sequence([P.CharDelimiterSplit("-"),
                                        P.Split(Regex(r"\b"), "isolated"),
                                        P.Split(" ", "merged_with_previous"),
                                        P.Split(Regex(r"[[a-e]&&[^c]]"), "contiguous"),
                                        P.Split(Regex(r"[^\p{L}\s]"), "merged_with_next"),
                                        P.Split(Regex(r"[\w\h]+"), "removed", invert=True)]))
    out["splits"] = t

    words = trainers.WordLevelTrainer(special_tokens=["<unk>", "<pad>", "|"], show_progress=False)
    t = train(models.WordLevel(unk_token="<unk>"), words, pre_tokenizer=P.UnicodeScripts(),
              decoder=D.CTC())
    t.add_special_tokens(["TOK"])
    out["scripts"] = t
    t = train(models.WordLevel(unk_token="<unk>"), words,
              pre_tokenizer=P.Sequence([P.CharDelimiterSplit(" "), P.FixedLength(length=2)]),
              decoder=D.CTC(pad_token="th", word_delimiter_token="o", cleanup=False))
    out["fixed"] = t
    return out


def seeds(texts):
    """First inputs of the fuzz targets: the same components with vocabularies of a few tokens."""
    corpus = "tests/fuzz/corpus"
    for folder in ("json", "gguf", "text"):
        os.makedirs(f"{corpus}/fuzz_tokenizer_{folder}", exist_ok=True)
    for name, path in synthetic().items():
        with open(path, encoding="utf-8") as f:
            t = json.load(f)
        keep = set(list(t["model"]["vocab"])[:90])
        merges = [m for m in t["model"].get("merges", []) if set(m) <= keep]
        keep |= {a + b.removeprefix("##") for a, b in merges}
        t["model"]["vocab"] = {x: i for x, i in t["model"]["vocab"].items() if x in keep}
        if merges:
            t["model"]["merges"] = merges
        write(f"{corpus}/fuzz_tokenizer_json/{name}", json.dumps(t, ensure_ascii=False))
    a, b = list(range(97, 105)), [f"{chr(x)} {chr(x + 1)}" for x in range(97, 104)]
    letters = [chr(x) for x in a]
    for pre in ("smollm", "llama-bpe", "falcon", "bloom", "deepseek-v3", "unheard-of"):
        write_gguf(f"{corpus}/fuzz_tokenizer_gguf/{pre}", "gpt2",
                   ["<s>"] + letters + [x.replace(" ", "") for x in b], [3] + [1] * 15,
                   pre=pre, merges=b, bos_token_id=0)
    write_gguf(f"{corpus}/fuzz_tokenizer_gguf/spm", "llama",
               ["<unk>", "<s>", "▁", "l", "o", "lo", "▁lo", "<0x20>"], [2, 3, 1, 1, 1, 1, 1, 6],
               scores=[0.0, 0.0, -1.0, -2.0, -3.0, -4.0, -5.0, 0.0], bos_token_id=1,
               unknown_token_id=0)
    write_gguf(f"{corpus}/fuzz_tokenizer_gguf/bert", "bert",
               ["[UNK]", "[CLS]", "[SEP]", "[MASK]", "▁hel", "lo", "▁w"], [3, 3, 3, 3, 1, 1, 1])
    for i in (10, 25, 37):
        for which in range(5):
            write(f"{corpus}/fuzz_tokenizer_text/{i}_{which}", chr(50 + which) + texts[i])


def main():
    texts = TEXTS + [x for p in PAIRS for x in p if x not in TEXTS]
    write(f"{DATA}/tokens_texts.json", json.dumps(texts, ensure_ascii=True, indent=0) + "\n")
    for name, path in synthetic().items():
        golden(name, path, Tokenizer.from_file(path), texts)
    for name in ("minilm", "tiny"):
        folder = "models/tiny" if name == "tiny" else f"models/cache/{name}"
        golden(name, folder, Tokenizer.from_file(folder + "/tokenizer.json"), texts)
    golden("minilm_vocab", "models/cache/minilm/vocab.txt",
           Tokenizer.from_file("models/cache/minilm/tokenizer.json"), texts, decodes=False)
    path = "models/cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    golden("smollm2", "models/cache/smollm2", smollm2(path), texts)
    small_ggufs(texts)
    seeds(texts)
    path = "models/cache/gemma3/gemma-3-270m-q4_k_m.gguf"
    if "--gemma3" in sys.argv:  # not part of the suite: the model is large
        golden("gemma3", path, gemma3(path), texts)


if __name__ == "__main__":
    sys.exit(main())
