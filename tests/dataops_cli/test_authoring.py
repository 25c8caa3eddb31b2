"""Templates of one's own, without a server: written, checked, looked at, compared; the pages' commands as printed."""

import json
import re
import shlex
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dataops_cli.authoring import page
from dataops_cli.main import app
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.previewing import measured, preview
from dataops_core.templates.loader import SHIPPED_DIR, load_catalog

DOCS = Path(__file__).parents[2] / "docs"
NAME = "Retail Customer Support - Confluence"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``dataops templates`` in this process, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATAOPS_TEMPLATES_DIR", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(app, ["templates", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def pets(run: Run, tmp_path: Path) -> Path:
    """A small template in a file."""
    file = tmp_path / "pets.yaml"
    assert run("new", "pets.yaml", "--type", "slack_messages", "--industry", "retail").exit_code == 0
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"sandbox: \d+", "sandbox: 60", text), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", ["templates.md", "cli.md"])
def test_the_commands_of_the_pages_run_in_their_order(name: str, run: Run, tmp_path: Path) -> None:
    commands = re.findall(
        r"^ *\$ (mkdir .*|dataops templates .*)$", (DOCS / name).read_text(encoding="utf-8"), re.MULTILINE
    )
    kinds = {line.split()[2] for line in commands if line.startswith("dataops")}
    assert kinds == {"new", "validate", "preview", "diff"}
    for line in commands:
        program, *arguments = shlex.split(line)
        if program == "mkdir":
            (tmp_path / arguments[0]).mkdir()
            continue
        result = run(*arguments[1:])
        assert (result.exit_code, line) == (1 if arguments[1] == "diff" else 0, line), result.output
    assert (tmp_path / "pets.html").exists()


