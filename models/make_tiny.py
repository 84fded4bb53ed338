#!/usr/bin/env python3
"""Train the embedded model `tiny`: a small LLaMA-family decoder, with PyTorch on a CPU.

    make_tiny.py tokenizer --work DIR               learn the tokenizer from DIR/train.txt
    make_tiny.py train     --work DIR --minutes 60  train; goes on from DIR/checkpoint.pt if there
    make_tiny.py export    --work DIR --out OUT     write config.json, model.safetensors (F16), …

DIR comes from make_tiny_data.py. The model is plain LLaMA, so that transformers loads it: RMSNorm,
rotary positions, grouped heads, SwiGLU, tied embeddings, no biases.

What training sees, each sequence starting with the one special token (it is the natural sink):
  text        windows of the corpus at random places
  repeats     a block of random tokens, again and again; only what can be copied is scored
  echoes      a passage of the corpus that comes twice, with other text between
The last two are `--repeats` and `--echoes` of the sequences; they make induction heads form early.
Once both probe scores of a checkpoint have reached what is asked (--enough), the share of repeats
falls to `--repeats-after`.

Matrices of the layers are trained by Muon (K. Jordan et al. 2024: momentum, orthogonalised by a
Newton-Schulz iteration), embeddings and gains by AdamW (Loshchilov & Hutter 2019). The learning
rate warms up, stays, and falls to zero over the last part of the given minutes, so one run with
enough time is all it takes; the number of steps, and so the exact weights, depend on the machine.
"""

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

BOS = "<|endoftext|>"


@dataclass
class Shape:
    vocab: int = 4096
    width: int = 256
    layers: int = 5
    heads: int = 8
    kv_heads: int = 4
    mlp: int = 496
    theta: float = 10000.0
    eps: float = 1e-5
    positions: int = 4096

    @property
    def head_width(self):
        return self.width // self.heads


class RMSNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), self.eps)


def rotate(x, cos, sin):
    """Rotary positions, Hugging Face order: dimension d pairs with d + D/2."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).to(x.dtype)


class Layer(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.shape = s
        kv_width = s.kv_heads * s.head_width
        self.input_layernorm = RMSNorm(s.width, s.eps)
        self.q_proj = nn.Linear(s.width, s.width, bias=False)
        self.k_proj = nn.Linear(s.width, kv_width, bias=False)
        self.v_proj = nn.Linear(s.width, kv_width, bias=False)
        self.o_proj = nn.Linear(s.width, s.width, bias=False)
        self.post_attention_layernorm = RMSNorm(s.width, s.eps)
        self.gate_proj = nn.Linear(s.width, s.mlp, bias=False)
        self.up_proj = nn.Linear(s.width, s.mlp, bias=False)
        self.down_proj = nn.Linear(s.mlp, s.width, bias=False)

    def forward(self, x, cos, sin):
        s, (b, n, _) = self.shape, x.shape
        h = self.input_layernorm(x)
        q = self.q_proj(h).view(b, n, s.heads, s.head_width).transpose(1, 2)
        k = self.k_proj(h).view(b, n, s.kv_heads, s.head_width).transpose(1, 2)
        v = self.v_proj(h).view(b, n, s.kv_heads, s.head_width).transpose(1, 2)
        group = s.heads // s.kv_heads
        q, k = rotate(q, cos, sin), rotate(k, cos, sin).repeat_interleave(group, dim=1)
        v = v.repeat_interleave(group, dim=1)
        o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o_proj(o.transpose(1, 2).reshape(b, n, s.width))
        h = self.post_attention_layernorm(x)
        return x + self.down_proj(F.silu(self.gate_proj(h)) * self.up_proj(h))


class Tiny(nn.Module):
    def __init__(self, s, seed=1):
        super().__init__()
        torch.manual_seed(seed)
        self.shape = s
        self.embed_tokens = nn.Embedding(s.vocab, s.width)
        self.layers = nn.ModuleList(Layer(s) for _ in range(s.layers))
        self.norm = RMSNorm(s.width, s.eps)
        nn.init.normal_(self.embed_tokens.weight, std=0.02)
        for name, p in self.named_parameters():
            if p.ndim == 2 and name.startswith("layers"):
                zero = "o_proj" in name or "down_proj" in name
                nn.init.zeros_(p) if zero else nn.init.normal_(p, std=s.width ** -0.5)

    def forward(self, ids):
        s, n = self.shape, ids.shape[1]
        d = torch.arange(0, s.head_width, 2).float() / s.head_width
        angle = torch.arange(n).float()[:, None] * s.theta ** -d
        cos, sin = angle.cos(), angle.sin()
        x = self.embed_tokens(ids)
        if torch.is_autocast_enabled("cpu"):
            x = x.bfloat16()
        for layer in self.layers:
            x = layer(x, cos, sin)
        return self.norm(x) @ self.embed_tokens.weight.t()


# ---- optimiser -------------------------------------------------------------------------------


def orthogonalise(g, steps=5):
    """Newton-Schulz towards U V^T of a stack of matrices [S, rows, columns]."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = g.shape[-2] > g.shape[-1]
    x = g.transpose(-1, -2) if tall else g
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        y = x @ x.transpose(-1, -2)
        x = a * x + (b * y + c * y @ y) @ x
    return x.transpose(-1, -2) if tall else x


