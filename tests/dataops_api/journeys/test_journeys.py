"""Events told of over the API, and journeys looked at (C-91, C-93); events are acted on as by the sensor."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from dataops_api.metrics import Metrics
from dataops_core.clock import rfc3339, utcnow
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.ids import new_id
from dataops_core.journeys.advancing import advance_events
from dataops_core.lifecycle import DatasetStatus, Outcome
from dataops_core.provisioning.settlement import finish_dataset
from dataops_core.registry import datasets, operations
from dataops_core.registry.looking import Looking
from dataops_core.scopes import Scope
from dataops_core.templates.loader import load_catalog

JOURNEYS = "/v1/dataops/journeys"
DATASETS = "/v1/dataops/datasets"


def event(client_id: str, **change: Any) -> dict[str, Any]:
    """A transition to the pilot that occurred now."""
    return {
        "event_id": str(new_id()),
        "event": "stage_transition",
        "client_id": client_id,
        "to_stage": "pilot",
        "occurred_at": utcnow().isoformat(),
    } | change


def begun(client: Any, journey_id: str, told: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"{JOURNEYS}/{journey_id}/events", json=told)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


def advance(api: Any) -> list[str]:
    """One tick of the sensor, which acts on the events of all tests. Gives the operations begun."""
    return [str(one) for one in advance_events(api.database, load_catalog(), max_record_count=1000)]


def publish(api: Any, operation_id: str) -> None:
    """The operation's datasets become ready."""
    parts = [{"dataset_id": str(one.dataset_id)} for one in parts_of(api, operation_id)]
    api.publish({"operation_id": operation_id, "datasets": parts}, run_id=str(new_id()))


def parts_of(api: Any, operation_id: str) -> Any:
    with api.database.transaction() as session:
        return operations.parts_of(session, UUID(operation_id))


def archive(api: Any, operation_id: str) -> None:
    """A teardown is carried out."""
    with api.database.transaction() as session:
        operation = operations.get(session, UUID(operation_id), lock=True)
        for part in operations.parts_of(session, operation.operation_id):
            datasets.move(session, part.dataset_id, DatasetStatus.ARCHIVED, archive_path="archives/x")
            finish_dataset(session, operation, part, Outcome.ARCHIVED)


@pytest.fixture
def known(api: Any) -> dict[str, str]:
    """A customer and a journey with a ready sandbox."""
    ids = {"client_id": str(new_id()), "journey_id": str(new_id())}
    api.ready(**ids)
    return ids


def test_a_transition_from_the_event_to_its_end(own_api: Any) -> None:
    """C-91, C-92, C-93, C-6."""
    ids = {"client_id": str(new_id()), "journey_id": str(new_id())}
    old = own_api.ready(**ids)
    path = f"{JOURNEYS}/{ids['journey_id']}"
    told = event(ids["client_id"], event_id=str(new_id()).upper())
    answer = own_api.admin.post(f"{path}/events", json=told)
    assert answer.status_code == 202
    self_link = f"{path}?client_id={ids['client_id']}"
    assert answer.json() == {
        "event_id": told["event_id"].lower(),
        "status": "pending",
        "message": "Journey event accepted",
        "_links": {"journey": self_link},
    }
    assert (answer.headers["location"], answer.headers["retry-after"]) == (self_link, "5")

    journey = own_api.admin.get(self_link).json()
    assert journey["_links"]["self"] == self_link
    assert (journey["current_stage"], journey["status"], journey["ended_at"]) == ("sandbox", "transitioning", None)
    (shown,) = journey["events"]
    assert (shown["to_stage"], shown["dataset_types"], shown["operations"]) == ("pilot", None, [])

    (provisioning,) = advance(own_api)
    journey = own_api.admin.get(path).json()
    assert journey["current_stage"] == "sandbox"
    (shown,) = journey["events"]
    assert (shown["status"], shown["phase"]) == ("in_progress", "provisioning")
    assert [(one["operation_id"], one["operation_type"], one["status"]) for one in shown["operations"]] == [
        (provisioning, "dataset_provisioning", "pending")
    ]
    assert own_api.admin.get(shown["operations"][0]["_links"]["self"]).status_code == 200
    assert [(one["stage"], one["status"]) for one in journey["datasets"]] == [
        ("pilot", "provisioning"),
        ("sandbox", "ready"),
    ]

    publish(own_api, provisioning)
    (teardown,) = advance(own_api)
    assert own_api.admin.get(path).json()["current_stage"] == "pilot"
    archive(own_api, teardown)
    assert advance(own_api) == []
    journey = own_api.admin.get(path).json()
    assert (journey["current_stage"], journey["status"]) == ("pilot", "active")
    assert [(one["stage"], one["status"], one["quality_score"]) for one in journey["datasets"]] == [
        ("pilot", "ready", 99.4),
        ("sandbox", "archived", 99.4),
    ]
    (shown,) = journey["events"]
    assert (shown["status"], shown["phase"], shown["error"]) == ("completed", None, None)
    assert [one["operation_id"] for one in shown["operations"]] == [provisioning, teardown]
    listed = own_api.admin.get(journey["_links"]["datasets"]).json()
    assert listed["pagination"]["total_count"] == 2
    assert journey["datasets"][1]["dataset_id"] == str(old)
    assert own_api.admin.get(journey["datasets"][1]["_links"]["self"]).status_code == 200


