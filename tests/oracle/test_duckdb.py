"""DuckDB, which shares no code with Arrow, reads the engine's Parquet files to the same bytes."""
import hashlib
import random
import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import parquet_v2  # noqa: E402


@pytest.fixture
def tensors() -> dict[str, parquet_v2.Tensor]:
    source = random.Random(7)
    made = {f"layers.{i}.weight": parquet_v2.Tensor("bf16", [i + 1, 64],
                                                    source.randbytes(128 * (i + 1)))
            for i in range(50)}
    made["scalar"] = parquet_v2.Tensor("f32", [], source.randbytes(4))
    made["large"] = parquet_v2.Tensor("u8", [150_001], source.randbytes(150_001))
    return made


def write_ours(storage_tool, tensors, folder: Path, *arguments) -> Path:
    parquet_v2.write_model(folder / "theirs.parquet", tensors)
    storage_tool("copy", folder / "theirs.parquet", folder / "ours.parquet", *arguments)
    return folder / "ours.parquet"


def test_reads_the_same_bytes(storage_tool, tensors, tmp_path):
    path = write_ours(storage_tool, tensors, tmp_path)
    rows = duckdb.sql(f"SELECT layer_name, shape, dtype, md5(data) FROM '{path}'").fetchall()
    assert rows == [(name, tensor.shape, tensor.dtype, hashlib.md5(tensor.data).hexdigest())
                    for name, tensor in tensors.items()]


def test_joins_shards(storage_tool, tensors, tmp_path):
    path = write_ours(storage_tool, tensors, tmp_path, 65536)
    shards = duckdb.sql(f"SELECT data FROM '{path}' WHERE layer_name = 'large' "
                        "ORDER BY shard_index").fetchall()
    assert len(shards) == 3
    assert b"".join(row[0] for row in shards) == tensors["large"].data


def test_counts_parameters(storage_tool, tensors, tmp_path):
    path = write_ours(storage_tool, tensors, tmp_path)
    query = f"SELECT sum(num_params) FROM '{path}' WHERE shard_index = 0 AND dtype = 'bf16'"
    assert duckdb.sql(query).fetchall() == [(sum(64 * (i + 1) for i in range(50)),)]


def test_the_engine_reads_what_duckdb_writes(storage_tool, tensors, tmp_path):
    path = write_ours(storage_tool, tensors, tmp_path)
    duckdb.sql(f"COPY (SELECT * FROM '{path}' ORDER BY layer_name) TO '{tmp_path}/duck.parquet'")
    storage_tool("verify", tmp_path / "duck.parquet")
    storage_tool("copy", tmp_path / "duck.parquet", tmp_path / "again.parquet")
    again = parquet_v2.read_model(tmp_path / "again.parquet")
    assert again == dict(sorted(tensors.items()))


def test_reads_embeddings(storage_tool, tmp_path):
    storage_tool("embeddings", tmp_path / "e.parquet")
    rows = duckdb.sql(f"SELECT text, embedding FROM '{tmp_path}/e.parquet'").fetchall()
    assert [row[0] for row in rows] == ["one", "", "zw\u00f6lf"]
    assert [list(row[1]) for row in rows[:2]] == [[0.25, -1], [3, 4]]