class Muon:
    """Matrices of one shape are orthogonalised together, as one batch."""

    def __init__(self, parameters, momentum=0.95, decay=0.01, half=False):
        self.momentum, self.decay, self.half = momentum, decay, half
        self.groups = {}
        for p in parameters:
            self.groups.setdefault(tuple(p.shape), []).append(p)
        self.speed = {k: torch.zeros(len(v), *k) for k, v in self.groups.items()}

    @torch.no_grad()
    def step(self, rate):
        for shape, group in self.groups.items():
            g = torch.stack([p.grad for p in group])
            m = self.speed[shape].mul_(self.momentum).add_(g, alpha=1 - self.momentum)
            g = g.lerp(m, self.momentum)
            u = orthogonalise(g.bfloat16()).float() if self.half else orthogonalise(g)
            scale = max(1.0, shape[0] / shape[1]) ** 0.5
            for p, d in zip(group, u):
                p.mul_(1 - rate * self.decay).add_(d, alpha=-rate * scale)


# ---- data ------------------------------------------------------------------------------------


def learn_tokenizer(args):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=args.vocab, special_tokens=[BOS], max_token_length=16,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  show_progress=False)
    text = (args.work / "train.txt").read_text(encoding="utf-8").split("\0")
    tok.train_from_iterator(text, trainer)
    tok.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B",
                                      special_tokens=[(BOS, tok.token_to_id(BOS))])])
    tok.save(str(args.work / "tokenizer.json"))
    for part in ("train", "heldout"):
        pieces = (args.work / f"{part}.txt").read_text(encoding="utf-8").split("\0")
        ids = [np.array(e.ids, dtype=np.uint16) for e in tok.encode_batch(pieces)]
        stream = np.concatenate(ids)
        np.save(args.work / f"{part}.npy", stream)
        size = sum(len(p.encode()) for p in pieces)
        print(f"{part}: {size} bytes, {len(stream)} tokens, {size / len(stream):.3f} bytes a token")