def test_a_completed_journey_says_so_and_gets_no_datasets(own_api: Any) -> None:
    """C-92, C-93, C-44."""
    ids = {"client_id": str(new_id()), "journey_id": str(new_id())}
    own_api.ready(**ids)
    path = f"{JOURNEYS}/{ids['journey_id']}"
    told = {name: value for name, value in event(ids["client_id"]).items() if name != "to_stage"}
    begun(own_api.admin, ids["journey_id"], told | {"event": "journey_completed"})
    assert own_api.admin.get(path).json()["status"] == "completing"
    (teardown,) = advance(own_api)
    journey = own_api.admin.get(path).json()
    assert (journey["status"], journey["current_stage"]) == ("completing", None)
    assert journey["ended_at"] is not None
    body = ids | {"stage": "pilot", "dataset_types": ["github_repos"]}
    refused = own_api.admin.post(DATASETS, json=body)
    assert refused.status_code == 409
    assert refused.json()["error"]["details"] == {
        "journey_id": ids["journey_id"],
        "conflict": "A journey that has ended gets no datasets",
    }
    archive(own_api, teardown)
    advance(own_api)
    assert own_api.admin.get(path).json()["status"] == "completed"
    late = begun(own_api.admin, ids["journey_id"], event(ids["client_id"]))
    assert (late["status"], late["message"]) == (
        "failed",
        "The journey was completed before; it has no next stage.",
    )
    (newest, _) = own_api.admin.get(path).json()["events"]
    assert newest["error"] == {"code": "JOURNEY_COMPLETED", "message": late["message"], "details": {}}


def test_an_event_that_is_told_again_is_one_event_and_shows_where_it_stands(api: Any, known: dict[str, str]) -> None:
    """C-91: without an idempotency key."""
    told = event(known["client_id"], dataset_types=["confluence_pages"])
    first, again = (begun(api.admin, known["journey_id"], told) for _ in range(2))
    assert first == again
    newer = begun(api.admin, known["journey_id"], event(known["client_id"]))
    superseded = begun(api.admin, known["journey_id"], told)
    assert (superseded["status"], superseded["message"]) == (
        "superseded",
        "A newer event of the journey counts instead",
    )
    shown = api.admin.get(f"{JOURNEYS}/{known['journey_id']}").json()["events"]
    assert [(one["event_id"], one["superseded_by"]) for one in shown] == [
        (newer["event_id"], None),
        (told["event_id"], newer["event_id"]),
    ]


