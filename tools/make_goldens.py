#!/usr/bin/env python3
"""Makes golden traces of random samplers from the papers' own code, with given random numbers.

    tools/make_goldens.py --llada LLADA_CHECKOUT --mdlm MDLM_CHECKOUT tests/goldens

LLADA_CHECKOUT is ML-GSAI/LLaDA (generate.py), MDLM_CHECKOUT kuleshov-group/mdlm (diffusion.py,
noise_schedule.py). Their functions run unchanged on the formula of tests/goldens/README.md, in
double; `torch.rand` and `torch.rand_like` hand out the numbers of a table:

    number k of one step, position i, token v:  splitmix64(seed, (k L + i) 48 + v)
    a number per position (remasking random):   splitmix64(seed, 2^40 + k L + i)

k counts the steps. Every trace was checked to stay the same under noise of 1e-9 on the logits.
"""
import argparse
import ast
import importlib.util
import json
import pathlib
import subprocess
import types

import numpy as np
import torch

VOCAB_SIZE, MASK, PAD = 48, 47, 45
ORDER_OFFSET = 1 << 40
WORD = (1 << 64) - 1


def splitmix64(seed, index):
    z = (seed + (index + 1) * 0x9E3779B97F4A7C15) & WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    z ^= z >> 31
    return (z >> 11) * 2.0**-53


class Table:
    """Stands in for torch's random numbers. The caller counts the steps."""

    def __init__(self, seed, length):
        self.seed, self.length, self.step = seed, length, 0

    def rand_like(self, tensor, dtype=None):
        first = self.step * self.length * VOCAB_SIZE
        numbers = [splitmix64(self.seed, first + i) for i in range(self.length * VOCAB_SIZE)]
        return torch.tensor(numbers, dtype=torch.float64).reshape(tensor.shape)

    def rand(self, shape, device=None):
        first = ORDER_OFFSET + self.step * self.length
        numbers = [splitmix64(self.seed, first + i) for i in range(self.length)]
        return torch.tensor(numbers, dtype=torch.float64).reshape(shape)


class Formula:
    """The denoiser. Records the canvases that it sees; `noise` perturbs its logits."""

    device = torch.device("cpu")

    def __init__(self, table, noise=0.0):
        self.table, self.noise, self.seen = table, noise, []

    def logits(self, canvas):
        v = np.arange(1, VOCAB_SIZE + 1)
        rows = []
        for i in range(len(canvas)):
            row = 4 * np.sin(0.37 * v * (i + 1))
            for j in (i - 1, i + 1):
                if 0 <= j < len(canvas) and canvas[j] not in (MASK, PAD):
                    row = row + 2 * np.cos(0.11 * v * (canvas[j] + 1))
            row = row + self.noise * np.random.standard_normal(VOCAB_SIZE)
            row[MASK] = -1e9
            rows.append(row)
        return torch.tensor(np.stack(rows))

    def __call__(self, x, attention_mask=None):
        self.table.step = len(self.seen)
        self.seen.append(x[0].tolist())
        return types.SimpleNamespace(logits=torch.stack([self.logits(row.tolist()) for row in x]))


def load_module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lift(path, names):
    """The named functions and methods of a file, unchanged, without its other contents."""
    tree = ast.parse(path.read_text())
    lifted = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in names
    ]
    for node in lifted:
        node.decorator_list = []
    namespace = {"torch": torch}
    exec(compile(ast.Module(lifted, []), str(path), "exec"), namespace)
    return {name: namespace[name] for name in names}


def patched(module, table):
    """A view of torch for `module` whose random numbers come from the table."""
    fake = types.ModuleType("torch")
    fake.__dict__.update(torch.__dict__)
    fake.rand, fake.rand_like = table.rand, table.rand_like
    module.torch = fake


def run_llada(generate_file, case, noise):
    module = load_module(generate_file)
    table = Table(case["seed"], len(case["prompt"]) + case["gen_length"])
    patched(module, table)
    model = Formula(table, noise)
    prompt = torch.tensor([case["prompt"]])
    result = module.generate(
        model,
        prompt,
        attention_mask=torch.ones_like(prompt),
        steps=case["steps"],
        gen_length=case["gen_length"],
        block_length=case["block_length"],
        temperature=case["temperature"],
        cfg_scale=case["cfg_scale"],
        remasking=case["remasking"],
        mask_id=MASK,
    )
    return model.seen + [result[0].tolist()]


