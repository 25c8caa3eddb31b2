"""Many HTML bodies to plain text at once: a third of the time of one after another.

What :func:`dataops_core.connectors.embedded.text.plain_text` says of each body, by arithmetic on where tags begin and
end. It rests on bodies being regular, as programs write them: each ``<`` begins a tag and each ``>`` ends one. A body
that is not, or that has comments, scripts or the like, is left to that function.
"""

import html
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataops_core.connectors.embedded.text import HTML, INLINE_TAG, plain_text
from dataops_core.generation import arrays

#: What becomes of a tag: a line's end, nothing, its content (CDATA); or it is none that can be told apart here.
_BLOCK, _INLINE, _CONTENT, _UNCLEAR = range(4)
_OPEN, _CLOSE, _SLASH, _BRACKET, _NEWLINE = b"<>/]\n"
_CDATA = b"![CDATA["
#: So many bytes after ``<`` or ``</`` decide: the longest inline name has six, and what follows it counts.
_DECIDING = 8
#: The first bytes of eight, as a mask of a number with the first byte lowest.
_FIRST = np.array([(1 << 8 * count) - 1 for count in range(_DECIDING + 1)], dtype=np.uint64)

_Places = NDArray[np.int64]
_Bytes = NDArray[np.uint8]


def plain_texts(bodies: Sequence[str]) -> list[str]:
    """The text of each HTML body. All together have less than 2 GiB."""
    encoded = [body.encode() for body in bodies]
    bounds = np.cumsum([0, *map(len, encoded)])
    data = np.frombuffer(bytearray(b"".join(encoded) + bytes(_DECIDING)), dtype=np.uint8)
    opens, closes = np.flatnonzero(data == _OPEN), np.flatnonzero(data == _CLOSE)
    first = np.searchsorted(opens, bounds)
    paired = np.diff(first) == np.diff(np.searchsorted(closes, bounds))
    if not paired.all():
        return _apart(bodies, paired)
    owner = np.repeat(np.arange(len(bodies)), np.diff(first))
    kinds = _kinds(data, opens, closes)
    unclear = (kinds == _UNCLEAR) | (closes < opens)
    unclear[:-1] |= closes[:-1] > opens[1:]
    regular = np.ones(len(bodies), dtype=np.bool_)
    regular[owner[unclear]] = False
    # Character references are read after CDATA has become text like any other: seldom are both in one body.
    has_content = set(owner[kinds == _CONTENT].tolist())
    referring = {number for number, body in enumerate(bodies) if "&" in body}
    regular[list(has_content & referring)] = False
    if not regular.all():
        return _apart(bodies, regular)
    texts = _without_tags(data, bounds, opens, closes, kinds)
    return [(html.unescape(text) if number in referring else text).strip() for number, text in enumerate(texts)]


def _apart(bodies: Sequence[str], regular: NDArray[np.bool_]) -> list[str]:
    """The regular bodies together, the others one by one."""
    said = iter(plain_texts([body for body, is_regular in zip(bodies, regular.tolist(), strict=True) if is_regular]))
    return [
        next(said) if is_regular else plain_text(body, HTML)
        for body, is_regular in zip(bodies, regular.tolist(), strict=True)
    ]


def _kinds(data: _Bytes, opens: _Places, closes: _Places) -> _Bytes:
    """What becomes of each tag."""
    slash = data[opens + 1] == _SLASH
    begins = opens + 1 + slash
    eight = np.ndarray((len(data) - _DECIDING + 1,), dtype="<u8", buffer=data, strides=(1,))
    # Where a bracket is missing, the place may lie behind the end.
    begins = np.minimum(begins, len(eight) - 1)
    names = eight[begins] & _FIRST[np.clip(closes - begins, 0, _DECIDING)]
    coded = arrays.integers(names.view(np.int64)).dictionary_encode()
    codes = np.frombuffer(arrays.content(coded.indices), dtype=np.int32)
    distinct = [
        number.to_bytes(_DECIDING, "little", signed=True).rstrip(b"\0") for number in coded.dictionary.to_pylist()
    ]
    table = np.array([[_kind(name, slash=False), _kind(name, slash=True)] for name in distinct], dtype=np.uint8)
    kinds: _Bytes = table.reshape(-1, 2)[codes, slash.astype(np.int64)]
    content = kinds == _CONTENT
    closed = (data[closes - 1] == _BRACKET) & (data[closes - 2] == _BRACKET) & (closes - opens > len(_CDATA) + 2)
    kinds[content & ~closed] = _UNCLEAR
    return kinds


def _kind(name: bytes, *, slash: bool) -> int:
    """What becomes of a tag with this name, or with a longer one that begins so."""
    if name == _CDATA and not slash:
        return _CONTENT
    text = name.decode("ascii", "replace")
    begins_a_tag = slash or text[:1].isalpha() or text[:1] == "?"
    if not name.isascii() or not begins_a_tag or text.lower().startswith(("script", "style")):
        return _UNCLEAR
    return _INLINE if INLINE_TAG.match(f"</{text}>" if slash else f"<{text}>") else _BLOCK


def _without_tags(data: _Bytes, bounds: _Places, opens: _Places, closes: _Places, kinds: _Bytes) -> list[str]:
    """The bodies without their tags, which all are what they seem."""
    # A tag that ends a line leaves its bracket, as the line's end.
    data[closes[kinds == _BLOCK]] = _NEWLINE
    starts, stops = opens, closes + (kinds != _BLOCK)
    content = np.flatnonzero(kinds == _CONTENT)
    if len(content):
        starts = np.insert(starts, content + 1, closes[content] - 2)
        stops[content] = opens[content] + 1 + len(_CDATA)
        stops = np.insert(stops, content + 1, closes[content] + 1)
    places = np.empty(2 * len(starts) + 2, dtype=np.int64)
    places[0], places[-1] = 0, bounds[-1]
    places[1:-1:2], places[2:-1:2] = starts, stops
    # Every other piece is what stands between tags.
    kept = pc.take(arrays.cut(data, places), arrays.integers(np.arange(0, len(places) - 1, 2)), boundscheck=False)
    gone = np.concatenate(([0], np.cumsum(stops - starts)))
    ends = (bounds - gone[np.searchsorted(starts, bounds)]).tolist()
    text = memoryview(kept.buffers()[2] or b"")
    return [str(text[start:stop], "utf-8") for start, stop in pairwise(ends)]
