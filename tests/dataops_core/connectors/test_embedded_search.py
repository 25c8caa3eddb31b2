"""Questions to an index: ranking, filters, pages, and nothing that a person types is an error."""

import random
import sqlite3
import threading
from uuid import uuid4

import pytest

from dataops_core.connectors.embedded.index import DamagedIndexError
from dataops_core.connectors.embedded.readers import Readers
from dataops_core.connectors.embedded.search import (
    FieldFilter,
    Operator,
    Question,
    SearchTimeoutError,
    search,
    suggest_values,
)


def ids(connection, text, **members):
    return [hit.id for hit in search(connection, Question(text, **members), seconds=5).hits]


@pytest.fixture
def shelf(build, document, opened):
    """Six documents of which each test knows the ranking."""
    path, _ = build(
        [
            document(1, title="Ledger", body="nothing here"),
            document(2, title="Other", body="the ledger is mentioned once among many other words of the body"),
            document(3, title="Zebra care", body="ENG-1234 explains naïve settlement of the batches"),
            document(4, title="Same", body="twin words", facets=(("space", "OPS"), ("size", "9"))),
            document(5, title="Same", body="twin words", facets=(("space", "ENG"), ("size", "10"))),
            document(6, title="Same", body="twin words", facets=(("space", "ENG"), ("size", "many"))),
        ]
    )
    return opened(path)


def test_a_word_in_the_title_weighs_more_than_one_in_the_body(shelf):
    assert ids(shelf, "ledger") == ["id-0001", "id-0002"]


def test_equal_documents_come_in_the_order_of_their_ids(shelf):
    assert ids(shelf, "twin words") == ["id-0004", "id-0005", "id-0006"]


def test_words_are_found_in_other_forms_and_without_accents(shelf):
    assert ids(shelf, "naive settlements batch") == ["id-0003"]


def test_a_code_is_a_phrase(shelf):
    assert ids(shelf, "ENG-1234") == ["id-0003"]
    assert ids(shelf, "1234-ENG") == []


def test_only_where_no_document_has_every_word_some_words_suffice(shelf):
    exact = search(shelf, Question("zebra settlement"), seconds=5)
    assert ([hit.id for hit in exact.hits], exact.widened) == (["id-0003"], False)
    widened = search(shelf, Question("zebra ledger"), seconds=5)
    assert ({hit.id for hit in widened.hits}, widened.widened) == ({"id-0001", "id-0002", "id-0003"}, True)


def test_a_page_past_the_end_is_empty_and_widens_nothing(shelf):
    past = search(shelf, Question("twin words", offset=3), seconds=5)
    assert (past.hits, past.widened, past.has_more) == ((), False, False)


def test_pages_join_to_the_whole(shelf):
    pages = [search(shelf, Question("twin words", page_size=1, offset=n), seconds=5) for n in range(3)]
    assert [page.hits[0].id for page in pages] == ["id-0004", "id-0005", "id-0006"]
    assert [page.has_more for page in pages] == [True, True, False]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (FieldFilter("space", ("ENG",)), [5, 6]),
        (FieldFilter("space", ("eng",)), [5, 6]),
        (FieldFilter("space", ("ENG", "OPS")), [4, 5, 6]),
        (FieldFilter("space", ("ENG",), Operator.NOT_EQUALS), [4]),
        (FieldFilter("nowhere", ("ENG",)), []),
        (FieldFilter("nowhere", ("ENG",), Operator.NOT_EQUALS), [4, 5, 6]),
        (FieldFilter("size", ("9",), Operator.GT), [5]),
        (FieldFilter("size", ("9",), Operator.GTE), [4, 5]),
        (FieldFilter("size", ("10",), Operator.LT), [4]),
        (FieldFilter("size", ("lots",), Operator.GT), [6]),
    ],
)
def test_filters(shelf, condition, found):
    assert ids(shelf, "twin", filters=(condition,)) == [f"id-{n:04}" for n in found]


def test_filters_are_joined_by_and(shelf):
    both = (FieldFilter("space", ("ENG",)), FieldFilter("size", ("10",)))
    assert ids(shelf, "twin", filters=both) == ["id-0005"]


