#!/usr/bin/env python3
"""Other programs' attention beside `attnscope bench`, in one run, on the same shapes: ratios are times
of theirs over ours. Needs PyTorch; llama.cpp's is measured where llama-cpp-python is installed.

    python3 tests/bench/peers.py build/release/attnscope --n 512,2048 --heads 12 --dim 64

Every case is measured in rounds, one program after the other, so that all meet the same disturbances;
the least and the median over the rounds are printed. Times are of q, k, v -> o in float32.

  sdpa    torch.nn.functional.scaled_dot_product_attention
  eager   q @ k^T * scale (+ mask), softmax, @ v: what transformers calls "eager"; matrix products by
          oneDNN or whatever this PyTorch was built with
  llama   ggml_flash_attn_ext of llama.cpp on its CPU backend, as its context computes attention: keys
          and values in f16 as its cache holds them, so its o is compared within 5e-3
"""
import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the attnscope program")
    parser.add_argument("--n", default="512,2048", help="numbers of tokens, by commas")
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--mask", choices=["none", "causal", "both"], default="both")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each program and round")
    parser.add_argument("--json", help="write all figures to this file")
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        parser.error(f"{options.program} is no program: build it, or name another")
    if not all(word.isdigit() for word in options.n.split(",")):
        parser.error(f"--n: '{options.n}' is not whole numbers by commas")
    return options


def repeat(call, seconds):
    """Seconds of repeated calls after a first one that does not count."""
    call()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def ours(options, n, causal):
    """(median, least) in seconds, the machine and the whole result as bench tells them."""
    command = [options.program, "bench", "--n", str(n), "--heads", str(options.heads), "--dim", str(options.dim),
               "--threads", str(options.threads), "--no-naive", "--json"] + (["--causal"] if causal else [])
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    result = answer["results"][0]
    return result["ms"] / 1e3, result["ms_min"] / 1e3, answer["machine"], result


