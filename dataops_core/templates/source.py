"""One YAML file as plain data that remembers its lines, read so that no file can hurt: what the loader validates.

Belongs here: reading a file within limits (size, depth, no aliases, no tags of one's own) and finding the line of a
field. Does not belong here: what the fields mean (``model.py``, ``loader.py``).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

#: A catalog file is a few KiB; anything near this is no template.
MAX_BYTES = 2**20
MAX_DEPTH = 16

#: libyaml's parser where PyYAML was built with it: the same nodes, ten times as fast.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
#: What no text of a record may hold: control characters, and halves of a character.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NUMBERS = {"int": "whole number", "float": "number", "bool": "truth value"}
_FieldPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong in a file, and where. ``field`` is a dotted path, empty for the file as a whole."""

    file: str
    line: int
    field: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        return f"{where}: {self.field}: {self.text}" if self.field else f"{where}: {self.text}"


class _UnusableError(Exception):
    """The file cannot be read any further; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(slots=True)
class Source:
    """A file as read. ``data`` is None where nothing can be validated; ``problems`` then says why."""

    file: str
    data: dict[str, Any] | None = None
    problems: list[Problem] = field(default_factory=list)
    lines: dict[_FieldPath, int] = field(default_factory=dict)

    def line(self, path: _FieldPath) -> int:
        """The line of the field (its key's line); where the field is not in the file, that of what would hold it."""
        while path not in self.lines:
            if not path:
                return 1
            path = path[:-1]
        return self.lines[path]

    def problem(self, path: _FieldPath, text: str) -> Problem:
        """A problem of the field at ``path``."""
        return Problem(self.file, self.line(path), dotted(path), text)


def dotted(path: _FieldPath) -> str:
    """``topics.1.nouns.3``: keys, and positions counted from 0."""
    return ".".join(str(part) for part in path)


def read_source(path: Path) -> Source:
    """The file's mapping. Never raises for what the file holds: see ``Source.problems``."""
    source = Source(str(path))
    try:
        text = _text(source.file, path)
        _refuse_hostile(source.file, text)
        source.data = _mapping(source, _root(source.file, text), ())
    except _UnusableError as error:
        source.problems.append(error.problem)
    except yaml.YAMLError as error:
        source.problems.append(_syntax_problem(source.file, error))
    return source


def _root(file: str, text: str) -> yaml.MappingNode:
    node = yaml.compose(text, _LOADER)
    if isinstance(node, yaml.MappingNode):
        return node
    raise _UnusableError(Problem(file, 1, "", "must hold fields (`name: …`), nothing else"))


def _line(part: yaml.Node | yaml.Event) -> int:
    return part.start_mark.line + 1 if part.start_mark else 1


def _text(file: str, path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _UnusableError(Problem(file, 1, "", f"cannot be read: {error.strerror}")) from None
    if len(raw) > MAX_BYTES:
        raise _UnusableError(Problem(file, 1, "", "is larger than 1 MiB: a file holds one template"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _UnusableError(Problem(file, line, "", "is not UTF-8 text")) from None
    control = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        raise _UnusableError(Problem(file, line, "", f"holds the control character {control.group()!a}"))
    return text


def _refuse_hostile(file: str, text: str) -> None:
    """Aliases multiply text and depth exhausts the stack, so both are refused before a tree is built."""
    depth = 0
    for event in yaml.parse(text, _LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise _UnusableError(
                Problem(file, _line(event), "", f"aliases (*{event.anchor}) are not allowed: repeat the text")
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _UnusableError(Problem(file, _line(event), "", "is nested too deeply"))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _syntax_problem(file: str, error: yaml.YAMLError) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        return Problem(file, mark.line + 1 if mark else 1, "", f"is not valid YAML: {said}")
    return Problem(file, 1, "", f"is not valid YAML: {error}")


def _mapping(source: Source, node: yaml.MappingNode, path: _FieldPath) -> dict[str, Any]:
    source.lines.setdefault(path, _line(node))
    _refuse_tag(source, node, path, "map")
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = _line(key_node)
        key = _value(source, key_node, path) if isinstance(key_node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            said = (
                f"'{key_node.value}' is no name of a field"
                if isinstance(key_node, yaml.ScalarNode)
                else "a list or mapping cannot name a field"
            )
            raise _UnusableError(Problem(source.file, line, dotted(path), f"{said}: put text, in quotes if need be"))
        field_path = (*path, key)
        if key in values:
            first = source.line(field_path)
            source.problems.append(
                Problem(source.file, line, dotted(field_path), f"is given twice (first on line {first})")
            )
            continue
        source.lines[field_path] = line
        values[key] = _value(source, value_node, field_path)
    return values


def _value(source: Source, node: yaml.Node, path: _FieldPath) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(source, node, path)
    if isinstance(node, yaml.SequenceNode):
        _refuse_tag(source, node, path, "seq")
        items = []
        for index, item in enumerate(node.value):
            source.lines[(*path, index)] = _line(item)
            items.append(_value(source, item, (*path, index)))
        return items
    if isinstance(node, yaml.ScalarNode):
        return _scalar(source, node, path)
    raise TypeError(f"YAML has no node {type(node)}")


def _scalar(source: Source, node: yaml.ScalarNode, path: _FieldPath) -> Any:
    _refuse_tag(source, node, path, "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
    text: str = node.value.rstrip("\n")  # a block scalar ends with one
    kind = node.tag.removeprefix(_TAG)
    if _UNWANTED.search(text):
        problem = Problem(source.file, _line(node), dotted(path), "holds a line break or control character")
        raise _UnusableError(problem)
    constructor = yaml.constructor.SafeConstructor()
    try:
        match kind:
            case "int":
                return constructor.construct_yaml_int(node)
            case "float":
                return constructor.construct_yaml_float(node)
            case "bool":
                return constructor.construct_yaml_bool(node)
            case "null":
                return None
            case _:
                return text
    except (ValueError, KeyError):
        problem = Problem(source.file, _line(node), dotted(path), f"'{text[:40]}' is no {_NUMBERS[kind]}")
        raise _UnusableError(problem) from None


def _refuse_tag(source: Source, node: yaml.Node, path: _FieldPath, *known: str) -> None:
    if node.tag not in {f"{_TAG}{name}" for name in known}:
        tag = node.tag.replace(_TAG, "!!")
        problem = Problem(source.file, _line(node), dotted(path), f"the tag {tag} is not allowed")
        raise _UnusableError(problem)
