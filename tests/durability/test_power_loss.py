"""What is acknowledged survives a power failure, whatever of the rest reached the disk."""
import random
import shutil

import pytest

from driver import Driver, Ledger, Refused, Script, parse_dump
from power_loss import Disk, Operation, apply, read_record, write_image
from traces import Forgotten, find_traces, sequences

FLAGS = ("--seal-rows", "60")
NUM_COMMANDS = 40


def record_of(programs, tmp_path, seed, background):
    """Runs a script on a new store. @return its commands and what they did to the files"""
    script = Script(seed)
    commands = ["create"] + [script.next() for _ in range(NUM_COMMANDS)]
    record = tmp_path / "record"
    record.unlink(missing_ok=True)
    folder = tmp_path / "recorded"
    flags = [*FLAGS, "--background"] if background else FLAGS
    half = len(commands) // 2
    for part in (commands[:half], commands[half:]):  # the second finds what the first left
        with Driver(programs, folder, *flags, record=record) as driver:
            for command in part:
                driver.run(command)
    shutil.rmtree(folder)
    return [commands[:half], commands[half:]], read_record(record)


def check_image(programs, folder, allowed, num_answers, source) -> None:
    """It opens, verifies and holds what was acknowledged; then it takes new memories.

    The first answer says that there is a store, the second that it has its collection.
    """
    if num_answers >= 2 and source.random() < 0.2:
        with Driver(programs, folder, "--read-only") as driver:
            assert parse_dump(driver.run("dump")) in allowed
    with Driver(programs, folder, *FLAGS) as driver:
        if num_answers < 2:
            driver.run("create")
        driver.run("verify")
        found = parse_dump(driver.run("dump"))
        assert found in allowed, f"found {found}, allowed {allowed}"
        driver.run("upsert 1.999999")
        driver.run("checkpoint")
        driver.run("verify")


def interesting_moments(operations, source, count):
    """Half of them just before something is synced or answered, when most is at stake."""
    edges = [i for i, operation in enumerate(operations)
             if operation.kind in ("sync", "sync-folder", "answer")]
    return sorted([source.choice(edges) for _ in range(count // 2)]
                  + [source.randrange(len(operations) + 1) for _ in range(count - count // 2)])


def count_violations(programs, tmp_path, seed, count, without=()):
    """@param without kinds of calls that are left out of the record, as if they had not been made
    @return images checked, and what is wrong with some of them"""
    source = random.Random(seed)
    parts, operations = record_of(programs, tmp_path, seed, background=seed % 2 == 1)
    operations = [operation for operation in operations if operation.kind not in without]
    # Each part's first answer says that the store is open.
    answered = [command for part in parts for command in ["", *part]] + [""]
    moments = interesting_moments(operations, source, count)
    disk, ledger, done, violations = Disk(), Ledger(), 0, []
    for number, operation in enumerate([*operations, Operation("end")]):
        for _ in range(moments.count(number)):
            folder = tmp_path / "image"
            write_image(disk.image(source), folder)
            allowed = [ledger.memories, ledger.after(answered[done])]
            try:
                check_image(programs, folder, allowed, done, source)
            except (AssertionError, Refused) as error:
                violations.append(f"seed {seed}, operation {number}: {error}")
            shutil.rmtree(folder)
        if operation.kind == "answer":
            ledger.acknowledge(answered[done])
            done += 1
        disk.advance(operation)
    return len(moments), violations


def test_every_image_opens_and_holds_what_was_acknowledged(programs, tmp_path, full):
    num_images = 0
    for seed in range(12 if full else 2):
        images, violations = count_violations(programs, tmp_path, seed, 60 if full else 15)
        assert not violations, violations
        num_images += images
    print(f"{num_images} images, 0 violations")


def test_what_was_forgotten_stays_forgotten(programs, tmp_path, full):
    """Once `forget` has returned no image has a trace, before any program opens it."""
    folder, record = tmp_path / "recorded", tmp_path / "record"
    with Driver(programs, folder, "--seal-rows", "1000", record=record) as driver:
        driver.run("create")
        driver.run("upsert " + " ".join(f"{number}.1" for number in range(100)))
        driver.run("compact")
        forgotten = [Forgotten(number, 1, sequences(folder)[number]) for number in (7, 60)]
        driver.run("forget 7 60")
        num_answers = 5
        driver.run("add 200.1")
        driver.run("checkpoint")
    disk, source, num_images = Disk(), random.Random(1), 0
    for number, operation in enumerate(read_record(record)):
        disk.advance(operation)
        is_taken = disk.num_answers >= num_answers and (full or number % 8 == 0)
        for _ in range(5 if is_taken else 0):
            image = tmp_path / "image"
            write_image(disk.image(source), image)
            assert find_traces(image, forgotten) == []
            shutil.rmtree(image)
            num_images += 1
    print(f"{num_images} images after a forget, 0 traces")


@pytest.mark.parametrize("kind", ["sync", "sync-folder"])
def test_a_sync_that_is_not_made_is_noticed(programs, tmp_path, kind):
    _, violations = count_violations(programs, tmp_path, 0, 12, without=[kind])
    assert violations


def test_the_disk_loses_and_keeps_what_a_disk_may():
    disk = Disk()
    for operation in [Operation("create", 1, name="a"), Operation("sync-folder"),
                      Operation("write", 1, 0, b"x" * 1024), Operation("sync", 1),
                      Operation("write", 1, 0, b"y" * 1024), Operation("create", 2, name="b"),
                      Operation("rename", name="b", new_name="a")]:
        disk.advance(operation)
    images = [disk.image(random.Random(seed)) for seed in range(300)]
    contents = {bytes(image["a"]) for image in images if "a" in image}
    assert {b"x" * 1024, b"y" * 1024, b"y" * 512 + b"x" * 512, b""} <= contents
    assert any(set(image) == {"a", "b"} for image in images)
    content = bytearray(b"abcd")
    apply(content, Operation("truncate", 1, 2))
    apply(content, Operation("write", 1, 4, b"z"))
    assert content == b"ab\0\0z"
