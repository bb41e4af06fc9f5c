"""Fixtures of the command line's tests."""
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Callable

import pytest

Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="session")
def run(aios) -> Run:
    """Runs `aios` with the given words; text in and out unless told otherwise."""
    environment = {name: value for name, value in os.environ.items() if name != "AIOS_MODEL"}

    def run_aios(*words, **options) -> subprocess.CompletedProcess:
        options.setdefault("text", True)
        options.setdefault("timeout", 120)
        if "stdout" not in options:
            options["capture_output"] = True
        return subprocess.run([str(aios), *map(str, words)], check=False,
                              env=options.pop("env", environment), **options)

    return run_aios


@pytest.fixture(scope="session")
def succeed(run) -> Callable[..., str]:
    """Runs `aios`, which must succeed and say nothing else; gives its standard output."""

    def run_to_success(*words, **options) -> str:
        result = run(*words, **options)
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        return result.stdout

    return run_to_success


@pytest.fixture(scope="session")
def fail(run) -> Callable[..., str]:
    """Runs `aios`, which must fail with `status` and one line `error: ...`; gives that line."""

    def run_to_failure(status: int, *words, **options) -> str:
        result = run(*words, **options)
        assert result.returncode == status, result.stderr
        assert result.stdout in ("", None)
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1 and result.stderr.endswith("\n")
        return result.stderr

    return run_to_failure


@pytest.fixture(scope="session")
def books(root) -> Path:
    """The default model."""
    return root / "models/books-6m"


@pytest.fixture(scope="session")
def without_tokenizer(root) -> Path:
    """A tiny random decoder, a folder of Hugging Face, that has no tokenizer."""
    return root / "tests/parity/fixtures/dream_dual_mode"


@pytest.fixture(scope="session")
def encoder(root, tmp_path_factory) -> Path:
    """A tiny random BERT with a vocabulary of a few words, as sentence-transformers stores it."""
    folder = tmp_path_factory.mktemp("models") / "encoder"
    shutil.copytree(root / "tests/parity/fixtures/bert_hidden_states", folder)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "dog", "sat", "ran", "far"]
    special = [{"id": words.index(word), "content": word, "special": True, "single_word": False,
                "lstrip": False, "rstrip": False, "normalized": False} for word in words[:5]]
    template = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    tokenizer = {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst",
                       "stride": 0},
        "padding": None,
        "added_tokens": special,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing", "single": template, "pair": template,
            "special_tokens": {word: {"id": word, "ids": [words.index(word)], "tokens": [word]}
                               for word in ("[CLS]", "[SEP]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100,
                  "vocab": {word: index for index, word in enumerate(words)}}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 8}))
    (folder / "modules.json").write_text(json.dumps([
        {"type": "sentence_transformers.models.Transformer", "path": ""},
        {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling/config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    return folder
