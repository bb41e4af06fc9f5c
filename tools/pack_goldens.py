#!/usr/bin/env python3
"""Packs a folder of golden cases into the small files that the tests read.

    tools/pack_goldens.py SOURCE tests/goldens

SOURCE holds `samplers/<name>/case_NN.json` with a `SOURCE.txt` each, and `schedules/*.json` with
one. Each sampler becomes `<name>.json` with all its cases and the note on their source; the tables
are copied without white space. Nothing is computed or left out.
"""
import json
import pathlib
import sys


def write(path, value):
    path.write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n")


def main():
    source, target = map(pathlib.Path, sys.argv[1:])
    for folder in sorted((source / "samplers").iterdir()):
        cases = [
            {"name": f"{folder.name}/{path.stem}", **json.loads(path.read_text())}
            for path in sorted(folder.glob("case_*.json"))
        ]
        note = (folder / "SOURCE.txt").read_text().strip()
        write(target / "samplers" / f"{folder.name}.json", {"source": note, "cases": cases})
    note = (source / "schedules" / "SOURCE.txt").read_text().strip()
    for path in sorted((source / "schedules").glob("*.json")):
        write(target / "schedules" / path.name, {"source": note, **json.loads(path.read_text())})


if __name__ == "__main__":
    main()
