"""``python -m dataops_pipeline.warm --socket S --records D``: the run host, a child of ``dataops up``.

Whatever is loaded is loaded here, before the first fork; it must start no thread (``preload.py``).
"""

import argparse
import logging
import os
import sys
from pathlib import Path

# Native libraries read these as they are loaded, and would start threads of their own then.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"

from dataops_core import logs
from dataops_core.errors import DataOpsError
from dataops_core.settings import Settings
from dataops_pipeline.warm.host import RunHost
from dataops_pipeline.warm.preload import preload
from dataops_pipeline.warm.processes import check_single
from dataops_pipeline.warm.records import RunRecords

_log = logging.getLogger("dataops_pipeline.warm")


def main() -> int:
    """Loads, then serves until it is asked to end."""
    parser = argparse.ArgumentParser(prog="python -m dataops_pipeline.warm", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where launchers ask for runs")
    parser.add_argument("--records", type=Path, required=True, help="a directory for what is written down of runs")
    parser.add_argument("--kill-after", type=float, default=10.0, help="seconds that a run has to end when asked to")
    arguments = parser.parse_args()
    settings = Settings.load()
    logs.configure_ours(settings)
    try:
        preload(settings)
        check_single()
        host = RunHost(
            arguments.socket,
            RunRecords(arguments.records),
            most=settings.max_concurrent_runs,
            memory_limit=settings.run_memory_limit_mib,
            kill_after=arguments.kill_after,
        )
        host.serve()
    except DataOpsError as error:
        _log.error("%s", error.message)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
