"""The children of ``dataops up``: what each runs, in which environment, and when all of them are up.

Belongs here: command lines. Does not belong here: starting and ending them (``supervisor.py``). Rests on what was
measured about Dagster: one ``dagster api grpc`` serves the code location, since a killed one is back in seconds with
its runs unharmed.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from pydantic import SecretStr

from dataops_cli.addresses import local_url
from dataops_cli.home import Home, write_private
from dataops_cli.processes import ChildSpec
from dataops_core.settings import Settings

LOCATION = "dataops"
DEFINITIONS = "dataops_pipeline.definitions"

#: How uvicorn serves the API, wherever that is.
SERVER_OPTIONS = (
    *("--http", "dataops_api.patience:PatientProtocol", "--ws", "none", "--no-server-header", "--no-access-log"),
    *("--timeout-keep-alive", "75", "--timeout-graceful-shutdown", "3"),
)
_COMPONENT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Children:
    """The specifications, for resolved settings. ``sockets`` is a directory for those of the children."""

    settings: Settings
    home: Home
    sockets: Path

    def api(self) -> ChildSpec:
        """The API with the connector service, in one process."""
        settings = self.settings
        address = ("--host", settings.api_host, "--port", str(settings.api_port))
        return self._python(
            "api", "uvicorn", "--factory", "dataops_api.app:app_from_environment", *address, *SERVER_OPTIONS
        )

    def prepare_dagster(self) -> ChildSpec:
        """Makes Dagster's tables; ends when they are made."""
        return self._python("prepare", "dataops_pipeline.prepare", "--dagster-alone")

    def code_location(self) -> ChildSpec:
        """Serves the definitions, and starts the runs that no run host starts."""
        arguments = ("api", "grpc", "--socket", str(self._location_socket), "--module-name", DEFINITIONS)
        options = ("--location-name", LOCATION, "--use-python-environment-entry-point", *self._log_form)
        return self._python("code-location", "dagster", *arguments, *options, ask_all=True)

    def run_host(self) -> ChildSpec | None:
        """Forks a process for each run, from code that it has loaded; None where the settings want none."""
        if not self._warm:
            return None
        arguments = ("--socket", str(self._host_socket), "--records", str(self.home.runs))
        return self._python("run-host", "dataops_pipeline.warm", *arguments)

    def webserver(self) -> ChildSpec:
        """Dagster's UI and GraphQL."""
        settings = self.settings
        arguments = ("--host", settings.dagster_host, "--port", str(settings.dagster_port))
        options = ("--workspace", str(self._workspace), *self._log_form)
        return self._python("webserver", "dagster_webserver", *arguments, *options)

    def daemon(self) -> ChildSpec:
        """Dagster's sensors, schedules and run monitoring."""
        options = ("--workspace", str(self._workspace), *self._log_form)
        return self._python("daemon", "dagster._daemon", "run", *options)

    @property
    def _log_form(self) -> tuple[str, str]:
        """The form of Dagster's own lines."""
        return "--log-format", "json" if self.settings.log_format == "json" else "colored"

    @property
    def _workspace(self) -> Path:
        return self.home.dagster / "workspace.yaml"

    def write_dagster_home(self) -> None:
        """Puts the instance's settings and the workspace where Dagster's processes look for them."""
        written = instance_settings()
        if self._warm:
            written = with_run_launcher(written, socket=self._host_socket, records=self.home.runs)
        write_private(self.home.dagster / "dagster.yaml", written)
        server = {"socket": str(self._location_socket), "location_name": LOCATION}
        workspace = {"load_from": [{"grpc_server": server}]}
        write_private(self._workspace, yaml.safe_dump(workspace))

    def _python(self, name: str, module: str, *arguments: str, ask_all: bool = False) -> ChildSpec:
        return ChildSpec(
            name=name,
            command=(sys.executable, "-m", module, *arguments),
            environment=environment(self.settings, self.home),
            directory=self.home.dagster,
            ask_all=ask_all,
            grace=5.0,
        )

    def location_answers(self) -> bool:
        """Whether the code location is served: its socket is there only after the definitions were loaded."""
        return _served(self._location_socket)

    def run_host_answers(self) -> bool:
        """Whether runs are started warm, where the settings want that."""
        return not self._warm or _served(self._host_socket)

    @property
    def _warm(self) -> bool:
        return self.settings.run_launcher == "warm" and sys.platform == "linux"

    @property
    def _location_socket(self) -> Path:
        return self.sockets / "code-location.sock"

    @property
    def _host_socket(self) -> Path:
        return self.sockets / "run-host.sock"


def _served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def environment(settings: Settings, home: Home) -> dict[str, str]:
    """The children's environment: ours, with every setting spelled out."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DATAOPS_", "DAGSTER_"))}
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # an uncompiled Dagster starts three times as slowly
    return {
        **inherited,
        **setting_variables(settings),
        "DAGSTER_HOME": str(home.dagster),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONUNBUFFERED": "1",
        # uvicorn would believe X-Forwarded-For of whoever is on this machine, and with it escape the limits by address.
        "FORWARDED_ALLOW_IPS": os.environ.get("FORWARDED_ALLOW_IPS", ""),
    }


def setting_variables(settings: Settings) -> dict[str, str]:
    """The settings as the environment variables that they are read from."""
    variables = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value is not None:
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            variables[f"DATAOPS_{name.upper()}"] = text
    return variables


def instance_settings() -> str:
    """Our ``dagster.yaml``: the checkout's, or the copy that an installed package brings."""
    checkout = Path(__file__).parent.parent / "dagster.yaml"
    packaged = files("dataops_cli") / "data" / "dagster.yaml"
    return (checkout if checkout.is_file() else packaged).read_text(encoding="utf-8")


def with_run_launcher(text: str, *, socket: Path, records: Path) -> str:
    """A ``dagster.yaml`` with the run host's launcher in the place of Dagster's own."""
    settings = yaml.safe_load(text)
    settings["run_launcher"] = {
        "module": "dataops_pipeline.warm.launcher",
        "class": "WarmRunLauncher",
        "config": {"socket": str(socket), "records": str(records)},
    }
    return f"# Written by `dataops up` at each start.\n{yaml.safe_dump(settings, sort_keys=False)}"


def components(settings: Settings) -> Mapping[str, str]:
    """The state of each component as the API's ``/readyz`` tells it; empty while it does not answer."""
    address = urlsplit(local_url(settings.api_host, settings.api_port))
    connection = HTTPConnection(str(address.hostname), address.port, timeout=_COMPONENT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    found = answer.get("components") or answer.get("error", {}).get("details", {}).get("components", {})
    return {name: component["state"] for name, component in found.items()}
