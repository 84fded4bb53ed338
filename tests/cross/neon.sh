#!/bin/sh
# The attention core for AArch64 with its NEON kernels, cross-compiled, and its unit tests run by
# qemu-user: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user are what it needs.
#
#     tests/cross/neon.sh [test …]      e.g. tests/cross/neon.sh tile few; all without a name
#
# CC, RUN (what starts a program; empty on an AArch64 machine) and OUT (build folder) may be set.
set -eu
cd "$(dirname "$0")/../.."
CC=${CC:-aarch64-linux-gnu-gcc}
RUN=${RUN-qemu-aarch64 -L /usr/aarch64-linux-gnu}
OUT=${OUT:-build/neon}
for tool in "${CC%% *}" ${RUN%% *}; do
    command -v "$tool" >/dev/null || { echo "neon.sh: $tool is not here (apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)" >&2; exit 77; }
done
mkdir -p "$OUT"
warnings="-Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Werror"
for source in src/attention/*.c src/attention/kernels/kernel_scalar.c src/attention/kernels/kernel_neon.c; do
    flags=-O3
    case $source in */kernels/*) flags="-O3 -fno-math-errno -fno-trapping-math -ffp-contract=off" ;; esac
    # shellcheck disable=SC2086 # lists of flags
    $CC -std=gnu17 -D_GNU_SOURCE -fopenmp -Isrc $warnings $flags -c "$source" -o "$OUT/$(basename "$source" .c).o"
done
[ $# -gt 0 ] || set -- $(ls tests/unit/attention/test_attention_*.c | sed 's/.*test_attention_//; s/\.c$//')
failed=
for name in "$@"; do
    # shellcheck disable=SC2086
    $CC -std=gnu17 -D_GNU_SOURCE -O2 -fopenmp -Itests/cross -Itests -Itests/unit/attention -Isrc $warnings \
        "tests/unit/attention/test_attention_$name.c" "$OUT"/*.o -lm -o "$OUT/test_$name"
    echo "== $name"
    $RUN "$OUT/test_$name" || failed="$failed $name"
done
[ -z "$failed" ] || { echo "neon.sh: failed:$failed" >&2; exit 1; }
