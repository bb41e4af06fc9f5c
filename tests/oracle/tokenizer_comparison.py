"""Compares what tokenizer_tool answers with what Hugging Face's library does, text by text."""
import contextlib
import subprocess
import threading
from itertools import chain

import numpy as np

CHUNK_BYTES = 1_000_000
ID, BEGIN, END, TYPE, SPECIAL = range(5)  # columns of tokenizer_tool's rows


def character_offsets(data, offsets):
    """Byte offsets as character offsets, which the oracle gives."""
    starts = (np.frombuffer(data, dtype=np.uint8) & 0xC0) != 0x80
    return np.concatenate([[0], np.cumsum(starts)])[offsets]


def chunks(texts):
    """Lists of texts that are encoded at once."""
    chunk, size = [], 0
    for text in texts:
        chunk.append(text)
        size += len(text)
        if size > CHUNK_BYTES or len(chunk) == 1000:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


class Answers:
    """Reads tokenizer_tool's answers while it writes them."""

    def __init__(self, tool, path, texts):
        self.process = subprocess.Popen([tool, path, "records"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.writer = threading.Thread(target=self.write, args=(texts,))
        self.writer.start()

    def write(self, texts):
        with contextlib.suppress(BrokenPipeError):  # who reads the answers notices that it ended
            for text in texts:
                data = text.encode()
                self.process.stdin.write(len(data).to_bytes(4, "little") + data)
            self.process.stdin.close()

    def read(self, size):
        data = self.process.stdout.read(size)
        assert len(data) == size, "tokenizer_tool ended early"
        return data

    def number(self):
        return int.from_bytes(self.read(4), "little", signed=True)

    def next(self):
        """Rows and the decoded text; None if the text was refused."""
        size = self.number()
        if size < 0:
            return None
        rows = np.frombuffer(self.read(20 * size), dtype="<i4").reshape(-1, 5)
        return rows, self.read(self.number()).decode()

    def close(self):
        assert self.process.stdout.read() == b""
        assert self.process.wait() == 0

    def stop(self):
        """After a difference nobody reads on: the process would wait until this one ends."""
        self.process.kill()
        self.process.wait()
        self.writer.join()


def encode(oracle, texts):
    """None for each text that the oracle refuses, or panics at."""
    try:
        return oracle.encode_batch(texts)
    except BaseException as error:  # a panic is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return [None] if len(texts) == 1 else [encode(oracle, [text])[0] for text in texts]


def same(ours, theirs):
    """A column of ours against a list, which np.array_equal would turn into an array of 64 bits."""
    return np.array_equal(ours, np.fromiter(theirs, np.int32))


def deletes_characters(oracle):
    """Where a SentencePiece map deletes a character, the library gives its offsets to the next one:
    T5 reads "\\x01abc" as "▁ab" of "\\x01a" and "c" of "b". T5's own offsets are compared over
    texts without such characters.
    """
    return '"Precompiled"' in oracle.to_str()


def assert_same(tool, path, oracle, texts, with_offsets=True):
    """Ids, offsets, masks and decoded text of all texts; how many the oracle did not refuse."""
    answers = Answers(tool, path, texts)
    try:
        compared = compare(answers, oracle, texts, with_offsets)
        answers.close()
    finally:
        answers.stop()
    return compared


def compare(answers, oracle, texts, with_offsets):
    compared = 0
    for chunk in chunks(texts):
        encodings = encode(oracle, chunk)
        ids = [encoding.ids for encoding in encodings if encoding is not None]
        decoded = iter(oracle.decode_batch(ids, skip_special_tokens=False))
        for text, encoding in zip(chunk, encodings):
            ours = answers.next()
            if encoding is None:
                continue
            assert ours is not None, f"refused: {text[:80]!r}"
            rows, our_text = ours
            where = f"{text[:80]!r}"
            assert same(rows[:, ID], encoding.ids), where
            assert same(rows[:, TYPE], encoding.type_ids), where
            assert same(rows[:, SPECIAL], encoding.special_tokens_mask), where
            if with_offsets:
                found = character_offsets(text.encode(), rows[:, BEGIN:END + 1])
                assert same(found.reshape(-1), chain.from_iterable(encoding.offsets)), where
            assert our_text == next(decoded), where
            compared += 1
    return compared
