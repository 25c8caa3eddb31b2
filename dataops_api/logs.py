"""The API's log: one JSON object a line, on standard error. Never a token, a secret or a query string."""

import json
import logging
import sys
from datetime import UTC, datetime

from dataops_core.security import without_secrets

_EXTRA = ("request_id", "method", "path", "status", "duration_ms", "api_client_id", "operation_id")


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, what was given beside it, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name in _EXTRA if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return without_secrets(json.dumps(line, ensure_ascii=False))


def configure(level: str) -> None:
    """Sends every log of this process through :class:`JsonFormatter`. Uvicorn's own access log is not needed then."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("alembic", "httpx"):  # a line at each question about readiness
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
