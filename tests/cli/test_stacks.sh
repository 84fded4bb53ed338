# Encoder-decoders and pictures on the command line: shapes, targets, stacks, saved traces.
. tests/cli/lib.sh "$1"
o=$dir/out
shape() { tail -c +11 "$1" | head -c 118 | sed "s/.*'shape': \(([^)]*)\).*/\1/" | head -n 1; }
expect() { found=$(shape "$o/a.npy"); [ "$found" = "$1" ] || bad "shape $found, expected $1"; }

# 4 tokens of source, 3 of the target with the start token before them
marian="--model tests/golden/data/arch_marian --ids 3,4,5,6 --target-ids 7,8"
for stack in encoder decoder cross; do
    case $stack in
    encoder) weights='(1, 3, 4, 4)' q='(1, 3, 4, 7)' k='(1, 3, 4, 7)' hidden='(2, 4, 21)' ;;
    decoder) weights='(2, 1, 3, 3)' q='(2, 1, 3, 21)' k='(2, 1, 3, 21)' hidden='(3, 3, 21)' ;;
    cross) weights='(2, 1, 3, 4)' q='(2, 1, 3, 21)' k='(2, 1, 4, 21)' hidden='(3, 3, 21)' ;;
    esac
    for what in weights scores; do
        ok dump $marian --stack $stack --what $what -o "$o/a.npy"; expect "$weights"
    done
    ok dump $marian --stack $stack --what q -o "$o/a.npy"; expect "$q"
    for what in k v; do
        ok dump $marian --stack $stack --what $what -o "$o/a.npy"; expect "$k"
    done
    ok dump $marian --stack $stack --what hidden -o "$o/a.npy"; expect "$hidden"

    # a saved trace has the same numbers
    ok dump $marian --stack $stack --what weights -o "$o/a.npy"
    ok trace $marian --stack $stack -o "$o/t.safetensors"
    ok dump --trace "$o/t.safetensors" --what weights -o "$o/b.npy"
    cmp -s "$o/a.npy" "$o/b.npy" || bad "$stack: a saved trace has other weights"
done
ok dump $marian --stack decoder --what logits -o "$o/a.npy"; expect '(3, 32)'
ok dump $marian --what weights -o "$o/a.npy"; says 'cross attention is taken'; expect '(2, 1, 3, 4)'
ok dump $marian,1 --what weights -o "$o/a.npy"; expect '(2, 1, 4, 4)'
ok info --model tests/golden/data/arch_marian --json; prints '"kind":"cross"'

# the embedded one writes its target itself, and says so
ok dump --model translate --what weights --layer 1 --head 0 -o "$o/a.npy"; says 'wrote it itself'
ok dump --model translate --text 'I see two cats' --what weights --layer 0 --head 0 -o "$o/a.npy"
says 'until its end after 4 tokens: je vois deux chats'
ok dump --model translate --text 'I see two cats' --target-most 2 --what weights --layer 0 --head 0 -o "$o/a.npy"
says 'cut after 2 tokens (--target-most): je vois'
ok dump --model tests/golden/data/arch_bart --ids 3,4,5 --what weights --layer 0 --head 0 -o "$o/a.npy"
says 'cut after 19 tokens, all the positions it has'
ok dump --model tests/golden/data/arch_t5 --ids 3,4,5 --what weights --layer 0 --head 0 -o "$o/a.npy"
says 'cut after 512 tokens (--target-most N allows more)'
# Marian's own files, without a tokenizer.json
ok tokens --model tests/golden/data/pieces_marian --text '>>fra<< the boats'
prints '>>fra<<'
ok dump --model translate --text 'the cat' --target-text 'le chat' --what weights --layer 1 \
    --head 0 -o "$o/a.npy"
says_nothing=$(grep -c 'wrote it' "$dir/stderr")
[ "$says_nothing" = 0 ] || bad "a target was given and another one written"
ok dump --model translate --text 'the cat' --stack encoder --what weights --layer 1 --head 0 \
    -o "$o/a.npy"
says_nothing=$(grep -c 'wrote it' "$dir/stderr")
[ "$says_nothing" = 0 ] || bad "a target was written that the encoder does not read"

# a picture of 12 x 12 pixels in patches of 3, and [CLS]
ok dump --model tests/golden/data/arch_vit --image tests/golden/data/arch_vit/picture.png \
    --what weights --layer 0 --head 0 -o "$o/a.npy"
expect '(17, 17)'
finish
