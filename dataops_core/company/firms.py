"""How the companies of a country are called: ours, its customers, and everybody that it sells to.

Belongs here: from words to names, and from a name back to its host and to what it trades in. Does not belong here: the
words (``countries.py``, ``names.py``), and who is whose customer (``build.py``).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from dataops_core.company import names
from dataops_core.company.countries import COUNTRIES, Country
from dataops_core.company.model import DEFAULT_LOCALE
from dataops_core.generation.seeding import Draws, digest64

#: Letters that Unicode does not decompose, or that a language spells out.
_SPELLED = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "å": "a", "ł": "l", "đ": "d", "œ": "oe", "þ": "th", "ð": "d"})
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def ascii_text(text: str, locale: str = DEFAULT_LOCALE) -> str:
    """The text in lower case, its letters spelled in ASCII; what has no spelling is left out."""
    lowered = text.lower()
    if locale.startswith("de"):
        lowered = lowered.translate(_GERMAN)
    return unicodedata.normalize("NFKD", lowered.translate(_SPELLED)).encode("ascii", "ignore").decode()


class Firms:
    """The names of a country's companies: an invented word, a form, and the legal form where the country has any."""

    def __init__(self, locale: str) -> None:
        self._locale = locale
        self._country: Country = COUNTRIES[locale]
        self._said = self._country.words
        self._pairs = [first + second for first in self._said.stems_a for second in self._said.stems_b]
        # Japanese is written without blanks; what is spelled there is spelled by its parts, the longest first.
        self._blank = "" if self._said.latin else " "
        self._latin = dict(self._said.latin)
        self._parts = re.compile("|".join(sorted(map(re.escape, self._latin), key=len, reverse=True)) or "(?!)")

    @property
    def words(self) -> list[str]:
        """All invented words."""
        return [word for word in self._pairs if word.lower() not in names.KNOWN_NAMES]

    def drawn(self, draws: Draws, purpose: str) -> Iterator[str]:
        """The invented words in an order of the purpose's own."""
        words = (self._pairs[place] for place in draws.shuffled(purpose, len(self._pairs)))
        yield from (word for word in words if word.lower() not in names.KNOWN_NAMES)

    def company(self, draws: Draws) -> str:
        """The name of a client's company."""
        word = next(self.drawn(draws, "company"))
        return self._full(word, self._said.company_forms[draws.below("form", len(self._said.company_forms))])

    def customer(self, word: str, trade: int) -> str:
        """The name of a company that trades in the ``trade``-th of ``names.CUSTOMER_FORMS``."""
        return self._full(word, self._said.customer_forms[trade])

    def trade(self, name: str) -> int:
        """What a company trades in, by its name: the place in ``names.CUSTOMER_FORMS``."""
        said = name if self._latin else name.split()[1:]
        return next(place for place, form in enumerate(self._said.customer_forms) if form in said)

    def part(self, name: str, which: str) -> str:
        """A part of a company: ``Quillmere Foods North``, ``Nebelsiek Logistik North GmbH``."""
        bare = self._bare(name)
        return name.replace(bare, f"{bare} {which}")

    def otherwise(self, name: str) -> str:
        """What else somebody may call the same company: without its legal form, or with one."""
        return self._bare(name) if self._country.legal_forms else f"{name} Incorporated"

    def host(self, name: str) -> str:
        """The company's name as a host: ``nebelsiek-logistik``, ``kirihama-foods``."""
        bare = self._bare(name)
        if self._latin:
            word, form = bare[:2], bare[2:]
            bare = f"{self._parts.sub(self._spelled, word)} {self._parts.sub(self._spelled, form)}"
        return "-".join(re.findall("[a-z0-9]+", ascii_text(bare, self._locale)))

    def _spelled(self, part: re.Match[str]) -> str:
        return self._latin[part[0]]

    def _full(self, word: str, form: str) -> str:
        name = f"{word}{self._blank}{form}"
        if not self._country.legal_forms:
            return name
        chosen = digest64("legal form", word)
        legal = self._country.legal_forms[chosen % len(self._country.legal_forms)]
        leads = not self._blank and chosen >> 32 & 1
        return f"{legal}{name}" if leads else f"{name}{self._blank}{legal}"

    def _bare(self, name: str) -> str:
        """The name without its legal form."""
        for legal in self._country.legal_forms:
            if name.endswith(f"{self._blank}{legal}"):
                return name[: -len(legal) - len(self._blank)]
            if not self._blank and name.startswith(legal):
                return name[len(legal) :]
        return name


@lru_cache(maxsize=64)
def firms(locale: str) -> Firms:
    """The companies of a known locale."""
    return Firms(locale)
