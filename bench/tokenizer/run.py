#!/usr/bin/env python3
"""FastTokenizer against Hugging Face's tokenizers and llama.cpp's; tables to standard output.

Needs the programs of the `bench` preset, bench/peers/setup.sh, ../shared/data, and a Python with
tokenizers and transformers (tools/setup.sh). Every line is the median of some rounds; a round
measures ours and theirs one after the other, so that a slow moment of the machine falls on both.
Jobs are those of bench_tokenizer.cpp.
"""

import argparse
import os
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import inputs  # noqa: E402
import report  # noqa: E402
from measure import BenchError, Worker, busy_share, pin_to_physical_cores  # noqa: E402

NUM_THREADS = 2
LONG = "classic-books, 100 MB"  # measured once, and only some jobs
JOBS = {"warm": "one call, warm", "cold": "one call, cold", "lines": "a call a line",
        "batch": "a batch", "decode": "decode, one by one"}
LONG_JOBS = ("lines", "batch")
LLAMA_BERT = "ggml-vocab-bert-bge.gguf"  # BERT's uncased vocabulary


class Pair:
    """Our process and theirs, on one tokenizer."""

    def __init__(self, build, tokenizer):
        self.path = tokenizer
        self.ours = Worker([build / "bin/bench_tokenizer", tokenizer])
        self.theirs = Worker([sys.executable, ROOT / "bench/peers/hf_tokenizers_worker.py",
                              tokenizer])

    def measure(self, rounds, job, text="-", num_threads=1, with_peer=True):
        """Median seconds, ours and theirs."""
        samples = ([], [])
        workers = (self.ours, self.theirs) if with_peer else (self.ours,)
        for number in range(rounds + 1 if rounds > 1 else 1):
            for worker, times in zip(workers, samples):
                seconds = worker.seconds(job, text, num_threads)
                if number > 0 or rounds == 1:  # the first one of several warms up
                    times.append(seconds)
        return [statistics.median(times) if times else None for times in samples]

    def close(self):
        self.ours.close()
        self.theirs.close()


def speed_rows(name, pair, texts, jobs, rounds):
    for text, path in texts.items():
        megabytes = path.stat().st_size / inputs.MEGABYTE
        for job in jobs:
            ours, theirs = pair.measure(rounds, job, path)
            yield [name, text, JOBS[job], f"{megabytes / ours:.1f}", f"{megabytes / theirs:.2f}",
                   f"{theirs / ours:.1f}"]


def llama_rows(name, pair, texts, peers, rounds):
    """The same vocabulary; ours finds offsets too."""
    if name != inputs.BERT:
        return
    vocabularies = list(peers.glob("llama_cpp_python-*/vendor/llama.cpp/models/" + LLAMA_BERT))
    if not vocabularies:
        raise BenchError(f"{LLAMA_BERT} is not in {peers}: run bench/peers/setup.sh")
    theirs = Worker([peers / "llama_tokenizer_worker", vocabularies[0]])
    for text, path in texts.items():
        for job in ("warm", "lines"):
            samples = [[worker.seconds(job, path) for worker in (pair.ours, theirs)]
                       for _ in range(rounds + 1)][1:]
            ours, peer = (path.stat().st_size / inputs.MEGABYTE / statistics.median(times)
                          for times in zip(*samples))
            yield [text, JOBS[job], f"{ours:.1f}", f"{peer:.1f}", f"{ours / peer:.2f}"]
    theirs.close()


def thread_rows(name, pair, path, rounds):
    one, _ = pair.measure(rounds, "batch", path, 1, with_peer=False)
    two, _ = pair.measure(rounds, "batch", path, NUM_THREADS, with_peer=False)
    yield [name, f"{1e3 * one:.1f}", f"{1e3 * two:.1f}", f"{one / two:.2f}"]


def first_load(command):
    """In a process of its own, as a user meets it."""
    worker = Worker(command)
    seconds = worker.seconds("first-load")
    worker.close()
    return seconds


