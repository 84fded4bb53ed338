#!/usr/bin/env python3
"""Every header of src/ compiles alone, twice included, without warnings.
Usage: check_headers.py COMPILER BUILD-FOLDER (for the generated loader's include path)"""
import pathlib
import subprocess
import sys


# Bodies that each kernel file includes with its own instruction set's flags and macros.
BODIES = ("src/attention/kernels/body*.h", "src/attention/kernels/vector_*.h")


def include_flags():
    modules = ["libcjson", "freetype2", "harfbuzz", "raqm", "fontconfig", "cairo", "libpng", "glfw3",
               "egl", "libpcre2-8", "libutf8proc"]
    out = subprocess.run(["pkg-config", "--cflags", *modules], capture_output=True, text=True, check=True)
    return out.stdout.split()


def main():
    compiler, build = sys.argv[1:]
    headers = sorted(p for p in pathlib.Path("src").rglob("*.h")
                     if not any(p.match(body) for body in BODIES))
    flags = ["-std=c17", "-D_GNU_SOURCE", "-Isrc", f"-isystem{build}/generated/glad/include",
             "-isystem/usr/include/stb", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror",
             "-Wno-unused-function", "-fsyntax-only", "-x", "c", "-", *include_flags()]
    wrong = []
    for header in headers:
        name = header.relative_to("src")
        program = f'#include "{name}"\n#include "{name}"\n'
        run = subprocess.run([compiler, *flags], input=program, capture_output=True, text=True)
        if run.returncode:
            wrong.append(f"{header}:\n{run.stderr}")
    print("\n".join(wrong) or f"{len(headers)} headers compile alone")
    return 1 if wrong or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
