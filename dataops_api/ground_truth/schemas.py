"""What requests for ground truth and their answers look like (``docs/contract.md`` C-57)."""

from enum import StrEnum

from pydantic import BaseModel, Field

from dataops_api.fields import AnswerModel, Given
from dataops_api.pagination import LAST_PAGE, PageLinks, Pagination
from dataops_core.dataset_types.defects import Defect
from dataops_core.ground_truth.model import QuestionKind


class GroundTruthFormat(StrEnum):
    """The representations of a dataset's ground truth."""

    JSON = "json"
    BEIR = "beir"


MEDIA_TYPES = {GroundTruthFormat.JSON: "application/json", GroundTruthFormat.BEIR: "application/zip"}


class GroundTruthQuery(BaseModel):
    """Which questions, and how."""

    format: Given[GroundTruthFormat] = Field(
        default=None, description="Goes before `Accept`. `json` gives pages; `beir` gives all, with the documents."
    )
    kind: Given[QuestionKind] = Field(default=None, description="Questions of this kind. Of `json` alone.")
    page: int = Field(default=1, ge=1, le=LAST_PAGE, description="Of `json` alone.")
    per_page: int = Field(default=20, ge=1, le=100, description="Of `json` alone.")


class SearchCondition(AnswerModel):
    """A filter to search with, as a connector takes it: any of the values."""

    field: str
    values: list[str]


class ExpectedDocument(AnswerModel):
    """A document of the dataset that a search must find, by the address that searches answer with."""

    document_id: str
    url: str


class OtherDocument(AnswerModel):
    """A document of another dataset type that the answer needs as well: it is there, or would be."""

    dataset_type: str
    document_id: str
    url: str


class Question(AnswerModel):
    """A question with its answer: all documents of the dataset that answer it, and the fact where it is one."""

    query_id: str
    text: str
    expected: list[ExpectedDocument]
    kind: QuestionKind
    filters: list[SearchCondition]
    answer: str | None
    elsewhere: list[OtherDocument]
    in_quality_check: bool


class PlantedDefect(AnswerModel):
    """What is wrong with a record on purpose; ``related_record_id`` is the other one that has a part in it."""

    record_id: str
    kind: Defect
    related_record_id: str | None
    detail: dict[str, str]


class GroundTruthPage(AnswerModel):
    """A page of questions: the ten of the quality check first, then the larger set.

    Beside them what is wrong with records on purpose, the first thousand defects: all are in the archive.
    """

    queries: list[Question]
    defects: list[PlantedDefect]
    pagination: Pagination
    links: PageLinks = Field(alias="_links")
