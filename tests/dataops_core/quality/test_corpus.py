"""The oracle never overlooks a document that a search engine could find."""

import itertools
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dataops_core.dataset_types.base import Document
from dataops_core.quality.corpus import Corpus, Stemmer, words
from dataops_core.templates import loader

SUFFIXES = (
    "s", "es", "ed", "ing", "er", "ers", "ation", "ations", "ational", "ize", "ized", "izing", "izer", "ization", "ly",
    "ness", "ful", "fulness", "ment", "ments", "able", "ably", "ability", "ive", "iveness", "al", "ally", "ality",
    "ies", "ied", "y", "ier", "ity", "ous", "ously", "ousness", "ance", "ence", "ant", "ent", "ism", "ist", "ate",
    "ator", "icate", "ative", "ical",
)  # fmt: skip


@pytest.fixture
def corpus() -> Iterator[Callable[..., Corpus]]:
    """Makes a corpus of bodies, each with an empty title."""
    with_end: list[Corpus] = []

    def make(*bodies: str, mime_type: str = "text/plain", title: str = "") -> Corpus:
        documents = [
            Document(
                id=str(index), title=title, body=body, mime_type=mime_type, view_url=f"https://toy.example/{index}",
                author_email=None, author_name=None, owner_email=None, owner_name=None, container="a",
                created_at=0, updated_at=0, status=None,
            )
            for index, body in enumerate(bodies)
        ]  # fmt: skip
        with_end.append(Corpus(documents))
        return with_end[-1]

    yield make
    for each in with_end:
        each.close()


def vocabulary() -> set[str]:
    """Words of the shipped templates, with all the inflections that their letters allow, sensible or not."""
    text = " ".join(path.read_text(encoding="utf-8") for path in sorted(Path(loader.SHIPPED_DIR).rglob("*.yaml")))
    base = {word for word in re.findall(r"[a-z]+", text.lower()) if 3 <= len(word) <= 16}
    inflected = {
        form
        for word, suffix in itertools.product(base, SUFFIXES)
        for form in (
            word + suffix,
            word.rstrip("e") + suffix,
            word.rstrip("y") + "i" + suffix,
            word + word[-1] + suffix,
        )
    }
    return base | inflected


@pytest.mark.long
def test_words_of_one_stem_begin_as_the_stemmer_says() -> None:
    """Against the stems that SQLite gives all of them at once."""
    known = sorted(vocabulary())
    with closing(sqlite3.connect(":memory:")) as connection, closing(Stemmer()) as stemmer:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(word, tokenize='porter unicode61')")
        connection.executemany("INSERT INTO t(rowid, word) VALUES (?, ?)", enumerate(known))
        connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, instance)")
        families: dict[str, list[str]] = defaultdict(list)
        for stem, row in connection.execute("SELECT term, doc FROM v"):
            families[stem].append(known[row])
        assert len(known) > 20_000
        stemmer.learn(family[0] for family in families.values())
        for family in families.values():
            starts = stemmer.beginnings(family[0])
            assert all(word.startswith(starts) for word in family), family[0]


def test_stems_learned_together_are_those_of_each_alone() -> None:
    asked = ["policies", "running", "policy", "x", "policies", "usability", "a" * 90, "settled"]
    with closing(Stemmer()) as together:
        together.learn(asked)
        for word in asked:
            with closing(Stemmer()) as alone:
                assert together.beginnings(word) == alone.beginnings(word)


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        ("policy", "Two policies apply."),
        ("policies", "The policy applies."),
        ("coding", "The code is read."),
        ("usability", "A usable form."),
        ("Settlement", "SETTLEMENTS, all of them"),
        ("PAY-1234", "see (PAY-1234)."),
        ("2024", "in the 2024s"),
        ("naive", "naive naïve"),
        ("team", "The team's lead"),
    ],
)
def test_a_word_is_found_in_each_of_its_forms(corpus: Callable[..., Corpus], asked: str, body: str) -> None:
    assert corpus(body, "nothing of that kind").matching(words(asked)) == [0]


@pytest.mark.parametrize(
    ("asked", "body"), [("PAY-123", "PAY-1234"), ("PAY-123", "PAY-5123"), ("234", "1234"), ("table", "unstable")]
)
def test_a_word_is_not_found_inside_another(corpus: Callable[..., Corpus], asked: str, body: str) -> None:
    assert corpus(body).matching(words(asked)) == []


def test_all_words_are_wanted_wherever_they_stand(corpus: Callable[..., Corpus]) -> None:
    pages = corpus("ledger and batch", "batch alone", "a batch, then the ledger", title="")
    assert pages.matching(["ledger", "batch"]) == [0, 2]
    assert pages.matching(["ledger", "batch"], among=[1, 2]) == [2]
    assert pages.matching(["ledger", "missing"]) == []


@pytest.mark.parametrize("said_besides", ["", "all of them say this. " * 1000], ids=["short", "long"])
def test_many_documents_are_found_as_few_are(corpus: Callable[..., Corpus], said_besides: str) -> None:
    parity = ["even", "odd"]
    pages = corpus(*(f"x{index} {said_besides}{parity[index % 2]} 7{index % 3} y{index}" for index in range(300)))
    assert pages.matching(["even", "71"]) == [index for index in range(300) if index % 2 == 0 and index % 3 == 1]
    for first_or_last in "xy":
        assert [pages.matching([f"{first_or_last}{index}"]) for index in range(300)] == [[one] for one in range(300)]
    assert (pages.frequency("odd"), pages.frequency("7"), pages.frequency("")) == (150, 0, 0)
    assert pages.matching([]) == list(range(300))


