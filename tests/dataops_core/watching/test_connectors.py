"""Connectors of ready datasets are looked at by the clock: what is found, noted once, and what is left alone (C-90)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select, text, update

from dataops_core.clock import utcnow
from dataops_core.lifecycle import CheckType, ConnectorStatus, DatasetStatus, TokenKind
from dataops_core.provisioning.services import Services
from dataops_core.provisioning.validating import accept_validation
from dataops_core.registry import operations
from dataops_core.registry.due import moment_of
from dataops_core.registry.tables import AuditEntry, Connector, Dataset
from tests.dataops_core.provisioning.conftest import Case
from tests.dataops_core.watching.conftest import Watch

HEALTHY, DEGRADED, UNHEALTHY = ConnectorStatus.HEALTHY, ConnectorStatus.DEGRADED, ConnectorStatus.UNHEALTHY


def unavailable(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


def audit_entries(watch: Watch) -> int:
    with watch.services.database.transaction() as session:
        return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


def test_a_connector_that_goes_bad_and_comes_back_moves_twice(watch: Watch) -> None:
    """C-35, C-90: the dataset stays ready; a fault counts at once, health when two looks in a row have found it."""
    whole, aside = watch.index(), watch.index().with_suffix(".aside")
    whole.rename(aside)

    (bad,) = watch.look().changes

    assert (bad.before, bad.after, bad.reason) == (HEALTHY, UNHEALTHY, "doc_parity: the index is damaged")
    dataset = watch.case.dataset()
    assert (bad.dataset_id, dataset.status) == (dataset.dataset_id, DatasetStatus.READY)
    connector = watch.connector()
    assert (connector.status, connector.status_reason, connector.consecutive_failures) == (UNHEALTHY, bad.reason, 1)
    assert connector.status_since == connector.last_checked_at
    assert watch.look().changes == ()
    assert watch.connector().status_since == connector.status_since

    aside.rename(whole)
    assert watch.look().changes == ()
    assert watch.connector().status is UNHEALTHY
    (well,) = watch.look().changes
    assert (well.before, well.after, well.reason) == (UNHEALTHY, HEALTHY, None)
    assert watch.connector().status_reason is None


def test_a_line_that_comes_and_goes_is_degraded_and_never_flaps(watch: Watch) -> None:
    """C-90: what cannot be told is no fault."""
    statuses, changes = [], 0
    for number in range(8):
        watch.line.disturb = unavailable if number % 2 == 0 else lambda _request: None
        changes += len(watch.look().changes)
        statuses.append(watch.connector().status)
    assert statuses == [DEGRADED] * 8
    assert changes == 1
    watch.look()
    assert watch.connector().status is HEALTHY


def test_what_cannot_be_told_three_times_in_a_row_is_a_fault(watch: Watch) -> None:
    """C-90."""
    watch.line.disturb = unavailable
    moves = [[change.after for change in watch.look().changes] for _ in range(4)]
    assert moves == [[DEGRADED], [], [UNHEALTHY], []]


def test_documents_that_somebody_else_put_there_are_a_fault(watch: Watch) -> None:
    """C-90: what is served is compared with what was published, and with the dataset's records."""
    with watch.services.database.transaction() as session:
        session.execute(update(Dataset).values(upload_id="another"))
    assert [(change.after, change.reason) for change in watch.look().changes] == [
        (UNHEALTHY, f"last_upload: serves '{watch.connector().generation}', not 'another'")
    ]
    with watch.services.database.transaction() as session:
        session.execute(update(Dataset).values(upload_id=watch.connector().generation, record_count=61))
    watch.look()
    assert watch.connector().status_reason == "doc_parity: 60 documents of 61 records"


@pytest.mark.parametrize("side", ["/api/search", "getdatasourceconfig"])
def test_a_connector_that_lets_anybody_in_is_noticed_within_four_looks(watch: Watch, side: str) -> None:
    """C-90: what is asked by turns is asked soon, and each time once it was found amiss."""
    kind = TokenKind.SEARCH if side == "/api/search" else TokenKind.INDEX
    right = f"Bearer {watch.services.keyring.service_token(watch.connector().connector_id, kind)}"

    def lenient(request: httpx.Request) -> None:
        if request.url.path.endswith(side):
            request.headers["authorization"] = right

    watch.line.disturb = lenient
    moves = [change.after for _ in range(4) for change in watch.look().changes]
    assert moves == [UNHEALTHY]
    assert watch.look().changes == ()
    assert (watch.connector().status_reason or "").startswith("auth_rejects")


def test_four_looks_cost_eleven_requests_while_all_is_well(watch: Watch) -> None:
    watch.line.asked.clear()
    for _ in range(4):
        watch.look()
    assert len(watch.line.asked) == 11
    assert watch.connector().consecutive_passes == 5


@pytest.mark.parametrize(
    ("answer", "says"),
    [(unavailable, "auth_search: HTTP 503"), (lambda _request: httpx.Response(401), "auth_search: answered with 401")],
    ids=["unavailable", "refused"],
)
def test_a_search_that_fails_is_no_lost_connection(
    watch: Watch, answer: Callable[[httpx.Request], httpx.Response], says: str
) -> None:
    """C-90: the search tells that the service can be reached; where it does not, the service is asked itself."""
    watch.line.disturb = lambda request: answer(request) if request.url.path.endswith("/search") else None
    (change,) = watch.look().changes
    assert change.reason == says


