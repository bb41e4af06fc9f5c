"""Writing from left to right against llama.cpp, for bench/run.py."""

import json
import statistics

from measure import capture
from programs import GGML_TYPES, NUM_THREADS, WEIGHTS

PROMPT_LENGTH, NEW_TOKENS = 512, 64


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
