"""The recommendation (C-71, and C-41 where a request leaves the choice to it)."""

import itertools
from uuid import UUID

import pytest

from dataops_core.errors import InvalidRequestError
from dataops_core.lifecycle import CompanySize, Industry, Stage
from dataops_core.templates.loader import Catalog, load_catalog
from dataops_core.templates.model import Template
from dataops_core.templates.recommendation import EXACT, EXACT_CONFIDENCE, Recommendation, recommend

CATALOG = load_catalog()
PAGES, REPOS = "confluence_pages", "github_repos"


def asked(
    dataset_type: str,
    industry: str | None = None,
    use_case: str | None = None,
    company_size: str | None = None,
    *,
    stage: Stage = Stage.SANDBOX,
    catalog: Catalog = CATALOG,
) -> Recommendation:
    return recommend(
        catalog,
        dataset_type=dataset_type,
        industry=Industry(industry) if industry else None,
        use_case=use_case,
        company_size=CompanySize(company_size) if company_size else None,
        stage=stage,
    )


def with_copy(template: Template, **changes: object) -> Catalog:
    copy = template.model_copy(update={"template_id": UUID(int=7), "name": "A copy", **changes})
    return Catalog((*CATALOG.templates, copy), CATALOG.vocabularies)


def test_the_references_question_gets_the_references_answer() -> None:
    """C-71."""
    pages = asked(PAGES, "fintech", "developer_productivity", "mid_market")
    assert str(pages.template.template_id) == "770e8400-e29b-41d4-a716-446655440002"
    assert pages.confidence == 0.95
    assert pages.reason == "Exact match on industry and use_case"
    assert (
        asked(REPOS, "fintech", "developer_productivity", "mid_market").reason == "Exact match on industry and use_case"
    )


@pytest.mark.parametrize("template", CATALOG.templates, ids=lambda template: template.name)
def test_every_template_is_what_its_own_industry_and_use_case_give(template: Template) -> None:
    """C-71."""
    for size in (None, *CompanySize):
        found = asked(template.dataset_type, template.industry, template.use_case, size)
        assert (found.template, found.confidence, found.reason) == (template, EXACT_CONFIDENCE, EXACT)


@pytest.mark.parametrize("text", ["Developer Productivity", "developer-productivity", " DEVELOPER  productivity "])
def test_the_use_cases_name_is_known_however_it_is_written(text: str) -> None:
    assert asked(PAGES, "fintech", text).reason == EXACT


@pytest.mark.parametrize(
    ("dataset_type", "industry", "use_case", "name"),
    [
        (PAGES, "fintech", "ship software faster", "FinTech Developer Productivity - Confluence"),
        (PAGES, "fintech", "help our engineers deploy code", "FinTech Developer Productivity - Confluence"),
        (PAGES, "fintech", "anti-money laundering and audits", "FinTech Compliance - Confluence"),
        (PAGES, "healthcare", "preparing for a HIPAA audit", "Healthcare Compliance - Confluence"),
        (PAGES, "healthcare", "a wiki for nurses", "Healthcare Knowledge Management - Confluence"),
        (PAGES, "enterprise", "let employees find documentation", "Enterprise Knowledge Management - Confluence"),
        (PAGES, "enterprise", "fewer outages on our servers", "Enterprise IT Operations - Confluence"),
        (PAGES, "enterprise", "closing deals", "Enterprise Sales Enablement - Confluence"),
        (PAGES, "manufacturing", "plant network and controllers", "Manufacturing IT Operations - Confluence"),
        (PAGES, "retail", "handling complaints and returns", "Retail Customer Support - Confluence"),
        (REPOS, "retail", "support ticket automation", "Retail Customer Support - GitHub"),
        (REPOS, "fintech", "sanctions screening", "FinTech Compliance - GitHub"),
        (PAGES, None, "regulatory audits for banks and money laundering", "FinTech Compliance - Confluence"),
        (PAGES, None, "shop customers who return parcels", "Retail Customer Support - Confluence"),
    ],
)
def test_a_use_case_in_free_text_is_understood(
    dataset_type: str, industry: str | None, use_case: str, name: str
) -> None:
    """C-71."""
    found = asked(dataset_type, industry, use_case)
    assert found.template.name == name
    assert found.template.use_case in found.reason
    assert 0.3 < found.confidence < EXACT_CONFIDENCE


def test_confidence_falls_with_the_distance() -> None:
    """C-71."""
    confidences = [
        asked(PAGES, "enterprise", "it_operations").confidence,
        asked(PAGES, "enterprise", "incidents and outages").confidence,
        asked(PAGES, "enterprise", "incidents of whales and dolphins seen at sea").confidence,
        asked(PAGES, "enterprise", "xyzzy").confidence,
        asked(PAGES).confidence,
    ]
    assert confidences == sorted(set(confidences), reverse=True)


