"""Every command does its work."""
import json
import os
import subprocess

import numpy as np
import pyarrow.parquet as parquet
import pytest

PROMPT = "It was a dark and stormy"


def test_generate_writes_text(succeed):
    text = succeed("generate", PROMPT, "--max-new-tokens", 12)
    assert text.strip()
    assert succeed("generate", "--input", "-", "--max-new-tokens", 12, input=PROMPT + "\n") == text


def test_generate_answers_in_json(succeed, books):
    answer = json.loads(succeed("generate", PROMPT, "--max-new-tokens", 9, "--json", "--logprobs",
                                "--temperature", 0, "--model", books))
    assert len(answer["token_ids"]) == len(answer["logprobs"]) == answer["num_steps"] == 9
    assert answer["finish_reason"] == "length"
    assert answer["tokens_per_second"] > 0
    assert set(answer["seconds"]) == {"tokenize", "prompt", "compute", "total"}
    assert answer["text"] == succeed("generate", PROMPT, "--max-new-tokens", 9,
                                     "--temperature", 0)[:-1]


def test_generate_ends_before_a_stop_string(succeed):
    words = ("generate", PROMPT, "--max-new-tokens", 40, "--temperature", 0)
    text = succeed(*words)[:-1]
    stop = text[10:13]
    answer = json.loads(succeed(*words, "--stop", stop, "--json"))
    assert answer["finish_reason"] == "stop_string"
    assert answer["text"] == text[:text.index(stop)]


def test_samples_differ_and_seeds_repeat(succeed):
    words = ("generate", PROMPT, "--max-new-tokens", 12, "--samples", 3, "--json")
    texts = [json.loads(line)["text"] for line in succeed(*words).splitlines()]
    assert len(set(texts)) == 3
    again = [json.loads(line)["text"] for line in succeed(*words, "--threads", 1).splitlines()]
    assert again == texts
    other = [json.loads(line)["text"] for line in succeed(*words, "--seed", 5).splitlines()]
    assert other != texts


def test_diffuse(succeed):
    answer = json.loads(succeed("diffuse", PROMPT, "--max-new-tokens", 16, "--num-steps", 4,
                                "--json"))
    assert answer["num_steps"] == 4 and len(answer["token_ids"]) == 16
    assert not {0, 1, 2} & set(answer["token_ids"])
    assert answer["num_forward_passes"] == 4
    text = succeed("diffuse", PROMPT, "--max-new-tokens", 16, "--num-steps", 4)
    assert text == answer["text"] + "\n"


def test_infill_gives_fixed_text_back_byte_for_byte(succeed):
    before, between, after = "“Who is  there?” said\tAlice, é", " and [[ ", ".\nThe end  "
    text = f"{before}[[3]]{between.replace('[[', '[[[[')}[[2-4]]{after}"
    answer = json.loads(succeed("infill", text, "--json"))
    first, second = answer["holes"]
    assert answer["text"] == before + first + between + second + after


def test_options_come_from_yaml_and_flags_override_them(succeed, tmp_path):
    path = tmp_path / "options.yaml"
    path.write_text("diffusion: {max_new_tokens: 6, num_steps: 3, remasking: random, seed: 4}\n")
    answer = json.loads(succeed("diffuse", PROMPT, "--config", path, "--json"))
    assert answer["num_steps"] == 3 and len(answer["token_ids"]) == 6
    answer = json.loads(succeed("diffuse", PROMPT, "--config", path, "--num-steps", 2, "--json"))
    assert answer["num_steps"] == 2 and len(answer["token_ids"]) == 6


