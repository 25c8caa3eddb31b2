"""Which files the registry rests on, as one look at it says: for whoever copies both together.

Belongs here: the question. Does not belong here: where a folder or a generation lies on disk (``storage.py``,
``connectors/embedded/files.py``), and what is done with the files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, and_, func, or_, select

from dataops_core.lifecycle import ConnectorStatus, DatasetStatus, Outcome
from dataops_core.registry.tables import Connector, Dataset, Operation, OperationDataset


@dataclass(frozen=True, slots=True)
class Holding:
    """What one dataset has on disk. Folders are relative to the storage root.

    ``drafts`` are folders of operations that are under way or failed, which a retry may go on with; ``indexes`` are the
    generations that its connectors serve.
    """

    dataset_id: UUID
    status: DatasetStatus
    records: str | None
    archive: str | None
    drafts: Sequence[str]
    indexes: Sequence[tuple[UUID, str]]


def all_holdings(connection: Connection) -> list[Holding]:
    """The holdings of every dataset."""
    drafts: dict[UUID, list[str]] = {}
    unfinished = or_(OperationDataset.active, OperationDataset.outcome == Outcome.FAILED)
    for dataset_id, folder in connection.execute(
        select(OperationDataset.dataset_id, OperationDataset.records_path)
        .where(and_(OperationDataset.records_path.is_not(None), unfinished))
        .distinct()
    ):
        drafts.setdefault(dataset_id, []).append(folder)
    indexes: dict[UUID, list[tuple[UUID, str]]] = {}
    for dataset_id, connector_id, generation in connection.execute(
        select(Connector.dataset_id, Connector.connector_id, Connector.generation).where(
            Connector.generation.is_not(None), Connector.status != ConnectorStatus.DISCONNECTED
        )
    ):
        indexes.setdefault(dataset_id, []).append((connector_id, generation))
    return [
        Holding(
            row.dataset_id,
            row.status,
            row.records_path,
            row.archive_path,
            drafts.get(row.dataset_id, ()),
            indexes.get(row.dataset_id, ()),
        )
        for row in connection.execute(
            select(Dataset.dataset_id, Dataset.status, Dataset.records_path, Dataset.archive_path)
        )
    ]


def counted(connection: Connection) -> dict[str, int]:
    """How many datasets and operations there are."""
    return {
        "datasets": connection.scalar(select(func.count()).select_from(Dataset)) or 0,
        "operations": connection.scalar(select(func.count()).select_from(Operation)) or 0,
    }
