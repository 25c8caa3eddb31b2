"""Where the company's files are, in closed form: Drive folders, SharePoint sites, ids of files, and people's ids there.

Belongs here: what any dataset needs to point at a folder, a site, a file or a person of either. Does not belong here:
what files say (``dataset_types/google_drive``, ``dataset_types/sharepoint``). Source: the ids' forms are those of the
Drive API v3 and of Microsoft Graph.
"""

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from dataops_core.company.model import Company, Person, Project
from dataops_core.company.workspace import project_word
from dataops_core.generation.identifiers import BASE32, BASE64, codes, uuids
from dataops_core.generation.seeding import I64, Draws, digest64, key


def folder_id(company: Company, project: Project) -> str:
    """The Drive folder of a project."""
    return "1" + _code(BASE64, 32, company.client_id, "folder", project.index)


def permission_id(company: Company, person: Person) -> str:
    """The number that Drive knows a person by: twenty digits."""
    return f"{digest64('drive', company.client_id, person.index):020d}"


def file_ids(company: Company, rows: I64) -> list[str]:
    """The ids of files in Drive, whatever they are called."""
    return ["1" + code for code in codes(key("drive file", company.client_id), rows, BASE64, 43)]


def item_tags(company: Company, rows: I64) -> list[str]:
    """The unique ids of files in SharePoint's libraries, which stand in their ``eTag``."""
    return [tag.upper() for tag in uuids(key("sharepoint tag", company.client_id), rows)]


def first_files(company: Company, project: Project) -> tuple[tuple[str, str], ...]:
    """What the project's first file in either place is called elsewhere, and the address that opens it by its id.

    They are file number ``project.index`` of all, so every dataset has them, older than its window.
    """
    rows = np.array([project.index], dtype=np.int64)
    (file_id,), (tag,) = file_ids(company, rows), item_tags(company, rows)
    return (
        (f"{project.name} on Drive", f"{company.drive_url}/open?id={file_id}"),
        (
            f"{project.name} on SharePoint",
            f"{_site_url(company, project)}/_layouts/15/Doc.aspx?sourcedoc=%7B{tag}%7D",
        ),
    )


@dataclass(frozen=True, slots=True)
class Site:
    """A project's SharePoint site with its document library."""

    url: str
    site_id: str
    drive_id: str


def site(company: Company, project: Project) -> Site:
    """The site of a project."""
    path = (company.client_id, "site", project.index)
    host = f"sharepoint.{company.domain}"
    return Site(
        url=_site_url(company, project),
        site_id=f"{host},{_uuid(*path)},{_uuid(*path, 'web')}",
        drive_id="b!" + _code(BASE64, 64, *path, "drive"),
    )


def _site_url(company: Company, project: Project) -> str:
    return f"{company.sharepoint_url}/sites/{project_word(project)}"


def library_folder_id(company: Company, project: Project, folder: str) -> str:
    """A folder of a project's document library."""
    return "01" + _code(BASE32, 32, company.client_id, "site", project.index, "folder", folder)


def directory_id(company: Company, person: Person) -> str:
    """The person's id in the directory that SharePoint's people come from."""
    return _uuid(company.client_id, "directory", person.index)


def _code(alphabet: str, length: int, *path: object) -> str:
    draws = Draws("files", *path)
    return "".join(alphabet[draws.below("code", len(alphabet))] for _ in range(length))


def _uuid(*path: object) -> str:
    return str(UUID(int=digest64("uuid", *path) << 64 | digest64("uuid", *path, "low"), version=4))
