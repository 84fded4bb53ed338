# bench: what scripts read from its JSON, sweeps, pictures, models.
. tests/cli/lib.sh "$1"
o=$dir/out

# ---- keys of the JSON
ok bench --n 64,128 --heads 2 --dim 32 --causal --json
for key in '"machine":{"cpu":' '"compiler":' '"isa":' '"threads":' '"peak_gflops":' '"peak_gflops_one_thread":' \
    '"read_gbs":' '"triad_gbs":' '"results":[' '"n":64,"heads":2' '"kv_heads":2' '"dim":32' '"causal":true' \
    '"window":0' '"precision":"f32"' '"repeats":' '"ms":' '"ms_min":' '"gflops":' '"gflops_best":' \
    '"percent_of_peak":' '"full_ms":' '"full_percent":' '"bytes":' '"traffic_bytes":' '"error_o":' \
    '"error_weights":' '"naive_ms":' '"naive_gflops":' '"naive_bytes":' '"naive_difference":'; do
    prints "$key"
done
prints '"tile_us":null' # shorter than a tile

# ---- sweeps: every combination once, in JSON as in the table
ok bench --n 16,32 --heads 1,2 --dim 8,16 --threads 1 --isa scalar --no-naive --json
[ "$(grep -c '"n":' "$dir/stdout")" -eq 8 ] || bad "2 x 2 x 2 cases are not 8 results: $(cat "$dir/stdout")"
for shape in '"n":16,"heads":1,"kv_heads":1,"dim":8' '"n":32,"heads":2,"kv_heads":2,"dim":16'; do
    prints "$shape"
done
prints '"naive_ms":null'
ok bench --n 16 --heads 1 --threads 1,2 --isa scalar; prints 'scalar, 1 thread,'; prints 'scalar, 2 threads,'
fails 2 'takes one number' dump --what weights --layer 0 --head 0 --threads 1,2 -o "$o/x.npy"
fails 2 'is not one of' bench --isa scalar,sse9

# ---- pictures, without a display; numbers can be read in the SVG
ok bench --n 32,64 --heads 1 --dim 8 --plot "$o/b.svg"
for text in Roofline 'Speed by length' 'Scaling with threads' 'Time by length' 'Memory by length' 'streaming: N^'; do
    grep -qF "$text" "$o/b.svg" || bad "the picture does not say $text"
done
ok bench --n 32 --heads 1 --dim 8 --threads 1 --theme paper --plot "$o/b.png"
[ "$(head -c 4 "$o/b.png" | tail -c 3)" = PNG ] || bad "b.png is no PNG"
ok bench --n 32 --heads 1 --dim 8 --threads 1 --plot "$o/b.pdf"
[ "$(head -c 4 "$o/b.pdf")" = %PDF ] || bad "b.pdf is no PDF"
rm -f "$o"/b.*
fails 2 'does not end with' bench --n 32 --plot "$o/b.gif"

# ---- a model's own attention
model="--model random:L=3,H=4,G=2,d=64,V=90"
ok bench $model --ids 1,2,3,4,5,6,7,8 --threads 1 --json
prints '"layers":3,"n":8,"heads":4,"kv_heads":2,"dim":16'
ok bench $model --ids 1,2,3,4,5,6,7,8 --n 4,8 --threads 1 --json
[ "$(grep -c '"layers":3' "$dir/stdout")" -eq 2 ] || bad "--n 4,8 of a model are not two results"
fails 1 'the text has 3' bench $model --ids 1,2,3 --n 4 --json
fails 2 'cannot be given together' bench $model --ids 1,2 --dim 32
fails 2 'is for a model' bench --ids 1,2
finish
