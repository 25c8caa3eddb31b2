"""The search for orphans as Dagster runs it: by the clock, or by hand as a dry run; keys and runs are real ones."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    IntMetadataValue,
    JobDefinition,
    MarkdownMetadataValue,
    RunsFilter,
    build_schedule_context,
)
from dagster._core.test_utils import create_run_for_test

from dataops_core.provisioning.services import Services
from dataops_core.runs import PARTITIONS_NAME, TAG_PARTITION
from dataops_pipeline.definitions import build_defs
from dataops_pipeline.environment_keys import InstanceKeys
from dataops_pipeline.resources import DataOps

JOB = "look_for_orphans"


@pytest.fixture
def empty(instance: DagsterInstance) -> Iterator[str]:
    """The key of an environment with nothing in it; the instance, which all tests share, has no other."""
    for key in instance.get_dynamic_partitions(PARTITIONS_NAME):
        instance.delete_dynamic_partition(PARTITIONS_NAME, key)
    key = f"sandbox:{uuid4()}"
    instance.add_dynamic_partitions(PARTITIONS_NAME, [key])
    yield key
    instance.delete_dynamic_partition(PARTITIONS_NAME, key)


@pytest.fixture
def job(services: Services) -> JobDefinition:
    resources = {"dataops": DataOps(lambda: services)}
    return build_defs(resource_overrides=resources).get_repository_def().get_job(JOB)


def run(job: JobDefinition, instance: DagsterInstance, **config: Any) -> dict[str, Any]:
    """Runs the job and gives what its run shows."""
    asked = {"ops": {"find_and_mend": {"config": config}}} if config else {}
    result = job.execute_in_process(instance=instance, run_config=asked)
    (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    return dict(output.step_output_data.metadata)


def test_a_dry_run_shows_what_a_run_then_does(instance: DagsterInstance, job: JobDefinition, empty: str) -> None:
    shown = run(job, instance, dry_run=True)
    assert shown["due"] == IntMetadataValue(1)
    assert isinstance(shown["findings"], MarkdownMetadataValue)
    row = f"| due | partition | Partition {empty}: no dataset and no operation is there. | Delete the key. |"
    assert row in shown["findings"].value
    assert empty in instance.get_dynamic_partitions(PARTITIONS_NAME)

    assert run(job, instance)["done"] == IntMetadataValue(1)
    assert empty not in instance.get_dynamic_partitions(PARTITIONS_NAME)

    again = run(job, instance)
    assert set(again) == {"dry_run", "findings"}
    assert again["findings"].value == "Everything is somebody's."


@pytest.mark.parametrize("status", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING])
def test_the_key_of_a_run_in_flight_stays(
    instance: DagsterInstance, job: JobDefinition, empty: str, status: DagsterRunStatus
) -> None:
    flying = create_run_for_test(instance, job_name="teardown", status=status, tags={TAG_PARTITION: empty})
    ended = {TAG_PARTITION: f"pilot:{uuid4()}"}
    create_run_for_test(instance, job_name="teardown", status=DagsterRunStatus.SUCCESS, tags=ended)
    assert empty in InstanceKeys(instance).in_flight()
    assert ended[TAG_PARTITION] not in InstanceKeys(instance).in_flight()
    run(job, instance)
    assert empty in instance.get_dynamic_partitions(PARTITIONS_NAME)
    instance.delete_run(flying.run_id)
    run(job, instance)
    assert empty not in instance.get_dynamic_partitions(PARTITIONS_NAME)
    assert not instance.get_runs(RunsFilter(run_ids=[flying.run_id]))


def test_it_goes_every_hour(instance: DagsterInstance, services: Services) -> None:
    repository = build_defs(resource_overrides={"dataops": DataOps(lambda: services)}).get_repository_def()
    schedule = repository.get_schedule_def(JOB)
    context = build_schedule_context(instance, scheduled_execution_time=datetime(2026, 1, 28, 10, 30, tzinfo=UTC))
    (asked,) = schedule.evaluate_tick(context).run_requests or []
    assert (
        repository.get_job(schedule.job.name)
        .execute_in_process(instance=instance, run_config=asked.run_config, tags=asked.tags)
        .success
    )
