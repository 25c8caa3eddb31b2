"""Parts of requests, as dictionaries whose keys a type checker knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from a_domain_sdk.models import CompanySize, Industry, Locale


class CreateMetadata(TypedDict, total=False):
    """What may be said about a request for datasets."""

    requested_by: str
    reason: str
    tags: list[str]
    custom_fields: Mapping[str, Any]


class Generation(TypedDict, total=False):
    """How records are made: their number, the seed, the locale of the customer's company."""

    record_count: int
    seed: int
    locale: Locale | str


class ClientMetadata(TypedDict, total=False):
    """What is known of the customer; what is not may be left out."""

    industry: Industry | None
    use_case: str | None
    company_size: CompanySize | None
