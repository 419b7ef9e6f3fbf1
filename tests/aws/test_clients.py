"""This product's own clients: cached, known, impatient, safe in threads and forks."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from secure_ml_ext.aws import clients
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.guard import hook

from .conftest import Metadata


def test_a_client_is_made_once_even_by_many_threads(aws: Embedded) -> None:
    with ThreadPoolExecutor(16) as executor:
        made = list(executor.map(lambda _: clients.client("sagemaker"), range(64)))
    assert len({id(client) for client in made}) == 1
    config = made[0].meta.config
    assert (config.connect_timeout, config.read_timeout) == (3.0, 10.0)
    assert config.retries["mode"] == "standard"
    assert made[0].meta.endpoint_url == aws.url


def test_another_region_or_other_credentials_are_another_client(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = clients.client("ssm")
    assert clients.client("ssm", "eu-west-1") is here
    assert clients.client("ssm", "eu-central-1") is not here
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASOMEBODYELSE0000")
    assert clients.client("ssm") is not here


def test_the_guard_leaves_our_clients_alone(aws: Embedded) -> None:
    seen: list[str] = []

    class Watcher:
        def before_build(
            self, client: object, operation: str, params: object, context: object
        ) -> None:
            seen.append(operation)

        def before_call(
            self, client: object, operation: str, model: object, context: object
        ) -> None:
            """See nothing."""

        def after_call(self, *_: object) -> None:
            """See nothing."""

        def after_error(self, *_: object) -> None:
            """See nothing."""

    before = clients.client("sagemaker")
    hook.install(Watcher())
    try:
        before.list_domains()
        clients.client("sagemaker", "eu-central-1").list_domains()
        assert seen == []
        theirs = boto3.client("sagemaker")
        theirs.list_domains()
        assert seen == ["ListDomains"]
    finally:
        hook.uninstall()
    assert clients.is_ours(before)
    assert not clients.is_ours(theirs)
    assert not clients.is_ours([])


def test_the_region_of_the_process(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch, metadata: Metadata
) -> None:
    assert clients.default_region() == "eu-west-1"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert clients.default_region() == "eu-central-1"
    monkeypatch.delenv("AWS_REGION")
    assert clients.default_region() is None
    metadata(ResourceArn="arn:aws:sagemaker:eu-north-1:1:app/d/u/JupyterLab/default")
    assert clients.default_region() == "eu-north-1"


def test_a_forked_child_makes_its_own(aws: Embedded) -> None:
    parent = clients.client("sagemaker")
    clients.pool().submit(parent.list_domains).result()
    reader, writer = os.pipe()
    # The lock is held, as if by another thread at that moment; Python warns of forks with threads.
    with clients._lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
        if pid == 0:
            answer = b"bad"
            try:
                child = clients.client("sagemaker")
                if child is not parent:
                    clients.pool().submit(child.list_domains).result(timeout=20)
                    answer = b"good"
            finally:
                os.write(writer, answer)
                os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 10) == b"good"
    os.close(reader)
    os.close(writer)
    assert clients.client("sagemaker") is parent


def test_importing_the_room_imports_no_sdk(tmp_path: Path) -> None:
    code = (
        "import secure_ml_ext.aws.profile, secure_ml_ext.aws.jobs, secure_ml_ext.aws.resolver, sys;"
        "print(sorted({'boto3', 'botocore', 'yaml', 'jupyter_server'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['yaml']")
