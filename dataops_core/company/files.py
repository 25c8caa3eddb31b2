"""Where the company's files are, in closed form: Drive folders, SharePoint sites, and people's ids there.

Belongs here: what any dataset needs to point at a folder, a site or a person of either. Does not belong here: the
files (``dataset_types/google_drive``, ``dataset_types/sharepoint``). Source: the ids' forms are those of the Drive API
v3 and of Microsoft Graph.
"""

from dataclasses import dataclass
from uuid import UUID

from dataops_core.company.model import Company, Person, Project
from dataops_core.company.workspace import project_word
from dataops_core.generation.seeding import Draws, digest64

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def drive_url(company: Company) -> str:
    """Base of Google Drive links."""
    return f"https://drive.{company.domain}"


def folder_id(company: Company, project: Project) -> str:
    """The Drive folder of a project."""
    return "1" + _code(_BASE64, 32, company.client_id, "folder", project.index)


def permission_id(company: Company, person: Person) -> str:
    """The number that Drive knows a person by: twenty digits."""
    return f"{digest64('drive', company.client_id, person.index):020d}"


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
        url=f"https://{host}/sites/{project_word(project)}",
        site_id=f"{host},{_uuid(*path)},{_uuid(*path, 'web')}",
        drive_id="b!" + _code(_BASE64, 64, *path, "drive"),
    )


def library_folder_id(company: Company, project: Project, folder: str) -> str:
    """A folder of a project's document library."""
    return "01" + _code(_BASE32, 32, company.client_id, "site", project.index, "folder", folder)


def directory_id(company: Company, person: Person) -> str:
    """The person's id in the directory that SharePoint's people come from."""
    return _uuid(company.client_id, "directory", person.index)


def _code(alphabet: str, length: int, *path: object) -> str:
    draws = Draws("files", *path)
    return "".join(alphabet[draws.below("code", len(alphabet))] for _ in range(length))


def _uuid(*path: object) -> str:
    return str(UUID(int=digest64("uuid", *path) << 64 | digest64("uuid", *path, "low"), version=4))
