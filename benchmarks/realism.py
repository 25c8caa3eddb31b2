"""How near the generated text comes to what people write: each type beside Faker's text and real text.

    .venv/bin/python -m benchmarks.realism [--records 500]

Of each text the table shows how many of its sentences and of its 5-grams of words are said once, how far two documents
are alike at most (Jaccard of their 8-word shingles, without near duplicates that are planted and those that repeat the
same one), how well zstd (level 3) compresses it, and the exponent of its word frequencies: the slope of frequency over
rank, both as logarithms, at ranks spaced evenly by logarithm, of the first 100,000 words (texts of one length, since
the exponent grows with the length). A sentence has four words at least and ends as one; headings and cells of tables
are none. Real text is what comes with Python and the packages that are installed: docstrings, and the topics of
``help()``. Targets are reported, never asserted; they are for documents of 30 KB (``confluence_pages``).
"""

import argparse
import ast
import importlib.util
import inspect
import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import pyarrow as pa
from faker import Faker
from rich.console import Console
from rich.table import Table

from benchmarks.generation import CLIENT
from dataops_core.company.build import build_company
from dataops_core.connectors.embedded.text import plain_text
from dataops_core.dataset_types.base import GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.generation.seeding import default_seed
from dataops_core.lifecycle import Stage
from dataops_core.templates.loader import load_catalog

TARGET_SENTENCES, TARGET_GRAMS, TARGET_ALIKE, TARGET_ZSTD = 0.70, 0.47, 0.05, 5.7
#: Packages whose docstrings are prose by many hands.
PACKAGES = ("sqlalchemy", "pandas", "numpy", "dagster", "pydantic")
JUDGED = "confluence_pages"
_WORD = re.compile(r"[a-z0-9][\w'/-]*")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_LEAST_WORDS = 4
_GRAM, _SHINGLE = 5, 8
_ZIPF_WORDS, _ZIPF_POINTS = 100_000, 60
_LEAST_BYTES = 1000


@dataclass(frozen=True)
class Realism:
    """What a text is like. Shares are from 0 to 1."""

    megabytes: float
    distinct_sentences: float
    distinct_grams: float
    alike: float
    zstd: float
    zipf: float

    @classmethod
    def of(cls, texts: Sequence[str], planted: Collection[frozenset[int]] = ()) -> "Realism":
        """Of documents; ``planted`` names pairs of them that are alike on purpose."""
        words = [_WORD.findall(text.lower()) for text in texts]
        said = Counter(sentence for text in texts for sentence in _sentences(text))
        grams = [gram for each in words for gram in _shingles(each, _GRAM)]
        whole = "\n".join(texts).encode()
        return cls(
            megabytes=len(whole) / 1e6,
            distinct_sentences=len(said) / max(1, said.total()),
            distinct_grams=len(set(grams)) / max(1, len(grams)),
            alike=_most_alike([set(_shingles(each, _SHINGLE)) for each in words], planted),
            zstd=len(whole) / len(pa.Codec("zstd", 3).compress(whole, asbytes=True)),
            zipf=_exponent([word for each in words for word in each]),
        )


def _sentences(text: str) -> list[str]:
    parts = (part.strip() for part in _SENTENCE.split(text))
    return [part for part in parts if part.endswith((".", "!", "?")) and len(part.split()) >= _LEAST_WORDS]


def _shingles(words: Sequence[str], width: int) -> list[int]:
    """So many words in a row, from each place on, each as a number."""
    return [hash(tuple(words[place : place + width])) for place in range(len(words) - width + 1)]


def _most_alike(shingles: Sequence[set[int]], planted: Collection[frozenset[int]]) -> float:
    """The greatest Jaccard coefficient of two documents that are not planted to be alike."""
    holders: dict[int, list[int]] = defaultdict(list)
    for document, has in enumerate(shingles):
        for shingle in has:
            holders[shingle].append(document)
    shared: Counter[tuple[int, int]] = Counter()
    for documents in holders.values():
        shared.update(combinations(documents, 2))
    greatest = 0.0
    for (one, other), count in shared.items():
        if frozenset((one, other)) not in planted:
            greatest = max(greatest, count / (len(shingles[one]) + len(shingles[other]) - count))
    return greatest


