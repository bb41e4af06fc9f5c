"""Writing with `--memory`: what was found stands before the prompt, and in the answer."""
import json

import pytest

NOTES = ["a cat sat far", "the captain's name was Silas Orne", "a dog ran"]


@pytest.fixture(scope="module", name="notes")
def fixture_notes(succeed, encoder, tmp_path_factory):
    store = tmp_path_factory.mktemp("guidance") / "notes"
    succeed("memory", "add", store, "--model", encoder, *NOTES)
    return store


@pytest.mark.parametrize("words", [
    ("generate", "Who was the captain?", "--max-new-tokens", "4"),
    ("diffuse", "Who was the captain?", "--max-new-tokens", "4"),
    ("infill", "Who was the captain? [[3]]."),
])
def test_memories_are_used_and_named(succeed, books, encoder, notes, words):
    plain = json.loads(succeed(*words, "--model", books, "--json"))
    assert "memories" not in plain
    answer = json.loads(succeed(*words, "--model", books, "--json", "--memory", notes,
                                "--memory-encoder", encoder, "--memory-top-k", "1",
                                "--memory-filter", "content match 'captain'"))
    assert [memory["content"] for memory in answer["memories"]] == NOTES[1:2]
    assert 0 < answer["memories"][0]["score"] <= 1
    assert "Notes from memory" not in answer["text"]
    assert f"> {NOTES[1]}\n" in answer["recollections"]
    if words[0] == "infill":
        assert answer["text"].startswith("Who was the captain? ")
    else:
        assert answer["num_prompt_tokens"] > plain["num_prompt_tokens"] + 10


@pytest.mark.parametrize("words", [("diffuse", "a dog"), ("infill", "a dog [[8]] far.")])
def test_memories_are_looked_for_again(succeed, books, encoder, notes, words):
    def answer(*flags):
        return json.loads(succeed(*words, "--model", books, "--json", "--num-steps", 8, "--seed", 1,
                                  "--temperature", 1, "--memory", notes, "--memory-encoder",
                                  encoder, "--memory-top-k", "1", *flags))

    once, often = answer(), answer("--memory-refresh", 1)
    assert len(once["memories"]) == 1 <= len(often["memories"])
    assert once["recollections"] == often["recollections"]
    same = ("text", "token_ids", "memories", "num_steps")
    assert [answer("--memory-refresh", 1, "--threads", 1)[name] for name in same] == [
        often[name] for name in same]
    assert [answer("--memory-refresh", 0)[name] for name in same] == [once[name] for name in same]


def test_notes_are_not_among_the_tokens_of_an_infill(succeed, books, encoder, notes):
    words = ("infill", "Who was the captain? [[3]].", "--model", books, "--logprobs", "--json")
    plain = json.loads(succeed(*words))
    answer = json.loads(succeed(*words, "--memory", notes, "--memory-encoder", encoder))
    assert answer["recollections"]
    assert len(answer["token_ids"]) == len(plain["token_ids"]) == len(answer["logprobs"])
    assert succeed("detokenize", "--model", books, input=json.dumps(answer["token_ids"])) == (
        answer["text"] + "\n")


def test_wrong_use(fail, books, encoder, notes, tmp_path):
    words = ("generate", "a", "--model", books, "--memory-encoder", encoder)
    assert "holds no memory store" in fail(1, *words, "--memory", tmp_path / "none")
    assert "filter names no field" in fail(2, *words, "--memory", notes, "--memory-filter", "x = 1")
    assert "--memory-refresh requires --memory" in fail(2, "diffuse", "a", "--memory-refresh", 2)
    assert "--memory-filter requires --memory" in fail(2, *words[:4], "--memory-filter", "a = 1")
    for command in ("generate", "chat"):
        assert "--memory-refresh is for diffuse and infill" in fail(
            2, command, "--memory", notes, "--memory-refresh", 2)
    assert "--memory-refresh" in fail(2, "diffuse", "a", "--memory", notes, "--memory-refresh", -1)
    assert "memory_max_tokens" in fail(2, *words, "--memory", notes, "--memory-max-tokens", "0")
