"""The hook: every SageMaker request of this process passes the guard before it is serialised.

``botocore.client.BaseClient.__init__`` is wrapped, clients that already exist are found by one
scan, and each SageMaker client gets handlers on its own event emitter. Of six ways tried this is
the only one that covers clients made before loading, old and new sessions, raw botocore, threads
and aiobotocore, and so boto3 and both generations of the SageMaker SDK.

botocore is never imported from here: an import hook waits for it. Nothing in this module imports
anything of the package, so that loading it costs next to nothing.
"""

from __future__ import annotations

import functools
import gc
import importlib
import sys
import weakref
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Protocol

_WATCHED = "botocore.client"
_MARK = "_secure_ml_hook"
# One id per event: botocore's emitter keeps a single handler per id, whatever the event.
_EVENTS = (
    ("before-parameter-build.sagemaker", "before_build", False),
    ("before-call.sagemaker", "before_call", True),
    ("after-call.sagemaker", "after_call", False),
    ("after-call-error.sagemaker", "after_error", False),
)


class Watcher(Protocol):
    """What the hook calls; ``guard.state.Guard`` is the one that decides."""

    def before_build(self, client: Any, operation: str, params: Any, context: Any) -> None:
        """See, and perhaps change or refuse, a request before it is validated."""

    def before_call(self, client: Any, operation: str, model: Any, context: Any) -> Any:
        """See a valid request just before it is sent; a returned pair is the answer instead."""

    def after_call(self, client: Any, operation: str, http: Any, parsed: Any, context: Any) -> None:
        """See the answer, good or bad."""

    def after_error(self, client: Any, operation: str, error: Any, context: Any) -> None:
        """See that no answer came."""


class Hook:
    """The one link between botocore and the guard; it outlives reloads of this package."""

    def __init__(self) -> None:
        self.guard: Watcher | None = None
        self.clients: weakref.WeakSet[Any] = weakref.WeakSet()

    def attach(self, client: Any) -> None:
        """Register the handlers on ``client`` when it is a SageMaker client; never raises."""
        try:
            if client.meta.service_model.service_name != "sagemaker" or self.guard is None:
                return
            clients = sys.modules.get(f"{__package__.rpartition('.')[0]}.aws.clients")
            if clients is not None and clients.is_ours(client):
                return  # what this product itself asks is never checked
            handlers = _Handlers(self, weakref.ref(client))
            events = client.meta.events
            for event, method, first in _EVENTS:
                register = events.register_first if first else events.register_last
                register(event, getattr(handlers, method), unique_id=f"secure-ml-guard-{method}")
            self.clients.add(client)
        except Exception:  # a client must be usable whatever its emitter is
            return

    def detach_all(self) -> None:
        """Take the handlers off every client again."""
        for client in list(self.clients):
            for event, method, _ in _EVENTS:
                client.meta.events.unregister(event, unique_id=f"secure-ml-guard-{method}")
        self.clients.clear()


class _Handlers:
    """The handlers of one client. They hold it weakly: its emitter holds them."""

    __slots__ = ("client", "hook")

    def __init__(self, hook: Hook, client: weakref.ref[Any]) -> None:
        self.hook = hook
        self.client = client

    def before_build(self, params: Any, model: Any, context: Any, **_: Any) -> None:
        guard = self.hook.guard
        if guard is not None:
            guard.before_build(self.client(), model.name, params, context)

    def before_call(self, model: Any, context: Any, **_: Any) -> Any:
        guard = self.hook.guard
        if guard is not None:
            return guard.before_call(self.client(), model.name, model, context)
        return None

    def after_call(
        self, http_response: Any, parsed: Any, model: Any, context: Any, **_: Any
    ) -> None:
        guard = self.hook.guard
        if guard is not None:
            guard.after_call(self.client(), model.name, http_response, parsed, context)

    def after_error(self, exception: Any, context: Any, event_name: str, **_: Any) -> None:
        guard = self.hook.guard
        if guard is not None:
            guard.after_error(self.client(), event_name.rsplit(".", 1)[-1], exception, context)


