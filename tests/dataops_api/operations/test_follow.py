"""Waiting for an operation and watching it: ``?wait=`` and the stream of events (C-84)."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from dataops_api.operations import following, routes
from dataops_core.clock import utcnow
from dataops_core.lifecycle import OperationStatus
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import api_clients, operations, reading
from dataops_core.registry.looking import Looking
from dataops_core.runs import RunState
from dataops_core.scopes import Scope
from tests.waiting import wait_for


@pytest.fixture
def followers(monkeypatch: pytest.MonkeyPatch) -> list[following.Follower]:
    """The follower of an API that is made after this fixture."""
    made: list[following.Follower] = []
    begin = following.Follower.__init__

    def noting(self: following.Follower, *parts: Any) -> None:
        begin(self, *parts)
        made.append(self)

    monkeypatch.setattr(following.Follower, "__init__", noting)
    return made


@pytest.fixture
def followed_api(followers: list[following.Follower], own_api: Any) -> tuple[Any, following.Follower]:
    follower, *_ = followers  # another may be of an app made to be described
    return own_api, follower


def change(api: Any, accepted: dict[str, Any], **values: Any) -> None:
    with api.database.transaction() as session:
        row = operations.get(session, UUID(accepted["operation_id"]), lock=True)
        for name, value in values.items():
            setattr(row, name, value)


def begin(api: Any, *, run_id: str = "run") -> dict[str, Any]:
    accepted: dict[str, Any] = api.provision()
    change(
        api, accepted, status=OperationStatus.IN_PROGRESS, run_id=run_id, current_step=1, started_at=utcnow(),
        beat_at=utcnow(),
    )  # fmt: skip
    api.dagster.runs[run_id] = RunState(run_id=run_id, status="STARTED")
    return accepted


def end(api: Any, accepted: dict[str, Any], *, run_id: str = "run") -> None:
    with api.database.transaction() as session:
        assert settle(session, UUID(accepted["operation_id"]), RunEnding.FAILURE, run_id=run_id)


@contextmanager
def somebody_waits(api: Any, accepted: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """While somebody waits for the operation; the answer is in the list behind the block."""
    answers: list[dict[str, Any]] = []

    def wait() -> None:
        answers.append(api.admin.get(accepted["_links"]["status"], params={"wait": 30}).json())

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield answers
    finally:
        thread.join(40)


def events(response: httpx.Response) -> Iterator[dict[str, str]]:
    """The events of a stream, each as its fields; a comment is a field without a name."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields
            fields = {}


# --- wait -------------------------------------------------------------------------------------------------------------


def test_a_wait_ends_with_the_operation(followed_api: Any) -> None:
    """C-84."""
    api, follower = followed_api
    accepted = begin(api)
    started = monotonic()
    with somebody_waits(api, accepted) as answers:
        wait_for(lambda: len(follower) == 1, "one is followed")
        change(api, accepted, current_step=3)
        end(api, accepted)
    assert answers[0]["status"] == "failed"
    assert monotonic() - started < 25
    wait_for(lambda: len(follower) == 0, "none is followed")


def test_a_wait_ends_with_its_time_and_tells_how_far_it_is(followed_api: Any) -> None:
    """C-84."""
    api, follower = followed_api
    accepted = begin(api)
    started = monotonic()
    body = api.admin.get(accepted["_links"]["status"], params={"wait": 1}).json()
    assert body["status"] == "in_progress"
    assert 1 <= monotonic() - started < 15
    assert len(follower) == 0


def test_there_is_no_waiting_for_what_has_ended(api: Any) -> None:
    """C-84."""
    accepted = api.provision()
    api.publish(accepted)
    started = monotonic()
    assert api.admin.get(accepted["_links"]["status"], params={"wait": 30}).json()["status"] == "completed"
    assert monotonic() - started < 20


@pytest.mark.parametrize("wait", ["-1", "31", "1.5", "long"])
def test_a_wait_that_is_none_is_refused(api: Any, wait: str) -> None:
    """C-84, C-5."""
    answer = api.admin.get(api.provision()["_links"]["status"], params={"wait": wait})
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["wait"])


