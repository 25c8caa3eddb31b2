"""What a run does while something else is waited for: in a thread of its own.

While the connector takes the records and builds its index, the run draws the test queries (:func:`begun`) and loads
what comes next. pandas and pandera take 0.4 s to load and only the schema check needs them, so nothing before it
imports them: :func:`load_schema_check` does when all records are handed over. A run that comes to the check sooner, or
never, is right all the same: an import that is under way in another thread is waited for.
"""

import importlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from dataops_core.dataset_types.base import DatasetType

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

#: What ``evaluation.py`` imports when the check is asked for.
_SCHEMA_CHECK = "dataops_core.quality.schema_validation"


def begun(work: Callable[[], _T], name: str) -> Future[_T]:
    """Begins the work, whose result or error the future gives. Returns at once."""
    future: Future[_T] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    # A daemon: a step that fails meanwhile, or is stopped, does not wait for it.
    threading.Thread(target=do, name=name, daemon=True).start()
    return future


def load_schema_check(dataset_type: DatasetType) -> threading.Thread:
    """Begins to load the schema check and the type's schema. Returns at once."""
    # A daemon: a run that ends early does not wait for it.
    thread = threading.Thread(target=_load, args=(dataset_type,), name="schema-check", daemon=True)
    thread.start()
    return thread


def _load(dataset_type: DatasetType) -> None:
    try:
        importlib.import_module(_SCHEMA_CHECK)
        _ = dataset_type.schema
    except Exception:
        # Where it is a fault and not a passing one, the check meets it again and fails by it.
        _log.warning("the schema check could not be loaded ahead", exc_info=True)