def test_a_new_template_has_an_id_of_its_own_and_is_valid_in_a_folder(run: Run, tmp_path: Path) -> None:
    first = json.loads(run("new", "a.yaml", "--type", "jira_issues", "--name", "Ours", "-o", "json").stdout)
    second = run("new", "b.yaml", "--from", NAME, "--type", "zendesk_tickets", "-q").stdout.strip()
    third = run(
        "new", "c.yaml", "--from", str(SHIPPED_DIR / "slack-enterprise-it-operations.yaml"), "-q"
    ).stdout.strip()
    assert len({first["template_id"], second, third}) == 3
    assert run("new", "folder/of/mine/d.yaml", "--type", "jira_issues").exit_code == 0, "its folder is made"
    assert run("validate", ".", "folder/of/mine/d.yaml").exit_code == 0
    made = {str(template.template_id): template for template in load_catalog(tmp_path).templates}
    assert (made[first["template_id"]].name, first["name"]) == ("Ours", "Ours")
    shipped = {template.name: template for template in load_catalog().templates}
    assert made[second].topics == shipped[NAME].topics, "the words are those of the other type's template"
    assert made[second].archetypes == shipped["Retail Customer Support - Zendesk"].archetypes, "the form is the type's"
    assert made[third].dataset_type == "slack_messages"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("there.yaml", "--type", "jira_issues"), "there.yaml is there already: give another name, or remove it."),
        (("new.txt", "--type", "jira_issues"), "new.txt must end in .yaml or .yml"),
        (("new.yaml",), "Say what its records are (--type confluence_pages), or what to begin with (--from)."),
        (("new.yaml", "--type", "jira"), "There is no dataset type 'jira': there are confluence_pages"),
        (("there.yaml/new.yaml", "--type", "jira_issues"), "The folder there.yaml cannot be made: File exists."),
        (("new.yaml", "--type", "jira_issues", "--use-case", "Pet Care"), "use_case must match"),
        (("new.yaml", "--from", "Retail Customer Suport - Confluence"), f"did you mean '{NAME}'?"),
        (("new.yaml", "--from", "123e4567-e89b-12d3-a456-426614174000"), "has no template of the id 123e4567"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_left(
    arguments: tuple[str, ...], said: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "there.yaml").write_text("mine", encoding="utf-8")
    result = run("new", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["there.yaml"]
    assert (tmp_path / "there.yaml").read_text(encoding="utf-8") == "mine"


def test_problems_are_told_with_file_line_field_and_fix(run: Run, pets: Path) -> None:
    text = pets.read_text(encoding="utf-8").replace("industry: retail", "industry: retial")
    pets.write_text(text.replace("name: ", "nam: ", 1), encoding="utf-8")
    lines = text.splitlines()
    industry = next(number for number, line in enumerate(lines, 1) if line.startswith("industry:"))
    name = next(number for number, line in enumerate(lines, 1) if line.startswith("name:"))

    said = run("validate", "pets.yaml")
    assert said.exit_code == 1
    missing, unknown, wrong = sorted(said.stdout.splitlines(), key=lambda line: int(line.split(":")[1]))
    assert missing.endswith("name: is missing: add it (shown to people)")
    assert unknown == f"pets.yaml:{name}: nam: is no such field: did you mean 'name'?"
    assert wrong.startswith(f"pets.yaml:{industry}: industry: must be 'fintech'")
    assert wrong.endswith("not \"retial\": did you mean 'retail'?")

    told = json.loads(run("validate", "pets.yaml", "-o", "json").stdout)
    assert [
        f"{one['file']}:{one['line']}: {one['field']}: {one['problem']}" for one in told
    ] == said.stdout.splitlines()
    for command in (("preview", "pets.yaml"), ("diff", "pets.yaml", NAME)):
        shown = run(*command)
        assert (shown.exit_code, shown.stdout) == (2, said.stdout)


def test_files_and_folders_are_checked_together_beside_the_shipped_ones(run: Run, pets: Path, tmp_path: Path) -> None:
    (tmp_path / "industries").mkdir()
    words = (SHIPPED_DIR / "industries/retail.yaml").read_text(encoding="utf-8")
    (tmp_path / "industries/retail.yaml").write_text(words, encoding="utf-8")
    assert run("validate", ".").exit_code == 0
    assert run("validate", str(SHIPPED_DIR)).exit_code == 0
    assert run("validate", "pets.yaml", "./pets.yaml", "industries/retail.yaml").stdout.splitlines() == [
        "pets.yaml: fine: Own Retail Customer Support - Slack, slack_messages, version 1",
        "industries/retail.yaml: fine: the vocabulary of retail",
    ]
    (tmp_path / "copy.yaml").write_bytes(pets.read_bytes())
    repeated = run("validate", ".")
    assert (repeated.exit_code, "is already that of copy.yaml" in repeated.stdout) == (1, True)
    (tmp_path / "copy.yaml").write_bytes((SHIPPED_DIR / "jira-retail-developer-productivity.yaml").read_bytes())
    assert "version: must be above 1 to replace the shipped" in run("validate", "copy.yaml").stdout


@pytest.mark.parametrize("path", ["gone.yaml", "empty"])
def test_a_path_without_a_template_is_refused(path: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("validate", path)
    assert result.exit_code == 2
    assert path in result.stderr


@pytest.mark.usefixtures("pets")
def test_a_preview_shows_records_and_what_they_are_like(run: Run) -> None:
    shown = run("preview", "pets.yaml", "--records", "2").stdout
    assert "ok    incomplete_share: 1 of 60 records lack a field, 1 by incomplete_share" in shown
    assert "ok    schema_validation: All 60 records match schema" in shown
    assert re.findall(r"^(\d/2)  \S", shown, re.MULTILINE) == ["1/2", "2/2"]

    told = json.loads(run("preview", "pets.yaml", "--records", "2", "-o", "json").stdout)
    lines = run("preview", "pets.yaml", "--records", "2", "-o", "ndjson").stdout.splitlines()
    assert [json.loads(line) for line in lines] == told["records"]
    assert told["template"]["dataset_type"] == "slack_messages"
    assert all(record["permalink"] in shown for record in told["records"])


def test_a_preview_is_of_the_catalogs_too_and_uses_the_vocabulary_beside_a_file(
    run: Run, pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run("preview", "pets.yaml").stdout
    (tmp_path / "industries").mkdir()
    words = (SHIPPED_DIR / "industries/retail.yaml").read_text(encoding="utf-8")
    words = re.sub(
        r"systems: \[[^]]*\]", f"systems: [{', '.join(f'kennel box {letter}' for letter in 'abcdefgh')}]", words
    )
    (tmp_path / "industries/retail.yaml").write_text(words, encoding="utf-8")
    other = run("preview", "pets.yaml", "--records", "40").stdout
    assert "kennel box" in other
    assert "kennel box" not in plain

    monkeypatch.setenv("DATAOPS_TEMPLATES_DIR", str(tmp_path))
    (named,) = re.findall(r"^template_id: (.*)$", pets.read_text(encoding="utf-8"), re.MULTILINE)
    assert run("preview", named, "--records", "40").stdout == other


@pytest.mark.parametrize(("size", "count"), [(1000, 200), (400_000, 167), (1_000_000, 67)])
def test_long_records_are_measured_as_far_as_they_have_room(size: int, count: int) -> None:
    template = load_catalog().templates[0].model_copy(update={"bytes_per_record": size})
    assert measured(template, 200) == count
    assert measured(template, 20) == 20


def test_words_that_the_generator_cannot_use_are_noted(run: Run, pets: Path) -> None:
    text = pets.read_text(encoding="utf-8")
    text = re.sub(r"    verbs: \[", "    verbs: [reconcile, reconcile, ", text, count=1)
    text = re.sub(r"    practices: \[", "    practices: [key rotation, ", text, count=1)
    first, second = re.findall(r"    nouns: \[([^,\]]+),", text)[:2]
    pets.write_text(text.replace(f"nouns: [{second},", f"nouns: [{first},"), encoding="utf-8")
    shown = " ".join(run("preview", "pets.yaml").stdout.split())
    assert "'reconcile' is there twice: once is enough" in shown
    assert "'reconcile', 'reconcile': third person singular ends in -s" in shown
    assert "'key rotation': a practice begins with a verb in -ing" in shown
    assert f"has them: '{first}'" in shown


class _Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", list(DATASET_TYPES))
def test_the_page_needs_nothing_else_and_shows_markup_as_text(name: str) -> None:
    catalog = load_catalog()
    template = catalog.for_type(name)[0]
    hostile = {"name": "<script>alert(1)</script>", "description": '"><img src=x onerror=alert(1)>'}
    seen = preview(template.model_copy(update=hostile), catalog.vocabulary(template.industry), records=2)
    parsed = _Page()
    parsed.feed(page.render(seen))
    known = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "br", "table", "tr", "td"}
    known |= {"th", "wbr", "div", "figure", "figcaption", "svg", "rect", "text", "article", "pre", "details", "summary"}
    assert {tag for tag, _ in parsed.tags} <= known
    assert not {key for _, attributes in parsed.tags for key in attributes} & {"src", "href", "onerror", "onload"}
    assert hostile["name"] in parsed.text
    assert hostile["description"] in parsed.text
    for sample in seen.records:
        assert sample.text in parsed.text
        assert json.dumps(sample.record, indent=2, ensure_ascii=False) in parsed.text


def test_a_page_replaces_a_page_and_nothing_else(run: Run, pets: Path) -> None:
    for _ in range(2):
        assert run("preview", "pets.yaml", "--html", "pets.html").exit_code == 0
    before = pets.read_bytes()
    refused = run("preview", "pets.yaml", "--html", "pets.yaml")
    assert (refused.exit_code, refused.stderr) == (2, "dataops: pets.yaml is there and no page: give another name.\n")
    assert pets.read_bytes() == before


def test_a_difference_is_told_with_what_it_does(run: Run, pets: Path, tmp_path: Path) -> None:
    text = pets.read_text(encoding="utf-8")
    (tmp_path / "same.yaml").write_text(text.replace("version: 1", "version: 1 # a word"), encoding="utf-8")
    same = run("diff", "pets.yaml", "same.yaml")
    assert (same.exit_code, same.stdout) == (0, "")

    described = re.sub(r"(?m)^name: .*", "name: Pets", text).replace("sandbox: 60", "sandbox: 70")
    (tmp_path / "described.yaml").write_text(described, encoding="utf-8")
    shown = run("diff", "pets.yaml", "described.yaml")
    assert shown.exit_code == 1
    assert "name  (what people read)\n  - Own Retail Customer Support - Slack\n  + Pets\n" in shown.stdout
    assert "record_counts.sandbox  (another number of records)\n  - 60\n  + 70\n" in shown.stdout
    assert "The first 200 records of a dataset are the same, byte by byte." in shown.stdout
    assert "version must be raised to 2: datasets change by record_counts.sandbox" in shown.stdout

    (first,) = re.findall(r"    nouns: \[([^,\]]+),", text)[:1]
    changed = described.replace(f"nouns: [{first},", "nouns: [dog lead,").replace("version: 1", "version: 2")
    (tmp_path / "changed.yaml").write_text(changed, encoding="utf-8")
    told = json.loads(run("diff", "described.yaml", "changed.yaml", "-o", "json").stdout)
    fields = {one["field"].rpartition(".")[2]: one for one in told["differences"]}
    assert (fields["nouns"]["before"], fields["nouns"]["after"]) == ([first], ["dog lead"])
    assert {name: one["effect"] for name, one in fields.items()} == {"version": "version", "nouns": "records"}
    assert told["records_that_differ"] > 0
    assert told["version_problem"] is None
    lines = run("diff", "described.yaml", "changed.yaml", "-o", "ndjson").stdout.splitlines()
    assert [json.loads(line) for line in lines] == told["differences"]
    other = json.loads(run("diff", "pets.yaml", NAME, "-o", "json").stdout)
    assert (other["records_that_differ"], other["version_problem"]) == (None, None)
