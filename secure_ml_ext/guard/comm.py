"""The panel's line to the kernel: records are pushed, requests are answered, nothing is polled.

The front end opens one comm per kernel on the target ``secure-ml-ext``. A kernel in another host
than the server is reached this way alone.

    kernel to panel   {"records": [...], "held": [ids]} | {"reply": {...}} | {"error": {...}}
    panel to kernel   {"type": "set-mode", "mode"} | {"type": "send-with-fix", "held"}
                      | {"type": "sync"}
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import ModeLocked

if TYPE_CHECKING:
    from .state import Guard

TARGET = "secure-ml-ext"  # records.COMM_TARGET, which would bring msgspec in
_BATCH = 100


class Channel:
    """Serves the panels of one guard; ``manager`` is the kernel's comm manager."""

    def __init__(self, guard: Guard, manager: Any) -> None:
        self.guard = guard
        self.manager = manager
        self._lock = threading.RLock()
        self._open: dict[str, tuple[Any, Callable[[], None]]] = {}
        manager.register_target(TARGET, self.opened)

    def opened(self, comm: Any, _message: Any) -> None:
        """Greet a panel and tell it everything that is remembered."""
        self.guard.start()

        def push(records: list[dict[str, Any]]) -> None:
            self._send(comm, {"records": records})

        comm.on_msg(lambda message: self.received(comm, message))
        comm.on_close(lambda _message: self._forget(comm.comm_id))
        with self._lock:
            self._open[comm.comm_id] = (comm, self.guard.journal.listen(push))
        self._sync(comm)

    def received(self, comm: Any, message: Any) -> None:
        """Answer one message of a panel; whatever it holds, the kernel goes on."""
        data = message.get("content", {}).get("data")
        kind = data.get("type") if isinstance(data, dict) else None
        if kind == "sync":
            self._sync(comm)
        elif kind == "set-mode":
            self._set_mode(comm, data.get("mode"))
        elif kind == "send-with-fix" and isinstance(data.get("held"), str):
            self._send_with_fix(comm, data["held"])
        else:
            self._fail(
                comm,
                "bad-message",
                "The kernel did not understand the panel.",
                "Reload the page; if it happens again, the two have different versions.",
            )

    def _set_mode(self, comm: Any, mode: Any) -> None:
        try:
            self.guard.set_mode(mode)
        except ModeLocked as error:
            remedy = "The mode is decided by your organisation's configuration."
            self._fail(comm, "mode-locked", str(error), remedy)
        except ValueError as error:
            self._fail(comm, "bad-mode", str(error), "Choose another mode.")

    def _send_with_fix(self, comm: Any, held: str) -> None:
        try:
            self.guard.send_held(held, lambda reply: self._send(comm, {"reply": reply}))
        except Exception as error:  # the panel waits for an answer
            reply = {"held": held, "ok": False, "message": f"{type(error).__name__} in the guard."}
            self._send(comm, {"reply": {**reply, "submission": None}})

    def _sync(self, comm: Any) -> None:
        records = self.guard.journal.remembered()
        # A reloaded page learns which of its cards can still be sent.
        first = {"records": records[:_BATCH], "held": self.guard.held.ids()}
        self._send(comm, first)
        for start in range(_BATCH, len(records), _BATCH):
            self._send(comm, {"records": records[start : start + _BATCH]})

    def _fail(self, comm: Any, code: str, message: str, remedy: str) -> None:
        self._send(comm, {"error": {"code": code, "message": message, "remedy": remedy}})

    def _send(self, comm: Any, data: dict[str, Any]) -> None:
        with self._lock:  # jobs are submitted from threads too
            comm.send(data)

    def _forget(self, identity: str) -> None:
        with self._lock:
            _, stop = self._open.pop(identity, (None, None))
        if stop is not None:
            stop()

    def close(self) -> None:
        """Close every panel's comm and take the target away."""
        with self._lock:
            opened = list(self._open.values())
            self._open.clear()
        for comm, stop in opened:
            stop()
            comm.close()
        if self.manager.targets.get(TARGET) == self.opened:
            self.manager.unregister_target(TARGET, self.opened)
