"""What a run does while something else is waited for: in a thread of its own.

While the connector is made, the run makes the records that come next (``records_ahead.py``); while the records are
stored and the connector builds its index, it draws the test queries (``prepared.py``) and loads what the checks need.
pandas and pandera take 0.4 s to load and only the schema check needs them, so nothing before it imports them:
:func:`load_schema_check` does when all documents are made. A run that comes to the check sooner, or never, is
right all the same: loading that is under way in another thread is waited for.
"""

import importlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from dataops_core.dataset_types.base import DatasetType

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

#: What ``evaluation.py`` imports when the check is asked for.
_SCHEMA_CHECK = "dataops_core.quality.schema_validation"
#: pandera's modules import each other in circles: two threads that begin at different ones would each wait for the
#: other, which Python notices and answers with an ImportError.
_loading = threading.Lock()


class Meanwhile(Generic[_T]):
    """Work that is begun when there is time for it, and done at once where its result is wanted before."""

    def __init__(self, work: Callable[[], _T], name: str) -> None:
        self._work = work
        self._done: Future[_T] = Future()
        # A daemon: a step that fails meanwhile, or is stopped, does not wait for it.
        self._thread = threading.Thread(target=self._do, name=name, daemon=True)

    def begin(self) -> None:
        """Begins in a thread of its own. Returns at once."""
        self._thread.start()

    def result(self) -> _T:
        """What the work has come to, waited for. Raises what it raised."""
        if self._thread.ident is None and not self._done.done():
            self._do()
        return self._done.result()

    def _do(self) -> None:
        try:
            self._done.set_result(self._work())
        except BaseException as error:
            self._done.set_exception(error)


def load_schema_check(dataset_type: DatasetType) -> threading.Thread:
    """Begins to load the schema check and the type's schema. Returns at once."""
    # A daemon: a run that ends early does not wait for it.
    thread = threading.Thread(target=_load, args=(dataset_type,), name="schema-check", daemon=True)
    thread.start()
    return thread


def loaded(dataset_type: DatasetType) -> None:
    """Loads the schema check and the type's schema where they are not, one thread at a time."""
    with _loading:
        importlib.import_module(_SCHEMA_CHECK)
        _ = dataset_type.schema


def _load(dataset_type: DatasetType) -> None:
    try:
        loaded(dataset_type)
    except Exception:
        # Where it is a fault and not a passing one, the check meets it again and fails by it.
        _log.warning("the schema check could not be loaded ahead", exc_info=True)
