#!/usr/bin/env python3
"""One interleaved run: the machine's peaks, our kernels, whole models and their peers.

Builds nothing: `make bench` builds the `bench` preset and calls bench/peers/setup.sh first. Every
round measures each line once or a few times, ours and the peer's in turn, so that a slow moment of
the machine falls on both. A line whose peer is absent fails the run. Writes results.json,
results.md and pictures into the build folder and prints the tables.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import sys

import report
from diffuse_bench import DiffuseBench
from encode_bench import EncodeBench
from generate_bench import GenerateBench
from kernel_bench import KernelBench
from measure import BenchError, busy_share, capture, pin_to_physical_cores
from programs import NUM_THREADS, Programs

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = {"kernels": KernelBench, "encode": EncodeBench, "diffuse": DiffuseBench,
         "generate": GenerateBench}


def describe_machine(processors):
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    cpu = {key: re.search(rf"^{key}\s*: (.*)$", cpuinfo, re.M) for key in
           ("model name", "cpu family", "model", "flags")}
    name, family, model, flags = (found.group(1) if found else "?" for found in cpu.values())
    sets = [flag for flag in ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16",
                              "amx_bf16") if flag in flags.split()]
    return {
        "processor": f"{name} (family {family} model {model}; {' '.join(sets)})",
        "processors": processors,
        "num_threads": len(processors),
        "kernel": platform.release(),
        "compiler": capture(["c++", "--version"]).splitlines()[0],
        "date": datetime.date.today().isoformat(),
        "busy_share": busy_share(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/bench",
                        help="folder of the `bench` preset (default build/bench)")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS),
                        help="what to measure (default: everything)")
    arguments = parser.parse_args()
    peers = pathlib.Path(os.environ.get("AIOS_PEERS", ROOT / "build/peers"))
    benches = []
    try:
        programs = Programs(arguments.build, peers)
        programs.prepare_models()
        results = {"machine": describe_machine(pin_to_physical_cores(NUM_THREADS)),
                   "rounds": arguments.rounds, "peaks": {}, "designs": {}, "rows": [], "gemm": [],
                   "onednn": {},
                   "comparisons": []}
        for part in arguments.parts:
            benches.append(PARTS[part](programs))
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
    (arguments.build / "results.json").write_text(json.dumps(results, indent=1))
    tables = report.markdown(results)
    (arguments.build / "results.md").write_text(tables)
    for name, picture in report.pictures(results).items():
        (arguments.build / f"{name}.svg").write_text(picture)
    print(tables, end="")


if __name__ == "__main__":
    main()
