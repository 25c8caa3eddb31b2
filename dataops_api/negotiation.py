"""Which representation of a resource a client prefers, by its ``Accept`` header (RFC 9110, section 12.5.1).

Where a client accepts none that there is, it gets the first: the contract has no 406, and RFC 9110 lets a server
disregard the header.
"""

import re
from collections.abc import Sequence

_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


def preferred(accept: str, offered: Sequence[str]) -> str:
    """The offered media type with the highest quality; of equals the one that is named most exactly, then the first."""
    ranges = _ranges(accept)
    if not ranges:
        return offered[0]
    ranked = []
    for position, media_type in enumerate(offered):
        exactness, quality = _judged(media_type, ranges)
        ranked.append((-quality, -exactness, position, media_type))
    best = min(ranked)
    return best[3] if best[0] < 0 else offered[0]


def _judged(media_type: str, ranges: Sequence[tuple[str, float]]) -> tuple[int, float]:
    """How exactly the header names the type, and its quality there: the most exact range counts."""
    kind = media_type.partition("/")[0]
    for exactness, name in ((3, media_type), (2, f"{kind}/*"), (1, "*/*")):
        qualities = [quality for named, quality in ranges if named == name]
        if qualities:
            return exactness, max(qualities)
    return 0, 0.0


def _ranges(accept: str) -> list[tuple[str, float]]:
    """Media ranges in lower case, each with its quality; what is malformed is left out."""
    ranges = []
    for entry in accept.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        if name.count("/") != 1 or name.startswith("/") or name.endswith("/"):
            continue
        given = [value.strip() for key, _, value in (one.partition("=") for one in parameters) if key.strip() == "q"]
        if not given:
            ranges.append((name, 1.0))
        elif _QUALITY.fullmatch(given[0]):
            ranges.append((name, float(given[0])))
    return ranges
