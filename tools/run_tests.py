#!/usr/bin/env python3
"""Runs the test programs of a build tree and pytest folders, and adds up what they report.

    tools/run_tests.py --build build/release --pytest tests
    tools/run_tests.py --build build/release --rooms kernels,backend --isa all
    tools/run_tests.py --build build/neon --runner "qemu-aarch64 -L /usr/aarch64-linux-gnu"

Each failure is shown in full, each skip with its reason. The last line is `N passed, N failed,
N skipped`; the exit status is 1 if anything failed.
"""
import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What each AIOS_FORCE_ISA needs of /proc/cpuinfo (src/base/cpu_features.cpp asks the processor).
ISA_FLAGS = {
    "scalar": set(),
    "avx2": {"avx2", "fma", "f16c"},
    "avx_vnni": {"avx2", "fma", "f16c", "avx_vnni"},
    "avx512_vnni": {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_vnni"},
    "avx512_bf16": {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16"},
    "amx_bf16": {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16",
                 "amx_tile", "amx_bf16"},
}


@dataclass
class Totals:
    passed: int = 0
    failed: int = 0
    skips: list[str] = field(default_factory=list)

    def add(self, other: "Totals") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skips += other.skips


def read_junit(path: Path) -> Totals:
    """Totals of a JUnit file, as googletest and pytest both write it."""
    totals = Totals()
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            totals.failed += 1
        elif skipped is not None:
            message = (skipped.get("message") or "no reason given").strip()
            totals.skips.append(f"{name}: {message.splitlines()[-1]}")
        elif case.get("status") == "notrun":
            totals.skips.append(f"{name}: disabled")
        else:
            totals.passed += 1
    return totals


def run(title: str, command: list[str], report: Path, environment: dict[str, str]) -> Totals:
    """Runs one program that writes a JUnit report; its output is shown only when it fails."""
    start = time.monotonic()
    process = subprocess.run(command, cwd=ROOT, env=os.environ | environment, text=True,
                             errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        totals = read_junit(report)
    except (FileNotFoundError, ElementTree.ParseError):  # it crashed before it could report
        totals = Totals()
    if process.returncode != 0 and totals.failed == 0:
        totals.failed = 1  # a crash, a leak, or a report without its failure
    if totals.failed > 0:
        print(process.stdout)
        print(f"{title}: exit status {process.returncode}: {shlex.join(command)}")
    print(f"{title}: {totals.passed} passed, {totals.failed} failed, {len(totals.skips)} skipped "
          f"({time.monotonic() - start:.1f} s)", flush=True)
    return totals


def run_programs(build: Path, rooms: list[str], runner: list[str], isa: str) -> Totals:
    totals = Totals()
    programs = sorted((build / "bin").glob("*_test"))
    if rooms:
        programs = [path for path in programs if path.name.removesuffix("_test") in rooms]
    if not programs:
        totals.failed = 1
        print(f"no test programs in {build}/bin: build them first")
    for program in programs:
        title = program.name + (f" [{isa}]" if isa else "")
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            command = runner + [str(program), "--gtest_brief=1", f"--gtest_output=xml:{report}"]
            totals.add(run(title, command, report, {"AIOS_FORCE_ISA": isa} if isa else {}))
    return totals


def run_scripts(build: Path) -> Totals:
    """The CTest tests with the label `script`: checks of a build that are no programs of ours."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = ["ctest", "--test-dir", str(build), "-L", "script", "--output-on-failure",
                   "--output-junit", str(report)]
        return run("ctest scripts", command, report, {})


def run_pytest(folders: list[str], ignored: list[str]) -> Totals:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                   f"--junitxml={report}", *folders, *(f"--ignore={path}" for path in ignored)]
        return run("pytest " + " ".join(folders), command, report, {})


def runnable_isas(wanted: str, totals: Totals) -> list[str]:
    """The names in `wanted` that this processor runs; `all` is every known one."""
    if wanted != "all":
        return wanted.split(",")
    words = Path("/proc/cpuinfo").read_text().split()
    runnable = [isa for isa, flags in ISA_FLAGS.items() if flags <= set(words)]
    for isa in ISA_FLAGS.keys() - set(runnable):
        totals.skips.append(f"AIOS_FORCE_ISA={isa}: this processor does not have it")
    return runnable


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, help="build tree whose bin/*_test programs are run")
    parser.add_argument("--rooms", default="", help="only the test programs of these rooms: a,b,c")
    parser.add_argument("--runner", default="", help="command put before each test program")
    parser.add_argument("--isa", default="", help="AIOS_FORCE_ISA values, one run each, or `all`")
    parser.add_argument("--pytest", nargs="+", default=[], help="folders or files for pytest")
    parser.add_argument("--ignore", nargs="+", default=[], help="folders that pytest leaves out")
    options = parser.parse_args()

    totals = Totals()
    if options.build:
        rooms = [room for room in options.rooms.split(",") if room]
        for isa in runnable_isas(options.isa, totals) if options.isa else [""]:
            totals.add(run_programs(options.build, rooms, shlex.split(options.runner), isa))
        if not rooms and (options.build / "CTestTestfile.cmake").exists():
            totals.add(run_scripts(options.build))
    if options.pytest:
        totals.add(run_pytest(options.pytest, options.ignore))
    for skip in totals.skips:
        print(f"skipped: {skip}")
    print(f"{totals.passed} passed, {totals.failed} failed, {len(totals.skips)} skipped")
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
