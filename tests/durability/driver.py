"""store_driver as an object, and the ledger of what it has acknowledged."""
import os
import random
import select
import signal
import subprocess
from pathlib import Path


class Died(Exception):
    """The driver ended before it answered."""


class Refused(Exception):
    """The driver answered with an error: `type` and message."""

    def __init__(self, line: str):
        super().__init__(line)
        self.type = line.split()[1]


class Driver:
    """A process with a store open. @raises Refused when it cannot open; Died"""

    def __init__(self, programs: Path, folder: Path, *flags: str, fault: str = "",
                 record: Path | None = None, shim: bool = False,
                 read_only: bool = False):
        environment = dict(os.environ)
        if fault or record or shim or read_only:
            environment |= {"LD_PRELOAD": str(programs / "io_shim.so"),
                            "IO_SHIM_FOLDER": str(folder), "IO_SHIM_FAULT": fault,
                            "IO_SHIM_RECORD": str(record or ""),
                            "IO_SHIM_READ_ONLY": "yes" if read_only else ""}
        self.process = subprocess.Popen(
            [programs / "store_driver", folder, *flags], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.answers = b""
        try:
            self.answer()
        except (Died, Refused):
            self.kill()
            raise

    def send(self, command: str) -> None:
        try:
            self.process.stdin.write(command.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Died from None

    def answer(self, timeout: float | None = None) -> str | None:
        """What follows `ok`; None if there is no answer in time."""
        while b"\n" not in self.answers:
            if timeout is not None and not select.select([self.process.stdout], [], [], timeout)[0]:
                return None
            received = os.read(self.process.stdout.fileno(), 1 << 16)
            if not received:
                self.process.wait()
                raise Died
            self.answers += received
        line, self.answers = self.answers.split(b"\n", 1)
        text = line.decode()
        if text.startswith("error"):
            raise Refused(text)
        return text.removeprefix("ok ")

    def run(self, command: str) -> str:
        self.send(command)
        return self.answer()

    def kill(self) -> None:
        """SIGKILL, and what it had answered before is kept."""
        self.process.send_signal(signal.SIGKILL)
        rest = self.process.stdout.read()
        self.answers += rest
        self.close()

    def close(self) -> None:
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Ledger:
    """What a store must hold: a version for each id."""

    def __init__(self):
        self.memories: dict[int, int] = {}

    def after(self, command: str) -> dict[int, int]:
        """The memories once `command` is done."""
        memories = dict(self.memories)
        name, *arguments = command.split() or [""]
        for argument in arguments:
            number, _, version = argument.partition(".")
            if name == "add" and "@" not in version:
                memories.setdefault(int(number), int(version))
            elif name == "upsert":
                memories[int(number)] = int(version)
            elif name in ("remove", "forget"):
                memories.pop(int(number), None)
        return memories

    def acknowledge(self, command: str) -> None:
        self.memories = self.after(command)


def parse_dump(answer: str) -> dict[int, int]:
    names = [name.split(".") for name in answer.split()]
    memories = {int(number): int(version) for number, version in names}
    assert len(memories) == len(names), "one id twice"
    return memories


class Script:
    """Commands drawn at random; ids are used again, versions never."""

    # Weights: most commands are cheap ones, and every kind comes often.
    KINDS = (["add"] * 8 + ["upsert"] * 4 + ["remove"] * 4 + ["forget"] * 2 + ["compact"] * 2
             + ["checkpoint", "expire", "expiring"])

    def __init__(self, seed: int, num_ids: int = 120, max_batch: int = 25):
        self.source = random.Random(seed)
        self.num_ids = num_ids
        self.max_batch = max_batch
        self.version = 0

    def next(self) -> str:
        self.version += 1
        kind = self.source.choice(self.KINDS)
        size = 1 if self.source.random() < 0.4 else self.source.randint(1, self.max_batch)
        ids = self.source.sample(range(self.num_ids), size)
        if kind in ("add", "upsert"):
            return " ".join([kind] + [f"{number}.{self.version}" for number in ids])
        if kind == "expiring":  # added and expired at once: never to be seen
            return " ".join(["add"] + [f"{self.num_ids + number}.{self.version}@1"
                                       for number in ids])
        if kind in ("remove", "forget"):
            return " ".join([kind] + [str(number) for number in ids[:8]])
        return kind
