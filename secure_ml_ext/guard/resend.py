"""*Send with fix*: sending a held request with its patch, once."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import msgspec

from ..inventory.masking import mask
from .decide import scrub
from .errors import RequestBlocked
from .records import ApiError

if TYPE_CHECKING:
    from .held import HeldRequest
    from .records import Submission
    from .state import Guard

Reply = dict[str, Any]
_GONE = (
    "This kernel no longer holds the request: it was sent already, or the kernel was restarted. "
    "Run the cell again."
)
_NO_LOOP = (
    "The request was made with an asynchronous client and no event loop is running. "
    "Run the cell again."
)


class Resend:
    """Marks the call that *Send with fix* makes, and brings its record back."""

    def __init__(self, held: HeldRequest) -> None:
        self.held = held
        self.submission: Submission | None = None


_current: ContextVar[Resend | None] = ContextVar("secure_ml_resend", default=None)
_tasks: set[Any] = set()


def current() -> Resend | None:
    """Return the mark when this call is one of *Send with fix*."""
    return _current.get()


def send(guard: Guard, identity: str, answer: Callable[[Reply], None]) -> None:
    """Send a held request with its fix, once, and tell ``answer`` what became of it.

    The answer is ``{"held", "ok", "message", "submission"}``; for an asynchronous client it
    comes when the call has ended.
    """
    held = guard.held.take(identity)
    if held is None:
        answer(_reply(identity, False, _GONE))
        return
    mark = Resend(held)
    result: Any = None
    error: Exception | None = None
    with _marked(mark):
        try:
            result = _method(held)(**held.fixed)
        except Exception as caught:
            error = caught
    if not inspect.iscoroutine(result):
        answer(_outcome(identity, mark, error))
        return

    async def finish() -> None:
        failed: Exception | None = None
        with _marked(mark):
            try:
                await result
            except Exception as caught:
                failed = caught
        answer(_outcome(identity, mark, failed))

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        result.close()
        answer(_reply(identity, False, _NO_LOOP))
        return
    task = loop.create_task(finish())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


@contextlib.contextmanager
def _marked(mark: Resend) -> Iterator[None]:
    token = _current.set(mark)
    try:
        yield
    finally:
        _current.reset(token)


def _method(held: HeldRequest) -> Callable[..., Any]:
    names: dict[str, str] = held.client.meta.method_to_api_mapping
    name = next(name for name, api in names.items() if api == held.operation)
    method: Callable[..., Any] = getattr(held.client, name)
    return method


def _outcome(identity: str, mark: Resend, error: Exception | None) -> Reply:
    made, held = mark.submission, mark.held
    plain = msgspec.to_builtins(made) if made is not None else None
    if error is None:
        name = made.name if made is not None and made.name else held.operation
        return _reply(identity, True, f"{name} was sent with the fix.", plain)
    if isinstance(error, RequestBlocked):
        return _reply(identity, False, str(error), plain)
    problem = made.error if made is not None else None
    if problem is None:  # refused before anything was sent
        masked = mask(held.operation, held.params)
        problem = ApiError(type(error).__name__, scrub(str(error), held.params, masked))
    message = f"{held.operation} was not accepted. {problem.code}: {problem.message}"
    return _reply(identity, False, message, plain)


def _reply(identity: str, ok: bool, message: str, submission: Any = None) -> Reply:
    return {"held": identity, "ok": ok, "message": message, "submission": submission}
