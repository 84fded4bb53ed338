#!/usr/bin/env bash
# Installs what is missing, builds, starts attnscope. ./run.sh ARGS is `attnscope ARGS`, with paths
# relative to the folder it is called from. Without a display and without a command it renders the
# first screen to attnscope.png there.
set -euo pipefail
top=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
build=$top/build/release
program=$build/attnscope

# Up to date when the last build finished and no source is newer: the usual start asks nobody.
is_fresh() {
    [ -x "$program" ] && [ -e "$build/.built" ] &&
        [ -z "$(find "$top/CMakeLists.txt" "$top/CMakePresets.json" "$top/cmake" "$top/src" \
            "$top/assets" "$top/shaders" "$top/models/tiny" "$top/third_party" \
            -newer "$build/.built" -print -quit 2>/dev/null)" ]
}

build_program() {
    cd "$top"
    # A folder copied or moved with its build would be refused by CMake.
    local fresh=--fresh
    grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$top" "$build/CMakeCache.txt" && fresh=
    cmake $fresh --preset release && cmake --build --preset release --target attnscope &&
        touch -r "$1" "$build/.built"
}

if ! is_fresh; then
    "$top/scripts/install.sh"
    # Through sudo the build still belongs to whoever owns the sources, or the next start without
    # sudo could not build.
    owner=()
    if [ "$(id -u)" -eq 0 ] && [ "$(stat -c %u "$top")" -ne 0 ]; then
        owner=(setpriv "--reuid=$(stat -c %u "$top")" "--regid=$(stat -c %g "$top")" --clear-groups)
        # Where the owner cannot come (a folder under /root, a container) root builds after all.
        "${owner[@]}" test -w "$top" 2>/dev/null || owner=()
    fi
    if ! "${owner[@]}" mkdir -p "$build" 2>/dev/null || ! "${owner[@]}" test -w "$build"; then
        echo "attnscope: cannot write $build: make it writable, or copy the sources elsewhere" >&2
        exit 1
    fi
    [ -x "$program" ] || echo "attnscope: building, once; this takes a minute or two" >&2
    log=$(mktemp)
    stamp=$(mktemp) # when the build began: what changes while it runs is built next time
    chmod a+r "$stamp"
    if ! "${owner[@]}" bash -c "$(declare -f build_program); top=$(printf %q "$top") \
        build=$(printf %q "$build"); build_program $(printf %q "$stamp")" >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        echo "attnscope: the build failed; the whole log is $log" >&2
        rm -f "$stamp"
        exit 1
    fi
    rm -f "$log" "$stamp"
fi
# Threads that wait for others sleep instead of turning round: on a machine that does other work
# as well that is up to twice as fast (src/benchmark/README.md).
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
exec "$program" "$@"
