"""A real ipykernel for tests: cells as the front end sends them, and the panel's comm."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from secure_ml_ext.guard.records import CARD_MIME


class Kernel:
    """A kernel and what its cells put out."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.manager = KernelManager(
            kernel_name="python3", connection_file=str(folder / "kernel-k1.json")
        )
        self.name = f"abalone-{os.urandom(4).hex()}"
        self.manager.start_kernel(env={**environment, "TEST_NAME": self.name})
        self.client: BlockingKernelClient = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.spool = folder / "secure-ml-k1.jsonl"
        self.comm_messages: list[dict[str, Any]] = []

    def run(self, code: str, cell: str = "cell-1") -> list[dict[str, Any]]:
        """Run a cell as the front end does and return its outputs."""
        message = self.client.session.msg(
            "execute_request",
            {"code": code, "silent": False, "store_history": True, "user_expressions": {},
             "allow_stdin": False, "stop_on_error": True},
            metadata={"cellId": cell},
        )  # fmt: skip
        self.client.shell_channel.send(message)
        return self.collect(message["header"]["msg_id"])

    def collect(self, parent: str) -> list[dict[str, Any]]:
        outputs = []
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            kind, content = message["msg_type"], message["content"]
            if kind == "comm_msg":
                self.comm_messages.append(content["data"])
            if message["parent_header"].get("msg_id") != parent:
                continue
            if kind == "status" and content["execution_state"] == "idle":
                return outputs
            if kind in ("stream", "display_data", "execute_result", "error"):
                outputs.append({"kind": kind, **content})

    def says(self, code: str) -> str:
        """Run a cell and return what it printed; it must not fail."""
        outputs = self.run(code)
        assert not [o for o in outputs if o["kind"] == "error"], outputs
        return "".join(o["text"] for o in outputs if o["kind"] == "stream")

    def cards(self, code: str, cell: str = "cell-1") -> list[dict[str, Any]]:
        """Run a cell and return its cards."""
        outputs = self.run(code, cell)
        shown = [o["data"] for o in outputs if o["kind"] == "display_data"]
        return [data for data in shown if CARD_MIME in data]

    def open_comm(self) -> None:
        self.comm("comm_open", {"target_name": "secure-ml-ext", "data": {}})

    def comm(self, kind: str, content: dict[str, Any]) -> list[dict[str, Any]]:
        """Send a comm message and return what the kernel pushed meanwhile."""
        self.comm_messages.clear()
        message = self.client.session.msg(kind, {"comm_id": "panel-1", **content})
        self.client.shell_channel.send(message)
        self.collect(message["header"]["msg_id"])
        return list(self.comm_messages)

    def ask(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        return self.comm("comm_msg", {"data": data})

    def restart(self) -> None:
        self.manager.restart_kernel()
        self.client.wait_for_ready(timeout=60)

    def stop(self) -> None:
        """Shut the kernel down as the server does; harmless when called again."""
        if self.manager.has_kernel:
            self.client.stop_channels()
            self.manager.shutdown_kernel()
