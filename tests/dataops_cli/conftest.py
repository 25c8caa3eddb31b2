"""Homes to start things in: one directory per test, short enough for sockets, open for PostgreSQL's user."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home(short_directory: Path) -> Iterator[Path]:
    """A home that exists and holds nothing yet."""
    directory = Path(tempfile.mkdtemp(prefix="home-", dir=short_directory))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)
