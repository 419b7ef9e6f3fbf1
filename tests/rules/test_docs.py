"""Generated pages and schemas must be true, and the schemas fit the files they describe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from secure_ml_ext.check import check_request
from tests.worlds import profile, training

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_rules_is_current() -> None:
    done = subprocess.run([sys.executable, "scripts/build_rules_doc.py", "--check"], cwd=ROOT)
    assert done.returncode == 0, "run: python scripts/build_rules_doc.py"


def test_the_schemas_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/build_schemas.py", "--check"], cwd=ROOT, capture_output=True
    )
    assert done.returncode == 0, done.stdout.decode()


def schema(name: str) -> jsonschema.Draft202012Validator:
    content = json.loads((ROOT / f"docs/schemas/{name}.schema.json").read_text())
    return jsonschema.Draft202012Validator(content)


def test_the_built_in_rules_fit_their_schema_and_a_typing_error_does_not() -> None:
    rules = yaml.safe_load((ROOT / "secure_ml_ext/rules/baseline.yaml").read_text())
    schema("rules").validate(rules)
    rules["rules"][0]["severty"] = "error"
    with pytest.raises(jsonschema.ValidationError, match="severty"):
        schema("rules").validate(rules)


def test_a_report_fits_its_schema() -> None:
    report = check_request("CreateTrainingJob", training(), profile=profile())
    schema("report").validate(report.to_dict())
