"""Pieces of a stream into lines, and lines into server-sent events (WHATWG HTML, 9.2). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


class Lines:
    """Lines of a stream, whose pieces end anywhere. Only a line feed ends one: a record may hold all else."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that this piece completes, without their ends."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return lines

    def end(self) -> list[bytes]:
        """What came after the last line's end, if anything did."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []


@dataclass(frozen=True)
class Event:
    """One event; ``event_id`` is what to come back with."""

    event_id: str | None
    data: str


class Events:
    """Events out of lines."""

    def __init__(self) -> None:
        self._event_id: str | None = None
        self._data: list[str] = []

    def feed(self, lines: Iterable[bytes]) -> Iterator[Event]:
        """The events that these lines end."""
        for line in lines:
            text = line.decode("utf-8", "replace").removesuffix("\r")
            name, _, value = text.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                self._data.append(value)
            elif name == "id":
                self._event_id = value
            elif not text and self._data:
                data, self._data = "\n".join(self._data), []
                yield Event(self._event_id, data)
