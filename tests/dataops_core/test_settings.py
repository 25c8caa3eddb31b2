"""How settings are read from the environment, each by one rule."""

from pathlib import Path

import pytest

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
