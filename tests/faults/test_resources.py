"""A running installation whose disks are full or read-only, whose database takes nobody in, whose template is broken.

Each with a clear error, nothing lost, and the same request done once there is room again. One stack for all of them, on
small disks of its own; where those cannot be mounted, the tests that need one are skipped.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest
from sqlalchemy.engine import make_url

from dataops_core.lifecycle import OperationStatus
from tests.faults.installation import Installation, wait_for
from tests.faults.test_stack_faults import ended, failed, request

pytestmark = [pytest.mark.fault, pytest.mark.long, pytest.mark.timeout(400)]

_TEMPLATE = "11111111-2222-4333-8444-555555555555"


class SmallDisk:
    """A disk in memory at a place of the home, or none where none may be mounted: ``problem`` says why."""

    def __init__(self, place: Path, size: str) -> None:
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", place]
        mounted = subprocess.run(command, check=False, capture_output=True, text=True)
        self.problem = mounted.stderr.strip() if mounted.returncode else None

    def needed(self) -> None:
        """Skips the test where there is no such disk."""
        if self.problem is not None:
            pytest.skip(f"a small disk cannot be mounted here: {self.problem}")

    def again(self, options: str) -> None:
        """Mounts it anew with these options, as it is."""
        subprocess.run(["mount", "-o", f"remount,{options}", self.place], check=True)

    def fill(self) -> Path:
        """Fills it to the last byte; the file that does."""
        ballast = self.place / "ballast"
        with ballast.open("wb", buffering=0) as file:
            size = 1 << 20
            while size:
                try:
                    file.write(bytes(size))
                except OSError:
                    size //= 2
        return ballast

    def close(self) -> None:
        if self.problem is None:
            subprocess.run(["umount", "--lazy", self.place], check=True)


class Place:
    """The stack, its disks and its folder of templates."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o711)
        self.records = SmallDisk(home / "data" / "datasets", "64m")
        # As much as a new server needs, and some room.
        self.database = SmallDisk(home / "postgres", "160m")
        self.templates = home.parent / f"{home.name}-templates"
        self.templates.mkdir()
        self.template = self.templates / "own.yaml"
        self.template.write_text(_own_template(), encoding="utf-8")
        self.installation = Installation(home, DATAOPS_TEMPLATES_DIR=str(self.templates))

    def close(self) -> None:
        self.installation.close()
        self.records.close()
        self.database.close()


