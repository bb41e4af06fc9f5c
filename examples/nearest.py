#!/usr/bin/env python3
"""Ranks the lines of a file by how near they are in meaning to a query.

    nearest.py QUERY FILE        needs `aios` in the PATH and an encoder model
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def encode(texts: list[str]) -> np.ndarray:
    """One vector of length 1 per text, by `aios encode`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.npy"
        subprocess.run(["aios", "encode", "--input", "-", "--format", "npy", "--output", path],
                       input="\n".join(texts), text=True, check=True)
        return np.load(path)


def main(query: str, file: str) -> None:
    sentences = Path(file).read_text(encoding="utf-8").splitlines()
    vectors = encode([query, *sentences])
    cosines = vectors[1:] @ vectors[0]  # unit vectors: the inner product is the cosine
    for index in np.argsort(-cosines)[:5]:
        print(f"{cosines[index]:6.3f}  {sentences[index]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
