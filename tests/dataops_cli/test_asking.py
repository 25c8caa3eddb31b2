"""The commands that ask the API, on the real stack: docs/cli.md as printed, forms, errors, Ctrl-C, the doctor."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import termios
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from a_domain_sdk import DataOpsClient
from dataops_cli.asking.completing import dataset_ids, journey_ids, operation_ids, template_ids
from dataops_cli.asking.connection import DEFAULT_HOME, credentials
from dataops_cli.asking.doctor import FIXES
from dataops_cli.asking.output import Form, Output
from dataops_cli.asking.quality import bar
from dataops_core.settings import Settings
from tests.conftest import Stack

PAGE = Path(__file__).parents[2] / "docs/cli.md"
SCRIPT = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
UNKNOWN = "550e8400-e29b-41d4-a716-446655440000"
Dataops = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def asked(stack: Stack, dataops: Dataops) -> Dataops:
    """Runs a command beside the stack."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return dataops(stack.home, *arguments, **variables)

    return run


@pytest.mark.long
@pytest.mark.stack
def test_the_examples_of_the_page_run(stack: Stack, environment: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    # Other tests' datasets are there, too, and some are meant to be bad.
    assert "\ndataops doctor\n" in SCRIPT
    script = SCRIPT.replace("\ndataops doctor\n", "\ndataops doctor || [ $? -eq 1 ]\n")
    for printed in ("123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174001"):
        assert printed in script
        script = script.replace(printed, str(uuid4()))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment(stack.home, PATH=path),
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    for words in (
        "ACME-Sandbox-Confluence",
        "meets the threshold of 95.",
        "is active, in the stage sandbox",
        "deleted",
        "record_counts.sandbox",
        "document_count        20\n",
        "Journey event accepted",
    ):
        assert words in done.stdout
    assert "The API gives a token." in done.stdout
    assert "archived" in done.stdout
    assert (tmp_path / "records.parquet").read_bytes()[:4] == b"PAR1"
    assert "Who is the author of the page that names" in done.stdout
    assert zipfile.is_zipfile(tmp_path / "acme.beir.zip")
    assert "completed 6/6 (100 %)" not in done.stderr, "the provisioning is quiet"
    assert "completed 4/4 (100 %)" in done.stderr, "the teardown is not"


def test_where_there_is_nothing_people_are_told_and_programs_get_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    said = {}
    for form in Form:
        Output(form).rows([], {"TITLE": "title"}, key="url")
        said[form] = capsys.readouterr()
    assert said == {Form.TABLE: ("", "Nothing found.\n"), Form.JSON: ("[]\n", ""), Form.NDJSON: ("", "")}


@pytest.mark.stack
def test_forms_are_for_people_and_for_programs(asked: Dataops) -> None:
    table, as_json, lines, ids = (
        asked("templates", "list", *form).stdout for form in ((), ("-o", "json"), ("-o", "ndjson"), ("-q",))
    )
    whole = json.loads(as_json)
    assert [json.loads(line) for line in lines.splitlines()] == whole
    assert ids.splitlines() == [template["template_id"] for template in whole]
    head, *rows = table.splitlines()
    assert head.split("  ")[0] == "TEMPLATE ID"
    assert len(rows) == len(whole)
    assert all(template["name"] in row for template, row in zip(whole, rows, strict=True))


@pytest.mark.stack
def test_an_answer_that_cannot_be_written_is_told_and_one_that_nobody_reads_is_not(
    stack: Stack, environment: Callable[..., dict[str, str]]
) -> None:
    full = (1, "dataops: The answer cannot be written (No space left on device).\n")
    for words, told in (
        ("templates list -o ndjson > /dev/full", full),
        ("doctor > /dev/full", full),
        ("templates list -o ndjson | true", (0, "")),
    ):
        command = f'set -o pipefail; "$0" -m dataops_cli.main {words}'
        done = subprocess.run(
            ["bash", "-c", command, sys.executable],
            env=environment(stack.home),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == told


@pytest.mark.stack
def test_in_a_narrow_terminal_ids_are_whole_and_what_has_no_room_is_left_out(
    stack: Stack, environment: Callable[..., dict[str, str]]
) -> None:
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 60))
    known = {name: value for name, value in environment(stack.home).items() if name != "COLUMNS"}
    command = [sys.executable, "-m", "dataops_cli.main", "templates", "list", "--industry", "fintech"]
    with subprocess.Popen(command, env=known, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # which is how a terminal ends
            while piece := os.read(ours, 4096):
                shown += piece
    os.close(ours)
    assert process.returncode == 0
    head, first, *_ = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).splitlines()
    assert head.split() == ["TEMPLATE", "ID", "NAME"]
    assert str(UUID(first.split()[0])) == first.split()[0]
    assert len(head) == 60


