"""``dataops demo``: starts a stack of its own, tells the story on it, and stops it again.

Belongs here: the demo's home, starting and stopping, and how the demo ends. Does not belong here: what is done on the
stack (``demo_story.py``), and how it looks (``demo_screen.py``).

The demo's stack is apart from any other: its home is ``.demo`` in the checkout unless ``DATAOPS_HOME`` names another,
its ports are free ones, and no other setting of the environment reaches it, so that it never touches a real database.
"""

import io
import json
import shlex
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import httpx

from a_domain_sdk import DataOpsClient, Dataset
from a_domain_sdk import DataOpsError as SdkError
from dataops_cli.addresses import free_port
from dataops_cli.background import Stack, start_background, stop
from dataops_cli.commands import CANNOT
from dataops_cli.demo_home import demo_home, in_checkout
from dataops_cli.demo_screen import Screen
from dataops_cli.demo_story import DemoError, Story, endpoint_of, must
from dataops_cli.home import Home
from dataops_cli.processes import instance_members, wait_gone
from dataops_core.errors import ConfigurationError, DataOpsError
from dataops_core.settings import API_PREFIX, Settings

FAILED = 1

_TIMEOUT = 30.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody asked to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_status = 128 + number


def run_demo(*, keep: bool) -> int:
    """Runs the demo. Returns the exit status: 0 where all was seen to be true, 1 where not, 2 where it cannot be
    started (another one runs, the home is not usable), 128 + signal.

    ``keep`` leaves the stack running in the background with the datasets ready.
    """
    home = demo_home()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot show a character shows another one.
        sys.stdout.reconfigure(errors="replace")
    screen = Screen(sys.stdout)
    try:
        with _interruptible():
            _run(home, screen, keep=keep)
    except Interrupted as interrupted:
        sys.stderr.write("The demo was interrupted.\n")
        return interrupted.exit_status
    except ConfigurationError as error:
        sys.stderr.write(f"dataops: {error.message}\n")
        return CANNOT
    except (DemoError, SdkError, DataOpsError, httpx.HTTPError) as error:
        return _failed(home, str(error) or type(error).__name__)
    except Exception as error:
        trace = home / "logs" / "demo.log"
        if trace.parent.is_dir():
            trace.write_text(traceback.format_exc(), encoding="utf-8")
        return _failed(home, f"{type(error).__name__}: {error}")
    return 0


def _failed(home: Path, sentence: str) -> int:
    sys.stderr.write(f"The demo failed: {sentence.rstrip('.')}. Logs are in {home / 'logs'}\n")
    return FAILED


def _run(home: Path, screen: Screen, *, keep: bool) -> None:
    with screen.waiting(f"Starting PostgreSQL, the API, the connector service and Dagster on {home}"):
        stack = start_background(_settings(home), with_parent=not keep)
    try:
        datasets = _tell(stack, screen, keep=keep)
    except BaseException:
        with _uninterrupted():
            stop(Home(home))
        raise
    if keep:
        _show_addresses(stack, screen, datasets)
    else:
        with _uninterrupted():
            _stop_and_look(Home(home), screen)


def _settings(home: Path) -> Settings:
    """Every setting as shipped, whatever the environment says, but for home and ports."""
    shipped = {name: field.default for name, field in Settings.model_fields.items()}
    return Settings.load(**shipped | {"home": home, "api_port": free_port(), "dagster_port": free_port()})


def _tell(stack: Stack, screen: Screen, *, keep: bool) -> list[Dataset]:
    credentials = json.loads(stack.credentials_file.read_text(encoding="utf-8"))
    with (
        DataOpsClient(
            credentials["client_id"],
            credentials["client_secret"],
            base_url=credentials["base_url"],
            token_url=credentials["token_url"],
            timeout=_TIMEOUT,
            transport=httpx.HTTPTransport(),  # no proxy of the environment stands between us and the loopback
        ) as client,
        httpx.Client(timeout=_TIMEOUT, trust_env=False) as http,
    ):
        story = Story(screen, client, http)
        story.clear_earlier()
        operation, datasets = story.provision()
        story.show_quality(datasets)
        opened = story.ask(datasets)
        story.show_links(stack.docs_url, operation)
        if not keep:
            story.tear_down(opened)
    return datasets


def _stop_and_look(home: Home, screen: Screen) -> None:
    """Stops the stack; not one of its processes may be left."""
    record = home.read_record()
    must(record is not None, "The stack's processes are not known any more.")
    assert record is not None  # noqa: S101  the line above
    with screen.waiting("Stopping the stack"):
        stop(home)
    gone = wait_gone([record.supervisor, *record.children.values()], timeout=0)
    must(gone and not instance_members([record.instance]), f"Processes of the stack are left on {home.path}.")
    screen.line("Stopped: no process of it is left. All of it was seen to be true.")


def _show_addresses(stack: Stack, screen: Screen, datasets: list[Dataset]) -> None:
    screen.chapter("It goes on in the background, with both datasets ready")
    screen.pairs(
        {
            "API": f"{stack.public_url}{API_PREFIX}",
            "API docs": stack.docs_url,
            "Token endpoint": f"{stack.public_url}/token",
            "Dagster UI": f"{stack.dagster_url} (no login)",
            **{f"Connector of {dataset.name}": endpoint_of(dataset) for dataset in datasets},
            "Credentials": str(stack.credentials_file),
            "Logs": str(Home(stack.home).logs),
        }
    )
    screen.line()
    screen.line("`make down` here stops it, and anywhere:" if in_checkout() else "This stops it:")
    screen.line(f"  DATAOPS_HOME={shlex.quote(str(stack.home))} {_command()} down")


def _command() -> str:
    """How this program is called from anywhere."""
    program = Path(sys.argv[0])
    return shlex.quote(str(program.absolute())) if program.name == "dataops" and program.is_file() else "dataops"


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turns the signals that ask to stop into :class:`Interrupted`, so that the stack is stopped on the way out."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(number)

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS if _listens(number)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C must not leave half of the stack behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listens(number: signal.Signals) -> bool:
    # `nohup` hands SIGHUP over as ignored, and means it.
    return not (number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN)
