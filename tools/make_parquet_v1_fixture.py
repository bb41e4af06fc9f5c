#!/usr/bin/env python3
"""Writes tests/storage/data/v1.parquet: a tiny Parquet V1 model, as pyarrow writes one by default.

V1 (docs/formats/parquet-v2.md, "Version 1") asks for five columns and leaves encoding, compression
and row groups to the writer: Snappy, dictionaries and two row groups here.
"""
import argparse
import math
import struct

import pyarrow as pa
import pyarrow.parquet as pq

TENSORS = [
    ("embedding.weight", [4, 3], "f32", struct.pack("<12f", *(i / 8 for i in range(12)))),
    ("norm.weight", [2], "bf16", struct.pack("<2H", 0x3F80, 0x4000)),
    ("norm.bias", [2], "f16", struct.pack("<2e", 1, -1)),
    ("position_ids", [1, 3], "i64", struct.pack("<3q", 0, 1, 2)),
    ("scale", [], "f32", struct.pack("<f", 0.5)),
]

SCHEMA = pa.schema([
    ("layer_name", pa.string()),
    ("shape", pa.list_(pa.int32())),
    ("dtype", pa.string()),
    ("data", pa.binary()),
    ("num_params", pa.int64()),
])


def make_rows() -> list[dict]:
    return [
        {"layer_name": name, "shape": shape, "dtype": dtype, "data": data,
         "num_params": math.prod(shape)}
        for name, shape, dtype, data in TENSORS
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", nargs="?", default="tests/storage/data/v1.parquet")
    table = pa.Table.from_pylist(make_rows(), schema=SCHEMA)
    pq.write_table(table, parser.parse_args().output, row_group_size=3)


if __name__ == "__main__":
    main()
