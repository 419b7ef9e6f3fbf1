"""A thin shim for tools that still call `setup.py`.

`sdist`, `bdist_wheel`, `install` and `develop` are handed to the PEP 517 backend of pyproject.toml;
`setuptools.setup()` cannot be used beside it, because it would write metadata of its own.
Everything else: `python -m build`, `pip install .`, `pip install -e .`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent


def build_system() -> dict[str, Any]:
    """Return the `[build-system]` table of pyproject.toml."""
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        from pip._vendor import tomli as tomllib  # type: ignore[no-redef]
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
    return table


def requirements_present(requires: list[str]) -> bool:
    """Tell whether everything the backend needs can be imported from this interpreter."""
    try:
        for requirement in requires:
            version(requirement.partition(">")[0].strip())
    except PackageNotFoundError:
        return False
    return True


def build(kind: str, folder: Path) -> None:
    """Build a `wheel` or an `sdist` into `folder` with the PEP 517 backend and print its path."""
    system = build_system()
    folder.mkdir(parents=True, exist_ok=True)
    scripts = Path(sys.executable).parent  # jlpm lies there
    os.environ["PATH"] = os.pathsep.join([str(scripts), os.environ.get("PATH", os.defpath)])
    if requirements_present(system["requires"]):
        backend = importlib.import_module(system["build-backend"])
        print(folder / getattr(backend, f"build_{kind}")(str(folder)))
        return
    with tempfile.TemporaryDirectory() as site:
        pip("install", "--quiet", "--target", site, *system["requires"])
        paths = [site, os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(site, "bin")), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }
        code = f"import {system['build-backend']} as b; print(b.build_{kind}({str(folder)!r}))"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)


def pip(*arguments: str) -> None:
    """Run pip of this interpreter; a failure ends the program with pip's exit code."""
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.returncode)


def main() -> None:
    """Read the command line and run one command."""
    parser = argparse.ArgumentParser(prog="setup.py", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("sdist", "bdist_wheel"):
        command = commands.add_parser(name)
        command.add_argument("-d", "--dist-dir", type=Path, default=ROOT / "dist")
    for name in ("install", "develop"):
        commands.add_parser(name)
    options = parser.parse_args()
    os.chdir(ROOT)
    if options.command in ("sdist", "bdist_wheel"):
        kind = "sdist" if options.command == "sdist" else "wheel"
        build(kind, options.dist_dir.resolve())
        return
    arguments = ["-e", "."] if options.command == "develop" else ["."]
    if requirements_present(build_system()["requires"]):
        arguments.insert(0, "--no-build-isolation")
    pip("install", *arguments)


if __name__ == "__main__":
    main()
