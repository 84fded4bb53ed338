#!/usr/bin/env python3
"""src/attention is a library that can be lifted out: a copy of that folder and nothing else is built with
a C compiler by the lines of its README, and the README's program prints the weights that a few lines of
Python compute too.

    python3 tests/guard/check_alone.py [COMPILER]
"""
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

H, N, D = 2, 6, 4


def weights(head):
    """Causal attention of the README's numbers, in float64."""
    value = [(i * 7 % 11 - 5) / 4 for i in range(H * N * D)]
    rows = [value[(head * N + i) * D:(head * N + i + 1) * D] for i in range(N)]
    result = []
    for i in range(N):
        scores = [sum(a * b for a, b in zip(rows[i], rows[j])) / math.sqrt(D) for j in range(i + 1)]
        powers = [math.exp(s - max(scores)) for s in scores]
        result.append([p / sum(powers) for p in powers] + [0.0] * (N - i - 1))
    return result


def block(text, language):
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)
    if not found:
        raise SystemExit(f"src/attention/README.md has no block of {language}")
    return found.group(1)


def main():
    compiler = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CC", "cc")
    text = pathlib.Path("src/attention/README.md").read_text()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copytree("src/attention", folder / "attention")
        (folder / "example.c").write_text(block(text, "c"))
        environment = dict(os.environ, CC=compiler)
        environment.pop("ATTNSCOPE_ISA", None)
        subprocess.run(["sh", "-e", "-c", block(text, "sh")], cwd=folder / "attention", env=environment, check=True)
        printed = subprocess.run([folder / "example"], env=environment, check=True, capture_output=True, text=True)
    rows = [[float(word) for word in line.split()] for line in printed.stdout.splitlines()]
    expected = weights(1)
    if [len(row) for row in rows] != [N] * N:
        raise SystemExit(f"the README's program printed\n{printed.stdout}")
    apart = max(abs(a - b) for row, wanted in zip(rows, expected) for a, b in zip(row, wanted))
    if not apart < 2e-6:
        raise SystemExit(f"weights differ by {apart}:\n{printed.stdout}")
    print(f"built alone; weights within {apart:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
