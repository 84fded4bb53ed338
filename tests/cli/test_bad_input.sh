# Everything that can be wrong from outside: one clear line, the right exit code, nothing written.
. tests/cli/lib.sh "$1"
o=$dir/out
w="--what weights --layer 0 --head 0"

# ---- usage: 2
fails 2 'did you mean dump?' dmup
fails 2 'did you mean --layer?' dump $w --layr 3 -o "$o/x.npy"
fails 2 'needs a value' dump --what
fails 2 'say what to write' dump -o "$o/x.npy"
fails 2 'say where to write' dump $w
fails 2 'does not end with' dump $w -o "$o/x.txt"
fails 2 'does not end with' trace -o "$o/x.npy"
fails 2 'does not end with' shot -o "$o/x.gif"
fails 2 'say where to write' trace
fails 2 'cannot be given together' dump $w --text a --file b -o "$o/x.npy"
fails 2 'cannot be given together' dump $w --trace a --text b -o "$o/x.npy"
fails 2 'cannot be given together' dump $w --trace a --model b -o "$o/x.npy"
fails 2 'did you mean models?' help modles
fails 2 'neither a command nor a model' nonsenseword
fails 2 'the name of the model is empty' dump $w --model '' --text a -o "$o/x.npy"
fails 2 'the name of the model is empty' info --model=

# ---- out of range: 1, with what there is
fails 1 '--layer 99 is not there: they go from 0 to' dump --what weights --layer 99 --head 0 --text a -o "$o/x.npy"
fails 1 '--head 99 is not there: they go from 0 to' dump --what weights --layer 0 --head 99 --text a -o "$o/x.npy"
fails 1 'states 0 (embeddings) to' dump --what hidden --layer 99 --text a -o "$o/x.npy"
fails 1 '--layer 99 is not there: they go from 0 to' shot --layer 99 --head 99 --query 999 -o "$o/x.png"
fails 1 '--head 99 is not there: they go from 0 to' shot --head 99 --query 999 -o "$o/x.png"
fails 1 '--query 999 is not there: they go from 0 to' shot --query 999 -o "$o/x.png"
while IFS=: read -r line says; do
    fails 1 "$says is not there: they go from 0 to" shot --text 'a b c' --do "$line" -o "$o/x.png"
done <<'EOF'
layer 99:layer 99
head 1; head 99:head 99
query 999:query 999
pin 0 999:key 999
hover 999 0:query 999
view steps; step 9:step 9
view steps; course six; step 6:step 6
story 3-content 99:scene 99
view matrix; look 0 999:key 999
view matrix; box 0 1 0 999:key 998
view flow; look 999:token 999
EOF
fails 2 "'story': expected NAME" shot --do story -o "$o/x.png"
fails 2 'Overview has no steps' shot --do 'step 0' -o "$o/x.png"
fails 1 'steps 0 to 8' shot --view steps --step 99 -o "$o/x.png"
fails 1 'keys, 0:' dump $w --cols 0:999 --text a -o "$o/x.npy"
fails 1 'tokens, 0:' dump $w --rows 999: --text a -o "$o/x.npy"
fails 1 'layers 0 to' dump $w --ablate 99.0 --text a -o "$o/x.npy"
fails 1 'range' dump $w --text 'a b' --range 900:901 -o "$o/x.npy"
fails 1 '999999' dump $w --ids 5,999999 -o "$o/x.npy"

# ---- text
fails 1 'No such file' dump $w --file "$dir/missing.txt" -o "$o/x.npy"
fails 1 "$dir" dump $w --file "$dir" -o "$o/x.npy"
fails 1 'empty' dump $w --model random:V=50 --text '' -o "$o/x.npy"
fails 1 'empty' dump $w --model tiny --no-special --text '' -o "$o/x.npy"
ok tokens --model tiny --text '' --json; prints '"start":0,"end":0}'
printf 'a\377b \303' >"$dir/broken.txt"
ok tokens --model random:V=50 --file "$dir/broken.txt" --json; says '2 byte sequences that are not UTF-8'
fails 1 'learned positions' dump $w --model random:arch=gpt2,n=8,V=50 --text 'a b c d e f g h i' -o "$o/x.npy"
ok dump $w --model random:arch=gpt2,n=8,V=50 --text 'a b c d e f g h i' --max-tokens 8 -o "$dir/x.npy"
ok dump $w --model random:n=8,V=50 --text 'a b c d e f g h i' -o "$dir/x.npy"; says warning
[ "$(grep -c warning "$dir/stderr")" -eq 1 ] || bad "the warning is said more than once"