class Ggml:
    """As much of ggml's C interface (ggml.h, ggml-cpu.h) as one attention needs."""

    F32, F16, PREC_F32 = 0, 1, 10

    class InitParams(ctypes.Structure):
        _fields_ = [("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool)]

    def __init__(self):
        import llama_cpp

        self.version = llama_cpp.__version__
        folder = os.path.join(os.path.dirname(llama_cpp.__file__), "lib")
        self.base = ctypes.CDLL(os.path.join(folder, "libggml-base.so"))
        self.cpu = ctypes.CDLL(os.path.join(folder, "libggml-cpu.so"))
        pointer, size, number, real = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64, ctypes.c_float
        for library, name, result, arguments in [
                (self.base, "ggml_init", pointer, [self.InitParams]),
                (self.base, "ggml_free", None, [pointer]),
                (self.base, "ggml_new_tensor_4d", pointer, [pointer, ctypes.c_int] + [number] * 4),
                (self.base, "ggml_flash_attn_ext", pointer, [pointer] * 5 + [real] * 3),
                (self.base, "ggml_flash_attn_ext_set_prec", None, [pointer, ctypes.c_int]),
                (self.base, "ggml_new_graph", pointer, [pointer]),
                (self.base, "ggml_build_forward_expand", None, [pointer, pointer]),
                (self.base, "ggml_get_data", pointer, [pointer]),
                (self.base, "ggml_nbytes", size, [pointer]),
                (self.cpu, "ggml_backend_cpu_init", pointer, []),
                (self.cpu, "ggml_backend_cpu_set_n_threads", None, [pointer, ctypes.c_int]),
                (self.base, "ggml_backend_graph_compute", ctypes.c_int, [pointer, pointer]),
                (self.base, "ggml_backend_free", None, [pointer])]:
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name[5:], function)

    def tensor(self, context, kind, values):
        """A tensor with the values of a torch tensor of up to 4 axes, the last one contiguous."""
        shape = list(values.shape)[::-1]
        tensor = self.new_tensor_4d(context, kind, *(shape + [1] * (4 - len(shape))))
        values = values.contiguous()
        assert self.nbytes(tensor) == values.numel() * values.element_size()
        ctypes.memmove(self.get_data(tensor), values.data_ptr(), self.nbytes(tensor))
        return tensor


def llama_call(ggml, options, q, k, v, causal, expected):
    """A call that computes attention by ggml, checked against expected [H, N, D]."""
    import torch

    _, heads, n, dim = q.shape
    room = 4 * (2 * q.numel() + k.numel() + v.numel()) + 2 * (n + 64) * n + (64 << 20) + 4 * heads * 64 * dim
    context = ggml.init(ggml.InitParams(room, None, False))
    tensors = [ggml.tensor(context, ggml.F32, q[0]), ggml.tensor(context, ggml.F16, k[0].half()),
               ggml.tensor(context, ggml.F16, v[0].half())]
    mask = None
    if causal:
        rows = (n + 63) // 64 * 64
        mask = ggml.tensor(context, ggml.F16, torch.full((rows, n), float("-inf")).triu(1).half())
    out = ggml.flash_attn_ext(context, *tensors, mask, dim ** -0.5, 0.0, 0.0)
    ggml.flash_attn_ext_set_prec(out, ggml.PREC_F32)
    graph = ggml.new_graph(context)
    ggml.build_forward_expand(graph, out)
    backend = ggml.backend_cpu_init()
    ggml.backend_cpu_set_n_threads(backend, options.threads)

    def call():
        if ggml.backend_graph_compute(backend, graph) != 0:
            raise SystemExit("ggml_backend_graph_compute failed")

    def free():
        ggml.backend_free(backend)
        ggml.free(context)

    call()
    floats = (ctypes.c_float * (heads * n * dim)).from_address(ggml.get_data(out))
    result = torch.frombuffer(floats, dtype=torch.float32).view(n, heads, dim).transpose(0, 1)
    apart = (result - expected).abs().max().item()
    if not apart < 5e-3:
        raise SystemExit(f"llama and sdpa differ by {apart}")
    return call, free


def torch_calls(options, n, causal, ggml):
    """Calls by name, and what frees them."""
    import torch

    torch.set_num_threads(options.threads)
    generator = torch.Generator().manual_seed(7)
    q, k, v = (torch.randn(1, options.heads, n, options.dim, generator=generator) for _ in range(3))
    mask = torch.full((n, n), float("-inf")).triu(1) if causal else None
    scale = options.dim ** -0.5

    def sdpa():
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

    def eager():
        scores = q @ k.transpose(-1, -2) * scale
        if mask is not None:
            scores = scores + mask
        return torch.softmax(scores, -1) @ v

    # Two ways that do not agree would not be two ways of the same thing.
    apart = (sdpa() - eager()).abs().max().item()
    if not apart < 1e-4:
        raise SystemExit(f"sdpa and eager differ by {apart}")

    def guarded(call):
        def run():
            with torch.inference_mode():
                call()
        return run

    calls, frees = {"sdpa": guarded(sdpa), "eager": guarded(eager)}, []
    if ggml:
        calls["llama"], free = llama_call(ggml, options, q, k, v, causal, sdpa()[0])
        frees.append(free)
    return calls, frees


def measure(options, n, causal, ggml):
    calls, frees = torch_calls(options, n, causal, ggml)
    times = {name: [] for name in calls}
    mine, machine, result = [], None, None
    for _ in range(options.rounds):
        median, least, machine, result = ours(options, n, causal)
        mine.append((median, least))
        for name, call in calls.items():
            times[name] += repeat(call, options.seconds)
    for free in frees:
        free()
    flops = 4.0 * options.heads * options.dim * (n * (n + 1) / 2 if causal else n * n)
    rows = {"attnscope": (statistics.median(m for m, _ in mine), min(l for _, l in mine))}
    for name, values in times.items():
        rows[name] = (statistics.median(values), min(values))
    return rows, flops, machine, result


def main():
    options = read_arguments()
    try:
        import torch
    except ImportError:
        raise SystemExit("peers.py needs PyTorch: pip install torch, in an environment of its own")
    try:
        ggml = Ggml()
    except ImportError:
        ggml = None
        print("llama.cpp's attention is left out: pip install llama-cpp-python", file=sys.stderr)
    figures, headed = [], False
    for n in (int(word) for word in options.n.split(",")):
        for causal in {"none": [False], "causal": [True], "both": [False, True]}[options.mask]:
            rows, flops, machine, result = measure(options, n, causal, ggml)
            if not headed:
                print(f"{machine['cpu']}, {machine['isa']}, {machine['threads']} threads, {machine['compiler']}, "
                      f"peak {machine['peak_gflops']:.1f} GF/s; torch {torch.__version__}"
                      + (f"; llama-cpp-python {ggml.version}" if ggml else ""))
                print(f"{'tokens':>9} {'heads':>5} {'dim':>4}  {'mask':<7} {'program':<10} {'ms median':>10} "
                      f"{'ms least':>10} {'GF/s':>8} {'by median':>10} {'by least':>9}")
                headed = True
            median0, least0 = rows["attnscope"]
            for name, (median, least) in rows.items():
                print(f"{n:>9} {options.heads:>5} {options.dim:>4}  {'causal' if causal else 'none':<7} {name:<10} "
                      f"{median * 1e3:>10.3f} {least * 1e3:>10.3f} {flops / least / 1e9:>8.1f} "
                      f"{median / median0:>9.2f}x {least / least0:>8.2f}x", flush=True)
                figures.append({"n": n, "heads": options.heads, "dim": options.dim, "causal": causal, "program": name,
                                "ms": median * 1e3, "ms_min": least * 1e3, "gflops_best": flops / least / 1e9,
                                "times_ours": median / median0, "times_ours_min": least / least0,
                                "peak_gflops": machine["peak_gflops"], "error_o": result["error_o"]})
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"machine": machine, "torch": torch.__version__,
                       "llama": ggml.version if ggml else None, "results": figures}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
