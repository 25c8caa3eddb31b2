"""What the API asks for, accepted whole or refused whole: one call, in the caller's one transaction.

Belongs here: whose place it is, and the rows that an accepted request makes. Does not belong here: what else is wrong
with a request (``asking.py``), and everything that happens afterwards (``steps.py``, ``teardown.py``).
Source: ``docs/contract.md`` C-34, C-40 … C-44, C-51, C-52.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dataops_core.acting import for_operation
from dataops_core.clock import utcnow
from dataops_core.company.build import company_name
from dataops_core.company.model import DEFAULT_LOCALE
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import ConflictError
from dataops_core.generation.seeding import default_seed
from dataops_core.ids import new_id
from dataops_core.lifecycle import (
    DatasetStatus,
    OperationStatus,
    OperationType,
    TeardownReason,
)
from dataops_core.provisioning.asking import ProvisioningRequest, check_locale, choose_templates
from dataops_core.provisioning.reopening import reopen
from dataops_core.provisioning.settlement import preempt
from dataops_core.registry import customers, datasets, journeys, operations
from dataops_core.registry.tables import Dataset, Operation, OperationDataset
from dataops_core.templates.loader import Catalog
from dataops_core.templates.model import Template

_PURGES = "archive=false purges an archive that is kept"
_NOTHING_TO_PURGE = "There is no archive of it to purge"


def accept_provisioning(
    session: Session, catalog: Catalog, request: ProvisioningRequest, *, max_record_count: int
) -> Operation:
    """Makes the operation and its datasets, or nothing at all.

    Raises InvalidRequestError (details: field → reason) and ConflictError (C-44: the first type in the order asked;
    C-92: a journey that has ended).
    """
    templates = choose_templates(session, catalog, request, max_record_count=max_record_count)
    _must_go_on(session, request)
    now = utcnow()
    locale = request.locale or DEFAULT_LOCALE
    customer = customers.find(session, request.client_id) or customers.ensure(
        session,
        client_id=request.client_id,
        locale=locale,
        company_name=company_name(request.client_id, locale),
        now=now,
    )
    check_locale(request, customer)  # another request may have made the customer meanwhile
    rows: list[Dataset] = []
    operation_id = new_id()
    for dataset_type, template in templates:
        with for_operation(operation_id):
            _clear_place(session, request, dataset_type)
        rows.append(_dataset(request, template, operation_id, company=customer.company_name))
    try:
        with session.begin_nested():
            session.add_all(rows)
            session.flush()
    except IntegrityError:
        # Another request took a place between the look and the write: now it can be seen.
        for dataset_type, _ in templates:
            _refuse_held_place(session, request, dataset_type)
        raise
    return operations.create(
        session,
        operation_id=operation_id,
        operation_type=OperationType.PROVISIONING,
        client_id=request.client_id,
        stage=request.stage,
        datasets=[(row.dataset_id, row.dataset_type) for row in rows],
        api_client_id=request.api_client_id,
        request_id=request.request_id,
    )


def accept_teardown(
    session: Session,
    dataset_id: UUID,
    *,
    reason: TeardownReason,
    archive: bool,
    customers: Sequence[UUID] | None = None,
    api_client_id: UUID | None = None,
    request_id: str | None = None,
) -> Operation:
    """Starts, finds or goes on with the teardown of a dataset (C-51, C-52).

    Raises NotFoundError, and ConflictError where the dataset is archived already or a running teardown differs.
    """
    dataset = datasets.get_visible(session, dataset_id, customers=customers)
    # A teardown that failed is no active operation, and is locked before the dataset as those are.
    ended = None
    if dataset.status is DatasetStatus.TEARDOWN:
        ended = operations.newest_teardown_of(session, dataset_id, lock=True)
    dataset, active = operations.lock_with_active(session, dataset_id)
    if active is not None and active.operation_type is OperationType.TEARDOWN:
        _must_agree(active, archive)
        return active
    if dataset.status is DatasetStatus.TEARDOWN:
        ended = ended or operations.newest_teardown_of(session, dataset_id, lock=True)
        if ended is not None and ended.status is not OperationStatus.COMPLETED:
            _must_agree(ended, archive)
            reopen(session, ended)
            return ended
    elif dataset.status is DatasetStatus.ARCHIVED:
        if archive or dataset.archive_path is None:
            raise ConflictError(
                "Dataset is archived already",
                details={"dataset_id": str(dataset_id), "conflict": _PURGES if archive else _NOTHING_TO_PURGE},
            )
    elif active is not None:
        part = session.get_one(OperationDataset, (active.operation_id, dataset_id), populate_existing=True)
        preempt(session, active, part)
    moves = dataset.status not in {DatasetStatus.ARCHIVED, DatasetStatus.TEARDOWN}
    operation = operations.create(
        session,
        operation_type=OperationType.TEARDOWN,
        client_id=dataset.client_id,
        stage=dataset.stage,
        datasets=[(dataset_id, dataset.dataset_type)],
        request={"reason": reason.value, "archive": archive},
        api_client_id=api_client_id,
        request_id=request_id,
    )
    if moves:  # after its operation is there: the audit log shows for which a dataset moves
        datasets.move(session, dataset_id, DatasetStatus.TEARDOWN)
    return operation


def _must_agree(operation: Operation, archive: bool) -> None:
    if operation.request["archive"] != archive:
        raise ConflictError(
            f"The dataset is being torn down with archive={str(operation.request['archive']).lower()}",
            details={"operation_id": str(operation.operation_id)},
        )


def _must_go_on(session: Session, request: ProvisioningRequest) -> None:
    """Refuses datasets for a journey that has ended, and holds it open meanwhile: before any other lock is taken."""
    ended_at = journeys.ended_at(session, client_id=request.client_id, journey_id=request.journey_id)
    if ended_at is not None:
        raise ConflictError(
            "Journey has ended",
            details={"journey_id": str(request.journey_id), "conflict": "A journey that has ended gets no datasets"},
        )


def _refuse_held_place(session: Session, request: ProvisioningRequest, dataset_type: str) -> None:
    holder = datasets.holder_of(session, client_id=request.client_id, stage=request.stage, dataset_type=dataset_type)
    if holder is None:
        return
    conflict = f"Dataset of type '{dataset_type}' already exists for client/stage"
    if holder.status is DatasetStatus.TEARDOWN:
        conflict = f"Dataset of type '{dataset_type}' for client/stage is being torn down; ask again when that is done"
    raise ConflictError(
        "Dataset already exists", details={"existing_dataset_id": str(holder.dataset_id), "conflict": conflict}
    )


def _clear_place(session: Session, request: ProvisioningRequest, dataset_type: str) -> None:
    """Refuses a place that is held, and archives a failed dataset that the new one replaces (C-44)."""
    _refuse_held_place(session, request, dataset_type)
    failed = datasets.failed_of(session, client_id=request.client_id, stage=request.stage, dataset_type=dataset_type)
    if failed is None:
        return
    try:
        datasets.move(session, failed.dataset_id, DatasetStatus.ARCHIVED, source=DatasetStatus.FAILED)
    except ConflictError:
        # Another request replaced it first, or it is tried again: now the place's holder can be seen.
        _refuse_held_place(session, request, dataset_type)


def _dataset(request: ProvisioningRequest, template: Template, operation_id: UUID, *, company: str) -> Dataset:
    now = utcnow()
    dataset_type = DATASET_TYPES[template.dataset_type]
    custom = dict(request.metadata.get("custom_fields") or {})
    customer = str(custom.get("client_name") or company).strip()
    meta = {
        "industry": template.industry.value,
        "use_case": template.use_case,
        "tags": list(request.metadata.get("tags") or []),
        "requested_by": request.metadata.get("requested_by"),
        "reason": request.metadata.get("reason"),
        "custom_fields": custom,
    }
    seed = request.seed
    if seed is None:
        seed = default_seed(request.client_id, request.stage, dataset_type.name)
    return Dataset(
        dataset_id=new_id(),
        name=f"{customer}-{request.stage.value.capitalize()}-{dataset_type.label}",
        dataset_type=dataset_type.name,
        stage=request.stage,
        client_id=request.client_id,
        journey_id=request.journey_id,
        status=DatasetStatus.PROVISIONING,
        created_at=now,
        updated_at=now,
        template_id=template.template_id,
        template_version=template.version,
        template_name=template.name,
        seed=seed,
        requested_count=request.record_count or template.record_counts.of(request.stage),
        meta=meta,
        operation_id=operation_id,
        has_remains=False,
    )
