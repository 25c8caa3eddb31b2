"""What an API client may do, in words that the token endpoint, the routes and the registry share.

Source: ``docs/contract.md`` C-20 … C-25. Does not belong here: who has which scope (``registry/api_clients.py``).
"""

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    """A power, in the order in which scopes are listed."""

    DATASETS_READ = "dataops:datasets:read"
    DATASETS_WRITE = "dataops:datasets:write"
    TEMPLATES_READ = "dataops:templates:read"
    QUALITY_READ = "dataops:quality:read"
    QUALITY_WRITE = "dataops:quality:write"
    ADMIN = "dataops:admin"


#: What each scope is for, as the OpenAPI description shows it.
SCOPE_DESCRIPTIONS: dict[Scope, str] = {
    Scope.DATASETS_READ: "Read dataset information",
    Scope.DATASETS_WRITE: "Create, update, delete datasets",
    Scope.TEMPLATES_READ: "Read dataset templates",
    Scope.QUALITY_READ: "Read quality scores",
    Scope.QUALITY_WRITE: "Trigger quality validation",
    Scope.ADMIN: "Full administrative access",
}


def implied(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Every scope that these amount to, in listing order: admin is all of them (C-24), write does not include read."""
    held = set(scopes)
    return tuple(scope for scope in Scope if scope in held or Scope.ADMIN in held)
