"""The quality gate: whether what an operation's checks have said lets its dataset be published (C-62).

Asked where a dataset is published (``proving.py``) and where an operation ends without it (``settlement.py``).
"""

from sqlalchemy.orm import Session

from dataops_core.errors import CheckInconclusiveError, QualityGateError
from dataops_core.lifecycle import CheckStatus, CheckType, DatasetStatus
from dataops_core.registry import quality
from dataops_core.registry.tables import Dataset, Operation


def gate_problem(
    session: Session, operation: Operation, dataset: Dataset
) -> QualityGateError | CheckInconclusiveError | None:
    """Why this operation's newest evaluations do not let the dataset be published, or None."""
    made = quality.of_operation(session, dataset_id=dataset.dataset_id, operation_id=operation.operation_id)
    if not made and dataset.status is DatasetStatus.READY:
        made = dict(quality.current(session, dataset.dataset_id).checks)
    unclear = [check for check, row in made.items() if row.status is CheckStatus.ERROR]
    failed = [check for check in CheckType if check in made and made[check].status is CheckStatus.FAILED]
    if failed:
        said = "; ".join(f"{check}: {made[check].details}" for check in failed)
        return QualityGateError(
            f"The dataset did not pass its quality checks ({said}).",
            details={"failed_checks": [str(c) for c in failed]},
        )
    if unclear:
        said = "; ".join(f"{check}: {made[check].details}" for check in unclear)
        return CheckInconclusiveError(
            f"A quality check could not tell ({said}).", details={"failed_checks": [str(c) for c in unclear]}
        )
    missing = [check for check in CheckType if check not in made]
    if missing:
        return QualityGateError(
            f"The dataset was not checked by {', '.join(missing)}.",
            details={"missing_checks": [str(c) for c in missing]},
        )
    return None


def gate_closed(
    session: Session, operation: Operation, dataset: Dataset
) -> QualityGateError | CheckInconclusiveError | None:
    """Why a check of the operation's present attempt does not let the dataset be published; None where none says no."""
    made = quality.of_operation(session, dataset_id=dataset.dataset_id, operation_id=operation.operation_id)
    if any(row.attempt == operation.attempt and row.status is not CheckStatus.PASSED for row in made.values()):
        return gate_problem(session, operation, dataset)
    return None
