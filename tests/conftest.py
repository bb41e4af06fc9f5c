"""Fixtures for all Python tests. `make test` runs them on the release build."""
import os
import subprocess
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
def storage_tool(build_directory: Path):
    """Runs tests/storage/storage_tool.cpp; its standard error is the answer."""
    def run(*arguments, check: bool = True) -> str:
        process = subprocess.run([build_directory / "bin/storage_tool", *map(str, arguments)],
                                 text=True, stderr=subprocess.PIPE)
        assert process.returncode == 0 or not check, process.stderr
        return process.stderr
    return run


@pytest.fixture(scope="session")
def shared_directory() -> Path:
    """Large corpora, which lie beside the repository where developers have them."""
    shared = ROOT.parent / "shared"
    if not shared.is_dir():
        pytest.skip("../shared is not there: its large corpora are not checked")
    return shared
