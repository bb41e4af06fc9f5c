"""A BERT encoder as an ONNX file of standard operations, as an exporter writes it.

Measured against onnxruntime's own fused operations (Attention, SkipLayerNormalization): those are
up to a tenth slower on a CPU, so the peer runs this form.
"""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from checkpoint import read_safetensors


class BertGraph:
    """Collects nodes and constants; every method returns the name of its output."""

    def __init__(self, config, tensors):
        self.config, self.tensors = config, tensors
        self.nodes, self.constants = [], []

    def constant(self, name, values, dtype=np.float32):
        values = np.ascontiguousarray(values, dtype=dtype)
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def tensor(self, name):
        return self.constant(name, self.tensors[name])

    def node(self, operation, *inputs, **attributes):
        name = f"{operation}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs, [name], name=name, **attributes))
        return name

    def dense(self, states, name):
        """Weights are stored [out, in], ONNX multiplies by [in, out]."""
        weight = self.constant(f"{name}.weight", self.tensors[f"{name}.weight"].T)
        return self.node("Add", self.node("MatMul", states, weight), self.tensor(f"{name}.bias"))

    def layer_norm(self, states, name):
        return self.node("LayerNormalization", states, self.tensor(f"{name}.weight"),
                         self.tensor(f"{name}.bias"), axis=-1,
                         epsilon=self.config["layer_norm_eps"])

    def embeddings(self):
        words = self.node("Gather", self.tensor("embeddings.word_embeddings.weight"), "input_ids")
        types = self.node("Gather", self.tensor("embeddings.token_type_embeddings.weight"),
                          "token_type_ids")
        length = self.node("Shape", "input_ids", start=1, end=2)
        positions = self.node(
            "Slice", self.tensor("embeddings.position_embeddings.weight"),
            self.constant("zero", [0], np.int64), length, self.constant("axis", [0], np.int64),
        )
        total = self.node("Add", self.node("Add", words, types), positions)
        return self.layer_norm(total, "embeddings.LayerNorm")

    def attention_bias(self):
        """[batch, 1, 1, length]: 0 where a token may be seen, very negative where not."""
        mask = self.node("Unsqueeze", self.node("Cast", "attention_mask", to=TensorProto.FLOAT),
                         self.constant("mask_axes", [1, 2], np.int64))
        hidden = self.node("Sub", self.constant("one", 1.0), mask)
        return self.node("Mul", hidden, self.constant("lowest", np.finfo(np.float32).min))

    def attention(self, states, bias, prefix):
        def heads(name, permutation):
            split = self.node("Reshape", self.dense(states, prefix + name), "split_heads")
            return self.node("Transpose", split, perm=permutation)

        query, key = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1])
        scores = self.node("Mul", self.node("MatMul", query, key), "inverse_sqrt_head_size")
        weights = self.node("Softmax", self.node("Add", scores, bias), axis=-1)
        mixed = self.node("MatMul", weights, heads("value", [0, 2, 1, 3]))
        return self.node("Reshape", self.node("Transpose", mixed, perm=[0, 2, 1, 3]), "join_heads")

    def layer(self, states, bias, index):
        prefix = f"encoder.layer.{index}."
        mixed = self.attention(states, bias, f"{prefix}attention.self.")
        mixed = self.dense(mixed, f"{prefix}attention.output.dense")
        states = self.layer_norm(self.node("Add", mixed, states),
                                 f"{prefix}attention.output.LayerNorm")
        inner = self.gelu(self.dense(states, f"{prefix}intermediate.dense"))
        inner = self.dense(inner, f"{prefix}output.dense")
        return self.layer_norm(self.node("Add", inner, states), f"{prefix}output.LayerNorm")

    def gelu(self, states):
        """x / 2 * (1 + erf(x / sqrt(2))), which onnxruntime recognises and fuses."""
        error = self.node("Erf", self.node("Div", states, "sqrt_two"))
        return self.node("Mul", self.node("Mul", states, self.node("Add", error, "one")), "half")

    def build(self):
        head_size = self.config["hidden_size"] // self.config["num_attention_heads"]
        self.constant("split_heads", [0, 0, -1, head_size], np.int64)
        self.constant("join_heads", [0, 0, self.config["hidden_size"]], np.int64)
        self.constant("inverse_sqrt_head_size", head_size**-0.5)
        self.constant("sqrt_two", 2.0**0.5)
        self.constant("half", 0.5)
        states, bias = self.embeddings(), self.attention_bias()
        for index in range(self.config["num_hidden_layers"]):
            states = self.layer(states, bias, index)
        self.nodes[-1].output[0] = "last_hidden_state"


def write(folder, path):
    """Writes the float32 BERT of a Hugging Face folder: ids and mask in, last hidden states out."""
    config = json.loads((folder / "config.json").read_text())
    bert = BertGraph(config, read_safetensors(folder / "model.safetensors"))
    bert.build()
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "token_type_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT,
                                           ["batch", "length", config["hidden_size"]])
    graph = helper.make_graph(bert.nodes, "bert", inputs, [output], bert.constants)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
