"""The JavaScript SDK against the recorded faults that every SDK is held to (C-2, C-4, C-13, C-45, C-95)."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.sdks.conformance.server import FaultServer
from tests.sdks.conformance.suite import Case, each_case

SECRET = "s3cret-of-the-api-client"


@pytest.mark.parametrize(**each_case())
def test_the_client_does_as_every_sdk(
    server: FaultServer, run: Callable[[dict[str, Any]], dict[str, Any]], case: Case
) -> None:
    case.prepare(server)
    options = {"client_id": "an-api-client", "client_secret": SECRET, "base_url": server.base_url, **case.options}
    began = time.monotonic()
    outcome = run({"options": options, "call": case.call})

    case.check(outcome, time.monotonic() - began, server)
    shown = outcome.get("error", {}).get("shown", "")
    assert SECRET not in shown
    assert "token-1" not in shown
