# Ctrl+C, kill and a closed terminal, wherever they come: soon, one line, nothing left.
. tests/cli/lib.sh "$1"
o=$dir/out

# stopped SIGNAL ARGS…
stopped() {
    signal=$1
    shift
    "$program" "$@" >"$dir/stdout" 2>"$dir/stderr" </dev/null &
    sleep 1
    kill -s "$signal" $! 2>/dev/null || bad "$* ended before it could be stopped: $(cat "$dir/stderr")"
    before=$(date +%s)
    status=0
    wait $! || status=$?
    n_checks=$((n_checks + 1))
    [ "$status" -eq 1 ] || bad "$*: SIG$signal ended it with $status: $(cat "$dir/stderr")"
    [ $(($(date +%s) - before)) -le 20 ] || bad "$*: SIG$signal took $(($(date +%s) - before)) s"
    grep -q '^attnscope: .*\(stopped\|cancelled\)' "$dir/stderr" || bad "$*: said $(cat "$dir/stderr")"
    [ -z "$(ls -A "$o")" ] || bad "$*: left $(ls -A "$o")"
}
yes word | head -n 3000 | tr '\n' ' ' >"$dir/long"
large="--model random:L=40,H=8,d=512,V=500 --file $dir/long"
for signal in TERM HUP; do
    stopped $signal trace $large -o "$o/x.safetensors"
    stopped $signal shot $large -o "$o/x.png"
done
stopped TERM dump $large --what weights -o "$o/x.npy"
stopped TERM bench --n 16384 --no-naive
mkfifo "$dir/typed"
sleep 30 >"$dir/typed" &
holder=$!
stopped TERM tokens --file "$dir/typed"
kill $holder
finish
