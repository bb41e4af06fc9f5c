"""`aios tokenizer train` against Hugging Face's trainers on the same files: the same vocabulary and
merges, ties included, and a tokenizer.json that their library reads.

Their WordPieceTrainer numbers the prefixed letters in the order of a hash table, another in every
run, and ties go by number. So that there is one right answer, both sides get those letters as
special tokens.
"""
import json
import subprocess
import tarfile

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

BOOKS_BYTES = 4_000_000
PREFIXED = [f"##{chr(c)}" for c in range(33, 0x2100) if chr(c).isprintable()]
BERT_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(scope="module")
def files(shared_directory, tmp_path_factory):
    """corpus-small and some books."""
    folder = tmp_path_factory.mktemp("texts")
    paths = sorted((shared_directory / "data/corpus-small").glob("*.txt"))
    size = 0
    with tarfile.open(shared_directory
                      / "data/corpus-classic-books/classic-books-pre1930.tar.xz") as archive:
        for member in archive:
            if not member.isfile():
                continue
            paths.append(folder / f"{len(paths)}.txt")
            paths[-1].write_bytes(archive.extractfile(member).read())
            size += member.size
            if size >= BOOKS_BYTES:
                return paths


def train(aios, output, files, *options):
    subprocess.run([aios, "tokenizer", "train", *files, "--output", output, *map(str, options)],
                   check=True, stdout=subprocess.DEVNULL)
    return json.loads(output.read_text())["model"]


@pytest.mark.parametrize("options", [
    {"vocab_size": 8000}, {"vocab_size": 3000, "min_frequency": 50},
    {"vocab_size": 5000, "max_token_length": 6}])
def test_bpe(options, aios, files, tmp_path):
    oracle = Tokenizer(models.BPE())
    oracle.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    oracle.train([str(path) for path in files], trainers.BpeTrainer(
        special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **options))
    expected = json.loads(oracle.to_str())["model"]
    flags = [word for key, value in options.items()
             for word in (f"--{key.replace('_', '-')}", value)]
    path = tmp_path / "tokenizer.json"
    model = train(aios, path, files, *flags)
    assert model["vocab"] == expected["vocab"]
    assert model["merges"] == expected["merges"]
    text = files[0].read_text()[:10000]
    assert Tokenizer.from_file(str(path)).encode(text).ids == oracle.encode(text).ids


@pytest.mark.parametrize("cased", [False, True])
def test_word_piece(cased, aios, files, tmp_path):
    oracle = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    oracle.normalizer = normalizers.BertNormalizer(lowercase=not cased)
    oracle.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    oracle.train([str(path) for path in files], trainers.WordPieceTrainer(
        vocab_size=len(PREFIXED) + 6000, special_tokens=BERT_TOKENS + PREFIXED,
        show_progress=False))
    expected = json.loads(oracle.to_str())["model"]["vocab"]
    flags = [word for token in PREFIXED for word in ("--special-token", token)]
    path = tmp_path / "tokenizer.json"
    model = train(aios, path, files, "--kind", "wordpiece", "--vocab-size", len(PREFIXED) + 6000,
                  *flags, *(["--cased"] if cased else []))
    assert model["vocab"] == expected
    assert Tokenizer.from_file(str(path)).encode("A day", "in May").type_ids == [0] * 4 + [1] * 3
