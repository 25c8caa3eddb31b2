"""Dagster, as the API reaches it: GraphQL over HTTP. Only this module and ``dagster_health.py`` know Dagster's GraphQL.

The documents are constants, tested against the webserver of the pinned minor version. Every call is bounded in time and
raises UnavailableError where Dagster, its webserver or its code location does not answer. Source: ``docs/contract.md``
C-81, C-86.
"""

from typing import Any, Self
from uuid import UUID

import httpx

from dataops_api.dagster_health import DagsterHealth, HealthProbe
from dataops_core.errors import PermanentError, UnavailableError
from dataops_core.runs import (
    LOCATION_NAME,
    PARTITIONS_NAME,
    REPOSITORY_NAME,
    TAG_ATTEMPT,
    TAG_FAILURE,
    TAG_LOST,
    TAG_OPERATION,
    LaunchRequest,
    RunState,
)
from dataops_core.settings import Settings

#: Seconds that any question may take.
TIMEOUT = 5.0
#: Seconds that a launch may take: Dagster answers only when the run is with its launcher, and gives up itself within
#: so long. Who stopped waiting before would leave a run in the making that nobody can see yet.
LAUNCH_TIMEOUT = 70.0
#: Seconds that a question after a part's health may take.
HEALTH_TIMEOUT = 2.0

_ADD_PARTITION = """
mutation AddEnvironment($repository: RepositorySelector!, $partitions: String!, $key: String!) {
  addDynamicPartition(repositorySelector: $repository, partitionsDefName: $partitions, partitionKey: $key) {
    __typename
    ... on UnauthorizedError { message }
    ... on PythonError { message className }
  }
}
"""

_LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on InvalidSubsetError { message }
    ... on UnauthorizedError { message }
    ... on PipelineNotFoundError { message }
    ... on PresetNotFoundError { message }
    ... on ConflictingExecutionParamsError { message }
    ... on RunConflict { message }
    ... on PythonError { message className }
  }
}
"""

_RUN_FIELDS = """
fragment RunFields on Run {
  runId
  status
  tags { key value }
  stepStats { stepKey status }
}
"""

_RUNS_OF_TAGS = (
    """
query RunsOfTags($tags: [ExecutionTag!]!) {
  runsOrError(filter: {tags: $tags}, limit: 1) {
    __typename
    ... on Runs { results { ...RunFields } }
    ... on InvalidPipelineRunsFilterError { message }
    ... on PythonError { message className }
  }
}
"""
    + _RUN_FIELDS
)

_RUN = (
    """
