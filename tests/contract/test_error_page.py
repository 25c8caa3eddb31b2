"""docs/errors.md has every error code of the code, with its status (C-2)."""

import importlib
import pkgutil
import re
from pathlib import Path

import dataops_api
import dataops_core
from dataops_api.auth import routes as auth
from dataops_api.connectors import problems
from dataops_api.errors import STATUS_OF_CODE
from dataops_core.errors import DataOpsError
from dataops_core.journeys.failures import EventFailure
from dataops_core.provisioning import settlement

ROOT = Path(__file__).parents[2]
TOKEN_ERRORS = re.compile(r'TokenRefused\(\s*"(\w+)"|_refusal\([^)]*"(\w+)"\)')


def tables() -> dict[str, list[list[str]]]:
    """The rows of each section's table, cells without back quotes."""
    found: dict[str, list[list[str]]] = {}
    section = ""
    for line in (ROOT / "docs/errors.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("| `"):
            found.setdefault(section, []).append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def codes(section: str) -> list[str]:
    return [row[0].strip("`") for row in tables()[section]]


def statuses(section: str) -> dict[str, set[int]]:
    return {row[0].strip("`"): {int(one) for one in row[1].split(", ")} for row in tables()[section]}


def raised() -> set[str]:
    """The codes of all errors that the product raises."""
    for package in (dataops_core, dataops_api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in module.name:
                importlib.import_module(module.name)
    found, waiting = set(), [DataOpsError]
    while waiting:
        kind = waiting.pop()
        found.add(kind.code)
        waiting += kind.__subclasses__()
    return found


def test_it_has_every_code_of_the_api_with_its_status() -> None:
    """C-2."""
    assert statuses("Answers of the API") == {code: {status} for code, status in STATUS_OF_CODE.items()}


def test_it_has_every_code_that_datasets_and_operations_carry() -> None:
    """C-82."""
    assert set(settlement._CODES.values()) <= set(codes("Failed datasets and operations"))


def test_it_has_every_code_that_events_of_journeys_carry() -> None:
    """C-92."""
    assert set(codes("Failed events of journeys")) == {failure.value for failure in EventFailure}


def test_it_has_every_code_that_is_raised_anywhere() -> None:
    named = {code for section in tables() for code in codes(section)}
    assert raised() <= named
    # A code that no answer carries is in the section that says so, and in no other.
    inside = set(codes("In the log and the Dagster UI"))
    assert inside <= raised() - STATUS_OF_CODE.keys() - set(codes("Failed datasets and operations"))


def test_it_has_every_code_of_the_token_endpoint_with_its_status() -> None:
    """C-13."""
    source = Path(auth.__file__).read_text(encoding="utf-8")
    used = {first or second for first, second in TOKEN_ERRORS.findall(source)}
    assert used == set(codes("`POST /token`"))
    described = {route.path: route for route in auth.routes._routes}["/token"].responses
    for status, answer in described.items():
        code = answer["content"]["application/json"]["example"]["error"]
        assert int(status) in statuses("`POST /token`")[code]


def test_it_has_every_code_of_connectors_with_its_status() -> None:
    """C-90."""
    shown = statuses("Connectors")
    assert shown.keys() == problems._STATUS.keys()
    assert all(status in shown[code] for code, status in problems._STATUS.items())


def test_every_row_says_why_and_what_to_do() -> None:
    for rows in tables().values():
        assert {len(row) for row in rows} in ({3}, {4})
        assert all(cell for row in rows for cell in row)
        assert len({row[0] for row in rows}) == len(rows)
