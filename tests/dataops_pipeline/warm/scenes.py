"""Jobs of few ops, for runs that tests launch, look into and end. Each op tells of itself in a file."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from dagster import (
    Config,
    ExecutorDefinition,
    In,
    JobDefinition,
    Nothing,
    OpExecutionContext,
    in_process_executor,
    job,
    multiprocess_executor,
    op,
)

from dataops_pipeline.executor import executor

#: No op outlives a test that went wrong.
LONGEST = 120.0


class Place(Config):
    place: str


def links() -> dict[str, str]:
    """What this process has open."""
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        if entry.is_symlink():
            found[entry.name] = str(entry.readlink())
    return found


def tell(place: str, **facts: object) -> None:
    path = Path(place, "told.json")
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"pid": os.getpid(), **facts}), encoding="utf-8")
    partial.replace(path)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


@op
def describe(config: Place) -> None:
    """Tells of its process, and ends."""
    print("a word on standard output")  # noqa: T201
    tell(config.place, open=links(), threads=threading.active_count(), session=os.getsid(0), stdin=os.fstat(0).st_rdev)


def stay_at(config: Place) -> None:
    """Stays until a file ``go`` is there, and notes that it ended; a file ``fail`` makes it fail then."""
    child = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({LONGEST})"])
    tell(config.place, child=child.pid)
    try:
        wait_for(Path(config.place, "go").exists)
    finally:
        Path(config.place, "finally").touch()
        child.kill()
        child.wait()
    if Path(config.place, "fail").exists():
        raise ValueError("on purpose")


@op
def stay(config: Place) -> None:
    stay_at(config)


@op
def resist(config: Place) -> None:
    """Stays, whoever asks it to end."""
    tell(config.place)
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        try:
            time.sleep(0.05)
        except BaseException:  # noqa: S112
            continue


@op
def eat(context: OpExecutionContext, config: Place) -> None:
    """Takes more and more memory."""
    tell(config.place)
    taken = []
    for _ in range(100):
        taken.append(bytearray(os.urandom(1 << 20) * 16))
        time.sleep(0.02)
    context.log.info(str(len(taken)))
    wait_for(lambda: False)


@op
def leave(config: Place) -> None:
    """Ends its process without a word."""
    tell(config.place)
    os._exit(7)


@op
def spread(config: Place) -> None:
    """Stays, in a process of the step's own."""
    tell(config.place, parent=os.getppid())
    wait_for(Path(config.place, "go").exists)


def _job(work: Callable[..., object], executor: ExecutorDefinition = in_process_executor) -> JobDefinition:
    @job(name=f"{work.name}_job", executor_def=executor)  # type: ignore[attr-defined]
    def made() -> None:
        work()

    return made


describe_job, stay_job, resist_job, eat_job, leave_job = (_job(one) for one in (describe, stay, resist, eat, leave))
spread_job = _job(spread, multiprocess_executor)


def _link(name: str, *, first: bool) -> Callable[..., object]:
    @op(name=name, ins={} if first else {"after": In(Nothing)})
    def step(config: Place) -> None:
        stay_at(config)

    return step


@job(executor_def=executor)
def shared_job() -> None:
    """Two chains of two steps, by the product's executor."""
    for name in "ab":
        _link(f"{name}_2", first=False)(after=_link(f"{name}_1", first=True)())
