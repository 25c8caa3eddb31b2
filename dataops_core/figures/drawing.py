"""Bars as SVG, drawn so that they are read on light and dark ground, and said in words for those who do not see them.

Belongs here: pure functions from :class:`Figures` to pictures. Nothing in a picture is fetched from anywhere. Does not
belong here: counting (``counting.py``), where pictures are shown.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from dataops_core.figures.counting import Figures

_WIDTH, _HEIGHT, _GAP = 480, 110, 2
_ROW, _LABEL, _VALUE = 18, 168, 104
#: At least three to one against white and against the dark grounds of Dagster's and of browsers.
_BAR, _TEXT = "#5b67e8", "#767676"
#: Fields that are shown one by one; those that every record has are only counted.
_FIELDS = 12
_NAME = 26


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG, what it shows, and the same in words."""

    title: str
    alt: str
    svg: str


def months_picture(counts: Sequence[tuple[date, int]]) -> Picture:
    """Records per month, as columns."""
    title = "Records per month"
    if not counts:
        return _nothing(title)
    first, last = f"{counts[0][0]:%Y-%m}", f"{counts[-1][0]:%Y-%m}"
    busiest, most = max(counts, key=lambda entry: entry[1])
    bars = [(f"{month:%Y-%m}: {count}", count) for month, count in counts]
    said = f"from {first} to {last}, at most {_number(most)} in {busiest:%Y-%m}"
    return _columns(title, bars, first=first, last=last, middle=f"at most {_number(most)} a month", said=said)


def sizes_picture(counts: Sequence[tuple[int, int]], mean: int) -> Picture:
    """Records by the size of their text, as columns whose steps are equal in ratio."""
    title = "Length of a record's text"
    if not counts:
        return _nothing(title)
    bars = [(f"from {_size(start)}: {count}", count) for start, count in counts]
    first, last = (_size(counts[place][0]) for place in (0, -1))
    middle = f"mean {_size(mean)}"
    return _columns(title, bars, first=first, last=last, middle=middle, said=f"from {first} to {last}, {middle}")


def authors_picture(counts: Sequence[tuple[str, int]], authors: int) -> Picture:
    """Who wrote most records, as rows."""
    title = "Records of the busiest authors"
    if not counts:
        return _nothing(title)
    rows = [_Row(name, _number(count), count) for name, count in counts]
    said = ", ".join(f"{name} {count}" for name, count in counts)
    return _rows(f"{title}, of {_number(authors)}", rows, counts[0][1], said=said)


def fields_picture(fields: Sequence[tuple[str, int, bool]], records: int) -> Picture:
    """Fields that some record lacks, as rows, the emptiest first; how many have a value everywhere.

    A field that some records need not have (a conditional one) is drawn paler: what it lacks may be as it should.
    """
    title = "Records with a value, by field"
    if not records:
        return _nothing(title)
    lacking = sorted((field for field in fields if field[1] < records), key=lambda field: (not field[2], field[1]))
    full = len(fields) - len(lacking)
    # Rounded down: what lacks a record is never said to be complete.
    rows = [
        _Row(name, f"{count * 1000 // records / 10:g} %{'' if always else ', conditional'}", count, pale=not always)
        for name, count, always in lacking[:_FIELDS]
    ]
    rest = f"{len(lacking) - _FIELDS} more lack some; " if len(lacking) > _FIELDS else ""
    others = f"{rest}{full} fields have a value in each of {_number(records)} records"
    said = ", ".join([*(f"{row.label} {row.value}" for row in rows), others])
    return _rows(title, rows, records, note=others, said=said)


