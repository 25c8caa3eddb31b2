"""Which template is meant: by its file, its id or its name. No server is asked.

Belongs here: reading files and the catalog of this machine (the shipped templates, and those of DATAOPS_TEMPLATES_DIR).
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from dataops_core.errors import ConfigurationError, NotFoundError
from dataops_core.templates.loader import VOCABULARIES, Catalog, check_files, load_catalog
from dataops_core.templates.model import IndustryVocabulary, Template
from dataops_core.templates.source import Problem


class FaultyError(ConfigurationError):
    """The files have problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Found:
    """A template with the vocabulary of its industry, and what it was found by."""

    template: Template
    vocabulary: IndustryVocabulary
    source: str


def find(named: str) -> Found:
    """The template of this file, id or name.

    Beside a file stands the vocabulary of the ``industries`` folder that it lies with, where that has one. Raises
    FaultyError for a file with problems, NotFoundError for an id or a name that this machine's catalog does not know.
    """
    path = Path(named)
    if path.is_file():
        return _of_file(path)
    if path.suffix in {".yaml", ".yml"}:
        raise NotFoundError(f"There is no file {named}.")
    catalog = own_catalog()
    template = find_in(catalog, named)
    return Found(template, catalog.vocabulary(template.industry), named)


def find_in(catalog: Catalog, named: str) -> Template:
    """The catalog's template of this id or name. Raises NotFoundError."""
    for template in catalog.templates:
        if named.lower() in {str(template.template_id), template.name.lower()}:
            return template
    near = difflib.get_close_matches(named, [template.name for template in catalog.templates], n=1)
    meant = f"did you mean '{near[0]}'?" if near else "`dataops templates list` asks an API for what it has."
    kind = "id" if _is_id(named) else "name"
    raise NotFoundError(f"The catalog here has no template of the {kind} {named}: {meant}")


def own_catalog() -> Catalog:
    """The shipped templates, with those of DATAOPS_TEMPLATES_DIR. Raises ConfigurationError for problems of these."""
    from dataops_core.settings import Settings  # noqa: PLC0415  a command starts only what it needs

    return load_catalog(Settings.load().templates_dir)


def _of_file(path: Path) -> Found:
    beside = path.resolve().parent / VOCABULARIES
    words = sorted(beside.glob("*.y*ml")) if beside.is_dir() else []
    checked = check_files([path, *words])
    if checked.problems:
        raise FaultyError(checked.problems)
    if not checked.templates:
        raise ConfigurationError(f"{path} is a vocabulary, no template: name a template's file.")
    ((template, file),) = checked.templates
    own = [vocabulary for vocabulary, _ in checked.vocabularies if vocabulary.industry is template.industry]
    return Found(template, own[0] if own else load_catalog().vocabulary(template.industry), file)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
