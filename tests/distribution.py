"""Which tests go to one process together, and in which order, where several processes share them (pytest-xdist).

The tests of one file stay together, since they share what a module sets up. All files that use a stack of the whole
session (``SHARED``) go to one process, so that the suite starts it once; those that end it (``last``) come after all
others, also in a single process. What starts or breaks stacks comes first: it waits for half of its time, and small
tests at the end leave no process without work.
"""

from collections import defaultdict
from collections.abc import Iterable

import pytest

#: Fixtures of the whole session that take long to start.
SHARED = ("stack", "telling_stack", "mending_stack")
_HEAVY = ("stack", "fault")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
    if not hasattr(config, "workerinput"):
        return
    files: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[item.location[0]].append(item)
    groups: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for file, of_file in files.items():
        groups[_shared_by(of_file) or file].extend(of_file)
    for name, of_group in groups.items():
        for item in of_group:
            item.add_marker(pytest.mark.xdist_group(name))
    # Sorting is stable: within each of the two the order stays as collected, but for the shared stacks.
    ordered = sorted(groups.items(), key=lambda group: (not _is_heavy(group[1]), group[0] not in SHARED))
    items[:] = [item for _, of_group in ordered for item in of_group]


def _shared_by(items: Iterable[pytest.Item]) -> str | None:
    used = {name for item in items for name in getattr(item, "fixturenames", ())}
    return next((name for name in SHARED if name in used), None)


def _is_heavy(items: Iterable[pytest.Item]) -> bool:
    return any(item.get_closest_marker(name) for item in items for name in _HEAVY)
