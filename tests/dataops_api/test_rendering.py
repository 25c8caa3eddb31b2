"""Answers in JSON: the same values whoever writes them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from starlette.responses import JSONResponse

from dataops_api.rendering import JSONAnswer
from dataops_core.clock import rfc3339
from dataops_core.lifecycle import DatasetStatus


@pytest.mark.parametrize(
    "content",
    [
        {"text": 'ünï\u2028"\\\b\f\x00\x7f\U0001f600', "empty": "", "none": None, "yes": True, "nested": [{"a": []}]},
        {"status": DatasetStatus.READY, "score": 97.5, "small": 1e-9, "seed": 2**62},
        {"beyond 64 bits": [2**64, -(2**63) - 1, 10**400]},
    ],
    ids=["text", "numbers", "large numbers"],
)
def test_an_answer_has_the_values_that_it_was_made_of(content: dict[str, Any]) -> None:
    """C-1, C-50."""
    body = bytes(JSONAnswer(content).body)
    assert json.loads(body) == json.loads(bytes(JSONResponse(content).body)) == content
    assert b": " not in body


@pytest.mark.parametrize("beside", [0, 2**70], ids=["by orjson", "by the standard library"])
@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 28, 10, 30, 0, 999_999, tzinfo=UTC),
        datetime(2026, 1, 28, 10, 30, tzinfo=timezone(timedelta(0))),
        datetime(312, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
    ids=["with microseconds", "as the database's driver says it", "long ago"],
)
def test_a_time_is_written_in_whole_seconds_of_utc(moment: datetime, beside: int) -> None:
    """C-1."""
    body = bytes(JSONAnswer({"at": moment, "beside": beside}).body)
    assert json.loads(body) == {"at": rfc3339(moment), "beside": beside}


@pytest.mark.parametrize("value", [b"bytes", object(), "half of a pair: \ud800"])
def test_what_no_answer_may_hold_is_a_bug(value: object) -> None:
    with pytest.raises((TypeError, UnicodeEncodeError)):
        JSONAnswer({"value": value})


def test_metadata_may_hold_any_number(api: Any) -> None:
    """C-50: and the tag of the change is that of the dataset."""
    made = api.provision(metadata={"custom_fields": {"budget": 10**30}})
    path = f"/v1/dataops/datasets/{made['datasets'][0]['dataset_id']}"
    found = api.admin.get(path)
    assert found.json()["metadata"]["custom_fields"]["budget"] == 10**30
    changed = api.admin.patch(path, json={"metadata": {"tags": ["one"]}})
    assert changed.headers["ETag"] == api.admin.get(path).headers["ETag"]
