"""How Google Drive's files follow from a specification: any range of rows.

A file's id follows from its row, its folder from its project, so that whatever points at one finds it.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from dataops_core.company.files import file_ids, folder_id, permission_id
from dataops_core.dataset_types.base import GenerationSpec, Planted
from dataops_core.dataset_types.office import Documents, Office
from dataops_core.dataset_types.office_layout import LAYOUTS, SHEET, SLIDES, TEXT
from dataops_core.dataset_types.plan import batch
from dataops_core.generation import arrays, calendar
from dataops_core.generation.seeding import chance, pick

_GOOGLE = "application/vnd.google-apps."
PDF, PLAIN = "application/pdf", "text/plain"
#: What a kind of document is stored as, with how many of a thousand are: the rest are of the first kind.
_MIME_TYPES = {
    TEXT: (f"{_GOOGLE}document", PDF, PLAIN),
    SHEET: (f"{_GOOGLE}spreadsheet",),
    SLIDES: (f"{_GOOGLE}presentation", PDF),
}
#: Files of Google's own kinds have no bytes of their own: Drive knows no hash of them.
NATIVE = tuple(mime_types[0] for mime_types in _MIME_TYPES.values())
#: Where a file of a kind opens.
_PLACES = {f"{_GOOGLE}document": "document", f"{_GOOGLE}spreadsheet": "spreadsheets",
           f"{_GOOGLE}presentation": "presentation"}  # fmt: skip
#: A PDF has letters and pages beside its text.
_PDF_BYTES = 38_000

_USER = [("kind", pa.string()), ("displayName", pa.string()), ("emailAddress", pa.string())]
_OWNERS = pa.list_(pa.struct([*_USER, ("permissionId", pa.string()), ("me", pa.bool_())]))
_OTHER_BYTES = 740
SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("mimeType", pa.string(), nullable=False),
        pa.field("description", pa.string()),
        pa.field("parents", pa.list_(pa.string()), nullable=False),
        pa.field("version", pa.string(), nullable=False),
        pa.field("webViewLink", pa.string(), nullable=False),
        pa.field("iconLink", pa.string(), nullable=False),
        pa.field("createdTime", pa.string(), nullable=False),
        pa.field("modifiedTime", pa.string(), nullable=False),
        pa.field("owners", _OWNERS, nullable=False),
        pa.field("lastModifyingUser.kind", pa.string(), nullable=False),
        pa.field("lastModifyingUser.displayName", pa.string(), nullable=False),
        pa.field("lastModifyingUser.emailAddress", pa.string(), nullable=False),
        pa.field("shared", pa.bool_(), nullable=False),
        pa.field("ownedByMe", pa.bool_(), nullable=False),
        pa.field("starred", pa.bool_(), nullable=False),
        pa.field("trashed", pa.bool_(), nullable=False),
        pa.field("size", pa.string(), nullable=False),
        pa.field("quotaBytesUsed", pa.string(), nullable=False),
        pa.field("md5Checksum", pa.string()),
        pa.field("_text", pa.string(), nullable=False),
        pa.field("_folder_name", pa.string(), nullable=False),
        pa.field("_archetype", pa.string(), nullable=False),
        pa.field("_topic", pa.string(), nullable=False),
    ]
)


class FileBuilder:
    """Builds any range of a specification's files."""

    schema = SCHEMA

    def __init__(self, spec: GenerationSpec) -> None:
        company = spec.company
        self._company = company
        self._office = Office(spec, other_bytes=_OTHER_BYTES)
        self._folders = arrays.texts([folder_id(company, project) for project in company.projects])
        self._folder_names = arrays.texts([project.name for project in company.projects])
        self._permissions = arrays.texts([permission_id(company, person) for person in company.people])

    def planted(self) -> Iterator[Planted]:
        """The defects that files have on purpose."""
        names = [project.name for project in self._company.projects]
        return self._office.planted(lambda _, project: names[project])

    def rows(self, start: int, stop: int) -> pa.RecordBatch:
        """Files ``start`` to ``stop``, the latter excluded."""
        documents = self._office.documents(start, stop)
        plan, count = self._office.plan, len(documents.numbers.rows)
        mime_types = self._mime_types(documents)
        project = arrays.integers(documents.numbers.home)
        starred = self._office.draw("starred", documents.numbers.rows)
        columns = {
            **self._addresses(documents, mime_types),
            **self._people(documents),
            **self._bytes(documents, mime_types),
            "kind": ["drive#file"] * count,
            "name": documents.titles,
            "mimeType": mime_types,
            "description": documents.descriptions,
            "parents": arrays.lists(self._folders.take(project), [1] * count),
            # Drive counts every change, also those that nobody sees.
            "version": [
                str(number) for number in (documents.numbers.version * 3 + documents.numbers.rows % 3).tolist()
            ],
            "createdTime": calendar.rfc3339(documents.numbers.created, milliseconds=True),
            "modifiedTime": calendar.rfc3339(documents.numbers.modified, milliseconds=True),
            "shared": chance(self._office.draw("shared", documents.numbers.rows), 850),
            "ownedByMe": np.zeros(count, dtype=np.bool_),
            "starred": chance(starred, 60),
            "trashed": np.zeros(count, dtype=np.bool_),
            "_text": documents.texts,
            "_folder_name": self._folder_names.take(project),
            "_archetype": arrays.texts(plan.archetypes).take(arrays.integers(documents.numbers.archetype)),
            "_topic": plan.topics.take(arrays.integers(documents.numbers.topic)),
        }
        return batch(columns, SCHEMA)

    def _mime_types(self, documents: Documents) -> list[str]:
        drawn = pick(self._office.draw("mime type", documents.numbers.rows), 1000).tolist()
        return [
            _mime_type(LAYOUTS[self._office.plan.archetypes[archetype]].form, number)
            for archetype, number in zip(documents.numbers.archetype.tolist(), drawn, strict=True)
        ]

    def _addresses(self, documents: Documents, mime_types: list[str]) -> dict[str, list[str]]:
        base = self._company.drive_url
        ids = file_ids(self._company, documents.numbers.rows)
        return {
            "id": ids,
            "webViewLink": [
                f"{base}/{_PLACES[mime_type]}/d/{id_}/edit" if mime_type in _PLACES else f"{base}/file/d/{id_}/view"
                for id_, mime_type in zip(ids, mime_types, strict=True)
            ],
            "iconLink": [f"{base}/16/type/{mime_type}" for mime_type in mime_types],
        }

    def _people(self, documents: Documents) -> dict[str, Any]:
        people, count = self._office.plan.people, len(documents.numbers.rows)
        author, editor = arrays.integers(documents.numbers.author), arrays.integers(documents.numbers.editor)
        users = arrays.texts(["drive#user"] * count)
        owners = pa.StructArray.from_arrays(
            [
                users,
                people.names.take(author),
                people.emails.take(author),
                self._permissions.take(author),
                arrays.booleans(np.zeros(count, dtype=np.bool_)),
            ],
            fields=list(_OWNERS.value_type),
        )
        return {
            "owners": arrays.lists(owners, [1] * count).cast(_OWNERS),
            "lastModifyingUser.kind": users,
            "lastModifyingUser.displayName": people.names.take(editor),
            "lastModifyingUser.emailAddress": people.emails.take(editor),
        }

    def _bytes(self, documents: Documents, mime_types: list[str]) -> dict[str, Any]:
        """Sizes, and of files that have bytes of their own their hashes; a text file's are those of its text."""
        native = np.array([mime_type in NATIVE for mime_type in mime_types], dtype=np.bool_)
        plain = np.array([mime_type == PLAIN for mime_type in mime_types], dtype=np.bool_)
        pages = pick(self._office.draw("pages", documents.numbers.rows), 90_000)
        sizes = documents.lengths + np.where(native | plain, 0, _PDF_BYTES + pages)
        said = [str(size) for size in sizes.tolist()]
        return {
            "size": said,
            "quotaBytesUsed": said,
            "md5Checksum": [
                None if is_native else hashlib.md5(f"{'' if is_plain else 'pdf'}{text}".encode()).hexdigest()  # noqa: S324  what Drive has
                for is_native, is_plain, text in zip(
                    native.tolist(), plain.tolist(), documents.texts.to_pylist(), strict=True
                )
            ],
        }


def _mime_type(form: str, drawn: int) -> str:
    """Seven of ten are of Google's own kind; of the others a part has been printed to a PDF."""
    kinds = _MIME_TYPES[form]
    if len(kinds) == 1 or drawn < 700:
        return kinds[0]
    return kinds[1] if len(kinds) == 2 or drawn < 880 else kinds[2]
