"""convert --dtype int8|int4|int2, and what inspect, verify and export make of such models."""
import json
import shutil
import struct

import numpy as np
import pytest

TYPES = ("int8", "int4", "int2")
BODY = "model.layers.0.mlp.down_proj.weight"
EMBEDDING = "model.embed_tokens.weight"


@pytest.fixture(name="quantized", scope="module", params=TYPES)
def fixture_quantized(request, succeed, without_tokenizer, tmp_path_factory):
    """A model directory and the type of its body."""
    folder = tmp_path_factory.mktemp("models") / request.param
    succeed("convert", without_tokenizer, folder, "--dtype", request.param)
    return folder, request.param


def logits(succeed, model, path, *options):
    succeed("logits", "--input-ids", "1,2,3,4", "--output", path, "--model", model, *options)
    return np.load(path)


def tensors_of(succeed, model):
    return {tensor["name"]: tensor
            for tensor in json.loads(succeed("inspect", model, "--json"))["tensors"]}


def test_convert_reports_and_inspect_shows_the_types(succeed, without_tokenizer, quantized,
                                                     tmp_path):
    folder, body = quantized
    report = json.loads(succeed("convert", without_tokenizer, tmp_path / "again", "--dtype", body,
                                "--json"))
    assert 0 < report["weight_error"] < {"int8": 1e-4, "int4": 0.01, "int2": 0.1}[body]
    metadata = json.loads((folder / "metadata.json").read_text())
    assert (metadata["quantization"], metadata["dtype"]) == (body, body)
    tensors = tensors_of(succeed, folder)
    wider = {"int8": "int8", "int4": "int8", "int2": "int4"}[body]
    assert tensors[BODY]["quant_type"] == body
    assert tensors[BODY]["group_size"] == (0 if body == "int8" else 128)
    assert tensors[EMBEDDING]["quant_type"] == wider
    assert {tensor["quant_type"] for tensor in tensors.values()
            if len(tensor["shape"]) == 1} == {"none"}
    assert body in succeed("inspect", folder)


def test_the_same_bytes_each_time_and_with_keep(succeed, without_tokenizer, quantized, tmp_path):
    folder, body = quantized
    weights = (folder / "weights.parquet").read_bytes()
    succeed("convert", without_tokenizer, tmp_path / "again", "--dtype", body)
    assert (tmp_path / "again/weights.parquet").read_bytes() == weights
    succeed("convert", folder, tmp_path / "copy")
    assert (tmp_path / "copy/weights.parquet").read_bytes() == weights
    assert tensors_of(succeed, tmp_path / "copy") == tensors_of(succeed, folder)
    for model in (folder, tmp_path / "copy"):
        assert json.loads((model / "metadata.json").read_text())["quantization"] == body


def test_logits_are_near_the_originals(succeed, without_tokenizer, quantized, tmp_path):
    folder, body = quantized
    before = logits(succeed, without_tokenizer, tmp_path / "before.npy")
    after = logits(succeed, folder, tmp_path / "after.npy")
    error = np.linalg.norm(after - before) / np.linalg.norm(before)
    assert 0 < error < {"int8": 0.05, "int4": 0.3, "int2": 1}[body]


def test_an_exported_model_is_the_quantised_one_in_f32(succeed, quantized, tmp_path):
    folder, _ = quantized
    succeed("export", folder, tmp_path / "exported")
    ours = logits(succeed, folder, tmp_path / "ours.npy", "--compute", "f32")
    exported = logits(succeed, tmp_path / "exported", tmp_path / "exported.npy", "--compute", "f32")
    assert (ours == exported).all()


def test_verify_finds_a_flipped_bit(succeed, fail, quantized, tmp_path):
    folder, _ = quantized
    copy = tmp_path / "copy"
    succeed("convert", folder, copy)
    assert "every byte" in succeed("verify", copy)
    content = bytearray((copy / "weights.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "weights.parquet").write_bytes(content)
    assert "weights.parquet" in fail(1, "verify", copy)


@pytest.mark.parametrize("group_size", [0, 32, 64, 128])
def test_group_sizes(succeed, without_tokenizer, tmp_path, group_size):
    succeed("convert", without_tokenizer, tmp_path / "out", "--dtype", "int4", "--group-size",
            group_size)
    assert tensors_of(succeed, tmp_path / "out")[BODY]["group_size"] == group_size


@pytest.mark.parametrize("group_size", [-32, 1, 16, 48, 256])
def test_a_group_size_that_is_none(fail, without_tokenizer, tmp_path, group_size):
    message = fail(2, "convert", without_tokenizer, tmp_path / "out", "--dtype", "int4",
                   f"--group-size={group_size}")
    assert f"group_size must be 32, 64, 128, or 0 for whole rows, not {group_size}" in message
    assert not (tmp_path / "out").exists()


def test_a_group_size_without_quantisation(fail, without_tokenizer, tmp_path):
    message = fail(2, "convert", without_tokenizer, tmp_path / "out", "--dtype", "bf16",
                   "--group-size", 32)
    assert " for dtype int8, int4 and int2, not bf16" in message


def test_a_type_that_is_none(fail, without_tokenizer, tmp_path):
    message = fail(2, "convert", without_tokenizer, tmp_path / "out", "--dtype", "int5")
    assert "dtype must be one of" in message and "int8|int4|int2" in message


@pytest.mark.parametrize("dtype", ["int8", "int2", "f32", "bf16"])
def test_a_quantised_model_is_not_converted_again(fail, quantized, tmp_path, dtype):
    folder, _ = quantized
    message = fail(1, "convert", folder, tmp_path / "out", "--dtype", dtype)
    assert "is quantised already: start from the model it was made of" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [["probe"], ["convert", "--target-bits", "4"]])
def test_a_quantised_model_is_not_probed(fail, succeed, root, tmp_path, command):
    quantized, text = tmp_path / "quantized", root / "LICENSE"
    succeed("convert", root / "models/books-6m", quantized, "--dtype", "int8")
    output = [tmp_path / "out"] if command[0] == "convert" else []
    message = fail(1, command[0], quantized, *output, *command[1:], "--calibration", text)
    assert "is quantised already: start from the model it was made of" in message
    assert not (tmp_path / "out").exists()


def test_weights_that_are_not_finite(fail, without_tokenizer, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(without_tokenizer, broken)
    content = bytearray((broken / "model.safetensors").read_bytes())
    (header_size,) = struct.unpack_from("<Q", content)
    start = 8 + header_size
    begin, _ = json.loads(content[8:start])[BODY]["data_offsets"]
    struct.pack_into("<f", content, start + begin, float("nan"))
    (broken / "model.safetensors").write_bytes(content)
    message = fail(1, "convert", broken, tmp_path / "out", "--dtype", "int4")
    assert f"tensor '{BODY}': a weight of nan cannot be quantised" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("flag", ["--calibration", "--eval"])
def test_an_empty_text(fail, without_tokenizer, tmp_path, flag):
    (tmp_path / "empty.txt").touch()
    message = fail(2, "convert", without_tokenizer, tmp_path / "out", "--dtype", "int4", flag,
                   tmp_path / "empty.txt")
    assert f"{flag} '{tmp_path / 'empty.txt'}' is empty" in message
    assert not (tmp_path / "out").exists()
