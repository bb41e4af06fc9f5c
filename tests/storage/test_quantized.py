"""Quantised tensors in Parquet V2: the engine against the reader and writer of tools/parquet_v2.py,
and the weights that they stand for against tools/panel_32.py."""
import json
import struct
import subprocess
from pathlib import Path

import numpy as np
import panel_32
import parquet_v2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SHARD_BYTES = 65536


@pytest.fixture
def quantized() -> dict[str, parquet_v2.Tensor]:
    """Random parts of every type and group size, tails included, and one of several shards."""
    generator = np.random.default_rng(5)

    def tensor(quant_type: str, group_size: int, shape: list[int]) -> parquet_v2.Tensor:
        sizes = panel_32.part_sizes(quant_type, group_size, shape)
        scales = np.exp(generator.uniform(-12, -2, sizes["scales"] // 2)).astype("<f2").tobytes()
        return parquet_v2.Tensor("bf16", shape, generator.bytes(sizes["data"]), quant_type,
                                 group_size, scales, generator.bytes(sizes["zero_points"]))

    made = {f"{quant_type} {group_size} {depth}": tensor(quant_type, group_size, [33, depth])
            for quant_type in panel_32.BITS for group_size in panel_32.GROUP_SIZES
            for depth in (1, 31, 88, 384)}
    made["norm"] = parquet_v2.Tensor("f32", [2], b"\0\0\x80\x3f" * 2)
    made["large"] = tensor("int4", 128, [96, 3000])
    return made


@pytest.mark.parametrize("max_value_bytes", [parquet_v2.MAX_VALUE_BYTES, SHARD_BYTES])
def test_each_reads_what_the_other_writes(storage_tool, quantized, tmp_path, max_value_bytes):
    parquet_v2.write_model(tmp_path / "theirs.parquet", quantized, max_value_bytes)
    assert parquet_v2.read_model(tmp_path / "theirs.parquet") == quantized
    storage_tool("verify", tmp_path / "theirs.parquet")
    storage_tool("copy", tmp_path / "theirs.parquet", tmp_path / "ours.parquet", max_value_bytes)
    assert parquet_v2.read_model(tmp_path / "ours.parquet") == quantized


def test_scales_and_zero_points_stand_in_the_first_shard(storage_tool, quantized, tmp_path):
    parquet_v2.write_model(tmp_path / "theirs.parquet", quantized)
    storage_tool("copy", tmp_path / "theirs.parquet", tmp_path / "ours.parquet", SHARD_BYTES)
    rows = [row for row in pq.read_table(tmp_path / "ours.parquet").to_pylist()
            if row["layer_name"] == "large"]
    assert [row["shard_index"] for row in rows] == [0, 1, 2]
    large = quantized["large"]
    assert (rows[0]["scales"], rows[0]["zero_points"]) == (large.scales, large.zero_points)
    assert all(row["scales"] == row["zero_points"] == b"" for row in rows[1:])


def test_a_rewritten_file_still_loads(storage_tool, quantized, tmp_path):
    parquet_v2.write_model(tmp_path / "model.parquet", quantized)
    table = pq.read_table(tmp_path / "model.parquet")
    pq.write_table(pa.concat_tables([table.slice(7), table.slice(0, 7)]),
                   tmp_path / "rewritten.parquet", row_group_size=5)
    storage_tool("copy", tmp_path / "rewritten.parquet", tmp_path / "ours.parquet")
    assert parquet_v2.read_model(tmp_path / "ours.parquet") == quantized


def spoiled_scale(value: float):
    return lambda row: row.update(scales=np.float16(value).tobytes() + row["scales"][2:])


@pytest.mark.parametrize("spoil", [
    spoiled_scale(0), spoiled_scale(-1), spoiled_scale(np.inf), spoiled_scale(np.nan),
    lambda row: row.update(scales=row["scales"][:-2]),
    lambda row: row.update(zero_points=b""),
    lambda row: row.update(data=row["data"][:-1]),
    lambda row: row.update(group_size=48),
    lambda row: row.update(quant_axis=0),
    lambda row: row.update(layout="row_major"),
    lambda row: row.update(quant_type="int3"),
    lambda row: row.update(shape=[33 * 88]),
])
def test_both_refuse_what_the_specification_forbids(storage_tool, quantized, tmp_path, monkeypatch,
                                                    spoil):
    good_rows = parquet_v2.rows_of

    def spoiled_rows(name, tensor, max_value_bytes):
        rows = good_rows(name, tensor, max_value_bytes)
        spoil(rows[0])
        return rows

    monkeypatch.setattr(parquet_v2, "rows_of", spoiled_rows)
    path = tmp_path / "bad.parquet"
    parquet_v2.write_model(path, {"w": quantized["int4 128 88"]})
    with pytest.raises(parquet_v2.FormatError, match="w: "):
        parquet_v2.read_model(path)
    assert "tensor 'w'" in storage_tool("verify", path, check=False)


def f32_tensors(path: Path) -> dict[str, np.ndarray]:
    """Those of a safetensors file."""
    content = path.read_bytes()
    (header_size,) = struct.unpack_from("<Q", content)
    start = 8 + header_size
    return {name: np.frombuffer(content[start:][slice(*info["data_offsets"])],
                                "<f4").reshape(info["shape"])
            for name, info in json.loads(content[8:start]).items() if info.get("dtype") == "F32"}


@pytest.mark.parametrize("options", [["int8"], ["int8", "--group-size", "32"], ["int4"],
                                     ["int4", "--group-size", "0"], ["int2"]])
def test_numpy_gets_the_weights_that_export_writes(aios, root, tmp_path, options):
    """Bit for bit: nothing is rounded on the way from a code to an f32."""
    source = root / "tests/parity/fixtures/qwen2_untied"
    for words in (["convert", source, tmp_path / "quantized", "--dtype", *options],
                  ["export", tmp_path / "quantized", tmp_path / "exported"]):
        subprocess.run([aios, *words], check=True, capture_output=True)
    tensors = parquet_v2.read_model(tmp_path / "quantized/weights.parquet")
    exported = f32_tensors(tmp_path / "exported/model.safetensors")
    assert {tensor.quant_type for tensor in tensors.values()} >= {"none", options[0]}
    for name, tensor in tensors.items():
        if tensor.is_quantized:
            assert (tensor.dequantized() == exported[name]).all(), name
