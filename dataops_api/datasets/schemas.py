"""What requests about datasets look like, and what their answers do (``docs/contract.md`` C-30 … C-44, C-51, C-55)."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt, StrictStr, StringConstraints

from dataops_api.fields import AnswerModel, Given, Moment, RequestModel, Whole
from dataops_api.pagination import LAST_PAGE, PageLinks, Pagination
from dataops_core.company.build import known_locales
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.generation.seeding import SEEDS
from dataops_core.lifecycle import ConnectorStatus, DatasetStatus, Stage, TeardownReason
from dataops_core.metadata import LIMIT_BYTES, TOO_LARGE, size
from dataops_core.registry.reading import DatasetSort

_MOST_TAGS = 50

Tag = Annotated[StrictStr, StringConstraints(min_length=1, max_length=64)]


class ListQuery(BaseModel):
    """Filters, order and page of a list of datasets."""

    client_id: Given[UUID] = Field(default=None, description="The customer.")
    journey_id: Given[UUID] = Field(default=None, description="The customer's journey.")
    stage: Given[Stage] = None
    status: Given[DatasetStatus] = None
    dataset_type: Given[str] = Field(default=None, description="Such as `confluence_pages`.")
    operation_id: Given[UUID] = Field(default=None, description="Datasets of this operation.")
    created_from: Given[Moment] = Field(default=None, description="Created at this moment or later.")
    created_to: Given[Moment] = Field(default=None, description="Created before this moment.")
    tag: Given[str] = Field(default=None, description="Datasets with this tag.")
    sort: DatasetSort = DatasetSort.NEWEST
    page: int = Field(default=1, ge=1, le=LAST_PAGE)
    per_page: int = Field(default=20, ge=1, le=100)


class TeardownQuery(BaseModel):
    """How a dataset is torn down."""

    reason: TeardownReason = TeardownReason.MANUAL
    archive: bool = Field(default=True, description="Keep an archive of the dataset.")


class UsageQuery(BaseModel):
    """The days of which usage is shown."""

    from_: Given[Moment] = Field(default=None, alias="from", description="The first day shown.")
    to: Given[Moment] = Field(default=None, description="Days that begin before this moment.")


def _at_least_one(dataset_types: list[str]) -> list[str]:
    if not dataset_types:
        raise ValueError("Must provide at least one dataset type")
    return dataset_types


Tags = Annotated[list[Tag], Field(max_length=_MOST_TAGS)]
CustomFields = dict[str, Any]


class NewMetadata(RequestModel):
    """What the requester says about the datasets."""

    requested_by: Annotated[StrictStr, StringConstraints(max_length=256)] | None = None
    reason: Annotated[StrictStr, StringConstraints(max_length=1000)] | None = None
    tags: Tags = Field(default=[])
    custom_fields: CustomFields = Field(
        default={},
        description="Free; `client_name`, `industry`, `use_case` and `company_size` steer names and templates.",
    )


def _within_limit(metadata: NewMetadata) -> NewMetadata:
    if size(metadata.model_dump()) > LIMIT_BYTES:
        raise ValueError(TOO_LARGE)
    return metadata


class Generation(RequestModel):
    """How records are generated."""

    record_count: Annotated[StrictInt, Field(ge=20), Whole] | None = Field(
        default=None, description="Records per dataset; absent: the template's count for the stage."
    )
    seed: Annotated[StrictInt, Field(ge=0, lt=SEEDS), Whole] | None = Field(
        default=None, description="Absent: it follows from customer, stage and type."
    )
    locale: Annotated[StrictStr, Field(json_schema_extra={"enum": list(known_locales())})] | None = Field(
        default=None,
        description="Of the customer's company: what its people and customers are called. The first dataset settles "
        "it; absent there: `en_US`.",
    )


class NewDatasets(RequestModel):
    """A request for datasets."""

    journey_id: UUID
    client_id: UUID
    stage: Stage
    dataset_types: Annotated[
        list[Annotated[StrictStr, Field(json_schema_extra={"enum": list(DATASET_TYPES)})]],
        AfterValidator(_at_least_one),
        Field(json_schema_extra={"minItems": 1, "uniqueItems": True}),
    ]
    template_selection: Literal["auto", "manual"] = "auto"
    template_overrides: dict[str, UUID] = Field(
        default={},
        description="Dataset type → template_id.",
        json_schema_extra={"propertyNames": {"enum": list(DATASET_TYPES)}},
    )
    metadata: Annotated[NewMetadata, AfterValidator(_within_limit)] = NewMetadata()
    generation: Generation = Generation()


class TeardownBody(RequestModel):
    """How a dataset is torn down."""

    reason: TeardownReason = TeardownReason.MANUAL
    archive: StrictBool = True


# --- answers ----------------------------------------------------------------------------------------------------------


class DatasetConnector(AnswerModel):
    """A dataset's connector, in short."""

    connector_id: UUID
    name: str
    status: ConnectorStatus
    endpoint_url: str


