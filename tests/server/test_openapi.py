"""The OpenAPI document is valid, complete, and the server keeps to it under fuzzing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.inventory import operations
from secure_ml_ext.server.handlers import ROUTES, UnknownRouteHandler
from secure_ml_ext.server.openapi import document

TOKEN = "fuzzing"
PREFIX = "/hub/ann/"


async def test_the_document_is_served_and_valid(jp_fetch: Any, jp_base_url: str) -> None:
    served = json.loads((await jp_fetch("secure-ml-ext", "openapi.json")).body)
    OpenAPIV31SpecValidator(served).validate()
    assert served["servers"] == [{"url": jp_base_url.rstrip("/")}]


def test_the_document_names_every_route_and_method() -> None:
    documented = {(path, method) for path, item in document()["paths"].items() for method in item}
    routed = {
        (pattern.replace("\\", ""), method)
        for pattern, handler in ROUTES
        if handler is not UnknownRouteHandler
        for method in ("get", "post", "put", "patch", "delete")
        if method in handler.__dict__
    }
    assert documented == routed


@pytest.fixture(scope="module")
def server(aws_server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Jupyter server in a process of its own; its address."""
    home = tmp_path_factory.mktemp("server")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    environment = aws_server.environ()
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        environment[name] = str(home / name.lower())
    environment |= {
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "SECURE_ML_ENVIRONMENT": "sm-mlops-dev",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    log = open(home / "log.txt", "w+")  # noqa: SIM115
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.base_url={PREFIX}",
            f"--ServerApp.root_dir={home}",
            f"--IdentityProvider.token={TOKEN}",
            "--ServerApp.jpserver_extensions=secure_ml_ext=True",
        ],
        env=environment,
        stdout=log,
        stderr=log,
    )
    url = f"http://127.0.0.1:{port}{PREFIX}"
    try:
        _wait(url, process, home / "log.txt")
        yield url
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    request = urllib.request.Request(
        f"{url}secure-ml-ext/status", headers={"Authorization": f"token {TOKEN}"}
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(log.read_text())


load_all_checks()
# A well-formed request may still name an operation or a kernel that does not exist.
# Parameters nobody asked for are let pass: JupyterLab itself adds one against caches.
BUT = {"POST": {"positive_data_acceptance"}}
BUT["GET"] = {"positive_data_acceptance", "negative_data_rejection"}
DEFINED = [(path, method.upper()) for path, item in document()["paths"].items() for method in item]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), DEFINED)
def test_whatever_is_sent_the_answer_is_one_of_the_documented(
    server: str, path: str, method: str, mode: GenerationMode
) -> None:
    headers = {"Authorization": f"token {TOKEN}"}
    schema = schemathesis.openapi.from_url(f"{server}secure-ml-ext/openapi.json", headers=headers)
    operation = schema[path][method]
    excluded = [check for check in CHECKS.get_all() if check.__name__ in BUT[method]]
    takes_input = operation.body or operation.query
    if not takes_input and mode is GenerationMode.NEGATIVE:
        operation.Case().call_and_validate(headers={"Authorization": "token wrong"})
        return

    @settings(
        max_examples=50 if takes_input else 3,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, excluded_checks=excluded, timeout=30)

    check()


@pytest.mark.parametrize("operation", ["CreateTrainingJob", "CreateEndpointConfig", "UpdateDomain"])
def test_no_shape_of_params_makes_the_server_fail(server: str, operation: str) -> None:
    words = sorted(
        {
            part
            for field in operations()[operation].fields
            for part in field.pointer.split("/")
            if part not in ("", "*")
        }
    )
    leaves = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.floats(allow_nan=False, allow_infinity=False)
    )
    values = st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(words) | st.text(max_size=3), inner, max_size=4)
        ),
        max_leaves=12,
    )

    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(st.dictionaries(st.sampled_from(words), values, max_size=6))
    def check(params: dict[str, Any]) -> None:
        body = json.dumps({"operation": operation, "params": params}).encode()
        request = urllib.request.Request(
            f"{server}secure-ml-ext/validate",
            data=body,
            headers={"Authorization": f"token {TOKEN}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                status, answer = reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            status, answer = error.code, json.load(error)
        assert status in (200, 400), (status, answer, params)

    check()
