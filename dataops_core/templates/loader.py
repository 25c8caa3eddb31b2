"""The catalog: every template that there is, read from YAML and validated whole.

Belongs here: finding the files, checking them against ``model.py`` and each other, and look-ups. Does not belong
here: YAML itself (``source.py``), choosing among templates (``recommendation.py``). Source: ``docs/contract.md`` C-70;
``docs/templates.md`` says how to write a file.
"""

import difflib
import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import ConfigurationError
from dataops_core.lifecycle import Industry
from dataops_core.templates.model import DefectShares, IndustryVocabulary, RecordCounts, Template, Topic
from dataops_core.templates.notes import note
from dataops_core.templates.source import Problem, Source, read_source

SHIPPED_DIR = Path(__file__).parent / "catalog"
VOCABULARIES = "industries"

_INDUSTRIES = tuple(Industry)
_ModelT = TypeVar("_ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All templates in a stable order (type, industry, use case, name), and the vocabulary of each industry."""

    templates: tuple[Template, ...]
    vocabularies: Mapping[Industry, IndustryVocabulary]

    def get(self, template_id: UUID) -> Template | None:
        """The template of this id."""
        return next((template for template in self.templates if template.template_id == template_id), None)

    def find(
        self, *, industry: str | None = None, use_case: str | None = None, dataset_type: str | None = None
    ) -> tuple[Template, ...]:
        """The templates that match all that is given, exactly; a value that none has gives none (C-70)."""
        return tuple(
            template
            for template in self.templates
            if industry in {None, template.industry}
            and use_case in {None, template.use_case}
            and dataset_type in {None, template.dataset_type}
        )

    def for_type(self, dataset_type: str) -> tuple[Template, ...]:
        """The templates of a dataset type."""
        return self.find(dataset_type=dataset_type)

    def vocabulary(self, industry: Industry) -> IndustryVocabulary:
        """What companies of the industry talk about; every template's industry has one."""
        return self.vocabularies[industry]


@dataclass(frozen=True, slots=True)
class _Read:
    """What a folder holds: each model beside the file that it came from."""

    templates: tuple[tuple[Template, Source], ...]
    vocabularies: tuple[tuple[IndustryVocabulary, Source], ...]


def load_catalog(extra_dir: Path | None = None) -> Catalog:
    """The shipped catalog (read once per process) with the templates of ``extra_dir`` (read each time).

    A template of ``extra_dir`` joins the shipped ones, or replaces the one of its template_id when its version is
    higher; a vocabulary under ``industries/`` replaces its industry's. Raises ConfigurationError that names file, line,
    field and fault of everything that is wrong; ``details["problems"]`` holds the same as data.
    """
    shipped = _shipped()
    if extra_dir is None:
        return shipped
    if not extra_dir.is_dir():
        raise ConfigurationError(f"There is no folder {extra_dir}: DATAOPS_TEMPLATES_DIR must name one, or be unset.")
    try:
        read, problems = _read_folder(extra_dir)
    except OSError as error:
        raise ConfigurationError(f"The folder {extra_dir} cannot be read: {error.strerror}.") from None
    problems += _replacement_problems(shipped, read.templates)
    _raise_for(problems)
    templates = {template.template_id: template for template in shipped.templates}
    templates.update((template.template_id, template) for template, _ in read.templates)
    vocabularies = dict(shipped.vocabularies)
    vocabularies.update((vocabulary.industry, vocabulary) for vocabulary, _ in read.vocabularies)
    return _catalog(templates.values(), vocabularies)


@functools.cache
def _shipped() -> Catalog:
    read, problems = _read_folder(SHIPPED_DIR)
    known = {vocabulary.industry for vocabulary, _ in read.vocabularies}
    problems += [
        source.problem(("industry",), f"'{template.industry}' has no vocabulary under {VOCABULARIES}/")
        for template, source in read.templates
        if template.industry not in known
    ]
    _raise_for(problems)
    return _catalog(
        (template for template, _ in read.templates),
        {vocabulary.industry: vocabulary for vocabulary, _ in read.vocabularies},
    )


def _catalog(templates: Iterable[Template], vocabularies: Mapping[Industry, IndustryVocabulary]) -> Catalog:
    ordered = sorted(
        templates,
        key=lambda template: (
            template.dataset_type,
            _INDUSTRIES.index(template.industry),
            template.use_case,
            template.name,
            template.template_id,
        ),
    )
    return Catalog(tuple(ordered), vocabularies)


def _raise_for(problems: list[Problem]) -> None:
    if not problems:
        return
    ordered = sorted(problems)
    count = "a problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    listed = "\n".join(f"  {problem}" for problem in ordered)
    raise ConfigurationError(
        f"The template catalog has {count}:\n{listed}",
        details={
            "problems": [
                {"file": problem.file, "line": problem.line, "field": problem.field, "problem": problem.text}
                for problem in ordered
            ]
        },
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """What some files hold: all that is sound, each beside its file, and all that is wrong, in order."""

    templates: tuple[tuple[Template, str], ...]
    vocabularies: tuple[tuple[IndustryVocabulary, str], ...]
    problems: tuple[Problem, ...]


def check_files(paths: Sequence[Path]) -> Checked:
    """Looks at files and folders as a catalog would, beside the shipped one, without making one of them.

    A file in a folder ``industries`` is a vocabulary, any other a template; a folder is looked at as
    ``DATAOPS_TEMPLATES_DIR`` would be. Raises ConfigurationError for a path that is neither, or a folder without any.
    """
    templates: dict[Path, Source] = {}
    vocabularies: dict[Path, Source] = {}
    for path in paths:
        if path.is_dir():
            found = {source.file: source for source in _sources(path)}
            words = {source.file: source for source in _sources(path / VOCABULARIES)}
            if not found and not words:
                raise ConfigurationError(f"The folder {path} holds no template: they are files .yaml or .yml.")
        elif path.is_file():
            source = read_source(path)
            found, words = ({}, {source.file: source}) if _in_vocabularies(path) else ({source.file: source}, {})
        else:
            raise ConfigurationError(f"There is no file or folder {path}.")
        templates |= {Path(file).resolve(): source for file, source in found.items()}
        vocabularies |= {Path(file).resolve(): source for file, source in words.items()}
    read, problems = _read(templates.values(), vocabularies.values())
    own = [(template, source) for template, source in read.templates if not _is_shipped(source)]
    problems += _replacement_problems(_shipped(), own)
    return Checked(
        tuple((template, source.file) for template, source in read.templates),
        tuple((vocabulary, source.file) for vocabulary, source in read.vocabularies),
        tuple(sorted(problems)),
    )


def _in_vocabularies(path: Path) -> bool:
    return path.resolve().parent.name == VOCABULARIES


def _is_shipped(source: Source) -> bool:
    return Path(source.file).resolve().parent == SHIPPED_DIR


def _read_folder(folder: Path) -> tuple[_Read, list[Problem]]:
    return _read(_sources(folder), _sources(folder / VOCABULARIES))


def _read(sources: Iterable[Source], vocabulary_sources: Iterable[Source]) -> tuple[_Read, list[Problem]]:
    problems: list[Problem] = []
    templates = []
    for source in sources:
        template = _validated(Template, source)
        if template is not None:
            source.problems += _template_problems(template, source)
            templates.append((template, source))
        problems += source.problems
    vocabularies = []
    for source in vocabulary_sources:
        vocabulary = _validated(IndustryVocabulary, source)
        if vocabulary is not None:
            vocabularies.append((vocabulary, source))
        problems += source.problems
    problems += _repeated("template_id", ((str(template.template_id), source) for template, source in templates))
    problems += _repeated("industry", ((vocabulary.industry, source) for vocabulary, source in vocabularies))
    return _Read(tuple(templates), tuple(vocabularies)), problems


def _sources(folder: Path) -> list[Source]:
    """The folder's files in the order of their names; hidden files (an editor's) are none."""
    if not folder.is_dir():
        return []
    return [
        read_source(path)
        for path in sorted(folder.iterdir())
        if path.suffix in {".yaml", ".yml"} and not path.name.startswith(".") and path.is_file()
    ]


def _repeated(field: str, found: Iterable[tuple[str, Source]]) -> list[Problem]:
    first: dict[str, Source] = {}
    problems = []
    for value, source in found:
        if value in first:
            problems.append(source.problem((field,), f"{value} is already that of {first[value].file}"))
        first.setdefault(value, source)
    return problems


def _replacement_problems(shipped: Catalog, read: Iterable[tuple[Template, Source]]) -> list[Problem]:
    problems = []
    for template, source in read:
        replaced = shipped.get(template.template_id)
        if replaced is None:
            continue
        if template.version <= replaced.version:
            text = f"must be above {replaced.version} to replace the shipped '{replaced.name}', not {template.version}"
            problems.append(source.problem(("version",), text))
        if template.dataset_type != replaced.dataset_type:
            text = f"must stay '{replaced.dataset_type}', as in the shipped '{replaced.name}'"
            problems.append(source.problem(("dataset_type",), text))
    return problems


def _template_problems(template: Template, source: Source) -> list[Problem]:
    """What the model alone cannot say: references to other things."""
    problems = []
    dataset_type = DATASET_TYPES.get(template.dataset_type)
    if dataset_type is None:
        text = f"'{template.dataset_type}' is no dataset type: there are {_listed(DATASET_TYPES)}"
        text += _meant(template.dataset_type, DATASET_TYPES)
        problems.append(source.problem(("dataset_type",), text))
    else:
        has = f"is no archetype of {template.dataset_type}, which has {_listed(dataset_type.archetypes)}"
        problems += [
            source.problem(("archetypes", name), f"{has}{_meant(name, dataset_type.archetypes)}")
            for name in template.archetypes
            if name not in dataset_type.archetypes
        ]
        text = f"is no defect of {template.dataset_type}, which has {_listed(dataset_type.defects)}"
        problems += [
            source.problem(("defects", name), text)
            for name, share in template.defects
            if share and name not in dataset_type.defects
        ]
        if template.seasonality and not dataset_type.seasonal:
            text = f"does nothing for {template.dataset_type}, which the company numbers all year round: remove it"
            problems.append(source.problem(("seasonality",), text))
    weights = template.archetypes.values()
    if min(weights) < 0 or sum(weights) < 1:
        problems.append(source.problem(("archetypes",), "weights must be 0 or more, and one at least above 0"))
    keys: dict[str, int] = {}
    for index, topic in enumerate(template.topics):
        if topic.key in keys:
            problems.append(
                source.problem(("topics", index, "key"), f"'{topic.key}' is topic {keys[topic.key]} already")
            )
        keys.setdefault(topic.key, index)
    return problems


def _validated(model: type[_ModelT], source: Source) -> _ModelT | None:
    if source.data is None:
        return None
    try:
        # As JSON, since only there does pydantic's strict mode take a list as a tuple and text as a UUID.
        return model.model_validate_json(json.dumps(source.data), strict=True)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        for fault in faults:
            path = tuple(part for part in fault["loc"] if part != "[key]")
            if fault["type"] == "too_short" and any(other["loc"][:-1] == fault["loc"] for other in faults):
                continue  # pydantic counts the sound entries only; the unsound ones are named themselves
            source.problems.append(source.problem(path, _said(fault, path, model)))
        return None


#: Where a fault's ``loc`` leads: the model that the field belongs to, by the name of what holds it.
_NESTED: Mapping[str, type[BaseModel]] = {"defects": DefectShares, "record_counts": RecordCounts, "topics": Topic}


def _said(fault: ErrorDetails, path: tuple[str | int, ...], model: type[BaseModel]) -> str:
    """The fault in a sentence whose subject is the field, with what to do about it."""
    context = fault.get("ctx", {})
    match fault["type"]:
        case "missing":
            told = note(path)
            return f"is missing: add it ({told})" if told else "is missing: add it"
        case "extra_forbidden":
            *_, name = map(str, fault["loc"])
            fields = _NESTED.get(str(fault["loc"][0]), model) if len(fault["loc"]) > 1 else model
            return f"is no such field: {_known(name, fields.model_fields)}"
        case "too_short":
            return f"needs {context['min_length']} entries or more, not {context['actual_length']}"
        case "string_type":
            quotes = " (put it in quotes)" if isinstance(fault["input"], bool | int | float) else ""
            return f"must be text, not {_shown(fault['input'])}{quotes}"
        case "string_pattern_mismatch":
            return f"must match {context['pattern']}, not {_shown(fault['input'])}{_mended(fault)}"
        case "enum":
            meant = _meant(str(fault["input"]), context["expected"].replace("'", "").replace(" or ", ", ").split(", "))
            return f"must be {context['expected']}, not {_shown(fault['input'])}{meant}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"must hold fields, not {_shown(fault['input'])}"
        case "tuple_type":
            return f"must be a list, not {_shown(fault['input'])}"
    text = fault["msg"]
    for said, meant in (("Input should ", "must "), ("String should ", "must "), ("Dictionary should ", "must ")):
        text = text.replace(said, meant)
    return f"{text}, not {_shown(fault['input'])}"


def _known(name: str, names: Iterable[str]) -> str:
    """The name that was meant, or all that there are."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f"did you mean '{near[0]}'?" if near else f"there are {_listed(names)}"


def _meant(name: str, names: Iterable[str]) -> str:
    """The name that was meant, where one is near."""
    near = difflib.get_close_matches(name.lower(), list(names), n=1)
    return f": did you mean '{near[0]}'?" if near else ""


def _mended(fault: ErrorDetails) -> str:
    """The value as its pattern would have it, where that is only a matter of spelling."""
    pattern = fault.get("ctx", {})["pattern"]
    for joint in "_-":
        spelled = re.sub(r"[^a-z0-9]+", joint, str(fault["input"]).lower()).strip(joint)
        if re.fullmatch(pattern, spelled):
            return f": write '{spelled}'"
    return ""


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "fields"
    if value is None:
        return "empty"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
