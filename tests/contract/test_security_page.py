"""The page on security names all ten points and only tests that there are."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")


def sections() -> dict[int, str]:
    parts = re.split(r"^## API(\d+): ", PAGE, flags=re.MULTILINE)
    return {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def named(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^- `(tests/[\w/]+\.py)::(\w+)`$", text, re.MULTILINE)


def test_each_of_the_ten_points_names_what_shows_it() -> None:
    assert list(sections()) == list(range(1, 11))
    assert [number for number, text in sections().items() if not named(text)] == []


def test_every_test_that_is_named_exists() -> None:
    missing = []
    for file, name in named(PAGE):
        path = ROOT / file
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
        if name not in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{file}::{name}")
    assert missing == []


def test_every_line_of_the_lists_is_understood() -> None:
    assert len(re.findall(r"^- ", PAGE, re.MULTILINE)) == len(named(PAGE)) > 40
