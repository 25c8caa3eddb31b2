"""The shipped catalog: complete, grammatical, and with ids that never change (C-70)."""

import re
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest

from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import Industry, Stage
from dataops_core.templates.loader import SHIPPED_DIR, load_catalog
from dataops_core.templates.model import DefectShares, Template

CATALOG = load_catalog()

#: Clients keep these ids: a line may be added here, never changed.
RELEASED = {
    "103ee94e-d581-4e76-9562-7406a68986e1": "FinTech Compliance - Confluence",
    "770e8400-e29b-41d4-a716-446655440002": "FinTech Developer Productivity - Confluence",
    "c0f55fd4-6407-4201-a634-5fd5be153967": "Healthcare Compliance - Confluence",
    "3487f014-b540-4143-9751-d8942b33de60": "Healthcare Knowledge Management - Confluence",
    "97cc7e31-459c-4580-af23-3efce2ce261e": "Enterprise IT Operations - Confluence",
    "ffc57762-2d41-4fc9-a734-9b65d643bec3": "Enterprise Knowledge Management - Confluence",
    "53638001-7e68-4142-9555-52dcfeaa96cb": "Enterprise Sales Enablement - Confluence",
    "54c782ee-4392-4a52-8ead-f79a46c7ccab": "Manufacturing IT Operations - Confluence",
    "b5871dcf-e83c-4bac-bea2-b26a97ff9aad": "Manufacturing Knowledge Management - Confluence",
    "1de9a101-b139-4557-b24d-071757e2d76e": "Retail Customer Support - Confluence",
    "d01b5eb0-963d-4bc3-891e-c36c9f5d5361": "Retail Sales Enablement - Confluence",
    "16ea06f7-ad67-4dfe-bf4d-472509bc6ca5": "FinTech Compliance - GitHub",
    "66cb0701-1b90-4432-baaa-30d2b26c350d": "FinTech Developer Productivity - GitHub",
    "7ba32e17-bd02-4a9d-936d-152353248aa7": "Healthcare Compliance - GitHub",
    "9e12aad2-99fb-46ee-be9b-da1699da43db": "Healthcare Developer Productivity - GitHub",
    "3e67dd3d-b205-4cfb-9fbb-f1891c62d39c": "Enterprise Developer Productivity - GitHub",
    "d5f1a0d2-fac8-4b0f-8f90-c03b1f3accd6": "Enterprise IT Operations - GitHub",
    "192c6555-62a2-46d4-a048-f06f8ca7bc7f": "Manufacturing Developer Productivity - GitHub",
    "7e81e9ab-564d-45f7-bbfc-9c6b4d007049": "Manufacturing IT Operations - GitHub",
    "fa77d4d4-8921-4bea-a20f-705eecdf6141": "Retail Customer Support - GitHub",
    "64ed51ce-4e43-4028-9b91-814b04285a6b": "Retail Developer Productivity - GitHub",
    "7768ba78-791f-4a35-b152-d6f9e121ac31": "FinTech Developer Productivity - Slack",
    "a258167d-af36-4f03-9b16-db88994944ce": "FinTech Customer Support - Slack",
    "b26917ab-4738-4504-bd32-823cb0ac4e26": "Healthcare IT Operations - Slack",
    "6ae419fd-fa4e-4f78-b518-6e970e8f296c": "Enterprise IT Operations - Slack",
    "0c801cac-2eb7-4bd4-858c-0e5125a3b23b": "Enterprise Knowledge Management - Slack",
    "187715c3-7e50-4ffb-a2b0-c0a7ad220ace": "Manufacturing IT Operations - Slack",
    "d3ff43b2-347e-4302-aab4-ff8bbe288b8a": "Retail Customer Support - Slack",
    "de796734-bae7-417d-b56f-2a58fbde8af9": "FinTech Sales Enablement - Drive",
    "4136af31-5bad-4c54-8977-d85c02c2ea2c": "Healthcare Knowledge Management - Drive",
    "258fb374-f04a-4552-8832-92ba4f0239e5": "Enterprise Knowledge Management - Drive",
    "663b2cad-b6b4-4163-a850-3a34736888e5": "Manufacturing Knowledge Management - Drive",
    "ad712001-1046-44b3-8b33-726260e5d87e": "Retail Sales Enablement - Drive",
    "b2ceff55-35cd-48a5-a9ab-3346cafd5e97": "FinTech Compliance - SharePoint",
    "410f6ab9-bbb4-4d2c-8306-822739f85be4": "Healthcare Compliance - SharePoint",
    "c465e98a-31ff-491e-a3f2-0d2573e58b91": "Enterprise Compliance - SharePoint",
    "cf0e0ab7-c71f-4c9d-8c61-3d8613c25872": "Enterprise Knowledge Management - SharePoint",
    "bf1b1de6-a4f5-4bdb-bb19-4886c164ddb3": "Manufacturing Compliance - SharePoint",
    "6a594d7a-0c60-43fc-96d1-10914e111075": "Retail Customer Support - SharePoint",
    "2f6a1c0e-8d5b-4a37-9e61-0b7c4f1d8a21": "FinTech Developer Productivity - Jira",
    "5b9d3e74-1c2f-4e86-b0a8-7d41f6c2e953": "Healthcare IT Operations - Jira",
    "8c14a9d2-6f3b-4b57-8e0c-39d5b7a1c640": "Enterprise IT Operations - Jira",
    "a7e05f38-42c9-4d1b-9f76-c8b2e13d5f04": "Manufacturing Developer Productivity - Jira",
    "d30b6e95-7a48-4c2d-8b13-52f9e0a47c8e": "Retail Developer Productivity - Jira",
    "6c8f2b17-3e5d-4f90-a1c4-9b7e0d52f386": "FinTech Customer Support - Zendesk",
    "19d47a60-b8e2-4c35-8f0d-e6a3c71b9d54": "Healthcare Customer Support - Zendesk",
    "e4b1c896-05fa-4d27-9c3b-7f60a8d21e35": "Enterprise Customer Support - Zendesk",
    "b57e93d1-6a0c-4e48-8d92-1c4f7b3e06a9": "Manufacturing Customer Support - Zendesk",
    "43a9f0e8-d716-4b52-a07e-8c5d2e91f64b": "Retail Customer Support - Zendesk",
    "7d1e5b3c-90a4-4f68-b2d7-3c8e6f0a915b": "FinTech Sales Enablement - Salesforce",
    "c82f4e96-1b7d-4a05-8e39-d5907a6b2c14": "Healthcare Sales Enablement - Salesforce",
    "35b90d7f-e4c8-4261-a97b-08f1d6c52ea3": "Enterprise Sales Enablement - Salesforce",
    "f06c7a28-5d93-4be1-92f4-e1b83d70c56a": "Manufacturing Sales Enablement - Salesforce",
    "8ae2c459-7f30-4d1b-b684-5e9c07d3a2f1": "Retail Sales Enablement - Salesforce",
    "83fe8a72-83b3-4cf0-afcd-99568a13501f": "Retail Sales Enablement - Slack",
    "28642a9d-d602-4cf7-8eb1-8680da22d3c7": "Manufacturing Developer Productivity - Slack",
    "125f1a38-d0be-4874-9bfd-4000431f9cd1": "Enterprise Sales Enablement - Drive",
    "4306fda4-9aa8-44d4-b0e8-ecddf8635611": "FinTech Developer Productivity - Drive",
    "642e92cd-a91f-467c-94e1-60d69ab1d4b8": "Healthcare Knowledge Management - SharePoint",
    "ef364071-347b-4b5d-8dc1-1324698f74f3": "Manufacturing Knowledge Management - SharePoint",
}
USE_CASES = {
    "developer_productivity": "Developer Productivity",
    "knowledge_management": "Knowledge Management",
    "customer_support": "Customer Support",
    "it_operations": "IT Operations",
    "compliance": "Compliance",
    "sales_enablement": "Sales Enablement",
}
INDUSTRIES = {industry: "FinTech" if industry is Industry.FINTECH else industry.title() for industry in Industry}

