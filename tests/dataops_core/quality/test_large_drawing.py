"""The ten queries of records that are read piece by piece: proposed by a part of them, admitted by all (C-62)."""

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem

from dataops_core.dataset_types.base import DatasetType, Document
from dataops_core.errors import PermanentError
from dataops_core.generation import pieces
from dataops_core.generation.pieces import FileRecords, KeptRecords
from dataops_core.quality import large_drawing, trials
from dataops_core.quality.corpus import Corpus
from dataops_core.quality.large_drawing import draw_queries
from dataops_core.quality.proposals import Proposals
from dataops_core.quality.query_drawing import make_queries
from dataops_core.quality.query_set import KINDS, PAGE_SIZE, TOP, QueryKind, QuerySet, SampleQuery
from dataops_core.quality.trials import Block
from dataops_core.templates.loader import load_catalog
from tests.dataops_core.dataset_types.conftest import generate, specification

SEED = 20260128
RECORDS, GROUP, SAMPLE, BLOCK = 1000, 50, 200, 128


@pytest.fixture(scope="module")
def table(pages: Callable[..., pa.Table]) -> pa.Table:
    return pages(RECORDS, body_bytes=900)


@pytest.fixture(autouse=True)
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the sample is a part, pieces are several, and blocks are less than a piece."""
    monkeypatch.setattr(pieces, "PIECE_BYTES", 200_000)
    monkeypatch.setattr(large_drawing, "_SAMPLE_ROWS", SAMPLE)
    monkeypatch.setattr(large_drawing, "_BLOCK_ROWS", BLOCK)


def stored(table: pa.Table, folder: Path) -> FileRecords:
    pq.write_table(table, folder / "records", row_group_size=GROUP)
    return FileRecords(LocalFileSystem(), str(folder / "records"))


@pytest.fixture
def records(table: pa.Table, tmp_path: Path) -> FileRecords:
    return stored(table, tmp_path)


def tokens(text: str) -> list[str]:
    """The words of a text, read by a rule of this test's own."""
    # Code stands in a marked section, which is no tag.
    shown = re.sub(r"<!\[cdata\[|]]>|<[^>]*>", " ", text.lower())
    return re.findall(r"[a-z0-9]+", shown)


def holding(documents: Sequence[Document], text: str) -> set[str]:
    """The addresses of the documents that hold all words of a text, as they are."""
    wanted = set(tokens(text))
    texts = ((each.view_url, f"{each.title} {each.body}") for each in documents)
    # Whether letters stand anywhere is soon seen.
    return {url for url, said in texts if all(word in said.lower() for word in wanted) and wanted <= set(tokens(said))}


def let_through(documents: Sequence[Document], query: SampleQuery) -> set[str]:
    """The addresses of the documents that all filters of a query let through."""
    return {each.view_url for each in documents if all(has(each, one.field, one.values[0]) for one in query.filters)}


def has(document: Document, field: str, value: str) -> bool:
    people = {"author": document.author_email, "owner": document.owner_email}
    held = people[field] if field in people else document.properties[field]
    return held == value if isinstance(held, str) else value in (held or ())


def assert_true(queries: QuerySet, documents: Sequence[Document]) -> None:
    """Each finds in all documents what it is to find, by a reading of this test's own."""
    assert [query.kind for query in queries] == list(KINDS)
    assert [query.query_id for query in queries] == [f"q{n:02d}-{kind}" for n, kind in enumerate(KINDS, start=1)]
    for query in queries:
        said, theirs = holding(documents, query.text), let_through(documents, query)
        found = said & theirs
        if query.kind is QueryKind.NEGATIVE:
            assert (found, query.expected, query.allowed) == (set(), (), None)
        elif query.kind is QueryKind.FILTER:
            assert found == set(query.allowed or ())
            assert 1 <= len(found) <= PAGE_SIZE
            assert len(found) < len(said)
        elif query.kind is QueryKind.PEOPLE:
            assert theirs == set(query.allowed or ())
            assert found == set(query.expected)
        elif query.kind is QueryKind.ENTITY:
            assert found == set(query.expected)
            assert 1 <= len(found) <= TOP
        else:
            assert set(query.expected) <= found
            assert len(query.expected) == 1
            assert len(found) <= (TOP if query.kind is QueryKind.TITLE else 1)
    known = [url for query in queries for url in query.expected]
    assert len(known) == len(set(known))


