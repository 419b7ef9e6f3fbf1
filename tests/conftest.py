"""What every test shares: the embedded AWS, and no way to a real one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from secure_ml_ext.demo.aws import Embedded, running

# A closed port: a client made without the fixture fails at once instead of reaching AWS.
NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@pytest.fixture(scope="session", autouse=True)
def no_real_aws() -> Iterator[None]:
    """Take the AWS settings of the machine away for the whole run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in NOWHERE.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def aws_server(no_real_aws: None) -> Iterator[Embedded]:
    """The seeded embedded AWS, one for the run."""
    with running(seed="demo") as embedded:
        yield embedded


@pytest.fixture
def aws(aws_server: Embedded, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    """The embedded AWS with its environment set, an empty request log and no faults."""
    for name, value in aws_server.env().items():
        monkeypatch.setenv(name, value)
    aws_server.clear_faults()
    aws_server.reset_log()
    return aws_server


@pytest.fixture(autouse=True)
def nothing_in_the_background(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wait for what a test set off beside itself, before its folders and variables are gone.

    A renewal that outlives its test would write into the cache folder of the next one.
    """
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("secure-ml secure_ml_ext."):
            thread.join(30)
            assert not thread.is_alive(), thread.name
