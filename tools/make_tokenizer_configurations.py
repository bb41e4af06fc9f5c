#!/usr/bin/env python3
"""Builds small tokenizers of every kind with Hugging Face's library itself.

    python tools/make_tokenizer_configurations.py FOLDER

writes FOLDER/NAME.json for some 250 configurations: each model trained on a few sentences of many
scripts, each stage and option by itself, and seeded random pipelines that cross them.
tests/oracle/test_tokenizer_configurations.py makes them anew and compares.
"""

import base64
import itertools
import json
import pathlib
import random
import struct
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

SENTENCES = [
    "The quick brown fox jumps over the lazy dog; it's 12 o'clock, don't they say?",
    "Caf\u00e9 na\u00efve r\u00e9sum\u00e9 \u00c5ngstr\u00f6m Stra\u00dfe \u0130stanbul",
    "\u0420\u0443\u0441\u0441\u043a\u0438\u0439 \u0442\u0435\u043a\u0441\u0442, "
    "\u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002 \u3053\u3093\u306b\u3061\u306f \u30ab\u30bf\u30ab\u30ca",
    "\ud55c\uad6d\uc5b4 \u0939\u093f\u0928\u094d\u0926\u0940 \u0627\u0644\u0639\u0631\u0628\u064a"
    "\u0629 \u05e2\u05d1\u05e8\u05d9\u05ea",
    "def f(x):\n    return x ** 2  # 3.14 \u2014 \u201cquoted\u201d \u00bd \u2167 \ufb01",
    "the day, the night and the day; a the in and of to was said she he it the",
] * 4
SPECIAL = ["<unk>", "<s>", "</s>", "<pad>", "[MASK]"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
PATTERNS = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
              r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "qwen2": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
             r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "o200k": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
             r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
             r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|"
             r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "deepseek": r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?"
                r"[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "clip": r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|"
            r"[^\s\p{L}\p{N}]+",
    "bloom": r" ?[^(\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+",
    "cjk": "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    "han": r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
           r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+|\p{N}{1,3}|\s+",
    "words": r"\w+|[^\w\s]+",
    "negated": r"[\P{L}\S]|\D",
    "empty": r"x*",
}


def charsmap(table):
    """A Precompiled map of {text: replacement}: a Darts double array with one unit block a node."""
    root, texts = {}, b""
    for key, value in sorted(table.items()):
        node = root
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[None] = len(texts)
        texts += value.encode() + b"\0"
    units, stack, top = {}, [(0, root)], 256
    while stack:
        at, node = stack.pop()
        offset = top - top % 256
        top = offset + 512
        # Children lie at (at ^ offset) ^ byte; a block of 256 is taken for each node.
        jump = at ^ offset
        assert jump < 1 << 21
        units[at] = units.get(at, 0) | (jump << 10)
        if None in node:
            units[at] |= 1 << 8
            units[offset] = (1 << 31) | node[None]
        for byte, child in node.items():
            if byte is not None:
                units[offset ^ byte] = byte
                stack.append((offset ^ byte, child))
    array = [units.get(i, 0) for i in range(top + 256)]
    blob = struct.pack("<I", 4 * len(array)) + struct.pack(f"<{len(array)}I", *array) + texts
    return base64.b64encode(blob).decode()


CHARSMAP = charsmap({"\ufb01": "fi", "\u00bd": "1\u20442", "\u00e9": "e", "\u3000": " ",
                     "\u200b": "", "\r\n": "\n", "\t": " ", "A": "a", "e\u0301": "\u00e9",
                     "\u0301": "", "\u2167": "VIII", "\u00a9": "(c)", "\ud55c": "X"})


def trained(model, trainer, pre_tokenizer):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return json.loads(tokenizer.to_str())["model"]


def bpe(vocabulary_size=400, pre_tokenizer=None, alphabet=(), extra=(), **options):
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size, special_tokens=[*SPECIAL, *extra], show_progress=False,
        initial_alphabet=list(alphabet),
        **{key: value for key, value in options.items()
           if key in ("continuing_subword_prefix", "end_of_word_suffix")})
    document = trained(models.BPE(**options), trainer,
                       pre_tokenizer or pre_tokenizers.Whitespace())
    return {**document, **options}


