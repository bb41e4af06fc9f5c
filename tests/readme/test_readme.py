"""What README.md shows is true: its commands run, its C++ compiles.

In blocks marked `console`, lines that begin with `$ ` are commands; those that call `aios` are run
as they stand, in the repository. Blocks marked `cpp` are whole programs.
"""
import os
import re
import shlex
import subprocess

import pytest

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(name="blocks", scope="module")
def fixture_blocks(root):
    return BLOCK.findall((root / "README.md").read_text(encoding="utf-8"))


def commands(text: str) -> list[str]:
    """Commands of a console block, lines that end in a backslash joined."""
    joined = re.sub(r"\\\n\s*", "", text)
    return [line[2:] for line in joined.splitlines() if line.startswith("$ ")]


def test_commands_run(blocks, root, build_directory):
    environment = {**os.environ, "PATH": f"{build_directory / 'bin'}:{os.environ['PATH']}"}
    environment.pop("AIOS_MODEL", None)
    lines = [line for language, text in blocks if language == "console"
             for line in commands(text) if re.search(r"\baios\b", line)]
    assert lines, "README.md shows no command"
    for line in lines:
        if "encode" in shlex.split(line) and not (root / "models/all-MiniLM-L6-v2").is_dir():
            continue  # `make demo` fetches that model
        result = subprocess.run(["bash", "-c", line], cwd=root, env=environment, check=False,
                                capture_output=True, text=True)
        assert result.returncode == 0, line + "\n" + result.stderr


def test_programs_compile(blocks, root, tmp_path):
    for language, text in blocks:
        if language != "cpp":
            continue
        source = tmp_path / "readme.cpp"
        source.write_text(text, encoding="utf-8")
        subprocess.run(["c++", "-std=c++20", "-fsyntax-only", "-I", root / "include", source],
                       check=True)
