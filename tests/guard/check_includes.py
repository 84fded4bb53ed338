#!/usr/bin/env python3
"""Holds every #include of src/ against cmake/parts.txt: a part includes only what its row names."""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def read_parts(path):
    parts = {}
    for line in path.read_text().splitlines():
        if re.match(r"[a-z]", line):
            name, rest = line.split(":", 1)
            parts[name] = set(rest.split("|")[0].split())
    return parts


def check(source_root, parts):
    """Lines that say what is wrong, and how many includes were looked at."""
    wrong, seen = [], 0
    for path in sorted(source_root.rglob("*.[ch]")):
        part = path.relative_to(source_root).parts[0]
        if part not in parts:
            wrong.append(f"{path}: the folder {part} has no row in cmake/parts.txt")
            continue
        for name in INCLUDE.findall(path.read_text()):
            seen += 1
            target = name.split("/")[0]
            if "/" not in name or target not in parts:
                wrong.append(f'{path}: "{name}" is not written from src/ down')
            elif target != part and target not in parts[part]:
                wrong.append(f'{path}: {part} may not include "{name}" (cmake/parts.txt)')
            elif not (source_root / name).exists() and not name.startswith("glad/"):
                wrong.append(f'{path}: "{name}" is not there')
    return wrong, seen


def check_acyclic(parts):
    """The table itself must only point one way: a row names rows that are complete without it."""
    done, wrong = set(), []
    while len(done) < len(parts):
        ready = [p for p in parts if p not in done and parts[p] <= done]
        if not ready:
            wrong.append(f"cmake/parts.txt: a circle among {sorted(set(parts) - done)}")
            break
        done.update(ready)
    return wrong


def main():
    parts = read_parts(pathlib.Path("cmake/parts.txt"))
    wrong, seen = check(pathlib.Path("src"), parts)
    wrong += check_acyclic(parts)
    if seen < 50:
        wrong.append(f"only {seen} includes found: is this the top of the repository?")
    print("\n".join(wrong) or f"{seen} includes of {len(parts)} parts, all allowed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
