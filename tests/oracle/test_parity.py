"""The network against transformers in float32, afresh.

The committed expected values of tests/parity are made again, and the program is run on new inputs.
"""
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/parity/fixtures"
sys.path.insert(0, str(ROOT / "tools"))

import make_parity_fixtures  # noqa: E402
from parity_models import FIXTURES as MODELS  # noqa: E402

TOLERANCE = 1e-4  # of the largest value: the project's bound on parity in float32
SAME_LIBRARY = 1e-5  # the same for transformers on two machines, which may sum in other orders

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()


def assert_close(actual, expected, tolerance):
    error = np.abs(actual - expected).max()
    assert error <= tolerance * np.abs(expected).max(), error


def run_logits(aios, model, input_ids, attention, folder, *flags):
    output = folder / "rows.npy"
    subprocess.run([aios, "logits", "--model", model, "--input-ids",
                    ",".join(str(i) for i in input_ids), "--attention", attention,
                    "--compute", "f32", "--output", output, *flags], check=True)
    return np.load(output)


def test_every_fixture_has_its_recipe():
    assert {folder.name for folder in FIXTURES.iterdir()} == {model.name for model in MODELS}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_expected_values_are_made_afresh(model, tmp_path):
    make_parity_fixtures.make(model, tmp_path)
    committed = FIXTURES / model.name
    for file in committed.glob("*.json"):
        assert json.loads(file.read_text()) == json.loads((tmp_path / file.name).read_text())
    weights = load_file(committed / "model.safetensors")
    fresh_weights = load_file(tmp_path / "model.safetensors")
    assert weights.keys() == fresh_weights.keys()
    for name, values in weights.items():
        assert torch.equal(values, fresh_weights[name]), name
    expected = load_file(committed / "expected.safetensors")
    fresh = load_file(tmp_path / "expected.safetensors")
    assert expected.keys() == fresh.keys()
    for name, values in expected.items():
        if values.is_floating_point():
            assert_close(fresh[name].numpy(), values.numpy(), SAME_LIBRARY)
        else:
            assert torch.equal(fresh[name], values), name


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_program_gives_transformers_rows_on_new_inputs(model, aios, tmp_path):
    reference, _ = make_parity_fixtures.build(model)
    generator = np.random.default_rng(11)
    for kind in set(model.attention) & {"causal", "full"}:
        for length in (1, 2, 33):
            input_ids = generator.integers(0, 97, length)
            name, expected, _ = make_parity_fixtures.evaluate(model, reference, input_ids, kind)
            flags = ["--hidden"] if name == "hidden" else []
            rows = run_logits(aios, FIXTURES / model.name, input_ids, kind, tmp_path, *flags)
            assert_close(rows, expected.numpy(), TOLERANCE)


def test_minilm_hidden_states_are_those_of_transformers(minilm, aios, tmp_path):
    reference = transformers.BertModel.from_pretrained(minilm, dtype=torch.float32).eval()
    generator = np.random.default_rng(12)
    for length in (1, 17, 128, 512):
        input_ids = generator.integers(0, reference.config.vocab_size, length)
        with torch.no_grad():
            expected = reference(torch.from_numpy(input_ids)[None]).last_hidden_state[0].numpy()
        rows = run_logits(aios, minilm, input_ids, "full", tmp_path, "--hidden")
        assert_close(rows, expected, TOLERANCE)
