"""The one resource of the code location: what steps and sensors work with, and who asks for a step.

Made at import, connected at first use: loading the definitions reads no file and opens no connection.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from dagster import (
    AssetCheckExecutionContext,
    AssetExecutionContext,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Failure,
    OpExecutionContext,
)

from dataops_core import tracing
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.errors import ConfigurationError, DataOpsError
from dataops_core.lifecycle import CheckType, Environment, OperationType
from dataops_core.logs import configure_ours
from dataops_core.once import MadeOnce
from dataops_core.provisioning.fencing import RunIdentity
from dataops_core.provisioning.services import Services, StepContext
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import launches
from dataops_core.registry.database import Database
from dataops_core.runs import CHECKED_ASSET, JOBS, TAG_ATTEMPT, TAG_OPERATION, TAG_PARTITION, TAG_TRACE
from dataops_core.settings import Settings
from dataops_core.templates.loader import load_catalog


class DataOps:
    """The product's services in this process; a test makes them its own way."""

    def __init__(self, make: Callable[[], Services] | None = None) -> None:
        self._services = MadeOnce(make or _from_environment, keep=1)

    @property
    def services(self) -> Services:
        """Settings, registry, files, templates, connector. Raises ConfigurationError where one cannot be had."""
        return self._services()

    def step(
        self,
        context: AssetExecutionContext | AssetCheckExecutionContext | OpExecutionContext,
        dataset_type: str,
    ) -> StepContext:
        """What a step of this run needs to know. Raises Failure where the run names no environment."""
        run: DagsterRun = context.run
        executed = context.get_step_execution_context()
        return StepContext(
            services=self.services_of(run),
            run=run_identity(run),
            environment=environment_of(run.tags),
            dataset_type=dataset_type,
            name=executed.step.key,
            stopping=lambda: _is_stopping(context.instance, run.run_id),
            index_follows=f"{dataset_type}__{CHECKED_ASSET}" in executed.execution_plan.step_keys_to_execute,
        )

    def services_of(self, run: DagsterRun) -> Services:
        """The services; where they cannot be had (a template was broken since), the run's operation is told why."""
        try:
            return self.services
        except ConfigurationError as error:
            with suppress(DataOpsError):
                _end(run, _for_clients(error))
            raise


def _for_clients(error: ConfigurationError) -> str:
    """What is wrong, without the place on the server."""
    problems = [
        f"{Path(one['file']).name}, line {one['line']}, {one['field'] or 'the file'}: {one['problem']}"
        for one in error.details.get("problems", [])
    ]
    if not problems:
        return "The run cannot begin: the installation is not configured as it must be; Dagster's page of it says more."
    return f"The template catalog cannot be used ({'; '.join(problems[:3])})."


def _end(run: DagsterRun, why: str) -> None:
    operation_id = operation_of(run.tags)
    if operation_id is None:
        return
    database = Database.from_settings(Settings.load(), pool_size=1)
    try:
        with database.transaction() as session:
            # The run may be quicker than whoever launched it.
            launches.record_launch(session, operation_id, run.run_id, attempt=int(run.tags.get(TAG_ATTEMPT, "1")))
            settle(session, operation_id, RunEnding.FAILURE, run_id=run.run_id, message=why)
    finally:
        database.close()


def _is_stopping(instance: DagsterInstance, run_id: str) -> bool:
    """Whether somebody is stopping the run. False where Dagster cannot tell: then an error is told as what it is."""
    try:
        run = instance.get_run_by_id(run_id)
    except Exception:
        return False
    return run is not None and run.status in {DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED}


#: Made by the process that this one was forked from.
_prepared: Services | None = None


def prepare(settings: Settings) -> Services:
    """The services, made for all processes that are forked from this one. Nothing is connected.

    Raises ConfigurationError.
    """
    global _prepared  # noqa: PLW0603  forked processes find it there
    _prepared = Services.from_settings(settings)
    return _prepared


def _from_environment() -> Services:
    """The services of a process of Dagster's, in which our logs and traces begin here."""
    settings = Settings.load() if _prepared is None else _prepared.settings
    configure_ours(settings)
    tracing.start(settings, service="dataops-pipeline")
    if _prepared is None:
        return Services.from_settings(settings)
    # Templates of one's own may have changed since then.
    return replace(_prepared, catalog=load_catalog(settings.templates_dir))


def run_identity(run: DagsterRun) -> RunIdentity:
    """Who asks, as fencing wants it: the run, the operation of its tag, and the run that it repeats."""
    return RunIdentity(
        run_id=run.run_id,
        operation_id=operation_of(run.tags),
        parent_run_id=run.parent_run_id or run.root_run_id,
        traceparent=tracing.usable(run.tags.get(TAG_TRACE)),
        checks=_checks_alone(run),
    )


#: The steps that are checks, by their keys in a run.
_CHECK_STEPS = {
    f"{dataset_type}__{CHECKED_ASSET}_{check}": (dataset_type, check)
    for dataset_type in DATASET_TYPES
    for check in CheckType
}


def _checks_alone(run: DagsterRun) -> Mapping[str, tuple[CheckType, ...]] | None:
    """The checks of each dataset type, of a run that does nothing but check; None for any other run."""
    chosen: Collection[tuple[str, CheckType] | None]
    if run.step_keys_to_execute is not None:
        chosen = [_CHECK_STEPS.get(key) for key in run.step_keys_to_execute]
    elif run.asset_check_selection and not run.asset_selection:
        chosen = [(key.asset_key.path[0], CheckType(key.name)) for key in run.asset_check_selection]
    elif run.job_name == JOBS[OperationType.VALIDATION]:
        chosen = _CHECK_STEPS.values()
    else:
        return None
    checks = [one for one in chosen if one is not None]
    if not checks or None in chosen:
        return None
    return {
        dataset_type: tuple(check for check in CheckType if (dataset_type, check) in checks)
        for dataset_type in DATASET_TYPES
        if any(of == dataset_type for of, _ in checks)
    }


def operation_of(tags: Mapping[str, str]) -> UUID | None:
    """The operation that a run's tags name, if any."""
    named = tags.get(TAG_OPERATION)
    if named is None:
        return None
    try:
        return UUID(named)
    except ValueError:
        raise Failure(f"The tag {TAG_OPERATION} holds no operation's id: '{named}'.", allow_retries=False) from None


def environment_of(tags: Mapping[str, str]) -> Environment:
    """The environment that a run's partition names."""
    key = tags.get(TAG_PARTITION)
    if key is None:
        raise Failure(
            "The run has no partition: choose the environment (stage:client_id) whose datasets it is to work on.",
            allow_retries=False,
        )
    try:
        return Environment.parse(key)
    except ValueError as error:
        raise Failure(f"{error}.", allow_retries=False) from None


@contextmanager
def clear_failures() -> Iterator[None]:
    """Turns the product's own errors into a step's failure with their sentence.

    None is retried by Dagster: the step has ended its dataset's part of the operation by then, and going on is a rerun.
    """
    try:
        yield
    except DataOpsError as error:
        details = {name: str(value) for name, value in error.details.items()}
        raise Failure(error.message, metadata={"code": error.code, **details}, allow_retries=False) from error
