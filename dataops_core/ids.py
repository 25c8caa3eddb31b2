"""The product's one id factory, and the closed forms that derive ids from other ids."""

from uuid import UUID, uuid4, uuid5

_NAMESPACE = UUID("7d0c7a3e-5c5e-4c57-9d0a-0f5a5f0c0d01")


def new_id() -> UUID:
    """A fresh random id."""
    return uuid4()


def derived_id(*parts: object) -> UUID:
    """The same id for the same parts, always: used where a rerun must find what an earlier try made."""
    return uuid5(_NAMESPACE, "/".join(str(part) for part in parts))
