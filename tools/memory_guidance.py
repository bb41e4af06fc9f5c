#!/usr/bin/env python3
"""What memories in view are worth to a writer; the table of docs/memory.md.

    tools/memory_guidance.py FOLDER --encoder MODEL [--shared FOLDER] [--aios PROGRAM]

The books that books-6m never saw are cut into units of some 30 words, whole sentences, and all
units are remembered. A passage is two units: the first is the prompt, by which `aios generate
--memory` looks for memories and before which it writes them; the second is scored, causally (NLL)
and by masked diffusion (NELBO), with `aios score --prefix`. Neither the passage's own units are
recalled nor the one before and the one behind it. Random memories are units of exactly as many
tokens, written in the same form by the same program; the masks of the NELBO are the same
throughout. A hash of the passage sets a quarter apart, on which count and budget of the memories
are chosen by NLL; all else is measured on the rest.
"""

import argparse
import hashlib
import json
import pathlib
import re
import subprocess

import numpy as np

from memory_quality import interval

BOOKS = ("anne-of-the-island", "ozma-of-oz", "the-adventure-of-the-norwood-builder",
         "the-time-machine")
UNIT_WORDS = 30
CONTEXT = 256
SETTINGS = ((1, 96), (2, 128), (4, 128))  # top_k, max_tokens
BATCH = 100
DRAWS = 8


class Program:
    """The `aios` program, its store and its models."""

    def __init__(self, options):
        self.aios, self.encoder = options.aios, options.encoder
        self.folder, self.model = options.folder, options.model
        self.store = options.folder / "store"

    def run(self, *words, text=None):
        return subprocess.run([str(self.aios), *map(str, words)], input=text, text=True, check=True,
                              stdout=subprocess.PIPE).stdout

    def remember(self, units):
        if self.store.exists():
            return
        lines = "\n".join(json.dumps({"memory_id": str(i), "content": unit})
                          for i, unit in enumerate(units))
        self.run("memory", "import", self.store, "-", "--model", self.encoder, text=lines)

    def recall(self, prompt, memory_filter, setting):
        """What `--memory` puts before a prompt, the memories in it, and all tokens of the two."""
        top_k, max_tokens = setting
        answer = json.loads(self.run(
            "generate", prompt, "--model", self.model, "--max-new-tokens", 1, "--json",
            "--memory", self.store, "--memory-encoder", self.encoder, "--memory-top-k", top_k,
            "--memory-max-tokens", max_tokens, "--memory-filter", memory_filter))
        return (answer["recollections"], [int(each["memory_id"]) for each in answer["memories"]],
                answer["num_prompt_tokens"])

    def token_counts(self, texts):
        lines = self.run("tokenize", "--model", self.model, "--no-special-tokens",
                         text="\n".join(texts))
        return [len(json.loads(line)) for line in lines.splitlines()]

    def nats(self, mode, passages, prefixes):
        """Nats of each passage's text behind its prefix."""
        values = []
        for at in range(0, len(passages), BATCH):
            files, flags = [], []
            for i, (passage, prefix) in enumerate(zip(passages[at:at + BATCH],
                                                      prefixes[at:at + BATCH])):
                files.append(self.folder / f"passage{i}.txt")
                files[-1].write_text(passage.text)
                flags += ["--prefix", prefix]
            answer = json.loads(self.run("score", *files, *flags, "--mode", mode, "--model",
                                         self.model, "--draws", DRAWS, "--seed", at, "--json"))
            assert answer["num_windows"] == len(files)
            values += answer["window_nats"]
        return np.array(values)


class Passage:
    """Unit `index` as the prompt, the next one as the text that is scored."""

    def __init__(self, index, units, lengths):
        self.index = index
        self.prompt, self.text = units[index], " " + units[index + 1]
        self.before = units[max(index - 6, 0):index]
        self.num_tokens = lengths[index + 1]
        self.prompt_tokens = lengths[index]
        self.near = range(index - 1, index + 3)
        self.is_development = hashlib.sha256(self.prompt.encode()).digest()[0] % 4 == 0

    def elsewhere(self):
        near = ", ".join(f"'{i}'" for i in self.near)
        return f"not memory_id in ({near})"


def cut_into_units(text):
    """Whole sentences of a paragraph, joined up to at least UNIT_WORDS words."""
    units, words = [], []
    for sentence in re.split(r"(?<=[.!?][\"'])\s+|(?<=[.!?])\s+", text.replace("\n", " ")):
        words += sentence.split()
        if len(words) >= UNIT_WORDS:
            units.append(" ".join(words))
            words = []
    return units


def load_units(shared):
    folder = shared / "models/books-6m/heldout"
    books = [cut_into_units((folder / f"{book}.txt").read_text(encoding="utf-8"))
             for book in BOOKS]
    starts = np.cumsum([0] + [len(book) for book in books])
    return [unit for book in books for unit in book], starts


def choose_passages(units, starts, lengths):
    """Every third unit of a book and its successor, where they fit the context with notes."""
    most = max(tokens for _, tokens in SETTINGS)
    chosen = []
    for begin, end in zip(starts, starts[1:]):
        for index in range(begin + 6, end - 2, 3):
            passage = Passage(index, units, lengths)
            if 1 + most + passage.prompt_tokens + passage.num_tokens <= CONTEXT - 4:
                chosen.append(passage)
    return chosen


