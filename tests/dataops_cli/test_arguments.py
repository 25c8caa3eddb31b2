"""What the command line says of itself: help, examples, versions, wrong arguments, and what a shell completes of it."""

import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from dataops_cli.main import app

Dataops = Callable[..., "subprocess.CompletedProcess[str]"]
BIN = Path(sys.executable).parent
#: What bash does when Tab is pressed after these words.
TAB = """
eval "$(_DATAOPS_COMPLETE=source_bash dataops)"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
$(complete -p dataops | sed 's/.* -F \\([^ ]*\\) .*/\\1/') dataops
printf '%s\\n' "${COMPREPLY[@]}"
"""


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Each command at or below this one, by what is typed for it."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for part, one in command.commands.items():
        yield from commands(f"{name} {part}", one)


def test_each_command_has_help_with_an_example_that_it_takes() -> None:
    known = dict(commands("dataops", typer.main.get_command(app)))
    assert len(known) > 30
    for name, command in known.items():
        assert command.help, name
        example = re.fullmatch(r"Example: (?:DATAOPS_HOME=\S+ )?(dataops .+)", command.epilog or "")
        assert example is not None, name
        (part,) = (part for part in example[1].split(" | ") if f"{name} " in f"{part} ")
        arguments = shlex.split(part.partition(name)[2])
        # Where the ids come out of a pipe, one stands for them.
        command.make_context(name, [*arguments, "id"] if part.startswith("xargs ") else arguments)


def test_the_version_is_that_of_the_package(home: Path, dataops: Dataops) -> None:
    done = dataops(home, "--version")
    assert (done.returncode, done.stdout) == (0, f"dataops {importlib.metadata.version('dataops-lifecycle')}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("datasets", "list", "--stage", "x"),
            "Invalid value for '--stage': 'x' is not one of 'sandbox', 'pilot', 'production'. "
            "See `dataops datasets list --help`.",
        ),
        (("datasets", "lst"), "No such command 'lst'. Did you mean 'list'? See `dataops datasets --help`."),
        (("--bad",), "No such option: --bad. See `dataops --help`."),
        (("operations", "show"), "Missing argument 'OPERATION_ID'. See `dataops operations show --help`."),
    ],
    ids=["value", "command", "option", "missing"],
)
def test_wrong_arguments_are_told_in_one_line(
    home: Path, dataops: Dataops, arguments: tuple[str, ...], sentence: str
) -> None:
    done = dataops(home, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"dataops: {sentence}\n")


def test_without_arguments_there_is_help(home: Path, dataops: Dataops) -> None:
    for group in ((), ("datasets",)):
        done = dataops(home, *group)
        assert done.returncode == 2
        assert done.stderr.startswith(f"Usage: {' '.join(('dataops', *group))} [OPTIONS] COMMAND")


def completed(home: Path, *words: str, **variables: str) -> list[str]:
    """What bash completes these words to."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "DATAOPS_HOME": str(home), **variables}
    done = subprocess.run(
        ["bash", "--norc", "-euc", TAB, "bash", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_options_and_their_values(home: Path) -> None:
    assert completed(home, "dataops", "dat") == ["datasets"]
    assert completed(home, "dataops", "datasets", "provision", "--re") == ["--records"]
    assert completed(home, "dataops", "datasets", "list", "--stage", "p") == ["pilot", "production"]
    assert completed(home, "dataops", "datasets", "provision", "--type", "s") == [
        "salesforce_accounts",
        "sharepoint_documents",
        "slack_messages",
    ]


def test_where_no_api_is_there_ids_are_not_completed(home: Path) -> None:
    nowhere = {"BASE_URL": "http://127.0.0.1:9/v1/dataops", "CLIENT_ID": "id", "CLIENT_SECRET": "s"}
    for variables in ({}, {f"DATAOPS_{name}": value for name, value in nowhere.items()}):
        assert completed(home, "dataops", "datasets", "show", "", HOME=str(home), **variables) == []
