"""What a person does in the Dagster UI, sent to its webserver as the UI sends it: its mutations, its variables.

Taken from the webserver of the pinned version. Belongs here: one function for one thing that is done there. Does not
belong here: what becomes of it in the registry (``test_dagster_ui.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from dataops_core.runs import LOCATION_NAME, PARTITIONS_NAME, REPOSITORY_NAME

#: The job behind "Materialize" on assets.
ASSET_JOB = "__ASSET_JOB"
REPOSITORY = {"repositoryLocationName": LOCATION_NAME, "repositoryName": REPOSITORY_NAME}

_FROM_UI = {"key": "dagster/from_ui", "value": "true"}

_LAUNCHED = """
      __typename
      ... on LaunchRunSuccess { run { id } }
      ... on InvalidSubsetError { message }
      ... on RunConfigValidationInvalid { errors { message } }
      ... on PythonError { message }
"""
_LAUNCH = f"""
mutation LaunchPipelineExecution($executionParams: ExecutionParams!) {{
  launchPipelineExecution(executionParams: $executionParams) {{ {_LAUNCHED} }}
}}
"""
_REEXECUTE = f"""
mutation LaunchPipelineReexecution($executionParams: ExecutionParams, $reexecutionParams: ReexecutionParams) {{
  launchPipelineReexecution(executionParams: $executionParams, reexecutionParams: $reexecutionParams) {{ {_LAUNCHED} }}
}}
"""
_TERMINATE = """
mutation Terminate($runIds: [String!]!, $terminatePolicy: TerminateRunPolicy) {
  terminateRuns(runIds: $runIds, terminatePolicy: $terminatePolicy) {
    __typename
    ... on TerminateRunsResult { terminateRunResults { __typename ... on TerminateRunFailure { message } } }
    ... on PythonError { message }
  }
}
"""
_DELETE = "mutation Delete($runId: String!) { deletePipelineRun(runId: $runId) { __typename } }"
_BACKFILL = """
mutation LaunchPartitionBackfill($backfillParams: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $backfillParams) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PartitionKeysNotFoundError { message }
    ... on PythonError { message }
  }
}
"""
_ADD_PARTITION = """
mutation AddDynamicPartitionMutation(
  $partitionsDefName: String! $partitionKey: String! $repositorySelector: RepositorySelector!
) {
  addDynamicPartition(
    partitionsDefName: $partitionsDefName partitionKey: $partitionKey repositorySelector: $repositorySelector
  ) { __typename ... on PythonError { message } }
}
"""
_DELETE_PARTITIONS = """
mutation DeleteDynamicPartitionsMutation(
  $partitionKeys: [String!]! $partitionsDefName: String! $repositorySelector: RepositorySelector!
  $wipeMaterializations: Boolean
) {
  deleteDynamicPartitions(
    partitionKeys: $partitionKeys partitionsDefName: $partitionsDefName repositorySelector: $repositorySelector
    wipeMaterializations: $wipeMaterializations
  ) { __typename ... on PythonError { message } }
}
"""
_RUN = """
query Run($id: ID!) {
  runOrError(runId: $id) {
    __typename
    ... on Run {
      id status pipelineName rootRunId parentRunId stepKeysToExecute
      tags { key value }
      stepStats { stepKey status }
      eventConnection(limit: 1000) { events { __typename ... on ExecutionStepFailureEvent {
        stepKey error { message cause { message } } failureMetadata { description }
      } } }
    }
  }
}
"""
_OUTPUTS = """
query Outputs($id: ID!) {
  runOrError(runId: $id) { ... on Run { eventConnection(limit: 1000) { events { ... on ExecutionStepOutputEvent {
    metadataEntries {
      label
      ... on MarkdownMetadataEntry { mdStr } ... on IntMetadataEntry { intValue } ... on BoolMetadataEntry { boolValue }
    }
  } } } } }
}
"""
_RUNS = """
query Runs($tags: [ExecutionTag!]!) { runsOrError(filter: {tags: $tags}) { ... on Runs { results { id status } } } }
"""


@dataclass(frozen=True)
class DagsterUI:
    """The UI of a running stack."""

    url: str

    def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = httpx.post(f"{self.url}/graphql", json={"query": document, "variables": variables}, timeout=60)
        body: dict[str, Any] = answer.raise_for_status().json()
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    def reexecute(self, run_id: str, strategy: str) -> str:
        """ "Re-execute" on a run's page: ALL_STEPS, FROM_FAILURE or FROM_ASSET_FAILURE. The new run's id."""
        params = {"parentRunId": run_id, "strategy": strategy, "extraTags": [_FROM_UI]}
        return _run_id(self.ask(_REEXECUTE, reexecutionParams=params)["launchPipelineReexecution"])

    def reexecute_steps(self, run_id: str, steps: Sequence[str]) -> str:
        """ "Re-execute selected step(s)" on a run's page."""
        run = self.run(run_id)
        root = run["rootRunId"] or run_id
        tags = [
            *({"key": tag["key"], "value": tag["value"]} for tag in run["tags"]),
            {"key": "dagster/parent_run_id", "value": run_id},
            {"key": "dagster/root_run_id", "value": root},
            {"key": "dagster/step_selection", "value": ",".join(steps)},
            _FROM_UI,
        ]
        params = {
            "mode": "default",
            "runConfigData": "{}",
            "executionMetadata": {"parentRunId": run_id, "rootRunId": root, "tags": tags},
            "selector": REPOSITORY
            | {
                "pipelineName": run["pipelineName"],
                "assetSelection": [],
                "assetCheckSelection": [],
            },
            "stepKeys": list(steps),
        }
        return _run_id(self.ask(_REEXECUTE, executionParams=params)["launchPipelineReexecution"])

    def launch(
        self,
        job: str,
        *,
        partition: str | None = None,
        assets: Sequence[str] = (),
        checks: Sequence[str] | None = None,
        tags: dict[str, str] | None = None,
        config: str = "{}",
    ) -> str:
        """ "Materialize" on assets (``type/name``), or "Launch run" of a job, with its launchpad's YAML. The run's id.

        ``checks`` are ``type/check``; where they are None, those of the assets come along, as in the UI.
        """
        given = [{"key": key, "value": value} for key, value in (tags or {}).items()] + [_FROM_UI]
        if partition is not None:
            given.append({"key": "dagster/partition", "value": partition})
        selector: dict[str, Any] = {"pipelineName": job, "assetSelection": [_key(asset) for asset in assets]}
        if checks is not None:
            selector["assetCheckSelection"] = [
                {"assetKey": {"path": [kind, "index"]}, "name": name}
                for kind, name in (check.split("/") for check in checks)
            ]
        params = {
            "mode": "default",
            "runConfigData": config,
            "executionMetadata": {"tags": given},
            "selector": REPOSITORY | selector,
        }
        return _run_id(self.ask(_LAUNCH, executionParams=params)["launchPipelineExecution"])

    def backfill(self, partitions: Sequence[str], *, assets: Sequence[str] = (), job: str | None = None) -> str:
        """ "Launch backfill" of assets, or of a job, over several environments. The backfill's id."""
        params: dict[str, Any] = {"tags": [_FROM_UI], "partitionNames": list(partitions), "fromFailure": False}
        if job is None:
            params["assetSelection"] = [_key(asset) for asset in assets]
        else:
            params["selector"] = {"partitionSetName": f"{job}_partition_set", "repositorySelector": REPOSITORY}
        answer = self.ask(_BACKFILL, backfillParams=params)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        backfill_id: str = answer["backfillId"]
        return backfill_id

    def terminate(self, run_id: str, *, immediately: bool = False) -> str:
        """ "Terminate"; ``immediately``: with "Force termination immediately". What the UI is answered."""
        policy = "MARK_AS_CANCELED_IMMEDIATELY" if immediately else "SAFE_TERMINATE"
        answer = self.ask(_TERMINATE, runIds=[run_id], terminatePolicy=policy)["terminateRuns"]
        assert answer["__typename"] == "TerminateRunsResult", answer
        said: str = answer["terminateRunResults"][0]["__typename"]
        return said

    def delete(self, run_id: str) -> str:
        """ "Delete" on a run."""
        said: str = self.ask(_DELETE, runId=run_id)["deletePipelineRun"]["__typename"]
        return said

    def add_partition(self, key: str) -> str:
        """ "Add a partition" on an asset's page."""
        variables = {"partitionsDefName": PARTITIONS_NAME, "partitionKey": key, "repositorySelector": REPOSITORY}
        said: str = self.ask(_ADD_PARTITION, **variables)["addDynamicPartition"]["__typename"]
        return said

    def delete_partitions(self, keys: Sequence[str]) -> str:
        """ "Delete partitions". The storage cannot wipe their events, so the dialog does not offer that."""
        variables = {
            "partitionsDefName": PARTITIONS_NAME,
            "partitionKeys": list(keys),
            "repositorySelector": REPOSITORY,
            "wipeMaterializations": False,
        }
        said: str = self.ask(_DELETE_PARTITIONS, **variables)["deleteDynamicPartitions"]["__typename"]
        return said

    def run(self, run_id: str) -> dict[str, Any]:
        """The run as its page shows it."""
        found = self.find_run(run_id)
        assert found is not None, run_id
        return found

    def find_run(self, run_id: str) -> dict[str, Any] | None:
        """The run, None where Dagster knows none of that id."""
        found: dict[str, Any] = self.ask(_RUN, id=run_id)["runOrError"]
        return found if found["__typename"] == "Run" else None

    def failures(self, run_id: str) -> dict[str, str]:
        """The sentence of each failed step, as the run's page shows it."""
        events = self.run(run_id)["eventConnection"]["events"]
        return {
            event["stepKey"]: (event["failureMetadata"] or {}).get("description") or event["error"]["message"]
            for event in events
            if event["__typename"] == "ExecutionStepFailureEvent"
        }

    def shown(self, run_id: str) -> dict[str, Any]:
        """What the outputs of a run show, as its page does: texts, numbers and truths by their names."""
        events = self.ask(_OUTPUTS, id=run_id)["runOrError"]["eventConnection"]["events"]
        entries = [entry for event in events for entry in event.get("metadataEntries", ())]
        return {entry.pop("label"): next(iter(entry.values()), None) for entry in entries}

    def runs_of(self, **tags: str) -> list[dict[str, str]]:
        """Id and status of the runs with these tags, newest first. In names ``__`` stands for ``/``."""
        wanted = [{"key": key.replace("__", "/"), "value": value} for key, value in tags.items()]
        found: list[dict[str, str]] = self.ask(_RUNS, tags=wanted)["runsOrError"]["results"]
        return found


def _key(asset: str) -> dict[str, list[str]]:
    return {"path": asset.split("/")}


def _run_id(answer: dict[str, Any]) -> str:
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id: str = answer["run"]["id"]
    return run_id
