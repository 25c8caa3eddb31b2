"""The Python SDK's wheel as a user has it (C-95)."""

import email
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import a_domain_sdk

ROOT = Path(__file__).parents[3]


def test_the_wheel_is_the_typed_package_and_nothing_else(tmp_path: Path) -> None:
    hatchling = Path(sys.executable).with_name("hatchling")
    build = [hatchling, "build", "--target", "wheel", "--directory", tmp_path]
    subprocess.run(build, cwd=ROOT / "sdks/python", capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")

    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        (about,) = (email.message_from_bytes(opened.read(name)) for name in names if name.endswith("/METADATA"))
        licences = [opened.read(name) for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    source = ROOT / "sdks/python/src"
    ours = {path.relative_to(source).as_posix() for path in source.rglob("*.py")} | {"a_domain_sdk/py.typed"}
    assert {name for name in names if ".dist-info/" not in name} == ours

    assert (about["License-Expression"], about["Version"]) == ("Apache-2.0", a_domain_sdk.__version__)
    assert licences == [(ROOT / "sdks/python/LICENSE").read_bytes()]

    program = "import a_domain_sdk; print(a_domain_sdk.__file__, a_domain_sdk.AsyncDataOpsClient.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{wheel}/a_domain_sdk/__init__.py AsyncDataOpsClient\n"


@pytest.mark.parametrize("sdk", ["python", "javascript"])
def test_the_newest_entry_of_the_changelog_is_this_version(sdk: str) -> None:
    text = (ROOT / "sdks" / sdk / "CHANGELOG.md").read_text(encoding="utf-8")
    newest, *_ = re.findall(r"^## (\S+?),? ", text, re.MULTILINE)
    assert newest == a_domain_sdk.__version__, "both SDKs and their changelogs have one version"
