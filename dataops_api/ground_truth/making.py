"""Ground truths of datasets, made once for all who ask for one at the same time.

One takes a second or two for what people provision, minutes for a million records. Whoever asks waits for it so long as
clients wait; after that they ask again, and it goes on being made.
"""

import logging
from concurrent.futures import Future
from threading import Lock, Thread

from dataops_core.company.build import build_company
from dataops_core.errors import StorageError, UnavailableError
from dataops_core.ground_truth import keeping
from dataops_core.registry import customers
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Dataset
from dataops_core.storage import Storage

_log = logging.getLogger(__name__)

#: Clients' own patience is 30 s.
PATIENCE_SECONDS = 20.0


class GroundTruths:
    """The ground truths of all datasets. Safe to use from many threads."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage
        self._lock = Lock()
        self._being_made: dict[str, Future[bytes]] = {}
        # One after the other: each takes a processor.
        self._turn = Lock()

    def of(self, dataset: Dataset) -> tuple[bytes, bytes | None]:
        """The questions of a ready dataset and the list of its defects, as their files have them.

        Raises StorageError, and UnavailableError while the questions are being made still.
        """
        folder = dataset.records_path
        if folder is None:
            raise StorageError("The dataset has no records.")
        defects = keeping.defects(self._storage, folder)
        return self._questions(dataset, folder), defects

    def _questions(self, dataset: Dataset, folder: str) -> bytes:
        found = keeping.kept(self._storage, folder)
        if found is not None:
            return found
        with self._lock:
            made = self._being_made.get(folder)
            if made is None:
                made = self._being_made[folder] = Future()
                # It ends with the process, whenever that is: nothing waits for it.
                Thread(target=self._make, args=(dataset, folder, made), name="ground-truth", daemon=True).start()
        try:
            return made.result(PATIENCE_SECONDS)
        except TimeoutError:
            raise UnavailableError("The ground truth is being made still.") from None

    def _content(self, dataset: Dataset, folder: str) -> bytes:
        with self._database.transaction() as session:
            customer = customers.find(session, dataset.client_id)
        if customer is None:
            raise StorageError("The dataset's customer is not known any more.")
        company = build_company(dataset.client_id, customer.locale)
        return keeping.make(self._storage, folder, dataset.dataset_type, company, dataset.seed)

    def _make(self, dataset: Dataset, folder: str, made: "Future[bytes]") -> None:
        try:
            with self._turn:
                content = self._content(dataset, folder)
            made.set_result(content)
            keeping.keep(self._database, self._storage, dataset.dataset_id, folder, content)
        except Exception as error:
            if made.done():
                # It was told; the next who asks has it made again.
                _log.warning("the ground truth of a dataset could not be kept", exc_info=True)
            else:
                made.set_exception(error)
        finally:
            with self._lock:
                del self._being_made[folder]
