"""setup.py: the same results as the PEP 517 backend it hands over to."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support import environments

ROOT = environments.ROOT


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel and what is in them."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_bdist_wheel_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    environments.run(sys.executable, ROOT / "setup.py", "bdist_wheel", "--dist-dir", tmp_path)
    (made,) = tmp_path.glob("*.whl")
    ours, theirs = contents(made), contents(wheel)
    assert made.name == wheel.name
    assert sorted(ours) == sorted(theirs)
    (metadata,) = [name for name in ours if name.endswith(".dist-info/METADATA")]
    assert ours[metadata].decode() == theirs[metadata].decode()
    assert [name for name in ours if ours[name] != theirs[name]] == []


def test_sdist_makes_the_same_archive(tmp_path: Path) -> None:
    environments.run(sys.executable, ROOT / "setup.py", "sdist", "-d", tmp_path / "ours")
    environments.run(
        sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", tmp_path / "theirs"
    )
    names = []
    for folder in ("ours", "theirs"):
        (archive,) = (tmp_path / folder).glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            names.append(sorted(opened.getnames()))
    assert names[0] == names[1]
    root = names[0][0].partition("/")[0]
    assert f"{root}/setup.py" in names[0]
    assert f"{root}/secure_ml_ext/labextension/package.json" in names[0]
    assert not [name for name in names[0] if "node_modules" in name or "/.venv" in name]


@pytest.mark.parametrize("command", ["install", "develop"])
def test_it_installs_into_an_environment(command: str, tmp_path: Path) -> None:
    lock = ROOT / "locks" / "build.txt"
    tools = environments.create(tmp_path / "environment", "-r", str(lock))
    # The base requirements, so that the command has nothing left to fetch.
    environments.install(
        tmp_path / "environment",
        *("boto3", "jupyter_core", "msgspec", "PyYAML", "traitlets"),
        *("-c", str(ROOT / "locks" / "main.txt")),
    )
    environments.run(
        tools / "python", ROOT / "setup.py", command, env={"HATCH_JUPYTER_BUILDER_SKIP_NPM": "1"}
    )
    where = environments.run(
        tools / "python", "-c", "import secure_ml_ext as s; print(s.__file__)", cwd=tmp_path
    )
    inside = "site-packages" if command == "install" else str(ROOT)
    assert inside in where
    listed = environments.run(tools / "jupyter-secure-ml", "--help", cwd=tmp_path)
    assert "check" in listed
