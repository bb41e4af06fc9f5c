"""books-6m as a denoiser: for the same masks, each window's sum of -ln p is PyTorch's.

The masks of `aios score` are a pure function of the seed (Philox), so they are made here again.
"""
import json
import subprocess

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import Qwen2Config, Qwen2ForCausalLM

WINDOW, NUM_WINDOWS, BATCH = 256, 200, 8
SEED = 11
MASK_TOKEN = 1
TIME_NOISE, MASK_NOISE = -1, -2  # what the numbers are for: src/diffusion/likelihood.cpp
T_MIN = 1e-3
TOLERANCE = 1e-4  # of a window's sum, relative
HELD_OUT = ["the-adventure-of-the-norwood-builder", "the-time-machine", "ozma-of-oz",
            "anne-of-the-island"]


def philox_uniform(counter, seed: int) -> np.ndarray:
    """Philox4x32-10 (Salmon et al. 2011) of broadcast counters (canvas, step, position, token)."""
    low = np.uint64(0xFFFFFFFF)
    words = np.broadcast_arrays(*(np.asarray(word, np.int64) for word in counter))
    words = [word.astype(np.uint64) & low for word in words]
    key = [np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32)]
    for _ in range(10):
        first = np.uint64(0xD2511F53) * words[0]
        second = np.uint64(0xCD9E8D57) * words[2]
        words = [(second >> np.uint64(32)) ^ words[1] ^ key[0], second & low,
                 (first >> np.uint64(32)) ^ words[3] ^ key[1], first & low]
        key = [(key[0] + np.uint64(0x9E3779B9)) & low, (key[1] + np.uint64(0xBB67AE85)) & low]
    bits = (words[1] << np.uint64(32)) | words[0]
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def held_out_windows(folder) -> np.ndarray:
    """[NUM_WINDOWS, WINDOW] ids by the protocol of the model's README."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    stream = []
    for book in HELD_OUT:
        text = (folder / f"heldout/{book}.txt").read_text(encoding="utf-8")
        stream += [0] + tokenizer.encode(text, add_special_tokens=False).ids
    scored = np.array(stream[1:1 + NUM_WINDOWS * (WINDOW - 1)]).reshape(NUM_WINDOWS, WINDOW - 1)
    return np.concatenate([np.zeros((NUM_WINDOWS, 1), int), scored], axis=1)


def load_network(folder) -> Qwen2ForCausalLM:
    """Dream's network is Qwen2's; all tokens see each other by the mask given to it."""
    settings = json.loads((folder / "config.json").read_text())
    wanted = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
              "num_attention_heads", "num_key_value_heads", "max_position_embeddings",
              "rms_norm_eps", "rope_theta", "tie_word_embeddings")
    network = Qwen2ForCausalLM(Qwen2Config(
        **{name: settings[name] for name in wanted}, attn_implementation="eager")).float().eval()
    weights = {name: values.float()
               for name, values in load_file(folder / "model.safetensors").items()}
    missing, unexpected = network.load_state_dict(weights, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}
    network.tie_weights()
    return network


def torch_nats(network, windows, masked) -> np.ndarray:
    """Per window the sum of -ln p over its masked tokens; row i predicts token i + 1."""
    visible = torch.zeros(1, 1, WINDOW, WINDOW)
    sums = []
    with torch.no_grad():
        for start in range(0, len(windows), BATCH):
            ids = torch.tensor(windows[start:start + BATCH])
            hidden = torch.tensor(masked[start:start + BATCH])
            logits = network(input_ids=ids.masked_fill(hidden, MASK_TOKEN),
                             attention_mask=visible.expand(len(ids), -1, -1, -1)).logits
            log_p = logits[:, :-1].double().log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
            sums.append(-(log_p * hidden[:, 1:]).sum(1).numpy())
    return np.concatenate(sums)


def test_sums_of_masked_windows(aios, root, shared_directory, capsys):
    torch.set_num_threads(2)
    folder = shared_directory / "models/books-6m"
    windows = held_out_windows(folder)
    index = np.arange(NUM_WINDOWS)
    times = T_MIN + (1 - T_MIN) * philox_uniform((index, 0, 0, TIME_NOISE), SEED)
    numbers = philox_uniform((index[:, None], 0, np.arange(WINDOW)[None], MASK_NOISE), SEED)
    masked = numbers < times[:, None]
    masked[:, 0] = False
    expected = torch_nats(load_network(folder), windows, masked)

    answer = json.loads(subprocess.run(
        [aios, "score", "--model", root / "models/books-6m", "--mode", "diffusion",
         "--concatenate", "--window", str(WINDOW), "--max-windows", str(NUM_WINDOWS),
         "--num-draws", "1", "--seed", str(SEED), "--compute", "f32", "--json",
         *(folder / f"heldout/{book}.txt" for book in HELD_OUT)],
        check=True, capture_output=True, text=True).stdout)
    sums = np.array(answer["window_nats"]) * times  # the weight of a draw is 1 / t
    error = np.abs(sums - expected) / np.maximum(expected, 1)
    with capsys.disabled():
        print(f"\nbooks-6m, {NUM_WINDOWS} windows: largest relative difference of a window's sum "
              f"{error.max():.1e}")
    assert error.max() <= TOLERANCE