def test_among_no_documents_nothing_is_found(corpus: Callable[..., Corpus]) -> None:
    none = corpus()
    assert (none.matching(["any"]), none.frequency("any"), none.holds("any")) == ([], 0, False)
    assert corpus("", "").matching(["any"]) == []


def test_titles_are_read_too(corpus: Callable[..., Corpus]) -> None:
    pages = corpus("the body", title="Ledger review")
    assert pages.matching(["ledger", "body"]) == [0]
    assert not pages.body_matches(0, ["ledger"])
    assert pages.body_matches(0, ["bodies"])


def test_adjacent_words_stand_in_order_with_punctuation_between_at_most(corpus: Callable[..., Corpus]) -> None:
    pages = corpus("PAY-12 was closed", "12 of PAY", "PAY: 12", "PAY-123", "pay/12.")
    assert pages.adjacent(["pay", "12"], range(5)) == [0, 2, 4]


def test_markup_is_no_text(corpus: Callable[..., Corpus]) -> None:
    page = corpus("<p>One &amp; two</p><p>three</p>", mime_type="text/html")
    assert page.plain(0).split() == ["One", "&", "two", "three"]


def test_a_piece_of_a_word_is_seen(corpus: Callable[..., Corpus]) -> None:
    page = corpus("unstable")
    assert page.holds("STAB")
    assert not page.holds("stale")


def test_neighbouring_documents_do_not_make_a_word(corpus: Callable[..., Corpus]) -> None:
    pages = corpus("led", "ger PAY", "12")
    assert pages.matching(["ledger"]) == []
    assert pages.adjacent(["pay", "12"], range(3)) == []


def test_accents_count_for_nothing_and_spellings_for_each_other(corpus: Callable[..., Corpus]) -> None:
    pages = corpus("Müller in der Straße", "René Lefèvre", "mueller", "佐藤 健が書いた", "ｶﾀｶﾅ")
    assert pages.matching(words("mueller")) == [0, 2]
    assert pages.matching(words("muller")) == [0]
    assert pages.matching(words("strasse")) == [0]
    assert pages.matching(words("LEFEVRE")) == pages.matching(words("Lefèvre")) == [1]
    assert pages.adjacent(words("佐藤健"), range(5)) == pages.matching(words("佐藤健")) == [3]
    assert pages.matching(words("カタカナ")) == [4]
    assert words("Müller, Ωmega and René's 佐藤") == ["muller|mueller", "and", "rene", "s", "佐", "藤"]


def test_a_word_of_several_spellings_is_any_of_them(corpus: Callable[..., Corpus]) -> None:
    pages = corpus("Müller", "Herr Mueller", "Muller", "Miller", title="Straße")
    assert pages.matching(words("Müller")) == pages.adjacent(words("Müller"), range(4)) == [0, 1, 2]
    assert pages.frequency(words("Müller")[0]) == 3
    assert [pages.body_matches(index, words("Müllers")) for index in range(4)] == [True, True, True, False]
    assert not pages.body_matches(0, words("Straße"))
    assert pages.says(0, ["muller|mueller", "strasse"])
    assert not pages.says(0, ["muller"])
    assert pages.says(1, ["herr", "mueller"])
    assert not pages.says(1, ["herr", "muell"])


def test_markup_parts_no_letters(corpus: Callable[..., Corpus]) -> None:
    pages = corpus("<p>佐<b>藤</b> 健</p>", "<p>藤と佐、健</p>", mime_type="text/html")
    assert pages.matching(words("佐藤健")) == [0, 1]
    assert pages.phrased(words("佐藤健"), range(2)) == [0]


@pytest.mark.parametrize(
    ("body", "mime_type", "sure"),
    [
        ("Zebras &amp; gnus &lt;b&gt;", "text/html", True),
        ("Zebras &uuml;ber", "text/html", False),
        ("Zebras &#252;ber", "text/html", False),
        ("Zebras &uuml;ber", "text/plain", True),
        ("Zebras über", "text/plain", False),
    ],
)
def test_a_text_is_in_ascii_for_sure_where_nothing_in_it_stands_for_another_letter(
    corpus: Callable[..., Corpus], body: str, mime_type: str, sure: bool
) -> None:
    made = corpus(body, mime_type=mime_type)
    assert made.is_ascii(0) is sure
    assert made.plain(0).isascii() or not sure


def test_a_word_without_blanks_is_held_where_its_letters_stand_in_a_row_and_looked_for_once(
    corpus: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name's letters are in most texts of a wiki: looking for each name in each text anew took a minute."""
    pages = corpus(
        "<p>佐藤 健</p>", "<p>藤、佐</p>", "<p>伊<b>佐藤</b>家</p>", "<p>佐\n藤</p>", "Sato", mime_type="text/html"
    )
    assert pages.written("佐藤") == {0, 2, 3}
    assert pages.written("藤佐") == {1}
    monkeypatch.setattr(pages, "phrased", None)
    assert pages.written("佐藤") == {0, 2, 3}
    assert pages.written("Sato") == {4}
