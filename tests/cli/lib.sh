# Shared by the tests of the command line. Sets $program and $dir, a folder that goes at the end.
program=$1
[ -x "$program" ] || { echo "usage: $0 PROGRAM" >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/out"
n_bad=0
n_checks=0

bad() {
    echo "FAILED: $*" >&2
    n_bad=$((n_bad + 1))
}

# finish: the exit status of the whole test
finish() {
    echo "$n_checks checks, $n_bad failed"
    [ "$n_checks" -gt 0 ] && [ "$n_bad" -eq 0 ]
}

# run ARGS…: sets $status; $dir/stdout and $dir/stderr have what was printed
run() {
    status=0
    "$program" "$@" >"$dir/stdout" 2>"$dir/stderr" </dev/null || status=$?
    n_checks=$((n_checks + 1))
}

# ok ARGS…: must succeed
ok() {
    run "$@"
    [ "$status" -eq 0 ] || bad "$* ended with $status: $(cat "$dir/stderr")"
}

# says TEXT: the last run said so on standard error
says() {
    grep -qF -- "$1" "$dir/stderr" || bad "expected \"$1\" on standard error, found: $(cat "$dir/stderr")"
}

# prints TEXT: the last run printed it on standard output
prints() {
    grep -qF -- "$1" "$dir/stdout" || bad "expected \"$1\" on standard output, found: $(head -c 500 "$dir/stdout")"
}

# fails STATUS TEXT ARGS…: must end so, with exactly one line of error that has TEXT (lines of
# warnings may come before), nothing on standard output and no file in $dir/out
fails() {
    wanted=$1
    text=$2
    shift 2
    run "$@"
    [ "$status" -eq "$wanted" ] || bad "$* ended with $status, expected $wanted: $(cat "$dir/stderr")"
    tail -n 1 "$dir/stderr" | grep -qF -- "$text" || bad "$*: expected \"$text\", found: $(cat "$dir/stderr")"
    lines=$(grep -cv '^attnscope: warning: \|^attnscope: no text given' "$dir/stderr")
    [ "$lines" -eq 1 ] || bad "$*: $lines lines of error: $(cat "$dir/stderr")"
    grep -q '^attnscope: ' "$dir/stderr" || bad "$*: the line does not say whose it is"
    [ -s "$dir/stdout" ] && bad "$*: printed something on standard output"
    [ -z "$(ls -A "$dir/out")" ] || bad "$*: left $(ls -A "$dir/out")"
}
