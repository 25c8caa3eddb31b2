"""Templates as files: a new one to begin from, and any one as YAML that says what each field is.

Belongs here: the text of a file, which the loader reads back as the same template. Does not belong here: where it is
put (the command line), what the fields must be (``model.py``), what they are called (``notes.py``).
"""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import yaml

from dataops_core.dataset_types.base import DatasetType
from dataops_core.dataset_types.known import dataset_type as known_type
from dataops_core.lifecycle import Industry, Stage
from dataops_core.templates.loader import Catalog
from dataops_core.templates.model import DefectShares, Template
from dataops_core.templates.notes import note
from dataops_core.templates.recommendation import recommend

_WIDTH = 118
_HEAD = "# How to write a file like this: docs/templates.md\n"


def new_template(
    catalog: Catalog,
    template_id: UUID,
    *,
    dataset_type: str,
    industry: Industry | None = None,
    use_case: str | None = None,
    name: str | None = None,
    source: Template | None = None,
) -> Template:
    """A template to begin from, of this id, that says what ``source`` says in the form of the dataset type.

    Without a source it says what the catalog's nearest template of the type says. Counts, sizes and kinds of documents
    are those of the nearest template of the type in any case, unless the source is of the type itself. Of a type that
    has no template yet, they are those of a template of another, with every kind of its own documents. Raises
    NotFoundError for an unknown type.
    """
    kind = known_type(dataset_type)
    wanted = industry or (source.industry if source else None)
    # The first template of a type is begun from one of another.
    like = kind.name if catalog.for_type(kind.name) else (source or catalog.templates[0]).dataset_type
    nearest = recommend(
        catalog,
        dataset_type=like,
        industry=wanted,
        use_case=use_case or (source.use_case if source else None),
        company_size=None,
        stage=Stage.SANDBOX,
    ).template
    if nearest.dataset_type != kind.name:
        nearest = _of_type(kind, nearest)
    source = source or nearest
    form = source if source.dataset_type == kind.name else nearest
    industry, use_case = wanted or source.industry, use_case or source.use_case
    return form.model_copy(
        update={
            "template_id": template_id,
            "version": 1,
            "name": name or f"Own {_called(catalog, industry, use_case)} - {kind.label}",
            "industry": industry,
            "use_case": use_case,
            "description": _description(kind.label, industry, source),
            "labels": source.labels,
            "topics": source.topics,
        }
    )


def _of_type(kind: DatasetType, template: Template) -> Template:
    """The template as one of another type: with all of its kinds of documents, and without what it cannot have."""
    shares = {name: share for name, share in template.defects.model_dump().items() if name in kind.defects}
    return template.model_copy(
        update={
            "dataset_type": kind.name,
            "archetypes": dict.fromkeys(sorted(kind.archetypes), 10),
            "defects": DefectShares(**shares),
            "seasonality": template.seasonality if kind.seasonal else {},
        }
    )


def as_yaml(template: Template) -> str:
    """The template as a file, each field under what it is. Raises NotFoundError for an unknown type."""
    return _HEAD + "".join(_lines(template))


def _lines(template: Template) -> Iterator[str]:
    for name, value in template.model_dump(mode="json").items():
        yield from _noted((name,))
        if name == "archetypes":
            yield f"# there are {', '.join(sorted(known_type(template.dataset_type).archetypes))}\n"
        if name == "topics":
            yield "topics:\n"
            for number, topic in enumerate(value):
                yield from _topic(topic, explained=number == 0)
        else:
            yield _dumped(name, value)


def _topic(topic: Mapping[str, Any], *, explained: bool) -> Iterator[str]:
    lead = "  - "
    for name, value in topic.items():
        if explained:
            yield from (textwrap.indent(line, "  " if lead.strip() else "    ") for line in _noted(("topics", name)))
        yield lead + textwrap.indent(_dumped(name, value, _WIDTH - 4), "    ")[4:]
        lead = "    "


def _noted(path: tuple[str, ...]) -> Iterator[str]:
    told = note(path)
    if told is not None:
        yield f"# {told}\n"


def _dumped(name: str, value: Any, width: int = _WIDTH) -> str:
    """A field: a list or mapping in one flow, broken between entries only; anything else as YAML writes it."""
    if not isinstance(value, list | dict):
        text: str = yaml.safe_dump({name: value}, allow_unicode=True, width=width)
        return text
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    entries = [{key: entry} for key, entry in value.items()] if isinstance(value, dict) else [[one] for one in value]
    lines = [f"{name}: {opening}"]
    for number, entry in enumerate(entries):
        flow: str = yaml.safe_dump(entry, default_flow_style=True, allow_unicode=True, width=10_000)
        part = flow.strip()[1:-1] + (closing if number == len(entries) - 1 else ",")
        gap = "" if lines[-1].endswith(opening) else " "
        if len(lines[-1]) + len(gap) + len(part) > width:
            lines.append(f"  {part}")
        else:
            lines[-1] += gap + part
    return "\n".join(lines) + ("" if entries else closing) + "\n"


def _called(catalog: Catalog, industry: Industry, use_case: str) -> str:
    """Industry and use case as the catalog's names have them."""
    for template in catalog.find(industry=industry, use_case=use_case):
        return template.name.rpartition(" - ")[0].removeprefix("Own ") or template.name
    return f"{industry} {use_case.replace('_', ' ')}".title()


def _description(label: str, industry: Industry, source: Template) -> str:
    article = "an" if industry[0] in "aeiou" else "a"
    subjects = ", ".join(topic.title for topic in source.topics[:3])
    return f"Mock {label} content of {article} {industry} company: {subjects}"[:300]
