"""``client.datasets``: create, list, read and tear down datasets, and what belongs to one."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from a_domain_sdk import _calls
from a_domain_sdk._call import Id, Parameter
from a_domain_sdk._session import Session
from a_domain_sdk.models import (
    ConnectorDetails,
    ConnectorToken,
    ConnectorTokenKind,
    Dataset,
    DatasetStatus,
    Quality,
    Stage,
    TeardownReason,
    TemplateSelection,
    Usage,
)
from a_domain_sdk.operation import Operation
from a_domain_sdk.pages import Page


class CreateMetadata(TypedDict, total=False):
    """What may be said about a request for datasets."""

    requested_by: str
    reason: str
    tags: builtins.list[str]
    custom_fields: Mapping[str, Any]


class Generation(TypedDict, total=False):
    """How records are made: their number, the seed, the locale of the customer's company."""

    record_count: int
    seed: int
    locale: str


class Datasets:
    """Datasets. ``client_id`` here is the customer, not the API client."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(
        self,
        *,
        journey_id: Id,
        client_id: Id,
        stage: Stage,
        dataset_types: Sequence[str],
        template_selection: TemplateSelection | None = None,
        template_overrides: Mapping[str, Id] | None = None,
        metadata: CreateMetadata | None = None,
        generation: Generation | None = None,
        idempotency_key: str | None = None,
    ) -> Operation:
        """Starts to provision one dataset of each type, and returns the operation to wait for.

        Raises ConflictError where the customer's stage has a dataset of such a type already
        (``details["existing_dataset_id"]``), InvalidRequestError for a field that does not fit.
        """
        answer = self._session.run(
            _calls.create_dataset(
                journey_id=journey_id,
                client_id=client_id,
                stage=stage,
                dataset_types=dataset_types,
                template_selection=template_selection,
                template_overrides=template_overrides,
                metadata=metadata,
                generation=generation,
                idempotency_key=idempotency_key,
            )
        )
        return Operation.accepted(self._session, answer, "dataset_provisioning")

    def list(
        self,
        *,
        client_id: Id | None = None,
        journey_id: Id | None = None,
        stage: Stage | None = None,
        status: DatasetStatus | None = None,
        dataset_type: str | None = None,
        operation_id: Id | None = None,
        tag: str | None = None,
        created_from: datetime | str | None = None,
        created_to: datetime | str | None = None,
        sort: str | None = None,
        page: int | None = None,
        per_page: int | None = None,
    ) -> Page[Dataset]:
        """The datasets that match, newest first unless ``sort`` says otherwise; archived ones too.

        Returns one page (20 rows, at most 100 by ``per_page``); iterating over it goes through all pages after it.
        """
        return self._page(
            {
                "client_id": client_id,
                "journey_id": journey_id,
                "stage": stage,
                "status": status,
                "dataset_type": dataset_type,
                "operation_id": operation_id,
                "tag": tag,
                "created_from": created_from,
                "created_to": created_to,
                "sort": sort,
                "page": page,
                "per_page": per_page,
            }
        )

    def get(self, dataset_id: Id) -> Dataset:
        """The dataset. Raises NotFoundError."""
        return self._session.run(_calls.get_dataset(dataset_id))

    def delete(
        self,
        dataset_id: Id,
        *,
        reason: TeardownReason | None = None,
        archive: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Operation:
        """Starts to tear the dataset down, and returns the operation to wait for.

        It is archived first unless ``archive=False``, after which nothing of it is left.
        """
        answer = self._session.run(
            _calls.delete_dataset(dataset_id, reason=reason, archive=archive, idempotency_key=idempotency_key)
        )
        return Operation.accepted(self._session, answer, "dataset_teardown")

    def get_quality(self, dataset_id: Id) -> Quality:
        """Its score and the four checks behind it."""
        return self._session.run(_calls.get_quality(dataset_id))

    def get_usage(
        self, dataset_id: Id, *, since: datetime | str | None = None, until: datetime | str | None = None
    ) -> Usage:
        """How much it was searched and how much room it takes; ``daily`` from ``since`` to ``until``."""
        return self._session.run(_calls.get_usage(dataset_id, since=since, until=until))

    def get_connector(self, dataset_id: Id) -> ConnectorDetails:
        """Its search connector in detail."""
        return self._session.run(_calls.get_connector(dataset_id))

    def create_connector_token(
        self,
        dataset_id: Id,
        *,
        kind: ConnectorTokenKind = "search",
        expires_in: int | None = None,
        idempotency_key: str | None = None,
    ) -> ConnectorToken:
        """Makes a token for its connector's endpoint, valid for ``expires_in`` seconds. It is shown this once."""
        return self._session.run(
            _calls.create_connector_token(dataset_id, kind=kind, expires_in=expires_in, idempotency_key=idempotency_key)
        )

    def revoke_connector_token(self, dataset_id: Id, token_id: Id, *, idempotency_key: str | None = None) -> None:
        """Revokes a token of its connector."""
        self._session.run(_calls.revoke_connector_token(dataset_id, token_id, idempotency_key=idempotency_key))

    def _page(self, parameters: Mapping[str, Parameter]) -> Page[Dataset]:
        answer = self._session.run(_calls.list_datasets(parameters))
        return Page(answer.datasets, answer.pagination, lambda number: self._page({**parameters, "page": number}))
