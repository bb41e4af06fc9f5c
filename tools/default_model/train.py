#!/usr/bin/env python3
"""Trains the default model: train.py DATA OUT --minutes M|--steps N

Warm-up, constant rate, linear decay (WSD), all by the share of the training that is done; during
the decay only the cleanest sources are read. `--from FOLDER` starts from a checkpoint's weights.
Writes checkpoints and OUT/curve.csv. One process, one device: a GPU if there is one.
"""

import argparse
import csv
import json
import lzma
import time
from pathlib import Path

import numpy as np
import torch

import checkpoint
from corpus import CLEAN_SOURCES
from network import SIZES, Network, NetworkConfig
from objectives import antithetic_times, block_nats, causal_nats, diffusion_nats
from optimizer import MixedOptimizer

# A cycle of steps: diffusion needs more of them than causal reading does.
OBJECTIVES = ("diffusion", "causal", "diffusion", "block", "diffusion", "causal")
BLOCK_LENGTHS = (4, 16)
LOWEST_TIME = 0.05  # of training: below it a step is nearly all weight and no signal
WARM_UP_STEPS = 200
DECAY_BEGIN, LAST_FACTOR = 0.6, 0.02


class Tokens:
    """Random windows of the stream, all on the device. Each begins with the end-of-text token."""

    def __init__(self, folder, context_length, device):
        manifest = json.loads((Path(folder) / "manifest.json").read_text())
        pieces = [lzma.decompress((Path(folder) / piece["name"]).read_bytes())
                  for piece in manifest["pieces"]]
        stream = np.frombuffer(b"".join(pieces), dtype=np.uint16)
        if len(stream) != manifest["num_tokens"]:
            raise SystemExit(f"{folder} has {len(stream)} of {manifest['num_tokens']} tokens")
        self.vocab_size = manifest["vocab_size"]
        self.stream = torch.from_numpy(stream.astype(np.int16)).to(device)  # ids are below 2^15
        self.length = context_length - 1
        begin, self.ranges = 0, {}
        for source, end in manifest["source_ends"].items():
            self.ranges[source] = (begin, end)
            begin = end

    def batch(self, size, clean_only):
        """[size, context_length]"""
        ranges = [self.ranges[source] for source in self.ranges
                  if not clean_only or source in CLEAN_SOURCES]
        sizes = torch.tensor([max(1, end - begin - self.length) for begin, end in ranges],
                             dtype=torch.float64)
        chosen = torch.multinomial(sizes, size, replacement=True)
        begins = torch.tensor([begin for begin, _ in ranges])[chosen]
        starts = begins + (torch.rand(size, dtype=torch.float64) * sizes[chosen]).long()
        device = self.stream.device
        places = starts.to(device)[:, None] + torch.arange(self.length, device=device)
        ids = self.stream[places].long()
        return torch.cat([torch.zeros_like(ids[:, :1]), ids], dim=1)


def schedule(step, share):
    """The factor of the learning rates after a share of the training."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    if share < DECAY_BEGIN:
        return warm_up
    return warm_up * max(LAST_FACTOR, (1 - share) / (1 - DECAY_BEGIN))


def loss_of(network, ids, step):
    """(name, mean nats per token) of the step's objective."""
    name = OBJECTIVES[step % len(OBJECTIVES)]
    if name == "causal":
        return name, causal_nats(network, ids).mean()
    if name == "diffusion":
        times = antithetic_times(len(ids), LOWEST_TIME, ids.device)
        return name, diffusion_nats(network, ids, times).mean()
    length = BLOCK_LENGTHS[step // len(OBJECTIVES) % len(BLOCK_LENGTHS)]
    num_blocks = -(-ids.shape[1] // length)
    times = antithetic_times(len(ids) * num_blocks, LOWEST_TIME, ids.device)
    times = times[torch.randperm(len(times), device=ids.device)].view(len(ids), num_blocks)
    return f"{name} {length}", block_nats(network, ids, length, times).mean()


class Training:
    def __init__(self, arguments):
        self.arguments = arguments
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(arguments.seed)
        size = SIZES[arguments.size]
        context_length = NetworkConfig(0, **size).context_length
        self.tokens = Tokens(arguments.data, context_length, self.device)
        self.network = Network(NetworkConfig(self.tokens.vocab_size, **size)).to(self.device)
        self.tokens_before = 0
        if arguments.from_folder:
            self.tokens_before = checkpoint.load(self.network, arguments.from_folder)["num_tokens"]
        if self.device == "cuda":
            torch.set_float32_matmul_precision("high")
            self.network.compile_layers()
        self.optimizer = MixedOptimizer(self.network)
        self.averages, self.steps = {}, 0

    def run(self):
        begin = last_saved = time.monotonic()
        with open(self.arguments.out / "curve.csv", "a", newline="") as file:
            curve = csv.writer(file)
            while (share := self.share(time.monotonic() - begin)) < 1:
                self.step(share)
                if self.steps % self.arguments.log_steps == 0:
                    self.log(curve, time.monotonic() - begin, share)
                    file.flush()
                if time.monotonic() - last_saved > self.arguments.save_seconds:
                    last_saved = time.monotonic()
                    self.save()
        self.save()

    def share(self, seconds):
        """Of the training that is done."""
        if self.arguments.steps:
            return self.steps / self.arguments.steps
        return seconds / (60 * self.arguments.minutes)

    def step(self, share):
        ids = self.tokens.batch(self.arguments.batch_size, clean_only=share >= DECAY_BEGIN)
        with torch.autocast(self.device, dtype=torch.bfloat16):
            name, loss = loss_of(self.network, ids, self.steps)
        loss.backward()
        self.optimizer.step(schedule(self.steps, share))
        value = loss.detach()
        before = self.averages.get(name, value)
        self.averages[name] = before + 0.05 * (value - before)
        self.steps += 1

    @property
    def num_tokens(self):
        window = self.tokens.length + 1
        return self.tokens_before + self.steps * self.arguments.batch_size * window

    def log(self, curve, seconds, share):
        losses = {name: round(value.item(), 4) for name, value in sorted(self.averages.items())}
        curve.writerow([round(seconds, 1), self.num_tokens, json.dumps(losses)])
        print(f"{seconds:7.0f} s  {self.num_tokens / 1e6:8.1f} M tokens  "
              f"factor {schedule(self.steps, share):.2f}  {losses}", flush=True)

    def save(self):
        checkpoint.save(self.network, self.arguments.out,
                        {"num_tokens": self.num_tokens, "size": self.arguments.size,
                         "vocab_size": self.tokens.vocab_size})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="what prepare.py wrote")
    parser.add_argument("out", type=Path, help="checkpoint and curve")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float)
    length.add_argument("--steps", type=int, help="the same training on any machine: rehearsals")
    parser.add_argument("--size", choices=list(SIZES), default="default")
    parser.add_argument("--batch-size", type=int, default=128, help="windows of a step")
    parser.add_argument("--from", dest="from_folder", type=Path, help="checkpoint to start from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log-steps", type=int, default=60)
    parser.add_argument("--save-seconds", type=float, default=240)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    Training(arguments).run()


if __name__ == "__main__":
    main()
