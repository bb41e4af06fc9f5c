"""The default model's recipe, tools/default_model, on a network that trains in seconds."""
import json
import math
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/default_model"))

import checkpoint  # noqa: E402
import corpus  # noqa: E402
import evaluate  # noqa: E402
import export  # noqa: E402
import objectives  # noqa: E402
import prepare  # noqa: E402
from network import SIZES, Network, NetworkConfig  # noqa: E402

torch.set_num_threads(1)
WORDS = "the old sea captain looked at his ship and wondered whether it would ever sail".split()


def sentence(source, num_words):
    return " ".join(source.choice(WORDS) for _ in range(num_words)).capitalize() + "."


@pytest.fixture(name="data", scope="module")
def fixture_data(tmp_path_factory):
    source = random.Random(3)
    documents = [corpus.Document("books", f"{index:03}.md",
                                 "\n".join(sentence(source, 20) for _ in range(40)))
                 for index in range(95)]
    folder = tmp_path_factory.mktemp("data")
    prepare.prepare(documents, folder, vocab_size=300)
    return folder


@pytest.fixture(name="trained", scope="module")
def fixture_trained(data, tmp_path_factory):
    """Two stretches of training, the second from the first one's weights."""
    folders = [tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")]
    for folder, extra in zip(folders, ([], ["--from", folders[0]])):
        subprocess.run([sys.executable, ROOT / "tools/default_model/train.py", data, folder,
                        "--steps", "180", "--size", "tiny", "--batch-size", "8",
                        "--log-steps", "10", *extra], check=True, stdout=subprocess.DEVNULL)
    return folders


def losses(folder):
    line = (folder / "curve.csv").read_text().splitlines()[-1]
    return json.loads(line.split(",", 2)[2].strip('"').replace('""', '"'))


def test_training_learns_and_goes_on_from_weights(trained):
    first, second = map(losses, trained)
    uniform = math.log(300)
    for name in ("causal", "diffusion", "block 4"):
        assert first[name] < 0.9 * uniform
        assert second[name] < first[name] + 0.1
    counts = [json.loads((folder / "checkpoint.json").read_text())["num_tokens"]
              for folder in trained]
    assert counts[1] > counts[0] > 0


def test_a_missing_piece_of_weights_is_noticed(trained, tmp_path):
    for path in trained[0].glob("checkpoint.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(SystemExit, match="a piece is missing"):
        checkpoint.load(Network(NetworkConfig(300, **SIZES["tiny"])), tmp_path)


@pytest.mark.parametrize("attention", ["causal", "full"])
def test_the_engine_computes_the_same_network(aios, data, trained, tmp_path, attention):
    export.export(data, trained[1], tmp_path / "model")
    ids = [0] + random.Random(1).choices(range(3, 300), k=40)
    subprocess.run([aios, "logits", "--model", tmp_path / "model", "--input-ids",
                    ",".join(map(str, ids)), "--attention", attention, "--compute", "f32",
                    "--output", tmp_path / "rows.npy"], check=True)
    actual = np.load(tmp_path / "rows.npy")
    network = evaluate.load_network(trained[1], "cpu")
    with torch.no_grad():
        expected = network(torch.tensor([ids]), is_causal=attention == "causal")[0].numpy()
    # The project's bound on parity in float32.
    assert np.abs(actual - expected).max() <= 1e-4 * np.abs(expected).max()


class UniformNetwork(torch.nn.Module):
    """Knows nothing: every objective must then come out at ln(vocabulary) nats per token."""

    def forward(self, ids, positions=None, mask=None, is_causal=False):
        return torch.zeros(*ids.shape, 50)


def test_objectives_of_a_network_that_knows_nothing():
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(2, 50, (64, 65), generator=generator)
    network, expected = UniformNetwork(), math.log(50)
    assert objectives.causal_nats(network, ids).mean().item() == pytest.approx(expected, rel=1e-6)
    times = objectives.antithetic_times(64, 0.001, "cpu", generator)
    assert times.min() > 0.001 and times.max() <= 1
    assert len({int(64 * time) for time in (times - 0.001) / 0.999}) >= 63  # a stratum each
    estimates = {"diffusion": [], "block": []}
    for _ in range(60):
        times = objectives.antithetic_times(64, 0.05, "cpu", generator)
        estimates["diffusion"].append(
            objectives.diffusion_nats(network, ids, times, generator).mean().item())
        times = objectives.antithetic_times(64 * 5, 0.05, "cpu", generator).view(64, 5)
        estimates["block"].append(
            objectives.block_nats(network, ids, 16, times, generator).mean().item())
    for values in estimates.values():
        error = np.std(values, ddof=1) / math.sqrt(len(values))
        assert abs(np.mean(values) - expected) < 5 * error


def test_a_block_sees_itself_and_clean_blocks_before_it():
    torch.manual_seed(1)
    network = Network(NetworkConfig(60, **SIZES["tiny"])).double()
    length, block_length = 12, 4
    noisy = torch.randint(3, 60, (1, length))
    clean = torch.randint(3, 60, (1, length))
    positions = torch.arange(length).repeat(2)
    mask = objectives.block_attention_mask(length, block_length, "cpu")

    def rows(noisy, clean):
        with torch.no_grad():
            return network(torch.cat([noisy, clean], dim=1), positions, mask)[0]

    before = rows(noisy, clean)
    for changed in range(2 * length):
        ids = torch.cat([noisy, clean], dim=1)
        ids[0, changed] = (ids[0, changed] - 3 + 1) % 57 + 3
        after = rows(ids[:, :length], ids[:, length:])
        moved = (after - before).abs().amax(dim=1) > 0
        block = changed % length // block_length
        for row in range(2 * length):
            row_block, row_is_clean = row % length // block_length, row >= length
            if changed < length:
                sees = not row_is_clean and row_block == block
            else:
                sees = row_block >= block if row_is_clean else row_block > block
            assert moved[row] == sees, (changed, row)


def test_editions_of_held_out_books_are_dropped():
    source = random.Random(9)
    books = [corpus.Document("books", f"{index:03}.md",
                             "\n".join(sentence(source, 30) for _ in range(30)))
             for index in range(100)]
    edition = corpus.Document("books", "zzz.md", "A preface.\n" + books[0].text)
    training, held_out, dropped = corpus.split_held_out(books + [edition])
    assert [document.name for document in held_out] == ["000.md", "090.md"]
    assert dropped == [edition]
    assert len(training) == 98


def test_books_become_plain_prose():
    text = "# Title\n\n## CHAPTER I\n\n“It’s *late*,” said\nthe [hare](x.md)—and ran…\n\n* * *\n"
    assert corpus.clean_book(text) == '"It\'s late," said the hare--and ran...'
