#!/usr/bin/env python3
"""Makes tests/tokenizer/goldens.json: what Hugging Face's library gives for the fixture tokenizers.

    python tools/tokenizer_goldens.py

Each case names a fixture, a patch of its tokenizer.json (RFC 7386, so that one vocabulary serves
many pipelines), the texts or pairs, and the expected results. Offsets are byte offsets.
"""

import json
import pathlib

from tokenizers import Tokenizer, __version__

TESTS = pathlib.Path(__file__).parent.parent / "tests" / "tokenizer"

TEXTS = [
    "",
    " ",
    "Hello, world! I'll say it's 2024: we've 1234567 ideas, they're GOOD.",
    "  two  spaces,\ttabs\n\nnew lines \r\n and trailing   ",
    "def f(x):\n    return x ** 2  # comment\n",
    "Caf\u00e9 na\u00efve r\u00e9sum\u00e9 \u00c5ngstr\u00f6m Stra\u00dfe"
    " \u0130stanbul \u01c5 \u1e9e",
    "e\u0301 a\u0323\u0307 o\u0328\u0304\u0301 \u1100\u1161\u11a8 \uac01 \u212b \u0958 \u0344x",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002 \u3053\u3093\u306b\u3061\u306f "
    "\ud55c\uad6d\uc5b4 \u4e2dA\u6587",
    "\u0420\u0443\u0441\u0441\u043a\u0438\u0439 \u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac "
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u05e2\u05d1\u05e8\u05d9\u05ea "
    "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd \u2764\ufe0f "
    "\U0001f1e9\U0001f1ea",
    "a\u0000b\u0001c\u007f\u00add\ufeffe\ufffdf\u200b\u2028g\u0085h",
    "\u00a0no-break\u3000ideographic\u2003em\u180emongolian",
    "don't DON'T we'LL x'\u017f 'tis '' \"quoted\" `code` a-b_c @user #tag 50% $5 \u20ac5 1/2 "
    "\u00bd \u2167",
    "x" * 101 + " " + "ab" * 20,
    "unk\u2603nown \U0001d400\U0001d401 \ue000 \U00010d50\U00010d70 \U00016ea0 \u0378",
    "\u3131\u3132 \u11a8 \u0301 \u0315\u0327\u0301z \U0001d15e \u0f73\u0f71",
]

MARKED = ["Text <|endoftext|> and [MASK]  more<|endoftext|>", "[CLS] Fill [MASK], please [SEP]",
          "<think>why</think><|im_start|>user\n<think> ", "word[MASK]word [MASK]"]

FLAGS = [dict(content="DAY", lstrip=True, rstrip=True, normalized=True),
         dict(content="the", single_word=True, normalized=False),
         dict(content="Night", single_word=True, normalized=True),
         dict(content="<m>", lstrip=True, normalized=False, special=True),
         dict(content="\u00c9t\u00e9", normalized=True),
         dict(content="<mm", rstrip=True, normalized=False)]
FLAG_TEXTS = ["Monday DAY  day other the  the, breathe the\u0301 _the the9",
              "the <m>  <mm  <m>x <mm<m>",
              "night midnight NIGHT night-time \u00c9t\u00e9 \u00e9t\u00e9 E\u0301te\u0301 ete",
              "\u2003DAY\u00a0 <m>\u3000DAY", "<m<mm<m>the"]


def flags(first_id):
    full = dict(single_word=False, lstrip=False, rstrip=False, normalized=True, special=False)
    return [{**full, **entry, "id": first_id + i} for i, entry in enumerate(FLAGS)]


def split(behavior, invert, pattern):
    return {"pre_tokenizer": {"type": "Split", "pattern": pattern, "behavior": behavior,
                              "invert": invert, "pretokenizers": None}}


def byte_level(**options):
    return {"type": "ByteLevel", **dict(add_prefix_space=False, trim_offsets=True, use_regex=True),
            **options}


