"""What a change of metadata looks like (``docs/contract.md`` C-50). Its answer is the dataset."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from dataops_api.datasets.schemas import CustomFields, Tags
from dataops_api.fields import RequestModel
from dataops_api.pagination import without_default


def _refuse(_: Any) -> Any:
    raise ValueError("Is fixed; it cannot be changed")


_Fixed = Annotated[
    Any,
    BeforeValidator(_refuse),
    WithJsonSchema({"not": {}, "description": "Is fixed; it cannot be changed."}),
    Field(default=None, json_schema_extra=without_default),
]


class MetadataChange(BaseModel):
    """What is to be said from now on; null takes a key away."""

    model_config = ConfigDict(extra="allow")

    industry: _Fixed
    use_case: _Fixed
    requested_by: _Fixed
    reason: _Fixed
    tags: Tags | None = Field(default=None, description="In place of all tags before.")
    custom_fields: CustomFields | None = Field(default=None, description="Merged with those before, one level deep.")


class DatasetChange(RequestModel):
    """A change of a dataset: of its metadata, and of nothing else."""

    metadata: MetadataChange
