#!/usr/bin/env python3
"""Whole models: other programs' prompt processing beside attnscope's traced run, in one run, threads equal.

    python3 tests/bench/peers_models.py build/release/attnscope models/cache/smollm2

Needs llama-cpp-python for llama.cpp, PyTorch and transformers for theirs; what is not installed is left out
and said. Every case runs in a process of its own, so that its memory is its own; rounds go from one program
to the next, so that all meet the same disturbances. Least and median seconds over the rounds are printed,
ratios are tokens a second of ours over theirs at the same length.

  attnscope  bench --model --runs-only: from ids to the finished record; every Q, K, log-sum-exp, row statistic
             and summary of every head is kept
  llama      llama.cpp on its CPU backend with flash attention: one batch of all tokens through llama_decode,
             logits of the last token alone; keys and values are kept in f16. It computes with quantised
             activations where its kernels do, ours in f32
  sdpa       transformers' forward pass with attn_implementation="sdpa", logits of the last token; nothing is kept
  eager      the same with "eager" and output_attentions=True: what keeps all weights

transformers' models have the shape that the GGUF file tells and random float32 weights: values do not change
how long they take. Times leave out loading. CPU seconds are of all threads, the least over the rounds: on a
machine that others use, with --threads 1, they say more than time that passes. Resident memory is the most that the process ever had.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

CASES = [("attnscope", None), ("llama", None), ("sdpa", 2048), ("eager", 1024)]
NAMES = [name for name, _ in CASES]
# tokens: peer -> how many times as fast ours shall be; resident bytes of ours
TARGETS = {(2048, "llama"): 2.5, (8000, "llama"): 4.0, (1024, "eager"): 5.0}
MOST_BYTES = {2048: 700e6}


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the attnscope program")
    parser.add_argument("model", help="a GGUF file, or a folder with one")
    parser.add_argument("--n", default="2048,8000", help="numbers of tokens of ours and llama.cpp's, by commas")
    parser.add_argument("--n-sdpa", type=int, default=2048)
    parser.add_argument("--n-eager", type=int, default=1024)
    parser.add_argument("--programs", default=",".join(NAMES), help="only these, by commas")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", help="write all figures to this file")
    parser.add_argument("--one", nargs=2, metavar=("PROGRAM", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        parser.error(f"{options.program} is no program: build it, or name another")
    if not all(word.isdigit() for word in options.n.split(",")):
        parser.error(f"--n: '{options.n}' is not whole numbers by commas")
    if not os.path.exists(options.model):
        parser.error(f"there is no model {options.model}: name a GGUF file, or a folder with one")
    return options


def find_gguf(path):
    if os.path.isdir(path):
        files = sorted(name for name in os.listdir(path) if name.endswith(".gguf"))
        if not files:
            raise SystemExit(f"{path} has no .gguf file")
        path = os.path.join(path, files[0])
    return path


def token_ids(n, vocabulary):
    """The same ids for everybody: from a fixed generator, past the special ones."""
    state, ids = 7, []
    for _ in range(n):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        ids.append(100 + (state >> 33) % (vocabulary - 100))
    return ids


# ---- one case in a process of its own: prints {"seconds", "cpu", "bytes"}


def clocks():
    """Time that passes, and of all threads of this process."""
    return time.perf_counter(), time.process_time()


def report(start):
    end = clocks()
    print(json.dumps({"seconds": end[0] - start[0], "cpu": end[1] - start[1], "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


def run_llama(path, n, threads):
    import llama_cpp

    model = llama_cpp.Llama(model_path=path, n_ctx=n, n_batch=n, n_ubatch=min(n, 512), n_threads=threads,
                            n_threads_batch=threads, flash_attn=True, logits_all=False, verbose=False)
    ids = token_ids(n, model.n_vocab())
    model.eval(ids[:64])
    model.reset()
    start = clocks()
    model.eval(ids)
    report(start)


def shape_of(path):
    """What transformers' LlamaConfig takes, from the file's own facts."""
    import gguf

    fields = gguf.GGUFReader(path).fields

    def fact(name, otherwise=None):
        field = fields.get(name)
        return otherwise if field is None else field.parts[field.data[0]][0].item()

    if bytes(fields["general.architecture"].parts[-1]).decode() != "llama":
        raise SystemExit("sdpa and eager are measured for models of the LLaMA family alone")
    return {"hidden_size": fact("llama.embedding_length"), "intermediate_size": fact("llama.feed_forward_length"),
            "num_hidden_layers": fact("llama.block_count"), "num_attention_heads": fact("llama.attention.head_count"),
            "num_key_value_heads": fact("llama.attention.head_count_kv"),
            "max_position_embeddings": fact("llama.context_length"), "vocab_size": len(fields["tokenizer.ggml.tokens"].data),
            "rope_theta": fact("llama.rope.freq_base", 10000.0)}


def run_transformers(path, n, threads, implementation):
    import torch
    import transformers

    torch.set_num_threads(threads)
    torch.manual_seed(7)
    config = transformers.LlamaConfig(**shape_of(path), tie_word_embeddings=True, use_cache=False,
                                      attn_implementation=implementation)
    model = transformers.LlamaForCausalLM(config).eval()
    ids = torch.tensor([token_ids(n, config.vocab_size)])
    keep = {"output_attentions": True} if implementation == "eager" else {}
    with torch.inference_mode():
        model(ids[:, :64], logits_to_keep=1)
        start = clocks()
        out = model(ids, logits_to_keep=1, **keep)
        report(start)
    if keep and (len(out.attentions) != config.num_hidden_layers or out.attentions[0].shape[-2:] != (n, n)):
        raise SystemExit("eager did not keep the weights")


def run_one(options, path):
    name, n = options.one[0], int(options.one[1])
    if name == "llama":
        run_llama(path, n, options.threads)
    else:
        run_transformers(path, n, options.threads, name)


# ---- all of them


def ours(options, path, n, vocabulary):
    """The least of the runs that bench makes, what they had resident, and the machine."""
    with tempfile.TemporaryDirectory() as folder:
        # ids are an argument: one of some 50 kB at most
        command = [options.program, "bench", "--model", path, "--ids", ",".join(map(str, token_ids(n, vocabulary))),
                   "--n", str(n), "--threads", str(options.threads), "--runs-only", "--json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder,
                              env={"OMP_WAIT_POLICY": "passive", **os.environ})  # as run.sh has it
    answer = json.loads(done.stdout)
    run = answer["runs"][0]
    return {"seconds": run["ms_min"] / 1e3, "median": run["ms"] / 1e3, "cpu": run["cpu_ms"] / 1e3, "bytes": run["resident_bytes"]}, answer["machine"]


def theirs(options, path, name, n):
    command = [sys.executable, __file__, options.program, path, "--threads", str(options.threads), "--one", name, str(n)]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, OMP_NUM_THREADS=str(options.threads)))
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return None, lines[-1] if lines else f"status {done.returncode}"
    return json.loads(done.stdout.strip().splitlines()[-1]), None


def cases(options):
    """(program, tokens) in the order of a round; ours at every length that somebody is measured at."""
    wanted = options.programs.split(",")
    for name in wanted:
        if name not in NAMES:
            raise SystemExit(f"--programs: '{name}' is not one of {', '.join(NAMES)}")
    lengths = [int(word) for word in options.n.split(",")]
    peers = [("llama", n) for n in lengths] + [("sdpa", options.n_sdpa), ("eager", options.n_eager)]
    peers = [peer for peer in peers if peer[0] in wanted]
    mine = sorted({n for _, n in peers} | (set(lengths) if peers == [] else set()))
    order = []
    for n in mine:
        order.append(("attnscope", n))
        order += [peer for peer in peers if peer[1] == n]
    return order


def measure(options, path):
    import gguf

    vocabulary = len(gguf.GGUFReader(path).fields["tokenizer.ggml.tokens"].data)
    order, found, machine, left_out = cases(options), {}, None, set()
    for _ in range(options.rounds):
        for name, n in order:
            if (name, n) in left_out:
                continue
            if name == "attnscope":
                one, machine = ours(options, path, n, vocabulary)
            else:
                one, why = theirs(options, path, name, n)
                if one is None:
                    print(f"{name} at {n} tokens is left out: {why}", file=sys.stderr)
                    left_out.add((name, n))
                    continue
            found.setdefault((name, n), []).append(one)
    return found, machine


def judge(found_rows):
    """Targets that were measured: (what, figure, bound, met)."""
    rates = {(row["program"], row["n"]): row["times_ours"] for row in found_rows}
    sizes = {row["n"]: row["resident_bytes"] for row in found_rows if row["program"] == "attnscope"}
    for (n, peer), bound in TARGETS.items():
        if (peer, n) in rates:
            yield f"{bound} x {peer} at {n}", rates[(peer, n)], bound, rates[(peer, n)] >= bound
    for n, bound in MOST_BYTES.items():
        if n in sizes:
            yield f"at most {bound / 1e6:.0f} MB at {n}", sizes[n] / 1e6, bound / 1e6, sizes[n] <= bound


def main():
    options = read_arguments()
    path = os.path.abspath(find_gguf(options.model))
    options.program = os.path.abspath(options.program)
    if options.one:
        run_one(options, path)
        return 0
    load = os.getloadavg()[0]
    found, machine = measure(options, path)
    print(f"{machine['cpu']}, {machine['isa']}, {options.threads} threads, {machine['compiler']}, peak "
          f"{machine['peak_gflops']:.1f} GF/s; {os.path.basename(path)}; load {load:.1f} before, {os.getloadavg()[0]:.1f} after")
    print(f"{'tokens':>7} {'program':<10} {'s median':>9} {'s least':>9} {'tokens/s':>9} {'best':>9} {'resident MB':>12} "
          f"{'CPU s':>9} {'ours is':>8} {'by least':>9} {'by CPU':>7}")
    rows = []
    for (name, n), runs in found.items():
        seconds = [one.get("median", one["seconds"]) for one in runs]
        least = min(one["seconds"] for one in runs)
        mine = [row for row in rows if row["program"] == "attnscope" and row["n"] == n]
        cpu = min(one["cpu"] for one in runs)
        median = statistics.median(seconds)
        row = {"program": name, "n": n, "seconds": median, "seconds_min": least, "tokens_per_s": n / median,
               "tokens_per_s_best": n / least, "resident_bytes": max(one["bytes"] for one in runs),
               "cpu_seconds": cpu, "rounds": len(runs), "times_ours": median / mine[0]["seconds"] if mine else 1.0,
               "times_ours_min": least / mine[0]["seconds_min"] if mine else 1.0,
               "times_ours_cpu": cpu / mine[0]["cpu_seconds"] if mine else 1.0}
        rows.append(row)
        print(f"{n:>7} {name:<10} {median:>9.3f} {least:>9.3f} {n / median:>9.1f} {n / least:>9.1f} "
              f"{row['resident_bytes'] / 1e6:>12.0f} {cpu:>9.3f} {row['times_ours']:>7.2f}x {row['times_ours_min']:>8.2f}x "
              f"{row['times_ours_cpu']:>6.2f}x", flush=True)
    targets = [{"target": what, "figure": figure, "bound": bound, "met": met} for what, figure, bound, met in judge(rows)]
    for target in targets:
        print(f"{'met' if target['met'] else 'short':<6} {target['target']}: {target['figure']:.2f}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"machine": machine, "model": os.path.basename(path), "load_before": load, "results": rows,
                       "targets": targets}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
