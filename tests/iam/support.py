"""Short words for what the tests of the evaluator say over and over."""

from __future__ import annotations

from typing import Any

from secure_ml_ext.iam import Decision, PolicyBundle, evaluate

ACTION = "sagemaker:CreateTrainingJob"
RESOURCE = "arn:aws:sagemaker:eu-west-1:123456789012:training-job/a"


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    """A statement about everything unless its elements say otherwise."""
    made = {"Effect": effect, **elements}
    if "NotAction" not in made:
        made.setdefault("Action", "*")
    if "NotResource" not in made:
        made.setdefault("Resource", "*")
    return made


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


ALLOW = document(statement())
NOTHING = document()


def decide(
    bundle: dict[str, Any],
    context: dict[str, Any] | None = None,
    *,
    action: str = ACTION,
    resource: str = RESOURCE,
) -> Decision:
    return evaluate(PolicyBundle.from_dict(bundle), action, resource, context or {})


def denies(condition: dict[str, Any], context: dict[str, Any], **elements: Any) -> bool:
    """Whether a Deny with this condition applies to a request with this context."""
    deny = document(statement("Deny", Condition=condition, **elements))
    return decide({"identity": [ALLOW, deny]}, context).verdict == "explicitly-denied"
