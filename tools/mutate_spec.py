"""Shows that altering any one field of ModelSpec breaks a parity test.

    python tools/mutate_spec.py [build/release/bin/model_test]

Runs the tests SpecMutation (src/model/spec_mutation_test.cpp), which switch every field off and
alter it, prints for each which fixture it broke and how, and fails if one broke none or if a field
of src/model/model_spec.h was not tried.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Fields of nested structs are tried one by one; two of TensorNames share names with ModelSpec's.
NESTED = {"tokens", "rope", "names"}
TRIED_AS = {("TensorNames", "head"): "head_name", ("TensorNames", "head_bias"): "head_bias_names"}


def declared_fields():
    """Data members of the structs in model_spec.h."""
    text = (ROOT / "src/model/model_spec.h").read_text()
    fields = set()
    for struct, body in re.findall(r"^struct (\w+) \{(.*?)^\};", text, re.S | re.M):
        for line in body.splitlines():
            member = re.match(r"  [\w:<>]+ (\w+)(?: = [^;]*)?;", line)
            if member and member[1] not in NESTED:
                fields.add(TRIED_AS.get((struct, member[1]), member[1]))
    return fields


def run_mutants(program):
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        status = subprocess.run(
            [program, "--gtest_filter=*SpecMutation*", "--gtest_brief=1",
             f"--gtest_output=json:{report.name}"], cwd=ROOT, stdout=subprocess.DEVNULL).returncode
        suites = json.load(report)["testsuites"]
    return status, [test for suite in suites for test in suite["testsuite"]]


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/release/bin/model_test")
    status, tests = run_mutants(program)
    tried = set()
    for test in tests:
        field = test["name"].rsplit("/", 1)[-1]
        tried.add(field)
        for mutation in ("off", "altered"):
            print(f"{field:32} {mutation:8} {test.get(mutation, 'not run')[:120]}")
    missing = declared_fields() - tried
    print(f"{len(tried)} fields, {2 * len(tried)} mutants; not tried: {sorted(missing) or 'none'}")
    return 1 if status != 0 or missing else 0


if __name__ == "__main__":
    sys.exit(main())
