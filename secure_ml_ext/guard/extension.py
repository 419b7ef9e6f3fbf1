"""The IPython extension: loads the guard into a kernel, with its magics and its panel line.

Loading imports neither botocore nor msgspec; both come in with the first SageMaker call.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from typing import Any

from . import hook
from .comm import Channel
from .errors import RequestBlocked
from .state import Guard

_ATTRIBUTE = "_secure_ml"  # on the shell: module globals do not survive %autoreload
_HELLO_DELAY = 0.2  # seconds after loading; the configuration is read then, off the user's path


class Extension:
    """What was loaded into one shell."""

    def __init__(self, shell: Any) -> None:
        from .magics import Magics

        self.shell = shell
        connection_file = _connection_file(shell)
        kernel, spool = None, None
        if connection_file is not None:
            from .spool import kernel_id, spool_path

            kernel, spool = kernel_id(connection_file), spool_path(connection_file)
        self.guard = Guard(kernel=kernel, presenter=_present, spool=spool)
        self.magics = Magics(shell, self.guard)
        self.channel: Channel | None = None
        self.connect()
        self._timer = threading.Timer(_HELLO_DELAY, self.guard.start)
        self._timer.daemon = True
        self._timer.start()
        atexit.register(self.close)

    def connect(self) -> None:
        """Register with botocore, the shell and the kernel's comms."""
        hook.install(self.guard)
        self.magics.register()
        self.shell.events.register("pre_run_cell", self.before_cell)
        # SDK v2 installs rich's tracebacks, which show every frame inside botocore; a handler
        # that somebody else registered is left alone.
        if not self.shell.custom_exceptions:
            self.shell.set_custom_exc((RequestBlocked,), _show_message)
        comm = sys.modules.get("comm")
        if comm is not None and getattr(self.shell, "kernel", None) is not None:
            self.channel = Channel(self.guard, comm.get_comm_manager())

    def disconnect(self) -> None:
        """Undo ``connect``."""
        hook.uninstall()
        self.magics.unregister()
        with contextlib.suppress(ValueError):
            self.shell.events.unregister("pre_run_cell", self.before_cell)
        if self.shell.custom_exceptions == (RequestBlocked,):
            self.shell.set_custom_exc((), None)
        if self.channel is not None:
            self.channel.close()
            self.channel = None

    def before_cell(self, info: Any = None) -> None:
        """Remember which cell runs; a cell run by a magic belongs to the cell around it."""
        cell = getattr(info, "cell_id", None)
        if cell is not None:
            self.guard.cell = cell
            self.guard.notebook = _notebook()
        hook.ensure()

    def close(self) -> None:
        """Take the spool away when the kernel ends."""
        self._timer.cancel()
        self.guard.journal.close()


def load_ipython_extension(shell: Any) -> None:
    """Load the guard (``%load_ext secure_ml_ext``); loading again changes nothing."""
    loaded: Extension | None = getattr(shell, _ATTRIBUTE, None)
    if loaded is None:
        setattr(shell, _ATTRIBUTE, Extension(shell))
    elif hook.current() is None:
        loaded.connect()
        loaded.guard.resumed()


def unload_ipython_extension(shell: Any) -> None:
    """Take the guard off; what it recorded stays until the kernel ends."""
    loaded: Extension | None = getattr(shell, _ATTRIBUTE, None)
    if loaded is not None and hook.current() is not None:
        loaded.guard.unloaded()
        loaded.disconnect()


def _show_message(
    shell: Any, etype: Any, value: Any, tb: Any, tb_offset: int | None = None
) -> list[str]:
    """Show a blocked request as its message alone, whatever traceback is installed."""
    lines: list[str] = value._render_traceback_()
    type(shell)._showtraceback(shell, etype, value, lines)
    return lines


def _present(what: Any) -> None:
    from .inline import present

    present(what)


def _connection_file(shell: Any) -> str | None:
    """Return the path of this kernel's connection file, or None outside Jupyter."""
    if getattr(shell, "kernel", None) is None or "ipykernel" not in sys.modules:
        return None
    try:
        from ipykernel.connect import get_connection_file

        return os.path.abspath(get_connection_file())
    except Exception:  # an embedded kernel has none
        return None


def _notebook() -> str | None:
    """Return the notebook's path as the Jupyter server told it to this kernel."""
    path = os.environ.get("JPY_SESSION_NAME")
    return path.removeprefix("RTC:") if path else None
