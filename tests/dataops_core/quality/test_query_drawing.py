"""The ten queries: which they are, what they promise, and that the same records give the same ones (C-62)."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa
import pytest

from dataops_core.dataset_types.base import DatasetType, Document
from dataops_core.errors import PermanentError
from dataops_core.quality.corpus import Corpus
from dataops_core.quality.query_drawing import _Draw, make_queries
from dataops_core.quality.query_set import KINDS, PAGE_SIZE, TOP, QueryKind, QuerySet, SampleQuery

Pages = Callable[..., pa.Table]
SEED = 20260128


@pytest.fixture(scope="module", params=[20, 60, 200])
def table(request: pytest.FixtureRequest, pages: Pages) -> pa.Table:
    return pages(request.param)


@pytest.fixture(scope="module")
def documents(table: pa.Table, page_type: DatasetType) -> dict[str, Document]:
    """By address."""
    made = [page_type.document(row) for row in table.to_pylist()]
    return {document.view_url: document for document in made}


@pytest.fixture(scope="module")
def queries(table: pa.Table, page_type: DatasetType) -> QuerySet:
    return make_queries(table, page_type, seed=SEED)


def of_kind(queries: QuerySet, kind: QueryKind) -> list[SampleQuery]:
    return [query for query in queries if query.kind is kind]


def tokens(text: str) -> list[str]:
    """The words of a text, read by a rule of this test's own."""
    return re.findall(r"[a-z0-9]+", re.sub(r"<[^>]*>", " ", text.lower()))


def holds(document: Document, *wanted: str) -> bool:
    return set(wanted) <= set(tokens(f"{document.title} {document.body}"))


def test_where_no_entity_is_rare_two_are_asked_for_together(
    table: pa.Table, page_type: DatasetType, documents: dict[str, Document]
) -> None:
    """Among thousands of records every name may stand in many: a provisioning must not fail for that."""
    rows = [page_type.document(row) for row in table.to_pylist()]
    with closing(Corpus(rows)) as corpus:
        draw = _Draw(corpus, page_type, "key")
        query = draw._two_entities("q", draw._order("q"))
    assert query is not None
    assert len(query.text.split()) == 2
    assert {url for url, document in documents.items() if holds(document, *tokens(query.text))} == set(query.expected)
    assert 1 <= len(query.expected) <= 3


class Crowded(Corpus):
    """A corpus in which each single word is in more documents than fit on a page, whichever are looked at."""

    def matching(self, wanted: Iterable[str], among: Iterable[int] | None = None) -> list[int]:
        sought = list(wanted)
        return list(range(PAGE_SIZE + 1)) if len(sought) == 1 else super().matching(sought, among)


def test_where_no_word_is_rare_among_a_facets_value_two_are_asked_for_together(
    pages: Pages, page_type: DatasetType
) -> None:
    """Of 25,000 issues each word stood in more than ten of every priority, and provisioning failed."""
    rows = [page_type.document(row) for row in pages(200).to_pylist()]
    documents = {document.view_url: document for document in rows}
    with closing(Crowded(rows)) as corpus:
        query = _Draw(corpus, page_type, "key")._filter("q")
    assert query is not None
    assert query.allowed is not None
    assert len(query.text.split()) > 1
    [condition] = query.filters
    holding = [url for url, document in documents.items() if holds(document, *query.text.split())]
    inside = [url for url in holding if documents[url].properties[condition.field] in condition.values]
    assert sorted(query.allowed) == sorted(inside)
    assert 1 <= len(inside) <= PAGE_SIZE
    assert len(inside) < len(holding)


class Common(Corpus):
    """A corpus in which every body holds its title, and no name is rare; counts what it is asked."""

    asked = 0

    def body_matches(self, index: int, wanted: Iterable[str]) -> bool:  # noqa: ARG002
        self.asked += 1
        return True

    def matching(self, wanted: Iterable[str], among: Iterable[int] | None = None) -> list[int]:
        self.asked += 1
        return super().matching(wanted, among)

    def adjacent(self, wanted: Sequence[str], among: Iterable[int]) -> list[int]:
        assert len(list(among)) <= TOP, "all documents are searched for a name that is in many"
        return super().adjacent(wanted, among)


