"""Short words for the tests of the lint: documents, findings, and corrections applied."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from secure_ml_ext.check.lint import LintFinding, Place, lint_documents
from secure_ml_ext.iam import PolicyBundle, evaluate

DATA = Path(__file__).parents[2] / "data" / "policies"
EXAMPLES = sorted(path.stem for path in DATA.glob("*.json"))
ACCOUNT = "arn:aws:sagemaker:eu-west-1:123456789012:"
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
Document = Mapping[str, Any]


def statement(
    effect: str, actions: str | list[str], condition: Any = None, **more: Any
) -> dict[str, Any]:
    """A statement about SageMaker actions, named without their service, on all resources."""
    named = [actions] if isinstance(actions, str) else actions
    full = [each if ":" in each or each == "*" else f"sagemaker:{each}" for each in named]
    made: dict[str, Any] = {"Effect": effect, "Action": full, "Resource": "*", **more}
    return {**made, "Condition": condition} if condition else made


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def example(name: str) -> str:
    return (DATA / f"{name}.json").read_text(encoding="utf-8")


def lint(*statements: dict[str, Any]) -> list[LintFinding]:
    return lint_documents([("policy.json", document(*statements))])


def codes(findings: Iterable[LintFinding]) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.statement.index) for finding in findings]


def only(findings: Iterable[LintFinding], code: str) -> LintFinding:
    found = [finding for finding in findings if finding.code == code]
    assert len(found) == 1, [finding.code for finding in findings]
    return found[0]


def corrected(policy: Document, finding: LintFinding) -> dict[str, Any]:
    """Return a document with the correction of one finding in it."""
    assert finding.corrected is not None
    assert finding.statement.index is not None
    new = finding.corrected if isinstance(finding.corrected, list) else [finding.corrected]
    own = Place(finding.document, finding.statement.index, finding.statement.sid)
    gone = {each.index for each in finding.replaces or [own]}
    statements = policy["Statement"]
    listed = [statements] if isinstance(statements, Mapping) else statements
    result: list[Any] = []
    for number, each in enumerate(listed):
        if number == min(gone):
            result += new
        if number not in gone:
            result.append(each)
    return json.loads(json.dumps({**policy, "Statement": result}))


def verdict(policy: Document, action: str, context: Mapping[str, Any], resource: str = "") -> str:
    """What IAM decides about a call, where everything else is allowed."""
    bundle = PolicyBundle.from_dict({"identity": [ALLOW], "scps": [[ALLOW, policy]]})
    return evaluate(
        bundle, f"sagemaker:{action}", resource or f"{ACCOUNT}training-job/a", context
    ).verdict


def allowed(policy: Document, action: str, context: Mapping[str, Any]) -> bool:
    """Whether a policy by itself allows a call."""
    bundle = PolicyBundle.from_dict({"identity": [policy]})
    made = evaluate(bundle, f"sagemaker:{action}", f"{ACCOUNT}training-job/a", context)
    return made.verdict == "allowed"
