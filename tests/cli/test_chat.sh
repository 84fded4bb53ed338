# --chat and --system: the text inside the template that a model's files carry, or one clear line.
. tests/cli/lib.sh "$1"
o=$dir/out

# ---- a model with a template of its own
mkdir "$dir/model"
cp models/tiny/config.json models/tiny/tokenizer.json models/tiny/tokenizer_config.json "$dir/model"
printf '%s' '{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</{{ m.role }}>{% endfor %}' \
    >"$dir/model/chat_template.jinja"
ok tokens --model "$dir/model" --chat --text ' a house ' --json
cp "$dir/stdout" "$dir/chat.json"
ok tokens --model "$dir/model" --no-special --text '<user>a house</user>' --json
cmp -s "$dir/stdout" "$dir/chat.json" || bad "the chat is not the text that the template writes"
ok tokens --model "$dir/model" --chat --system 'be brief' --text 'hi' --json
cp "$dir/stdout" "$dir/chat.json"
ok tokens --model "$dir/model" --no-special --text '<system>be brief</system><user>hi</user>' --json
cmp -s "$dir/stdout" "$dir/chat.json" || bad "the system's words are not where the template puts them"
ok tokens --model "$dir/model" --text 'hi' --json
cmp -s "$dir/stdout" "$dir/chat.json" && bad "without --chat the template is used too"

ok info --model "$dir/model"; prints 'a template of its own (--chat)'
ok info --model "$dir/model" --json; prints '"chat_template":true'
ok info --model tiny --json; prints '"chat_template":false'

# ---- templates that refuse or are broken: 1, the line of the template
printf '%s\n%s' '{{ bos_token }}' '{{ raise_exception("no user here") }}' >"$dir/model/chat_template.jinja"
fails 1 'chat template: line 2: the template refuses: no user here' \
    tokens --model "$dir/model" --chat --text hi
printf '%s' '{% for x in range(999999999) %}{% endfor %}' >"$dir/model/chat_template.jinja"
fails 1 'chat template: line 1: ' tokens --model "$dir/model" --chat --text hi

# ---- none at all, and what cannot be together
fails 1 'carries no chat template' tokens --model tiny --chat --text hi
fails 1 'carries no chat template' dump --model tiny --chat --text hi --what weights --layer 0 \
    --head 0 -o "$o/x.npy"
fails 2 'give --chat too' tokens --model tiny --system x --text hi
fails 2 'cannot be given together' tokens --model tiny --chat --ids 1
fails 2 'cannot be given together' tokens --model tiny --chat --text a --text-pair b
fails 2 'cannot be given together' tokens --model tiny --chat --text a --no-special
finish
