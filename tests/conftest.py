"""Fixtures for all Python tests. `make test` runs them on the release build."""
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def build_directory() -> Path:
    """The build tree to test: AIOS_BUILD_DIR, else build/release."""
    return ROOT / os.environ.get("AIOS_BUILD_DIR", "build/release")


@pytest.fixture(scope="session")
def aios(build_directory: Path) -> Path:
    """The command-line program."""
    return build_directory / "bin/aios"


@pytest.fixture(scope="session")
def shared_directory() -> Path:
    """Large corpora, which lie beside the repository where developers have them."""
    shared = ROOT.parent / "shared"
    if not shared.is_dir():
        pytest.skip("../shared is not there: its large corpora are not checked")
    return shared
