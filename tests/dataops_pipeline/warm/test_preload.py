"""What the host loads before it forks: everything that a run needs, and nothing that a fork would tear apart."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import json, os, sys
from pathlib import Path

from dataops_pipeline.warm import __main__ as host  # sets what native libraries read as they are loaded
from dataops_core.settings import Settings
from dataops_pipeline.warm.preload import preload
from dataops_pipeline.warm.processes import threads

before = set(os.listdir("/proc/self/fd"))
preload(Settings.load())
left = {name: os.readlink(f"/proc/self/fd/{name}") for name in set(os.listdir("/proc/self/fd")) - before}
from dataops_core.registry.tables import Base

mapped = all(mapper.configured for mapper in Base.registry.mappers)
print(json.dumps({"threads": threads(), "open": left, "mapped": mapped, "loaded": sorted(sys.modules)}))
"""

#: Each takes a tenth of a second or more, and the steps of a run load it where nobody has before.
HEAVY = {
    "dagster_postgres",
    "dagster._core.executor.in_process",
    "distributed",
    "httpcore",
    "hypothesis.strategies",
    "pandas",
    "pandera.backends.pandas.container",
    "pyarrow.parquet",
    "s3fs",
    "upath.implementations.local",
}


@pytest.mark.long
def test_all_is_loaded_with_one_thread_and_no_open_file(tmp_path, database_url) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            "DATAOPS_HOME": str(tmp_path),
            "DATAOPS_DATABASE_URL": database_url,
            "DATAOPS_STORAGE_URL": "s3://nobody-is-asked",
            "DATAOPS_DASK_SCHEDULER": "tcp://nobody-is-asked:8786",
            "DATAOPS_SECRET_KEY": "a secret of the tests of what is preloaded",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(result.stdout)
    assert found["threads"] == 1
    assert found["open"] == {}
    assert found["mapped"]
    assert HEAVY - set(found["loaded"]) == set()
