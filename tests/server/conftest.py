"""A real Jupyter server with the extension, behind a prefix, against the embedded AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.aws import clients, profile
from secure_ml_ext.demo.aws import Embedded


@pytest.fixture(autouse=True)
def fresh_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No profile, configuration or client of an earlier test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SECURE_ML_SPOOL_INTERVAL", "0.1")
    monkeypatch.setenv("SECURE_ML_ENVIRONMENT", "sm-mlops-dev")
    profile.forget()
    clients.forget()
    yield
    profile.forget()
    clients.forget()


@pytest.fixture
def jp_server_config(aws: Embedded) -> dict[str, Any]:
    """Load the extension as an installed one is loaded; nobody comes in without signing in."""
    return {
        "ServerApp": {
            "jpserver_extensions": {"secure_ml_ext": True, "jupyter_server_terminals": False},
            "allow_unauthenticated_access": False,
        }
    }


@pytest.fixture
def jp_base_url() -> str:
    """A prefix with a character that must be quoted."""
    return "/user/ann@bank/"


@pytest.fixture
def kernel(jp_serverapp: Any, jp_asyncio_loop: Any) -> Iterator[str]:
    """A running kernel; its id."""
    manager = jp_serverapp.kernel_manager
    identity = jp_asyncio_loop.run_until_complete(manager.start_kernel())
    yield identity
    jp_asyncio_loop.run_until_complete(manager.shutdown_kernel(identity, now=True))


@pytest.fixture
def app(jp_serverapp: Any) -> Any:
    """The extension application of the running server."""
    return jp_serverapp.extension_manager.extension_apps["secure_ml_ext"].copy().pop()
