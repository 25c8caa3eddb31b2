"""Dagster's run launcher on the run host: ``dagster.yaml`` names it under ``run_launcher``.

It lives in whatever process launches, ends or looks after runs (webserver, daemon, sensors) and holds no state: it asks
the host (``messages.py``) and reads what is written down of each run (``records.py``), which works without the host,
too. A run that the host cannot take is started as Dagster's own ``DefaultRunLauncher`` starts it, by the code location;
such runs, also those of another process' own launcher, are left to that launcher.

Config: ``socket`` and ``records``, the host's.
"""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from dagster import DagsterInstance, DagsterRun, DefaultRunLauncher, Field, StringSource
from dagster._config import UserConfigSchema
from dagster._core.errors import DagsterLaunchFailedError
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._serdes import ConfigurableClass, ConfigurableClassData, serialize_value

from dataops_pipeline.warm.messages import HostGoneError, HostSilentError, ask
from dataops_pipeline.warm.records import Phase, RunRecords

#: The host answers in milliseconds; more only where the machine is out of breath.
_ANSWER_SECONDS = 15.0


class WarmRunLauncher(RunLauncher[DagsterInstance], ConfigurableClass):
    """Launches runs in processes forked by the run host."""

    def __init__(self, socket: str, records: str, *, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        self._socket = socket
        self._records = RunRecords(Path(records))
        self._cold = DefaultRunLauncher()
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """How a launcher like this one is made again in another process."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """The shape of ``config`` in ``dagster.yaml``."""
        return {"socket": Field(StringSource), "records": Field(StringSource)}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        """The launcher that ``dagster.yaml`` describes."""
        return cls(config_value["socket"], config_value["records"], inst_data=inst_data)

    def register_instance(self, instance: DagsterInstance) -> None:
        """Takes the instance over, for the launcher beside it as well."""
        super().register_instance(instance)
        self._cold.register_instance(instance)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Has the run started, now or when its turn comes. Raises DagsterLaunchFailedError where the host hangs."""
        run = context.dagster_run
        question = {"do": "launch", "run_id": run.run_id, "instance": serialize_value(self._instance.get_ref())}
        try:
            answer = ask(self._socket, question, seconds=_ANSWER_SECONDS)
        except HostSilentError as error:
            # It may start the run yet, and a second process of one run would do everything twice.
            raise DagsterLaunchFailedError(str(error)) from error  # type: ignore[no-untyped-call]
        except HostGoneError as error:
            if self._records.read(run.run_id) is not None:
                return  # it was accepted before the host died: its process lives, or the next host starts it
            answer = {"error": str(error)}
        if "error" in answer:
            self._instance.report_engine_event(f"{answer['error']} The code location starts the run.", run)
            self._cold.launch_run(context)
        elif answer["phase"] == Phase.WAITING:
            self._instance.report_engine_event(
                f"Waits for its turn: {answer['most']} runs are in progress, {answer['before']} wait before it "
                "(DATAOPS_MAX_CONCURRENT_RUNS).",
                run,
            )

    def terminate(self, run_id: str) -> bool:
        """Asks the run to end; the host kills it where it does not. False: it had ended already."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        if GRPC_INFO_TAG in run.tags:
            return bool(self._cold.terminate(run_id))  # type: ignore[no-untyped-call]
        self._instance.report_run_canceling(run)
        if not self._asked_to_end(run_id):
            # No process of it will do it.
            self._instance.report_run_canceled(run, "The run was cancelled; it had no process.")
        return True

    def _asked_to_end(self, run_id: str) -> bool:
        """Whether there is a process that hears it."""
        try:
            answer = ask(self._socket, {"do": "terminate", "run_id": run_id}, seconds=_ANSWER_SECONDS)
        except (HostGoneError, HostSilentError):
            record = self._records.read(run_id)
            if record is None or record.mark is None or not record.mark.lives():
                self._records.remove(run_id)
                return False
            record.mark.signal(signal.SIGTERM)
            return True
        return bool(answer["stopped"] == "asked")

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Run monitoring finds a run whose process is gone."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the run has a process."""
        if GRPC_INFO_TAG in run.tags:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "The run has a process of the code location's.")
        record = self._records.read(run.run_id)
        if record is None:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "The run has no process, and none is written down.")
        if record.phase is Phase.ENDED:
            return CheckRunHealthResult(WorkerStatus.FAILED, record.message)
        if record.mark is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "The run waits for its turn.")
        pid = str(record.mark.pid)
        if record.mark.lives():
            return CheckRunHealthResult(WorkerStatus.RUNNING, run_worker_id=pid)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"The run process {pid} is gone.", run_worker_id=pid)
