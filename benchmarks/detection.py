"""What the ten queries of sample_query_success notice: 18 faults of an index, put into those of many datasets.

    .venv/bin/python -m benchmarks.detection [--seeds 5] [--records 500] [--queries 2000]

Datasets of all eight types, so many of each, get every fault; a loss is drawn five times. Sound indexes are asked at
least so many queries, none of which may fail. The faults are those of ``tests/faults/quality/detection.py``, the engine
is the embedded connector's, without HTTP. Targets are reported, never asserted.
"""

import argparse
import math
import tempfile
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from dataops_core.connectors.embedded.readers import Readers
from dataops_core.dataset_types.known import DATASET_TYPES
from tests.faults.quality.detection import Detection

TARGET_MEAN = 0.95
_FIRST_SEED = 20260101
#: Of each check.
_QUERIES = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="datasets of each type")
    parser.add_argument("--records", type=int, default=500)
    parser.add_argument("--queries", type=int, default=2000, help="queries of sound indexes, at least")
    arguments = parser.parse_args()
    datasets = [(name, _FIRST_SEED + turn * 2) for turn in range(arguments.seeds) for name in DATASET_TYPES]
    rotations = math.ceil(arguments.queries / len(datasets) / _QUERIES)
    detection = Detection()
    for type_name, seed in track(datasets, "datasets", console=Console(stderr=True), transient=True):
        with closing(Readers()) as readers, tempfile.TemporaryDirectory() as folder:
            detection.add(Path(folder), readers, type_name, seed, count=arguments.records, rotations=rotations)
    report(detection, len(datasets), arguments.records)


def report(detection: Detection, datasets: int, records: int) -> None:
    """Prints the table."""
    table = Table(title=f"Faults of an index that the ten queries notice, {datasets} datasets of {records} records")
    table.add_column("fault")
    table.add_column("times", justify="right")
    table.add_column("noticed", justify="right")
    for name, found in detection.noticed.items():
        table.add_row(name, str(len(found)), f"{detection.rates[name]:.1%}")
    table.add_section()
    table.add_row(f"mean of the {len(detection.noticed)}", "", f"{detection.mean:.1%}")
    table.caption = (
        f"Target {TARGET_MEAN:.0%}: {'met' if detection.mean >= TARGET_MEAN else 'missed'}. False alarms in "
        f"{detection.asked:,} queries of sound indexes: {detection.false_alarms}, target 0."
    )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
