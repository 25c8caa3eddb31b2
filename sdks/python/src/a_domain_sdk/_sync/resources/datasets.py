# Made by `make sdk` from _async/resources/datasets.py: change that.
"""``client.datasets``: create, list, read and tear down datasets, and what belongs to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from a_domain_sdk._call import Call, Id, changing_key, nothing, path_of, plain, without_nothing
from a_domain_sdk._sync.ground_truth import GroundTruth
from a_domain_sdk._sync.operation import Operation
from a_domain_sdk._sync.pages import Page
from a_domain_sdk._sync.records import Records
from a_domain_sdk._sync.session import Session
from a_domain_sdk.models import (
    AcceptedOperation,
    ConnectorDetails,
    ConnectorToken,
    ConnectorTokenKind,
    Dataset,
    DatasetSort,
    DatasetStatus,
    DatasetType,
    Quality,
    QuestionKind,
    Stage,
    TeardownReason,
    TemplateSelection,
    Usage,
)
from a_domain_sdk.models.datasets import DatasetList
from a_domain_sdk.requests import CreateMetadata, Generation


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
        dataset_types: Sequence[DatasetType | str],
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
        call = Call(
            "POST",
            "/datasets",
            AcceptedOperation.model_validate,
            body=without_nothing(
                journey_id=journey_id,
                client_id=client_id,
                stage=stage,
                dataset_types=dataset_types,
                template_selection=template_selection,
                template_overrides=template_overrides,
                metadata=metadata,
                generation=generation,
            ),
            idempotency_key=changing_key(idempotency_key),
        )
        return Operation.accepted(self._session, self._session.run(call), "dataset_provisioning")

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
        sort: DatasetSort | None = None,
        page: int | None = None,
        per_page: int | None = None,
    ) -> Page[Dataset]:
        """The datasets that match, newest first unless ``sort`` says otherwise; archived ones too.

        Returns one page (20 rows, at most 100 by ``per_page``); iterating over it goes through all pages after it.
        """
        parameters = {
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
        call = Call("GET", "/datasets", DatasetList.model_validate, parameters=parameters)
        return Page.of(self._session, call)

    def get(self, dataset_id: Id) -> Dataset:
        """The dataset. Raises NotFoundError."""
        return self._session.run(Call("GET", self._path(dataset_id), Dataset.model_validate, tagged=True))

    def refresh(self, dataset: Dataset) -> Dataset:
        """The dataset as it is now: the very same object where nothing has changed, which costs the API little."""
        call = Call(
            "GET",
            self._path(dataset.dataset_id),
            Dataset.model_validate,
            headers={"If-None-Match": dataset.etag} if dataset.etag else {},
            tagged=True,
            unchanged=dataset,
        )
        return self._session.run(call)

    def update(self, dataset_id: Id, *, metadata: Mapping[str, Any], if_match: str | None = None) -> Dataset:
        """Changes what is said about the dataset, and returns it.

        ``tags`` replaces all tags, ``custom_fields`` is merged one level deep, any other key is merged; None takes a
        key away. ``if_match``, the dataset's ``etag``, raises PreconditionFailedError where it has changed since.
        """
        call = Call(
            "PATCH",
            self._path(dataset_id),
            Dataset.model_validate,
            body={"metadata": plain(metadata)},
            headers={"If-Match": if_match} if if_match else {},
            tagged=True,
        )
        return self._session.run(call)

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
        call = Call(
            "DELETE",
            self._path(dataset_id),
            AcceptedOperation.model_validate,
            parameters={"reason": reason, "archive": archive},
            idempotency_key=changing_key(idempotency_key),
        )
        return Operation.accepted(self._session, self._session.run(call), "dataset_teardown")

    def teardown(
        self,
        dataset_id: Id,
        *,
        reason: TeardownReason | None = None,
        archive: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Operation:
        """The same as ``delete``, by POST: for networks that let no DELETE through."""
        call = Call(
            "POST",
            f"{self._path(dataset_id)}/teardown",
            AcceptedOperation.model_validate,
            body=without_nothing(reason=reason, archive=archive),
            idempotency_key=changing_key(idempotency_key),
        )
        return Operation.accepted(self._session, self._session.run(call), "dataset_teardown")

    def restore(self, dataset_id: Id, *, idempotency_key: str | None = None) -> Operation:
        """Starts to make an archived dataset ready again, from its archive; returns the operation to wait for.

        Raises ConflictError where it is not archived, no archive is kept, or its place is taken.
        """
        call = Call(
            "POST",
            f"{self._path(dataset_id)}/restore",
            AcceptedOperation.model_validate,
            idempotency_key=changing_key(idempotency_key),
        )
        return Operation.accepted(self._session, self._session.run(call), "dataset_restore")

    def records(self, dataset_id: Id) -> Records:
        """Its records, asked for as they are used: iterate over them, ``page()``, ``save()``, ``to_pandas()``."""
        return Records(self._session, dataset_id)

    def ground_truth(self, dataset_id: Id, *, kind: QuestionKind | None = None) -> GroundTruth:
        """Questions about it whose answers are known, of one kind or all: iterate, ``page()``, ``save()`` for BEIR."""
        return GroundTruth(self._session, dataset_id, kind)

    def get_quality(self, dataset_id: Id) -> Quality:
        """Its score and the four checks behind it."""
        return self._session.run(Call("GET", f"{self._path(dataset_id)}/quality", Quality.model_validate))

    def get_usage(
        self, dataset_id: Id, *, since: datetime | str | None = None, until: datetime | str | None = None
    ) -> Usage:
        """How much it was searched and how much room it takes; ``daily`` from ``since`` to ``until``."""
        parameters = {"from": since, "to": until}
        call = Call("GET", f"{self._path(dataset_id)}/usage", Usage.model_validate, parameters=parameters)
        return self._session.run(call)

    def get_connector(self, dataset_id: Id) -> ConnectorDetails:
        """Its search connector in detail."""
        call = Call("GET", f"{self._path(dataset_id)}/connector", ConnectorDetails.model_validate)
        return self._session.run(call)

    def create_connector_token(
        self,
        dataset_id: Id,
        *,
        kind: ConnectorTokenKind = "search",
        expires_in: int | None = None,
        idempotency_key: str | None = None,
    ) -> ConnectorToken:
        """Makes a token for its connector's endpoint, valid for ``expires_in`` seconds. It is shown this once."""
        call = Call(
            "POST",
            f"{self._path(dataset_id)}/connector/tokens",
            ConnectorToken.model_validate,
            body=without_nothing(kind=kind, expires_in=expires_in),
            idempotency_key=changing_key(idempotency_key),
        )
        return self._session.run(call)

    def revoke_connector_token(self, dataset_id: Id, token_id: Id, *, idempotency_key: str | None = None) -> None:
        """Revokes a token of its connector."""
        call = Call(
            "DELETE",
            f"{self._path(dataset_id)}/connector/tokens{path_of(token_id)}",
            nothing,
            idempotency_key=changing_key(idempotency_key),
        )
        self._session.run(call)

    @staticmethod
    def _path(dataset_id: Id) -> str:
        return f"/datasets{path_of(dataset_id)}"