def _own_template() -> str:
    shipped = Path(__file__).parents[2] / "dataops_core" / "templates" / "catalog"
    for path in sorted(shipped.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if "dataset_type: confluence_pages" in text:
            (line,) = [one for one in text.splitlines() if one.startswith("template_id:")]
            return text.replace(line, f"template_id: {_TEMPLATE}")
    raise AssertionError("no template of that type is shipped")


@pytest.fixture(scope="module")
def place(short_directory: Path) -> Iterator[Place]:
    place = Place(short_directory / "resources")
    yield place
    place.close()


@pytest.fixture
def api(place: Place) -> Iterator[httpx.Client]:
    """A client of a stack that is whole, on which nothing is left over before and after the test."""
    with place.installation.client() as api:
        yield api
    found: list[str] = []

    def clean() -> bool:
        found[:] = place.installation.leftovers()
        return not found

    try:
        # Longer than Dagster waits for a run to begin (60 s): one that a full disk kept from it is given up then.
        wait_for(clean, "nothing is left over", 120)
    finally:
        assert found == []


def small(**changes: Any) -> dict[str, Any]:
    return request(generation={"record_count": 60}) | changes


def made(place: Place, api: httpx.Client, asked: dict[str, Any]) -> str:
    """The dataset of this request, ready."""
    answer = api.post("/datasets", json=asked)
    assert answer.status_code == 202, answer.text
    operation = ended(place.installation.registry, answer.json()["operation_id"], 90)
    assert operation.status is OperationStatus.COMPLETED, operation.error
    return str(answer.json()["datasets"][0]["dataset_id"])


def test_a_read_only_disk_fails_what_would_write_there_and_loses_nothing(place: Place, api: httpx.Client):
    """C-44, C-52: a provisioning says why, a teardown leaves its archive and goes on later."""
    place.records.needed()
    there = made(place, api, small())
    asked = small()
    place.records.again("ro")
    try:
        accepted = api.post("/datasets", json=asked).json()
        ended(place.installation.registry, accepted["operation_id"], 90)
        leaving = api.delete(f"/datasets/{there}").json()
        stopped = ended(place.installation.registry, leaving["operation_id"], 90)
    finally:
        place.records.again("rw")
    error = failed(api, accepted)
    assert (error["code"], error["message"]) == (
        "STORAGE_ERROR",
        "The records could not be written: the disk is read-only.",
    )
    assert stopped.status is OperationStatus.FAILED
    assert stopped.error is not None
    assert stopped.error["code"] == "STORAGE_ERROR"
    assert "the disk is read-only" in stopped.error["message"]
    assert str(place.installation.home) not in str(stopped.error)
    made(place, api, asked)
    again = api.delete(f"/datasets/{there}").json()
    assert again["operation_id"] == leaving["operation_id"]
    assert ended(place.installation.registry, again["operation_id"], 90).status is OperationStatus.COMPLETED
    assert api.get(f"/datasets/{there}").json()["status"] == "archived"


def test_a_database_whose_disk_is_full_says_so_and_goes_on_when_there_is_room(place: Place, api: httpx.Client):
    """C-2, C-42: requests are refused with 503, nothing that was there is lost, and nobody starts anything anew."""
    place.database.needed()
    there = made(place, api, small())
    asked = small()
    ballast = place.database.fill()
    try:
        refused = wait_for(lambda: refusal_of(api), "a request is refused", 90)
    finally:
        ballast.unlink()
    assert refused["code"] == "SERVICE_UNAVAILABLE"
    assert said_in_the_log(place, "The database's disk is full.", "The database does not answer.")
    wait_for(place.installation.is_whole, "everything is up again", 120)
    assert api.get(f"/datasets/{there}").json()["status"] == "ready"
    made(place, api, asked)


def said_in_the_log(place: Place, *sentences: str) -> bool:
    """Whether the API's log tells the operator which it was."""
    log = (place.installation.home / "logs" / "api.log").read_text(encoding="utf-8")
    return any(sentence in log for sentence in sentences)


def refusal_of(api: httpx.Client) -> dict[str, Any] | None:
    """The error of a request that is not accepted; each that is, takes room."""
    answer = api.post("/datasets", json=small(metadata={"custom_fields": {"filler": "x" * 15_000}}))
    if answer.status_code == 202:
        return None
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    error: dict[str, Any] = answer.json()["error"]
    return error


def test_a_database_that_takes_nobody_in_keeps_requests_waiting_or_refuses_them(place: Place, api: httpx.Client):
    """C-42, C-86: others hold every connection; what was accepted ends truly, and the same request succeeds after."""
    url = make_url(place.installation.stack.runtime["database_url"])
    log = place.installation.home / "logs" / "postgres.log"
    refusals = ("too many clients", "connection slots are reserved")

    def turned_away() -> int:
        text = log.read_text(encoding="utf-8", errors="replace")
        return sum(text.count(words) for words in refusals)

    asked = small()
    with ExitStack() as others:
        while True:
            try:
                connection = psycopg2.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
            except psycopg2.OperationalError:
                break
            others.enter_context(closing(connection))
        ours = turned_away()
        answer = api.post("/datasets", json=asked)
        wait_for(lambda: turned_away() > ours, "somebody of the stack is turned away", 90)
    assert answer.status_code in {202, 503}, answer.text
    if answer.status_code == 202:
        operation = ended(place.installation.registry, answer.json()["operation_id"], 150)
        if operation.status is OperationStatus.COMPLETED:
            return
        assert failed(api, answer.json())["code"] in {"RUN_FAILED", "RUN_LOST", "SERVICE_UNAVAILABLE"}
    else:
        assert answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
        assert said_in_the_log(place, "The database takes no more connections.")
    wait_for(place.installation.is_whole, "everything is up again", 120)
    made(place, api, asked)


def test_a_template_that_is_broken_while_it_is_used_is_named_and_the_others_work_on(place: Place, api: httpx.Client):
    """C-43, C-44: the operation says what is wrong with which file; mended, the same request succeeds."""
    asked = small(template_selection="manual", template_overrides={"confluence_pages": _TEMPLATE})
    whole = place.template.read_text(encoding="utf-8")
    place.template.write_text(whole.replace("record_counts:", "record_count:"), encoding="utf-8")
    try:
        accepted = api.post("/datasets", json=asked).json()
        ended(place.installation.registry, accepted["operation_id"], 90)
    finally:
        place.template.write_text(whole, encoding="utf-8")
    error = failed(api, accepted)
    assert error["code"] == "RUN_FAILED"
    assert "own.yaml" in error["message"]
    assert "record_count" in error["message"]
    assert str(place.templates) not in error["message"]
    made(place, api, asked)
