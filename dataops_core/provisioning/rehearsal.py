"""What a run's steps do, done once in small, so that a process that is forked afterwards has it all loaded.

Libraries load a good part of themselves at the first record that they make or the first frame that they check. One
dataset type has them do so for all: what is prepared for the records of a template serves no other. Nothing here asks a
connector, leaves a file behind or starts a thread: Arrow reads and converts tables in threads of its own, so here it is
told not to. What the registry is asked is rolled back, and the connection closed.
"""

import io
import logging
from contextlib import suppress
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
from pandera.errors import SchemaErrors
from sqlalchemy.orm import Session, configure_mappers

from dataops_core.clock import utcnow
from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import DatasetType, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import DataOpsError
from dataops_core.ids import new_id
from dataops_core.lifecycle import (
    CheckStatus,
    CheckType,
    DatasetStatus,
    Environment,
    Finding,
    OperationType,
    Outcome,
    Stage,
)
from dataops_core.provisioning import fencing, particulars
from dataops_core.provisioning.asking import ProvisioningRequest
from dataops_core.provisioning.fencing import Held, RunIdentity
from dataops_core.provisioning.gate import gate_problem
from dataops_core.provisioning.requests import accept_provisioning
from dataops_core.provisioning.services import Services
from dataops_core.provisioning.settlement import finish_dataset
from dataops_core.quality import schema_validation  # noqa: F401  loaded for the runs
from dataops_core.quality.model import CheckResult
from dataops_core.quality.query_drawing import make_queries
from dataops_core.registry import connectors, datasets, quality
from dataops_core.templates.loader import Catalog

_log = logging.getLogger(__name__)

_NOBODY = UUID(int=0)
_ROWS = 40


def rehearse(catalog: Catalog) -> None:
    """Loads each dataset type; makes and checks a few records of one, and throws them away."""
    configure_mappers()
    for dataset_type in DATASET_TYPES.values():
        _ = dataset_type.schema
    _rehearse(next(iter(DATASET_TYPES.values())), catalog)


def rehearse_registry(services: Services) -> None:
    """A whole provisioning as far as the registry sees it, rolled back.

    SQLAlchemy writes each statement out at its first use, which takes longer than the statement; an engine keeps what
    it has written out. Where the registry cannot be had, runs write their statements out themselves.
    """
    try:
        with suppress(_EnoughError), services.database.transaction() as session:
            _provision(session, services)
            raise _EnoughError
    except DataOpsError as error:
        _log.warning("The registry's statements are not prepared: %s", error.message)
    finally:
        services.database.close()


class _EnoughError(Exception):
    """Ends a transaction without a trace."""


def _provision(session: Session, services: Services) -> None:
    """What each step reads and writes, in the order of a run, flushed where a step would commit."""
    dataset_type = next(iter(DATASET_TYPES))
    request = ProvisioningRequest(
        journey_id=new_id(), client_id=new_id(), stage=Stage.SANDBOX, dataset_types=(dataset_type,)
    )
    most = services.settings.max_record_count
    operation_id = accept_provisioning(session, services.catalog, request, max_record_count=most).operation_id
    run, environment = RunIdentity("rehearsal", operation_id), Environment(request.stage, request.client_id)

    def begun(step: int | None) -> Held:
        claim = fencing.claim(
            session,
            run,
            environment=environment,
            dataset_type=dataset_type,
            kinds=(OperationType.PROVISIONING,),
            step=step,
        )
        return fencing.hold(session, claim)

    held = begun(1)
    dataset_id = held.dataset.dataset_id
    datasets.remains_of_place(session, client_id=request.client_id, stage=request.stage, dataset_type=dataset_type)
    particulars.company_of(session, held)
    fencing.step_done(session, held, 1)
    held = begun(2)
    held.dataset.has_remains = True
    connector_id = particulars.ensure_connector(session, held).connector_id
    fencing.step_done(session, held, 2)
    held = begun(3)
    held.part.records_path = "rehearsal"
    held.dataset.record_count = held.dataset.size_bytes = 1
    fencing.step_done(session, held, 3)
    held = begun(4)
    particulars.connected_spec(session, held)
    held.part.upload_id = "rehearsal"
    particulars.to_validating(session, held)
    fencing.step_done(session, held, 4)
    for check in CheckType:
        held = begun(None)
        result = CheckResult(check, CheckStatus.PASSED, Decimal(100), "rehearsal", {})
        quality.add(
            session,
            result,
            dataset_id=dataset_id,
            operation_id=operation_id,
            attempt=1,
            executed_at=utcnow(),
            duration_ms=0,
        )
        connectors.observe(session, connector_id, Finding.CLEAN, None, explicit=True, now=utcnow())
        held.dataset.quality_score = quality.current(session, dataset_id).overall
        session.flush()
        gate_problem(session, held.operation, held.dataset)
    held = begun(6)
    datasets.move(
        session,
        dataset_id,
        DatasetStatus.READY,
        records_path="rehearsal",
        records_sha256="0" * 64,
        upload_id="rehearsal",
        record_count=1,
        size_bytes=1,
        quality_score=Decimal(100),
        archived_at=None,
    )
    held.part.steps_done = held.operation.total_steps
    finish_dataset(session, held.operation, held.part, Outcome.READY, quality_score=Decimal(100))


def _rehearse(dataset_type: DatasetType, catalog: Catalog) -> None:
    template = catalog.for_type(dataset_type.name)[0]
    spec = GenerationSpec(
        template=template,
        vocabulary=catalog.vocabulary(template.industry),
        company=build_company(_NOBODY),
        stage=Stage.SANDBOX,
        seed=0,
        record_count=_ROWS,
    )
    batch = dataset_type.builder(spec).rows(0, _ROWS)
    table = pa.Table.from_batches([batch])
    pq.write_table(table, io.BytesIO(), compression="zstd")
    make_queries(table, dataset_type, seed=0)
    for row in batch.to_pylist():
        dataset_type.document(row)
    with suppress(SchemaErrors):
        dataset_type.schema.validate(table.to_pandas(use_threads=False), lazy=True)
