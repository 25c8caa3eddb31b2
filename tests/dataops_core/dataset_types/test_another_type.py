"""The type of docs/dataset-types.md, a package beside the others, is one everywhere: nothing else lists types."""

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

GUIDE = Path(__file__).parents[3] / "docs/dataset-types.md"
PARTS = """
import json

from dataops_api.app import create_app
from dataops_core.settings import Settings
from dataops_pipeline.definitions import defs

settings = Settings(secret_key="for the description alone", database_url="postgresql://nobody@localhost/nothing")
asked = create_app(settings).openapi()["components"]["schemas"]["NewDatasets"]["properties"]
assets = defs.resolve_asset_graph()
own = [key for key in assets.get_all_asset_keys() if key.path[0] == "memo_documents"]
checks = [key.name for key in assets.asset_check_keys if key.asset_key in own]
print(json.dumps([asked["dataset_types"]["items"]["enum"], [key.path[1] for key in own], checks]))
"""
COMMAND = "from dataops_cli.main import run; run()"

Program: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Runs code where there is one type more: in a process, since which types there are is settled in each but once."""
    folder = tmp_path_factory.mktemp("dataset_types")
    package = folder / "memos"
    package.mkdir()
    (package / "__init__.py").touch()
    (shown,) = re.findall(r"^ *```python\n(.*?)^ *```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (package / "dataset_type.py").write_text(textwrap.dedent(shown), encoding="utf-8")
    beside = f"from dataops_core import dataset_types; dataset_types.__path__.append({str(folder)!r})\n"

    def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", beside + code, *arguments]
        return subprocess.run(words, capture_output=True, text=True, check=True)

    return run


def test_the_api_takes_it_and_dagster_makes_it(program: Program) -> None:
    taken, assets, checks = json.loads(program(PARTS).stdout.splitlines()[-1])
    assert "memo_documents" in taken
    assert taken == sorted(taken)
    assert set(assets) == {"template", "connector", "records", "index", "dataset"}
    assert len(checks) == len(set(checks)) == 4


def test_its_first_template_is_begun_from_another_type_s_and_passes(program: Program, tmp_path: Path) -> None:
    file = str(tmp_path / "memos.yaml")
    program(COMMAND, "templates", "new", file, "--type", "memo_documents", "--industry", "retail")
    seen = json.loads(program(COMMAND, "templates", "preview", file, "--records", "2", "-o", "json").stdout)
    assert seen["template"]["dataset_type"] == "memo_documents"
    assert {finding["level"] for finding in seen["findings"]} == {"fine", "note"}
    assert {"schema_validation", "data_completeness", "sample_queries"} <= {each["what"] for each in seen["findings"]}
    assert [record["kind"] for record in seen["records"]] == ["drive#file"] * 2
