"""An installation that is backed up while it works, destroyed, and brought back: everything that it had is there."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import psycopg2
import pytest
from sqlalchemy import make_url

from dataops_core import fault_points
from dataops_core.provisioning.interrupted import SENTENCE
from dataops_core.settings import Settings
from tests.waiting import completed, wait_for

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = [pytest.mark.fault, pytest.mark.long, pytest.mark.timeout(400)]

TERMINAL = {"completed", "failed", "cancelled"}
_STATUS = "query Run($runId: ID!) { runOrError(runId: $runId) { ... on Run { status } } }"


def asked(count: int) -> dict[str, Any]:
    return {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
        "generation": {"record_count": count},
    }


def dataops(stack: "Stack", *arguments: str) -> list[str]:
    """Runs a command with the stack's settings, and gives the lines that it said."""
    result = subprocess.run(
        [sys.executable, "-m", "dataops_cli.main", *arguments],
        env=dict(stack.environment),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def destroy(stack: "Stack") -> None:
    """Takes away all that the installation is."""
    shutil.rmtree(stack.home)
    if not stack.embedded:
        settings = Settings(home=stack.home, database_url=stack.environment["DATAOPS_DATABASE_URL"])
        for url in (settings.registry_url, settings.dagster_storage_url):
            plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
            with closing(psycopg2.connect(plain)) as connection, connection, connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def test_a_destroyed_installation_is_back_with_everything_that_it_had(
    own_stack: Callable[..., "Stack"], short_directory: Path, tmp_path: Path
) -> None:
    home, file = short_directory / "destroyed", tmp_path / "backup"
    points = tmp_path / "points"
    points.mkdir()
    first = own_stack(home, **{fault_points.VARIABLE: str(points)})
    with first.client() as api:
        wanted = [api.post("/datasets", json=asked(20)).raise_for_status().json() for _ in range(2)]
        for accepted in wanted:
            completed(api, accepted["operation_id"])
        ready, archived = (accepted["datasets"][0]["dataset_id"] for accepted in wanted)
        completed(api, api.delete(f"/datasets/{archived}").raise_for_status().json()["operation_id"])
        made = api.post(f"/datasets/{ready}/connector/tokens", json={"kind": "search", "expires_in": 3600}).json()
        known, quality = api.get(f"/datasets/{ready}").json(), api.get(f"/datasets/{ready}/quality").json()
        bearer = api.headers["Authorization"]
        # Held in its middle: it is under way while all of this is backed up.
        (points / "checking").touch()
        third = api.post("/datasets", json=asked(20)).raise_for_status().json()
        under_way = f"/operations/{third['operation_id']}"
        wait_for(lambda: list(points.glob("checking.*")), "the third is under way")
        said = dataops(first, "backup", str(file))
        assert said[0].startswith("Backed up 3 datasets and 4 operations in ")
        assert api.get(under_way).json()["status"] == "in_progress"
    data = {name: files(home / "data" / name) for name in (f"datasets/{ready}", f"archives/{archived}")}
    first.stop()
    destroy(first)

    said = dataops(first, "restore", str(file))
    assert said[0].startswith("Restored 3 datasets and 4 operations as of ")
    assert said[1:] == ["Operations that were under way then and are failed now, to be retried: 1."]
    assert {name: files(home / "data" / name) for name in data} == data

    # The same address, so that what was handed out before is of the same issuer.
    second = own_stack(home, DATAOPS_API_PORT=str(first.settings.api_port))
    assert second.credentials == first.credentials
    with httpx.Client(base_url=second.base_url, headers={"Authorization": bearer}, timeout=30) as api:
        assert api.get(f"/datasets/{ready}").json() == known
        assert api.get(f"/datasets/{ready}/quality").json() == quality
        assert api.get(f"/datasets/{archived}").json()["status"] == "archived"
        found = httpx.post(
            f"{known['connector']['endpoint_url']}/api/search",
            json={"query": known["metadata"]["use_case"].replace("_", " "), "page_size": 3},
            headers={"Authorization": f"Bearer {made['token']}"},
        )
        assert found.raise_for_status().json()["results"]

        cut_off = api.get(under_way).json()
        assert (cut_off["status"], cut_off["error"]["code"]) == ("failed", "RUN_LOST")
        assert cut_off["error"]["message"] == SENTENCE
        asking = {"query": _STATUS, "variables": {"runId": cut_off["run_id"]}}
        run = httpx.post(f"{second.dagster_url}/graphql", json=asking, timeout=30).json()["data"]["runOrError"]
        assert run == {"status": "FAILURE"}
        api.post(f"{under_way}/retry").raise_for_status()
        again = completed(api, third["operation_id"])
        assert again["attempt"] == 2
        assert again["run_id"] != cut_off["run_id"]
