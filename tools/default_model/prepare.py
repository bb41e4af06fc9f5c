#!/usr/bin/env python3
"""Data of the default model: prepare.py DATA_FOLDER OUT

Writes OUT/tokenizer.json (byte-level BPE), OUT/tokens-NN.bin.xz (16-bit ids, each document after
<|endoftext|>), OUT/held_out.json (names, texts) and OUT/manifest.json. Takes a quarter of an hour
on two cores.
"""

import argparse
import hashlib
import json
import lzma
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

import corpus

END_OF_TEXT, MASK, PAD = "<|endoftext|>", "<|mask|>", "<|pad|>"  # ids 0, 1, 2
VOCAB_SIZE = 12288
TOKENIZER_BYTES = 120_000_000  # of text that the tokenizer is trained on
PIECE_TOKENS = 28_000_000  # less than 50 MB of file


def train_tokenizer(documents, vocab_size):
    """Trained on an even sample: every n-th paragraph of every document."""
    total = sum(len(document.text) for document in documents)
    step = max(1, total // TOKENIZER_BYTES)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[END_OF_TEXT, MASK, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(
        ("\n".join(document.text.split("\n")[::step]) for document in documents), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{END_OF_TEXT} $A", special_tokens=[(END_OF_TEXT, 0)])
    return tokenizer


def encode(tokenizer, documents):
    """One stream of ids, and where each source's part of it ends."""
    parts, ends = [], {}
    num_tokens = 0
    for at in range(0, len(documents), 64):
        batch = documents[at:at + 64]
        encodings = tokenizer.encode_batch([document.text for document in batch],
                                           add_special_tokens=False)
        for document, encoding in zip(batch, encodings):
            parts.append(np.array([0] + encoding.ids, dtype=np.uint16))
            num_tokens += len(parts[-1])
            ends[document.source] = num_tokens
    return np.concatenate(parts), ends


def write_pieces(tokens, folder):
    pieces = []
    for index, begin in enumerate(range(0, len(tokens), PIECE_TOKENS)):
        path = folder / f"tokens-{index:02}.bin.xz"
        path.write_bytes(lzma.compress(tokens[begin:begin + PIECE_TOKENS].tobytes(), preset=6))
        pieces.append({"name": path.name, "num_bytes": path.stat().st_size,
                       "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    return pieces


def prepare(documents, out, vocab_size=VOCAB_SIZE):
    out.mkdir(parents=True, exist_ok=True)
    training, held_out, dropped = corpus.split_held_out(documents)
    tokenizer = train_tokenizer(training, vocab_size)
    tokenizer.save(str(out / "tokenizer.json"))
    tokens, ends = encode(tokenizer, training)
    (out / "held_out.json").write_text(json.dumps(
        [{"name": document.name, "text": document.text} for document in held_out]))
    manifest = {
        "num_tokens": len(tokens),
        "num_bytes": sum(len(document.text.encode()) for document in training),
        "vocab_size": tokenizer.get_vocab_size(),
        "source_ends": ends,
        "held_out": [document.name for document in held_out],
        "dropped": [document.name for document in dropped],
        "pieces": write_pieces(tokens, out),
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vocab-size", type=int, default=VOCAB_SIZE)
    parser.add_argument("--sources", nargs="+", default=list(corpus.ARCHIVES),
                        choices=list(corpus.ARCHIVES))
    parser.add_argument("--max-documents", type=int, help="for a rehearsal: every n-th one only")
    arguments = parser.parse_args()
    documents = corpus.read_documents(arguments.data_folder, arguments.sources)
    if arguments.max_documents:
        documents = documents[::max(1, len(documents) // arguments.max_documents)]
    manifest = prepare(documents, arguments.out, arguments.vocab_size)
    print(json.dumps({key: manifest[key] for key in
                      ("num_tokens", "num_bytes", "vocab_size", "source_ends", "dropped")},
                     indent=1))


if __name__ == "__main__":
    main()
