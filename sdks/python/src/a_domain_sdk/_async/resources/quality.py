"""``client.quality``: how good datasets are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from a_domain_sdk._async.operation import AsyncOperation
from a_domain_sdk._async.pages import AsyncLinkedPage
from a_domain_sdk._async.session import AsyncSession
from a_domain_sdk._call import Call, Id, changing_key, path_of, without_nothing
from a_domain_sdk.models import AcceptedOperation, CheckType, PastCheck, Quality
from a_domain_sdk.models.quality import History


class AsyncQualityScores:
    """Quality of datasets."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, dataset_id: Id) -> Quality:
        """The dataset's score and the four checks behind it; the same as ``client.datasets.get_quality``."""
        return await self._session.run(Call("GET", f"/datasets{path_of(dataset_id)}/quality", Quality.model_validate))

    async def validate(
        self,
        dataset_id: Id,
        *,
        checks: Sequence[CheckType] | None = None,
        force_revalidation: bool | None = None,
        idempotency_key: str | None = None,
    ) -> AsyncOperation:
        """Starts to check a ready dataset again, all four checks unless some are named; returns the operation.

        Checks of the last minutes are not made again unless ``force_revalidation``. Raises ConflictError where the
        dataset is not ready or another operation works on it.
        """
        call = Call(
            "POST",
            f"/datasets{path_of(dataset_id)}/quality/validate",
            AcceptedOperation.model_validate,
            body=without_nothing(checks=checks, force_revalidation=force_revalidation),
            idempotency_key=changing_key(idempotency_key),
        )
        return AsyncOperation.accepted(self._session, await self._session.run(call), "quality_validation")

    async def history(
        self,
        dataset_id: Id,
        *,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        check_type: CheckType | None = None,
        limit: int | None = None,
        before: Id | None = None,
    ) -> AsyncLinkedPage[PastCheck]:
        """What its checks said from ``since`` on and before ``until``: the newest ``limit`` (at most 1,000) of them.

        A page is oldest first; the page after it is older, as is what comes ``before`` a ``check_id``.
        """
        parameters = {"from": since, "to": until, "check_type": check_type, "limit": limit, "before": before}
        path = f"/datasets{path_of(dataset_id)}/quality/history"
        return await AsyncLinkedPage.of(self._session, Call("GET", path, History.model_validate, parameters=parameters))
