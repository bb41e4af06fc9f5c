"""Approximate search: recall@10 against queries a second of our graphs and of USearch's HNSW.

Each set's thousand queries are one batch on two threads. Both sides search with a list of growing
width; who is compared takes turns within each round. Vectors that are in segments have a graph.
"""

import time

import numpy as np

import memory_peers
from plot import line_chart
from report import table

WIDTHS = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256)
DTYPES = ("f32", "bf16", "i8")
WANTED = 0.95
LEAST_MISSED = 1e-4  # a tenth of which 10,000 results could show


class Curves:
    """The searchers of one `SearchBench`, whose store and queries they share."""

    def __init__(self, bench, metric, num_threads, folder):
        self.bench, self.peers, self.build_seconds, self.bytes = bench, {}, {}, {}
        for dtype in DTYPES:
            name = f"usearch HNSW {dtype}"
            file = folder / "stores" / f"{bench.name}-hnsw-{dtype}"
            seconds = file.with_suffix(".build")
            start = time.perf_counter()
            self.peers[name] = memory_peers.UsearchHnsw(bench.base, metric, num_threads, file,
                                                        dtype)
            if not seconds.exists():
                seconds.write_text(str(time.perf_counter() - start))
            self.build_seconds[name] = float(seconds.read_text())
            # Vectors, and 32 neighbours of 5 bytes at the least; upper layers come on top.
            self.bytes[name] = bench.dimension * {"f32": 4, "bf16": 2, "i8": 1}[dtype] + 5 * 32
        self.build_seconds["aios graph"] = bench.build_seconds["aios graph"]
        self.bytes["aios graph"] = -(-bench.dimension // 64) * 64 + 4 * 32 + 8
        self.seconds, self.recalls = {}, {}

    def round(self):
        count = len(self.bench.queries)
        for width in WIDTHS:
            seconds, ids = self.bench.store.search(f"int8/{width}", 0, count)
            self.add("aios graph", width, seconds, ids)
            for name, peer in self.peers.items():
                peer.index.expansion_search = width
                start = time.perf_counter()
                ids = peer.search(self.bench.queries)
                self.add(name, width, time.perf_counter() - start, ids)

    def add(self, who, width, seconds, ids):
        self.seconds.setdefault((who, width), []).append(seconds)
        same = sum(len(set(a) & set(b)) for a, b in zip(ids.tolist(), self.bench.true.tolist()))
        self.recalls[who, width] = same / self.bench.true.size

    def curve(self, who):
        """Points (recall, queries a second), by width."""
        count = len(self.bench.queries)
        return [(self.recalls[who, width], count / np.median(self.seconds[who, width]))
                for width in WIDTHS]

    def speed_at(self, who, wanted):
        """Queries a second at a recall, between the two widths about it; None: never reached."""
        points = self.curve(who)
        for (low, slower), (high, speed) in zip([(0.0, points[0][1]), *points], points):
            if high >= wanted:
                share = 0.0 if high == low else (high - wanted) / (high - low)
                return speed * (slower / speed) ** share
        return None

    def report(self):
        rows = []
        for who in ("aios graph", *self.peers):
            speed = self.speed_at(who, WANTED)
            best = max(recall for recall, _ in self.curve(who))
            rows.append([who, f"{speed:.0f}" if speed else "never", f"{best:.4f}",
                         f"{self.build_seconds[who]:.1f}", f"{self.bytes[who]:.0f}"])
        return table([f"**{self.bench.name}**, batch of {len(self.bench.queries)}",
                      f"queries/s at recall@10 {WANTED}", "best recall", "build, s",
                      "bytes a vector"], rows)

    def picture(self):
        series = {who: [(max(1 - recall, LEAST_MISSED), speed) for recall, speed in
                        self.curve(who)] for who in ("aios graph", *self.peers)}
        return line_chart(f"{self.bench.name}: speed against what is missed", "1 - recall@10",
                          "queries a second", series, log_x=True, log_y=True)
