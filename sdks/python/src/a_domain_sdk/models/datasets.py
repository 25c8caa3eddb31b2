"""Datasets and their usage."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from a_domain_sdk._lists import Answer, Pagination
from a_domain_sdk.models.base import Linked, Model
from a_domain_sdk.models.words import ConnectorStatus, DatasetStatus, DatasetType, Industry, Stage


class Connector(Model):
    """The search connector that serves a dataset."""

    connector_id: str
    name: str
    status: ConnectorStatus | str
    endpoint_url: str


class DatasetTemplate(Model):
    """The template that a dataset was made from."""

    template_id: str
    name: str
    version: int | None = None


class DatasetMetadata(Model):
    """What is known about a dataset besides its data. Keys of your own are attributes too, and in ``model_extra``."""

    industry: Industry | str | None = None
    use_case: str | None = None
    tags: list[str] = Field(default_factory=list)
    requested_by: str | None = None
    reason: str | None = None
    custom_fields: dict[str, Any] = Field(default_factory=dict)


class DatasetError(Model):
    """Why a dataset failed."""

    code: str
    message: str


class Dataset(Linked):
    """One dataset of a customer's stage. ``client_id`` is the customer; ``size_bytes`` is uncompressed.

    ``etag`` is there where the dataset was asked for alone: it changes with the dataset, and
    ``datasets.update(..., if_match=dataset.etag)`` loses no change of somebody else.
    """

    dataset_id: str
    name: str
    dataset_type: DatasetType | str
    stage: Stage | str
    client_id: str
    journey_id: str
    status: DatasetStatus | str
    created_at: datetime
    ready_at: datetime | None = None
    archived_at: datetime | None = None
    updated_at: datetime | None = None
    data_source: str
    record_count: int | None = None
    size_bytes: int | None = None
    quality_score: float | None = None
    connector: Connector | None = None
    template: DatasetTemplate | None = None
    metadata: DatasetMetadata = Field(default_factory=DatasetMetadata)
    seed: int | None = None
    operation_id: str | None = None
    active_operation_id: str | None = None
    error: DatasetError | None = None
    etag: str | None = Field(default=None, exclude=True, repr=False)


class DailyUsage(Model):
    """One day's use."""

    date: date
    queries: int
    documents: int


class Usage(Linked):
    """How much a dataset was used."""

    dataset_id: str
    queries_total: int
    documents_served: int
    last_accessed_at: datetime | None = None
    storage_bytes: int
    index_bytes: int
    daily: list[DailyUsage] = Field(default_factory=list)


class DatasetList(Answer):
    """Of datasets."""

    items: list[Dataset] = Field(alias="datasets")
    pagination: Pagination
