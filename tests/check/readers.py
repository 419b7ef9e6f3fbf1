"""What the tests of the readers share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from secure_ml_ext.check import check_request
from secure_ml_ext.check.items import Item, Reading

DATA = Path(__file__).parents[1] / "data"
Found = list[tuple[str, str, str]]


def load(folder: str, name: str) -> Any:
    """Return a recorded document."""
    return json.loads((DATA / folder / name).read_text(encoding="utf-8"))


def found(item: Item, **options: Any) -> Found:
    """Return severity, rule and pointer of the findings, by default without a profile."""
    subject = check_request(item.operation, item.params, **options).subjects[0]
    return [(f.severity, f.rule, f.pointer) for f in subject.findings]


def states(item: Item, **options: Any) -> dict[str, str]:
    """Return the state of every control that the request has."""
    subject = check_request(item.operation, item.params, **options).subjects[0]
    return {control.control: control.state for control in subject.controls}


class Known:
    """A resolver of resources that were read before, named ``<operation>_<name>``."""

    def __init__(self, **requests: Mapping[str, Any]) -> None:
        self._requests = requests

    def request_of(self, operation: str, name: str) -> Mapping[str, Any] | None:
        """Return what is known of a resource."""
        return self._requests.get(f"{operation}_{name}")


def messages(reading: Reading) -> list[str]:
    """Return the texts of the notes."""
    return [note.message for note in reading.notes]


def camel(value: Any) -> Any:
    """Write members as CloudTrail does."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: camel(item) for name, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list) else value


def record(operation: str, parameters: Any, **changes: Any) -> dict[str, Any]:
    """Return a record as an assumed role makes one."""
    issuer = {"type": "Role", "arn": "arn:aws:iam::111122223333:role/ds-role"}
    return {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/ds-role/alice",
            "sessionContext": {"sessionIssuer": issuer},
        },
        "eventTime": "2026-08-01T10:00:00Z",
        "eventSource": "sagemaker.amazonaws.com",
        "eventName": operation,
        "awsRegion": "eu-west-1",
        "requestParameters": parameters,
        "responseElements": None,
        **changes,
    }


def state(kind: str, detail: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a state change as EventBridge sends it."""
    return {
        "detail-type": f"SageMaker {kind} State Change",
        "source": "aws.sagemaker",
        "time": "2026-08-01T10:00:00Z",
        "region": "eu-west-1",
        "detail": detail,
        **changes,
    }
