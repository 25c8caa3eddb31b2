"""Records one exchange of each operation of the API, on a stack of its own, into docs/api-examples.json.

A short story: datasets are provisioned, read, checked, searched, torn down and restored by real runs. What differs from
run to run is replaced by what does not, so that the file changes only where the API does. ``make docs`` calls it.
"""

import json
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from api_page import EXAMPLES, describe, operations_of

from dataops_cli.addresses import free_port
from dataops_cli.background import start_background, stop
from dataops_cli.home import Home
from dataops_core.settings import Settings

CUSTOMER = "123e4567-e89b-12d3-a456-426614174000"
JOURNEY = "123e4567-e89b-12d3-a456-426614174001"
TEMPLATE = "770e8400-e29b-41d4-a716-446655440002"
#: Ids that are the same in every run.
_KEPT = {CUSTOMER, JOURNEY, "bb0e8400-e29b-41d4-a716-446655440008"}
_SHOWN_HEADERS = ("content-type", "location", "retry-after", "etag", "www-authenticate", "link")

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
#: Moments of one story, by the field that holds them.
_TIMES = {
    "created_at": "10:30:00",
    "started_at": "10:30:01",
    "executed_at": "10:30:06",
    "calculated_at": "10:30:06",
    "last_checked_at": "10:30:06",
    "ready_at": "10:30:07",
    "completed_at": "10:30:07",
    "updated_at": "10:30:07",
    "estimated_completion": "10:31:00",
    "expires_at": "11:30:00",
}
#: Numbers that a run measures, by the field that holds them.
_MEASURED = {
    "duration_seconds": 6.4,
    "duration_minutes": 0.11,
    "duration_ms": 12,
    "latency_ms": 4.2,
    "slowest_ms": 9.5,
    "response_seconds": 0.01,
    "index_bytes": 1048576,
    "storage_bytes": 262144,
}
_SECRETS = {
    "access_token": "eyJhbGciOiJSUzI1NiIs…",
    "n": "wJq1n2…",
    "kid": "2f9c…",
    "client_secret": "your-client-secret",
}
_LONGEST_TEXT = 160
_LONGEST_LIST = 2