def load_rows(name, pair, rounds):
    cache = pair.path.with_name(pair.path.name + ".cache")
    parsed = []
    for _ in range(rounds):
        cache.unlink(missing_ok=True)
        cache.mkdir()  # where a folder is, no cache can be
        parsed.append(pair.ours.seconds("load"))
        cache.rmdir()
    pair.ours.seconds("load")  # writes the cache
    mapped = statistics.median([first_load(pair.ours.command) for _ in range(rounds)])
    theirs = statistics.median([pair.theirs.seconds("load") for _ in range(rounds)])
    parsed = statistics.median(parsed)
    yield [name, f"{1e3 * parsed:.1f}", f"{1e3 * mapped:.1f}", f"{1e3 * theirs:.1f}",
           f"{theirs / parsed:.1f}", f"{theirs / mapped:.1f}"]


def peak_bytes(worker):
    status = pathlib.Path(f"/proc/{worker.process.pid}/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))


def attack_rows(name, pair, attacks, english, rounds):
    """A process for each attack, which has seen nothing: its peak is of this text alone."""
    for attack, path in attacks.items():
        size = path.stat().st_size
        prose, attacked, peaks = [], [], []
        for _ in range(rounds):
            prose.append(english.stat().st_size / pair.ours.seconds("warm", english))
            worker = Worker(pair.ours.command)
            attacked.append(size / worker.seconds("warm", path))
            peaks.append(peak_bytes(worker))
            worker.close()
        speed = statistics.median(attacked)
        yield [name, attack, f"{speed / inputs.MEGABYTE:.1f}",
               f"{statistics.median(prose) / speed:.2f}", f"{max(peaks) / size:.0f}"]


def parts(pair, name, texts, attacks, peers, rounds):
    """name → function that measures it"""
    short = {text: path for text, path in texts.items() if text != LONG}
    return {
        "load": lambda: load_rows(name, pair, rounds),
        "short": lambda: speed_rows(name, pair, short, JOBS, rounds),
        "long": lambda: speed_rows(name, pair, {LONG: texts[LONG]}, LONG_JOBS, 1),
        "threads": lambda: thread_rows(name, pair, texts["English"], rounds),
        "llama": lambda: llama_rows(name, pair, short, peers, rounds),
        "attacks": lambda: attack_rows(name, pair, attacks, texts["English"], rounds),
    }


HEADERS = {
    "load": ["Load", "parsed, ms", "from the cache, ms", "HF, ms", "HF / parsed", "HF / cache"],
    "short": ["One thread", "text", "job", "ours, MB/s", "HF, MB/s", "ratio"],
    "long": ["One thread", "text", "job", "ours, MB/s", "HF, MB/s", "ratio"],
    "threads": ["Batch of English lines", "1 thread, ms", f"{NUM_THREADS} threads, ms", "ratio"],
    "llama": ["WordPiece", "job", "ours, MB/s", "llama.cpp, MB/s", "ratio"],
    "attacks": ["Attack", "text", "MB/s, first call", "times slower than warm English",
                "peak memory, bytes per byte"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/bench",
                        help="folder of the `bench` preset (default build/bench)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="families whose names hold this")
    parser.add_argument("--parts", nargs="+", choices=HEADERS, default=list(HEADERS),
                        help="what to measure (default: everything)")
    arguments = parser.parse_args()
    data = ROOT.parent / "shared/data"
    peers = pathlib.Path(os.environ.get("AIOS_PEERS", ROOT / "build/peers"))
    os.environ.update(RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="true")
    pin_to_physical_cores(NUM_THREADS)
    texts = inputs.write_texts(arguments.build / "texts", inputs.prose(data))
    attacks = inputs.write_texts(arguments.build / "texts", inputs.attacks())
    tokenizers = inputs.write_tokenizers(arguments.build / "tokenizers", data)
    rows = {part: [] for part in arguments.parts}
    try:
        for name, path in tokenizers.items():
            if arguments.only not in name:
                continue
            print(name, file=sys.stderr)
            pair = Pair(arguments.build, path)
            measures = parts(pair, name, texts, attacks, peers, arguments.rounds)
            for part in arguments.parts:
                rows[part] += measures[part]()
            pair.close()
    except (BenchError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    print(f"Others used {100 * busy_share():.0f} % of the machine afterwards.\n")
    print("\n".join(report.table(HEADERS[part], found) for part, found in rows.items() if found),
          end="")


if __name__ == "__main__":
    main()
