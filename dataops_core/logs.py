"""The log's lines: one form for the API, the runs' steps and the command line, on standard error or in a file.

A line is a JSON object: time, level, logger, message, and whatever is known of the request, the operation, the run and
the trace that it belongs to (``acting.py``, ``tracing.py``). ``DATAOPS_LOG_FORMAT=text`` gives people at a terminal
plain lines. What looks like a secret is struck out on the way, whoever wrote it; query strings are never written.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

import orjson

from dataops_core import acting, tracing
from dataops_core.acting import ActorKind
from dataops_core.security import without_secrets
from dataops_core.settings import Settings

#: What a caller may give beside the message.
_EXTRA = (
    *("request_id", "operation_id", "run_id", "trace_id", "api_client_id"),
    *("method", "path", "status", "duration_ms", "step", "dataset_type"),
)
#: Actors that a line names, and as what.
_ACTORS = {ActorKind.RUN: "run_id", ActorKind.API_CLIENT: "api_client_id"}
_OURS = ("dataops", "dataops_core", "dataops_api", "dataops_pipeline")
_LONGEST_FILE = 8 * 1024 * 1024


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= _known(record)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return without_secrets(_as_json(line))


def _as_json(line: dict[str, object]) -> str:
    try:
        return orjson.dumps(line).decode()
    except TypeError:
        return json.dumps(line)  # half of a character, say, which is no UTF-8


class TextFormatter(logging.Formatter):
    """A record as a plain line, its traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        known = "".join(f" {name}={value}" for name, value in _known(record).items())
        traceback = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return without_secrets(f"{moment} {record.levelname:<7} {record.name}: {record.getMessage()}{known}{traceback}")


def _known(record: logging.LogRecord) -> dict[str, object]:
    """What is known of the record's surroundings; what its writer gave counts more."""
    who, given = acting.current(), vars(record)
    known: dict[str, object] = {}
    if who.request_id is not None:
        known["request_id"] = who.request_id
    if who.operation_id is not None:
        known["operation_id"] = str(who.operation_id)
    if who.actor_id is not None and who.kind in _ACTORS:
        known[_ACTORS[who.kind]] = who.actor_id
    if (trace_id := tracing.trace_id()) is not None:
        known["trace_id"] = trace_id
    for name in _EXTRA:
        if (value := given.get(name)) is not None:
            known[name] = value
    return known


def formatter(settings: Settings) -> logging.Formatter:
    """The form that the settings ask for."""
    return TextFormatter() if settings.log_format == "text" else JsonFormatter()


def configure_process(settings: Settings) -> None:
    """Sends every log of a process that is ours alone to standard error."""
    # No line names the place in the code, the thread or the process: to find them takes half of a record's time.
    logging._srcfile = None  # noqa: SLF001  the documented way
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [_on_standard_error(settings)]
    root.setLevel(settings.log_level)
    for name in ("alembic", "httpx"):  # a line at each question about readiness
        logging.getLogger(name).setLevel(logging.WARNING)


def configure_ours(settings: Settings) -> None:
    """Sends our own logs to standard error, in a process whose other logs are somebody else's (Dagster's)."""
    for name in _OURS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [_on_standard_error(settings)]
        logger.setLevel(settings.log_level)
        logger.propagate = False


@contextmanager
def in_file(path: Path, settings: Settings) -> Iterator[None]:
    """Writes our own logs into a file of bounded size, for as long as the block runs."""
    handler = RotatingFileHandler(path, maxBytes=_LONGEST_FILE, backupCount=1, encoding="utf-8")
    handler.setFormatter(formatter(settings))
    logger = logging.getLogger("dataops")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(settings.log_level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()


def _on_standard_error(settings: Settings) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(settings))
    return handler
