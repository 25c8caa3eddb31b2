"""Whether the place of datasets' and archives' files takes what is written.

Asked for by ``/readyz``, which anyone may call as often as they like: what was found counts for a moment, and one look
is for all who ask. A disk or a bucket that does not answer holds up that look alone, never those who ask. Does not
belong here: what a refusal means (``dataops_core/storage.py``).
"""

from concurrent.futures import Future
from threading import Lock, Thread
from time import monotonic

from dataops_core.errors import DataOpsError
from dataops_core.storage import Storage

#: Seconds that a look may take, and that what was found counts.
_PATIENCE, _COUNTS = 2.0, 1.0


class StorageProbe:
    """Looks after the files, one look for all who want to know. For any number of threads.

    In seconds: ``patience``, after which a look is not waited for, and ``counts``, how long what was found counts.
    """

    def __init__(self, storage: Storage, *, patience: float = _PATIENCE, counts: float = _COUNTS) -> None:
        self._storage = storage
        self._patience = patience
        self._counts = counts
        self._lock = Lock()
        self._look: Future[str | None] | None = None
        self._found: str | None = None
        self._until = 0.0

    def fault(self) -> str | None:
        """What is wrong, None where nothing is: found a moment ago, else now."""
        with self._lock:
            if monotonic() >= self._until:
                self._found = self._told()
                self._until = monotonic() + self._counts
            return self._found

    def _told(self) -> str | None:
        if self._look is None:
            self._look = Future()
            Thread(target=self._tell, args=(self._look,), name="storage-probe", daemon=True).start()
        try:
            found = self._look.result(self._patience)
        except TimeoutError:
            return "The storage does not answer."  # the next who asks waits for this very look
        self._look = None
        return found

    def _tell(self, look: "Future[str | None]") -> None:
        try:
            self._storage.probe()
            look.set_result(None)
        except DataOpsError as error:
            look.set_result(error.message)
        except Exception as error:  # else whoever waits for it would wait in vain
            look.set_result(f"The storage cannot be used: {error}.")
