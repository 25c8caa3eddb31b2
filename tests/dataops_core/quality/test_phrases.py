"""Phrases of a text: which of them say something new is told piece by piece, as of each whole one."""

from dataops_core.quality.corpus import words
from dataops_core.quality.phrases import fresh_windows, windows


def test_of_all_windows_those_that_say_something_new_are_found_and_those_with_a_number_told() -> None:
    text = "Cut off. We moved the ledger to port 8443 for Ada, then told them. A second one says the same, again (so)."
    before = frozenset(words("We moved the ledger to then told them. A second one says the same, again"))
    found, numbered = fresh_windows(text, before)
    assert found == [window for window in windows(text) if not before.issuperset(words(window))] != []
    assert numbered == {window for window in found if "8443" in window}
