#!/usr/bin/env python3
"""Turn documentation and game packages of Debian into the training text of the model `tiny`.

    make_tiny_data.py --fetch --work DIR      apt-get download and unpack the packages into DIR/root
    make_tiny_data.py --work DIR              write DIR/train.txt, DIR/heldout.txt, DIR/sources.json

Nothing is installed and no root rights are needed: packages are unpacked with `dpkg -x`.
Only Python's standard library is used. The result depends on the package versions alone,
which sources.json records; the licence of each source is in its row below and, in full, in
DIR/root/usr/share/doc/PACKAGE/copyright.

Documents (a chapter, a page, a scenario, a group of dictionary entries) are cut into pieces of
about 12,000 characters, and a piece is held out when the CRC-32 of its name says so, about one
in 40. Paragraphs that occur twice are kept once, so that no held-out paragraph was seen in
training. Pieces are separated by one NUL byte.
"""

import argparse
import glob
import gzip
import json
import os
import re
import subprocess
import zlib
from html.parser import HTMLParser
from pathlib import Path

HELD_OUT_ONE_IN = 40
PIECE_CHARS = 12000
SKIPPED = re.compile(r"genindex|/c-api/|changelog|py-modindex|/print\.html|perl5\d+delta|release-")
WESNOTH = "did dm dw ei httt l low nr sof sota sotbe thot trow tsg ttb utbs".split()

# name, packages, licence, reader, files below root, most bytes taken
SOURCES = [
    ("kjv", ["bible-kjv", "bible-kjv-text"], "public domain", "bible", "usr/lib/bible.data", 9e6),
    ("devil", ["dict-devil"], "public domain", "devil",
     "usr/share/dictd/devil.dict.dz", 9e6),
    ("jargon", ["dict-jargon"], "public domain", "jargon", "usr/share/dictd/jargon.dict.dz", 9e6),
    ("wordnet", ["dict-wn"], "WordNet licence", "wordnet", "usr/share/dictd/wn.dict.dz", 4e6),
    ("wesnoth", ["wesnoth-1.16-" + c for c in WESNOTH], "GPL-2+", "wesnoth",
     "usr/share/games/wesnoth/1.16/data/campaigns/*/**/*.cfg", 9e6),
    ("handbook", ["debian-handbook"], "CC-BY-SA-3.0 or GPL-2+", "html",
     "usr/share/doc/debian-handbook/html/en-US/*.html", 9e6),
    ("reference", ["debian-reference-en"], "GPL-2+", "html",
     "usr/share/debian-reference/*.en.html", 9e6),
    ("policy", ["debian-policy"], "GPL-2+", "html",
     "usr/share/doc/debian-policy/*.html/*.html", 9e6),
    ("devref", ["developers-reference"], "GPL-2+", "html",
     "usr/share/developers-reference/*.html", 9e6),
    ("faq", ["debian-faq"], "its own free copyleft notice", "html",
     "usr/share/doc/debian/FAQ/*.en.html", 9e6),
    ("install", ["installation-guide-amd64"], "GPL-2", "html",
     "usr/share/doc/installation-guide-amd64/en/*.html", 9e6),
    ("gnome", ["gnome-user-docs"], "CC-BY-SA-3.0", "html", "usr/share/help/C/*/*.page", 9e6),
    ("rustbook", ["rust-doc"], "MIT or Apache-2.0", "html",
     "usr/share/doc/rust-doc/html/book/*.html", 9e6),
    ("python", ["python3.11-doc"], "PSF-2", "html", "usr/share/doc/python3.11/html/*/*.html", 4e6),
    ("postgres", ["postgresql-doc-15"], "PostgreSQL", "html",
     "usr/share/doc/postgresql-doc-15/html/*.html", 1.2e6),
    ("git", ["git-doc"], "GPL-2", "html", "usr/share/doc/git-doc/**/*.html", 1.5e6),
    ("perl", ["perl-doc"], "Artistic or GPL-1+", "pod", "usr/share/perl/*/pod/*.pod", 2.5e6),
]


