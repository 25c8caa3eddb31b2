"""What the index step needs of a dataset's records, made ready before it: their documents, and the ten test queries.

Of records that take little memory the records step begins it, in threads: the documents are there when the connector
can take them, and the queries are drawn while the run waits for others. Of large ones each document is made when it is
pushed, and the queries are drawn when the last was. Does not belong here: pushing and keeping (``steps.py``).
"""

from collections.abc import Callable, Iterator, Sequence

from dataops_core.dataset_types.base import BLOCK_ROWS, DatasetType, Document
from dataops_core.generation.pieces import KeptRecords, Records
from dataops_core.provisioning.ahead import Meanwhile, load_schema_check
from dataops_core.quality.query_set import QuerySet


class Prepared:
    """The documents of some records and the queries that ``draw`` makes of them: of all, where they are kept whole."""

    def __init__(
        self, records: Records, dataset_type: DatasetType, draw: Callable[[Sequence[Document] | None], QuerySet]
    ) -> None:
        self._records = records
        self._type = dataset_type
        made: Meanwhile[list[Document]] | None = None
        if isinstance(records, KeptRecords):
            made = Meanwhile(lambda: list(handed_over(records, dataset_type)), "documents")
        self._made = made
        # Nothing leads back to this object: its documents go with who has it, not when Python looks for circles.
        self._drawn = Meanwhile(lambda: draw(None if made is None else made.result()), "test-queries")

    def begin(self) -> None:
        """Begins what can be done at once. Returns at once; to be called once."""
        if self._made is not None:
            self._made.begin()
            self._drawn.begin()

    def documents(self) -> Iterator[Document]:
        """What the connector indexes, in order. Raises what making them raised."""
        if self._made is not None:
            yield from self._made.result()
            return
        yield from handed_over(self._records, self._type)
        self._drawn.begin()

    def queries(self) -> QuerySet:
        """The ten, waited for. Raises what drawing them raised."""
        return self._drawn.result()


class Preparations:
    """What was begun for this process's index steps, by the records' folder. Safe to use from many threads."""

    def __init__(self) -> None:
        self._begun: dict[str, Prepared] = {}

    def keep(self, folder: str, prepared: Prepared) -> None:
        """Keeps it until it is taken."""
        self._begun[folder] = prepared

    def take(self, folder: str) -> Prepared | None:
        """What was begun for these records, if anything was; it is kept no longer."""
        return self._begun.pop(folder, None)


def handed_over(records: Records, dataset_type: DatasetType) -> Iterator[Document]:
    """The records as the connector indexes them, one after the other; then what the checks need begins to load.

    Sooner, that would hold up the thread that makes pages of them.
    """
    for piece in records.pieces():
        for batch in piece.to_batches(BLOCK_ROWS):
            for row in batch.to_pylist():
                yield dataset_type.document(row)
    load_schema_check(dataset_type)
