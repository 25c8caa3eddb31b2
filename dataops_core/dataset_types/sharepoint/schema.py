"""The strict pandera schema of a SharePoint file, on the flat columns of the stored table.

Loads pandera and pandas, 0.4 s of a fresh process: nothing but ``SharepointDocuments.schema`` imports it.
"""

from pandera.pandas import Column, DataFrameSchema

from dataops_core.dataset_types import rules

_TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_MAIL = r"[^@\s]+@[^@\s]+"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TAG = r"\{[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\},\d+"


def _moment_column() -> Column:
    return rules.text(rules.matches(_TIMESTAMP), rules.moment())


SCHEMA = DataFrameSchema(
    {
        "id": rules.text(rules.matches(r"01[A-Z0-9]{32}"), unique=True),
        "name": rules.text(rules.characters(1, 255), rules.matches(r'[^"*:<>?/\\|\t]+\.(docx|xlsx|pptx|pdf)')),
        "webUrl": rules.text(rules.matches(r"https://\S+"), unique=True),
        "eTag": rules.text(rules.matches(f'"{_TAG}"')),
        "cTag": rules.text(rules.matches(f'"c:{_TAG}"')),
        "size": Column("int64", rules.between(0, 2**53)),
        "createdDateTime": _moment_column(),
        "lastModifiedDateTime": _moment_column(),
        "createdBy.user.id": rules.text(rules.matches(_UUID)),
        "createdBy.user.displayName": rules.text(rules.not_blank()),
        "lastModifiedBy.user.id": rules.text(rules.matches(_UUID)),
        "lastModifiedBy.user.displayName": rules.text(rules.not_blank()),
        "file.mimeType": rules.text(rules.matches(r"[a-z]+/[a-z0-9.+-]+")),
        "file.hashes.quickXorHash": rules.text(rules.matches(r"[A-Za-z0-9+/]{27}=")),
        "fileSystemInfo.createdDateTime": _moment_column(),
        "fileSystemInfo.lastModifiedDateTime": _moment_column(),
        "parentReference.driveId": rules.text(rules.matches(r"b![A-Za-z0-9_-]+")),
        "parentReference.driveType": rules.text(rules.one_of("documentLibrary")),
        "parentReference.id": rules.text(rules.matches(r"01[A-Z0-9]{32}")),
        "parentReference.path": rules.text(rules.matches(r"/drives?/\S+")),
        "parentReference.siteId": rules.text(rules.matches(rf"[a-z0-9.-]+,{_UUID},{_UUID}")),
        "description": rules.text(rules.characters(0, 1000), nullable=True),
        "_text": rules.text(rules.byte_length(1, 16 * 2**20)),
        "_title": rules.text(rules.not_blank()),
        "_site_name": rules.text(),
        "_archetype": rules.text(),
        "_topic": rules.text(),
        "_author_email": rules.text(rules.matches(_MAIL)),
        "_editor_email": rules.text(rules.matches(_MAIL)),
    },
    checks=[
        rules.rows_hold(
            lambda frame: frame["createdDateTime"] <= frame["lastModifiedDateTime"], "modified no earlier than created"
        ),
    ],
    strict=True,
    name="sharepoint_documents",
)
