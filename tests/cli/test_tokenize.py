"""aios tokenize and detokenize: ids, offsets, whole answers, pairs, and the view of tokens."""
import json
import os

import pytest

from test_terminal import Terminal

TEXT = "a cat sat, é"


def test_ids_with_offsets(succeed, encoder):
    plain = json.loads(succeed("tokenize", "--model", encoder, input=TEXT))
    in_bytes = json.loads(succeed("tokenize", "--model", encoder, "--offsets", "bytes",
                                  input=TEXT + "\n"))
    in_characters = json.loads(succeed("tokenize", "--model", encoder, "--offsets", "characters",
                                       input=TEXT))
    assert [triple[0] for triple in in_bytes] == plain == [2, 5, 6, 8, 1, 1, 3]
    spans = [[0, 0], [0, 1], [2, 5], [6, 9], [9, 10], [11, 13], [0, 0]]
    assert [triple[1:] for triple in in_bytes] == spans
    assert [triple[1:] for triple in in_characters] == [*spans[:5], [11, 12], [0, 0]]


def test_texts_as_arguments(succeed, fail, encoder):
    lines = succeed("tokenize", "--model", encoder, "a cat", "far cat", "--no-special-tokens")
    assert lines == "[5,6]\n[10,6]\n"
    assert succeed("tokenize", "--model", encoder, input="") == ""
    assert "--input" in fail(2, "tokenize", "--model", encoder, "a cat", "--input", "-")


def test_whole_answers(succeed, encoder):
    answer = json.loads(succeed("tokenize", "--model", encoder, "--json", input="a cat\n"))
    assert answer == {"ids": [2, 5, 6, 3], "tokens": ["[CLS]", "a", "cat", "[SEP]"],
                      "offsets": [[0, 0], [0, 1], [2, 5], [0, 0]],
                      "word_ids": [None, 0, 1, None], "type_ids": [0, 0, 0, 0],
                      "special_tokens_mask": [1, 0, 0, 1], "attention_mask": [1, 1, 1, 1]}
    lines = succeed("tokenize", "--model", encoder, "--json", "--no-special-tokens",
                    input="a\nfar cat\n").splitlines()
    assert [json.loads(line)["ids"] for line in lines] == [[5], [10, 6]]


def test_pairs(succeed, fail, tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n")
    answer = json.loads(succeed("tokenize", "--model", folder, "--pairs", "--json",
                                input="a\tb a\n"))
    assert answer["tokens"] == ["[CLS]", "a", "[SEP]", "b", "a", "[SEP]"]
    assert answer["type_ids"] == [0, 0, 0, 1, 1, 1]
    assert answer["offsets"] == [[0, 0], [0, 1], [0, 0], [0, 1], [2, 3], [0, 0]]
    for text in ("a b", "a\tb\tc"):
        assert "line 1: --pairs takes two texts" in fail(2, "tokenize", "--model", folder,
                                                         "--pairs", input=text)


def test_back_to_text(succeed):
    line = json.loads(succeed("tokenize", "--no-special-tokens", input="One day."))
    answer = json.loads(succeed("detokenize", "--json", input=json.dumps(line)))
    assert answer["text"] == "One day." and answer["ids"] == line
    pieces = [answer["text"][begin:end] for begin, end in answer["offsets"]]
    assert "".join(pieces) == "One day." and len(pieces) == len(answer["tokens"]) == len(line)
    with_end = json.dumps([*line, 0])
    assert succeed("detokenize", input=with_end) == "One day.\n"
    name = json.loads(succeed("detokenize", "--json", input="[0]"))["tokens"][0]
    assert succeed("detokenize", "--special-tokens", input=with_end) == f"One day.{name}\n"


def test_show_in_a_pipe(succeed, encoder):
    line = succeed("tokenize", "--model", encoder, "--show", input="a cat\n")
    assert line == "[CLS]│ a│ cat│ [SEP]\n"
    assert succeed("detokenize", "--model", encoder, "--show", input="[2,5,6,3]\n") == line


@pytest.mark.parametrize("no_color", ["", "1"])
def test_show_in_a_terminal(aios, encoder, tmp_path, no_color):
    path = tmp_path / "text.txt"
    path.write_text("a cat\n")
    terminal = Terminal(aios, "tokenize", "--model", encoder, "--show", "--input", path,
                        env={**os.environ, "NO_COLOR": no_color})
    assert terminal.finish() == 0
    if no_color:
        assert terminal.output.decode() == "[CLS]│ a│ cat│ [SEP]\r\n"
    else:
        assert terminal.output == (b"\x1b[2m[CLS]\x1b[0m\x1b[30;42m a\x1b[0m"
                                   b"\x1b[30;43m cat\x1b[0m\x1b[2m [SEP]\x1b[0m\r\n")


def test_flags_that_contradict(fail):
    assert "--offsets must be bytes or characters" in fail(2, "tokenize", "--offsets", "words",
                                                           input="")
    assert "leave out --json" in fail(2, "tokenize", "--show", "--json", input="")
    assert "leave out --offsets" in fail(2, "tokenize", "--show", "--offsets", "bytes", input="")
    assert "leave out --json" in fail(2, "detokenize", "--show", "--json", input="")
