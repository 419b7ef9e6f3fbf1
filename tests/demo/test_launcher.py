"""The demo launcher: what it prepares, starts, and takes away again."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from secure_ml_ext.demo import workspace as workspace_module
from secure_ml_ext.demo.workspace import Workspace

COMMAND = [sys.executable, "-m", "secure_ml_ext.demo", "--no-browser"]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def running(children: list[psutil.Process]) -> Iterator[tuple[psutil.Process, list[str]]]:
    """Yield the command lines of those that still run; JupyterLab starts short-lived helpers."""
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            yield child, child.cmdline()


class Demo:
    """A running demo: its process, what it printed, where JupyterLab answers."""

    def __init__(self, process: subprocess.Popen[str], lines: list[str]) -> None:
        self.process = process
        self.lines = lines
        match = re.search(r"^Open (http://127\.0\.0\.1:\d+)(/\S*)\?token=(\w+)$", lines[-1])
        assert match is not None, lines
        self.url, self.path, self.token = match.groups()

    def get(self, path: str, token: bool = True) -> Any:
        headers = {"Authorization": f"token {self.token}"} if token else {}
        with OPENER.open(urllib.request.Request(self.url + path, headers=headers)) as reply:
            return json.load(reply)

    def post(self, path: str, content: Any) -> Any:
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(
            self.url + path, data=json.dumps(content).encode(), headers=headers, method="POST"
        )
        with OPENER.open(request) as reply:
            return json.load(reply)


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def stop_signal(request: pytest.FixtureRequest) -> signal.Signals:
    """How the demo is stopped."""
    number: signal.Signals = request.param
    return number


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo in a fresh folder, with a real JupyterLab."""
    environment = {**os.environ, "AWS_PROFILE": "production", "SECURE_ML_PROFILE": "/elsewhere"}
    with subprocess.Popen(
        [*COMMAND, "--work", str(tmp_path / "work")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith("Open "):
                break
        try:
            yield Demo(process, lines)
        finally:
            if process.poll() is None:
                process.terminate()


def test_it_starts_and_leaves_nothing_behind(demo: Demo, stop_signal: signal.Signals) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        demo.get("/api/contents", token=False)
    assert demo.path == "/lab/tree/lab4.ipynb"
    for name in ("lab4", "abalone"):
        assert demo.get(f"/api/contents/{name}.ipynb?content=0")["type"] == "notebook"
    kernel = demo.post("/api/kernels", {"name": "python3"})
    assert kernel["name"] == "python3"
    children = psutil.Process(demo.process.pid).children(recursive=True)
    commands = {child: " ".join(words) for child, words in running(children)}
    programs = " ".join(commands.values())
    assert "secure_ml_ext.demo.aws" in programs
    assert "jupyterlab" in programs
    assert "ipykernel" in programs
    assert demo.token not in programs
    environments = [child.environ() for child, words in commands.items() if "ipykernel" in words]
    for environment in environments:
        assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
        assert not {"AWS_PROFILE", "SECURE_ML_PROFILE"} & set(environment)
        metadata = json.loads(Path(environment["SECURE_ML_RESOURCE_METADATA"]).read_text())
        assert metadata["AppType"] == "JupyterLab"
        assert metadata["DomainId"] in metadata["ResourceArn"]
        assert metadata["ExecutionRoleArn"].endswith("role/sm-mlops-dev-execution-role")
    demo.process.send_signal(stop_signal)
    assert demo.process.wait(30) == 0
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_the_end_of_jupyterlab_is_the_end_of_the_demo(demo: Demo) -> None:
    children = psutil.Process(demo.process.pid).children()
    lab = next(child for child, words in running(children) if "jupyterlab" in words)
    lab.kill()
    assert demo.process.wait(30) == 1
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--work", str(tmp_path), "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert f"Port {port} is not free" in done.stderr


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sample notebooks in the place of the package's."""
    folder = tmp_path / "samples"
    folder.mkdir()
    (folder / "lab4.ipynb").write_text("first")
    monkeypatch.setattr(workspace_module, "NOTEBOOKS", folder)
    return folder


def test_unchanged_copies_are_renewed_and_changed_ones_kept(samples: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "work")
    copy = workspace.root / "lab4.ipynb"
    assert workspace.prepare() == []
    assert copy.read_text() == "first"
    (samples / "lab4.ipynb").write_text("second")
    assert workspace.prepare() == []
    assert copy.read_text() == "second"
    copy.write_text("mine")
    (samples / "lab4.ipynb").write_text("third")
    notes = workspace.prepare()
    assert copy.read_text() == "mine"
    assert len(notes) == 1
    assert "Kept your changed copy" in notes[0]
    copy.unlink()
    assert workspace.prepare() == []
    assert copy.read_text() == "third"


def test_the_folder_ignores_itself_and_its_secrets_are_private(
    samples: Path, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path / "work")
    workspace.prepare()
    workspace.write_server_config("secret")
    assert (workspace.root / ".gitignore").read_text() == "*\n"
    config = workspace.config / "jupyter_server_config.json"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert json.loads(config.read_text())["IdentityProvider"]["token"] == "secret"
    environment = workspace.environ({"JUPYTER_TOKEN": "x", "IPYTHONDIR": "/home/me"}, tmp_path)
    assert "JUPYTER_TOKEN" not in environment
    assert environment["IPYTHONDIR"].startswith(str(workspace.private))
