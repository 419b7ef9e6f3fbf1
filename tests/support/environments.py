"""Empty environments for tests, made the way `make` makes its own."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import subprocess
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def _script() -> ModuleType:
    path = ROOT / "scripts" / "environment"
    loader = importlib.machinery.SourceFileLoader("scripts_environment", str(path))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def create(folder: Path, *requirements: str) -> Path:
    """Create a virtual environment, install `requirements` into it, and return its bin folder."""
    script = _script()
    script.create(folder)
    if requirements:
        script.install(folder, *requirements)
    return folder / "bin"


def install(folder: Path, *requirements: str) -> None:
    """Install into an environment that exists."""
    _script().install(folder, *requirements)


def path_without_node(folder: Path, *first: Path) -> str:
    """Return a PATH that has everything but Node, by way of a folder of links.

    Other programs often lie beside `node`, so leaving its folder out would hide them too.
    """
    folder.mkdir(exist_ok=True)
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*") if Path(place).is_dir() else ():
            link = folder / program.name
            if program.name not in NODE_PROGRAMS and not link.exists():
                link.symlink_to(program)
    return os.pathsep.join([*map(str, first), str(folder)])


NODE_PROGRAMS = {"node", "nodejs", "npm", "npx", "corepack", "yarn", "jlpm"}


def private_home(folder: Path) -> dict[str, str]:
    """Return environment variables that keep Jupyter out of the home folder of this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }


def run(*command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program and return what it printed on both streams, without colours."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd or ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    printed = re.sub(r"\x1b\[[\d;]*m", "", done.stdout)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{printed}"
    return printed
