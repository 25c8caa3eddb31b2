"""Managing a dataset's connector: its state, and the tokens by which clients reach it (``docs/contract.md`` C-90)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dataops_api import links
from dataops_api.auth.authority import Caller
from dataops_api.connector_tokens.schemas import (
    CONNECTOR_EXAMPLE,
    DATASET_ID,
    TOKEN_EXAMPLE,
    Connector,
    IssuedToken,
    NewToken,
    TokenState,
)
from dataops_api.datasets.routes import NOT_FOUND
from dataops_api.dependencies import CurrentCaller, Service
from dataops_api.idempotency import Accepted, once
from dataops_api.routing import Problem, Routes
from dataops_core.clock import rfc3339, utcnow
from dataops_core.errors import ConflictError, NotFoundError
from dataops_core.lifecycle import DatasetStatus
from dataops_core.registry import connectors, datasets
from dataops_core.registry.tables import Connector as ConnectorRow
from dataops_core.registry.tables import ConnectorToken, Dataset
from dataops_core.scopes import Scope
from dataops_core.settings import Settings

routes = Routes(links.DATASETS, tag="Connectors")

_NOT_YET = Problem("CONFLICT", "The dataset has no connector yet", {"dataset_id": DATASET_ID, "status": "provisioning"})
_ENDING = Problem("CONFLICT", "The dataset is being torn down", {"dataset_id": DATASET_ID, "status": "teardown"})
_TOO_MANY = Problem(
    "CONFLICT",
    "The connector has as many active tokens as it may have",
    {
        "connector_id": CONNECTOR_EXAMPLE["connector_id"],
        "active_tokens": 100,
        "conflict": "At most 100 may be active: revoke one that is not needed, or wait until one expires",
    },
)
_GONE = Problem("GONE", "The connector is disconnected.", {"connector_id": CONNECTOR_EXAMPLE["connector_id"]})


@routes.add(
    "GET",
    "/{dataset_id}/connector",
    access=Scope.DATASETS_READ,
    summary="Get a dataset's connector",
    model=Connector,
    example=CONNECTOR_EXAMPLE,
    problems=[NOT_FOUND, _NOT_YET],
)
def get_connector(dataset_id: UUID, caller: CurrentCaller, parts: Service) -> Response:
    """What the connector serves and which tokens it has (of those that ended the newest hundred); never a secret."""
    with parts.database.transaction() as session:
        dataset, connector = _find(session, dataset_id, caller)
        issued = connectors.tokens(session, connector.connector_id, now=utcnow())
    return JSONResponse(_answer(dataset, connector, issued, parts.settings))


@routes.add(
    "POST",
    "/{dataset_id}/connector/tokens",
    access=Scope.DATASETS_WRITE,
    summary="Issue a connector token",
    status=201,
    model=IssuedToken,
    example=TOKEN_EXAMPLE,
    body_example={"kind": "search", "expires_in": 3600},
    problems=[NOT_FOUND, _NOT_YET, _ENDING, _TOO_MANY, _GONE],
    once=True,
)
def create_connector_token(
    request: Request, dataset_id: UUID, body: NewToken, caller: CurrentCaller, parts: Service
) -> Response:
    """A token for searching or for indexing, shown this once."""

    def issue(session: Session) -> Accepted:
        dataset, connector = _find(session, dataset_id, caller)
        if dataset.status is DatasetStatus.TEARDOWN:
            raise ConflictError(
                "The dataset is being torn down",
                details={"dataset_id": str(dataset_id), "status": dataset.status.value},
            )
        issued = connectors.issue_token(
            session,
            parts.keyring,
            connector_id=connector.connector_id,
            kind=body.kind,
            lifetime=timedelta(seconds=body.expires_in),
            now=utcnow(),
            most=parts.settings.max_connector_tokens,
        )
        answer = {
            "token_id": str(issued.token_id),
            "token": issued.token,
            "kind": issued.kind.value,
            "expires_at": rfc3339(issued.expires_at),
        }
        response = JSONResponse(answer, status_code=201, headers={"Cache-Control": "no-store"})
        return Accepted(response, customer=dataset.client_id)

    return once(request, caller, parts, issue)


@routes.add(
    "DELETE",
    "/{dataset_id}/connector/tokens/{token_id}",
    access=Scope.DATASETS_WRITE,
    summary="Revoke a connector token",
    status=204,
    problems=[
        NOT_FOUND,
        Problem("NOT_FOUND", "Token not found", {"token_id": CONNECTOR_EXAMPLE["tokens"][0]["token_id"]}),
    ],
    once=True,
)
def revoke_connector_token(
    request: Request, dataset_id: UUID, token_id: UUID, caller: CurrentCaller, parts: Service
) -> Response:
    """Ends a token at once. Revoking it again changes nothing."""

    def revoke(session: Session) -> Accepted:
        dataset = datasets.get_visible(session, dataset_id, customers=caller.customers)
        connector = connectors.of_dataset(session, dataset_id)
        if connector is None or not connectors.revoke_token(session, connector.connector_id, token_id, utcnow()):
            raise NotFoundError("Token not found", details={"token_id": str(token_id)})
        return Accepted(Response(status_code=204), customer=dataset.client_id)

    return once(request, caller, parts, revoke)


def _find(session: Session, dataset_id: UUID, caller: Caller) -> tuple[Dataset, ConnectorRow]:
    dataset = datasets.get_visible(session, dataset_id, customers=caller.customers)
    connector = connectors.of_dataset(session, dataset_id)
    if connector is None:
        raise ConflictError(
            "The dataset has no connector yet",
            details={"dataset_id": str(dataset_id), "status": dataset.status.value},
        )
    return dataset, connector


def _answer(
    dataset: Dataset, connector: ConnectorRow, issued: list[ConnectorToken], settings: Settings
) -> dict[str, Any]:
    return {
        "connector_id": str(connector.connector_id),
        "dataset_id": str(dataset.dataset_id),
        "kind": connector.kind,
        "name": dataset.name,
        "status": connector.status.value,
        "status_reason": connector.status_reason,
        "status_since": rfc3339(connector.status_since) if connector.status_since is not None else None,
        "consecutive_failures": connector.consecutive_failures,
        "endpoint_url": links.endpoint_url(settings, connector.connector_id),
        "generation": connector.generation,
        "document_count": connector.document_count,
        "index_bytes": connector.index_bytes,
        "created_at": rfc3339(connector.created_at),
        "last_checked_at": rfc3339(connector.last_checked_at) if connector.last_checked_at is not None else None,
        "disconnected_at": rfc3339(connector.disconnected_at) if connector.disconnected_at is not None else None,
        "tokens": [_token(token) for token in issued],
        "_links": {"self": links.connector(dataset.dataset_id), "dataset": links.dataset(dataset.dataset_id)},
    }


def _token(token: ConnectorToken) -> dict[str, Any]:
    if token.revoked_at is not None:
        state = TokenState.REVOKED
    elif token.expires_at <= utcnow():
        state = TokenState.EXPIRED
    else:
        state = TokenState.ACTIVE
    return {
        "token_id": str(token.token_id),
        "kind": token.kind.value,
        "state": state.value,
        "created_at": rfc3339(token.created_at),
        "expires_at": rfc3339(token.expires_at),
        "revoked_at": rfc3339(token.revoked_at) if token.revoked_at is not None else None,
    }
