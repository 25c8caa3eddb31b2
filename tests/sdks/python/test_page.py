"""The pages' examples, run as printed on the real stack (C-95), and the SDK beside what the API really answers."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from pydantic import BaseModel

from a_domain_sdk import ConflictError, DataOpsClient, NotFoundError, Operation
from tests.conftest import Stack

pytestmark = pytest.mark.stack

PAGE = Path(__file__).parents[3] / "docs/sdk-python.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
REFERENCE_IDS = ("123e4567-e89b-12d3-a456-426614174001", "123e4567-e89b-12d3-a456-426614174000")


@pytest.fixture
def client(stack: Stack) -> Iterator[DataOpsClient]:
    """A client as the environment of a user has it, of the suite's stack."""
    known = stack.credentials
    with DataOpsClient(known["client_id"], known["client_secret"], base_url=known["base_url"]) as client:
        yield client


def run(script: str, stack: Stack, place: Path) -> str:
    """What the script prints, run there as a user runs it, every warning an error."""
    known = stack.credentials
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATAOPS_")}
    environment |= {"DATAOPS_BASE_URL": known["base_url"], "DATAOPS_TOKEN_URL": known["token_url"]}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment,
        cwd=place,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_credentials(script: str, stack: Stack) -> str:
    """The script with the two placeholders filled."""
    known = stack.credentials
    return script.replace("your-client-id", known["client_id"]).replace("your-client-secret", known["client_secret"])


def test_the_example_of_the_reference_runs_as_printed(stack: Stack, client: DataOpsClient, tmp_path: Path) -> None:
    journey, customer = str(uuid4()), str(uuid4())
    script = with_credentials(BLOCKS[0], stack)
    for printed, own in zip(REFERENCE_IDS, (journey, customer), strict=True):
        assert printed in script
        script = script.replace(printed, own)

    said = run(script, stack, tmp_path)

    (dataset,) = client.datasets.list(client_id=customer)
    assert said.splitlines() == [f"Dataset ready: {dataset.quality_score}% quality", "Schema validation: 100.0%"]
    assert dataset.journey_id == journey
    assert dataset.operation_id is not None
    client.operations.wait(dataset.operation_id, timeout=60)
    assert client.datasets.get(dataset.dataset_id).status == "archived"


@pytest.mark.long
def test_the_other_examples_of_the_page_run_on_a_small_dataset(stack: Stack, tmp_path: Path) -> None:
    begin = f"""
from a_domain_sdk import DataOpsClient
client = DataOpsClient(client_id="your-client-id", client_secret="your-client-secret")
operation = client.datasets.create(
    journey_id="{uuid4()}", client_id="{uuid4()}", stage="sandbox", dataset_types=["confluence_pages"],
    generation={{"record_count": 20}},
)
"""
    between = "\ndataset = operation.result.datasets[0]\n"
    end = "\nclient.datasets.delete(dataset.dataset_id, archive=False).wait(timeout=60)\nprint('gone')\n"

    script = with_credentials(begin + BLOCKS[1] + between + "".join(BLOCKS[2:]) + end, stack)
    said = run(script, stack, tmp_path).splitlines()

    assert len(BLOCKS) == 6
    assert "100 %" in said
    assert said[-1] == "gone"
    assert any("https://wiki." in line for line in said)
    assert any("; 20" in line and "Who is the author" in line for line in said)
    assert zipfile.is_zipfile(tmp_path / "acme.beir.zip")
    assert any("FinTech Compliance - Confluence" in line for line in said)


def unknown_fields(value: object, path: str = "") -> list[str]:
    """The fields of an answer that the SDK's models do not name. Metadata has keys of the user's own."""
    if isinstance(value, list):
        return [found for item in value for found in unknown_fields(item, path)]
    if not isinstance(value, BaseModel) or path.endswith("metadata"):
        return []
    found = [f"{path}.{name}" for name in value.model_extra or {}]
    for name in type(value).model_fields:
        found += unknown_fields(getattr(value, name), f"{path}.{name}")
    return found


@pytest.mark.long
def test_a_dataset_through_its_whole_life(client: DataOpsClient) -> None:
    customer = str(uuid4())
    wanted = {"journey_id": uuid4(), "client_id": customer, "stage": "pilot"}
    steps: list[int] = []

    operation = client.datasets.create(
        **wanted, dataset_types=["confluence_pages", "github_repos"], generation={"record_count": 20, "seed": 7}
    )
    operation.wait(timeout=90, on_progress=lambda now: steps.append(now.progress.current_step), poll_interval=0.1)

    assert steps == sorted(steps)
    assert steps[-1] == 6
    assert operation.run_url is not None
    assert [part.status for part in operation.result.datasets] == ["ready", "ready"]
    page = client.datasets.list(client_id=customer, per_page=1, sort="name")
    assert [dataset.dataset_type for dataset in page] == ["confluence_pages", "github_repos"]
    assert (page.total_pages, page.total_count) == (2, 2)
    dataset = client.datasets.get(page.items[0].dataset_id)
    assert (dataset.record_count, dataset.seed) == (20, 7)

    with pytest.raises(ConflictError) as conflict:
        client.datasets.create(**wanted, dataset_types=["confluence_pages"])
    assert conflict.value.details["existing_dataset_id"] == dataset.dataset_id

    token = client.datasets.create_connector_token(dataset.dataset_id, kind="search", expires_in=600)
    assert dataset.connector is not None
    search = f"{dataset.connector.endpoint_url}/api/search"
    bearer = {"Authorization": f"Bearer {token.token}"}
    assert httpx.post(search, headers=bearer, json={"query": "report"}).status_code == 200
    client.datasets.revoke_connector_token(dataset.dataset_id, token.token_id)
    assert httpx.post(search, headers=bearer, json={"query": "report"}).status_code == 401
    connector = client.datasets.get_connector(dataset.dataset_id)
    assert [(known.kind, known.state) for known in connector.tokens] == [("search", "revoked")]
    usage = client.datasets.get_usage(dataset.dataset_id)
    assert usage.queries_total >= 1
    quality = client.quality.get(dataset.dataset_id)
    assert quality.meets_threshold
    assert quality.overall_score == dataset.quality_score
    assert dataset.template is not None
    template = client.templates.get(dataset.template.template_id)
    assert template.name in [listed.name for listed in client.templates.list(dataset_type="confluence_pages")]

    for answer in (dataset, connector, token, usage, quality, template, operation.state):
        assert unknown_fields(answer, type(answer).__name__) == []

    torn_down: list[Operation] = [client.datasets.delete(one.dataset_id, archive=False) for one in page]
    for teardown in torn_down:
        assert teardown.wait(timeout=60).result.datasets[0].status == "deleted"
    with pytest.raises(NotFoundError, match="Dataset not found"):
        client.datasets.get(dataset.dataset_id)
    assert client.datasets.list(client_id=customer).total_count == 0