@pytest.mark.long
@pytest.mark.parametrize("settings_change", [{"api_requests_per_second": 10_000, "api_requests_burst": 10_000}])
def test_hundreds_wait_at_once_and_hold_neither_thread_nor_connection(followed_api: Any) -> None:
    """C-84: one question for all of them."""
    api, follower = followed_api
    accepted = [begin(api) for _ in range(3)]
    headers = {"Authorization": api.admin.headers["Authorization"]}
    most = 300

    async def all_wait() -> list[dict[str, Any]]:
        limits = httpx.Limits(max_connections=most)
        async with httpx.AsyncClient(base_url=api.url, headers=headers, limits=limits, timeout=60) as client:

            async def one(number: int) -> dict[str, Any]:
                path = accepted[number % 3]["_links"]["status"]
                body: dict[str, Any] = (await client.get(path, params={"wait": 30})).json()
                return body

            waiting = [asyncio.create_task(one(number)) for number in range(most)]
            while sum(one.followers for one in follower._followed.values()) < most:
                assert not any(task.done() for task in waiting)
                await asyncio.sleep(0.05)
            assert len(follower) == 3
            assert threading.active_count() < 80
            with api.database.reading() as connection:
                busy = connection.execute(
                    text(
                        "SELECT count(*) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"
                    )
                ).scalar_one()
            assert busy <= 2
            for one_accepted in accepted:
                await asyncio.to_thread(end, api, one_accepted)
            return list(await asyncio.gather(*waiting))

    bodies = asyncio.run(all_wait())
    assert {body["status"] for body in bodies} == {"failed"}
    wait_for(lambda: len(follower) == 0, "none is followed")


def test_who_goes_away_while_waiting_leaves_nothing_behind(followed_api: Any) -> None:
    """C-84."""
    api, follower = followed_api
    accepted = begin(api)
    headers = {"Authorization": api.admin.headers["Authorization"]}
    with httpx.Client(base_url=api.url, timeout=0.5, headers=headers) as client, pytest.raises(httpx.ReadTimeout):
        client.get(accepted["_links"]["status"], params={"wait": 30})
    wait_for(lambda: len(follower) == 0, "none is followed", 10)


def test_a_run_that_ended_unnoticed_is_noticed_while_somebody_waits(followed_api: Any) -> None:
    """C-84, C-86."""
    api, follower = followed_api
    accepted = begin(api)
    api.dagster.runs["run"] = RunState(run_id="run", status="STARTED")
    with somebody_waits(api, accepted) as answers:
        wait_for(lambda: len(follower) == 1, "one is followed")
        api.dagster.runs["run"] = RunState(run_id="run", status="FAILURE", failure_reason="STEP_FAILURE")
        change(api, accepted, beat_at=utcnow() - timedelta(seconds=20))
    assert answers[0]["error"]["code"] == "RUN_FAILED"
    assert api.dagster.questions == ["run"]


# --- how a change is noticed ------------------------------------------------------------------------------------------


