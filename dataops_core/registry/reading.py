"""Datasets and operations to be shown: each read by one question, without a lock (``looking.py``).

Rows for looking at, never for changing: ids are text, enumerations their values, so that an answer is made of them
without a conversion. A statement is built once for each set of filters, since building costs as much as asking. Does
not belong here: whatever decides by what it reads; that is done under locks in ``datasets.py`` and ``operations.py``.
Source: ``docs/contract.md`` C-8, C-30 … C-33, C-80 … C-84.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    String,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import aliased

from dataops_core.registry.connectors import DISCONNECTED
from dataops_core.registry.looking import Looking, Row
from dataops_core.registry.tables import Connector, Dataset, DatasetCount, Operation, OperationCount, OperationDataset


class DatasetSort(StrEnum):
    """Orders of a list (C-30); ties go by dataset_id."""

    OLDEST = "created_at"
    NEWEST = "-created_at"
    NAME = "name"
    SCORE = "quality_score"


#: The filters of a list, each with the condition that it sets (C-30). ``customers`` is what an API client is bound to.
_FILTERS: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    "client_id": lambda: Dataset.client_id == bindparam("client_id"),
    "journey_id": lambda: Dataset.journey_id == bindparam("journey_id"),
    "stage": lambda: Dataset.stage == bindparam("stage"),
    "status": lambda: Dataset.status == bindparam("status"),
    "dataset_type": lambda: Dataset.dataset_type == bindparam("dataset_type"),
    "operation_id": lambda: Dataset.dataset_id.in_(
        select(OperationDataset.dataset_id).where(OperationDataset.operation_id == bindparam("operation_id"))
    ),
    "created_from": lambda: Dataset.created_at >= bindparam("created_from"),
    "created_to": lambda: Dataset.created_at < bindparam("created_to"),
    "tag": lambda: Dataset.meta["tags"].contains(func.jsonb_build_array(cast(bindparam("tag"), Text))),
    "customers": lambda: Dataset.client_id == any_(bindparam("customers", type_=ARRAY(Uuid(as_uuid=True)))),
}

#: The filters by which counts are kept.
_COUNTED: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    "stage": lambda: DatasetCount.stage == bindparam("stage"),
    "status": lambda: DatasetCount.status == bindparam("status"),
    "dataset_type": lambda: DatasetCount.dataset_type == bindparam("dataset_type"),
}

#: The filters of a list of operations (C-84). ``kinds`` are the types that an API client may read.
_OPERATION_FILTERS: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    "status": lambda: Operation.status == bindparam("status"),
    "operation_type": lambda: Operation.operation_type == bindparam("operation_type"),
    "client_id": lambda: Operation.client_id == bindparam("client_id"),
    "dataset_id": lambda: Operation.operation_id.in_(
        select(OperationDataset.operation_id).where(OperationDataset.dataset_id == bindparam("dataset_id"))
    ),
    "kinds": lambda: Operation.operation_type == any_(bindparam("kinds", type_=ARRAY(Text))),
    "customers": lambda: Operation.client_id == any_(bindparam("customers", type_=ARRAY(Uuid(as_uuid=True)))),
}
#: Those by which counts are kept.
_COUNTED_OPERATIONS: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    "status": lambda: OperationCount.status == bindparam("status"),
    "operation_type": lambda: OperationCount.operation_type == bindparam("operation_type"),
    "kinds": lambda: OperationCount.operation_type == any_(bindparam("kinds", type_=ARRAY(Text))),
}


async def find_dataset(looking: Looking, dataset_id: UUID, *, customers: Sequence[UUID] | None = None) -> Row | None:
    """A dataset with its newest connector and active operation, or None where it is not there for these customers."""
    values = {"dataset_id": dataset_id} | _bound(customers)
    return await looking.one(_one_dataset(customers is not None), values)


def locked_dataset(connection: Connection, dataset_id: UUID) -> Row:
    """The same of a dataset that this transaction has locked, as the transaction sees it."""
    return connection.execute(_one_dataset(False), {"dataset_id": dataset_id}).one()


async def list_datasets(
    looking: Looking, filters: Mapping[str, Any], *, sort: DatasetSort, offset: int, limit: int
) -> tuple[Sequence[Row], int]:
    """A page of datasets, and how many there are in all. ``filters`` by name; None does not restrict."""
    given = _given(filters)
    names = frozenset(given)
    return await _page_and_total(looking, _page(names, sort), _count(names), given, offset=offset, limit=limit)


async def find_operation(
    looking: Looking, operation_id: UUID, *, customers: Sequence[UUID] | None = None
) -> Row | None:
    """An operation, its datasets' outcomes beside it (``parts``), or None where it is not there for these customers."""
    values = {"operation_id": operation_id} | _bound(customers)
    return await looking.one(_one_operation(customers is not None), values)


