"""Schemathesis holds the served API against its description, with every check that does not contradict the contract.

``make test ALL=1`` asks a bounded number of questions by a fixed seed. ``make fuzz`` asks more by a random one and
prints it (FUZZ_EXAMPLES and FUZZ_SEED). Dagster is played by one thread that carries runs out by the product's own
steps, so that datasets become ready, archived and gone while Schemathesis goes from link to link.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any
from uuid import UUID

import hypothesis
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.openapi.checks import RejectedPositiveData

from dataops_api.app import create_app
from dataops_api.idempotency import KEY_HEADER
from dataops_core.errors import DataOpsError
from dataops_core.ids import new_id
from dataops_core.lifecycle import CheckType
from dataops_core.provisioning import proving, restoring, steps, teardown
from dataops_core.provisioning.fencing import RunIdentity
from dataops_core.provisioning.services import Services, StepContext
from dataops_core.runs import LaunchRequest
from dataops_core.settings import Settings

pytestmark = pytest.mark.long

SEED = int(os.environ.get("FUZZ_SEED", "20260128"))
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))

PROVISION = "POST /v1/dataops/datasets"
TELL = "POST /v1/dataops/journeys/{journey_id}/events"
DATASET = "/v1/dataops/datasets/{dataset_id}"
FEW = {"generation": {"record_count": 20}}

ROUND = 10
WALKS = hypothesis.settings(
    max_examples=ROUND,
    stateful_step_count=8,
    deadline=None,
    database=None,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)

#: Schemathesis' checks that contradict the contract, each with its reason.
SWITCHED_OFF = {
    "use_after_free": "C-53: a dataset that was torn down can still be read, as archived",
}
#: Refusals of what the schema allows, so that ``positive_data_acceptance`` asks too much where there is nothing else.
#: Status → why; and operation and field of a 400 → why.
REFUSED_FOR_ITS_STATE = {
    410: "C-53: what was torn down is gone",
    412: "C-7: the dataset has changed since the tag in `If-Match`",
    422: "C-45: the idempotency key was used for another request",
}
BEYOND_A_SCHEMA = {
    (PROVISION, "template_overrides"): "C-40: the template must exist and be of that type; `manual` wants one for each",
    (PROVISION, "generation.record_count"): "C-40: the operator sets the most",
    (PROVISION, "generation.locale"): "C-40: the customer's first dataset has fixed it",
    (PROVISION, "metadata"): "C-40: at most 16 KiB together; C-34: client_name is printable",
    (f"PATCH {DATASET}", "metadata"): "C-50: at most 16 KiB together, as stored",
    (f"GET {DATASET}/quality/history", "before"): "C-64: it must be an evaluation of this dataset",
    (f"GET {DATASET}/records", "page"): "C-56: pages are of JSON alone",
    (f"GET {DATASET}/records", "per_page"): "C-56: pages are of JSON alone",
    (f"GET {DATASET}/ground-truth", "kind"): "C-57: pages are of JSON alone",
    (f"GET {DATASET}/ground-truth", "page"): "C-57: pages are of JSON alone",
    (f"GET {DATASET}/ground-truth", "per_page"): "C-57: pages are of JSON alone",
    (TELL, "to_stage"): "C-91: a transition must have it, a completion must not",
    (TELL, "dataset_types"): "C-91: a completion has none",
    (TELL, "occurred_at"): "C-91: not in the future",
    ("GET /v1/dataops/audit", "cursor"): "the audit log: what a page gave, and nothing else",
}


#: What a run of each job calls before its checks.
STEPS: dict[str, tuple[Callable[[StepContext], object], ...]] = {
    "provision": (steps.resolve_template, steps.create_connector, steps.populate_records, steps.index_records),
    "validate": (),
    "teardown": (
        teardown.disconnect_connector,
        teardown.archive_records,
        teardown.delete_records,
        teardown.update_registry,
    ),
    "restore": (
        restoring.restore_records,
        restoring.create_connector,
        restoring.validate_quality,
        restoring.publish_dataset,
    ),
}


class Runs:
    """Dagster's part: carries launched runs out one after the other, by the steps that Dagster would call."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._queue: SimpleQueue[tuple[str, LaunchRequest] | None] = SimpleQueue()
        self._ended: dict[UUID, Event] = {}
        self._thread = Thread(target=self._work, name="runs")
        self._thread.start()

    def launched(self, run_id: str, request: LaunchRequest) -> None:
        self._queue.put((run_id, request))

    def wait_for(self, operation_id: str, api: Any) -> None:
        """Until a run of the operation has ended, where it needs one at all."""
        operation = api.admin.get(f"/v1/dataops/operations/{operation_id}").json()
        if operation["status"] in {"pending", "in_progress"}:
            assert self._ended.setdefault(UUID(operation_id), Event()).wait(60)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _work(self) -> None:
        while (launched := self._queue.get()) is not None:
            run_id, request = launched
            try:
                self._carry_out(run_id, request)
            except DataOpsError:
                pass  # The step has settled its dataset, or the operation has moved on without this run.
            finally:
                self._ended.setdefault(request.operation_id, Event()).set()

    def _carry_out(self, run_id: str, request: LaunchRequest) -> None:
        identity = RunIdentity(run_id, request.operation_id)
        for dataset_type in request.dataset_types:
            context = StepContext(self._services, identity, request.environment, dataset_type)
            for step in STEPS[request.job]:
                step(context)
            if request.job in {"provision", "validate"}:
                for check in request.checks if request.checks is not None else CheckType:
                    proving.run_check(context, check)
            if request.job == "provision":
                proving.publish(context)


