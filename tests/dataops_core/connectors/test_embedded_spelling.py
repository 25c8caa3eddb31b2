"""Words of scripts without blanks, and of several spellings, are found as people write them."""

# ruff: noqa: RUF001  full-width letters are what is tested

import random
import sqlite3
import time
from contextlib import closing

import pytest

from dataops_core.connectors.embedded import index
from dataops_core.connectors.embedded.search import Question, search
from dataops_core.connectors.embedded.spelling import apart, folded, is_known, parts, spellings, stored, together
from dataops_core.dataset_types.base import Document
from dataops_core.quality.corpus import Corpus, words

#: What both forms of a document call by one name.
SHARED = (
    "id", "title", "body", "view_url", "author_email", "author_name", "owner_email", "owner_name", "container",
    "status", "created_at", "updated_at",
)  # fmt: skip
MOMENT = "2026-01-28T10:30:00Z"
BODIES = {
    1: "障害報告は佐藤 健が書いた。承認者は鈴木さゆりです。",
    2: "カタカナの設定ファイル、ＡＢＣ－１２３を参照。",
    3: "ﾊﾝｶｸｶﾀｶﾅの古い記録とｻﾝﾌﾟﾙ",
    4: "Frau Müller-Voß wohnt in der Straße am Ärmelkanal.",
    5: "Herr Mueller kennt Łukasz aus København.",
    6: "René Lefèvre a révisé l'hôtel; la naïveté reste.",
    7: "서울지사에서 회의를 했다",
    8: "the plain ledger of the batch, and a queue of values",
}  # fmt: skip


@pytest.fixture
def shelf(build, document, opened):
    path, _ = build([document(number, title=f"No. {number}", body=body) for number, body in BODIES.items()])
    return opened(path)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("佐藤", [1]), ("佐藤健", [1]), ("佐藤 健", [1]), ("鈴木さゆり", [1]), ("報告", [1]), ("藤佐", []),
        ("障告", []),
        ("カタカナ", [2, 3]), ("ｶﾀｶﾅ", [2, 3]), ("ハンカクカタカナ", [3]), ("サンプル", [3]), ("ｻﾝﾌﾟﾙ", [3]),
        ("サンフ\u309aル", [3]), ("ABC-123", [2]), ("ＡＢＣ-123", [2]), ("abc", [2]), ("設定ファイル", [2]),
        ("Müller", [4, 5]), ("Muller", [4]), ("Mueller", [4, 5]), ("MÜLLER", [4, 5]), ("Mu\u0308ller", [4, 5]),
        ("Müller-Voß", [4]), ("Mueller-Voss", [4]), ("mueller-voß", [4]), ("strasse", [4]), ("Straße", [4]),
        ("STRASSE", [4]), ("Aermelkanal", [4]), ("armelkanal", [4]), ("Lukasz", [5]), ("Łukasz", [5]),
        ("kobenhavn", [5]), ("Koebenhavn", [5]), ("København", [5]), ("Rene", [6]), ("Lefevre", [6]), ("LEFÈVRE", [6]),
        ("hotel", [6]), ("naivete", [6]), ("서울", [7]), ("회의", [7]), ("queue", [8]), ("ledger", [8]), ("que", []),
    ],
)  # fmt: skip
def test_a_word_is_found_however_it_is_written(shelf, asked, found):
    answer = search(shelf, Question(asked), seconds=5)
    assert sorted(int(hit.id[-4:]) for hit in answer.hits if not answer.widened) == found


def test_a_sentence_without_blanks_finds_what_has_most_of_it(shelf):
    answer = search(shelf, Question("佐藤健の障害報告"), seconds=5)
    assert ([hit.id for hit in answer.hits], answer.widened) == (["id-0001"], True)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("佐藤健", "障害報告は佐藤 健が書いた。"),
        ("Mueller", "Frau Müller-Voß wohnt"),
        ("ハンカクカタカナ", "ﾊﾝｶｸｶﾀｶﾅの古い記録"),
    ],
)
def test_a_snippet_shows_the_words_as_the_text_has_them(document, build, opened, asked, shown):
    filler = "filler words go on and on. " * 300
    body = filler + next(body for body in BODIES.values() if shown in body) + filler
    path, _ = build([document(1, title="佐藤 健のMüller-Notiz", body=body)])
    hit = search(opened(path), Question(asked), seconds=5).hits[0]
    assert shown in hit.snippet
    assert len(hit.snippet) < 400
    assert hit.title == "佐藤 健のMüller-Notiz"


