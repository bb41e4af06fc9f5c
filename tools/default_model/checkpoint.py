"""Weights as files of at most PIECE_BYTES, so that they leave a machine one by one.

Training resumes from weights alone: the momenta of the optimisers are rebuilt in some hundred
steps. Kept in bfloat16, as the model is published.
"""

import json
from pathlib import Path

import numpy as np
import torch

PIECE_BYTES = 15_000_000


def save(network, folder, progress):
    """@param progress plain values that describe the training so far"""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().to("cpu", torch.bfloat16).contiguous()
             for name, tensor in network.state_dict().items()}
    data = b"".join(tensor.view(torch.int16).numpy().tobytes() for tensor in state.values())
    for old in folder.glob("weights-*.bin"):
        old.unlink()
    for index, begin in enumerate(range(0, len(data), PIECE_BYTES)):
        (folder / f"weights-{index:02}.bin").write_bytes(data[begin:begin + PIECE_BYTES])
    description = {"tensors": {name: list(tensor.shape) for name, tensor in state.items()},
                   "num_bytes": len(data), **progress}
    (folder / "checkpoint.json").write_text(json.dumps(description, indent=1) + "\n")


def load(network, folder):
    """@returns the description, with the `progress` that was saved"""
    folder = Path(folder)
    description = json.loads((folder / "checkpoint.json").read_text())
    data = b"".join(path.read_bytes() for path in sorted(folder.glob("weights-*.bin")))
    if len(data) != description["num_bytes"]:
        raise SystemExit(f"{folder} has {len(data)} of {description['num_bytes']} bytes of "
                         "weights: a piece is missing")
    values = torch.from_numpy(np.frombuffer(data, dtype=np.int16).copy()).view(torch.bfloat16)
    state, begin = {}, 0
    for name, shape in description["tensors"].items():
        size = int(np.prod(shape))
        state[name] = values[begin:begin + size].view(shape).float()
        begin += size
    network.load_state_dict(state)
    return description
