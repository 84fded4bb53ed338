#!/usr/bin/env bash
# Installs, builds release, fetches the real models, runs the whole suite. Ends with ctest's summary.
#   ./test.sh [CTEST-ARGUMENTS]     for example ./test.sh -L unit
#   ./test.sh fuzz [SECONDS]        searches with each fuzz target for so long (120); needs clang
set -euo pipefail
if [ "${1-}" = --help ] || [ "${1-}" = -h ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit
fi
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/install.sh --tests
if [ "${1-}" = fuzz ]; then
    cmake --preset fuzz
    cmake --build --preset fuzz
    for source in tests/fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        found=build/fuzz/found/$name # what is new; a crash leaves its input here
        mkdir -p "$found"
        echo "== $name"
        "build/fuzz/tests/fuzz/$name" -max_total_time="${2-120}" -timeout=20 -verbosity=0 \
            -print_final_stats=1 -artifact_prefix="$found/" "$found" "tests/fuzz/corpus/$name"
    done
    exit
fi
models/fetch.sh minilm smollm2 ||
    echo "test.sh: without the real models: the tests that need them are skipped or fail" >&2
cmake --preset release
cmake --build --preset release
exec ctest --test-dir build/release --output-on-failure "$@"
