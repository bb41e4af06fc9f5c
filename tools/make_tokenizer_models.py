#!/usr/bin/env python3
"""Trains small SentencePiece models of every kind, and tiktoken files.

    python tools/make_tokenizer_models.py FOLDER

writes FOLDER/NAME/tokenizer.model or FOLDER/NAME/NAME.tiktoken for each configuration, with what
tests/oracle/test_tokenizer_models.py compares; with --fixtures those that the unit tests read, and
their gold ids, into tests/tokenizer/models.
"""

import base64
import contextlib
import io
import json
import pathlib
import sys

import sentencepiece
import tiktoken
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import make_tokenizer_configurations

SENTENCES = make_tokenizer_configurations.SENTENCES[:7] * 20
SYMBOLS = ["<user>", "\u2581\u2581", "<x y>", "the day"]
TEXTS = [
    "The quick brown fox jumps over the lazy dog", "", " ", "  two  spaces ", "a\tb\nc\r\nd",
    "Caf\u00e9 na\u00efve \u2581 mark", "<user> hello <user>world<x y>", "the day and the night",
    "\ufb01 \u00bd \u2167 \uff21", "\U0001f44d\u4f60\u597d unknown \u0bf5", "12,345.67 don't",
    "   ", "\u3000wide\u00a0spaces\u2003", "a" * 50, "\0nul", "e\u0301 \u1112\u1161\u11ab",
]

# The options of SentencePieceTrainer for each model.
SENTENCE_PIECE = {
    "unigram": {"model_type": "unigram"},
    "unigram-bytes": {"model_type": "unigram", "byte_fallback": True, "vocab_size": 500},
    "unigram-identity": {"model_type": "unigram", "normalization_rule_name": "identity"},
    "unigram-spaces": {"model_type": "unigram", "remove_extra_whitespaces": False,
                       "normalization_rule_name": "nfkc_cf"},
    "unigram-no-dummy": {"model_type": "unigram", "add_dummy_prefix": False},
    "unigram-suffix": {"model_type": "unigram", "treat_whitespace_as_suffix": True},
    "unigram-across": {"model_type": "unigram", "split_by_whitespace": False},
    "unigram-symbols": {"model_type": "unigram", "user_defined_symbols": SYMBOLS,
                        "control_symbols": ["<ctl>"]},
    "bpe": {"model_type": "bpe"},
    "bpe-bytes": {"model_type": "bpe", "byte_fallback": True, "vocab_size": 600,
                  "normalization_rule_name": "identity", "remove_extra_whitespaces": False,
                  "split_digits": True, "allow_whitespace_only_pieces": True},
    "bpe-spaces": {"model_type": "bpe", "remove_extra_whitespaces": False},
    "bpe-suffix": {"model_type": "bpe", "treat_whitespace_as_suffix": True},
    "bpe-across": {"model_type": "bpe", "split_by_whitespace": False, "add_dummy_prefix": False},
    "bpe-symbols": {"model_type": "bpe", "user_defined_symbols": SYMBOLS,
                    "control_symbols": ["<ctl>"], "pad_id": 3},
    "bpe-nfkc": {"model_type": "bpe", "normalization_rule_name": "nfkc"},
}
FIXTURES = ["unigram-identity", "bpe-bytes", "bpe-symbols"]
# Code points in hexadecimal: what is replaced, and by what. The usual maps have 250 KB.
FIXTURE_RULES = "FB01\t66 69\n41\t61\n3000\t20\n9\t20\nFF21\t61\n65 301\tE9\n"

TIKTOKEN_PATTERNS = {  # how tiktoken itself writes them
    "cl100k_base": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|"
                   r" ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    "r50k_base": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|"
                 r"\s+(?!\S)|\s",
    "o200k_base": make_tokenizer_configurations.PATTERNS["o200k"],
    "tokenizer": make_tokenizer_configurations.PATTERNS["llama3"],
    "qwen": make_tokenizer_configurations.PATTERNS["qwen2"],
}
# Those that go with the name, as far as they are known for it.
TIKTOKEN_SPECIAL = {
    "cl100k_base": {"<|endoftext|>": 100257, "<|fim_prefix|>": 100258, "<|fim_middle|>": 100259,
                    "<|fim_suffix|>": 100260, "<|endofprompt|>": 100276},
    "r50k_base": {"<|endoftext|>": 50256},
    "o200k_base": {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    "qwen": {"<|endoftext|>": 151643, "<|im_start|>": 151644, "<|im_end|>": 151645},
    "tokenizer": {},
}


def train(options):
    """The bytes of a model."""
    model = io.BytesIO()
    defaults = {"vocab_size": 260, "hard_vocab_limit": False, "minloglevel": 2,
                "max_sentencepiece_length": 12}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES), model_writer=model, **{**defaults, **options})
    return model.getvalue()


def train_ranks(vocabulary_size=700):
    """{bytes: rank} of a byte-level BPE."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(SENTENCES, trainers.BpeTrainer(
        vocab_size=vocabulary_size, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    letters = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in letters]
    byte_of = {chr(byte): byte for byte in letters}
    byte_of.update({chr(256 + i): byte for i, byte in enumerate(rest)})
    return {bytes(byte_of[letter] for letter in token): rank
            for token, rank in tokenizer.get_vocab().items()}


def tiktoken_file(ranks):
    lines = sorted(ranks.items(), key=lambda item: item[1])
    return "".join(f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in lines)


def encoding(name, ranks):
    """tiktoken's own tokenizer for a file of that name."""
    return tiktoken.Encoding(name, pat_str=TIKTOKEN_PATTERNS[name], mergeable_ranks=ranks,
                             special_tokens=TIKTOKEN_SPECIAL[name])


def write_all(folder):
    for name, options in SENTENCE_PIECE.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "tokenizer.model").write_bytes(train(options))
    ranks = train_ranks()
    for name in TIKTOKEN_PATTERNS:
        (folder / name).mkdir(parents=True, exist_ok=True)
        suffix = ".model" if name == "tokenizer" else ".tiktoken"
        (folder / name / f"{name}{suffix}").write_text(tiktoken_file(ranks))


def write_fixtures(folder):
    folder.mkdir(parents=True, exist_ok=True)
    gold = {}
    (folder / "rules.tsv").write_text(FIXTURE_RULES)
    for name in FIXTURES:
        with contextlib.chdir(folder):  # models keep the path
            model = train({"normalization_rule_tsv": "rules.tsv", **SENTENCE_PIECE[name]})
        (folder / f"{name}.model").write_bytes(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        gold[f"{name}.model"] = [{"text": text, "ids": processor.encode(text)} for text in TEXTS]
    (folder / "rules.tsv").unlink()
    ranks = train_ranks(400)
    (folder / "cl100k_base.tiktoken").write_text(tiktoken_file(ranks))
    oracle = encoding("cl100k_base", ranks)
    gold["cl100k_base.tiktoken"] = [{"text": text, "ids": oracle.encode_ordinary(text)}
                                    for text in TEXTS]
    (folder / "gold.json").write_text(json.dumps(gold, indent=1) + "\n")


def main():
    if sys.argv[1] == "--fixtures":
        root = pathlib.Path(__file__).resolve().parents[1]
        write_fixtures(root / "tests/tokenizer/models")
    else:
        write_all(pathlib.Path(sys.argv[1]))


if __name__ == "__main__":
    main()
