"""The machine's peaks, our matrix products and oneDNN's, for bench/run.py."""

import json

from measure import capture
from programs import NUM_THREADS

SECONDS_PER_PRODUCT = 0.05  # of each round


class KernelBench:
    """All slices of bench_kernels, round by round; where bytes have a peak, oneDNN's as well."""

    def __init__(self, programs):
        self.program, self.report = programs.kernels, programs.kernels_report
        self.onednn_program = programs.onednn
        self.peaks, self.designs, self.gemm, self.rows, self.onednn = {}, {}, {}, {}, {}

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
            known = self.rows.setdefault(line["name"], {
                "name": line["name"], "samples": [],
                "reads": {name: [] for name in line["reads"]}})
            known["samples"] += line["samples"]
            for name, samples in line["reads"].items():
                known["reads"][name] += samples
        if any(name.startswith("int8") for name in measured["peaks"]):
            self.measure_onednn()

    def measure_onednn(self):
        for name, line in json.loads(
                capture([self.onednn_program, NUM_THREADS, SECONDS_PER_PRODUCT])).items():
            known = self.onednn.setdefault(name, {"samples": [], "peaks": []})
            for kind, samples in line.items():
                known[kind] += samples

    def add_to(self, results):
        results.update(peaks=self.peaks, designs=self.designs, gemm=list(self.gemm.values()),
                       rows=list(self.rows.values()), onednn=self.onednn)

    def close(self):
        pass
