"""Every call of the API: method, path, parameters, body and the model of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from a_domain_sdk._call import Call, Id, Parameter, changing_key, path_of, without_nothing
from a_domain_sdk.models import (
    AcceptedOperation,
    ConnectorDetails,
    ConnectorToken,
    Dataset,
    OperationState,
    Quality,
    Template,
    TemplateDetails,
    Usage,
)
from a_domain_sdk.pages import Pagination


class DatasetList(BaseModel):
    """The answer of a list of datasets."""

    datasets: list[Dataset]
    pagination: Pagination


class TemplateList(BaseModel):
    """The answer of the list of templates."""

    templates: list[Template] = Field(default_factory=list)


def list_datasets(parameters: Mapping[str, Parameter]) -> Call[DatasetList]:
    """``GET /datasets``."""
    return Call("GET", "/datasets", DatasetList.model_validate, parameters=parameters)


def create_dataset(
    *,
    journey_id: Id,
    client_id: Id,
    stage: str,
    dataset_types: Sequence[str],
    template_selection: str | None,
    template_overrides: Mapping[str, Id] | None,
    metadata: Mapping[str, Any] | None,
    generation: Mapping[str, Any] | None,
    idempotency_key: str | None,
) -> Call[AcceptedOperation]:
    """``POST /datasets``."""
    return Call(
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


def get_dataset(dataset_id: Id) -> Call[Dataset]:
    """``GET /datasets/{id}``."""
    return Call("GET", f"/datasets{path_of(dataset_id)}", Dataset.model_validate)


def delete_dataset(
    dataset_id: Id, *, reason: str | None, archive: bool | None, idempotency_key: str | None
) -> Call[AcceptedOperation]:
    """``DELETE /datasets/{id}``."""
    return Call(
        "DELETE",
        f"/datasets{path_of(dataset_id)}",
        AcceptedOperation.model_validate,
        parameters={"reason": reason, "archive": archive},
        idempotency_key=changing_key(idempotency_key),
    )


def get_quality(dataset_id: Id) -> Call[Quality]:
    """``GET /datasets/{id}/quality``."""
    return Call("GET", f"/datasets{path_of(dataset_id)}/quality", Quality.model_validate)


def get_usage(dataset_id: Id, *, since: datetime | str | None, until: datetime | str | None) -> Call[Usage]:
    """``GET /datasets/{id}/usage``."""
    return Call(
        "GET",
        f"/datasets{path_of(dataset_id)}/usage",
        Usage.model_validate,
        parameters={"from": since, "to": until},
    )


def get_connector(dataset_id: Id) -> Call[ConnectorDetails]:
    """``GET /datasets/{id}/connector``."""
    return Call("GET", f"/datasets{path_of(dataset_id)}/connector", ConnectorDetails.model_validate)


def create_connector_token(
    dataset_id: Id, *, kind: str, expires_in: int | None, idempotency_key: str | None
) -> Call[ConnectorToken]:
    """``POST /datasets/{id}/connector/tokens``."""
    return Call(
        "POST",
        f"/datasets{path_of(dataset_id)}/connector/tokens",
        ConnectorToken.model_validate,
        body=without_nothing(kind=kind, expires_in=expires_in),
        idempotency_key=changing_key(idempotency_key),
    )


def revoke_connector_token(dataset_id: Id, token_id: Id, *, idempotency_key: str | None) -> Call[None]:
    """``DELETE /datasets/{id}/connector/tokens/{token_id}``."""
    return Call(
        "DELETE",
        f"/datasets{path_of(dataset_id)}/connector/tokens{path_of(token_id)}",
        _nothing,
        idempotency_key=changing_key(idempotency_key),
    )


def list_templates(parameters: Mapping[str, Parameter]) -> Call[TemplateList]:
    """``GET /templates``."""
    return Call("GET", "/templates", TemplateList.model_validate, parameters=parameters)


def get_template(template_id: Id) -> Call[TemplateDetails]:
    """``GET /templates/{id}``."""
    return Call("GET", f"/templates{path_of(template_id)}", TemplateDetails.model_validate)


def get_operation(operation_id: Id) -> Call[OperationState]:
    """``GET /operations/{id}``."""
    return Call("GET", f"/operations{path_of(operation_id)}", OperationState.model_validate)


def _nothing(_: object) -> None:
    return None
