"""``client.journeys``: where customers' journeys stand, and what happens in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from uuid import uuid4

from a_domain_sdk._async.session import AsyncSession
from a_domain_sdk._call import Call, Id, changing_key, path_of, without_nothing
from a_domain_sdk.models import AcceptedEvent, DatasetType, Journey, JourneyEventType, Stage


class AsyncJourneys:
    """Journeys. ``client_id`` here is the customer, not the API client."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, journey_id: Id, *, client_id: Id | None = None) -> Journey:
        """Where the journey stands: its stage, its datasets, its events with their operations.

        Raises NotFoundError, and ConflictError where several customers have a journey of this id and none is named.
        """
        path = f"/journeys{path_of(journey_id)}"
        return await self._session.run(Call("GET", path, Journey.model_validate, parameters={"client_id": client_id}))

    async def tell(
        self,
        journey_id: Id,
        *,
        event: JourneyEventType,
        client_id: Id,
        to_stage: Stage | None = None,
        dataset_types: Sequence[DatasetType | str] | None = None,
        occurred_at: datetime | str | None = None,
        event_id: Id | None = None,
        idempotency_key: str | None = None,
    ) -> AcceptedEvent:
        """Tells that something happened; it is acted on within seconds, as ``get`` shows.

        A ``stage_transition`` has the stage it goes ``to_stage``, and ``dataset_types`` where the next stage is to have
        others than the old one. ``occurred_at`` is now unless given; an ``event_id`` of your own makes an event that is
        told again the same event. Raises ConflictError for one that was told with another content.
        """
        call = Call(
            "POST",
            f"/journeys{path_of(journey_id)}/events",
            AcceptedEvent.model_validate,
            body=without_nothing(
                event_id=event_id or uuid4(),
                event=event,
                client_id=client_id,
                to_stage=to_stage,
                dataset_types=dataset_types,
                occurred_at=occurred_at or datetime.now(timezone.utc),
            ),
            idempotency_key=changing_key(idempotency_key),
        )
        return await self._session.run(call)
