"""`aios export` against the safetensors library: a model that went through V2 has every bit."""

import subprocess

import pytest
import torch
from safetensors.torch import load_file

FIXTURES = ("dream_dual_mode", "bert_hidden_states", "llada_wide_logits")


@pytest.mark.parametrize("name", FIXTURES)
def test_exported_weights_are_the_original_ones(name, aios, root, tmp_path):
    fixture = root / "tests/parity/fixtures" / name
    subprocess.run([aios, "convert", fixture, tmp_path / "v2"], check=True)
    subprocess.run([aios, "export", tmp_path / "v2", tmp_path / "out"], check=True)
    expected = load_file(fixture / "model.safetensors")
    actual = load_file(tmp_path / "out/model.safetensors")
    assert expected.keys() == actual.keys()
    for tensor_name, tensor in expected.items():
        assert actual[tensor_name].dtype == tensor.dtype
        assert torch.equal(actual[tensor_name], tensor)
