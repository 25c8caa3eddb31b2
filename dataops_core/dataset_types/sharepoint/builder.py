"""How SharePoint's files follow from a specification: any range of rows.

A file's id follows from its row, its site and library from its project, so that whatever points at one finds it.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from dataops_core.company.files import directory_id, item_tags, library_folder_id, site
from dataops_core.dataset_types.base import GenerationSpec, Planted
from dataops_core.dataset_types.office import Documents, Office
from dataops_core.dataset_types.office_layout import LAYOUTS, SHEET, SLIDES, TEXT
from dataops_core.dataset_types.plan import batch
from dataops_core.generation import arrays, calendar
from dataops_core.generation.identifiers import BASE32, codes
from dataops_core.generation.seeding import U64, key, mix, pick

_OFFICE = "application/vnd.openxmlformats-officedocument."
#: Of each kind of document, the ending of its name, its type and what a file of it weighs beside its text.
_WORD = ("docx", f"{_OFFICE}wordprocessingml.document", 14_000)
_SHEETS = ("xlsx", f"{_OFFICE}spreadsheetml.sheet", 9_000)
_SLIDES = ("pptx", f"{_OFFICE}presentationml.presentation", 48_000)
_PDF = ("pdf", "application/pdf", 38_000)
_KINDS = {TEXT: _WORD, SHEET: _SHEETS, SLIDES: _SLIDES}
#: The folder of a kind of document.
FOLDERS = {
    "policy": "Policies", "procedure": "Procedures", "agreement": "Agreements", "training": "Training",
    "report": "Reports", "tracker": "Trackers", "deck": "Presentations",
}  # fmt: skip
_LIBRARY = "Shared Documents"
#: What SharePoint refuses in a file's name.
_REFUSED = re.compile(r'\s*["*:<>?/\\|]+\s*')

_OTHER_BYTES = 1260
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("webUrl", pa.string(), nullable=False),
        pa.field("eTag", pa.string(), nullable=False),
        pa.field("cTag", pa.string(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("createdDateTime", pa.string(), nullable=False),
        pa.field("lastModifiedDateTime", pa.string(), nullable=False),
        pa.field("createdBy.user.id", pa.string(), nullable=False),
        pa.field("createdBy.user.displayName", pa.string(), nullable=False),
        pa.field("lastModifiedBy.user.id", pa.string(), nullable=False),
        pa.field("lastModifiedBy.user.displayName", pa.string(), nullable=False),
        pa.field("file.mimeType", pa.string(), nullable=False),
        pa.field("file.hashes.quickXorHash", pa.string(), nullable=False),
        pa.field("fileSystemInfo.createdDateTime", pa.string(), nullable=False),
        pa.field("fileSystemInfo.lastModifiedDateTime", pa.string(), nullable=False),
        pa.field("parentReference.driveId", pa.string(), nullable=False),
        pa.field("parentReference.driveType", pa.string(), nullable=False),
        pa.field("parentReference.id", pa.string(), nullable=False),
        pa.field("parentReference.path", pa.string(), nullable=False),
        pa.field("parentReference.siteId", pa.string(), nullable=False),
        pa.field("description", pa.string()),
        pa.field("_text", pa.string(), nullable=False),
        pa.field("_title", pa.string(), nullable=False),
        pa.field("_site_name", pa.string(), nullable=False),
        pa.field("_archetype", pa.string(), nullable=False),
        pa.field("_topic", pa.string(), nullable=False),
        pa.field("_author_email", pa.string(), nullable=False),
        pa.field("_editor_email", pa.string(), nullable=False),
    ]
)


class ItemBuilder:
    """Builds any range of a specification's files."""

    schema = SCHEMA

    def __init__(self, spec: GenerationSpec) -> None:
        company = spec.company
        self._office = Office(spec, other_bytes=_OTHER_BYTES)
        self._ids = key("sharepoint file", company.client_id)
        self._company = company
        self._sites = [site(company, project) for project in company.projects]
        self._folders = [
            {folder: library_folder_id(company, project, folder) for folder in FOLDERS.values()}
            for project in company.projects
        ]
        self._names = arrays.texts([project.name for project in company.projects])
        self._directory = arrays.texts([directory_id(company, person) for person in company.people])

    def planted(self) -> Iterator[Planted]:
        """The defects that files have on purpose."""
        names = self._names.to_pylist()
        return self._office.planted(lambda _, project: names[project])

    def rows(self, start: int, stop: int) -> pa.RecordBatch:
        """Files ``start`` to ``stop``, the latter excluded."""
        documents = self._office.documents(start, stop)
        plan = self._office.plan
        created, modified = calendar.rfc3339(documents.numbers.created), calendar.rfc3339(documents.numbers.modified)
        columns = {
            **self._places(documents),
            **self._people(documents),
            "createdDateTime": created,
            "lastModifiedDateTime": modified,
            # What was made elsewhere and uploaded would have times of its own; these were made in the library.
            "fileSystemInfo.createdDateTime": created,
            "fileSystemInfo.lastModifiedDateTime": modified,
            "file.hashes.quickXorHash": _hashes(self._office.draw("hash", documents.numbers.rows)),
            "description": documents.descriptions,
            "_text": documents.texts,
            "_site_name": self._names.take(arrays.integers(documents.numbers.home)),
            "_archetype": arrays.texts(plan.archetypes).take(arrays.integers(documents.numbers.archetype)),
            "_topic": plan.topics.take(arrays.integers(documents.numbers.topic)),
        }
        return batch(columns, SCHEMA)

    def _places(self, documents: Documents) -> dict[str, Any]:
        """What a file is, where it lies, and how often it was changed."""
        archetypes = [self._office.plan.archetypes[number] for number in documents.numbers.archetype.tolist()]
        printed = pick(self._office.draw("printed", documents.numbers.rows), 1000).tolist()
        kinds = [_kind(LAYOUTS[name].form, number) for name, number in zip(archetypes, printed, strict=True)]
        titles = [_REFUSED.sub(" - ", title).strip(" .-") for title in documents.titles.to_pylist()]
        names = [f"{title[:240]}.{ending}" for title, (ending, _, _) in zip(titles, kinds, strict=True)]
        sites = [self._sites[number] for number in documents.numbers.home.tolist()]
        folders = [FOLDERS[name] for name in archetypes]
        tags = item_tags(self._company, documents.numbers.rows)
        versions = documents.numbers.version.tolist()
        weights = pick(self._office.draw("weight", documents.numbers.rows), 60_000)
        sizes = documents.lengths // 3 + weights + np.array([weight for _, _, weight in kinds], dtype=np.int64)
        return {
            "id": ["01" + code for code in codes(self._ids, documents.numbers.rows, BASE32, 32)],
            "name": names,
            "webUrl": [
                f"{place.url}/{quote(f'{_LIBRARY}/{folder}/{name}')}"
                for place, folder, name in zip(sites, folders, names, strict=True)
            ],
            "eTag": [f'"{{{tag}}},{number}"' for tag, number in zip(tags, versions, strict=True)],
            # Counts changes of the content alone: all but that of its properties.
            "cTag": [f'"c:{{{tag}}},{max(number - 1, 1)}"' for tag, number in zip(tags, versions, strict=True)],
            "size": sizes,
            "file.mimeType": [mime_type for _, mime_type, _ in kinds],
            "parentReference.driveId": [place.drive_id for place in sites],
            "parentReference.driveType": ["documentLibrary"] * len(sites),
            "parentReference.id": [
                self._folders[number][folder]
                for number, folder in zip(documents.numbers.home.tolist(), folders, strict=True)
            ],
            "parentReference.path": [
                f"/drives/{place.drive_id}/root:/{folder}" for place, folder in zip(sites, folders, strict=True)
            ],
            "parentReference.siteId": [place.site_id for place in sites],
            "_title": titles,
        }

    def _people(self, documents: Documents) -> dict[str, pa.Array]:
        people = self._office.plan.people
        author, editor = arrays.integers(documents.numbers.author), arrays.integers(documents.numbers.editor)
        return {
            "createdBy.user.id": self._directory.take(author),
            "createdBy.user.displayName": people.names.take(author),
            "lastModifiedBy.user.id": self._directory.take(editor),
            "lastModifiedBy.user.displayName": people.names.take(editor),
            "_author_email": people.emails.take(author),
            "_editor_email": people.emails.take(editor),
        }


def _kind(form: str, drawn: int) -> tuple[str, str, int]:
    """One in five texts and one in ten sets of slides is kept as a PDF."""
    printed = {TEXT: 200, SLIDES: 100}.get(form, 0)
    return _PDF if drawn < printed else _KINDS[form]


def _hashes(drawn: U64) -> list[str]:
    """Twenty bytes in base 64 for each row, as Graph writes a file's hash."""
    raw = np.stack([drawn, mix(drawn), mix(~drawn)], axis=1).astype("<u8").view(np.uint8).reshape(len(drawn), -1)
    return [base64.b64encode(row.tobytes()).decode() for row in raw[:, :20]]
