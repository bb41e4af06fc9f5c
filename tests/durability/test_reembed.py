"""A re-embedding that is killed is taken up again; who reads sees old vectors or new ones."""
import threading

import pytest

from driver import Died, Driver, Refused, parse_dump

FLAGS = ("--seal-rows", "100")
LIVE = {number: 1 for number in range(300) if number % 7}
OLD, NEW = "24", "40"


def fill(programs, folder):
    """Memories in segments, one of which has dead rows, and hot ones."""
    with Driver(programs, folder, *FLAGS) as driver:
        driver.run("create")
        for first in (0, 100, 200):
            driver.run("add " + " ".join(f"{number}.1" for number in range(first, first + 100)))
            driver.run("compact" if first < 200 else "stats")
        driver.run("remove " + " ".join(str(number) for number in range(0, 300, 7)))


def check(driver):
    driver.run("verify")
    assert parse_dump(driver.run("dump")) == LIVE
    assert driver.run("search 5.1") == "5 5"  # in a segment
    assert driver.run("search 298.1") == "298 298"  # hot


def test_all_vectors_change(programs, tmp_path):
    fill(programs, tmp_path / "store")
    with Driver(programs, tmp_path / "store", *FLAGS) as driver:
        assert driver.run(f"reembed {NEW}") == f"0 {len(LIVE)}"
        assert driver.run("dimension") == NEW
        check(driver)
        assert driver.run(f"reembed {NEW}") == "0 0"
        driver.run("add 1000.1")
        assert driver.run("search 1000.1") == "1000 1000"
        driver.run("remove 1000")
        driver.run("checkpoint")
        check(driver)


@pytest.mark.parametrize("point", [
    "sync:log 2", "sync:log 4", "write:log 30", "write:log 80", "open:segment 1",
    "write:segment 1", "sync:segment 1", "rename:segment 1", "sync:folder 1", "sync:log 7",
    "unlink:segment 1", "unlink:segment 2"])
@pytest.mark.parametrize("action", ["kill-before", "kill-after"])
def test_a_killed_one_is_taken_up(programs, tmp_path, point, action):
    folder = tmp_path / "store"
    fill(programs, folder)
    with pytest.raises(Died):
        with Driver(programs, folder, *FLAGS, fault=f"{action} {point}") as driver:
            driver.run(f"reembed {NEW}")
            pytest.fail(f"{point} was not reached")
    with Driver(programs, folder, *FLAGS) as driver:
        switched = driver.run("dimension") == NEW
        check(driver)
        num_resumed, num_embedded = map(int, driver.run(f"reembed {NEW}").split())
        assert num_resumed + num_embedded == (0 if switched else len(LIVE))
        assert driver.run("dimension") == NEW
        check(driver)


def test_batches_are_kept_unless_another_model_comes(programs, tmp_path):
    folder = tmp_path / "store"
    fill(programs, folder)
    with pytest.raises(Died):
        with Driver(programs, folder, *FLAGS, fault="kill-before sync:log 5") as driver:
            driver.run(f"reembed {NEW}")
    with Driver(programs, folder, *FLAGS) as driver:
        driver.run("remove 1 2")  # of which new vectors are kept already
        num_resumed, num_embedded = map(int, driver.run(f"reembed {NEW}").split())
        assert num_resumed > 0 and num_resumed + num_embedded == len(LIVE) - 2
    with pytest.raises(Died):
        with Driver(programs, folder, *FLAGS, fault="kill-before sync:log 5") as driver:
            driver.run(f"reembed {OLD}")
    with Driver(programs, folder, *FLAGS) as driver:
        assert driver.run("reembed 56") == f"0 {len(LIVE) - 2}"
        driver.run("verify")


@pytest.mark.parametrize("fault", ["eio", "enospc"])
def test_one_that_fails_is_tried_again(programs, tmp_path, fault):
    for point in ("write:segment 2", "sync:segment 1", "rename:segment 1", "sync:log 5"):
        folder = tmp_path / point.replace(":", "-").replace(" ", "-")
        fill(programs, folder)
        with Driver(programs, folder, *FLAGS, fault=f"{fault} {point}") as driver:
            with pytest.raises(Refused, match="IoError"):
                driver.run(f"reembed {NEW}")
            assert driver.run("dimension") == OLD
            check(driver)
            driver.run("shim heal")
            driver.run(f"reembed {NEW}")
            check(driver)


def test_readers_see_old_vectors_or_new_ones(programs, tmp_path, full):
    folder = tmp_path / "store"
    fill(programs, folder)
    stop, wrong, num_reads = threading.Event(), [], [0, 0]

    def read(which):
        try:
            with Driver(programs, folder, "--read-only") as driver:
                while not stop.is_set():
                    assert parse_dump(driver.run("dump")) == LIVE
                    assert parse_dump(driver.run("scan")) == LIVE
                    num_reads[which] += 1
        except Exception as error:  # of any kind: it goes to the test's thread
            wrong.append(error)

    readers = [threading.Thread(target=read, args=(which,), daemon=True) for which in (0, 1)]
    for reader in readers:
        reader.start()
    with Driver(programs, folder, *FLAGS) as writer:
        for switch in range(60 if full else 8):
            writer.run(f"reembed {24 + 8 * (1 + switch % 3)}")
        stop.set()
        for reader in readers:
            reader.join()
        assert wrong == [] and min(num_reads) > 2
        check(writer)
