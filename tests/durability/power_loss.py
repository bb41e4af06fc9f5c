"""What a disk may hold after a power failure, from the record of io_shim.cpp.

What was synced is there. Of what was not, anything may be: each write or truncation of a file may
be missing whatever came after it, and a write may be torn at 512 or 4096 bytes. A file's sync says
nothing of its name: creations, renames and removals are certain after a sync of the folder only;
before, a prefix of them happened (a journalled file system) or any of them (POSIX promises no
more).
"""
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

LINE = re.compile(rb"(create|write|sync|truncate|answer|sync-folder|rename|unlink|fault)"
                  rb"(?: (.*))?")


@dataclass
class Operation:
    kind: str
    inode: int = 0
    offset: int = 0          # write; size of a truncation
    data: bytes = b""        # write, answer
    name: str = ""           # create, unlink; rename: the old one
    new_name: str = ""


def read_record(path: Path) -> list[Operation]:
    raw = path.read_bytes()
    operations = []
    at = 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        kind, rest = LINE.fullmatch(raw[at:end]).groups()
        operation = Operation(kind.decode())
        words = (rest or b"").decode().split(" ")
        at = end + 1
        if operation.kind in ("write", "answer"):
            operation.inode, operation.offset = int(words[0]), int(words[1])
            operation.data = raw[at:at + int(words[2])]
            at += int(words[2])
        elif operation.kind in ("create", "sync", "truncate"):
            operation.inode = int(words[0])
        if operation.kind == "truncate":
            operation.offset = int(words[1])
        if operation.kind in ("create", "unlink"):
            operation.name = Path(words[-1]).name
        if operation.kind == "rename":
            operation.name, operation.new_name = (Path(name).name
                                                  for name in rest.decode().split("\t"))
        operations.append(operation)
    return operations


@dataclass
class File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Operation] = field(default_factory=list)


def apply(content: bytearray, operation: Operation, keep=None) -> None:
    """@param keep pieces of a write that reached the disk, as (begin, end); None: all of it"""
    if operation.kind == "truncate":
        del content[operation.offset:]
        content.extend(bytes(operation.offset - len(content)))
        return
    for begin, end in keep if keep is not None else [(0, len(operation.data))]:
        at = operation.offset + begin
        content.extend(bytes(max(0, at + end - begin - len(content))))
        content[at:at + end - begin] = operation.data[begin:end]


class Disk:
    """The certain and the uncertain, after some operations."""

    def __init__(self):
        self.files: dict[int, File] = {}
        self.names: dict[str, File] = {}            # certain
        self.pending: list[tuple[str, ...]] = []    # of names: create, rename, unlink
        self.created: list[File] = []
        self.num_answers = 0

    def advance(self, operation: Operation) -> None:
        kind = operation.kind
        if kind == "create":
            self.files[operation.inode] = File()  # the number may have been another file's before
            self.pending.append(("create", operation.name, str(len(self.created))))
            self.created.append(self.files[operation.inode])
        elif kind in ("write", "truncate"):
            self.files[operation.inode].pending.append(operation)
        elif kind == "sync":
            file = self.files[operation.inode]
            for pending in file.pending:
                apply(file.durable, pending)
            file.pending.clear()
        elif kind == "rename":
            self.pending.append(("rename", operation.name, operation.new_name))
        elif kind == "unlink":
            self.pending.append(("unlink", operation.name))
        elif kind == "sync-folder":
            self.names = self.names_after(self.pending)
            self.pending.clear()
        elif kind == "answer":
            self.num_answers += 1

    def names_after(self, changes) -> dict[str, File]:
        names = dict(self.names)
        for change in changes:
            if change[0] == "create":
                names[change[1]] = self.created[int(change[2])]
            elif change[1] in names:
                file = names.pop(change[1])
                if change[0] == "rename":
                    names[change[2]] = file
        return names

    def image(self, source: random.Random) -> dict[str, bytes]:
        """One of the states that may be found. Some are extremes: nothing pending was done, all."""
        share = source.choice([0.0, 0.0, 0.2, 0.5, 0.8, 1.0])
        if source.random() < 0.5:
            changes = self.pending[:round(share * len(self.pending))]
        else:
            changes = [change for change in self.pending if source.random() < share]
        return {name: bytes(self.content(file, share, source))
                for name, file in self.names_after(changes).items()}

    @staticmethod
    def content(file: File, share: float, source: random.Random) -> bytearray:
        content = bytearray(file.durable)
        tears = source.random() < 0.5
        for operation in file.pending:
            if operation.kind == "write" and tears:
                size = source.choice([512, 4096])
                first = size - operation.offset % size  # pieces end where the disk's do
                edges = [0, *range(first, len(operation.data), size), len(operation.data)]
                pieces = [piece for piece in zip(edges, edges[1:]) if source.random() < share]
                apply(content, operation, pieces)
                if source.random() < 0.3:  # the size is there before the bytes
                    end = operation.offset + len(operation.data)
                    content.extend(bytes(max(0, end - len(content))))
            elif source.random() < share:
                apply(content, operation)
        return content


def write_image(image: dict[str, bytes], folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for name, content in image.items():
        if not name.endswith("-shm"):  # not of the disk: rebuilt by who opens first
            (folder / name).write_bytes(content)
