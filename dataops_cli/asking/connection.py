"""Which API the command line asks, and as whom: the environment, a home, or a login that was kept.

In this order: ``DATAOPS_BASE_URL``, ``DATAOPS_CLIENT_ID`` and ``DATAOPS_CLIENT_SECRET``; ``credentials.json`` of
``DATAOPS_HOME`` where that is set; what ``dataops login`` has kept; ``credentials.json`` of the default home. One of
the variables alone takes the place of what the file says.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_core.errors import ConfigurationError

if TYPE_CHECKING:
    from a_domain_sdk import DataOpsClient

#: As ``Settings.home`` has it, whose module takes as long to load as all of this.
DEFAULT_HOME = Path("~/.local/share/dataops")
_NAMES = ("base_url", "client_id", "client_secret")
_SECONDS = 3.0


def connect(known: Mapping[str, str] | None = None, *, patient: bool = True) -> "DataOpsClient":
    """A client of the API that these credentials are for, else of the one that is found.

    One that is not ``patient`` asks once, and waits a few seconds. Raises ConfigurationError where none is known.
    """
    # Imported where it is used: a command starts only what it needs.
    from a_domain_sdk import DataOpsClient  # noqa: PLC0415

    known = known or credentials()
    impatient: dict[str, Any] = {} if patient else {"timeout": _SECONDS, "max_retries": 0}
    return DataOpsClient(
        known["client_id"],
        known["client_secret"],
        base_url=known["base_url"],
        token_url=known.get("token_url"),
        **impatient,
    )


def credentials() -> Mapping[str, str]:
    """``base_url``, ``client_id``, ``client_secret`` and mostly ``token_url``. Raises ConfigurationError."""
    given = {name: os.environ[f"DATAOPS_{name.upper()}"] for name in (*_NAMES, "token_url") if _set(name)}
    if all(name in given for name in _NAMES):
        return given
    for file in _files():
        if file.exists():
            known = _read(file)
            if "base_url" in given:
                known.pop("token_url", None)  # It gives tokens of another API.
            return known | given
    raise ConfigurationError(
        "No API is known: start one with `dataops up`, log in to one with `dataops login`, "
        "or set DATAOPS_BASE_URL, DATAOPS_CLIENT_ID and DATAOPS_CLIENT_SECRET."
    )


def login_file() -> Path:
    """Where a login is kept."""
    configuration = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(configuration).expanduser() / "dataops/login.json"


def stronger_than_login() -> str | None:
    """The variable that is set and comes before a login that was kept."""
    return next((name for name in ("DATAOPS_BASE_URL", "DATAOPS_HOME") if os.environ.get(name)), None)


def home() -> Path:
    """The home of this machine's installation, there or not."""
    return Path(os.environ.get("DATAOPS_HOME") or DEFAULT_HOME).expanduser()


def keep(known: Mapping[str, str]) -> Path:
    """Keeps a login, readable by its owner alone."""
    # Imported where it is used: psutil comes with it, which --help does without.
    from dataops_cli.home import write_private_json  # noqa: PLC0415

    file = login_file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private_json(file, known)
    return file


def _set(name: str) -> bool:
    return bool(os.environ.get(f"DATAOPS_{name.upper()}"))


def _files() -> Iterator[Path]:
    if os.environ.get("DATAOPS_HOME"):
        yield home() / "credentials.json"
        return
    yield login_file()
    yield home() / "credentials.json"


def _read(file: Path) -> dict[str, str]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{file} cannot be read ({type(error).__name__}): log in with `dataops login`."
        ) from None
    if not isinstance(known, dict) or any(not isinstance(known.get(name), str) for name in _NAMES):
        raise ConfigurationError(f"{file} does not say {', '.join(_NAMES)}: log in with `dataops login`.")
    return known
