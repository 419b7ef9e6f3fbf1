"""Buckets to back up to: in the embedded AWS, and in the server that can be told to fail."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from secure_ml_ext.aws import clients, profile
from secure_ml_ext.backup.store import Store
from secure_ml_ext.demo.aws import REGION, Embedded
from tests.support.s3_faults import OWNER, State, serving


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No journal, profile or metadata of another test."""
    for name in [name for name in os.environ if name.startswith(("SECURE_ML_", "SAGEMAKER_"))]:
        monkeypatch.delenv(name)
    for name in ("cache", "config"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "etc"))
    monkeypatch.setenv("SECURE_ML_RESOURCE_METADATA", str(tmp_path / "no-metadata.json"))
    clients.forget()
    profile.forget()
    yield
    clients.forget()
    profile.forget()


@pytest.fixture(scope="session")
def faulty_server() -> Iterator[tuple[str, State]]:
    with serving() as running:
        yield running


@pytest.fixture
def faults(faulty_server: tuple[str, State]) -> State:
    """The state of the faulty server: empty, no faults."""
    faulty_server[1].clear()
    return faulty_server[1]


@pytest.fixture(scope="session")
def _faulty_store(no_real_aws: None, faulty_server: tuple[str, State]) -> Store:
    return Store("faulty", owner=OWNER, endpoint_url=faulty_server[0])


@pytest.fixture
def faulty(_faulty_store: Store, faults: State) -> Store:
    """The bucket of the faulty server."""
    _faulty_store.kms_key = None
    return _faulty_store


@pytest.fixture
def bucket(aws: Embedded) -> str:
    """A new bucket in the embedded AWS."""
    name = f"backups-{uuid.uuid4().hex[:12]}"
    where = {"LocationConstraint": REGION}
    aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
    return name


@pytest.fixture
def store(bucket: str, aws: Embedded) -> Store:
    """The store of that bucket."""
    return Store(bucket, owner="123456789012")


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume with everything that is hard about names, links and modes."""
    root = tmp_path / "volume"
    root.mkdir()
    return planted(root)


def planted(root: Path) -> Path:
    """Fill a folder; returns it."""
    (root / "work").mkdir()
    (root / "work" / "model.ipynb").write_text('{"cells": []}')
    (root / "work" / "run.sh").write_text("#!/bin/sh\n")
    (root / "work" / "run.sh").chmod(0o755)
    (root / "new\nline.txt").write_text("a newline")
    Path(os.fsdecode(os.fsencode(root) + b"/not-utf8-\xff")).write_text("bytes")
    (root / "caf\u00e9").write_text("composed")
    (root / "cafe\u0301").write_text("decomposed")
    (root / "large.bin").write_bytes(bytes(range(256)) * 20)  # 5120 bytes: three parts of 2048
    (root / ".hidden").write_text("")
    (root / "empty").mkdir(mode=0o750)
    (root / "link").symlink_to("work/model.ipynb")
    (root / "dangling").symlink_to("../../nowhere")
    old = 1_577_836_800_123_456_789  # 2020-01-01
    for each in [*sorted(root.rglob("*"), reverse=True), root]:
        os.utime(each, ns=(old, old), follow_symlinks=False)
    return root


def picture(root: Path) -> dict[bytes, tuple[object, ...]]:
    """Return everything a restore must bring back, but for markers."""
    seen: dict[bytes, tuple[object, ...]] = {}
    for folder, folders, names in os.walk(os.fsencode(root)):
        for name in [*folders, *names]:
            path = os.path.join(folder, name)
            if name in (b"BACKUP_COMPLETE", b"SYNC_COMPLETE"):
                continue
            status = os.lstat(path)
            content: bytes | None = None
            if os.path.islink(path):
                content = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
            mode = 0 if os.path.islink(path) else status.st_mode
            seen[os.path.relpath(path, os.fsencode(root))] = (mode, status.st_mtime_ns, content)
    return seen
