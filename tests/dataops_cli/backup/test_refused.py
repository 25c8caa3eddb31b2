"""Everything that ``dataops backup`` and ``dataops restore`` refuse, before anything is touched."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from sqlalchemy import make_url

from dataops_cli.backup.make import Made, make_backup
from dataops_cli.backup.restore import restore as bring_back
from dataops_cli.home import Home
from dataops_core.settings import Settings
from tests.dataops_cli.backup.conftest import Installed, altered, refused, rows


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda content: content[: len(content) // 2], "it is no archive, or ends too early"),
        (lambda content: content[: content.rindex(b"manifest.sha256")], "its manifest is missing"),
        (lambda content: content.replace(b"of one-1", b"of one-2", 1), "is not what its manifest says"),
        (lambda content: content.replace(b'"format": 1', b'"format": 0', 1), "its manifest was altered"),
        (lambda _: b"no archive at all", "it is no archive, or ends too early"),
        (lambda _: b"", "it is no archive, or ends too early"),
    ],
    ids=["half", "no end", "a byte", "the manifest", "another file", "nothing"],
)
def test_a_damaged_file_is_refused_before_anything_is_touched(
    backup: Made, new_settings: Callable[..., Settings], damage: Callable[[bytes], bytes], what: str
) -> None:
    damaged = backup.file.with_name("damaged")
    damaged.write_bytes(damage(backup.file.read_bytes()))
    other = new_settings()
    sentence = refused(bring_back, other, damaged, replace=False)
    assert sentence.startswith(f"{damaged} is no whole backup (")
    assert what in sentence
    assert not other.home.exists()


def test_what_does_not_fit_is_refused_before_anything_is_touched(
    installed: Installed, backup: Made, new_settings: Callable[..., Settings]
) -> None:
    other = new_settings()

    def refusal(change: Callable[[dict[str, Any], dict[str, bytes]], None], settings: Settings = other) -> str:
        return refused(bring_back, settings, altered(backup, change), replace=True)

    file = backup.file.with_name("altered")
    assert refusal(lambda manifest, _: manifest.update(format=2, release="9.0")) == (
        f"{file} was made by a newer release (9.0): restore it with that one."
    )
    assert refusal(lambda manifest, _: manifest.update(registry_schema="9999", release="9.0")) == (
        f"{file} was made by a newer release (9.0, schema 9999): restore it with that one."
    )
    assert "was made by a newer release" in refusal(lambda manifest, _: manifest.update(home_format=99))
    server = backup.manifest.postgres
    assert refusal(lambda manifest, _: manifest.update(postgres=99)) == (
        f"The backup is of PostgreSQL 99 and this server is {server}: restore it to one of version 99 or newer."
    )

    def reach_out(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        content = members.pop("home/secret_key")
        members["data/../../secret_key"] = content
        manifest["files"]["data/../../secret_key"] = manifest["files"].pop("home/secret_key")

    assert "data/../../secret_key does not belong there" in refusal(reach_out)
    secret = other.model_copy(update={"secret_key": Settings(secret_key="another secret, long enough").secret_key})
    assert refused(bring_back, secret, backup.file, replace=False).startswith(
        "DATAOPS_SECRET_KEY is not the secret key that the backup was made with: "
    )
    assert refused(bring_back, other, backup.file.with_name("nowhere"), replace=False) == (
        f"{backup.file.with_name('nowhere')} cannot be read (No such file or directory): name a backup."
    )
    with closing(psycopg2.connect(other.registry_url.replace("+psycopg2", ""))):
        assert refused(bring_back, other, backup.file, replace=True) == (
            f"Others are connected to the database {make_url(other.registry_url).database}: "
            "stop what works on it first."
        )
    assert rows(other.registry_url) == {}
    assert not other.home.joinpath("secret_key").exists()
    with Home(installed.home).locked():
        assert "runs on the home" in refused(bring_back, installed.settings, backup.file, replace=True)


def test_a_backup_is_refused_where_it_could_not_be_one(
    own: Installed, tmp_path: Path, refusal: Callable[..., str]
) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    assert refusal(own.home, "backup", str(taken)) == f"{taken} exists already: name another file."
    nowhere = tmp_path / "no" / "folder"
    assert refused(make_backup, own.settings, nowhere) == (
        f"{nowhere.parent} is no folder: make it, or name another file."
    )
    empty = Settings(home=tmp_path / "empty")
    assert refused(make_backup, empty, tmp_path / "new") == (
        f"There is no installation in {empty.home} to back up: set DATAOPS_HOME (and DATAOPS_DATABASE_URL) to its own."
    )
    assert not empty.home.exists()
    (own.home / "secret_key").write_text("another secret, long enough")
    assert refused(make_backup, own.settings, tmp_path / "new").startswith("The secret key does not fit the database: ")
    assert {path.name for path in tmp_path.iterdir()} == {"taken"}


def test_a_home_in_which_a_restore_was_killed_is_served_by_nobody_until_one_has_ended(
    own: Installed, backup: Made, refusal: Callable[..., str]
) -> None:
    (own.home / "restoring").touch()
    assert refusal(own.home, "up") == (
        f"A restore into the home {own.home} did not come to its end: run `dataops restore FILE --replace` again."
    )
    bring_back(own.settings, backup.file, replace=True)
    Home(own.home).open()
