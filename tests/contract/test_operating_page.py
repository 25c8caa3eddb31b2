"""docs/operating.md lists what there is and nothing else: settings, sensors, schedules, kinds, figures, kills."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataops_api.metrics import Metrics
from dataops_core.registry.database import Database
from dataops_core.registry.looking import Looking
from dataops_core.settings import Settings
from dataops_core.upkeep.orphans.model import Kind
from dataops_pipeline.definitions import defs
from tests.faults.cells import cells
from tests.faults.installation import RUN_AND_HOST, RUN_HOST

PAGE = (Path(__file__).parents[2] / "docs/operating.md").read_text(encoding="utf-8")
REPOSITORY = defs.get_repository_def()
#: Whose default is told in words.
IN_WORDS = {"run_modules"}
#: Of a counter or a histogram.
PARTS = ("_created", "_gsum", "_gcount")


def tables() -> Iterator[list[list[str]]]:
    """Every table of the page: its rows, each by its cells, the head first."""
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.M):
        rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]
        yield [rows[0], *rows[2:]]


def table(*head: str) -> list[list[str]]:
    """The rows of the one table with such a head."""
    (found,) = [rows[1:] for rows in tables() if rows[0][: len(head)] == list(head)]
    return found


def names(rows: list[list[str]]) -> list[str]:
    return [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]


def test_every_setting_is_there_with_its_default() -> None:
    rows = {row[0].strip("| `"): row[1].strip("`") for row in table("variable", "default", "meaning")}
    assert set(rows) == {f"DATAOPS_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if field.default is not None and name not in IN_WORDS:
            shown = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
            assert rows[f"DATAOPS_{name.upper()}"] == shown, name


def test_every_sensor_and_schedule_is_there_with_what_is_missed_without_it() -> None:
    sensors = table("sensor", "what it does")
    assert sorted(names(sensors)) == sorted(sensor.name for sensor in REPOSITORY.sensor_defs)
    assert [row[0] for row in sensors if "Off: " not in row[1]] == []
    assert names(table("schedule", "when")) == [schedule.name for schedule in REPOSITORY.schedule_defs]


def test_every_kind_of_what_nobody_owns_is_there() -> None:
    assert sorted(names(table("kind", "what is found"))) == sorted(Kind)


def test_every_age_at_which_something_is_removed_is_told_of_what_it_removes() -> None:
    told = " ".join(cell for row in table("kind", "removed") for cell in row)
    ages = {f"DATAOPS_{name.upper()}" for name in Settings.model_fields if name.startswith("keep_")}
    assert set(re.findall(r"DATAOPS_KEEP_\w+", told)) == ages


def test_every_figure_is_there(database: Database, database_url: str) -> None:
    rendered = Metrics(database, Looking(database_url)).render()
    assert rendered is not None
    told = {line.split()[2] for line in rendered[0].decode().splitlines() if line.startswith("# TYPE dataops_")}
    listed = names(table("figure, each with the prefix `dataops_`", "labels"))
    assert {f"dataops_{name}" for name in listed} == {name for name in told if not name.endswith(PARTS)}


@pytest.mark.parametrize("launcher", ["default", "warm"])
def test_every_cell_of_the_fault_table_has_its_result(launcher: str) -> None:
    of_the_host = {RUN_HOST, RUN_AND_HOST}
    wanted = {cell.name for cell in cells() if launcher == "warm" or cell.process not in of_the_host}
    (shown,) = [rows for rows in tables() if "`api`" in rows[0] and ("`run-host`" in rows[0]) is (launcher == "warm")]
    results = {
        f"{row[0].replace(': ', '/')}/{process.strip('`')}": result
        for row in shown[1:]
        for process, result in zip(shown[0][1:], row[1:], strict=True)
    }
    assert {name for name, result in results.items() if result} == wanted
    assert f"{len(wanted)} kills" in PAGE
