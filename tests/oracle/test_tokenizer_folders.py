"""Folders without tokenizer.json, against transformers' own reading of them: 0 differences."""
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoTokenizer

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests/oracle"))

import test_tokenizer  # noqa: E402
import tokenizer_goldens  # noqa: E402

# Each: the published folder, the files taken from it, and what its configs say.
FOLDERS = {
    "gpt2": ("tok-gpt2", ["vocab.json", "merges.txt"], {"config.json": {"model_type": "gpt2"}}),
    "gpt2-prefix": ("tok-gpt2", ["vocab.json", "merges.txt"], {"tokenizer_config.json": {
        "tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}}),
    "qwen3": ("tok-qwen3-sdar", ["vocab.json", "merges.txt", "added_tokens.json",
                                 "tokenizer_config.json", "special_tokens_map.json"], {}),
    "bert": ("tok-bert-uncased", ["vocab.txt"], {"config.json": {"model_type": "bert"}}),
    "bert-cased": ("tok-bert-uncased", ["vocab.txt"], {"tokenizer_config.json": {
        "tokenizer_class": "BertTokenizer", "do_lower_case": False}}),
    "bert-accents": ("tok-bert-uncased", ["vocab.txt"], {"tokenizer_config.json": {
        "tokenizer_class": "BertTokenizerFast", "strip_accents": False,
        "tokenize_chinese_chars": False}}),
}


def add_roberta(folder):
    """RoBERTa's folder with GPT-2's vocabulary, which has its tokens at other ids."""
    vocabulary = json.loads((folder / "vocab.json").read_text())
    for token in ("<s>", "</s>", "<unk>", "<pad>", "<mask>"):
        vocabulary[token] = len(vocabulary)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "config.json").write_text('{"model_type": "roberta"}')


def make_folder(name, shared, folder):
    source, files, configs = FOLDERS["gpt2" if name == "roberta" else name]
    for file in files:
        shutil.copyfile(shared / "data" / source / file, folder / file)
    for file, content in configs.items():
        (folder / file).write_text(json.dumps(content))
    if name == "roberta":
        add_roberta(folder)


@pytest.mark.parametrize("name", [*FOLDERS, "roberta"])
def test_folder(name, shared_directory, build_directory, tmp_path):
    make_folder(name, shared_directory, tmp_path)
    oracle = AutoTokenizer.from_pretrained(tmp_path)
    texts = [*tokenizer_goldens.TEXTS, *tokenizer_goldens.MARKED, "<s>a</s> <mask>b",
             *test_tokenizer.random_strings(3000, seed=11)]
    rows = [{"first": text, "characters": True} for text in texts]
    rows += [{"first": first, "second": second, "characters": True}
             for first, second in zip(texts[:200], texts[200:400])]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    tool = build_directory / "bin/tokenizer_tool"
    answers = subprocess.run([tool, tmp_path, "answers"], input=lines, text=True, check=True,
                             stdout=subprocess.PIPE).stdout.split("\n")[:-1]
    backend = oracle.backend_tokenizer
    backend.no_truncation()
    for row, line in zip(rows, answers, strict=True):
        answer = json.loads(line)
        expected = backend.encode(row["first"], row.get("second"))
        assert answer["ids"] == expected.ids, row
        assert answer["offsets"] == [list(pair) for pair in expected.offsets], row
        assert answer["type_ids"] == expected.type_ids, row
        assert answer["special"] == expected.special_tokens_mask, row
        for key, skip in (("decoded", False), ("plain", True)):
            assert answer[key] == backend.decode(expected.ids, skip_special_tokens=skip), row
