"""What a run loads, and when: pandas and pandera only for the schema check, or once all documents are made."""

import json
import subprocess
import sys
import threading

import pytest

from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.provisioning.ahead import Meanwhile, load_schema_check

#: Makes, reads back and hands over the records of every type as the steps before the checks do, in a fresh process.
SCRIPT = """
import json, sys, tempfile
from uuid import UUID
import dataops_pipeline.definitions
from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.figures.counting import Figures
from dataops_core.generation.pieces import open_records
from dataops_core.generation.records import write_records
from dataops_core.lifecycle import Stage
from dataops_core.provisioning import steps
from dataops_core.provisioning.ahead import load_schema_check
from dataops_core.quality.large_drawing import draw_queries
from dataops_core.storage import Storage
from dataops_core.templates.loader import load_catalog
from dataops_pipeline.previews import plots, sample_table
from pathlib import Path

def heavy():
    return sorted({"pandas", "pandera", "pyarrow.dataset"} & set(sys.modules))

seen, catalog = [heavy()], load_catalog()
with tempfile.TemporaryDirectory() as place:
    storage = Storage(Path(place))
    for kind in DATASET_TYPES.values():
        template = catalog.for_type(kind.name)[0]
        spec = GenerationSpec(template, catalog.vocabulary(template.industry), build_company(UUID(int=1)),
                              Stage.SANDBOX, 1, 150)
        path = storage.path(f"{kind.name}/records.parquet")
        write_records(spec, kind, storage.filesystem, path)
        records = open_records(storage.filesystem, path)
        assert len(draw_queries(records, kind, seed=1)) == 10
        table = next(records.pieces())
        sample_table(table.slice(0, 5), kind), plots(Figures.of(kind, table.to_batches()))
        assert sum(1 for batch in table.to_batches() for row in batch.to_pylist() if kind.document(row)) == 150
        seen.append(heavy())
load_schema_check(kind).join(60)
seen.append(heavy())
print(json.dumps(seen))
"""


@pytest.mark.long
def test_nothing_before_the_schema_check_loads_pandas_or_pandera():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120)
    before_any, *by_type, ahead = json.loads(done.stdout)
    assert (before_any, by_type) == ([], [[]] * len(DATASET_TYPES))
    assert ahead == ["pandas", "pandera"]


def test_what_cannot_be_loaded_ahead_is_left_to_the_check(caplog):
    class Broken:
        @property
        def schema(self):
            raise RuntimeError("no schema today")

    thread = load_schema_check(Broken())
    thread.join(60)
    assert "no schema today" in caplog.text


def test_work_is_done_once_in_a_thread_of_its_own_where_it_was_begun_and_else_where_its_result_is_wanted():
    def work() -> str:
        done.append(threading.current_thread().name)
        return "the result"

    done: list[str] = []
    begun, asked = Meanwhile(work, "meanwhile"), Meanwhile(work, "meanwhile")
    begun.begin()
    assert [begun.result(), begun.result(), asked.result(), asked.result()] == ["the result"] * 4
    assert done == ["meanwhile", threading.current_thread().name]


def test_an_error_of_the_work_is_raised_where_its_result_is_wanted():
    work = Meanwhile(lambda: 1 / 0, "meanwhile")
    work.begin()
    with pytest.raises(ZeroDivisionError):
        work.result()


def test_loading_ahead_gives_the_schemas_that_the_check_takes():
    for kind in DATASET_TYPES.values():
        thread = load_schema_check(kind)
        thread.join(60)
        assert not thread.is_alive()
        assert kind.schema is kind.schema
