"""Templates: list, get, recommend (``docs/contract.md`` C-70, C-71)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.responses import JSONResponse, Response

from dataops_api import links
from dataops_api.dependencies import Service
from dataops_api.routing import Problem, Routes
from dataops_api.templates import answers
from dataops_api.templates.samples import record_fields
from dataops_api.templates.schemas import (
    RecommendationRequest,
    Recommendations,
    TemplateDetail,
    TemplateList,
    TemplateQuery,
)
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import NotFoundError
from dataops_core.scopes import Scope
from dataops_core.templates.recommendation import recommend_each

routes = Routes(links.TEMPLATES, tag="Templates")

_TEMPLATE_ID = "770e8400-e29b-41d4-a716-446655440002"
_EXAMPLE: dict[str, Any] = {
    "template_id": _TEMPLATE_ID,
    "name": "FinTech Developer Productivity - Confluence",
    "dataset_type": "confluence_pages",
    "industry": "fintech",
    "use_case": "developer_productivity",
    "description": "Mock Confluence pages for FinTech companies focused on developer productivity",
    "default_record_count": 500,
    "estimated_size_mb": 15,
    "_links": {"self": f"/v1/dataops/templates/{_TEMPLATE_ID}"},
}
_DETAIL_EXAMPLE = _EXAMPLE | {
    "version": 1,
    "record_counts": {"sandbox": 500, "pilot": 2000, "production": 10000},
    "defects": {
        "incomplete": 0.02,
        "near_duplicates": 0.01,
        "stale_versions": 0.01,
        "conflicting_facts": 0.005,
        "misfiled": 0.005,
    },
    "topics": [{"key": "release_engineering", "title": "Release engineering", "weight": 3}],
    "record_schema": [{"name": "title", "type": "string", "nullable": False}],
    "sample_records": [{"title": "How we roll a release back"}],
}


@routes.add(
    "GET",
    "",
    access=Scope.TEMPLATES_READ,
    summary="List templates",
    model=TemplateList,
    example={"templates": [_EXAMPLE], "total_count": 1},
)
async def list_templates(query: Annotated[TemplateQuery, Query()], parts: Service) -> Response:
    """Every template that matches, in one answer."""
    found = parts.catalog.find(industry=query.industry, use_case=query.use_case, dataset_type=query.dataset_type)
    return JSONResponse({"templates": [answers.template(template) for template in found], "total_count": len(found)})


_QUESTION = {
    "client_metadata": {
        "industry": "fintech",
        "use_case": "developer_productivity",
        "company_size": "mid_market",
    },
    "dataset_types": ["confluence_pages"],
    "stage": "sandbox",
}
_RECOMMENDED = {
    "recommendations": [
        {
            "dataset_type": "confluence_pages",
            "recommended_template": {
                "template_id": _TEMPLATE_ID,
                "name": "FinTech Developer Productivity - Confluence",
            },
            "confidence_score": 0.95,
            "reason": "Exact match on industry and use_case",
            "alternatives": [
                {
                    "template": {
                        "template_id": "770e8400-e29b-41d4-a716-446655440003",
                        "name": "FinTech Compliance - Confluence",
                    },
                    "confidence_score": 0.45,
                    "reason": "Match on industry; no template is close to the use_case",
                }
            ],
        }
    ]
}


@routes.add(
    "POST",
    "/recommend",
    access=Scope.TEMPLATES_READ,
    summary="Recommend templates",
    model=Recommendations,
    example=_RECOMMENDED,
    body_example=_QUESTION,
    problems=[
        Problem(
            "INVALID_REQUEST",
            "Request validation failed",
            {"dataset_types.0": "There is no template for this type"},
        )
    ],
)
def recommend_templates(body: RecommendationRequest, parts: Service) -> Response:
    """Which template of each type suits the customer best, how surely and why; `auto` takes the same one."""
    known = body.client_metadata
    found = recommend_each(
        parts.catalog,
        dataset_types=body.dataset_types,
        industry=known.industry,
        use_case=known.use_case,
        company_size=known.company_size,
        stage=body.stage,
    )
    return JSONResponse({"recommendations": [answers.recommendation(kind, best) for kind, best in found]})


@routes.add(
    "GET",
    "/{template_id}",
    access=Scope.TEMPLATES_READ,
    summary="Get a template",
    model=TemplateDetail,
    example=_DETAIL_EXAMPLE,
    problems=[Problem("NOT_FOUND", "Template not found", {"template_id": _TEMPLATE_ID})],
)
def get_template(template_id: UUID, parts: Service) -> Response:
    """A template, whole, with a few of the records that it makes."""
    found = parts.catalog.get(template_id)
    if found is None:
        raise NotFoundError("Template not found", details={"template_id": str(template_id)})
    return JSONResponse(
        answers.detail(found, fields=record_fields(DATASET_TYPES[found.dataset_type]), samples=parts.samples.of(found))
    )