def _exponent(words: Sequence[str]) -> float:
    counts = np.array(sorted(Counter(words[:_ZIPF_WORDS]).values(), reverse=True), dtype=float)
    ranks = np.unique(np.geomspace(1, len(counts), _ZIPF_POINTS).astype(int))
    slope, _ = np.polyfit(np.log(ranks), np.log(counts[ranks - 1]), 1)
    return -float(slope)


def generated(type_name: str, count: int) -> Realism:
    """The type's documents, of the first template for it and the industry of the others."""
    catalog, kind = load_catalog(), DATASET_TYPES[type_name]
    template = next(t for t in catalog.templates if t.dataset_type == type_name and t.industry == "fintech")
    builder = kind.builder(
        GenerationSpec(
            template=template,
            vocabulary=catalog.vocabulary(template.industry),
            company=build_company(CLIENT),
            stage=Stage.SANDBOX,
            seed=default_seed(CLIENT, Stage.SANDBOX, type_name),
            record_count=count,
        )
    )
    documents = [kind.document(row) for row in builder.rows(0, count).to_pylist()]
    # Those that repeat the same document are alike, too.
    families: dict[int, set[int]] = defaultdict(set)
    for one in builder.planted():
        if one.related is not None:
            families[one.related] |= {one.row, one.related}
    planted = {frozenset(pair) for family in families.values() for pair in combinations(family, 2)}
    return Realism.of([plain_text(each.body, each.mime_type) for each in documents], planted)


def faked(megabytes: float) -> Realism:
    """Faker's paragraphs, as much of them, in documents of 30 KB."""
    fake = Faker("en_US")
    fake.seed_instance(1)
    documents = []
    for _ in range(max(2, math.ceil(megabytes * 1e6 / 30_000))):
        parts: list[str] = []
        while sum(map(len, parts)) < 30_000:
            parts.append(" ".join(fake.paragraphs(20)))
        documents.append("\n".join(parts))
    return Realism.of(documents)


def docstrings(package: str) -> list[str]:
    """All docstrings of each module of an installed package, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"{package} is not installed")
    texts = []
    for path in sorted(Path(found.origin).parent.rglob("*.py")):
        if "tests" in path.parts:
            continue
        nodes = (
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        )
        text = "\n\n".join(inspect.cleandoc(said) for node in nodes if (said := ast.get_docstring(node, clean=False)))
        if len(text) >= _LEAST_BYTES:
            texts.append(text)
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=500)
    arguments = parser.parse_args()
    ours = {name: generated(name, arguments.records) for name in DATASET_TYPES}
    real = {f"docstrings of {package}": Realism.of(docstrings(package)) for package in PACKAGES}
    real["Python's help topics"] = Realism.of([str(text) for text in topics.values()])
    fake = {"Faker's paragraphs": faked(min(4.0, ours[JUDGED].megabytes))}
    report(ours, real, fake, arguments.records)


def report(ours: dict[str, Realism], real: dict[str, Realism], fake: dict[str, Realism], records: int) -> None:
    """Prints the table."""
    table = Table(title=f"{records} documents of each type, beside Faker's and real text")
    for heading in ("text", "MB", "sentences", "5-grams", "most alike", "zstd", "Zipf"):
        table.add_column(heading, justify="left" if heading == "text" else "right")
    for group in (ours, fake, real):
        for name, of in group.items():
            table.add_row(
                name,
                f"{of.megabytes:.1f}",
                f"{of.distinct_sentences:.1%}",
                f"{of.distinct_grams:.1%}",
                f"{of.alike:.3f}",
                f"{of.zstd:.2f}",
                f"{of.zipf:.2f}",
            )
        table.add_section()
    judged, slopes = ours[JUDGED], sorted(each.zipf for each in real.values())
    holds = {
        f"sentences at least {TARGET_SENTENCES:.0%}": judged.distinct_sentences >= TARGET_SENTENCES,
        f"5-grams at least {TARGET_GRAMS:.0%}": judged.distinct_grams >= TARGET_GRAMS,
        f"alike at most {TARGET_ALIKE}": judged.alike <= TARGET_ALIKE,
        f"zstd at most {TARGET_ZSTD}": judged.zstd <= TARGET_ZSTD,
        f"Zipf within {slopes[0]:.2f} to {slopes[-1]:.2f} of real text": slopes[0] <= judged.zipf <= slopes[-1],
    }
    table.caption = f"{JUDGED}: " + "; ".join(f"{name}: {'met' if met else 'missed'}" for name, met in holds.items())
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
