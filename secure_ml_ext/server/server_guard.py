"""The guard in the server's own process: scheduled notebooks submit their jobs from there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..guard import hook
from ..guard.records import Card
from ..guard.state import Guard
from .watcher import SERVER, own_name


class ServerGuard:
    """Guards this process; what it finds goes to the server's log and to the events."""

    def __init__(self, runtime_dir: Path, log: Any) -> None:
        self._log = log
        self.spool = runtime_dir / f"secure-ml-{own_name()}-{os.getpid()}.jsonl"
        runtime_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._guard = Guard(kernel=SERVER, presenter=self._present, spool=self.spool)
        hook.install(self._guard)

    def close(self) -> None:
        """Leave botocore as it was found, unless another guard took over since."""
        installed = hook.current()
        if installed is not None and installed.guard is self._guard:
            hook.uninstall()
        self._guard.journal.close()

    def _present(self, what: Card | str) -> None:
        if isinstance(what, str):
            self._log.warning("%s", what)
            return
        summary = what.report.summary
        subject = what.report.subjects[0]
        self._log.warning(
            "Secure ML: %s %s: %s (%d errors, %d warnings)",
            subject.operation,
            subject.name or "",
            what.action,
            summary.error,
            summary.warning,
        )
