"""Operations whose runs have ended without a word because everything has: the installation was restored from a backup.

Source: ``docs/contract.md`` C-81, C-86.
"""

from datetime import timedelta

from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import heartbeats
from dataops_core.registry.database import Database

#: What such an operation says of itself.
SENTENCE = "The installation was restored from a backup that was made while this ran."

_BATCH = 200


def settle_interrupted(database: Database) -> int:
    """Ends every open operation that has a run, for no run lives; those without one are launched as ever.

    Returns how many it ended.
    """
    ended = 0
    while True:
        with database.transaction() as session:
            carried = [
                (row.operation_id, row.run_id)
                for row in heartbeats.silent_for(session, timedelta(0), limit=_BATCH)
                if row.run_id is not None
            ]
            for operation_id, run_id in carried:
                settle(session, operation_id, RunEnding.LOST, run_id=run_id, message=SENTENCE)
        ended += len(carried)
        if len(carried) < _BATCH:
            return ended
