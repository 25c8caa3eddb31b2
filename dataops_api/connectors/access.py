"""Who may do what at a connector's endpoint.

A connector that does not exist and a token that is not its own are answered alike (401), so that nobody learns which
connectors there are. Source: ``docs/contract.md`` C-53, C-90.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_api.connectors.problems import ConnectorProblem
from dataops_core.acting import Acting, ActorKind
from dataops_core.lifecycle import ConnectorStatus, TokenKind
from dataops_core.registry import connectors as registry
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Connector
from dataops_core.security import Keyring

#: Longer than any token of ours; what is longer is not hashed.
_MAX_TOKEN = 4096


@dataclass(frozen=True, slots=True)
class Access:
    """A request that may go on, and who asks. ``internal``: the product itself, which counts as no usage."""

    connector: Connector
    kind: TokenKind
    internal: bool
    who: Acting


class Gatekeeper:
    """Decides on tokens."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def admit(
        self,
        connector_id: str,
        token: str | None,
        kinds: Collection[TokenKind],
        *,
        now: datetime,
        internal_only: bool = False,
    ) -> Access:
        """The access that the token gives. Raises ConnectorProblem 401, 403 or 410.

        With ``internal_only`` nobody but the product itself is admitted, also to a disconnected connector.
        """
        identifier = _uuid(connector_id)
        if token is None or identifier is None or len(token) > _MAX_TOKEN:
            raise _unauthenticated(token)
        service = self._keyring.read_service_token(token)
        # Every request comes by here, and nothing is decided that has to hold until it ends: one round trip.
        with self._database.reading() as connection, Session(connection) as session:
            connector, issued = registry.find(
                session, identifier, None if service is not None else self._keyring.hash_token(token)
            )
        if connector is None:
            raise _unauthenticated(token)
        if service is not None:
            if service.connector_id != identifier:
                raise _unauthenticated(token)
            kind = service.kind
        elif issued is not None:
            kind = issued.kind
        else:
            raise _unauthenticated(token)
        admitted_when_gone = internal_only and service is not None
        if connector.status is ConnectorStatus.DISCONNECTED and not admitted_when_gone:
            raise ConnectorProblem("gone", "This connector was disconnected; it will not come back.")
        if issued is not None and issued.revoked_at is not None:
            raise _unauthenticated(token)
        if issued is not None and issued.expires_at <= now:
            raise _unauthenticated(token, expired=True)
        if internal_only and service is None:
            raise ConnectorProblem(
                "insufficient_permissions",
                "No token that is issued may do this.",
                headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
            )
        if kind not in kinds:
            raise ConnectorProblem(
                "insufficient_permissions",
                f"A token of kind {kind} may not do this.",
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(sorted(kinds))}"'},
            )
        if service is not None:
            return Access(connector, kind, internal=True, who=service.acting)
        who = Acting(ActorKind.CONNECTOR_TOKEN, str(issued.token_id) if issued is not None else None)
        return Access(connector, kind, internal=False, who=who)


def _uuid(text: str) -> UUID | None:
    """The id in its one spelling; any other is no connector's."""
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if str(value) == text.lower() else None


def _unauthenticated(token: str | None, *, expired: bool = False) -> ConnectorProblem:
    if token is None:
        return ConnectorProblem(
            "authentication_required", "A bearer token is needed.", headers={"WWW-Authenticate": "Bearer"}
        )
    return ConnectorProblem(
        "token_expired" if expired else "authentication_required",
        "The token has expired." if expired else "The token is not valid for this connector.",
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )
