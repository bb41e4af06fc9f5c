#!/usr/bin/env python3
"""Losses on held-out books, per token and per byte: evaluate.py DATA CHECKPOINT

Causal: exact. Masked and block diffusion: the NELBO by antithetic draws of t in (0.001, 1], with
the standard error over windows. Windows follow one another through the held-out texts, each begun
by the end-of-text token. Writes CHECKPOINT/evaluation.json.
"""

import argparse
import json
import math
from pathlib import Path

import torch
from tokenizers import Tokenizer

import checkpoint
from network import SIZES, Network, NetworkConfig
from objectives import antithetic_times, block_nats, causal_nats, diffusion_nats

LOWEST_TIME = 0.001
BLOCK_LENGTHS = (4, 16)


def load_network(folder, device):
    description = json.loads((Path(folder) / "checkpoint.json").read_text())
    network = Network(NetworkConfig(description["vocab_size"], **SIZES[description["size"]]))
    checkpoint.load(network, folder)
    return network.to(device).eval()


def held_out_windows(data, context_length, num_windows):
    """(ids [windows, context_length], bytes of their text)"""
    tokenizer = Tokenizer.from_file(str(data / "tokenizer.json"))
    stream = []
    for document in json.loads((data / "held_out.json").read_text()):
        stream += [0] + tokenizer.encode(document["text"], add_special_tokens=False).ids
    size = context_length - 1
    count = min(num_windows, (len(stream) - 1) // size)
    # Evenly spread, so that every book has its share.
    step = (len(stream) - 1) // size / count
    begins = [int(i * step) * size for i in range(count)]
    windows = [[0] + stream[begin:begin + size] for begin in begins]
    num_bytes = sum(len(tokenizer.decode(window[1:], skip_special_tokens=True).encode())
                    for window in windows)
    return torch.tensor(windows), num_bytes


def summarize(window_nats, num_tokens_each, num_bytes):
    mean = window_nats.mean().item()
    error = window_nats.std().item() / math.sqrt(len(window_nats))
    total = window_nats.sum().item()
    nats_per_token = mean / num_tokens_each
    return {"nats_per_token": nats_per_token, "standard_error": error / num_tokens_each,
            "perplexity": math.exp(nats_per_token), "nats_per_byte": total / num_bytes,
            "perplexity_per_byte": math.exp(total / num_bytes)}


@torch.no_grad()
def evaluate(network, windows, num_bytes, num_draws=8, batch_size=32):
    device = next(network.parameters()).device
    generator = torch.Generator(device).manual_seed(7)
    length = windows.shape[1]

    def times(count):
        """[count] times for each draw; strata are shared out among draws and windows."""
        return antithetic_times(count, LOWEST_TIME, device, generator)

    def diffusion(ids):
        drawn = times(num_draws * len(ids)).view(len(ids), num_draws)
        return sum(diffusion_nats(network, ids, drawn[:, draw], generator).sum(1)
                   for draw in range(num_draws)) / num_draws

    def block(block_length):
        def nats(ids):
            num_blocks = -(-length // block_length)
            total = 0
            for _ in range(num_draws):
                drawn = times(len(ids) * num_blocks)
                order = torch.randperm(len(drawn), device=device, generator=generator)
                drawn = drawn[order].view(len(ids), num_blocks)
                total = total + block_nats(network, ids, block_length, drawn, generator).sum(1)
            return total / num_draws
        return nats

    measures = {"causal": lambda ids: causal_nats(network, ids).sum(1), "diffusion": diffusion,
                **{f"block {size}": block(size) for size in BLOCK_LENGTHS}}
    results = {}
    for name, measure in measures.items():
        nats = torch.cat([measure(batch.to(device)).float().cpu()
                          for batch in windows.split(batch_size)])
        results[name] = summarize(nats, length - 1, num_bytes)
    results["ratio_of_perplexities"] = (results["diffusion"]["perplexity"] /
                                        results["causal"]["perplexity"])
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="what prepare.py wrote")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--windows", type=int, default=400)
    parser.add_argument("--draws", type=int, default=8)
    arguments = parser.parse_args()
    network = load_network(arguments.checkpoint, "cuda" if torch.cuda.is_available() else "cpu")
    windows, num_bytes = held_out_windows(arguments.data, network.config.context_length,
                                          arguments.windows)
    results = evaluate(network, windows, num_bytes, arguments.draws)
    results["num_windows"] = len(windows)
    text = json.dumps(results, indent=1)
    (arguments.checkpoint / "evaluation.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
