"""Questions about a dataset whose answers are known."""

from __future__ import annotations

from pydantic import Field

from a_domain_sdk._lists import Answer, Pagination
from a_domain_sdk.models.base import Model
from a_domain_sdk.models.words import DatasetType, DefectKind, QuestionKind


class SearchCondition(Model):
    """A filter to search with, as a connector takes it: any of the values."""

    field: str
    values: list[str]


class ExpectedDocument(Model):
    """A document of the dataset that a search must find; ``url`` is what searches answer with."""

    document_id: str
    url: str


class OtherDocument(Model):
    """A document of another dataset type that the answer needs as well: it is there, or would be."""

    dataset_type: DatasetType | str
    document_id: str
    url: str


class Question(Model):
    """A question with its answer. Nothing is expected where nobody can answer it; ``answer`` is there for a fact."""

    query_id: str
    text: str
    kind: QuestionKind | str
    filters: list[SearchCondition] = Field(default_factory=list)
    expected: list[ExpectedDocument] = Field(default_factory=list)
    elsewhere: list[OtherDocument] = Field(default_factory=list)
    answer: str | None = None
    in_quality_check: bool = False


class PlantedDefect(Model):
    """What is wrong with a record on purpose; ``related_record_id`` is the other one that has a part in it."""

    record_id: str
    kind: DefectKind | str
    related_record_id: str | None = None
    detail: dict[str, str] = Field(default_factory=dict)


class DefectList(Answer):
    """Of defects, beside some questions."""

    items: list[PlantedDefect] = Field(alias="defects")


class QuestionList(Answer):
    """Of questions."""

    items: list[Question] = Field(alias="queries")
    pagination: Pagination
