"""How often the ten queries alone notice each of 18 faults of an index, and that they cry for nothing else (C-62)."""

from contextlib import closing
from pathlib import Path

from dataops_core.connectors.embedded.readers import Readers
from tests.faults.quality.detection import SMALL_LOSSES, Detection
from tests.faults.quality.material import RECORDS

#: Datasets into which each fault is put: types and seeds.
DATASETS = [
    ("confluence_pages", 20260101),
    ("jira_issues", 20260102),
    ("confluence_pages", 20260103),
    ("jira_issues", 20260104),
]


def test_the_ten_queries_notice_the_faults_and_nothing_else(tmp_path: Path) -> None:
    """C-62: 95 % of the faults on average, each but small losses always; no alarm without a fault."""
    detection = Detection()
    with closing(Readers()) as readers:
        for type_name, seed in DATASETS:
            folder = tmp_path / str(seed)
            folder.mkdir()
            detection.add(folder, readers, type_name, seed, count=RECORDS, rotations=2)
    assert len(detection.rates) == 18
    assert (detection.false_alarms, detection.asked) == (0, 2 * 10 * len(DATASETS))
    assert detection.mean >= 0.95, detection.rates
    assert {name: rate for name, rate in detection.rates.items() if rate < 1 and name not in SMALL_LOSSES} == {}
