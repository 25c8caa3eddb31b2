"""Asking for a validation (C-63): what is started, what is answered by what is there, what is refused."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from dataops_core.clock import utcnow
from dataops_core.lifecycle import (
    CheckStatus,
    CheckType,
    DatasetStatus,
    Environment,
    OperationStatus,
    OperationType,
    Stage,
)
from dataops_core.provisioning import fencing, proving
from dataops_core.provisioning.fencing import RunIdentity
from dataops_core.provisioning.validating import accept_validation
from dataops_core.quality.model import CheckResult
from dataops_core.registry import datasets, operations, quality
from dataops_core.registry.tables import Operation, QualityResult, RunStop
from dataops_core.runs import LaunchRequest
from dataops_core.scopes import Scope

DATASETS = "/v1/dataops/datasets"
ALL = [check.value for check in CheckType]


def validate(api: Any, dataset_id: UUID, **body: Any) -> Any:
    return api.admin.post(f"{DATASETS}/{dataset_id}/quality/validate", json=body)


def accepted(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


def operation_of(api: Any, answer: Any) -> dict[str, Any]:
    shown: dict[str, Any] = api.admin.get(accepted(answer)["_links"]["status"]).json()
    return shown


def age(api: Any, dataset_id: UUID, seconds: float, *checks: CheckType) -> None:
    """Makes what was evaluated so many seconds older, as if that time had gone by."""
    with api.database.transaction() as session:
        session.execute(
            update(QualityResult)
            .where(QualityResult.dataset_id == dataset_id, QualityResult.check_type.in_(checks or list(CheckType)))
            .values(executed_at=QualityResult.executed_at - timedelta(seconds=seconds))
        )


def evaluations(api: Any, dataset_id: UUID) -> int:
    with api.database.transaction() as session:
        statement = select(func.count()).select_from(QualityResult).where(QualityResult.dataset_id == dataset_id)
        return int(session.scalar(statement))


def speak(api: Any, answer: dict[str, Any], check: CheckType, status: CheckStatus) -> None:
    """What a validation's run does to the registry for one check, the check itself apart."""
    operation_id = UUID(answer["operation_id"])
    with api.database.transaction() as session:
        operation = operations.get(session, operation_id, lock=True)
        (part,) = operations.parts_of(session, operation_id)
        claim = fencing.claim(
            session,
            RunIdentity(operation.run_id or f"run-{answer['operation_id'][:8]}", operation_id),
            environment=Environment(operation.stage, operation.client_id),
            dataset_type=part.dataset_type,
            kinds=(OperationType.VALIDATION,),
            step=None,
        )
        held = fencing.hold(session, claim)
        quality.add(
            session,
            CheckResult(check, status, None, f"{check} {status}"),
            dataset_id=claim.dataset_id,
            operation_id=operation_id,
            attempt=claim.attempt,
            executed_at=utcnow(),
            duration_ms=1,
        )
        proving._after_check(session, held, claim)


@pytest.fixture
def stale(api: Any) -> UUID:
    """A ready dataset whose checks were evaluated more than five minutes ago."""
    dataset_id: UUID = api.ready()
    age(api, dataset_id, 301)
    return dataset_id