def make_models():
    """name → (model, whether its vocabulary has ByteLevel's letters)"""
    letters = pre_tokenizers.ByteLevel.alphabet()
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    metaspace = pre_tokenizers.Metaspace()
    found = {
        "bytes": (bpe(500, byte_level, letters), True),
        "bytes-ignore": (bpe(500, byte_level, letters, ignore_merges=True), True),
        "characters": (bpe(unk_token="<unk>"), False),
        "characters-dropped": (bpe(), False),
        "fused": (bpe(unk_token="<unk>", fuse_unk=True), False),
        "prefix": (bpe(unk_token="<unk>", continuing_subword_prefix="##"), False),
        "suffix": (bpe(unk_token="<unk>", end_of_word_suffix="</w>"), False),
        "affixes": (bpe(unk_token="<unk>", fuse_unk=True, continuing_subword_prefix="@",
                        end_of_word_suffix="$"), False),
        "fallback": (bpe(700, metaspace, extra=BYTES, unk_token="<unk>", byte_fallback=True,
                         fuse_unk=True), False),
        "fallback-ignore": (bpe(700, metaspace, extra=BYTES, byte_fallback=True,
                                ignore_merges=True), False),
        "fallback-partly": (bpe(700, metaspace, extra=BYTES[:0xD0], unk_token="<unk>",
                                byte_fallback=True), False),
        "wordpiece": (trained(models.WordPiece(unk_token="<unk>"), trainers.WordPieceTrainer(
            vocab_size=400, special_tokens=SPECIAL, show_progress=False),
            pre_tokenizers.BertPreTokenizer()), False),
        "wordlevel": (trained(models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(
            vocab_size=120, special_tokens=SPECIAL, show_progress=False),
            pre_tokenizers.Whitespace()), False),
    }
    found["wordpiece-short"] = ({**found["wordpiece"][0], "max_input_chars_per_word": 6}, False)
    found["wordpiece-plain"] = ({**found["wordpiece"][0], "continuing_subword_prefix": ""}, False)
    unigram = trained(models.Unigram(), trainers.UnigramTrainer(
        vocab_size=200, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False), metaspace)
    found["unigram"] = (unigram, False)
    found["unigram-bytes"] = ({**unigram, "byte_fallback": True,
                               "vocab": unigram["vocab"] + [[b, -20.0] for b in BYTES]}, False)
    found["unigram-positive"] = ({**unigram, "vocab": [[t, s + 40] for t, s in unigram["vocab"]]},
                                 False)
    merges = found["bytes"][0]["merges"]
    found["bytes-old-merges"] = ({**found["bytes"][0],
                                  "merges": [" ".join(merge) for merge in merges]}, True)
    return found


def state(stage):
    return json.loads(stage.__getstate__())


def all_normalizers():
    n = normalizers
    found = {
        "bert": n.BertNormalizer(), "bert-cased": n.BertNormalizer(lowercase=False),
        "bert-accents": n.BertNormalizer(strip_accents=False),
        "bert-dirty": n.BertNormalizer(clean_text=False, handle_chinese_chars=False),
        "nfc": n.NFC(), "nfd": n.NFD(), "nfkc": n.NFKC(), "nfkd": n.NFKD(),
        "lowercase": n.Lowercase(), "strip": n.Strip(), "lstrip": n.Strip(left=True, right=False),
        "rstrip": n.Strip(left=False, right=True), "accents": n.StripAccents(), "nmt": n.Nmt(),
        "replace": n.Replace("the", "THE!"), "replace-space": n.Replace(" ", "\u2581"),
        "replace-regex": n.Replace(Regex(" {2,}|\\p{N}+"), " "),
        "replace-nothing": n.Replace(Regex("[aeiou]"), ""),
        "prepend": n.Prepend("\u2581"), "byte-level": n.ByteLevel(),
        "nfd-accents": n.Sequence([n.NFD(), n.StripAccents(), n.Lowercase()]),
        "nfkc-replace": n.Sequence([n.NFKC(), n.Replace(Regex("\\s+"), " "), n.Strip()]),
        "llama": n.Sequence([n.Prepend("\u2581"), n.Replace(" ", "\u2581")]),
        "xlnet": n.Sequence([n.Replace("``", '"'), n.Replace("''", '"'), n.NFKD(),
                             n.StripAccents(), n.Lowercase(), n.Strip()]),
        "nested": n.Sequence([n.Sequence([n.Nmt(), n.NFKC()]), n.Lowercase()]),
        "empty-sequence": n.Sequence([]),
    }
    found = {name: state(stage) for name, stage in found.items()}
    precompiled = {"type": "Precompiled", "precompiled_charsmap": CHARSMAP}
    found["precompiled"] = precompiled
    found["precompiled-replace"] = {"type": "Sequence", "normalizers": [
        precompiled, state(n.Replace(Regex(" {2,}"), "\u2581"))]}
    return found


