"""The catalog that datasets are made from, and what it recommends."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from a_domain_sdk._lists import Answer
from a_domain_sdk.models.base import Linked, Model
from a_domain_sdk.models.words import DatasetType, Industry


class Template(Linked):
    """A template of the catalog."""

    template_id: str
    name: str
    dataset_type: DatasetType | str
    industry: Industry | str
    use_case: str
    description: str
    default_record_count: int
    estimated_size_mb: float


class RecordCounts(Model):
    """Records per stage, unless a request says otherwise."""

    sandbox: int
    pilot: int
    production: int


class TemplateTopic(Model):
    """A subject that the records speak of; a heavier one comes up more often."""

    key: str
    title: str
    weight: float


class DefectShares(Model):
    """Shares of records that are wrong on purpose: each is met exactly, rounded down to whole records."""

    incomplete: float
    near_duplicates: float
    stale_versions: float
    conflicting_facts: float
    misfiled: float


class RecordField(Model):
    """A field of a record, by its dotted path in the vendor's shape."""

    name: str
    type: str
    nullable: bool


class TemplateDetails(Template):
    """A template, whole."""

    version: int
    record_counts: RecordCounts
    #: None from a server of before there were any.
    defects: DefectShares | None = None
    topics: list[TemplateTopic] = Field(default_factory=list)
    record_schema: list[RecordField] = Field(default_factory=list)
    sample_records: list[dict[str, Any]] = Field(default_factory=list)


class NamedTemplate(Model):
    """A template, in short."""

    template_id: str
    name: str


class Alternative(Model):
    """Another template that might suit. ``confidence_score`` is 0 to 1."""

    template: NamedTemplate
    confidence_score: float
    reason: str


class Recommendation(Model):
    """The template of one type that suits best, how surely (0 to 1) and why."""

    dataset_type: DatasetType | str
    recommended_template: NamedTemplate
    confidence_score: float
    reason: str
    alternatives: list[Alternative] = Field(default_factory=list)


class TemplateList(Answer):
    """All templates that match."""

    templates: list[Template] = Field(default_factory=list)


class Recommendations(Answer):
    """A recommendation for each type."""

    recommendations: list[Recommendation] = Field(default_factory=list)
