#!/usr/bin/env python3
"""Golden chats: what transformers makes of messages in chat templates of the common families.

Writes tests/golden/data/chat.json, read by test_chat.c:
  [{"name", "template", "messages": [{"role", "content"} …], "closed": bool,
    "text": what comes out, or null where transformers refuses}, …]
The templates are ours, written to give the formats of these families by the same parts of the
language as theirs; LANGUAGE holds small ones for the language itself.

Also seeds for tests/fuzz. Usage, from the top of the repository, where transformers is there:
  python tests/golden/make_chat.py
"""
import json
import os
import sys

from transformers.utils.chat_template_utils import render_jinja_template

DATA = "tests/golden/data"
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

SYSTEM = {"role": "system", "content": "  You are terse.\n"}
USER = {"role": "user", "content": " Hello, \"wörld\"\n<b>'s\\ "}
ANSWER = {"role": "assistant", "content": "<think>\nhm, 你好\n</think>\n\nHi there! "}
AGAIN = {"role": "user", "content": "And\nnow?"}
CHATS = [([USER], False), ([SYSTEM, USER], False), ([USER, ANSWER, AGAIN], False),
         ([SYSTEM, USER, ANSWER, AGAIN], True), ([USER, AGAIN], False), ([], False)]

FAMILIES = {}
FAMILIES["chatml"] = """{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + \
message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}\
{{ '<|im_start|>assistant\\n' }}{% endif %}"""

FAMILIES["llama2"] = """\
{% if messages and messages[0]['role'] == 'system' %}
{% set rest = messages[1:] %}{% set first = messages[0]['content'] %}
{% else %}
{% set rest = messages %}{% set first = false %}
{% endif %}
{% for message in rest %}
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{ raise_exception('user and assistant take turns') }}
{% endif %}
{% if loop.index0 == 0 and first != false %}
{% set content = '<<SYS>>\\n' + first + '\\n<</SYS>>\\n\\n' + message['content'] %}
{% else %}
{% set content = message['content'] %}
{% endif %}
{% if message['role'] == 'user' %}
{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
{% elif message['role'] == 'assistant' %}
{{ ' '  + content.strip() + ' ' + eos_token }}
{% endif %}
{% endfor %}"""

