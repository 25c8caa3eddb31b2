"""A dataset's blocks, built by the workers of a Dask cluster: ``DATAOPS_DASK_SCHEDULER``.

The specification (50 KB) goes to the cluster once, as a task's result; each block is a task of two numbers, and comes
back as an Arrow record batch, which Dask sends as Arrow does. Nothing is scattered, so that all that dies with a worker
is computed again by another. Loaded only where the setting is; ``distributed`` is the extra ``dask`` of the package.
"""

import threading
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from itertools import islice
from uuid import uuid4

import pyarrow as pa
from distributed import Client, KilledWorker
from distributed.client import Future, FutureCancelledError

from dataops_core.dataset_types.base import DatasetType, GenerationSpec, RecordBuilder
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import PermanentError, UnavailableError
from dataops_core.generation.blocks import AHEAD, cut, ranges

#: So long a scheduler that is away, or a cluster without workers, is waited for: as long as a connector.
PATIENCE_SECONDS = 16.0
#: How often a block that takes long is looked after.
_LOOK_SECONDS = 2.0
#: What the bytes follow from, beside the specification.
_LIBRARIES = ("dataops-lifecycle", "numpy", "pyarrow")

_SETTING = "the Dask scheduler of DATAOPS_DASK_SCHEDULER"


@dataclass(frozen=True, slots=True)
class OnDask:
    """The workers of the cluster whose scheduler has this address."""

    address: str

    def __call__(self, spec: GenerationSpec, dataset_type: DatasetType) -> Generator[pa.RecordBatch, None, None]:
        """The blocks.

        Raises UnavailableError where scheduler or workers are away for longer than they are waited for, and
        PermanentError where the workers are not of this release.
        """
        work = _Work(uuid4().hex, dataset_type.name, spec, _versions())
        with _connected(self.address) as client, _told():
            # Known to the cluster as a task: a value that is handed to workers would be gone with them.
            given = client.submit(_same, work, key=f"records-{work.id}", pure=False)
            waiting = iter(ranges(spec))
            ahead: deque[Future] = deque()
            while True:
                most = AHEAD * max(1, sum(client.nthreads().values()))
                for start, stop in islice(waiting, max(0, most - len(ahead))):
                    ahead.append(client.submit(_block, given, start, stop, key=f"records-{work.id}-{start}"))
                if not ahead:
                    return
                yield from cut(_result(client, ahead.popleft()))

    def workers(self) -> int:
        """How many workers there are. Raises UnavailableError where there is none, or the scheduler is away."""
        with _connected(self.address) as client, _told():
            return len(client.nthreads())


@dataclass(frozen=True, slots=True)
class _Work:
    """What blocks are built from; two of one id are the same."""

    id: str
    dataset_type: str = field(compare=False)
    spec: GenerationSpec = field(compare=False, repr=False)
    versions: dict[str, str] = field(compare=False)


def _same(work: _Work) -> _Work:
    return work


def _block(work: _Work, start: int, stop: int) -> pa.RecordBatch:
    """One block, in a worker."""
    found = _versions()
    if found != work.versions:
        raise PermanentError(
            f"The Dask workers have {_listed(found)}, the run has {_listed(work.versions)}: "
            "give both the same, since the records follow from it."
        )
    with _building:
        builder = _builder(work)
    return builder.rows(start, stop)


#: One builder for all threads of a worker.
_building = threading.Lock()


@lru_cache(maxsize=2)
def _builder(work: _Work) -> RecordBuilder:
    return DATASET_TYPES[work.dataset_type].builder(work.spec)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in _LIBRARIES}


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    """A client of a cluster that has a worker."""
    try:
        client = Client(address, timeout=PATIENCE_SECONDS, set_as_default=False, direct_to_workers=True)
    except (OSError, ValueError) as error:
        raise UnavailableError(f"The records could not be built: {_SETTING} does not answer.") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
        except TimeoutError as error:
            raise UnavailableError(f"The records could not be built: {_SETTING} has no worker.") from error
        yield client


@contextmanager
def _told() -> Iterator[None]:
    """Turns what Dask raises into errors of ours, a sentence each."""
    try:
        yield
    except KilledWorker as error:
        raise UnavailableError(
            f"The records could not be built: the workers of {_SETTING.removeprefix('the ')} died of one block "
            "several times; look at their memory."
        ) from error
    except (FutureCancelledError, OSError) as error:
        raise UnavailableError(f"The records could not be built: {_SETTING} went away.") from error
    except ModuleNotFoundError as error:
        raise PermanentError(f"The Dask workers lack the product ({error}): install it there, too.") from error


def _result(client: Client, future: Future) -> pa.RecordBatch:
    alone_since: float | None = None
    while True:
        try:
            return future.result(timeout=_LOOK_SECONDS)
        except TimeoutError:
            now = time.monotonic()
            alone_since = None if client.nthreads() else alone_since or now
            if alone_since is not None and now - alone_since >= PATIENCE_SECONDS:
                raise UnavailableError(f"The records could not be built: {_SETTING} has lost its workers.") from None
