"""What `make sdk` makes of the SDK is up to date (C-95): the blocking half, and the dataset types among its words."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from dataops_core.dataset_types.known import DATASET_TYPES

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = spec_from_file_location("sync_sdk", ROOT / "scripts/sync_sdk.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_blocking_half_is_up_to_date(script: ModuleType) -> None:
    made = {script.TARGET / source.relative_to(script.SOURCE): source for source in script.sources()}
    assert set(script.TARGET.rglob("*.py")) == made.keys(), "run `make sdk`"
    stale = [target.name for target, source in made.items() if target.read_text("utf-8") != script.rendered(source)]
    assert stale == [], "run `make sdk`"


def test_the_words_have_every_dataset_type(script: ModuleType) -> None:
    """Another type is a word more once `make sdk` was called, and nothing beside it changes."""
    committed = script.WORDS.read_text("utf-8")
    assert script.words() == committed, "run `make sdk`"
    names = sorted({*DATASET_TYPES, "notion_pages"})
    more = script.with_types(committed, names)
    (said,) = re.findall(r"^DatasetType = Literal\[(.*?)^\]", more, re.MULTILINE | re.DOTALL)
    assert re.findall(r'"(\w+)"', said) == names
    assert script.with_types(more, DATASET_TYPES) == committed


def test_nothing_asynchronous_is_left_in_it(script: ModuleType) -> None:
    text = script.sync("async def list(self) -> AsyncPage[T]:\n    async with await client.datasets.list() as page:\n")
    assert text == "def list(self) -> Page[T]:\n    with client.datasets.list() as page:\n"
    for path in script.TARGET.rglob("*.py"):
        code = path.read_text("utf-8").partition("\n")[2]
        assert "sync" not in code.replace("_sync", ""), path
