"""The same wheel in the oldest and the newest JupyterLab, in a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support import environments
from tests.support.lab import running_lab

ROOT = environments.ROOT
PLUGINS = {"client", "compliance", "status", "notebook-guard", "report-card"}


@pytest.fixture(scope="module")
def lab44(wheel: Path) -> Path:
    """Return the bin folder of the JupyterLab 4.4 environment with the wheel in it."""
    folder = ROOT / ".venv-lab44"
    assert folder.exists(), "make environments"
    environments.install(folder, "--no-deps", "--force-reinstall", str(wheel))
    return folder / "bin"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return an empty home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def opened(bin_folder: Path, home: Path, **variables: str) -> dict[str, Any]:
    """Open that environment's JupyterLab in Chromium and return what load.mjs saw."""
    script = Path(__file__).with_name("load.mjs")
    chromium = environments.run(ROOT / "scripts" / "chromium").strip().splitlines()[-1]
    with running_lab(bin_folder, home, **variables) as url:
        printed = environments.run("node", script, url, chromium)
    seen: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return seen


def complaints(seen: dict[str, Any]) -> list[str]:
    """Return what the console said about versions, about us, or as an exception."""
    return [
        message
        for message in seen["messages"]
        if "Unsatisfied version" in message
        or message.startswith("exception:")
        or ("secure" in message and message.startswith(("error:", "warning:")))
    ]


@pytest.mark.parametrize(("fixture", "version"), [("lab44", "4.4."), ("lab_environment", "4.6.")])
def test_it_loads_without_complaint(
    fixture: str, version: str, home: Path, request: pytest.FixtureRequest
) -> None:
    seen = opened(request.getfixturevalue(fixture), home)
    assert seen["version"].startswith(version)
    assert seen["plugins"] == {f"secure-ml-ext:{name}": True for name in PLUGINS}
    assert complaints(seen) == []


@pytest.fixture
def too_new(lab44: Path, home: Path) -> Path:
    """Return a data folder with a front end that asks for a JupyterLab of the far future."""
    source = lab44.parent / "share" / "jupyter" / "labextensions" / "secure-ml-ext"
    data = home / "too-new"
    target = data / "labextensions" / "secure-ml-ext"
    shutil.copytree(source, target)
    changed = 0
    for path in (target / "static").glob("*.js"):
        text, count = re.subn(r'requiredVersion:"\^4\.4\.0"', 'requiredVersion:"^99.0.0"',
                              path.read_text())  # fmt: skip
        path.write_text(text)
        changed += count
    assert changed
    return data


def test_the_check_would_see_an_unsatisfied_version(lab44: Path, too_new: Path, home: Path) -> None:
    seen = opened(lab44, home, JUPYTER_PATH=os.fspath(too_new))
    assert any("Unsatisfied version" in message for message in complaints(seen))
