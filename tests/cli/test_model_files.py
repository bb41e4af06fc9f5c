"""convert, inspect, verify: what they do, and what they leave behind when they cannot."""
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest


@pytest.fixture(name="converted")
def fixture_converted(succeed, without_tokenizer, tmp_path):
    output = tmp_path / "converted"
    succeed("convert", without_tokenizer, output)
    return output


def logits(succeed, model, path):
    succeed("logits", "--input-ids", "1,2,3,4", "--output", path, "--model", model)
    return np.load(path)


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def test_convert_keeps_every_bit(succeed, without_tokenizer, converted, tmp_path):
    before = logits(succeed, without_tokenizer, tmp_path / "before.npy")
    after = logits(succeed, converted, tmp_path / "after.npy")
    assert (before == after).all()
    again = tmp_path / "again"  # V2 to V2, and the same bytes each time
    succeed("convert", converted, again)
    assert (again / "weights.parquet").read_bytes() == (converted / "weights.parquet").read_bytes()


def test_convert_writes_a_model_directory(without_tokenizer, converted):
    assert (converted / "config.json").read_bytes() == (
        without_tokenizer / "config.json").read_bytes()
    metadata = json.loads((converted / "metadata.json").read_text())
    assert metadata["format_version"] == 2 and metadata["quantization"] == "none"
    assert metadata["source"] == {"name": without_tokenizer.name, "format": "safetensors"}
    for name, digest in metadata["sha256"].items():
        assert hashlib.sha256((converted / name).read_bytes()).hexdigest() == digest
    assert set(metadata["sha256"]) == {
        str(path) for path in files_of(converted)} - {"metadata.json"}


def test_convert_rounds_matrices_and_keeps_vectors(succeed, without_tokenizer, tmp_path):
    output = tmp_path / "narrow"
    report = json.loads(succeed("convert", without_tokenizer, output, "--dtype", "bf16", "--json"))
    assert 16 <= report["bits_per_weight"] < 18
    tensors = json.loads(succeed("inspect", output, "--json"))["tensors"]
    assert {tensor["dtype"] for tensor in tensors if len(tensor["shape"]) == 2} == {"bf16"}
    assert {tensor["dtype"] for tensor in tensors if len(tensor["shape"]) == 1} == {"f32"}
    before = logits(succeed, without_tokenizer, tmp_path / "before.npy")
    after = logits(succeed, output, tmp_path / "after.npy")
    assert 0 < np.abs(before - after).max() < 0.1 * np.abs(before).max()


def test_export_gives_back_what_was_converted(succeed, fail, without_tokenizer, converted,
                                              tmp_path):
    output = tmp_path / "exported"
    report = json.loads(succeed("export", converted, output, "--json"))
    assert report["num_tensors"] > 0 and report["output_bytes"] > report["input_bytes"] > 0
    assert (output / "config.json").read_bytes() == (
        without_tokenizer / "config.json").read_bytes()
    before = logits(succeed, without_tokenizer, tmp_path / "before.npy")
    assert (before == logits(succeed, output, tmp_path / "after.npy")).all()
    assert "--overwrite" in fail(1, "export", converted, output)
    succeed("export", converted, output, "--overwrite")


def test_inspect(succeed, books):
    summary = json.loads(succeed("inspect", books, "--json"))
    assert summary["format"] == "parquet_v2" and summary["family"] == "dream"
    assert {"generate", "diffuse", "infill", "score"} <= set(summary["modes"])
    assert summary["num_parameters"] == 6_168_320
    assert "model.embed_tokens.weight" in succeed("inspect", books)


def test_verify(succeed, fail, books, converted):
    assert "every byte" in succeed("verify", books)
    for name in ("config.json", "weights.parquet"):
        path = converted / name
        good = path.read_bytes()
        bad = bytearray(good)
        bad[len(bad) // 2] ^= 1
        path.write_bytes(bad)
        assert name in fail(1, "verify", converted)
        path.write_bytes(good)
    succeed("verify", converted)
    (converted / "config.json").unlink()
    assert "config.json" in fail(1, "verify", converted)


def test_convert_does_not_replace_by_accident(fail, succeed, without_tokenizer, converted,
                                              tmp_path):
    assert "--overwrite" in fail(1, "convert", without_tokenizer, converted)
    home = tmp_path / "home"
    home.mkdir()
    (home / "precious").write_text("work of years")
    assert "no model directory" in fail(1, "convert", without_tokenizer, home, "--overwrite")
    assert files_of(home)
    assert "holds the input" in fail(2, "convert", converted, tmp_path, "--overwrite")
    (converted / "weights.parquet").write_bytes(b"broken")
    succeed("convert", without_tokenizer, converted, "--overwrite")
    succeed("verify", converted)
    assert sorted(os.listdir(tmp_path)) == ["converted", "home"]


def test_convert_of_no_model(fail, tmp_path):
    assert "no model directory" in fail(1, "convert", tmp_path / "absent", tmp_path / "out")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "it has no config.json" in fail(1, "convert", empty, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["empty"]


def test_convert_of_a_broken_model(fail, without_tokenizer, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(without_tokenizer, broken)
    weights = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(weights[:-10])
    fail(1, "convert", broken, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["broken"]


def test_convert_where_one_may_not_write(fail, without_tokenizer):
    assert "cannot create" in fail(1, "convert", without_tokenizer, "/proc/model")


def limit_files():
    """As if the disk were full after 20,000 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_convert_on_a_full_disk(fail, without_tokenizer, converted, tmp_path):
    before = files_of(converted)
    fail(1, "convert", without_tokenizer, converted, "--overwrite", preexec_fn=limit_files)
    fail(1, "convert", without_tokenizer, tmp_path / "new", preexec_fn=limit_files)
    assert sorted(os.listdir(tmp_path)) == ["converted"]
    assert files_of(converted) == before


def kill_at_work(aios, source, output, sign):
    """Starts a conversion and sends the signal as soon as it has begun to write."""
    with subprocess.Popen([aios, "convert", source, output, "--overwrite"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        mark = f".{output.name}.partial-{process.pid}"
        deadline = time.monotonic() + 20
        while not (output.parent / mark).exists():
            assert process.poll() is None and time.monotonic() < deadline
        process.send_signal(sign)
        error = process.communicate(timeout=20)[1]
        return process.returncode, error


def test_convert_killed(aios, succeed, books, converted, tmp_path):
    before = files_of(converted)
    assert kill_at_work(aios, books, converted, signal.SIGKILL)[0] == -signal.SIGKILL
    assert files_of(converted) == before
    succeed("convert", books, converted, "--overwrite")  # clears what the killed run left
    assert sorted(os.listdir(tmp_path)) == ["converted"]
    succeed("verify", converted)


def test_convert_interrupted(aios, books, converted, tmp_path):
    before = files_of(converted)
    status, error = kill_at_work(aios, books, converted, signal.SIGINT)
    assert (status, error) == (130, b"error: interrupted\n")
    assert files_of(converted) == before
    assert sorted(os.listdir(tmp_path)) == ["converted"]
