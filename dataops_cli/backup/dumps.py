"""PostgreSQL's own ``pg_dump`` and ``pg_restore``: those that come with the embedded server, or the system's.

A dump goes to a server of the same major version or a newer one, never to an older one.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import make_url

from dataops_cli.postgres_account import all_wheel_programs
from dataops_core.errors import ConfigurationError, UnavailableError

#: What a restore has set aside in a database is no part of the next backup.
ASIDE = "replaced_"


def program(name: str, *, server: int) -> Path:
    """``pg_dump`` or ``pg_restore`` for a server of this major version. Raises ConfigurationError without.

    The oldest that is not older than the server: a newer one says to the server what that does not understand.
    """
    on_path = shutil.which(name)
    places = [*(folder / name for folder in all_wheel_programs()), *([Path(on_path)] if on_path else [])]
    found = {major: place for place in reversed(places) if (major := _major(place)) >= server}
    if not found:
        raise ConfigurationError(
            f"The database server is PostgreSQL {server}: install {name} of that version and have it on the PATH."
        )
    return found[min(found)]


def _major(place: Path) -> int:
    try:
        said = subprocess.run([place, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    except OSError:
        return 0
    number = re.search(r"\d+", said)
    return int(number[0]) if number is not None else 0


def dump(url: str, target: Path, *, server: int, snapshot: str | None = None) -> None:
    """Writes all of a database, as the snapshot or this moment shows it, to a new file. Raises UnavailableError."""
    options = [f"--snapshot={snapshot}"] if snapshot is not None else []
    _run(
        [
            str(program("pg_dump", server=server)),
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--exclude-schema={ASIDE}*",
            f"--file={target}",
            *options,
            "--dbname",
        ],
        url,
        doing="backed up",
    )


def load(url: str, source: Path, *, server: int) -> None:
    """Brings a dump into an empty database, all of it or nothing. Raises UnavailableError."""
    _run(
        [
            str(program("pg_restore", server=server)),
            "--no-owner",
            "--no-privileges",
            "--exit-on-error",
            "--single-transaction",
            "--dbname",
        ],
        url,
        str(source),
        doing="restored",
    )


def _run(command: list[str], url: str, *arguments: str, doing: str) -> None:
    parsed = make_url(url).set(drivername="postgresql")
    shown = parsed._replace(password=None).render_as_string()
    # By the environment, which only this user may read, and not by the command line, which all may.
    password = {"PGPASSWORD": str(parsed.password)} if parsed.password else {}
    result = subprocess.run(  # noqa: S603  the command is ours
        [*command, shown, *arguments],
        env={**os.environ, "LC_ALL": "C", **password},  # whatever else libpq is told there, it is told everywhere
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or [f"status {result.returncode}"]
        telling = [line for line in lines if "error" in line.lower()] or lines
        reason = telling[0].partition("error: ")[2] or telling[0]
        raise UnavailableError(f"The database {parsed.database} cannot be {doing}: {reason.rstrip('.')}.")