class TextOfHtml(HTMLParser):
    """Running text of a page: one line a block, <pre> as it stands, no menus or scripts."""

    BLOCKS = set("p div li ul ol dl dt dd h1 h2 h3 h4 h5 h6 tr table title section item body "
                 "blockquote br pre figure article main screen listing note".split())
    SKIP = set("script style nav header footer head info svg button form".split())
    SKIP_CLASSES = ("sphinxsidebar", "related", "navheader", "navfooter", "headerlink", "footer",
                    "toc", "sidebar", "menu-bar", "nav-wrapper", "nav-wide-wrapper", "docnav")
    VOID = set("br hr img meta link input col wbr area base source".split())

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.out, self.skip_depth, self.pre_depth = [], 0, 0

    def handle_starttag(self, tag, attrs):
        if tag in self.BLOCKS and not self.skip_depth:
            self.out.append("\n")
        if tag in self.VOID:
            return
        classes = (dict(attrs).get("class") or "").split()
        hidden = tag in self.SKIP or any(c in self.SKIP_CLASSES for c in classes)
        if self.skip_depth or hidden:
            self.skip_depth += 1
        elif tag in ("pre", "screen"):
            self.pre_depth += 1

    def handle_startendtag(self, tag, attrs):
        if tag in self.BLOCKS and not self.skip_depth:
            self.out.append("\n")

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if self.skip_depth:
            self.skip_depth -= 1
            return
        if tag in ("pre", "screen"):
            self.pre_depth = max(0, self.pre_depth - 1)
        if tag in self.BLOCKS:
            self.out.append("\n")

    def handle_data(self, data):
        if self.skip_depth:
            return
        self.out.append(data if self.pre_depth else re.sub(r"\s+", " ", data))

    def text(self):
        lines = [line.rstrip() for line in "".join(self.out).split("\n")]
        return "\n".join(line if line.startswith("    ") else line.strip() for line in lines)


def read_html(path, data):
    parser = TextOfHtml()
    body = re.search(rb"<main.*?</main>|<div class=\"body\".*", data, re.S)
    parser.feed((body.group(0) if body else data).decode("utf-8", "replace"))
    # Bare numbers are what is left of indexes.
    lines = [s for s in parser.text().split("\n") if not re.fullmatch(r"[\d.\s|]+", s)]
    yield path, "\n".join(lines)


def read_pod(path, data):
    paragraphs = []
    for block in re.split(r"\n\s*\n", data.decode("utf-8", "replace")):
        command = re.match(r"=(\w+)\s*(.*)", block, re.S)
        if command:
            shown = command.group(1) in ("head1", "head2", "head3", "item")
            block = command.group(2) if shown else ""
        if block[:1] not in (" ", "\t"):
            block = " ".join(block.split())
        for _ in range(3):
            block = re.sub(r"[BCFILSX]<(?:<+ )?([^<>]*)(?: >+)?>", r"\1", block)
        block = re.sub(r"E<(lt|gt)>", lambda m: {"lt": "<", "gt": ">"}[m.group(1)], block)
        if block.strip("* \n"):
            paragraphs.append(block)
    yield path, "\n\n".join(paragraphs)


def read_bible(path, _data):
    """A document a chapter, a line a verse, printed by the package's own reader."""
    program = Path(path).parents[1] / "bin/bible"
    text = subprocess.run([str(program), "-p", str(Path(path).parent), "gen1:1-rev22:21"],
                          capture_output=True, text=True, check=True).stdout
    chapters = re.split(r"\n(?=\S[\w ]* \d+\n\n)", text)
    for chapter in chapters:
        title, _, body = chapter.strip().partition("\n")
        verses = [" ".join(v.split()) for v in re.split(r"(?:^|\n) {1,3}\d+ ", body)]
        yield title, "\n".join(v for v in verses if v)


def grouped(name, entries, size=4000):
    group, length = [], 0
    for entry in entries:
        group.append(entry)
        length += len(entry)
        if length >= size:
            yield f"{name}:{group[0][:40]}", "\n\n".join(group)
            group, length = [], 0
    if group:
        yield f"{name}:{group[0][:40]}", "\n\n".join(group)


def read_devil(path, data):
    text = gzip.decompress(data).decode("utf-8", "replace")
    paragraphs = []
    for block in re.split(r"\n\s*\n", text):
        verse = block.startswith("  ") and block.count("\n") > 0
        paragraphs.append("\n".join(s.strip() for s in block.split("\n")) if verse
                          else " ".join(block.split()))
    return grouped("devil", [p for p in paragraphs[20:] if p])


def read_jargon(path, data):
    text = gzip.decompress(data).decode("utf-8", "replace")
    entries = re.split(r"\n(?=\S)", text)[20:]
    clean = []
    for entry in entries:
        blocks = [" ".join(b.split()) for b in re.split(r"\n\s*\n", entry)]
        clean.append("\n".join(b.replace("{", "").replace("}", "") for b in blocks if b))
    return grouped("jargon", clean)


def read_wordnet(path, data):
    """Only glosses long enough to read as sentences: 'word: meaning; "an example"'."""
    text = gzip.decompress(data).decode("utf-8", "replace")
    entries = []
    for entry in re.split(r"\n(?=\S)", text)[20:]:
        word, _, rest = entry.partition("\n")
        rest = re.sub(r"\[(syn|ant|also):.*?\]", "", " ".join(rest.split()))
        rest = re.sub(r"^(n|v|adj|adv) ", "", rest)
        if '"' in rest and len(rest) > 80:
            entries.append(f"{word}: {rest.strip()}")
    return grouped("wordnet", entries)