query OneRun($runId: ID!) {
  runOrError(runId: $runId) {
    __typename
    ... on Run { ...RunFields }
    ... on RunNotFoundError { message }
    ... on PythonError { message className }
  }
}
"""
    + _RUN_FIELDS
)

_TERMINATE = """
mutation Terminate($runId: String!) {
  terminateRun(runId: $runId, terminatePolicy: SAFE_TERMINATE) {
    __typename
    ... on TerminateRunFailure { message }
    ... on RunNotFoundError { message }
    ... on UnauthorizedError { message }
    ... on PythonError { message className }
  }
}
"""

#: Answers to a launch that the same launch will always get.
_REFUSALS = {"RunConfigValidationInvalid", "PresetNotFoundError", "ConflictingExecutionParamsError"}
#: Dagster gives this answer to whatever goes wrong while it makes a subset of a job, also where the code location does
#: not answer. The class of the error behind it, with which its sentence begins, tells which it is.
_SUBSET_ANSWER, _SUBSET_REFUSAL = "InvalidSubsetError", "DagsterInvalidSubsetError"


class DagsterGateway:
    """A client of Dagster's webserver, for any number of threads."""

    def __init__(self, base_url: str, *, location: str = LOCATION_NAME, timeout: float = TIMEOUT) -> None:
        self._repository = {"repositoryName": REPOSITORY_NAME, "repositoryLocationName": location}
        self._client = httpx.Client(base_url=base_url, timeout=timeout, trust_env=False)
        self._timeout = timeout
        self._probe = HealthProbe(self._ask_soon, self._repository)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The gateway to the webserver that the settings name."""
        return cls(settings.dagster_base)

    def launch(self, request: LaunchRequest) -> str:
        """Launches the run that an operation needs and returns its id.

        Raises PermanentError (its details have Dagster's sentence) where it refuses the run, UnavailableError where it
        does not answer: then the run may exist all the same (:meth:`run_of` tells), unless its details say ``sent``
        false.
        """
        # First the partition: a run of one that does not exist is accepted, and fails.
        self._add_partition(request.environment.partition_key)
        selector: dict[str, Any] = {**self._repository, "jobName": request.job}
        if request.assets is not None:
            selector["assetSelection"] = [{"path": list(key)} for key in request.assets]
        if request.asset_checks is not None:
            selector["assetCheckSelection"] = [
                {"assetKey": {"path": list(key)}, "name": name} for key, name in request.asset_checks
            ]
        tags = [{"key": key, "value": value} for key, value in request.tags.items()]
        params = {"selector": selector, "executionMetadata": {"tags": tags}}
        launched = self._ask(_LAUNCH, {"params": params}, timeout=LAUNCH_TIMEOUT)["launchRun"]
        if launched["__typename"] != "LaunchRunSuccess":
            raise _refusal(launched)
        return str(launched["run"]["runId"])

    def _add_partition(self, key: str) -> None:
        asked = {"repository": self._repository, "partitions": PARTITIONS_NAME, "key": key}
        try:
            added = self._ask(_ADD_PARTITION, asked)["addDynamicPartition"]
        except UnavailableError as error:
            raise UnavailableError(error.message, details=error.details | {"sent": False}) from error
        if added["__typename"] not in {"AddDynamicPartitionSuccess", "DuplicateDynamicPartitionError"}:
            # Said, too, of a code location that is not loaded at the moment: never a reason to give up.
            raise UnavailableError(
                f"Dagster could not add the environment: {added.get('message')}", details={"sent": False}
            )

    def run_of(self, operation_id: UUID, *, attempt: int | None = None) -> RunState | None:
        """The newest run that carries the operation's tag (and the attempt's, where one is given), or None."""
        tags = [{"key": TAG_OPERATION, "value": str(operation_id)}]
        if attempt is not None:
            tags.append({"key": TAG_ATTEMPT, "value": str(attempt)})
        found = self._ask(_RUNS_OF_TAGS, {"tags": tags})["runsOrError"]
        if found["__typename"] != "Runs":
            raise _refusal(found)
        return _run_state(found["results"][0]) if found["results"] else None

    def run_state(self, run_id: str) -> RunState | None:
        """The run of this id, or None where Dagster knows none."""
        found = self._ask(_RUN, {"runId": run_id})["runOrError"]
        if found["__typename"] == "RunNotFoundError":
            return None
        if found["__typename"] != "Run":
            raise _refusal(found)
        return _run_state(found)

    def terminate(self, run_id: str) -> bool:
        """Asks the run to stop; its code ends a moment later. False: there was nothing left to stop."""
        ended = self._ask(_TERMINATE, {"runId": run_id})["terminateRun"]
        if ended["__typename"] in {"RunNotFoundError", "TerminateRunFailure"}:
            return False
        if ended["__typename"] != "TerminateRunSuccess":
            raise _refusal(ended)
        return True

    def health(self) -> DagsterHealth:
        """Whether Dagster's parts live."""
        return self._probe.health()

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _ask_soon(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        return self._ask(document, variables, timeout=min(self._timeout, HEALTH_TIMEOUT))

    def _ask(self, document: str, variables: dict[str, Any], *, timeout: float | None = None) -> dict[str, Any]:
        limits = httpx.Timeout(self._timeout, read=timeout or self._timeout)
        try:
            answer = self._client.post("/graphql", json={"query": document, "variables": variables}, timeout=limits)
        except httpx.ConnectError as error:
            raise UnavailableError("Dagster does not answer.", details={"sent": False}) from error
        except httpx.HTTPError as error:
            raise UnavailableError("Dagster does not answer.") from error
        try:
            body = answer.json()
        except ValueError as error:
            raise UnavailableError(f"Dagster answered with status {answer.status_code}.") from error
        if not isinstance(body, dict) or body.get("errors") or not isinstance(body.get("data"), dict):
            sentence = "; ".join(str(error.get("message")) for error in body.get("errors", [])) or "no data"
            raise UnavailableError(f"Dagster could not answer: {sentence}.")
        data: dict[str, Any] = body["data"]
        return data


def _run_state(run: dict[str, Any]) -> RunState:
    steps = {step["stepKey"]: step["status"] for step in run["stepStats"] if step["status"] is not None}
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    return RunState(
        run_id=run["runId"],
        status=run["status"],
        steps=steps,
        failure_reason=tags.get(TAG_FAILURE),
        lost_because=tags.get(TAG_LOST),
    )


def _refusal(answer: dict[str, Any]) -> PermanentError | UnavailableError:
    kind = answer["__typename"]
    sentence = answer.get("message") or "; ".join(error["message"] for error in answer.get("errors", []))
    if kind in _REFUSALS or (kind == _SUBSET_ANSWER and _SUBSET_REFUSAL in sentence):
        # Clients see the sentence of an operation that failed; Dagster's own, with its inside, is for the log.
        return PermanentError(f"Dagster refuses the run ({kind}).", details={"dagster_error": kind, "said": sentence})
    return UnavailableError(f"Dagster could not do it: {sentence}", details={"dagster_error": kind})
