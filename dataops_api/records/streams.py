"""Answers that are read from a dataset's open file of records while they are sent."""

from collections.abc import Iterator
from urllib.parse import quote

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dataops_core.dataset_types.stored import StoredRecords


class RecordStream(StreamingResponse):
    """Pieces of an open file, which is closed with the last of them and where the client wants no more."""

    def __init__(self, stored: StoredRecords, pieces: Iterator[bytes], *, media_type: str, headers: dict[str, str]):
        super().__init__(pieces, media_type=media_type, headers=headers)
        self._stored = stored

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it, as any answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stored.close()


def attachment(name: str) -> str:
    """``Content-Disposition`` (RFC 6266): the name in ASCII, and as it is for who understands that."""
    plain = "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "_" for one in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
