"""The dataset types that there are: each package beside this module declares one, and adding one changes nothing here.

A package's module ``dataset_type`` holds it as ``DATASET_TYPE``. How to add one: ``docs/dataset-types.md``.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from dataops_core import dataset_types
from dataops_core.dataset_types.base import DatasetType
from dataops_core.errors import NotFoundError


def _declared() -> Iterator[DatasetType]:
    for package in iter_modules(dataset_types.__path__, f"{dataset_types.__name__}."):
        if package.ispkg:
            yield import_module(f"{package.name}.dataset_type").DATASET_TYPE


#: By name, in the order of the names.
DATASET_TYPES: Mapping[str, DatasetType] = MappingProxyType(
    {declared.name: declared for declared in sorted(_declared(), key=lambda declared: declared.name)}
)


def dataset_type(name: str) -> DatasetType:
    """The dataset type of this name. Raises NotFoundError."""
    if name not in DATASET_TYPES:
        raise NotFoundError(f"There is no dataset type {name!r}: there are {', '.join(DATASET_TYPES)}.")
    return DATASET_TYPES[name]
