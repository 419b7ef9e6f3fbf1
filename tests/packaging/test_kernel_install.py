"""The base install, for kernels: light, and free until it is used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import environments


@pytest.fixture(scope="module")
def kernel_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bin folder of a fresh environment with the base install alone."""
    folder = tmp_path_factory.mktemp("kernel") / "environment"
    lock = environments.ROOT / "locks" / "main.txt"
    return environments.create(folder, str(wheel), "-c", str(lock))


def modules_after(python: Path, statement: str, cwd: Path) -> set[str]:
    """Return the modules that `statement` brings in, beyond what a bare interpreter has."""
    code = f"""
import json, sys
import __future__, typing  # part of any program
before = set(sys.modules)
{statement}
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    return set(json.loads(environments.run(python, "-c", code, cwd=cwd)))


def test_no_server_comes_with_it(kernel_environment: Path) -> None:
    code = "from importlib.metadata import distributions as d; print([x.name.lower() for x in d()])"
    present = environments.run(kernel_environment / "python", "-c", code)
    assert "boto3" in present
    for heavy in ("jupyterlab", "jupyter-server", "jupyter_server", "ipykernel", "pandas"):
        assert f"'{heavy}'" not in present


def test_importing_the_package_imports_nothing_else(
    kernel_environment: Path, tmp_path: Path
) -> None:
    brought = modules_after(kernel_environment / "python", "import secure_ml_ext", tmp_path)
    assert brought == {"secure_ml_ext"}


def test_loading_the_guard_waits_for_botocore(kernel_environment: Path, tmp_path: Path) -> None:
    statement = "import secure_ml_ext; secure_ml_ext.load_ipython_extension"
    brought = modules_after(kernel_environment / "python", statement, tmp_path)
    assert "secure_ml_ext.guard.extension" in brought
    assert not brought & {"botocore", "boto3", "msgspec", "yaml", "jupyter_server"}


def test_every_room_for_kernels_can_be_imported(kernel_environment: Path, tmp_path: Path) -> None:
    rooms = ["aws.profile", "check", "cli.main", "guard.hook", "inventory", "rules"]
    statement = "import " + ", ".join(f"secure_ml_ext.{room}" for room in rooms)
    brought = modules_after(kernel_environment / "python", statement, tmp_path)
    assert "secure_ml_ext.cli.main" in brought


def test_unknown_names_are_refused() -> None:
    import secure_ml_ext

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        secure_ml_ext.nothing  # noqa: B018
