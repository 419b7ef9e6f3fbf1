"""The rules of the source tree that no linter knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support import environments

ROOT = environments.ROOT
LINES = 400


def tracked(*patterns: str) -> list[Path]:
    """Return the files of the repository that match, or of the folder where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        folders = ("secure_ml_ext", "tests", "labextension", "bench", "scripts")
        return [p for f in folders for g in patterns for p in (ROOT / f).rglob(g)]
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def test_no_file_is_longer_than_it_should_be() -> None:
    sources = tracked("*.py", "*.ts", "*.tsx", "*.css", "*.mjs")
    assert len(sources) > 50
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in sources
        if "generated" not in path.parts
        and "data" not in path.relative_to(ROOT).parts
        and (lines := path.read_text().count("\n")) > LINES
    }
    assert too_long == {}


def test_imports_go_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "Imports go one way KEPT" in done.stdout


def test_locks_name_no_package_index() -> None:
    yarn = [ROOT / "yarn.lock", ROOT / ".yarnrc.yml", ROOT / "tests" / "oracle" / "yarn.lock"]
    for path in [*(ROOT / "locks").iterdir(), *yarn]:
        text = path.read_text()
        assert not re.search(r"https?://|--index-url|--find-links|npmRegistryServer", text), path


def test_the_front_end_is_built_against_jupyterlab_4_4() -> None:
    environment = ROOT / ".venv-lab44"
    made = environments.run(sys.executable, ROOT / "scripts" / "core-meta", environment)
    assert made == (ROOT / "labextension" / "core-4.4.json").read_text()
    package = (ROOT / "package.json").read_text()
    assert "--core-package-file labextension/core-4.4.json" in package
