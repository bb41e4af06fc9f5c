"""Every stage and option against Hugging Face's library: 0 differences.

The configurations are those of tools/make_tokenizer_configurations.py: built by the library itself,
over small vocabularies, so that unknown text, byte fallback and affixes come up all the time.
"""
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
NUM_STRINGS = int(os.environ.get("AIOS_ORACLE_CONFIGURATION_STRINGS", 300))
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests/oracle"))

import make_tokenizer_configurations  # noqa: E402
import test_tokenizer  # noqa: E402
import tokenizer_goldens  # noqa: E402

CONFIGURATIONS = list(make_tokenizer_configurations.configurations())
STRATEGIES = ["longest_first", "only_first", "only_second"]


def texts():
    fixed = tokenizer_goldens.TEXTS + tokenizer_goldens.MARKED + tokenizer_goldens.FLAG_TEXTS
    more = make_tokenizer_configurations.SENTENCES[:7]
    return [*fixed, *more, *test_tokenizer.random_strings(NUM_STRINGS, seed=5)]


def rows():
    """Inputs with the options that both sides get."""
    draw = random.Random(7)
    found = [{"first": text} for text in texts()]
    found += [{"first": text, "characters": True} for text in texts()[:60]]
    for first in texts()[:40]:
        row = {"first": first, "add_special_tokens": draw.random() < 0.7,
               "max_length": draw.randint(5, 12), "stride": draw.randint(0, 3),
               "truncate_left": draw.random() < 0.4, "characters": draw.random() < 0.5}
        if draw.random() < 0.7:
            row["second"] = draw.choice(texts())
            row["truncation"] = draw.choice([0, 0, 1, 2])
        if draw.random() < 0.5:
            row["pad_to_length"] = draw.choice([-1, 16])
            row["pad_to_multiple"] = draw.choice([0, 8])
            row["pad_left"] = draw.random() < 0.5
        found.append(row)
    return found


def apply(tokenizer, row):
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if row.get("max_length"):
        tokenizer.enable_truncation(
            row["max_length"], stride=row["stride"],
            strategy=STRATEGIES[row.get("truncation", 0)],
            direction="left" if row["truncate_left"] else "right")
    if row.get("pad_to_length"):
        length = row["pad_to_length"]
        tokenizer.enable_padding(direction="left" if row["pad_left"] else "right", pad_id=3,
                                 length=None if length < 0 else length,
                                 pad_to_multiple_of=row["pad_to_multiple"] or None)


def offsets(encoding, row):
    """The oracle counts characters."""
    if row.get("characters"):
        return [list(pair) for pair in encoding.offsets]
    starts = []
    for text in (row["first"], row.get("second", "")):
        lengths = [0]
        for c in text:
            lengths.append(lengths[-1] + len(c.encode()))
        starts.append(lengths)
    found = []
    for (begin, end), sequence in zip(encoding.offsets, encoding.sequence_ids):
        table = starts[sequence or 0]
        found.append([table[min(begin, len(table) - 1)], table[min(end, len(table) - 1)]])
    return found


def expected(encoding, row, is_window=False):
    """The library repeats the second text's windows inside those of the first: left out."""
    return {"ids": encoding.ids, "offsets": offsets(encoding, row), "type_ids": encoding.type_ids,
            "word_ids": [-1 if word is None else word for word in encoding.word_ids],
            "special": encoding.special_tokens_mask, "attention": encoding.attention_mask,
            "overflow": [] if is_window else
            [expected(window, row, is_window=True) for window in encoding.overflowing]}


def ask_oracle(tokenizer, row):
    """None where the oracle refuses, or panics."""
    try:
        apply(tokenizer, row)
        special = row.get("add_special_tokens", True)
        if "second" in row:
            encoding = tokenizer.encode(row["first"], row["second"], add_special_tokens=special)
        else:
            encoding = tokenizer.encode(row["first"], add_special_tokens=special)
        answer = expected(encoding, row)
        answer["decoded"] = tokenizer.decode(encoding.ids, skip_special_tokens=False)
        answer["plain"] = tokenizer.decode(encoding.ids, skip_special_tokens=True)
        return answer
    except BaseException as error:  # a panic is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return None


def drop_window_offsets(answer, row):
    """In windows of a pair the library does not say which text an offset counts in: bytes cannot be
    told there. Rows that count characters compare them.
    """
    if row.get("characters") or "second" not in row:
        return answer
    return {**answer, "overflow": [{**window, "offsets": None} for window in answer["overflow"]]}


def drop_window_types(answer):
    """RobertaProcessing without special tokens: the library sets the types of the text to 0, as the
    model wants them, and forgets those of its windows.
    """
    return {**answer, "overflow": [{**window, "type_ids": None} for window in answer["overflow"]]}


def drop_offsets(answer):
    return {**answer, "offsets": None, "overflow": [drop_offsets(w) for w in answer["overflow"]]}


def has_wrong_offsets(document):
    """Where the library's own offsets do not point at the tokens' text: affixes count as text when
    bytes fall back, and what BPE drops for want of an unknown token moves what follows.
    """
    document = json.loads(document)
    model = document["model"]
    spells_affixes = model.get("byte_fallback") and (model.get("continuing_subword_prefix") or
                                                     model.get("end_of_word_suffix"))
    drops_bytes = (model["type"] == "BPE" and model.get("unk_token") is None and
                   '"ByteLevel"' in json.dumps(document["pre_tokenizer"]) and
                   len([token for token in model["vocab"] if len(token) == 1]) < 256)
    return spells_affixes or drops_bytes


def with_padding(document):
    """The file names the padding token: our callers do not."""
    padding = {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None,
               "pad_id": 3, "pad_type_id": 0, "pad_token": "[PAD]"}
    return json.dumps({**json.loads(document), "padding": padding})


@pytest.fixture(scope="session")
def questions():
    return rows()


@pytest.mark.parametrize("name,document", CONFIGURATIONS, ids=[n for n, _ in CONFIGURATIONS])
def test_configuration(name, document, build_directory, questions, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(with_padding(document))
    tokenizer = Tokenizer.from_str(document)
    lines = "".join(json.dumps(row) + "\n" for row in questions)
    output = subprocess.run([build_directory / "bin/tokenizer_tool", path, "answers"],
                            input=lines.encode(), check=True, stdout=subprocess.PIPE).stdout
    answers = [json.loads(line) for line in output.decode().split("\n")[:-1]]
    assert len(answers) == len(questions)
    compared = 0
    for row, ours in zip(questions, answers):
        theirs = ask_oracle(tokenizer, row)
        if theirs is None:
            continue
        assert "error" not in ours, (row, ours)
        if "RobertaProcessing" in document:
            ours, theirs = drop_window_types(ours), drop_window_types(theirs)
        if has_wrong_offsets(document):
            ours, theirs = drop_offsets(ours), drop_offsets(theirs)
        assert drop_window_offsets(ours, row) == drop_window_offsets(theirs, row), row
        compared += 1
    assert compared > len(questions) // 2


def test_there_are_many_configurations():
    assert len(CONFIGURATIONS) >= 200
