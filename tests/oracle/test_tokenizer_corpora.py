"""Whole corpora, and a million strings, against Hugging Face's library: 0 differences.

The published tokenizers get everything, document by document. AIOS_ORACLE_CORPORA=full gives it to
every built configuration too, in sections, with 4,000 random strings of its own: an hour and a half
on one core. Else each configuration gets a part of some KB of its own and a hundred strings.
"""
import csv
import os
import random
import sys
import tarfile
from pathlib import Path

import pytest
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
FULL = os.environ.get("AIOS_ORACLE_CORPORA") == "full"
sys.path.insert(0, str(ROOT / "tests/oracle"))

import test_tokenizer_configurations  # noqa: E402
from test_tokenizer import PUBLISHED, load_pair, random_strings, tool  # noqa: E402, F401
from tokenizer_comparison import assert_same, deletes_characters  # noqa: E402

BOOKS_BYTES = 20_000_000
PART_CHARACTERS = 5_000
NUM_STRINGS = 4_000 if FULL else 100
SECTION = 1_000  # characters: the oracle takes twice as long a character over whole documents
SENTENCES = 10  # of STS-B, in one text
CONFIGURATIONS = test_tokenizer_configurations.CONFIGURATIONS
NAMES = [name for name, _ in CONFIGURATIONS]


def archived(path, limit=sys.maxsize):
    texts, size = [], 0
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and size < limit:
                texts.append(archive.extractfile(member).read().decode())
                size += member.size
    return texts


def sentences(folder):
    """All cells of all languages, header and scores too."""
    texts = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as file:
            cells = [" ".join(row) for row in csv.reader(file)]
        texts += ["\n".join(cells[at:at + SENTENCES]) for at in range(0, len(cells), SENTENCES)]
    return texts


@pytest.fixture(scope="module")
def corpora(shared_directory):
    """name → texts"""
    data = shared_directory / "data"
    return {
        "small": [path.read_text() for path in sorted((data / "corpus-small").glob("*.txt"))],
        "books": archived(data / "corpus-classic-books/classic-books-pre1930.tar.xz", BOOKS_BYTES),
        "peps": archived(data / "corpus-peps/peps.tar.xz"),
        "eips": archived(data / "corpus-eips/eips.tar.xz"),
        "openstax": archived(data / "corpus-openstax-ccby/openstax-ccby.tar.xz"),
        "stsb": sentences(data / "eval-stsb"),
    }


def sections(texts):
    return [text[at:at + SECTION] for text in texts for at in range(0, len(text), SECTION)]


def part(texts, name):
    """Sections of texts, others for each name."""
    draw = random.Random(name)
    for _ in range(PART_CHARACTERS // SECTION):
        text = draw.choice(texts)
        begin = draw.randrange(max(1, len(text) - SECTION))
        yield text[begin:begin + SECTION]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published(name, load_pair, tool, corpora):  # noqa: F811
    path, oracle = load_pair(name)
    texts = [text for corpus in corpora.values() for text in corpus]
    assert assert_same(tool, path, oracle, texts) == len(texts)


@pytest.mark.parametrize("name,document", CONFIGURATIONS, ids=NAMES)
def test_configuration(name, document, tool, corpora, tmp_path):  # noqa: F811
    texts = [text for found in corpora.values()
             for text in (sections(found) if FULL else part(found, name))]
    texts += random_strings(NUM_STRINGS, seed=name)
    path = tmp_path / "tokenizer.json"
    path.write_text(document)
    oracle = Tokenizer.from_str(document)
    with_offsets = not (deletes_characters(oracle) or
                        test_tokenizer_configurations.has_wrong_offsets(document))
    compared = assert_same(tool, path, oracle, texts, with_offsets)
    assert compared > len(texts) // 2
