"""What was forgotten is in no file of the folder, decoded page by page; what was only removed is,
which shows that the search would find it."""
import sqlite3
import time

import pytest

from driver import Died, Driver, Refused
from sqlite_pages import Pages, TextIndex
from traces import Forgotten, find_traces, sequences

FLAGS = ("--seal-rows", "1000", "--graph-rows", "40")
EVERYONE = range(300)


def add(version, numbers=EVERYONE) -> str:
    return "upsert " + " ".join(f"{number}.{version}" for number in numbers)


def fill(driver, folder, sealed) -> list[Forgotten]:
    """Two versions of 300 memories. @return those that are to be forgotten, in both versions"""
    driver.run("create")
    chosen = []
    for version in (1, 2):
        driver.run(add(version))
        if sealed:
            driver.run("compact")
        rows = sequences(folder)
        chosen += [Forgotten(number, version, rows[number]) for number in (17, 143, 250)]
    return chosen


@pytest.mark.parametrize("sealed", [False, True], ids=["hot", "sealed"])
@pytest.mark.parametrize("background", [False, True], ids=["asked", "background"])
def test_nothing_is_left_of_what_was_forgotten(programs, tmp_path, sealed, background):
    folder = tmp_path / "store"
    flags = [*FLAGS, "--background"] if background else FLAGS
    with Driver(programs, folder, *flags) as driver:
        chosen = fill(driver, folder, sealed)
        latest = [memory for memory in chosen if memory.version == 2]
        kept = Forgotten(18, 2, sequences(folder)[18])
        places = {where.split(":")[0] for where in find_traces(folder, latest)}
        if sealed:
            assert any(place.startswith("rows of segment") for place in places), places
            assert any(place.startswith("codes of segment") for place in places), places
        else:
            assert {"table hot", "text index"} <= places, places
        driver.run("remove 17 143 250")
        assert find_traces(folder, latest), "a memory that is only removed leaves traces"
        assert driver.run("forget 17 143 250") == "0"
        assert find_traces(folder, chosen) == []
        driver.run(add(3, range(250, 252)))
        if sealed:
            driver.run("compact")
        chosen += [Forgotten(250, 3, sequences(folder)[250])]
        assert driver.run("forget 250") == "1"
        assert find_traces(folder, chosen) == []
        traces_of_others = find_traces(folder, [kept])
        assert any("row" in where for where in traces_of_others), traces_of_others
        assert any("secret18v2s" in where for where in traces_of_others), traces_of_others
        driver.run("verify")


@pytest.mark.parametrize("point", [
    "write:log 1", "sync:log 1", "sync:log 2", "rename:segment 1", "unlink:segment 1",
    "unlink:graph 1",
    "write:log 40", "sync:catalog 1", "truncate:log 1", "sync:log 3", "sync:log 4"])
def test_a_killed_forget_is_completed_by_the_next_writer(programs, tmp_path, point):
    folder = tmp_path / "store"
    with Driver(programs, folder, *FLAGS) as driver:
        chosen = fill(driver, folder, sealed=True)
    driver = Driver(programs, folder, *FLAGS, fault=f"kill-before {point}")
    with pytest.raises(Died):
        for _ in range(20):
            driver.run("forget 17 143 250")
    with Driver(programs, folder, *FLAGS) as driver:
        if sequences(folder).get(17) is not None:
            driver.run("forget 17 143 250")
        driver.run("compact")
    assert find_traces(folder, chosen) == []


@pytest.mark.parametrize("point", ["unlink:segment 1", "sync:folder 3", "truncate:log 1"])
def test_a_forget_that_failed_is_tried_again(programs, tmp_path, point):
    folder = tmp_path / "store"
    with Driver(programs, folder, *FLAGS) as driver:
        chosen = fill(driver, folder, sealed=True)
    with Driver(programs, folder, *FLAGS, fault=f"eio {point}") as driver:
        with pytest.raises(Refused, match="IoError"):
            for _ in range(3):
                driver.run("forget 17 143 250")
        driver.run("forget 17 143 250")
        assert find_traces(folder, chosen) == []


def test_a_read_that_lasts_is_waited_for_ten_seconds(programs, tmp_path):
    folder = tmp_path / "store"
    with Driver(programs, folder, *FLAGS) as driver:
        chosen = fill(driver, folder, sealed=True)
        reader = sqlite3.connect(f"file:{folder}/catalog.sqlite?mode=ro", uri=True)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM memory").fetchall()
        start = time.monotonic()
        with pytest.raises(Refused, match="StorageError .* keeps reading an older snapshot"):
            driver.run("forget 17 143 250")
        assert 10 <= time.monotonic() - start < 30
        assert driver.run("remove 17 143 250") == "0"  # they are removed
        reader.close()
        driver.run("compact")
        assert find_traces(folder, chosen) == []


def test_the_decoder_reads_what_sqlite_reads(programs, tmp_path):
    folder = tmp_path / "store"
    with Driver(programs, folder, *FLAGS) as driver:
        fill(driver, folder, sealed=False)
        driver.run("forget 17")  # now the text index is one piece, without marks of removals
    copy = sqlite3.connect(folder / "catalog.sqlite")
    pages = Pages(folder / "catalog.sqlite")
    for table in ("memory", "tombstone", "text_index_data"):
        rowids = [row[0] for row in copy.execute(f"SELECT rowid FROM {table} ORDER BY rowid")]
        assert [rowid for rowid, _ in pages.rows(pages.tables()[table])] == rowids
    copy.execute("CREATE VIRTUAL TABLE temp.v USING fts5vocab(main, text_index, instance)")
    expected = {}
    for term, row in copy.execute("SELECT DISTINCT term, doc FROM temp.v ORDER BY term, doc"):
        expected.setdefault(b"0" + term.encode(), []).append(row)
    assert TextIndex(pages, "text_index").occurrences == expected
    copy.close()
