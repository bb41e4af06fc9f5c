#!/usr/bin/env python3
"""Reads and writes Parquet V2 model files with pyarrow alone, by docs/formats/parquet-v2.md.

    tools/parquet_v2.py list FILE
    tools/parquet_v2.py check FILE

`list` prints the tensors of a file, `check` whether it obeys every rule of the specification. As a
module, `read_model` and `write_model` are a second implementation that the engine's is tested with.
"""
import argparse
import io
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ALIGNMENT = 64
SHARD_ALIGNMENT = 65536
MAX_VALUE_BYTES = 1 << 30
DTYPE_BYTES = {"f64": 8, "i64": 8, "f32": 4, "i32": 4, "bf16": 2, "f16": 2, "i16": 2, "i8": 1,
               "u8": 1, "bool": 1}
BINARY_COLUMNS = ("scales", "zero_points", "data")


def required(name: str, data_type: pa.DataType) -> pa.Field:
    return pa.field(name, data_type, nullable=False)


SCHEMA = pa.schema([
    required("layer_name", pa.string()),
    required("shape", pa.list_(required("element", pa.int32()))),
    required("dtype", pa.string()),
    required("num_params", pa.int64()),
    required("quant_type", pa.string()),
    required("quant_axis", pa.int32()),
    required("group_size", pa.int32()),
    required("layout", pa.string()),
    required("shard_index", pa.int32()),
    required("scales", pa.binary()),
    required("zero_points", pa.binary()),
    required("data", pa.binary()),
])


class FormatError(ValueError):
    """The file departs from the specification."""


@dataclass
class Tensor:
    dtype: str
    shape: list[int]
    data: bytes


def writer(sink) -> pq.ParquetWriter:
    """A writer of the profile: plain, uncompressed, one page a value, with page checksums."""
    return pq.ParquetWriter(sink, SCHEMA, compression="NONE", use_dictionary=False,
                            column_encoding="PLAIN", data_page_version="1.0",
                            write_statistics=["layer_name"], write_page_checksum=True,
                            store_schema=False)


def value_offset(chunk: pq.ColumnChunkMetaData, value: bytes) -> int:
    """Where the only value of a chunk starts: it is the end of the chunk."""
    return chunk.data_page_offset + chunk.total_compressed_size - len(value)


def dry_run(row: dict) -> tuple[int, int]:
    """Offsets of the `data` chunk and of its value, from the start of the row group.

    A page header holds the page's checksum as a variable-length integer, so only the very same row
    has headers of the same length.
    """
    buffer = io.BytesIO()
    with writer(buffer) as file:
        start = buffer.tell()
        file.write_table(pa.Table.from_pylist([row], schema=SCHEMA))
    chunk = pq.ParquetFile(buffer).metadata.row_group(0).column(len(SCHEMA) - 1)
    return chunk.data_page_offset - start, value_offset(chunk, row["data"]) - start


