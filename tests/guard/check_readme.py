#!/usr/bin/env python3
"""The README's promises about the tree: files and folders it names exist, every part of src/ and
every preset is in it."""
import json
import pathlib
import re
import sys


def main():
    text = pathlib.Path("README.md").read_text()
    wrong = []
    for name in re.findall(r"\]\(([^)#:]+)\)", text):
        if not pathlib.Path(name).exists():
            wrong.append(f"README.md links to {name}, which is not there")
    for name in re.findall(r"`((?:src|tests|models|assets|shaders|scripts|cmake|third_party)/[\w./-]*)`", text):
        if not pathlib.Path(name).exists() and not name.startswith("models/cache"):
            wrong.append(f"README.md names {name}, which is not there")
    for folder in sorted(p.name for p in pathlib.Path("src").iterdir() if p.is_dir()):
        if f"`{folder}`" not in text:
            wrong.append(f"README.md does not name the part `{folder}`")
    presets = json.loads(pathlib.Path("CMakePresets.json").read_text())["configurePresets"]
    for preset in presets:
        if not preset.get("hidden") and f"`{preset['name']}`" not in text:
            wrong.append(f"README.md does not name the preset `{preset['name']}`")
    print("\n".join(wrong) or "the README's names are there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
