"""A connector's data source as it was registered, and the rules that its documents obey.

Belongs here: what Glean's documentation says in prose about names, URLs, types and properties, and the mapping of a
definition to what the engine keeps. Does not belong here: uploads (``uploads.py``).
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from dataops_api.connectors.problems import ConnectorProblem, at
from dataops_api.connectors.schemas import CustomProperty, DatasourceConfig, DocumentDefinition, UserReference
from dataops_core.connectors.embedded.bulk_text import plain_texts
from dataops_core.connectors.embedded.rows import IndexedDocument
from dataops_core.connectors.embedded.text import HTML, PLAIN, TEXT_TYPES, one_line
from dataops_core.registry.tables import Connector


class Datasource:
    """A registered data source."""

    def __init__(self, config: DatasourceConfig) -> None:
        self.config = config
        self.name = config.name
        self._urls = _linear_pattern(config.urlRegex)
        self._properties = {
            definition.name: frozenset(declared.name for declared in definition.propertyDefinitions or ())
            for definition in config.objectDefinitions or ()
        }

    @classmethod
    def of(cls, connector: Connector, name: str, *, pointer: str = "/datasource") -> "Datasource":
        """The connector's data source, which must be the named one. Raises ConnectorProblem (invalid_datasource)."""
        if connector.datasource is None:
            raise at("invalid_datasource", pointer, "names a data source before one was added")
        if connector.datasource.get("name") != name:
            raise at("invalid_datasource", pointer, "is not this connector's data source")
        return cls(DatasourceConfig.model_validate(connector.datasource))

    @property
    def facets(self) -> list[str]:
        """The declared properties of all object types, sorted."""
        return sorted(frozenset[str]().union(*self._properties.values()))

    def documents(self, definitions: Sequence[DocumentDefinition]) -> list[IndexedDocument]:
        """The definitions as the engine keeps them. Raises ConnectorProblem that names document and member."""
        bodies = []
        for position, definition in enumerate(definitions):
            self._check(definition, f"/documents/{position}")
            bodies.append(_body(definition, f"/documents/{position}"))
        marked_up = iter(plain_texts([content for content, mime_type in bodies if mime_type == HTML]))
        return [
            _document(definition, next(marked_up) if mime_type == HTML else content)
            for definition, (content, mime_type) in zip(definitions, bodies, strict=True)
        ]

    def _check(self, definition: DocumentDefinition, pointer: str) -> None:
        if definition.datasource != self.name:
            raise at("invalid_datasource", f"{pointer}/datasource", "is not the data source of the request")
        if not self._matches_url(definition.viewURL):
            raise at("invalid_parameter", f"{pointer}/viewURL", "does not match the data source's urlRegex")
        declared = self._declared(definition.objectType)
        if declared is None:
            raise at("invalid_parameter", f"{pointer}/objectType", "is not among the data source's objectDefinitions")
        for position, custom in enumerate(definition.customProperties or ()):
            if custom.name not in declared:
                raise at("invalid_parameter", f"{pointer}/customProperties/{position}/name", "was not declared")

    def _matches_url(self, url: str) -> bool:
        try:
            self._urls.validate_python(url)
        except ValidationError:
            return False
        return True

    def _declared(self, object_type: str) -> frozenset[str] | None:
        """The type's properties; None for a type that is neither declared nor covered by an unnamed definition."""
        if object_type in self._properties:
            return self._properties[object_type]
        if not self._properties:
            return frozenset()
        return self._properties.get(None)


def registered(config: DatasourceConfig, connector: Connector) -> dict[str, Any]:
    """The configuration as it is stored. Raises ConnectorProblem where it cannot be this connector's."""
    if connector.datasource is not None and connector.datasource.get("name") != config.name:
        raise ConnectorProblem(
            "conflict", f"This connector holds the data source {connector.datasource.get('name')}, and just that one."
        )
    _linear_pattern(config.urlRegex)
    return config.model_dump(exclude_unset=True)


def _linear_pattern(pattern: str) -> TypeAdapter[str]:
    """The pattern in the engine that pydantic brings, which takes linear time: nobody can hang the service by it."""
    try:
        return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except SchemaError:
        raise at(
            "invalid_parameter", "/urlRegex", "is no regular expression without look-around and back-references"
        ) from None


def _body(definition: DocumentDefinition, pointer: str) -> tuple[str, str]:
    """The body's content and its type."""
    body = definition.body
    if body is None:
        return "", PLAIN
    mime_type = body.mimeType.partition(";")[0].strip().lower()
    if mime_type not in TEXT_TYPES:
        raise at("invalid_parameter", f"{pointer}/body/mimeType", f"must be one of {', '.join(sorted(TEXT_TYPES))}")
    if body.binaryContent is not None:
        raise at("invalid_parameter", f"{pointer}/body/binaryContent", "is not supported: give textContent")
    return body.textContent or "", mime_type


def _document(definition: DocumentDefinition, text: str) -> IndexedDocument:
    """The definition as the engine keeps it, with its body's text."""
    title = one_line(definition.title or definition.filename or "")
    return IndexedDocument(
        id=definition.id,
        object_type=definition.objectType,
        title=title or definition.id,
        body=text,
        view_url=definition.viewURL,
        author_email=definition.author.email if definition.author else None,
        author_name=definition.author.name if definition.author else None,
        owner_email=definition.owner.email if definition.owner else None,
        owner_name=definition.owner.name if definition.owner else None,
        container=definition.container,
        status=definition.status,
        created_at=definition.createdAt,
        updated_at=definition.updatedAt if definition.updatedAt is not None else definition.createdAt,
        facets=tuple(_facets(definition, definition.customProperties or [])),
    )


def _facets(definition: DocumentDefinition, properties: Sequence[CustomProperty]) -> list[tuple[str, str]]:
    """Everything that a filter can ask for, built-in fields and declared properties alike."""
    facets = [("type", definition.objectType)]
    for field, person in (("author", definition.author), ("from", definition.author), ("owner", definition.owner)):
        facets += [(field, value) for value in _names(person)]
    if definition.status is not None:
        facets.append(("status", definition.status))
    for custom in properties:
        values = custom.value if isinstance(custom.value, list) else [str(custom.value)]
        facets += [(custom.name, value) for value in values]
    return facets


def _names(person: UserReference | None) -> list[str]:
    return [value for value in (person.email, person.name) if value] if person else []
