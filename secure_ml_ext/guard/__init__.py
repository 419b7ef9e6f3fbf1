"""The guard: sees every SageMaker request of a process before it is sent.

It is advice. A user can take it off; IAM and service control policies are the control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import RequestBlocked
    from .extension import load_ipython_extension, unload_ipython_extension
    from .state import Guard

__all__ = ["Guard", "RequestBlocked", "load_ipython_extension", "unload_ipython_extension"]

_HOMES = {"Guard": "state", "RequestBlocked": "errors"}


def __getattr__(name: str) -> Any:
    if name in __all__:
        from importlib import import_module

        return getattr(import_module(f".{_HOMES.get(name, 'extension')}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
