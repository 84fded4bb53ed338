# What somebody meets in the first hour: examples of the help as they stand, typing errors of every
# kind, texts that are none, limits of the disk.
. tests/cli/lib.sh "$1"
o=$dir/out
fixed=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
program=$fixed

# ---- every example of `help COMMAND` works, word for word, in an empty folder with a text
mkdir "$dir/work" "$dir/bin"
ln -s "$fixed" "$dir/bin/attnscope"
printf 'The bank raised its rates while we sat on the river bank. The bank was open.\n' >"$dir/work/notes.txt"
for command in trace view info tokens dump shot bench models; do
    "$program" help "$command" | sed '1,/^Examples$/d' >"$dir/examples"
    [ -s "$dir/examples" ] || bad "help $command has no examples"
    # lines that end with \ go on
    sed -e ':a' -e '/\\$/{N;s/\\\n *//;ba' -e '}' "$dir/examples" | while read -r line; do
        (cd "$dir/work" && unset DISPLAY WAYLAND_DISPLAY &&
            PATH=$dir/bin:$PATH sh -c "$line" >"$dir/stdout" 2>"$dir/stderr" </dev/null) ||
            echo "FAILED: $line: $(cat "$dir/stderr")"
        echo "ran $line" >>"$dir/ran"
    done >>"$dir/failed"
done
[ -s "$dir/failed" ] && { cat "$dir/failed" >&2; n_bad=$((n_bad + 1)); }
[ "$(wc -l <"$dir/ran")" -ge 18 ] || bad "only $(wc -l <"$dir/ran") examples were run"
for made in weights.npy scores.csv lse.npy run.safetensors small.safetensors matrix.svg step.pdf heads.png story.png bench.svg; do
    [ -s "$dir/work/$made" ] || bad "no example made $made"
done
ok help stories; prints 3-content; prints 'A name that comes twice'
ok help keys; prints 'query -1'
ok help views; prints 'One head as a heatmap'

# ---- a model and a text without dashes, wherever a model is read
ok info translate; prints Marian
ok tokens tiny 'ab cd' --json; cp "$dir/stdout" "$dir/a.json"
ok tokens --model tiny --text 'ab cd' --json
cmp -s "$dir/stdout" "$dir/a.json" || bad "operands and options differ"
fails 2 'needs quotes' dump tiny two words --what q -o "$o/x.npy"
fails 2 'there is one text' dump tiny one --text two --what q -o "$o/x.npy"
fails 2 'there is one model' shot tiny --model tiny -o "$o/x.png"

# ---- nearly right
fails 2 'did you mean matrix?' matrx
fails 2 'did you mean tiny?' tinny
fails 2 'did you mean translate?' view translat
fails 1 'did you mean translate?' info translat
fails 2 'did you mean matrix?' shot --view matrx -o "$o/x.png"
fails 2 'did you mean layer?' shot --do 'lyer 3' -o "$o/x.png"
fails 2 "--do 'layer x'" shot --do 'layer x' -o "$o/x.png"
fails 2 'command of Matrix' shot --do 'zoom in' -o "$o/x.png"
fails 2 'expected zoom in|out' shot --view matrix --do 'zoom sideways' -o "$o/x.png"
fails 2 '3-content' shot --do 'story nosuch' -o "$o/x.png"
fails 2 'has no steps' shot --view matrix --step 3 -o "$o/x.png"
fails 2 'one of evolving' info synthetic:foo
ok shot --scale 8 -o "$o/x.png"; says 'views need 640 x 400'; rm "$o/x.png"
fails 1 'is a folder' info --trace "$dir"
mkdir "$dir/alone" && mv "$dir/work/run.safetensors" "$dir/alone/"
fails 1 'opened with --trace' info --model "$dir/alone/run.safetensors"

# ---- models by their names
mkdir -p "$dir/cache/small" && cp models/tiny/* "$dir/cache/small/"
ATTNSCOPE_MODELS=$dir/cache; export ATTNSCOPE_MODELS
ok models; grep -q '^  small  ' "$dir/stdout" || bad "a fetched model is not listed by its name: $(cat "$dir/stdout")"
ok models --json; prints '{"model":"small"'
fails 2 'did you mean small?' smal
unset ATTNSCOPE_MODELS

# ---- texts that are none, and those of other systems
printf '\377\376h\000i\000' >"$dir/utf16"
fails 1 'iconv' dump tiny --file "$dir/utf16" --what q -o "$o/x.npy"
head -c 20000 "$program" >"$dir/binary"
fails 1 'not a text' tokens --file "$dir/binary"
fails 1 'not a text' shot --file "$dir/binary" -o "$o/x.png"
ok shot --do "open $dir/binary" --size 320x200 -o "$o/x.png"; says 'not a text'; says 'the picture shows that'
rm "$o/x.png"
printf '\357\273\277ab' >"$dir/marked"
ok tokens --model random:V=50 --file "$dir/marked" --json; says 'byte order mark'
prints '"text":"ab","start":0,"end":2}'

# ---- a limit of the file size is a full disk, not the end
for out in x.npy x.csv x.safetensors x.png x.svg x.pdf; do
    case $out in
    x.npy | x.csv) set -- dump --what weights ;;
    x.safetensors) set -- trace ;;
    *) set -- shot ;;
    esac
    status=0
    (ulimit -f 8 && "$program" "$@" -o "$o/$out" 2>"$dir/stderr") || status=$?
    n_checks=$((n_checks + 1))
    [ "$status" -eq 1 ] || bad "ulimit -f, $out: ended with $status: $(cat "$dir/stderr")"
    says "cannot write $o/$out"
    [ -z "$(ls -A "$o")" ] || bad "ulimit -f left $(ls -A "$o")"
done
finish
