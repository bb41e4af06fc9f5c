#!/usr/bin/env python3
"""What quantisation costs a causal and diffusion model, ours and ggml's, on the same windows.

    bench/quality.py MODEL HELD_OUT... --calibration FILE [--aios PROGRAM] [--peers FOLDER]

Converts MODEL with every type and way of rounding, rounds the same matrices by ggml's Q8_0, Q4_K
and Q2_K (embeddings as ours have them: 8 bits, 4 beside 2), and scores all on the held-out texts:
same windows, same masks. Prints a Markdown table: bits of the layers' weights, their relative
squared error, perplexity, NELBO, and the differences to the model as it is, paired by window, with
standard errors. The calibration text must be none of the held-out ones.
"""
import argparse
import ctypes
import json
import math
import pathlib
import shutil
import sys
import tempfile

import numpy as np

from checkpoint import read_safetensors, write_safetensors
from measure import capture

ROOT = pathlib.Path(__file__).resolve().parent.parent
WINDOW, MAX_WINDOWS = 256, 200
GGML_TYPES = {"Q8_0": 8, "Q4_K": 12, "Q2_K": 10}  # enum ggml_type
GGML_BITS = {"Q8_0": 8.5, "Q4_K": 4.5, "Q2_K": 2.625}
GGML_WIDER = {"Q8_0": "Q8_0", "Q4_K": "Q8_0", "Q2_K": "Q4_K"}
OURS = [(dtype, rounding) for dtype in ("int8", "int4", "int2")
        for rounding in ("nearest", "least-squares", "gptq")]
OUR_BITS = {"int8": 8.5, "int4": 4.5, "int2": 2.625}  # int8 in groups of 32, the others of 128


class Ggml:
    """ggml's own quantiser, from the libraries that bench/peers/setup.sh builds."""

    def __init__(self, peers):
        self.library = ctypes.CDLL(str(peers / "llama/bin/libggml-base.so"))
        self.library.ggml_quantize_chunk.restype = ctypes.c_size_t
        self.library.ggml_quantize_chunk.argtypes = [
            ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64,
            ctypes.c_int64, ctypes.c_void_p]
        sys.path.insert(0, str(next(peers.glob("llama_cpp_python-*/vendor/llama.cpp/gguf-py"))))
        import gguf  # lies in llama.cpp's sources: found only now

        self.gguf = gguf

    def rounded(self, values, name):
        rows, depth = values.shape
        if depth % 256:
            raise ValueError(f"{name} needs rows of multiples of 256, not {depth}")
        values = np.ascontiguousarray(values, np.float32)
        target = np.zeros(rows * depth * 2, np.uint8)
        size = self.library.ggml_quantize_chunk(
            GGML_TYPES[name], values.ctypes.data, target.ctypes.data, 0, rows, depth, None)
        kind = self.gguf.GGMLQuantizationType(GGML_TYPES[name])
        return self.gguf.quants.dequantize(target[:size].reshape(rows, -1), kind)


def is_layer_matrix(name, values):
    return values.ndim == 2 and "layers." in name


def relative_error(before, after):
    """Of the layers' matrices: squared error over squared weights."""
    error = total = 0.0
    for name, values in before.items():
        if is_layer_matrix(name, values):
            error += float(((values - after[name]).astype(np.float64) ** 2).sum())
            total += float((values.astype(np.float64) ** 2).sum())
    return error / total


def write_rounded(source, model, tensors):
    """A copy of the model's folder `source` with these weights, in float32."""
    shutil.copytree(source, model, ignore=shutil.ignore_patterns("*.safetensors", "heldout"))
    write_safetensors(model / "model.safetensors", [
        (tensor, values.shape, lambda values=values: np.ascontiguousarray(values))
        for tensor, values in tensors.items()], "F32")


class Scorer:
    """Scores models on the same windows as the first one."""

    def __init__(self, options):
        self.options, self.reference = options, None

    def score(self, model, mode):
        answer = capture([self.options.aios, "score", "--model", model, "--mode", mode,
                          "--concatenate", "--window", WINDOW, "--max-windows", MAX_WINDOWS,
                          "--json", *self.options.held_out])
        answer = json.loads(answer)
        return np.array(answer["window_nats"]) / answer["num_tokens"] * answer["num_windows"]

    def row(self, name, bits, error, model):
        scores = {mode: self.score(model, mode) for mode in ("ar", "diffusion")}
        self.reference = self.reference or scores
        cells = [name, f"{bits:g}", "" if error is None else f"{100 * error:.3g} %"]
        for mode, values in scores.items():
            differences = values - self.reference[mode]
            mean, deviation = differences.mean(), differences.std(ddof=1)
            error_of_mean = deviation / math.sqrt(len(values))
            if mode == "ar":
                cells += [f"{math.exp(values.mean()):.2f}",
                          f"{100 * math.expm1(mean):+.2f} ± {100 * error_of_mean:.2f} %"]
            else:
                cells += [f"{values.mean():.4f}", f"{mean:+.4f} ± {error_of_mean:.4f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("held_out", nargs="+")
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--aios", type=pathlib.Path, default=ROOT / "build/bench/bin/aios")
    parser.add_argument("--peers", type=pathlib.Path, default=ROOT / "build/peers")
    options = parser.parse_args()
    ggml, scorer = Ggml(options.peers), Scorer(options)
    weights = read_safetensors(options.model / "model.safetensors")
    print("| Weights | bits | squared error | perplexity | rise | NELBO | rise |\n"
          "|---|---|---|---|---|---|---|")
    scorer.row("as they are", 16, None, options.model)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for dtype, rounding in OURS:
            model = folder / "model"
            calibration = ["--calibration", options.calibration] if rounding == "gptq" else []
            group = ["--group-size", 32] if dtype == "int8" else []
            capture([options.aios, "convert", options.model, model, "--overwrite", "--dtype", dtype,
                     "--rounding", rounding, *group, *calibration])
            capture([options.aios, "export", model, folder / "plain", "--overwrite"])
            error = relative_error(weights, read_safetensors(folder / "plain/model.safetensors"))
            scorer.row(f"{dtype}, {rounding}", OUR_BITS[dtype], error, model)
        for name in GGML_TYPES:
            rounded = {
                tensor: values if values.ndim < 2 else ggml.rounded(
                    values, name if is_layer_matrix(tensor, values) else GGML_WIDER[name])
                for tensor, values in weights.items()}
            model = folder / name
            write_rounded(options.model, model, rounded)
            scorer.row(f"ggml {name}", GGML_BITS[name], relative_error(weights, rounded), model)


if __name__ == "__main__":
    main()
