"""The log's lines: one form, what they belong to, and nothing secret (C-3, C-15)."""

import json
import logging
from pathlib import Path
from uuid import uuid4

import pytest

from dataops_core import logs
from dataops_core.acting import Acting, ActorKind, acting
from dataops_core.logs import JsonFormatter, TextFormatter
from dataops_core.security import new_secret, without_secrets
from dataops_core.settings import Settings

SETTINGS = Settings(secret_key="a secret for tests, long enough")


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("dataops.test", logging.WARNING, __file__, 1, message, None, None)
    for name, value in extra.items():
        setattr(made, name, value)
    return made


def test_a_line_tells_the_request_the_operation_and_the_run_that_it_belongs_to() -> None:
    operation_id = uuid4()
    with acting(Acting(ActorKind.RUN, "run-1", operation_id=operation_id)):
        line = json.loads(JsonFormatter().format(record("step done", step="template", duration_ms=1.5)))
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "dataops.test",
        "message": "step done",
        "operation_id": str(operation_id),
        "run_id": "run-1",
        "step": "template",
        "duration_ms": 1.5,
    }
    with acting(Acting(ActorKind.API_CLIENT, "client-1", "req-1")):
        line = json.loads(JsonFormatter().format(record("asked", request_id="req-of-its-own")))
    assert (line["api_client_id"], line["request_id"]) == ("client-1", "req-of-its-own")
    assert "run_id" not in line


@pytest.mark.parametrize("odd", ["half of a character: \ud800", 2**70], ids=["surrogate", "long"])
def test_what_no_other_writer_takes_is_a_line_in_ascii(odd: object) -> None:
    line = JsonFormatter().format(record("asked", path=odd))
    assert (json.loads(line)["path"], line.isascii()) == (odd, True)


def test_people_at_a_terminal_get_plain_lines() -> None:
    with acting(Acting(request_id="req-1")):
        line = TextFormatter().format(record("something happened"))
    assert line.endswith("WARNING dataops.test: something happened request_id=req-1")
    assert isinstance(logs.formatter(Settings(log_format="text")), TextFormatter)
    assert isinstance(logs.formatter(SETTINGS), JsonFormatter)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"made {(own := new_secret('dosec_'))}.", own),
        (f"token={(search := new_secret('dol_s_'))}", search),
        ("Authorization: Bearer abc.DEF-123_x==", "abc.DEF-123_x=="),
        ("got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "c2ln"),
        ("postgresql://dataops:hunter2@db:5432/x does not answer", "hunter2"),
    ],
    # Named, since a drawn secret differs from process to process.
    ids=["client secret", "connector token", "bearer", "JWT", "password in an address"],
)
def test_what_looks_like_a_secret_is_struck_out_whoever_wrote_it(text: str, secret: str) -> None:
    """C-15."""
    for form in (JsonFormatter(), TextFormatter()):
        assert secret not in form.format(record(text))
    assert "(secret)" in without_secrets(text)


def test_a_traceback_is_in_its_line_without_its_secrets() -> None:
    """C-15."""
    try:
        raise RuntimeError("postgresql://dataops:hunter2@db:5432/x")  # noqa: TRY301
    except RuntimeError as error:
        failed = record("failed")
        failed.exc_info = (RuntimeError, error, error.__traceback__)
    line = json.loads(JsonFormatter().format(failed))
    assert "RuntimeError: postgresql://dataops:(secret)@db:5432/x" in line["traceback"]


def test_plain_text_is_left_as_it_is() -> None:
    text = "Connector 5c3c serves 'a-b': 20 documents at http://127.0.0.1:8080/connectors/x, see user@example.com"
    assert without_secrets(text) == text


def test_a_file_takes_our_lines_while_the_block_runs(tmp_path: Path) -> None:
    path = tmp_path / "supervisor.log"
    log = logging.getLogger("dataops.supervisor")
    with logs.in_file(path, SETTINGS):
        log.info("Ready in %s s", 3)
    log.info("said to nobody")
    (line,) = path.read_text().splitlines()
    assert json.loads(line)["message"] == "Ready in 3 s"


def test_in_a_process_of_somebody_elses_only_our_own_loggers_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    root_before = logging.getLogger().handlers[:]
    ours = {name: logging.getLogger(name) for name in logs._OURS}
    before = {name: (one.handlers[:], one.level, one.propagate) for name, one in ours.items()}
    try:
        logs.configure_ours(SETTINGS)
        logging.getLogger("dataops_core.provisioning.step").info("step done")
        assert logging.getLogger().handlers == root_before
    finally:
        for name, (handlers, level, propagate) in before.items():
            ours[name].handlers[:], ours[name].propagate = handlers, propagate
            ours[name].setLevel(level)
    assert json.loads(capsys.readouterr().err)["message"] == "step done"
