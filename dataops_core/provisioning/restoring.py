"""Restoring an archived dataset: the request, and the four steps of its run. Each may be run again (C-54).

The archived bytes, compared with their manifest first, become the dataset's records again, under the same id, with a
new connector; the checks are those of a provisioning (``proving.py``). The archive stays. A restore that comes to
nothing leaves the dataset archived as it was and its connector disconnected; files of a run that was killed are removed
by the next try, by a dataset that takes the place, or with the archive. So nothing of an earlier attempt is there to go
on from: a step that finds its run began in the middle (a rerun from the failure) does the steps before it as well.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_core.acting import Acting, ActorKind, acting, known
from dataops_core.clock import rfc3339
from dataops_core.connectors.protocol import ConnectorSpec, LoadReport
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import CheckInconclusiveError, ConflictError, PermanentError, QualityGateError, StorageError
from dataops_core.lifecycle import CheckStatus, CheckType, DatasetStatus, OperationType
from dataops_core.provisioning import fencing, particulars, proving
from dataops_core.provisioning.archive import RESTORED_FILES, verify_archive
from dataops_core.provisioning.fencing import Claim
from dataops_core.provisioning.prepared import handed_over
from dataops_core.provisioning.removal import remove_index, remove_records, remove_remains
from dataops_core.provisioning.services import Services, StepContext
from dataops_core.provisioning.step import step
from dataops_core.quality.model import CheckResult
from dataops_core.registry import connectors, datasets, operations
from dataops_core.registry.tables import Dataset, Operation
from dataops_core.storage import MANIFEST_FILE, RECORDS_FILE

_log = logging.getLogger(__name__)

_RESTORE = (OperationType.RESTORE,)


@dataclass(frozen=True, slots=True)
class RestoredRecords:
    """Step 1's result."""

    dataset_id: UUID
    record_count: int
    size_bytes: int
    sha256: str
    archived_at: str


@dataclass(frozen=True, slots=True)
class RestoredConnector:
    """Step 2's result."""

    dataset_id: UUID
    spec: ConnectorSpec
    report: LoadReport
    endpoint_url: str


def accept_restore(
    session: Session,
    dataset_id: UUID,
    *,
    customers: Sequence[UUID] | None = None,
    api_client_id: UUID | None = None,
    request_id: str | None = None,
) -> Operation:
    """Starts the restore of an archived dataset, which takes its place again; a failed dataset there is replaced.

    Raises NotFoundError, and ConflictError where it is not archived, no archive of it is kept, another operation works
    on it, or another dataset holds its place.
    """
    datasets.get_visible(session, dataset_id, customers=customers)
    dataset, active = operations.lock_with_active(session, dataset_id)
    details = {"dataset_id": str(dataset_id), "status": dataset.status.value}
    if active is not None:
        details["operation_id"] = str(active.operation_id)
    if dataset.status is not DatasetStatus.ARCHIVED:
        raise ConflictError(f"Dataset is not archived: it is {dataset.status}", details=details)
    if active is not None:
        raise ConflictError("Another operation works on the dataset", details=details)
    if dataset.archive_removed_at is not None:
        removed_at = rfc3339(dataset.archive_removed_at)
        raise ConflictError(
            f"The dataset's archive was removed for its age at {removed_at}",
            details=details | {"archive_removed_at": removed_at},
        )
    if dataset.archive_path is None:
        raise ConflictError("No archive of the dataset is kept", details=details)
    failed = datasets.failed_of(
        session, client_id=dataset.client_id, stage=dataset.stage, dataset_type=dataset.dataset_type
    )
    if failed is not None:
        datasets.move(session, failed.dataset_id, DatasetStatus.ARCHIVED, source=DatasetStatus.FAILED)
    operation = operations.create(
        session,
        operation_type=OperationType.RESTORE,
        client_id=dataset.client_id,
        stage=dataset.stage,
        datasets=[(dataset_id, dataset.dataset_type)],
        api_client_id=api_client_id,
        request_id=request_id,
    )
    datasets.take_place(session, dataset, archived_at=dataset.archived_at)
    return operation


def restore_records(context: StepContext) -> RestoredRecords:
    """Step 1: the archived bytes, found whole, in a folder of this attempt's own."""
    services, storage = context.services, context.services.storage
    with _leaving_nothing(context, 1), step(context, _RESTORE, 1) as claim:
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            archive, digest = held.dataset.archive_path, held.dataset.records_sha256
            replaced = datasets.remains_of_place(
                session,
                client_id=held.dataset.client_id,
                stage=held.dataset.stage,
                dataset_type=held.dataset.dataset_type,
            )
            ids = [row.dataset_id for row in replaced]
        if archive is None:
            raise PermanentError("No archive of the dataset is kept.")
        for dataset_id in ids:
            remove_remains(services, dataset_id)
        remove_index(services, claim.dataset_id)
        remove_records(services, claim.dataset_id)
        manifest = verify_archive(storage, archive, else_="nothing was restored")
        records = manifest.get("records")
        if not isinstance(records, dict) or manifest["files"][RECORDS_FILE]["sha256"] != digest:
            raise StorageError("The archive's manifest.json is not of this dataset's records; nothing was restored.")
        with services.database.transaction() as session:
            fencing.hold(session, claim).dataset.has_remains = True
        folder = _folder(services, claim)
        for name in RESTORED_FILES:
            if name not in manifest["files"]:
                continue
            storage.copy(f"{archive}/{name}", f"{folder}/{name}")
            if storage.sha256(f"{folder}/{name}") != manifest["files"][name]["sha256"]:
                raise StorageError(f"{name} could not be copied out of the archive whole; nothing was restored.")
        storage.write_json(f"{folder}/{MANIFEST_FILE}", records)
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            held.part.records_path = folder
            fencing.step_done(session, held, 1)
        return RestoredRecords(
            claim.dataset_id,
            records["record_count"],
            records["size_bytes"],
            records["sha256"],
            manifest["archived_at"],
        )


