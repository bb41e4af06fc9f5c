#!/usr/bin/env python3
"""How well a memory finds passages: by meaning, by words, and by both; the table of docs/memory.md.

    tools/memory_quality.py FOLDER --encoder MODEL [--shared FOLDER] [--aios PROGRAM]

The task: the title of a Python or Ethereum proposal (data/corpus-peps, data/corpus-eips) is the
query; the first passages of that proposal, of 40 to 120 words and without the title, are what
should be found among the passages of all proposals. A hash of the title halves the queries:
settings of the fusion are chosen on the development half by nDCG@10, and all are measured on the
other.
"""

import argparse
import hashlib
import json
import pathlib
import re
import sqlite3
import subprocess
import tarfile

import numpy as np

PASSAGES = 6
DEPTH = 100  # of the lists that are fused
SOURCES = {"corpus-peps/peps.tar.xz": re.compile(r"^Title:\s*(.+)$", re.M),
           "corpus-eips/eips.tar.xz": re.compile(r"^title:\s*(.+)$", re.M)}


def passages_of(text, title):
    """Paragraphs of plain words, joined up to at least 40 words."""
    body = re.split(r"\n(?:---)?\n", text, maxsplit=1)[-1]
    parts, words = [], []
    for paragraph in re.split(r"\n\s*\n", body):
        if re.match(r"[\s#=|`.:*-]", paragraph) or re.search(r"^[=~^-]{3,}", paragraph, re.M):
            continue
        words += paragraph.replace(title, "").split()
        if len(words) >= 40:
            parts.append(" ".join(words[:120]))
            words = []
    return parts[:PASSAGES]


def load_task(shared):
    """Titles, passages, and which title each passage belongs to."""
    titles, passages, owners = [], [], []
    for archive, pattern in SOURCES.items():
        with tarfile.open(shared / "data" / archive) as files:
            for member in files:
                if not member.isfile():
                    continue
                text = files.extractfile(member).read().decode("utf-8", "replace")
                title = pattern.search(text)
                if not title:
                    continue
                parts = passages_of(text, title[1].strip())
                if len(parts) < 2:
                    continue
                owners += [len(titles)] * len(parts)
                titles.append(title[1].strip().strip("\"'"))
                passages += parts
    return titles, passages, np.array(owners)


def encode(aios, encoder, folder, name, texts):
    source, target = folder / f"{name}.txt", folder / f"{name}.npy"
    if not target.exists():
        source.write_text("\n".join(texts) + "\n")
        subprocess.run([aios, "encode", "--input", source, "--model", encoder, "--format", "npy",
                        "--output", target], check=True)
    return np.load(target)


def search_words(catalog, title):
    """Passages by the store's own index of words, asked as `aios memory search` asks it."""
    words = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", title))
    return [int(row[0]) for row in catalog.execute(
        "SELECT memory_id FROM text_index JOIN memory ON sequence = text_index.rowid WHERE "
        "text_index MATCH ? ORDER BY bm25(text_index), sequence LIMIT ?", (words, DEPTH))]


def fuse(by_vector, by_words, constant, text_weight):
    """Reciprocal rank fusion; of equal scores the earlier passage."""
    scores = {}
    for weight, ranked in ((1.0, by_vector), (text_weight, by_words)):
        for rank, passage in enumerate(ranked):
            scores[passage] = scores.get(passage, 0.0) + weight / (constant + rank + 1)
    return sorted(scores, key=lambda passage: (-scores[passage], passage))


def measure(ranking, relevant):
    """recall@10 and nDCG@10."""
    gains = [passage in relevant for passage in ranking[:10]]
    ideal = sum(1 / np.log2(i + 2) for i in range(min(10, len(relevant))))
    dcg = sum(gain / np.log2(i + 2) for i, gain in enumerate(gains))
    return sum(gains) / min(10, len(relevant)), dcg / ideal


def interval(differences):
    """Mean and its 95 % interval, by 2,000 resamplings of the queries."""
    numbers = np.random.default_rng(0)
    means = numbers.choice(differences, (2000, len(differences))).mean(axis=1)
    return np.mean(differences), *np.quantile(means, (0.025, 0.975))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--shared", type=pathlib.Path, default=root.parent / "shared")
    parser.add_argument("--aios", default=root / "build/release/bin/aios")
    arguments = parser.parse_args()
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    titles, passages, owners = load_task(arguments.shared)
    vectors = encode(arguments.aios, arguments.encoder, folder, "passages", passages)
    queries = encode(arguments.aios, arguments.encoder, folder, "titles", titles)
    store = folder / "store"
    if not store.exists():
        lines = "\n".join(json.dumps({"memory_id": str(i), "content": text,
                                      "embedding": vector.tolist()})
                          for i, (text, vector) in enumerate(zip(passages, vectors)))
        subprocess.run([arguments.aios, "memory", "import", store, "-"], input=lines, text=True,
                       check=True, stdout=subprocess.DEVNULL)
    by_vector = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :DEPTH].tolist()
    catalog = sqlite3.connect(f"file:{store}/catalog.sqlite?mode=ro", uri=True)
    by_words = [search_words(catalog, title) for title in titles]
    relevant = [set(np.flatnonzero(owners == i).tolist()) for i in range(len(titles))]
    held_out = np.array([hashlib.sha256(title.encode()).digest()[0] % 2 for title in titles]) == 1

    def figures(constant, text_weight):
        return np.array([measure(fuse(*lists, constant, text_weight), wanted)
                         for *lists, wanted in zip(by_vector, by_words, relevant)])

    settings = [(constant, weight) for constant in (5, 10, 20, 60)
                for weight in (0.25, 0.5, 0.75, 1.0, 1.5)]
    developed = {setting: figures(*setting)[~held_out].mean(axis=0) for setting in settings}
    for setting, (found, gain) in developed.items():
        print(f"development: constant {setting[0]}, text_weight {setting[1]}: recall@10 "
              f"{found:.4f}, nDCG@10 {gain:.4f}")
    best = max(developed, key=lambda setting: developed[setting][1])
    rows = {"vector": np.array([measure(*pair) for pair in zip(by_vector, relevant)]),
            "words (BM25)": np.array([measure(*pair) for pair in zip(by_words, relevant)]),
            "both": figures(*best)}
    print(f"{len(passages)} passages, {len(titles)} queries, {held_out.sum()} measured; "
          f"constant {best[0]}, text_weight {best[1]}\n\n| | recall@10 | nDCG@10 |\n|---|---|---|")
    for name, values in rows.items():
        print(f"| {name} | {values[held_out, 0].mean():.4f} | {values[held_out, 1].mean():.4f} |")
    for name in ("vector", "words (BM25)"):
        mean, low, high = interval((rows["both"] - rows[name])[held_out, 1])
        print(f"both - {name}: nDCG@10 {mean:+.4f} [{low:+.4f}, {high:+.4f}]")


if __name__ == "__main__":
    main()
