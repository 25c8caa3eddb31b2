"""What an installation holds, rows and files, kept and put back: for what many tests begin with and few are about.

It is made by the product's own steps once in a test process. A test that gets it put back finds all that the steps left
in the registry and in the home; it is some minutes old by then, and its ids are those of the tests before, whose
databases and homes are others.
"""

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dataops_core.provisioning.services import Services
from tests.stored_rows import Rows


@dataclass(frozen=True)
class State:
    """The rows of a registry and the files of its home."""

    rows: Rows
    files: Path

    @classmethod
    def of(cls, services: Services, files: Path) -> "State":
        """What there is now, where nobody is at work; the files go to a folder that is not there yet."""
        shutil.copytree(services.settings.data_path, files)
        with closing(services.database.engine.raw_connection()) as pooled:
            return cls(Rows.of(pooled.driver_connection), files)

    def put(self, services: Services) -> None:
        """Puts it in the place of all rows of the registry, and beside the files of the home."""
        shutil.copytree(self.files, services.settings.data_path, dirs_exist_ok=True)
        with closing(services.database.engine.raw_connection()) as pooled:
            self.rows.replace_all(pooled.driver_connection)
