"""The front end's types are those of the Python records, and nobody edited them by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_types_are_what_the_records_say() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate_types.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_stale_file_is_named(tmp_path: Path) -> None:
    code = (
        "import runpy, sys, pathlib\n"
        f"scope = runpy.run_path({str(ROOT / 'scripts' / 'generate_types.py')!r})\n"
        "main = scope['main']\n"
        f"here = pathlib.Path({str(tmp_path)!r})\n"
        "main.__globals__.update(OUT=here, ROOT=here)\n"
        "sys.exit(main(['--check']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "differs: words.ts" in done.stdout
    assert list(tmp_path.iterdir()) == []
