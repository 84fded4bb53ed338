# bench: what scripts read from its JSON, sweeps, pictures, models.
. tests/cli/lib.sh "$1"
o=$dir/out

# ---- keys of the JSON
ok bench --n 64,128 --heads 2 --dim 32 --causal --json
for key in '"machine":{"cpu":' '"compiler":' '"isa":' '"threads":' '"peak_gflops":' '"peak_gflops_one_thread":' \
    '"bf16_gflops":' '"read_gbs":' '"triad_gbs":' '"results":[' '"n":64,"queries":64,"heads":2' '"kv_heads":2' '"dim":32' '"causal":true' \
    '"window":0' '"precision":"f32"' '"repeats":' '"ms":' '"ms_min":' '"gflops":' '"gflops_best":' '"times_one_thread":' \
    '"percent_of_peak":' '"idle_percent":' '"gbs":' '"row_us":' '"col_us":' '"error_lse":' '"full_ms":' '"full_percent":' '"bytes":' '"traffic_bytes":' '"error_o":' \
    '"error_weights":' '"naive_ms":' '"naive_gflops":' '"naive_bytes":' '"naive_difference":'; do
    prints "$key"
done
prints '"tile_us":null' # shorter than a tile

# ---- sweeps: every combination once, in JSON as in the table
ok bench --n 16,32 --heads 1,2 --dim 8,16 --threads 1 --isa scalar --no-naive --json
[ "$(grep -c '"n":' "$dir/stdout")" -eq 8 ] || bad "2 x 2 x 2 cases are not 8 results: $(cat "$dir/stdout")"
for shape in '"n":16,"queries":16,"heads":1,"kv_heads":1,"dim":8' \
    '"n":32,"queries":32,"heads":2,"kv_heads":2,"dim":16'; do
    prints "$shape"
done
prints '"naive_ms":null'
ok bench --n 16 --heads 1 --threads 1,2 --isa scalar; prints 'scalar, 1 thread,'; prints 'scalar, 2 threads,'; prints 'beside one thread'; prints ': 2 threads '
# shared keys and values, in JSON as in the table
ok bench --n 16 --heads 4 --kv-heads 0,2 --threads 1 --no-naive --json
prints '"heads":4,"kv_heads":4'; prints '"heads":4,"kv_heads":2'
ok bench --n 16 --heads 4 --kv-heads 2 --threads 1 --no-naive; prints ' 4/2 '
# several masks, new tokens after a cache
ok bench --n 600 --heads 1 --dim 8 --masks full,causal,window --window 16 --queries 0,1 --threads 1 --no-naive --json
[ "$(grep -c '"n":600' "$dir/stdout")" -eq 6 ] || bad "3 masks x 2 are not 6 results: $(cat "$dir/stdout")"
for shape in '"queries":600,"heads":1,"kv_heads":1,"dim":8,"causal":false,"window":0' \
    '"queries":600,"heads":1,"kv_heads":1,"dim":8,"causal":true,"window":0' \
    '"queries":1,"heads":1,"kv_heads":1,"dim":8,"causal":true,"window":16'; do
    prints "$shape"
done
fails 2 'not both' bench --n 16 --masks full --causal
fails 2 'needs window among' bench --n 16 --masks full,causal --window 8
fails 2 'no multiple of --kv-heads 3' bench --n 16 --heads 4 --kv-heads 3
fails 2 'is more than --n 16' bench --n 16 --queries 20 --threads 1
# products in bf16 where this processor has them, a clear line where not
run bench --n 300 --heads 1 --dim 16 --precision f32,bf16,bf16-pv --threads 1 --no-naive --json
if [ "$status" -eq 0 ]; then
    for type in f32 bf16 bf16-pv; do
        prints "\"precision\":\"$type\""
    done
else
    says 'no products in bf16'
fi
fails 1 'no products in bf16' bench --n 16 --isa scalar --precision bf16 --threads 1

