"""Values that are made once, however many threads ask for them at a time: ``lru_cache`` lets each thread make its own.

Belongs here: the decorator. Does not belong here: anything that is made.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, update_wrapper
from threading import Lock
from typing import Generic, ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Value = TypeVar("_Value")


@dataclass(slots=True)
class _Place(Generic[_Value]):
    """Where a value is kept, once it is made."""

    lock: Lock = field(default_factory=Lock)
    made: list[_Value] = field(default_factory=list)


class MadeOnce(Generic[_Arguments, _Value]):
    """A function that keeps so many of its values, those that were asked for last, by its arguments.

    Who asks for a value that another thread is making waits for it. What fails is made anew for the next who asks.
    """

    def __init__(self, make: Callable[_Arguments, _Value], keep: int) -> None:
        update_wrapper(self, make)
        self._make = make
        self._lock = Lock()
        self._places = lru_cache(maxsize=keep)(lambda *_, **__: _Place[_Value]())

    def __call__(self, *arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Value:
        """The function's value."""
        with self._lock:
            place = self._places(*arguments, **options)  # type: ignore[arg-type]
        with place.lock:
            if not place.made:
                place.made.append(self._make(*arguments, **options))
            return place.made[0]

    def cache_clear(self) -> None:
        """Forgets all values."""
        self._places.cache_clear()


def made_once(keep: int) -> Callable[[Callable[_Arguments, _Value]], MadeOnce[_Arguments, _Value]]:
    """Has a function keep so many of its values, each of them made once."""
    return lambda make: MadeOnce(make, keep)
