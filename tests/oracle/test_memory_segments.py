"""After a checkpoint the Parquet segments alone are the store, to pyarrow and to DuckDB."""
import json
import subprocess

import duckdb
import pyarrow.parquet
import pytest

COLUMNS = ["memory_id", "timestamp", "content", "metadata", "embedding"]


def read_pyarrow(store):
    rows = [row for path in sorted(store.glob("segment-*.parquet"))
            for row in pyarrow.parquet.read_table(path, columns=COLUMNS).to_pylist()]
    for row in rows:
        row["timestamp"] = round(row["timestamp"].timestamp() * 1e6)
    return rows


def read_duckdb(store):
    columns = ", ".join(COLUMNS).replace("timestamp", "epoch_us(timestamp)")
    rows = duckdb.sql(f"SELECT {columns} FROM '{store}/segment-*.parquet'").fetchall()
    return [dict(zip(COLUMNS, row)) for row in rows]


@pytest.mark.parametrize("read", [read_pyarrow, read_duckdb])
def test_after_a_checkpoint_the_segments_are_the_store(aios, tmp_path, read):
    store = tmp_path / "store"

    def memory(command, *words, **options):
        return subprocess.run([aios, "memory", command, store, *map(str, words)], check=True,
                              text=True, capture_output=True, **options).stdout

    rows = [{"memory_id": f"id-{i}", "timestamp": 1_700_000_000_000_000 + i,
             "content": f"memory {i}, “quoted”", "embedding": [i / 7, -1.5, 1.0],
             "metadata": {"category": f"c{i % 3}", "source": "", "quality_score": i / 2048,
                          "extra": {"n": i}}} for i in range(2000)]
    for part in (rows[:900], rows[900:]):
        memory("import", "-", input="\n".join(map(json.dumps, part)))
        memory("checkpoint")
    gone = [f"id-{i}" for i in range(0, 2000, 40)]
    memory("remove", *gone)
    changed = {**rows[5], "content": "another text"}
    memory("import", "-", "--upsert", input=json.dumps(changed))
    memory("checkpoint")

    found = {row["memory_id"]: row for row in read(store)}
    expected = {row["memory_id"]: row for row in (*rows, changed) if row["memory_id"] not in gone}
    assert found.keys() == expected.keys()
    assert len(read(store)) == len(expected)
    for memory_id, row in found.items():
        row["metadata"]["extra"] = json.loads(row["metadata"]["extra"])
        assert row["embedding"] == pytest.approx(expected[memory_id]["embedding"], rel=2**-24)
        assert {**row, "embedding": None} == {**expected[memory_id], "embedding": None}
