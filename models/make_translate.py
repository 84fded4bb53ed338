#!/usr/bin/env python3
"""Train the embedded model `translate`: a small Marian encoder-decoder, with PyTorch on a CPU.

    make_translate.py tokenizer --work DIR    write DIR/tokenizer.json from the grammar
    make_translate.py train     --work DIR    train; writes DIR/checkpoint.pt as it goes
    make_translate.py export    --work DIR    config.json, model.safetensors (F16), … to --out

It translates English into French inside the grammar of translate_grammar.py. One in 64 English
sentences, by the CRC of its text, is never trained on; so is EXAMPLE, the sentence of the built-in
example. Loss: next-token cross entropy, plus, with --guide > 0, guided alignment (Chen, Matusov,
Khadivi & Peter 2016; Garg, Peitz, Nallasamy & Paulik 2019): the cross weights of one head of one
layer are pulled towards the words that the grammar knows each next word says.
"""

import argparse
import json
import random
import time
import zlib
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import MarianConfig, MarianMTModel

import translate_grammar as grammar

EXAMPLE = "The agreement on the European Economic Area was signed in August 1992."
HELD_OUT_ONE_IN = 64
EOS, UNK = 0, 1


def is_held_out(text):
    return zlib.crc32(text.encode()) % HELD_OUT_ONE_IN == 0 or text == EXAMPLE.lower()


def make_tokenizer(args):
    from tokenizers import (Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                            processors)

    rng, words = random.Random(1), set()
    for _ in range(400_000):
        english, french, _ = grammar.sentence(rng)
        words.update(english, french)
    words -= {grammar.UNKNOWN}
    names = ["</s>", "<unk>"] + sorted(words) + ["<pad>"]
    tok = Tokenizer(models.WordLevel({n: i for i, n in enumerate(names)}, unk_token="<unk>"))
    tok.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tok.pre_tokenizer = pre_tokenizers.Split(
        Regex(r"(?:qu|[cdjlmnst])'(?=\p{L})|'s(?!\p{L})|\p{L}+|\d+(?:er)?|[^\s\p{L}\d]"), "removed",
        invert=True)
    tok.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", EOS)])
    tok.decoder = decoders.Sequence([decoders.WordPiece(prefix="##", cleanup=True), decoders.Fuse(),
                                     decoders.Replace("' ", "'")])
    tok.add_special_tokens(["</s>", "<unk>", "<pad>"])
    args.work.mkdir(parents=True, exist_ok=True)
    tok.save(str(args.work / "tokenizer.json"), pretty=False)
    print(f"{len(names)} tokens")


class Codec:
    def __init__(self, work):
        vocab = json.loads((work / "tokenizer.json").read_text())["model"]["vocab"]
        self.ids, self.pad = vocab, vocab["<pad>"]

    def encode(self, tokens):
        return [self.ids.get(t, UNK) for t in tokens] + [EOS]


def configuration(n_vocab, args):
    return MarianConfig(
        vocab_size=n_vocab, d_model=args.width, encoder_layers=args.encoder_layers,
        decoder_layers=args.decoder_layers, encoder_attention_heads=args.heads,
        decoder_attention_heads=args.heads, encoder_ffn_dim=args.mlp, decoder_ffn_dim=args.mlp,
        max_position_embeddings=256, activation_function="swish", scale_embedding=True, dropout=0.0,
        init_std=0.04, pad_token_id=n_vocab - 1, eos_token_id=EOS, forced_eos_token_id=EOS,
        decoder_start_token_id=n_vocab - 1, bad_words_ids=None,
        share_encoder_decoder_embeddings=True, tie_word_embeddings=True, num_beams=1, max_length=64)


def padded(lists, value):
    n = max(map(len, lists))
    return torch.tensor([x + [value] * (n - len(x)) for x in lists])


def collate(codec, rows):
    """Ids of both sides, -100 where nothing is scored, and the true cross weights [B, N, M]."""
    source = [codec.encode(e) for e, _, _ in rows]
    target = [codec.encode(f) for _, f, _ in rows]
    ids, labels = padded(source, codec.pad), padded(target, -100)
    start = [[codec.pad] + t[:-1] for t in target]
    truth = torch.zeros(len(rows), labels.shape[1], ids.shape[1])
    for b, (e, _, sources) in enumerate(rows):
        for i, at in enumerate(sources):
            for j in at:
                truth[b, i, j] = 1.0 / len(at)
        truth[b, len(sources), len(e)] = 1.0
    return ids, ids != codec.pad, padded(start, codec.pad), labels, truth


def batches(codec, rng, size):
    """Endless; sentences of near lengths together, in random order."""
    while True:
        rows = []
        while len(rows) < 64 * size:
            row = grammar.sentence(rng)
            if not is_held_out(grammar.spell(row[0])):
                rows.append(row)
        rows.sort(key=lambda r: (len(r[0]), len(r[1])))
        order = list(range(64))
        rng.shuffle(order)
        for k in order:
            yield collate(codec, rows[k * size:(k + 1) * size])