def test_the_industry_counts_more_than_the_use_case() -> None:
    found = asked(PAGES, "healthcare", "customer_support")
    assert found.template.industry is Industry.HEALTHCARE
    assert found.reason == "Match on industry; no template is close to the use_case"
    assert "Retail Customer Support - Confluence" in [other.template.name for other in found.alternatives]


def test_an_industry_without_a_template_gets_anothers_with_its_use_case() -> None:
    retail_only = Catalog(CATALOG.find(industry="retail"), CATALOG.vocabularies)
    found = asked(PAGES, "healthcare", "customer_support", catalog=retail_only)
    assert found.template.name == "Retail Customer Support - Confluence"
    assert found.reason == "Exact match on use_case; from industry retail, not healthcare"
    assert found.confidence == 0.4


@pytest.mark.parametrize(
    ("dataset_type", "name"),
    [(PAGES, "Enterprise Knowledge Management - Confluence"), (REPOS, "Enterprise Developer Productivity - GitHub")],
)
@pytest.mark.parametrize("use_case", [None, "", "  ", "???"])
def test_nothing_known_means_industry_enterprise(dataset_type: str, name: str, use_case: str | None) -> None:
    """C-41."""
    found = asked(dataset_type, None, use_case)
    assert found.template.name == name
    assert found.reason == "Neither industry nor use_case is known; industry enterprise assumed"


def test_a_known_industry_alone_gives_one_of_its_templates() -> None:
    found = asked(PAGES, "manufacturing")
    assert found.template.name == "Manufacturing Knowledge Management - Confluence"
    assert found.reason == "Match on industry; the use_case is not known"


def test_among_equals_a_small_company_gets_the_smaller_dataset_of_its_stage() -> None:
    shipped = CATALOG.find(industry="retail", use_case="customer_support", dataset_type=PAGES)[0]
    counts = shipped.record_counts.model_copy(update={"sandbox": 40, "production": 90_000})
    catalog = with_copy(shipped, record_counts=counts)

    def chosen(size: str, stage: Stage) -> str:
        return asked(PAGES, "retail", "customer_support", size, stage=stage, catalog=catalog).template.name

    assert chosen("startup", Stage.SANDBOX) == chosen("small", Stage.SANDBOX) == "A copy"
    assert chosen("mid_market", Stage.SANDBOX) == chosen("enterprise", Stage.SANDBOX) == shipped.name
    assert chosen("startup", Stage.PRODUCTION) == shipped.name
    assert chosen("enterprise", Stage.PRODUCTION) == "A copy"


def test_a_users_template_with_a_use_case_of_its_own_is_found_by_its_words() -> None:
    catalog = with_copy(
        CATALOG.find(industry="retail", dataset_type=PAGES)[0],
        use_case="veterinary_care",
        description="Mock pages of an animal hospital",
    )
    assert asked(PAGES, "retail", "veterinary_care", catalog=catalog).reason == EXACT
    assert asked(PAGES, "retail", "an animal clinic with veterinarians", catalog=catalog).template.name == "A copy"


def test_alternatives_are_up_to_three_others_of_the_type_best_first() -> None:
    """C-71."""
    for dataset_type, industry, use_case in itertools.product(
        (PAGES, REPOS), (None, *Industry), (None, "compliance", "find answers faster", "xyzzy")
    ):
        found = asked(dataset_type, industry, use_case)
        ranked = [found, *found.alternatives]
        assert len(found.alternatives) == 3
        assert len({candidate.template.template_id for candidate in ranked}) == 4
        assert {candidate.template.dataset_type for candidate in ranked} == {dataset_type}
        confidences = [candidate.confidence for candidate in ranked]
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 < confidence <= EXACT_CONFIDENCE for confidence in confidences)


def test_a_type_with_one_template_has_no_alternatives() -> None:
    catalog = Catalog(CATALOG.find(dataset_type=REPOS, industry="retail")[:1], CATALOG.vocabularies)
    assert asked(REPOS, "retail", catalog=catalog).alternatives == ()


def test_a_type_without_any_template_is_the_requests_fault() -> None:
    """C-71: 400."""
    with pytest.raises(InvalidRequestError) as caught:
        asked("carrier_pigeons", "retail")
    assert caught.value.details == {"dataset_types": "There is no template for this type"}


def test_the_same_question_has_the_same_answer_and_endless_text_does_no_harm() -> None:
    text = "customer support " * 50_000 + "z" * 500_000
    assert asked(PAGES, "retail", text) == asked(PAGES, "retail", text)
    assert asked(PAGES, "retail", text).template.use_case == "customer_support"
    assert asked(PAGES, "retail", "客户支持 🛒 \ud800").template.industry is Industry.RETAIL
