#!/usr/bin/env python3
"""Checks that every include of a room obeys tools/layers.toml. Prints each violation.

Also checks that a room's CMakeLists.txt links the rooms that it includes, and none that it may not.
"""
import re
import sys
import tomllib
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
ROOM_CALL = re.compile(r"aios_room\(\s*(\w+)([^)]*)\)")


class Layers:
    def __init__(self, root: Path, table: dict):
        self.root = root
        self.rooms = table["rooms"]
        self.public_headers = table["public_headers"]
        self.libraries = table["libraries"]
        self.violations: list[str] = []

    def report(self, path: Path, message: str) -> None:
        self.violations.append(f"{path.relative_to(self.root)}: {message}")

    def check(self) -> list[str]:
        self.check_table()
        for header in sorted((self.root / "include/aios").glob("*.h")):
            self.check_public_header(header)
        for folder in sorted(path for path in (self.root / "src").iterdir() if path.is_dir()):
            if folder.name in self.rooms:
                self.check_room(folder)
            else:
                self.report(folder, "a folder of src/ that is no room of layers.toml")
        return self.violations

    def check_table(self) -> None:
        for name, room in self.rooms.items():
            for other in room["includes"]:
                if self.rooms[other]["floor"] >= room["floor"]:
                    self.violations.append(f"layers.toml: {name} may not include {other}: same "
                                           "floor or above")

    def check_public_header(self, header: Path) -> None:
        if header.name not in self.public_headers:
            self.report(header, "a public header that layers.toml does not list")
        for _, name in INCLUDE.findall(header.read_text()):
            if "/" in name and not name.startswith(("aios/", "sys/")):
                self.report(header, f"a public header includes {name}")

    def check_room(self, folder: Path) -> None:
        included: set[str] = set()
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".h", ".cpp"):
                is_test = path.name.endswith("_test.cpp")
                found = self.check_file(folder.name, path, is_test)
                included |= set() if is_test else found
        self.check_cmake(folder, included - {folder.name})

    def may_include(self, room: str, other: str, is_test: bool) -> bool:
        if is_test:
            return self.rooms[other]["floor"] <= self.rooms[room]["floor"]
        return other == room or other in self.rooms[room]["includes"]

    def check_file(self, room: str, path: Path, is_test: bool) -> set[str]:
        """Reports the violations of one file; returns the rooms that it rightly includes."""
        included = set()
        for _, name in INCLUDE.findall(path.read_text()):
            folder = name.split("/")[0]
            if folder == "aios":
                self.check_public_include(room, path, name.removeprefix("aios/"), is_test)
            elif folder in self.rooms and "/" in name:
                if self.may_include(room, folder, is_test):
                    included.add(folder)
                else:
                    self.report(path, f"room {room} may not include {name}")
            for prefix, owners in self.libraries.items():
                if name.startswith(prefix) and room not in owners:
                    self.report(path, f"<{name}> belongs to room {' and '.join(owners)}")
        return included

    def check_public_include(self, room: str, path: Path, header: str, is_test: bool) -> None:
        owner = self.public_headers.get(header, "any")
        if owner == "any" or self.rooms[room].get("front", False):
            return
        if not self.may_include(room, owner, is_test):
            self.report(path, f"room {room} may not include aios/{header} (room {owner})")

    def check_cmake(self, folder: Path, included: set[str]) -> None:
        path = folder / "CMakeLists.txt"
        call = ROOM_CALL.search(path.read_text()) if path.exists() else None
        if call is None or call.group(1) != folder.name:
            self.report(path, f"aios_room({folder.name} …) is missing")
            return
        linked = keyword_values(call.group(2), "ROOMS")
        room = self.rooms[folder.name]
        if not room.get("front", False):  # fronts link what implements the public headers
            for other in sorted(linked - set(room["includes"])):
                self.report(path, f"room {folder.name} may not link {other}")
        for other in sorted(included - linked):
            self.report(path, f"room {folder.name} includes {other} but does not link it")


def keyword_values(arguments: str, keyword: str) -> set[str]:
    """The words after `keyword` of a CMake call, up to the next keyword."""
    values: set[str] = set()
    current = ""
    for word in arguments.split():
        if re.fullmatch(r"[A-Z_]+", word):
            current = word
        elif current == keyword:
            values.add(word)
    return values


def check_layers(root: Path) -> list[str]:
    return Layers(root, tomllib.loads((root / "tools/layers.toml").read_text())).check()


def main() -> int:
    violations = check_layers(Path(__file__).resolve().parent.parent)
    print("\n".join(violations) or "layers: every include goes down")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
