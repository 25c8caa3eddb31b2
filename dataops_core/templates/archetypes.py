"""The archetypes that each dataset type knows: what a template may weigh under ``archetypes``.

Belongs here: this one table, as data, so that a catalog can be checked without importing the builders. A dataset type
takes its ``archetypes`` from here; does not belong here: what an archetype looks like (``dataset_types/``).
"""

from collections.abc import Mapping
from types import MappingProxyType

#: Dataset type → its archetypes.
ARCHETYPES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "confluence_pages": frozenset(
            {"runbook", "decision_record", "incident_report", "how_to", "meeting_notes", "policy", "release_notes"}
        ),
        "github_repos": frozenset({"service", "library", "infrastructure", "data_pipeline", "frontend", "tooling"}),
    }
)