def read_wesnoth(path, data):
    """Story and dialogue of a scenario, speaker by speaker."""
    text = data.decode("utf-8", "replace")
    lines = []
    value = r'(\w+)\s*=\s*(?:(\w[\w \']*)\n|_\s*"((?:[^"]|"")*)")'
    for match in re.finditer(value, text):
        kind, speaker, words = match.groups()
        if speaker and kind == "speaker":
            named = speaker.strip() not in ("narrator", "unit")
            lines.append(f"{speaker.strip().title()}:" if named else "")
        elif words and (kind in ("message", "story") or len(words) > 60):
            words = re.sub(r"<[^<>]*>", "", words.replace('""', '"'))
            words = "\n".join(" ".join(s.split()) for s in words.split("\n"))
            speaker = lines.pop() + " " if lines and lines[-1].endswith(":") else ""
            lines.append((speaker + words).strip())
    lines = [s for s in lines if s and not s.endswith(":")]
    if len(lines) >= 3:
        yield path, "\n".join(lines)


PLAIN = {"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\u00b6": "",
         "\u2014": " -- ", "\u2013": "-", "\u2026": "...", "\t": "    ", "\r": "", "\0": "",
         "\u00ad": ""}


def tidy(text):
    text = text.translate(str.maketrans(PLAIN))
    text = re.sub(r" {9,}", "        ", text)
    text = re.sub(r"([-=_*.#~^+])\1{5,}", lambda m: m.group(1) * 4, text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def version_of(package, work):
    """Version of the unpacked package, from the name of its file in DIR/debs."""
    found = sorted(glob.glob(f"{work}/debs/{package}_*.deb"))
    return found[-1].rsplit("/", 1)[1].split("_")[1].replace("%3a", ":") if found else "unknown"


def fetch(work):
    debs, root = work / "debs", work / "root"
    debs.mkdir(parents=True, exist_ok=True)
    root.mkdir(exist_ok=True)
    packages = [p for source in SOURCES for p in source[1]]
    subprocess.run(["apt-get", "download", "-q", *packages], cwd=debs, check=True)
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(deb), str(root)], check=True)


def documents(source, root):
    name, _, _, reader, pattern, most = source
    taken = 0
    paths = [p for p in sorted(glob.glob(str(root / pattern), recursive=True)) if os.path.isfile(p)]
    # In the order of their CRC, so that a limit takes a sample and not the letters A to F.
    for path in sorted(paths, key=lambda p: zlib.crc32(os.path.relpath(p, root).encode())):
        if SKIPPED.search(path):
            continue
        data = Path(path).read_bytes()
        for title, text in sorted(globals()["read_" + reader](path, data),
                                  key=lambda d: zlib.crc32(d[0].encode())):
            title = title.replace(str(root), "")
            text = tidy(text)
            if len(text) < 300 or taken > most:
                continue
            taken += len(text.encode())
            yield f"{name}:{title}", text


def without_repeats(text, seen):
    """Drop the paragraphs that came before, here or in another document."""
    kept = []
    for paragraph in text.split("\n"):
        data = paragraph.encode()
        key = zlib.crc32(data) << 32 | zlib.adler32(data)
        if len(paragraph) > 60 and key in seen:
            continue
        seen.add(key)
        kept.append(paragraph)
    return "\n".join(kept).strip()


def pieces(text):
    """Cut a long document at line ends into pieces of about PIECE_CHARS."""
    piece, length = [], 0
    for line in text.split("\n"):
        piece.append(line)
        length += len(line)
        if length >= PIECE_CHARS:
            yield "\n".join(piece).strip()
            piece, length = [], 0
    rest = "\n".join(piece).strip()
    if len(rest) >= 200:
        yield rest


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--fetch", action="store_true")
    args = parser.parse_args()
    if args.fetch:
        fetch(args.work)
    seen, report = set(), []
    outputs = {"train": [], "heldout": []}
    for source in SOURCES:
        sizes = {"train": 0, "heldout": 0}
        for title, text in documents(source, args.work / "root"):
            for number, piece in enumerate(pieces(without_repeats(text, seen))):
                name = f"{title}#{number}"
                part = "heldout" if zlib.crc32(name.encode()) % HELD_OUT_ONE_IN == 0 else "train"
                outputs[part].append((name, piece))
                sizes[part] += len(piece.encode())
        versions = {p: version_of(p, args.work) for p in source[1]}
        report.append({"name": source[0], "packages": versions, "licence": source[2],
                       "bytes": sizes["train"], "heldout_bytes": sizes["heldout"]})
        print(source[0], sizes, flush=True)
    for part, texts in outputs.items():
        texts.sort(key=lambda d: zlib.crc32(d[0].encode()[::-1]))
        (args.work / f"{part}.txt").write_bytes(b"\0".join(t.encode() for _, t in texts))
    (args.work / "sources.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
