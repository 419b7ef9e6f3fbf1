"""Load the guard in every IPython kernel, so that headless runs (jupyter execute, papermill,
nbconvert, scheduled notebooks) are guarded too. Writes one IPython start-up file and nothing else;
kernels in which the package is not installed ignore it.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .common import OBJECTION, OK, UsageError

FILE_NAME = "00-secure-ml-ext.py"
MARK = "# Written by `jupyter secure-ml enable`; `jupyter secure-ml disable` removes it."
CONTENT = f"""{MARK}
# Kernels of other environments read this file too: without the package it does nothing.
if __import__("importlib.util").util.find_spec("secure_ml_ext") is not None:
    get_ipython().run_line_magic("load_ext", "secure_ml_ext")
"""


def startup_file(arguments: argparse.Namespace) -> Path:
    """Return where the start-up file belongs for the chosen scope."""
    if arguments.system:
        return Path("/etc/ipython/startup") / FILE_NAME
    if arguments.sys_prefix:
        return Path(sys.prefix) / "etc" / "ipython" / "startup" / FILE_NAME
    home = os.environ.get("IPYTHONDIR") or os.path.join(os.path.expanduser("~"), ".ipython")
    return Path(home) / "profile_default" / "startup" / FILE_NAME


def enable(arguments: argparse.Namespace) -> int:
    """Write the start-up file; a second call changes nothing."""
    target = startup_file(arguments)
    try:
        if target.exists() and target.read_text(encoding="utf-8") == CONTENT:
            print(f"already enabled: {target}")
            return OK
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(CONTENT, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror}. Choose another scope with --user, "
            "--sys-prefix or --system."
        ) from error
    print(f"enabled: {target}\nKernels that start from now on load the guard.")
    return OK


def disable(arguments: argparse.Namespace) -> int:
    """Remove the start-up file, if it is ours."""
    target = startup_file(arguments)
    try:
        if not target.exists():
            print(f"not enabled: there is no {target}")
            return OK
        if not target.read_text(encoding="utf-8").startswith(MARK):
            print(f"left alone: {target} was not written by this command", file=sys.stderr)
            return OBJECTION
        target.unlink()
    except OSError as error:
        raise UsageError(f"{target} cannot be removed: {error.strerror}") from error
    print(f"disabled: removed {target}. Kernels that run keep the guard until they restart.")
    return OK