class Batches:
    """Sequences [BOS, …] and their targets (-100: not scored), from a seeded generator."""

    def __init__(self, stream, vocab, repeats, echoes, seed):
        self.stream, self.vocab, self.repeats, self.echoes = stream, vocab, repeats, echoes
        self.rng = np.random.default_rng(seed)

    def window(self, n):
        start = self.rng.integers(0, len(self.stream) - n)
        return self.stream[start:start + n].astype(np.int64)

    def sequence(self, n):
        kind, rng = self.rng.random(), self.rng
        scored = np.ones(n, dtype=bool)
        if kind < self.repeats:
            period = int(4 * (n / 8) ** rng.random())
            block = rng.integers(1, self.vocab, period)
            body = np.tile(block, n // period + 1)[:n]
            scored[:period + 1] = False
        elif kind < self.repeats + self.echoes:
            length = int(rng.integers(6, n // 3))
            gap = int(rng.integers(0, n - 2 * length))
            passage = self.window(length)
            body = np.concatenate((passage, self.window(gap), passage, self.window(n)))[:n]
        else:
            body = self.window(n)
        return body, np.where(scored, body, -100)

    def batch(self, count, n):
        rows = [self.sequence(n) for _ in range(count)]
        target = torch.from_numpy(np.stack([t for _, t in rows]))
        body = torch.from_numpy(np.stack([b for b, _ in rows]))
        ids = torch.cat((torch.zeros(count, 1, dtype=torch.int64), body[:, :-1]), dim=1)
        return ids, target


# ---- measures while training -----------------------------------------------------------------


@torch.no_grad()
def bits_a_byte(model, work, n=512, take=None):
    """Held-out cost of the stream in windows of n tokens that share no context: an upper bound."""
    stream = np.load(work / "heldout.npy").astype(np.int64)
    size = len((work / "heldout.txt").read_bytes().replace(b"\0", b""))
    rows = len(stream) // n
    pick = range(rows) if take is None else np.linspace(0, rows - 1, take).astype(int)
    total, count = 0.0, 0
    for i in range(0, len(pick), 8):
        body = torch.from_numpy(np.stack([stream[r * n:(r + 1) * n] for r in pick[i:i + 8]]))
        ids = torch.cat((torch.zeros(len(body), 1, dtype=torch.int64), body[:, :-1]), dim=1)
        target = torch.where(body == 0, -100, body)
        logits = model(ids).float()
        total += F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-100,
                                 reduction="sum").item()
        count += (body != 0).sum().item()
    return total / count / math.log(2) * (stream != 0).sum() / size


@torch.no_grad()
def probe(model, block=64, rows=8, seed=7):
    """Per layer and head, mean weight on the token after the last occurrence, and on the last."""
    s = model.shape
    rng = np.random.default_rng(seed)
    half = rng.integers(1, s.vocab, (rows, block))
    ids = torch.from_numpy(np.concatenate((np.zeros((rows, 1), np.int64), half, half), axis=1))
    seen = []
    original = F.scaled_dot_product_attention

    def watch(q, k, v, is_causal):
        scores = q.float() @ k.float().transpose(-1, -2) * q.shape[-1] ** -0.5
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
        weights = scores.masked_fill(~mask, -math.inf).softmax(-1)
        i = torch.arange(block + 1, 2 * block + 1)
        j = torch.arange(2, 2 * block + 1)
        seen.append((weights[:, :, i, i - block + 1].mean((0, 2)),
                     weights[:, :, j, j - 1].mean((0, 2))))
        return original(q, k, v, is_causal=is_causal)

    F.scaled_dot_product_attention = watch
    try:
        model(ids)
    finally:
        F.scaled_dot_product_attention = original
    return torch.stack([a for a, _ in seen]), torch.stack([b for _, b in seen])


def best(scores):
    at = int(scores.argmax())
    return f"{scores.flatten()[at]:.3f} (L{at // scores.shape[1]} H{at % scores.shape[1]})"


# ---- training --------------------------------------------------------------------------------


def rate_at(done, warm=0.01, fall=0.45):
    """Share of the full learning rate at `done` in 0 … 1 of the budget."""
    return min(1.0, (done + 1e-4) / warm, max(0.0, (1.0 - done) / fall))


def train(args):
    torch.set_num_threads(args.threads)
    shape = Shape(vocab=args.vocab, width=args.width, layers=args.layers, heads=args.heads,
                  kv_heads=args.kv_heads, mlp=args.mlp)
    model = Tiny(shape, args.seed)
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and n.startswith("layers")]
    others = [p for n, p in model.named_parameters() if p.ndim == 1 or not n.startswith("layers")]
    muon = Muon(matrices, half=args.bf16)
    adam = torch.optim.AdamW(others, lr=args.adam_rate, betas=(0.9, 0.95), weight_decay=0.0)
    stream = np.load(args.work / "train.npy")
    path = args.work / "checkpoint.pt"
    state = {"step": 0, "seconds": 0.0, "tokens": 0}
    if path.exists() and not args.fresh:
        saved = torch.load(path)
        model.load_state_dict(saved["model"])
        adam.load_state_dict(saved["adam"])
        muon.speed, state = saved["muon"], saved["state"]
    batches = Batches(stream, shape.vocab, args.repeats, args.echoes, args.seed + state["step"])
    log = open(args.work / "train.log", "a")

    def say(line):
        print(line, flush=True)
        log.write(line + "\n")
        log.flush()

    say(f"{sum(p.numel() for p in model.parameters())} parameters, {asdict(shape)}")
    budget = args.minutes * 60.0
    clock, saved_at, loss_sum, loss_n = time.monotonic(), state["seconds"], 0.0, 0
    while state["seconds"] < budget and (not args.steps or state["step"] < args.steps):
        done = state["seconds"] / budget
        n = 256 if done < 0.5 else 512
        ids, target = batches.batch(args.batch // n, n)
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            logits = model(ids)
            loss = F.cross_entropy(logits.float().flatten(0, 1), target.flatten(),
                                   ignore_index=-100)
        loss.backward()
        share = rate_at(done)
        muon.step(args.muon_rate * share)
        for group in adam.param_groups:
            group["lr"] = args.adam_rate * share
        adam.step()
        model.zero_grad(set_to_none=True)
        loss_sum, loss_n = loss_sum + loss.item(), loss_n + 1
        state["step"] += 1
        state["tokens"] += ids.numel()
        now = time.monotonic()
        state["seconds"] += now - clock
        clock = now
        if state["step"] % 20 == 0:
            say(f"step {state['step']} {state['seconds']:.0f} s  "
                f"{state['tokens'] / 1e6:.2f} M tokens  loss {loss_sum / loss_n:.3f}  "
                f"{state['tokens'] / state['seconds']:.0f} tokens/s")
            loss_sum, loss_n = 0.0, 0
        if state["seconds"] - saved_at > args.save_every or state["seconds"] >= budget:
            saved_at = state["seconds"]
            torch.save({"model": model.state_dict(), "adam": adam.state_dict(), "muon": muon.speed,
                        "state": state, "shape": asdict(shape)}, path.with_suffix(".new"))
            path.with_suffix(".new").replace(path)
            induction, previous = probe(model)
            if induction.max() >= args.enough and previous.max() >= args.enough:
                batches.repeats = args.repeats_after
            cost = bits_a_byte(model, args.work, take=48)
            say(f"== {state['seconds'] / 60:.1f} min  {cost:.3f} bits/byte  "
                f"induction {best(induction)}  previous {best(previous)}")
            clock = time.monotonic()


def export(args):
    from safetensors.torch import save_file

    saved = torch.load(args.work / "checkpoint.pt")
    s = Shape(**saved["shape"])
    tensors = {}
    for name, value in saved["model"].items():
        for part in ("q_proj", "k_proj", "v_proj", "o_proj"):
            name = name.replace("." + part, ".self_attn." + part)
        for part in ("gate_proj", "up_proj", "down_proj"):
            name = name.replace("." + part, ".mlp." + part)
        tensors["model." + name] = value.to(torch.float16).contiguous()
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "float16",
        "vocab_size": s.vocab, "hidden_size": s.width, "intermediate_size": s.mlp,
        "num_hidden_layers": s.layers, "num_attention_heads": s.heads,
        "num_key_value_heads": s.kv_heads, "head_dim": s.head_width, "hidden_act": "silu",
        "max_position_embeddings": s.positions, "rms_norm_eps": s.eps, "rope_theta": s.theta,
        "rope_scaling": None, "attention_bias": False, "attention_dropout": 0.0, "mlp_bias": False,
        "initializer_range": 0.02, "tie_word_embeddings": True, "use_cache": True,
        "bos_token_id": 0, "eos_token_id": 0}
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(tensors, args.out / "model.safetensors", metadata={"format": "pt"})
    (args.out / "model.safetensors").chmod(0o644)
    (args.out / "tokenizer.json").write_bytes((args.work / "tokenizer.json").read_bytes())
    tokenizer_config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BOS,
                        "eos_token": BOS, "model_max_length": s.positions,
                        "clean_up_tokenization_spaces": False}
    (args.out / "tokenizer_config.json").write_text(json.dumps(tokenizer_config, indent=2) + "\n")
    print(f"{args.out}: step {saved['state']['step']}, "
          f"{saved['state']['tokens'] / 1e6:.1f} M tokens, "
          f"{(args.out / 'model.safetensors').stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["tokenizer", "train", "export"])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "tiny")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--steps", type=int, default=0, help="stop after so many (0: the clock)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8192, help="tokens a step")
    parser.add_argument("--bf16", action="store_true", help="products in bfloat16")
    parser.add_argument("--fresh", action="store_true", help="ignore the checkpoint")
    parser.add_argument("--save-every", type=float, default=240, help="seconds to a checkpoint")
    parser.add_argument("--muon-rate", type=float, default=0.02)
    parser.add_argument("--adam-rate", type=float, default=0.004)
    parser.add_argument("--repeats", type=float, default=0.25)
    parser.add_argument("--repeats-after", type=float, default=0.06)
    parser.add_argument("--enough", type=float, default=0.8)
    parser.add_argument("--echoes", type=float, default=0.06)
    for field in ("vocab", "width", "layers", "heads", "kv_heads", "mlp"):
        parser.add_argument("--" + field.replace("_", "-"), type=int, default=getattr(Shape, field))
    args = parser.parse_args()
    {"tokenizer": learn_tokenizer, "train": train, "export": export}[args.what](args)


if __name__ == "__main__":
    main()
