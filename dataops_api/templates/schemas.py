"""What requests about templates and their answers look like (``docs/contract.md`` C-70)."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataops_api.fields import AnswerModel, Given
from dataops_core.lifecycle import Industry


class TemplateQuery(BaseModel):
    """Filters of the list of templates."""

    industry: Given[Industry] = None
    use_case: Given[str] = Field(default=None, description="Such as `developer_productivity`.")
    dataset_type: Given[str] = Field(default=None, description="Such as `confluence_pages`.")


class TemplateLinks(AnswerModel):
    """The template itself."""

    self_: str = Field(alias="self")


class Template(AnswerModel):
    """A template, as lists show it."""

    template_id: UUID
    name: str
    dataset_type: str
    industry: Industry
    use_case: str
    description: str
    default_record_count: int
    estimated_size_mb: int
    links: TemplateLinks = Field(alias="_links")


class TemplateList(AnswerModel):
    """Every template that matches."""

    templates: list[Template]
    total_count: int


class RecordCounts(AnswerModel):
    """Records per stage, unless a request says otherwise."""

    sandbox: int
    pilot: int
    production: int


class RecordField(AnswerModel):
    """A field that a record has of its own, by its dotted path; links that follow from others are not listed."""

    name: str
    type: str
    nullable: bool


class TemplateTopic(AnswerModel):
    """A subject that the records speak of."""

    key: str
    title: str
    weight: int


class TemplateDetail(Template):
    """A template, whole, with a few of the records that it makes."""

    version: int
    record_counts: RecordCounts
    topics: list[TemplateTopic]
    record_schema: list[RecordField]
    sample_records: list[dict[str, Any]]