def test_another_content_under_one_event_id_is_a_conflict(api: Any, known: dict[str, str]) -> None:
    """C-91."""
    told = event(known["client_id"])
    begun(api.admin, known["journey_id"], told)
    refused = api.admin.post(f"{JOURNEYS}/{known['journey_id']}/events", json=told | {"to_stage": "production"})
    assert refused.status_code == 409
    assert refused.json()["error"]["details"] == {"event_id": told["event_id"], "differs": ["to_stage"]}


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"to_stage": None}, {"to_stage": "Is required for stage_transition"}),
        ({"event": "journey_completed"}, {"to_stage": "Must be absent for journey_completed"}),
        ({"event": "paused"}, {"event": "Must be one of stage_transition or journey_completed"}),
        ({"event_id": "x"}, {"event_id": "Must be a UUID"}),
        ({"to_stage": "live"}, {"to_stage": "Must be one of sandbox, pilot or production"}),
        ({"dataset_types": ["wikis"]}, {"dataset_types.0": f"Must be one of {', '.join(DATASET_TYPES)}"}),
        ({"reason": "x"}, {"reason": "There is no such field"}),
        (
            {"occurred_at": "2999-01-01"},
            {"occurred_at": "Must not be more than 5 minutes ahead of the clock here"},
        ),
        (
            {"occurred_at": "yesterday"},
            {
                "occurred_at": "Must be an ISO 8601 date or date-time, such as 2026-01-28 or 2026-01-28T10:30:00Z",
            },
        ),
    ],
    ids=["no stage", "stage", "event", "id", "unknown stage", "type", "field", "future", "no moment"],
)
def test_a_wrong_event_names_the_field(api: Any, change: dict[str, Any], details: dict[str, str]) -> None:
    """C-91, C-43, C-5."""
    journey_id = str(new_id())
    answer = api.admin.post(f"{JOURNEYS}/{journey_id}/events", json=event(str(new_id())) | change)
    assert (answer.status_code, answer.json()["error"]["details"]) == (400, details)
    assert api.admin.get(f"{JOURNEYS}/{journey_id}").status_code == 404


def test_an_empty_list_of_types_is_refused(api: Any) -> None:
    """C-91, C-43."""
    answer = api.admin.post(f"{JOURNEYS}/{new_id()}/events", json=event(str(new_id()), dataset_types=[]))
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == ["dataset_types"]


def test_a_journey_nobody_knows_is_not_found(api: Any) -> None:
    """C-93, C-36."""
    journey_id = new_id()
    answer = api.admin.get(f"{JOURNEYS}/{journey_id}")
    assert (answer.status_code, answer.json()["error"]["details"]) == (404, {"journey_id": str(journey_id)})
    assert answer.json()["error"]["message"] == "Journey not found"
    assert api.admin.get(f"{JOURNEYS}/nonsense").status_code == 400


def test_a_journey_of_which_no_event_was_told_is_one_by_its_datasets(api: Any, known: dict[str, str]) -> None:
    """C-93."""
    journey = api.admin.get(f"{JOURNEYS}/{known['journey_id']}").json()
    assert (journey["client_id"], journey["status"], journey["current_stage"], journey["events"]) == (
        known["client_id"],
        "active",
        "sandbox",
        [],
    )


def test_where_several_customers_use_one_id_these_are_several_journeys(api: Any, known: dict[str, str]) -> None:
    """C-93, C-8: who is bound to one of them sees that one."""
    other = str(new_id())
    begun(api.admin, known["journey_id"], event(other))
    path = f"{JOURNEYS}/{known['journey_id']}"
    ambiguous = api.admin.get(path)
    assert ambiguous.status_code == 409
    assert ambiguous.json()["error"]["details"] == {"client_id": "Name one of them"}
    first = api.admin.get(path, params={"client_id": known["client_id"]}).json()
    second = api.admin.get(path, params={"client_id": other}).json()
    assert (len(first["datasets"]), len(first["events"])) == (1, 0)
    assert (len(second["datasets"]), len(second["events"])) == (0, 1)
    with api.asking(Scope.DATASETS_READ, customers=[UUID(other)]) as client:
        assert client.get(path).json() == second
        assert client.get(path, params={"client_id": known["client_id"]}).status_code == 404


