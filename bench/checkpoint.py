"""Safetensors files, read and written without the library: for models that the benches make."""

import json

import numpy as np

BYTES = {"BF16": 2, "F32": 4}


def read_safetensors(path):
    """The tensors of float32 and bfloat16, in float32."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(content[begin:end], np.uint16).astype(np.uint32) << 16)
        elif entry["dtype"] == "F32":
            values = np.frombuffer(content[begin:end], np.float32)
        else:
            continue
        tensors[name] = values.view(np.float32).reshape(entry["shape"])
    return tensors


def write_safetensors(path, tensors, dtype):
    """`tensors`: name, shape and a function that makes the elements' bits, one after the other."""
    header, offset = {}, 0
    for name, shape, _ in tensors:
        size = BYTES[dtype] * int(np.prod(shape))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, _, make in tensors:
            make().tofile(file)
