"""Every error of a template file names file, line and field; a user's folder adds to the catalog or replaces in it."""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from dataops_core.errors import ConfigurationError
from dataops_core.lifecycle import Industry
from dataops_core.templates.loader import SHIPPED_DIR, load_catalog

REFERENCE_ID = UUID("770e8400-e29b-41d4-a716-446655440002")
OWN_ID = UUID("0b9f6a52-5f0e-4f0c-9d35-6d2f1f8f4a11")
SHIPPED = (SHIPPED_DIR / "confluence-fintech-developer-productivity.yaml").read_text(encoding="utf-8")
OWN = SHIPPED.replace(str(REFERENCE_ID), str(OWN_ID)).replace("name: FinTech", "name: Own FinTech")

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes ``OWN``, or what is given, with each replacement made exactly once, into the user's folder."""

    def put_file(*replacements: tuple[str, str], name: str = "own.yaml", text: str = OWN) -> Path:
        for old, new in replacements:
            assert text.count(old) == 1, f"{old!r} must be there once"
            text = text.replace(old, new)
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return put_file


def line_of(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def problems_of(folder: Path) -> list[dict[str, object]]:
    with pytest.raises(ConfigurationError) as caught:
        load_catalog(folder)
    problems: list[dict[str, object]] = caught.value.details["problems"]
    for problem in problems:
        where = f"{problem['file']}:{problem['line']}"
        field = f": {problem['field']}" if problem["field"] else ""
        assert f"{where}{field}: {problem['problem']}" in caught.value.message, "the sentence says what the details say"
    return problems


def test_a_template_of_the_folder_joins_the_shipped_ones(put: Put) -> None:
    put()
    before, after = load_catalog(), load_catalog(put().parent)
    own = after.get(OWN_ID)
    assert own is not None
    assert own.name == "Own FinTech Developer Productivity - Confluence"
    assert len(after.templates) == len(before.templates) + 1
    assert before.get(OWN_ID) is None, "the shipped catalog is not changed by it"


def test_a_higher_version_replaces_the_shipped_template_in_place(put: Put) -> None:
    path = put(("version: 1", "version: 2"), ("sandbox: 500", "sandbox: 60"), text=SHIPPED)
    catalog = load_catalog(path.parent)
    replaced = catalog.get(REFERENCE_ID)
    assert replaced is not None
    assert (replaced.version, replaced.default_record_count) == (2, 60)
    assert [template.template_id for template in catalog.templates] == [
        template.template_id for template in load_catalog().templates
    ]


def test_the_folder_is_read_again_each_time_and_the_shipped_catalog_once(put: Put) -> None:
    folder = put().parent
    load_catalog(folder)
    put(("sandbox: 500", "sandbox: 77"))
    changed = load_catalog(folder).get(OWN_ID)
    assert changed is not None
    assert changed.default_record_count == 77
    assert load_catalog() is load_catalog()


def test_a_version_that_is_not_higher_does_not_replace(put: Put) -> None:
    path = put(text=SHIPPED)
    (problem,) = problems_of(path.parent)
    assert (problem["file"], problem["line"], problem["field"]) == (str(path), line_of(path, "version:"), "version")
    assert "must be above 1 to replace the shipped 'FinTech Developer Productivity - Confluence'" in str(
        problem["problem"]
    )


def test_a_replacement_keeps_its_dataset_type(put: Put) -> None:
    path = put(text=(SHIPPED_DIR / "github-fintech-compliance.yaml").read_text(encoding="utf-8"))
    put(
        ("version: 1", "version: 2"),
        ("dataset_type: github_repos", "dataset_type: confluence_pages"),
        ("service: 32, data_pipeline: 24, library: 16, tooling: 12, infrastructure: 10, frontend: 6", "runbook: 1"),
        text=path.read_text(encoding="utf-8"),
    )
    (problem,) = problems_of(path.parent)
    assert problem["field"] == "dataset_type"
    assert "must stay 'github_repos'" in str(problem["problem"])


def test_a_vocabulary_of_the_folder_replaces_its_industrys(put: Put) -> None:
    shipped = (SHIPPED_DIR / "industries/retail.yaml").read_text(encoding="utf-8")
    path = put(("loyalty program", "pet hotel"), name="industries/retail.yaml", text=shipped)
    catalog = load_catalog(path.parent.parent)
    assert "pet hotel" in catalog.vocabulary(Industry.RETAIL).products
    assert catalog.vocabulary(Industry.FINTECH) is load_catalog().vocabulary(Industry.FINTECH)


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        ("version: 1", "version: one", "version", 'must be a valid integer, not "one"'),
        ("version: 1", 'version: "1"', "version", 'must be a valid integer, not "1"'),
        ("template_id: 0b9f", "template_id: zz", "template_id", "must be a valid UUID"),
        ("industry: fintech", "industry: banking", "industry", "or 'retail', not \"banking\""),
        ("industry: fintech", "industry: fintec", "industry", "not \"fintec\": did you mean 'fintech'?"),
        ("use_case: dev", "use_case: Dev-", "use_case", ": write 'dev_eloper_productivity'"),
        (
            "labels: [developer-experience",
            "labels: [Developer Experience",
            "labels.0",
            ": write 'developer-experience'",
        ),
        ("runbook: 24", "runbok: 24", "archetypes.runbok", "runbook: did you mean 'runbook'?"),
        (
            "dataset_type: confluence_pages",
            "dataset_type: confluence",
            "dataset_type",
            "did you mean 'confluence_pages'?",
        ),
        ("use_case: dev", "use_case: Dev ", "use_case", "must match"),
        ("sandbox: 500", "sandbox: 5", "record_counts.sandbox", "must be greater than or equal to 20, not 5"),
        ("bytes_per_record: 31457", "bytes_per_record: 1.5", "bytes_per_record", "must be a valid integer"),
        ("incomplete_share: 0.02", "incomplete_share: 0.2", "incomplete_share", "must be less than 0.05, not 0.2"),
        ("incomplete_share: 0.02", "incomplete_share: .nan", "incomplete_share", "must be less than 0.05"),
        (
            "stale_versions: 0.01",
            "stale_versions: 0.2",
            "defects.stale_versions",
            "less than or equal to 0.05, not 0.2",
        ),
        (
            "stale_versions: 0.01",
            "stale_versions: .nan",
            "defects.stale_versions",
            "must be less than or equal to 0.05",
        ),
        (
            "stale_versions: 0.01",
            "stale_version: 0.01",
            "defects.stale_version",
            "is no such field: did you mean 'stale_versions'?",
        ),
        ("runbook: 24", "runbook: many", "archetypes.runbook", 'must be a valid integer, not "many"'),
        (
            "runbook: 24",
            "service: 24",
            "archetypes.service",
            "is no archetype of confluence_pages, which has decision_rec",
        ),
        ("runbook: 24", "runbook: -1", "archetypes", "weights must be 0 or more"),
        (
            "dataset_type: conf",
            "dataset_type: my_",
            "dataset_type",
            "is no dataset type: there are confluence_pages, git",
        ),
        ("key: ledger_engineering", "key: payment_services", "topics.1.key", "'payment_services' is topic 0 already"),
        ("rotates, encrypts", "yes, encrypts", "topics.3.verbs.0", "must be text, not true (put it in quotes)"),
        ("rotates, encrypts", "2026, encrypts", "topics.3.verbs.0", "must be text, not 2026 (put it in quotes)"),
        ("title: Ledger engineering", "title: [x]", "topics.1.title", "must be text, not a list"),
        ("title: Ledger engineering", "title:", "topics.1.title", "must be text, not empty"),
        ("labels: [developer-experience", "labels: [Developer", "labels.0", "must match"),
        ("version: 1", "version: 1\nversion: 2", "version", "is given twice (first on line 3)"),
        ("version: 1", "version: !int 1", "version", "the tag !int is not allowed"),
    ],
)
def test_a_wrong_value_is_named_with_file_line_and_field(put: Put, old: str, new: str, field: str, said: str) -> None:
    path = put((old, new))
    (problem,) = problems_of(path.parent)
    assert problem["file"] == str(path)
    assert problem["line"] == OWN[: OWN.index(old)].count("\n") + new.count("\n") + 1
    assert problem["field"] == field
    assert said in str(problem["problem"])


