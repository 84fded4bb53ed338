#!/usr/bin/env python3
"""Rules a compiler does not hold: layout by clang-format, sizes, where printing, exit, malloc and GL
may stand, and a README in every folder of src/."""
import pathlib
import re
import subprocess
import sys

MAX_LINES = 700  # "about 600": beyond this a file has more than one idea
CALLS = {  # what may not be called, and the parts where it may
    r"\b(?:exit|printf|puts|putchar)\s*\(": {"app"},
    r"\bfprintf\s*\(\s*std(?:out|err)": {"app"},
    r"\b(?:malloc|calloc|realloc|free)\s*\(": {"base"},
    r"\bgl[A-Z]\w+\s*\(": {"gfx"},
    r"\b(?:strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\(": set(),
}
EXEMPT = {
    "src/base/error.c": {r"\bfprintf\s*\(\s*std(?:out|err)"},  # a broken invariant says so
    "src/attention": {r"\b(?:malloc|calloc|realloc|free)\s*\("},  # depends on nothing, not even base
}


def strip_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


def check_calls(path, text):
    part = path.parts[1]
    for pattern, allowed in CALLS.items():
        exempt = any(str(path).startswith(p) and pattern in rules for p, rules in EXEMPT.items())
        if part in allowed or exempt:
            continue
        for match in re.finditer(pattern, text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: {match.group().strip()}…) may not be called here"


def main():
    wrong = []
    sources = sorted(p for root in ("src", "tests") for p in pathlib.Path(root).rglob("*.[ch]"))
    for path in sources:
        text = path.read_text()
        lines = text.count("\n")
        if lines > MAX_LINES:
            wrong.append(f"{path}: {lines} lines; split it by what it does (at most {MAX_LINES})")
        if path.suffix == ".h" and not text.startswith("#pragma once"):
            wrong.append(f"{path}: a header starts with #pragma once")
        if path.parts[0] == "src":
            wrong += check_calls(path, strip_comments(text))
    for folder in sorted(p for p in pathlib.Path("src").iterdir() if p.is_dir()):
        if not (folder / "README.md").exists():
            wrong.append(f"{folder}: README.md is missing: a few lines, what it is for and how to add to it")
    formatted = subprocess.run(["clang-format", "--dry-run", "-Werror", *map(str, sources)],
                               capture_output=True, text=True)
    if formatted.returncode:
        first = [l for l in formatted.stderr.splitlines() if "error:" in l][:10]
        wrong += [*first, "run clang-format -i on these"]
    print("\n".join(wrong) or f"{len(sources)} sources keep the rules")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
