#!/bin/sh
# What an installed program comes with, written from its tables: the manual page and completions
# name every command and option, and the shells that are here take them.
. "$(dirname "$0")/lib.sh"

for topic in man bash zsh fish; do
    n_checks=$((n_checks + 1))
    "$program" help "$topic" > "$dir/$topic" || bad "help $topic"
    for word in view info tokens dump trace shot bench models; do
        grep -q "$word" "$dir/$topic" || bad "$topic does not name the command $word"
    done
done
# Options as --help has them.
for command in view dump shot bench; do
    "$program" help "$command" | sed -n 's/.*--\([a-z][a-z-]*\).*/\1/p' | sort -u > "$dir/options"
    [ -s "$dir/options" ] || bad "help $command lists no options"
    while read -r option; do
        sed 's/\\-/-/g' "$dir/man" | grep -q -- "--$option" || bad "the manual page leaves out --$option"
        for shell in bash zsh; do
            grep -q -- "--$option" "$dir/$shell" || bad "$shell leaves out --$option"
        done
        grep -q -- "-l $option" "$dir/fish" || bad "fish leaves out --$option"
    done < "$dir/options"
done
bash -n "$dir/bash" || bad "bash does not read its completions"
# What bash would offer.
offer() { bash -c ". '$dir/bash'; COMP_WORDS=($1); COMP_CWORD=\$((\${#COMP_WORDS[@]} - 1)); _attnscope; printf '%s\n' \"\${COMPREPLY[@]}\""; }
offer "attnscope shot --theme p" | grep -qx paper || bad "bash does not complete --theme p"
offer "attnscope dump --wh" | grep -qx -- --what || bad "bash does not complete dump --wh"
offer "attnscope dump --vie" | grep -q -- --view && bad "bash offers dump an option it has not"
offer "attnscope be" | grep -qx bench || bad "bash does not complete be"
offer "attnscope shot --view mat" | grep -qx matrix || bad "bash does not complete --view mat"
offer "attnscope mat" | grep -qx matrix || bad "bash does not complete a view as the first word"
offer "attnscope help st" | grep -qx stories || bad "bash does not complete help st"
offer "attnscope info trans" | grep -qx translate || bad "bash does not complete an embedded model"
offer "attnscope dump --what = sc" | grep -qx scores || bad "bash does not complete --what=sc"
if command -v zsh > /dev/null; then zsh -n "$dir/zsh" || bad "zsh does not read its completions"; fi
if command -v fish > /dev/null; then fish -n "$dir/fish" || bad "fish does not read its completions"; fi
if command -v man > /dev/null && command -v groff > /dev/null; then
    man --warnings -l "$dir/man" > /dev/null 2> "$dir/roff" || bad "the manual page is not read"
    [ -s "$dir/roff" ] && bad "roff: $(head -1 "$dir/roff")"
fi
finish
