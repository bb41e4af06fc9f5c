"""SQLite's file format and FTS5's, decoded without SQLite (sqlite.org/fileformat2.html; the comment
at the head of fts5_index.c for the text index)."""
import struct
from collections.abc import Iterator
from pathlib import Path

LEAF_TABLE, INTERIOR_TABLE, LEAF_INDEX, INTERIOR_INDEX = 13, 5, 10, 2


def varint(data: bytes, at: int) -> tuple[int, int]:
    """@return value and the offset behind it"""
    value = 0
    for i in range(8):
        byte = data[at + i]
        value = value << 7 | byte & 0x7f
        if byte < 0x80:
            return value, at + i + 1
    return value << 8 | data[at + 8], at + 9


class Pages:
    """The pages of a database file, the log's committed frames laid over it."""

    def __init__(self, path: Path):
        file = path.read_bytes()
        self.size = struct.unpack(">H", file[16:18])[0]
        self.size = 65536 if self.size == 1 else self.size
        self.pages = {number + 1: file[number * self.size:(number + 1) * self.size]
                      for number in range(len(file) // self.size)}
        self.frames = []  # of the log, each a page as it was or is
        log = path.with_name(path.name + "-wal")
        frames = log.read_bytes() if log.exists() else b""
        header, frame = 32, 24
        committed: dict[int, bytes] = {}
        salt = frames[16:24]
        for at in range(header, len(frames) - frame - self.size + 1, frame + self.size):
            number, commit = struct.unpack(">II", frames[at:at + 8])
            page = frames[at + frame:at + frame + self.size]
            self.frames.append(page)
            if frames[at + 8:at + 16] != salt:
                continue  # left from before the log was begun anew
            committed[number] = page
            if commit:
                self.pages |= committed
                committed = {}
        self.num_free = struct.unpack(">I", self.pages[1][36:40])[0]

    def payload(self, page: bytes, at: int, length: int, is_index: bool) -> bytes:
        """A cell's payload, with what overflows into other pages."""
        usable = self.size
        most = (usable - 12) * 64 // 255 - 23 if is_index else usable - 35
        if length <= most:
            return page[at:at + length]
        least = (usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (usable - 4)
        local = local if local <= most else least
        content = page[at:at + local]
        following = struct.unpack(">I", page[at + local:at + local + 4])[0]
        while len(content) < length and following:
            overflow = self.pages[following]
            following = struct.unpack(">I", overflow[:4])[0]
            content += overflow[4:]
        return content[:length]

    def rows(self, root: int) -> Iterator[tuple[int, bytes]]:
        """Rowids and records of a table; of an index, 0 and records."""
        page = self.pages[root]
        start = 100 if root == 1 else 0
        kind = page[start]
        num_cells = struct.unpack(">H", page[start + 3:start + 5])[0]
        interior = kind in (INTERIOR_TABLE, INTERIOR_INDEX)
        pointers = start + (12 if interior else 8)
        for i in range(num_cells):
            at = struct.unpack(">H", page[pointers + 2 * i:pointers + 2 * i + 2])[0]
            if interior:
                yield from self.rows(struct.unpack(">I", page[at:at + 4])[0])
                at += 4
            if kind == INTERIOR_TABLE:
                continue
            length, at = varint(page, at)
            rowid = 0
            if kind == LEAF_TABLE:
                rowid, at = varint(page, at)
            yield rowid, self.payload(page, at, length, kind != LEAF_TABLE)
        if interior:
            yield from self.rows(struct.unpack(">I", page[start + 8:start + 12])[0])

    def tables(self) -> dict[str, int]:
        """Root pages of tables and indexes, by name."""
        schema = [values(record) for _, record in self.rows(1)]
        return {row[1].decode(): row[3] for row in schema if row[3]}


def values(record: bytes) -> list:
    """A record's columns: integers, floats as 8 bytes, texts and blobs as bytes, None."""
    end, at = varint(record, 0)
    kinds = []
    while at < end:
        kind, at = varint(record, at)
        kinds.append(kind)
    columns = []
    for kind in kinds:
        size = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][kind] if kind < 10 else (kind - 12) // 2
        data = record[at:at + size]
        at += size
        if kind == 0:
            columns.append(None)
        elif kind in (8, 9):
            columns.append(kind - 8)
        elif kind < 7:
            columns.append(int.from_bytes(data, "big", signed=True))
        else:
            columns.append(data)
    return columns


class TextIndex:
    """The terms of an FTS5 index, and the rows that each occurs in."""

    def __init__(self, pages: Pages, name: str):
        blocks = {rowid: values(record)[1]
                  for rowid, record in pages.rows(pages.tables()[f"{name}_data"])}
        self.occurrences: dict[bytes, list[int]] = {}
        self.term = b""
        self.rowid = 0
        self.position_bytes = 0  # of the list of positions that goes on in the next page
        for rowid in sorted(blocks):
            height = rowid >> 31 & 0x1f
            is_leaf = rowid > 10 and height == 0 and not rowid >> 36 & 1
            if is_leaf:
                self.read_leaf(blocks[rowid])

    def read_leaf(self, block: bytes) -> None:
        first_rowid, end = struct.unpack(">HH", block[:4])
        offsets, at, offset = [], end, 0
        while at < len(block):
            step, at = varint(block, at)
            offset += step
            offsets.append(offset)
        bounds = offsets + [end]
        self.read_rows(block, 4, bounds[0], first_rowid)
        for number, offset in enumerate(offsets):
            keep = 0
            if number > 0:
                keep, offset = varint(block, offset)
            size, offset = varint(block, offset)
            self.term = self.term[:keep] + block[offset:offset + size]
            self.occurrences.setdefault(self.term, [])
            self.rowid, self.position_bytes = 0, 0
            self.read_rows(block, offset + size, bounds[number + 1], None)

    def read_rows(self, block: bytes, at: int, end: int, absolute: int | None) -> None:
        """@param absolute offset of the rowid that is no difference to the one before"""
        skipped = min(self.position_bytes, end - at)
        self.position_bytes -= skipped
        at += skipped
        while at < end:
            if absolute is not None and at == absolute:
                self.rowid = 0
            step, at = varint(block, at)
            self.rowid += step
            size, at = varint(block, at)  # twice the bytes of positions; odd: a removal
            self.occurrences[self.term].append(self.rowid)
            self.position_bytes = size // 2
            skipped = min(self.position_bytes, end - at)
            self.position_bytes -= skipped
            at += skipped