@pytest.mark.stack
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("datasets", "show", UNKNOWN), f"Dataset not found; dataset_id: {UNKNOWN} (NOT_FOUND 404, request "),
        (("datasets", "show", "no-id"), "Request validation failed; dataset_id: "),
        (("datasets", "restore", ".."), "an id must not be empty"),
        (
            ("datasets", "provision", "--client", UNKNOWN, "--stage", "pilot", "--type", "floppies"),
            "Request validation failed; ",
        ),
        (
            ("datasets", "provision", "--client", UNKNOWN, "--stage", "pilot", "--type", "x", "--field", "odd"),
            "--field odd: must be NAME=VALUE",
        ),
    ],
    ids=["unknown", "no id", "empty", "unknown type", "no value"],
)
def test_what_cannot_be_done_is_said_in_one_line(asked: Dataops, arguments: tuple[str, ...], sentence: str) -> None:
    done = asked(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"dataops: {sentence}")
    assert done.stderr.count("\n") == 1


@pytest.mark.stack
def test_a_dataset_and_its_connector_are_looked_at(stack: Stack, asked: Dataops, tmp_path: Path) -> None:
    options = ("--client", str(uuid4()), "--stage", "sandbox", "--type", "github_repos", "--records", "20")
    dataset_id = asked("datasets", "provision", *options, "-q").stdout.strip()
    with DataOpsClient(**stack.credentials) as client:
        connector = client.datasets.get_connector(dataset_id)

    def told() -> list[dict[str, str]]:
        """What the doctor says of this dataset."""
        done = asked("doctor", "-o", "ndjson")
        findings = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == any(one["state"] == "wrong" for one in findings)
        return [one for one in findings if dataset_id in one["what"]]

    assert told() == []
    assert asked("connector", "search", dataset_id, "").stderr.startswith(
        "dataops: The request is not valid: see /query; query: String should have at least 1 character "
        "(invalid_parameter 400, request "
    )
    line, whole, fields = (
        asked("datasets", "records", dataset_id, "--limit", "1", *form).stdout
        for form in ((), ("-o", "json"), ("-o", "table"))
    )
    assert [json.loads(line)] == json.loads(whole)
    assert {name for name in json.loads(line) if fields.count(name)} == {*json.loads(line)}
    missing = tmp_path / "missing/records.parquet"
    for save, sentence in (
        (("--save", str(missing)), f"{missing} cannot be written (No such file or directory)."),
        (("--save", "records.csv"), "--save records.csv: must end in .parquet, .ndjson, .jsonl"),
        (("--save", "x.ndjson", "--limit", "1"), "--save writes all records: leave out --limit, or redirect what is "),
    ):
        done = asked("datasets", "records", dataset_id, *save)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"dataops: {sentence}")

    (index,) = (stack.home / "data/connectors" / connector.connector_id).glob("*.db")
    index.rename(index.with_suffix(".aside"))
    forced = asked("quality", "validate", dataset_id, "--check", "connector_health", "--force")
    assert (forced.returncode, "nothing was checked again" in forced.stderr) == (0, False)
    fresh = asked("quality", "validate", dataset_id)
    assert (fresh.returncode, "nothing was checked again. --force does." in fresh.stderr) == (0, True)
    quality, searched = told()
    assert quality["state"] == searched["state"] == "wrong"
    assert re.search(r"\(\S+\) is below its threshold: [\d.]+ of 95; connector_health failed\.$", quality["what"])
    assert f"`dataops quality show {dataset_id}` says why" in quality["fix"]
    assert searched["what"].endswith("is unhealthy: doc_parity: the index is damaged")
    assert f"{stack.home}/logs/api.log" in searched["fix"]
    index.with_suffix(".aside").rename(index)

    # One that is not there keeps none of the others from being deleted.
    gone = asked("datasets", "delete", UNKNOWN, dataset_id, "--no-archive", "-o", "json")
    assert gone.returncode == 2
    assert [(one["dataset_id"], one["status"]) for one in json.loads(gone.stdout)] == [(dataset_id, "deleted")]
    assert gone.stderr.startswith(f"dataops: Dataset not found; dataset_id: {UNKNOWN} (NOT_FOUND 404, request ")


