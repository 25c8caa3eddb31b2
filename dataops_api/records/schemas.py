"""What requests for records and their answers look like (``docs/contract.md`` C-56)."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from dataops_api.fields import AnswerModel, Given
from dataops_api.pagination import LAST_PAGE, PageLinks, Pagination


class RecordsFormat(StrEnum):
    """The representations of a dataset's records."""

    JSON = "json"
    NDJSON = "ndjson"
    PARQUET = "parquet"


MEDIA_TYPES = {
    RecordsFormat.JSON: "application/json",
    RecordsFormat.NDJSON: "application/x-ndjson",
    RecordsFormat.PARQUET: "application/vnd.apache.parquet",
}


class RecordsQuery(BaseModel):
    """Which records, and how."""

    format: Given[RecordsFormat] = Field(
        default=None, description="Goes before `Accept`. `json` gives pages; the others give all records."
    )
    page: int = Field(default=1, ge=1, le=LAST_PAGE, description="Of `json` alone.")
    per_page: int = Field(default=20, ge=1, le=100, description="Of `json` alone.")


class RecordPage(AnswerModel):
    """A page of records in the vendor's shape."""

    records: list[dict[str, Any]]
    pagination: Pagination
    links: PageLinks = Field(alias="_links")