def first_validation(api: Any) -> LaunchRequest:
    """The first run of a validation that Dagster is asked for: launches come in the order of the answers."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if asked := [request for request in api.dagster.launched if request.job == "validate"]:
            return asked[0]
        time.sleep(0.02)
    pytest.fail("no validation was launched")


def test_the_references_request_gets_the_references_answer(api: Any, stale: UUID) -> None:
    """C-63."""
    answer = validate(api, stale, checks=ALL, force_revalidation=False)
    body = accepted(answer)
    assert list(body) == ["operation_id", "status", "message", "estimated_completion", "_links"]
    assert (body["status"], body["message"]) == ("validating", "Quality validation started")
    assert body["_links"] == {
        "status": f"/v1/dataops/operations/{body['operation_id']}",
        "results": f"{DATASETS}/{stale}/quality",
    }
    assert answer.headers["location"] == body["_links"]["status"]
    assert int(answer.headers["retry-after"]) > 0
    operation = api.admin.get(body["_links"]["status"]).json()
    assert (operation["operation_type"], operation["progress"]["total_steps"]) == ("quality_validation", 4)
    dataset = api.admin.get(f"{DATASETS}/{stale}").json()
    assert (dataset["status"], dataset["active_operation_id"]) == ("ready", body["operation_id"])


@pytest.mark.parametrize("content", [b"", b"{}", b'{"force_revalidation": false}'])
def test_no_body_and_an_empty_one_mean_all_four(api: Any, stale: UUID, content: bytes) -> None:
    """C-63."""
    answer = api.admin.post(
        f"{DATASETS}/{stale}/quality/validate",
        content=content,
        headers={"Content-Type": "application/json"} if content else {},
    )
    assert operation_of(api, answer)["progress"]["total_steps"] == 4


def test_the_run_evaluates_only_the_checks_asked_for(own_api: Any) -> None:
    """C-63, C-83: one step per check asked for."""
    dataset_id = own_api.ready()
    asked = [CheckType.CONNECTOR_HEALTH, CheckType.SCHEMA_VALIDATION]
    answer = validate(own_api, dataset_id, checks=asked, force_revalidation=True)
    launched = first_validation(own_api)
    assert (launched.job, launched.checks, launched.assets) == ("validate", tuple(asked), [])
    assert launched.asset_checks == [(("confluence_pages", "index"), check.value) for check in asked]
    assert operation_of(own_api, answer)["progress"]["total_steps"] == 2


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({"checks": []}, "checks", "Must name at least one check"),
        ({"checks": ["schema_validation", "schema_validation"]}, "checks", "Must not name a check twice"),
        ({"checks": ["spelling"]}, "checks.0", "Must be one of schema_validation, data_completeness"),
        ({"checks": None}, "checks", "Must be a list"),
        ({"checks": "schema_validation"}, "checks", "Must be a list"),
        ({"force_revalidation": "true"}, "force_revalidation", "Must be true or false"),
        ({"force_revalidation": 1}, "force_revalidation", "Must be true or false"),
        ({"force": True}, "force", "There is no such field"),
    ],
)
def test_a_bad_body_is_refused_and_starts_nothing(
    api: Any, stale: UUID, body: dict[str, Any], field: str, reason: str
) -> None:
    """C-63, C-5."""
    answer = validate(api, stale, **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert answer.json()["error"]["details"][field].startswith(reason)
    assert api.admin.get(f"{DATASETS}/{stale}").json()["active_operation_id"] is None


def test_fresh_checks_are_not_evaluated_again(own_api: Any) -> None:
    """C-63: an operation already completed, no run, no new history."""
    api, dataset_id = own_api, own_api.ready()
    age(api, dataset_id, 240)
    before = evaluations(api, dataset_id)
    operation = operation_of(api, validate(api, dataset_id))
    assert (operation["status"], operation["run_id"]) == ("completed", None)
    assert operation["progress"] == {
        "current_step": 4,
        "total_steps": 4,
        "step_description": None,
        "percent_complete": 100,
    }
    assert operation["result"]["datasets"] == [
        {
            "dataset_id": str(dataset_id),
            "dataset_type": "confluence_pages",
            "status": "ready",
            "quality_score": 99.4,
        }
    ]
    assert evaluations(api, dataset_id) == before
    assert api.admin.get(f"{DATASETS}/{dataset_id}").json()["active_operation_id"] is None
    forced = accepted(validate(api, dataset_id, force_revalidation=True))
    assert first_validation(api).operation_id == UUID(forced["operation_id"])


def test_one_check_that_is_not_fresh_has_all_of_the_asked_evaluated(api: Any) -> None:
    """C-63: every asked check must be fresh; those not asked for do not count."""
    dataset_id = api.ready()
    age(api, dataset_id, 301, CheckType.CONNECTOR_HEALTH)
    fresh = validate(api, dataset_id, checks=["schema_validation", "data_completeness"])
    assert operation_of(api, fresh)["status"] == "completed"
    assert operation_of(api, validate(api, dataset_id))["status"] == "pending"


def test_force_evaluates_fresh_checks_too(api: Any) -> None:
    """C-63."""
    dataset_id = api.ready()
    assert operation_of(api, validate(api, dataset_id, force_revalidation=True))["status"] == "pending"


@pytest.mark.parametrize("settings_change", [{"validation_fresh_seconds": 3600.0}])
def test_how_long_a_check_is_fresh_is_a_setting(own_api: Any) -> None:
    """C-63."""
    dataset_id = own_api.ready()
    age(own_api, dataset_id, 3500)
    assert operation_of(own_api, validate(own_api, dataset_id))["status"] == "completed"
    age(own_api, dataset_id, 101)
    assert operation_of(own_api, validate(own_api, dataset_id))["status"] == "pending"


def test_a_check_that_could_not_tell_is_not_fresh(api: Any) -> None:
    """C-63, C-62."""
    dataset_id = api.ready()
    started = accepted(validate(api, dataset_id, checks=["connector_health"], force_revalidation=True))
    speak(api, started, CheckType.CONNECTOR_HEALTH, CheckStatus.ERROR)
    assert operation_of(api, validate(api, dataset_id, checks=["connector_health"]))["status"] == "pending"


def test_the_validation_under_way_is_the_answer_where_it_covers_what_is_asked(api: Any, stale: UUID) -> None:
    """C-63."""
    running = accepted(validate(api, stale, checks=["schema_validation", "connector_health"]))
    again = accepted(validate(api, stale, checks=["connector_health"]))
    assert again == running


@pytest.mark.parametrize("body", [{}, {"checks": ["schema_validation"], "force_revalidation": True}])
def test_a_validation_under_way_that_does_not_answer_is_a_conflict(api: Any, stale: UUID, body: dict[str, Any]) -> None:
    """C-63, C-37: 409 names the operation."""
    running = accepted(validate(api, stale, checks=["schema_validation", "connector_health"]))
    answer = validate(api, stale, **body)
    assert answer.status_code == 409
    assert answer.json()["error"]["details"] == {"operation_id": running["operation_id"]}


def by_the_clock(api: Any, dataset_id: UUID, *checks: CheckType) -> UUID:
    """A validation that the product began of itself, in the hands of its run."""
    with api.database.transaction() as session:
        operation = accept_validation(
            session, dataset_id, checks=checks, force=True, fresh=timedelta(0), scheduled=True
        )
        operation.run_id = str(operation.operation_id)
        return operation.operation_id


@pytest.mark.parametrize("force", [False, True], ids=["not forced", "forced"])
def test_what_the_clock_began_gives_way_to_what_somebody_asks_for(api: Any, force: bool) -> None:
    """C-63: and is evaluated, however fresh what was said before is."""
    dataset_id = api.ready()
    clocks = by_the_clock(api, dataset_id, CheckType.CONNECTOR_HEALTH)
    started = operation_of(api, validate(api, dataset_id, force_revalidation=force))
    assert (started["status"], started["progress"]["total_steps"]) == ("pending", 4)
    ended = api.admin.get(f"/v1/dataops/operations/{clocks}").json()
    assert (ended["status"], ended["error"]["code"]) == ("cancelled", "CANCELLED")
    with api.database.transaction() as session:
        stop = session.scalars(select(RunStop.run_id).where(RunStop.operation_id == clocks)).one()
    assert stop == str(clocks)
    shown = api.admin.get(f"/v1/dataops/datasets/{dataset_id}").json()
    assert (shown["status"], shown["active_operation_id"]) == ("ready", started["operation_id"])


def test_what_the_clock_began_goes_on_where_less_is_asked_for_or_something_else(api: Any, stale: UUID) -> None:
    """C-63."""
    clocks = str(by_the_clock(api, stale, CheckType.CONNECTOR_HEALTH, CheckType.SCHEMA_VALIDATION))
    assert accepted(validate(api, stale, checks=["schema_validation"]))["operation_id"] == clocks
    answer = validate(api, stale, checks=["data_completeness", "schema_validation"])
    assert (answer.status_code, answer.json()["error"]["details"]) == (409, {"operation_id": clocks})


def test_another_operation_under_way_is_a_conflict(api: Any, stale: UUID) -> None:
    """C-37: a ready dataset that is made again by hand in Dagster."""
    with api.database.transaction() as session:
        dataset = datasets.get(session, stale)
        operation = operations.create(
            session,
            operation_type=OperationType.PROVISIONING,
            client_id=dataset.client_id,
            stage=Stage.SANDBOX,
            datasets=[(stale, dataset.dataset_type)],
            run_id="by-hand",
        )
    answer = validate(api, stale)
    assert (answer.status_code, answer.json()["error"]["details"]) == (
        409,
        {"operation_id": str(operation.operation_id)},
    )


def test_many_requests_at_once_make_one_validation(api: Any, stale: UUID) -> None:
    """C-63, C-37."""
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: accepted(validate(api, stale)), range(16)))
    assert len({answer["operation_id"] for answer in answers}) == 1


@pytest.mark.parametrize("status", [S for S in DatasetStatus if S is not DatasetStatus.READY])
def test_a_dataset_that_is_not_ready_is_a_conflict(api: Any, status: DatasetStatus) -> None:
    """C-63."""
    made = api.provision(dataset_types=["confluence_pages"])
    dataset_id = UUID(made["datasets"][0]["dataset_id"])
    path = {
        DatasetStatus.PROVISIONING: (),
        DatasetStatus.VALIDATING: (DatasetStatus.VALIDATING,),
        DatasetStatus.FAILED: (DatasetStatus.FAILED,),
        DatasetStatus.TEARDOWN: (DatasetStatus.TEARDOWN,),
        DatasetStatus.ARCHIVED: (DatasetStatus.TEARDOWN, DatasetStatus.ARCHIVED),
    }[status]
    with api.database.transaction() as session:
        for step in path:
            datasets.move(session, dataset_id, step)
    answer = validate(api, dataset_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")
    assert answer.json()["error"]["details"]["status"] == status.value


def test_scopes_and_customers_are_kept_apart(api: Any, stale: UUID) -> None:
    """C-23, C-8, C-36."""
    path = f"{DATASETS}/{stale}/quality/validate"
    with api.asking(Scope.QUALITY_READ, Scope.DATASETS_WRITE) as client:
        assert client.post(path).status_code == 403
    with api.asking(Scope.QUALITY_WRITE, customers=[uuid4()]) as client:
        assert client.post(path).status_code == 404
    assert api.admin.post(f"{DATASETS}/{uuid4()}/quality/validate").status_code == 404
    assert api.admin.post(f"{DATASETS}/none/quality/validate").status_code == 400
    with api.asking(Scope.QUALITY_WRITE) as client:
        started = client.post(path)
        assert started.status_code == 202
        # C-25: who may start it may watch it.
        assert client.get(started.headers["location"]).json()["operation_type"] == "quality_validation"


def test_the_quality_answer_says_where_to_validate_and_get_there_is_405(api: Any, stale: UUID) -> None:
    """C-6, C-60."""
    link = api.admin.get(f"{DATASETS}/{stale}/quality").json()["_links"]["revalidate"]
    assert link == f"{DATASETS}/{stale}/quality/validate"
    refused = api.admin.get(link)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert api.admin.post(link).status_code == 202


def test_checks_that_all_gave_a_verdict_complete_it_also_where_one_did_not_pass(api: Any, stale: UUID) -> None:
    """C-81, C-35: the dataset stays ready."""
    started = accepted(validate(api, stale, checks=["schema_validation", "connector_health"]))
    speak(api, started, CheckType.SCHEMA_VALIDATION, CheckStatus.PASSED)
    between = api.admin.get(started["_links"]["status"]).json()
    assert (between["status"], between["progress"]["current_step"]) == ("in_progress", 2)
    speak(api, started, CheckType.CONNECTOR_HEALTH, CheckStatus.FAILED)
    operation = api.admin.get(started["_links"]["status"]).json()
    assert (operation["status"], operation["error"]) == ("completed", None)
    assert api.admin.get(f"{DATASETS}/{stale}").json()["status"] == "ready"


def test_a_check_that_could_not_tell_fails_the_validation_and_takes_no_score(api: Any, stale: UUID) -> None:
    """C-62: the check is ``error``, the score before it stays, the dataset stays ready."""
    before = api.admin.get(f"{DATASETS}/{stale}/quality").json()
    started = accepted(validate(api, stale, checks=["schema_validation", "connector_health"]))
    speak(api, started, CheckType.CONNECTOR_HEALTH, CheckStatus.ERROR)
    speak(api, started, CheckType.SCHEMA_VALIDATION, CheckStatus.ERROR)
    operation = api.admin.get(started["_links"]["status"]).json()
    assert (operation["status"], operation["error"]["code"]) == ("failed", "CHECK_ERROR")
    assert operation["error"]["details"][str(stale)]["details"] == {
        "failed_checks": ["schema_validation", "connector_health"]
    }
    after = api.admin.get(f"{DATASETS}/{stale}/quality").json()
    assert (after["overall_score"], after["calculated_at"]) == (99.4, before["calculated_at"])
    check = after["checks"]["connector_health"]
    assert (check["status"], check["score"], check["details"]) == ("error", 100.0, "connector_health error")
    assert after["checks"]["data_completeness"] == before["checks"]["data_completeness"]
    assert after["meets_threshold"] is False
    dataset = api.admin.get(f"{DATASETS}/{stale}").json()
    assert (dataset["status"], dataset["quality_score"], dataset["active_operation_id"]) == ("ready", 99.4, None)


def test_a_teardown_takes_the_dataset_out_of_its_validation(api: Any, stale: UUID) -> None:
    """C-37."""
    started = accepted(validate(api, stale))
    assert api.admin.delete(f"{DATASETS}/{stale}").status_code == 202
    operation = api.admin.get(started["_links"]["status"]).json()
    assert (operation["status"], operation["result"]["datasets"][0]["status"]) == ("cancelled", "cancelled")


def test_validations_with_nothing_to_do_do_not_shorten_the_estimate(api: Any) -> None:
    """C-63: the estimate follows from validations that ran."""
    dataset_id = api.ready()
    with api.database.transaction() as session:
        before = operations.estimate(session, OperationType.VALIDATION)
    for _ in range(3):
        assert operation_of(api, validate(api, dataset_id))["status"] == "completed"
    with api.database.transaction() as session:
        assert operations.estimate(session, OperationType.VALIDATION) == before
        kept = session.scalars(select(Operation).where(Operation.operation_type == OperationType.VALIDATION)).all()
        assert all(row.started_at is not None for row in kept if row.status is OperationStatus.COMPLETED)


def test_a_validation_that_is_sent_twice_is_started_once(api: Any, stale: UUID) -> None:
    """C-45: also where the second comes after the first has ended."""
    path, key = f"{DATASETS}/{stale}/quality/validate", {"Idempotency-Key": str(uuid4())}
    body = {"checks": ["schema_validation"], "force_revalidation": True}
    started = api.admin.post(path, json=body, headers=key)
    speak(api, started.json(), CheckType.SCHEMA_VALIDATION, CheckStatus.PASSED)
    again = api.admin.post(path, json=body, headers=key)
    assert (again.status_code, again.json()) == (202, started.json())
    assert again.headers["idempotency-replayed"] == "true"
