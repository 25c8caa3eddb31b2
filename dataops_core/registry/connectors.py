"""Connectors and their tokens, in the registry.

Belongs here: SQL on ``connectors`` and ``connector_tokens``. Every function takes a Session and never commits. Does not
belong here: what they served (``usage.py``), index files, and the wire form. Source: ``docs/contract.md`` C-33, C-53,
C-90.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, func, not_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dataops_core.errors import ConflictError, GoneError, NotFoundError
from dataops_core.ids import new_id
from dataops_core.lifecycle import ConnectorStatus, Finding, TokenKind
from dataops_core.quality.connector_watch import Standing
from dataops_core.quality.connector_watch import observe as observed
from dataops_core.registry.tables import Connector, ConnectorToken
from dataops_core.security import Keyring, new_secret

EMBEDDED = "embedded"
_PREFIXES = {TokenKind.SEARCH: "dol_s_", TokenKind.INDEX: "dol_i_"}
#: Tokens that were revoked or have expired, of which so many are shown.
_MOST_ENDED = 100
#: Sets the connectors' advisory locks apart from any other use of that number space.
_LOCK_CLASS = 0x636F6E6E

#: Sorts those that are connected first: by their times alone a clock that was set back would bring an old one forward.
DISCONNECTED = Connector.status == ConnectorStatus.DISCONNECTED


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token just made. ``token`` is shown once and stored nowhere."""

    token_id: UUID
    token: str
    kind: TokenKind
    expires_at: datetime


def create_connector(
    session: Session, *, connector_id: UUID, dataset_id: UUID, kind: str = EMBEDDED, now: datetime
) -> Connector:
    """The connector, made (status ``connecting``) where there is none of that id. Idempotent."""
    session.execute(
        insert(Connector)
        .values(
            connector_id=connector_id,
            dataset_id=dataset_id,
            kind=kind,
            status=ConnectorStatus.CONNECTING,
            created_at=now,
            document_count=0,
            index_bytes=0,
            consecutive_failures=0,
            consecutive_passes=0,
            consecutive_clean=0,
        )
        .on_conflict_do_nothing(index_elements=[Connector.connector_id])
    )
    return require(session, connector_id)


def get(session: Session, connector_id: UUID) -> Connector | None:
    """The connector as it is now in the database, or None."""
    return session.get(Connector, connector_id, populate_existing=True)


def require(session: Session, connector_id: UUID) -> Connector:
    """The connector. Raises NotFoundError."""
    connector = get(session, connector_id)
    if connector is None:
        raise NotFoundError("Connector not found", details={"connector_id": str(connector_id)})
    return connector


def of_dataset(session: Session, dataset_id: UUID) -> Connector | None:
    """The dataset's connector, or None: the newest of those that are connected, else the newest."""
    return session.scalars(
        select(Connector)
        .where(Connector.dataset_id == dataset_id)
        .order_by(DISCONNECTED, Connector.created_at.desc(), Connector.connector_id)
        .limit(1)
    ).one_or_none()


def of_datasets(session: Session, dataset_ids: list[UUID]) -> dict[UUID, Connector]:
    """The same for each of the datasets that has one."""
    rows = session.scalars(
        select(Connector)
        .where(Connector.dataset_id.in_(dataset_ids))
        .distinct(Connector.dataset_id)
        .order_by(Connector.dataset_id, DISCONNECTED, Connector.created_at.desc(), Connector.connector_id)
    )
    return {connector.dataset_id: connector for connector in rows}


def ids(session: Session) -> set[UUID]:
    """The connectors that are not disconnected: those that may have files."""
    return set(
        session.scalars(select(Connector.connector_id).where(Connector.status != ConnectorStatus.DISCONNECTED)).all()
    )


def standing_of(connector: Connector) -> Standing:
    """Where the connector stands, with what is remembered of the looks at it."""
    return Standing(
        status=connector.status,
        reason=connector.status_reason,
        finding=connector.finding,
        failures=connector.consecutive_failures,
        passes=connector.consecutive_passes,
        clean=connector.consecutive_clean,
    )


