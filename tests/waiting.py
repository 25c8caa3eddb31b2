"""Waiting in tests: for a condition, never for a time.

Belongs here: what tests of several packages wait with. Does not belong here: what they wait for, where only one does.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import pytest

T = TypeVar("T")


def wait_for(found: Callable[[], T | None], what: str, seconds: float = 120) -> T:
    """What ``found`` returns, as soon as it is something. Fails in words where it never is."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)
    return value


def ended(api: httpx.Client, operation_id: str, seconds: float = 120) -> dict[str, Any]:
    """The operation as the API shows it, once it has ended."""

    def look() -> dict[str, Any] | None:
        answer = api.get(f"/operations/{operation_id}", params={"wait": 10}, timeout=60)
        operation: dict[str, Any] = answer.raise_for_status().json()
        return operation if operation["completed_at"] is not None else None

    return wait_for(look, f"operation {operation_id} has ended", seconds)


def completed(api: httpx.Client, operation_id: str, seconds: float = 120) -> dict[str, Any]:
    """The same, which must have ended well."""
    operation = ended(api, operation_id, seconds)
    assert operation["status"] == "completed", operation
    return operation
