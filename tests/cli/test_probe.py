"""probe, and conversions that look at a text: what they print, and what they refuse."""
import json

import pytest


@pytest.fixture(name="text", scope="module")
def fixture_text(root, tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "some.txt"
    path.write_text((root / "LICENSE").read_text()[:3000])
    return path


def test_probe_prints_a_table_and_draws_a_picture(succeed, root, text, tmp_path):
    model, image = root / "models/books-6m", tmp_path / "heat.svg"
    report = json.loads(succeed("probe", model, "--calibration", text, "--image", image, "--json"))
    tensors = report["tensors"]
    assert {tensor["kind"] for tensor in tensors} >= {"token_embedding", "query", "down"}
    embedding = next(tensor for tensor in tensors if tensor["kind"] == "token_embedding")
    assert embedding["layer"] == -1 and set(embedding["widths"]) == {"int2", "int4", "int8"}
    errors = [embedding["widths"][kind]["output_error"] for kind in ("int2", "int4", "int8")]
    assert errors == sorted(errors, reverse=True)
    svg = image.read_text()
    assert svg.startswith("<svg") and svg.count("<rect") == len(tensors) + 1
    assert "layer 5" in svg


def test_convert_to_a_number_of_bits(succeed, root, text, tmp_path):
    model, output = root / "models/books-6m", tmp_path / "mixed"
    report = json.loads(succeed("convert", model, output, "--target-bits", 3.5, "--calibration",
                                text, "--eval", text, "--json"))
    assert report["bits_per_weight"] <= 3.6  # norms and biases keep their elements
    assert set(report["losses"]) == {"perplexity", "nelbo"}
    assert report["losses"]["perplexity"]["after"] > 0
    tensors = json.loads(succeed("inspect", output, "--json"))["tensors"]
    assert len({tensor["quant_type"] for tensor in tensors} - {"none"}) > 1
    assert json.loads((output / "metadata.json").read_text())["quantization"] == "mixed"


def test_calibration_lowers_the_loss(succeed, root, text, tmp_path):
    model, losses = root / "models/books-6m", {}
    for rounding in ("nearest", "gptq"):
        calibration = ["--calibration", text] if rounding == "gptq" else []
        report = json.loads(succeed("convert", model, tmp_path / rounding, "--dtype", "int2",
                                    "--rounding", rounding, *calibration, "--eval", text, "--json"))
        losses[rounding] = report["losses"]["perplexity"]
    assert losses["gptq"]["after"] < losses["nearest"]["after"]
    assert losses["gptq"]["before"] == losses["nearest"]["before"]


@pytest.mark.parametrize("flags, complaint", [
    (["--target-bits", "2", "--calibration", "TEXT"], "target_bits is less than the 2.62 bits"),
    (["--target-bits", "3"], "target_bits needs a calibration text"),
    (["--target-bits=-1"], "target_bits must be above 0"),
    (["--target-bits", "3", "--dtype", "int4", "--calibration", "TEXT"],
     "target_bits gives each matrix its type"),
    (["--dtype", "int4", "--rounding", "gptq"], "rounding gptq needs a calibration text"),
    (["--dtype", "bf16", "--calibration", "TEXT"], "are for dtype int8, int4 and int2"),
    (["--dtype", "int4", "--calibration", "EMPTY"], "is empty"),
    (["--dtype", "int4", "--calibration", "/no/such/file"], "/no/such/file"),
])
def test_convert_refuses(fail, root, text, tmp_path, flags, complaint):
    empty = tmp_path / "empty.txt"
    empty.touch()
    flags = [{"TEXT": text, "EMPTY": empty}.get(flag, flag) for flag in flags]
    status = 1 if "/no/such/file" in flags else 2
    assert complaint in fail(status, "convert", root / "models/books-6m", tmp_path / "out", *flags)
    assert not (tmp_path / "out").exists()
