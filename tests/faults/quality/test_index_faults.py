"""Every way in which an index can be broken, and the exact set of checks that must notice (C-62).

A fault changes the documents before they are indexed, or the index file itself. A check that fails without need is as
wrong as one that passes.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from dataops_core.lifecycle import CheckStatus, CheckType, Finding
from tests.faults.quality.document_faults import Change, crossed, doubled, turned, with_other_authors, with_other_facets

SCHEMA, COMPLETENESS = CheckType.SCHEMA_VALIDATION, CheckType.DATA_COMPLETENESS
CONNECTOR, QUERIES = CheckType.CONNECTOR_HEALTH, CheckType.SAMPLE_QUERY_SUCCESS

FAILED, ERROR = CheckStatus.FAILED, CheckStatus.ERROR


def test_a_healthy_dataset_passes_every_check(material: Any, load: Callable[..., Any]) -> None:
    """C-61, C-62: without a fault there is no alarm."""
    judgement = load(material).judge()
    assert judgement.unpassed == {}
    assert judgement.details(SCHEMA) == "All 100 records match schema"
    assert judgement.details(COMPLETENESS) == "98/100 records fully populated (98%)"
    assert judgement.verdicts[COMPLETENESS].result.metrics["incomplete_unexplained"] == 0
    assert judgement.details(CONNECTOR).startswith("Connector healthy, response time ")
    assert judgement.verdicts[CONNECTOR].finding is Finding.CLEAN
    assert judgement.details(QUERIES) == "10/10 test queries successful"


#: Fault → how it changes the documents, and the checks that must fail.
DOCUMENT_FAULTS: dict[str, tuple[Change, set[CheckType]]] = {
    "empty index": (lambda _: [], {CONNECTOR, QUERIES}),
    "half of the documents missing": (lambda documents: documents[::2], {CONNECTOR, QUERIES}),
    "body truncated": (lambda documents: [replace(d, body=d.body[:400]) for d in documents], {QUERIES}),
    "body of another document": (
        lambda documents: [replace(d, body=o.body) for d, o in zip(documents, turned(documents, 7), strict=True)],
        {QUERIES},
    ),
    "encoding broken": (
        lambda documents: [replace(d, body=d.body.encode("utf-16-le").decode("utf-16-be")) for d in documents],
        {QUERIES},
    ),
    "facets lost": (lambda documents: [replace(d, properties={}) for d in documents], {QUERIES}),
    "facets shuffled": (with_other_facets, {QUERIES}),
    "authors shuffled": (with_other_authors, {QUERIES}),
    "addresses mangled": (
        lambda documents: [replace(d, view_url=f"{d.view_url}-x") for d in documents],
        {QUERIES},
    ),
    "contents crossed": (crossed, {QUERIES}),
    "documents doubled": (doubled, {CONNECTOR, QUERIES}),
    "ids changed": (lambda documents: [replace(d, id=f"{d.id}-0") for d in documents], {CONNECTOR}),
}


@pytest.mark.parametrize("fault", DOCUMENT_FAULTS)
def test_a_fault_of_what_is_indexed_is_noticed(material: Any, load: Callable[..., Any], fault: str) -> None:
    """C-62."""
    change, expected = DOCUMENT_FAULTS[fault]
    indexed = load(material, documents=change(material.documents))
    assert indexed.judge().unpassed == dict.fromkeys(expected, FAILED)


def test_a_missing_part_is_noticed(material: Any, load: Callable[..., Any]) -> None:
    """C-62: by the queries, too, where one of them asks for a document of it."""
    missing = len(material.documents) // 5
    lost = {document.view_url for document in material.documents[-missing:]}
    indexed = load(material, documents=material.documents[:-missing])
    expected = {CONNECTOR, QUERIES} if lost & material.asked_urls else {CONNECTOR}
    assert indexed.judge().unpassed == dict.fromkeys(expected, FAILED)


@pytest.mark.parametrize(("needed", "expected"), [(False, {CONNECTOR}), (True, {CONNECTOR, QUERIES})])
def test_one_missing_document_is_noticed(
    material: Any, load: Callable[..., Any], needed: bool, expected: set[CheckType]
) -> None:
    """C-62: ten queries can miss a small loss; comparing ids cannot."""
    chosen = material.needed_urls if needed else {d.view_url for d in material.documents} - material.asked_urls
    lost = next(d for d in material.documents if d.view_url in chosen)
    indexed = load(material, documents=[d for d in material.documents if d is not lost])
    assert indexed.judge().unpassed == dict.fromkeys(expected, FAILED)


def test_a_stale_generation_is_noticed(
    material: Any, load: Callable[..., Any], make_material: Callable[..., Any]
) -> None:
    """C-62: the texts of an earlier run, which have the same ids unless a type's follow from the seed."""
    earlier = make_material(material.dataset_type.name, seed=material.spec.seed - 1)
    judgement = load(material, documents=earlier.documents, upload_id="earlier").judge()
    assert judgement.unpassed == {CONNECTOR: FAILED, QUERIES: FAILED}
    same = {document.id for document in earlier.documents} == {document.id for document in material.documents}
    failed = "last_upload" if same else "doc_parity, last_upload"
    assert judgement.details(CONNECTOR) == f"Connector unhealthy: {failed} failed"


