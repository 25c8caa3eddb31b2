# Made by `make sdk` from _async/records.py: change that.
"""The records of a dataset, as its vendor would answer them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from a_domain_sdk._answer import not_json
from a_domain_sdk._call import Call, Id, Parameter, nothing, path_of
from a_domain_sdk._lists import RecordList
from a_domain_sdk._sync.pages import Page
from a_domain_sdk._sync.session import Session

if TYPE_CHECKING:
    import pandas as pd

_NDJSON = "application/x-ndjson"
_PARQUET = "application/vnd.apache.parquet"


class Records:
    """A dataset's records, asked for as they are used: one stream however many there are, one record in memory.

    for record in client.datasets.records(dataset_id):
        ...
    """

    def __init__(self, session: Session, dataset_id: Id) -> None:
        self._session = session
        self._path = f"/datasets{path_of(dataset_id)}/records"

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All records. Raises ConflictError where the dataset is not ready, GoneError where it is archived.

        Raises APIConnectionError where the stream breaks off: what was told before is right, but not all.
        """
        for lines in self._session.lines(self._all("ndjson", _NDJSON), _NDJSON):
            for line in lines:
                try:
                    record: dict[str, Any] = from_json(line)
                except ValueError:
                    raise not_json(self._path) from None
                yield record

    def page(self, page: int = 1, *, per_page: int | None = None) -> Page[dict[str, Any]]:
        """One page of records (20, at most 100 by ``per_page``); iterating over it goes through all pages after it."""
        parameters: dict[str, Parameter] = {"format": "json", "page": page, "per_page": per_page}
        return Page.of(self._session, Call("GET", self._path, RecordList.model_validate, parameters=parameters))

    def save(self, path: str | Path) -> Path:
        """Writes all records to this file: Parquet, as they are stored, or one JSON object a line for ``*.ndjson``.

        The columns of Parquet are named by dotted paths. A file of that name is replaced when all is there, and only
        then.
        """
        target = Path(path)
        lines = target.suffix in {".ndjson", ".jsonl"}
        media_type = _NDJSON if lines else _PARQUET
        call = self._all("ndjson" if lines else "parquet", media_type)
        aside = target.with_name(f".{target.name}.{call.request_id}")
        try:
            with aside.open("wb") as file:
                for piece in self._session.pieces(call, media_type):
                    file.write(piece)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        return target

    def to_pandas(self) -> pd.DataFrame:
        """All records as a pandas DataFrame, whose columns are named by dotted paths (``version.number``).

        Raises ImportError where pandas is not installed.
        """
        import pandas  # noqa: PLC0415  only who wants a frame needs it

        return pandas.json_normalize([record for record in self])

    def _all(self, kind: str, media_type: str) -> Call[None]:
        return Call("GET", self._path, nothing, parameters={"format": kind}, headers={"Accept": media_type})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path}>"
