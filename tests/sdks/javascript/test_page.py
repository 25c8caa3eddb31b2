"""The page's examples, run as printed on the real stack (C-95)."""

import os
import re
import subprocess
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest

from a_domain_sdk import DataOpsClient
from tests.conftest import Stack

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[3]
BLOCKS = re.findall(r"```javascript\n(.*?)```", (ROOT / "docs/sdk-javascript.md").read_text("utf-8"), re.DOTALL)
REFERENCE_IDS = ("123e4567-e89b-12d3-a456-426614174001", "123e4567-e89b-12d3-a456-426614174000")


def run(node: str, script: str, stack: Stack, place: Path) -> list[str]:
    """What the script prints, inside an async function, where the package is installed."""
    scope = place / "node_modules/@a-domain"
    scope.mkdir(parents=True)
    (scope / "sdk").symlink_to(ROOT / "sdks/javascript")
    known = stack.credentials
    script = script.replace("your-client-id", known["client_id"]).replace("your-client-secret", known["client_secret"])
    (place / "example.js").write_text(f"(async () => {{\n{script}\n}})();\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATAOPS_")}
    environment |= {"DATAOPS_BASE_URL": known["base_url"], "DATAOPS_TOKEN_URL": known["token_url"]}
    done = subprocess.run(
        [node, "--trace-warnings", "example.js"],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_example_of_the_reference_runs_as_printed(stack: Stack, node: str, tmp_path: Path) -> None:
    journey, customer = str(uuid4()), str(uuid4())
    script = BLOCKS[0]
    for printed, own in zip(REFERENCE_IDS, (journey, customer), strict=True):
        assert printed in script
        script = script.replace(printed, own)

    said = run(node, script, stack, tmp_path)

    with DataOpsClient(**stack.credentials) as client:
        (dataset,) = client.datasets.list(client_id=customer)
        assert said == [f"Dataset ready: {dataset.quality_score:g}% quality"]
        assert dataset.journey_id == journey
        assert dataset.operation_id is not None
        client.operations.wait(dataset.operation_id, timeout=60)
        assert client.datasets.get(dataset.dataset_id).status == "archived"


@pytest.mark.long
def test_the_other_examples_of_the_page_run_on_a_small_dataset(stack: Stack, node: str, tmp_path: Path) -> None:
    begin = f"""
const {{ DataOpsClient }} = require('@a-domain/sdk');
const client = new DataOpsClient({{ clientId: 'your-client-id', clientSecret: 'your-client-secret' }});
const operation = await client.datasets.create({{
  journeyId: '{uuid4()}', clientId: '{uuid4()}', stage: 'sandbox', datasetTypes: ['confluence_pages'],
  generation: {{ recordCount: 20 }},
}});
"""
    between = "\nconst dataset = operation.result.datasets[0];\n"
    end = """
const whole = await client.datasets.get(dataset.datasetId);
console.log('same', (await client.datasets.refresh(whole)) === whole);
const changed = await client.datasets.update(whole.datasetId, { metadata: { tags: ['new'] }, ifMatch: whole.etag });
console.log('tags', changed.metadata.tags.join());
const history = [];
for await (const check of client.quality.history(dataset.datasetId, { limit: 1 })) history.push(check.checkType);
console.log('history', history.length);
const gone = await client.datasets.delete(dataset.datasetId, { archive: false });
for await (const seen of gone.watch()) if (seen.isComplete()) console.log(seen.result.datasets[0].status);
"""
    assert len(BLOCKS) == 6
    said = run(node, begin + BLOCKS[1] + between + "".join(BLOCKS[2:]) + end, stack, tmp_path)

    assert "100 %" in said
    assert any("https://wiki." in line for line in said)
    assert said[-4:] == ["same true", "tags new", "history 4", "deleted"]
    assert any("Who is the author" in line for line in said)
    assert zipfile.is_zipfile(tmp_path / "acme.beir.zip")
    assert (tmp_path / "records.parquet").read_bytes()[:4] == b"PAR1"
