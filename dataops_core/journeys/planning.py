"""What a transition comes to: which datasets the next stage must have, and which the journey leaves behind.

Decided by what the registry has at one moment, under the journey's lock; nothing is changed here. Does not belong here:
carrying it out (``advancing.py``). Source: ``docs/contract.md`` C-92.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_core.errors import ConflictError
from dataops_core.journeys.failures import NoDatasetsError, StageNotAheadError
from dataops_core.lifecycle import UP_STATUSES, DatasetStatus, Stage
from dataops_core.provisioning.asking import ProvisioningRequest
from dataops_core.registry import datasets, journeys, operations
from dataops_core.registry.tables import Dataset, JourneyEvent

#: Metadata that a request may say; the template says the other.
_REQUESTED = ("requested_by", "reason", "tags", "custom_fields")
_OF_THE_TEMPLATE = ("industry", "use_case")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A dataset type that the next stage must have."""

    dataset_type: str
    #: Of the journey's dataset that it follows; None: there is none, and the template is recommended.
    template_id: UUID | None
    #: What is said of that dataset, or of another one of the journey.
    meta: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A transition, at one moment."""

    #: What the next stage has already, on its way or ready.
    there: Sequence[Dataset]
    #: What is to be provisioned in it.
    missing: Sequence[Wanted]
    #: What the journey leaves behind.
    old: Sequence[Dataset]
    #: What holds a place of the next stage and is being torn down: as long as there is any, nothing can begin.
    leaving: Sequence[Dataset]


def plan_transition(session: Session, event: JourneyEvent, to_stage: Stage) -> Plan:
    """What the transition comes to now. Raises a DataOpsError that says why it comes to nothing."""
    of_journey = journeys.datasets_of(session, client_id=event.client_id, journey_id=event.journey_id)
    _must_be_ahead(of_journey, to_stage)
    taken_over = [
        row
        for row in of_journey
        if row.status in UP_STATUSES | {DatasetStatus.FAILED} and not to_stage.comes_before(row.stage)
    ]
    there, leaving, missing = [], [], []
    for wanted in _wanted(event, taken_over, to_stage):
        holder = datasets.holder_of(
            session, client_id=event.client_id, stage=to_stage, dataset_type=wanted.dataset_type
        )
        if holder is not None and holder.status is DatasetStatus.TEARDOWN:
            _must_be_going(session, holder)
            leaving.append(holder)
        elif holder is not None and holder.journey_id == event.journey_id:
            there.append(holder)
        else:
            # Where another journey's dataset holds the place, the request is refused as any other is (C-44).
            missing.append(wanted)
    old = [row for row in of_journey if row.stage.comes_before(to_stage)]
    return Plan(there=there, missing=missing, old=old, leaving=leaving)


def requests_of(
    event: JourneyEvent, to_stage: Stage, missing: Iterable[Wanted]
) -> list[tuple[ProvisioningRequest, dict[str, Any]]]:
    """The requests for what is missing, each with metadata that no request can say (C-50) and that goes along too.

    Types of whose datasets the same is said go together.
    """
    alike: dict[str, tuple[dict[str, Any], list[Wanted]]] = {}
    for wanted in missing:
        meta = dict(wanted.meta) | {"reason": event.event.value}
        alike.setdefault(json.dumps(meta, sort_keys=True), (meta, []))[1].append(wanted)
    return [
        (
            ProvisioningRequest(
                journey_id=event.journey_id,
                client_id=event.client_id,
                stage=to_stage,
                dataset_types=[wanted.dataset_type for wanted in group],
                template_overrides={
                    wanted.dataset_type: wanted.template_id for wanted in group if wanted.template_id is not None
                },
                metadata={name: meta[name] for name in _REQUESTED if name in meta},
                api_client_id=event.api_client_id,
                request_id=event.request_id,
            ),
            {name: value for name, value in meta.items() if name not in (*_REQUESTED, *_OF_THE_TEMPLATE)},
        )
        for meta, group in alike.values()
    ]


def _must_be_ahead(of_journey: Iterable[Dataset], to_stage: Stage) -> None:
    further = [row for row in of_journey if row.status in UP_STATUSES and to_stage.comes_before(row.stage)]
    if further:
        raise StageNotAheadError(
            f"The journey has datasets in {further[0].stage}, which comes after {to_stage}; nothing was changed.",
            details={"dataset_ids": [str(row.dataset_id) for row in further]},
        )


def _must_be_going(session: Session, holder: Dataset) -> None:
    """Refuses to wait for a teardown that has ended without success: somebody must go on with it first."""
    if operations.active_of(session, holder.dataset_id) is None:
        raise ConflictError(
            f"Dataset {holder.dataset_id} holds the place in {holder.stage} and its teardown failed: go on with that "
            "first; nothing was changed.",
            details={"existing_dataset_id": str(holder.dataset_id)},
        )


def _wanted(event: JourneyEvent, taken_over: Iterable[Dataset], to_stage: Stage) -> list[Wanted]:
    """The types in the order given, else those that there are; each follows the journey's furthest dataset of it."""
    stages = list(Stage)
    follows: dict[str, Dataset] = {}
    for row in sorted(taken_over, key=lambda row: stages.index(row.stage)):
        follows[row.dataset_type] = row
    types = event.dataset_types if event.dataset_types is not None else list(follows)
    if not types:
        raise NoDatasetsError(
            f"The journey has no datasets that {to_stage} could take over; an event that names dataset_types begins "
            "with these."
        )
    of_any: Mapping[str, Any] = next((_shared(row.meta) for row in reversed(follows.values())), {})
    return [
        Wanted(name, follows[name].template_id, follows[name].meta) if name in follows else Wanted(name, None, of_any)
        for name in types
    ]


def _shared(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Of what is said of one dataset, what goes for another type as well: all but what its own template says."""
    return {name: value for name, value in meta.items() if name not in _OF_THE_TEMPLATE}
