"""Defects on purpose: as many as the template asks for, of the kinds that the list says, and nothing else wrong."""

import re
from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pytest

from dataops_core.company.model import Company
from dataops_core.connectors.embedded.text import plain_text
from dataops_core.dataset_types import defects
from dataops_core.dataset_types.base import BLOCK_ROWS
from dataops_core.dataset_types.defects import SHARES, Defect
from dataops_core.dataset_types.facts import _MEASURES
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.generation.arrays import integers
from dataops_core.quality.planted_defects import counts, from_jsonl, planted_defects, to_jsonl
from dataops_core.templates.loader import load_catalog
from dataops_core.templates.model import DefectShares

#: Of each type the first template, with many more defects than it asks for.
NAMES = {name: load_catalog().for_type(name)[0].name for name in sorted(DATASET_TYPES)}
MANY = 0.03
RECORDS = 700


def shares(kind, share=MANY):
    return DefectShares(**dict.fromkeys(DATASET_TYPES[kind].defects, share))


@pytest.fixture(scope="module", params=list(NAMES))
def dataset(request, dataset_of):
    template = load_catalog().for_type(request.param)[0]
    size = min(template.bytes_per_record, 5000)
    return dataset_of(template.name, RECORDS, defects=shares(request.param), bytes_per_record=size)


@pytest.fixture(scope="module")
def made(dataset):
    """The records as documents."""
    return dataset.documents


def of(dataset, defect):
    return [each for each in dataset.planted if each.kind == defect]


def runs(document, length=8):
    """All runs of so many words of what a document says."""
    said = plain_text(document.body, document.mime_type).split()
    return {tuple(said[place : place + length]) for place in range(len(said) - length + 1)}


def likeness(first, second):
    return len(first & second) / len(first | second)


def repeated(one, other):
    """The part of the shorter document that the other one says, too."""
    first, second = runs(one, 4), runs(other, 4)
    return len(first & second) / min(len(first), len(second))


@pytest.mark.parametrize("records", [20, 120, 500, 1030])
@pytest.mark.parametrize("kind", list(NAMES))
def test_quotas_are_met_to_the_record(dataset_of, kind, records):
    spec = dataset_of(NAMES[kind], 20, defects=shares(kind)).spec
    for share in (0.0, 0.005, 0.01):
        changed = {"template": spec.template.model_copy(update={"defects": shares(kind, share)})}
        each = type(spec)(
            **{name: getattr(spec, name) for name in spec.__slots__} | changed | {"record_count": records}
        )
        found = Counter(planted.kind for planted in DATASET_TYPES[kind].builder(each).planted())
        wanted = {
            defect: int(share * records + 1e-9)
            for defect, name in SHARES.items()
            if name in DATASET_TYPES[kind].defects
        }
        wanted[Defect.INCOMPLETE] = int(spec.template.incomplete_share * records + 1e-9)
        assert found == Counter({defect.value: count for defect, count in wanted.items() if count})


def test_no_record_has_two_defects_of_another_kind(dataset):
    """But for an incomplete one, which may be anything else, too."""
    paired = [each for each in dataset.planted if each.kind != Defect.INCOMPLETE]
    rows = [row for each in paired for row in (each.row, each.related) if row is not None]
    assert len(rows) == len(set(rows))
    for name in dataset.type.defects:
        (defect,) = (each for each, share in SHARES.items() if share == name)
        assert len(of(dataset, defect)) == int(MANY * RECORDS)


def test_a_near_duplicate_repeats_a_record_with_small_edits(dataset, made):
    rows = dataset.rows
    parts = []
    for each in of(dataset, Defect.NEAR_DUPLICATE):
        copy, source = made[each.row], made[each.related]
        assert copy.body != source.body
        assert copy.title != source.title
        assert copy.created_at >= source.created_at
        parts.append(repeated(copy, source))
        assert rows[each.row]["_topic"] == rows[each.related]["_topic"]
    assert min(parts) > 0.3
    assert sum(parts) / len(parts) > 0.7


