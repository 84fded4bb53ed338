#!/usr/bin/env bash
# Makes the pictures of the README and its gallery, all of real models on built-in texts. Needs the models
# of `models/fetch.sh minilm smollm2` and a built program.
#   docs/make_gallery.sh [PROGRAM]        default: build/release/attnscope
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=${1:-build/release/attnscope}
out=docs/gallery
mkdir -p "$out"

shot() { # NAME ARGUMENTS…
    local name=$1
    shift
    "$program" shot --size 1280x800 --scale 0.85 "$@" -o "$out/$name.png"
    # Smaller and in fewer colours, where ImageMagick is at hand: a third of the bytes.
    ! command -v convert >/dev/null ||
        convert "$out/$name.png" -resize 1024x +dither -colors 192 -strip "PNG8:$out/$name.png"
}

# The two large ones at the top of the README.
"$program" shot --model smollm2 --text "The bank raised its rates while we sat on the river bank." \
    --size 1440x900 -o docs/overview.png
"$program" shot --model smollm2 --file README.md --max-tokens 1024 --view matrix --layer 17 --head 3 \
    --size 1440x900 -o docs/matrix.png

bank="The bank raised its rates while we sat on the river bank."
text=(--model smollm2 --file assets/examples/default.txt --layer 17 --head 3)
short=(--model minilm --file assets/examples/ayam.txt --layer 3 --head 0)

shot mechanism "${short[@]}" --view mechanism --theme paper
shot heads "${text[@]}" --view heads
shot flow "${text[@]}" --view flow --time 3
shot layers "${text[@]}" --view flow --do "flow layers"
shot graph "${text[@]}" --view flow --do "flow graph"
shot stack "${text[@]}" --view stack
shot mathematics --model minilm --text "$bank" --layer 2 --head 9 --query 2 --key 12 \
    --view mathematics --theme paper
shot architecture "${text[@]}" --view architecture --step 5
shot cross --model translate --stack cross --view flow --layer 1 --head 0 --time 3
shot cross-matrix --model translate --stack cross --view matrix --layer 1 --head 0
shot story --do "story 3-content 1"
shot synthetic --model synthetic --view heads

for step in 0 1 2 3 4 5 6 7 8; do
    shot "step-$((step + 1))" "${short[@]}" --view steps --do "step $step"
done
for step in 0 1 2 3 4 5; do
    shot "six-$((step + 1))" --file assets/examples/ayam.txt --view steps --do "course six; step $step"
done
for step in 0 1 2 3 4; do
    shot "token-$((step + 1))" "${short[@]}" --view steps --theme paper --do "course flow; step $step"
done
