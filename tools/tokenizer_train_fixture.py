#!/usr/bin/env python3
"""Trains the four small tokenizers of tests/tokenizer/fixtures with Hugging Face's library.

    python tools/tokenizer_train_fixture.py [--shared ../shared]

Their pipelines are those of BERT, GPT-2, Llama 3 and Qwen 2; their vocabularies have about a
thousand tokens, learnt from public-domain text (PEPs and tinyshakespeare).
tools/tokenizer_goldens.py makes the expected results.
"""

import argparse
import json
import pathlib
import tarfile

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers,
                        pre_tokenizers, processors, trainers)

FIXTURES = pathlib.Path(__file__).parent.parent / "tests" / "tokenizer" / "fixtures"
LLAMA3_PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
                  r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2_PATTERN = LLAMA3_PATTERN.replace(r"\p{N}{1,3}", r"\p{N}")
VOCABULARY_SIZE = 1000


def training_text(shared):
    """About 1.6 MB; PEPs bring code, tables and some accents."""
    texts = [(shared / "data/corpus-small/tinyshakespeare.txt").read_text()[:400_000]]
    with tarfile.open(shared / "data/corpus-peps/peps.tar.xz") as archive:
        names = sorted(name for name in archive.getnames() if name.endswith(".rst"))
        texts += [archive.extractfile(name).read().decode() for name in names[::12]]
    return texts


def special(*names):
    return [AddedToken(name, special=True, normalized=False) for name in names]


def bert(texts):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY_SIZE, limit_alphabet=120, show_progress=False,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")])
    return tokenizer


def byte_level(texts, pre_tokenizer, specials, normalizer=None,
               vocabulary_size=VOCABULARY_SIZE):
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary_size, special_tokens=[],
                                  show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(special(*specials))
    return tokenizer


def split(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def gpt2(texts):
    tokenizer = byte_level(texts, pre_tokenizers.ByteLevel(add_prefix_space=False),
                           ["<|endoftext|>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def llama3(texts, vocabulary_size=VOCABULARY_SIZE):
    begin = "<|begin_of_text|>"
    tokenizer = byte_level(texts, split(LLAMA3_PATTERN), [begin, "<|end_of_text|>"],
                           vocabulary_size=vocabulary_size)
    template = processors.TemplateProcessing(
        single=f"{begin} $A", pair=f"{begin} $A {begin}:1 $B:1",
        special_tokens=[(begin, tokenizer.token_to_id(begin))])
    tokenizer.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=True), template])
    return tokenizer


def qwen2(texts):
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = byte_level(texts, split(QWEN2_PATTERN), specials, normalizers.NFC())
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_tokens([AddedToken("<think>", special=False, normalized=False)])
    return tokenizer


def without_last_merges(document, count):
    """Tokens that only `ignore_merges` can find: whole words whose last merge is gone."""
    model = document["model"]
    parts = {part for merge in model["merges"] for part in merge}
    gone = [merge for merge in model["merges"] if "".join(merge) not in parts][-count:]
    model["merges"] = [merge for merge in model["merges"] if merge not in gone]
    model["ignore_merges"] = True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=pathlib.Path, default="../shared")
    texts = training_text(parser.parse_args().shared)
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for make in (bert, gpt2, llama3, qwen2):
        document = json.loads(make(texts).to_str())
        if make is llama3:
            without_last_merges(document, 40)
        if make is gpt2:  # the older way to write merges
            document["model"]["merges"] = [" ".join(m) for m in document["model"]["merges"]]
        path = FIXTURES / f"{make.__name__}.json"
        path.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