def test_each_query_finds_in_all_records_what_it_is_to_find(
    records: FileRecords, table: pa.Table, page_type: DatasetType
) -> None:
    queries = draw_queries(records, page_type, seed=SEED)
    assert_true(queries, [page_type.document(row) for row in table.to_pylist()])


def test_titles_that_all_repeat_are_asked_for_with_filters(
    table: pa.Table, page_type: DatasetType, tmp_path: Path
) -> None:
    """However many records there are, some title with who wrote it, its space, … leads to one."""
    place = table.column_names.index("title")
    repeated: Any = pa.array([f"Minutes of the {('first', 'second', 'third')[row % 3]} team" for row in range(RECORDS)])
    alike = table.set_column(place, table.schema.field("title"), repeated)
    documents = [page_type.document(row) for row in alike.to_pylist()]
    with pytest.raises(PermanentError, match="No title query"):
        make_queries(documents, page_type, seed=SEED)
    queries = draw_queries(stored(alike, tmp_path), page_type, seed=SEED)
    assert_true(queries, documents)
    for query in queries:
        if query.kind in {QueryKind.TITLE, QueryKind.PEOPLE}:
            assert len(holding(documents, query.text)) > RECORDS // 4
            assert query.filters
        else:
            assert len(query.filters) == (query.kind is QueryKind.FILTER)