def write_model(path: str | Path, tensors: dict[str, Tensor],
                max_value_bytes: int = MAX_VALUE_BYTES) -> None:
    """Writes a V2 file. The zeros that align a value lie before its row group here, which pyarrow
    allows; the engine writes them before the column chunk. Readers follow the footer's offsets."""
    directory = []
    with pa.OSFile(str(path), "wb") as sink, writer(sink) as file:
        for name, tensor in tensors.items():
            row = {"layer_name": name, "shape": tensor.shape, "dtype": tensor.dtype,
                   "num_params": math.prod(tensor.shape), "quant_type": "none", "quant_axis": -1,
                   "group_size": 0, "layout": "row_major", "scales": b"", "zero_points": b""}
            sharded = len(tensor.data) > max_value_bytes
            for index in range(max(1, -(-len(tensor.data) // max_value_bytes))):
                row["shard_index"] = index
                row["data"] = tensor.data[index * max_value_bytes:(index + 1) * max_value_bytes]
                chunk_offset, data_offset = dry_run(row)
                alignment = SHARD_ALIGNMENT if sharded else ALIGNMENT
                sink.write(bytes(-(sink.tell() + data_offset) % alignment))
                directory.append({key: value for key, value in row.items()
                                  if key not in BINARY_COLUMNS})
                directory[-1]["data_page_offset"] = sink.tell() + chunk_offset
                file.write_table(pa.Table.from_pylist([row], schema=SCHEMA))
        file.add_key_value_metadata({"aios.format_version": "2",
                                     "aios.directory": json.dumps(directory)})


def check_chunks(file: pq.ParquetFile, index: int, row: dict, last_shard: bool) -> None:
    """The physical rules: what a zero-copy reader relies on."""
    group = file.metadata.row_group(index)
    name = row["layer_name"]
    if group.num_rows != 1:
        raise FormatError(f"row group {index} has {group.num_rows} rows, not 1")
    sharded = row["shard_index"] > 0 or not last_shard
    for number in range(group.num_columns):
        chunk = group.column(number)
        column = chunk.path_in_schema
        if chunk.compression != "UNCOMPRESSED" or chunk.has_dictionary_page:
            raise FormatError(f"{name}: column {column} is compressed or has a dictionary")
        if not set(chunk.encodings) <= {"PLAIN", "RLE"}:  # RLE: the levels of `shape`
            raise FormatError(f"{name}: column {column} is encoded as {chunk.encodings}")
        if column not in BINARY_COLUMNS:
            continue
        if not row[column]:
            continue
        offset = value_offset(chunk, row[column])
        alignment = SHARD_ALIGNMENT if sharded and column == "data" else ALIGNMENT
        if offset % alignment:
            raise FormatError(f"{name}: {column} starts at byte {offset}, not on {alignment}")
        if column == "data" and not last_shard and len(row[column]) % SHARD_ALIGNMENT:
            raise FormatError(f"{name}: shard {row['shard_index']} ends off its boundary")


def check_directory(file: pq.ParquetFile, rows: list[dict]) -> None:
    metadata = file.metadata.metadata or {}
    if metadata.get(b"aios.format_version") != b"2":
        raise FormatError("the footer lacks aios.format_version 2")
    if b"aios.directory" not in metadata:
        return  # it is optional
    data_column = file.schema.names.index("data") if "data" in file.schema.names else -1
    entries = json.loads(metadata[b"aios.directory"])
    for index, (entry, row) in enumerate(zip(entries, rows, strict=True)):
        chunk = file.metadata.row_group(index).column(data_column)
        expected = {key: value for key, value in row.items() if key not in BINARY_COLUMNS}
        expected["data_page_offset"] = chunk.data_page_offset
        if entry != expected:
            raise FormatError(f"the directory contradicts row group {index}")


def join_rows(rows: list[dict]) -> dict[str, Tensor]:
    """Tensors from rows: shards follow each other and repeat what is said of the whole."""
    tensors: dict[str, Tensor] = {}
    num_shards: dict[str, int] = {}
    for row in rows:
        name = row["layer_name"]
        if row["shard_index"] != num_shards.get(name, 0):
            raise FormatError(f"{name}: shard {row['shard_index']} is out of order or there twice")
        num_shards[name] = row["shard_index"] + 1
        if row["quant_type"] != "none" or row["layout"] != "row_major":
            raise FormatError(f"{name}: {row['quant_type']} {row['layout']} is not known")
        if row["scales"] or row["zero_points"]:
            raise FormatError(f"{name}: scales or zero points without quantisation")
        if row["num_params"] != math.prod(row["shape"]):
            raise FormatError(f"{name}: num_params and shape differ")
        if name not in tensors:
            tensors[name] = Tensor(row["dtype"], row["shape"], row["data"])
        elif (tensors[name].dtype, tensors[name].shape) != (row["dtype"], row["shape"]):
            raise FormatError(f"{name}: its shards differ in dtype or shape")
        else:
            tensors[name].data += row["data"]
    for name, tensor in tensors.items():
        if len(tensor.data) != math.prod(tensor.shape) * DTYPE_BYTES[tensor.dtype]:
            raise FormatError(f"{name}: {len(tensor.data)} bytes do not fit its shape")
    return tensors


def read_model(path: str | Path) -> dict[str, Tensor]:
    """All tensors of a V2 file. Raises FormatError for anything that the specification forbids."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        names = [field.name for field in file.schema_arrow]
        if missing := set(SCHEMA.names) - set(names):
            raise FormatError(f"columns are missing: {sorted(missing)}")
        rows = [row for index in range(file.num_row_groups)
                for row in file.read_row_group(index).to_pylist()]
        last = [index + 1 == len(rows) or rows[index + 1]["shard_index"] == 0
                for index in range(len(rows))]
        for index in range(file.num_row_groups):
            check_chunks(file, index, rows[index], last[index])
        check_directory(file, rows)
        return join_rows(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["list", "check"])
    parser.add_argument("file")
    options = parser.parse_args()
    try:
        tensors = read_model(options.file)
    except (FormatError, OSError) as error:
        print(f"error: {options.file}: {error}", file=sys.stderr)
        return 1
    if options.command == "list":
        for name, tensor in tensors.items():
            print(f"{name}\t{tensor.dtype}\t{tensor.shape}")
    else:
        print(f"{options.file}: {len(tensors)} tensors, sound")
    return 0


if __name__ == "__main__":
    sys.exit(main())