def observe(
    session: Session, connector_id: UUID, finding: Finding, reason: str | None, *, explicit: bool, now: datetime
) -> Standing | None:
    """Notes what a look found, and moves the status by the rules (``quality/connector_watch.py``).

    Says where the connector stands now. None: it is disconnected, which no look undoes, or not there at all.
    """
    connector = session.get(Connector, connector_id, with_for_update=True, populate_existing=True)
    if connector is None or connector.status is ConnectorStatus.DISCONNECTED:
        return None
    after = observed(standing_of(connector), finding, reason, explicit=explicit)
    stand(connector, after, now)
    session.flush()
    return after


def stand(connector: Connector, after: Standing, now: datetime) -> None:
    """Writes to a row, which the caller has locked, where its connector stands since a look at this moment."""
    if after.status is not connector.status:
        connector.status_since = now
    connector.status, connector.status_reason, connector.finding = after.status, after.reason, after.finding
    connector.consecutive_failures, connector.consecutive_passes = after.failures, after.passes
    connector.consecutive_clean = after.clean
    connector.last_checked_at = now


def lock_free(session: Session, connector_ids: Collection[UUID]) -> Sequence[Connector]:
    """Those of the connectors that nobody changes at this moment, locked until the transaction ends."""
    return session.scalars(
        select(Connector)
        .where(Connector.connector_id.in_(connector_ids), Connector.status != ConnectorStatus.DISCONNECTED)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def disconnect(session: Session, connector_id: UUID, now: datetime) -> None:
    """Ends the connector for good: its endpoint answers 410, its tokens are revoked, it serves nothing. Idempotent."""
    session.execute(
        update(Connector)
        .where(Connector.connector_id == connector_id, Connector.status != ConnectorStatus.DISCONNECTED)
        .values(status=ConnectorStatus.DISCONNECTED, status_reason=None, status_since=now, disconnected_at=now)
    )
    withdraw(session, connector_id)
    session.execute(
        update(ConnectorToken)
        .where(ConnectorToken.connector_id == connector_id, ConnectorToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


# --- what is served ---------------------------------------------------------------------------------------------------


def lock(session: Session, connector_id: UUID) -> None:
    """Waits until this transaction alone may write the connector's index (lock_timeout bounds the wait).

    An advisory lock, not the row's: a status or a token can be written while a large index is being built.
    """
    session.execute(_LOCK, {"class": _LOCK_CLASS, "connector": str(connector_id)})


def try_lock(session: Session, connector_id: UUID) -> bool:
    """As :func:`lock`, without waiting; whether it was got."""
    return bool(session.execute(_TRY_LOCK, {"class": _LOCK_CLASS, "connector": str(connector_id)}).scalar_one())


_LOCK = text("SELECT pg_advisory_xact_lock(:class, hashtext(:connector))")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:class, hashtext(:connector))")


def set_datasource(session: Session, connector_id: UUID, datasource: Mapping[str, Any]) -> None:
    """Registers the data source's configuration, or changes it."""
    session.execute(update(Connector).where(Connector.connector_id == connector_id).values(datasource=dict(datasource)))


def set_upload(session: Session, connector_id: UUID, upload: Mapping[str, Any] | None) -> None:
    """Notes how far the upload under way is, or that there is none."""
    session.execute(
        update(Connector)
        .where(Connector.connector_id == connector_id)
        .values(upload=dict(upload) if upload is not None else None)
    )


def publish(
    session: Session,
    connector_id: UUID,
    *,
    generation: str,
    document_count: int,
    id_digest: str,
    index_bytes: int,
    ends_upload: bool,
) -> None:
    """Points the connector to a generation; with ``ends_upload`` the upload under way is over.

    Raises GoneError where the connector was disconnected meanwhile.
    """
    values: dict[str, Any] = {
        "generation": generation,
        "document_count": document_count,
        "id_digest": id_digest,
        "index_bytes": index_bytes,
    }
    if ends_upload:
        values["upload"] = None
    served = session.execute(
        update(Connector)
        .where(Connector.connector_id == connector_id, Connector.status != ConnectorStatus.DISCONNECTED)
        .values(values)
        .returning(Connector.connector_id)
    ).scalar_one_or_none()
    if served is None:
        raise GoneError("The connector was disconnected.")


def withdraw(session: Session, connector_id: UUID) -> None:
    """The connector serves nothing any more, and no upload is under way."""
    session.execute(
        update(Connector)
        .where(Connector.connector_id == connector_id)
        .values(generation=None, document_count=0, id_digest=None, index_bytes=0, upload=None, datasource=None)
    )


# --- tokens -----------------------------------------------------------------------------------------------------------


def issue_token(
    session: Session,
    keyring: Keyring,
    *,
    connector_id: UUID,
    kind: TokenKind,
    lifetime: timedelta,
    now: datetime,
    most: int | None = None,
) -> IssuedToken:
    """Makes a token. Raises NotFoundError for no such connector, GoneError for a disconnected one.

    ``most``: of tokens that are active at once; ConflictError where the connector has as many. None: no limit.
    """
    # Alone, so that of requests at once none sees fewer tokens than there will be.
    connector = session.get(Connector, connector_id, with_for_update={"key_share": True}, populate_existing=True)
    if connector is None:
        raise NotFoundError("Connector not found", details={"connector_id": str(connector_id)})
    if connector.status is ConnectorStatus.DISCONNECTED:
        raise GoneError("The connector is disconnected.", details={"connector_id": str(connector_id)})
    if most is not None and (active := _active_tokens(session, connector_id, now)) >= most:
        raise ConflictError(
            "The connector has as many active tokens as it may have",
            details={
                "connector_id": str(connector_id),
                "active_tokens": active,
                "conflict": f"At most {most} may be active: revoke one that is not needed, or wait until one expires",
            },
        )
    issued = IssuedToken(new_id(), new_secret(_PREFIXES[kind]), kind, now + lifetime)
    session.add(
        ConnectorToken(
            token_id=issued.token_id,
            connector_id=connector_id,
            kind=kind,
            token_hash=keyring.hash_token(issued.token),
            created_at=now,
            expires_at=issued.expires_at,
        )
    )
    session.flush()
    return issued


#: Every request to a connector asks this: what SQLAlchemy makes of it once is half of what asking takes.
_FIND = (
    select(Connector, ConnectorToken)
    .outerjoin(
        ConnectorToken,
        and_(
            ConnectorToken.connector_id == Connector.connector_id,
            ConnectorToken.token_hash == bindparam("token_hash", type_=ConnectorToken.token_hash.type),
        ),
    )
    .where(Connector.connector_id == bindparam("connector_id", type_=Connector.connector_id.type))
    .execution_options(populate_existing=True)
)


def find(
    session: Session, connector_id: UUID, token_hash: str | None
) -> tuple[Connector | None, ConnectorToken | None]:
    """The connector, and its token of that hash, whatever their state; in one question."""
    row = session.execute(_FIND, {"connector_id": connector_id, "token_hash": token_hash}).one_or_none()
    return (row[0], row[1]) if row is not None else (None, None)


def tokens(session: Session, connector_id: UUID, *, now: datetime) -> list[ConnectorToken]:
    """The connector's active tokens and the newest hundred that are not, oldest first."""
    of_connector = ConnectorToken.connector_id == connector_id
    ended = session.scalars(
        select(ConnectorToken)
        .where(of_connector, not_(_is_active(now)))
        .order_by(ConnectorToken.created_at.desc(), ConnectorToken.token_id)
        .limit(_MOST_ENDED)
    )
    active = session.scalars(select(ConnectorToken).where(of_connector, _is_active(now)))
    return sorted([*active, *ended], key=lambda token: (token.created_at, token.token_id))


def _is_active(now: datetime) -> ColumnElement[bool]:
    return and_(ConnectorToken.revoked_at.is_(None), ConnectorToken.expires_at > now)


def _active_tokens(session: Session, connector_id: UUID, now: datetime) -> int:
    return session.scalar(select(func.count()).where(ConnectorToken.connector_id == connector_id, _is_active(now))) or 0


def revoke_token(session: Session, connector_id: UUID, token_id: UUID, now: datetime) -> bool:
    """Revokes a token of this connector; whether there is such a token. Idempotent: the first time stands."""
    found = session.execute(
        update(ConnectorToken)
        .where(ConnectorToken.connector_id == connector_id, ConnectorToken.token_id == token_id)
        .values(revoked_at=func.coalesce(ConnectorToken.revoked_at, now))
        .returning(ConnectorToken.token_id)
    ).scalar_one_or_none()
    return found is not None
