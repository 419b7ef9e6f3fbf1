"""What moto's IAM lacks: the simulator of custom policies, and pages of inline policies.

The simulator is this product's own evaluator behind IAM's wire format. It proves that a request
is well-formed and that a reply is read correctly; it proves nothing about what AWS would decide.
A fault with a ``decision`` makes it disagree (``faults.py``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import InvalidInput, ValidationError
from moto.iam.responses import IamResponse

from ...iam import ContextError, Decision, PolicyBundle, PolicyError, evaluate
from ...iam.reading import line_of, locate
from .shapes import misfits, output_shape, refusals, service_model

Facts = dict[str, Any]
DECISION_HEADER = "X-Secure-Ml-Decision"
DECISION_VARIABLE = "HTTP_X_SECURE_ML_DECISION"
IDENTITY = "PolicyInputList"
BOUNDARY = "PermissionsBoundaryPolicyInputList"
DECISIONS = {
    "allowed": "allowed",
    "explicitly-denied": "explicitDeny",
    "implicitly-denied": "implicitDeny",
}
PAGE = 100


def install() -> None:
    """Put our operations beside moto's; once per process."""
    for operation in (simulate_custom_policy, list_role_policies):
        setattr(IamResponse, operation.__name__, operation)


def list_role_policies(self: IamResponse) -> ActionResult:
    """The names of a role's inline policies, a page at a time (moto gives all at once)."""
    names = sorted(self.backend.list_role_policies(self._get_param("RoleName")))
    start = int(self._get_param("Marker") or 0)
    end = start + int(self._get_param("MaxItems") or PAGE)
    reply: Facts = {"PolicyNames": names[start:end], "IsTruncated": end < len(names)}
    if end < len(names):
        reply["Marker"] = str(end)
    return ActionResult(reply)


def simulate_custom_policy(self: IamResponse) -> ActionResult:
    """Every action with every resource, decided by our evaluator."""
    params = {name: value for name, value in self.params.items() if name != "Action"}
    shape = service_model("iam").operation_model("SimulateCustomPolicy").input_shape
    if faults := list(refusals(shape, params)):
        raise ValidationError(f"{len(faults)} validation errors detected: {'; '.join(faults)}")
    if ":assumed-role/" in params.get("CallerArn", ""):
        raise InvalidInput(f"Invalid Entity Arn: {params['CallerArn']}")
    try:
        results = [_result(action, params) for action in params["ActionNames"]]
    except (PolicyError, ContextError) as error:
        raise InvalidInput(str(error)) from error
    if forced := self.headers.get(DECISION_HEADER):
        for result in results:
            _force(result, forced)
    reply = {"EvaluationResults": results, "IsTruncated": False}
    if wrong := list(misfits(output_shape("SimulateCustomPolicy", "iam"), reply)):
        raise RuntimeError(f"the reply does not fit its shape: {'; '.join(wrong)}")
    return ActionResult(reply)


def _force(result: Facts, decision: str) -> None:
    """Make a result say something else than the policies do."""
    result.update(EvalDecision=decision, MatchedStatements=[])
    result.pop("OrganizationsDecisionDetail", None)
    for specific in result.get("ResourceSpecificResults", []):
        specific.update(EvalResourceDecision=decision, MatchedStatements=[])


def _result(action: str, params: Facts) -> Facts:
    bundle = _bundle(params)
    resources = params.get("ResourceArns") or ["*"]
    decisions = [evaluate(bundle, action, resource, _context(params)) for resource in resources]
    worst = max(decisions, key=lambda each: list(DECISIONS).index(_name(each)))
    result: Facts = {
        "EvalActionName": action,
        "EvalResourceName": resources[0],
        "EvalDecision": DECISIONS[_name(worst)],
        "MatchedStatements": list(_matched(worst, params)),
        "MissingContextValues": [],
        **_details(worst, params),
    }
    if params.get("ResourceArns"):
        result["ResourceSpecificResults"] = [
            {
                "EvalResourceName": resource,
                "EvalResourceDecision": DECISIONS[_name(decision)],
                "MatchedStatements": list(_matched(decision, params)),
                "MissingContextValues": [],
            }
            for resource, decision in zip(resources, decisions, strict=True)
        ]
    return result


def _name(decision: Decision) -> str:
    """The verdict; nothing is left open here, because every key is known or absent."""
    return str(decision.verdict)


def _bundle(params: Facts) -> PolicyBundle:
    def named(texts: list[str], source: str) -> list[Facts]:
        return [
            {"name": f"{source}.{number}", "document": text}
            for number, text in enumerate(texts, start=1)
        ]

    scps = [
        named(level.get("ServiceControlPolicyInputList", []), f"Level.{number}")
        for number, level in enumerate(params.get("OrderedOrganizationPolicyInputList", []))
    ]
    boundary = params.get(BOUNDARY)
    return PolicyBundle.from_dict(
        {
            "identity": named(params[IDENTITY], IDENTITY),
            "boundary": named(boundary, BOUNDARY) if boundary else None,
            "scps": scps,
        }
    )


def _context(params: Facts) -> Facts:
    context: Facts = {}
    for entry in params.get("ContextEntries", []):
        values = entry.get("ContextKeyValues", [])
        several = entry.get("ContextKeyType", "string").endswith("List")
        context[entry["ContextKeyName"]] = values if several else (values or [None])[0]
    return context


def _matched(decision: Decision, params: Facts) -> Iterator[Facts]:
    """The statements that decided, service control policies left out, as IAM leaves them out."""
    for statement in decision.statements:
        source, _, number = statement.policy.partition(".")
        if source in (IDENTITY, BOUNDARY) and statement.index >= 0:
            text = params[source][int(number) - 1]
            start, end = _span(text, statement.index)
            yield {
                "SourcePolicyId": statement.policy,
                "StartPosition": _position(text, start),
                "EndPosition": _position(text, end),
            }


def _span(text: str, index: int) -> tuple[int, int]:
    """Where a statement begins, and the character behind its end."""
    start = locate(text, ("Statement", index))
    if start is None:  # a single statement without its list
        start = text.index("{", locate(text, ("Statement",)))
    return start, json.JSONDecoder().raw_decode(text, start)[1]


def _position(text: str, place: int) -> Facts:
    line, column = line_of(text, place)
    return {"Line": line, "Column": column}


def _details(decision: Decision, params: Facts) -> Facts:
    def against(layer: str) -> bool:
        return decision.verdict != "allowed" and any(
            each.layer.startswith(layer) for each in decision.statements
        )

    details: Facts = {}
    if params.get("OrderedOrganizationPolicyInputList"):
        details["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": not against("scp:")}
    if params.get(BOUNDARY):
        details["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": not against("boundary")
        }
    return details
