"""Drives a window of attnscope under Xvfb and compares the screen with the same state as a picture:
as it is, on a screen of half as large pixels, and where OpenGL is too old.

usage: window.py PROGRAM
"""
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

WIDTH, HEIGHT = 1280, 720
TEXT = "the cat sat on the mat and the cat slept"
LAYER, HEAD = 1, 2
PATIENCE_S = 60
SAME = 0.001  # share of pixels that may differ: edges of text, a blinking cursor


def png(path):
    """Rows of RGB of an 8-bit PNG."""
    data = open(path, "rb").read()
    at, body, shape = 8, b"", None
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            shape = struct.unpack(">IIBBBBB", data[at + 8:at + 8 + n])
        if kind == b"IDAT":
            body += data[at + 8:at + 8 + n]
        at += 12 + n
    width, height, depth, color = shape[:4]
    assert depth == 8 and color in (2, 6), shape
    bpp = 3 if color == 2 else 4
    raw, rows, last = zlib.decompress(body), [], bytearray(width * bpp)
    for y in range(height):
        start = y * (width * bpp + 1)
        kind, line = raw[start], bytearray(raw[start + 1:start + 1 + width * bpp])
        for i in range(len(line)):
            a = line[i - bpp] if i >= bpp else 0
            b = last[i]
            c = last[i - bpp] if i >= bpp else 0
            if kind == 1:
                line[i] = (line[i] + a) & 255
            elif kind == 2:
                line[i] = (line[i] + b) & 255
            elif kind == 3:
                line[i] = (line[i] + (a + b) // 2) & 255
            elif kind == 4:
                p = a + b - c
                pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
                line[i] = (line[i] + (a if pa <= pb and pa <= pc else b if pb <= pc else c)) & 255
        last = line
        rows.append([bytes(line[x * bpp:x * bpp + 3]) for x in range(width)])
    return rows


def screen(path):
    """Rows of RGB of the frame buffer that Xvfb keeps as an XWD file of 24 or 32 bits."""
    data = open(path, "rb").read()
    head = struct.unpack(">25I", data[:100])
    size, width, height, order, bits, stride = head[0], head[4], head[5], head[7], head[11], head[12]
    start = size + head[19] * 12
    assert bits == 32 and width >= WIDTH and height >= HEIGHT, head
    rows = []
    for y in range(HEIGHT):
        line = data[start + y * stride:start + y * stride + 4 * WIDTH]
        if order == 0:
            rows.append([bytes((line[4 * x + 2], line[4 * x + 1], line[4 * x])) for x in range(WIDTH)])
        else:
            rows.append([line[4 * x + 1:4 * x + 4] for x in range(WIDTH)])
    return rows


def difference(a, b, box):
    """Share of pixels in the box that are clearly different."""
    x0, y0, x1, y1 = box
    bad = sum(1 for y in range(y0, y1) for x in range(x0, x1)
              if max(abs(p - q) for p, q in zip(a[y][x], b[y][x])) > 24)
    return bad / ((x1 - x0) * (y1 - y0))


def set_dpi(number, dpi):
    """The resource that desktops set for displays of small pixels, told by the X11 protocol itself. It
    lasts as long as the connection."""
    display = socket.socket(socket.AF_UNIX)
    display.connect(f"/tmp/.X11-unix/X{number}")
    display.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0))
    answer = b""
    while len(answer) < 8 or len(answer) < 8 + 4 * struct.unpack("<H", answer[6:8])[0]:
        answer += display.recv(4096)
    assert answer[0] == 1, answer
    vendor, = struct.unpack("<H", answer[24:26])
    formats = answer[29]
    root, = struct.unpack("<I", answer[40 + (vendor + 3) // 4 * 4 + 8 * formats:][:4])
    value = f"Xft.dpi:\t{dpi}\n".encode()
    padded = value + bytes(-len(value) % 4)
    resource_manager, string = 23, 31  # atoms of the protocol
    display.sendall(struct.pack("<BBHIIIBxxxI", 18, 0, 6 + len(padded) // 4, root, resource_manager,
                                string, 8, len(value)) + padded)
    display.sendall(struct.pack("<BxH", 43, 1))  # GetInputFocus: answered when the rest is done
    assert display.recv(32)
    return display


class Window:
    def __init__(self, program, folder, scale=1):
        self.program, self.folder = program, folder
        self.resource = None
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24",
             "-fbdir", folder, "-nolisten", "tcp"], pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        number = os.read(read, 16).decode().strip()
        assert number, "Xvfb did not start"
        self.env = dict(os.environ, DISPLAY=":" + number, XDG_CONFIG_HOME=folder,
                        LIBGL_ALWAYS_SOFTWARE="1")
        self.env.pop("WAYLAND_DISPLAY", None)
        if scale != 1:
            self.resource = set_dpi(number, int(96 * scale))
        # Not over a weight that would be looked at from the first frame on.
        self.do("mousemove", str(WIDTH // 2), str(HEIGHT - 4))
        self.window = subprocess.Popen(
            [program, "matrix", "tiny", "some words", "--size", f"{WIDTH}x{HEIGHT}", "--layer",
             str(LAYER), "--head", str(HEAD), "--reduced-motion"], env=self.env)

    def do(self, *args):
        subprocess.run(["xdotool", *args], env=self.env, check=True, stdout=subprocess.DEVNULL,
                       timeout=PATIENCE_S)

    def wait(self):
        self.do("search", "--sync", "--onlyvisible", "--class", "attnscope")
        ident = subprocess.run(["xdotool", "search", "--class", "attnscope"], env=self.env,
                               capture_output=True, text=True, check=True).stdout.split()[-1]
        self.do("windowfocus", "--sync", ident)
        self.do("windowmove", ident, "0", "0")

    def shot(self):
        return screen(os.path.join(self.folder, "Xvfb_screen0"))

    def settle(self, wanted, box, what):
        """Waits until the screen shows the picture; the difference that is left."""
        end = time.time() + PATIENCE_S
        while True:
            assert self.window.poll() is None, "the window closed"
            left = difference(self.shot(), wanted, box)
            if left < SAME:
                return
            assert time.time() < end, f"{what}: {100 * left:.2f} % of the pixels differ"
            time.sleep(0.25)

    def close(self):
        if self.window.poll() is None:
            self.window.terminate()
            try:
                self.window.wait(20)
            except subprocess.TimeoutExpired:
                self.window.kill()
        if self.resource:
            self.resource.close()
        self.server.terminate()
        self.server.wait()


def small_pixels(program):
    """A screen of 144 dpi: everything one and a half times as large, and the pointer hits it."""
    folder = tempfile.mkdtemp()
    scale = 1.5
    state = ["--model", "tiny", "--text", "some words", "--layer", str(LAYER), "--head", str(HEAD),
             "--view", "matrix", "--size", f"{WIDTH}x{HEIGHT}", "--scale", str(scale)]

    def picture(name, *do):
        path = os.path.join(folder, name)
        subprocess.run([program, "shot", *state, *(["--do", *do] if do else []), "-o", path],
                       check=True, timeout=300)
        return path

    try:
        plain = png(picture("plain.png"))
        texts = re.findall(r'<text [^>]*x="([0-9.]+)" y="([0-9.]+)"[^>]*>([^<]*)</text>',
                           open(picture("plain.svg")).read())
        wanted = [t for t in texts if t[2] == "Row max = 1"]
        assert len(wanted) == 1, texts
        chosen = png(picture("chosen.png", "rows max"))
        # Neither the status line, which tells times and the scale of the person, nor the cursor's light.
        stage = (140, 90, WIDTH - 30, HEIGHT - 60)
        window = Window(program, folder, scale)
        try:
            window.wait()
            window.do("mousemove", str(WIDTH // 2), str(HEIGHT - 4))
            window.settle(plain, stage, "144 dpi")
            window.do("mousemove", str(int((float(wanted[0][0]) + 8) * scale)),
                      str(int((float(wanted[0][1]) - 4) * scale)), "click", "1",
                      "mousemove", str(WIDTH // 2), str(HEIGHT - 4))
            window.settle(chosen, stage, "a click at 144 dpi")
            window.window.terminate()  # idle as it is
            window.window.wait(20)
        finally:
            window.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def old_opengl(program):
    """Less than OpenGL 3.3: the window says what to do, a picture is drawn all the same."""
    folder = tempfile.mkdtemp()
    try:
        old = dict(os.environ, MESA_GL_VERSION_OVERRIDE="2.1", LIBGL_ALWAYS_SOFTWARE="1",
                   XDG_CONFIG_HOME=folder)
        old.pop("WAYLAND_DISPLAY", None)
        run = subprocess.run(["xvfb-run", "-a", program, "matrix", "tiny", "some words"], env=old,
                             capture_output=True, text=True, timeout=PATIENCE_S)
        assert run.returncode != 0, run
        for word in ("OpenGL 3.3", "LIBGL_ALWAYS_SOFTWARE=1", "libgl1-mesa-dri"):
            assert word in run.stderr, run.stderr
        path = os.path.join(folder, "old.png")
        run = subprocess.run([program, "shot", "--model", "tiny", "--view", "matrix", "-o", path],
                             env=old, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0 and "without OpenGL" in run.stderr, run
        assert os.path.getsize(path) > 10000
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    program = os.path.abspath(sys.argv[1])
    folder = tempfile.mkdtemp()
    state = ["--model", "tiny", "--text", TEXT, "--layer", str(LAYER), "--head", str(HEAD + 1)]

    def run(*args):
        out = subprocess.run([program, *args], capture_output=True, text=True, timeout=300)
        assert out.returncode == 0, (args, out.stderr)
        return out.stdout

    def picture(name, *do):
        path = os.path.join(folder, name)
        args = ["--do", "; ".join(do)] if do else []
        run("shot", *state, "--view", "matrix", "--size", f"{WIDTH}x{HEIGHT}", *args, "-o", path)
        return path

    # Where a weight is written on the screen that is written only once.
    weights = os.path.join(folder, "weights.json")
    run("dump", *state, "--what", "weights", "-o", weights)
    weights = json.load(open(weights))
    svg = open(picture("plain.svg")).read()
    texts = re.findall(r'<text [^>]*x="([0-9.]+)" y="([0-9.]+)"[^>]*>([^<]*)</text>', svg)
    cell = None
    for i, row in enumerate(weights):
        for j, w in enumerate(row[:i + 1]):
            found = [t for t in texts if t[2].lstrip("0") == f"{w:.2f}".lstrip("0")]
            elsewhere = f">{w:.6f}<" not in svg  # not what is looked at already
            if len(found) == 1 and 0 < j < i and w > 0.01 and elsewhere:
                cell = (i, j, w, float(found[0][0]) + 4, float(found[0][1]) - 4)
    assert cell, "no cell's number stands alone"
    i, j, weight, x, y = cell
    hovered = f"hover {i} {j}"
    shown = open(picture("hover.svg", hovered)).read()
    assert f">{weight:.6f}<" in shown, f"{weight:.6f} is not on the screen"

    # Not the status line: it tells times.
    stage = (90, 60, WIDTH, HEIGHT - 30)
    plain, over = png(picture("plain.png")), png(picture("hover.png", hovered))
    assert difference(plain, over, stage) > 3 * SAME, difference(plain, over, stage)
    window = Window(program, folder)
    try:
        window.wait()
        window.do("mousemove", str(WIDTH // 2), str(HEIGHT - 10))
        # The next head first: a new text chooses what to look at in the head that is in front.
        window.do("key", "parenright")
        window.do("key", "ctrl+l")
        window.do("key", "ctrl+a")
        window.do("type", "--delay", "20", TEXT)
        window.do("key", "Return")
        window.settle(plain, (90, 60, 700, HEIGHT - 90), "typed text, next head")
        window.do("mousemove", str(int(x)), str(int(y)))
        window.settle(over, stage, "hovered weight")
        before = window.shot()
        window.do("key", "plus", "plus")
        end = time.time() + PATIENCE_S
        while difference(before, window.shot(), stage) < 0.02:
            assert time.time() < end, "the zoom changed nothing"
            time.sleep(0.2)
        window.do("key", "f")
        window.settle(over, stage, "all again")
        window.do("key", "ctrl+q")
        assert window.window.wait(30) == 0
        kept = open(os.path.join(folder, "attnscope", "settings")).read()
        assert f"recent text {TEXT}\n" in kept, kept
    finally:
        window.close()
        shutil.rmtree(folder, ignore_errors=True)


main()
small_pixels(os.path.abspath(sys.argv[1]))
old_opengl(os.path.abspath(sys.argv[1]))