async def find_operations(looking: Looking, operation_ids: Sequence[UUID]) -> Sequence[Row]:
    """These operations as they are now, in any order; one that is not there is left out."""
    return await looking.all(_these_operations(), {"operation_ids": list(operation_ids)})


async def list_operations(
    looking: Looking, filters: Mapping[str, Any], *, offset: int, limit: int
) -> tuple[Sequence[Row], int]:
    """A page of operations, newest first, and how many there are in all. None does not restrict."""
    given = _given(filters)
    names = frozenset(given)
    page, count = _page_of_operations(names), _count_of_operations(names)
    return await _page_and_total(looking, page, count, given, offset=offset, limit=limit)


async def _page_and_total(
    looking: Looking, page: Select[Any], count: Select[Any], given: dict[str, Any], *, offset: int, limit: int
) -> tuple[Sequence[Row], int]:
    # Further than PostgreSQL can count there is nothing (and nothing to ask for).
    if offset < 2**63:
        rows = await looking.all(page, given | {"offset": offset, "limit": limit})
        if rows or offset == 0:
            return rows, rows[0].total if rows else 0
    (counted,) = await looking.all(count, given)
    return [], counted.total


def _given(filters: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in filters.items() if value is not None}
    return given | _bound(given.get("customers"))


def _bound(customers: Sequence[UUID] | None) -> dict[str, Any]:
    return {"customers": list(customers)} if customers is not None else {}


@functools.cache
def _one_dataset(bound: bool) -> Select[Any]:
    statement = _shown(Dataset).where(Dataset.dataset_id == bindparam("dataset_id"))
    return statement.where(_FILTERS["customers"]()) if bound else statement


@functools.lru_cache(maxsize=512)
def _page(given: frozenset[str], sort: DatasetSort) -> Select[Any]:
    """The page is cut first, by ids alone, and its rows are read then: nothing is looked up for rows not shown."""
    page = (
        select(Dataset.dataset_id)
        .where(*_conditions(given))
        .order_by(*_order(Dataset, sort))
        .offset(bindparam("offset", type_=BigInteger))
        .limit(bindparam("limit", type_=BigInteger))
        .subquery()
    )
    shown = aliased(Dataset)
    total = _count(given).scalar_subquery()
    rows = _shown(shown).where(shown.dataset_id.in_(select(page.c.dataset_id)))
    return rows.add_columns(total.label("total")).order_by(*_order(shown, sort))


@functools.lru_cache(maxsize=512)
def _count(given: frozenset[str]) -> Select[tuple[int]]:
    """Looked up where it is kept (``tables.DatasetCount``), for filters that it is kept by; else counted."""
    if given <= _COUNTED.keys():
        kept = func.coalesce(func.sum(DatasetCount.datasets), 0)
        return select(cast(kept, BigInteger).label("total")).where(*(_COUNTED[name]() for name in sorted(given)))
    return select(func.count().label("total")).select_from(Dataset).where(*_conditions(given))


@functools.cache
def _one_operation(bound: bool) -> Select[Any]:
    statement = _shown_operation(Operation).where(Operation.operation_id == bindparam("operation_id"))
    return statement.where(_OPERATION_FILTERS["customers"]()) if bound else statement


@functools.cache
def _these_operations() -> Select[Any]:
    wanted = bindparam("operation_ids", type_=ARRAY(Uuid(as_uuid=True)))
    return _shown_operation(Operation).where(Operation.operation_id == any_(wanted))


@functools.lru_cache(maxsize=128)
def _page_of_operations(given: frozenset[str]) -> Select[Any]:
    """As with datasets, the page is cut before anything is looked up for its rows."""
    page = (
        select(Operation)
        .where(*_operation_conditions(given))
        .order_by(Operation.created_at.desc(), Operation.operation_id.desc())
        .offset(bindparam("offset", type_=BigInteger))
        .limit(bindparam("limit", type_=BigInteger))
        .subquery()
    )
    shown = aliased(Operation, page)
    total = _count_of_operations(given).scalar_subquery()
    return (
        _shown_operation(shown)
        .add_columns(total.label("total"))
        .order_by(shown.created_at.desc(), shown.operation_id.desc())
    )


