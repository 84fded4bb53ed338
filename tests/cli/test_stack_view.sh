#!/bin/sh
# The Stack view as a file: the scene in space is one embedded picture, its words and numbers are
# text, and the numbers are those that dump writes.
. tests/cli/lib.sh

stack="shot --view stack --model tiny --layer 2 --head 3 --query 8 --key 2 --size 1600x1000"
# shellcheck disable=SC2086
ok $stack --do "stack-heads one" -o "$dir/out/stack.svg"
ok dump --model tiny --what weights --layer 2 --head 3 --rows 8:9 -o "$dir/out/row.csv"

svg="$dir/out/stack.svg"
[ "$(grep -c '<image' "$svg")" -eq 1 ] || bad "the scene is not one embedded picture"
for word in Stack "Layer 2" queries keys layers "head 3"; do
    grep -q ">[^<]*$word" "$svg" || bad "\"$word\" is no text"
done
# The two strongest weights of the row, as the inspector writes them.
strongest=$(tr ',' '\n' <"$dir/out/row.csv" | sort -gr | head -2)
for weight in $strongest; do
    shown=$(LC_ALL=C printf '%.3f' "$weight")
    grep -q ">$shown<" "$svg" || bad "weight $shown of dump is not in the picture"
done

# shellcheck disable=SC2086
ok $stack -o "$dir/out/stack.pdf"
head -c 5 "$dir/out/stack.pdf" | grep -q '%PDF-' || bad "no PDF"

# Time is a value: the same moment gives the same bytes.
for name in a b; do
    # shellcheck disable=SC2086
    ok $stack --time 0.3 -o "$dir/out/$name.png"
done
cmp -s "$dir/out/a.png" "$dir/out/b.png" || bad "the same moment gives two pictures"
# shellcheck disable=SC2086
ok $stack --time 0.9 -o "$dir/out/c.png"
cmp -s "$dir/out/a.png" "$dir/out/c.png" && bad "another moment gives the same picture"

finish
