#!/usr/bin/env bash
# Installs, builds release, fetches the real models, runs the whole suite. Ends with ctest's summary.
#   ./test.sh [CTEST-ARGUMENTS]     for example ./test.sh -L unit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/install.sh --tests
models/fetch.sh minilm smollm2
cmake --preset release
cmake --build --preset release
exec ctest --test-dir build/release --output-on-failure "$@"
