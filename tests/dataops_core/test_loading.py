"""What a process loads for good is left alone by the collector from then on."""

import gc

import pytest

from dataops_core.loading import permanently


@pytest.fixture(autouse=True)
def nothing_frozen_for_others():
    yield
    gc.unfreeze()
    gc.enable()


def test_what_is_loaded_within_is_never_looked_at_again():
    with permanently():
        assert not gc.isenabled()
        kept = [["loaded"]]
    assert gc.isenabled()
    assert not any(each is kept for each in gc.get_objects())


def test_the_collector_goes_on_after_a_module_that_does_not_load():
    with pytest.raises(ImportError), permanently():
        raise ImportError("no such module")
    assert gc.isenabled()


def test_a_process_that_has_no_collector_gets_none():
    gc.disable()
    with permanently():
        pass
    assert not gc.isenabled()