def test_where_there_is_no_connection_nothing_else_is_tried(watch: Watch) -> None:
    """C-90."""

    def lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    watch.line.disturb = lost
    watch.line.asked.clear()
    (change,) = watch.look().changes
    assert (change.after, change.reason) == (DEGRADED, "connect: The connector cannot be reached: refused.")
    assert len(watch.line.asked) == 3


def test_a_look_that_moves_nothing_is_no_change_of_the_product(watch: Watch) -> None:
    """C-24: nothing of it is in the audit log."""
    before = audit_entries(watch)
    watch.look()
    assert audit_entries(watch) == before
    assert watch.connector().consecutive_clean == 2


def test_two_at_once_look_twice_and_note_once(watch: Watch) -> None:
    """A second daemon on the same database."""
    watch.line.disturb = unavailable
    with ThreadPoolExecutor(4) as pool:
        seen = [future.result() for future in [pool.submit(watch.look) for _ in range(4)]]
    changes = [change for one in seen for change in one.changes]
    connector = watch.connector()
    # Whoever came after the first had noted looks again; nobody counts a look that another has noted.
    assert changes
    assert connector.consecutive_failures <= sum(one.looks for one in seen)
    assert [change.after for change in changes] == (
        [DEGRADED, UNHEALTHY] if connector.consecutive_failures >= 3 else [DEGRADED]
    )


def test_a_dataset_in_an_operations_hands_is_left_alone(watch: Watch) -> None:
    """C-37."""
    with watch.services.database.transaction() as session:
        accept_validation(
            session, watch.case.dataset().dataset_id, checks=list(CheckType), force=True, fresh=timedelta(0)
        )
    assert watch.look().looks == 0


def test_an_operation_that_begins_meanwhile_makes_a_look_count_for_nothing(watch: Watch) -> None:
    """C-37: the index may be another by then."""
    dataset_id = watch.case.dataset().dataset_id
    before = watch.connector().status

    def begin(request: httpx.Request) -> httpx.Response:
        with watch.services.database.transaction() as session:
            if operations.active_of(session, dataset_id) is None:
                accept_validation(session, dataset_id, checks=list(CheckType), force=True, fresh=timedelta(0))
        return unavailable(request)

    watch.line.disturb = begin
    watched = watch.look()
    assert (watched.looks, watched.changes) == (1, ())
    assert watch.connector().status is before


def test_what_is_torn_down_is_looked_at_no_more(watch: Watch) -> None:
    """C-53."""
    watch.case.tear_down().run_teardown()
    assert watch.look().looks == 0
    assert watch.connector().status is ConnectorStatus.DISCONNECTED


def test_it_is_nobodys_turn_before_its_moment_and_never_where_it_is_off(watch: Watch) -> None:
    with watch.services.database.transaction() as session:
        session.execute(update(Connector).values(last_checked_at=utcnow()))
        moment = session.scalar(select(moment_of(utcnow(), timedelta(minutes=5))).select_from(Dataset))
    assert moment is not None
    watch.now = moment + timedelta(minutes=5, seconds=-1)
    assert watch.look().looks == 0
    watch.now = moment + timedelta(minutes=5, seconds=1)
    assert watch.look().looks == 1
    off = watch.services.settings.model_copy(update={"connector_watch_seconds": 0.0})
    watch.services = replace(watch.services, settings=off)
    watch.now += timedelta(days=1)
    assert watch.look().looks == 0


@pytest.mark.parametrize("interval", [timedelta(minutes=5), timedelta(days=1)], ids=["looks", "validations"])
def test_the_moments_of_many_are_spread_over_the_interval_and_stay_the_same(
    services: Services, interval: timedelta
) -> None:
    """C-63, C-90: of five hundred datasets no tenth of the interval has more than twice its share."""
    ids = select(func.md5(text("n::text")).cast(Dataset.dataset_id.type).label("dataset_id")).select_from(
        func.generate_series(1, 500).alias("n")
    )
    now = utcnow()
    with services.database.transaction() as session:
        rows = ids.subquery()
        moments = [
            [
                moment
                for (moment,) in session.execute(
                    select(moment_of(at, interval, dataset_id=rows.c.dataset_id))
                    .select_from(rows)
                    .order_by(rows.c.dataset_id)
                )
            ]
            for at in (now, now + interval)
        ]
    assert all(later - earlier == interval for earlier, later in zip(*moments, strict=True))
    assert all(timedelta(0) <= now - moment <= interval for moment in moments[0])
    share = [0] * 10
    for moment in moments[0]:
        share[int((now - moment) / interval * 10) % 10] += 1
    assert max(share) <= 100


@pytest.mark.parametrize("count", [3])
def test_one_that_fails_takes_no_turn_from_the_others(watch: Watch, accept: Callable[..., Case], count: int) -> None:
    for number in range(count):
        accept().provision(f"run-{number}")
    broken = watch.connector().connector_id
    watch.line.disturb = lambda request: unavailable(request) if str(broken) in request.url.path else None
    watched = watch.look()
    assert (watched.looks, [change.connector_id for change in watched.changes]) == (count + 1, [broken])