def all_pre_tokenizers():
    p = pre_tokenizers
    found = {"bert": p.BertPreTokenizer(), "whitespace": p.Whitespace(),
             "whitespace-split": p.WhitespaceSplit(), "scripts": p.UnicodeScripts(),
             "fixed": p.FixedLength(3), "delimiter": p.CharDelimiterSplit("e"),
             "digits": p.Digits(individual_digits=False),
             "digits-each": p.Digits(individual_digits=True)}
    for behavior in BEHAVIORS:
        found["punctuation-" + behavior] = p.Punctuation(behavior)
        for invert in (False, True):
            found[f"split-{behavior}-{invert}"] = p.Split(Regex(r"[\s-]"), behavior, invert)
        found["split-string-" + behavior] = p.Split("th", behavior)
    for scheme, split in itertools.product(("always", "first", "never"), (False, True)):
        found[f"metaspace-{scheme}-{split}"] = p.Metaspace(prepend_scheme=scheme, split=split)
    for prefix, regex in itertools.product((False, True), (False, True)):
        found[f"byte-level-{prefix}-{regex}"] = p.ByteLevel(add_prefix_space=prefix,
                                                            use_regex=regex)
    for name, pattern in PATTERNS.items():
        found["pattern-" + name] = p.Split(Regex(pattern), "isolated")
    found["sequence-bytes"] = p.Sequence([
        p.Split(Regex(PATTERNS["llama3"]), "isolated"), p.ByteLevel(False, use_regex=False)])
    found["sequence-bytes-first"] = p.Sequence([p.ByteLevel(False), p.Digits(True)])
    found["sequence-bytes-twice"] = p.Sequence([p.ByteLevel(False), p.ByteLevel(False)])
    found["sequence-t5"] = p.Sequence([p.WhitespaceSplit(), p.Metaspace()])
    found["sequence-deepseek"] = p.Sequence([
        p.Split(Regex(r"\p{N}{1,3}"), "isolated"), p.Split(Regex(PATTERNS["cjk"]), "isolated"),
        p.Split(Regex(PATTERNS["deepseek"]), "isolated"), p.ByteLevel(False, use_regex=False)])
    found["sequence-empty"] = p.Sequence([])
    return {name: state(stage) for name, stage in found.items()}


def all_decoders():
    d = decoders
    found = {
        "byte-level": d.ByteLevel(), "wordpiece": d.WordPiece(),
        "wordpiece-raw": d.WordPiece(prefix="", cleanup=False), "metaspace": d.Metaspace(),
        "metaspace-never": d.Metaspace(prepend_scheme="never"), "bpe": d.BPEDecoder(),
        "bpe-suffix": d.BPEDecoder(suffix="e"), "ctc": d.CTC(),
        "ctc-other": d.CTC(pad_token="e", word_delimiter_token="a", cleanup=False),
        "fuse": d.Fuse(), "strip": d.Strip("e", 1, 0), "replace": d.Replace("e", "E"),
        "replace-regex": d.Replace(Regex("[aeiou]+"), "<>"), "byte-fallback": d.ByteFallback(),
        "llama": d.Sequence([d.Replace("\u2581", " "), d.ByteFallback(), d.Fuse(),
                             d.Strip(" ", 1, 0)]),
        "fuse-replace": d.Sequence([d.Fuse(), d.Replace("th", "TH")]),
        "fuse-wordpiece": d.Sequence([d.Fuse(), d.WordPiece(), d.Metaspace()]),
        "bytes-fuse": d.Sequence([d.ByteLevel(), d.Fuse(), d.Replace("  ", " ")]),
    }
    return {name: state(stage) for name, stage in found.items()}


