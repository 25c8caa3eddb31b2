"""Old runs go from a real Dagster instance with all that it keeps of them; those in use and in flight stay."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from dagster import AssetKey, AssetObservation, AssetRecordsFilter, DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.storage.compute_log_manager import ComputeIOType
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as CHECKS  # noqa: N814
from dagster._core.storage.event_log.schema import AssetEventTagsTable as TAGS  # noqa: N814
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as EVENTS  # noqa: N814
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.test_utils import create_run_for_test
from sqlalchemy import select

from dataops_core.clock import utcnow
from dataops_core.lifecycle import OperationType, Stage
from dataops_core.provisioning.services import Services
from dataops_core.registry import operations
from dataops_core.upkeep import retention
from dataops_core.upkeep.retention import clean_up
from dataops_pipeline.run_history import InstanceRuns

S = DagsterRunStatus


@pytest.fixture(autouse=True)
def nothing_old(instance: DagsterInstance) -> Iterator[None]:
    """Leaves the instance, which all tests share, without old runs."""
    yield
    for run in instance.get_runs(RunsFilter(updated_before=utcnow() - timedelta(days=20))):
        instance.delete_run(run.run_id)


def make(instance: DagsterInstance, status: DagsterRunStatus, *, days: int, operation_id: UUID | None = None) -> str:
    """A run that changed last so many days ago, with an event and a file of its own."""
    tags = {"dataops/operation_id": str(operation_id)} if operation_id is not None else {}
    run_id: str = create_run_for_test(instance, job_name="provision", status=status, tags=tags).run_id
    instance.report_engine_event("It said so.", job_name="provision", run_id=run_id)
    log = log_of(instance, run_id)
    log.parent.mkdir(parents=True)
    log.write_text("said")
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        changed = utcnow().replace(tzinfo=None) - timedelta(days=days)
        connection.execute(RunsTable.update().where(RunsTable.c.run_id == run_id).values(update_timestamp=changed))
    return run_id


def log_of(instance: DagsterInstance, run_id: str) -> Path:
    return Path(instance.storage_directory()) / run_id / "compute_logs" / "step.err"


def carried(services: Services, run_id: str) -> UUID:
    """An open operation that this run carries."""
    with services.database.transaction() as session:
        return operations.create(
            session,
            operation_type=OperationType.PROVISIONING,
            client_id=uuid4(),
            stage=Stage.PILOT,
            datasets=[(uuid4(), "confluence_pages")],
            run_id=run_id,
        ).operation_id


def test_old_runs_go_with_their_events_and_logs_and_none_in_flight_or_in_use(
    instance: DagsterInstance, services: Services
) -> None:
    """C-87."""
    ended = [make(instance, status, days=31) for status in (S.SUCCESS, S.FAILURE, S.CANCELED)]
    in_use = make(instance, S.FAILURE, days=99)
    carried(services, in_use)
    young = make(instance, S.SUCCESS, days=29)
    in_flight = [make(instance, status, days=99) for status in (S.NOT_STARTED, S.STARTING, S.STARTED, S.CANCELING)]
    assert instance.all_logs(ended[0])

    assert clean_up(services, InstanceRuns(instance))["runs"] == len(ended)

    for run_id in ended:
        assert instance.get_run_by_id(run_id) is None
        assert instance.all_logs(run_id) == []
        assert not log_of(instance, run_id).parent.parent.exists()
    for run_id in (in_use, young, *in_flight):
        assert instance.get_run_by_id(run_id) is not None
        assert instance.all_logs(run_id)
        assert log_of(instance, run_id).exists()
    assert clean_up(services, InstanceRuns(instance))["runs"] == 0


def test_runs_are_kept_for_ever_where_the_setting_says_so(instance: DagsterInstance, services: Services) -> None:
    old = make(instance, S.SUCCESS, days=9999)
    keeping = services.settings.model_copy(update={"keep_runs_days": 0})
    object.__setattr__(services, "settings", keeping)
    assert clean_up(services, InstanceRuns(instance))["runs"] == 0
    assert instance.get_run_by_id(old) is not None


def test_page_by_page_and_what_was_interrupted_is_gone_on_with(
    instance: DagsterInstance, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_RUNS", 2)
    runs = [make(instance, S.SUCCESS, days=40) for _ in range(5)]
    carried(services, runs[0])
    history = InstanceRuns(instance)
    real, removed = history.remove, []

    def killed_at_the_second(run_id: str) -> None:
        if removed:
            # Its events are gone, the run is still there.
            instance.event_log_storage.delete_events(run_id)
            raise KeyboardInterrupt
        removed.append(run_id)
        real(run_id)

    monkeypatch.setattr(history, "remove", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        clean_up(services, history)
    assert [instance.get_run_by_id(run_id) is not None for run_id in runs] == [True, False, True, True, True]
    # A second one at once found the same runs: what is gone already is no error.
    InstanceRuns(instance).remove(runs[1])
    clean_up(services, InstanceRuns(instance))
    assert [instance.get_run_by_id(run_id) is not None for run_id in runs] == [True, False, False, False, False]


def check(instance: DagsterInstance, run_id: str, name: str, partition: str, *, days: int = 40) -> int:
    """An evaluation of a check as a run leaves it, so old; its number."""
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        made = connection.execute(
            CHECKS.insert()
            .values(
                asset_key='["confluence_pages", "index"]',
                check_name=name,
                partition=partition,
                run_id=run_id,
                execution_status="SUCCEEDED",
                create_timestamp=utcnow().replace(tzinfo=None) - timedelta(days=days),
            )
            .returning(CHECKS.c.id)
        )
        return int(made.scalar_one())


def checks(instance: DagsterInstance) -> list[int]:
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        return list(connection.execute(select(CHECKS.c.id).order_by(CHECKS.c.id)).scalars())


def test_evaluations_of_checks_go_with_their_runs_but_the_newest_of_each_in_an_environment_that_there_is(
    instance: DagsterInstance, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    here, gone = f"pilot:{uuid4()}", f"pilot:{uuid4()}"
    instance.add_dynamic_partitions("environments", [here])
    staying = make(instance, S.SUCCESS, days=1)
    old = [make(instance, S.SUCCESS, days=40) for _ in range(3)]
    removed = [
        check(instance, old[0], "sample_query_success", here),
        check(instance, old[1], "sample_query_success", here),
        check(instance, old[0], "data_completeness", here),
        check(instance, old[0], "data_completeness", gone),
        check(instance, old[2], "data_completeness", gone),
    ]
    kept = [
        check(instance, old[2], "sample_query_success", here),
        check(instance, staying, "data_completeness", here, days=35),
        check(instance, old[1], "connector_health", here, days=29),
        check(instance, staying, "connector_health", here, days=1),
    ]
    keeping = services.settings
    object.__setattr__(services, "settings", keeping.model_copy(update={"keep_runs_days": 0}))
    assert clean_up(services, InstanceRuns(instance))["shown_checks"] == 0
    object.__setattr__(services, "settings", keeping)
    assert clean_up(services, InstanceRuns(instance))["shown_checks"] == len(removed)
    assert {one for one in checks(instance) if one in {*removed, *kept}} == set(kept)
    instance.delete_dynamic_partition("environments", here)


def observe(instance: DagsterInstance, asset: AssetKey, *, days: int) -> int:
    """What a sensor sees of an asset, noted so many days ago; the event's number."""
    instance.report_runless_asset_event(AssetObservation(asset, description="Connector unhealthy"))
    number = observed(instance, asset)[0]
    noted = utcnow().replace(tzinfo=None) - timedelta(days=days)
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        connection.execute(EVENTS.update().where(EVENTS.c.id == number).values(timestamp=noted))
        connection.execute(TAGS.insert().values(event_id=number, asset_key=asset.to_string(), key="a", value="tag"))
    return number


