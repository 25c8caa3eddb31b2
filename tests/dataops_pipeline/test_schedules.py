"""The schedule against a real Dagster instance and registry: what is too old goes, and nothing else."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from dagster import DagsterInstance, MetadataValue, build_schedule_context
from sqlalchemy import select

from dataops_core.clock import utcnow
from dataops_core.provisioning.services import Services
from dataops_core.registry import idempotency
from dataops_core.registry.idempotency import KeptAnswer
from dataops_core.registry.tables import IdempotencyKey
from dataops_core.upkeep.retention import clean_up
from dataops_pipeline.definitions import build_defs
from dataops_pipeline.resources import DataOps
from dataops_pipeline.run_history import InstanceRuns


def keep(services: Services, key: str, *, left: timedelta) -> None:
    """An idempotency key with so much of its day left."""
    answer = KeptAnswer("f" * 64, uuid4(), 202, {}, b"")
    now, day = utcnow(), timedelta(days=1)
    with services.database.transaction() as session:
        idempotency.keep(session, answer, api_client_id=uuid4(), key=key, now=now - day + left, lifetime=day)


def kept(services: Services) -> set[str]:
    with services.database.transaction() as session:
        return set(session.scalars(select(IdempotencyKey.key)))


def test_every_hour_expired_idempotency_keys_are_removed(instance: DagsterInstance, services: Services) -> None:
    """C-45."""
    for number in range(3):
        keep(services, f"old {number}", left=timedelta(seconds=-number))
    keep(services, "new", left=timedelta(hours=1))
    resources = {"dataops": DataOps(lambda: services)}
    repository = build_defs(resource_overrides=resources).get_repository_def()
    schedule = repository.get_schedule_def("clean_up")
    context = build_schedule_context(instance, scheduled_execution_time=datetime(2026, 1, 28, 10, tzinfo=UTC))
    (asked,) = schedule.evaluate_tick(context).run_requests or []
    assert asked.tags["dagster/schedule_name"] == "clean_up"
    result = repository.get_job(schedule.job.name).execute_in_process(instance=instance, tags=asked.tags)
    assert result.success
    (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    told = output.step_output_data.metadata
    # Other tests have left runs, checks and events on the instance.
    others = {"runs", "shown_checks", "events", "logs"}
    removed = {kind: number for kind, number in told.items() if number.value and kind not in others}
    assert removed == {"idempotency_keys": MetadataValue.int(3)}
    assert kept(services) == {"new"}


def test_more_than_a_batch_is_removed_in_one_go(instance: DagsterInstance, services: Services) -> None:
    """C-45."""
    now = utcnow() - timedelta(days=2)
    rows = [
        {
            "api_client_id": uuid4(),
            "key": str(number),
            "fingerprint": "f" * 64,
            "customer": uuid4(),
            "status": 202,
            "headers": {},
            "body": b"",
            "created_at": now,
            "expires_at": now,
        }
        for number in range(2001)
    ]
    with services.database.transaction() as session:
        session.execute(IdempotencyKey.__table__.insert(), rows)
    assert clean_up(services, InstanceRuns(instance))["idempotency_keys"] == 2001
    assert kept(services) == set()