def test_a_changed_document_is_found_by_its_new_words_alone(document, build, opened, tmp_path):
    path, _ = build([document(1, body=BODIES[1]), document(2, body=BODIES[4]), document(3, body=BODIES[4])])
    new = [document(1, body=BODIES[3]), document(2, body=BODIES[5])]
    changed = tmp_path / "changed.db"
    index.amend(
        tmp_path / "spool", changed, path, upload_id="u", moment=MOMENT, upserts=new, deletions=["id-0003"]
    )  # fmt: skip
    connection = opened(changed)
    for asked, found in {"佐藤": [], "サンプル": ["id-0001"], "Strasse": [], "Lukasz": ["id-0002"]}.items():
        assert [hit.id for hit in search(connection, Question(asked), seconds=5).hits] == found
    with closing(sqlite3.connect(changed)) as written:
        # Raises where what is indexed is not what is stored.
        written.execute("INSERT INTO fts(fts, rank) VALUES ('integrity-check', 1)")


def test_text_in_ascii_is_stored_as_it_is():
    text = "A plain text, 1st of its kind: name@host.example"
    assert stored(text) == (text, "")
    assert folded(text) == text


@pytest.mark.parametrize("text", [*BODIES.values(), "", "ー々〆", "日本語 and English日本語123", "ＡＢＣ ½ m² ①"])
def test_what_is_set_apart_comes_together_again(text):
    assert together(apart(text)) == text


def test_parts_are_pairs_of_what_has_no_blanks_and_the_rest_whole():
    assert parts("ENG-12対応履歴を") == ["ENG-12", "対応", "応履", "履歴", "歴を"]
    assert parts("健") == ["健"]
    assert parts("ledger") == ["ledger"]


def test_only_words_of_several_spellings_have_others():
    assert spellings("queue") == spellings("René") == spellings("佐藤") == ()
    assert spellings("Großmüller") == ("grossmueller", "grossmüller")


@pytest.mark.parametrize(("word", "known"), [("naïve", True), ("佐藤", True), ("Ελλάδα", False), ("xж", False)])
def test_words_of_other_alphabets_are_told_apart(word, known):
    assert is_known(word) is known


@pytest.mark.parametrize("unit", ["佐", "ü", "ｶﾞ", "\u0308", "ＡＢ", "ﬁ-", "健 ", "ü-"])
def test_hostile_text_takes_linear_time(unit):
    started = time.process_time()
    stored(unit * 100_000)
    assert time.process_time() - started < 5, "quadratic time would take minutes"


#: Pieces of words in which engine and oracle could disagree: every fold that either knows, and what joins words.
PIECES = (
    "mu", "ller", "ü", "ue", "u", "Ü", "u\u0308", "ß", "ss", "stra", "e", "é", "É", "æ", "ae", "ø", "ł", "l", "ï",
    "佐", "藤", "健", "カ", "ｶ", "ﾞ", "ガ", "タ\u3099", "서", "ﬁ", "Ａ", "１", "a", "1", "ж", "Ω", "²", "½", "№", "s",
    "ing", " ", " ", " ", "-", "'", "’", "。", "・", "、", "–", "\n",
)  # fmt: skip


def test_what_the_engine_finds_the_oracle_of_the_quality_check_finds(document, build, opened):
    """Whatever the scripts and the spellings, and whichever words of the question the oracle does not know."""
    drawn = random.Random(20260128)
    bodies = ["".join(drawn.choices(PIECES, k=drawn.randrange(1, 12))) for _ in range(400)]
    documents = [document(number, title="", body=body) for number, body in enumerate(bodies)]
    connection, hits = opened(build(documents)[0]), 0
    pages = Corpus(
        [Document(**{name: getattr(one, name) for name in SHARED}, mime_type="text/plain") for one in documents]
    )
    for asked in [*bodies[:200], *("".join(drawn.choices(PIECES, k=drawn.randrange(1, 5))) for _ in range(800))]:
        answer = search(connection, Question(asked, page_size=len(bodies)), seconds=5)
        if not answer.widened:
            found = {int(hit.id[-4:]) for hit in answer.hits}
            hits += len(found)
            assert found <= set(pages.matching(words(asked))), asked
    pages.close()
    assert hits > 2000
