"""aios tokenizer train."""
import json


def test_trains_and_writes(succeed, root, tmp_path):
    text = root / "examples/excerpt.txt"
    path = tmp_path / "tokenizer.json"
    line = succeed("tokenizer", "train", text, "--vocab-size", 400, "--output", path,
                   "--special-token", "<mask>")
    assert line == f"wrote {path}: 400 tokens\n"
    document = json.loads(path.read_text())
    assert [token["content"] for token in document["added_tokens"]] == ["<|endoftext|>", "<mask>"]
    ids = succeed("tokenize", "--model", tmp_path, input="The old man<mask>\n")
    assert json.loads(ids)[-1] == 1
    assert succeed("detokenize", "--model", tmp_path, input=ids) == "The old man\n"
    answer = json.loads(succeed("tokenizer", "train", text, text, "--kind", "wordpiece", "--json",
                                "--vocab-size", 300, "--output", tmp_path))
    assert answer["output"] == str(path) and answer["vocab_size"] == 300
    assert answer["seconds"]["train"] > 0


def test_bad_options(fail, root, tmp_path):
    words = ("tokenizer", "train", root / "examples/excerpt.txt", "--output", tmp_path / "t.json")
    assert "--kind must be bpe or wordpiece" in fail(2, *words, "--kind", "x")
    assert "vocab_size must be at least 1" in fail(2, *words, "--vocab-size", 0)
    assert "cannot read" in fail(1, "tokenizer", "train", tmp_path / "absent", "--output",
                                 tmp_path / "t.json")