def forget_column(column: str) -> Callable[[Path], None]:
    """Indexes the texts again without one of their columns; what hits show stays whole."""

    def tamper(path: Path) -> None:
        kept = {"title": "title", "body": "body", column: "''"}
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("INSERT INTO fts(fts) VALUES ('delete-all')")
            connection.execute(
                "INSERT INTO fts(rowid, title, body, spelled) "  # noqa: S608  columns of our own
                f"SELECT rowid, {kept['title']}, {kept['body']}, spelled FROM texts"
            )

    return tamper


def forget_words(path: Path) -> None:
    """The documents are all there, and none can be found."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO fts(fts) VALUES ('delete-all')")


def overwrite(path: Path) -> None:
    path.write_bytes(b"this was an index" * 4096)


#: Fault → how it changes the file, the checks that do not pass.
FILE_FAULTS: dict[str, tuple[Callable[[Path], None], dict[CheckType, CheckStatus]]] = {
    "body not indexed": (forget_column("body"), {QUERIES: FAILED}),
    "nothing indexed": (forget_words, {QUERIES: FAILED}),
    "file overwritten": (overwrite, {CONNECTOR: FAILED, QUERIES: ERROR}),
    "file gone": (Path.unlink, {CONNECTOR: FAILED, QUERIES: ERROR}),
}


@pytest.mark.parametrize("fault", FILE_FAULTS)
def test_a_fault_of_the_index_file_is_noticed(pages: Any, load: Callable[..., Any], fault: str) -> None:
    """C-62: what is done to a file has nothing to do with what its documents are."""
    tamper, expected = FILE_FAULTS[fault]
    indexed = load(pages)
    tamper(indexed.file)
    assert indexed.judge().unpassed == expected


@pytest.mark.parametrize(
    ("type_name", "least"),
    # A README begins with its repository's name: whoever searches for that still finds it.
    [("confluence_pages", 3), ("github_repos", 0)],
)
def test_titles_left_out_of_the_index_are_noticed_where_bodies_do_not_repeat_them(
    load: Callable[..., Any], make_material: Callable[..., Any], type_name: str, least: int
) -> None:
    """C-62: of as many as a sandbox has. What a body has of its title may lead there all the same: of six datasets half
    tell at least.
    """
    noticed = []
    for seed in range(1, 7 if least else 2):
        indexed = load(make_material(type_name, count=500, seed=seed))
        forget_column("title")(indexed.file)
        noticed.append(indexed.judge().unpassed)
    assert [each for each in noticed if each not in ({}, {QUERIES: FAILED})] == []
    assert noticed.count({QUERIES: FAILED}) >= least
    assert least or noticed == [{}]


def test_the_index_of_another_client_is_noticed(
    material: Any, load: Callable[..., Any], make_material: Callable[..., Any]
) -> None:
    """C-62: the same template and as many documents, of another company."""
    other = load(make_material(material.dataset_type.name, client_id=UUID(int=0xBEE)))
    indexed = load(material)
    shutil.copyfile(other.file, indexed.file)
    assert indexed.judge().unpassed == {CONNECTOR: FAILED, QUERIES: FAILED}
