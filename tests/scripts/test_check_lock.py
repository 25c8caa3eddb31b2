"""The check of the lock names each thing that is wrong with it, and finds nothing wrong with ours."""

import subprocess
import sys
from importlib.metadata import requires
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_lock.py"
HASH = f"--hash=sha256:{'0' * 64}"
SOUND = f"""\
# made by make lock
httpx==0.28.1 \\
    {HASH} \\
    {HASH}
    # via dataops
psycopg2-binary==2.9.10 ; python_version < '3.14' \\
    {HASH}
uvicorn[standard]==0.34.0 \\
    {HASH}
"""
WANTED = [Requirement(text) for text in ("httpx>=0.27", "Psycopg2_binary>=2.9,<3", "uvicorn[standard]")]


@pytest.fixture(scope="module")
def check_lock() -> ModuleType:
    spec = spec_from_file_location("check_lock", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_sound_lock_has_no_problem_however_names_are_spelled(check_lock: ModuleType):
    assert check_lock.problems(SOUND, WANTED) == []


@pytest.mark.parametrize(
    ("lock", "problem"),
    [
        (SOUND.replace("httpx==0.28.1", "httpcore==1.0.7"), "httpx is not pinned"),
        (SOUND.replace("==0.28.1", ">=0.28.1"), "httpx is not pinned"),
        (SOUND.replace("0.28.1", "0.26.0"), "httpx is pinned to 0.26.0, but >=0.27 is asked for"),
        (SOUND.replace("2.9.10", "3.1"), "Psycopg2_binary is pinned to 3.1, but <3,>=2.9 is asked for"),
        (SOUND + "httpx==0.20.0 ; python_version < '3.12'\\\n    " + HASH, "httpx is pinned to 0.20.0, but"),
        (SOUND.removesuffix(f" \\\n    {HASH}\n") + "\n", "uvicorn[standard] has no hash"),
        (SOUND + "idna==3.10\n", "idna has no hash"),
        (SOUND.replace("sha256", "md5", 2), "httpx has no hash"),
        (SOUND + "--extra-index-url https://packages.example/simple\n", "line 10 names an address"),
        (SOUND + f"idna @ https://packages.example/idna.whl \\\n    {HASH}\n", "line 10 names an address"),
        (SOUND + "--no-binary :all:\n", "line 10 is an option"),
        ("", "uvicorn is not pinned"),
    ],
)
def test_each_fault_is_named(check_lock: ModuleType, lock: str, problem: str):
    found = check_lock.problems(lock, WANTED)
    assert [one for one in found if one.startswith(problem)], found


def test_what_is_asked_for_is_what_it_runs_on_its_extras_what_builds_it_and_the_development_group(
    check_lock: ModuleType, tmp_path: Path
):
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(
        '[project]\ndependencies = ["httpx>=0.27"]\n[project.optional-dependencies]\ns3 = ["s3fs"]\n'
        '[build-system]\nrequires = ["hatchling"]\n'
        '[dependency-groups]\ndev = ["ruff>=0.9"]\n'
    )
    asked = [str(one) for one in check_lock.requirements(pyproject)]
    assert asked == ["httpx>=0.27", "hatchling", "s3fs", "ruff>=0.9"]


def test_our_lock_is_sound():
    result = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_lock_that_is_not_sound_fails_with_what_to_do(
    check_lock: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name in ("pyproject.toml", "sdks/python/pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('[project]\ndependencies = ["httpx"]\n[build-system]\nrequires = []\n')
    (tmp_path / "requirements.lock").write_text("httpx==0.28.1\n")
    monkeypatch.setattr(check_lock, "ROOT", tmp_path)
    assert check_lock.main() == 1
    assert capsys.readouterr().err == "requirements.lock: httpx has no hash; run `make lock`.\n"


def test_what_lies_in_the_repository_is_not_pinned_but_must_be_the_version_asked_for(
    check_lock: ModuleType, tmp_path: Path
):
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(
        '[project]\ndependencies = ["our_sdk>=0.1,<0.2", "httpx"]\n[build-system]\nrequires = []\n'
        '[tool.uv.sources]\nour-sdk = { path = "sdk" }\n'
    )
    (tmp_path / "sdk").mkdir()
    sdk = tmp_path / "sdk" / "pyproject.toml"
    elsewhere, ours = check_lock.split(check_lock.requirements(pyproject), pyproject)
    assert [str(one) for one in elsewhere] == ["httpx"]
    sdk.write_text('[project]\nversion = "0.1.7"\n')
    assert check_lock.mismatches(ours) == []
    sdk.write_text('[project]\nversion = "0.2.0"\n')
    assert check_lock.mismatches(ours) == ["our_sdk is 0.2.0 in this repository, but <0.2,>=0.1 is asked for"]


def test_the_wheel_names_the_sdk_that_the_command_line_talks_through():
    asked = [Requirement(text) for text in requires("dataops-lifecycle") or []]
    assert "a-domain-sdk" in {one.name for one in asked}
