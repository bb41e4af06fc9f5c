"""Chat templates against transformers' apply_chat_template: the same text, to the last byte.

The templates are written for this test, in the manner of the well-known families.
"""
import itertools
import json
import subprocess

import pytest
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

CHATML = """{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nBe helpful.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
TEMPLATES = {
    "chatml": CHATML,
    "thinking": """{%- set ns = namespace(multi_step=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step and message.role == "user" and message.content is string and not
        (message.content.startswith('<tool>') and message.content.endswith('</tool>')) %}
        {%- set ns.multi_step = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content %}
    {%- set reasoning = '' %}
    {%- if message.reasoning_content is defined and message.reasoning_content is not none %}
        {%- set reasoning = message.reasoning_content %}
    {%- elif '</think>' in message.content %}
        {%- set content = message.content.split('</think>')[-1].lstrip('\\n') %}
        {%- set reasoning = message.content.split('</think>')[0].rstrip('\\n')
            .split('<think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {%- if loop.index0 > ns.last and (loop.last or (not loop.last and reasoning)) %}
        {{- message.role + '\\n<think>\\n' + reasoning.strip('\\n') + '\\n</think>\\n\\n'
            + content.lstrip('\\n') }}
    {%- else %}
        {{- message.role ~ '\\n' ~ content }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|go|>' }}{%- endif %}
{%- if enable_thinking is defined and enable_thinking is false %}
    {{- '<think>\\n\\n</think>\\n\\n' }}
{%- endif %}""",
    "headers": """{% set loop_messages = messages %}
{% for message in loop_messages %}
{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'
   + message['content'] | trim + '<|eot_id|>' %}
{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}
{{ content }}
{% endfor %}
{% if add_generation_prompt %}
{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{% endif %}""",
    "inst": """{{ bos_token }}{% if messages[0]['role'] == 'system' %}
{% set system = messages[0]['content'] %}{% set rest = messages[1:] %}
{% else %}{% set system = false %}{% set rest = messages %}{% endif %}
{% for message in rest %}
  {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
    {{ raise_exception('Roles must alternate user/assistant') }}
  {% endif %}
  {% if loop.first and system %}
    {% set content = system ~ '\\n\\n' ~ message['content'] %}
  {% else %}{% set content = message['content'] %}{% endif %}
  {% if message['role'] == 'user' %}
    {{ '[INST] ' + content.strip() + ' [/INST]' }}
  {% elif message['role'] == 'assistant' %}
    {{ ' ' + content + eos_token }}
  {% endif %}
{% endfor %}""",
    "turns": """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}{{ '<image>' }}
            {%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\\n' }}{%- endif -%}
""",
    "pipes": """{% for message in messages %}{% if message['role'] in ['system', 'user'] %}{{
'<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n'}}{% else %}{{
'<|' ~ message.role|upper ~ '|>\\n' ~ message.content|default('?', true) ~ '<|end|>\\n' }}
{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{
eos_token }}{% endif %}
""",
    "tools": """{%- if tools %}
    {{- 'Tools:' }}
    {%- for tool in tools %}
        {{- "\\n" }}{{- tool | tojson(indent=4) }}
    {%- endfor %}
    {{- tools | map(attribute='function') | map(attribute='name') | join(', ') }}
{%- endif %}
{%- for message in messages | rejectattr('role', 'equalto', 'system') | list %}
    {{ loop.index }}/{{ loop.length }} {{ message | tojson }} {{ message.content is mapping }}
    {#- a comment #}
    {%- for key, value in message.items() %}
 {{ key }}={{ value }}
    {%- endfor %}
{% endfor %}
 {% generation %} x {% endgeneration %}

y
""",
}
TOOLS = [{"type": "function", "function": {
    "name": "weather", "description": "D\u00e9j\u00e0 <vu> & 'so'", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": []}}}]
SYSTEM = [[], [{"role": "system", "content": " You are \u201ckind\u201d.\n"}]]
TURNS = [
    [{"role": "user", "content": "Hi {{ there }} {% if %} \U0001f44d  \n"}],
    [{"role": "user", "content": "1"},
     {"role": "assistant", "content": "<think>\nno\n</think>\n\n2"},
     {"role": "user", "content": "\u00a0<tool>x</tool>"}],
    [{"role": "user", "content": "w?"},
     {"role": "assistant", "content": "", "tool_calls": [
         {"type": "function", "function": {"name": "weather", "arguments": {
             "city": "S\u00e3o \"P\"", "n": [1, 2.5, None, True, 1e20, 1e-7]}}}]},
     {"role": "tool", "content": "rain"}, {"role": "tool", "content": "sun"},
     {"role": "assistant", "content": "It rains.", "reasoning_content": "\nwet\n"}],
    [{"role": "assistant", "content": "first"}, {"role": "user", "content": "second"}],
    [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " look "}]}],
]


@pytest.fixture(scope="module")
def oracle():
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), **TOKENS)


def expected(oracle, source, variables):
    """Their text, or None where they raise."""
    options = dict(variables)
    try:
        return oracle.apply_chat_template(
            options.pop("messages"), chat_template=source, tokenize=False, **options)
    except Exception:  # jinja2's errors, and Python's from within a template
        return None


def conversations():
    for system, turns, prompt, tools in itertools.product(SYSTEM, TURNS, (False, True),
                                                          (None, TOOLS)):
        yield {"messages": system + turns, "add_generation_prompt": prompt, "tools": tools}
    for thinking in (False, True):
        yield {"messages": TURNS[1], "add_generation_prompt": True, "enable_thinking": thinking}


def check(source, oracle, build_directory, folder):
    (folder / "chat_template.jinja").write_text(source, newline="")
    (folder / "tokenizer_config.json").write_text(json.dumps(TOKENS))
    rows = list(conversations())
    if "message.items()" in source:  # transformers adds "thinking" to what it hands on
        rows = [row for row in rows if "reasoning_content" not in json.dumps(row)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    output = subprocess.run([build_directory / "bin/tokenizer_tool", folder, "chat"], input=lines,
                            text=True, check=True, stdout=subprocess.PIPE).stdout
    num_texts = 0
    for row, line in zip(rows, output.split("\n")[:-1], strict=True):
        text = expected(oracle, source, row)
        answer = json.loads(line)
        assert answer.get("text") == text, (row, answer)
        num_texts += text is not None
    return num_texts


@pytest.mark.parametrize("name", TEMPLATES)
def test_families(name, oracle, build_directory, tmp_path):
    assert check(TEMPLATES[name], oracle, build_directory, tmp_path) > 10


def test_published_template(shared_directory, oracle, build_directory, tmp_path):
    source = (shared_directory / "data/tok-qwen3-sdar/chat_template.jinja").read_text()
    assert check(source, oracle, build_directory, tmp_path) > 20
