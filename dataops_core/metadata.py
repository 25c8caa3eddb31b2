"""What people say about a dataset: how large it may be, what steers later requests, and how a change is merged.

Pure functions over the metadata that the registry stores and the API shows. Does not belong here: the shape of a
request (the API's schemas), SQL (``registry/datasets.py``). Source: ``docs/contract.md`` C-40, C-41, C-50.
"""

import json
from collections.abc import Mapping
from typing import Any

from dataops_core.errors import InvalidRequestError
from dataops_core.lifecycle import CompanySize, Industry

LIMIT_BYTES = 16 * 1024
TOO_LARGE = "Must be at most 16 KiB"

_LONGEST_NAME = 100
_OF_THE_TEMPLATE = ("industry", "use_case")


def size(metadata: Mapping[str, Any]) -> int:
    """The bytes of what people said (as JSON): what follows from the template is not theirs."""
    said = {name: value for name, value in metadata.items() if name not in _OF_THE_TEMPLATE}
    return len(json.dumps(said, ensure_ascii=False).encode())


def merged(stored: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata after a change (C-50). Raises InvalidRequestError with all that is wrong then.

    Tags are replaced, custom fields merged one level, other keys merged. Null takes away: a key, all tags, all custom
    fields or one of them.
    """
    result = dict(stored)
    for name, value in change.items():
        if name == "tags":
            result[name] = list(value or ())
        elif name == "custom_fields":
            result[name] = _merge(stored.get(name) or {}, value) if value is not None else {}
        elif value is None:
            result.pop(name, None)
        else:
            result[name] = value
    problems = steering_problems(result.get("custom_fields") or {})
    if size(result) > LIMIT_BYTES:
        problems["metadata"] = f"{TOO_LARGE} after the change"
    if problems:
        raise InvalidRequestError("Request validation failed", details=problems)
    return result


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both say the same as JSON does (for Python, true is 1)."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def steering_problems(custom_fields: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the custom fields that steer names and templates (path → reason)."""
    problems = {
        name: f"Must be one of {', '.join(known)}"
        for name, known in (("industry", Industry), ("company_size", CompanySize))
        if custom_fields.get(name) is not None and custom_fields[name] not in [member.value for member in known]
    }
    use_case, client_name = custom_fields.get("use_case"), custom_fields.get("client_name")
    if use_case is not None and not isinstance(use_case, str):
        problems["use_case"] = "Must be text"
    if client_name is not None and not _is_name(client_name):
        problems["client_name"] = f"Must be text of 1 to {_LONGEST_NAME} printable characters"
    return {f"metadata.custom_fields.{name}": reason for name, reason in problems.items()}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_NAME and value.isprintable()


def _merge(stored: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**stored, **change}.items() if name not in change or value is not None}