# ---- models
mkdir "$dir/empty" "$dir/alien" "$dir/pickle" "$dir/cut" "$dir/lie" "$dir/noconfig"
fails 1 "$dir/nowhere" info --model "$dir/nowhere"
fails 1 config.json info --model "$dir/empty"
printf '{"model_type":"martian"}' >"$dir/alien/config.json"
fails 1 martian info --model "$dir/alien"; says llama; says bert
cp models/tiny/config.json "$dir/pickle/"
printf 'PK\003\004' >"$dir/pickle/pytorch_model.bin"
fails 1 'convert' dump $w --model "$dir/pickle" --ids 1,2 -o "$o/x.npy"; says 'code'
cp models/tiny/config.json models/tiny/tokenizer.json "$dir/cut/"
head -c 100000 models/tiny/model.safetensors >"$dir/cut/model.safetensors"
fails 1 model.safetensors dump $w --model "$dir/cut" --ids 1,2 -o "$o/x.npy"
head -c 4 models/tiny/model.safetensors >"$dir/cut/model.safetensors"
fails 1 model.safetensors dump $w --model "$dir/cut" --ids 1,2 -o "$o/x.npy"
cp models/tiny/config.json "$dir/lie/"
printf '\377\377\377\377\377\377\377\177{}' >"$dir/lie/model.safetensors"
fails 1 model.safetensors dump $w --model "$dir/lie" --ids 1,2 -o "$o/x.npy"
header='{"a":{"dtype":"F32","shape":[4000000000,4000000000],"data_offsets":[0,8]}}'
{ printf '\112\0\0\0\0\0\0\0%s12345678' "$header"; } >"$dir/lie/model.safetensors"
fails 1 model.safetensors dump $w --model "$dir/lie" --ids 1,2 -o "$o/x.npy"
printf 'GGUF\003\0\0\0\377\377\377\377\377\377\377\177\0\0\0\0\0\0\0\0' >"$dir/lie.gguf"
fails 1 lie.gguf info --model "$dir/lie.gguf"
printf 'GGUF' >"$dir/cut.gguf"
fails 1 cut.gguf info --model "$dir/cut.gguf"
printf 'not a model' >"$dir/text.gguf"
fails 1 text.gguf info --model "$dir/text.gguf"
for cache in models/cache/*/*.gguf; do
    [ -e "$cache" ] || continue
    head -c 3000000 "$cache" >"$dir/cut.gguf"
    fails 1 cut.gguf dump $w --model "$dir/cut.gguf" --ids 1,2 -o "$o/x.npy"
    break
done

# ---- traces
fails 1 'No such file' dump $w --trace "$dir/missing.safetensors" -o "$o/x.npy"
fails 1 'is not a trace' dump $w --trace models/tiny/model.safetensors -o "$o/x.npy"
"$program" trace --ids 1,2,3 -o "$dir/t.safetensors" 2>/dev/null
size=$(stat -c %s "$dir/t.safetensors")
head -c $((size - 64)) "$dir/t.safetensors" >"$dir/cut.safetensors"
fails 1 cut.safetensors dump $w --trace "$dir/cut.safetensors" -o "$o/x.npy"
fails 1 'need the model' dump --what logits --trace "$dir/t.safetensors" -o "$o/x.npy"
"$program" trace --ids 1,2,3 --store qk -o "$dir/qk.safetensors" 2>/dev/null
fails 1 'store qk' dump --what output --trace "$dir/qk.safetensors" -o "$o/x.npy"
fails 1 'hidden' dump --what hidden --trace "$dir/qk.safetensors" -o "$o/x.npy"

# ---- what is not there yet is refused, not ignored
fails 2 '--image' dump $w --image picture.png -o "$o/x.npy"
fails 2 'no decoder beside' dump $w --target-text a -o "$o/x.npy"
fails 2 'one stack' dump $w --stack cross -o "$o/x.npy"
fails 2 'self attention alone' shot --stack cross -o "$o/x.png"
fails 2 "has 'nonsense' in its name" bench --render --journey nonsense
fails 2 'one target' dump $w --target-text a --target-ids 1 -o "$o/x.npy"
vit="--model tests/golden/data/arch_vit --what weights"
fails 2 'reads pictures' dump $vit --text a -o "$o/x.npy"
fails 1 'cannot open' dump $vit --image nowhere.png -o "$o/x.npy"
fails 1 'not a PNG or JPEG' dump $vit --image README.md -o "$o/x.npy"
marian="--model tests/golden/data/arch_marian --what weights --ids 3,4"
fails 2 'encoder, decoder and cross' dump $marian --stack self -o "$o/x.npy"
fails 1 "ids 0 to 31" dump $marian --stack cross --target-ids 99 -o "$o/x.npy"
fails 1 'predicts nothing' dump --model translate --text on --target-text sur --stack encoder --what logits -o "$o/x.npy"

# ---- memory, disk, output
mkdir "$dir/is.safetensors"
fails 1 'memory may be used' dump $w --memory 1M --text 'a b c' -o "$o/x.npy"
fails 1 'missing/folder' dump $w --text a -o "$dir/missing/folder/x.npy"
fails 1 'missing/folder' trace --text a -o "$dir/missing/folder/x.safetensors"
# ... which is found before the run begins
fails 1 'missing/folder' dump $w --memory 1M --text a -o "$dir/missing/folder/x.npy"
fails 1 'missing/folder' trace --memory 1M --text a -o "$dir/missing/folder/x.safetensors"
fails 1 'it is a folder' trace --memory 1M --text a -o "$dir/is.safetensors"
if [ -w /dev/full ]; then
    n_checks=$((n_checks + 1))
    "$program" tokens --text 'a b' >/dev/full 2>"$dir/stderr" && bad "a full disk was not noticed"
    says 'standard output'
fi

ATTNSCOPE_ISA=foo "$program" dump $w --text a -o "$o/x.npy" 2>"$dir/stderr" && bad "ATTNSCOPE_ISA=foo is taken"
n_checks=$((n_checks + 1))
says "instruction set 'foo' is not known"
[ "$(grep -o 'instruction set' "$dir/stderr" | wc -l)" -eq 1 ] || bad "said twice: $(cat "$dir/stderr")"

# ---- Ctrl+C: nothing is left
n_checks=$((n_checks + 1))
"$program" dump --model random:L=40,H=8,d=512,V=500 --text "$(yes word | head -n 3000)" --what weights \
    -o "$o/x.npy" 2>"$dir/stderr" &
sleep 1
kill -INT $! 2>/dev/null || bad "the long run ended too early to be stopped: $(cat "$dir/stderr")"
status=0
wait $! || status=$?
[ "$status" -eq 1 ] || bad "an interrupted run ended with $status: $(cat "$dir/stderr")"
[ -z "$(ls -A "$o")" ] || bad "an interrupted run left $(ls -A "$o")"
finish
