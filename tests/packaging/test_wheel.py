"""The wheel: what is in it, and that it works where there is no Node."""

from __future__ import annotations

import json
import re
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.support import environments

ROOT = environments.ROOT


def metadata(wheel: Path) -> dict[str, list[str]]:
    """Return the METADATA of a wheel, every header as a list."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        message = Parser().parsestr(archive.read(name).decode())
    return {key: message.get_all(key, []) for key in message}


def test_the_version_comes_from_package_json(wheel: Path) -> None:
    version = json.loads((ROOT / "package.json").read_text())["version"]
    assert metadata(wheel)["Version"] == [version]
    assert version not in (ROOT / "pyproject.toml").read_text()
    written_again = [
        path.name
        for path in (ROOT / "secure_ml_ext").rglob("*.py")
        if re.search(rf"""version\w* *= *['"]{re.escape(version)}['"]""", path.read_text())
    ]
    assert written_again == []


def test_requirements_are_lower_bounds_only(wheel: Path) -> None:
    requirements = [line.partition(";")[0].strip() for line in metadata(wheel)["Requires-Dist"]]
    assert requirements
    pinned = [r for r in requirements if re.search(r"(==|<|~=|!=)", r)]
    assert pinned == []


def test_every_extra_brings_something(wheel: Path) -> None:
    headers = metadata(wheel)
    for extra in headers["Provides-Extra"]:
        assert any(f"extra == '{extra}'" in line for line in headers["Requires-Dist"]), extra


def test_nothing_stray_is_inside(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    allowed = re.compile(
        r"secure_ml_ext/([a-z_]+/)*([a-z0-9_]+\.(py|json|yaml|html|css)|py\.typed)$"
        r"|secure_ml_ext/demo/notebooks/[a-z0-9-]+\.ipynb$"
        r"|secure_ml_ext-[^/]+\.dist-info/(METADATA|RECORD|WHEEL|entry_points\.txt)$"
        r"|secure_ml_ext-[^/]+\.dist-info/licenses/LICENSE$"
        r"|secure_ml_ext-[^/]+\.data/data/etc/jupyter/jupyter_server_config\.d/secure_ml_ext\.json$"
        r"|secure_ml_ext-[^/]+\.data/data/share/jupyter/labextensions/secure-ml-ext/"
        r"(package\.json|install\.json|schemas/.+\.json(\.orig)?|static/[\w.-]+\.(js|json|svg))$"
    )
    assert [name for name in names if not allowed.match(name)] == []
    assert not [name for name in names if name.startswith("secure_ml_ext/labextension")]
    assert len(names) == len(set(names))


def test_the_front_end_is_the_one_of_this_version(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith("secure-ml-ext/package.json")]
        inside = json.loads(archive.read(name))
        entry = inside["jupyterlab"]["_build"]["load"]
        assert name.replace("package.json", entry) in archive.namelist()
    assert inside["version"] == metadata(wheel)["Version"][0]


def test_it_installs_without_node_and_is_enabled(lab_environment: Path, tmp_path: Path) -> None:
    variables = {
        **environments.private_home(tmp_path / "home"),
        "PATH": environments.path_without_node(tmp_path / "programs", lab_environment),
    }
    with pytest.raises(FileNotFoundError, match="node"):
        environments.run("node", "--version", env=variables)
    listed = environments.run(
        lab_environment / "jupyter", "labextension", "list", env=variables, cwd=tmp_path
    )
    assert re.search(r"secure-ml-ext v\S+ enabled OK", listed), listed
    listed = environments.run(
        lab_environment / "jupyter", "server", "extension", "list", env=variables, cwd=tmp_path
    )
    assert re.search(r"secure_ml_ext enabled", listed), listed
    assert re.search(r"secure_ml_ext \S+ OK", listed), listed


def test_the_subcommand_of_jupyter_is_found(lab_environment: Path, tmp_path: Path) -> None:
    home = environments.private_home(tmp_path / "home")
    shown = environments.run(
        lab_environment / "jupyter", "secure-ml", "--help", env=home, cwd=tmp_path
    )
    assert "check" in shown
