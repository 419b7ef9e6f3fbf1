"""The demo's folder: working copies of the notebooks, and private places for Jupyter and AWS.

`demo-work/` holds the notebooks; `demo-work/.demo/` everything that would otherwise be the
user's own: Jupyter's settings, IPython's profile, caches. Nothing outside is read or written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).parent / "notebooks"
FIRST_NOTEBOOK = "lab4.ipynb"
STORIES = ("lab4", "abalone")
NEWS = "lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
# Settings of the user's shell that would change what the demo shows.
FOREIGN_PREFIXES = ("JUPYTER", "IPYTHON", "SECURE_ML_")
KEPT = frozenset({"SECURE_ML_DEMO_JOB_SECONDS"})


def samples() -> list[Path]:
    """The notebooks that this environment can run: the SDK's only beside its generation."""
    names = [f"{story}.ipynb" for story in STORIES]
    with contextlib.suppress(PackageNotFoundError):  # boto3 is enough for the stories
        generation = version("sagemaker").partition(".")[0]
        names += [f"{story}-sdk-v{generation}.ipynb" for story in STORIES]
    return [NOTEBOOKS / name for name in names if (NOTEBOOKS / name).exists()]


class Workspace:
    """A demo folder on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.private = root / ".demo"
        self.config = self.private / "jupyter-config"
        self.log = self.private / "jupyterlab.log"
        self.metadata = self.private / "resource-metadata.json"

    def prepare(self) -> list[str]:
        """Make the folder, copy the notebooks; returns what the user should know."""
        self.root.mkdir(parents=True, exist_ok=True)
        ignore = self.root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        for folder in (self.private, self.config):
            folder.mkdir(mode=0o700, exist_ok=True)
        return self._copy_notebooks()

    def first_notebook(self) -> str | None:
        """The notebook to open, if it is there."""
        return FIRST_NOTEBOOK if (self.root / FIRST_NOTEBOOK).exists() else None

    def _copy_notebooks(self) -> list[str]:
        """Copy what is new or unchanged since our last copy; never what the user changed."""
        book = self.private / "copied.json"
        copied: dict[str, str] = _read_object(book)
        notes = []
        for source in samples():
            target = self.root / source.name
            ours = _digest(source)
            if target.exists() and _digest(target) not in (ours, copied.get(source.name)):
                notes.append(f"Kept your changed copy {target}; delete it to get the sample again.")
                continue
            if not target.exists() or _digest(target) != ours:
                shutil.copyfile(source, target)
            copied[source.name] = ours
        book.write_text(json.dumps(copied, indent=1))
        return notes

    def write_server_config(self, token: str) -> None:
        """Put the token into a private file: on the command line everybody could read it."""
        _write_private(
            self.config / "jupyter_server_config.json",
            {"IdentityProvider": {"token": token}},
        )
        news = self.config / NEWS
        if not news.exists():
            news.parent.mkdir(parents=True, exist_ok=True)
            news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))

    def write_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Write the stand-in for /opt/ml/metadata/resource-metadata.json."""
        _write_private(self.metadata, metadata)

    def environ(self, base: Mapping[str, str], runtime: Path) -> dict[str, str]:
        """The environment of JupyterLab and its kernels on top of `base`."""
        kept = {
            name: value
            for name, value in base.items()
            if name in KEPT or not name.startswith(FOREIGN_PREFIXES)
        }
        return {
            **kept,
            "JUPYTER_CONFIG_DIR": str(self.config),
            "JUPYTER_DATA_DIR": str(self.private / "jupyter-data"),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "IPYTHONDIR": str(self.private / "ipython"),
            "XDG_CACHE_HOME": str(self.private / "cache"),
            "XDG_CONFIG_HOME": str(self.private / "config"),
            "SECURE_ML_RESOURCE_METADATA": str(self.metadata),
        }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_object(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_private(path: Path, content: Mapping[str, Any]) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
