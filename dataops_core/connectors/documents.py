"""A dataset's documents and data source in the words of Glean's Indexing API.

Belongs here: the mapping, one way. Does not belong here: sending it (``client.py``).
"""

from typing import Any

from dataops_core.connectors.protocol import ConnectorSpec
from dataops_core.dataset_types.base import Document


def datasource_config(spec: ConnectorSpec) -> dict[str, Any]:
    """The CustomDatasourceConfig of a connector: everything has to be declared before the first document."""
    return {
        "name": spec.datasource,
        "displayName": spec.name,
        "datasourceCategory": spec.category,
        "urlRegex": spec.url_regex,
        "isTestDatasource": True,
        "isUserReferencedByEmail": True,
        "objectDefinitions": [
            {
                "name": spec.object_type,
                "docCategory": spec.category,
                "propertyDefinitions": [
                    {"name": facet, "propertyType": "PICKLIST", "displayLabel": facet} for facet in spec.facets
                ],
            }
        ],
    }


def document_definition(spec: ConnectorSpec, document: Document) -> dict[str, Any]:
    """The DocumentDefinition of a document. Mock data is for everybody who may search the connector."""
    definition: dict[str, Any] = {
        "datasource": spec.datasource,
        "objectType": spec.object_type,
        "id": document.id,
        "title": document.title,
        "body": {"mimeType": document.mime_type, "textContent": document.body},
        "viewURL": document.view_url,
        "container": document.container,
        "createdAt": document.created_at,
        "updatedAt": document.updated_at,
        "permissions": {"allowAnonymousAccess": True},
    }
    author = _person(document.author_email, document.author_name)
    owner = _person(document.owner_email, document.owner_name)
    if author:
        definition["author"] = author
    if owner:
        definition["owner"] = owner
    if document.status is not None:
        definition["status"] = document.status
    properties = [
        {"name": name, "value": value if isinstance(value, str) else list(value)}
        for name, value in document.properties.items()
        if value
    ]
    if properties:
        definition["customProperties"] = properties
    return definition


def _person(email: str | None, name: str | None) -> dict[str, str]:
    given = {"email": email, "name": name}
    return {key: value for key, value in given.items() if value}
