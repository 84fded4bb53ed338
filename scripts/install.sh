#!/usr/bin/env bash
# Installs what third_party/packages.txt (and, for tests, packages-test.txt) names and is missing.
#   scripts/install.sh [--tests]
# Asks apt only when something is missing, so it needs no network once everything is there. Works
# as root or through sudo; says plainly what is missing when it cannot install.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lists=(third_party/packages.txt)
[ "${1:-}" = --tests ] && lists+=(third_party/packages-test.txt)

if ! command -v dpkg-query >/dev/null; then
    echo "attnscope: this is no Debian or Ubuntu system: install by hand what these files name:" \
        "${lists[*]}" >&2
    exit 0
fi

mapfile -t wanted < <(sed 's/#.*//' "${lists[@]}" | awk 'NF { print $1 }')
# A library may be there for several processors, one line each; ours is the one that counts.
machine=$(dpkg --print-architecture)
installed=$(dpkg-query -W -f '${Package} ${Architecture} ${db:Status-Status}\n' \
    "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
    grep -Eq "^$package ($machine|all) installed\$" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "attnscope: these packages are missing and only root can install them: ${missing[*]}" >&2
        echo "attnscope: as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 \
        "${missing[@]}" >"$log" 2>&1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "attnscope: installing ${#missing[@]} packages: ${missing[*]}" >&2
if ! install; then
    # The package lists may never have been fetched, or be old.
    "${as_root[@]}" apt-get update -qq >>"$log" 2>&1 || true
    if ! install; then
        tail -n 5 "$log" >&2
        echo "attnscope: could not install: ${missing[*]}" >&2
        echo "attnscope: is there a network? as root: apt-get update && apt-get install ${missing[*]}" >&2
        exit 1
    fi
fi
