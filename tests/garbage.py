"""The garbage collector leaves alone what a test process loads: hundreds of thousands of objects that stay to its end.

Looking through them took a quarter of the time in which tests are collected, and some of every test. What a test makes
is collected as ever.
"""

import gc

import pytest

gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
