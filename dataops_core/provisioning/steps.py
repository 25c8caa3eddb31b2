"""The six steps of a provisioning, each one function that a Dagster asset or check calls.

Each claims its dataset, does its work, and writes the result in one transaction under the claim. Each may be run again:
what an earlier try left is found or replaced. Source: ``docs/contract.md`` C-35, C-62, C-83; the order of the steps is
``lifecycle.PROVISIONING_STEPS``.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pyarrow as pa
from sqlalchemy import update
from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.company.build import build_company
from dataops_core.company.model import Company
from dataops_core.connectors.protocol import ConnectorSpec, LoadReport
from dataops_core.dataset_types.base import DatasetType, Document, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import CheckInconclusiveError, PermanentError, QualityGateError
from dataops_core.generation.records import RecordsReport, read_records, write_records
from dataops_core.ids import derived_id
from dataops_core.lifecycle import (
    CheckStatus,
    CheckType,
    ConnectorStatus,
    DatasetStatus,
    OperationType,
    Outcome,
)
from dataops_core.provisioning import fencing
from dataops_core.provisioning.evaluation import evaluate
from dataops_core.provisioning.fencing import Claim, Held
from dataops_core.provisioning.removal import remove_remains
from dataops_core.provisioning.services import Services, StepContext
from dataops_core.provisioning.settlement import fail_dataset, finish_dataset
from dataops_core.provisioning.step import step
from dataops_core.quality.model import CheckResult
from dataops_core.quality.query_drawing import make_queries
from dataops_core.quality.query_set import QuerySet
from dataops_core.registry import connectors, customers, datasets, operations, quality
from dataops_core.registry.tables import Connector, Dataset
from dataops_core.storage import MANIFEST_FILE, QUERIES_FILE, RECORDS_FILE
from dataops_core.templates.model import Template

_PROVISIONING = (OperationType.PROVISIONING,)
_CHECKING = (OperationType.PROVISIONING, OperationType.VALIDATION, OperationType.RESTORE)

#: Shown in previews: enough to see what the data is like.
SAMPLE_ROWS = 5


@dataclass(frozen=True, slots=True)
class ResolvedTemplate:
    """Step 1's result."""

    dataset_id: UUID
    dataset_name: str
    template: Template
    company: Company
    record_count: int
    seed: int


@dataclass(frozen=True, slots=True)
class CreatedConnector:
    """Step 2's result."""

    dataset_id: UUID
    spec: ConnectorSpec
    endpoint_url: str


@dataclass(frozen=True, slots=True)
class PopulatedRecords:
    """Step 3's result; ``sample`` is the first rows of the stored table, ``created`` all of its creation times."""

    dataset_id: UUID
    report: RecordsReport
    sample: pa.Table
    created: pa.ChunkedArray
    query_count: int


@dataclass(frozen=True, slots=True)
class IndexedRecords:
    """Step 4's result."""

    dataset_id: UUID
    report: LoadReport
    endpoint_url: str


@dataclass(frozen=True, slots=True)
class PublishedDataset:
    """Step 6's result."""

    dataset_id: UUID
    name: str
    record_count: int
    size_bytes: int
    quality_score: float
    self_url: str
    endpoint_url: str
    records_sha256: str


def resolve_template(context: StepContext) -> ResolvedTemplate:
    """Step 1: which template, which company; and removes what a replaced dataset or an earlier try left behind."""
    services = context.services
    with step(context, _PROVISIONING, 1) as claim:
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            dataset = held.dataset
            replaced = datasets.remains_of_place(
                session, client_id=dataset.client_id, stage=dataset.stage, dataset_type=dataset.dataset_type
            )
            ids = [row.dataset_id for row in replaced]
        for dataset_id in ids:
            remove_remains(services, dataset_id)
        template, spec = _generation_spec(services, claim)
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            held.dataset.template_version = template.version
            held.dataset.template_name = template.name
            fencing.step_done(session, held, 1)
            return ResolvedTemplate(
                held.dataset.dataset_id,
                held.dataset.name,
                template,
                spec.company,
                spec.record_count,
                spec.seed,
            )