@dataclass
class Recorder:
    """Asks, and keeps the first exchange of each operation."""

    client: httpx.Client
    dagster_url: str
    exchanges: dict[str, Any] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    _paths: dict[str, tuple[str, str]] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._paths = {
            operation["operationId"]: (method, path) for method, path, operation in operations_of(describe())
        }

    def ask(self, name: str, query: str = "", body: Any = None, **path: str) -> Any:
        """One request by an operation's name. Gives the body of its answer, which must be one of success."""
        method, template = self._paths[name]
        target = template.format(**path) + query
        headers = (
            {} if target.startswith(("/token", "/healthz", "/readyz", "/.well")) else {"Authorization": "Bearer $TOKEN"}
        )
        answer = self.client.request(method, target, json=body)
        if answer.status_code >= 300:
            raise RuntimeError(f"{method} {target}: {answer.status_code} {answer.text}")
        kind = answer.headers.get("content-type", "")
        content = answer.json() if kind == "application/json" else answer.text or None
        if body is not None:
            headers["Content-Type"] = "application/json"
        if name not in self.exchanges:
            self.exchanges[name] = {
                "request": {
                    "method": method,
                    "path": self._steady(target),
                    "headers": headers,
                    "body": self._steady(body),
                },
                "answer": {
                    "status": f"{answer.status_code} {answer.reason_phrase}",
                    "headers": {
                        known: self._steady(answer.headers[known], known)
                        for known in _SHOWN_HEADERS
                        if known in answer.headers
                    },
                    "body": self._events(content) if kind.startswith("text/event-stream") else self._steady(content),
                },
            }
        return content

    def finish(self, operation_id: str) -> Any:
        """The operation's end, waited for."""
        for _ in range(10):
            operation = self.client.get(f"/v1/dataops/operations/{operation_id}?wait=30").json()
            if operation["status"] not in {"pending", "in_progress"}:
                return operation
        raise RuntimeError(f"operation {operation_id} has not ended in five minutes")

    def wait_for_event(self, journey_id: str, event_id: str) -> None:
        """Until the event has been acted on, and all that it began has ended."""
        for _ in range(60):
            events = self.client.get(f"/v1/dataops/journeys/{journey_id}?client_id={CUSTOMER}").json()["events"]
            (event,) = [one for one in events if one["event_id"] == event_id]
            if event["status"] not in {"pending", "in_progress"}:
                return
            for operation in event["operations"]:
                self.finish(operation["operation_id"])
            time.sleep(1)
        raise RuntimeError(f"event {event_id} was not acted on in a minute")

    def _events(self, text: str) -> str:
        """The last event of a stream, its data made steady."""
        last = text.strip().split("\n\n")[-1]
        data = json.loads(next(line for line in last.splitlines() if line.startswith("data: ")).removeprefix("data: "))
        return f"id: 5f1d2a9b3c4e6f70\nevent: operation\ndata: {json.dumps(self._steady(data), ensure_ascii=False)}"

    def _steady(self, value: Any, name: str = "") -> Any:
        """The value with nothing in it that differs from run to run, and shortened."""
        if name in _SECRETS and isinstance(value, str):
            return _SECRETS[name]
        if name in _MEASURED and value is not None:
            return _MEASURED[name]
        match value:
            case dict():
                return {key: self._steady(member, key) for key, member in value.items()}
            case list():
                shown = [self._steady(member, name) for member in value[:_LONGEST_LIST]]
                return shown + ([f"… {len(value) - len(shown)} more"] if len(value) > len(shown) else [])
            case str():
                return self._steady_text(value, name)
        return value

    def _steady_text(self, text: str, name: str) -> str:
        if name == "etag":
            return '"8f14e45fceea167a5a36dedd4bea2543"'
        if name == "token":
            return "dol_s_…"
        if name == "generation":
            return "1"
        text = text.replace(str(self.client.base_url).rstrip("/"), "http://127.0.0.1:8080")
        text = text.replace(self.dagster_url, "http://127.0.0.1:3000")
        text = re.sub(r"response time [\d.]+s", "response time 0.1s", text)
        text = re.sub(r"cursor=[^&]+", "cursor=…", text)
        text = _TIME.sub(f"2026-01-28T{_TIMES.get(name, '10:30:00')}Z", text)
        if name == "date":
            text = _DAY.sub("2026-01-28", text)
        if name in {"upload_id", "records_path"}:
            text = re.sub(r"\b[0-9a-f]{8}-(\d+)(-[0-9a-f]{12})?$", r"5f1d2a9b-\1", text)
        text = _UUID.sub(lambda found: self._steady_id(found[0]), text)
        return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"

    def _steady_id(self, found: str) -> str:
        if found in _KEPT:
            return found
        if found not in self._ids:
            number = next(self._numbers)
            self._ids[found] = f"{number:02d}0e8400-e29b-41d4-a716-4466554400{number:02d}"
        return self._ids[found]


