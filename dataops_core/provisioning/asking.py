"""A request for datasets and the rules that need the registry or the catalog: everything that breaks one is named.

Belongs here: what is asked for, which template it gets, what is wrong with it. Does not belong here: the shape of a
request (the API's schemas) and what an accepted one makes (``requests.py``). Source: ``docs/contract.md`` C-40, C-41,
C-43.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_core.company.build import known_locales
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import InvalidRequestError
from dataops_core.lifecycle import CompanySize, Industry, Stage
from dataops_core.metadata import steering_problems
from dataops_core.registry import customers, datasets
from dataops_core.registry.tables import Customer
from dataops_core.templates.loader import Catalog
from dataops_core.templates.model import Template
from dataops_core.templates.recommendation import recommend

#: An error names so many fields at most: else a request of wrong names would get an answer as large as itself.
MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class ProvisioningRequest:
    """A request for datasets, its shape already checked by the API."""

    journey_id: UUID
    client_id: UUID
    stage: Stage
    dataset_types: Sequence[str]
    manual: bool = False
    template_overrides: Mapping[str, UUID] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    record_count: int | None = None
    seed: int | None = None
    locale: str | None = None
    api_client_id: UUID | None = None
    request_id: str | None = None


def choose_templates(
    session: Session, catalog: Catalog, request: ProvisioningRequest, *, max_record_count: int
) -> list[tuple[str, Template]]:
    """The template of each type asked for. Raises InvalidRequestError with all that is wrong (field → reason)."""
    problems = {
        **_generation_problems(request, customers.find(session, request.client_id), max_record_count),
        **type_problems(request.dataset_types),
        **_override_problems(catalog, request),
        **steering_problems(request.metadata.get("custom_fields") or {}),
    }
    if problems:
        raise InvalidRequestError("Request validation failed", details=dict(islice(problems.items(), MOST_PROBLEMS)))
    industry, use_case, company_size = _profile(session, request)
    return [
        (
            dataset_type,
            _overriding(catalog, request, dataset_type)
            or recommend(
                catalog,
                dataset_type=dataset_type,
                industry=industry,
                use_case=use_case,
                company_size=company_size,
                stage=request.stage,
            ).template,
        )
        for dataset_type in request.dataset_types
    ]


def check_locale(request: ProvisioningRequest, customer: Customer) -> None:
    """Raises InvalidRequestError where another locale is asked for than the customer's company has (C-40)."""
    if problems := _locale_problems(request, customer):
        raise InvalidRequestError("Request validation failed", details=problems)


def _overriding(catalog: Catalog, request: ProvisioningRequest, dataset_type: str) -> Template | None:
    template_id = request.template_overrides.get(dataset_type)
    return catalog.get(template_id) if template_id is not None else None


def _generation_problems(
    request: ProvisioningRequest, customer: Customer | None, max_record_count: int
) -> dict[str, str]:
    problems = _locale_problems(request, customer)
    if request.record_count is not None and request.record_count > max_record_count:
        problems["generation.record_count"] = f"Must be at most {max_record_count}"
    return problems


def _locale_problems(request: ProvisioningRequest, customer: Customer | None) -> dict[str, str]:
    if request.locale is not None and request.locale not in known_locales():
        return {"generation.locale": f"Must be one of {', '.join(known_locales())}"}
    if request.locale is not None and customer is not None and request.locale != customer.locale:
        return {"generation.locale": f"Cannot change: the customer's company has {customer.locale}"}
    return {}


def type_problems(dataset_types: Sequence[str]) -> dict[str, str]:
    """What is wrong with a list of dataset types (field → reason)."""
    problems = {
        f"dataset_types.{number}": f"Must be one of {', '.join(DATASET_TYPES)}"
        for number, dataset_type in enumerate(dataset_types)
        if dataset_type not in DATASET_TYPES
    }
    if len(set(dataset_types)) != len(dataset_types):
        problems["dataset_types"] = "Must not name a dataset type twice"
    return problems


def _override_problems(catalog: Catalog, request: ProvisioningRequest) -> dict[str, str]:
    problems = {}
    for dataset_type, template_id in request.template_overrides.items():
        template = catalog.get(template_id)
        if dataset_type not in request.dataset_types:
            problems[dataset_type] = "Must be one of the dataset_types asked for"
        elif template is None:
            problems[dataset_type] = "There is no template with this id"
        elif template.dataset_type != dataset_type:
            problems[dataset_type] = f"This template is for {template.dataset_type}"
    if request.manual:
        for dataset_type in request.dataset_types:
            if dataset_type in DATASET_TYPES and dataset_type not in request.template_overrides:
                problems[dataset_type] = "Is required where template_selection is manual"
    return {f"template_overrides.{dataset_type}": reason for dataset_type, reason in problems.items()}


def _profile(session: Session, request: ProvisioningRequest) -> tuple[Industry | None, str | None, CompanySize | None]:
    """Industry, use case and company size: from the custom fields, else from the customer's newest dataset (C-41)."""
    custom = request.metadata.get("custom_fields") or {}
    known: Mapping[str, Any] = custom
    if not any(custom.get(name) for name in ("industry", "use_case")):
        newest = datasets.newest_of_customer(session, request.client_id)
        if newest is not None:
            said = newest.meta.get("custom_fields") or {}
            known = {"company_size": said.get("company_size")} | custom
            known |= {name: newest.meta.get(name) for name in ("industry", "use_case")}
    industry, size = known.get("industry"), known.get("company_size")
    return (Industry(industry) if industry else None, known.get("use_case"), CompanySize(size) if size else None)
