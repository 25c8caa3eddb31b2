"""Text for the embedded engine: what of a body is searched, and what of a question is asked.

Belongs here: bodies to plain text, and a person's words to an FTS5 expression that can never be a syntax error. Every
function takes linear time, whatever it is given. Does not belong here: SQL.
"""

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from dataops_core.connectors.embedded.spelling import apart, parts, spellings

HTML, PLAIN = "text/html", "text/plain"
#: Bodies that the engine reads; anything else is refused when it is uploaded.
TEXT_TYPES = frozenset({HTML, PLAIN, "text/markdown"})
#: Words of a question beyond this many are left out.
MAX_TERMS = 64
#: Parts of words beyond this many are left out, where parts suffice.
MAX_PARTS = 256

#: a, abbr, b, bdi, bdo, cite, code, del, dfn, em, i, ins, kbd, mark, q, s, samp, small, span, strong, sub, sup, time,
#: u, var, wbr. Each first letter is tried once: half the time of the names one after another.
_INLINE = (
    "a(?:bbr)?|b(?:d[io])?|c(?:ite|ode)|d(?:el|fn)|em|i(?:ns)?|kbd|mark|q|s(?:amp|mall|pan|trong|u[bp])?|time|u|var|wbr"
)
# Both spellings written out: IGNORECASE takes five times as long.
INLINE_TAG = re.compile(rf"</?(?:{_INLINE}|{_INLINE.upper()})(?![\w:-])[^<>]*>")
_TAG = re.compile(r"<[/!?a-zA-Z][^<>]*>")
_WHITESPACE = re.compile(r"\s+")
#: Regions that are no tags: where one starts, how it ends, and what is kept of it.
_REGIONS: tuple[tuple[re.Pattern[str], re.Pattern[str], Callable[[str], str]], ...] = (
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>"), html.escape),
    (re.compile(r"<!--"), re.compile(r"-->"), lambda _: " "),
    (re.compile(r"<script\b[^<>]*>", re.IGNORECASE), re.compile(r"</script\s*>", re.IGNORECASE), lambda _: " "),
    (re.compile(r"<style\b[^<>]*>", re.IGNORECASE), re.compile(r"</style\s*>", re.IGNORECASE), lambda _: " "),
)


@dataclass(frozen=True, slots=True)
class MatchTerms:
    """A question as FTS5 expressions; both are empty where it holds no word."""

    every: str
    any: str
    truncated: bool


def plain_text(content: str, mime_type: str) -> str:
    """The body as it is searched: HTML loses its tags and keeps its white space, everything else stays as it is."""
    if mime_type != HTML:
        return content
    for start, end, keep in _REGIONS:
        content = _replace_regions(content, start, end, keep)
    content = _TAG.sub("\n", INLINE_TAG.sub("", content))
    return html.unescape(content).strip()


def _replace_regions(content: str, start: re.Pattern[str], end: re.Pattern[str], keep: Callable[[str], str]) -> str:
    """Replaces each region once; one that does not end reaches to the end of the text."""
    parts: list[str] = []
    position = 0
    while opened := start.search(content, position):
        closed = end.search(content, opened.end())
        parts.append(content[position : opened.start()])
        parts.append(keep(content[opened.end() : closed.start() if closed else len(content)]))
        position = closed.end() if closed else len(content)
    if not parts:
        return content
    parts.append(content[position:])
    return "".join(parts)


def one_line(text: str) -> str:
    """The text with every run of white space as one blank."""
    return _WHITESPACE.sub(" ", text).strip()


def match_terms(question: str) -> MatchTerms:
    """The question's words, each quoted: ``ENG-1234`` is a phrase, an operator or a quote is nothing special.

    A word is asked for in each of its spellings. Where no document has every word, a word without blanks is asked for
    by its pairs of letters.
    """
    words = dict.fromkeys(word for word in question.split() if any(map(_is_searchable, word)))
    kept = list(words)[:MAX_TERMS]
    written = [[word, *spellings(word)] for word in kept]
    some = dict.fromkeys(part for spelled in written for each in spelled for part in parts(each))
    return MatchTerms(
        " AND ".join(map(_alternatives, written)),
        " OR ".join(map(_quoted, list(some)[:MAX_PARTS])),
        truncated=len(kept) < len(words),
    )


def _alternatives(written: list[str]) -> str:
    terms = [_quoted(each) for each in written]
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def _quoted(word: str) -> str:
    return '"' + apart(word).replace('"', '""') + '"'


def _is_searchable(character: str) -> bool:
    """Whether the tokenizer makes it part of a token (``unicode61``: letters, numbers, private use)."""
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"
