"""What is made once is made by one thread, and waited for by the others."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dataops_core.once import made_once


def test_threads_that_ask_at_once_get_one_value_that_one_of_them_made() -> None:
    together, made = threading.Barrier(4), []

    @made_once(keep=8)
    def make(name: str) -> object:
        made.append(name)
        return object()

    def ask(name: str) -> object:
        together.wait(10)
        return make(name)

    with ThreadPoolExecutor(4) as threads:
        first, second, third, other = threads.map(ask, ["a", "a", "a", "b"])
    assert first is second is third is not other
    assert sorted(made) == ["a", "b"]


def test_another_is_made_while_one_is() -> None:
    begun, go_on = threading.Event(), threading.Event()

    @made_once(keep=8)
    def make(name: str) -> str:
        if name == "slow":
            begun.set()
            assert go_on.wait(10)
        return name

    with ThreadPoolExecutor(1) as thread:
        slow = thread.submit(make, "slow")
        assert begun.wait(10)
        assert make("quick") == "quick"
        go_on.set()
        assert slow.result(10) == "slow"


def test_those_asked_for_last_are_kept_and_what_fails_is_made_anew() -> None:
    made: list[int] = []

    @made_once(keep=2)
    def make(number: int) -> int:
        made.append(number)
        if made.count(number) == 1 and number == 9:
            raise ValueError("on purpose")
        return number

    for number in (1, 2, 1, 3, 1, 2):
        assert make(number) == number
    assert made == [1, 2, 3, 2]
    with pytest.raises(ValueError, match="on purpose"):
        make(9)
    assert make(9) == 9
