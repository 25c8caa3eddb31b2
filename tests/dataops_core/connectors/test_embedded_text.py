"""Bodies become plain text, and questions become expressions that are never a syntax error."""

import time

import pytest

from dataops_core.connectors.embedded.text import MAX_TERMS, match_terms, one_line, plain_text


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
