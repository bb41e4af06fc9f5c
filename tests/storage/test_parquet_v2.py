"""The engine's Parquet V2 against the independent reader and writer of tools/parquet_v2.py."""
from pathlib import Path

import make_parquet_v1_fixture
import numpy as np
import parquet_v2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SHARD_BYTES = 65536


@pytest.mark.parametrize("max_value_bytes", [parquet_v2.MAX_VALUE_BYTES, SHARD_BYTES])
def test_pyarrow_reads_what_the_engine_writes(storage_tool, tensors, tmp_path, max_value_bytes):
    parquet_v2.write_model(tmp_path / "theirs.parquet", tensors)
    storage_tool("copy", tmp_path / "theirs.parquet", tmp_path / "ours.parquet", max_value_bytes)
    assert parquet_v2.read_model(tmp_path / "ours.parquet") == tensors
    table = pq.read_table(tmp_path / "ours.parquet")
    assert table.num_rows == len(tensors) + (2 if max_value_bytes == SHARD_BYTES else 0)


@pytest.mark.parametrize("max_value_bytes", [parquet_v2.MAX_VALUE_BYTES, SHARD_BYTES])
def test_the_engine_reads_what_pyarrow_writes(storage_tool, tensors, tmp_path, max_value_bytes):
    parquet_v2.write_model(tmp_path / "theirs.parquet", tensors, max_value_bytes)
    assert parquet_v2.read_model(tmp_path / "theirs.parquet") == tensors
    storage_tool("verify", tmp_path / "theirs.parquet")
    storage_tool("copy", tmp_path / "theirs.parquet", tmp_path / "ours.safetensors")
    storage_tool("copy", tmp_path / "ours.safetensors", tmp_path / "ours.parquet")
    assert parquet_v2.read_model(tmp_path / "ours.parquet") == tensors


def test_a_rewritten_file_still_loads(storage_tool, tensors, tmp_path):
    """A tool that knows nothing of the profile keeps the footer's metadata, but not the layout."""
    parquet_v2.write_model(tmp_path / "model.parquet", tensors)
    table = pq.read_table(tmp_path / "model.parquet")
    reordered = pa.concat_tables([table.slice(3), table.slice(0, 3)])
    pq.write_table(reordered, tmp_path / "rewritten.parquet", row_group_size=5)
    storage_tool("copy", tmp_path / "rewritten.parquet", tmp_path / "ours.parquet")
    assert parquet_v2.read_model(tmp_path / "ours.parquet") == tensors


def test_both_find_a_flipped_bit(storage_tool, tensors, tmp_path):
    path = tmp_path / "model.parquet"
    parquet_v2.write_model(path, tensors)
    content = bytearray(path.read_bytes())
    content[content.find(tensors["f32.weight"].data)] ^= 1
    path.write_bytes(content)
    assert "CRC" in storage_tool("verify", path, check=False)
    with pytest.raises(OSError, match="CRC"):
        parquet_v2.read_model(path)


def test_pyarrow_reads_embeddings(storage_tool, tmp_path):
    storage_tool("embeddings", tmp_path / "e.parquet")
    table = pq.read_table(tmp_path / "e.parquet")
    assert table.schema.field("embedding").type == pa.list_(
        pa.field("item", pa.float32(), nullable=False), 2)
    assert table["text"].to_pylist() == ["one", "", "zw\u00f6lf"]
    assert table["embedding"].to_pylist() == [[0.25, -1], [3, 4], [np.float32(5e-30), 6]]


def test_numpy_reads_matrices(storage_tool, tmp_path):
    storage_tool("npy", tmp_path / "m.npy")
    matrix = np.load(tmp_path / "m.npy")
    assert matrix.dtype == np.float32
    assert matrix.tolist() == [[0, 0.5, 1], [1.5, 2, 2.5]]


def test_the_v1_fixture_is_what_its_recipe_makes(root: Path):
    fixture = pq.read_table(root / "tests/storage/data/v1.parquet")
    assert fixture.to_pylist() == make_parquet_v1_fixture.make_rows()
