"""tools/check_docs.py on small trees: each rule is broken once, and reported."""
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from check_docs import check_docs  # noqa: E402

TABLE = "| Input | Error type | Message | Test |\n|---|---|---|---|\n"


def violations(tmp_path: Path, name: str, text: str) -> list[str]:
    (tmp_path / "src/base").mkdir(parents=True)
    (tmp_path / "tests/cli").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "src/base/a_test.cpp").write_text("TEST(Suite, Name) {}\nTEST_P(\n  Many, One) {}")
    (tmp_path / "tests/cli/test_a.py").write_text("def test_b(aios):\n    pass\n")
    (tmp_path / "README.md").write_text("# A title, with `code`\n")
    (tmp_path / name).write_text(text)
    return check_docs(tmp_path, [Path(name)])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "[x](README.md#a-title-with-code) [y](https://example.org) `src/base/a_test.cpp`"),
        ("a.md", "```\n[x](missing.md)\n```\n"),
        ("docs/errors.md", TABLE + "| a | `IoError` | m | `Suite.Name` |\n"
                                   "| a | `IoError` | m | `All/Many.One/0`, `Many.One` |\n"
                                   "| a | `IoError` | m | `tests/cli/test_a.py::test_b` |\n"),
    ],
)
def test_what_is_there_is_accepted(tmp_path, name, text):
    assert violations(tmp_path, name, text) == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.md", "[x](missing.md)", "missing.md, which is not there"),
        ("a.md", "[x](README.md#other)", "no such heading"),
        ("a.md", "see `src/base/gone.cpp`", "src/base/gone.cpp"),
        ("docs/errors.md", TABLE + "| a | `IoError` | m | `Suite.Gone` |", "no test Suite.Gone"),
        ("docs/errors.md", TABLE + "| a | `IoError` | m | |", "names no test"),
        ("docs/errors.md", TABLE + "| a | b | m | `tests/cli/test_a.py::test_c` |", "::test_c"),
    ],
)
def test_each_rule_is_reported(tmp_path, name, text, message):
    found = violations(tmp_path, name, text)
    assert len(found) == 1
    assert message in found[0]
