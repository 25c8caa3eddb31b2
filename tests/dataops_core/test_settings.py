"""How settings are read from the environment, each by one rule."""

from pathlib import Path

import pytest

from dataops_core.errors import ConfigurationError
from dataops_core.settings import Settings


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the home would be the working directory, and secrets lie in a checkout."""
    for name in Settings.model_fields:
        monkeypatch.setenv(f"DATAOPS_{name.upper()}", "")
    settings = Settings.load()
    assert settings.home == Path("~/.local/share/dataops").expanduser()
    assert settings.secret_key is None
    assert settings.templates_dir is None
    assert (settings.api_port, settings.log_level) == (8080, "INFO")


def test_the_log_level_may_be_written_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAOPS_LOG_LEVEL", "debug")
    assert Settings.load().log_level == "DEBUG"


@pytest.mark.parametrize(
    "demand",
    [
        "channel_binding=require",
        "gssencmode=require",
        "sslcertmode=require",
        "sslcrldir=x",
        "require_auth=none",
        "requirepeer=me",
    ],
)
def test_what_only_some_connections_can_demand_of_a_database_is_refused(demand: str) -> None:
    settings = Settings.load(database_url=f"postgresql://db.example/name?sslmode=require&{demand}")
    with pytest.raises(ConfigurationError, match=f"demands {demand}, which only some .* sslmode=verify-full"):
        _ = settings.registry_url


def test_what_a_database_url_would_rather_have_is_no_demand() -> None:
    settings = Settings.load(database_url="postgresql://db.example/name?channel_binding=prefer&gssencmode=disable")
    assert settings.registry_url.endswith("/name?channel_binding=prefer&gssencmode=disable")