def test_a_season_is_refused_where_it_does_nothing_and_where_a_month_is_none(put: Put) -> None:
    shipped = (SHIPPED_DIR / "jira-fintech-developer-productivity.yaml").read_text(encoding="utf-8")
    path = put(("version: 1", "version: 2\nseasonality: {may: 150}"), text=shipped)
    (problem,) = problems_of(path.parent)
    assert problem["field"] == "seasonality"
    assert "numbers all year round: remove it" in str(problem["problem"])
    path.unlink()
    path = put(("version: 1", "version: 1\nseasonality: {mai: 150, june: 500}"))
    assert {problem["field"] for problem in problems_of(path.parent)} == {"seasonality.mai", "seasonality.june"}


def test_a_defect_that_the_type_does_not_know_is_named(put: Put) -> None:
    shipped = (SHIPPED_DIR / "jira-fintech-developer-productivity.yaml").read_text(encoding="utf-8")
    path = put(("version: 1", "version: 2"), ("misfiled: 0.005", "stale_versions: 0.01"), text=shipped)
    (problem,) = problems_of(path.parent)
    assert problem["field"] == "defects.stale_versions"
    known = "conflicting_facts, misfiled, near_duplicates"
    assert problem["problem"] == f"is no defect of jira_issues, which has {known}"