@pytest.mark.stack
def test_the_logs_that_the_doctor_names_are_there(stack: Stack) -> None:
    named = re.findall(r"{logs}/(\S+\.log)", " ".join(FIXES.values()))
    assert len(named) >= 5
    embedded = {"postgres.log"} if stack.embedded else set()
    assert {name for name in named if (stack.home / "logs" / name).exists()} == {*named} - {"postgres.log"} | embedded


@pytest.mark.stack
def test_ids_are_completed_with_what_they_are(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAOPS_HOME", str(stack.home))
    with DataOpsClient(**stack.credentials) as client:
        begun = client.datasets.create(
            journey_id=uuid4(),
            client_id=uuid4(),
            stage="pilot",
            dataset_types=["jira_issues"],
            generation={"record_count": 20},
        ).wait()
        dataset = client.datasets.get(begun.result.datasets[0].dataset_id)
    assert (dataset.dataset_id, f"{dataset.name}, ready") in dataset_ids("")
    assert dataset_ids(dataset.dataset_id[:20]) == [(dataset.dataset_id, f"{dataset.name}, ready")]
    assert (begun.operation_id, "dataset_provisioning, completed") in operation_ids(begun.operation_id[:4])
    assert (dataset.journey_id, "as far as pilot") in journey_ids("")
    whole, said = template_ids("")[-1]
    assert template_ids(whole[:20]) == [(whole, said)]


@pytest.mark.stack
def test_ctrl_c_says_what_goes_on_and_what_it_names_does_so(
    stack: Stack, asked: Dataops, environment: Callable[..., dict[str, str]]
) -> None:
    options = ("--client", str(uuid4()), "--stage", "production", "--type", "confluence_pages", "--records", "5000")
    process = subprocess.Popen(
        [sys.executable, "-m", "dataops_cli.main", "datasets", "provision", *options],
        env=environment(stack.home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    assert re.match(r"(pending|in_progress) \d/6", first)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1].splitlines()[-1]

    assert process.returncode == 130
    found = re.search(r"Stopped watching\. Operation (\S+) goes on at the server", said)
    assert found is not None
    with DataOpsClient(**stack.credentials) as client:
        assert not client.operations.get(found[1]).is_complete()

    # The ways on that it names, as commands; a retry is another attempt of the same operation.
    cancelled = json.loads(asked("operations", "cancel", found[1], "-o", "json").stdout)
    assert (cancelled["operation_id"], cancelled["status"]) == (found[1], "cancelled")
    again = asked("operations", "cancel", found[1])
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.startswith(f"dataops: The operation is cancelled already; operation_id: {found[1]}; ")
    watched = asked("operations", "watch", found[1])
    assert watched.returncode == 1
    assert watched.stderr.splitlines()[-1] == (
        f"dataops: Operation {found[1]} was cancelled. See it with `dataops operations show {found[1]}`."
    )
    retried = asked("operations", "retry", found[1], "--no-wait")
    assert (retried.returncode, retried.stdout) == (0, f"{found[1]}\n")
    shown = json.loads(asked("operations", "show", found[1], "-o", "json").stdout)
    assert (shown["attempt"], shown["error"]) == (2, None)
    assert asked("operations", "cancel", found[1]).returncode == 0


@pytest.mark.stack
def test_a_login_is_kept_for_its_owner_alone_and_forgotten(
    stack: Stack, dataops: Dataops, home: Path, tmp_path: Path
) -> None:
    known = stack.credentials
    place = {"XDG_CONFIG_HOME": str(tmp_path), "DATAOPS_HOME": ""}
    options = ("--base-url", known["base_url"], "--client-id", known["client_id"], "--secret-stdin")
    command = [sys.executable, "-m", "dataops_cli.main", "login", *options]
    environment = {**os.environ, **place, "HOME": str(tmp_path)}

    refused = subprocess.run(command, env=environment, input="wrong\n", capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "invalid_client 401" in refused.stderr
    variables = {**environment, "DATAOPS_CLIENT_SECRET": known["client_secret"]}
    empty = subprocess.run(command, env=variables, input="\n", capture_output=True, text=True, check=False)
    assert (empty.returncode, empty.stderr[:27]) == (2, "dataops: No secret came in:")
    kept = tmp_path / "dataops/login.json"
    assert not kept.exists()

    done = subprocess.run(
        command, env=environment, input=f"{known['client_secret']}\n", capture_output=True, text=True, check=False
    )
    assert done.stdout == f"Logged in to {known['base_url']}; kept in {kept}.\n"
    assert done.stderr == ""
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    variables = {**environment, "DATAOPS_HOME": str(stack.home)}
    done = subprocess.run(
        command, env=variables, input=f"{known['client_secret']}\n", capture_output=True, text=True, check=False
    )
    assert done.stderr == "It counts where DATAOPS_HOME is not set: commands ask what that names.\n"
    assert dataops(home, "templates", "list", "-q", HOME=str(tmp_path), **place).returncode == 0
    assert dataops(home, "logout", **place).stdout == f"Removed {kept}.\n"
    assert dataops(home, "templates", "list", HOME=str(tmp_path), **place).returncode == 2


def test_where_nothing_is_known_it_says_what_to_do(home: Path, dataops: Dataops) -> None:
    done = dataops(home, "datasets", "list")
    assert done.returncode == 2
    assert done.stderr.startswith("dataops: No API is known: start one with `dataops up`")


def test_an_address_alone_takes_the_place_of_that_in_the_file_and_of_its_token_endpoint(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(exist_ok=True)
    known = {"client_id": "id", "client_secret": "s", "token_url": "http://one.example/token"}
    (home / "credentials.json").write_text(json.dumps({**known, "base_url": "http://one.example/v1/dataops"}))
    for name in ("CLIENT_ID", "CLIENT_SECRET", "TOKEN_URL"):
        monkeypatch.delenv(f"DATAOPS_{name}", raising=False)
    monkeypatch.setenv("DATAOPS_HOME", str(home))
    monkeypatch.setenv("DATAOPS_BASE_URL", "http://other.example/v1/dataops")

    assert credentials() == {
        "client_id": "id",
        "client_secret": "s",
        "base_url": "http://other.example/v1/dataops",
    }


def test_an_api_that_is_not_there_is_named(home: Path, dataops: Dataops) -> None:
    known = {"BASE_URL": "http://127.0.0.1:9/v1/dataops", "CLIENT_ID": "id", "CLIENT_SECRET": "s"}
    variables = {f"DATAOPS_{name}": value for name, value in known.items()}
    done = dataops(home, "operations", "list", **variables)
    assert done.returncode == 1
    assert re.fullmatch(r"dataops: http://127.0.0.1:9 cannot be reached: .*\. `dataops doctor` says .*\n", done.stderr)

    sick = dataops(home, "doctor", "-o", "ndjson", **variables)
    assert sick.returncode == 1
    findings = [json.loads(line) for line in sick.stdout.splitlines()]
    assert [one["state"] for one in findings] == ["fine", "odd", "fine", "wrong"]
    assert findings[-1]["what"].startswith("The API does not answer")


def test_the_default_home_is_that_of_the_settings() -> None:
    assert Settings.model_fields["home"].default == DEFAULT_HOME


def test_a_score_is_a_bar() -> None:
    assert [bar(score) for score in (0, 50, 99.4, 100, None)] == ["▁", "▅", "█", "█", "!"]