def test_the_time_range_includes_its_start_and_not_its_end(shelf):
    assert ids(shelf, "twin", updated_from=1_760_000_005) == ["id-0005", "id-0006"]
    assert ids(shelf, "twin", updated_until=1_760_000_005) == ["id-0004"]


def test_a_snippet_is_taken_from_the_body_around_the_words(build, document, opened):
    body = "filler words go on and on. " * 400 + "The needle\n\nlies   here. " + "more filler follows. " * 400
    path, _ = build([document(1, body=body)])
    snippet = search(opened(path), Question("needle"), seconds=5).hits[0].snippet
    assert "The needle lies here." in snippet
    assert len(snippet) < 400


def test_values_are_suggested_from_what_the_words_find(shelf):
    assert suggest_values(shelf, "twin", "space", seconds=5) == ["ENG", "OPS"]
    assert suggest_values(shelf, "ledger", "space", seconds=5) == []


def test_a_question_that_takes_too_long_is_ended(build, document, opened):
    path, _ = build([document(n, body="common word") for n in range(3000)])
    connection = opened(path)
    with pytest.raises(SearchTimeoutError):
        search(connection, Question("common"), seconds=0)
    assert len(search(connection, Question("common"), seconds=5).hits) == 10


def random_text(generator):
    """Anything but lone surrogates and NUL, which are no text; half of it what FTS5 gives a meaning to."""
    syntax = ['"', "*", "^", "(", ")", "{", "}", ":", "+", "-", "NEAR", "NEAR(", "AND", "OR", "NOT", "title:", "'", ","]
    pieces = []
    for _ in range(generator.randint(1, 12)):
        match generator.randint(0, 3):
            case 0 | 1:
                pieces.append(generator.choice(syntax))
            case 2:
                pieces.append(generator.choice(["ledger", "twin", "ENG-1234", "naïve", "日本語", "\u202e", "\ue000"]))
            case _:
                code = generator.randint(1, 0x10FFFF)
                pieces.append(chr(code) if not 0xD800 <= code <= 0xDFFF else "x")
        pieces.append(generator.choice(["", " ", "\t", "\n"]))
    return "".join(pieces)


def test_no_text_is_a_syntax_error(shelf):
    generator = random.Random(20260128)
    for _ in range(2000):
        text = random_text(generator)
        try:
            search(shelf, Question(text), seconds=5)
            suggest_values(shelf, text, "space", seconds=5)
        except sqlite3.Error as error:
            pytest.fail(f"{text!r}: {error}")


def test_many_threads_ask_one_index_at_once(build, document):
    path, _ = build([document(n) for n in range(200)])
    readers, connector_id = Readers(), uuid4()
    wrong = []

    def ask(first):
        for number in range(first, 200, 8):
            with readers.lease(connector_id, path) as connection:
                if ids(connection, f"marker{number}") != [f"id-{number:04}"]:
                    wrong.append(number)

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    readers.close()
    assert wrong == []


def test_a_reader_keeps_what_it_opened_and_the_next_one_sees_the_new(build, document):
    readers, connector_id = Readers(), uuid4()
    path, _ = build([document(1)])
    with readers.lease(connector_id, path) as before:
        build([document(1), document(2)])
        assert ids(before, "marker2") == []
        with readers.lease(connector_id, path) as after:
            assert ids(after, "marker2") == ["id-0002"]
    readers.close()


def test_a_reader_of_a_file_that_is_gone_is_told_so(tmp_path):
    with pytest.raises(DamagedIndexError), Readers().lease(uuid4(), tmp_path / "gone.db"):
        pass


def test_open_files_are_bounded_and_given_back(build, document):
    paths = [build([document(1)], f"index{n}")[0] for n in range(6)]
    readers, connector_ids = Readers(capacity=3), [uuid4() for _ in paths]
    for connector_id, path in zip(connector_ids, paths, strict=True):
        with readers.lease(connector_id, path) as connection:
            assert ids(connection, "marker1") == ["id-0001"]
    assert len(readers._idle) == 3
    readers.forget(connector_ids[-1])
    assert len(readers._idle) == 2
    readers.close()
    assert not readers._idle