def run_mdlm(checkout, case, noise):
    names = ["_ddpm_update", "_sample", "_sample_prior", "_subs_parameterization"]
    methods = lift(checkout / "diffusion.py", names + ["_sample_categorical"])
    schedule = getattr(load_module(checkout / "noise_schedule.py"), case["noise"])()
    table = Table(case["seed"], case["length"])
    model = Formula(table, noise)
    fake = types.ModuleType("torch")
    fake.__dict__.update(torch.__dict__)
    fake.rand_like = table.rand_like
    methods["_sample_categorical"].__globals__["torch"] = fake

    diffusion = types.SimpleNamespace(
        mask_index=MASK, neg_infinity=-1000000.0, vocab_size=VOCAB_SIZE, device="cpu",
        parameterization="subs", sampler="ddpm", time_conditioning=False, noise=schedule,
        config=types.SimpleNamespace(
            loader=types.SimpleNamespace(eval_batch_size=1),
            model=types.SimpleNamespace(length=case["length"]),
            sampling=types.SimpleNamespace(steps=case["steps"], noise_removal=True),
        ),
    )
    for name in names:
        setattr(diffusion, name, types.MethodType(methods[name], diffusion))
    diffusion.forward = lambda x, sigma: diffusion._subs_parameterization(model(x).logits, x)
    result = diffusion._sample(eps=case["eps"])
    return model.seen + [result[0].tolist()]


def cases_of(run, cases):
    """Runs each case, and again under noise."""
    traces = []
    for case in cases:
        canvas = run(case, 0.0)
        for _ in range(3):
            assert run(case, 1e-9) == canvas, f"not robust: {case}"
        traces.append({"params": case, "canvas": canvas, "final": canvas[-1]})
    return traces


def llada_cases():
    prompts = [[20, 34, 9], [1], [9, 41, 4, 30, 2, 8], [40, 22, 18, 3, 8]]
    options = [
        (0.7, "low_confidence", 0.0), (1.0, "low_confidence", 0.0), (0.3, "random", 0.0),
        (0.0, "random", 0.0), (1.0, "low_confidence", 1.5), (0.5, "random", 0.75),
    ]
    for number, (temperature, remasking, cfg_scale) in enumerate(options):
        prompt = prompts[number % len(prompts)]
        yield {
            "steps": (12, 8)[number % 2], "gen_length": 16, "block_length": (16, 8)[number % 2],
            "temperature": temperature, "cfg_scale": cfg_scale, "remasking": remasking,
            "seed": 100 + number, "prompt": prompt,
        }


def mdlm_cases():
    for number, noise in enumerate(["CosineNoise", "CosineSqrNoise", "Linear", "GeometricNoise"]):
        yield {"length": 14, "steps": 10, "eps": 1e-5, "noise": noise, "seed": 200 + number}


def commit_of(checkout):
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def write(path, source, cases):
    cases = [{"name": f"{path.stem}/case_{i:02}", **case} for i, case in enumerate(cases)]
    path.write_text(json.dumps({"source": source, "cases": cases}, separators=(",", ":")) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--llada", type=pathlib.Path, required=True)
    parser.add_argument("--mdlm", type=pathlib.Path, required=True)
    parser.add_argument("target", type=pathlib.Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    np.random.seed(0)
    made = f"tools/make_goldens.py, torch {torch.__version__}, logits in double"

    llada = cases_of(
        lambda case, noise: run_llada(arguments.llada / "generate.py", case, noise), llada_cases()
    )
    source = f"ML-GSAI/LLaDA@{commit_of(arguments.llada)} generate.py; {made}"
    write(arguments.target / "samplers" / "llada_noise.json", source, llada)

    mdlm = cases_of(lambda case, noise: run_mdlm(arguments.mdlm, case, noise), mdlm_cases())
    source = f"kuleshov-group/mdlm@{commit_of(arguments.mdlm)} diffusion.py _ddpm_update; {made}"
    write(arguments.target / "samplers" / "mdlm_schedules.json", source, mdlm)


if __name__ == "__main__":
    main()