def test_what_is_tried_is_bounded(pages: Pages, page_type: DatasetType) -> None:
    """Whatever the records: of one pilot in twenty the drawing took 15 s."""
    rows = [page_type.document(row) for row in pages(400).to_pylist()]
    with closing(Common(rows)) as corpus:
        draw = _Draw(corpus, page_type, "key")
        for find, most in ((draw._title, 25 * 12), (draw._people, 2 * 25), (draw._entity, 60 * 3 * 24)):
            corpus.asked = 0
            assert find("q") is not None
            assert corpus.asked <= most, find
        draw._two_entities("q", draw._order("q"))


def test_there_are_ten_in_a_fixed_order(queries: QuerySet) -> None:
    assert len(queries) == 10
    assert tuple(query.kind for query in queries) == KINDS
    assert Counter(KINDS) == {
        QueryKind.TITLE: 3,
        QueryKind.PHRASE: 2,
        QueryKind.ENTITY: 1,
        QueryKind.CONJUNCTION: 1,
        QueryKind.FILTER: 1,
        QueryKind.PEOPLE: 1,
        QueryKind.NEGATIVE: 1,
    }
    assert len({query.query_id for query in queries}) == 10


def test_each_query_has_a_document_of_its_own(queries: QuerySet) -> None:
    single = [query.expected[0] for query in queries if len(query.expected) == 1]
    assert len(single) == len(set(single)) >= 7


def test_queries_are_spread_over_containers(queries: QuerySet, documents: Mapping[str, Document]) -> None:
    known = [documents[query.expected[0]].container for query in queries if query.expected]
    all_containers = {document.container for document in documents.values()}
    assert len(set(known)) >= min(len(all_containers), len(known)) - 1


def test_a_title_is_that_of_one_document(queries: QuerySet, documents: Mapping[str, Document]) -> None:
    for query in of_kind(queries, QueryKind.TITLE):
        [url] = query.expected
        assert documents[url].title == query.text
        assert [d.view_url for d in documents.values() if holds(d, *tokens(query.text))] == [url]


def test_a_phrase_stands_in_the_last_third_of_one_body(queries: QuerySet, documents: Mapping[str, Document]) -> None:
    for query in of_kind(queries, QueryKind.PHRASE):
        [url] = query.expected
        text = re.sub(r"<[^>]*>", " ", documents[url].body)
        assert len(query.text.split()) == 6
        assert text.rindex(query.text) > len(text) * 0.6
        assert [d.view_url for d in documents.values() if holds(d, *tokens(query.text))] == [url]


def test_an_entity_leads_to_all_documents_that_name_it(queries: QuerySet, documents: Mapping[str, Document]) -> None:
    [query] = of_kind(queries, QueryKind.ENTITY)
    naming = [url for url, document in documents.items() if re.search(rf"\b{query.text}\b", document.body)]
    assert sorted(query.expected) == sorted(naming)
    assert 1 <= len(naming) <= 3


def test_three_words_together_stand_in_one_document(queries: QuerySet, documents: Mapping[str, Document]) -> None:
    [query] = of_kind(queries, QueryKind.CONJUNCTION)
    wanted = query.text.split()
    assert len(set(wanted)) == 3
    assert [url for url, document in documents.items() if holds(document, *wanted)] == list(query.expected)
    assert not set(wanted) & set(tokens(documents[query.expected[0]].title))


def test_a_filtered_word_has_a_whole_answer_and_more_outside(
    queries: QuerySet, documents: Mapping[str, Document], page_type: DatasetType
) -> None:
    [query] = of_kind(queries, QueryKind.FILTER)
    [condition] = query.filters
    assert condition.field == page_type.filter_facet
    holding = [url for url, document in documents.items() if holds(document, query.text)]
    inside = [url for url in holding if documents[url].properties[condition.field] in condition.values]
    assert query.allowed is not None
    assert sorted(query.allowed) == sorted(inside)
    assert 1 <= len(inside) <= PAGE_SIZE
    assert len(inside) < len(holding)


