"""What a template is. A template is data: it names what a dataset of its type says, how much of it, and how well kept.

Belongs here: the model that every catalog file must satisfy. Does not belong here: reading files (``loader.py``),
choosing among templates (``recommendation.py``), turning a template into records (``dataset_types/``).

One YAML file holds one template. What all templates of an industry share, its vocabulary, is a file of its own under
``catalog/industries/<industry>.yaml`` (:class:`IndustryVocabulary`), so that a template holds only what is its own.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dataops_core.lifecycle import Industry, Stage

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
Words = Annotated[str, StringConstraints(min_length=2, max_length=120, strip_whitespace=True)]


Month = Literal[
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
]  # fmt: skip
#: How much happens in months, in percent of an ordinary one; a month that is not named has 100.
Seasonality = dict[Month, Annotated[int, Field(ge=25, le=400)]]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordCounts(_Strict):
    """Records per stage, unless the request says otherwise."""

    sandbox: int = Field(ge=20, le=1_000_000)
    pilot: int = Field(ge=20, le=1_000_000)
    production: int = Field(ge=20, le=1_000_000)

    def of(self, stage: Stage) -> int:
        """The count of this stage."""
        return {Stage.SANDBOX: self.sandbox, Stage.PILOT: self.pilot, Stage.PRODUCTION: self.production}[stage]


class DefectShares(_Strict):
    """Shares of records that are wrong on purpose; each is met exactly, rounded down to whole records."""

    #: Records that repeat another one, with small edits.
    near_duplicates: float = Field(default=0, ge=0, le=0.05)
    #: Older versions of records that are still there.
    stale_versions: float = Field(default=0, ge=0, le=0.05)
    #: Records that state another value of a fact than another record does.
    conflicting_facts: float = Field(default=0, ge=0, le=0.05)
    #: Records that stand where what they are about does not belong.
    misfiled: float = Field(default=0, ge=0, le=0.05)


class Topic(_Strict):
    """A subject that the company writes about, with the words that belong to it.

    Nouns are countable noun phrases in the singular without an article ("settlement batch"), verbs are transitive in
    the third person singular ("reconciles"), adjectives stand before such a noun or after "is" ("idempotent"), metrics
    are singular noun phrases that can rise or fall ("authorization latency"), practices are gerund phrases ("rotating
    signing keys").
    """

    key: Slug
    title: Words
    weight: int = Field(default=1, ge=1, le=100)
    nouns: tuple[Words, ...] = Field(min_length=8)
    verbs: tuple[Words, ...] = Field(min_length=6)
    adjectives: tuple[Words, ...] = Field(min_length=6)
    metrics: tuple[Words, ...] = Field(min_length=4)
    practices: tuple[Words, ...] = Field(min_length=4)


class IndustryVocabulary(_Strict):
    """What every company of an industry talks about, whatever the topic.

    ``products`` and ``systems`` name what it sells and runs (like a topic's nouns), ``stakeholders`` who is affected
    (plural: "card issuers"), ``regulations`` what it must obey (singular, with the article that it has in a sentence:
    "the Bank Secrecy Act", "HIPAA"), ``risks`` what can go wrong (uncountable: "account takeover"), ``goals`` what it
    wants (infinitive phrases without "to": "shorten onboarding"). ``seasonality`` says when it is busy.
    """

    industry: Industry
    products: tuple[Words, ...] = Field(min_length=8)
    systems: tuple[Words, ...] = Field(min_length=8)
    stakeholders: tuple[Words, ...] = Field(min_length=6)
    regulations: tuple[Words, ...] = Field(min_length=4)
    risks: tuple[Words, ...] = Field(min_length=6)
    goals: tuple[Words, ...] = Field(min_length=6)
    seasonality: Seasonality = {}


class Template(_Strict):
    """A template, complete and validated."""

    template_id: UUID
    version: int = Field(ge=1)
    name: Words
    dataset_type: Slug
    industry: Industry
    use_case: Slug
    description: Annotated[str, StringConstraints(min_length=10, max_length=300)]
    record_counts: RecordCounts
    #: Mean size of a record's stored text, in bytes; with the sandbox's count it gives ``estimated_size_mb``.
    bytes_per_record: int = Field(ge=200, le=1_000_000)
    #: Share of records that lack a field which may be empty; met exactly, rounded down to whole records.
    incomplete_share: float = Field(default=0.02, ge=0, lt=0.05)
    #: Shares of records with defects of other kinds; the dataset type says which kinds it knows.
    defects: DefectShares = DefectShares()
    #: Kinds of documents with their weights; the dataset type says which kinds it knows.
    archetypes: dict[Slug, int] = Field(min_length=1)
    #: When much is written, where that differs from the industry's; empty: as in the industry.
    seasonality: Seasonality = {}
    #: Labels (Confluence) or topics (GitHub) that records carry: lower case, hyphens.
    labels: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,49}$")], ...] = Field(min_length=6)
    topics: tuple[Topic, ...] = Field(min_length=3)

    @property
    def default_record_count(self) -> int:
        """Records of a sandbox."""
        return self.record_counts.sandbox

    @property
    def estimated_size_mb(self) -> int:
        """Size of a sandbox in MiB, at least 1."""
        return max(1, round(self.record_counts.sandbox * self.bytes_per_record / 2**20))
