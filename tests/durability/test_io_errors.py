"""A call of the system that fails becomes a typed error; the store stays sound, and to try again
works. The first call that a script makes fails, then the second, and so on to the last."""
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from driver import Driver, Ledger, Refused, parse_dump
from power_loss import read_record

FLAGS = ("--seal-rows", "25")

COMMANDS = [
    "create",
    "add " + " ".join(f"{i}.1" for i in range(30)),
    "compact",
    "upsert " + " ".join(f"{i}.2" for i in range(20, 40)),
    "search 25.2",
    "add 50.1@1 51.1@1",
    "expire",
    "compact",
    "remove 1 2 3 4 5 6 7 8 9 10 11 12",
    "compact",
    "edit 13.1",
    "forget 14 35",
    "add " + " ".join(f"{i}.3" for i in range(60, 90)),
    "checkpoint",
    "search 70.3",
    "verify",
]

# What fails, and at which calls. `full` is a disk that stays full until the caller has seen it.
FAULTS = {
    "eio": "eio * {}",
    "full": "full * {}",
    "short": "short write:* {}",
}


def run_with_fault(programs, folder, fault) -> tuple[bool, list[str]]:
    """@return whether the fault was met, and the errors that it caused"""
    ledger, errors = Ledger(), []
    record = folder.with_suffix(".record")
    try:
        driver = Driver(programs, folder, *FLAGS, fault=fault, record=record)
    except Refused as error:
        errors.append(str(error))
        driver = Driver(programs, folder, *FLAGS, shim=True)

    def persist(command: str, between=lambda: None) -> str:
        try:
            return driver.run(command)
        except Refused as refusal:
            errors.append(f"{command}: {refusal}")
            driver.run("shim heal")
            between()
            return driver.run(command)

    def check_in_doubt() -> None:
        if command != "create":
            found = parse_dump(persist("dump"))
            assert found in (ledger.memories, ledger.after(command)), command

    with driver:
        for command in COMMANDS:
            persist(command, check_in_doubt)
            ledger.acknowledge(command)
            assert parse_dump(persist("dump")) == ledger.memories, command
    with Driver(programs, folder, *FLAGS) as driver:
        driver.run("verify")
        assert parse_dump(driver.run("dump")) == ledger.memories
        driver.run("checkpoint")
    met = any(operation.kind == "fault" for operation in read_record(record))
    return met, errors


def failing_in_turn(programs, tmp_path, name, numbers):
    """Runs the script once for each number, until there are no more calls. @return errors met"""
    num_met, num_errors = 0, 0
    for number in numbers:
        folder = tmp_path / f"store{number}"
        try:
            met, errors = run_with_fault(programs, folder, FAULTS[name].format(number))
        except (AssertionError, Refused) as error:
            raise AssertionError(f"{name} at call {number}: {error}") from error
        shutil.rmtree(folder)
        if not met:
            break
        for error in errors:
            assert "error IoError" in error, f"{name} at call {number}: {error}"
        num_met += 1
        num_errors += len(errors) > 0
    return num_met, num_errors


@pytest.mark.parametrize("name", FAULTS)
def test_every_call_fails_once(programs, tmp_path, full, name):
    num_workers = 4  # they wait for the disk
    with ThreadPoolExecutor(num_workers) as workers:
        parts = workers.map(
            lambda first: failing_in_turn(programs, tmp_path, name,
                                          range(first, 5000, num_workers if full else 60)),
            range(1, 1 + num_workers))
        num_met, num_errors = map(sum, zip(*parts))
    assert num_met > (250 if full else 10)
    assert (num_errors == 0) == (name == "short")
    print(f"{name}: {num_met} calls failed in turn, {num_errors} errors, 0 stores damaged")