def observed(instance: DagsterInstance, asset: AssetKey) -> list[int]:
    """What the UI shows of it, newest first."""
    return [one.storage_id for one in instance.fetch_observations(AssetRecordsFilter(asset), limit=100).records]


def tagged(instance: DagsterInstance, numbers: list[int]) -> set[int]:
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        return set(connection.execute(select(TAGS.c.event_id).where(TAGS.c.event_id.in_(numbers))).scalars())


def test_events_of_no_run_go_for_their_age_alone(
    instance: DagsterInstance, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-90: what the sensor that watches connectors has observed belongs to no run, and would stay for ever."""
    monkeypatch.setattr(retention, "_BATCH", 2)
    of_a_run = make(instance, S.SUCCESS, days=1)
    asset = AssetKey(["confluence_pages", uuid4().hex])
    old = [observe(instance, asset, days=31) for _ in range(5)]
    young = [observe(instance, asset, days=29) for _ in range(2)]
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        aged = utcnow().replace(tzinfo=None) - timedelta(days=99)
        connection.execute(EVENTS.update().where(EVENTS.c.run_id == of_a_run).values(timestamp=aged))

    keeping = services.settings
    object.__setattr__(services, "settings", keeping.model_copy(update={"keep_runs_days": 0}))
    assert clean_up(services, InstanceRuns(instance))["events"] == 0
    object.__setattr__(services, "settings", keeping)
    assert clean_up(services, InstanceRuns(instance))["events"] == len(old)

    assert observed(instance, asset) == young[::-1]
    assert tagged(instance, [*old, *young]) == set(young)
    assert instance.all_logs(of_a_run), "events of a run go with it"
    assert clean_up(services, InstanceRuns(instance))["events"] == 0


def test_logs_of_ticks_go_for_their_age_and_those_of_runs_that_somebody_deleted(
    instance: DagsterInstance, services: Services
) -> None:
    """A tick of a run-status sensor leaves a file for each run that it acts on, and Dagster removes none."""
    there, deleted = make(instance, S.SUCCESS, days=29), make(instance, S.SUCCESS, days=29)
    instance.delete_run(deleted)
    with instance.compute_log_manager.open_log_stream(["__repository__", "settle_success", "41"], ComputeIOType.STDERR):
        pass
    storage = Path(instance.storage_directory())
    tick, young = (storage / "__repository__" / "settle_success" / f"{number}.err" for number in (41, 42))
    young.touch()
    mine = storage / "notes"
    mine.mkdir()
    moment = (utcnow() - timedelta(days=31)).timestamp()
    for path in (tick, mine, *(log_of(instance, run).parent.parent for run in (there, deleted))):
        os.utime(path, (moment, moment))

    keeping = services.settings
    object.__setattr__(services, "settings", keeping.model_copy(update={"keep_runs_days": 0}))
    assert clean_up(services, InstanceRuns(instance))["logs"] == 0
    object.__setattr__(services, "settings", keeping)
    assert clean_up(services, InstanceRuns(instance))["logs"] == 2

    assert not tick.exists()
    assert not log_of(instance, deleted).parent.parent.exists()
    assert young.exists()
    assert log_of(instance, there).exists()
    assert mine.is_dir()
