"""BEIR's form, read by the rules of its own loader (github.com/beir-cellar/beir, ``GenericDataLoader``) (C-57)."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dataops_core.ground_truth import beir
from dataops_core.quality.planted_defects import from_jsonl, planted_defects, to_jsonl
from tests.dataops_core.ground_truth.conftest import Asked, reading


def load(
    folder: Path, split: str = "test"
) -> tuple[dict[str, dict[str, str]], dict[str, str], dict[str, dict[str, int]]]:
    """Corpus, queries and qrels: of queries those that have any."""
    corpus, queries, qrels = {}, {}, {}
    with (folder / "corpus.jsonl").open(encoding="utf-8") as lines:
        for said in map(json.loads, lines):
            corpus[said["_id"]] = {"text": said["text"], "title": said["title"]}
    with (folder / "queries.jsonl").open(encoding="utf-8") as lines:
        for said in map(json.loads, lines):
            queries[said["_id"]] = said["text"]
    with (folder / "qrels" / f"{split}.tsv").open(encoding="utf-8") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_MINIMAL)
        next(rows)
        for query_id, corpus_id, score in rows:
            qrels.setdefault(query_id, {})[corpus_id] = int(score)
    return corpus, {query_id: queries[query_id] for query_id in qrels}, qrels


@pytest.fixture(scope="module")
def asked(asked_of: Callable[[str], Asked]) -> Asked:
    return asked_of("confluence_pages")


@pytest.fixture(scope="module")
def archive(asked: Asked) -> bytes:
    read, blocks = reading(asked.dataset.table, asked.dataset.type)
    return b"".join(beir.archive(asked.truth, read(range(blocks))))


def test_beirs_loader_reads_the_archive(asked: Asked, archive: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.testzip() is None
        assert files.namelist() == ["queries.jsonl", "qrels/test.tsv", "corpus.jsonl"]
        files.extractall(tmp_path)
    corpus, queries, qrels = load(tmp_path)
    assert corpus.keys() == asked.documents.keys()
    assert all(one["text"] and one["title"] for one in corpus.values())
    assert queries == {one.query_id: one.text for one in asked.truth if one.expected}
    assert qrels == {
        one.query_id: {document.url: 1 for document in one.expected} for one in asked.truth if one.expected
    }
    assert all(url in corpus for judged in qrels.values() for url in judged)


def test_the_list_of_defects_is_beside_them_where_there_is_one(asked: Asked) -> None:
    read, blocks = reading(asked.dataset.table, asked.dataset.type)
    planted = to_jsonl(planted_defects(asked.dataset.spec, asked.dataset.type, asked.dataset.table))
    whole = b"".join(beir.archive(asked.truth, read(range(blocks)), planted))
    with zipfile.ZipFile(io.BytesIO(whole)) as files:
        assert files.namelist() == ["queries.jsonl", "qrels/test.tsv", "defects.jsonl", "corpus.jsonl"]
        found = from_jsonl(files.read("defects.jsonl"))
        documents = {json.loads(line)["metadata"]["document_id"] for line in files.read("corpus.jsonl").splitlines()}
    assert {one.kind for one in found} > {"incomplete"}
    assert {one.record_id for one in found} <= documents


def test_ids_hold_no_white_space_as_trec_eval_wants_them(asked: Asked) -> None:
    ids = [one.query_id for one in asked.truth] + [one.url for question in asked.truth for one in question.expected]
    assert not [one for one in ids if re.search(r"\s", one)]


def test_a_document_is_its_text_without_markup(asked: Asked, archive: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        line = json.loads(files.read("corpus.jsonl").splitlines()[0])
    document = asked.documents[line["_id"]].document
    assert (line["title"], line["metadata"]["document_id"]) == (document.title, document.id)
    assert line["metadata"]["space"] == document.properties["space"]
    assert not re.search(r"</?(p|h[1-6]|li|td|ac:[a-z-]+)\b", line["text"])


def test_queries_say_all_that_is_known_of_them(asked: Asked, archive: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        lines = [json.loads(line) for line in files.read("queries.jsonl").splitlines()]
    assert [one["_id"] for one in lines] == [question.query_id for question in asked.truth]
    assert {one["metadata"]["kind"] for one in lines} == {question.kind.value for question in asked.truth}
    pointers = [one["metadata"] for one in lines if one["metadata"]["kind"] == "multi_hop"]
    assert all(one["answer"] for one in pointers)
    assert {other["dataset_type"] for one in pointers for other in one["elsewhere"]} <= {
        "jira_issues",
        "zendesk_tickets",
    }
    assert any(one["elsewhere"] for one in pointers)


def test_the_same_dataset_gives_the_same_bytes_piece_by_piece(asked: Asked, archive: bytes) -> None:
    read, blocks = reading(asked.dataset.table, asked.dataset.type)
    pieces = beir.archive(asked.truth, read(range(blocks)))
    first = next(pieces)
    assert len(first) < len(archive) / 2
    assert first + b"".join(pieces) == archive
