"""Small bundles, and the words for what becomes of them, that the tests of the policies share."""

from __future__ import annotations

import json
import time
from typing import Any

from secure_ml_ext.aws import policies
from secure_ml_ext.aws.policies import Loaded, cached_bundle
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.iam import evaluate
from secure_ml_ext.rules import Config

ACCOUNT = "123456789012"
BUCKET = "sm-mlops-dev-eu-west-1-data"
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY = {"Sid": "Never", "Effect": "Deny", "Action": "sagemaker:*", "Resource": "*"}


def flat(*statements: Any) -> str:
    """A bundle of one document in the flat form."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return json.dumps({"identity": [{"name": "own", "document": document}]})


def verdict(loaded: Loaded) -> str | None:
    if loaded.bundle is None:
        return None
    return evaluate(loaded.bundle, "sagemaker:CreateModel", "*", {}).verdict


def named(place: str) -> Config:
    return Config(policies=place)


def settled(config: Config) -> Loaded:
    """What is known once the background has done its work."""
    until = time.monotonic() + 20
    while (loaded := cached_bundle(config, None)).pending and time.monotonic() < until:
        time.sleep(0.02)
    return loaded


def age() -> None:
    """Make everything this process knows due for renewal."""
    for entry in policies._bundles._entries.values():
        entry.due = 0.0


def wait_for_renewal(config: Config, aws: Embedded, operation: str, calls: int) -> Loaded:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        cached_bundle(config, None)
        idle = not any(entry.busy for entry in policies._bundles._entries.values())
        if idle and len(aws.requests(operation=operation)) >= calls:
            break
        time.sleep(0.02)
    return cached_bundle(config, None)
