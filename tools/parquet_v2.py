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

import panel_32

ALIGNMENT = 64
SHARD_ALIGNMENT = 65536
MAX_VALUE_BYTES = 1 << 30
DTYPE_BYTES = {"f64": 8, "i64": 8, "f32": 4, "i32": 4, "bf16": 2, "f16": 2, "i16": 2, "i8": 1,
               "u8": 1, "bool": 1}
BINARY_COLUMNS = ("scales", "zero_points", "data")
DIRECTORY_FIELDS = ("layer_name", "shape", "dtype", "num_params", "quant_type", "quant_axis",
                    "group_size", "layout", "shard_index")


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


# pyarrow can write zeros before a row group but not between columns. Where several values of a row
# are to be aligned, columns that readers ignore, as they do all that they do not know, take up the
# bytes between them.
FILLED_SCHEMA = pa.schema([*list(SCHEMA)[:-2], required("filler_0", pa.binary()),
                           SCHEMA.field("zero_points"), required("filler_1", pa.binary()),
                           SCHEMA.field("data")])
FILLERS = ("filler_0", "filler_1")


class FormatError(ValueError):
    """The file departs from the specification."""


@dataclass
class Tensor:
    dtype: str  # of a quantised tensor what its elements were before
    shape: list[int]
    data: bytes
    quant_type: str = "none"
    group_size: int = 0
    scales: bytes = b""
    zero_points: bytes = b""

    @property
    def is_quantized(self) -> bool:
        return self.quant_type != "none"

    def dequantized(self):
        """f32 [rows, depth]"""
        return panel_32.dequantize(self.quant_type, self.group_size, self.shape, self.data,
                                   self.zero_points, self.scales)


def writer(sink, schema: pa.Schema = SCHEMA) -> pq.ParquetWriter:
    """A writer of the profile: plain, uncompressed, one page a value, with page checksums."""
    return pq.ParquetWriter(sink, schema, compression="NONE", use_dictionary=False,
                            column_encoding="PLAIN", data_page_version="1.0",
                            write_statistics=["layer_name"], write_page_checksum=True,
                            store_schema=False)


def value_offset(chunk: pq.ColumnChunkMetaData, value: bytes) -> int:
    """Where the only value of a chunk starts: it is the end of the chunk."""
    return chunk.data_page_offset + chunk.total_compressed_size - len(value)


def dry_run(row: dict, schema: pa.Schema) -> tuple[int, dict[str, int]]:
    """Offsets of the `data` chunk and of the binary values, from the start of the row group.

    A page header holds the page's checksum as a variable-length integer, so only the very same row
    has headers of the same length.
    """
    buffer = io.BytesIO()
    with writer(buffer, schema) as file:
        start = buffer.tell()
        file.write_table(pa.Table.from_pylist([row], schema=schema))
    group = pq.ParquetFile(buffer).metadata.row_group(0)
    chunks = {chunk.path_in_schema: chunk
              for chunk in map(group.column, range(group.num_columns))}
    return chunks["data"].data_page_offset - start, {
        name: value_offset(chunks[name], row[name]) - start for name in BINARY_COLUMNS}


def fill(row: dict, schema: pa.Schema) -> None:
    """Makes the fillers so long that scales and zero points are aligned if the data is."""
    for filler, name in reversed(list(zip(FILLERS, BINARY_COLUMNS))):
        while row[name]:  # a longer filler may have a longer header
            offsets = dry_run(row, schema)[1]
            missing = (offsets[name] - offsets["data"]) % ALIGNMENT
            if missing == 0:
                break
            row[filler] += bytes(missing)


