"""Starting the embedded AWS from Python: for tests and for the demo launcher.

Needs no moto in this process; the server is a process of its own, moto's state being global.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

REGION = "eu-west-1"
ACCOUNT = "123456789012"
# The account that manages the organisation; the demo's own account is a member of it.
MANAGEMENT_ACCOUNT = "210987654321"
# One access key per principal: the notebook's execution role, and the administrators of the
# account and of the organisation.
ROLE_KEY = "ASIASECUREMLDEMO0001"
ADMIN_KEY = "AKIASECUREMLADMIN001"
MANAGEMENT_KEY = "AKIASECUREMLMANAGE01"
SECRET = "embedded-aws-accepts-any-secret"
TOKEN = "embedded-aws-session"
SEED_SECONDS = 60.0
CA_FILE = "proxy-ca.pem"
DROPPED_PREFIXES = ("AWS_", "SAGEMAKER_")


class EmbeddedAwsFailed(RuntimeError):
    """The embedded AWS did not start, or refused a control request."""


class Embedded:
    """A running embedded AWS: `.url`, environment, clients, log, faults."""

    def __init__(self, url: str, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.process = process
        self._folder = folder
        self._empty = folder / "aws-config"
        self._empty.touch(mode=0o600)
        self._sdk = folder / "sagemaker-sdk.yaml"
        self._sdk.write_text(
            "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n"
            "      TelemetryOptOut: true\n"
        )

    def env(self, access_key: str = ROLE_KEY) -> dict[str, str]:
        """Environment variables that send every AWS SDK here and nowhere else."""
        variables = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(self._empty),
            "AWS_SHARED_CREDENTIALS_FILE": str(self._empty),
            "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(self._sdk),
            # SDKs that name an AWS address in code end here too, and nothing goes elsewhere.
            "HTTPS_PROXY": self.url,
            "https_proxy": self.url,
            "AWS_CA_BUNDLE": str(self._folder / CA_FILE),
            "NO_PROXY": _no_proxy(),
            "no_proxy": _no_proxy(),
        }
        if access_key.startswith("ASIA"):
            variables["AWS_SESSION_TOKEN"] = TOKEN
        return variables

    def environ(
        self, base: Mapping[str, str] | None = None, access_key: str = ROLE_KEY
    ) -> dict[str, str]:
        """A whole environment: `base` (this process's) without its AWS settings, and ours."""
        source = os.environ if base is None else base
        kept = {k: v for k, v in source.items() if not k.startswith(DROPPED_PREFIXES)}
        return {**kept, **self.env(access_key)}

    def client(self, service: str, access_key: str = ADMIN_KEY, **options: Any) -> Any:
        """A boto3 client of the embedded AWS, whatever the environment says."""
        import boto3
        from botocore.config import Config
        from botocore.session import Session

        # Without the user's AWS_PROFILE, files and proxies.
        core = Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        config = Config(proxies={}).merge(options.pop("config", None) or Config())
        session: Any = boto3.Session(
            botocore_session=core,
            aws_access_key_id=access_key,
            aws_secret_access_key=SECRET,
            aws_session_token=TOKEN if access_key.startswith("ASIA") else None,
            region_name=REGION,
        )
        return session.client(service, endpoint_url=self.url, config=config, **options)

    def requests(self, **wanted: Any) -> list[dict[str, Any]]:
        """The recorded calls, oldest first, with these members: `operation="Create…"`."""
        entries: list[dict[str, Any]] = self._control("GET", "requests")
        return [e for e in entries if all(e.get(k) == v for k, v in wanted.items())]

    def reset_log(self) -> None:
        """Forget the recorded calls."""
        self._control("POST", "reset-log")

    def fault(self, service: str, operation: str, code: str | None = None, **more: Any) -> None:
        """Answer the next calls with an error; `status`, `message`, `times`, `delay` at will."""
        self._control(
            "POST", "faults", {"service": service, "operation": operation, "code": code, **more}
        )

    def clear_faults(self) -> None:
        """Forget all faults."""
        self._control("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        """Let time pass for jobs, endpoints and instances, without waiting."""
        self._control("POST", "advance", {"seconds": seconds})

    def _control(self, method: str, name: str, content: Any = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(  # noqa: S310 - always our own http://127.0.0.1
            f"{self.url}/_secure_ml/{name}", data=data, method=method
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise EmbeddedAwsFailed(error.read().decode()) from error


def _no_proxy() -> str:
    given = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    names = [name for name in given.split(",") if name]
    return ",".join([*names, *(n for n in ("127.0.0.1", "localhost") if n not in names)])


@contextlib.contextmanager
def running(
    seed: str = "demo",
    *,
    port: int = 0,
    job_seconds: float | None = None,
    new_session: bool = False,
) -> Iterator[Embedded]:
    """A running embedded AWS on a free port; stopped at the end, and with this process.

    `job_seconds` is how long jobs take (20). With `new_session` a Ctrl-C in the terminal does
    not reach the server, for callers that stop it themselves. Raises EmbeddedAwsFailed when it
    does not come up: nothing ever falls back to the real AWS.
    """
    environment = dict(os.environ)
    if job_seconds is not None:
        environment["SECURE_ML_DEMO_JOB_SECONDS"] = str(job_seconds)
    command = [sys.executable, "-m", "secure_ml_ext.demo.aws"]
    command += ["--port", str(port), "--seed", seed, "--with-stdin"]
    with (
        tempfile.TemporaryDirectory(prefix="secure-ml-aws-") as folder,
        open(Path(folder) / "errors.txt", "w+b") as errors,
    ):
        process = subprocess.Popen(
            [*command, "--ca-file", str(Path(folder) / CA_FILE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=new_session,
        )
        try:
            yield Embedded(_ready(process, errors), Path(folder), process)
        finally:
            _stop(process)


def _ready(process: subprocess.Popen[bytes], errors: Any) -> str:
    """The URL from the READY line."""
    if process.stdout is None:
        raise EmbeddedAwsFailed("The embedded AWS has no standard output.")
    deadline = time.monotonic() + SEED_SECONDS
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    while time.monotonic() < deadline:
        if not selector.select(timeout=0.5):
            continue
        line = process.stdout.readline().decode()
        if line.startswith("READY "):
            return line.split()[1]
        if not line:
            break
    process.kill()
    process.wait()
    errors.seek(0)
    raise EmbeddedAwsFailed(
        f"The embedded AWS did not start (exit {process.returncode}):\n"
        f"{errors.read().decode(errors='replace')[-4000:]}"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