def bert_pair(kind, size):
    names = {"sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
    extra = {"trim_offsets": True, "add_prefix_space": True} if kind == "RobertaProcessing" else {}
    return {"post_processor": {"type": kind, **names, **extra, "single": None, "pair": None,
                               "special_tokens": None}}


def variants():
    """(fixture, patch, texts)"""
    mixed = TEXTS + MARKED
    for name in ("bert", "gpt2", "llama3", "qwen2"):
        yield name, {}, mixed
    for options in ({"lowercase": False}, {"strip_accents": False}, {"clean_text": False},
                    {"handle_chinese_chars": False}, {"lowercase": False, "strip_accents": True}):
        yield "bert", {"normalizer": options}, TEXTS[2:]
    yield "bert", {"decoder": {"cleanup": False}}, TEXTS[2:4]
    yield "bert", {"decoder": None}, TEXTS[2:4]
    yield "bert", {"added_tokens": flags(1000)}, FLAG_TEXTS
    yield "gpt2", {"added_tokens": flags(1000)}, FLAG_TEXTS
    yield "qwen2", {"added_tokens": flags(1000)}, FLAG_TEXTS
    for prefix in (False, True):
        for trim in (False, True):
            yield "gpt2", {
                "pre_tokenizer": byte_level(add_prefix_space=prefix),
                "post_processor": {"type": "RobertaProcessing", "sep": ["!", 0], "cls": ['"', 1],
                                   "trim_offsets": trim, "add_prefix_space": prefix,
                                   "use_regex": None},
                "added_tokens": flags(1000)}, TEXTS[:5] + FLAG_TEXTS
    yield "gpt2", {"pre_tokenizer": byte_level(add_prefix_space=True),
                   "post_processor": byte_level(add_prefix_space=True)}, mixed
    for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        for invert in (False, True):
            yield "bert", split(behavior, invert, {"Regex": r"[\s-]"}), \
                ["the-final--countdown", "--", "-a -", " \u0085x\u180ey ", "ab"]
    yield "bert", split("Isolated", False, {"Regex": "x*"}), ["axxb", "\u00e9x\u00e9"]
    yield "bert", split("Removed", False, {"String": "a.b"}), ["axb a.b a.ba.b", "a.b"]
    yield "bert", {"pre_tokenizer": None}, ["hello", "hello world"]
    yield "llama3", {"model": {"ignore_merges": False}}, TEXTS[2:5]
    yield "llama3", {"pre_tokenizer": {"pretokenizers": [
        {"type": "Split", "pattern": {"Regex": r"\p{Lu}+|\P{Ll}"}, "behavior": "Isolated",
         "invert": False},
        {"type": "Split", "pattern": {"Regex": r"[^\d\p{P}\p{M}\p{S}]+(?<!q)$"},
         "behavior": "MergedWithNext", "invert": False},
        byte_level(use_regex=False)]}}, TEXTS[2:]
    for forms in (["NFD"], ["NFC", "NFD"], ["NFD", "NFC"]):
        stages = [{"type": form} for form in forms]
        yield "qwen2", {"normalizer": {"type": "Sequence", "normalizers": stages}}, TEXTS[5:]
    yield "bert", bert_pair("BertProcessing", 2), TEXTS[2:4]
    yield "bert", bert_pair("RobertaProcessing", 2), TEXTS[2:4]
    yield "gpt2", {"decoder": {"type": "Sequence", "decoders": [byte_level(), {"type": "Fuse"}],
                               "add_prefix_space": None, "trim_offsets": None,
                               "use_regex": None}}, TEXTS[2:6]


def patched(document, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = patched(result.get(key), value)
    return result


def byte_offsets(encoding, first, second=None):
    starts = [[len(text[:i].encode()) for i in range(len(text) + 1)]
              for text in (first, second or "")]
    return [[starts[sequence or 0][begin], starts[sequence or 0][end]]
            for (begin, end), sequence in zip(encoding.offsets, encoding.sequence_ids)]


def expected(tokenizer, encoding, first, second=None):
    result = {"ids": encoding.ids,
              "offsets": [x for pair in byte_offsets(encoding, first, second) for x in pair]}
    if second is None:
        result["decoded"] = tokenizer.decode(encoding.ids, skip_special_tokens=False)
        plain = tokenizer.decode(encoding.ids, skip_special_tokens=True)
        if plain != result["decoded"]:
            result["decoded_plain"] = plain
    for key, mask, usual in (("type_ids", encoding.type_ids, 0),
                             ("special", encoding.special_tokens_mask, 0),
                             ("attention", encoding.attention_mask, 1)):
        if any(value != usual for value in mask):
            result[key] = mask
    return result


def load(fixture, patch):
    document = json.loads((TESTS / "fixtures" / f"{fixture}.json").read_text())
    return Tokenizer.from_str(json.dumps(patched(document, patch)))


def text_cases():
    for fixture, patch, texts in variants():
        tokenizer = load(fixture, patch)
        rows = []
        for text in texts:
            encoding = tokenizer.encode(text)
            rows.append({"text": text, **expected(tokenizer, encoding, text)})
        yield {"fixture": fixture, "patch": patch, "rows": rows}


PAIRS = [("The first is longer.", "A second."), ("", "only a second"),
         ("one two three four", "one two three four five")]


def pair_cases():
    """Pairs, with and without special tokens, cut at every length and from both ends."""
    for fixture, patch in (("bert", {}), ("bert", bert_pair("BertProcessing", 2)), ("llama3", {}),
                           ("gpt2", {"post_processor": {
                               "type": "RobertaProcessing", "sep": ["!", 0], "cls": ['"', 1],
                               "trim_offsets": True, "add_prefix_space": False,
                               "use_regex": None}}),
                           ("qwen2", {"post_processor": None})):
        tokenizer = load(fixture, patch)
        rows = []
        for first, second in PAIRS:
            for special in (True, False):
                for max_length, left in ((0, False), (5, False), (8, True)):
                    tokenizer.no_truncation()
                    if max_length:
                        tokenizer.enable_truncation(max_length,
                                                    direction="left" if left else "right")
                    encoding = tokenizer.encode(first, second, add_special_tokens=special)
                    rows.append({"text": first, "second": second, "max_length": max_length,
                                 "truncate_left": left, "add_special_tokens": special,
                                 **expected(tokenizer, encoding, first, second)})
        yield {"fixture": fixture, "patch": patch, "rows": rows}


def padding_cases():
    texts = ["one", "one two three", "", "a rather longer text than the others"]
    for left in (False, True):
        for length in (-1, 12):
            tokenizer = load("bert", {})
            tokenizer.enable_padding(direction="left" if left else "right", pad_id=0,
                                     length=None if length < 0 else length)
            encodings = tokenizer.encode_batch(texts)
            yield {"pad_to_length": length, "pad_left": left, "texts": texts,
                   "results": [expected(tokenizer, e, t) for e, t in zip(encodings, texts)]}


def make():
    goldens = {"made_by": f"tools/tokenizer_goldens.py, tokenizers {__version__}",
               "texts": [*text_cases(), *pair_cases()], "padding": list(padding_cases())}
    return json.dumps(goldens, separators=(",", ":")) + "\n"


def main():
    path = TESTS / "goldens.json"
    path.write_text(make())
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
