"""The wire form of indexing: the part of Glean's Indexing API that the embedded connector speaks.

Belongs here: requests with every member that the published specification names, those included that this connector
takes and does not use. Does not belong here: rules that need the connector's state (``datasource.py``).
"""

# ruff: noqa: N815  the members are named by the wire form

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_ObjectType = Annotated[str, StringConstraints(pattern=r"^[^\s_]{1,100}$")]
_Category = Literal[
    "TICKETS",
    "CRM",
    "PUBLISHED_CONTENT",
    "COLLABORATIVE_CONTENT",
    "QUESTION_ANSWER",
    "MESSAGING",
    "CODE_REPOSITORY",
    "CHANGE_MANAGEMENT",
    "PEOPLE",
    "EMAIL",
    "SSO",
    "ATS",
    "KNOWLEDGE_HUB",
    "EXTERNAL_SHORTCUT",
    "ENTITY",
    "CALENDAR",
    "AGENTS",
    "AI_CONVERSATION",
    "AI_ARTIFACT",
]
#: The last second of the year 9999: later ones are milliseconds by mistake.
_Moment = Annotated[int, Field(ge=0, le=253_402_300_799)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PropertyDefinition(_Wire):
    """A property that documents may carry."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    displayLabel: str | None = None
    displayLabelPlural: str | None = None
    propertyType: Literal["TEXT", "DATE", "INT", "USERID", "PICKLIST", "TEXTLIST", "MULTIPICKLIST"] | None = None
    uiOptions: str | None = None
    hideUiFacet: bool | None = None
    uiFacetOrder: int | None = None
    skipIndexing: bool | None = None
    group: str | None = None


class ObjectDefinition(_Wire):
    """A type of documents; without a name it stands for all others."""

    name: _ObjectType | None = None
    displayLabel: str | None = None
    docCategory: _Category | Literal["UNCATEGORIZED"] | None = None
    propertyDefinitions: list[PropertyDefinition] | None = None
    propertyGroups: list[Any] | None = None
    summarizable: bool | None = None


class DatasourceConfig(_Wire):
    """The body of ``adddatasource``, and the answer of ``getdatasourceconfig``."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,100}$")]
    displayName: str | None = None
    datasourceCategory: _Category
    urlRegex: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    iconUrl: str | None = None
    objectDefinitions: list[ObjectDefinition] | None = None
    suggestionText: str | None = None
    homeUrl: str | None = None
    crawlerSeedUrls: list[str] | None = None
    iconDarkUrl: str | None = None
    hideBuiltInFacets: list[str] | None = None
    canonicalizingURLRegex: list[Any] | None = None
    canonicalizingTitleRegex: list[Any] | None = None
    redlistTitleRegex: str | None = None
    connectorType: str | None = None
    quicklinks: list[Any] | None = None
    renderConfigPreset: str | None = None
    aliases: list[str] | None = None
    isOnPrem: bool | None = None
    trustUrlRegexForViewActivity: bool | None = None
    includeUtmSource: bool | None = None
    stripFragmentInCanonicalUrl: bool | None = None
    identityDatasourceName: str | None = None
    productAccessGroup: str | None = None
    isUserReferencedByEmail: bool | None = None
    isEntityDatasource: bool | None = None
    isTestDatasource: bool | None = None


class DatasourceRequest(_Wire):
    """The body of ``getdatasourceconfig``."""

    datasource: str


class Content(_Wire):
    """A text. Binary content is not for this connector."""

    mimeType: str
    textContent: str | None = None
    binaryContent: str | None = None


class UserReference(_Wire):
    """Somebody, by mail address, name or the data source's own id."""

    email: str | None = None
    datasourceUserId: str | None = None
    name: str | None = None


class CustomProperty(_Wire):
    """A property's value: text, a number, or several texts."""

    name: Annotated[str, StringConstraints(min_length=1)]
    value: str | int | float | list[str]


class DocumentDefinition(_Wire):
    """A document. Permissions are taken and not used: who may search the connector may see all of it."""

    title: str | None = None
    filename: str | None = None
    container: str | None = None
    containerDatasourceId: str | None = None
    containerObjectType: _ObjectType | None = None
    datasource: str
    objectType: _ObjectType
    viewURL: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$", max_length=2048)]
    id: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\r\n]+$")]
    summary: Content | None = None
    body: Content | None = None
    author: UserReference | None = None
    owner: UserReference | None = None
    permissions: dict[str, Any] | None = None
    createdAt: _Moment | None = None
    updatedAt: _Moment | None = None
    updatedBy: UserReference | None = None
    tags: list[str] | None = None
    interactions: dict[str, Any] | None = None
    status: str | None = None
    additionalUrls: list[str] | None = None
    nativeAppUrl: str | None = None
    comments: list[Any] | None = None
    customProperties: list[CustomProperty] | None = None


_UploadId = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class BulkIndexRequest(_Wire):
    """The body of ``bulkindexdocuments``: one page of an upload that replaces everything."""

    uploadId: _UploadId
    isFirstPage: bool = False
    isLastPage: bool = False
    forceRestartUpload: bool = False
    disableStaleDocumentDeletionCheck: bool = False
    datasource: str
    documents: list[DocumentDefinition]


class IndexRequest(_Wire):
    """The body of ``indexdocuments``: documents to add or to change."""

    uploadId: _UploadId | None = None
    datasource: str
    documents: list[DocumentDefinition]


class DeleteRequest(_Wire):
    """The body of ``deletedocument``."""

    version: int | None = None
    datasource: str
    objectType: str
    id: str


class DebugDocument(_Wire):
    """A document whose state is asked for."""

    objectType: str
    docId: str


class DebugDocumentsRequest(_Wire):
    """The body of ``debug/{datasource}/documents``."""

    debugDocuments: Annotated[list[DebugDocument], Field(max_length=1000)]
