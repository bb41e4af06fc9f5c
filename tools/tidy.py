#!/usr/bin/env python3
"""Checks the house rules that a compiler does not. Prints each violation as FILE:LINE: RULE: what.

file-length      at most 600 lines
function-length  at most 70 lines, from the first line of the signature to the closing brace
line-length      at most 100 columns
banned-word      words that say unfinished
banned-call      printing, exiting or aborting in a room that is no front
machine-path     an absolute path of somebody's machine
muted-test       tests that are disabled or expected to fail

Exceptions are named in tools/tidy.toml, with a reason.
"""
import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Iterator

from cpp_functions import code_only, functions

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 100

CODE_SUFFIXES = {".h", ".cpp", ".py", ".sh", ".cmake"}
TEXT_SUFFIXES = CODE_SUFFIXES | {".md", ".toml"}
FRONTS = {"cli", "server", "python"}

# Spelled in two halves, so that this file obeys its own rules.
BANNED_WORD = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])
                         + r")\b")
BANNED_CALL = re.compile(r"\b(?:f?printf|f?puts|putchar|abort|_?exit|quick_exit|terminate)\s*\("
                         r"|\bstd::(?:cout|cerr|clog)\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}])/" + r"(?:root|home|work|farm|tmp)/\w")
MUTED_TEST = re.compile(r"\bDISABLED" + r"_|mark\.x" + "fail|continue-on-" + "error")

Violation = tuple[str, int, str, str]  # file, line, rule, what


def is_library_code(path: Path) -> bool:
    parts = path.parts
    if path.suffix not in (".h", ".cpp") or path.name.endswith("_test.cpp"):
        return False
    return parts[0] == "include" or (parts[0] == "src" and parts[1] not in FRONTS)


def check_patterns(path: Path, text: str) -> Iterator[tuple[int, str, str]]:
    rules = [("banned-word", BANNED_WORD, text), ("machine-path", MACHINE_PATH, text),
             ("muted-test", MUTED_TEST, text)]
    if is_library_code(path):
        rules.append(("banned-call", BANNED_CALL, code_only(text)))
    for rule, pattern, searched in rules:
        for number, line in enumerate(searched.split("\n"), start=1):
            if match := pattern.search(line):
                yield number, rule, match.group(0)


def check_lengths(path: Path, text: str) -> Iterator[tuple[int, str, str]]:
    lines = text.splitlines()
    if len(lines) > MAX_FILE_LINES:
        yield 1, "file-length", f"{len(lines)} lines, at most {MAX_FILE_LINES}"
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_COLUMNS:
            yield number, "line-length", f"{len(line)} columns, at most {MAX_COLUMNS}"
    for name, first_line, length in functions_of(path, text):
        if length > MAX_FUNCTION_LINES:
            yield (first_line, "function-length",
                   f"{name} has {length} lines, at most {MAX_FUNCTION_LINES}")


def functions_of(path: Path, text: str) -> Iterator[tuple[str, int, int]]:
    if path.suffix in (".h", ".cpp"):
        for function in functions(text):
            yield function.name, function.first_line, function.length
    elif path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def check_file(path: Path, text: str) -> list[Violation]:
    """All violations of one file; `path` is relative to the repository."""
    found: list[tuple[int, str, str]] = []
    if path.suffix in TEXT_SUFFIXES or path.name in ("Makefile", "CMakeLists.txt", "run"):
        found += check_patterns(path, text)
    if path.suffix in CODE_SUFFIXES:
        found += check_lengths(path, text)
    return [(str(path), *violation) for violation in sorted(found)]


def apply_exceptions(violations: list[Violation], exceptions: list[dict]) -> list[Violation]:
    """Violations without those that are excused; an exception that excuses none is one itself."""
    excused = {(e["file"], e["rule"]) for e in exceptions if e.get("reason")}
    used = {(v[0], v[2]) for v in violations} & excused
    left = [v for v in violations if (v[0], v[2]) not in excused]
    for file, rule in sorted(excused - used):
        left.append(("tools/tidy.toml", 1, "exception", f"{file} no longer needs one for {rule}"))
    for exception in exceptions:
        if not exception.get("reason"):
            left.append(("tools/tidy.toml", 1, "exception", f"{exception['file']} has no reason"))
    return left


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True,
                            check=True).stdout.split("\0")
    violations: list[Violation] = []
    for name in listed:
        path = Path(name)
        if path.suffix in TEXT_SUFFIXES or path.name in ("Makefile", "CMakeLists.txt", "run"):
            if (root / path).exists():
                violations += check_file(path, (root / path).read_text())
    exceptions = tomllib.loads((root / "tools/tidy.toml").read_text())["exceptions"]
    violations = apply_exceptions(violations, exceptions)
    for file, line, rule, what in violations:
        print(f"{file}:{line}: {rule}: {what}")
    print(f"tidy: {len(listed) - 1} files, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
