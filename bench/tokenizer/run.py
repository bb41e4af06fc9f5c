#!/usr/bin/env python3
"""FastTokenizer against Hugging Face's tokenizers, job by job in turn; tables to standard output.

Needs the programs of the `bench` preset, ../shared/data, and a Python with tokenizers and
transformers (tools/setup.sh). Every line is the median of some rounds; a round measures ours and
theirs one after the other, so that a slow moment of the machine falls on both. Jobs are those of
bench_tokenizer.cpp.
"""

import argparse
import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import inputs  # noqa: E402
import report  # noqa: E402
from measure import BenchError, Worker, pin_to_physical_cores  # noqa: E402

NUM_THREADS = 2
LONG = 20 * inputs.MEGABYTE  # texts above this size are measured once, and only some jobs
JOBS = {"warm": "one call, warm", "cold": "one call, cold", "lines": "a call a line",
        "batch": "a batch", "decode": "decode, one by one"}


class Pair:
    """Our process and theirs, on one tokenizer."""

    def __init__(self, build, tokenizer):
        self.path = tokenizer
        self.ours = Worker([build / "bin/bench_tokenizer", tokenizer])
        self.theirs = Worker([sys.executable, ROOT / "bench/peers/hf_tokenizers_worker.py",
                              tokenizer])

    def measure(self, rounds, job, text="", num_threads=1, with_peer=True):
        """Median seconds, ours and theirs."""
        samples = ([], [])
        workers = (self.ours, self.theirs) if with_peer else (self.ours,)
        for number in range(rounds + 1):
            for worker, times in zip(workers, samples):
                seconds = worker.seconds(job, text, num_threads)
                if number > 0 or rounds == 1:  # the first one warms up
                    times.append(seconds)
        return [statistics.median(times) if times else None for times in samples]

    def close(self):
        self.ours.close()
        self.theirs.close()


def speed_rows(name, pair, texts, rounds):
    for text, path in texts.items():
        megabytes = path.stat().st_size / inputs.MEGABYTE
        is_long = path.stat().st_size > LONG
        for job, title in JOBS.items():
            if is_long and job not in ("lines", "batch"):
                continue
            ours, theirs = pair.measure(1 if is_long else rounds, job, path)
            yield [name, text, title, f"{megabytes / ours:.1f}", f"{megabytes / theirs:.2f}",
                   f"{theirs / ours:.1f}"]


def thread_rows(name, pair, path, rounds):
    one, _ = pair.measure(rounds, "batch", path, 1, with_peer=False)
    two, _ = pair.measure(rounds, "batch", path, NUM_THREADS, with_peer=False)
    yield [name, f"{1e3 * one:.1f}", f"{1e3 * two:.1f}", f"{one / two:.2f}"]


def load_rows(name, pair, rounds):
    cache = pair.path.with_name(pair.path.name + ".cache")
    parsed = []
    for _ in range(rounds):
        cache.unlink(missing_ok=True)
        cache.mkdir()  # where a folder is, no cache can be
        parsed.append(pair.ours.seconds("load"))
        cache.rmdir()
    mapped, theirs = pair.measure(rounds, "load")
    parsed = statistics.median(parsed)
    yield [name, f"{1e3 * parsed:.1f}", f"{1e3 * mapped:.1f}", f"{1e3 * theirs:.1f}",
           f"{theirs / parsed:.1f}", f"{theirs / mapped:.1f}"]


def attack_rows(name, pair, attacks, english):
    seconds, _ = pair.measure(3, "warm", english, with_peer=False)
    prose = english.stat().st_size / seconds
    for attack, path in attacks.items():
        seconds, _ = pair.measure(1, "warm", path, with_peer=False)
        speed = path.stat().st_size / seconds
        yield [name, attack, f"{speed / inputs.MEGABYTE:.1f}", f"{prose / speed:.2f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/bench",
                        help="folder of the `bench` preset (default build/bench)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="families whose names hold this")
    parser.add_argument("--short", action="store_true", help="leave out what takes minutes")
    arguments = parser.parse_args()
    data = ROOT.parent / "shared/data"
    os.environ.update(RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="true")
    pin_to_physical_cores(NUM_THREADS)
    makers = inputs.prose(data)
    if arguments.short:
        makers.pop("classic-books, 100 MB")
    texts = inputs.write_texts(arguments.build / "texts", makers)
    attacks = inputs.write_texts(arguments.build / "texts", inputs.attacks())
    tokenizers = inputs.write_tokenizers(arguments.build / "tokenizers", data)
    speed, threads, load, linear = [], [], [], []
    try:
        for name, path in tokenizers.items():
            if arguments.only not in name:
                continue
            print(name, file=sys.stderr)
            pair = Pair(arguments.build, path)
            load += load_rows(name, pair, arguments.rounds)
            speed += speed_rows(name, pair, texts, arguments.rounds)
            threads += thread_rows(name, pair, texts["English"], arguments.rounds)
            linear += attack_rows(name, pair, attacks, texts["English"])
            pair.close()
    except (BenchError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    tables = [
        report.table(["One thread", "text", "job", "ours, MB/s", "HF, MB/s", "ratio"], speed),
        report.table(["Batch of English lines", "1 thread, ms", f"{NUM_THREADS} threads, ms",
                      "ratio"], threads),
        report.table(["Load", "parsed, ms", "from the cache, ms", "HF, ms", "HF / parsed",
                      "HF / cache"], load),
        report.table(["Attack", "text", "MB/s", "times slower than English prose"], linear)]
    print("\n".join(tables), end="")


if __name__ == "__main__":
    main()
