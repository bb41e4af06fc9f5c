"""Times Hugging Face's tokenizers for bench/tokenizer/run.py: the jobs of bench_tokenizer.

Usage: hf_tokenizers_worker.py TOKENIZER.json

How many threads a batch takes is set by RAYON_NUM_THREADS when the process starts.
"""

import functools
import sys
import time
from pathlib import Path

from tokenizers import Tokenizer

BATCH = 10_000  # lines of one call


def jobs(path):
    """Each is a function of the text, which prepares and gives the calls that are timed."""
    shared = Tokenizer.from_file(path)

    def fresh_call(text):
        tokenizer = Tokenizer.from_file(path)
        return [lambda: tokenizer.encode(text)]

    def lines_of(text):
        return [line for line in text.split("\n") if line]

    def one_by_one(text):
        lines = lines_of(text)
        return [lambda: [None for line in lines if shared.encode(line) is None]]

    def batch(text):
        lines = lines_of(text)
        return [functools.partial(shared.encode_batch, lines[at:at + BATCH])
                for at in range(0, len(lines), BATCH)]

    def decode(text):
        ids = shared.encode(text).ids
        return [lambda: shared.decode(ids)]

    return {
        "load": lambda text: [lambda: Tokenizer.from_file(path)],
        "cold": fresh_call,
        "warm": lambda text: [lambda: shared.encode(text)],
        "lines": one_by_one,
        "batch": batch,
        "decode": decode,
    }


def main():
    known = jobs(sys.argv[1])
    texts = {"-": ""}  # for jobs without a text
    for line in sys.stdin:
        job, *arguments = line.split()
        file = arguments[0] if arguments else "-"
        if file not in texts:
            texts[file] = Path(file).read_bytes().decode()
        elapsed = 0
        for call in known[job](texts[file]):
            start = time.perf_counter()
            result = call()
            elapsed += time.perf_counter() - start
            del result
        print(elapsed, flush=True)


if __name__ == "__main__":
    main()
