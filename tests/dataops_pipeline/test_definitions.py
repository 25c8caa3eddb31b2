"""The whole graph in one look: an accidental change of an asset, check, job or sensor is seen here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dagster import AssetKey, DefaultScheduleStatus, DefaultSensorStatus
from dagster._core.execution.api import create_execution_plan

from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import CheckType, OperationType
from dataops_core.runs import JOBS
from dataops_pipeline.definitions import build_defs, defs
from dataops_pipeline.partitions import environments
from dataops_pipeline.step_processes import chains

CHECKOUT = Path(__file__).parents[2]
TYPES = tuple(DATASET_TYPES)
REPOSITORY = defs.get_repository_def()
GRAPH = REPOSITORY.asset_graph


def test_every_type_has_the_same_five_assets_in_the_order_of_a_run() -> None:
    expected = {
        "template": set(),
        "connector": {"template"},
        "records": {"template", "connector"},
        "index": {"connector", "records"},
        "dataset": {"records", "index"},
    }
    assert set(GRAPH.get_all_asset_keys()) == {AssetKey([kind, name]) for kind in TYPES for name in expected}
    for kind in TYPES:
        for name, upstream in expected.items():
            parents = GRAPH.get(AssetKey([kind, name])).parent_keys
            assert parents == {AssetKey([kind, parent]) for parent in upstream}


def test_four_blocking_checks_stand_on_the_index_of_every_type() -> None:
    assert {(key.asset_key.to_user_string(), key.name) for key in GRAPH.asset_check_keys} == {
        (f"{kind}/index", check.value) for kind in TYPES for check in CheckType
    }
    specs = [spec for checks in defs.asset_checks or [] for spec in checks.check_specs]
    assert len(specs) == 4 * len(TYPES)
    assert all(spec.blocking for spec in specs)
    assert all(spec.partitions_def == environments for spec in specs)


def test_every_asset_says_what_it_is_and_whose() -> None:
    for key in GRAPH.get_all_asset_keys():
        node = GRAPH.get(key)
        assert node.description
        assert node.kinds
        assert node.owners == ["team:dataops"]
        assert node.group_name == key.path[0]
        assert node.partitions_def == environments


def test_the_jobs_are_the_ones_that_operations_and_the_clock_ask_for() -> None:
    jobs = {job.name: job for job in REPOSITORY.get_all_jobs() if not job.name.startswith("__")}
    assert set(jobs) == {*JOBS.values(), "clean_up", "look_for_orphans"}
    assert [node.name for node in jobs["clean_up"].nodes] == ["remove_expired"]
    assert {node.name for node in jobs["provision"].nodes} == {
        *(f"{kind}__{name}" for kind in TYPES for name in ("template", "connector", "records", "index", "dataset")),
        *(f"{kind}__index_{check}" for kind in TYPES for check in CheckType),
    }
    assert {node.name for node in jobs["validate"].nodes} == {
        f"{kind}__index_{check}" for kind in TYPES for check in CheckType
    }
    assert [node.name for node in jobs["teardown"].nodes_in_topological_order] == [
        "disconnect_connector",
        "archive_records",
        "delete_records",
        "update_registry",
    ]
    assert [node.name for node in jobs["restore"].nodes_in_topological_order] == [
        "restore_records",
        "restore_connector",
        "validate_quality",
        "publish_dataset",
    ]
    assert all(node.definition.description for name in ("teardown", "restore") for node in jobs[name].nodes)


def test_steps_run_in_the_runs_process_unless_its_config_asks_for_more() -> None:
    for job in REPOSITORY.get_all_jobs():
        assert job.executor_def.config_schema.default_value == {"in_process": {}}


@pytest.mark.parametrize("kind", [OperationType.PROVISIONING, OperationType.VALIDATION])
def test_all_steps_of_a_type_are_executed_by_one_process(kind: OperationType) -> None:
    """They keep in memory what they need of each other."""
    found = chains(create_execution_plan(defs.resolve_job_def(JOBS[kind])))
    of_types: dict[str, set[int]] = {}
    for key, chain in found.items():
        of_types.setdefault(key.partition("__")[0], set()).add(chain)
    assert of_types.keys() == DATASET_TYPES.keys()
    assert sorted(of_types.values(), key=min) == [{number} for number in range(len(DATASET_TYPES))]


def test_the_sensors_run_from_the_start() -> None:
    sensors = {sensor.name: sensor for sensor in REPOSITORY.sensor_defs}
    assert set(sensors) == {
        "launch_pending_operations",
        "settle_success",
        "settle_failure",
        "settle_canceled",
        "settle_lost_operations",
        "stop_cancelled_runs",
        "deliver_notifications",
        "revalidate_datasets",
        "watch_connectors",
        "advance_journeys",
    }
    assert all(sensor.default_status is DefaultSensorStatus.RUNNING for sensor in sensors.values())
    for launching in ("launch_pending_operations", "advance_journeys"):
        assert {job.name for job in sensors[launching].jobs} == set(JOBS.values())


def test_the_schedules_run_from_the_start() -> None:
    schedules = {(one.name, one.job.name, one.cron_schedule) for one in REPOSITORY.schedule_defs}
    assert schedules == {
        ("clean_up", "clean_up", "0 * * * *"),
        ("look_for_orphans", "look_for_orphans", "30 * * * *"),
    }
    assert all(one.default_status is DefaultScheduleStatus.RUNNING for one in REPOSITORY.schedule_defs)


def test_a_test_or_a_tool_puts_its_own_resource_in() -> None:
    mine = object()
    built = build_defs(resource_overrides={"dataops": mine})
    assert built.resources is not None
    assert built.resources["dataops"] is mine


def test_loading_reads_no_file_and_opens_no_connection(tmp_path: Path) -> None:
    finished = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            "from dataops_pipeline.definitions import defs; defs.get_repository_def()",
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path / "nowhere"), "PYTHONPATH": str(CHECKOUT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_workspace_in_the_checkout_loads_as_dagster_loads_it(dagster_url: str, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_bytes((CHECKOUT / "dagster.yaml").read_bytes())
    for arguments in (["-w", "workspace.yaml"], []):
        finished = subprocess.run(
            [sys.executable, "-m", "dagster", "definitions", "validate", *arguments],
            env=os.environ
            | {
                "DAGSTER_HOME": str(tmp_path),
                "DATAOPS_HOME": str(tmp_path / "home"),
                "DATAOPS_DAGSTER_DATABASE_URL": dagster_url,
            },
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        said = finished.stdout + finished.stderr
        assert finished.returncode == 0, said
        assert "Validation successful for code location dataops" in said
