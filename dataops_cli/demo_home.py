"""Where the demo's state lives. Light to import: ``dataops down`` asks, too."""

import os
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent


def demo_home() -> Path:
    """``DATAOPS_HOME`` where it is set, else ``.demo`` in the checkout, else in the working directory."""
    given = os.environ.get("DATAOPS_HOME")
    if given:
        return Path(given).expanduser().absolute()
    return (_CHECKOUT if in_checkout() else Path.cwd()) / ".demo"


def in_checkout() -> bool:
    """Whether this program is run from the sources, where there is ``make``."""
    return (_CHECKOUT / "pyproject.toml").is_file()