by_template = pytest.mark.parametrize("template", CATALOG.templates, ids=lambda template: template.name)


def test_ids_and_names_are_those_that_were_released() -> None:
    """C-70: a template_id is stable over releases."""
    assert {str(template.template_id): template.name for template in CATALOG.templates} == RELEASED


def test_every_file_is_a_template_or_a_vocabulary() -> None:
    assert len(list(SHIPPED_DIR.glob("*"))) == len(CATALOG.templates) + 1
    assert {path.stem for path in (SHIPPED_DIR / "industries").iterdir()} == set(CATALOG.vocabularies) == set(Industry)


def test_the_catalog_covers_every_type_in_all_industries_and_each_use_case() -> None:
    assert len(CATALOG.templates) >= 60
    assert {(template.dataset_type, template.industry) for template in CATALOG.templates} == {
        (dataset_type, industry) for dataset_type in DATASET_TYPES for industry in Industry
    }
    assert {template.use_case for template in CATALOG.templates} == set(USE_CASES)


def test_the_references_template_is_as_the_reference_prints_it() -> None:
    template = CATALOG.get(UUID("770e8400-e29b-41d4-a716-446655440002"))
    assert template is not None
    assert {
        "template_id": str(template.template_id),
        "name": template.name,
        "dataset_type": template.dataset_type,
        "industry": template.industry,
        "use_case": template.use_case,
        "description": template.description,
        "default_record_count": template.default_record_count,
        "estimated_size_mb": template.estimated_size_mb,
    } == {
        "template_id": "770e8400-e29b-41d4-a716-446655440002",
        "name": "FinTech Developer Productivity - Confluence",
        "dataset_type": "confluence_pages",
        "industry": "fintech",
        "use_case": "developer_productivity",
        "description": "Mock Confluence pages for FinTech companies focused on developer productivity",
        "default_record_count": 500,
        "estimated_size_mb": 15,
    }