def create_connector(context: StepContext) -> RestoredConnector:
    """Step 2: a new connector with tokens of its own, and the records in its index."""
    services = context.services
    with _leaving_nothing(context, 2) as begun:
        if not _has_records(services, begun):
            restore_records(context)
        return _create_connector(context)


def _create_connector(context: StepContext) -> RestoredConnector:
    services = context.services
    with step(context, _RESTORE, 2) as claim:
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            connector = particulars.ensure_connector(session, held)
            spec = particulars.connector_spec(held.dataset, connector, particulars.locale_of(session, held))
            folder = particulars.folder_of(held)
        services.connector.provision(spec)
        records = services.tables.open(services.storage, folder)
        upload_id = _upload_id(services, claim)
        pushed = handed_over(records, DATASET_TYPES[context.dataset_type])
        report = services.connector.load(spec, pushed, upload_id=upload_id)
        with services.database.transaction() as session:
            held = fencing.hold(session, claim)
            held.part.upload_id = upload_id
            particulars.to_validating(session, held)
            fencing.step_done(session, held, 2)
        return RestoredConnector(claim.dataset_id, spec, report, particulars.endpoint_url(services, spec.connector_id))


def validate_quality(context: StepContext) -> list[CheckResult]:
    """Step 3: the four checks, all of them whatever the others say. Raises where one did not pass."""
    with _leaving_nothing(context, 3) as begun:
        if not _has_index(context.services, begun):
            create_connector(context)
        results = [proving.run_check(context, check) for check in CheckType]
        bad = [result for result in results if result.status is not CheckStatus.PASSED]
        said = "; ".join(f"{result.check_type}: {result.details}" for result in bad)
        if any(result.status is CheckStatus.FAILED for result in bad):
            raise QualityGateError(f"The dataset did not pass its quality checks ({said}).")
        if bad:
            raise CheckInconclusiveError(f"A quality check could not tell ({said}).")
        return results


def publish_dataset(context: StepContext) -> proving.PublishedDataset:
    """Step 4: the dataset is ready again."""
    with _leaving_nothing(context, 4) as begun:
        if not _has_index(context.services, begun):
            validate_quality(context)
        return proving.publish(context)


def _has_records(services: Services, claim: Claim) -> bool:
    """Whether this attempt has restored the records."""
    with services.database.transaction() as session:
        return fencing.hold(session, claim).part.records_path == _folder(services, claim)


def _has_index(services: Services, claim: Claim) -> bool:
    """Whether this attempt has restored the records and put them into its connector's index."""
    with services.database.transaction() as session:
        part = fencing.hold(session, claim).part
        return part.records_path == _folder(services, claim) and part.upload_id == _upload_id(services, claim)


@contextmanager
def _leaving_nothing(context: StepContext, number: int) -> Iterator[Claim]:
    """Removes what this attempt has made where the block does not end well, an interrupt included."""
    run = context.run
    with acting(Acting(ActorKind.RUN, run.run_id, operation_id=run.operation_id)):
        with context.services.database.transaction() as session:
            claim = fencing.claim(
                session,
                run,
                environment=context.environment,
                dataset_type=context.dataset_type,
                kinds=_RESTORE,
                step=number,
            )
        known(operation_id=claim.operation_id, request_id=claim.request_id)
        try:
            yield claim
        except BaseException:
            try:
                _clean_up(context.services, claim)
            except Exception:
                # The step's own error matters more; the next try removes what is left.
                _log.warning("what a restore left could not be removed", exc_info=True)
            raise


def _clean_up(services: Services, claim: Claim) -> None:
    """Removes this attempt's own folder and index, unless they were published. Others' are left alone."""
    folder = _folder(services, claim)
    with services.database.transaction() as session:
        dataset = session.get(Dataset, claim.dataset_id)
        if dataset is not None and dataset.records_path == folder:
            return
    services.storage.remove(folder)
    connector_id = particulars.new_connector_id(claim.dataset_id, claim.operation_id, claim.attempt)
    with services.database.transaction() as session:
        made = connectors.get(session, connector_id) is not None
    if made:
        services.connector.teardown(
            ConnectorSpec(connector_id, name="", object_type="", category="", url_regex="", facets=())
        )
    with services.database.transaction() as session:
        operations.get(session, claim.operation_id, lock=True)
        dataset = session.get(Dataset, claim.dataset_id, with_for_update=True, populate_existing=True)
        if (
            dataset is not None
            and dataset.operation_id == claim.operation_id
            and dataset.status is DatasetStatus.ARCHIVED
        ):
            dataset.has_remains = False


def _upload_id(services: Services, claim: Claim) -> str:
    return f"{_folder(services, claim).rsplit('/', 1)[-1]}-{claim.run_id[-12:]}"


def _folder(services: Services, claim: Claim) -> str:
    return f"{services.storage.dataset_folder(claim.dataset_id)}/{claim.run_id[:8]}-{claim.attempt}"
