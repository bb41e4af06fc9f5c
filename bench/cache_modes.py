#!/usr/bin/env python3
"""What a KV cache of diffusion costs and saves: bench/cache_modes.py AIOS MODEL TEXT

Cuts the text into prompts of whole words, lets the model go on after each with every cache mode,
and prints for each mode: seconds of computing, tokens that are the same as without a cache, and how
likely the model itself, read left to right, finds what was written (nats per token; near the line
without a cache is what counts, not low).
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

MODES = (("none", 0), ("prefix", 0), ("prefix", 8), ("dual", 0), ("dual", 8))
PROMPT_WORDS, PROMPT_STRIDE = 60, 400
LENGTH, BLOCK, STEPS = 96, 32, 48


def prompts(text, count):
    words = text.split()
    starts = range(0, len(words) - PROMPT_WORDS, PROMPT_STRIDE)
    return [" ".join(words[at:at + PROMPT_WORDS]) for at in list(starts)[:count]]


def diffuse(arguments, prompt, mode, refresh):
    output = subprocess.run(
        [arguments.aios, "diffuse", prompt, "--model", arguments.model, "--max-new-tokens",
         str(LENGTH), "--block-length", str(BLOCK), "--num-steps", str(STEPS), "--kv-cache", mode,
         "--cache-refresh-steps", str(refresh), "--temperature", "0.7",
         "--no-stop-at-end-of-text", "--json"],
        check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in output.splitlines()]
    return lines[-1]


def nats_per_token(arguments, prompt, text):
    """Of `text` after `prompt`: the difference of the two scores."""
    def total(whole):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(whole)
            file.flush()
            output = subprocess.run([arguments.aios, "score", file.name, "--model",
                                     arguments.model, "--mode", "ar", "--json"],
                                    check=True, capture_output=True, text=True).stdout
        score = json.loads(output.splitlines()[-1])
        return score["nats_per_token"] * score["num_tokens"], score["num_tokens"]
    with_text, without = total(prompt + text), total(prompt)
    return (with_text[0] - without[0]) / max(1, with_text[1] - without[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("aios", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--prompts", type=int, default=40)
    arguments = parser.parse_args()
    reference = {}
    print(f"{LENGTH} tokens in blocks of {BLOCK}, {STEPS} steps, {arguments.prompts} prompts")
    print("| kv_cache | cache_refresh_steps | seconds | tokens as without | nats per token |")
    print("|---|---|---|---|---|")
    for mode, refresh in MODES:
        seconds, same, nats = 0, 0, 0
        texts = prompts(arguments.text.read_text(), arguments.prompts)
        for prompt in texts:
            sample = diffuse(arguments, prompt, mode, refresh)
            ids = reference.setdefault(prompt, sample["token_ids"])
            same += sum(a == b for a, b in zip(ids, sample["token_ids"])) / len(ids)
            seconds += sample["seconds"]["compute"]
            nats += nats_per_token(arguments, prompt, sample["text"])
        count = len(texts)
        print(f"| {mode} | {refresh} | {seconds / count:.4f} | {100 * same / count:.0f} % "
              f"| {nats / count:.3f} |")


if __name__ == "__main__":
    main()
