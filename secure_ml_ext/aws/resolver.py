"""Follows references: what a model, endpoint configuration or job definition was made with."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any

from ..check.describe import request_of_describe
from . import clients

_METHODS = {
    "CreateModel": ("describe_model", "ModelName"),
    "CreateEndpointConfig": ("describe_endpoint_config", "EndpointConfigName"),
    "CreateDataQualityJobDefinition": (
        "describe_data_quality_job_definition",
        "JobDefinitionName",
    ),
    "CreateModelBiasJobDefinition": ("describe_model_bias_job_definition", "JobDefinitionName"),
    "CreateModelExplainabilityJobDefinition": (
        "describe_model_explainability_job_definition",
        "JobDefinitionName",
    ),
    "CreateModelQualityJobDefinition": (
        "describe_model_quality_job_definition",
        "JobDefinitionName",
    ),
}
_KEPT = 512
_RETRY_SECONDS = 30.0


class Lookups:
    """Answers from memory first, then with one Describe; implements ``check.Resolver``.

    What is looked up here never changes once it is made, so a good answer is kept. ``budget`` is
    how many seconds all look-ups of one check may take together; what is not known by
    then stays open, and so does what could not be read (asked again after 30 seconds).
    Thread-safe.
    """

    def __init__(self, region: str | None = None, *, budget: float = 1.0) -> None:
        self.region = region
        self.budget = budget
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], Mapping[str, Any]] = OrderedDict()
        self._failed: dict[tuple[str, str], float] = {}
        self._spent = threading.local()

    def remember(self, operation: str, name: str | None, params: Mapping[str, Any]) -> None:
        """Keep the (masked) parameters of a resource that was just created, if it can be named."""
        if name and operation in _METHODS:
            with self._lock:
                self._keep((operation, name), params)

    def begin(self) -> None:
        """Start the time budget of one check in this thread."""
        self._spent.until = time.monotonic() + self.budget

    def request_of(self, operation: str, name: str) -> Mapping[str, Any] | None:
        """Return the parameters the named resource was made with, or None when unknown."""
        key = (operation, name)
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
                return found
            if time.monotonic() - self._failed.get(key, -_RETRY_SECONDS) < _RETRY_SECONDS:
                return None
        answer = self._ask(operation, name)
        with self._lock:
            if answer is None:
                self._failed[key] = time.monotonic()
                while len(self._failed) > _KEPT:
                    self._failed.pop(next(iter(self._failed)))
            else:
                self._keep(key, answer)
        return answer

    def _keep(self, key: tuple[str, str], params: Mapping[str, Any]) -> None:
        self._failed.pop(key, None)
        self._known[key] = params
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def _ask(self, operation: str, name: str) -> Mapping[str, Any] | None:
        method = _METHODS.get(operation)
        left = getattr(self._spent, "until", time.monotonic() + self.budget) - time.monotonic()
        if method is None or left <= 0:
            return None
        from botocore.exceptions import BotoCoreError, ClientError

        call, parameter = method
        try:
            future = clients.pool().submit(self._describe, operation, call, parameter, name)
            return future.result(timeout=left)
        except (TookTooLong, BotoCoreError, ClientError):
            # Not readable, not there, or not in time: the check says that it depends.
            return None

    def _describe(self, operation: str, call: str, parameter: str, name: str) -> Mapping[str, Any]:
        reply = getattr(clients.client("sagemaker", self.region), call)(**{parameter: name})
        return request_of_describe(operation, reply)
