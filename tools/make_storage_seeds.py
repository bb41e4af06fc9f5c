#!/usr/bin/env python3
"""Writes the first inputs of the storage fuzzers, tests/fuzz/corpus/{parquet,safetensors,
memory_segment}. The last needs a release build."""
import json
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import make_parquet_v1_fixture
import panel_32
import parquet_v2

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests/fuzz/corpus"


def parquet_row(name: str, shape: list[int], data: bytes, shard_index: int = 0) -> dict:
    return {"layer_name": name, "shape": shape, "dtype": "u8", "num_params": shape[0],
            "quant_type": "none", "quant_axis": -1, "group_size": 0, "layout": "row_major",
            "shard_index": shard_index, "scales": b"", "zero_points": b"", "data": data}


def quantized(quant_type: str, group_size: int, shape: list[int]) -> parquet_v2.Tensor:
    """Codes and blocks of ones under scales of 1."""
    sizes = panel_32.part_sizes(quant_type, group_size, shape)
    return parquet_v2.Tensor("f32", shape, b"\1" * sizes["data"], quant_type, group_size,
                             b"\x00\x3c" * (sizes["scales"] // 2), b"\1" * sizes["zero_points"])


def make_parquet(folder: Path) -> None:
    v1 = pa.Table.from_pylist(make_parquet_v1_fixture.make_rows(),
                              schema=make_parquet_v1_fixture.SCHEMA)
    pq.write_table(v1.slice(0, 2), folder / "v1.parquet")
    parquet_v2.write_model(folder / "v2.parquet", {
        "a": parquet_v2.Tensor("f32", [1, 2], struct.pack("<2f", 1, 2)),
        "b": parquet_v2.Tensor("bf16", [], b"\x80\x3f")})
    for quant_type, group_size in (("int8", 0), ("int4", 32), ("int2", 128)):
        parquet_v2.write_model(folder / f"v2_{quant_type}.parquet",
                               {"a": quantized(quant_type, group_size, [2, 33])})
    sharded = pa.Table.from_pylist([parquet_row("a", [5], b"abc"), parquet_row("a", [5], b"de", 1)],
                                   schema=parquet_v2.SCHEMA)
    pq.write_table(sharded, folder / "v2_shards.parquet", compression="NONE", use_dictionary=False,
                   write_statistics=False, store_schema=False)


def make_safetensors(folder: Path) -> None:
    headers = {
        "empty": ({}, b""),
        "two": ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                 "b": {"dtype": "BOOL", "shape": [], "data_offsets": [8, 9]}}, bytes(range(9))),
        "metadata": ({"__metadata__": {"format": "pt"},
                      "a": {"dtype": "BF16", "shape": [0, 3], "data_offsets": [0, 0]}}, b""),
    }
    for name, (header, data) in headers.items():
        text = json.dumps(header, separators=(",", ":")).encode()
        (folder / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def make_memory_segment(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as store:
        subprocess.run([ROOT / "build/release/bin/store_driver", store], check=True, text=True,
                       input="create\nadd 1.1 2.1 3.1@2000000000\ncheckpoint\n",
                       stdout=subprocess.DEVNULL)
        shutil.copy(Path(store) / "segment-00000001.parquet", folder / "three.parquet")


def main() -> None:
    for name, make in {"parquet": make_parquet, "safetensors": make_safetensors,
                       "memory_segment": make_memory_segment}.items():
        (CORPUS / name).mkdir(parents=True, exist_ok=True)
        make(CORPUS / name)


if __name__ == "__main__":
    main()
