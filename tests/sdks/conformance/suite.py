"""Recorded faults and what an SDK makes of them, as data (``cases.json``): every SDK is held to the same.

Belongs here: reading the cases, telling the server what to answer, and comparing what came of it. Does not belong here:
how a call is made, which each SDK's own tests do. A call is ``[method, positional, named]`` in the words of the API;
errors have the same names in every SDK.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.sdks.conformance.server import FaultServer, Reply, envelope

OPERATION = "990e8400-e29b-41d4-a716-446655440004"
DATASET = "550e8400-e29b-41d4-a716-446655440005"
IN_PROGRESS = {"operation_id": OPERATION, "operation_type": "dataset_provisioning", "status": "in_progress"}
ACCEPTED = {"operation_id": OPERATION, "status": "tearing_down", "message": "Dataset teardown initiated"}
DATASET_BODY = {
    "dataset_id": DATASET,
    "name": "ACME-Sandbox-Confluence",
    "dataset_type": "confluence_pages",
    "stage": "sandbox",
    "client_id": "123e4567-e89b-12d3-a456-426614174000",
    "journey_id": "123e4567-e89b-12d3-a456-426614174001",
    "status": "ready",
    "created_at": "2026-01-28T10:30:00Z",
    "data_source": "mock_template",
    "metadata": {"tags": ["new"]},
}


def _page(number: int, name: str) -> dict[str, Any]:
    pagination = {"page": number, "per_page": 1, "total_pages": 2, "total_count": 2}
    return {"datasets": [{**DATASET_BODY, "name": name}], "pagination": pagination}


_BODIES = {
    "IN_PROGRESS": IN_PROGRESS,
    "ACCEPTED": ACCEPTED,
    "DATASET_BODY": DATASET_BODY,
    "PAGE_1": _page(1, "first"),
    "PAGE_2": _page(2, "second"),
}


@dataclass(frozen=True)
class Case:
    """One fault and what is expected. ``options`` are the client's, as in Python; times in seconds."""

    said: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.said["name"])

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.said.get("options", {}))

    @property
    def call(self) -> tuple[str, list[Any], dict[str, Any]]:
        method, positional, *named = self.said["call"]
        return method, positional, named[0] if named else {}

    def prepare(self, server: FaultServer) -> None:
        """Tells the server what to answer."""
        server.expires_in = self.said.get("token_life", 3600)
        server.tell_token(*map(_reply, self.said.get("token_replies", ())))
        for request, replies in self.said.get("replies", {}).items():
            server.tell(request, *map(_reply, replies))

    def check(self, outcome: Mapping[str, Any], seconds: float, server: FaultServer) -> None:
        """Compares what came of it. ``outcome`` has ``value``, or ``error`` with its kind and all that it tells."""
        if "error" in self.said:
            self._check_error(outcome, server)
        else:
            assert "error" not in outcome, outcome["error"]
            value = outcome["value"]
            if "of_each" in self.said:
                value = [one[self.said["of_each"]] for one in value]
            _must_have(value, self.said["value"])
        self._check_requests(server)
        assert seconds >= self.said.get("at_least", 0)

    def _check_error(self, outcome: Mapping[str, Any], server: FaultServer) -> None:
        expected = dict(self.said["error"])
        error = outcome.get("error")
        assert error is not None, outcome
        says = expected.pop("says", "")
        assert says in error["message"]
        if sent := expected.pop("sent", None):
            expected["request_id"] = server.requests[-1].headers[sent]
        assert {name: error.get(name) for name in expected} == expected

    def _check_requests(self, server: FaultServer) -> None:
        requests = server.requests
        assert len(requests) == self.said["requests"]
        for header in self.said.get("same", ()):
            assert len({seen.headers[header] for seen in requests}) == 1
        for header, value in self.said.get("headers", {}).items():
            assert [seen.headers[header] for seen in requests] == [value] * len(requests)
        for header, value in self.said.get("last_headers", {}).items():
            assert requests[-1].headers[header] == value
        if "tokens" in self.said:
            assert [seen.headers["authorization"] for seen in requests] == self.said["tokens"]
        if "queries" in self.said:
            assert [dict(parse_qsl(seen.query)) for seen in requests] == self.said["queries"]
        if "path" in self.said:
            assert (requests[-1].path, requests[-1].query) == (self.said["path"], "")


def cases() -> list[Case]:
    """All of them."""
    text = Path(__file__).with_name("cases.json").read_text(encoding="utf-8")
    for name, value in {"OPERATION": OPERATION, "DATASET": DATASET}.items():
        text = text.replace(f'{name}"', f'{value}"').replace(f"{name}/", f"{value}/")
    return [Case(said) for said in json.loads(text)]


def each_case() -> dict[str, Any]:
    """For ``pytest.mark.parametrize(**each_case())``."""
    found = cases()
    return {"argnames": "case", "argvalues": found, "ids": [case.name for case in found]}


def _reply(said: Mapping[str, Any]) -> Reply:
    fields = dict(said)
    details = fields.pop("details", {})
    if "error" in fields:
        fields["body"] = envelope(fields.pop("error"), "No", **details)
    elif isinstance(fields.get("body"), str):
        fields["body"] = _BODIES[fields["body"]]
    return Reply(**fields)


def _must_have(value: Any, expected: Any) -> None:
    """An object may say more than is expected of it."""
    if isinstance(expected, Mapping):
        assert {name: value.get(name) for name in expected} == expected
    else:
        assert value == expected
