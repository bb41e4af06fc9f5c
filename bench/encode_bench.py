"""Encoders against onnxruntime, for bench/run.py."""

import pathlib
import sys
import time

from measure import Worker
from programs import ENCODER_FORMS, NUM_THREADS

SHAPES = ((1, 32), (1, 128), (32, 32), (32, 128))
NAMES = {"minilm": "MiniLM", "bert-base": "bert-base shape"}
# onnxruntime's threads wait for more work by spinning, which slows whoever is measured next.
SECONDS_TO_SETTLE = 0.2
PEER = pathlib.Path(__file__).resolve().parent / "peers/onnxruntime_worker.py"


class EncodeBench:
    """Encoders: our encode calls against onnxruntime's forward pass, in float32 and int8."""

    def __init__(self, programs):
        self.ours, self.peers = {}, {}
        for name, forms in ENCODER_FORMS.items():
            for form, peer in forms.items():
                self.ours[name, form] = Worker(
                    [programs.engine, "encode", programs.models / f"{name}-{form}", NUM_THREADS])
                file = f"{name}.onnx" if peer == "f32" else f"{name}-{peer}.onnx"
                if (name, peer) not in self.peers:
                    self.peers[name, peer] = Worker(
                        [sys.executable, PEER, programs.models / file, NUM_THREADS])
        self.samples = {}
        for shape in SHAPES:  # warm up
            for one in (*self.ours.values(), *self.peers.values()):
                one.seconds(*shape)

    def round(self):
        for batch, length in SHAPES:
            repeats = 8 if batch == 1 else 1
            for side, workers in (("ours", self.ours), ("peer", self.peers)):
                for (name, form), worker in workers.items():
                    time.sleep(SECONDS_TO_SETTLE)
                    times = [worker.seconds(batch, length) for _ in range(repeats)]
                    self.samples.setdefault((side, name, form, batch, length), []).extend(times)

    def add_to(self, results):
        for name, forms in ENCODER_FORMS.items():
            for batch, length in SHAPES:
                for form, peer in forms.items():
                    results["comparisons"].append({
                        "name": f"{NAMES[name]} {batch} x {length}", "form": form,
                        "unit": "seconds", "peer_name": f"onnxruntime {peer}",
                        "ours": self.samples["ours", name, form, batch, length],
                        "peer": self.samples["peer", name, peer, batch, length],
                    })

    def close(self):
        for worker in (*self.ours.values(), *self.peers.values()):
            worker.close()
