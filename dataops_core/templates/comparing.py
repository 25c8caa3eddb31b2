"""Two templates, field by field: what differs, and what that does to records. Pure.

Belongs here: the differences and what each means. Does not belong here: making records to see it (``previewing.py``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dataops_core.templates.model import Template


class Effect(StrEnum):
    """What a difference does."""

    RECORDS = "records"
    COUNT = "count"
    DESCRIPTION = "description"
    VERSION = "version"


#: What the fields do that do not make records. Every other one does: ``template_id`` too, from which all is drawn.
_EFFECTS: Mapping[str, Effect] = {
    "version": Effect.VERSION,
    "name": Effect.DESCRIPTION,
    "description": Effect.DESCRIPTION,
    "use_case": Effect.DESCRIPTION,
    "record_counts": Effect.COUNT,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs, by its dotted path, in which a topic has its key: ``topics.payments.nouns``.

    ``before`` and ``after`` are the values as JSON has them, None where there is none. Of lists of words they are what
    the other one lacks; both are empty where only the order differs.
    """

    field: str
    before: Any
    after: Any
    effect: Effect


def differences(before: Template, after: Template) -> tuple[Difference, ...]:
    """What differs between two templates, in the order of their fields."""
    return tuple(_of_fields("", _keyed(before), _keyed(after)))


def version_problem(before: Template, after: Template, found: Sequence[Difference]) -> str | None:
    """What is wrong with the second one's version, as a change of the first; None where nothing is.

    A change of what a dataset is made of needs a higher version, since a dataset names the one it was made from.
    """
    if before.template_id != after.template_id:
        return None
    if after.version < before.version:
        return f"version must not fall: raise it above {before.version}"
    changing = [difference for difference in found if difference.effect in {Effect.RECORDS, Effect.COUNT}]
    if changing and after.version == before.version:
        return f"version must be raised to {before.version + 1}: datasets change by {changing[0].field}"
    return None


def _keyed(template: Template) -> dict[str, Any]:
    fields: dict[str, Any] = template.model_dump(mode="json")
    fields["topics"] = {topic.pop("key"): topic for topic in fields["topics"]}
    return fields


def _of_fields(above: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*before, *after]):
        path = f"{above}{name}"
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _of_fields(f"{path}.", old, new)
        elif old == new:
            continue
        elif isinstance(old, list) and isinstance(new, list):
            yield _difference(path, [one for one in old if one not in new], [one for one in new if one not in old])
        else:
            yield _difference(path, old, new)
    if above and before.keys() == after.keys() and list(before) != list(after):
        yield _difference(above.removesuffix("."), [], [])


def _difference(path: str, before: Any, after: Any) -> Difference:
    return Difference(path, before, after, _EFFECTS.get(path.partition(".")[0], Effect.RECORDS))
