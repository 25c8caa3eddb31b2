"""Holds requirements.lock against pyproject.toml, offline: every requirement is pinned within its range, with a hash.

Also refuses a lock that names where packages come from: whoever installs it chooses that.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?==([^\s;\\]+)(.*)$")


def requirements(pyproject: Path) -> list[Requirement]:
    """All that the project asks for: what it runs on, its extras, what builds it, and the development group."""
    stated = _read(pyproject)
    listed = [
        *stated["project"].get("dependencies", []),
        *stated["build-system"]["requires"],
        *(one for extra in stated["project"].get("optional-dependencies", {}).values() for one in extra),
        *stated.get("dependency-groups", {}).get("dev", []),
    ]
    return [Requirement(text) for text in listed]


def split(wanted: list[Requirement], pyproject: Path) -> tuple[list[Requirement], list[tuple[Requirement, Path]]]:
    """What the lock must pin; and what lies in this repository (``tool.uv.sources``), each with its folder."""
    sources = {
        canonicalize_name(name): pyproject.parent / source["path"]
        for name, source in _read(pyproject).get("tool", {}).get("uv", {}).get("sources", {}).items()
    }
    ours = [(one, sources[canonicalize_name(one.name)]) for one in wanted if canonicalize_name(one.name) in sources]
    return [one for one in wanted if canonicalize_name(one.name) not in sources], ours


def mismatches(ours: list[tuple[Requirement, Path]]) -> list[str]:
    """Packages of this repository whose version is not the one that is asked for, a sentence each."""
    versions = [(one, Version(_read(folder / "pyproject.toml")["project"]["version"])) for one, folder in ours]
    return [
        f"{one.name} is {version} in this repository, but {one.specifier} is asked for"
        for one, version in versions
        if not one.specifier.contains(version, prereleases=True)
    ]


def _read(pyproject: Path) -> dict[str, Any]:
    return tomllib.loads(pyproject.read_text(encoding="utf-8"))


def pins(lock: str) -> dict[str, set[Version]]:
    """Package → the versions that the lock pins (more than one where they depend on the Python)."""
    found: dict[str, set[Version]] = {}
    for line in lock.splitlines():
        if match := _PIN.match(line):
            found.setdefault(canonicalize_name(match[1]), set()).add(Version(match[2]))
    return found


def problems(lock: str, wanted: list[Requirement]) -> list[str]:
    """What is wrong with the lock, a sentence each."""
    pinned = pins(lock)
    found = [f"{one.name} is not pinned" for one in wanted if canonicalize_name(one.name) not in pinned]
    found += [
        f"{one.name} is pinned to {version}, but {one.specifier} is asked for"
        for one in wanted
        for version in pinned.get(canonicalize_name(one.name), ())
        if not one.specifier.contains(version, prereleases=True)
    ]
    entries = re.split(r"^(?=[A-Za-z0-9][\w.-]*(?:\[[\w,-]+\])?==)", lock, flags=re.MULTILINE)[1:]
    found += [f"{entry.split('==')[0]} has no hash" for entry in entries if "--hash=sha256:" not in entry]
    found += [f"line {n} names an address" for n, line in enumerate(lock.splitlines(), 1) if "://" in line]
    found += [f"line {n} is an option" for n, line in enumerate(lock.splitlines(), 1) if line.startswith("-")]
    return found


def main() -> int:
    """Prints what is wrong. Exit status 1 where anything is."""
    wanted = [one for path in (ROOT, ROOT / "sdks/python") for one in requirements(path / "pyproject.toml")]
    elsewhere, ours = split(wanted, ROOT / "pyproject.toml")
    found = problems((ROOT / "requirements.lock").read_text(encoding="utf-8"), elsewhere)
    for problem in found:
        sys.stderr.write(f"requirements.lock: {problem}; run `make lock`.\n")
    wrong = mismatches(ours)
    for problem in wrong:
        sys.stderr.write(f"pyproject.toml: {problem}.\n")
    return 1 if found or wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
