"""The guard of one process: its mode, and what happens around each SageMaker request.

This module is loaded with the extension and imports nothing heavy; the part that checks
(:mod:`.engine`, and with it msgspec and the rules) comes in on the first SageMaker call.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import dryrun
from .errors import DryRunStop, ModeLocked, RequestBlocked
from .held import Held
from .journal import Journal, now

if TYPE_CHECKING:
    from ..inventory.words import Mode
    from ..rules import Config
    from .engine import Engine
    from .records import Card

MODES = ("observe", "warn", "block", "fix")
CALL = "secure_ml_call"  # key in botocore's request context
_LOG = logging.getLogger("secure_ml_ext")
Reply = dict[str, Any]


class Guard:
    """Judges every SageMaker request of this process; thread-safe.

    ``kernel`` is the kernel id, None outside Jupyter. ``presenter`` shows a card or, given a
    string, a line; None shows nothing. ``config`` is ``rules.load_config()`` unless given.
    """

    def __init__(
        self,
        *,
        kernel: str | None = None,
        presenter: Callable[[Card | str], None] | None = None,
        config: Config | None = None,
        spool: str | os.PathLike[str] | None = None,
    ) -> None:
        self.kernel = kernel
        self.presenter = presenter
        self.held = Held()
        self.notebook: str | None = None
        self.cell: str | None = None
        self.dry_names: set[str] | None = None  # not None while a dry-run cell runs
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._told: set[str] = set()
        self._config = config
        self._mode: Mode | None = None
        self._spool = spool
        self._started = False
        self.journal = Journal()
        _guards.add(self)

    @property
    def config(self) -> Config:
        """The configuration in force; read on the first use."""
        if self._config is None:
            from ..rules import load_config

            self._config = load_config()
        found: Config = self._config
        return found

    def start(self) -> None:
        """Say hello: open the spool and greet the panels. Only the first call does anything.

        Not part of construction, because it needs the configuration and so msgspec: the
        extension calls it a moment after it was loaded, or when something happens earlier.
        """
        with self._lock:
            if self._started:
                return
            self._started = True
            hello = self.hello()
            if self._spool is not None:
                self._open_spool(self._spool, hello)
        self.journal.greet(hello)

    # -- mode ---------------------------------------------------------------------------------

    @property
    def mode(self) -> Mode:
        """What happens to a request that breaks a rule."""
        if self._mode is None:
            self._mode = self.config.mode
        return self._mode

    @property
    def locked(self) -> bool:
        """Whether the organisation's configuration fixes the mode."""
        return "mode" in self.config.locked

    def set_mode(self, mode: str) -> Mode:
        """Change the mode; raises ``ModeLocked`` or, for a word that is no mode, ``ValueError``."""
        if mode not in MODES:
            raise ValueError(f"There is no mode {mode!r}. Choose one of: {', '.join(MODES)}.")
        self.start()
        with self._lock:
            if mode != self.mode and self.locked:
                raise ModeLocked(
                    f"Your organisation fixes the guard's mode to {self.mode}. "
                    "Ask the administrators of the secure-ml configuration to change it."
                )
            before, self._mode = self.mode, mode  # type: ignore[assignment]
        if before != mode:
            from .records import Decision, ModeChange

            self.journal.hello = self.hello()
            self.journal.add(ModeChange(now(), self.mode, self.locked))
            self.journal.add(
                Decision(now(), "mode-changed", None, None, None, f"from {before} to {mode}")
            )
        return self.mode

    def hello(self) -> dict[str, Any]:
        """Return the ``Hello`` record as plain JSON types."""
        from .. import __version__

        return {
            "type": "hello",
            "schema": "secure-ml/spool@1",
            "time": now(),
            "kernel": self.kernel or "",
            "pid": os.getpid(),
            "version": __version__,
            "mode": self.mode,
            "locked": self.locked,
        }

    def _open_spool(self, path: str | os.PathLike[str], hello: dict[str, Any]) -> None:
        from .spool import SpoolWriter

        try:
            self.journal.spool = SpoolWriter(path, hello)
        except OSError as error:
            _LOG.warning("The guard's records cannot be written: %s", error.strerror or error)

    # -- what the hook calls --------------------------------------------------------------------

    def before_build(self, client: Any, operation: str, params: Any, context: Any) -> None:
        """Judge a request; may change ``params`` in place, or raise ``RequestBlocked``."""
        try:
            engine = self._engine or self.engine()
            if operation in engine.operations:
                engine.judge(client, operation, params, context)
            elif self.dry_names is not None:
                self._end_dry_run(operation, params)
        except (RequestBlocked, DryRunStop):
            raise
        except Exception as error:
            self.failed(operation, error)

    def before_call(self, client: Any, operation: str, model: Any, context: Any) -> Any:
        """Note that a valid request is about to be sent, or answer it in a dry run."""
        call = context.get(CALL)
        if call is None and self.dry_names is None:
            return None
        if self.dry_names is not None and not dryrun.reads(operation):
            name = getattr(call, "name", None)
            if context.pop(CALL, None) is None:  # no card says it
                self.present(f"Secure ML: {operation}, not sent (dry run)")
            return dryrun.answer(model, client.meta, name)
        if call is not None and self._engine is not None:
            try:
                self._engine.sending(call)
            except Exception as error:
                self._unrecorded(operation, error)
        return None

    def after_call(self, client: Any, operation: str, http: Any, parsed: Any, context: Any) -> None:
        """Record the ARN, or the refusal."""
        call = context.get(CALL)
        if call is not None and self._engine is not None:
            try:
                self._engine.answered(call, http.status_code, parsed)
            except Exception as error:
                self._unrecorded(operation, error)

    def after_error(self, client: Any, operation: str, error: Any, context: Any) -> None:
        """Record that no answer came."""
        call = (context or {}).get(CALL)
        if call is not None and self._engine is not None:
            with self.contained(operation):
                self._engine.unanswered(call, error)

    def _end_dry_run(self, operation: str, params: Any) -> None:
        if dryrun.reads(operation) and dryrun.pretended(params, self.dry_names or set()):
            raise DryRunStop(
                f"{operation} was not sent: what it asks for exists only in this dry run. "
                "The cell ends here."
            )

    # -- the rest -------------------------------------------------------------------------------

    def engine(self) -> Engine:
        """Return the part that checks, loading it on the first use."""
        with self._lock:
            if self._engine is None:
                from .engine import Engine

                self.start()
                self._engine = Engine(self)
                for problem in self.config.problems:
                    self.tell(f"Secure ML: the configuration has a fault. {problem}")
                self._check_profile_file()
            return self._engine

    def _check_profile_file(self) -> None:
        """Say it when the named profile cannot be used: nothing is compared with it then."""
        from ..rules import ProfileError, load_profile_file

        if self.config.profile is None:
            return
        try:
            load_profile_file(self.config.profile)
        except ProfileError as error:
            self.tell(f"Secure ML: the profile cannot be used. {error}")

    def present(self, what: Card | str) -> None:
        """Show a card or a line; a display that fails is logged and stops nothing."""
        if self.presenter is None:
            return
        try:
            self.presenter(what)
        except Exception as error:
            _LOG.warning("The guard's report cannot be shown: %s", _place(error))

    def tell(self, line: str) -> None:
        """Show a line once per process."""
        with self._lock:
            if line in self._told:
                return
            self._told.add(line)
        if self.presenter is None:
            _LOG.warning("%s", line)
        self.present(line)

    def failed(self, operation: str, error: Exception) -> None:
        """Handle a failure inside the guard: shown once, recorded, and the call goes on.

        In ``block`` mode the configuration decides (``on_guard_error``: ``send`` or ``block``).
        Neither the line nor the record quotes the error's message: it may quote the request.
        """
        if dryrun.reads(operation):
            return
        held_back = self.mode == "block" and self.config.on_guard_error == "block"
        consequence = f"{operation} {'was not sent' if held_back else 'is sent unchecked'}"
        message = self._complain(operation, error, consequence, quiet=held_back)
        if held_back:
            raise RequestBlocked(message) from None

    def _complain(self, operation: str, error: Exception, what: str, quiet: bool = False) -> str:
        place = _place(error)
        with contextlib.suppress(Exception):
            from .records import Decision

            detail = f"{place}; {what}"
            self.journal.add(Decision(now(), "guard-error", operation, None, None, detail))
        message = f"Secure ML: the guard failed ({place}): {what}. Please report this."
        if not quiet:
            self.tell(message)
        return message

    @contextlib.contextmanager
    def contained(self, operation: str) -> Iterator[None]:
        """Keep a failure in showing or recording from changing what was decided."""
        try:
            yield
        except Exception as error:
            self._unrecorded(operation, error)

    def _unrecorded(self, operation: str, error: Exception) -> None:
        self._complain(operation, error, f"the report on {operation} is incomplete")

    @contextlib.contextmanager
    def dry_run(self) -> Iterator[None]:
        """Check and do not send while the block runs."""
        with self._lock:
            before, self.dry_names = self.dry_names, set()
        try:
            yield
        finally:
            self.dry_names = before

    def send_held(self, identity: str, reply: Callable[[Reply], None]) -> None:
        """Send a held request with its fix, and answer; see ``resend.send``."""
        from . import resend

        self.engine()
        resend.send(self, identity, reply)

    def unloaded(self) -> None:
        """Record that the guard was taken off, and forget the requests it holds."""
        self.held.clear()
        with contextlib.suppress(Exception):
            from .records import Decision

            self.journal.add(Decision(now(), "unloaded", None, None, None, "extension unloaded"))

    def resumed(self) -> None:
        """Greet again after the guard was taken off and put on."""
        self.journal.greet(self.hello())

    def after_fork(self) -> None:
        """Make a forked child safe: fresh locks, nothing held, no panel."""
        self._lock = threading.RLock()
        self.held.clear()
        self.journal.after_fork()


def _place(error: BaseException) -> str:
    """Return the type of an error and where it arose, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


_guards: weakref.WeakSet[Guard] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for guard in list(_guards):
        guard.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
