# What scripts rely on: names, shapes, forms, exit codes.
. tests/cli/lib.sh "$1"
o=$dir/out

# ---- help and versions come from the tables and go to standard output
ok --version; prints attnscope
ok --help; prints dump; prints tokens; prints models
grep -q '^  analyze\|^  record' "$dir/stdout" && bad "--help lists what does not work yet"
ok help dump; prints --what; prints '-o FILE'
ok dump --help; prints --what
ok help exit; prints 'wrong usage'
ok help views; prints matrix
ok help keys; prints Esc
ok help model; prints llama
for command in view info tokens dump trace shot bench models; do
    ok help $command
    ok $command --help; prints "attnscope $command"
done
ok models; prints tiny
ok models --json; prints '"fetchable":['
for name in $(awk '!/^#/ && NF { print $1 }' models/fetch.txt | sort -u); do
    ok models; prints "  $name"
done

# ---- info
ok info; prints 'layers of'; prints 'kernels  '; prints 'tiles         auto: '
ok info --gpu-tiles off; prints 'on the processor (--gpu-tiles off)'
ok info --json; prints '"gpu_tiles":"auto","tiles":"'; prints '"threads":'
python3 -m json.tool "$dir/stdout" >/dev/null || bad "info --json is not JSON"
ATTNSCOPE_ISA=scalar "$program" info | grep -q 'kernels       scalar on ' || bad "info does not say which kernels"
ok info --json; prints '"layers":'; prints '"heads":'; prints '"architecture":"llama"'

# ---- tokens: byte offsets
ok tokens --json --text 'ab cd' --model random:V=50
prints '{"tokens":['
prints '"text":"ab","start":0,"end":2}'
prints '"text":"cd","start":3,"end":5}'
ok tokens --json --text 'é x' --model random:V=50; prints '"start":3,"end":4}'
ok tokens --json --ids 5,6 --model random:V=50; prints '"id":5,"text":"#5","start":0,"end":0}'
ok tokens --json --text 'ab cd' --text-pair 'ef' --model random:V=50; prints '"text":"ef","start":0,"end":2}'
pair="--text ab\ cd --text-pair ef --model random:V=50"
eval ok tokens $pair --json; cp "$dir/stdout" "$dir/pair.json"
eval ok trace $pair -o "$dir/pair.safetensors"
ok tokens --trace "$dir/pair.safetensors" --json
cmp -s "$dir/stdout" "$dir/pair.json" || bad "a saved trace has other tokens: $(cat "$dir/stdout")"
ok tokens --text 'The fox'; says_nothing=$(cat "$dir/stderr")
[ -z "$says_nothing" ] || bad "tokens said: $says_nothing"
ok tokens; says 'no text given'

# ---- dump: shapes by what and by the number of layers and heads that are chosen
# shape FILE: what an .npy says, such as "(3, 4, 5, 5)"
shape() { tail -c +11 "$1" | head -c 118 | sed "s/.*'shape': \(([^)]*)\).*/\1/" | head -n 1; }
dump() { ok dump --model random:L=3,H=4,G=2,d=64,V=60,seed=2 --ids 7,3,9,7,3 -o "$o/a.npy" "$@"; }
expect() { found=$(shape "$o/a.npy"); [ "$found" = "$1" ] || bad "shape $found, expected $1"; rm -f "$o/a.npy"; }
for what in weights scores; do
    dump --what $what --layer 1 --head 2; expect '(5, 5)'
    dump --what $what --layer all --head all; expect '(3, 4, 5, 5)'
    dump --what $what --layer 1 --head all; expect '(4, 5, 5)'
    dump --what $what --head 0; expect '(3, 5, 5)'
    dump --what $what --layer 0 --head 0 --rows 1:4 --cols :2; expect '(3, 2)'
done
for what in q k v output; do
    dump --what $what --layer 2 --head 3; expect '(5, 16)'
    dump --what $what; expect '(3, 4, 5, 16)'
    dump --what $what --layer 0 --head 0 --rows 4: --cols 8:16; expect '(1, 8)'
done
dump --what lse --layer 0 --head 0; expect '(5,)'
dump --what lse; expect '(3, 4, 5)'
dump --what hidden; expect '(4, 5, 64)'
dump --what hidden --layer 3; expect '(5, 64)'
dump --what hidden --layer 0 --head 1; says 'no meaning'; expect '(5, 64)'
dump --what logits; expect '(5, 60)'
dump --what logits --rows 4:5; expect '(1, 60)'