def test_score(succeed, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("The old man went down to the sea, and looked at the ships. " * 20)
    answer = json.loads(succeed("score", path, "--mode", "ar", "--window", 64, "--json"))
    assert answer["num_bytes"] == path.stat().st_size
    assert answer["standard_error"] == 0
    assert sum(answer["window_nats"]) == pytest.approx(
        answer["nats_per_token"] * answer["num_tokens"])
    assert answer["perplexity"] == pytest.approx(np.exp(answer["nats_per_token"]))
    assert "perplexity" in succeed("score", path, "--window", 64)
    bound = json.loads(succeed("score", path, "--mode", "diffusion", "--window", 64, "--json"))
    assert bound["num_tokens"] == answer["num_tokens"] and bound["standard_error"] > 0


def test_score_of_what_continues_a_prefix(succeed, tmp_path):
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text(" went down to the sea.")
    second.write_text(" looked at the ships.")

    def nats(*words):
        return json.loads(succeed("score", *words, "--json"))["window_nats"]

    assert nats(first, second, "--prefix", "The old man", "--prefix", "She") == [
        *nats(first, "--prefix", "The old man"), *nats(second, "--prefix", "She")]
    assert nats(first, second, "--prefix", "She") != nats(first, second)
    config = tmp_path / "options.yaml"
    config.write_text("score:\n  prefix: [The old man]\n")
    assert nats(first, "--config", config) == nats(first, "--prefix", "The old man")
    assert nats(first, "--config", config, "--prefix", "She") == nats(first, "--prefix", "She")


def test_tokenize_and_back(succeed):
    text = "It was a dark night.\n\nThe wind — naïve — blew.\n"
    lines = succeed("tokenize", "--no-special-tokens", input=text)
    assert [type(json.loads(line)) for line in lines.splitlines()] == [list] * 3
    assert succeed("detokenize", input=lines) == text
    with_begin = json.loads(succeed("tokenize", input="a").strip())
    assert with_begin[0] == 0


def test_logits_without_a_tokenizer(succeed, without_tokenizer, tmp_path):
    output = tmp_path / "rows.npy"
    config = json.loads((without_tokenizer / "config.json").read_text())
    for attention in ("causal", "full"):
        succeed("logits", "--input-ids", "1,2,3", "--attention", attention, "--output", output,
                "--model", without_tokenizer)
        rows = np.load(output)
        assert rows.dtype == np.float32 and rows.shape == (3, config["vocab_size"])
    succeed("logits", "--input-ids", "1,2,3", "--hidden", "--output", output,
            "--model", without_tokenizer)
    assert np.load(output).shape == (3, config["hidden_size"])


def test_encode(succeed, encoder, tmp_path):
    texts = ["a cat sat", "a dog ran far", "[a, cat]"]
    lines = succeed("encode", *texts, "--model", encoder)
    vectors = np.array([json.loads(line) for line in lines.splitlines()])
    assert vectors.shape == (3, json.loads((encoder / "config.json").read_text())["hidden_size"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert succeed("encode", "--input", "-", "--model", encoder, input="\n".join(texts)) == lines

    npy, table = tmp_path / "vectors.npy", tmp_path / "vectors.parquet"
    succeed("encode", *texts, "--model", encoder, "--format", "npy", "--output", npy)
    assert np.allclose(np.load(npy), vectors, atol=1e-6)
    succeed("encode", *texts, "--model", encoder, "--format", "parquet", "--output", table)
    rows = parquet.read_table(table)
    assert rows["text"].to_pylist() == texts
    assert np.allclose(np.array(rows["embedding"].to_pylist()), vectors, atol=1e-6)

    answer = json.loads(succeed("encode", *texts, "--model", encoder, "--json"))
    assert [row["num_tokens"] for row in answer["embeddings"]] == [5, 6, 7]


def test_encode_gives_each_text_the_same_bits_alone_and_in_a_batch(succeed, encoder):
    texts = ["a dog ran far far", "a", "cat", "a cat sat", "dog"]
    words = ("--model", encoder, "--threads", 1)
    alone = [succeed("encode", text, *words) for text in texts]
    assert succeed("encode", *texts, *words) == "".join(alone)
    assert succeed("encode", *texts, "--model", encoder, "--threads", 2) == "".join(alone)


def test_log_level(run, books):
    result = run("generate", "a", "--max-new-tokens", 1, "--log-level", "info", "--model", books)
    assert result.returncode == 0 and f"opened '{books}': dream" in result.stderr


def test_encode_says_when_a_text_was_cut(run, encoder):
    result = run("encode", "a cat", "a dog " * 9, "--json", "--model", encoder)
    assert result.returncode == 0
    assert result.stderr == "warning: 1 text was longer than the model reads, and lost the end\n"
    rows = json.loads(result.stdout)["embeddings"]
    # sentence_bert_config.json (8 tokens) wins over tokenizer.json's truncation (4)
    assert [(row["truncated"], row["num_tokens"]) for row in rows] == [(False, 4), (True, 8)]


def test_encode_pooling_can_be_chosen(succeed, encoder):
    words = ("encode", "a cat sat", "--model", encoder)
    assert succeed(*words) == succeed(*words, "--pooling", "cls")
    assert len({succeed(*words, "--pooling", kind) for kind in ("cls", "mean", "last")}) == 3


def test_devices(succeed):
    rows = {row["name"]: row for row in json.loads(succeed("devices", "--json"))}
    assert list(rows) == ["cpu", "cuda", "rocm", "xpu", "mps", "vulkan"]
    assert rows["cpu"]["can_compute"]
    assert succeed("devices").startswith("cpu     ready")


def test_a_model_is_found_by_environment(run, without_tokenizer, tmp_path):
    environment = {**os.environ, "AIOS_MODEL": str(without_tokenizer)}
    output = tmp_path / "rows.npy"
    result = run("logits", "--input-ids", "1,2", "--output", output, env=environment)
    assert result.returncode == 0, result.stderr
    vocabulary = json.loads((without_tokenizer / "config.json").read_text())["vocab_size"]
    assert np.load(output).shape == (2, vocabulary)


def test_nothing_but_the_answer_in_a_pipe(aios):
    """No progress, no escape sequences, no view."""
    result = subprocess.run([aios, "infill", "A [[4]] day", "--show"], capture_output=True,
                            check=True)
    assert result.stderr == b"" and b"\x1b" not in result.stdout
