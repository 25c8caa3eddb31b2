"""Traces that are off are nothing, and cost nothing; what a caller sends is believed only where it is well formed."""

import subprocess
import sys

import pytest

from dataops_core import tracing
from dataops_core.settings import Settings

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

OFF = """
import sys
from dataops_core import tracing
from dataops_core.settings import Settings
from dataops_api.app import create_app
import dataops_pipeline.definitions
settings = Settings(secret_key="x" * 32, database_url="postgresql://n@localhost/n")
tracing.start(settings, service="test")
create_app(settings)
with tracing.span("work", parent="{given}") as span:
    span.set(a__b=1)
    assert tracing.traceparent() is None and tracing.trace_id() is None
loaded = [name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))]
sys.exit(str(loaded) if loaded or tracing.is_on() else 0)
"""

ON = """
import sys
from dataops_core import tracing
from dataops_core.settings import Settings
tracing.start(Settings(otlp_endpoint="http://127.0.0.1:9"), service="test")
with tracing.span("work", parent="{given}") as span:
    span.set(a__b=1)
    inner = tracing.traceparent()
    assert tracing.trace_id() == "{given}".split("-")[1], tracing.trace_id()
    assert inner != "{given}" and tracing.usable(inner) == inner
try:
    with tracing.span("fails"):
        raise KeyError("x")
except KeyError:
    pass
with tracing.span("unwanted", wanted=False):
    assert tracing.traceparent() is None
assert tracing.traceparent() is None
"""


@pytest.mark.long
@pytest.mark.parametrize("code", [OFF, ON], ids=["off", "on"])
def test_off_loads_nothing_and_on_goes_on_with_the_trace_that_was_given(code: str) -> None:
    # On, nobody takes the spans: the process must end all the same, and soon.
    done = subprocess.run(
        [sys.executable, "-c", code.replace("{given}", GIVEN)], check=False, timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "nonsense",
        GIVEN.upper(),
        GIVEN[:-1],
        GIVEN + "-more",
        "ff" + GIVEN[2:],
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
    ],
)
def test_what_is_no_traceparent_is_none(sent: str | None) -> None:
    assert tracing.usable(sent) is None


def test_a_traceparent_is_one() -> None:
    assert tracing.usable(GIVEN) == GIVEN


def test_one_setting_switches_traces_on_ours_or_opentelemetrys_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert Settings().traces_endpoint is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/")
    assert Settings().traces_endpoint == "http://collector:4318/v1/traces"
    assert Settings(otlp_endpoint="http://mine:4318").traces_endpoint == "http://mine:4318/v1/traces"