def waited(api: Any, follower: following.Follower, accepted: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """What a wait is answered with and how long that takes from the operation's end."""
    with somebody_waits(api, accepted) as answers:
        wait_for(lambda: len(follower) == 1, "one is followed")
        end(api, accepted)
        ended = monotonic()
    return answers[0], monotonic() - ended


def test_a_change_is_called_out_and_not_looked_for(followed_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-84: nobody looks of himself for longer than the wait lasts."""
    api, follower = followed_api
    monkeypatch.setattr(following, "LOOK_SECONDS", 3600)
    body, seconds = waited(api, follower, begin(api))
    assert (body["status"], seconds < 20) == ("failed", True)
    # A new one is read once more when it is followed: it may have changed before.
    body, seconds = waited(api, follower, begin(api))
    assert (body["status"], seconds < 20) == ("failed", True)


def test_a_change_whose_call_is_missed_is_looked_for(followed_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-84: by a pooler between, say, through which no call comes."""
    api, follower = followed_api
    monkeypatch.setattr(follower._calls, "_heard", lambda _: None)
    body, seconds = waited(api, follower, begin(api))
    assert (body["status"], seconds < 20) == ("failed", True)


def test_what_changes_between_reading_and_following_is_seen(followed_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-84: it was called out when nobody followed it."""
    api, follower = followed_api
    monkeypatch.setattr(following, "LOOK_SECONDS", 3600)
    first, second = begin(api), begin(api)
    until_ended = follower.until_ended

    async def late(operation_id: UUID, row: Any, *, seconds: float) -> Any:
        if str(operation_id) == second["operation_id"]:
            await asyncio.to_thread(end, api, second)
        return await until_ended(operation_id, row, seconds=seconds)

    monkeypatch.setattr(follower, "until_ended", late)
    with somebody_waits(api, first):
        wait_for(lambda: len(follower) == 1, "one is followed, so that no other look is due")
        started = monotonic()
        assert api.admin.get(second["_links"]["status"], params={"wait": 30}).json()["status"] == "failed"
        assert monotonic() - started < 20
        end(api, first)


def test_what_changes_before_calls_are_heard_is_seen(followed_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-84: between the first look and the moment from which calls come."""
    api, follower = followed_api
    monkeypatch.setattr(following, "LOOK_SECONDS", 3600)
    accepted, listen = begin(api), follower._calls.listen

    async def late() -> None:
        await asyncio.to_thread(end, api, accepted)
        await listen()

    monkeypatch.setattr(follower._calls, "listen", late)
    started = monotonic()
    assert api.admin.get(accepted["_links"]["status"], params={"wait": 30}).json()["status"] == "failed"
    assert monotonic() - started < 20


@pytest.mark.parametrize("how", ["never", "fails"])
def test_where_calls_cannot_be_heard_changes_are_looked_for(
    followed_api: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """C-84: a server that takes no further connection, say, and answers on those that it has."""
    api, follower = followed_api

    async def listen() -> None:
        if how == "fails":
            raise RuntimeError("a bug")
        await asyncio.Event().wait()

    monkeypatch.setattr(follower._calls, "listen", listen)
    body, seconds = waited(api, follower, begin(api))
    assert (body["status"], seconds < 20) == ("failed", True)


def test_a_call_that_is_none_of_ours_is_nothing(
    followed_api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """C-84: whoever may use the database may call."""
    api, follower = followed_api
    monkeypatch.setattr(following, "LOOK_SECONDS", 3600)
    accepted = begin(api)
    heard: list[str] = []
    hear = follower._calls._heard
    monkeypatch.setattr(follower._calls, "_heard", lambda call: (hear(call), heard.append(call)))
    with somebody_waits(api, accepted) as answers:
        wait_for(lambda: follower._calls.are_heard, "calls are heard")
        with api.database.transaction() as session:
            session.execute(text("SELECT pg_notify('dataops_operations', 'no id')"))
        wait_for(lambda: heard == ["no id"], "it is heard")
        end(api, accepted)
    assert answers[0]["status"] == "failed"
    assert "Traceback" not in caplog.text


def test_what_a_client_can_see_to_change_is_called_out(api: Any) -> None:
    """C-84: each column of what is compared."""
    with api.database.reading() as connection:
        called = connection.execute(
            text(
                "SELECT event_object_column FROM information_schema.triggered_update_columns"
                " WHERE trigger_name = 'called' AND event_object_table = 'operations'"
            )
        ).scalars()
        assert sorted([*called, "parts"]) == sorted(following.VISIBLE)


# --- events -----------------------------------------------------------------------------------------------------------


def test_the_stream_shows_every_change_and_ends_with_the_operation(followed_api: Any) -> None:
    """C-84."""
    api, follower = followed_api
    accepted = begin(api)
    link = accepted["_links"]["status"]
    shown = api.admin.get(link).json()
    assert shown["_links"]["events"] == f"{link}/events"
    with api.admin.stream("GET", f"{link}/events") as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        stream = events(response)
        first = next(stream)
        assert (list(first), first["event"]) == (["id", "event", "data"], "operation")
        assert json.loads(first["data"]) == shown
        change(api, accepted, current_step=4)
        second = next(stream)
        assert json.loads(second["data"])["progress"]["current_step"] == 4
        assert second["id"] != first["id"]
        end(api, accepted)
        last = next(stream)
        assert list(stream) == []
    assert json.loads(last["data"]) == api.admin.get(link).json()
    assert json.loads(last["data"])["status"] == "failed"
    wait_for(lambda: len(follower) == 0, "none is followed")


def test_of_an_ended_operation_there_is_one_event_and_no_content_for_who_knows_it(api: Any) -> None:
    """C-84: 204 tells a browser not to come again."""
    accepted = api.provision()
    api.publish(accepted)
    path = f"{accepted['_links']['status']}/events"
    with api.admin.stream("GET", path) as response:
        (only,) = events(response)
    assert json.loads(only["data"])["status"] == "completed"
    again = api.admin.get(path, headers={"Last-Event-ID": only["id"]})
    assert (again.status_code, again.content) == (204, b"")


def test_who_comes_back_is_not_told_twice(followed_api: Any) -> None:
    """C-84."""
    api, _ = followed_api
    accepted = begin(api)
    path = f"{accepted['_links']['status']}/events"
    with api.admin.stream("GET", path) as response:
        known = next(events(response))["id"]
    with api.admin.stream("GET", path, headers={"Last-Event-ID": known}) as response:
        stream = events(response)
        end(api, accepted)
        assert json.loads(next(stream)["data"])["status"] == "failed"


def test_a_silent_stream_says_that_it_lives(followed_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-84."""
    api, follower = followed_api
    monkeypatch.setattr(routes, "KEEP_ALIVE_SECONDS", 0.2)
    accepted = begin(api)
    with api.admin.stream("GET", f"{accepted['_links']['status']}/events") as response:
        stream = events(response)
        assert "data" in next(stream)
        assert next(stream) == {"": "still here"}
        assert len(follower) == 1
    wait_for(lambda: len(follower) == 0, "none is followed")


def test_a_stream_does_not_outlive_its_api_client(followed_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-15, C-84: the client is revoked while it listens."""
    api, _ = followed_api
    monkeypatch.setattr(routes, "KEEP_ALIVE_SECONDS", 0.2)
    monkeypatch.setattr("dataops_api.auth.authority._KEPT_SECONDS", 0.1)
    accepted = begin(api)
    with api.asking(Scope.DATASETS_READ) as client:
        token = client.headers["Authorization"]
        with client.stream("GET", f"{accepted['_links']['status']}/events") as response:
            stream = events(response)
            assert "data" in next(stream)
            with api.database.transaction() as session:
                for known in api_clients.list_all(session):
                    if list(known.scopes) == [Scope.DATASETS_READ.value]:
                        api_clients.revoke(session, known.api_client_id, now=utcnow())
            assert all("data" not in one for one in stream)
        refused = httpx.get(f"{api.url}{accepted['_links']['status']}", headers={"Authorization": token})
        assert refused.status_code == 401


def test_a_database_that_is_away_for_a_moment_ends_nobodys_stream(
    followed_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-84."""
    api, _ = followed_api
    accepted = begin(api)
    looks: list[int] = []
    read = reading.find_operations

    async def failing(looking: Looking, operation_ids: list[UUID]) -> Any:
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("a bug")
        return await read(looking, operation_ids)

    monkeypatch.setattr(reading, "find_operations", failing)
    with api.admin.stream("GET", f"{accepted['_links']['status']}/events") as response:
        stream = events(response)
        next(stream)
        wait_for(lambda: len(looks) > 0, "somebody looks")
        end(api, accepted)
        assert json.loads(next(stream)["data"])["status"] == "failed"


def test_the_description_names_the_stream(api: Any) -> None:
    """C-84."""
    described = api.anonymous.get("/openapi.json").json()["paths"]["/v1/dataops/operations/{operation_id}/events"][
        "get"
    ]
    assert list(described["responses"]["200"]["content"]) == ["text/event-stream"]
    assert "content" not in described["responses"]["204"]


def test_last_event_id_is_described(api: Any) -> None:
    """C-84."""
    document = api.anonymous.get("/openapi.json").json()
    described = document["paths"]["/v1/dataops/operations/{operation_id}/events"]["get"]["parameters"]
    (header,) = (one for one in described if one["name"] == "Last-Event-ID")
    assert (header["in"], header["required"]) == ("header", False)
