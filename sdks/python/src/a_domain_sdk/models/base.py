"""What all models are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Base of all models: immutable, and open for what a newer server adds."""

    # Validators are built when a model is first read: who imports the SDK does not wait for fifty of them.
    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=(), defer_build=True)


class Linked(Model):
    """A resource with paths of related ones, from the authority's root: ``/v1/dataops/...``; None: not there yet."""

    links: dict[str, str | None] = Field(default_factory=dict, alias="_links", repr=False)
