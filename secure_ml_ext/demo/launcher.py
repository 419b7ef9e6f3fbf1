"""Starting the demo: the embedded AWS, JupyterLab beside it, and the end of both."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

from .aws import Embedded, EmbeddedAwsFailed, running
from .metadata import studio_metadata
from .workspace import Workspace

START_SECONDS = 90.0
STOP_SECONDS = 10.0


class DemoFailed(RuntimeError):
    """The demo could not start, or JupyterLab ended by itself."""


def run(folder: Path, port: int, browser: bool, lab_args: Sequence[str]) -> None:
    """Run the demo until SIGINT or SIGTERM. Raises DemoFailed."""
    stop = threading.Event()
    before = {number: signal.signal(number, _setter(stop)) for number in _SIGNALS}
    try:
        _run(folder, port, browser, lab_args, stop)
    except EmbeddedAwsFailed as error:
        raise DemoFailed(str(error)) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _setter(stop: threading.Event) -> Callable[[int, FrameType | None], None]:
    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    return on_signal


def _run(
    folder: Path, port: int, browser: bool, lab_args: Sequence[str], stop: threading.Event
) -> None:
    workspace = Workspace(folder)
    for note in workspace.prepare():
        print(note, flush=True)
    chosen = _port(port)
    print("Starting the embedded AWS and JupyterLab …", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="secure-ml-run-") as runtime,
        running(seed="demo", new_session=True) as aws,
    ):
        if stop.is_set():
            return
        token = secrets.token_hex(24)
        workspace.write_server_config(token)
        workspace.write_metadata(studio_metadata(aws))
        environment = workspace.environ(aws.environ(), Path(runtime))
        with _lab(workspace, chosen, environment, lab_args) as lab:
            url = f"http://127.0.0.1:{chosen}"
            if not _wait_for(lab, url, workspace, stop):
                return
            _announce(workspace, aws, f"{url}{_path(workspace)}?token={token}", browser)
            while not stop.wait(0.3):
                _check_alive(lab, workspace)
        print("\nStopped.", flush=True)


def _announce(workspace: Workspace, aws: Embedded, url: str, browser: bool) -> None:
    print(f"Embedded AWS: {aws.url}   Notebooks: {workspace.root}   Log: {workspace.log}")
    print("Ctrl-C stops everything.")
    print(f"Open {url}", flush=True)
    if browser:
        webbrowser.open(url)


def _path(workspace: Workspace) -> str:
    notebook = workspace.first_notebook()
    return f"/lab/tree/{notebook}" if notebook else "/lab"


def _port(wanted: int) -> int:
    """A port that is free now; raises DemoFailed when the wanted one is not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise DemoFailed(f"Port {wanted} is not free; leave --port out to take one.") from error
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _lab(
    workspace: Workspace, port: int, environment: dict[str, str], lab_args: Sequence[str]
) -> Iterator[subprocess.Popen[bytes]]:
    """JupyterLab as a process group of its own; ended with everything it started."""
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={workspace.root}",
        f"--LabApp.default_url={_path(workspace)}",
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    with open(workspace.log, "wb") as log:
        lab = subprocess.Popen(
            [*command, *lab_args],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=workspace.root,
            start_new_session=True,
        )
        try:
            yield lab
        finally:
            _end(lab)


def _end(lab: subprocess.Popen[bytes]) -> None:
    """SIGTERM lets Jupyter shut its kernels down; what is left after ten seconds is killed."""
    if lab.poll() is None:
        lab.terminate()
        try:
            lab.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            lab.kill()
            lab.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(lab.pid, signal.SIGKILL)


def _wait_for(
    lab: subprocess.Popen[bytes], url: str, workspace: Workspace, stop: threading.Event
) -> bool:
    """True when JupyterLab answers; False when it is to stop. Raises DemoFailed."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if stop.is_set():
            return False
        if lab.poll() is not None:
            raise DemoFailed(
                f"JupyterLab did not start (exit {lab.returncode}); see {workspace.log}"
            )
        try:
            with opener.open(f"{url}/api", timeout=2):
                return True
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            stop.wait(0.2)
    raise DemoFailed(
        f"JupyterLab did not answer within {START_SECONDS:.0f} seconds; see {workspace.log}"
    )


def _check_alive(lab: subprocess.Popen[bytes], workspace: Workspace) -> None:
    if lab.poll() is not None:
        raise DemoFailed(f"JupyterLab ended (exit {lab.returncode}); see {workspace.log}")