def test_a_person_narrows_a_title_to_their_own(queries: QuerySet, documents: Mapping[str, Document]) -> None:
    [query] = of_kind(queries, QueryKind.PEOPLE)
    [condition] = query.filters
    [url] = query.expected
    assert condition.field == "author"
    assert documents[url].title == query.text
    theirs = [u for u, document in documents.items() if document.author_email in condition.values]
    assert query.allowed is not None
    assert sorted(query.allowed) == sorted(theirs)


def test_the_negative_query_stands_nowhere(queries: QuerySet, documents: Mapping[str, Document]) -> None:
    [query] = of_kind(queries, QueryKind.NEGATIVE)
    assert not any(query.text in f"{document.title} {document.body}".lower() for document in documents.values())
    assert query.expected == ()
    assert query.allowed is None


def test_the_same_records_give_the_same_queries(table: pa.Table, page_type: DatasetType, queries: QuerySet) -> None:
    assert make_queries(table, page_type, seed=SEED) == queries


def test_another_rotation_asks_for_other_documents(table: pa.Table, page_type: DatasetType, queries: QuerySet) -> None:
    other = make_queries(table, page_type, seed=SEED, rotation=1)
    assert [query.text for query in other] != [query.text for query in queries]
    assert {query.kind for query in other} == {query.kind for query in queries}


def test_queries_survive_their_file(queries: QuerySet) -> None:
    text = queries.to_jsonl()
    assert QuerySet.from_jsonl(text) == queries
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) == 10
    assert all({"_id", "text", "metadata", "qrels"} == set(line) for line in lines)


def test_a_query_may_hold_what_unicode_calls_the_end_of_a_line() -> None:
    """A template of one's own may, and JSON leaves it as it is."""
    queries = QuerySet((SampleQuery("q01-title", QueryKind.TITLE, "one\u2028other", expected=("u1",)),))
    assert QuerySet.from_jsonl(queries.to_jsonl()) == queries


def test_qrels_are_in_the_form_of_beir(queries: QuerySet) -> None:
    header, *lines = queries.to_qrels().splitlines()
    assert header == "query-id\tcorpus-id\tscore"
    judged = [line.split("\t") for line in lines]
    assert all(int(score) in {1, 2} and url.startswith("https://") for _, url, score in judged)
    expected = {(query.query_id, url) for query in queries for url in query.expected}
    assert {(query_id, url) for query_id, url, score in judged if score == "2"} == expected


@pytest.mark.parametrize("seed", range(10))
def test_ten_queries_can_be_drawn_whatever_the_seed(pages: Pages, page_type: DatasetType, seed: int) -> None:
    assert len(make_queries(pages(20, seed=seed), page_type, seed=seed)) == 10


def test_records_that_cannot_be_told_apart_give_no_queries(pages: Pages, page_type: DatasetType) -> None:
    one = pages(1)
    ids = pa.array([str(number) for number in range(30)])
    same = pa.concat_tables([one] * 30).set_column(0, "id", ids)
    with pytest.raises(PermanentError, match="No title query can be drawn from the 30 records"):
        make_queries(same, page_type, seed=SEED)


def test_no_record_gives_no_queries(pages: Pages, page_type: DatasetType) -> None:
    with pytest.raises(PermanentError, match="from the 0 records"):
        make_queries(pages(1).slice(0, 0), page_type, seed=SEED)


def test_a_record_without_people_is_no_people_query(
    pages: Pages, page_type: DatasetType, replaced: Callable[[pa.Table, str, Mapping[int, Any]], pa.Table]
) -> None:
    anonymous = replaced(pages(20), "author", dict.fromkeys(range(20)))
    with pytest.raises(PermanentError, match="No people query"):
        make_queries(anonymous, page_type, seed=SEED)


def test_documents_give_the_queries_of_the_records_that_they_are(
    table: pa.Table, queries: QuerySet, page_type: DatasetType
) -> None:
    made = [page_type.document(row) for row in table.to_pylist()]
    assert make_queries(made, page_type, seed=SEED) == queries
