"""Source that submits jobs, and what is read of it in short, for the tests of notebooks."""

from __future__ import annotations

from typing import Any

from secure_ml_ext.check.documents import Checker
from secure_ml_ext.check.items import Item, Reading
from secure_ml_ext.check.notebook import read_python

CHECKER = Checker.of()
CLIENT = 'import boto3\nsm = boto3.client("sagemaker")\n'
REQUEST = (
    'p = {"TrainingJobName": "x", "OutputDataConfig": {"S3OutputPath": "s3://x"},\n'
    '     "ResourceConfig": {"InstanceType": "ml.m5.xlarge"}}\n'
)
NETWORK = '{"Subnets": ["subnet-0a"], "SecurityGroupIds": ["sg-0a"]}'
ESTIMATOR = "from sagemaker.estimator import Estimator\n"


def notebook(*cells: str, **metadata: Any) -> dict[str, Any]:
    made = [{"cell_type": "code", "metadata": {}, "source": cell} for cell in cells]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}


def places(reading: Reading) -> list[tuple[str | None, str]]:
    return [(item.where, item.operation) for item in reading.items]


def only(source: str) -> Item:
    items = read_python(source).items
    assert len(items) == 1, items
    return items[0]


def states(item: Item) -> dict[str, str]:
    return {control.control: control.state for control in CHECKER.subject(item).controls}


def messages(reading: Reading) -> list[tuple[str | None, str]]:
    return [(note.where, note.message) for note in reading.notes]
