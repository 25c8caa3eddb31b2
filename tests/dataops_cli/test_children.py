"""What ``dataops up`` starts its children with, as far as it can be told without starting them."""

from pathlib import Path

import pytest

from dataops_cli.children import Children
from dataops_cli.home import Home
from dataops_core.settings import Settings


@pytest.fixture
def children(tmp_path: Path) -> Children:
    """The children of a stack as shipped, on a home of its own."""
    return Children(Settings.load(home=tmp_path, run_launcher="warm"), Home(tmp_path), tmp_path)


@pytest.mark.parametrize("given", [None, "glibc.malloc.arena_max=2"])
def test_the_run_host_has_memory_in_large_pages_unless_somebody_has_set_how_it_is_to_be_had(
    children: Children, given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if given is not None:
        monkeypatch.setenv("GLIBC_TUNABLES", given)
    host = children.run_host()
    assert host is not None
    assert host.environment["GLIBC_TUNABLES"] == (given or "glibc.malloc.hugetlb=1")
    assert children.api().environment.get("GLIBC_TUNABLES") == given