def test_templates_come_in_one_order_and_are_found_by_each_field_and_all() -> None:
    order = [(t.dataset_type, list(Industry).index(t.industry), t.use_case, t.name) for t in CATALOG.templates]
    assert order == sorted(order)
    assert CATALOG.find() == CATALOG.templates
    for template in CATALOG.templates:
        found = CATALOG.find(industry=template.industry, use_case=template.use_case, dataset_type=template.dataset_type)
        assert found == (template,), "no two shipped templates serve the same purpose"
        assert CATALOG.get(template.template_id) is template
    assert len(CATALOG.find(industry="fintech", dataset_type="github_repos")) == 2
    assert CATALOG.find(use_case="unheard_of") == ()
    assert CATALOG.for_type("confluence_pages") == CATALOG.find(dataset_type="confluence_pages")
    assert CATALOG.get(UUID(int=0)) is None


@by_template
def test_a_name_says_industry_use_case_and_type(template: Template) -> None:
    assert template.name == (
        f"{INDUSTRIES[template.industry]} {USE_CASES[template.use_case]} - {DATASET_TYPES[template.dataset_type].label}"
    )


def rows_below(header: str) -> dict[str, str]:
    """The table of docs/templates.md with this header: each row's name, and the rest of it."""
    guide = (Path(__file__).parents[3] / "docs/templates.md").read_text(encoding="utf-8")
    table = guide.partition(f"{header}\n")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", table, re.MULTILINE))


def test_the_guide_names_the_kinds_of_records_of_every_type() -> None:
    said = {name: frozenset(re.findall(r"`(\w+)`", rest)) for name, rest in rows_below("| type | archetypes |").items()}
    assert said == {name: kind.archetypes for name, kind in DATASET_TYPES.items()}


def test_the_guide_says_which_types_have_which_defects() -> None:
    types = set(DATASET_TYPES)
    said = {}
    for defect, rest in rows_below("| field of `defects` | a record that | of |").items():
        of = rest.rpartition(" | ")[2]
        named = types & set(re.findall(r"`(\w+)`", of))
        said[defect] = types - named if of.startswith("all types") else named
    having = {defect: {name for name in types if defect in DATASET_TYPES[name].defects} for defect in said}
    assert said == having
    assert set(said) == set(DefectShares.model_fields)


@by_template
def test_later_stages_hold_more_records(template: Template) -> None:
    counts = [template.record_counts.of(stage) for stage in (Stage.SANDBOX, Stage.PILOT, Stage.PRODUCTION)]
    assert counts == sorted(set(counts))


@by_template
def test_every_archetype_of_the_type_has_a_weight(template: Template) -> None:
    assert set(template.archetypes) == DATASET_TYPES[template.dataset_type].archetypes


@by_template
def test_a_topic_has_words_enough_and_none_twice(template: Template) -> None:
    assert 4 <= len(template.topics) <= 6
    assert len(template.labels) >= 10
    for topic in template.topics:
        least = {"nouns": 14, "verbs": 10, "adjectives": 10, "metrics": 6, "practices": 6}
        for field, count in least.items():
            words = getattr(topic, field)
            assert len(words) >= count, f"{topic.key}.{field}"
            assert [word for word, times in Counter(words).items() if times > 1] == [], f"{topic.key}.{field}"


@by_template
def test_words_have_the_form_that_sentences_need(template: Template) -> None:
    for topic in template.topics:
        for noun in (*topic.nouns, *topic.metrics):
            assert not re.match(r"(an?|the) ", noun), f"{noun}: without an article"
        for noun in topic.nouns:
            assert not re.search(r"(?<![su])s$", noun) or noun.endswith(("bus", "bonus", "harness", "class")), (
                f"{noun}: singular"
            )
            assert not re.search(r" (of|for) ", noun), f"{noun}: its plural is not at its end"
        for metric in topic.metrics:
            # "cost per visit", "lead time for changes": what is measured stands before the preposition.
            measured = re.split(r" (?:between|for|of|on|per|to|under) ", metric)[0]
            assert not re.search(r"[^s]s$", measured), f"{metric}: singular"
        for verb in topic.verbs:
            assert re.fullmatch(r"[a-z-]*s( (on|of|to|up|down|back|over))*", verb), f"{verb}: third person singular"
        for practice in topic.practices:
            assert practice.split()[0].endswith("ing"), f"{practice}: a gerund first"


@pytest.mark.parametrize("industry", Industry)
def test_a_vocabulary_has_words_enough_in_the_form_that_sentences_need(industry: Industry) -> None:
    vocabulary = CATALOG.vocabulary(industry)
    assert vocabulary.industry is industry
    assert min(len(vocabulary.products), len(vocabulary.systems)) >= 14
    assert min(len(vocabulary.stakeholders), len(vocabulary.risks), len(vocabulary.goals)) >= 10
    for noun in (*vocabulary.products, *vocabulary.systems):
        assert not re.match(r"(an?|the) ", noun)
        assert not re.search(r"[^su]s$", noun), f"{noun}: singular"
    for stakeholders in vocabulary.stakeholders:
        assert stakeholders.endswith(("s", "staff")), f"{stakeholders}: plural"
    for goal in vocabulary.goals:
        assert not goal.startswith("to ")
        assert not goal.split()[0].endswith(("s", "ing")) or goal.startswith("pass "), f"{goal}: infinitive"
