"""Which template suits a customer best, how surely, and why. Pure: the same catalog and question, the same answer.

Belongs here: ranking the templates of one type. Does not belong here: where industry and use case come from (the
request, the customer's datasets). Source: ``docs/contract.md`` C-41, C-71; ``docs/templates.md`` tells it to users.
"""

import functools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dataops_core.errors import InvalidRequestError
from dataops_core.lifecycle import CompanySize, Industry, Stage
from dataops_core.templates.loader import Catalog
from dataops_core.templates.model import Template

EXACT = "Exact match on industry and use_case"
EXACT_CONFIDENCE = 0.95
_NO_TEMPLATE = "There is no template for this type"
MOST_ALTERNATIVES = 3

#: A text at least this close to a template is about the same thing; below, the ranking says so.
_CLOSE = 0.25
#: More of a text than this adds nothing but time.
_MOST_WORDS = 48
_MOST_CHARACTERS = 8192
#: Where the use case is not known: what most companies begin with.
_GENERAL_USE_CASES = ("knowledge_management", "developer_productivity")

#: Words that people use for a use case and that its name and topics may lack.
_SYNONYMS: Mapping[str, str] = {
    "developer_productivity": (
        "engineering engineer software coding programmer devops velocity build deployment delivery release testing "
        "dx ci cd sdk code review platform"
    ),
    "knowledge_management": (
        "wiki documentation docs handbook intranet information search find share sharing learning expertise "
        "collaboration onboarding employee training"
    ),
    "customer_support": (
        "service helpdesk care ticket agent contact center complaint customer question return refund chat"
    ),
    "it_operations": (
        "infrastructure ops sysadmin sre reliability incident outage runbook monitoring network server cloud "
        "administrator uptime"
    ),
    "compliance": (
        "regulation regulatory audit auditor risk governance privacy legal policy control law security gdpr"
    ),
    "sales_enablement": (
        "selling sell revenue marketing deal proposal pipeline pitch merchandising account seller quota"
    ),
}
_STOPWORDS = frozenset(
    re.findall(
        r"\w+",
        "a all an and are as at be better by can companies company do faster focused for from get good have help how i "
        "improve in is it its keep make mock more my need new of on or our pages repositories so team than that the "
        "their them they things this to us want we what where which who with you your",
    )
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A template with how well it suits (0 … 1) and the reason in one sentence."""

    template: Template
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True)
class Recommendation(Candidate):
    """The best candidate and up to three others, best first."""

    alternatives: tuple[Candidate, ...]


def recommend(
    catalog: Catalog,
    *,
    dataset_type: str,
    industry: Industry | None,
    use_case: str | None,
    company_size: CompanySize | None,
    stage: Stage,
) -> Recommendation:
    """The template of ``dataset_type`` that suits best; ``use_case`` is a slug or any text.

    The industry counts more than the use case; where neither is known, the industry is enterprise. Among equals, a
    small company gets the smaller dataset of the stage and a large one the larger. Raises InvalidRequestError where
    the catalog has no template of the type.
    """
    templates = catalog.for_type(dataset_type)
    if not templates:
        raise InvalidRequestError("Request validation failed", details={"dataset_types": _NO_TEMPLATE})
    asked = _slug(use_case or "")
    closeness = _closeness(use_case or "", templates) if asked else [0.0] * len(templates)
    ranked = []
    for position, (template, near) in enumerate(zip(templates, closeness, strict=True)):
        candidate = _candidate(template, industry=industry, asked=asked, near=near)
        tie_break = (
            0 if near >= _CLOSE else _generality(template),
            template.industry is not Industry.ENTERPRISE,
            _size_rank(template.record_counts.of(stage), company_size),
            position,
        )
        ranked.append((-candidate.confidence, *tie_break, candidate))
    ranked.sort(key=lambda entry: entry[:-1])
    best, *others = (entry[-1] for entry in ranked)
    return Recommendation(best.template, best.confidence, best.reason, tuple(others[:MOST_ALTERNATIVES]))


def recommend_each(
    catalog: Catalog,
    *,
    dataset_types: Sequence[str],
    industry: Industry | None,
    use_case: str | None,
    company_size: CompanySize | None,
    stage: Stage,
) -> list[tuple[str, Recommendation]]:
    """The recommendation for each type, in order. Raises InvalidRequestError that names types without a template."""
    unknown = {
        f"dataset_types.{number}": _NO_TEMPLATE
        for number, dataset_type in enumerate(dataset_types)
        if not catalog.for_type(dataset_type)
    }
    if unknown:
        raise InvalidRequestError("Request validation failed", details=unknown)
    return [
        (
            dataset_type,
            recommend(
                catalog,
                dataset_type=dataset_type,
                industry=industry,
                use_case=use_case,
                company_size=company_size,
                stage=stage,
            ),
        )
        for dataset_type in dataset_types
    ]


def _candidate(template: Template, *, industry: Industry | None, asked: str, near: float) -> Candidate:
    """Confidence steps down from the exact match, so that an industry's own template always precedes another's."""
    exact = template.use_case == asked
    close = exact or near >= _CLOSE
    if industry is None:
        if not asked:
            if template.industry is Industry.ENTERPRISE:
                return Candidate(template, 0.3, "Neither industry nor use_case is known; industry enterprise assumed")
            return Candidate(template, 0.15, "Neither industry nor use_case is known")
        if exact:
            return Candidate(template, 0.7, "Exact match on use_case; the industry is not known")
        said = f"Nearest use_case is {template.use_case}" if close else "No template is close to the use_case"
        return Candidate(template, round(0.3 + 0.35 * near, 2), f"{said}; the industry is not known")
    if template.industry is industry:
        if exact:
            return Candidate(template, EXACT_CONFIDENCE, EXACT)
        if not asked:
            return Candidate(template, 0.6, "Match on industry; the use_case is not known")
        said = f"nearest use_case is {template.use_case}" if close else "no template is close to the use_case"
        return Candidate(template, round(0.45 + 0.45 * near, 2), f"Match on industry; {said}")
    elsewhere = f"from industry {template.industry}, not {industry}"
    if exact:
        return Candidate(template, 0.4, f"Exact match on use_case; {elsewhere}")
    if not asked:
        return Candidate(template, 0.15, f"The use_case is not known; {elsewhere}")
    said = f"Nearest use_case is {template.use_case}" if close else "No template is close to the use_case"
    return Candidate(template, round(0.1 + 0.25 * near, 2), f"{said}; {elsewhere}")


def _generality(template: Template) -> int:
    if template.use_case in _GENERAL_USE_CASES:
        return _GENERAL_USE_CASES.index(template.use_case)
    return len(_GENERAL_USE_CASES)


def _size_rank(record_count: int, company_size: CompanySize | None) -> int:
    match company_size:
        case None:
            return 0
        case CompanySize.STARTUP | CompanySize.SMALL:
            return record_count
        case CompanySize.MID_MARKET | CompanySize.ENTERPRISE:
            return -record_count


def _slug(text: str) -> str:
    """``Developer Productivity`` as ``developer_productivity``."""
    return "_".join(re.findall(r"[a-z0-9]+", text.casefold()))


def _closeness(text: str, templates: Iterable[Template]) -> list[float]:
    """How much of the text each template covers, 0 … 1. A word that few templates know tells them apart, so it counts
    more; one that none knows counts like one that all know.
    """
    words = list(dict.fromkeys(_words(text)))[:_MOST_WORDS]
    documents = [_document(template) for template in templates]
    covered = [0.0] * len(documents)
    total = 0.0
    for word in words:
        matches = [_match(word, document) for document in documents]
        knowing = sum(match > 0 for match in matches) or len(documents)
        rarity = math.log(1 + len(documents) / knowing)
        total += rarity
        covered = [sum_ + rarity * match for sum_, match in zip(covered, matches, strict=True)]
    return [part / total if total else 0.0 for part in covered]


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z0-9]+", text[:_MOST_CHARACTERS].casefold()) if word not in _STOPWORDS]


def _document(template: Template) -> dict[str, float]:
    """The template's words, each with the weight of the most telling place that it stands in."""
    places = (
        (1.0, template.use_case.replace("_", " ")),
        (0.9, _SYNONYMS.get(template.use_case, "")),
        (0.8, " ".join(topic.title for topic in template.topics)),
        (0.7, f"{template.name} {template.description} {' '.join(template.labels)}"),
        (0.4, " ".join(noun for topic in template.topics for noun in topic.nouns)),
    )
    weights: dict[str, float] = {}
    for weight, text in places:
        for word in _words(text):
            weights.setdefault(word, weight)
    return weights


def _match(word: str, document: Mapping[str, float]) -> float:
    if word in document:
        return document[word]
    grams = _trigrams(word)
    best = 0.0
    for known, weight in document.items():
        if weight <= best or known[0] != word[0]:
            continue  # what begins differently is another word; what weighs less cannot win
        other = _trigrams(known)
        alike = 2 * len(grams & other) / (len(grams) + len(other))
        if alike >= 0.5:
            best = max(best, alike * weight)
    return best


@functools.lru_cache(maxsize=8192)
def _trigrams(word: str) -> frozenset[str]:
    padded = f"^{word}"
    return frozenset(padded[index : index + 3] for index in range(max(1, len(padded) - 2)))
