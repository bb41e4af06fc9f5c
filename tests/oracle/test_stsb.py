"""STS-B: all-MiniLM-L6-v2 through `aios encode` correlates with people as it does in torch."""
import csv
import subprocess

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

TOLERANCE = 0.02  # points of 100 x Spearman's correlation
BATCH = 64
MAX_TOKENS = 256  # sentence_bert_config.json


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties averaged."""
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values, "left")
            + np.searchsorted(ordered, values, "right") + 1) / 2


def spearman(left: np.ndarray, right: np.ndarray) -> float:
    return 100 * float(np.corrcoef(ranks(left), ranks(right))[0, 1])


@pytest.fixture(name="pairs", scope="module")
def fixture_pairs(shared_directory):
    path = shared_directory / "data/eval-stsb/stsb-en-test.csv"
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 1379
    return rows


def encode_by_torch(folder, texts) -> np.ndarray:
    """sentence-transformers' pipeline: mean of the states that are no padding, length 1."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    vectors = []
    with torch.no_grad():
        for start in range(0, len(texts), BATCH):
            batch = tokenizer(texts[start:start + BATCH], padding=True, truncation=True,
                              max_length=MAX_TOKENS, return_tensors="pt")
            mask = batch["attention_mask"][..., None]
            states = model(**batch).last_hidden_state
            pooled = (states * mask).sum(1) / mask.sum(1)
            vectors.append(torch.nn.functional.normalize(pooled, dim=1).numpy())
    return np.concatenate(vectors)


def encode_by_aios(aios, folder, texts, output) -> np.ndarray:
    assert not any("\n" in text for text in texts)
    subprocess.run([aios, "encode", "--model", folder, "--input", "-", "--format", "npy",
                    "--output", output], input="\n".join(texts), text=True, check=True)
    return np.load(output)


def test_stsb(aios, minilm, pairs, tmp_path, capsys):
    texts = [row[0] for row in pairs] + [row[1] for row in pairs]
    scores = np.array([float(row[2]) for row in pairs])
    model = tmp_path / "all-MiniLM-L6-v2"
    subprocess.run([aios, "convert", minilm, model], check=True, stdout=subprocess.DEVNULL)
    torch.set_num_threads(1)
    correlations = {}
    vectors = {}
    for name, encoded in (("torch", encode_by_torch(minilm, texts)),
                          ("aios", encode_by_aios(aios, model, texts, tmp_path / "out.npy"))):
        vectors[name] = encoded
        cosines = (encoded[:len(pairs)] * encoded[len(pairs):]).sum(1)
        correlations[name] = spearman(cosines, scores)
    with capsys.disabled():
        print(f"\nSTS-B test, 100 x Spearman: torch {correlations['torch']:.4f}, "
              f"aios {correlations['aios']:.4f}; largest difference of a vector's element "
              f"{np.abs(vectors['torch'] - vectors['aios']).max():.1e}")
    assert abs(correlations["aios"] - correlations["torch"]) <= TOLERANCE
