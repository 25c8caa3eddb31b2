"""The run host without the product's code, which it would load for seconds.

``SOCKET RECORDS MOST MEMORY_LIMIT KILL_AFTER``
"""

import sys
from pathlib import Path

from dataops_core.errors import ConfigurationError
from dataops_pipeline.warm import host
from dataops_pipeline.warm.host import RunHost
from dataops_pipeline.warm.records import RunRecords

host._RENEW_SECONDS = 1.0
socket, records, most, limit, kill_after = sys.argv[1:]
try:
    RunHost(
        Path(socket),
        RunRecords(Path(records)),
        most=int(most),
        memory_limit=int(limit) or None,
        kill_after=float(kill_after),
    ).serve()
except ConfigurationError as error:
    sys.exit(error.message)
