"""The page of the contract and the tests that name its points agree."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POINT = re.compile(r"\bC-(\d+)\b")
RANGE = re.compile(r"\bC-(\d+) … C-(\d+)\b")
SOURCES = ("dataops_core", "dataops_api", "dataops_pipeline", "dataops_cli", "tests", "docs")


def page() -> str:
    return (ROOT / "docs/contract.md").read_text(encoding="utf-8")


def described() -> set[int]:
    """The points that have a paragraph."""
    return {int(number) for number in re.findall(r"^\*\*C-(\d+)\b", page(), re.MULTILINE)}


def states() -> list[tuple[set[int], str]]:
    """The rows of the page's table: points, and whether they are served."""
    rows = re.findall(r"^\| (C-[^|]+)\|[^|]+\|([^|]+)\|$", page(), re.MULTILINE)
    return [(numbers_in(points), state.strip()) for points, state in rows]


def numbers_in(text: str) -> set[int]:
    spans = [range(int(first), int(last) + 1) for first, last in RANGE.findall(text)]
    return {int(number) for number in POINT.findall(text)} | {number for span in spans for number in span}


def named_in(folder: str, pattern: str) -> dict[int, set[Path]]:
    """Where each point is named in a folder, by its own number."""
    named: dict[int, set[Path]] = {}
    for path in (ROOT / folder).rglob(pattern):
        for number in POINT.findall(path.read_text(encoding="utf-8")):
            named.setdefault(int(number), set()).add(path)
    return named


def test_every_point_that_is_served_has_a_paragraph_and_a_test_that_names_it() -> None:
    served = {number for numbers, state in states() if state.startswith("served") for number in numbers}
    served &= described()
    proved = named_in("tests", "test_*.py")
    assert len(served) > 40
    assert [f"C-{number}" for number in sorted(served) if number not in proved] == []


def test_every_paragraph_has_a_row_in_the_table() -> None:
    listed = {number for numbers, _ in states() for number in numbers}
    assert described() <= listed


@pytest.mark.parametrize("folder", SOURCES)
def test_every_point_that_is_named_anywhere_is_one(folder: str) -> None:
    known = {number for numbers, _ in states() for number in numbers}
    named = named_in(folder, "*.py") | named_in(folder, "*.md")
    assert {f"C-{number}": sorted(map(str, paths)) for number, paths in named.items() if number not in known} == {}
