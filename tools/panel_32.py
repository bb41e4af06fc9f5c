"""Quantised matrices of Parquet V2 files in numpy, by docs/formats/parquet-v2.md: what their parts
must be and what weights they stand for."""
import numpy as np

PANEL_ROWS = 32
DEPTH_UNIT = 32
BITS = {"int8": 8, "int4": 4, "int2": 2}
GROUP_SIZES = (0, 32, 64, 128)  # 0: a whole row is one group


def padded(size: int) -> int:
    return -(-size // DEPTH_UNIT) * DEPTH_UNIT


def num_groups(depth: int, group_size: int) -> int:
    return -(-depth // group_size) if group_size else 1


def part_sizes(quant_type: str, group_size: int, shape: list[int]) -> dict[str, int]:
    """Bytes of `data`, `zero_points` and `scales`."""
    rows, depth = shape
    panels = -(-rows // PANEL_ROWS)
    blocks = {"int8": 0,
              "int4": -(-padded(depth) // 64) * 3,  # two blocks of 32 share three bytes
              "int2": padded(depth) // 16}[quant_type]
    return {"data": panels * PANEL_ROWS * padded(depth) * BITS[quant_type] // 8,
            "zero_points": panels * PANEL_ROWS * blocks,
            "scales": panels * PANEL_ROWS * num_groups(depth, group_size) * 2}


def codes_of(quant_type: str, data: bytes, panels: int) -> np.ndarray:
    """[panels, 32, padded depth]"""
    words = np.frombuffer(data, np.uint8).reshape(panels, -1, PANEL_ROWS, 4)
    if quant_type == "int4":
        words = words[..., [1, 0, 3, 2]]  # the bytes of each pair are swapped
    bits = BITS[quant_type]
    planes = [words >> shift & (1 << bits) - 1 for shift in range(0, 8, bits)]
    steps = np.concatenate(planes, axis=-1)  # [panels, words, 32, steps of a word]
    return steps.transpose(0, 2, 1, 3).reshape(panels, PANEL_ROWS, -1).astype(np.int64)


def blocks_of(quant_type: str, zero_points: bytes, panels: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and steps, [panels, 32, blocks]."""
    values = np.frombuffer(zero_points, np.uint8).astype(np.int64)
    if quant_type == "int2":
        values = values.reshape(panels, -1, PANEL_ROWS).transpose(0, 2, 1)
        return values >> 4, values & 15
    even, odd, high = values.reshape(panels, -1, 3, PANEL_ROWS).transpose(2, 0, 3, 1)
    steps = np.stack([even & 63, odd & 63], axis=-1)
    starts = np.stack([(high & 15) << 2 | even >> 6, (high >> 4) << 2 | odd >> 6], axis=-1)
    return starts.reshape(panels, PANEL_ROWS, -1), steps.reshape(panels, PANEL_ROWS, -1)


def points_of(quant_type: str, data: bytes, zero_points: bytes, panels: int) -> np.ndarray:
    """Points of the grid, 0 to 255, [panels, 32, padded depth]."""
    codes = codes_of(quant_type, data, panels)
    if quant_type == "int8":
        return codes
    block_size = 32 if quant_type == "int4" else 16
    depth = codes.shape[-1]
    starts, steps = (np.repeat(values, block_size, axis=-1)[..., :depth]
                     for values in blocks_of(quant_type, zero_points, panels))
    if quant_type == "int4":
        return (4 * starts + codes * steps // 4) % 256
    return (8 * starts + 4 * codes * steps) % 256


def scales_of(scales: bytes, panels: int) -> np.ndarray:
    """f32 [panels, 32, groups]"""
    values = np.frombuffer(scales, "<f2").astype(np.float32)
    return values.reshape(panels, -1, PANEL_ROWS).transpose(0, 2, 1)


def dequantize(quant_type: str, group_size: int, shape: list[int], data: bytes, zero_points: bytes,
               scales: bytes) -> np.ndarray:
    """The weights, f32 [rows, depth]: exact, a scale has 11 bits and a point 8."""
    rows, depth = shape
    panels = -(-rows // PANEL_ROWS)
    points = points_of(quant_type, data, zero_points, panels)
    width = points.shape[-1]
    spread = np.repeat(scales_of(scales, panels), group_size or width, axis=-1)[..., :width]
    offsets = (points[..., :spread.shape[-1]] - 128).astype(np.float32)
    return (spread * offsets).reshape(panels * PANEL_ROWS, -1)[:rows, :depth]


def problem(quant_type: str, layout: str, quant_axis: int, group_size: int,
            shape: list[int]) -> str | None:
    """What a row says of its quantisation and may not, if anything."""
    if quant_type not in BITS:
        return f"quant_type {quant_type} is not known"
    if layout != "panel_32":
        return f"layout {layout} is not known for {quant_type}"
    if quant_axis != 1:
        return f"quant_axis is {quant_axis}, not 1"
    if group_size not in GROUP_SIZES:
        return f"group_size {group_size} is not one of {GROUP_SIZES}"
    if len(shape) != 2 or min(shape) <= 0:
        return f"shape {shape} is no matrix with rows and columns"
    return None


def part_problem(quant_type: str, group_size: int, shape: list[int],
                 parts: dict[str, bytes]) -> str | None:
    """What is wrong with the parts of a whole matrix, if anything."""
    for name, size in part_sizes(quant_type, group_size, shape).items():
        if len(parts[name]) != size:
            return f"{len(parts[name])} bytes of {name}, not {size}"
    scales = np.frombuffer(parts["scales"], "<f2")
    if not (np.isfinite(scales) & (scales > 0)).all():
        return "a scale is no finite number above 0"
    return None
