"""tools/run_tests.py on programs and tests made here: nothing that fails may pass unseen."""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

GTEST_REPORT = """<testsuites><testsuite>
<testcase name="Good" status="run" result="completed" classname="Suite" />
<testcase name="Bad" status="run" result="completed" classname="Suite"><failure message="m"/>
</testcase>
<testcase name="Off" status="run" result="skipped" classname="Suite">
<skipped message="a_test.cpp:3&#x0A;no corpus here"/></testcase>
</testsuite></testsuites>"""


def fake_program(build: Path, name: str, script: str) -> None:
    """A test program that is a shell script; `$report` is where its report belongs."""
    (build / "bin").mkdir(exist_ok=True)
    path = build / "bin" / f"{name}_test"
    path.write_text("#!/bin/bash\nfor word; do case $word in --gtest_output=xml:*) "
                    'report=${word#--gtest_output=xml:};; esac; done\n' + script)
    path.chmod(0o755)


def run_tests(*arguments: str) -> tuple[int, list[str]]:
    process = subprocess.run([sys.executable, ROOT / "tools/run_tests.py", *arguments],
                             capture_output=True, text=True, check=False)
    return process.returncode, process.stdout.splitlines()


def test_adds_up_reports_and_names_skips(tmp_path):
    fake_program(tmp_path, "a", f"cat > $report <<'END'\n{GTEST_REPORT}\nEND\nexit 1\n")
    status, lines = run_tests("--build", str(tmp_path))
    assert status == 1
    assert lines[-2:] == ["skipped: Suite.Off: no corpus here", "1 passed, 1 failed, 1 skipped"]


def test_a_crash_is_a_failure(tmp_path):
    fake_program(tmp_path, "a", "kill -SEGV $$\n")
    assert run_tests("--build", str(tmp_path))[0] == 1


def test_no_programs_is_a_failure(tmp_path):
    assert run_tests("--build", str(tmp_path))[0] == 1


def test_runs_the_wanted_rooms_under_each_isa(tmp_path):
    fake_program(tmp_path, "a", 'test "$AIOS_FORCE_ISA" = scalar && '
                 'echo "<r><testcase name=\'X\' status=\'run\'/></r>" > $report\n')
    fake_program(tmp_path, "b", "exit 1\n")
    status, lines = run_tests("--build", str(tmp_path), "--rooms", "a", "--isa", "scalar")
    assert (status, lines[-1]) == (0, "1 passed, 0 failed, 0 skipped")


def test_pytest_failures_and_collection_errors_count(tmp_path):
    (tmp_path / "test_good.py").write_text("def test_good(): pass\n")
    assert run_tests("--pytest", str(tmp_path))[1][-1] == "1 passed, 0 failed, 0 skipped"
    (tmp_path / "test_bad.py").write_text("import no_such_module\n")
    status, lines = run_tests("--pytest", str(tmp_path))
    assert status == 1
    assert lines[-1].endswith("1 failed, 0 skipped")
