"""Masked diffusion against llama.cpp, for bench/run.py."""

import re
import statistics

from measure import BenchError, capture, drop_from_cache, read_seconds, run_model
from programs import GGML_TYPES, NUM_THREADS, WEIGHTS

LENGTHS, STEPS = (64, 128), 4
PROMPT = "12345678"  # eight tokens, as in bench_engine.cpp
MODELS = {"dream05": "Dream 0.5B", "dream125": "Dream 125M"}
BITS = {"bf16": 16, "int8": 8, "int4": 4, "int2": 2}
LARGE = "dream05"  # whose load, memory and threads are measured


def llama_command(programs, model, form, length, num_steps):
    return [programs.llama, "-m", programs.gguf(model, form), "-p", PROMPT,
            "-ub", length, "-t", NUM_THREADS, "--temp", 0, "--top-k", 1,
            "--diffusion-steps", num_steps, "--diffusion-eps", 0.001]


def check_same_text(programs, model):
    """Both engines must write the same after one step, but for ties that bf16 decides otherwise."""
    length = LENGTHS[0]
    ours = capture([programs.aios, "diffuse", PROMPT, "--model", programs.models / f"{model}-bf16",
                    "--max-new-tokens", length - len(PROMPT), "--num-steps", 1, "--remasking",
                    "maskgit_plus", "--threads", NUM_THREADS]).strip()
    peer = capture(llama_command(programs, model, "bf16", length, 1), merge_errors=True)
    peer = peer.strip().splitlines()[-1]
    same = sum(a == b for a, b in zip(ours, peer))
    if same < 0.8 * max(len(ours), len(peer)):
        raise BenchError(f"{model}: the engines do not compute the same: {ours!r} and {peer!r}")


class DiffuseBench:
    """The Dream-shaped models: a fresh process each time, ours and llama.cpp's in turn."""

    def __init__(self, programs):
        self.programs = programs
        for model in MODELS:
            check_same_text(programs, model)
        self.ours = {(model, form, length): []
                     for model in MODELS for length in LENGTHS for form in WEIGHTS}
        self.peers = {key: [] for key in self.ours}
        self.threads = {1: [], NUM_THREADS: [], 2 * NUM_THREADS: []}
        self.cold = {form: [] for form in WEIGHTS}
        self.reading = {form: [] for form in WEIGHTS}
        self.round()  # warms the page cache
        for runs in (self.ours, self.peers, self.threads, self.cold, self.reading):
            for samples in runs.values():
                samples.clear()

    def run_ours(self, model, form, length, num_threads=NUM_THREADS):
        return run_model([self.programs.engine, "diffuse",
                          self.programs.models / f"{model}-{form}", num_threads, length, STEPS],
                         b"first step", lambda text: float(text.split()[-1]))

    def run_peer(self, model, form, length):
        return run_model(llama_command(self.programs, model, form, length, STEPS),
                         b"diffusion step: 0/",
                         lambda text: float(re.search(r"total time: ([\d.]+)ms", text)[1]) / 1e3)

    def round(self):
        for key in self.ours:
            self.ours[key].append(self.run_ours(*key))
            self.peers[key].append(self.run_peer(*key))
        for num_threads, runs in self.threads.items():
            runs.append(self.run_ours(LARGE, "int8", LENGTHS[0], num_threads))
        for form in WEIGHTS:
            folder = self.programs.models / f"{LARGE}-{form}"
            drop_from_cache(folder)
            self.reading[form].append(read_seconds(folder))
            drop_from_cache(folder)
            self.cold[form].append(self.run_ours(LARGE, form, LENGTHS[0]))

    def add_to(self, results):
        comparisons = results["comparisons"]
        for model, name in MODELS.items():
            for length in LENGTHS:
                best = min(WEIGHTS, key=lambda form: statistics.median(
                    run.loop_seconds for run in self.peers[model, form, length]))
                for form in WEIGHTS:
                    comparisons.append(line(
                        f"{name}, {length} tokens x {STEPS} steps", form, "loop_seconds",
                        self.ours[model, form, length], f"llama.cpp's best: {GGML_TYPES[best]}",
                        self.peers[model, best, length]))
        results["seconds_by_bits"] = {
            f"{side}, {length} tokens": [
                (BITS[form], [run.loop_seconds for run in runs[LARGE, form, length]])
                for form in WEIGHTS]
            for side, runs in (("ours", self.ours), ("llama.cpp", self.peers))
            for length in LENGTHS}
        name, length = MODELS[LARGE], LENGTHS[0]
        for what, field in (("load, process start to first step", "load_seconds"),
                            ("peak memory", "peak_bytes")):
            for form in WEIGHTS:
                comparisons.append(line(
                    f"{name}, {what}", form, field, self.ours[LARGE, form, length],
                    f"llama.cpp {GGML_TYPES[form]}", self.peers[LARGE, form, length]))
        for form in WEIGHTS:
            comparisons.append({
                **line(f"{name}, load, files not in the page cache", form, "load_seconds",
                       self.cold[form], "reading the files alone", []),
                "peer": self.reading[form]})
        two = self.threads[NUM_THREADS]
        comparisons.append(line(f"{name}, {NUM_THREADS} threads", "int8", "loop_seconds", two,
                                "ours, 1 thread", self.threads[1]))
        comparisons.append(line(
            f"{name}, {2 * NUM_THREADS} threads", "int8", "loop_seconds",
            self.threads[2 * NUM_THREADS], f"ours, {NUM_THREADS} threads", two))

    def close(self):
        pass


def line(name, form, field, runs, peer_name, peers):
    return {"name": name, "form": form, "peer_name": peer_name,
            "unit": "bytes" if field == "peak_bytes" else "seconds",
            "ours": [getattr(run, field) for run in runs],
            "peer": [getattr(run, field) for run in peers]}
