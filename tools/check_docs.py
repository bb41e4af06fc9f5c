#!/usr/bin/env python3
"""Checks that the documentation points at things that are there. Prints each violation.

In every Markdown file: relative links resolve (with their anchors), and paths of the repository
in backticks exist. In docs/errors.md: the tests that the tables name exist.
"""
import re
import subprocess
import sys
from pathlib import Path
from typing import Iterator

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
REPOSITORY_PATH = re.compile(
    r"`((?:src|include|tools|tests|docs|cmake|bench|models|\.ci)/[\w./-]+)`")
GTEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)")
TEST_NAME = re.compile(r"`([\w/]+\.\w+(?:/\w+)*|[\w/.]+\.py::\w+)`")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(markdown: str) -> set[str]:
    """The anchors of a file's headings, by GitHub's rule."""
    headings = re.findall(r"^#+ +(.*)$", FENCE.sub("", markdown), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(root: Path, path: Path, text: str) -> Iterator[str]:
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (root / path).parent / name if name else root / path
        if not file.exists():
            yield f"{path}: link to {target}, which is not there"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text()):
            yield f"{path}: link to {target}: no such heading"


def check_paths(root: Path, path: Path, text: str) -> Iterator[str]:
    for name in REPOSITORY_PATH.findall(text):
        if not (root / name).exists():
            yield f"{path}: names {name}, which is not there"


def known_tests(root: Path) -> set[str]:
    names = set()
    for folder in ("src", "tests"):
        for file in (root / folder).rglob("*_test.cpp"):
            names |= {f"{suite}.{name}" for suite, name in GTEST.findall(file.read_text())}
        for file in (root / folder).rglob("test_*.py"):
            functions = re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
            names |= {f"{file.relative_to(root)}::{function}" for function in functions}
    return names


def check_error_table(path: Path, text: str, tests: set[str]) -> Iterator[str]:
    for line in text.splitlines():
        if not line.startswith("|") or line.startswith(("|---", "| Input")):
            continue
        last_cell = line.rstrip("| ").rsplit("|", 1)[-1]
        named = TEST_NAME.findall(last_cell)
        if not named:
            yield f"{path}: this row names no test: {line}"
        for name in named:
            plain = re.sub(r"/\w+$", "", re.sub(r"^\w+/(?=\w+\.\w+)", "", name))
            if name not in tests and plain not in tests:
                yield f"{path}: there is no test {name}"


def check_docs(root: Path, files: list[Path]) -> list[str]:
    """All violations in `files`, which are relative to `root`."""
    violations: list[str] = []
    for path in files:
        text = (root / path).read_text()
        prose = FENCE.sub("", text)
        violations += check_links(root, path, prose)
        violations += check_paths(root, path, prose)
        if path == Path("docs/errors.md"):
            violations += check_error_table(path, prose, known_tests(root))
    return violations


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=root, capture_output=True, text=True,
                            check=True).stdout.split()
    violations = check_docs(root, [Path(name) for name in listed if (root / name).exists()])
    print("\n".join(violations) or f"docs: {len(listed)} files, all links and names resolve")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
