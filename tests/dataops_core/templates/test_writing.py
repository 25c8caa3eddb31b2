"""A template is written as a file that reads back as the same, whatever its words; what a field's difference does."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import Industry
from dataops_core.previewing import records_that_differ, sample_spec
from dataops_core.templates.comparing import Effect, differences, version_problem
from dataops_core.templates.loader import check_files, load_catalog
from dataops_core.templates.model import DefectShares, IndustryVocabulary, RecordCounts, Template, Topic
from dataops_core.templates.notes import NOTES
from dataops_core.templates.writing import as_yaml, new_template
from tests.each_type import EACH_TYPE

CATALOG = load_catalog()
OWN_ID = UUID("0b9f6a52-5f0e-4f0c-9d35-6d2f1f8f4a11")
HOSTILE = (
    "yes",
    "12",
    "1.5",
    "a: b",
    "it's",
    '"q"',
    "- x",
    "[q]",
    "{z}",
    "# h",
    "über",
    "~",
    "a, b",
    "日本",
    "!t",
    "*a",
    "%x",
)


def read_back(template: Template, folder: Path) -> Template:
    file = folder / "own.yaml"
    file.write_text(as_yaml(template), encoding="utf-8")
    checked = check_files([file])
    assert checked.problems == ()
    return checked.templates[0][0]


def test_every_template_of_the_catalog_reads_back_as_it_is(tmp_path: Path) -> None:
    for template in CATALOG.templates:
        own = template.model_copy(update={"template_id": OWN_ID})
        assert read_back(own, tmp_path) == own
        assert max(map(len, as_yaml(own).splitlines())) <= 120


@pytest.mark.parametrize("name", DATASET_TYPES)
def test_the_first_template_of_a_type_is_begun_from_one_of_another(name: str, tmp_path: Path) -> None:
    kind, shipped = DATASET_TYPES[name], next(t for t in CATALOG.templates if t.dataset_type != name)
    seasonal = (t.model_copy(update={"seasonality": {"may": 150}}) for t in CATALOG.templates)
    others = replace(CATALOG, templates=tuple(t for t in seasonal if t.dataset_type != name))
    for source in (None, shipped):
        own = read_back(new_template(others, OWN_ID, dataset_type=name, source=source), tmp_path)
        assert own.dataset_type == name
        assert set(own.archetypes) == kind.archetypes
        assert {field for field, share in own.defects.model_dump().items() if share} <= kind.defects
        assert bool(own.seasonality) == kind.seasonal


def test_words_that_yaml_reads_as_something_else_read_back_as_words(tmp_path: Path) -> None:
    words = tuple(f"{word}{word}" if len(word) < 2 else word for word in HOSTILE)
    template = CATALOG.templates[0]
    topic = template.topics[0].model_copy(update=dict.fromkeys(("nouns", "verbs", "adjectives", "metrics"), words))
    changes = {"template_id": OWN_ID, "name": "no: #1", "description": "'- twelve: 12' & so on", "topics": (topic,) * 1}
    own = template.model_copy(update=changes | {"topics": (topic, *template.topics[1:])})
    assert read_back(own, tmp_path) == own


@pytest.mark.parametrize("name", EACH_TYPE)
def test_a_new_template_of_every_type_and_industry_is_valid(name: str, tmp_path: Path) -> None:
    for industry in Industry:
        made = new_template(CATALOG, OWN_ID, dataset_type=name, industry=industry, use_case="pet_care")
        assert read_back(made, tmp_path) == made
        assert (made.dataset_type, made.industry, made.use_case, made.version) == (name, industry, "pet_care", 1)


def test_every_field_is_explained_once() -> None:
    text = as_yaml(CATALOG.templates[0])
    for name in (*Template.model_fields, *(f"topics.{name}" for name in Topic.model_fields)):
        assert text.count(f"# {NOTES[name]}\n") == 1, name
    nested = {f"record_counts.{name}" for name in RecordCounts.model_fields}
    assert nested <= NOTES.keys()
    assert IndustryVocabulary.model_fields.keys() <= NOTES.keys()


#: Another value of each field, within one type and industry.
CHANGES: dict[str, Any] = {
    "template_id": OWN_ID,
    "version": 7,
    "name": "Another name",
    "description": "Something else altogether",
    "use_case": "pet_care",
    "record_counts": RecordCounts(sandbox=77, pilot=88, production=99),
    "bytes_per_record": 4000,
    "incomplete_share": 0.04,
    "defects": DefectShares(near_duplicates=0.04),
    "labels": ("one", "two", "three", "four", "five", "six"),
}


@pytest.mark.parametrize("name", EACH_TYPE)
def test_a_fields_effect_is_what_the_generator_does_with_it(name: str) -> None:
    before = CATALOG.for_type(name)[0]
    topics = (before.topics[0].model_copy(update={"title": "Another"}), *before.topics[1:])
    archetypes = before.archetypes | {next(iter(before.archetypes)): 90}
    vocabulary = CATALOG.vocabulary(before.industry)
    for field, value in (CHANGES | {"topics": topics, "archetypes": archetypes}).items():
        after = before.model_copy(update={field: value})
        found = differences(before, after)
        assert {one.field.partition(".")[0] for one in found} == {field}
        specs = (sample_spec(template, vocabulary, 60) for template in (before, after))
        differing = records_that_differ(*specs)
        if {one.effect for one in found} != {Effect.RECORDS}:
            assert differing == 0, field
        elif field in {"template_id", "archetypes", "incomplete_share", "defects"}:
            assert differing > 0, field


def test_a_version_is_asked_for_where_datasets_change() -> None:
    before = CATALOG.templates[0]
    described = before.model_copy(update={"name": "Another name"})
    assert version_problem(before, described, differences(before, described)) is None
    for changed in ({"bytes_per_record": 4000}, {"record_counts": CHANGES["record_counts"]}):
        after = before.model_copy(update=changed)
        (field,) = changed
        said = version_problem(before, after, differences(before, after))
        assert said is not None
        assert said.startswith(f"version must be raised to {before.version + 1}: datasets change by {field}")
        raised = after.model_copy(update={"version": before.version + 1})
        assert version_problem(before, raised, differences(before, raised)) is None
        other = after.model_copy(update={"template_id": OWN_ID})
        assert version_problem(before, other, differences(before, other)) is None
    newer = before.model_copy(update={"version": before.version + 1})
    assert (
        version_problem(newer, before, differences(newer, before))
        == f"version must not fall: raise it above {newer.version}"
    )


def test_lists_and_topics_are_compared_by_what_they_hold() -> None:
    before = CATALOG.templates[0]
    first, *others = before.topics
    labels = tuple(reversed(before.labels))
    shuffled = before.model_copy(update={"topics": (*others, first), "labels": labels})
    found = {one.field: (one.before, one.after) for one in differences(before, shuffled)}
    assert found == {"labels": ([], []), "topics": ([], [])}
    without = before.model_copy(update={"topics": tuple(others)})
    (gone,) = differences(before, without)
    assert (gone.field, gone.after) == (f"topics.{first.key}", None)
    assert gone.before["title"] == first.title
