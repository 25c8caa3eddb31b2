"""Who builds a dataset's blocks: threads of this process, or a Dask cluster. The blocks are the same.

A block is a row group, built from the specification alone, so that whoever builds one needs to know of no other. Does
not belong here: what is in a block (``dataset_types/``), how blocks are written (``records.py``).
"""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from dataops_core.dataset_types.base import BLOCK_ROWS, DatasetType, GenerationSpec
from dataops_core.errors import ConfigurationError
from dataops_core.settings import Settings

#: What is built or ready at a time, for each thread that builds: more would wait for the writer, in memory.
AHEAD = 2
#: Small records are built some blocks at a time, of about so many bytes: what a builder's call costs besides its rows
#: is theirs together. How many has no part in what they say.
_TOGETHER_BYTES = 6 * 2**20


class Blocks(Protocol):
    """Builds blocks."""

    def __call__(self, spec: GenerationSpec, dataset_type: DatasetType) -> Generator[pa.RecordBatch, None, None]:
        """The dataset's blocks in order, built ahead of whoever takes them."""
        ...


@dataclass(frozen=True, slots=True)
class InThreads:
    """Threads of this process."""

    threads: int = 1

    def __call__(self, spec: GenerationSpec, dataset_type: DatasetType) -> Generator[pa.RecordBatch, None, None]:
        """The blocks; each when it is asked for where one thread or one block is all."""
        builder, every = dataset_type.builder(spec), ranges(spec)
        if self.threads == 1 or len(every) == 1:
            for start, stop in every:
                yield from cut(builder.rows(start, stop))
            return
        with ThreadPoolExecutor(self.threads, thread_name_prefix="records") as threads:
            ahead: deque[Future[pa.RecordBatch]] = deque()
            try:
                for start, stop in every:
                    ahead.append(threads.submit(builder.rows, start, stop))
                    if len(ahead) >= AHEAD * self.threads:
                        yield from cut(ahead.popleft().result())
                while ahead:
                    yield from cut(ahead.popleft().result())
            finally:
                for future in ahead:
                    future.cancel()


#: Blocks that are built as they are needed.
ONE_THREAD = InThreads(1)


def ranges(spec: GenerationSpec) -> list[tuple[int, int]]:
    """First row (inclusive) and last (exclusive) of what is built together: a block, or some of small records."""
    count, together = spec.record_count, max(1, _TOGETHER_BYTES // (spec.template.bytes_per_record * BLOCK_ROWS))
    step = together * BLOCK_ROWS
    return [(start, min(start + step, count)) for start in range(0, count, step)]


def cut(rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The blocks of what was built together."""
    return (rows.slice(start, BLOCK_ROWS) for start in range(0, rows.num_rows, BLOCK_ROWS))


def blocks_of(settings: Settings) -> Blocks:
    """Who builds by these settings. Raises ConfigurationError where the package's extra for Dask is missing."""
    if settings.dask_scheduler is None:
        return InThreads(settings.generation_threads)
    try:
        from dataops_core.generation.on_dask import OnDask  # noqa: PLC0415  a second that nobody pays without Dask
    except ImportError as error:
        raise ConfigurationError(
            f"DATAOPS_DASK_SCHEDULER needs the package's extra dask ({error}): install 'dataops-lifecycle[dask]'."
        ) from None
    return OnDask(settings.dask_scheduler)
