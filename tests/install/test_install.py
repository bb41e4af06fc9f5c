"""`make install`: what it installs works without the source and build trees."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest


def run(*command, **options) -> str:
    process = subprocess.run([str(word) for word in command], text=True, check=False,
                             capture_output=True, **options)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def prefix(build_directory, tmp_path_factory) -> Path:
    """An installation, moved after it was made: nothing in it may depend on its place."""
    first = tmp_path_factory.mktemp("first") / "prefix"
    run("cmake", "--install", build_directory, "--prefix", first)
    return Path(shutil.move(first, tmp_path_factory.mktemp("moved") / "prefix"))


def test_nothing_refers_to_the_source_tree(prefix, root):
    for program in (prefix / "bin/aios", prefix / "lib/libaios.so"):
        dynamic = run("readelf", "-d", program)
        assert str(root) not in dynamic
        assert "not found" not in run("ldd", program)


def test_the_program_runs_with_the_installed_model(prefix, tmp_path):
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    text = run(prefix / "bin/aios", "generate", "It was a", "--max-new-tokens", "8",
               cwd=tmp_path, env=environment)
    assert text.strip()


def test_a_three_line_program_uses_the_package(prefix, root, tmp_path):
    source = shutil.copytree(root / "tests/install", tmp_path / "source")
    run("cmake", "-S", source, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path / "build")
    text = run(tmp_path / "build/three_lines", prefix / "share/aios/models/books-6m", cwd=tmp_path)
    assert text.strip()
