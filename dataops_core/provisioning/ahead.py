"""Loading what comes next while something else is waited for.

pandas and pandera take 0.4 s to load and only the schema check needs them, so nothing before it imports them. A run
spends about as long waiting for the connector to build its index: that is when :func:`load_schema_check` loads them, in
a thread of its own. A run that comes to the check sooner, or never, is right all the same: an import that is under way
in another thread is waited for.
"""

import importlib
import logging
import threading

from dataops_core.dataset_types.base import DatasetType

_log = logging.getLogger(__name__)

#: What ``evaluation.py`` imports when the check is asked for.
_SCHEMA_CHECK = "dataops_core.quality.schema_validation"


def load_schema_check(dataset_type: DatasetType) -> threading.Thread:
    """Begins to load the schema check and the type's schema. Returns at once."""
    # A daemon: a run that ends early does not wait for it.
    thread = threading.Thread(target=_load, args=(dataset_type,), name="schema-check", daemon=True)
    thread.start()
    return thread


def _load(dataset_type: DatasetType) -> None:
    try:
        importlib.import_module(_SCHEMA_CHECK)
        _ = dataset_type.schema
    except Exception:
        # Where it is a fault and not a passing one, the check meets it again and fails by it.
        _log.warning("the schema check could not be loaded ahead", exc_info=True)