# ---- forms: the same numbers in all three; masked scores are null in JSON, -inf in CSV
scores="dump --model random:L=1,H=2,d=32,V=60 --ids 1,2,3 --what scores"
ok $scores --layer 0 --head 1 -o "$o/s.json"
ok $scores --layer 0 --head 1 -o "$o/s.csv"
ok $scores --layer 0 --head 1 -o -
cmp -s "$dir/stdout" "$o/s.json" || bad "-o - is not the JSON of a file"
[ "$(grep -c null "$o/s.json")" -eq 2 ] || bad "masked scores are not null: $(cat "$o/s.json")"
[ "$(grep -o -- -inf "$o/s.csv" | wc -l)" -eq 3 ] || bad "masked scores are not -inf: $(cat "$o/s.csv")"
[ "$(tr -d '[] ' <"$o/s.json" | sed 's/null/-inf/g; s/,$//')" = "$(cat "$o/s.csv")" ] ||
    bad "CSV and JSON differ: $(cat "$o/s.csv" "$o/s.json")"
ok $scores -o "$o/all.csv"
[ "$(grep -c '^# layer 0 head [01]$' "$o/all.csv")" -eq 2 ] || bad "blocks of CSV are not named"
ok $scores -o "$o/all.json"
[ "$(tr -cd '[' <"$o/all.json" | wc -c)" -eq 10 ] || bad "nesting of JSON: $(cat "$o/all.json")"
[ "$(tr -cd ']' <"$o/all.json" | wc -c)" -eq 10 ] || bad "nesting of JSON: $(cat "$o/all.json")"

# ---- every row of weights sums to 1, of the default model on a text
ok dump --what weights --layer 3 --head 2 --text 'The quick brown fox jumps over the lazy dog.' -o "$o/w.csv"
awk -F, '{ s = 0; for (i = 1; i <= NF; i++) s += $i; if (s < 0.99999 || s > 1.00001) bad = 1 }
         END { exit bad || NR < 5 || NR != NF }' "$o/w.csv" || bad "rows of weights do not sum to 1"

# ---- what-if
base="dump --model random:L=2,H=2,d=32,V=60 --ids 4,5,6,7 --what weights --layer 1 --head 0"
ok $base -o "$o/plain.csv"
ok $base --temperature 1 --mask auto -o "$o/same.csv"
cmp -s "$o/plain.csv" "$o/same.csv" || bad "the defaults change something"
ok $base --temperature 3 -o "$o/warm.csv"
cmp -s "$o/plain.csv" "$o/warm.csv" && bad "temperature changes nothing"
ok $base --mask none -o "$o/open.csv"
awk -F, '{ for (i = 1; i <= NF; i++) if ($i <= 0) bad = 1 } END { exit bad }' "$o/open.csv" ||
    bad "without a mask some weights are 0"
ok $base --ablate 0.1 -o "$o/local.csv"
cmp -s "$o/plain.csv" "$o/local.csv" || bad "a local ablation reaches the next layer"
ok $base --ablate 0.1 --propagate -o "$o/through.csv"
cmp -s "$o/plain.csv" "$o/through.csv" && bad "a propagated ablation does not reach the next layer"

# ---- a saved trace stands for model and text, and a spilled run is the same run
model="--model random:L=3,H=4,d=64,V=90"
yes 'some words of a text that goes on and on' | head -n 60 >"$dir/text"
ok trace $model --file "$dir/text" -o "$o/t.safetensors"; says 'computed in'
ok dump $model --file "$dir/text" --what weights -o "$o/1.npy"
ok dump --trace "$o/t.safetensors" --what weights -o "$o/2.npy"
cmp -s "$o/1.npy" "$o/2.npy" || bad "a saved trace gives other weights"
ok tokens --trace "$o/t.safetensors" --json; prints '"text":"words"'
ok info --trace "$o/t.safetensors" --json; prints '"tokens":600'
ok info --trace "$o/t.safetensors"
grep -q '^changed' "$dir/stdout" && bad "an ordinary run is called changed"
ok trace $model --ids 1,2 --temperature 2 --ablate 0.1 -o "$o/c.safetensors"
ok info --trace "$o/c.safetensors"; prints 'temperature 2; 1 head off; each layer on its own'
ok trace $model --file "$dir/text" --dtype f16 --store qk -o "$o/h.safetensors"; says 'no weight moves'
[ "$(stat -c %s "$o/h.safetensors")" -lt "$(stat -c %s "$o/t.safetensors")" ] || bad "f16 is not smaller"

