"""Parameters of what is tried for each dataset type and takes long: ``make test`` tries the first few."""

import pytest

from dataops_core.dataset_types.known import DATASET_TYPES

#: Long texts in HTML, and short ones in threads: the two that differ most.
_ALWAYS = {"confluence_pages", "slack_messages"}

EACH_TYPE = [
    pytest.param(name, marks=[] if name in _ALWAYS else [pytest.mark.long], id=name) for name in sorted(DATASET_TYPES)
]