class DatasetTemplate(AnswerModel):
    """The template that a dataset was made from."""

    template_id: UUID
    name: str
    version: int


class DatasetError(AnswerModel):
    """Why a dataset failed."""

    code: str
    message: str


class DatasetLinks(AnswerModel):
    """What can be asked about a dataset; ``teardown`` by POST, unless it is archived and no archive is kept;
    ``connector`` once there is one, ``records`` and ``ground_truth`` of a ready dataset; ``restore`` by POST, of an
    archived one whose archive is kept.
    """

    self_: str = Field(alias="self")
    quality: str
    usage: str
    teardown: str | None
    connector: str | None
    records: str | None
    ground_truth: str | None
    restore: str | None


class Dataset(AnswerModel):
    """A dataset: one type of content for one stage of a customer's journey."""

    dataset_id: UUID
    name: str
    dataset_type: str
    stage: Stage
    client_id: UUID
    journey_id: UUID
    status: DatasetStatus
    created_at: datetime
    ready_at: datetime | None
    archived_at: datetime | None
    data_source: Literal["mock_template"]
    record_count: int | None
    size_bytes: int | None
    quality_score: float | None
    connector: DatasetConnector | None
    template: DatasetTemplate
    metadata: dict[str, Any]
    updated_at: datetime
    operation_id: UUID
    active_operation_id: UUID | None
    seed: int
    error: DatasetError | None
    links: DatasetLinks = Field(alias="_links")


class DatasetList(AnswerModel):
    """A page of datasets."""

    datasets: list[Dataset]
    pagination: Pagination
    links: PageLinks = Field(alias="_links")


class AcceptedDataset(AnswerModel):
    """A dataset that was asked for."""

    dataset_id: UUID
    dataset_type: str
    status: DatasetStatus


class AcceptedLinks(AnswerModel):
    """Where to watch a provisioning."""

    status: str
    datasets: str


class ProvisioningAccepted(AnswerModel):
    """A provisioning was started."""

    operation_id: UUID
    status: Literal["provisioning"]
    message: str
    datasets: list[AcceptedDataset]
    estimated_completion: datetime
    links: AcceptedLinks = Field(alias="_links")


class StatusLink(AnswerModel):
    """Where to watch an operation."""

    status: str


class TeardownAccepted(AnswerModel):
    """A teardown was started, or goes on."""

    operation_id: UUID
    status: Literal["tearing_down"]
    message: str
    estimated_completion: datetime
    links: StatusLink = Field(alias="_links")


class RestoreAccepted(AnswerModel):
    """A restore was started."""

    operation_id: UUID
    status: Literal["restoring"]
    message: str
    estimated_completion: datetime
    links: StatusLink = Field(alias="_links")


class UsageDay(AnswerModel):
    """What was served on one day (UTC)."""

    date: date
    queries: int
    documents: int


class UsageLinks(AnswerModel):
    """Whose usage this is."""

    self_: str = Field(alias="self")
    dataset: str


class Usage(AnswerModel):
    """What a dataset's connector served and what the dataset takes up."""

    dataset_id: UUID
    queries_total: int
    documents_served: int
    last_accessed_at: datetime | None
    storage_bytes: int
    index_bytes: int
    daily: list[UsageDay]
    links: UsageLinks = Field(alias="_links")
