"""How a launcher and the run host talk: one question and one answer over a Unix socket, each a line of JSON.

The socket's directory may be entered by its owner alone, so whoever asks is us. Does not belong here: what is asked.
"""

import json
import socket
from collections.abc import Mapping
from typing import Any

#: More than any answer; a question is as long as Dagster's serialized instance.
LONGEST = 1 << 20


class HostGoneError(Exception):
    """Nobody listens at the socket, or whoever did ended before it answered."""


class HostSilentError(Exception):
    """The host took the question and does not answer: it hangs, and may act on it yet."""


def ask(path: str, question: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
    """The host's answer. Raises HostGoneError or HostSilentError."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(path)
            connection.sendall(encode(question))
            return _receive(connection)
        except TimeoutError:
            raise HostSilentError(f"The run host did not answer within {seconds:g} s.") from None
        except OSError as error:
            raise HostGoneError(f"The run host does not run ({error.strerror}).") from None


def _receive(connection: socket.socket) -> dict[str, Any]:
    received = b""
    while not received.endswith(b"\n"):
        part = connection.recv(65536)
        if not part:
            raise HostGoneError("The run host ended before it answered.")
        received += part
    answer: dict[str, Any] = json.loads(received)
    return answer


def encode(message: Mapping[str, Any]) -> bytes:
    """A message as it is sent."""
    return json.dumps(message).encode() + b"\n"
