"""One wheel for all packaging tests, built as a release is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support import environments


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that `python -m build` makes of this source."""
    built_for = environments.ROOT / "secure_ml_ext" / "labextension"
    assert not (built_for / "build_log.json").exists(), "a development build; run: make build"
    folder = tmp_path_factory.mktemp("wheel")
    environments.run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def lab_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bin folder of a fresh environment with the wheel and the locked JupyterLab."""
    folder = tmp_path_factory.mktemp("lab") / "environment"
    lock = environments.ROOT / "locks" / "main.txt"
    return environments.create(folder, f"{wheel}[lab]", "-c", str(lock))