def all_processors():
    p = processors
    pair = (("</s>", 2), ("<s>", 1))
    template = p.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1",
                                    special_tokens=[("<s>", 1), ("</s>", 2)])
    swapped = p.TemplateProcessing(single="$A:3 [MASK]", pair="$B:2 </s>:5 $A:1",
                                   special_tokens=[("[MASK]", 4), ("</s>", 2)])
    found = {"none": None, "bert": p.BertProcessing(*pair), "template": template,
             "template-swapped": swapped, "byte-level": p.ByteLevel(trim_offsets=True),
             "byte-level-untrimmed": p.ByteLevel(trim_offsets=False),
             "sequence": p.Sequence([p.ByteLevel(trim_offsets=True), template])}
    for trim, prefix in itertools.product((False, True), (False, True)):
        found[f"roberta-{trim}-{prefix}"] = p.RobertaProcessing(
            *pair, trim_offsets=trim, add_prefix_space=prefix)
    return {name: state(stage) if stage else None for name, stage in found.items()}


def added_tokens(kind):
    flags = {
        "none": [],
        "plain": [AddedToken("<s>", special=True), AddedToken("</s>", special=True),
                  AddedToken("[MASK]", special=True, lstrip=True)],
        "flags": [AddedToken("day", single_word=True), AddedToken("the", lstrip=True),
                  AddedToken("FOX", rstrip=True, normalized=True),
                  AddedToken("<m>", normalized=False, lstrip=True, rstrip=True),
                  AddedToken("\u00c9t\u00e9"), AddedToken("<pad>", special=True)],
    }[kind]
    tokenizer = Tokenizer(models.WordLevel({token: i for i, token in enumerate(SPECIAL)}))
    tokenizer.add_tokens(flags)
    return [(token.content, token) for _, token in
            sorted(tokenizer.get_added_tokens_decoder().items())]


def document(model, normalizer=None, pre_tokenizer=None, decoder=None, processor=None,
             added="plain"):
    base = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": processor,
            "decoder": decoder, "model": model}
    tokenizer = Tokenizer.from_str(json.dumps(base))
    tokenizer.add_tokens([token for _, token in added_tokens(added)])
    return tokenizer.to_str()


def configurations(num_random=120, seed=20261123):
    """Yields (name, tokenizer.json)."""
    made = make_models()
    stages = {"normalizer": all_normalizers(), "pre_tokenizer": all_pre_tokenizers(),
              "decoder": all_decoders(), "processor": all_processors()}
    natural = {True: stages["pre_tokenizer"]["byte-level-False-True"],
               False: stages["pre_tokenizer"]["metaspace-always-True"]}
    for name, (model, letters) in made.items():
        yield f"model-{name}", document(model, pre_tokenizer=natural[letters])
    for kind, table in stages.items():
        for i, (name, stage) in enumerate(table.items()):
            model, letters = made[("fallback", "bytes", "unigram", "wordpiece")[i % 4]]
            options = {"pre_tokenizer": natural[letters], kind: stage}
            yield f"{kind}-{name}", document(model, **options)
    draw = random.Random(seed)
    for i in range(num_random):
        options = {kind: draw.choice(list(table.values())) for kind, table in stages.items()}
        if draw.random() < 0.3:
            options["normalizer"] = None
        name = draw.choice(list(made))
        yield f"random-{i}-{name}", document(made[name][0], **options,
                                             added=draw.choice(["none", "plain", "flags"]))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, text in configurations():
        (folder / f"{name}.json").write_text(text)
        count += 1
    print(f"wrote {count} configurations to {folder}")


if __name__ == "__main__":
    main()
