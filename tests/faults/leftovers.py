"""What an installation at rest has too much, too little or half: a sentence for each, none where all is well.

Belongs here: questions to the registry, to the files and to Dagster that hold for any installation on which nothing is
under way. The fault table asks them after each fault; a soak test may ask them after its work. A failed dataset and
what it left are right: the request that replaces it removes that (C-44).
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from dataops_core.connectors.embedded import index
from dataops_core.connectors.embedded.files import IndexFiles
from dataops_core.errors import DataOpsError
from dataops_core.lifecycle import ConnectorStatus, DatasetStatus, Environment
from dataops_core.provisioning.archive import verify_archive
from dataops_core.registry.database import Database
from dataops_core.registry.operations import OPEN
from dataops_core.registry.tables import (
    Connector,
    ConnectorToken,
    Dataset,
    JourneyEvent,
    Operation,
    OperationDataset,
    RunStop,
)
from dataops_core.runs import PARTITIONS_NAME, TAG_ATTEMPT, TAG_OPERATION
from dataops_core.storage import DEFECTS_FILE, MANIFEST_FILE, QUERIES_FILE, RECORDS_FILE, Storage

_AT_WORK = {DatasetStatus.PROVISIONING, DatasetStatus.VALIDATING, DatasetStatus.TEARDOWN}
_FILES = {RECORDS_FILE, QUERIES_FILE, DEFECTS_FILE, MANIFEST_FILE}

_RUNS = "query Runs { runsOrError(limit: 1000) { ... on Runs { results { runId status tags { key value } } } } }"
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


def leftovers(registry: Database, data: Path, *, dagster_url: str, dagster_database_url: str) -> list[str]:
    """All that is not as it must be in an installation on which nothing is under way."""
    with registry.transaction() as session:
        found = [*_rows(session), *_dataset_files(session, data), *_archives(session, data), *_indexes(session, data)]
        environments = {
            Environment(stage, client_id).partition_key
            for stage, client_id in session.execute(select(Operation.stage, Operation.client_id))
        }
    found += [
        f"partition {key} is of an environment that nobody asked for"
        for key in sorted(partitions(dagster_database_url) - environments)
    ]
    return found + list(_runs(dagster_url))


def _rows(session: Session) -> Iterator[str]:
    for operation in session.scalars(select(Operation).where(Operation.status.in_(OPEN))):
        yield f"operation {operation.operation_id} ({operation.operation_type}) is still {operation.status}"
    for part in session.scalars(select(OperationDataset).where(OperationDataset.active)):
        yield f"operation {part.operation_id} still holds dataset {part.dataset_id}"
    for dataset in session.scalars(select(Dataset)):
        if dataset.status in _AT_WORK:
            yield f"dataset {dataset.dataset_id} is still {dataset.status}"
        if dataset.status is DatasetStatus.ARCHIVED and dataset.has_remains:
            yield f"archived dataset {dataset.dataset_id} may have files left"
        if dataset.status is DatasetStatus.READY and dataset.quality_score is None:
            yield f"dataset {dataset.dataset_id} is ready without a score"
    for event in session.scalars(select(JourneyEvent).where(JourneyEvent.completed_at.is_(None))):
        yield f"event {event.event_id} of journey {event.journey_id} is still {event.status}"
    for stop in session.scalars(select(RunStop)):
        yield f"run {stop.run_id} is still to be stopped"
    open_tokens = (
        select(ConnectorToken.token_id)
        .join(Connector, Connector.connector_id == ConnectorToken.connector_id)
        .where(Connector.status == ConnectorStatus.DISCONNECTED, ConnectorToken.revoked_at.is_(None))
    )
    for token_id in session.scalars(open_tokens):
        yield f"token {token_id} of a disconnected connector is not revoked"


def _dataset_files(session: Session, data: Path) -> Iterator[str]:
    storage = Storage(data)
    rows = {row.dataset_id: row for row in session.scalars(select(Dataset))}
    for name in _names(data / "datasets"):
        dataset = rows.get(UUID(name)) if _is_uuid(name) else None
        if dataset is None:
            yield f"datasets/{name} belongs to no dataset"
        elif dataset.status not in {DatasetStatus.READY, DatasetStatus.FAILED}:
            yield f"datasets/{name} is left of a dataset that is {dataset.status}"
    for dataset in rows.values():
        if dataset.status is not DatasetStatus.READY:
            continue
        tries = set(storage.tries_of(dataset.dataset_id))
        if tries != {dataset.records_path}:
            yield f"ready dataset {dataset.dataset_id} has {sorted(tries)}, not {dataset.records_path} alone"
            continue
        files = set(_names(data / str(dataset.records_path)))
        if files != _FILES:
            yield f"{dataset.records_path} holds {sorted(files)}"
        elif storage.sha256(f"{dataset.records_path}/{RECORDS_FILE}") != dataset.records_sha256:
            yield f"the records of ready dataset {dataset.dataset_id} are not those that were published"


def _archives(session: Session, data: Path) -> Iterator[str]:
    storage = Storage(data)
    kept = {row.archive_path: row for row in session.scalars(select(Dataset).where(Dataset.archive_path.is_not(None)))}
    for name in _names(data / "archives"):
        if f"archives/{name}" not in kept:
            yield f"archives/{name} belongs to no dataset"
    for path in kept:
        try:
            verify_archive(storage, str(path), else_="it cannot be restored")
        except DataOpsError as error:
            yield f"{path}: {error.message}"


def _indexes(session: Session, data: Path) -> Iterator[str]:
    files = IndexFiles(data)
    rows = {row.connector_id: row for row in session.scalars(select(Connector))}
    datasets = {row.dataset_id: row for row in session.scalars(select(Dataset))}
    for name in _names(data / "connectors"):
        connector = rows.get(UUID(name)) if _is_uuid(name) else None
        if connector is None:
            yield f"connectors/{name} belongs to no connector"
        elif connector.status is ConnectorStatus.DISCONNECTED:
            yield f"connectors/{name} is left of a connector that is disconnected"
    served = Counter(row.dataset_id for row in rows.values() if row.status is not ConnectorStatus.DISCONNECTED)
    for dataset_id, count in served.items():
        if count > 1:
            yield f"dataset {dataset_id} has {count} connectors"
    for connector in rows.values():
        dataset = datasets.get(connector.dataset_id)
        if connector.status is ConnectorStatus.DISCONNECTED or (dataset and dataset.status is DatasetStatus.FAILED):
            continue
        if dataset is None or dataset.status is not DatasetStatus.READY:
            yield f"connector {connector.connector_id} serves a dataset that is not ready"
            continue
        yield from _served(connector, dataset, files)


def _served(connector: Connector, dataset: Dataset, files: IndexFiles) -> Iterator[str]:
    if connector.upload is not None:
        yield f"connector {connector.connector_id} still has an upload under way"
    if connector.generation is None or connector.generation != dataset.upload_id:
        yield f"connector {connector.connector_id} serves '{connector.generation}', not '{dataset.upload_id}'"
        return
    path = files.index(connector.connector_id, connector.generation)
    present = _names(path.parent)
    if present != [path.name]:
        yield f"connector {connector.connector_id} has the files {present}, not {path.name} alone"
        return
    held = index.stats(path)
    if (held.document_count, held.id_digest) != (dataset.record_count, connector.id_digest):
        yield f"connector {connector.connector_id} holds {held.document_count} of {dataset.record_count} documents"


def _runs(dagster_url: str) -> Iterator[str]:
    answer = httpx.post(f"{dagster_url}/graphql", json={"query": _RUNS}, timeout=30).raise_for_status().json()
    succeeded: Counter[tuple[str, str]] = Counter()
    for run in answer["data"]["runsOrError"]["results"]:
        tags = {tag["key"]: tag["value"] for tag in run["tags"]}
        if run["status"] not in _ENDED:
            yield f"run {run['runId']} is still {run['status']}"
        if run["status"] == "SUCCESS" and TAG_OPERATION in tags:
            succeeded[tags[TAG_OPERATION], tags.get(TAG_ATTEMPT, "")] += 1
    for (operation_id, attempt), count in succeeded.items():
        if count > 1:
            yield f"attempt {attempt} of operation {operation_id} was carried out by {count} runs"


def partitions(dagster_database_url: str) -> set[str]:
    """The environments that Dagster knows, by their keys."""
    engine = create_engine(dagster_database_url)
    try:
        with engine.connect() as connection:
            statement = text("SELECT partition FROM dynamic_partitions WHERE partitions_def_name = :name")
            return set(connection.scalars(statement, {"name": PARTITIONS_NAME}))
    finally:
        engine.dispose()


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def _is_uuid(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
