"""The WSGI application around moto: log, faults, honest refusals, checked replies.

moto answers what it has not implemented with an HTML page and status 500, which botocore
retries; here it is a 400 that names the operation. A reply of SageMaker or Organizations that does
not fit botocore's output shape is a 400 too, so that no test can pass on a reply AWS never gives.
"""

from __future__ import annotations

import io
import json
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from botocore.model import OperationNotFoundError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sts.models import sts_backends

from .client import ACCOUNT
from .faults import Faults
from .iam import DECISION_VARIABLE
from .shapes import misfits, output_shape
from .store import all_stores
from .wire import Call, error_reply, read_call

NOT_IMPLEMENTED = "NotImplementedByEmbeddedAws"
INVALID_REPLY = "InvalidReplyOfEmbeddedAws"
DEFECT = "DefectOfEmbeddedAws"
CONTROL = "/_secure_ml/"
LOG_LENGTH = 20_000
# Services whose replies are JSON and checked here.
CHECKED = frozenset(("sagemaker", "organizations"))

StartResponse = Callable[..., Any]
Answer = tuple[int, list[tuple[str, str]], bytes]


class EmbeddedAws:
    """The application; one per process, because moto's state is global."""

    def __init__(self) -> None:
        self.faults = Faults()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        body = _take_body(environ)
        path = environ.get("PATH_INFO", "")
        if path.startswith(CONTROL):
            status, headers, content = self._control(environ["REQUEST_METHOD"], path, body)
        else:
            status, headers, content = self._answer(environ, body)
        start_response(f"{status} {'OK' if status < 300 else 'Embedded AWS'}", headers)
        return [content]

    def reset_log(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self._log.clear()

    def _answer(self, environ: dict[str, Any], body: bytes) -> Answer:
        began = time.time()
        call = read_call(environ, body)
        struck = self.faults.strike(call, principal(call.access_key))
        if struck is not None and struck.error is not None:
            answer = error_reply(call, *struck.error)
        else:
            if struck is not None and struck.decision is not None:
                environ[DECISION_VARIABLE] = struck.decision
            answer = self._checked(call, self._ask_moto(environ, body, call))
        self._remember(call, environ, began, answer)
        return answer

    def _ask_moto(self, environ: dict[str, Any], body: bytes, call: Call) -> Answer:
        told: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            told.update(status=int(status.split()[0]), headers=headers)

        environ["wsgi.input"] = io.BytesIO(body)
        try:
            chunks = self._moto(environ, start)
            content = b"".join(chunks)
        except NotImplementedError:
            return self._unimplemented(call)
        except Exception as error:
            if not self._known_to_moto(call.service):
                return self._unimplemented(call)
            traceback.print_exc(file=sys.stderr)
            text = f"{call.service}:{call.operation}: {type(error).__name__}: {error}"
            return error_reply(call, DEFECT, text)
        status, headers = told["status"], list(told["headers"])
        page = content[:15].lower().startswith((b"<!doctype html", b"<html"))
        if (status in (404, 405) and (page or not content) and call.service != "s3") or (
            page and status >= 500
        ):
            return self._unimplemented(call)
        return status, headers, content

    def _known_to_moto(self, service: str) -> bool:
        from moto.backends import list_of_moto_modules

        return service.replace("-", "") in {
            name.replace("_", "") for name in list_of_moto_modules()
        }

    def _unimplemented(self, call: Call) -> Answer:
        name = f"{call.service or 'unknown service'}:{call.operation or 'unknown operation'}"
        text = f"The embedded AWS of the demo does not implement {name}."
        return error_reply(call, NOT_IMPLEMENTED, text)

    def _checked(self, call: Call, answer: Answer) -> Answer:
        """A reply of the services in ``CHECKED`` only if it fits its output shape."""
        status, _, content = answer
        if call.service not in CHECKED or status >= 300:
            return answer
        try:
            shape = output_shape(call.operation, call.service)
            reply = json.loads(content or b"{}")
        except (OperationNotFoundError, ValueError) as error:
            return error_reply(call, INVALID_REPLY, f"{call.operation}: {error}")
        faults = list(misfits(shape, reply))[:5]
        if not faults:
            return answer
        text = f"{call.operation}: the reply does not fit its shape: {'; '.join(faults)}"
        print(text, file=sys.stderr, flush=True)
        return error_reply(call, INVALID_REPLY, text)

    def _remember(self, call: Call, environ: dict[str, Any], began: float, answer: Answer) -> None:
        code = next((value for key, value in answer[1] if key.lower() == "x-amzn-errortype"), None)
        entry = {
            "service": call.service,
            "operation": call.operation,
            "access_key": call.access_key,
            "region": call.region,
            "time": began,
            "status": answer[0],
            "error": code,
            "user_agent": environ.get("HTTP_USER_AGENT", ""),
        }
        with self._lock:
            self._log.append(entry)

    def _control(self, method: str, path: str, body: bytes) -> Answer:
        """The endpoints for tests: requests, reset-log, faults, advance."""
        name = path.removeprefix(CONTROL)
        try:
            if (method, name) == ("GET", "requests"):
                with self._lock:
                    entries = list(self._log)
                for entry in entries:
                    entry["principal"] = principal(entry["access_key"])
                return _json(200, entries)
            if (method, name) == ("POST", "reset-log"):
                self.reset_log()
            elif (method, name) == ("POST", "faults"):
                self.faults.add(json.loads(body))
            elif (method, name) == ("DELETE", "faults"):
                self.faults.clear()
            elif (method, name) == ("POST", "advance"):
                for world in all_stores():
                    world.advance(float(json.loads(body)["seconds"]))
            else:
                return _json(404, {"message": f"No control endpoint {method} {path}"})
        except (ValueError, TypeError, KeyError) as error:
            return _json(400, {"message": f"{type(error).__name__}: {error}"})
        return _json(200, {})


def principal(access_key: str) -> str:
    """The ARN of the principal that an access key stands for."""
    backend = sts_backends[ACCOUNT]["aws"]
    return str(backend.get_caller_identity(access_key, "eu-west-1")[1])


def _json(status: int, value: Any) -> Answer:
    content = json.dumps(value).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    return status, headers, content


def _take_body(environ: dict[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        content: bytes = stream.read()
        environ["CONTENT_LENGTH"] = str(len(content))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        return content
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return bytes(stream.read(length)) if length else b""
