# What Mechanism and Steps show is what dump says: numbers are read out of the <text> of an SVG, for
# three models and every step of every course.
. tests/cli/lib.sh "$1"
text='Ayam makan Taufik'

# shown ARGS…: the texts of a picture, one a line, in $dir/shown
shown() {
    ok shot "$@" -o "$dir/shot.svg"
    tr '\n' ' ' <"$dir/shot.svg" | grep -o '<text[^>]*>[^<]*</text>' |
        sed 's/<[^>]*>//g; s/&amp;/\&/g' >"$dir/shown"
    [ -s "$dir/shown" ] || bad "no text in the picture of $*"
}

# numbers FILE ROWS COLS PLACES: the numbers of a dump as cells show them, with both neighbours of a
# tie, one line each: the choices with | between. Masked ones (no score, weight 0) are left out.
numbers() {
    awk -F, -v rows="$2" -v cols="$3" -v places="$4" '
    function form(v) {
        a = v < 0 ? -v : v
        p = places != "" ? places : a >= 99.95 ? 0 : a >= 9.995 ? 1 : 2
        t = sprintf("%.*f", p, v)
        if (t ~ /^-0\.?0*$/) t = substr(t, 2)
        return t
    }
    NR <= rows { for (i = 1; i <= cols && i <= NF; i++)
        if ($i != "" && $i != "0" && $i !~ /inf|null|nan/) print form($i - 2e-6) "|" form($i) "|" form($i + 2e-6) }' "$1"
}

# expects NAME: every line of $dir/wanted is among the shown texts, as often as it is wanted
expects() {
    missing=$(awk -v shown="$dir/shown" '
    BEGIN { while ((getline line < shown) > 0) has[line]++ }
    { n = split($0, choice, "|"); found = 0
      for (i = 1; i <= n && !found; i++) if (has[choice[i]] > 0) { has[choice[i]]--; found = 1 }
      if (!found) print }' "$dir/wanted" | head -5)
    n_checks=$((n_checks + 1))
    [ -s "$dir/wanted" ] || bad "$1: nothing was wanted"
    [ -z "$missing" ] || bad "$1: not among the texts: $(echo $missing)"
}

models="tiny random:L=3,H=4,G=2,d=64,seed=3 hash:L=2,H=2,d=32,arch=gpt2"
layer=1 head=1
for model in $models; do
    run="--model $model --layer $layer --head $head"
    for what in weights scores q k v output; do
        ok dump $run --text "$text" --what $what -o "$dir/$what.csv"
    done
    n=$(wc -l <"$dir/weights.csv"); [ "$n" -lt 4 ] || n=4
    view="$run --size 1920x1080 --theme paper"
    at="--do"
    window="window 0 $n; query 0; dim 0"

    # ---- Mechanism: scores, q, k, v, the output of the chosen row, per cents
    shown $view --view mechanism --text "$text" $at "$window"
    for what in q k v; do
        numbers "$dir/$what.csv" "$n" 2 >"$dir/wanted"; expects "$model mechanism $what"
    done
    numbers "$dir/scores.csv" "$n" "$n" >"$dir/wanted"; expects "$model mechanism scores"
    numbers "$dir/output.csv" 1 2 >"$dir/wanted"; expects "$model mechanism output"
    sums=$(grep -c '^Σ 100 %$' "$dir/shown")
    [ "$sums" -ge "$n" ] || bad "$model mechanism: $sums of $n rows add up to 100 %"
    n_checks=$((n_checks + 1))

    # ---- Steps: the matrices of each step
    while read -r course step what places columns; do
        shown $view --view steps --text "$text" $at "course $course; $window; step $step"
        for one in $(echo "$what" | tr + ' '); do
            c=$columns; [ "$c" != n ] || c=$n
            p=$places; [ "$p" != - ] || p=
            numbers "$dir/$one.csv" "$n" "$c" "$p" >"$dir/wanted"
            expects "$model $course $step $one"
        done
    done <<STEPS
nine 2 q+k+v - 2
nine 3 q+k - 2
nine 4 scores - n
nine 5 weights 2 n
nine 6 weights 2 n
nine 6 v+output - 2
six 1 q+k+v - 2
six 2 q+k - 2
six 4 scores - n
six 4 weights 2 n
STEPS

    # ---- the stream: what enters the layer
    ok dump $run --text "$text" --what hidden -o "$dir/hidden.csv"
    shown $view --view steps --text "$text" $at "course nine; $window; step 1"
    awk -F, -v n="$n" 'NR <= n' "$dir/hidden.csv" >"$dir/one.csv"
    numbers "$dir/one.csv" "$n" 2 >"$dir/wanted"; expects "$model nine 1 hidden"
    shown $view --view steps --text "$text" $at "course six; $window; step 0"
    expects "$model six 0 hidden"

    # ---- tokens, and the flow's scores and shares
    ok tokens --model $model --text "$text" --json
    grep -o '"id":[0-9]*' "$dir/stdout" | sed 's/.*://' | head -$n >"$dir/wanted"
    shown $view --view steps --text "$text" $at "course nine; $window; step 0"
    expects "$model nine 0 ids"
    for step in 1 2 3 4; do
        shown $view --view steps --text "$text" $at "course flow; $window; step $step"
        numbers "$dir/scores.csv" 1 "$n" >"$dir/wanted"; expects "$model flow $step scores"
    done
    # ---- all heads side by side: the first columns are head 0
    ok dump --model $model --layer $layer --head 0 --text "$text" --what output -o "$dir/first.csv"
    numbers "$dir/first.csv" "$n" 2 >"$dir/wanted"
    for course in "nine 7" "nine 8" "six 5"; do
        shown $view --view steps --text "$text" $at "course ${course% *}; $window; step ${course#* }"
        expects "$model $course output of head 0"
    done
done
finish
