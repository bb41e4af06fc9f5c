"""Vectors and texts for bench/memory.py: `FOLDER/NAME.f32` and `FOLDER/NAME-queries.f32`.

    books       100,000 x 384  sentences of classic-books by all-MiniLM-L6-v2; `books.txt` has them
    clustered   1,000,000 x 384 and 100,000 x 768, synthetic: Gaussian clouds about 1,000 centres
    mnist       9,000 x 784    the pixels of data/ann-mnist-t10k

Queries are 1,000 more of the same kind, none of which is in the base. What is there is kept.
"""

import gzip
import pathlib
import random
import re
import tarfile

import numpy as np

from measure import capture

NUM_QUERIES = 1000
ARCHIVE = "corpus-classic-books/classic-books-pre1930.tar.xz"
SENTENCE = re.compile(r"(?<=[.!?])[\"'\u201d\u2019]?\s+(?=[\"'\u201c\u2018A-Z])")


def book_sentences(shared, count):
    """`count` different sentences of 40 to 300 characters, drawn from all books."""
    sentences = set()
    with tarfile.open(shared / "data" / ARCHIVE) as archive:
        for member in archive:
            if not member.isfile():
                continue
            text = archive.extractfile(member).read().decode("utf-8", "replace")
            for part in SENTENCE.split(text):
                part = " ".join(part.split())
                if 40 <= len(part) <= 300:
                    sentences.add(part)
    return random.Random(0).sample(sorted(sentences), count)


def save(folder, name, base, queries):
    base.astype(np.float32).tofile(folder / f"{name}.f32")
    queries.astype(np.float32).tofile(folder / f"{name}-queries.f32")


def make_books(folder, shared, aios, encoder):
    sentences = book_sentences(shared, 100_000 + NUM_QUERIES)
    (folder / "books.txt").write_text("\n".join(sentences) + "\n")
    capture([aios, "encode", "--input", folder / "books.txt", "--model", encoder, "--format", "npy",
             "--output", folder / "books.npy"])
    vectors = np.load(folder / "books.npy")
    assert len(vectors) == len(sentences)
    save(folder, "books", vectors[:-NUM_QUERIES], vectors[-NUM_QUERIES:])


def make_clustered(folder, name, rows, dimension):
    """Unit vectors: a centre plus noise of about the centre's length."""
    numbers = np.random.default_rng(dimension)
    centres = numbers.standard_normal((1000, dimension), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vectors = numbers.standard_normal((rows + NUM_QUERIES, dimension), dtype=np.float32)
    vectors /= np.sqrt(np.float32(dimension))
    vectors += centres[numbers.integers(0, len(centres), len(vectors))]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    save(folder, name, vectors[:-NUM_QUERIES], vectors[-NUM_QUERIES:])


def make_mnist(folder, shared):
    packed = shared / "data/ann-mnist-t10k/t10k-images-idx3-ubyte.gz"
    pixels = np.frombuffer(gzip.decompress(packed.read_bytes()), np.uint8, offset=16)
    pixels = pixels.reshape(-1, 784).astype(np.float32)
    save(folder, "mnist", pixels[:-NUM_QUERIES], pixels[-NUM_QUERIES:])


def prepare(folder, shared, aios, encoder):
    folder.mkdir(parents=True, exist_ok=True)
    makers = {
        "books": lambda: make_books(folder, shared, aios, encoder),
        "clustered-384": lambda: make_clustered(folder, "clustered-384", 1_000_000, 384),
        "clustered-768": lambda: make_clustered(folder, "clustered-768", 100_000, 768),
        "mnist": lambda: make_mnist(folder, shared),
    }
    for name, make in makers.items():
        if not (folder / f"{name}-queries.f32").exists():
            make()


def load(folder, name, dimension):
    path = pathlib.Path(folder)
    return tuple(np.fromfile(path / f"{name}{part}.f32", np.float32).reshape(-1, dimension)
                 for part in ("", "-queries"))
