"""SentencePiece's and tiktoken's files against those libraries themselves: 0 differences.

Texts leave out what the two sides mean differently: the names of control pieces, which are special
tokens here.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sentencepiece

ROOT = Path(__file__).resolve().parents[2]
NUM_STRINGS = int(os.environ.get("AIOS_ORACLE_MODEL_STRINGS", 3000))
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests/oracle"))

import make_tokenizer_models  # noqa: E402
import test_tokenizer  # noqa: E402
import tokenizer_goldens  # noqa: E402


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    make_tokenizer_models.write_all(folder)
    return folder


@pytest.fixture(scope="module")
def texts(shared_directory):
    prose = sorted((shared_directory / "data/corpus-small").glob("*.txt"))[0].read_text()
    symbols = make_tokenizer_models.SYMBOLS
    mixed = [a + b + c for a in symbols for b in symbols for c in ("", " ", "a  ", " b")]
    return [*make_tokenizer_models.TEXTS, *tokenizer_goldens.TEXTS, *mixed, prose[:20000],
            *prose[20000:60000].split("\n"), *test_tokenizer.random_strings(NUM_STRINGS, seed=3)]


def answers(build_directory, path, texts):
    lines = "".join(json.dumps({"first": text}) + "\n" for text in texts)
    tool = build_directory / "bin/tokenizer_tool"
    output = subprocess.run([tool, path, "answers"], input=lines, text=True, check=True,
                            stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in output.split("\n")[:-1]]


@pytest.mark.parametrize("name", make_tokenizer_models.SENTENCE_PIECE)
def test_sentence_piece(name, models, texts, build_directory):
    oracle = sentencepiece.SentencePieceProcessor(
        model_file=str(models / name / "tokenizer.model"))
    for text, answer in zip(texts, answers(build_directory, models / name, texts), strict=True):
        ids = oracle.encode(text)
        assert answer["ids"] == ids, text
        # A user-defined piece of spaces that leads a text loses them here.
        if oracle.unk_id() not in ids and not text.startswith("\u2581\u2581"):
            assert answer["plain"] == oracle.decode(ids), text


@pytest.mark.parametrize("name", make_tokenizer_models.TIKTOKEN_PATTERNS)
def test_tiktoken(name, models, texts, build_directory):
    oracle = make_tokenizer_models.encoding(name, make_tokenizer_models.train_ranks())
    for text, answer in zip(texts, answers(build_directory, models / name, texts), strict=True):
        assert answer["ids"] == oracle.encode(text, allowed_special="all"), text
        assert answer["decoded"] == text


def test_fixtures_are_made_afresh(tmp_path):
    committed = ROOT / "tests/tokenizer/models"
    make_tokenizer_models.write_fixtures(tmp_path)
    for path in sorted(committed.iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
