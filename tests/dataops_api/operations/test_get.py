"""Watching an operation (C-25, C-80 … C-86)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import pytest

from dataops_api import watching
from dataops_core.clock import utcnow
from dataops_core.lifecycle import OperationStatus, OperationType, Stage
from dataops_core.provisioning import silence
from dataops_core.registry import operations
from dataops_core.runs import RunState
from dataops_core.scopes import Scope

OPERATIONS = "/v1/dataops/operations"
FIELDS = [
    "operation_id",
    "operation_type",
    "status",
    "progress",
    "started_at",
    "estimated_completion",
    "completed_at",
    "duration_minutes",
    "duration_seconds",
    "result",
    "error",
    "attempt",
    "rerun_of",
    "run_id",
    "run_url",
    "_links",
]


def running(api: Any, *, run_id: str, step: int = 1, silent: timedelta = timedelta(0)) -> str:
    """An operation under way since a minute; gives its link."""
    accepted = api.provision()
    with api.database.transaction() as session:
        row = operations.get(session, UUID(accepted["operation_id"]), lock=True)
        row.status, row.run_id, row.current_step = OperationStatus.IN_PROGRESS, run_id, step
        row.started_at = utcnow() - timedelta(minutes=1)
        row.beat_at = utcnow() - silent
    link: str = accepted["_links"]["status"]
    return link


def test_an_operation_that_takes_longer_than_estimated_is_not_estimated_to_have_ended(own_api: Any) -> None:
    """C-80."""
    link = running(own_api, run_id="slow")
    with own_api.database.transaction() as session:
        row = operations.get(session, UUID(link.rpartition("/")[2]), lock=True)
        row.estimated_completion = utcnow() - timedelta(hours=1)
    asked = utcnow().replace(microsecond=0)
    assert datetime.fromisoformat(own_api.admin.get(link).json()["estimated_completion"]) >= asked


def test_pending_has_every_key_and_no_progress(api: Any) -> None:
    """C-80, C-81."""
    accepted = api.provision()
    body = api.admin.get(accepted["_links"]["status"]).json()
    assert list(body) == FIELDS
    assert body["operation_type"] == "dataset_provisioning"
    assert body["status"] == "pending"
    assert body["progress"] == {
        "current_step": 0,
        "total_steps": 6,
        "step_description": None,
        "percent_complete": 0,
    }
    for field in ("started_at", "completed_at", "duration_minutes", "duration_seconds", "result", "error", "rerun_of"):
        assert body[field] is None
    assert body["estimated_completion"] == accepted["estimated_completion"]
    assert body["attempt"] == 1
    status = accepted["_links"]["status"]
    assert body["_links"] == {
        "self": status,
        "events": f"{status}/events",
        "cancel": f"{status}/cancel",
        "retry": None,
    }


@pytest.mark.parametrize(
    ("step", "description", "percent"),
    [
        (1, "Resolving templates", 16),
        (2, "Creating connectors", 33),
        (3, "Populating mock data", 50),
        (4, "Indexing records", 66),
        (5, "Validating quality", 83),
        (6, "Publishing datasets", 99),
    ],
)
def test_in_progress_is_the_references_answer(api: Any, step: int, description: str, percent: int) -> None:
    """C-83: percent is step by steps, and 99 at most before the end."""
    body = api.admin.get(running(api, run_id="run", step=step)).json()
    assert body["status"] == "in_progress"
    assert body["progress"] == {
        "current_step": step,
        "total_steps": 6,
        "step_description": description,
        "percent_complete": percent,
    }
    assert body["result"] is None
    assert body["started_at"].endswith("Z")


def test_completed_is_the_references_answer(api: Any) -> None:
    """C-82."""
    accepted = api.provision()
    api.publish(accepted)
    body = api.admin.get(accepted["_links"]["status"]).json()
    assert list(body) == FIELDS
    assert body["status"] == "completed"
    assert body["progress"] == {
        "current_step": 6,
        "total_steps": 6,
        "step_description": None,
        "percent_complete": 100,
    }
    assert body["completed_at"] >= body["started_at"]
    assert body["duration_minutes"] == round(body["duration_seconds"] / 60, 2)
    assert body["result"] == {
        "datasets": [
            {
                "dataset_id": made["dataset_id"],
                "dataset_type": made["dataset_type"],
                "status": "ready",
                "quality_score": 99.4,
            }
            for made in accepted["datasets"]
        ]
    }
    assert body["error"] is None
    assert body["_links"]["datasets"] == f"/v1/dataops/datasets?operation_id={accepted['operation_id']}"
    assert api.admin.get(body["_links"]["datasets"]).json()["pagination"]["total_count"] == 2


def test_an_operation_that_is_not_there_is_404_and_a_malformed_id_400(api: Any) -> None:
    """C-80."""
    missing = str(uuid4())
    answer = api.admin.get(f"{OPERATIONS}/{missing}")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Operation not found"
    assert answer.json()["error"]["details"] == {"operation_id": missing}
    assert api.admin.get(f"{OPERATIONS}/7").status_code == 400


@pytest.mark.parametrize(
    ("kind", "scope", "status"),
    [
        (OperationType.PROVISIONING, Scope.DATASETS_READ, 200),
        (OperationType.PROVISIONING, Scope.DATASETS_WRITE, 200),
        (OperationType.PROVISIONING, Scope.QUALITY_READ, 403),
        (OperationType.PROVISIONING, Scope.QUALITY_WRITE, 403),
        (OperationType.VALIDATION, Scope.QUALITY_READ, 200),
        (OperationType.VALIDATION, Scope.QUALITY_WRITE, 200),
        (OperationType.VALIDATION, Scope.DATASETS_WRITE, 403),
        (OperationType.VALIDATION, Scope.TEMPLATES_READ, 403),
        (OperationType.VALIDATION, Scope.ADMIN, 200),
    ],
)
def test_who_may_start_it_may_watch_it(api: Any, kind: OperationType, scope: Scope, status: int) -> None:
    """C-25."""
    with api.database.transaction() as session:
        operation = operations.create(session, operation_type=kind, client_id=uuid4(), stage=Stage.SANDBOX, datasets=[])
    with api.asking(scope) as client:
        assert client.get(f"{OPERATIONS}/{operation.operation_id}").status_code == status


def test_another_customers_operation_does_not_exist_for_a_bound_client(api: Any) -> None:
    """C-8."""
    accepted = api.provision()
    with api.asking(Scope.ADMIN, customers=[uuid4()]) as client:
        assert client.get(accepted["_links"]["status"]).status_code == 404


def test_the_runs_page_is_shown_to_the_administrator_alone(api: Any) -> None:
    """C-85."""
    link = running(api, run_id="a-run")
    with api.asking(Scope.DATASETS_READ) as client:
        body = client.get(link).json()
        assert (body["run_id"], body["run_url"]) == ("a-run", None)
    assert api.admin.get(link).json()["run_url"] == f"{api.settings.dagster_base}/runs/a-run"


def test_an_operation_that_moves_is_answered_without_asking_dagster(own_api: Any) -> None:
    """C-86."""
    link = running(own_api, run_id="lively")
    own_api.dagster.questions.clear()
    assert own_api.admin.get(link).json()["status"] == "in_progress"
    assert own_api.dagster.questions == []


@pytest.mark.parametrize(
    ("ending", "status", "code"),
    [
        ("SUCCESS", "failed", "RUN_INCOMPLETE"),
        ("FAILURE", "failed", "RUN_LOST"),
        ("STEP_FAILURE", "failed", "RUN_FAILED"),
        ("CANCELED", "cancelled", "CANCELLED"),
        (None, "failed", "RUN_LOST"),
    ],
)
def test_a_quiet_operation_is_settled_by_what_dagster_says_of_its_run(
    own_api: Any, ending: str | None, status: str, code: str
) -> None:
    """C-81, C-86."""
    link = running(own_api, run_id="ended", step=3, silent=timedelta(seconds=20))
    if ending is not None:
        reason = ending if ending == "STEP_FAILURE" else None
        own_api.dagster.runs["ended"] = RunState("ended", "FAILURE" if reason else ending, failure_reason=reason)
    body = own_api.admin.get(link).json()
    assert (body["status"], body["error"]["code"]) == (status, code)
    assert {made["status"] for made in body["result"]["datasets"]} == {status}
    listed = own_api.admin.get(body["_links"]["datasets"]).json()["datasets"]
    assert {made["status"] for made in listed} == {"failed"}


@pytest.mark.parametrize(("silent", "status"), [(20, "in_progress"), (31, "failed")])
def test_a_run_that_dagster_believes_in_is_given_up_when_its_beat_stopped(
    own_api: Any, monkeypatch: pytest.MonkeyPatch, silent: int, status: str
) -> None:
    """C-86: and not before it has had the time of one more beat."""
    later = 0.0
    for module in (watching, silence):
        monkeypatch.setattr(module, "monotonic", lambda: monotonic() + later)
    link = running(own_api, run_id="silent", silent=timedelta(seconds=silent))
    own_api.dagster.runs["silent"] = RunState(run_id="silent", status="STARTED")
    assert own_api.admin.get(link).json()["status"] == "in_progress"
    later = silence.ONE_MORE_BEAT.total_seconds()
    assert own_api.admin.get(link).json()["status"] == status


def test_dagster_is_asked_once_for_all_who_wait(own_api: Any) -> None:
    """C-86."""
    link = running(own_api, run_id="quiet", silent=timedelta(seconds=20))
    own_api.dagster.runs["quiet"] = RunState(run_id="quiet", status="STARTED")
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: own_api.admin.get(link), range(32)))
    assert {answer.status_code for answer in answers} == {200}
    assert own_api.dagster.questions == ["quiet"]


def test_polling_works_while_dagster_is_down(own_api: Any) -> None:
    """C-86: and then it is not asked by every poll either."""
    own_api.dagster.down = True
    links = [running(own_api, run_id=f"quiet-{n}", silent=timedelta(seconds=20)) for n in range(3)]
    for link in links * 2:
        answer = own_api.admin.get(link)
        assert (answer.status_code, answer.json()["status"]) == (200, "in_progress")
    assert len(own_api.dagster.questions) == 1
