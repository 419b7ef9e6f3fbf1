"""Follows references: what a model, endpoint configuration or job definition was made with."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any, TypeVar

from ..check.describe import request_of_describe
from ..check.pipeline_request import Definition
from . import clients, objects

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
_KEY_SECONDS = 900.0
_T = TypeVar("_T")


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
        self._note(key, answer)
        return answer

    def key_arn(self, key: str) -> str | None:
        """Return the ARN of the key that an alias or an id stands for, or None when unknown.

        An alias can be moved to another key: the answer is kept for a quarter of an hour.
        """
        place = ("DescribeKey", key)
        with self._lock:
            found = self._known.get(place)
            if found is not None and time.monotonic() < found["until"]:
                return str(found["arn"])
            if time.monotonic() - self._failed.get(place, -_RETRY_SECONDS) < _RETRY_SECONDS:
                return None
        arn = self._in_time(self._describe_key, key)
        until = time.monotonic() + _KEY_SECONDS
        self._note(place, None if arn is None else {"arn": arn, "until": until})
        return arn

    def pipeline_definition(self, params: Mapping[str, Any]) -> Definition | None:
        """Return the definition in S3 that a request names, or that of the pipeline it names.

        Definitions change, so none is kept.
        """
        location = params.get("PipelineDefinitionS3Location")
        if isinstance(location, Mapping):
            names = {"Bucket": location.get("Bucket"), "Key": location.get("ObjectKey")}
            if location.get("VersionId"):
                names["VersionId"] = location["VersionId"]
            if not all(isinstance(value, str) for value in names.values()):
                return None
            return self._in_time(self._stored, names)
        name = params.get("PipelineName")
        return self._in_time(self._pipeline, name) if isinstance(name, str) else None

    def _stored(self, names: dict[str, str]) -> Definition | None:
        data = objects.stored(names, self.region)
        return None if data is None else Definition(data.decode("utf-8", "replace"))

    def _pipeline(self, name: str) -> Definition:
        reply = clients.client("sagemaker", self.region).describe_pipeline(PipelineName=name)
        return Definition(str(reply["PipelineDefinition"]), reply.get("RoleArn"))

    def _note(self, key: tuple[str, str], answer: Mapping[str, Any] | None) -> None:
        with self._lock:
            if answer is None:
                self._failed[key] = time.monotonic()
                while len(self._failed) > _KEPT:
                    self._failed.pop(next(iter(self._failed)))
            else:
                self._keep(key, answer)

    def _keep(self, key: tuple[str, str], params: Mapping[str, Any]) -> None:
        self._failed.pop(key, None)
        self._known[key] = params
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def _ask(self, operation: str, name: str) -> Mapping[str, Any] | None:
        method = _METHODS.get(operation)
        return None if method is None else self._in_time(self._describe, operation, *method, name)

    def _in_time(self, ask: Callable[..., _T], *arguments: Any) -> _T | None:
        """Ask in another thread, and take no answer for one where the budget is used up."""
        left = getattr(self._spent, "until", time.monotonic() + self.budget) - time.monotonic()
        if left <= 0:
            return None
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return clients.pool().submit(ask, *arguments).result(timeout=left)
        except (TookTooLong, BotoCoreError, ClientError):
            # Not readable, not there, or not in time: the check says that it depends.
            return None

    def _describe_key(self, key: str) -> str:
        reply = clients.client("kms", self.region).describe_key(KeyId=key)
        return str(reply["KeyMetadata"]["Arn"])

    def _describe(self, operation: str, call: str, parameter: str, name: str) -> Mapping[str, Any]:
        reply = getattr(clients.client("sagemaker", self.region), call)(**{parameter: name})
        return request_of_describe(operation, reply)
