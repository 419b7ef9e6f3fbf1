"""Requests that were not sent and may still be, with their fix: *Send with fix*.

Only the random id leaves the kernel. What a saved notebook says is never submitted, and after a
restart there is nothing here to send.
"""

from __future__ import annotations

import copy
import os
import threading
from collections import OrderedDict
from typing import Any

MAX_HELD = 50


class HeldRequest:
    """A request as the caller made it, its client, and the same with the fix that makes it pass."""

    __slots__ = ("cell", "client", "fixed", "notebook", "operation", "params")

    def __init__(
        self,
        client: Any,
        operation: str,
        params: dict[str, Any],
        fixed: dict[str, Any],
        notebook: str | None = None,
        cell: str | None = None,
    ) -> None:
        self.client = client
        self.operation = operation
        self.params = params
        self.fixed = fixed
        self.notebook = notebook
        self.cell = cell


class Held:
    """The last 50 requests that were held back; each can be taken once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: OrderedDict[str, HeldRequest] = OrderedDict()

    def keep(self, request: HeldRequest) -> str | None:
        """Keep a deep copy and return its random id, or None when it cannot be copied."""
        try:
            request.params = copy.deepcopy(dict(request.params))
            request.fixed = copy.deepcopy(request.fixed)
        except Exception:  # an open file, a lock: whatever a caller may put into a request
            return None
        identity = os.urandom(16).hex()
        with self._lock:
            self._requests[identity] = request
            while len(self._requests) > MAX_HELD:
                self._requests.popitem(last=False)
        return identity

    def take(self, identity: str) -> HeldRequest | None:
        """Return the request and forget it."""
        with self._lock:
            return self._requests.pop(identity, None)

    def ids(self) -> list[str]:
        """Return the ids of what is held, the oldest first."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Forget everything; the lock too, which a forked child may have inherited held."""
        self._lock = threading.Lock()
        self._requests.clear()