# ---- of two bases of rotary positions the one in rope_parameters counts, as in transformers
mkdir "$dir/old" "$dir/new"
for copy in old new; do cp models/tiny/model.safetensors "$dir/$copy/"; done
sed 's/"rope_theta": [0-9.]*/"rope_theta": 20.0/' models/tiny/config.json >"$dir/old/config.json"
sed 's/"rope_theta": [0-9.]*/&, "rope_parameters": {"rope_theta": 20.0}/' models/tiny/config.json >"$dir/new/config.json"
cmp -s "$dir/old/config.json" models/tiny/config.json && bad "models/tiny/config.json has no rope_theta"
for copy in old new; do
    ok dump --model "$dir/$copy" --ids 5,6,7,8 --what k --layer 0 --head 0 -o "$o/$copy.npy"
done
cmp -s "$o/old.npy" "$o/new.npy" || bad "rope_theta beside rope_parameters is not the one that transformers takes"

# ---- Qwen's window begins at layer 28 where nothing says when, as in transformers
for copy in old new; do sed 's/"llama"/"qwen2"/' models/tiny/config.json >"$dir/$copy/config.json"; done
sed -i 's/"qwen2"/&, "use_sliding_window": true, "sliding_window": 2/' "$dir/new/config.json"
for copy in old new; do
    ok dump --model "$dir/$copy" --ids 5,6,7,8 --what lse -o "$o/$copy.npy"
done
cmp -s "$o/old.npy" "$o/new.npy" || bad "Qwen's first layers have a window"

# ---- a part of the text is said
ok dump $model --file "$dir/text" --max-tokens 9 --what lse --layer 0 --head 0 -o "$o/p.npy"
says 'tokens 0 to 8 of 600'
ok tokens $model --file "$dir/text" --range 10:14 --json
[ "$(grep -c '"id"' "$dir/stdout")" -eq 4 ] || bad "--range 10:14 is not 4 tokens"
ok tokens $model --file "$dir/text" --range 598: --json
[ "$(grep -c '"id"' "$dir/stdout")" -eq 2 ] || bad "--range 598: is not 2 tokens"

# ---- a view by its name, a fetched model by its name, a reader that leaves early
for start in "matrix" "view matrix"; do
    (cd "$o" && unset DISPLAY WAYLAND_DISPLAY && "$program" $start tiny "a b a b" 2>"$dir/stderr") ||
        bad "attnscope $start: $(cat "$dir/stderr")"
    [ -s "$o/attnscope.png" ] || bad "attnscope $start without a display draws no picture"
    rm -f "$o/attnscope.png"
done
mkdir -p "$dir/cache/small" && cp models/tiny/* "$dir/cache/small/"
ATTNSCOPE_MODELS=$dir/cache "$program" info --model small >/dev/null 2>&1 || bad "a fetched model is not found by name"
seq 1 30000 >"$dir/numbers"
{ "$program" tokens --file "$dir/numbers" 2>"$dir/stderr" || echo "exit $?" >>"$dir/stderr"; } | head -n 1 >/dev/null
[ ! -s "$dir/stderr" ] || bad "a reader that left: $(cat "$dir/stderr")"
ok shot --view analysis --size 640x400 -o "$o/analysis.png"; says 'not built yet'

# ---- what takes long is said on a terminal, and nowhere else
slow="shot --model random:L=12,H=8,d=512 --threads 1 --file $dir/long.txt -o $o/slow.png"
seq -s ' ' 1 1200 >"$dir/long.txt"
ok $slow; [ ! -s "$dir/stderr" ] || bad "a picture says: $(cat "$dir/stderr")"
script -qec "'$program' $slow" /dev/null </dev/null >"$dir/stdout" || bad "on a terminal: $(cat "$dir/stdout")"
prints 'computing attention: '

# ---- bench
ok bench --n 64,128 --heads 2 --dim 32 --causal --json
for key in '"machine":{"cpu":' '"isa":' '"threads":' '"peak_gflops":' '"results":[' '"n":128,"queries":128,"heads":2' '"dim":32' \
    '"causal":true' '"ms":' '"gflops":' '"percent_of_peak":'; do
    prints "$key"
done
ok bench --n 64 --isa scalar; prints scalar
finish
