"""Runs backups in processes that may be killed: forks one per line of standard input.

A line is ``{"root", "name", "reference"}``. Answers the child's number, then its exit status.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from secure_ml_ext.backup.create import Options, create
from secure_ml_ext.backup.send import Tuning
from secure_ml_ext.backup.store import Store

TUNING = Tuning(workers=2, single=4096, part=2048)


def options(root: Path, name: str = "nb", *, reference: bool = False) -> Options:
    """Options under which a few kilobytes go in parts."""
    return Options(root, name, reference=reference, tuning=TUNING)


def main() -> None:
    """Read lines until the end."""
    bucket, url = sys.argv[1:]
    # Made once; it has no connection yet, so that every child may use it as its own.
    store = Store(bucket, owner="123456789012", endpoint_url=url)
    for line in sys.stdin:
        asked = json.loads(line)
        ready, start = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(ready, 1)
            create(store, options(Path(asked["root"]), reference=asked["reference"]))
            os._exit(0)
        print(child, flush=True)
        sys.stdin.readline()
        os.write(start, b"!")
        os.close(start)
        os.close(ready)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