def description() -> Any:
    settings = Settings(secret_key="a secret for the description", database_url="postgresql://nobody@localhost/nothing")
    return create_app(settings).openapi()


def filter_failure(context: Any, failure: Failure, case: Any, response: Any) -> bool:  # noqa: ARG001
    """Whether a finding is one."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    if response.status_code != 400:
        return response.status_code not in REFUSED_FOR_ITS_STATE
    known = [field for operation, field in BEYOND_A_SCHEMA if operation == case.operation.label]
    refused = response.json().get("error", {}).get("details", {})
    return not refused or not all(any(f"{name}.".startswith(f"{one}.") for one in known) for name in refused)


@pytest.fixture(scope="module")
def schema() -> Any:
    """Made where a test asks it something: every process of a test run collects this file."""
    loaded = schemathesis.openapi.from_dict(description(), config=SchemathesisConfig(seed=SEED))
    # NUL is refused everywhere (C-5), which no schema of a text says.
    loaded.config.generation.update(max_examples=EXAMPLES, database="none", allow_x00=False)
    for name in SWITCHED_OFF:
        getattr(loaded.config.checks, name).enabled = False
    loaded.hook(filter_failure)
    return loaded


@pytest.fixture(scope="module")
def runs(module_api: Any) -> Iterator[Runs]:
    services = Services.from_settings(module_api.settings)
    carried = Runs(services)
    module_api.dagster.on_launch = carried.launched
    yield carried
    module_api.dagster.on_launch = None
    carried.close()
    services.connector.close()
    services.close()


@schemathesis.pytest.from_fixture("schema").parametrize()
def test_every_operation_answers_as_described(case: Any, module_api: Any) -> None:
    """C-2, C-5."""
    if case.headers and KEY_HEADER in case.headers and case.meta.generation.mode.is_positive:
        # One key for many requests is refused for that alone (C-45).
        case.headers[KEY_HEADER] = str(new_id())
    case.call_and_validate(base_url=module_api.url, headers=authorization(module_api))


def test_what_follows_from_an_answer_is_as_described(schema: Any, module_api: Any, runs: Runs) -> None:
    """C-2, C-5, C-35."""
    seen, findings = set(), []

    class Workflow(schema.as_state_machine()):
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:  # noqa: ARG002
            return {"base_url": module_api.url, "headers": authorization(module_api)}

        def before_call(self, case: Any) -> None:
            # Few records, enough for every check: there is a bound to the time.
            if case.operation.label == PROVISION and isinstance(case.body, dict):
                case.body = case.body | FEW

        def after_call(self, response: Any, case: Any) -> None:
            super().after_call(response, case)
            seen.add((case.operation.label, response.status_code))
            if response.status_code == 202 and case.operation.label != TELL:
                runs.wait_for(response.json()["operation_id"], module_api)

        def validate_response(self, response: Any, case: Any, *checks: Any, **options: Any) -> None:
            try:
                super().validate_response(response, case, *checks, **options)
            except FailureGroup as failure:
                findings.append(failure)
                raise

    # Which way a walk goes changes with every operation that is added: some never provision, and others follow them.
    for number in range(0, 5 * EXAMPLES, ROUND):
        if number >= EXAMPLES and (PROVISION, 202) in seen:
            break
        # What one walk did, the next one finds: Hypothesis ends a round where it notices, and has nothing to repeat.
        with suppress(hypothesis.errors.FlakyStrategyDefinition):
            hypothesis.seed(SEED + number)(Workflow)
            Workflow.run(settings=WALKS)
        if findings:
            raise findings[0]
    assert (PROVISION, 202) in seen
    assert len(seen) > 15


def test_every_link_of_the_description_leads_somewhere(schema: Any, module_api: Any, runs: Runs) -> None:
    """C-6, C-33. What reads comes before what changes, so that each finds a dataset that is ready."""
    operations = {
        one["operationId"]: (schema[path][method], one)
        for path, described in description()["paths"].items()
        for method, one in described.items()
    }
    methods = ("get", "patch", "post", "delete")

    def follow(name: str, path: dict[str, Any], **more: Any) -> list[tuple[str, dict[str, Any]]]:
        """Asks as the operation's own example does, and gives where the answer leads: operation and path."""
        operation, described = operations[name]
        media = described.get("requestBody", {}).get("content", {}).get("application/json")
        body = {"body": media["example"] | more, "media_type": "application/json"} if media else {}
        response = operation.Case(path_parameters=path, **body).call_and_validate(
            base_url=module_api.url, headers=authorization(module_api)
        )
        # What is there may be in another state than the one wanted, but it is there.
        assert response.status_code < 300 or response.status_code in {409, 410}, (name, response.text)
        if response.status_code == 202 and operation.label != TELL:
            runs.wait_for(response.json()["operation_id"], module_api)
        links = described["responses"][str(response.status_code)].get("links", {}).values()
        led = [
            (link["operationId"], {one: value_of(where, response, path) for one, where in link["parameters"].items()})
            for link in links
        ]
        return [(target, values) for target, values in led if None not in values.values()]

    known = dict(follow("create_datasets", {}, client_id=str(new_id()), **FEW) + follow("list_templates", {}))
    followed: set[str] = set()
    while waiting := known.keys() - followed:
        name = min(waiting, key=lambda one: (methods.index(operations[one][0].method), one))
        followed.add(name)
        known = dict(follow(name, known[name])) | known
    assert followed == {name for name, (one, _) in operations.items() if one.path_parameters}


def value_of(where: str, response: Any, path: dict[str, Any]) -> Any:
    """The value of a runtime expression, None where a list has no such element."""
    if where.startswith("$request.path."):
        return path[where.removeprefix("$request.path.")]
    value = response.json()
    for name in where.removeprefix("$response.body#/").split("/"):
        if value == []:
            return None
        value = value[int(name) if isinstance(value, list) else name]
    return value


def authorization(api: Any) -> dict[str, str]:
    return {"Authorization": api.admin.headers["Authorization"]}
