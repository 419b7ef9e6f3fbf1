"""Our operations as methods of moto's `SageMakerResponse`.

moto keeps what it does well enough (experiments); everything in `kinds`, executions of pipelines
and Search go to our own store.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from moto.core.utils import camelcase_to_underscores
from moto.sagemaker.responses import SageMakerResponse

from . import executions, pipelines, registry
from .facts import Facts
from .kinds import kinds
from .listing import list_kind, page, search
from .operations import Operation, operations
from .shapes import input_shape, refusals
from .store import AwsError, Store, now, store

Reply = tuple[int, dict[str, str], str]
HEADERS = {"Content-Type": "application/x-amz-json-1.1"}


def install() -> None:
    """Put our operations in the place of moto's; once per process."""
    ours: dict[str, Operation] = dict(operations())
    for kind in kinds().values():
        if kind.listing is not None:
            ours[kind.listing] = functools.partial(list_kind, kind)
    for name, operation in {**ours, **pipelines.operations(), **registry.operations()}.items():
        _put(name, operation)
    _put("Search", search, otherwise=SageMakerResponse.search)
    for name, tagging in (
        ("ListTags", _list_tags),
        ("AddTags", _add_tags),
        ("DeleteTags", _delete_tags),
    ):
        moto = getattr(SageMakerResponse, camelcase_to_underscores(name))
        _put(name, tagging, otherwise=moto)


def _put(
    name: str,
    operation: Operation | Callable[[Store, Facts], Facts | None],
    otherwise: Callable[[SageMakerResponse], Any] | None = None,
) -> None:
    shape = input_shape(name)

    def method(self: SageMakerResponse) -> Any:
        try:
            params = json.loads(self.body or "{}")
            faults = list(refusals(shape, params))
            if faults:
                many = "error" if len(faults) == 1 else "errors"
                raise AwsError(
                    "ValidationException",
                    f"{len(faults)} validation {many} detected: {'; '.join(faults)}",
                )
            world = store(self.current_account, self.region, self.partition)
            executions.proceed(world, now())
            reply = operation(world, params)
        except AwsError as error:
            return _error(error)
        if reply is None and otherwise is not None:
            return otherwise(self)
        return 200, dict(HEADERS), json.dumps(reply)

    method.__name__ = camelcase_to_underscores(name)
    setattr(SageMakerResponse, method.__name__, method)


def _error(error: AwsError) -> Reply:
    headers = {**HEADERS, "x-amzn-errortype": error.code, "status": str(error.status)}
    return error.status, headers, json.dumps({"__type": error.code, "message": error.message})


def _list_tags(world: Store, params: Facts) -> Facts | None:
    record = world.by_arn(params["ResourceArn"])
    if record is None:
        return None
    rows = [(tag["Key"], tag["Key"], tag) for tag in record.tags]
    told, token = page(rows, params, default=50, descending=False)
    return {"Tags": told, **({"NextToken": token} if token else {})}


def _add_tags(world: Store, params: Facts) -> Facts | None:
    record = world.by_arn(params["ResourceArn"])
    if record is None:
        return None
    with world.lock:
        new = {tag["Key"] for tag in params["Tags"]}
        record.tags = [tag for tag in record.tags if tag["Key"] not in new] + params["Tags"]
    return {"Tags": record.tags}


def _delete_tags(world: Store, params: Facts) -> Facts | None:
    record = world.by_arn(params["ResourceArn"])
    if record is None:
        return None
    with world.lock:
        record.tags = [tag for tag in record.tags if tag["Key"] not in params["TagKeys"]]
    return {}