def test_what_an_api_client_is_not_bound_to_it_neither_tells_of_nor_sees(api: Any, known: dict[str, str]) -> None:
    """C-8, C-20, C-21."""
    path = f"{JOURNEYS}/{known['journey_id']}"
    with api.asking(Scope.DATASETS_WRITE, Scope.DATASETS_READ, customers=[new_id()]) as client:
        assert client.get(path).status_code == 404
        refused = client.post(f"{path}/events", json=event(known["client_id"]))
        assert (refused.status_code, refused.json()["error"]["details"]) == (
            403,
            {"client_id": known["client_id"]},
        )
    with api.asking(Scope.DATASETS_READ, customers=[UUID(known["client_id"])]) as client:
        assert client.get(path).json()["events"] == []
        assert client.post(f"{path}/events", json=event(known["client_id"])).status_code == 403
    with api.asking(Scope.DATASETS_WRITE, customers=[UUID(known["client_id"])]) as client:
        assert begun(client, known["journey_id"], event(known["client_id"]))["status"] == "pending"
        assert client.get(path).status_code == 403


def test_an_event_shows_the_operations_that_were_begun_for_it_and_no_others(own_api: Any) -> None:
    """C-93, C-8: neither those of the journey's other events nor those of other journeys."""
    ids, others = ({"client_id": str(new_id()), "journey_id": str(new_id())} for _ in range(2))
    for one in (ids, others):
        own_api.ready(**one)
        told = event(one["client_id"], occurred_at=rfc3339(utcnow() - timedelta(minutes=1)))
        begun(own_api.admin, one["journey_id"], told)
    provisionings = advance(own_api)
    completed = {"event_id": str(new_id()), "event": "journey_completed", "client_id": ids["client_id"]}
    begun(own_api.admin, ids["journey_id"], completed | {"occurred_at": rfc3339(utcnow())})
    teardowns = advance(own_api)

    def shown(journey_id: str) -> list[list[str]]:
        events = own_api.admin.get(f"{JOURNEYS}/{journey_id}").json()["events"]
        return [[one["operation_id"] for one in known["operations"]] for known in events]

    (of_other,) = shown(others["journey_id"])
    of_completion, of_transition = shown(ids["journey_id"])
    assert (len(of_other), len(of_transition), len(of_completion)) == (1, 1, 2)
    assert sorted(of_other + of_transition) == sorted(provisionings)
    assert sorted(of_completion) == sorted(teardowns)


def test_an_idempotency_key_gives_the_first_answer_again(api: Any, known: dict[str, str]) -> None:
    """C-45, C-91."""
    path, key = f"{JOURNEYS}/{known['journey_id']}/events", {"Idempotency-Key": str(new_id())}
    told = event(known["client_id"], occurred_at=rfc3339(utcnow() - timedelta(minutes=1)))
    first = api.admin.post(path, json=told, headers=key)
    begun(api.admin, known["journey_id"], event(known["client_id"]))
    again = api.admin.post(path, json=told, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert api.admin.post(path, json=told).json()["status"] == "superseded"


def test_who_told_of_an_event_is_in_the_audit_log(api: Any, known: dict[str, str]) -> None:
    """C-24."""
    told = event(known["client_id"])
    api.admin.post(
        f"{JOURNEYS}/{known['journey_id']}/events", json=told, headers={"X-Request-ID": f"told-{told['event_id']}"}
    )
    entries = api.admin.get("/v1/dataops/audit", params={"request_id": f"told-{told['event_id']}"}).json()["entries"]
    assert [(one["action"], one["resource"]["type"], one["resource"]["id"]) for one in reversed(entries)] == [
        ("created", "journey", known["journey_id"]),
        ("created", "journey_event", told["event_id"]),
    ]
    assert {one["actor"]["kind"] for one in entries} == {"api_client"}
    assert {one["client_id"] for one in entries} == {known["client_id"]}


def test_events_that_are_not_done_are_figures(own_api: Any) -> None:
    """C-92: so that one that waits for too long is seen."""
    client_id, journey_id = str(new_id()), str(new_id())
    begun(own_api.admin, journey_id, event(client_id, dataset_types=["github_repos"]))
    assert 'dataops_open_journey_events{event="stage_transition",status="pending"} 1.0' in (
        own_api.anonymous.get("/metrics").text
    )
    assert len(advance(own_api)) == 1
    page = Metrics(own_api.database, Looking.from_settings(own_api.settings)).render()[0].decode()  # type: ignore[index]
    assert 'dataops_open_journey_events{event="stage_transition",status="in_progress"} 1.0' in page
    (age,) = [line for line in page.splitlines() if line.startswith("dataops_oldest_open_journey_event_seconds ")]
    assert float(age.split()[1]) > 0