def completeness_picture(fields: Mapping[str, Mapping[str, int | float]]) -> Picture:
    """Of each field that lacks values, how many of those that it should have it has, as rows, the emptiest first.

    ``fields`` is what the completeness check counted: by name ``applicable`` and ``populated`` records.
    """
    title = "Values that there should be, by field"
    lacking = sorted(
        (one["populated"] / one["applicable"], name, one)
        for name, one in fields.items()
        if one["populated"] < one["applicable"]
    )
    rows = [
        _Row(name, f"{one['populated']:,} of {one['applicable']:,}", math.floor(share * 1000))
        for share, name, one in lacking[:_FIELDS]
    ]
    rest = f"{len(lacking) - _FIELDS} more lack some; " if len(lacking) > _FIELDS else ""
    others = f"{rest}{len(fields) - len(lacking)} fields lack none"
    said = ", ".join([*(f"{row.label} {row.value}" for row in rows), others])
    return _rows(title, rows, 1000, note=others, said=said)


def pictures(figures: Figures) -> dict[str, Picture]:
    """All pictures of a dataset, by a short name."""
    return {
        "created": months_picture(figures.months()),
        "authors": authors_picture(figures.authors(), figures.author_count),
        "lengths": sizes_picture(figures.sizes(), figures.mean_bytes),
        "completeness": fields_picture(figures.fields(), figures.count),
    }


@dataclass(frozen=True, slots=True)
class _Row:
    label: str
    value: str
    count: int
    pale: bool = False


def _columns(title: str, bars: Sequence[tuple[str, int]], *, first: str, middle: str, last: str, said: str) -> Picture:
    most = max(count for _, count in bars)
    step = _WIDTH / len(bars)
    drawn = "".join(
        _bar(number * step, _HEIGHT - _HEIGHT * count / most, max(1.0, step - _GAP), _HEIGHT * count / most, label)
        for number, (label, count) in enumerate(bars)
    )
    texts = "".join(
        _text(x, _HEIGHT + 15, text, anchor)
        for x, text, anchor in ((0, first, "start"), (_WIDTH / 2, middle, "middle"), (_WIDTH, last, "end"))
    )
    return _picture(title, said, drawn + texts, _HEIGHT + 20)


def _rows(title: str, rows: Sequence[_Row], most: int, *, said: str, note: str | None = None) -> Picture:
    room = _WIDTH - _LABEL - _VALUE - 16
    drawn = []
    for number, row in enumerate(rows):
        y, width = number * _ROW, room * row.count / most
        label = row.label if len(row.label) <= _NAME else f"…{row.label[1 - _NAME :]}"
        drawn += [
            _text(_LABEL, y + 13, label, "end"),
            _bar(_LABEL + 8, y + 3, max(1.0, width), _ROW - 5, f"{row.label}: {row.value}", pale=row.pale),
            _text(_LABEL + 14 + width, y + 13, row.value, "start"),
        ]
    if note is not None:
        drawn.append(_text(_LABEL + 8, len(rows) * _ROW + 13, note, "start"))
    return _picture(title, said, "".join(drawn), (len(rows) + (note is not None)) * _ROW + 2)


def _picture(title: str, said: str, drawn: str, height: float) -> Picture:
    alt = f"{title}: {said}"
    return Picture(
        title,
        alt,
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height:g}" '
        f'viewBox="0 0 {_WIDTH} {height:g}" role="img" aria-label="{escape(alt)}">{drawn}</svg>',
    )


def _nothing(title: str) -> Picture:
    return _picture(title, "there are no records", _text(0, 13, "There are no records.", "start"), _ROW)


def _bar(x: float, y: float, width: float, height: float, label: str, *, pale: bool = False) -> str:
    paler = ' fill-opacity="0.5"' if pale else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{_BAR}"{paler}>'
        f"<title>{escape(label)}</title></rect>"
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-family="sans-serif" font-size="11" '
        f'fill="{_TEXT}">{escape(text)}</text>'
    )


def _number(count: int) -> str:
    return f"{count:,}"


def _size(count: int) -> str:
    """Bytes as people say them, to two digits."""
    for unit, name in ((2**20, "MiB"), (2**10, "KiB")):
        if count >= unit:
            return f"{count / unit:.2g} {name}" if count < 100 * unit else f"{count / unit:.0f} {name}"
    return f"{count} B"
