"""Runs a BERT model in onnxruntime for bench/run.py: "BATCH LENGTH" lines in, seconds out.

Usage: onnxruntime_worker.py MODEL.onnx THREADS
"""

import sys
import time

import numpy as np
import onnxruntime


def main():
    path, num_threads = sys.argv[1], int(sys.argv[2])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    ids_of_words = np.random.default_rng(0)
    for line in sys.stdin:
        batch, length = map(int, line.split())
        inputs = {
            "input_ids": ids_of_words.integers(1000, 30000, (batch, length)),
            "token_type_ids": np.zeros((batch, length), np.int64),
            "attention_mask": np.ones((batch, length), np.int64),
        }
        start = time.perf_counter()
        session.run(["last_hidden_state"], inputs)
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
