"""Answers about templates, built as plain objects (``docs/contract.md`` C-70, C-71)."""

from collections.abc import Sequence
from typing import Any

from dataops_api import links
from dataops_core.templates.model import Template
from dataops_core.templates.recommendation import Candidate, Recommendation


def template(found: Template) -> dict[str, Any]:
    """A template as lists show it."""
    return {
        "template_id": str(found.template_id),
        "name": found.name,
        "dataset_type": found.dataset_type,
        "industry": found.industry.value,
        "use_case": found.use_case,
        "description": found.description,
        "default_record_count": found.default_record_count,
        "estimated_size_mb": found.estimated_size_mb,
        "_links": {"self": links.template(found.template_id)},
    }


def detail(found: Template, *, fields: Sequence[dict[str, Any]], samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A template, whole."""
    return template(found) | {
        "version": found.version,
        "record_counts": found.record_counts.model_dump(),
        "defects": {"incomplete": found.incomplete_share} | found.defects.model_dump(),
        "topics": [{"key": topic.key, "title": topic.title, "weight": topic.weight} for topic in found.topics],
        "record_schema": list(fields),
        "sample_records": list(samples),
    }


def recommendation(dataset_type: str, found: Recommendation) -> dict[str, Any]:
    """What suits a customer best for one type, and what else might (C-71)."""
    return {
        "dataset_type": dataset_type,
        "recommended_template": _named(found.template),
        "confidence_score": found.confidence,
        "reason": found.reason,
        "alternatives": [_alternative(other) for other in found.alternatives],
    }


def _alternative(other: Candidate) -> dict[str, Any]:
    return {"template": _named(other.template), "confidence_score": other.confidence, "reason": other.reason}


def _named(found: Template) -> dict[str, str]:
    return {"template_id": str(found.template_id), "name": found.name}
