"""Readers see states that were, whole, while one process writes; and they write nothing.

Each command of the writer changes a group of memories at once. What a reader lists must be exactly
the state after some command that was answered no earlier than the last one answered before it
asked, and sent no later than its own answer.
"""
import random
import threading
import time

from driver import Driver, Refused, parse_dump
from power_loss import read_record

GROUP = 8
NUM_GROUPS = 30
KEPT = 20_000  # states: some ten times as many as a read can take commands
FLAGS = ("--seal-rows", "60", "--background")


class History:
    """The states of the store: number n is the one after n commands."""

    def __init__(self):
        self.states = [{}]
        self.num_answered = 0

    def next(self, source) -> str:
        """A command, whose effect is noted as about to happen."""
        group = source.randrange(NUM_GROUPS)
        ids = range(GROUP * group, GROUP * (group + 1))
        state = dict(self.states[-1])
        kind = source.choice(["upsert"] * 6 + ["remove"] * 3 + ["forget", "compact", "checkpoint"])
        if kind == "upsert":
            version = len(self.states)
            state |= dict.fromkeys(ids, version)
            command = " ".join([kind] + [f"{number}.{version}" for number in ids])
        elif kind in ("remove", "forget"):
            state = {number: state[number] for number in state if number not in ids}
            command = " ".join([kind] + [str(number) for number in ids])
        else:
            command = kind
        self.states.append(state)
        if len(self.states) > KEPT:
            self.states[-KEPT] = None
        return command

    def answered(self) -> None:
        self.num_answered += 1


class Reader(threading.Thread):
    """Lists and searches until it is told to stop; keeps the first thing that is wrong."""

    def __init__(self, programs, folder, history, record=None):
        super().__init__(daemon=True)  # a test that fails must not wait for it
        self.history = history
        self.driver = Driver(programs, folder, "--read-only", record=record)
        self.stopping = False
        self.num_reads = 0
        self.wrong = None

    def run(self):
        with self.driver:
            while not self.stopping and self.wrong is None:
                command = ["dump", "scan"][self.num_reads % 2]
                first = self.history.num_answered
                try:
                    found = parse_dump(self.driver.run(command))
                except Exception as error:  # of any kind: it goes to the test's thread
                    self.wrong = f"{command}: {error}"
                    return
                last = len(self.history.states)
                if found not in self.history.states[first:last]:
                    self.wrong = f"{command} gave no state of {first} to {last}: {found}"
                self.num_reads += 1


def run(writer, command) -> int:
    """@return how often what was asked was done but for the log, which readers kept"""
    for num_waits in range(10):
        try:
            writer.run(command)
            return num_waits
        except Refused as error:
            assert "keeps reading an older snapshot" in str(error)
    raise AssertionError(f"{command}: readers keep the log for ever")


def test_every_read_is_a_state_that_was(programs, tmp_path, full):
    folder = tmp_path / "store"
    history = History()
    source, num_waits = random.Random(1), 0
    with Driver(programs, folder, *FLAGS) as writer:
        writer.run("create")
        readers = [Reader(programs, folder, history) for _ in range(2)]
        for reader in readers:
            reader.start()
        end = time.monotonic() + (300 if full else 5)
        try:
            while time.monotonic() < end and not any(reader.wrong for reader in readers):
                num_waits += run(writer, history.next(source))
                history.answered()
        finally:
            for reader in readers:
                reader.stopping = True
                reader.join()
        assert [reader.wrong for reader in readers] == [None, None]
        writer.run("verify")
    num_reads = sum(reader.num_reads for reader in readers)
    assert num_reads > 10
    print(f"{history.num_answered} commands, {num_reads} reads by 2 processes: each a snapshot; "
          f"{num_waits} times a reader kept the log from being emptied for 10 s")


def test_readers_neither_commit_nor_checkpoint(programs, tmp_path):
    """SQLite before 3.51.3 loses commits when another connection's checkpoint resets the log as one
    commits: only the writer's connection does either, and readers touch nothing but the index of
    the log in shared memory, also as they close, be they the last."""
    folder = tmp_path / "store"
    history = History()
    source = random.Random(2)
    readers = []
    try:
        with Driver(programs, folder, *FLAGS) as writer:
            writer.run("create")
            readers = [Reader(programs, folder, history, record=tmp_path / f"record{i}")
                       for i in range(2)]
            for reader in readers:
                reader.start()
            for _ in range(150):
                run(writer, history.next(source))
                history.answered()
            writer.run("upsert 1.9999")  # something is in the log when the writer goes
            history.states.append(history.states[-1] | {1: 9999})
            history.answered()
    finally:
        for reader in readers:
            reader.stopping = True
            reader.join()
    assert [reader.wrong for reader in readers] == [None, None]
    assert (folder / "catalog.sqlite-wal").stat().st_size > 0
    shared = (folder / "catalog.sqlite-shm").stat().st_ino
    for i in range(2):
        touched = [operation for operation in read_record(tmp_path / f"record{i}")
                   if operation.kind != "answer" and operation.inode != shared]
        assert not touched, touched[:3]
