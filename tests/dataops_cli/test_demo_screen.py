"""How the demo shows an operation's steps: as plain lines where nobody watches, as a bar on a terminal."""

import io

import pytest

from dataops_cli.demo_screen import Screen


class Terminal(io.StringIO):
    """An output that calls itself a terminal."""

    def isatty(self) -> bool:
        return True


NAMES = ("Resolving", "Creating", "Publishing")


def test_plain_lines_name_each_step_once_and_in_order_also_those_that_passed_between_two_looks() -> None:
    out = io.StringIO()

    with Screen(out).steps(NAMES) as steps:
        steps.see(0, None, completed=False)
        steps.see(1, "Resolving", completed=False)
        steps.see(1, "Resolving", completed=False)
        steps.see(3, "Publishing", completed=False)
        steps.see(3, None, completed=True)

    lines = [line.partition(" (")[0] for line in out.getvalue().splitlines()]
    assert lines == [
        "  step 1 of 3: Resolving",
        "  step 2 of 3: Creating",
        "  step 3 of 3: Publishing",
        "  completed",
    ]
    assert "\x1b" not in out.getvalue()


def test_a_terminal_has_a_bar_that_ends_at_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()

    with Screen(out).steps(NAMES) as steps:
        steps.see(2, "Creating", completed=False)
        steps.see(3, None, completed=True)

    assert "━" in out.getvalue()
    assert "Completed" in out.getvalue()
    assert "100%" in out.getvalue()


def test_what_was_found_is_shown_as_it_is_and_not_as_markup() -> None:
    out = io.StringIO()
    hit = {"title": "[bold]Runbook[/bold]", "url": "https://wiki.example/1", "snippets": [f"[red]{'word ' * 60}"]}

    Screen(out).hits("who?", "ACME", [hit])

    assert "[bold]Runbook[/bold]" in out.getvalue()
    snippet = out.getvalue().splitlines()[-1].strip()
    assert snippet.startswith("[red]word word")
    assert len(snippet) == 160
    assert snippet.endswith("…")
