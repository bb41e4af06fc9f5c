"""Model files for the tests of the storage room."""
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import parquet_v2  # noqa: E402


@pytest.fixture
def tensors() -> dict[str, parquet_v2.Tensor]:
    """Every type, a scalar, an empty one, and one of several shards of 64 KiB."""
    source = random.Random(3)
    made = {f"{dtype}.weight": parquet_v2.Tensor(dtype, [3, 5], source.randbytes(15 * size))
            for dtype, size in parquet_v2.DTYPE_BYTES.items()}
    made["scalar"] = parquet_v2.Tensor("f32", [], source.randbytes(4))
    made["empty"] = parquet_v2.Tensor("bf16", [0, 7], b"")
    made["gr\u00f6\u00dfer"] = parquet_v2.Tensor("u8", [150_001], source.randbytes(150_001))
    return made
