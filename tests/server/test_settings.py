"""Settings: by traitlets, by environment variables; backends that an organisation replaces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from traitlets import TraitError
from traitlets.config import Config

from secure_ml_ext.aws.jobs import JobsBackend
from secure_ml_ext.aws.profile import ProfileSource
from secure_ml_ext.aws.records import Job, Problem
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.rules import Profile, ProfileValue
from secure_ml_ext.server.app import SecureMlExtApp


class OurProfile(ProfileSource):
    """Knows one subnet."""

    def discover(self, *, use_cache: bool = True) -> tuple[Profile, list[Problem]]:
        """Return it, or fail when asked afresh."""
        if not use_cache:
            raise RuntimeError("our database is down")
        return Profile(values={"subnets": ProfileValue(["subnet-ours"], "our database")}), []


class OurJobs(JobsBackend):
    """Knows no states."""

    def refresh(self, jobs: list[Job]) -> list[Job]:
        """Return the jobs as they are."""
        return jobs


@pytest.fixture
def jp_server_config(aws: Embedded) -> dict[str, Any]:
    """Both backends replaced, as a configuration file does it; the server is not guarded."""
    return {
        "ServerApp": {
            "jpserver_extensions": {"secure_ml_ext": True, "jupyter_server_terminals": False},
            "allow_unauthenticated_access": False,
        },
        "SecureMlExtApp": {
            "profile_source_class": f"{__name__}.OurProfile",
            "jobs_backend_class": OurJobs,
            "guard_server_process": False,
        },
    }


async def test_replaced_backends_are_used(jp_fetch: Any, app: Any, aws: Embedded) -> None:
    assert type(app.profile_source).__name__ == "OurProfile"
    assert app.server_guard is None
    reply = json.loads((await jp_fetch("secure-ml-ext", "profile")).body)
    assert reply["values"] == {"subnets": {"value": ["subnet-ours"], "source": "our database"}}
    body = json.dumps({"operation": "CreateModel", "params": {"ModelName": "m"}})
    report = json.loads(
        (await jp_fetch("secure-ml-ext", "validate", method="POST", body=body)).body
    )
    assert report["schema"] == "secure-ml/report@1"
    assert aws.requests() == []


async def test_a_source_that_breaks_its_promise_is_a_502(jp_fetch: Any) -> None:
    with pytest.raises(HTTPClientError) as raised:
        await jp_fetch("secure-ml-ext", "profile", params={"fresh": "1"})
    assert raised.value.code == 502
    error = json.loads(raised.value.response.body)
    assert error["code"] == "aws-error"
    assert "OurProfile" in error["message"]


def test_only_a_backend_may_replace_a_backend() -> None:
    with pytest.raises(TraitError):
        SecureMlExtApp(config=Config({"SecureMlExtApp": {"jobs_backend_class": dict}}))


def test_environment_variables_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_ML_GUARD_SERVER_PROCESS", "0")
    monkeypatch.setenv("SECURE_ML_SPOOL_INTERVAL", "nonsense")
    monkeypatch.setenv("SECURE_ML_WORKER_THREADS", "9")
    app = SecureMlExtApp()
    assert (app.guard_server_process, app.spool_interval, app.worker_threads) == (False, 1.0, 9)
    configured = SecureMlExtApp(config=Config({"SecureMlExtApp": {"worker_threads": 2}}))
    assert configured.worker_threads == 2
