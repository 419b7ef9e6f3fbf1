"""The journal: what the guard saw, kept in memory, in the spool and told to the open panels."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .records import Decision, ModeChange, Submission
    from .spool import SpoolWriter

MAX_REMEMBERED = 1000
Listener = Callable[[list[dict[str, Any]]], None]


def now() -> str:
    """Return the time in ISO 8601, UTC, milliseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Journal:
    """Remembers submissions and hands every record on; thread-safe, and never raises.

    ``hello`` is set by ``greet``. msgspec is not imported before there is something to record.
    """

    def __init__(self) -> None:
        self.hello: dict[str, Any] | None = None
        self.spool: SpoolWriter | None = None
        self._lock = threading.RLock()
        self._submissions: OrderedDict[str, bytes] = OrderedDict()  # as JSON: small, no garbage
        self._listeners: list[Listener] = []
        self._encode: Callable[[Any], bytes] | None = None

    def add(self, record: Submission | Decision | ModeChange) -> None:
        """Record one thing that happened."""
        if self._encode is None:
            import msgspec

            self._encode = msgspec.json.Encoder().encode
        with self._lock:
            line = self._encode(record)
            identity = getattr(record, "id", None)
            if identity is not None:
                self._submissions[identity] = line
                if len(self._submissions) > MAX_REMEMBERED:
                    self._submissions.popitem(last=False)
        if self.spool is not None:
            self.spool.write(line)
        if self._listeners:
            import msgspec

            plain = msgspec.to_builtins(record)
            for listener in list(self._listeners):
                with contextlib.suppress(Exception):  # a panel that went away
                    listener([plain])

    def greet(self, hello: dict[str, Any]) -> None:
        """Say who writes and how the guard stands; to the spool only when it was said before."""
        again, self.hello = self.hello is not None, hello
        if again and self.spool is not None:
            self.spool.write(json.dumps(hello, separators=(",", ":")).encode())
        for listener in list(self._listeners):
            with contextlib.suppress(Exception):
                listener([hello])

    def remembered(self) -> list[dict[str, Any]]:
        """Return Hello and every submission still known, as plain JSON types."""
        with self._lock:
            known = list(self._submissions.values())
        greeting = [self.hello] if self.hello is not None else []
        return [*greeting, *(json.loads(line) for line in known)]

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with every new record; return what ends that."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return stop

    def after_fork(self) -> None:
        """In a forked child: keep recording, but the panels belong to the parent."""
        self._lock = threading.RLock()
        self._listeners.clear()
        if self.spool is not None:
            self.spool.after_fork()

    def close(self) -> None:
        """Remove the spool."""
        if self.spool is not None:
            self.spool.close()