def story(recorder: Recorder, credentials: dict[str, str]) -> None:
    """Every operation once, in an order in which each succeeds."""
    ask, finish = recorder.ask, recorder.finish
    known = {name: credentials[name] for name in ("client_id", "client_secret")}
    token = ask("create_token", body=known | {"grant_type": "client_credentials"})
    recorder.client.headers["Authorization"] = f"Bearer {token['access_token']}"
    ask("authorization_server_metadata")
    ask("published_keys")
    ask("healthz")
    ask("readyz")
    templates = ask("list_templates", "?industry=fintech")
    # A template's id is the same in every release (C-70).
    _KEPT.update(template["template_id"] for template in ask("list_templates")["templates"])
    recorder.exchanges.pop("list_templates")
    ask("list_templates", "?industry=fintech")
    ask("get_template", template_id=templates["templates"][0]["template_id"])
    ask(
        "recommend_templates",
        body={
            "client_metadata": {
                "industry": "fintech",
                "use_case": "developer_productivity",
                "company_size": "mid_market",
            },
            "dataset_types": ["confluence_pages", "github_repos"],
            "stage": "sandbox",
        },
    )
    wanted = {
        "journey_id": JOURNEY,
        "client_id": CUSTOMER,
        "stage": "sandbox",
        "dataset_types": ["confluence_pages", "github_repos"],
        "metadata": {
            "requested_by": "john.doe@acme.com",
            "reason": "sandbox_stage_transition",
            "custom_fields": {"client_name": "ACME", "industry": "fintech", "use_case": "developer_productivity"},
        },
        "generation": {"record_count": 60},
    }
    accepted = ask("create_datasets", body=wanted)
    finish(accepted["operation_id"])
    dataset = {"dataset_id": accepted["datasets"][0]["dataset_id"]}
    operation = {"operation_id": accepted["operation_id"]}
    ask("get_operation", **operation)
    ask("watch_operation", **operation)
    ask("list_operations", f"?client_id={CUSTOMER}&status=completed")
    ask("list_datasets", f"?client_id={CUSTOMER}&stage=sandbox&status=ready")
    shown = ask("get_dataset", **dataset)
    ask("get_quality", **dataset)
    checked = ask("validate_quality", body={"checks": ["connector_health"], "force_revalidation": True}, **dataset)
    finish(checked["operation_id"])
    ask("get_quality_history", "?check_type=connector_health", **dataset)
    for name, query in (("get_records", "?per_page=1"), ("get_ground_truth", "?kind=multi_hop&per_page=1")):
        ask(name, query, **dataset)
    issued = ask("create_connector_token", body={"kind": "search", "expires_in": 3600}, **dataset)
    httpx.post(
        f"{shown['connector']['endpoint_url']}/api/search",
        json={"query": "release"},
        headers={"Authorization": f"Bearer {issued['token']}"},
        timeout=30,
    ).raise_for_status()
    ask("get_connector", **dataset)
    ask("get_usage", **dataset)
    ask("revoke_connector_token", token_id=issued["token_id"], **dataset)
    changed = {"metadata": {"tags": ["updated", "validated"], "custom_field": "value"}}
    ask("change_metadata", body=changed, **dataset)
    again = wanted | {"stage": "pilot", "dataset_types": ["confluence_pages"]}
    begun = {"operation_id": recorder.client.post("/v1/dataops/datasets", json=again).json()["operation_id"]}
    ask("cancel_operation", **begun)
    finish(begun["operation_id"])
    ask("retry_operation", **begun)
    finish(begun["operation_id"])
    finish(ask("tear_down_dataset", body={"reason": "manual", "archive": True}, **dataset)["operation_id"])
    finish(ask("restore_dataset", **dataset)["operation_id"])
    finish(ask("delete_dataset", "?reason=stage_transition&archive=true", **dataset)["operation_id"])
    tell(recorder)
    ask("list_audit", f"?resource_type=dataset&resource_id={dataset['dataset_id']}&action=deleted&limit=10")
    recorder.exchanges.pop("list_audit")
    ask("list_audit", f"?resource_type=dataset&resource_id={dataset['dataset_id']}&limit=2")


def tell(recorder: Recorder) -> None:
    """An event of the journey, and what becomes of it."""
    told = {
        "event_id": "bb0e8400-e29b-41d4-a716-446655440008",
        "event": "stage_transition",
        "client_id": CUSTOMER,
        "to_stage": "pilot",
        "occurred_at": "2026-01-28T10:30:00Z",
    }
    recorder.ask("tell_journey_event", body=told, journey_id=JOURNEY)
    recorder.wait_for_event(JOURNEY, told["event_id"])
    recorder.ask("get_journey", f"?client_id={CUSTOMER}", journey_id=JOURNEY)


def main() -> int:
    """Records all. Exit status 1 with a sentence where an operation is not part of the story."""
    with tempfile.TemporaryDirectory(prefix="dol-", dir="/tmp") as directory:  # a short path: sockets are in it
        Path(directory).chmod(0o711)
        home = Path(directory) / "home"
        stack = start_background(Settings(home=home, api_port=free_port(), dagster_port=free_port()), with_parent=True)
        try:
            credentials = json.loads(stack.credentials_file.read_text(encoding="utf-8"))
            with httpx.Client(base_url=stack.public_url, timeout=60) as client:
                recorder = Recorder(client, stack.dagster_url)
                story(recorder, credentials)
        finally:
            stop(Home(home))
    told = {operation["operationId"] for _, _, operation in operations_of(describe())}
    if missing := told - recorder.exchanges.keys():
        sys.stderr.write(f"The story of scripts/record_api.py lacks {', '.join(sorted(missing))}: add it.\n")
        return 1
    EXAMPLES.write_text(json.dumps(recorder.exchanges, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
