"""How words are found that are written without blanks, or in more than one way.

The tokenizer (``unicode61``) knows words by what stands between them, so a text without blanks is one long word to it;
and it folds case and accents, but neither half and full width (``ｶﾀｶﾅ``) nor letters that a language spells out
(``Müller``, ``Mueller``). Belongs here: the one rule by which texts are stored, questions are asked and the quality
check's oracle reads. Text in ASCII passes untouched, at the speed of a look. Does not belong here: SQL.

Sources: Unicode 15, blocks of Han, kana, bopomofo and Hangul; normalization form KC; SQLite FTS5, ``unicode61``.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

#: Stands between letters of scripts without blanks in what is stored. No text that people see has it.
_SEPARATOR = "\x1f"
_UNSPACED = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0002fa1f"
)
_RUN = re.compile(f"[{_UNSPACED}]+")
_PIECES = re.compile(f"([{_UNSPACED}]+)")
#: A word with what joins its parts, such as "Müller-Voß"; the end of a sentence ends it in any script.
_WORD = re.compile(r"[\w\u0300-\u036f\u3099\u309a]+(?:[-'\u2019.@/&+:][\w\u0300-\u036f\u3099\u309a]+)*")
_LETTERS = re.compile(r"\w+")
_STRANGE = re.compile(r"[^\x00-\x7f]+")
#: So many letters around one that varies are looked at for its word: in a text without blanks, too.
_REACH = 80
#: Strange letters up to which replacing one after another is the faster way.
_MANY = 100
_ASCII = bytes(range(128))
#: Letters that languages spell out, and letters that Unicode does not take apart.
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "\u0131": "i"}
)
#: Marks of umlaut and voice that follow their letter, where a text has them apart.
_MARKS = frozenset("\u0308\u030a\u3099\u309a")
#: Marks that the tokenizer takes for a part of the letter before them, and drops.
_ACCENTS = frozenset(map(chr, range(0x300, 0x332)))


def stored(text: str) -> tuple[str, str]:
    """The text as it is stored, and all other spellings of its words, mostly none."""
    strange = _strange(text)
    return _apart(text, strange), _other_spellings(text, strange)


def apart(text: str) -> str:
    """The text with each letter of a script without blanks set apart: a word to the tokenizer, and a run a phrase."""
    return _apart(text, _strange(text))


def together(text: str) -> str:
    """What :func:`apart` was given."""
    return text.replace(_SEPARATOR, "")


def parts(word: str) -> list[str]:
    """What of the word suffices where no text has all of it: in its runs without blanks each two neighbours.

    What stands between such runs, or is all of the word, stays as it is.
    """
    found: list[str] = []
    for place, piece in enumerate(_PIECES.split(word)):
        if place % 2:
            found += [piece[start : start + 2] for start in range(max(1, len(piece) - 1))]
        elif any(map(str.isalnum, piece)):
            found.append(piece)
    return found or [word]


def spellings(word: str) -> tuple[str, ...]:
    """How the word is written otherwise, in lower case: with the usual widths, with ae for ä, with ss for ß."""
    if not any(map(_is_varying, _strange(word))):
        return ()
    lowered = word.lower()
    usual = unicodedata.normalize("NFKC", lowered)
    others = (usual, usual.translate(_SPELLED_OUT).translate(_PLAIN), usual.translate(_PLAIN))
    return tuple(other for other in dict.fromkeys(others) if other != lowered)


def asks_otherwise(question: str, spelled: str) -> bool:
    """Whether a word of the question is among the other spellings that :func:`stored` gave of a text."""
    return _is_asked(question, (together(spelled),))


def words_meant(question: str, text: str) -> list[str]:
    """The words of the text that the question spells otherwise: "Müller", where "Mueller" is asked for."""
    return [word for word, others in _varying(text, _strange(text)) if _is_asked(question, others)]


def folded(text: str) -> str:
    """The text with its letters as the tokenizer folds them, or more alike: Latin ones in ASCII, of either case.

    Letters of scripts without blanks are set apart by blanks; what is left beyond ASCII is a blank.
    """
    return _folded(text, _strange(text))


def folded_with_others(text: str) -> tuple[str, str]:
    """The folded text, and all other spellings of its words, folded."""
    strange = _strange(text)
    return _folded(text, strange), folded(_other_spellings(text, strange))


def is_beyond_ascii(text: str) -> bool:
    """Whether the text has letters beyond ASCII: dashes and the like are none."""
    return any(map(str.isalpha, _strange(text)))


def is_known(word: str) -> bool:
    """Whether :func:`folded` keeps all of the word's letters: not those of Greek, Cyrillic and other alphabets."""
    return all(_folded_letter(letter) != " " for letter in word)


def _is_asked(question: str, others: Iterable[str]) -> bool:
    asked = set(_LETTERS.findall(question.lower()))
    unspaced = [word for word in asked if any(map(_is_unspaced, word))]
    return any(
        not asked.isdisjoint(_LETTERS.findall(other)) or any(part in other for part in unspaced) for other in others
    )


def _apart(text: str, strange: frozenset[str]) -> str:
    if not any(map(_is_unspaced, strange)):
        return text
    return _RUN.sub(lambda run: f"{_SEPARATOR}{_SEPARATOR.join(run[0])}{_SEPARATOR}", text)


def _other_spellings(text: str, strange: frozenset[str]) -> str:
    return " ".join(dict.fromkeys(apart(other) for _, others in _varying(text, strange) for other in others))


def _varying(text: str, strange: frozenset[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The text's words that have other spellings, with these: found by their letters, of which there are few."""
    for letter in sorted(filter(_is_varying, strange)):
        place = text.find(letter)
        while place >= 0:
            start = text.rfind(" ", max(0, place - _REACH), place) + 1 or max(0, place - _REACH)
            stop = text.find(" ", place, place + _REACH)
            yield from _spelled(text[start : place + _REACH if stop < 0 else stop])
            place = text.find(letter, place + 1)


@lru_cache(maxsize=1 << 12)
def _spelled(piece: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The words of a piece of text that have other spellings, with these."""
    return tuple((word, others) for word in _WORD.findall(piece) if (others := spellings(word)))


def _folded(text: str, strange: frozenset[str]) -> str:
    if len(strange) > _MANY:
        return _STRANGE.sub(lambda run: "".join(map(_folded_letter, run[0])), text)
    for letter in strange:
        text = text.replace(letter, _folded_letter(letter))
    return text


@lru_cache(maxsize=1 << 16)
def _folded_letter(letter: str) -> str:
    if _is_unspaced(letter):
        return f" {letter} "
    if letter in _ACCENTS:
        return ""
    if not letter.isalnum():
        return " "
    plain = unicodedata.normalize("NFKD", letter.lower().translate(_PLAIN))
    return "".join(part if part.isascii() else "" if unicodedata.combining(part) else " " for part in plain)


def _strange(text: str) -> frozenset[str]:
    """The letters of the text that are not in ASCII."""
    # A look at each letter takes twenty times as long as to have most of them removed.
    return frozenset() if text.isascii() else frozenset(text.encode().translate(None, _ASCII).decode())


@lru_cache(maxsize=1 << 16)
def _is_unspaced(letter: str) -> bool:
    return _RUN.match(letter) is not None


@lru_cache(maxsize=1 << 16)
def _is_varying(letter: str) -> bool:
    """Whether a word with this letter has other spellings."""
    low = letter.lower()
    if letter in _MARKS or low.translate(_SPELLED_OUT).translate(_PLAIN) != low:
        return True
    return letter.isalnum() and unicodedata.normalize("NFKC", low) != low
