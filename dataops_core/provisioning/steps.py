"""The first four steps of a provisioning, each one function that a Dagster asset calls; ``proving.py`` has the rest.

Each claims its dataset, does its work, and writes the result in one transaction under the claim. Each may be run again:
what an earlier try left is found or replaced. Source: ``docs/contract.md`` C-35, C-62, C-83; the order of the steps is
``lifecycle.PROVISIONING_STEPS``.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pyarrow as pa

from dataops_core import fault_points
from dataops_core.company.model import Company
from dataops_core.connectors.protocol import ConnectorSpec, LoadReport
from dataops_core.dataset_types.base import Document, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import PermanentError
from dataops_core.figures.counting import Figures
from dataops_core.generation import arrays
from dataops_core.generation.blocks import blocks_of
from dataops_core.generation.pieces import KeptRecords, Records, evenly
from dataops_core.generation.records import RecordsReport, write_encoded, write_records
from dataops_core.lifecycle import (
    DatasetStatus,
    OperationType,
)
from dataops_core.provisioning import fencing, particulars
from dataops_core.provisioning.ahead import Meanwhile
from dataops_core.provisioning.fencing import Claim
from dataops_core.provisioning.prepared import Prepared
from dataops_core.provisioning.records_ahead import MadeAhead, lay_out
from dataops_core.provisioning.removal import remove_remains
from dataops_core.provisioning.services import Services, StepContext
from dataops_core.provisioning.step import step
from dataops_core.quality.keeping import keep_queries, queries_of
from dataops_core.quality.planted_defects import counts, planted_defects, to_jsonl
from dataops_core.quality.query_set import QuerySet
from dataops_core.registry import datasets
from dataops_core.storage import DEFECTS_FILE, MANIFEST_FILE, RECORDS_FILE
from dataops_core.templates.model import Template

_PROVISIONING = (OperationType.PROVISIONING,)

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
    """Step 3's result; ``sample`` is a few of the records, ``figures`` counts all of them."""

    dataset_id: UUID
    report: RecordsReport
    sample: pa.Table
    figures: Figures


@dataclass(frozen=True, slots=True)
class IndexedRecords:
    """Step 4's result."""

    dataset_id: UUID
    report: LoadReport
    endpoint_url: str
    query_count: int


def resolve_template(context: StepContext) -> ResolvedTemplate:
    """Step 1: which template, which company; and removes what a replaced dataset or an earlier try left behind."""
    services = context.services
    with step(context, _PROVISIONING, 1) as claim, _leading_to_records(context, claim):
        with services.database.transaction() as session:
            dataset = claim.found.dataset
            replaced = datasets.remains_of_place(
                session, client_id=dataset.client_id, stage=dataset.stage, dataset_type=dataset.dataset_type
            )
            ids = [row.dataset_id for row in replaced]
        for dataset_id in ids:
            remove_remains(services, dataset_id)
        template, spec = _generation_spec(services, claim)
        _begin_records(context, claim, spec)
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
    with step(context, _PROVISIONING, 2) as claim, _leading_to_records(context, claim):
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            held.dataset.has_remains = True
            connector = particulars.ensure_connector(session, held)
            spec = particulars.connector_spec(held.dataset, connector, particulars.locale_of(session, held))
        services.connector.provision(spec)
        with services.database.transaction() as session:
            fencing.step_done(session, fencing.hold(session, claim), 2)
        return CreatedConnector(claim.dataset_id, spec, particulars.endpoint_url(services, spec.connector_id))


def populate_records(context: StepContext) -> PopulatedRecords:
    """Step 3: the records, in a folder of this attempt's own."""
    services, storage = context.services, context.services.storage
    dataset_type = DATASET_TYPES[context.dataset_type]
    with step(context, _PROVISIONING, 3) as claim:
        _, spec = _generation_spec(services, claim)
        folder = _own_folder(context, claim)
        ahead = services.records_ahead.take(folder, spec)
        prepared = None if ahead is None else _begun(context, claim, folder, ahead.records)
        if not claim.found.dataset.has_remains:
            with services.database.transaction() as session:
                fencing.hold(session, claim).dataset.has_remains = True
        abandoned = set(storage.tries_of(claim.dataset_id)) - {claim.found.dataset.records_path}
        for left in sorted(abandoned):
            storage.remove(left)
        report, records = _store(context, spec, folder, ahead)
        if ahead is not None:
            Meanwhile(lambda: _read_back(services, folder, prepared), "stored-records").begin()
        if prepared is None and context.index_follows and isinstance(records, KeptRecords):
            prepared = _begun(context, claim, folder, records)
        if prepared is not None:
            services.preparations.keep(folder, prepared)
        defects = planted_defects(spec, dataset_type, records)
        storage.write_bytes(f"{folder}/{DEFECTS_FILE}", to_jsonl(defects))
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
                "defects": counts(defects),
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
        figures = Figures.of(dataset_type, (batch for piece in records.pieces() for batch in piece.to_batches()))
        first = next(records.pieces())
        sample = first.take(arrays.integers(evenly(first.num_rows, SAMPLE_ROWS)))
        return PopulatedRecords(claim.dataset_id, report, sample, figures)


