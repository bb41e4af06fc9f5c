"""books-6m on its held-out books, by the protocol of its README (PyTorch's figures there)."""
import json
import subprocess

import pytest

HELD_OUT = ["the-adventure-of-the-norwood-builder", "the-time-machine", "ozma-of-oz",
            "anne-of-the-island"]
# The README counts the 13 bytes of `<|endoftext|>` between the first two books as text.
NUM_BYTES = 185_860 - 13
PERPLEXITY = 60.430
NELBO, STANDARD_ERROR = 4.355, 0.035


@pytest.fixture(name="score", scope="module")
def fixture_score(aios, root, shared_directory):
    folder = shared_directory / "models/books-6m/heldout"

    def score(*flags):
        result = subprocess.run(
            [aios, "score", "--model", root / "models/books-6m", "--concatenate", "--window",
             "256", "--max-windows", "200", "--json", *flags,
             *(folder / f"{book}.txt" for book in HELD_OUT)],
            check=True, capture_output=True, text=True)
        answer = json.loads(result.stdout)
        assert (answer["num_windows"], answer["num_tokens"]) == (200, 51_000)
        assert answer["num_bytes"] == NUM_BYTES
        return answer

    return score


def test_perplexity_left_to_right(score):
    exact = score("--mode", "ar", "--compute", "f32")
    assert exact["perplexity"] == pytest.approx(PERPLEXITY, rel=1e-3)
    assert exact["nats_per_byte"] == pytest.approx(1.1254, abs=1e-3)
    assert score("--mode", "ar")["perplexity"] == pytest.approx(PERPLEXITY, rel=1e-2)  # bf16


def test_bound_of_diffusion(score):
    bound = score("--mode", "diffusion", "--num-draws", "8", "--compute", "f32")
    assert abs(bound["nats_per_token"] - NELBO) <= 2 * STANDARD_ERROR
    assert 0.5 * STANDARD_ERROR < bound["standard_error"] < 2 * STANDARD_ERROR
