"""``client.quality``: how good datasets are."""

from __future__ import annotations

from a_domain_sdk import _calls
from a_domain_sdk._call import Id
from a_domain_sdk._session import Session
from a_domain_sdk.models import Quality


class QualityScores:
    """Quality of datasets."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, dataset_id: Id) -> Quality:
        """The dataset's score and the four checks behind it; the same as ``client.datasets.get_quality``."""
        return self._session.run(_calls.get_quality(dataset_id))
