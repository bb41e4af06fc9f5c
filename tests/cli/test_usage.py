"""Wrong command lines: status 2, one line that names the word and the cure."""
import pytest

# Words of the command line, and what the error must say.
WRONG = [
    (["difuse", "x"], "unknown command 'difuse'; did you mean 'diffuse'?"),
    ([], "--help"),
    (["generate"], "no text: give PROMPT or --input FILE"),
    (["generate", "a", "b"], "unexpected argument 'b'"),
    (["generate", "a", "--input", "-"], "not both"),
    (["generate", "a", "--max-new-token", "3"], "did you mean '--max-new-tokens'?"),
    (["generate", "a", "--xyzzy"], "unknown flag '--xyzzy'"),
    (["generate", "a", "--max-new-tokens", "0"],
     "--max-new-tokens must be a whole number of at least 1, not '0'"),
    (["generate", "a", "--max-new-tokens", "many"], "not 'many'"),
    (["generate", "a", "--max-new-tokens"], "--max-new-tokens"),
    (["generate", "a", "--temperature", "nan"], "--temperature must be a number of at least 0"),
    (["generate", "a", "--temperature", "-1"], "not '-1'"),
    (["generate", "a", "--top-p", "1.5"], "--top-p must be a number above 0 and up to 1"),
    (["generate", "a", "--seed", "-1"], "--seed must be"),
    (["generate", "a", "--stop", ""], "--stop must be a text"),
    (["generate", "a", "--samples", "0"], "--num-samples must be"),
    (["generate", "a", "--threads", "-2"], "--num-threads must be"),
    (["generate", "a", "--log-level", "loud"], "--log-level must be one of"),
    (["generate", "a", "--compute", "f64"], "--compute must be one of auto|f32"),
    (["diffuse", "a", "--num-steps", "0"], "--num-steps must be a whole number of at least 1"),
    (["diffuse", "a", "--num-steps", "-4"], "not '-4'"),
    (["diffuse", "a", "--remasking", "low_confidense"], "did you mean 'low_confidence'?"),
    (["diffuse", "a", "--schedule", "cosine"], "--schedule must be one of"),
    (["diffuse", "a", "--alg-temp", "1"], "alg_temp needs remasking"),
    (["infill", "no hole here"], "the text has no hole"),
    (["infill", "a [[x]] b"], "the [[ at byte 2 opens no hole"),
    (["infill", "a [[0]] b"], "a hole of 0 tokens"),
    (["infill", "a [[5-3]] b"], "ends before it begins"),
    (["score"], "FILE is required"),
    (["encode"], "no text: give TEXT or --input FILE"),
    (["encode", "-"], "TEXT is '-': give --input - for standard input"),
    (["diffuse", "-"], "PROMPT is '-': give --input - for standard input"),
    (["encode", "a", "--format", "xml"], "--format must be one of json|npy|parquet"),
    (["encode", "a", "--format", "npy"], "--format npy needs --output FILE"),
    (["encode", "a", "--pooling", "max"], "--pooling must be one of"),
    (["logits", "--input-ids", "1,x", "--output", "o.npy"], "not 'x'"),
    (["logits", "--input-ids", "1", "--output", "o.npy", "--attention", "half"], "causal|full"),
    (["logits", "--input-ids", "1"], "--output is required"),
    (["convert", "in"], "OUT is required"),
    (["convert", "in", "out", "--dtype", "bf61"], "did you mean 'bf16'?"),
]


@pytest.mark.parametrize("words, message", WRONG, ids=lambda value: " ".join(value)[:40])
def test_wrong_words(fail, words, message):
    assert message in fail(2, *words)


WRONG_YAML = [
    ("diffusion:\n  num_setps: 4\n",
     "options.yaml:2: unknown option 'diffusion.num_setps'; did you mean 'num_steps'?"),
    ("difusion: {seed: 1}", "unknown section 'difusion'; did you mean 'diffusion'?"),
    ("diffusion: {num_steps: 0}", "diffusion.num_steps must be"),
    ("diffusion: {temperature: .nan}", "diffusion.temperature must be"),
    ("diffusion: [1", "no valid YAML"),
]


@pytest.mark.parametrize("yaml, message", WRONG_YAML, ids=lambda value: value[:30])
def test_wrong_yaml(fail, tmp_path, yaml, message):
    path = tmp_path / "options.yaml"
    path.write_text(yaml)
    assert message in fail(2, "diffuse", "a", "--config", path)


def test_help_is_an_answer(succeed):
    assert "infill" in succeed("--help")
    text = succeed("diffuse", "--help")
    assert "--num-steps" in text and "--threads" in text and "low_confidence" in text


def test_version(succeed):
    assert succeed("--version").startswith("aios ")
