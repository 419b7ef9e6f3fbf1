"""Compliance guard for Amazon SageMaker work in JupyterLab: entry points only.

Importing this package costs nothing: every name below loads its room on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .guard.extension import load_ipython_extension, unload_ipython_extension

    __version__: str

__all__ = ["__version__", "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    if name in ("load_ipython_extension", "unload_ipython_extension"):
        from .guard import extension

        return getattr(extension, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("secure_ml_ext")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the prebuilt front end lies, for development installs."""
    return [{"src": "labextension", "dest": "secure-ml-ext"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell the Jupyter server which application to load."""
    from .server.app import SecureMlExtApp

    return [{"module": "secure_ml_ext.server.app", "app": SecureMlExtApp}]
