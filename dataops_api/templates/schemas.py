"""What requests about templates and their answers look like (``docs/contract.md`` C-70, C-71)."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictStr

from dataops_api.fields import AnswerModel, Given, RequestModel
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import CompanySize, Industry, Stage
from dataops_core.templates.recommendation import MOST_ALTERNATIVES


class TemplateQuery(BaseModel):
    """Filters of the list of templates."""

    industry: Given[Industry] = None
    use_case: Given[str] = Field(default=None, description="Such as `developer_productivity`.")
    dataset_type: Given[str] = Field(default=None, description="Such as `confluence_pages`.")


class ClientMetadata(RequestModel):
    """What is known of the customer; what is not may be absent."""

    industry: Industry | None = None
    use_case: StrictStr | None = Field(
        default=None, description="A template's use case, such as `developer_productivity`, or any text."
    )
    company_size: CompanySize | None = None


def _some_once(dataset_types: list[str]) -> list[str]:
    if not dataset_types:
        raise ValueError("Must provide at least one dataset type")
    if len(set(dataset_types)) != len(dataset_types):
        raise ValueError("Must not name a dataset type twice")
    return dataset_types


class RecommendationRequest(RequestModel):
    """For whom templates are wanted, and of which types."""

    client_metadata: ClientMetadata
    dataset_types: Annotated[
        list[Annotated[StrictStr, Field(json_schema_extra={"enum": list(DATASET_TYPES)})]],
        AfterValidator(_some_once),
        Field(json_schema_extra={"minItems": 1, "uniqueItems": True}),
    ]
    stage: Stage


# --- answers ----------------------------------------------------------------------------------------------------------


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


class DefectShares(AnswerModel):
    """Shares of records that are wrong on purpose; each is met exactly, rounded down to whole records."""

    incomplete: float = Field(ge=0, lt=0.05, description="Lack a field.")
    near_duplicates: float = Field(ge=0, le=0.05, description="Repeat another record with small edits.")
    stale_versions: float = Field(ge=0, le=0.05, description="Are older versions of records that are still there.")
    conflicting_facts: float = Field(ge=0, le=0.05, description="State another value of a fact than another record.")
    misfiled: float = Field(ge=0, le=0.05, description="Stand where what they are about does not belong.")


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
    defects: DefectShares
    topics: list[TemplateTopic]
    record_schema: list[RecordField]
    sample_records: list[dict[str, Any]]


class NamedTemplate(AnswerModel):
    """A template, in short."""

    template_id: UUID
    name: str


class Alternative(AnswerModel):
    """Another template that might suit."""

    template: NamedTemplate
    confidence_score: float = Field(ge=0, le=1)
    reason: str


class Recommendation(AnswerModel):
    """The template of one type that suits best."""

    dataset_type: str
    recommended_template: NamedTemplate
    confidence_score: float = Field(ge=0, le=1)
    reason: str
    alternatives: list[Alternative] = Field(max_length=MOST_ALTERNATIVES)


class Recommendations(AnswerModel):
    """One recommendation per type, in the order asked."""

    recommendations: list[Recommendation]
