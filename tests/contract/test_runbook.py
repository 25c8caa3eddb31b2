"""docs/runbook.md tells of alarms as the product gives them: every sentence, figure, state, code and name is real."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from starlette.routing import Route

from dataops_api.app import create_app
from dataops_api.health import Components
from dataops_api.metrics import Metrics
from dataops_core.registry.database import Database
from dataops_core.registry.looking import Looking
from dataops_core.settings import API_PREFIX, Settings
from tests.contract.test_error_page import codes, tables

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
PACKAGES = ("dataops_api", "dataops_core", "dataops_pipeline", "dataops_cli")
PARTS = ["Seen", "Means", "Do", "Over"]
#: Words and states of others: of shells, of Prometheus, of a request's body.
OTHERS = {"dmesg", "curl", "max_connections", "archive=false", "details", "event_id", "failed_checks", "…_missing"}


def alarms() -> dict[str, dict[str, str]]:
    """Each alarm's parts, by their names."""
    found = {}
    for section in re.split(r"^## ", PAGE, flags=re.M)[1:]:
        title, _, text = section.partition("\n")
        parts = re.split(r"^- \*\*(\w+)\.\*\* ", text, flags=re.M)[1:]
        found[title] = {name: " ".join(said.split()) for name, said in zip(parts[::2], parts[1::2], strict=True)}
    return found


ALARMS = alarms()


@cache
def literals() -> list[str]:
    """Every text in the product's code, with … for what is put into it."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            found += texts(ast.parse(path.read_text(encoding="utf-8")))
    return found


def texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"%[sd]", "…", node.value)


def fits(said: str, literal: str) -> bool:
    """Whether the code can have said this; what is put in may itself be written out on the page."""
    pieces = literal.strip().split("…")
    fixed = sum(map(len, pieces))
    if fixed < 12 or fixed < len(said.replace("…", "")) / 2 or not all(piece in said for piece in pieces):
        return False
    return re.fullmatch(".+?".join(map(re.escape, pieces)), said) is not None


def names(alarm: str) -> list[str]:
    return re.findall(r"`([^`]+)`", " ".join(ALARMS[alarm].values()))


def test_it_has_ten_alarms_each_with_its_four_parts_and_its_line_in_the_table() -> None:
    assert len(ALARMS) == 10
    for title, parts in ALARMS.items():
        assert list(parts) == PARTS, title
        anchor = re.sub(r"[^a-z0-9 ]", "", title.lower()).replace(" ", "-")
        assert f"| [{title}](#{anchor}) | " in PAGE


@pytest.mark.parametrize("alarm", ALARMS)
def test_every_sentence_of_it_is_one_that_the_product_says(alarm: str) -> None:
    said = re.findall(r'"([^"]+)"', re.sub(r"`[^`]*`", "", " ".join(ALARMS[alarm].values())))
    assert said or alarm.startswith(("7.", "10."))
    unsaid = [one for one in said if not any(fits(one, literal) for literal in literals())]
    assert unsaid == []


def test_every_figure_of_it_is_told(database: Database, database_url: str) -> None:
    rendered = Metrics(database, Looking(database_url)).render()
    assert rendered is not None
    told = {line.split()[2] for line in rendered[0].decode().splitlines() if line.startswith("# TYPE ")}
    named = {re.sub(r"_total$", "", one) for one in re.findall(r"\bdataops_[a-z_]+", PAGE)}
    assert named <= {re.sub(r"_total$", "", one) for one in told}
    # What the page of operating says to alert on has its alarm here.
    operating = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    wanted = [line.split("`")[1] for line in operating.splitlines() if line.startswith("| `") and "alert on" in line]
    assert wanted
    assert {f"dataops_{one}" for one in wanted} <= named


def test_every_state_and_code_and_name_of_it_is_real() -> None:
    app = create_app(Settings(secret_key="x" * 32, database_url="postgresql://nobody@localhost/nothing"))
    paths = {
        f"{method} {route.path.removeprefix(API_PREFIX)}"
        for route in app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    known = {code for section in tables() for code in codes(section)} | set(Components.model_fields)
    known |= {f"DATAOPS_{name.upper()}" for name in Settings.model_fields} | OTHERS | set(literals())
    strange = [name for alarm in ALARMS for name in names(alarm) if not is_real(name, known, paths)]
    assert strange == []


def is_real(name: str, known: set[str], paths: set[str]) -> bool:
    if name in known or name.startswith("dataops_"):
        return True
    if match := re.fullmatch(r'\{(\w+)="(\w+)"\}', name):
        return set(match.groups()) <= known
    if match := re.fullmatch(r"(?:(GET|POST|DELETE) )?(/[^?]*)(?:\?.*)?", name):
        return f"{match[1] or 'GET'} {match[2]}" in paths
    if match := re.fullmatch(r"logs/([a-z-]+)\.log|logs/|data/", name):
        return match[1] is None or match[1] in known
    return re.fullmatch(r"dataops [a-z]+( --[a-z-]+)*", name) is not None and name.split()[1] in known
