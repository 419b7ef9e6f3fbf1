"""A real JupyterLab, of any environment, on a free port of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .environments import private_home


@contextmanager
def running_lab(bin_folder: Path, home: Path, **variables: str) -> Iterator[str]:
    """Start `jupyter lab` of the environment `bin_folder` belongs to; yield its URL, then stop it.

    `home` takes its configuration, its logs and its notebooks; `variables` are added to its
    environment. The application is exposed in the page as `window.jupyterapp`.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home / "jupyterlab.log"
    environment = {**os.environ, **private_home(home), **variables}
    command = [
        str(bin_folder / "python"), "-m", "jupyterlab", "--no-browser", "--allow-root",
        "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
        "--IdentityProvider.token=", f"--ServerApp.root_dir={home}",
        "--expose-app-in-browser", "--LabApp.news_url=''",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=home, env=environment, stdout=output, stderr=output)
        try:
            _wait_until_up(f"{url}/api/status", server, log)
            yield url
        finally:
            _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
        raise


def _wait_until_up(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while True:
        assert server.poll() is None, f"JupyterLab ended:\n{log.read_text()}"
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, f"JupyterLab does not answer:\n{log.read_text()}"
            time.sleep(0.2)
        else:
            return