def random_filter(passage, recalled, lengths, numbers):
    """Units of as many tokens as the recalled ones, or None if there are no others."""
    taken = set(recalled) | set(passage.near)
    drawn = []
    for unit in recalled:
        alike = [i for i in np.flatnonzero(lengths == lengths[unit]) if i not in taken]
        if not alike:
            return None
        drawn.append(int(numbers.choice(alike)))
        taken.add(drawn[-1])
    return "memory_id in (" + ", ".join(f"'{i}'" for i in drawn) + ")"


def recall_all(program, passages, setting, lengths):
    """Passages with related and random notes of equal token counts, and these; the rest is left
    out."""
    numbers = np.random.default_rng(1)
    rows, counts = [], []
    for passage in passages:
        related, recalled, length = program.recall(passage.prompt, passage.elsewhere(), setting)
        wanted = random_filter(passage, recalled, lengths, numbers) if recalled else None
        if not wanted:
            continue
        unrelated, _, length_of_random = program.recall(passage.prompt, wanted, setting)
        if length == length_of_random:
            rows.append((passage, related, unrelated))
            counts.append(length - 1 - passage.prompt_tokens)
    print(f"{len(rows)} of {len(passages)} passages have both", flush=True)
    return rows, counts


def text_before(program, passages, counts):
    """The words of the book before the prompt, of about as many tokens as the notes."""
    texts = []
    for passage, count in zip(passages, counts):
        words = " ".join(passage.before).split()
        each = program_word_counts(program, words)
        kept = 0
        while kept < len(words) and each[-kept - 1:].sum() <= count:
            kept += 1
        texts.append(" ".join(words[len(words) - kept:]) + " ")
    return texts


def program_word_counts(program, words):
    """Tokens of each word behind a space: GPT-2's pattern never joins two words."""
    new = sorted(set(words) - WORD_COUNTS.keys())
    if new:
        WORD_COUNTS.update(zip(new, program.token_counts([" " + word for word in new])))
    return np.array([WORD_COUNTS[word] for word in words])


WORD_COUNTS = {}


def plain(notes):
    """The notes without fence and quotation marks."""
    lines = [line[2:] for line in notes.splitlines() if line.startswith("> ")]
    return " ".join(lines) + " "


def measure(program, rows, counts):
    """Prints the table."""
    passages = [row[0] for row in rows]
    prompts = [passage.prompt for passage in passages]
    tokens = np.array([passage.num_tokens for passage in passages])
    contexts = {"none": [""] * len(rows),
                "random memories": [row[2] for row in rows],
                "related memories": [row[1] for row in rows],
                "related, as plain text": [plain(row[1]) for row in rows],
                "the book's text before": text_before(program, passages, counts)}
    nats = {mode: {name: program.nats(mode, passages,
                                      [text + prompt for text, prompt in zip(texts, prompts)])
                   for name, texts in contexts.items()} for mode in ("ar", "diffusion")}
    print(f"{len(rows)} passages, {tokens.sum()} tokens scored, {np.mean(counts):.1f} tokens of "
          "notes on average\n\n| Before the prompt | NLL | NELBO |\n|---|---|---|")
    for name in contexts:
        print(f"| {name} | {nats['ar'][name].sum() / tokens.sum():.4f} | "
              f"{nats['diffusion'][name].sum() / tokens.sum():.4f} |")
    for first, second in (("related memories", "random memories"), ("related memories", "none"),
                          ("random memories", "none"), ("related, as plain text", "none"),
                          ("the book's text before", "none")):
        cells = []
        for mode in ("ar", "diffusion"):
            difference = nats[mode][first] - nats[mode][second]
            cells.append("{:+.4f} [{:+.4f}, {:+.4f}]".format(*interval(difference / tokens.mean())))
        print(f"| {first} - {second} | {cells[0]} | {cells[1]} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--model", default=root / "models/books-6m")
    parser.add_argument("--shared", type=pathlib.Path, default=root.parent / "shared")
    parser.add_argument("--aios", default=root / "build/release/bin/aios")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    program = Program(options)
    units, starts = load_units(options.shared)
    program.remember(units)
    lengths = np.array(program.token_counts(units))
    passages = choose_passages(units, starts, lengths)
    development = [passage for passage in passages if passage.is_development]
    held_out = [passage for passage in passages if not passage.is_development]
    losses = {}
    for setting in SETTINGS:
        rows, _ = recall_all(program, development, setting, lengths)
        chosen = [row[0] for row in rows]
        prefixes = [[row[0].prompt for row in rows], [row[1] + row[0].prompt for row in rows]]
        without, related = (program.nats("ar", chosen, texts).sum() for texts in prefixes)
        losses[setting] = (related - without) / sum(passage.num_tokens for passage in chosen)
        print(f"development: top_k {setting[0]}, max_tokens {setting[1]}: related - none "
              f"{losses[setting]:+.4f} nats per token of {len(rows)} passages", flush=True)
    best = min(losses, key=losses.get)
    print(f"chosen: top_k {best[0]}, max_tokens {best[1]}")
    measure(program, *recall_all(program, held_out, best, lengths))


if __name__ == "__main__":
    main()