def test_a_misspelled_field_is_named_with_the_one_that_was_meant(put: Put) -> None:
    path = put(("    verbs: [rotates", "    verb: [rotates"))
    missing, unknown = problems_of(path.parent)
    assert (missing["line"], missing["field"]) == (line_of(path, "- key: secure_development"), "topics.3.verbs")
    assert str(missing["problem"]).startswith("is missing: add it (6 or more: take an object, third person singular")
    assert (unknown["line"], unknown["field"]) == (line_of(path, "verb: ["), "topics.3.verb")
    assert unknown["problem"] == "is no such field: did you mean 'verbs'?"


@pytest.mark.parametrize(
    ("old", "field", "holder"),
    [
        ("name: Own FinTech Developer Productivity - Confluence\n", "name", "template_id"),
        (", pilot: 2500", "record_counts.pilot", "record_counts"),
        ("    title: Ledger engineering\n", "topics.1.title", "- key: ledger_engineering"),
    ],
)
def test_a_missing_field_has_the_line_of_what_should_hold_it(put: Put, old: str, field: str, holder: str) -> None:
    path = put((old, ""))
    (problem,) = problems_of(path.parent)
    assert (problem["line"], problem["field"]) == (line_of(path, holder), field)
    assert str(problem["problem"]).startswith("is missing: add it (")


def test_a_list_that_is_too_short_says_how_long_it_must_be(put: Put) -> None:
    start = OWN.index("    verbs: [rotates")
    end = OWN.index("]", start) + 1
    path = put((OWN[start:end], "    verbs: [rotates, signs]"))
    (problem,) = problems_of(path.parent)
    assert (problem["line"], problem["field"]) == (line_of(path, "verbs: [rotates, signs]"), "topics.3.verbs")
    assert problem["problem"] == "needs 6 entries or more, not 2"


def test_all_problems_of_all_files_are_said_at_once_in_their_order(put: Put) -> None:
    first = put(("sandbox: 500", "sandbox: 5"), ("use_case: dev", "use_cases: dev"), name="a.yaml")
    put(name="b.yaml", text="name: [unclosed\n")
    put(name="c.yaml", text="- no fields\n")
    problems = problems_of(first.parent)
    assert [(Path(str(problem["file"])).name, problem["field"]) for problem in problems] == [
        ("a.yaml", "use_case"),
        ("a.yaml", "use_cases"),
        ("a.yaml", "record_counts.sandbox"),
        ("b.yaml", ""),
        ("c.yaml", ""),
    ]


def test_one_id_in_two_files_is_an_error_that_names_both(put: Put) -> None:
    first, second = put(name="a.yaml"), put(name="b.yml")
    (problem,) = problems_of(first.parent)
    assert (problem["file"], problem["field"]) == (str(second), "template_id")
    assert problem["line"] == line_of(second, str(OWN_ID))
    assert problem["problem"] == f"{OWN_ID} is already that of {first}"


def test_one_industry_in_two_vocabularies_is_an_error(put: Put) -> None:
    shipped = (SHIPPED_DIR / "industries/retail.yaml").read_text(encoding="utf-8")
    put(name="industries/one.yaml", text=shipped)
    path = put(name="industries/two.yaml", text=shipped)
    (problem,) = problems_of(path.parent.parent)
    assert (problem["file"], problem["field"]) == (str(path), "industry")


def test_other_files_of_the_folder_are_left_alone(put: Put) -> None:
    folder = put().parent
    put(name="notes.txt", text="not a template")
    put(name=".#own.yaml", text="an editor's lock")
    (folder / "folder.yaml").mkdir()
    assert load_catalog(folder).get(OWN_ID) is not None


def test_a_folder_that_does_not_exist_is_said_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no folder .*gone: DATAOPS_TEMPLATES_DIR must name one"):
        load_catalog(tmp_path / "gone")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o300)
    with pytest.raises(ConfigurationError, match="cannot be read: Permission denied"):
        load_catalog(locked)
