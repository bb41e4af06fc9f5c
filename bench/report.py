#!/usr/bin/env python3
"""Statistics of samples, and the Markdown tables of docs/performance.md.

`bench/report.py build/bench/results.json` prints the tables of an earlier run.
"""

import json
import pathlib
import re
import statistics
import sys

import plot

PICTURED_SHAPE = "4096 x 1024"


def summary(samples, higher_is_better=False):
    """Median, best, and the distance of the quartiles as a share of the median."""
    low, _, high = statistics.quantiles(samples, n=4) if len(samples) > 1 else samples * 3
    median = statistics.median(samples)
    best = max(samples) if higher_is_better else min(samples)
    return {"median": median, "best": best, "spread": (high - low) / median, "runs": len(samples)}


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def peak_rows(results):
    for name, samples in results["peaks"].items():
        figures = summary(samples, higher_is_better=True)
        design = max(results["designs"].get(name, []), default=None)
        unit = "GB/s" if name.startswith("memory") else "GFLOP/s"
        yield [f"{name}, {unit}", f"{figures['median']:.0f}", f"{figures['best']:.0f}",
               f"{100 * figures['spread']:.0f} %", f"{100 * design:.0f} %" if design else ""]


def gemm_rows(results):
    """Products beside the peaks: the best sample of the whole run, and those taken between theirs,
    which met the same neighbours."""
    for line in results["gemm"]:
        figures = summary(line["samples"], higher_is_better=True)
        peaks = {name: summary(samples, higher_is_better=True)
                 for name, samples in line["peaks"].items()}
        vectors, tiles = (next((name for name in peaks if ("tiles" in name) == is_tiles), None)
                          for is_tiles in (False, True))
        bound = min(max(peak["best"] for peak in peaks.values()),
                    line["operations_per_byte"] * max(line["reads"]))
        first = vectors or tiles
        limits = [max(results["peaks"][first]), peaks[first]["median"],
                  max(results["peaks"][tiles]) if vectors and tiles else None, bound]
        yield [line["name"], f"{figures['median']:.0f}", f"{figures['best']:.0f}",
               f"{100 * figures['spread']:.0f} %",
               *(f"{100 * figures['median'] / limit:.0f} %" if limit else "" for limit in limits)]


def onednn_rows(results):
    """oneDNN's 8-bit products beside the vectors' peak, measured between their runs, and the share
    of it that ours reach by the share of these. Shapes are those of bench_kernels."""
    ours = {line["name"]: line for line in results["gemm"]}

    def share(samples, peaks):
        return statistics.median(samples) / statistics.median(peaks)

    for name, line in results["onednn"].items():
        figures = summary(line["samples"], higher_is_better=True)
        peer = share(line["samples"], line["peaks"])
        ratios = []
        for form in ("int8", "int4", "int2"):
            own = ours[f"{form} {name}"]
            peak = next(peaks for peak, peaks in own["peaks"].items() if "tiles" not in peak)
            ratios.append(f"{share(own['samples'], peak) / peer:.2f}")
        yield [name, f"{figures['median']:.0f}", f"{figures['best']:.0f}",
               f"{100 * figures['spread']:.0f} %", f"{100 * peer:.0f} %", *ratios]


def single_rows(results):
    """A row times a matrix that is read from memory: beside the best of the readers that ran
    between its runs."""
    for line in results["rows"]:
        figures = summary(line["samples"], higher_is_better=True)
        readers = [summary(samples, higher_is_better=True) for samples in line["reads"].values()]
        yield [line["name"], f"{figures['median']:.1f}", f"{figures['best']:.1f}",
               f"{100 * figures['spread']:.0f} %",
               *(f"{100 * figures[kind] / max(reader[kind] for reader in readers):.0f} %"
                 for kind in ("median", "best"))]


def comparison_rows(results):
    for line in results["comparisons"]:
        ours, peer = summary(line["ours"]), summary(line["peer"])
        scale, unit = {"seconds": (1e3, "ms"), "bytes": (2**-20, "MiB")}[line["unit"]]
        cells = [f"{line['name']}, {unit}", line["form"], line["peer_name"]]
        for figures in (ours, peer):
            cells += [f"{scale * figures['median']:.4g} / {scale * figures['best']:.4g}",
                      f"{100 * figures['spread']:.0f} %"]
        yield [*cells, f"{peer['median'] / ours['median']:.2f}",
               f"{peer['best'] / ours['best']:.2f}"]


def markdown(results):
    machine = results["machine"]
    quiet = "quiet" if machine["busy_share"] < 0.05 else (
        f"NOT QUIET: others used {100 * machine['busy_share']:.0f} % of it before the run")
    return "\n".join([
        f"{machine['processor']}, {machine['num_threads']} threads on processors "
        f"{machine['processors']}, Linux {machine['kernel']}, {machine['compiler']}; "
        f"{machine['date']}; {results['rounds']} rounds; machine {quiet}.",
        "",
        table(["Peak of the machine", "median", "best", "spread",
               "best of one thread, of operations per cycle x clock"], peak_rows(results)),
        table(["Product M x N x K, GFLOP/s", "median", "best", "spread",
               "median of the best peak", "of the peak beside it", "of the tiles' best peak",
               "of the roofline"],
              gemm_rows(results)),
        table(["oneDNN, u8 by s8, M x N x K, GFLOP/s", "median", "best", "spread",
               "of the vectors' peak beside it", "our int8's share by this", "int4's", "int2's"],
              onednn_rows(results)),
        table(["One row, GB/s", "median", "best", "spread", "median of the best reader's",
               "best of the best reader's"], single_rows(results)),
        table(["Model", "ours", "peer", "ours: median / best", "spread", "peer: median / best",
               "spread", "peer / ours, medians", "best"], comparison_rows(results)),
    ])


def pictures(results):
    """Names and SVG texts: as many as the measured parts allow."""
    drawn = {}
    times = results.get("seconds_by_bits", {})
    if times:
        drawn["speed-by-bits"] = plot.line_chart(
            "Dream 0.5B, 4 steps: time against bits per weight", "bits per weight", "ms, median",
            {name: [(bits, 1e3 * statistics.median(samples)) for bits, samples in points]
             for name, points in times.items()}, log_x=True)
    rates = {}
    for line in results["gemm"]:
        form, rows, shape = re.fullmatch(r"(.+?) (\d+) x (\d+ x \d+)", line["name"]).groups()
        if shape == PICTURED_SHAPE:
            rates.setdefault(form, []).append((int(rows), statistics.median(line["samples"])))
    if rates:
        drawn["products-by-rows"] = plot.line_chart(
            f"Products with weights of {PICTURED_SHAPE}", "rows of activations (M)",
            "GFLOP/s, median", rates, log_x=True, log_y=True)
    return drawn


if __name__ == "__main__":
    print(markdown(json.loads(pathlib.Path(sys.argv[1]).read_text())), end="")
