"""Answers about templates, built as plain objects (``docs/contract.md`` C-70)."""

from collections.abc import Sequence
from typing import Any

from dataops_api import links
from dataops_core.templates.model import Template


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
        "topics": [{"key": topic.key, "title": topic.title, "weight": topic.weight} for topic in found.topics],
        "record_schema": list(fields),
        "sample_records": list(samples),
    }