@functools.lru_cache(maxsize=128)
def _count_of_operations(given: frozenset[str]) -> Select[tuple[int]]:
    """As with datasets, looked up where it is kept."""
    if given <= _COUNTED_OPERATIONS.keys():
        kept = func.coalesce(func.sum(OperationCount.operations), 0)
        conditions = (_COUNTED_OPERATIONS[name]() for name in sorted(given))
        return select(cast(kept, BigInteger).label("total")).where(*conditions)
    return select(func.count().label("total")).select_from(Operation).where(*_operation_conditions(given))


def _operation_conditions(given: frozenset[str]) -> list[ColumnElement[bool]]:
    return [condition() for name, condition in _OPERATION_FILTERS.items() if name in given]


def _shown_operation(entity: type[Operation]) -> Select[Any]:
    part = func.jsonb_build_object(
        "dataset_id",
        OperationDataset.dataset_id,
        "dataset_type",
        OperationDataset.dataset_type,
        "status",
        OperationDataset.outcome,
        "quality_score",
        OperationDataset.quality_score,
    )
    parts = (
        select(func.jsonb_agg(aggregate_order_by(part, OperationDataset.position)))
        .where(OperationDataset.operation_id == entity.operation_id, OperationDataset.outcome.is_not(None))
        .correlate(entity)
        .scalar_subquery()
    )
    return select(
        _text(entity.operation_id, "operation_id"),
        _value(entity.operation_type, "operation_type"),
        _value(entity.status, "status"),
        entity.attempt,
        entity.current_step,
        entity.total_steps,
        entity.created_at,
        entity.started_at,
        entity.beat_at,
        entity.completed_at,
        entity.estimated_completion,
        entity.error,
        entity.run_id,
        _text(entity.rerun_of, "rerun_of"),
        type_coerce(parts, JSONB).label("parts"),
    )


def _conditions(given: frozenset[str]) -> list[ColumnElement[bool]]:
    return [condition() for name, condition in _FILTERS.items() if name in given]


def _order(entity: type[Dataset], sort: DatasetSort) -> tuple[ColumnElement[Any], ...]:
    first: Mapping[DatasetSort, ColumnElement[Any]] = {
        DatasetSort.OLDEST: entity.created_at.asc(),
        DatasetSort.NEWEST: entity.created_at.desc(),
        DatasetSort.NAME: entity.name.collate("C"),
        DatasetSort.SCORE: entity.quality_score.asc().nulls_first(),
    }
    return first[sort], entity.dataset_id.asc()


def _shown(entity: type[Dataset]) -> Select[Any]:
    newest = (
        select(Connector.connector_id, Connector.status)
        .where(Connector.dataset_id == entity.dataset_id)
        .order_by(DISCONNECTED, Connector.created_at.desc(), Connector.connector_id)
        .limit(1)
        .lateral()
    )
    active = (
        select(cast(OperationDataset.operation_id, Text))
        .where(OperationDataset.dataset_id == entity.dataset_id, OperationDataset.active)
        .scalar_subquery()
    )
    return (
        select(
            _text(entity.dataset_id, "dataset_id"),
            entity.name,
            entity.dataset_type,
            _value(entity.stage, "stage"),
            _text(entity.client_id, "client_id"),
            _text(entity.journey_id, "journey_id"),
            _value(entity.status, "status"),
            entity.created_at,
            entity.updated_at,
            entity.ready_at,
            entity.archived_at,
            _text(entity.template_id, "template_id"),
            entity.template_version,
            entity.template_name,
            entity.seed,
            entity.record_count,
            entity.size_bytes,
            entity.quality_score,
            entity.meta.label("meta"),
            entity.error_code,
            entity.error_message,
            entity.archive_path.is_not(None).label("has_archive"),
            _text(entity.operation_id, "operation_id"),
            _text(newest.c.connector_id, "connector_id"),
            _value(newest.c.status, "connector_status"),
            active.label("active_operation_id"),
        )
        .select_from(entity)
        .outerjoin(newest, true())
    )


def _text(column: Any, name: str) -> ColumnElement[str]:
    return cast(column, Text).label(name)


def _value(column: Any, name: str) -> ColumnElement[str]:
    return type_coerce(column, String).label(name)
