"""Each test starts without a profile, a configuration or a client of an earlier one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.aws import caller, clients, policies, profile
from secure_ml_ext.demo.aws import Embedded

Metadata = Callable[..., Path]


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No file, variable or memory of another test."""
    for name in [name for name in os.environ if name.startswith(("SECURE_ML_", "SAGEMAKER_"))]:
        monkeypatch.delenv(name)
    for name in ("cache", "config"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "etc"))
    monkeypatch.setenv("SECURE_ML_RESOURCE_METADATA", str(tmp_path / "no-metadata.json"))
    rooms = (profile, policies, caller, clients)
    for room in rooms:
        room.forget()
    yield
    for room in rooms:
        room.forget()


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Metadata:
    """Write the resource metadata file."""

    def write(**content: Any) -> Path:
        path = tmp_path / "resource-metadata.json"
        path.write_text(json.dumps(content))
        monkeypatch.setenv("SECURE_ML_RESOURCE_METADATA", str(path))
        return path

    return write


@pytest.fixture
def domain(aws: Embedded) -> str:
    """The id of the demo's Studio domain."""
    (found,) = aws.client("sagemaker").list_domains()["Domains"]
    return str(found["DomainId"])