class _Finder:
    """Waits on ``sys.meta_path`` for ``botocore.client``; a mere look-up triggers nothing."""

    def __init__(self, hook: Hook) -> None:
        setattr(self, _MARK, hook)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _WATCHED:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    watched: Any = _Loader(spec.loader, getattr(self, _MARK))
                    spec.loader = watched
                return spec
        return None


class _Loader:
    """Lets the real loader work, then wraps the class it made."""

    def __init__(self, loader: Any, hook: Hook) -> None:
        self._loader = loader
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # copy and pickle ask before __init__ has run
            raise AttributeError(name)
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        # The module shall not see that it was watched: inspect, resources and reload ask it.
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        _wrap(module, self._hook)


def _wrap(module: ModuleType, hook: Hook) -> None:
    """Wrap ``BaseClient.__init__`` of ``module``, once."""
    base = getattr(module, "BaseClient", None)
    if base is None or _MARK in base.__dict__:
        return
    original = base.__init__

    @functools.wraps(original)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        hook.attach(self)

    setattr(made, _MARK, hook)
    setattr(base, _MARK, hook)
    base.__init__ = made


def _scan(base: type, hook: Hook) -> None:
    """Attach to the SageMaker clients that exist already.

    Walking the heap takes some 50 ms per 300,000 objects, so it is done only when a SageMaker
    client class exists: botocore makes one class per client and nothing else keeps it alive.
    """
    found: set[type] = set()
    todo: list[type] = [base]
    while todo:
        child: type
        for child in todo.pop().__subclasses__():
            todo.append(child)
            if "create_training_job" in getattr(child, "_PY_TO_OP_NAME", ()):
                found.add(child)
    if found:
        for thing in gc.get_objects():
            if type(thing) in found:
                hook.attach(thing)


def _finder() -> Any:
    """Return our finder, also one that an older copy of this module installed."""
    return next((finder for finder in sys.meta_path if hasattr(finder, _MARK)), None)


def _base_client() -> Any:
    """Return botocore's class if botocore is there, waiting for an import that is under way."""
    if _WATCHED not in sys.modules:
        return None
    return getattr(importlib.import_module(_WATCHED), "BaseClient", None)


def current() -> Hook | None:
    """Return the hook of this process, or None when none is installed."""
    finder = _finder()
    if finder is not None:
        hook: Hook = getattr(finder, _MARK)
        return hook
    return None


def install(guard: Watcher) -> Hook:
    """Send every SageMaker request of this process through ``guard``; a second call replaces it."""
    finder = _finder()
    base = _base_client()
    hook: Hook
    if finder is not None:
        hook = getattr(finder, _MARK)
    elif base is not None and _MARK in base.__dict__:
        hook = base.__dict__[_MARK]  # left in the chain by an uninstall under another's wrapper
    else:
        hook = Hook()
    hook.guard = guard
    if finder is None:
        sys.meta_path.insert(0, _Finder(hook))
    ensure()
    base = _base_client()
    if base is not None:
        _scan(base, hook)
    return hook


def ensure() -> None:
    """Wrap botocore if it came in unseen (a test that swaps modules, a race); cheap otherwise."""
    module = sys.modules.get(_WATCHED)
    if module is None:
        return
    hook = current()
    base = getattr(module, "BaseClient", None)
    if hook is not None and (base is None or _MARK not in base.__dict__):
        base = _base_client()
        if base is not None and _MARK not in base.__dict__:
            _wrap(sys.modules[_WATCHED], hook)
            _scan(base, hook)


def uninstall() -> None:
    """Leave botocore as it was found; harmless when nothing is installed."""
    base = _base_client()
    hook = current() or (base.__dict__.get(_MARK) if base is not None else None)
    finder = _finder()
    if finder is not None:
        sys.meta_path.remove(finder)
    if hook is None:
        return
    hook.guard = None
    hook.detach_all()
    # Somebody else's wrapper may sit on top of ours: then ours stays, and does nothing.
    if base is not None and getattr(base.__init__, _MARK, None) is hook:
        base.__init__ = base.__init__.__wrapped__
        delattr(base, _MARK)