def held_out(count, seed=9):
    rng, rows, seen = random.Random(seed), [], set()
    while len(rows) < count:
        row = grammar.sentence(rng)
        text = grammar.spell(row[0])
        if is_held_out(text) and text not in seen and grammar.UNKNOWN not in row[0]:
            seen.add(text)
            rows.append(row)
    return rows


@torch.no_grad()
def translate(model, codec, rows, size=64):
    """Greedy translations as lists of ids without the end."""
    out = []
    for k in range(0, len(rows), size):
        ids, mask, *_ = collate(codec, rows[k:k + size])
        made = model.generate(input_ids=ids, attention_mask=mask, num_beams=1, do_sample=False,
                              max_length=64)
        for row in made.tolist():
            row = row[1:]
            out.append(row[:row.index(EOS)] if EOS in row else row)
    return out


def exact_share(model, codec, rows):
    made = translate(model, codec, rows)
    right = [codec.encode(f)[:-1] == m for (_, f, _), m in zip(rows, made)]
    return sum(right) / len(rows)


@torch.no_grad()
def alignment(model, codec, rows, size=64):
    """Per cross layer and head [L, H]: mean weight on the words that the next word says, and the
    share of next words whose largest weight is on one of them. The end of the text is left out."""
    weight = hits = count = 0
    for k in range(0, len(rows), size):
        ids, mask, start, labels, truth = collate(codec, rows[k:k + size])
        cross = model(input_ids=ids, attention_mask=mask, decoder_input_ids=start,
                      output_attentions=True).cross_attentions
        cross = torch.stack(cross)
        true = ((truth > 0) & (labels > EOS)[:, :, None])[:, None]
        weight = weight + (cross * true).sum((1, 3, 4))
        best = F.one_hot(cross.argmax(-1), cross.shape[-1]).bool()
        hits = hits + (best & true).any(-1).sum((1, 3))
        count = count + true.any(-1).sum()
    return weight / count, hits / count


def train(args):
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    codec = Codec(args.work)
    config = configuration(len(codec.ids), args)
    config._attn_implementation = "eager"
    model = MarianMTModel(config)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.98),
                                  weight_decay=args.decay)
    stream = batches(codec, random.Random(args.seed), args.batch)
    rows, clock = held_out(256), time.monotonic()
    log = open(args.work / "train.log", "a")

    def say(line):
        print(line, flush=True)
        log.write(line + "\n")
        log.flush()

    say(f"{sum(p.numel() for p in model.parameters())} parameters, {vars(args)}")
    total = 0.0
    for step in range(1, args.steps + 1):
        share = min(step / 400, (args.steps - step + 1) / (0.6 * args.steps), 1.0)
        for group in optimiser.param_groups:
            group["lr"] = args.rate * share
        ids, mask, start, labels, truth = next(stream)
        out = model(input_ids=ids, attention_mask=mask, decoder_input_ids=start,
                    output_attentions=args.guide > 0)
        loss = F.cross_entropy(out.logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
        total += loss.item()
        if args.guide > 0:
            cross = out.cross_attentions[args.guide_layer][:, args.guide_head]
            off = -(truth * (cross + 1e-6).log()).sum(-1)
            has = truth.sum(-1) > 0
            loss = loss + args.guide * off[has].mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        if step % 100 == 0:
            say(f"step {step}  {time.monotonic() - clock:.0f} s  loss {total / 100:.4f}")
            total = 0.0
        if step % 500 == 0 or step == args.steps:
            model.eval()
            weight, hits = alignment(model, codec, rows)
            say(f"held out: exact {exact_share(model, codec, rows):.4f}  cross weight "
                f"{weight.numpy().round(2).tolist()}  hits {hits.numpy().round(2).tolist()}")
            model.train()
            torch.save({"model": model.state_dict(), "args": vars(args)},
                       args.work / "checkpoint.pt")


def export(args):
    codec = Codec(args.work)
    saved = torch.load(args.work / "checkpoint.pt", weights_only=False)
    for key in ("width", "encoder_layers", "decoder_layers", "heads", "mlp"):
        setattr(args, key, saved["args"][key])
    model = MarianMTModel(configuration(len(codec.ids), args))
    model.load_state_dict(saved["model"])
    model.half().save_pretrained(args.out)
    (args.out / "tokenizer.json").write_bytes((args.work / "tokenizer.json").read_bytes())
    (args.out / "example.txt").write_text(EXAMPLE + "\n")
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>",
                "unk_token": "<unk>", "pad_token": "<pad>", "model_max_length": 256}
    (args.out / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    for path in sorted(args.out.iterdir()):
        path.chmod(0o644)
        print(path.name, path.stat().st_size)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("tokenizer", "train", "export"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "translate")
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--batch", type=int, default=128, help="sentences a step")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=0.01)
    parser.add_argument("--guide", type=float, default=0.0, help="weight of guided alignment")
    parser.add_argument("--guide-layer", type=int, default=0)
    parser.add_argument("--guide-head", type=int, default=0)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--encoder-layers", type=int, default=2)
    parser.add_argument("--decoder-layers", type=int, default=2)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--mlp", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    {"tokenizer": make_tokenizer, "train": train, "export": export}[args.command](args)


if __name__ == "__main__":
    main()