def test_a_stale_version_is_older_than_what_replaced_it(dataset, made):
    stale = of(dataset, Defect.STALE_VERSION)
    assert bool(stale) == ("stale_versions" in dataset.type.defects)
    for each in stale:
        old, new = made[each.row], made[each.related]
        assert re.search(r"( \(old\)|-old)$", old.title)
        assert old.title.startswith(new.title)
        assert old.created_at < new.created_at
        assert old.updated_at <= new.updated_at
        assert repeated(old, new) > 0.3
        if "version" in old.properties:
            assert int(old.properties["version"]) < int(new.properties["version"])


def test_nothing_else_is_alike(dataset, made):
    planted = [each for each in dataset.planted if each.kind != Defect.INCOMPLETE]
    chosen = sorted({row for each in planted for row in (each.row, each.related) if row is not None})[:40]
    said = {row: runs(made[row]) for row in chosen}
    for place, one in enumerate(chosen):
        for other in chosen[place + 1 :]:
            if frozenset((one, other)) not in dataset.twins:
                assert likeness(said[one], said[other]) <= 0.05


def test_two_records_state_two_values_of_one_fact_and_nobody_a_third(dataset, made):
    texts = [" ".join(plain_text(each.body, each.mime_type).split()) for each in made]
    values = "|".join(re.escape(value) for known in _MEASURES.values() for value in known)
    stated = {}
    for row, text in enumerate(texts):
        company: Company = dataset.spec.company
        services = "|".join(service.name for service in company.services)
        measures = "|".join(_MEASURES)
        for found in re.finditer(
            rf"The ({measures}) for ([^.]+?) in ({services}) is ({values})\.|"
            rf"In ({services}), the ({measures}) of ([^.]+?) was set to ({values})\.",
            text,
        ):
            measure, things, service, value = found.group(1, 2, 3, 4) if found[1] else found.group(6, 7, 5, 8)
            stated.setdefault(f"{measure} of {things} in {service}", {})[row] = value
    assert stated == {
        each.detail["fact"]: {each.row: each.detail["value"], each.related: each.detail["related_value"]}
        for each in of(dataset, Defect.CONFLICTING_FACT)
    }
    assert all(len(set(said.values())) == 2 for said in stated.values())


def test_a_misfiled_record_is_in_one_place_and_about_another(dataset, made):
    company, rows, told = dataset.spec.company, dataset.rows, 0
    version = r"\b" if dataset.type.name == "zendesk_tickets" else r",? (?:version )?\d+\.\d+\.\d+"
    for each in of(dataset, Defect.MISFILED):
        assert each.detail["place"] != each.detail["right_place"]
        document = made[each.row]
        row = rows[each.row]
        places = {str(value) for name, value in row.items() if isinstance(value, str) and len(value) < 200}
        assert each.detail["place"] in places
        # Issues that a text names are its project's, and so is the service of which it says the version; a ticket
        # speaks of no other one.
        keys = Counter(re.findall(r"\b([A-Z]{3,4})-\d+\b", document.body))
        services = Counter(re.findall(rf"\b([a-z]+-[a-z]+){version}", document.body))
        known = {project.key: project for project in company.projects}
        known |= {service.name: company.projects[service.project] for service in company.services}
        named = [known[name] for name, _ in (*keys.most_common(), *services.most_common()) if name in known]
        if named:
            told += 1
            names = {named[0].key, named[0].name, company.teams[named[0].team].name}
            channel = named[0].name.split()[0].lower()
            assert each.detail["right_place"] in {*names, channel, f"{channel}-help"}
    assert told > len(of(dataset, Defect.MISFILED)) / 2 or "misfiled" not in dataset.type.defects