def create_connector(context: StepContext) -> CreatedConnector:
    """Step 2: the dataset's connector, registered at the connector service."""
    services = context.services
    with step(context, _PROVISIONING, 2) as claim:
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            held.dataset.has_remains = True
            connector = ensure_connector(session, held)
            spec = connector_spec(held.dataset, connector, company_of(session, held.dataset))
        services.connector.provision(spec)
        with services.database.transaction() as session:
            fencing.step_done(session, fencing.hold(session, claim), 2)
        return CreatedConnector(claim.dataset_id, spec, endpoint_url(services, spec.connector_id))


def populate_records(context: StepContext) -> PopulatedRecords:
    """Step 3: the records and their sample queries, in a folder of this attempt's own."""
    services, storage = context.services, context.services.storage
    dataset_type = DATASET_TYPES[context.dataset_type]
    with step(context, _PROVISIONING, 3) as claim:
        _, spec = _generation_spec(services, claim)
        folder = f"{storage.dataset_folder(claim.dataset_id)}/{claim.run_id[:8]}-{claim.attempt}"
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            held.dataset.has_remains = True
            abandoned = set(storage.tries_of(claim.dataset_id)) - {held.dataset.records_path}
        for left in sorted(abandoned):
            storage.remove(left)
        report = write_records(spec, dataset_type, storage.filesystem, storage.path(f"{folder}/{RECORDS_FILE}"))
        table = read_records(storage.filesystem, storage.path(f"{folder}/{RECORDS_FILE}"))
        queries = make_queries(table, dataset_type, seed=spec.seed)
        storage.write_bytes(f"{folder}/{QUERIES_FILE}", queries.to_jsonl().encode())
        storage.write_json(
            f"{folder}/{MANIFEST_FILE}",
            {
                "dataset_id": str(claim.dataset_id),
                "dataset_type": dataset_type.name,
                "template_id": str(spec.template.template_id),
                "template_version": spec.template.version,
                "seed": spec.seed,
                "record_count": report.record_count,
                "incomplete_count": report.incomplete_count,
                "size_bytes": report.size_bytes,
                "sha256": report.sha256,
                "content_sha256": report.content_sha256,
            },
        )
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            held.part.records_path = folder
            if held.dataset.status is not DatasetStatus.READY:
                held.dataset.record_count = report.record_count
                held.dataset.size_bytes = report.size_bytes
            fencing.step_done(session, held, 3)
        created = dataset_type.frame(table)[dataset_type.created_column]
        return PopulatedRecords(
            claim.dataset_id, report, table.slice(0, SAMPLE_ROWS), pa.chunked_array([pa.array(created)]), len(queries)
        )


def index_records(context: StepContext) -> IndexedRecords:
    """Step 4: the whole content pushed to the connector over HTTP, published there in one go."""
    services = context.services
    with step(context, _PROVISIONING, 4) as claim:
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            spec = _connected_spec(session, held)
            folder = _folder_of(held)
        table = read_records(services.storage.filesystem, services.storage.path(f"{folder}/{RECORDS_FILE}"))
        upload_id = f"{folder.rsplit('/', 1)[-1]}-{claim.run_id[-12:]}"
        report = services.connector.load(spec, _documents(table, context.dataset_type), upload_id=upload_id)
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            held.part.upload_id = upload_id
            if held.dataset.status is DatasetStatus.READY:
                # A ready dataset that is made again serves the new index from this moment on.
                held.dataset.upload_id = upload_id
            else:
                _to_validating(session, held)
            fencing.step_done(session, held, 4)
        return IndexedRecords(claim.dataset_id, report, endpoint_url(services, spec.connector_id))


