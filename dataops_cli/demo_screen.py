"""What the demo shows: a progress bar and tables on a terminal, plain lines anywhere else.

Belongs here: how things look. Does not belong here: what is done and what must be true (``demo.py``).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from a_domain_sdk import Dataset, Quality, QualityCheck

_SNIPPET_LENGTH = 160
_CHECKS = ("schema_validation", "data_completeness", "connector_health", "sample_query_success")
_HEADER = ("dataset, check", "score", "result", "details")


class Steps:
    """The steps of an operation, shown as they happen. ``see`` is told how far it is."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.shown = 0

    def see(self, step: int, description: str | None, *, completed: bool) -> None:
        """The operation is at ``step`` (from 1; 0: it waits to run)."""
        for number in range(self.shown + 1, step + 1):
            self.shown = number
            self.begin(number, description if number == step and description else self.names[number - 1])
        if completed:
            self.end()

    def begin(self, number: int, name: str) -> None:
        """A step begins."""
        raise NotImplementedError

    def end(self) -> None:
        """The last step has ended."""
        raise NotImplementedError


class _PlainSteps(Steps):
    def __init__(self, screen: "Screen", names: Sequence[str]) -> None:
        super().__init__(names)
        self._screen = screen
        self._began = time.monotonic()

    def begin(self, number: int, name: str) -> None:
        self._screen.line(f"  step {number} of {len(self.names)}: {name} ({time.monotonic() - self._began:.1f} s)")

    def end(self) -> None:
        self._screen.line(f"  completed ({time.monotonic() - self._began:.1f} s)")


class _BarSteps(Steps):
    def __init__(self, progress: Progress, names: Sequence[str]) -> None:
        super().__init__(names)
        self._progress = progress
        self._task = progress.add_task("Waiting to run", total=len(names))

    def begin(self, number: int, name: str) -> None:
        total = len(self.names)
        self._progress.update(self._task, completed=number - 1, description=f"{number} of {total}  {escape(name)}")

    def end(self) -> None:
        self._progress.update(self._task, completed=len(self.names), description="Completed")


class Screen:
    """Where the demo is shown."""

    def __init__(self, out: TextIO) -> None:
        self._terminal = out.isatty()
        self._console = Console(file=out, force_terminal=self._terminal, highlight=False, soft_wrap=not self._terminal)

    def chapter(self, title: str) -> None:
        """What comes now."""
        self._console.print()
        self._console.print(title, style="bold", markup=False)

    def line(self, text: str = "") -> None:
        """A line of plain text."""
        self._console.print(text, markup=False)

    def failure(self, text: str) -> None:
        """The one sentence that says what went wrong."""
        self._console.print(text, style="bold red", markup=False, soft_wrap=True)

    def pairs(self, pairs: Mapping[str, str]) -> None:
        """Names with what they stand for, in two columns."""
        width = max(map(len, pairs))
        for name, value in pairs.items():
            self._console.print(f"  {name:<{width}}  {value}", markup=False, soft_wrap=True)

    @contextmanager
    def steps(self, names: Sequence[str]) -> Iterator[Steps]:
        """Shows the steps of one operation."""
        if not self._terminal:
            yield _PlainSteps(self, names)
            return
        columns = (TextColumn("  {task.description:<32}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console) as progress:
            yield _BarSteps(progress, names)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Shows that something takes a moment."""
        if not self._terminal:
            self.line(text)
            yield
            return
        with self._console.status(escape(text)):
            yield
        self.line(text)

    def quality(self, rows: Sequence[tuple[Dataset, Quality]]) -> None:
        """The quality table: each dataset with its score, its four checks below."""
        cells = [row for dataset, quality in rows for row in _quality_rows(dataset, quality)]
        if self._terminal:
            table = Table(box=box.SIMPLE_HEAD)
            for name in _HEADER:
                table.add_column(name, justify="right" if name == "score" else "left")
            for row in cells:
                table.add_row(*map(escape, row), style=None if row[0].startswith(" ") else "bold")
            self._console.print(table)
            return
        widths = [max(len(row[column]) for row in (_HEADER, *cells)) for column in range(len(_HEADER))]
        for name, score, result, details in (_HEADER, *cells):
            self.line(f"  {name:<{widths[0]}}  {score:>{widths[1]}}  {result:<{widths[2]}}  {details}")

    def hits(self, question: str, where: str, results: Sequence[Mapping[str, Any]]) -> None:
        """What a connector found."""
        self.line(f"  ? {question}   ({where})")
        for result in results:
            self._console.print(f"    {result['title']}", style="cyan", markup=False, soft_wrap=True)
            self._console.print(f"      {result['url']}", style="dim", markup=False, soft_wrap=True)
            for snippet in result.get("snippets", ())[:1]:
                self._console.print(f"      {_shortened(snippet)}", markup=False, soft_wrap=True)


def mebibytes(size: int | None) -> str:
    """``15.0 MiB``."""
    return f"{(size or 0) / 1024 / 1024:.1f} MiB"


def _quality_rows(dataset: Dataset, quality: Quality) -> list[tuple[str, str, str, str]]:
    result = f"{'meets' if quality.meets_threshold else 'misses'} {quality.threshold:g}"
    size = f"{dataset.record_count} records, {mebibytes(dataset.size_bytes)}"
    rows = [(dataset.name, str(quality.overall_score), result, size)]
    for name in _CHECKS:
        check: QualityCheck = getattr(quality.checks, name)
        rows.append((f"  {name}", str(check.score), check.status, check.details or ""))
    return rows


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SNIPPET_LENGTH else f"{text[: _SNIPPET_LENGTH - 1]}…"
