"""What the strict profiles allow, the vendors' published schemas allow: a record that passes here passes there.

A vendor's schema alone lets most damage pass, so records are held to the profiles; these tests keep those honest.
Formats are not asserted: Jira writes times that RFC 3339 does not know, and calls them "date-time".
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from dataops_core.templates.loader import load_catalog

DATA = Path(__file__).parents[2] / "data"
TYPES = sorted(path.stem for path in (DATA / "vendor-schemas").glob("*.json"))
#: What a response wraps around the fields, and the vendor's types of the fields leave out.
ENVELOPE = {"salesforce_accounts": {"attributes"}}

#: What a record has beside its profile's fields: the addresses that GitHub's records have of everything.
DERIVED = {"github_repos"}

by_type = pytest.mark.parametrize("name", TYPES)


def schema(folder: str, name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((DATA / folder / f"{name}.json").read_text(encoding="utf-8"))
    return read


def published(name: str) -> Draft7Validator:
    return Draft7Validator(schema("vendor-schemas", name))


def fields(name: str, record: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in record.items() if field not in ENVELOPE.get(name, ())}


def beside(profile: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """What the record has that the profile does not declare, in objects within it too."""
    declared = profile.get("properties", {})
    of_parts = {
        field: beside(declared[field], value)
        for field, value in record.items()
        if field in declared and isinstance(value, dict)
    }
    return {field: value for field, value in record.items() if field not in declared} | {
        field: part for field, part in of_parts.items() if part
    }


def together(record: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """The record with more fields, in objects within it too."""
    both = {
        field: together(record[field], value)
        for field, value in more.items()
        if isinstance(value, dict) and isinstance(record.get(field), dict)
    }
    return record | {field: value for field, value in more.items() if field not in record} | both


@pytest.fixture
def derived(dataset_of, name: str) -> dict[str, Any]:
    """What a generated record has beside its profile's fields; nothing, where it may have nothing."""
    if name not in DERIVED:
        return {}
    dataset = dataset_of(load_catalog().for_type(name)[0].name, records=60)
    return beside(schema("record-profiles", name), dataset.type.record(dataset.rows[0]))


def instances(profile: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a profile allows, as far as it is told by the keywords that the profiles use."""
    if "const" in profile:
        return st.just(profile["const"])
    if "enum" in profile:
        return st.sampled_from(profile["enum"])
    kinds = profile.get("type", "string")
    return st.one_of([_of_kind(kind, profile) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def _of_kind(kind: str, profile: dict[str, Any]) -> st.SearchStrategy[Any]:
    match kind:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(profile.get("minimum", -(2**31)), 2**53)
        case "number":
            return st.floats(profile.get("minimum", -1e12), 1e12)
        case "array":
            items = instances(profile.get("items", {"type": ["string", "object"]}))
            return st.lists(items, min_size=profile.get("minItems", 0), max_size=profile.get("maxItems", 3))
        case "object":
            declared = {key: instances(part) for key, part in profile.get("properties", {}).items()}
            required = set(profile.get("required", ()))
            return st.fixed_dictionaries(
                {key: declared.get(key, st.text()) for key in required},
                optional={key: part for key, part in declared.items() if key not in required},
            )
    if "pattern" in profile:
        return st.from_regex(profile["pattern"], fullmatch=True)
    return st.text(min_size=profile.get("minLength", 0), max_size=min(profile.get("maxLength", 40), 40))


@by_type
def test_generated_records_pass_the_vendor_s_schema(dataset_of, name):
    validator = published(name)
    for template in load_catalog().for_type(name)[:2]:
        dataset = dataset_of(template.name, records=60)
        for row in dataset.rows:
            errors = list(validator.iter_errors(fields(name, dataset.type.record(row))))
            assert errors == []


@by_type
def test_the_profile_lies_within_the_vendor_s_schema(name, derived):
    profile, validator = schema("record-profiles", name), published(name)

    @settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(instances(profile))
    def holds(record: dict[str, Any]) -> None:
        whole = together(fields(name, record), derived)
        assert [error.message for error in validator.iter_errors(whole)] == []

    holds()


@by_type
def test_the_profile_requires_what_the_vendor_requires(name, derived):
    profile, vendor = schema("record-profiles", name), schema("vendor-schemas", name)
    vendor = vendor["definitions"][vendor["$ref"].rpartition("/")[2]] if "$ref" in vendor else vendor
    assert set(vendor.get("required", ())) <= set(profile["required"]) | set(derived)
    assert set(profile["properties"]) - ENVELOPE.get(name, set()) <= set(vendor["properties"])
