"""What the commands say where there is nothing to do, or where they cannot do what is asked."""

from collections.abc import Callable
from pathlib import Path

from psycopg2 import sql
from sqlalchemy import make_url

from dataops_cli.home import Home
from tests.ports import free_port

Refusal = Callable[..., str]


def test_down_says_that_nothing_runs(home: Path, dataops):
    for path in (home, home / "not-made", Path("/dev/null/home")):
        result = dataops(path, "down")
        assert (result.returncode, result.stdout, result.stderr) == (0, f"Nothing runs on {path}.\n", "")


def test_a_start_in_the_background_is_refused_in_the_same_sentence(home: Path, refusal: Refusal):
    """Once by the command itself, once by the start that it waits for."""
    home.joinpath("file").touch()
    assert refusal(home / "file" / "home", "up", "--background") == (
        f"The home {home}/file/home cannot be written (Not a directory): "
        "make it writable, or set DATAOPS_HOME to a directory of yours."
    )
    assert refusal(home, "up", "--background", DATAOPS_API_HOST="192.0.2.1") == (
        "192.0.2.1 is no address of this machine: set DATAOPS_API_HOST to another."
    )


def test_a_demo_where_one_was_left_running_is_refused_with_the_way_out(home: Path, refusal: Refusal):
    with Home(home).locked():
        assert refusal(home, "demo") == (
            f"Another `dataops up` runs on the home {home}: stop it with `dataops down` (in a checkout: `make down`), "
            "or set DATAOPS_HOME to another directory."
        )


def test_an_api_on_every_address_cannot_share_its_port_either(home: Path, refusal: Refusal):
    port = str(free_port())
    everywhere = "0.0.0.0"  # noqa: S104  to see that it is refused
    assert refusal(home, DATAOPS_API_HOST=everywhere, DATAOPS_API_PORT=port, DATAOPS_DAGSTER_PORT=port) == (
        f"The API and the Dagster UI cannot share port {port}: set DATAOPS_DAGSTER_PORT to another."
    )


def test_a_database_in_which_no_table_may_be_made_is_told(home: Path, refusal: Refusal, postgres_url: str, administer):
    administer(sql.SQL("CREATE ROLE without_tables LOGIN PASSWORD 'entering'"))
    url = make_url(postgres_url).set(username="without_tables", password="entering")
    assert refusal(home, DATAOPS_DATABASE_URL=url.render_as_string(hide_password=False)) == (
        f"The database {url.database} does not let without_tables make tables "
        "(permission denied for schema public): let that user own it, or name another by DATAOPS_DATABASE_URL."
    )


def test_a_setting_that_cannot_be_used_is_named_with_what_is_wrong(home: Path, refusal: Refusal):
    assert refusal(home, DATAOPS_API_PORT="99999", DATAOPS_PUBLIC_URL="api.example") == (
        "Settings are not usable: DATAOPS_API_PORT: Input should be less than or equal to 65535; "
        "DATAOPS_PUBLIC_URL: must begin with http:// or https://."
    )
    for url in ("http://", "https:///v1", "http://api.example:no", "http://[::1"):
        assert refusal(home, DATAOPS_PUBLIC_URL=url) == (
            "Settings are not usable: DATAOPS_PUBLIC_URL: must name a host, as in http://host:8080."
        )
    assert refusal(home, DATAOPS_LOG_LEVEL="FOO") == (
        "Settings are not usable: DATAOPS_LOG_LEVEL: String should match pattern "
        "'^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$'."
    )
