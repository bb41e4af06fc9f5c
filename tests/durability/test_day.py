"""An assistant's day on a clock of its own: the store stays small, and its clock may go back."""
import random
import shutil

from driver import Driver, parse_dump

HOUR = 3600
START = 1_800_000_000


class Day:
    """A memory every twenty seconds, most for some hours, some for good; now and then one is
    changed, removed or forgotten; searches all the while, expiry every hour."""

    def __init__(self, driver, source):
        self.driver = driver
        self.source = source
        self.now = START
        self.expiries: dict[int, float] = {}  # of the memories that were added, by number
        self.versions: dict[int, int] = {}

    def live(self) -> dict[int, int]:
        return {number: version for number, version in self.versions.items()
                if self.expiries[number] > self.now}

    def add(self) -> None:
        names = []
        for _ in range(self.source.randint(1, 8)):
            number = len(self.expiries)
            hours = self.source.choice([1, 2, 4, 8, 1e9])
            self.expiries[number] = self.now + hours * HOUR
            self.versions[number] = 1
            names.append(f"{number}.1" + (f"@{self.now + hours * HOUR}" if hours < 1e9 else ""))
        self.driver.run("upsert " + " ".join(names))

    def step(self) -> None:
        self.now += 20
        self.driver.run(f"shim clock {self.now}")
        self.add()
        live = self.live()
        chosen = self.source.choice(list(live))
        found = self.driver.run(f"search {chosen}.{live[chosen]}")
        assert found == f"{chosen} {chosen}", f"{chosen}: {found}"
        kind = self.source.random()
        if kind < 0.1:
            self.versions[chosen] += 1
            self.expiries[chosen] = 1e18
            self.driver.run(f"upsert {chosen}.{self.versions[chosen]}")
        elif kind < 0.15:
            self.driver.run(f"remove {chosen}")
            del self.versions[chosen]
        elif kind < 0.152:
            self.driver.run(f"forget {chosen}")
            del self.versions[chosen]
        if self.now % HOUR == 0:
            self.driver.run("expire")


def size_of(folder) -> int:
    """Without the index of the log in shared memory: it is of 32 KiB, whatever the store."""
    return sum(file.stat().st_size for file in folder.iterdir() if not file.name.endswith("-shm"))


def test_a_day_leaves_no_more_than_what_is_alive(programs, tmp_path, full):
    """Each hour the folder, its log included, is at most half as large again as a new store of the
    same memories that is packed as tightly as can be."""
    ratios = []
    with Driver(programs, tmp_path / "store", "--background", "--seal-rows", "500",
                shim=True) as driver:
        driver.run("create")
        day = Day(driver, random.Random(1))
        for hour in range(24 if full else 2):
            for _ in range(HOUR // 20):
                day.step()
            driver.run("compact")
            assert parse_dump(driver.run("dump")) == day.live()
            size = size_of(tmp_path / "store")
            ratios.append(size / fresh_size(programs, tmp_path / "fresh", day))
        driver.run("verify")
    print("size by the size of a new store, by the hour:", " ".join(f"{r:.2f}" for r in ratios))
    assert max(ratios) < 1.5


def fresh_size(programs, folder, day) -> int:
    with Driver(programs, folder) as driver:
        driver.run("create")
        live = list(day.live().items())
        for i in range(0, len(live), 500):
            driver.run("add " + " ".join(f"{number}.{version}"
                                         for number, version in live[i:i + 500]))
        driver.run("checkpoint")
        driver.run("forget 123456789")  # packs all as tightly as can be, whoever that is
    size = size_of(folder)
    shutil.rmtree(folder)
    return size


def test_the_clock_goes_back(programs, tmp_path):
    """Order is that of arrival; what has expired by the clock as it stands is not there, and what
    an earlier clock brings back was not yet purged."""
    with Driver(programs, tmp_path / "store", shim=True) as driver:
        driver.run("create")
        driver.run(f"shim clock {START}")
        driver.run(f"add 1.1 2.1@{START + 100} 3.1@{START - 100}")
        assert parse_dump(driver.run("dump")) == {1: 1, 2: 1}
        driver.run(f"shim clock {START + 1000}")
        assert parse_dump(driver.run("dump")) == {1: 1}
        driver.run(f"shim clock {START - 1000}")
        driver.run("add 4.1")
        driver.run("upsert 1.2")
        assert driver.run("dump") == "2.1 3.1 4.1 1.2"
        driver.run(f"shim clock {START + 1000}")
        assert driver.run("expire") == "2"
        driver.run(f"shim clock {START - 1000}")
        driver.run("checkpoint")
        assert driver.run("dump") == "4.1 1.2"
        driver.run("verify")
