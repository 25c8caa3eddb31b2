"""Ports and the URLs made of them."""

import errno
import socket

from dataops_core.errors import ConfigurationError

_ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  addresses to compare with


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def local_url(host: str, port: int) -> str:
    """The address at which this machine reaches what listens on that host and port."""
    reachable = _ANY.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def overlap(one: str, other: str) -> bool:
    """Whether nobody can listen on both hosts at the same port."""
    return one == other or one in _ANY or other in _ANY


def check_port(host: str, port: int, *, name: str) -> None:
    """Raises ConfigurationError where one cannot listen there. ``name`` is the setting's, as in DATAOPS_<name>_PORT."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # A connection of an earlier start that is still being closed does not hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror:
        raise ConfigurationError(f"The host {host} is unknown: set DATAOPS_{name}_HOST to another.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"Port {port} on {host} is taken: stop what listens there, or set DATAOPS_{name}_PORT to another."
            ) from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise ConfigurationError(
                f"{host} is no address of this machine: set DATAOPS_{name}_HOST to another."
            ) from None
        raise ConfigurationError(
            f"Port {port} on {host} cannot be opened ({error.strerror}): set DATAOPS_{name}_PORT to another."
        ) from None
