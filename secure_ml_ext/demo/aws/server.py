"""The HTTP server: threaded, on 127.0.0.1 only."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import botocore.loaders
import botocore.session
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from . import iam, organizations, sagemaker
from .app import EmbeddedAws
from .proxy import Authority, is_aws

HOST = "127.0.0.1"
# For the server's own process: whatever moto does, it has no way to a real account.
PRIVATE_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": HOST,
    "no_proxy": HOST,
}


def serve(
    port: int, seed: str, *, with_stdin: bool = False, ca_file: Path | None = None
) -> NoReturn:
    """Serve until SIGINT or SIGTERM; prints `READY http://127.0.0.1:<port>` when seeded.

    `port` 0 takes a free one. With `with_stdin` the end of standard input stops the server too,
    so that it does not outlive the process that started it. `ca_file` receives the certificate
    of the HTTPS proxy's authority.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(PRIVATE_ENVIRONMENT)
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    authority = Authority()
    if ca_file is not None:
        authority.write(ca_file)
    server, app = _make(port, authority)
    url = f"http://{HOST}:{server.server_port}"
    os.environ["MOTO_PORT"] = str(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if with_stdin:
        threading.Thread(target=_watch_stdin, args=(stop,), daemon=True).start()
    if seed == "demo":
        from ..seed import plant

        plant(url)
    app.reset_log()
    print(f"READY {url}", flush=True)
    stop.wait()
    server.server_close()
    sys.stdout.flush()
    sys.stderr.flush()
    # Nothing is to be kept, and taking moto apart would cost seconds.
    os._exit(0)


def _share_loader() -> None:
    """One botocore loader for the process: moto makes dozens of sessions, each reads anew."""
    botocore.session.create_loader = functools.cache(botocore.loaders.create_loader)


def _make(port: int, authority: Authority) -> tuple[BaseWSGIServer, EmbeddedAws]:
    class Handler(MotoRequestHandler):
        """Requests without a line each; CONNECT for the HTTPS proxy."""

        def do_CONNECT(self) -> None:  # noqa: N802 - the name http.server asks for
            """Speak TLS in the name of an AWS host; refuse the others."""
            host = self.path.rpartition(":")[0]
            if not is_aws(host):
                self.send_error(403, f"The demo reaches no network: {host}")
                return
            self.send_response_only(200, "Connection established")
            self.end_headers()
            self.wfile.flush()
            self.connection = authority.context(host).wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)
            self.close_connection = False

        def finish(self) -> None:
            """Close a TLS connection too: the server knows only the socket below it."""
            super().finish()
            with contextlib.suppress(OSError):
                self.connection.close()

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            """Say nothing: the request log has it."""

    for service in (sagemaker, iam, organizations):
        service.install()
    _share_loader()
    app = EmbeddedAws()
    server = make_server(HOST, port, app, threaded=True, request_handler=Handler)
    return server, app


def _watch_stdin(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()