def rows_of(name: str, tensor: Tensor, max_value_bytes: int) -> list[dict]:
    """One row, or one for each shard; scales and zero points stand in the first."""
    rows = []
    for index in range(max(1, -(-len(tensor.data) // max_value_bytes))):
        first = index == 0
        rows.append({
            "layer_name": name, "shape": tensor.shape, "dtype": tensor.dtype,
            "num_params": math.prod(tensor.shape), "quant_type": tensor.quant_type,
            "quant_axis": 1 if tensor.is_quantized else -1, "group_size": tensor.group_size,
            "layout": "panel_32" if tensor.is_quantized else "row_major", "shard_index": index,
            "scales": tensor.scales if first else b"",
            "zero_points": tensor.zero_points if first else b"",
            "data": tensor.data[index * max_value_bytes:(index + 1) * max_value_bytes],
            **dict.fromkeys(FILLERS, b"")})
    return rows


def write_model(path: str | Path, tensors: dict[str, Tensor],
                max_value_bytes: int = MAX_VALUE_BYTES) -> None:
    """Writes a V2 file. The zeros that align a value lie before its row group here, which pyarrow
    allows; the engine writes them before the column chunk. Readers follow the footer's offsets."""
    quantized = any(tensor.is_quantized for tensor in tensors.values())
    schema = FILLED_SCHEMA if quantized else SCHEMA
    directory = []
    with pa.OSFile(str(path), "wb") as sink, writer(sink, schema) as file:
        for name, tensor in tensors.items():
            rows = rows_of(name, tensor, max_value_bytes)
            for row in rows:
                fill(row, schema)
                chunk_offset, offsets = dry_run(row, schema)
                alignment = SHARD_ALIGNMENT if len(rows) > 1 else ALIGNMENT
                sink.write(bytes(-(sink.tell() + offsets["data"]) % alignment))
                directory.append({key: row[key] for key in DIRECTORY_FIELDS})
                directory[-1]["data_page_offset"] = sink.tell() + chunk_offset
                file.write_table(pa.Table.from_pylist([row], schema=schema))
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
        expected = {key: row[key] for key in DIRECTORY_FIELDS}
        expected["data_page_offset"] = chunk.data_page_offset
        if entry != expected:
            raise FormatError(f"the directory contradicts row group {index}")


def check_row(row: dict) -> None:
    name = row["layer_name"]
    if row["num_params"] != math.prod(row["shape"]):
        raise FormatError(f"{name}: num_params and shape differ")
    if row["quant_type"] != "none":
        problem = panel_32.problem(row["quant_type"], row["layout"], row["quant_axis"],
                                   row["group_size"], row["shape"])
        if problem:
            raise FormatError(f"{name}: {problem}")
        if row["shard_index"] > 0 and (row["scales"] or row["zero_points"]):
            raise FormatError(f"{name}: scales or zero points in shard {row['shard_index']}")
    elif row["layout"] != "row_major":
        raise FormatError(f"{name}: layout {row['layout']} is not known for none")
    elif row["scales"] or row["zero_points"]:
        raise FormatError(f"{name}: scales or zero points without quantisation")


def check_tensor(name: str, tensor: Tensor) -> None:
    if tensor.is_quantized:
        problem = panel_32.part_problem(
            tensor.quant_type, tensor.group_size, tensor.shape,
            {column: getattr(tensor, column) for column in BINARY_COLUMNS})
        if problem:
            raise FormatError(f"{name}: {problem}")
    elif len(tensor.data) != math.prod(tensor.shape) * DTYPE_BYTES[tensor.dtype]:
        raise FormatError(f"{name}: {len(tensor.data)} bytes do not fit its shape")


def join_rows(rows: list[dict]) -> dict[str, Tensor]:
    """Tensors from rows: shards follow each other and repeat what is said of the whole."""
    tensors: dict[str, Tensor] = {}
    num_shards: dict[str, int] = {}
    for row in rows:
        name = row["layer_name"]
        if row["shard_index"] != num_shards.get(name, 0):
            raise FormatError(f"{name}: shard {row['shard_index']} is out of order or there twice")
        num_shards[name] = row["shard_index"] + 1
        check_row(row)
        whole = ("dtype", "shape", "quant_type", "group_size")
        if name not in tensors:
            tensors[name] = Tensor(**{key: row[key] for key in (*whole, *BINARY_COLUMNS)})
        elif any(getattr(tensors[name], key) != row[key] for key in whole):
            raise FormatError(f"{name}: its shards differ in what they say of the whole")
        else:
            tensors[name].data += row["data"]
    for name, tensor in tensors.items():
        check_tensor(name, tensor)
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
            stored = tensor.quant_type if tensor.is_quantized else tensor.dtype
            print(f"{name}\t{stored}\t{tensor.shape}")
    else:
        print(f"{options.file}: {len(tensors)} tensors, sound")
    return 0


if __name__ == "__main__":
    sys.exit(main())
