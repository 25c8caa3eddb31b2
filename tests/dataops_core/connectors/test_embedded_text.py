"""Bodies become plain text, and questions become expressions that are never a syntax error."""

import random
import time
from uuid import UUID

import pytest

from dataops_core.company.build import build_company
from dataops_core.connectors.embedded.bulk_text import plain_texts
from dataops_core.connectors.embedded.text import MAX_TERMS, match_terms, one_line, plain_text
from dataops_core.dataset_types.base import GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import Stage
from dataops_core.templates.loader import load_catalog

#: Tags and parts of tags, of every kind that is treated apart; and text.
PIECES = (
    "<p>", "</p>", "<td>", "<b>", "</b>", "<B>", "<STRONG>", "<sTrong>", "<a href='x'>", "</a>", "<A>", "<br/>",
    "<time>", "<bdo dir=rtl>", "<i\n>", "<code>", "<strong-x>", "<ac:link>", "<b:c>", "<b\u00e9>", "<\u00e9>", "</>",
    "<>", "<?x?>", "< 5", "<", ">", "]]", "]]>", "<![CDATA[", "<![CDATA[a < b]]>", "<![CDATA[a]]>", "<![CDATA[]]>",
    "<!-- c -->", "<!doctype html>", "<script>", "</script>", "<STYLE>", "</style>", "&amp;", "&", "&lt;b&gt;",
    "&#x3c;", "text", "\u00e4", "\u2028", "\u20ac", " ",
)  # fmt: skip


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one</p><p>two</p>", "one two"),
        ("half<b>bold</b>word", "halfboldword"),
        ("half<B class='x'>bold</B>word", "halfboldword"),
        ("one<br/>two<blockquote>three</blockquote>", "one two three"),
        ("<ac:link><ri:page ri:content-title='no'/></ac:link>yes", "yes"),
        ("nothing &#0; of NUL", "nothing \ufffd of NUL"),
        ("<ul><li>a</li><li>b</li></ul>", "a b"),
        ("a &lt;b&gt; &amp; c&nbsp;d", "a <b> & c d"),
        ("<script>var x = '<p>no</p>';</script>yes<style>p {}</style>", "yes"),
        ("kept <!-- dropped <p> --> too", "kept too"),
        ("<ac:plain-text-body><![CDATA[if (a < b) run();]]></ac:plain-text-body>", "if (a < b) run();"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("begun <!-- never ended", "begun"),
        ("", ""),
    ],
)
def test_html_loses_its_tags_and_keeps_its_words(markup, text):
    assert one_line(plain_text(markup, "text/html")) == text


def test_many_bodies_at_once_have_the_text_that_each_has():
    """Whatever is put together of what HTML is made of, regular or not."""
    drawn = random.Random(20260128)
    bodies = ["".join(drawn.choices(PIECES, k=drawn.randrange(10))) for _ in range(12_000)]
    expected = [plain_text(body, "text/html") for body in bodies]
    assert [text for start in range(0, len(bodies), 3) for text in plain_texts(bodies[start : start + 3])] == expected
    assert plain_texts(bodies) == expected
    assert plain_texts([]) == []


def test_many_pages_at_once_have_the_text_that_each_has():
    catalog = load_catalog()
    for template in catalog.for_type("confluence_pages")[:3]:
        spec = GenerationSpec(
            template, catalog.vocabulary(template.industry), build_company(UUID(int=1)), Stage.SANDBOX, 1, 60
        )
        rows = DATASET_TYPES["confluence_pages"].builder(spec).rows(0, 60)
        bodies = rows.column("body.storage.value").to_pylist()
        assert plain_texts(bodies) == [plain_text(body, "text/html") for body in bodies]


@pytest.mark.parametrize("mime_type", ["text/plain", "text/markdown"])
def test_other_text_stays_as_it_is(mime_type):
    assert plain_text("# A <b> & c\n\n- d", mime_type) == "# A <b> & c\n\n- d"


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<script>", "<![CDATA[", "<a <b ", "&", " ", "\u2003", "\n \t", "<b ", "</script "]
)
def test_hostile_markup_takes_linear_time(piece):
    started = time.process_time()
    plain_text(piece * 200_000, "text/html")
    assert time.process_time() - started < 5, "quadratic time would take minutes"


def test_each_word_is_quoted_and_joined():
    terms = match_terms('ENG-1234 AND "settlement')
    assert terms.every == '"ENG-1234" AND "AND" AND """settlement"'
    assert terms.any == '"ENG-1234" OR "AND" OR """settlement"'


def test_what_holds_no_word_asks_for_nothing():
    assert match_terms("--- !!! \t\n ()").every == ""


def test_a_word_counts_once_and_very_long_questions_are_cut():
    assert match_terms("ledger ledger").every == '"ledger"'
    cut = match_terms(" ".join(f"w{number}" for number in range(MAX_TERMS + 1)))
    assert cut.truncated
    assert cut.every.count(" AND ") == MAX_TERMS - 1
