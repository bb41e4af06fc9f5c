"""Texts and tokenizers for bench/tokenizer/run.py, out of ../shared/data; made once."""

import csv
import json
import pathlib
import random
import tarfile
import tempfile

KILOBYTE, MEGABYTE = 1_000, 1_000_000
BERT, GPT2, QWEN3, T5 = "WordPiece (BERT)", "byte-level BPE (GPT-2)", "byte-level BPE (Qwen3)", \
    "Unigram (T5)"


def cut(data, size):
    """The first `size` bytes, less the character that they cut."""
    return data[:size].decode(errors="ignore").encode()


def archived(path, size):
    data = b""
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and len(data) < size:
                data += archive.extractfile(member).read()
    return cut(data, size)


def multilingual(folder, size):
    """Sentences in German, French, Chinese and English, mixed."""
    sentences = []
    for path in sorted(folder.glob("stsb-*.csv")):
        with path.open(newline="") as file:
            sentences += [cell for row in csv.reader(file) for cell in row[:2]]
    random.Random(0).shuffle(sentences)
    return cut("\n".join(sentences).encode(), size)


def prose(data):
    """What each kind of text is made from."""
    return {
        "English": lambda: cut((data / "corpus-small/wikitext2-valid.txt").read_bytes(), MEGABYTE),
        "peps": lambda: archived(data / "corpus-peps/peps.tar.xz", MEGABYTE),
        "STS-B, 4 languages": lambda: multilingual(data / "eval-stsb", MEGABYTE),
        "classic-books, 100 MB": lambda: archived(
            data / "corpus-classic-books/classic-books-pre1930.tar.xz", 100 * MEGABYTE),
    }


def attacks():
    """Texts that must not take more than a few times the time of prose."""
    def repeated(text):
        return lambda: (text * (10 * MEGABYTE // len(text.encode()))).encode()

    letters = random.Random(0)
    return {
        "10 MB of one letter": repeated("a"),
        "10 MB of spaces": repeated(" "),
        "10 MB of combining marks": repeated("\u0301"),
        "10 MB of one emoji": repeated("\U0001f600"),
        "a word of 1 MB": lambda: bytes(letters.choices(range(97, 123), k=MEGABYTE)),
    }


def write_texts(folder, makers):
    """Writes what is not there yet; returns the paths by name."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, make in makers.items():
        paths[name] = folder / ("".join(c if c.isalnum() else "_" for c in name) + ".txt")
        if not paths[name].exists():
            paths[name].write_bytes(make())
    return paths


def convert_folder(source, config):
    """The tokenizer.json of a folder that has only vocab.json and merges.txt."""
    from transformers import AutoTokenizer

    with tempfile.TemporaryDirectory() as name:
        target = pathlib.Path(name)
        for file in source.iterdir():
            if file.name not in ("SOURCE.txt", "config.json"):
                (target / file.name).symlink_to(file.resolve())
        if config:
            (target / "tokenizer_config.json").write_text(json.dumps(config))
        return AutoTokenizer.from_pretrained(target).backend_tokenizer


def write_tokenizers(folder, data):
    """One file for each family, in folders of their own: a cache lies beside the file."""
    from tokenizers import Tokenizer

    makers = {
        BERT: lambda: Tokenizer.from_file(str(data / "tok-bert-uncased/tokenizer.json")),
        GPT2: lambda: convert_folder(data / "tok-gpt2", {"tokenizer_class": "GPT2Tokenizer"}),
        QWEN3: lambda: convert_folder(data / "tok-qwen3-sdar", None),
        T5: lambda: Tokenizer.from_file(str(data / "tok-t5/tokenizer.json")),
    }
    paths = {}
    for number, (name, make) in enumerate(makers.items()):
        paths[name] = folder / str(number) / "tokenizer.json"
        if not paths[name].exists():
            paths[name].parent.mkdir(parents=True, exist_ok=True)
            tokenizer = make()
            tokenizer.no_padding()
            tokenizer.no_truncation()
            tokenizer.save(str(paths[name]), pretty=True)
    return paths
