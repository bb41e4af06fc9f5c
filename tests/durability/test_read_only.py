"""A store on a disk that cannot be written: it is read as it is, and a writer is told why not."""
import pytest

from driver import Driver, Refused, parse_dump


@pytest.fixture(name="folder")
def fixture_folder(programs, tmp_path):
    folder = tmp_path / "store"
    with Driver(programs, folder) as driver:
        driver.run("create")
        driver.run("add 1.1 2.1 3.1")
        driver.run("compact")
        driver.run("remove 2")
        driver.run("add 4.1")
    return folder


@pytest.mark.parametrize("command", ["compact", "checkpoint"])
def test_it_is_read_with_what_is_in_the_log(programs, folder, command):
    with Driver(programs, folder) as driver:
        driver.run(command)
        driver.run("upsert 5.1")  # in the log
    with Driver(programs, folder, "--read-only", read_only=True) as driver:
        assert parse_dump(driver.run("dump")) == {1: 1, 3: 1, 4: 1, 5: 1}
        assert driver.run("search 4.1") == "4 4"
        driver.run("verify")
        with pytest.raises(Refused, match="StorageError .* was opened read-only"):
            driver.run("add 6.1")


def test_a_writer_is_refused(programs, folder):
    with pytest.raises(Refused, match="IoError cannot lock .*writer.lock': Read-only file system"):
        Driver(programs, folder, read_only=True)


def test_without_the_index_of_the_log_it_cannot_be_read(programs, folder):
    (folder / "catalog.sqlite-shm").unlink()
    with pytest.raises(Refused, match="IoError .* unable to open database file"):
        Driver(programs, folder, "--read-only", read_only=True)
