"""What the newest search for orphans found is kept for the figures, until the next one."""

from datetime import timedelta

from dataops_core.clock import utcnow
from dataops_core.provisioning.services import Services
from dataops_core.registry import orphans
from dataops_core.registry.measuring import Figures, figures
from tests.dataops_core.upkeep.conftest import Search


def told(services: Services) -> Figures:
    with services.database.reading() as connection:
        return figures(connection)


def test_the_newest_search_is_noted_and_a_dry_run_is_none(search: Search, services: Services) -> None:
    assert (told(services).orphans, told(services).orphan_search_seconds) == ([], None)
    strange = search.put("datasets/strange", age=timedelta())
    search(dry_run=True)
    assert told(services).orphan_search_seconds is None
    search()
    assert told(services).orphans == [("reported", "strange_name", 1)]
    age = told(services).orphan_search_seconds
    assert age is not None
    assert age < 60
    strange.unlink()
    strange.parent.rmdir()
    search(dry_run=True)
    assert told(services).orphans == [("reported", "strange_name", 1)]
    search()
    assert told(services).orphans == []


def test_of_two_searches_the_one_that_began_later_counts(services: Services) -> None:
    now = utcnow()
    for begun, missing in ((now, 1), (now - timedelta(minutes=5), 7)):
        with services.database.transaction() as session:
            orphans.note_search(session, searched_at=begun, findings={"index_missing": {"reported": missing}})
    assert told(services).orphans == [("reported", "index_missing", 1)]
