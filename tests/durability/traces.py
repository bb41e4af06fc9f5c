"""Looks for what was forgotten in every byte of a store's folder, decoded."""
from dataclasses import dataclass
from pathlib import Path

import numpy
import pyarrow.parquet

from sqlite_pages import Pages, TextIndex, values


def vector_of(number: int, version: int) -> numpy.ndarray:
    """As store_driver.cpp makes it."""
    i = numpy.arange(24)
    mixed = number * 7919 + version * 104729 + i * i * 31 + i * number + 17
    return (mixed * 2654435761 % 1000003 - 500001).astype(numpy.float32)


@dataclass
class Forgotten:
    """A memory that must be nowhere: its words that no other has, its vector, its row."""
    number: int
    version: int
    sequence: int

    def words(self) -> list[bytes]:
        return [f"secret{self.number}v{self.version}s".encode(), f"keeper{self.number}k".encode()]

    def needles(self) -> dict[str, bytes]:
        """Byte strings that would betray it, anywhere: pieces of its vector in every precision that
        is searched, some numbers long, so that a vector that is cut by a page's end is found."""
        vector = vector_of(self.number, self.version)
        bits = vector.view(numpy.uint32)
        unit = vector / numpy.linalg.norm(vector)
        codes = {
            "f32": vector, "unit f32": unit,
            "unit f16": unit.astype(numpy.float16), "bf16": (bits >> 16).astype(numpy.uint16),
            "int8": numpy.rint(vector / abs(vector).max() * 127).astype(numpy.int8),
        }
        needles = {word.decode(): word for word in self.words()}
        for name, code in codes.items():
            raw, piece = code.tobytes(), 12 * code.itemsize if code.itemsize == 1 else 16
            for at in range(0, len(raw) - piece + 1, code.itemsize):
                needles[f"{name} from byte {at}"] = raw[at:at + piece]
        return needles


def search_bytes(where: str, content: bytes, forgotten: list[Forgotten]) -> list[str]:
    return [f"{where}: {name} of {memory.number}.{memory.version}"
            for memory in forgotten for name, needle in memory.needles().items()
            if needle in content]


def search_catalog(path: Path, forgotten: list[Forgotten]) -> list[str]:
    """Pages as they lie in file and log, records with what overflows, and the text index."""
    pages = Pages(path)
    found = search_bytes(path.name, path.read_bytes(), forgotten)
    found += search_bytes("log", b"".join(pages.frames), forgotten)
    for name, root in pages.tables().items():
        records = b"\0".join(record for _, record in pages.rows(root))
        found += search_bytes(f"table {name}", records, forgotten)
    index = TextIndex(pages, "text_index")
    gone = {memory.sequence for memory in forgotten}
    words = {word for memory in forgotten for word in memory.words()}
    for term, rows in index.occurrences.items():
        if any(word in term for word in words):
            found.append(f"text index: term {term!r}")
        if gone & set(rows):
            found.append(f"text index: rows {gone & set(rows)} of term {term!r}")
    sizes = {rowid for rowid, _ in pages.rows(pages.tables()["text_index_docsize"])}
    found += [f"text index: size of row {row}" for row in gone & sizes]
    found += [f"{pages.num_free} free pages"] if pages.num_free else []
    return found


def search_segment(path: Path, forgotten: list[Forgotten]) -> list[str]:
    """Bytes as they lie, rows as any reader decodes them, and what no reader would look at."""
    raw = path.read_bytes()
    found = search_bytes(path.name, raw, forgotten)
    with pyarrow.parquet.ParquetFile(path) as file:
        table, metadata = file.read(), file.metadata
    text = "\0".join(value for column in ("memory_id", "content")
                     for value in table[column].to_pylist())
    vectors = table["embedding"].combine_chunks().flatten().to_numpy().tobytes()
    found += search_bytes(f"rows of {path.name}", text.encode() + vectors, forgotten)
    found += [f"{path.name}: row {memory.sequence}" for memory in forgotten
              if memory.sequence in table["sequence"].to_pylist()]
    at = 4
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            begin = chunk.dictionary_page_offset or chunk.data_page_offset
            if any(raw[at:begin]):
                found.append(f"{path.name}: bytes between columns")
            at = begin + chunk.total_compressed_size
    if len(raw) - 8 - int.from_bytes(raw[-8:-4], "little") != at:
        found.append(f"{path.name}: bytes before the footer")
    return found


def search_graph(path: Path, forgotten: list[Forgotten]) -> list[str]:
    """Codes, decoded as docs/formats/memory-store.md says, in a vector's direction."""
    raw = path.read_bytes()
    found = search_bytes(path.name, raw, forgotten)
    dimension, rows = (int.from_bytes(raw[16:20], "little"), int.from_bytes(raw[24:32], "little"))
    stride = -(-dimension // 64) * 64
    codes = numpy.frombuffer(raw, numpy.uint8, rows * stride, 64).reshape(rows, stride)
    vectors = codes[:, :dimension].astype(numpy.float64) - 128
    vectors /= numpy.maximum(numpy.linalg.norm(vectors, axis=1, keepdims=True), 1)
    for memory in forgotten:
        vector = vector_of(memory.number, memory.version)
        if (vectors @ (vector / numpy.linalg.norm(vector)) > 0.9995).any():
            found.append(f"codes of {path.name}: vector of {memory.number}.{memory.version}")
    return found


def find_traces(folder: Path, forgotten: list[Forgotten]) -> list[str]:
    """Where something is left. Files of a kind that is not known here count as traces."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name == "catalog.sqlite":
            found += search_catalog(path, forgotten)
        elif path.name.startswith("segment-") and path.suffix == ".parquet":
            found += search_segment(path, forgotten)
        elif path.name.startswith("segment-") and path.suffix == ".graph":
            found += search_graph(path, forgotten)
        elif (path.name in ("catalog.sqlite-wal", "catalog.sqlite-shm", "writer.lock")
              or path.name.startswith(".segment-")):  # half written
            found += search_bytes(path.name, path.read_bytes(), forgotten)
        else:
            found.append(f"{path.name}: a file of an unknown kind")
    return found


def sequences(folder: Path) -> dict[int, int]:
    """Of the live memories, by their numbers, as the catalogue's pages have them."""
    pages = Pages(folder / "catalog.sqlite")
    rows = {rowid: values(record) for rowid, record in pages.rows(pages.tables()["memory"])}
    return {int(row[2]): rowid for rowid, row in rows.items()}
