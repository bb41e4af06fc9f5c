"""What a command cannot do: status 1, one line that says what, where and the cure."""
import json
import os
import shutil
import subprocess

import pytest


def test_text_that_is_not_utf8(fail, tmp_path):
    path = tmp_path / "latin1.txt"
    path.write_bytes(b"caf\xe9 au lait")
    for words in (["generate", "--input", path], ["score", path], ["encode", "--input", path],
                  ["infill", "--input", path], ["tokenize", "--input", path]):
        assert "latin1.txt: byte 3 is not UTF-8" in fail(1, *words)
    assert "PROMPT: byte 1 is not UTF-8" in fail(1, "generate", b"x\xff".decode(
        errors="surrogateescape"))


def test_input_that_cannot_be_read(fail, tmp_path):
    assert "No such file" in fail(1, "generate", "--input", tmp_path / "absent")
    assert "directory" in fail(1, "score", tmp_path)
    assert "No such file" in fail(1, "diffuse", "a", "--config", tmp_path / "absent.yaml")


def test_empty_input(fail, succeed, encoder, tmp_path):
    path = tmp_path / "empty.txt"
    path.touch()
    assert "it has no text to score" in fail(2, "score", path)
    assert "it has no text" in fail(2, "encode", "--input", path)
    assert "the text has no hole" in fail(2, "infill", "")
    assert succeed("tokenize", "--input", path) == ""
    # An empty text is a text: the begin token alone begins a story, [CLS] [SEP] have a vector.
    assert succeed("generate", "", "--max-new-tokens", 3).strip()
    assert succeed("diffuse", "--input", path, "--max-new-tokens", 3).strip()
    assert len(succeed("encode", "", "--model", encoder).splitlines()) == 1


def test_beyond_the_context(fail):
    prompt = "word " * 300
    message = fail(1, "generate", prompt)
    assert "do not fit the model's context of 256" in message and "max_new_tokens" in message
    assert "do not fit the model's context" in fail(1, "generate", "a", "--max-new-tokens", 256)
    assert "does not fit the model's context" in fail(1, "diffuse", "a", "--max-new-tokens", 256)
    assert "the model can hold 256" in fail(1, "infill", "a [[300]]")
    assert "the model can hold 256" in fail(1, "infill", "a [[2000000000]] b [[9]]")
    assert "the model can hold 256" in fail(1, "infill", prompt + "[[2]]")
    assert "more than the model's 256" in fail(2, "score", "/dev/stdin", "--window", 257,
                                               input="text")


def test_huge_input(fail, tmp_path):
    path = tmp_path / "huge.txt"
    with open(path, "wb") as file:
        file.truncate((1 << 30) + 1)
    assert "more than 1073741824 bytes" in fail(1, "generate", "--input", path)
    assert "more than 1073741824 bytes" in fail(1, "score", "/dev/zero")


def test_what_a_model_cannot_do(fail, encoder, books, without_tokenizer, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("a cat")
    for command in ("generate", "diffuse"):
        message = fail(1, command, "a", "--model", encoder)
        assert f"this bert model cannot {command}; it can: encode" in message
    assert "cannot generate" in fail(1, "score", text, "--model", encoder)
    assert "cannot encode; it can: generate, diffuse, infill, score" in fail(
        1, "encode", "a", "--model", books)
    assert "it can only give logits" in fail(1, "generate", "a", "--model", without_tokenizer)


def test_ids_out_of_range(fail, books, tmp_path):
    for ids in ("4096", "-1", "1,2,99999"):
        assert "outside this model's vocabulary of 4096" in fail(
            1, "logits", f"--input-ids={ids}", "--output", tmp_path / "o.npy", "--model", books)
    too_many = ",".join(["1"] * 257)
    assert "context is 256" in fail(1, "logits", "--input-ids", too_many, "--output",
                                    tmp_path / "o.npy", "--model", books)
    assert "vocabulary" in fail(1, "detokenize", input="[5000]\n")
    assert "line 2 is no JSON array of token ids" in fail(2, "detokenize", input="[1]\n[x]\n")


def test_tokenizer_of_another_model(fail, books, without_tokenizer, tmp_path):
    mixed = tmp_path / "mixed"
    shutil.copytree(without_tokenizer, mixed)
    shutil.copy(books / "tokenizer.json", mixed)
    assert "they belong to different models" in fail(1, "generate", "a", "--model", mixed)


def test_model_that_is_not_there(fail, run, tmp_path):
    assert "no model directory" in fail(1, "generate", "a", "--model", tmp_path / "absent")
    assert "it has no config.json" in fail(1, "generate", "a", "--model", tmp_path)
    (tmp_path / "config.json").write_text('{"architectures": ["GPT5"]}')
    assert "GPT5" in fail(1, "generate", "a", "--model", tmp_path)


def test_modules_that_are_not_supported(fail, encoder, tmp_path):
    dense = tmp_path / "dense"
    shutil.copytree(encoder, dense)
    modules = json.loads((dense / "modules.json").read_text())
    modules.append({"type": "sentence_transformers.models.Dense", "path": "2_Dense"})
    (dense / "modules.json").write_text(json.dumps(modules))
    assert "module 'Dense' is not supported" in fail(1, "encode", "a", "--model", dense)


def test_prompt_name_that_is_not_there(fail, encoder):
    assert "the model has no prompt 'query'" in fail(2, "encode", "a", "--prompt-name", "query",
                                                     "--model", encoder)


def test_max_length_beyond_the_context(fail, encoder):
    assert "more than the model's" in fail(2, "encode", "a", "--max-length", 100000, "--model",
                                           encoder)


def test_devices_that_cannot_compute(fail):
    assert "unknown device 'gpu'" in fail(1, "generate", "a", "--device", "gpu")
    assert "cannot compute" in fail(1, "generate", "a", "--device", "vulkan")


def test_full_disk_behind_standard_output(fail, encoder, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("a cat")
    for words in (["generate", "a"], ["diffuse", "a"], ["infill", "a [[2]]"], ["score", text],
                  ["encode", "a", "--model", encoder], ["tokenize", "--input", text],
                  ["devices"], ["inspect", encoder], ["--help"], ["--version"]):
        with open("/dev/full", "w", encoding="utf-8") as full:
            message = fail(1, *words, stdout=full, stderr=subprocess.PIPE)
        assert "cannot write to standard output: No space left on device" in message


def test_output_file_that_cannot_be_written(fail, encoder, tmp_path):
    for kind in ("json", "npy", "parquet"):
        fail(1, "encode", "a", "--model", encoder, "--format", kind, "--output",
             tmp_path / "absent/file")
    fail(1, "logits", "--input-ids", "1", "--output", tmp_path / "absent/file")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("words", [["generate", "a"], ["tokenize", "--input", "/etc/services"]])
def test_a_reader_that_left(aios, words):
    """`aios ... | head`: quiet, and no signal."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run([aios, *words], stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert (result.returncode, result.stderr) == (1, b"")