def index_records(context: StepContext) -> IndexedRecords:
    """Step 4: the whole content pushed to the connector over HTTP, published there in one go.

    The ten test queries are drawn by then, or while the connector is at it.
    """
    services = context.services
    with step(context, _PROVISIONING, 4) as claim:
        with services.database.transaction() as session:
            spec = particulars.connected_spec(session, claim.found)
        folder = particulars.folder_of(claim.found)
        prepared = services.preparations.take(folder)
        if prepared is None:
            prepared = _begun(context, claim, folder, services.tables.open(services.storage, folder))
        upload_id = f"{folder.rsplit('/', 1)[-1]}-{claim.run_id[-12:]}"
        report = services.connector.load(spec, prepared.documents(), upload_id=upload_id)
        queries = prepared.queries()
        keep_queries(services.storage, folder, queries)
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            held.part.upload_id = upload_id
            if held.dataset.status is DatasetStatus.READY:
                # A ready dataset that is made again serves the new index from this moment on.
                held.dataset.upload_id = upload_id
            else:
                particulars.to_validating(session, held)
            fencing.step_done(session, held, 4)
        endpoint = particulars.endpoint_url(services, spec.connector_id)
        return IndexedRecords(claim.dataset_id, report, endpoint, len(queries))


@contextmanager
def _leading_to_records(context: StepContext, claim: Claim) -> Iterator[None]:
    """Where the block fails, nobody will come for the records that are made ahead."""
    try:
        yield
    except BaseException:
        context.services.records_ahead.drop(_own_folder(context, claim))
        raise


def _begin_records(context: StepContext, claim: Claim, spec: GenerationSpec) -> None:
    """Has this process go ahead with the records, where it is the one that builds and indexes them."""
    services, dataset_type = context.services, DATASET_TYPES[context.dataset_type]
    if context.index_follows and services.settings.dask_scheduler is None:
        services.records_ahead.begin(_own_folder(context, claim), dataset_type, spec, blocks_of(services.settings))
    else:
        lay_out(dataset_type, spec)


def _own_folder(context: StepContext, claim: Claim) -> str:
    """Where the records of this attempt lie, and no others."""
    return f"{context.services.storage.dataset_folder(claim.dataset_id)}/{claim.run_id[:8]}-{claim.attempt}"


def _store(
    context: StepContext, spec: GenerationSpec, folder: str, ahead: MadeAhead | None
) -> tuple[RecordsReport, Records]:
    """Writes the records' file. The records are as they were built ahead, else as they are stored now."""
    services, storage = context.services, context.services.storage
    path = storage.path(f"{folder}/{RECORDS_FILE}")

    def written(_: int) -> None:
        fault_points.reached("generating")

    if ahead is not None:
        return write_encoded(ahead.encoded.result(), storage.filesystem, path, on_block=written), ahead.records
    blocks = blocks_of(services.settings)
    dataset_type = DATASET_TYPES[context.dataset_type]
    report = write_records(spec, dataset_type, storage.filesystem, path, blocks=blocks, on_block=written)
    return report, services.tables.open(storage, folder)


def _read_back(services: Services, folder: str, prepared: Prepared | None) -> Records:
    """What is stored, for the checks, once nobody waits for the queries any more."""
    if prepared is not None:
        prepared.queries()
    return services.tables.open(services.storage, folder)


def _begun(context: StepContext, claim: Claim, folder: str, records: Records) -> Prepared:
    """What the index step needs of these records, begun where that can be."""
    dataset_type = DATASET_TYPES[context.dataset_type]
    storage, seed = context.services.storage, claim.found.dataset.seed

    def draw(made: Sequence[Document] | None) -> QuerySet:
        return queries_of(storage, folder, records, dataset_type, seed=seed, documents=made)

    prepared = Prepared(records, dataset_type, draw)
    prepared.begin()
    return prepared


def _generation_spec(services: Services, claim: Claim) -> tuple[Template, GenerationSpec]:
    dataset = claim.found.dataset
    with services.database.transaction() as session:
        company = particulars.company_of(session, claim.found)
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