def run_check(context: StepContext, check: CheckType) -> CheckResult:
    """Step 5, one of its four checks; in a validation, one of its steps.

    A verdict of ``failed`` is a result, not an error. Once all checks of this attempt have spoken, a provisioning whose
    gate they close fails with the reason, and a validation ends.
    """
    services = context.services
    with step(context, _CHECKING, None) as claim:
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            provisioning = claim.operation_type is not OperationType.VALIDATION
            held.part.steps_done = max(held.part.steps_done, 4 if provisioning else 0)
            operations.show_progress(session, claim.operation_id)
            if held.part.upload_id is not None and held.dataset.status is DatasetStatus.PROVISIONING:
                _to_validating(session, held)
            spec = _connected_spec(session, held)
            folder, upload_id = _folder_of(held), held.part.upload_id or held.dataset.upload_id or ""
            requested = held.dataset.requested_count
        started, executed_at = time.monotonic(), utcnow()
        table = read_records(services.storage.filesystem, services.storage.path(f"{folder}/{RECORDS_FILE}"))
        verdict = evaluate(
            check,
            table=table,
            dataset_type=DATASET_TYPES[context.dataset_type],
            requested=requested,
            incomplete_planned=services.storage.read_json(f"{folder}/{MANIFEST_FILE}")["incomplete_count"],
            adapter=services.connector,
            spec=spec,
            upload_id=upload_id,
            queries=QuerySet.from_jsonl(services.storage.read_bytes(f"{folder}/{QUERIES_FILE}").decode()),
        )
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            quality.add(
                session,
                verdict.result,
                dataset_id=claim.dataset_id,
                operation_id=claim.operation_id,
                attempt=claim.attempt,
                executed_at=executed_at,
                duration_ms=round((time.monotonic() - started) * 1000),
            )
            if verdict.connector_status is not None:
                connectors.set_status(
                    session,
                    spec.connector_id,
                    verdict.connector_status,
                    reason=verdict.connector_reason,
                    now=executed_at,
                )
            held.dataset.quality_score = quality.current(session, claim.dataset_id).overall
            session.flush()
            _after_check(session, held, claim)
        return verdict.result


def publish(context: StepContext) -> PublishedDataset:
    """Step 6: the dataset becomes ready with what this operation made. Raises QualityGateError if a check forbids."""
    services, storage = context.services, context.services.storage
    with step(context, _PROVISIONING, 6) as claim, services.database.transaction() as session:
        held = fencing.hold(session, claim)
        problem = gate_problem(session, held)
        if problem is not None:
            raise problem
        folder = _folder_of(held)
        manifest = storage.read_json(f"{folder}/{MANIFEST_FILE}")
        spec = _connected_spec(session, held)
        state = quality.current(session, claim.dataset_id)
        values: dict[str, Any] = {
            "records_path": folder,
            "records_sha256": manifest["sha256"],
            "upload_id": held.part.upload_id or held.dataset.upload_id,
            "record_count": manifest["record_count"],
            "size_bytes": manifest["size_bytes"],
            "quality_score": state.overall,
        }
        if held.dataset.status is DatasetStatus.READY:
            session.execute(
                update(Dataset).where(Dataset.dataset_id == claim.dataset_id).values(values | {"updated_at": utcnow()})
            )
        else:
            datasets.move(session, claim.dataset_id, DatasetStatus.READY, **values)
        held.part.steps_done = 6
        finish_dataset(session, held.operation, held.part, Outcome.READY, quality_score=state.overall)
        published = PublishedDataset(
            claim.dataset_id,
            held.dataset.name,
            manifest["record_count"],
            manifest["size_bytes"],
            float(state.overall or 0),
            f"{services.settings.public_base}/v1/dataops/datasets/{claim.dataset_id}",
            endpoint_url(services, spec.connector_id),
            manifest["sha256"],
        )
    for left in storage.tries_of(claim.dataset_id):
        if left != folder:
            storage.remove(left)
    return published


def gate_problem(session: Session, held: Held) -> QualityGateError | CheckInconclusiveError | None:
    """Why this operation's newest evaluations do not let the dataset be published, or None."""
    made = quality.of_operation(session, dataset_id=held.dataset.dataset_id, operation_id=held.operation.operation_id)
    if not made and held.dataset.status is DatasetStatus.READY:
        made = dict(quality.current(session, held.dataset.dataset_id).checks)
    unclear = [check for check, row in made.items() if row.status is CheckStatus.ERROR]
    failed = [check for check in CheckType if check in made and made[check].status is CheckStatus.FAILED]
    if failed:
        said = "; ".join(f"{check}: {made[check].details}" for check in failed)
        return QualityGateError(
            f"The dataset did not pass its quality checks ({said}).",
            details={"failed_checks": [str(c) for c in failed]},
        )
    if unclear:
        said = "; ".join(f"{check}: {made[check].details}" for check in unclear)
        return CheckInconclusiveError(
            f"A quality check could not tell ({said}).", details={"failed_checks": [str(c) for c in unclear]}
        )
    missing = [check for check in CheckType if check not in made]
    if missing:
        return QualityGateError(
            f"The dataset was not checked by {', '.join(missing)}.",
            details={"missing_checks": [str(c) for c in missing]},
        )
    return None