fails 2 'takes one number' dump --what weights --layer 0 --head 0 --threads 1,2 -o "$o/x.npy"
fails 2 'is not one of' bench --isa scalar,sse9

# ---- pictures, without a display; numbers can be read in the SVG
ok bench --n 32,64 --heads 1 --dim 8 --plot "$o/b.svg"
for text in Roofline 'Speed by length' 'Scaling with threads' 'Time by length' 'Memory by length' 'streaming: N^'; do
    grep -qF "$text" "$o/b.svg" || bad "the picture does not say $text"
done
ok bench --n 32,64 --heads 1 --dim 8 --threads 1 --masks full,causal --no-naive --plot "$o/m.svg"
for text in 'several masks' 'no mask' 'causal' 'H 1, D 8'; do
    grep -qF "$text" "$o/m.svg" || bad "the picture of two masks does not say $text"
done
rm -f "$o/m.svg"
ok bench --n 32 --heads 1 --dim 8 --threads 1 --theme paper --plot "$o/b.png"
[ "$(head -c 4 "$o/b.png" | tail -c 3)" = PNG ] || bad "b.png is no PNG"
ok bench --n 32 --heads 1 --dim 8 --threads 1 --plot "$o/b.pdf"
[ "$(head -c 4 "$o/b.pdf")" = %PDF ] || bad "b.pdf is no PDF"
rm -f "$o"/b.*
fails 2 'does not end with' bench --n 32 --plot "$o/b.gif"

# ---- a model's own attention
model="--model random:L=3,H=4,G=2,d=64,V=90"
ok bench $model --ids 1,2,3,4,5,6,7,8 --threads 1 --json
prints '"layers":3,"n":8,"queries":8,"heads":4,"kv_heads":2,"dim":16'
ok bench $model --ids 1,2,3,4,5,6,7,8 --n 4,8 --threads 1 --json
[ "$(grep -c '"error_lse":' "$dir/stdout")" -eq 2 ] || bad "--n 4,8 of a model are not two results"
# the whole model beside it, traced: two runs at least, and alone where only that is asked for
[ "$(grep -c '"tokens_per_s":' "$dir/stdout")" -eq 2 ] || bad "--n 4,8 of a model are not two traced runs"
ok bench $model --ids 1,2,3,4,5,6,7,8 --n 4,8 --threads 1,2 --runs-only --json
[ "$(grep -c '"attention_flops":' "$dir/stdout")" -eq 4 ] || bad "--n 4,8 on 1 and 2 threads 1\|2 threads 0 not four runs"
prints '"results":['; prints '"n":4,"layers":3,"threads":1,"repeats":'; prints '"n":8,"layers":3,"threads":2,"repeats":'
prints '"spilled":false'; prints '"resident_bytes":'
if grep -qF error_lse "$dir/stdout"; then bad "--runs-only measured attention too"; fi
ok bench $model --ids 1,2,3,4,5 --threads 1 --runs-only; prints 'tokens/s'
fails 2 'is of a model that runs' bench --n 16 --runs-only
fails 1 'the text has 3' bench $model --ids 1,2,3 --n 4 --runs-only
fails 1 'the text has 3' bench $model --ids 1,2,3 --n 4 --json
fails 2 'cannot be given together' bench $model --ids 1,2 --dim 32
fails 2 'is for a model' bench --ids 1,2
finish

# ---- T5 has terms by distance: what is timed is what the run computed
for stack in encoder decoder; do
    ok bench --model tests/golden/data/arch_t5 --stack $stack --ids 3,4,5,6,7,8,9,10 --target-ids 0,4,5,6,7,8 --threads 1 --json
    prints '"causal":'
    if ! grep -o '"error_lse":[^,]*' "$dir/stdout" | awk -F: '$2 >= 1e-5 { exit 1 }'; then
        bad "bench of the $stack of T5 leaves something out: $(cat "$dir/stdout")"
    fi
done