def test_a_dataset_with_defects_passes_profile_and_schema(dataset, made, profile):
    dataset.type.schema.validate(dataset.frame, lazy=True)
    validator, rows = profile(dataset.type.name), dataset.rows
    for each in dataset.planted:
        assert list(validator.iter_errors(dataset.type.record(rows[each.row]))) == []
    titles = [document.title for document in made]
    assert len(set(titles)) == len(titles)


def test_a_defective_row_is_the_same_alone(dataset):
    builder = dataset.type.builder(dataset.spec)
    whole = dataset.table.combine_chunks().to_batches()[0]
    for each in dataset.planted[:: max(len(dataset.planted) // 12, 1)]:
        for row in {each.row, each.row if each.related is None else each.related}:
            assert builder.rows(row, row + 1).equals(whole.slice(row, 1))
    assert builder.rows(BLOCK_ROWS - 30, BLOCK_ROWS + 30).equals(whole.slice(BLOCK_ROWS - 30, 60))


def test_without_quotas_only_defective_records_are_others(dataset, dataset_of):
    size = dataset.spec.template.bytes_per_record
    clean = dataset_of(NAMES[dataset.type.name], RECORDS, defects=DefectShares(), bytes_per_record=size)
    touched = {row for each in dataset.planted for row in (each.row, each.related) if row is not None}
    sound = [row for row in range(RECORDS) if row not in touched]
    assert len(sound) > RECORDS / 2
    assert dataset.table.take(integers(sound)).equals(clean.table.take(integers(sound)))


def test_the_list_names_records_by_their_ids_and_survives_its_file(dataset, made):
    listed = planted_defects(dataset.spec, dataset.type, dataset.table)
    assert from_jsonl(to_jsonl(listed)) == listed
    assert counts(listed) == Counter(each.kind for each in dataset.planted)
    own = [document.id for document in made]
    for said, each in zip(listed, dataset.planted, strict=True):
        assert said.record_id == own[each.row]
        assert said.related_record_id == (None if each.related is None else own[each.related])


def test_incomplete_records_lack_the_field_that_the_list_says(dataset):
    incomplete, rows = of(dataset, Defect.INCOMPLETE), dataset.rows
    assert incomplete
    for each in incomplete:
        row = rows[each.row]
        cells = [
            value
            for name, value in row.items()
            if name == each.detail["field"] or name.startswith(f"{each.detail['field']}.")
        ]
        assert cells
        for value in cells:
            assert (len(value) == 0) if hasattr(value, "__len__") else (value is None or value != value)  # noqa: PLR0124  NaN


@pytest.mark.parametrize("kind", ["jira_issues", "slack_messages", "salesforce_accounts"])
def test_quotas_are_met_where_defects_are_chosen_stretch_by_stretch(dataset_of, kind, monkeypatch):
    """As of millions of records, whose defective ones are not all held in memory."""
    small = dataset_of(NAMES[kind], 20, defects=shares(kind, 0.01)).spec
    spec = replace(small, record_count=1000)
    monkeypatch.setattr(defects, "STRETCH", 300)
    builder = DATASET_TYPES[kind].builder(spec)
    planted = list(builder.planted())
    found = Counter(each.kind for each in planted)
    for defect, name in SHARES.items():
        assert found[defect.value] == (10 if name in DATASET_TYPES[kind].defects else 0)
    paired = [each for each in planted if each.related is not None]
    assert all(each.row // 250 == each.related // 250 for each in paired)
    assert len({each.row // 250 for each in paired}) == 4
    touched = [row for each in paired for row in (each.row, each.related)]
    assert len(set(touched)) == len(touched)
    facts = [each.detail["fact"] for each in planted if each.kind == Defect.CONFLICTING_FACT]
    assert len(set(facts)) == len(facts)
    # Blocks end where stretches do, or not.
    whole = pa.Table.from_batches([builder.rows(240, 300)])
    parts = [DATASET_TYPES[kind].builder(spec).rows(start, stop) for start, stop in ((240, 250), (250, 300))]
    assert pa.Table.from_batches(parts).combine_chunks().equals(whole.combine_chunks())
