"""What a dataset type declares. A package per type implements it (``known.py``); all else works through this.

A type says what its records look like (columns, pandera schema, which fields completeness counts), builds any range
of them as a pure function of the specification, and says how a record becomes a document of a search connector. The
ten sample queries are drawn from the records by ``quality/query_drawing.py``, by what the type declares.

pandas and pandera take 0.4 s to load, a tenth of a provisioning: they are loaded by the schema, when it is asked for.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from dataops_core.company.model import Company, Hosts
from dataops_core.generation import calendar
from dataops_core.generation.seeding import I64
from dataops_core.lifecycle import Stage
from dataops_core.templates.model import IndustryVocabulary, Template

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

#: Rows of a Parquet row group and of one call of a builder: part of a dataset's identity, never of the execution plan.
BLOCK_ROWS = 512


@dataclass(frozen=True, slots=True)
class GenerationSpec:
    """All that records follow from. Two equal specifications give the same bytes, on every rerun."""

    template: Template
    vocabulary: IndustryVocabulary
    company: Company
    stage: Stage
    seed: int
    record_count: int

    @property
    def weeks(self) -> I64:
        """Weeks of the window, each as often as something is made in it, by the template's or the industry's season."""
        return calendar.weeks(tuple((self.template.seasonality or self.vocabulary.seasonality).items()))


@dataclass(frozen=True, slots=True)
class FieldRule:
    """A field that completeness counts. Rows in which it does not apply leave it out."""

    column: str
    #: From the whole frame to a boolean per row, or None: the field applies to every record.
    applies: "Callable[[pd.DataFrame], pd.Series[bool]] | None" = None


@dataclass(frozen=True, slots=True)
class Document:
    """A record as a search connector takes it. Times are epoch seconds. ``properties`` are the facets."""

    id: str
    title: str
    body: str
    mime_type: str
    view_url: str
    author_email: str | None
    author_name: str | None
    owner_email: str | None
    owner_name: str | None
    container: str
    created_at: int
    updated_at: int
    status: str | None
    properties: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planted:
    """A defect that a record has on purpose. ``related`` is the row of the other record that has a part in it.

    ``detail`` says what is wrong, by kind: ``{"field": …}`` of an incomplete record, ``{"fact": …, "value": …,
    "related_value": …}`` of a conflicting one, ``{"place": …, "right_place": …}`` of a misfiled one.
    """

    row: int
    kind: str
    related: int | None
    detail: Mapping[str, str]


class RecordBuilder(Protocol):
    """Builds rows of one dataset. Stateless after construction: any range, any order, any thread."""

    schema: pa.Schema

    def planted(self) -> Iterator[Planted]:
        """All defects that the dataset has on purpose: the records that lack a field first."""
        ...

    def rows(self, start: int, stop: int) -> pa.RecordBatch:
        """Rows ``start`` (inclusive) to ``stop`` (exclusive)."""
        ...


class DatasetType(Protocol):
    """One type of content."""

    #: ``confluence_pages``: the API's name.
    name: str
    #: ``Confluence``: the last part of a dataset's name (C-34).
    label: str
    #: Glean's objectType: no spaces, no underscore.
    object_type: str
    #: Glean's datasourceCategory.
    category: str
    #: Facets that documents carry in ``properties``, and the one that the filter query uses.
    facets: tuple[str, ...]
    filter_facet: str
    #: The fields that completeness counts.
    completeness: tuple[FieldRule, ...]
    #: The stored column that holds the id of a record's document, as text or number.
    id_column: str
    #: The stored column that holds a record's creation time (RFC 3339 text): what plots over time show.
    created_column: str
    #: The stored column that names who a record is from, or the field of such in a column of lists: ``owners.name``.
    author_column: str
    #: Archetypes that the builder knows; a template may weigh only these.
    archetypes: frozenset[str]
    #: Fields of a template's ``defects`` that make sense for the type.
    defects: frozenset[str]
    #: Whether records are made by a template's season. Not where the company numbers them as they are made, since other
    #: datasets cite the numbers that there were on a day.
    seasonal: bool

    @property
    def schema(self) -> "DataFrameSchema":
        """The record's strict schema, on flat columns named by the dotted path of the vendor's field.

        Side columns begin with an underscore, hold no dot (``_links.webui`` is the vendor's), and are no part of the
        record: ``_view_url``. It stands in a module of its own, imported here at first use: that loads pandera.
        """
        ...

    def builder(self, spec: GenerationSpec) -> RecordBuilder:
        """A builder for the specification."""
        ...

    def url_pattern(self, hosts: Hosts) -> str:
        """A regular expression that every document's view_url matches, and no other site's."""
        ...

    def document(self, row: Mapping[str, Any]) -> Document:
        """The row of the stored frame as a search document."""
        ...

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row in the vendor's shape (``unflatten`` of its columns)."""
        ...

    def frame(self, table: pa.Table, *, text: bool = False) -> "pd.DataFrame":
        """The stored table as the frame that ``schema`` describes.

        With ``text`` it has ``_text``, what is searched, plain: a type that stores markup alone derives it only then.
        """
        ...