def company_of(session: Session, dataset: Dataset) -> Company:
    """The fictional company of the dataset's customer."""
    customer = customers.find(session, dataset.client_id)
    if customer is None:
        raise PermanentError(f"Customer {dataset.client_id} is not known any more.")
    return build_company(dataset.client_id, customer.locale)


def connector_spec(dataset: Dataset, connector: Connector, company: Company) -> ConnectorSpec:
    """The connector as the connector service is told about it."""
    dataset_type = DATASET_TYPES[dataset.dataset_type]
    return ConnectorSpec(
        connector_id=connector.connector_id,
        name=dataset.name,
        object_type=dataset_type.object_type,
        category=dataset_type.category,
        url_regex=dataset_type.url_pattern(company),
        facets=dataset_type.facets,
    )


def ensure_connector(session: Session, held: Held) -> Connector:
    """The dataset's connector that is not disconnected, made where there is none."""
    connector = connectors.of_dataset(session, held.dataset.dataset_id)
    if connector is not None and connector.status is not ConnectorStatus.DISCONNECTED:
        return connector
    return connectors.create_connector(
        session,
        connector_id=derived_id("connector", held.dataset.dataset_id, held.operation.operation_id),
        dataset_id=held.dataset.dataset_id,
        kind="embedded",
        now=utcnow(),
    )


def endpoint_url(services: Services, connector_id: UUID) -> str:
    """Where clients reach a connector: rendered, never stored (C-33)."""
    return f"{services.settings.public_base}/connectors/{connector_id}"


def _generation_spec(services: Services, claim: Claim) -> tuple[Template, GenerationSpec]:
    with services.database.transaction() as session:
        dataset = fencing.hold(session, claim).dataset
        company = company_of(session, dataset)
    template = services.catalog.get(dataset.template_id)
    if template is None:
        raise PermanentError(
            f"Template {dataset.template_id} ('{dataset.template_name}') is not in the catalog any more.",
            details={"template_id": str(dataset.template_id)},
        )
    return template, GenerationSpec(
        template=template,
        vocabulary=services.catalog.vocabulary(template.industry),
        company=company,
        stage=dataset.stage,
        seed=dataset.seed,
        record_count=dataset.requested_count,
    )


def _connected_spec(session: Session, held: Held) -> ConnectorSpec:
    connector = connectors.of_dataset(session, held.dataset.dataset_id)
    if connector is None or connector.status is ConnectorStatus.DISCONNECTED:
        raise PermanentError("The dataset has no connector: run its `connector` asset first.")
    return connector_spec(held.dataset, connector, company_of(session, held.dataset))


def _folder_of(held: Held) -> str:
    folder = held.part.records_path or held.dataset.records_path
    if folder is None:
        raise PermanentError("The dataset has no records: run its `records` asset first.")
    return folder


def _to_validating(session: Session, held: Held) -> None:
    if held.dataset.status is DatasetStatus.PROVISIONING:
        datasets.move(session, held.dataset.dataset_id, DatasetStatus.VALIDATING)


def _documents(table: pa.Table, dataset_type_name: str) -> Iterator[Document]:
    dataset_type: DatasetType = DATASET_TYPES[dataset_type_name]
    for batch in table.to_batches():
        for row in batch.to_pylist():
            yield dataset_type.document(row)


def _after_check(session: Session, held: Held, claim: Claim) -> None:
    """Ends what the last check of this attempt ends: a validation, or a provisioning whose gate is closed."""
    made = quality.of_operation(session, dataset_id=claim.dataset_id, operation_id=claim.operation_id)
    spoken = {check for check, row in made.items() if row.attempt == claim.attempt}
    if claim.operation_type is OperationType.VALIDATION:
        fencing.step_done(session, held, len(spoken))
        asked = {CheckType(name) for name in held.operation.request.get("checks", list(CheckType))}
        if asked <= spoken:
            finish_dataset(session, held.operation, held.part, Outcome.READY, quality_score=held.dataset.quality_score)
        return
    if spoken != set(CheckType):
        return
    problem = gate_problem(session, held)
    if problem is None:
        fencing.step_done(session, held, 5)
    else:
        fail_dataset(
            session, held.operation, held.part, code=problem.code, message=problem.message, details=problem.details
        )
