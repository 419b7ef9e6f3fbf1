"""`python -m secure_ml_ext.demo`: JupyterLab with the extension and an embedded AWS."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Run the demo until Ctrl-C; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m secure_ml_ext.demo",
        description="JupyterLab with the extension and the sample notebooks, on a local "
        "stand-in for AWS. Nothing reaches a real account.",
    )
    parser.add_argument("--port", type=int, default=0, help="JupyterLab's port; 0 takes a free one")
    parser.add_argument("--no-browser", action="store_true", help="only print the URL")
    parser.add_argument(
        "--work", type=Path, default=Path("demo-work"), help="folder for the notebooks (demo-work)"
    )
    parser.add_argument(
        "--lab-arg", action="append", default=[], metavar="ARG", help="handed on to JupyterLab"
    )
    args = parser.parse_args(argv)
    from .launcher import DemoFailed, run

    browser = not args.no_browser and _has_display()
    try:
        run(args.work.resolve(), args.port, browser, args.lab_arg)
    except (DemoFailed, OSError) as error:
        print(f"The demo could not go on. {error}", file=sys.stderr)
        return 1
    return 0


def _has_display() -> bool:
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
