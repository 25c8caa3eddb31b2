"""The API's log: every line of its process in the one form (``dataops_core/logs.py``), the server's among them."""

import logging

from dataops_core.logs import configure_process
from dataops_core.settings import Settings


def configure(settings: Settings) -> None:
    """Sends every log of this process to standard error. Uvicorn's own access log is not needed then."""
    configure_process(settings)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
