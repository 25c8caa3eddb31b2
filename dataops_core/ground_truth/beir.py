"""A dataset's questions and documents in the form of BEIR's data sets, as a zip archive made while it is sent. Pure.

``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv``; a document's id there is its address, which is what searches
answer with. Beside them ``defects.jsonl``, which is the product's own: what is wrong with documents on purpose. The
same dataset gives the same bytes. Source: github.com/beir-cellar/beir, ``GenericDataLoader``.
"""

import json
from collections.abc import Iterable, Iterator
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from dataops_core.connectors.embedded.text import plain_text
from dataops_core.dataset_types.base import Document
from dataops_core.ground_truth.model import GroundTruth

CORPUS, QUERIES, QRELS, DEFECTS = "corpus.jsonl", "queries.jsonl", "qrels/test.tsv", "defects.jsonl"
#: What zip archives begin their time with: a file's age is no part of the dataset.
_ALWAYS = (1980, 1, 1, 0, 0, 0)


def archive(truth: GroundTruth, documents: Iterable[list[Document]], defects: bytes | None = None) -> Iterator[bytes]:
    """The archive in pieces, each made when it is asked for; ``documents`` come in blocks, all of the dataset's.

    ``defects`` is the dataset's file of them, None where it has none.
    """
    sent = _Sent()
    with ZipFile(sent, "w") as files:
        for name, text in ((QUERIES, queries(truth)), (QRELS, qrels(truth))):
            files.writestr(_entry(name), text)
            yield sent.taken()
        if defects is not None:
            files.writestr(_entry(DEFECTS), defects)
            yield sent.taken()
        # A corpus may have more than 2 GiB, which an entry of unknown size has to allow for.
        with files.open(_entry(CORPUS), "w", force_zip64=True) as corpus:
            for block in documents:
                corpus.write("".join(map(_line, block)).encode())
                yield sent.taken()
    yield sent.taken()


def queries(truth: GroundTruth) -> str:
    """``queries.jsonl``: one object a line; ``metadata`` has what is known of the question besides its documents."""
    lines = ({"_id": each.query_id, "text": each.text, "metadata": each.metadata} for each in truth)
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


def qrels(truth: GroundTruth) -> str:
    """``qrels/test.tsv``: which document answers which question. One that nobody can answer has no line."""
    lines = (f"{question.query_id}\t{one.url}\t1\n" for question in truth for one in question.expected)
    return "".join(["query-id\tcorpus-id\tscore\n", *lines])


def _line(document: Document) -> str:
    """A line of ``corpus.jsonl``."""
    said = {
        "_id": document.view_url,
        "title": document.title,
        "text": plain_text(document.body, document.mime_type),
        "metadata": {
            "document_id": document.id,
            "author": document.author_name,
            "owner": document.owner_name,
            "created_at": document.created_at,
            "updated_at": document.updated_at,
            **document.properties,
        },
    }
    return f"{json.dumps(said, ensure_ascii=False)}\n"


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _ALWAYS)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


class _Sent:
    """A file that hands on what is written to it, and cannot be sought in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes, /) -> int:
        """Takes a piece."""
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is held."""

    def taken(self) -> bytes:
        """What was written since this was asked last."""
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole
