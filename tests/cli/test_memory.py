"""`aios memory`: a store made, searched and cut down by the program."""
import json
import shutil

import pyarrow.parquet
import pytest

TEXTS = ["the ferns want water", "the train leaves at nine", "roses want pruning in winter"]


@pytest.fixture(name="store")
def fixture_store(succeed, encoder, tmp_path):
    folder = tmp_path / "store"
    ids = succeed("memory", "add", folder, "--model", encoder, *TEXTS, "--category",
                  "notes").split()
    assert len(set(ids)) == 3
    return folder


def contents(succeed, store, *flags):
    return [json.loads(line)["content"]
            for line in succeed("memory", "list", store, "--json", *flags).splitlines()]


def test_what_was_added_is_listed_and_found(succeed, encoder, store):
    assert contents(succeed, store) == TEXTS
    assert contents(succeed, store, "--filter", 'content match "train"') == TEXTS[1:2]
    assert contents(succeed, store, "--filter", "category = 'other'") == []
    for text in TEXTS:
        hits = succeed("memory", "search", store, text, "--model", encoder, "--top-k", "1",
                       "--json").splitlines()
        assert [json.loads(hit)["content"] for hit in hits] == [text]
    words = succeed("memory", "search", store, "roses", "--text-only", "--json").splitlines()
    assert [json.loads(hit)["content"] for hit in words] == TEXTS[2:]


def test_what_was_forgotten_is_in_no_file(succeed, store):
    memories = [json.loads(line) for line in
                succeed("memory", "list", store, "--json").splitlines()]
    succeed("memory", "checkpoint", store)
    assert succeed("memory", "forget", store, memories[1]["memory_id"]) == "1\n"
    assert contents(succeed, store) == [TEXTS[0], TEXTS[2]]
    succeed("memory", "checkpoint", store)
    rows = [row for path in store.glob("segment-*.parquet")
            for row in pyarrow.parquet.read_table(path)["content"].to_pylist()]
    assert sorted(rows) == sorted([TEXTS[0], TEXTS[2]])
    for path in store.iterdir():
        assert b"train leaves" not in path.read_bytes()
        assert memories[1]["memory_id"].encode() not in path.read_bytes()
    report = json.loads(succeed("memory", "verify", store))
    assert report["num_memories"] == 2


def test_memories_travel_by_file(succeed, fail, encoder, store, tmp_path):
    rows = [json.loads(line) for line in succeed("memory", "list", store, "--json").splitlines()]
    for name in ("all.parquet", "all.jsonl"):
        assert succeed("memory", "export", store, tmp_path / name) == "3\n"
        copy = tmp_path / f"copy-{name}"
        assert succeed("memory", "import", copy, tmp_path / name, "--model", encoder) == "3\n"
        assert succeed("memory", "import", copy, tmp_path / name, "--model", encoder) == "0\n"
        assert [json.loads(line) for line in
                succeed("memory", "list", copy, "--json").splitlines()] == rows
    assert pyarrow.parquet.read_table(tmp_path / "all.parquet")["content"].to_pylist() == TEXTS
    text = json.dumps({"content": "one more", "memory_id": "x"})
    assert succeed("memory", "import", store, "-", "--model", encoder, input=text) == "1\n"
    assert contents(succeed, store) == [*TEXTS, "one more"]
    assert succeed("memory", "backup", store, tmp_path / "backup") == ""
    assert contents(succeed, tmp_path / "backup") == [*TEXTS, "one more"]
    assert "is there already" in fail(1, "memory", "backup", store, tmp_path / "backup")
    assert "say --format" in fail(2, "memory", "export", store, tmp_path / "all.csv")
    assert "cannot read" in fail(1, "memory", "import", store, tmp_path / "none.jsonl")


def test_vectors_are_made_anew_by_another_model(succeed, fail, encoder, store, tmp_path):
    other = shutil.copytree(encoder, tmp_path / "other")
    assert "aios memory reembed" in fail(1, "memory", "add", store, "--model", other, "one more")
    assert json.loads(succeed("memory", "reembed", store, "--model", other, "--json")) == {
        "num_embedded": 3, "num_resumed": 0}
    assert json.loads(succeed("memory", "stats", store))["collections"][0][
        "embedding_model"] == "other"
    assert TEXTS[1] in succeed("memory", "search", store, TEXTS[1], "--top-k", "1", "--model",
                               other)
    assert succeed("memory", "reembed", store, "--model", other) == "0\n"
    assert "no collection 'none'" in fail(1, "memory", "reembed", store, "--collection", "none",
                                          "--model", other)


def test_empty_lines_are_no_memories(succeed, fail, encoder, tmp_path):
    store = tmp_path / "lines"
    ids = succeed("memory", "add", store, "--model", encoder, "--input", "-", "--expires-in", 3600,
                  input="a cat\n\na dog\n").split()
    assert len(ids) == 2 and contents(succeed, store) == ["a cat", "a dog"]
    for line in succeed("memory", "list", store, "--json").splitlines():
        memory = json.loads(line)
        assert abs(memory["expires_at"] - memory["timestamp"] - 3600e6) < 60e6
    assert succeed("memory", "expire", store) == "0\n"
    assert "all are empty" in fail(2, "memory", "add", store, "", "--model", encoder)
    assert "QUERY is empty" in fail(2, "memory", "search", store, "", "--text-only")
    assert "--expires-in" in fail(2, "memory", "add", store, "a", "--expires-in", 0)
    assert "export writes a file" in fail(2, "memory", "export", store, "-")


def test_wrong_use(succeed, fail, encoder, store, tmp_path):
    assert "did you mean 'search'?" in fail(2, "memory", "serch", store)
    assert "holds no memory store" in fail(1, "memory", "list", tmp_path / "nothing")
    assert "there is no memory 'x'" in fail(1, "memory", "get", store, "x")
    assert "filter names no field" in fail(2, "memory", "list", store, "--filter", "categry = 1")
    assert "no text" in fail(2, "memory", "add", store, "--model", encoder)
    other = shutil.copytree(encoder, tmp_path / "other")
    assert "the query's vector is by 'other'" in fail(
        1, "memory", "search", store, "train", "--model", other)
    succeed("memory", "checkpoint", store)  # nothing is left in the log
    catalog = store / "catalog.sqlite"
    catalog.write_bytes(catalog.read_bytes()[:5000])
    assert "memory repair" in fail(1, "memory", "list", store)
    report = json.loads(succeed("memory", "repair", store))
    assert (report["num_memories"], report["num_lost"]) == (3, 0)
    assert contents(succeed, store) == TEXTS
