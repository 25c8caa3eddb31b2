"""What a dataset's connector has served: counted by the day, and kept for good as totals (C-55).

Belongs here: SQL on ``usage_days`` and ``usage_before``. Functions take a session and never commit.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    delete,
    func,
    literal,
    select,
    text,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dataops_core.registry.tables import Dataset, UsageBefore, UsageDay


@dataclass(frozen=True, slots=True)
class Totals:
    """What was served in a dataset's whole life."""

    queries: int
    documents: int
    last_accessed_at: datetime | None


def record(session: Session, dataset_id: UUID, *, documents: int, now: datetime) -> None:
    """Counts one answered question with that many documents on ``now``'s day (UTC).

    The transaction does not wait for the disk: a crash of the database may lose the last counts, a search is never
    slowed by them. A dataset whose row is gone is not counted.
    """
    session.execute(text("SET LOCAL synchronous_commit TO OFF"))
    source = select(
        Dataset.dataset_id,
        literal(now.date(), Date),
        literal(1, BigInteger),
        literal(documents, BigInteger),
        literal(now, DateTime(timezone=True)),
    ).where(Dataset.dataset_id == dataset_id)
    statement = insert(UsageDay).from_select(["dataset_id", "day", "queries", "documents", "last_accessed_at"], source)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[UsageDay.dataset_id, UsageDay.day],
            set_={
                "queries": UsageDay.queries + 1,
                "documents": UsageDay.documents + documents,
                "last_accessed_at": func.greatest(UsageDay.last_accessed_at, now),
            },
        )
    )


def days(session: Session, dataset_id: UUID, *, first: date | None = None, last: date | None = None) -> list[UsageDay]:
    """The days with usage that are still kept, oldest first, ``first`` and ``last`` included."""
    return list(
        session.scalars(
            select(UsageDay)
            .where(
                UsageDay.dataset_id == dataset_id,
                UsageDay.day >= first if first else true(),
                UsageDay.day <= last if last else true(),
            )
            .order_by(UsageDay.day)
        )
    )


def totals(session: Session, dataset_id: UUID) -> Totals:
    """The sum of all days, kept or not."""
    every = union_all(
        *(
            select(table.queries, table.documents, table.last_accessed_at).where(table.dataset_id == dataset_id)
            for table in (UsageDay, UsageBefore)
        )
    ).subquery()
    queries, documents, last = session.execute(
        select(func.sum(every.c.queries), func.sum(every.c.documents), func.max(every.c.last_accessed_at))
    ).one()
    return Totals(int(queries or 0), int(documents or 0), last)


def fold(session: Session, *, before: datetime, limit: int) -> int:
    """Adds so many days that were over before then to their datasets' totals, and keeps them no more. How many.

    A dataset that somebody is removing is passed over.
    """
    # Its row is held first, as whoever removes a dataset has it: its days go with it.
    old = session.execute(
        select(UsageDay.dataset_id, UsageDay.day)
        .join(Dataset, Dataset.dataset_id == UsageDay.dataset_id)
        .where(UsageDay.day < before.date())
        .order_by(UsageDay.dataset_id, UsageDay.day)
        .limit(limit)
        .with_for_update(read=True, key_share=True, skip_locked=True, of=Dataset)
    ).all()
    if not old:
        return 0
    removed = session.execute(
        delete(UsageDay)
        .where(tuple_(UsageDay.dataset_id, UsageDay.day).in_([tuple(one) for one in old]))
        .returning(UsageDay.dataset_id, UsageDay.queries, UsageDay.documents, UsageDay.last_accessed_at)
        .execution_options(synchronize_session=False)
    ).all()
    by_dataset = defaultdict(list)
    for dataset_id, *counts in removed:
        by_dataset[dataset_id].append(counts)
    for dataset_id in sorted(by_dataset):
        queries, documents, accessed = zip(*by_dataset[dataset_id], strict=True)
        statement = insert(UsageBefore).values(
            dataset_id=dataset_id, queries=sum(queries), documents=sum(documents), last_accessed_at=max(accessed)
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[UsageBefore.dataset_id],
                set_={
                    "queries": UsageBefore.queries + statement.excluded.queries,
                    "documents": UsageBefore.documents + statement.excluded.documents,
                    "last_accessed_at": func.greatest(
                        UsageBefore.last_accessed_at, statement.excluded.last_accessed_at
                    ),
                },
            )
        )
    return len(removed)
