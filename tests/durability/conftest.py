"""`make test` runs a few runs of everything here; `make durability` all of them."""
import os

import pytest


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether to take minutes: AIOS_DURABILITY=full."""
    return os.environ.get("AIOS_DURABILITY") == "full"


@pytest.fixture(scope="session")
def programs(build_directory):
    """The folder of store_driver and io_shim.so."""
    return build_directory / "bin"
