"""The machine's peaks and our matrix products, for bench/run.py."""

import json

from measure import capture
from programs import NUM_THREADS

SECONDS_PER_PRODUCT = 0.05  # of each round


class KernelBench:
    """The machine's peaks and our matrix products: all slices of bench_kernels, round by round."""

    def __init__(self, programs):
        self.program, self.report = programs.kernels, programs.kernels_report
        self.peaks, self.designs, self.gemm, self.rows = {}, {}, {}, {}

    def round(self):
        capture([self.program, "--threads", NUM_THREADS, "--seconds", SECONDS_PER_PRODUCT,
                 "--json", self.report])
        measured = json.loads(self.report.read_text())
        for name, samples in measured["peaks"].items():
            self.peaks.setdefault(name, []).extend(samples)
        for name, share in measured["designs"].items():
            self.designs.setdefault(name, []).append(share)
        for line in measured["gemm"]:
            known = self.gemm.setdefault(line["name"], {
                "name": line["name"], "operations_per_byte": line["operations_per_byte"],
                "samples": [], "reads": [], "peaks": {name: [] for name in line["peaks"]}})
            known["samples"] += line["samples"]
            known["reads"] += line["reads"]
            for name, samples in line["peaks"].items():
                known["peaks"][name] += samples
        for line in measured["rows"]:
            self.rows.setdefault(line["name"], []).extend(line["samples"])

    def add_to(self, results):
        results.update(peaks=self.peaks, designs=self.designs, gemm=list(self.gemm.values()),
                       rows=self.rows)

    def close(self):
        pass