FAMILIES["llama3"] = """\
{% set loop_messages = messages %}
{% for message in loop_messages %}
    {%- set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' \
+ message['content'] | trim + '<|eot_id|>' %}
    {%- if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}
    {{- content }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

FAMILIES["llama31"] = """\
{{- bos_token }}
{%- if given_tools is defined %}{% set tools = given_tools %}{% endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- if not today is defined and strftime_now is defined %}
    {%- set today = strftime_now("") %}
{%- endif %}
{#- what the system says goes first -#}
{%- if messages and messages[0]['role'] == 'system' %}
    {%- set spoken = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set spoken = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}{{- tools | tojson(indent=4) }}{% endif %}
{{- "It is " + today + ".\\n\\n" }}
{{- spoken + "<|eot_id|>" }}
{%- for m in messages %}
    {%- if not (m.role == 'tool' or 'tool_calls' in m) %}
        {{- '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + \
m['content'] | trim + '<|eot_id|>' }}
    {%- elif not m.tool_calls|length == 1 %}
        {{- raise_exception("one call at a time") }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

FAMILIES["mistral"] = """\
{%- if messages and messages[0]["role"] == "system" %}
    {%- set before = messages[0]["content"] %}
    {%- set turns = messages[1:] %}
{%- else %}
    {%- set turns = messages %}
{%- endif %}
{%- set asked = turns | selectattr("role", "equalto", "user") | list %}
{%- set count = namespace() %}
{%- set count.turns = 0 %}
{%- for m in turns %}
    {%- if not (m.role == "tool" or (m.tool_calls is defined and m.tool_calls is not none)) %}
        {%- if (m["role"] == "user") != (count.turns % 2 == 0) %}
            {{- raise_exception("user and assistant take turns") }}
        {%- endif %}
        {%- set count.turns = count.turns + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for m in turns %}
    {%- if m["role"] == "user" and loop.last and before is defined %}
        {{- "[INST] " + before + "\\n\\n" + m["content"] + "[/INST]" }}
    {%- elif m["role"] == "user" %}
        {{- "[INST] " + m["content"] + "[/INST]" }}
    {%- elif m["role"] == "assistant" %}
        {{- " " + m["content"]|trim + eos_token}}
    {%- else %}
        {{- raise_exception("only user and assistant") }}
    {%- endif %}
{%- endfor %}
{{- asked|length }}{{ (asked|last).content if asked else "" }}
"""

FAMILIES["qwen25"] = """\
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- for tool in tools %}{{- "\\n" + (tool | tojson) }}{%- endfor %}
{%- elif messages and messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}
{%- endif %}
{%- for m in messages %}
    {%- if m.role == "user" or (m.role == "system" and not loop.first) or \
(m.role == "assistant" and not m.tool_calls) %}
        {{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' }}
    {%- elif m.role == "tool" and (loop.index0 == 0 or messages[loop.index0 - 1].role != "tool") %}
        {{- '<|im_start|>user' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

FAMILIES["qwen3"] = """\
{%- if messages and messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set seen = namespace(open=true, asked=messages|length - 1) %}
{%- for m in messages[::-1] %}
    {%- set place = (messages|length - 1) - loop.index0 %}
    {%- if seen.open and m.role == "user" and m.content is string and \
not(m.content.startswith('<reply>') and m.content.endswith('</reply>')) %}
        {%- set seen.open = false %}
        {%- set seen.asked = place %}
    {%- endif %}
{%- endfor %}
{%- for m in messages %}
    {%- set said = m.content if m.content is string else '' %}
    {%- if m.role == "user" or (m.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + m.role + '\\n' + said + '<|im_end|>' + '\\n' }}
    {%- elif m.role == "assistant" %}
        {%- set thought = m.thought if m.thought is string else '' %}
        {%- if '</think>' in said %}
            {%- set halves = said.split('</think>') %}
            {%- set thought = halves[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set said = halves[-1].lstrip('\\n') %}
        {%- endif %}
        {{- '<|im_start|>' + m.role + '\\n' }}
        {%- if loop.index0 > seen.asked %}
            {{- '<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' }}
        {%- endif %}
        {{- said + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if thinking is defined and thinking is false %}{{- '<think>\\n\\n' }}{% endif %}
{%- endif %}"""

FAMILIES["gemma"] = """\
{{ bos_token }}{% if messages and messages[0]['role'] == 'system' %}\
{{ raise_exception('no system here') }}{% endif %}\
{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\
{{ raise_exception('take turns') }}{% endif %}\
{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}\
{% set role = message['role'] %}{% endif %}\
{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}\
{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}"""

FAMILIES["gemma3"] = """\
{{ bos_token }}
{%- if messages and messages[0]['role'] == 'system' -%}
    {%- set said = messages[0]['content'] -%}
    {%- set before = (said if said is string else said[0]['text']) + '\\n\\n' -%}
    {%- set turns = messages[1:] -%}
{%- else -%}
    {%- set before = "" -%}
    {%- set turns = messages -%}
{%- endif -%}
{%- for m in turns -%}
    {%- set who = "model" if m['role'] == 'assistant' else m['role'] -%}
    {{ '<start_of_turn>' + who + '\\n' + (before if loop.first else "") }}
    {%- if m['content'] is string -%}
        {{ m['content'] | trim }}
    {%- elif m['content'] is iterable -%}
        {%- for part in m['content'] if part['type'] == 'text' -%}
            {{ part['text'] | trim }}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("what is this?") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\\n'}}
{%- endif -%}
"""

FAMILIES["smollm2"] = """\
{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}\
{{ '<|im_start|>system\\nYou help.<|im_end|>\\n' }}{% endif %}\
{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}\
{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

FAMILIES["phi3"] = """\
{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\\n' + \
message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\\n' + \
message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\\n' \
+ message['content'] + '<|end|>\\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}\
{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"""

FAMILIES["macros"] = """\
{%- macro turn(role, content='', open=false) -%}
<|{{ role|upper }}|>{{ content if content else 'nothing' }}{% if not open %}<|end|>{% endif %}
{%- endmacro -%}
{%- for m in messages if m.role != 'system' %}
{{ turn(m.role, content=m.content|trim) }}
{%- generation %}[{{ loop.revindex }}/{{ loop.length }}]{% endgeneration %}
{%- else %}nobody spoke{% endfor %}
{%- if add_generation_prompt %}{{ turn('assistant', open=true) }}{% endif %}
"""

LANGUAGE = r"""
{{ 1 + 2 * 3 - 4 // 3 }} {{ 7 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 1.5 + 1 }}
{{ 1e3 if false else 0.1 + 0.2 }} {{ 10 / 5 }} {{ 3.0 }} {{ 1000000.0 * 1000000 }} {{ 1 / 3 }}
{{ 'a' ~ 1 ~ none ~ true ~ 2.5 }} {{ 'ab' * 3 }} {{ [1] + [2, 'x'] }} {{ 'a' 'b' "c" }}
{{ [1, 'it\'s', "q\"q", none, true, {'a': [1.5]}, ()] }} {{ {'a': 1, 'b': "x\ny"} }}
{{ 'a\tb\\n\x41\u00e9\U0001F600' }} {{ "a\qb" }}
{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ 'a' < 'b' }} {{ 1 == 1.0 }} {{ true == 1 }} {{ none == false }} {{ [1] == [1] }} {{ {'a':1} == {'a':1} }}
{{ 'b' in 'abc' }} {{ 'x' not in 'abc' }} {{ 1 in [1, 2] }} {{ 'a' in {'a': 1} }} {{ not 1 in [2] }}
{{ '' or 'fallback' }} {{ 'x' and 'y' }} {{ not '' }} {{ 0 or none }} {{ [] and 1 }}
{{ 'yes' if messages is defined else 'no' }} {{ 'x' if nothing }} {{ nothing }} {{ nothing is defined }} {{ nothing is undefined }}
{{ none is none }} {{ 'a' is string }} {{ 1 is number }} {{ 1.0 is float }} {{ true is boolean }} {{ true is integer }} {{ 1 is integer }} {{ {} is mapping }} {{ [] is sequence }} {{ 'a' is iterable }} {{ 3 is odd }} {{ 3 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ 1 is not none }} {{ 1 is eq 1 }} {{ 1 is in [1] }} {{ 2 is gt 1 }} {{ true is true }} {{ 1 is true }}
{{ messages is sequence and messages is not mapping }} {{ range is callable }} {{ not nothing is defined }} {{ -1 is number }}
{{ '  x y '.strip() }}|{{ '..x..'.strip('.') }}|{{ 'xxabxx'.lstrip('x') }}|{{ 'xxabxx'.rstrip('x') }}|{{ '\u3000x\u00a0'.strip() }}|
{{ 'a,b,,c'.split(',') }} {{ ' a  b c '.split() }} {{ 'a b c'.split(' ', 1) }} {{ 'a-b-c'.split('-')[-1] }} {{ ' a b  c '.split(none, 1) }}
{{ 'Hello'.startswith('He') }} {{ 'Hello'.endswith(('x', 'lo')) }} {{ 'hello World'.upper() }} {{ 'Hello'.lower() }} {{ 'hello wORLD'.title() }} {{ 'hELLO'.capitalize() }}
{{ '{}-{} {{x}} {a}'.format(1, 'b', a=none) }} {{ '{1}{0}'.format(1, 2) }} {{ {'b': 1, 'a': 2}|dictsort }} {{ tools|selectattr('x')|list if tools else 'none' }} {{ 'aXbX'.replace('X', '-') }} {{ 'aXbX'.replace('X', '-', 1) }} {{ '-'.join(['a', 'b']) }} {{ 'abcb'.find('b') }} {{ 'abcb'.count('b') }}
{{ ' x '|trim }}|{{ 'äö'|length }} {{ [1,2]|count }} {{ {'a':1}|length }} {{ 'äb'|upper }} {{ 'AB'|lower }} {{ 'ab cd'|title }} {{ 'ab'|capitalize }}
{{ nothing|default('d') }} {{ ''|default('d') }}|{{ ''|default('d', true) }} {{ none|d('x') }} {{ nothing|d }}|
{{ [1,2,3]|join(',') }} {{ [{'a':1},{'a':2}]|join('+', attribute='a') }} {{ ['a','b']|first }} {{ ['a','b']|last }} {{ 'abc'|list }} {{ 'abc'|reverse }} {{ [1,2]|reverse|list }} {{ [1,2,1]|unique|list }}
{{ '5'|int + 1 }} {{ 'x'|int(7) }} {{ 3.9|int }} {{ 5|string + 'x' }} {{ -3|abs }} {{ 'a-b'|replace('-', '+') }}
{{ [{'r':'u','n':1},{'r':'a','n':2}]|selectattr('r','equalto','u')|map(attribute='n')|list }} {{ [{'r':'u'},{}]|rejectattr('r','defined')|list|length }} {{ [0,1,2]|select|list }} {{ [1,2,3]|reject('odd')|list }} {{ ['a','b']|map('upper')|join }}
{{ {'b': 'é"<', 'a': [1, 2.0, none, true, {}], 'c': []}|tojson }}
{{ {'b': [1, {'x': 'y'}], 'e': []}|tojson(indent=2) }}
{% for k, v in {'x': 1, 'y': 2}.items() %}{{ k }}={{ v }}{{ ',' if not loop.last }}{% endfor %} {% for k in {'x': 1} %}{{ k }}{% endfor %} {% for c in 'añ' %}<{{ c }}>{% endfor %} {{ {'x': 1}.get('y') }} {{ {'x': 1}.get('y', 2) }} {{ {'x': 1}['x'] }} {{ {'x': 1}.x }} {{ {'x': 1}.keys()|list }} {{ {'x': 1}.values()|list }} {{ {'items': 5}['items'] }} {{ {'x': 1}|items|list }}
{% for i in range(3) %}{{ loop.index }}{{ loop.first }}{{ loop.last }}{{ loop.revindex0 }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %} {{ range(2, 10, 3)|list }} {{ range(3, 0, -1)|list }}
{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 4 %}{% break %}{% endif %}{{ i }}{% endfor %} {% for i in [] %}x{% else %}empty{% endfor %} {% for i in [1,2,3,4] if i is even %}{{ i }}:{{ loop.index }} {% endfor %}
{% for a in [1,2] %}{% for b in [1,2] %}{% if b == 2 %}{% break %}{% endif %}{{ a }}{{ b }}{{ loop.index }} {% endfor %}{{ loop.index }}{% endfor %}
{% set x = 1 %}{% for i in [1,2] %}{% set x = x + 5 %}{{ x }} {% endfor %}{{ x }} {% if true %}{% set x = 9 %}{% endif %}{{ x }} {% set ns = namespace(n=0) %}{% for i in [1,2,3] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }} {% set block %}in {{ x }}{% endset %}{{ block|upper }}
{{ [1,2,3,4][1:3] }} {{ [1,2,3,4][:-1] }} {{ [1,2,3][::-1] }} {{ [1,2,3,4,5][::2] }} {{ 'añb'[1] }} {{ 'añb'[-2:] }} {{ 'añb'[:2] }} {{ [1,2][5] }} {{ [1,2][-1] }} {{ 'abc'[1:1] }} {{ [1,2,3][5:] }} {{ [1,2,3][-5:2] }} {{ [1,2,3][3:0:-1] }}
{% macro f(a, b='B', c=none) %}({{ a }},{{ b }},{{ c }}){% endmacro %}{{ f(1) }} {{ f(1, 2, 3) }} {{ f(a='x', c='z') }} {{ f() }}
a{%- if true -%}  b  {%- endif -%}  c
  {% if true %}
  indented
  {% endif %}
	{%+ if true %}kept{% endif +%}
x {#- gone -#} y {# gone #}
{#
 gone too
#}
{{ 'end' -}}

   z {{- 'w' }}
{{ {'a': {'b': [1, {'c': 'deep'}]}}.a.b[1].c }} {{ messages[-1]['content']|length }} {{ {'a': 1,}.a }} {{ [1,2,] }} {{ (1) + 2 }} {{ (1, 2)[1] }} {{ 1 if 0 else 2 if 0 else 3 }} {{ (none or 'x')|upper }} {{ 'a'|upper ~ 'b' }} {{ 5 - 2 - 1 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ not true or true }}
""".strip("\n").split("\n@\n")

BROKEN = ["{{ ", "{% if %}", "{% for x in %}", "{{ 1 + }}", "{% endif %}", "{{ 'a }}", "{# x",
          "{{ nothing.x }}", "{{ 1 // 0 }}", "{{ 'a' + 1 }}", "{{ x| }}", "{{ 'a'|nofilter }}",
          "{{ 1 is notest }}", "{{ f() }}", "{% set a.b = 1 %}", "{{ [1][0][0].x.y }}",
          "{{ raise_exception('no') }}", "{% macro f( %}", "{{ ) }}", "{{ [1 }}", "{{ 'a' < 1 }}",
          "{% for a, b in [[1]] %}{% endfor %}", "{{ none + 1 }}", "{{ 'a'.nomethod() }}",
          "{{ messages.append(1) }}", "{% nosuch %}", "{% if true %}", "{{ 1 2 }}", "{{ a b }}"]


def render(template, messages, closed):
    try:
        text = render_jinja_template([messages], tools=None, documents=None,
                                     chat_template=template, add_generation_prompt=not closed,
                                     **TOKENS)[0]
        return text if isinstance(text, str) else text[0]
    except Exception:  # any kind of refusal
        return None


def main():
    rows = []
    for name, template in FAMILIES.items():
        for messages, closed in CHATS:
            rows.append((name, template, messages, closed))
    for i, line in enumerate("\n".join(LANGUAGE).split("\n")):
        if line.strip() not in ("{#", "gone too", "#}"):
            rows.append((f"language line {i}", line, [USER], False))
    rows.append(("language", "\n".join(LANGUAGE) + "\n", [SYSTEM, USER], False))
    rows += [(f"broken {i}", text, [USER], False) for i, text in enumerate(BROKEN)]
    out = []
    for name, template, messages, closed in rows:
        text = render(template, messages, closed)
        if name.startswith("broken") == (text is not None):
            if not name.startswith("language line"):
                print(name, repr(template[:60]), "renders" if text is not None else "fails")
        out.append(json.dumps({"name": name, "template": template, "messages": messages,
                               "closed": closed, "text": text}, ensure_ascii=True))
    with open(f"{DATA}/chat.json", "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(out) + "\n]\n")


def seeds():
    """First inputs of tests/fuzz/fuzz_chat."""
    folder = "tests/fuzz/corpus/fuzz_chat"
    os.makedirs(folder, exist_ok=True)
    pieces = list(FAMILIES.items()) + [(f"language_{i}", x) for i, x in
                                       enumerate("\n".join(LANGUAGE).split("\n"))]
    pieces += [(f"broken_{i}", x) for i, x in enumerate(BROKEN)]
    for name, text in pieces:
        with open(f"{folder}/{name}", "w", encoding="utf-8", newline="") as f:
            f.write(text)


if __name__ == "__main__":
    seeds()
    sys.exit(main())
