"""Writes the blocking half of the Python SDK, ``_sync``, from its asynchronous half, ``_async``: ``make sdk``.

Both have the same methods, and each is code that an editor and a type checker can read. What is written by hand is
asynchronous; leaving out ``async`` and ``await`` and giving every ``Async…`` its other name makes the rest. The dataset
types among the words of the API are written, too: who adds one changes nothing here. A test holds what is committed
against this.
"""

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from dataops_core.dataset_types.known import DATASET_TYPES

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "sdks/python/src/a_domain_sdk"
SOURCE = PACKAGE / "_async"
TARGET = PACKAGE / "_sync"
WORDS = PACKAGE / "models/words.py"

#: In this order.
_RULES: tuple[tuple[str, str], ...] = (
    (r"\basync (?=def|with|for)", ""),
    (r"\bawait ", ""),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\b_async\b", "_sync"),
    (r"\b__a(?=enter__|exit__|iter__|next__)", "__"),
    (r"\ba(?=close\(|read\(|iter_bytes\()", ""),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\basyncio\.Lock\b", "threading.Lock"),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"^import asyncio$", "import threading"),
)


def sync(text: str) -> str:
    """The blocking form of this asynchronous code, before formatting."""
    for pattern, replacement in _RULES:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text


def rendered(source: Path) -> str:
    """The blocking form of this file, formatted and with its imports in order."""
    note = f"# Made by `make sdk` from {source.relative_to(PACKAGE)}: change that.\n"
    text = sync(source.read_text(encoding="utf-8"))
    text = f"{note}{text}" if text else text
    name = str(TARGET / source.relative_to(SOURCE))
    for command in (["check", "--quiet", "--fix-only", "--select", "I", "-"], ["format", "--quiet", "-"]):
        ruff = [str(Path(sys.executable).with_name("ruff")), *command, "--stdin-filename", name]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout  # noqa: S603
    return text


def with_types(text: str, names: Iterable[str]) -> str:
    """The module of words with these as its dataset types, as long as lines may be."""
    said = textwrap.fill(" ".join(f'"{name}",' for name in names), 120, initial_indent="    ", subsequent_indent="    ")
    block = f"DatasetType = Literal[\n{said}\n]  # fmt: skip\n"
    return re.sub(
        r"^DatasetType = Literal\[.*?^\].*?\n", lambda _: block, text, count=1, flags=re.MULTILINE | re.DOTALL
    )


def words() -> str:
    """``models/words.py`` with the dataset types that there are."""
    return with_types(WORDS.read_text(encoding="utf-8"), DATASET_TYPES)


def sources() -> list[Path]:
    """What is written by hand."""
    return sorted(SOURCE.rglob("*.py"))


def main() -> None:
    """Writes the files, and removes those that have no source any more."""
    wanted = {TARGET / source.relative_to(SOURCE): source for source in sources()}
    for target, source in wanted.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(rendered(source), encoding="utf-8")
    for stale in set(TARGET.rglob("*.py")) - wanted.keys():
        stale.unlink()
    WORDS.write_text(words(), encoding="utf-8")


if __name__ == "__main__":
    main()