@pytest.mark.long
@pytest.mark.parametrize("dataset_type", ["confluence_pages", "sharepoint_documents"])
def test_thousands_of_long_texts_give_queries_by_few_proposals(
    dataset_type: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the shipped length, where any title's words stand in many: of 72 proposals three were admitted."""
    monkeypatch.setattr(large_drawing, "_PROPOSALS", 8)
    monkeypatch.setattr(large_drawing, "_ROUNDS", 1)
    made = generate(specification(load_catalog().for_type(dataset_type)[0].name, records=6000))
    documents = [made.type.document(row) for row in made.table.to_pylist()]
    assert_true(draw_queries(stored(made.table, tmp_path), made.type, seed=SEED), documents)


@pytest.mark.parametrize("kind", [QueryKind.PHRASE, QueryKind.ENTITY, QueryKind.CONJUNCTION])
def test_words_of_a_body_are_sought_among_many(kind: QueryKind, table: pa.Table, page_type: DatasetType) -> None:
    """Among a few that filters let through an index without bodies would find what is sought, too."""
    documents = [page_type.document(row) for row in table.to_pylist()]
    with closing(Block(documents)) as sample:
        for trial in islice(Proposals(sample, page_type, RECORDS, "key").of(kind), 20):
            for length in trial._lengths:
                among = sample.let_through(length.query.filters)
                assert among is None or len(among) >= 50


def test_rare_words_that_stand_together_are_not_asked_for_together(table: pa.Table, page_type: DatasetType) -> None:
    """Names of one team single nothing out, be there ten of them, where its texts are many."""
    team, apart = ["tyrone", "mandyn", "javier", "greene"], ["harbor", "lantern", "orchid", "pebble"]
    one = replace(page_type.document(table.slice(0, 1).to_pylist()[0]), title="Minutes", mime_type="text/plain")
    # Ten documents of the team, of which the first has the other words, each of them in twelve more documents.
    texts = [" ".join([*team, *(apart if number == 0 else [])]) for number in range(10)]
    texts += [word for word in apart for _ in range(12)]
    documents = [replace(one, id=str(number), body=text) for number, text in enumerate(texts)]
    with closing(Block(documents)) as sample:
        proposals = Proposals(sample, page_type, RECORDS, "key")
        assert len(set(proposals._together([*team, *apart])[:5]) & set(team)) == 1
        assert proposals._together(apart, team[:2])[:3] == proposals._together([*team[2:], *apart], team[:2])[:3]


def test_a_query_asks_for_no_more_than_it_needs(table: pa.Table, page_type: DatasetType) -> None:
    """The shortest of a proposal's lengths that finds one document."""
    documents = [page_type.document(row) for row in table.to_pylist()]
    with closing(Block(documents)) as block:
        trials = list(islice(Proposals(block, page_type, RECORDS, "key").of(QueryKind.CONJUNCTION), 30))
        for trial in trials:
            trial.read(block)
    queries = [query for trial in trials if (query := trial.admitted())]
    assert len(queries) > 20
    for query in queries:
        said = query.text.split()
        assert holding(documents, query.text) & let_through(documents, query) == set(query.expected)
        if len(said) > 3:
            assert len(holding(documents, " ".join(said[:-1]))) > 1


def test_no_more_documents_are_held_than_a_sample_or_a_block_has(
    records: FileRecords, page_type: DatasetType, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    class Counted(Corpus):
        def __init__(self, documents: Sequence[Document]) -> None:
            held.append(len(documents))
            super().__init__(documents)

    monkeypatch.setattr(trials, "Corpus", Counted)
    draw_queries(records, page_type, seed=SEED)
    sample, *blocks = held
    assert sample == SAMPLE
    assert max(blocks) <= BLOCK
    assert sum(blocks) == RECORDS


def test_the_same_records_give_the_same_queries_and_another_rotation_others(
    records: FileRecords, page_type: DatasetType
) -> None:
    def drawn(rotation: int) -> QuerySet:
        return draw_queries(records, page_type, seed=SEED, rotation=rotation)

    assert drawn(0) == drawn(0)
    assert [query.text for query in drawn(0)] != [query.text for query in drawn(1)]


def test_small_records_are_drawn_from_all_together(pages: Callable[..., pa.Table], page_type: DatasetType) -> None:
    table = pages(60)
    assert draw_queries(KeptRecords(table), page_type, seed=SEED) == make_queries(table, page_type, seed=SEED)


def test_where_all_together_give_none_a_sample_proposes(
    page_type: DatasetType, table: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> QuerySet:
        raise PermanentError("none")

    monkeypatch.setattr(large_drawing, "make_queries", none)
    assert [query.kind for query in draw_queries(KeptRecords(table), page_type, seed=SEED)] == list(KINDS)
    with pytest.raises(PermanentError, match="none"):
        draw_queries(KeptRecords(table.slice(0, SAMPLE)), page_type, seed=SEED)


def test_records_that_cannot_be_told_apart_give_no_queries(
    pages: Callable[..., pa.Table], page_type: DatasetType, tmp_path: Path
) -> None:
    ids = pa.array([str(number) for number in range(500)])
    same = pa.concat_tables([pages(1, body_bytes=300)] * 500).set_column(0, "id", ids)
    with pytest.raises(PermanentError, match="No title query can be drawn from the 500 records"):
        draw_queries(stored(same, tmp_path), page_type, seed=SEED)


def test_what_stands_twice_outside_the_sample_is_not_asked_for(
    table: pa.Table, page_type: DatasetType, tmp_path: Path
) -> None:
    """Each record a second time under another id: every word of the sample stands in two documents of all."""
    again: Any = pa.array([f"9{id_}" for id_ in table.column("id").to_pylist()])
    doubled = pa.concat_tables([table, table.set_column(0, "id", again)])
    with pytest.raises(PermanentError, match="No phrase query can be drawn from the 2000 records"):
        draw_queries(stored(doubled, tmp_path), page_type, seed=SEED)


@pytest.mark.parametrize(
    ("locale", "dataset_type", "body_bytes"),
    [("ja_JP", "salesforce_accounts", None), ("de_DE", "zendesk_tickets", None), ("de_DE", "confluence_pages", 12_000)],
)
def test_words_beyond_ascii_are_asked_for_where_texts_have_any(
    locale: str, dataset_type: str, body_bytes: int | None, tmp_path: Path
) -> None:
    """Else an index that lost those letters would pass for a healthy one."""
    template = load_catalog().for_type(dataset_type)[0]
    sizes = {} if body_bytes is None else {"bytes_per_record": body_bytes}
    made = generate(specification(template.name, records=600, locale=locale, **sizes))
    queries = draw_queries(stored(made.table, tmp_path), made.type, seed=SEED)
    (asked,) = [query for query in queries if query.kind is QueryKind.CONJUNCTION]
    beyond = [word for word in asked.text.split() if not word.isascii()]
    assert len(beyond) >= 3
    documents = [made.type.document(row) for row in made.table.to_pylist()]
    held = {each.view_url for each in documents if all(word.lower() in each.body.lower() for word in beyond)}
    assert set(asked.expected) <= held


def test_texts_in_ascii_are_not_read_for_words_beyond_it(
    pages: Callable[..., pa.Table], page_type: DatasetType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All words of a sample's thousands of texts were sorted, where there was nothing to find."""
    with closing(Block([page_type.document(row) for row in pages(60).to_pylist()])) as sample:
        monkeypatch.setattr(sample.corpus, "said", None)
        assert list(Proposals(sample, page_type, RECORDS, "key")._own_conjunctions()) == []
