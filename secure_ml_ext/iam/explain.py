"""Reasons in words: which statements decided, and what each condition found."""

from __future__ import annotations

from collections.abc import Sequence

from .cases import KNOWN, Open, holds, reaches, state
from .conditions import Condition
from .plan import Hit, LayerAllows, Plan, Request
from .records import DecidingStatement, Reasons, Why
from .statement import PolicyStatement

NOT_SHOWN = "(not shown)"


def denied(request: Request, denies: Sequence[Hit]) -> Reasons:
    """Give the Deny statements that apply."""
    return Reasons([deny(request, hit) for hit in denies])


def lacking(request: Request, plan: Plan) -> Reasons:
    """Give the nearest unmet Allow of each layer in which none applies."""
    return Reasons([nearest(request, layer) for layer in plan.allows if not grants(request, layer)])


def allowed(request: Request, plan: Plan) -> Reasons:
    """Give the first Allow of each layer that applies."""
    return Reasons([found for layer in plan.allows if (found := allow(request, layer))])


def grants(request: Request, allows: LayerAllows) -> bool:
    """Tell whether a layer allows a request in which everything is known."""
    return allows.always or any(
        each.applies(request.resource, request.context) for each in allows.statements
    )


def deny(request: Request, hit: Hit, unknown: Open = KNOWN) -> DecidingStatement:
    """Explain a Deny statement that applies, or may."""
    conditions = whys(hit.statement, request, unknown)
    reason = "; ".join(map(str, conditions)) or "it has no condition"
    verb = "would deny" if any(each.holds is None for each in conditions) else "denies"
    return _deciding(hit, f"{verb} {_target(request, hit.statement)}: {reason}", conditions)


def allow(request: Request, allows: LayerAllows, unknown: Open = KNOWN) -> DecidingStatement | None:
    """Explain the first Allow statement of a layer that applies."""
    for each in allows.statements:
        if state(each, request, unknown):
            conditions = whys(each, request, unknown)
            reason = "; ".join(map(str, conditions)) or "it has no condition"
            text = f"allows {_target(request, each)}: {reason}"
            return _deciding(Hit(allows.layer.name, each), text, conditions)
    return None


def nearest(request: Request, allows: LayerAllows, unknown: Open = KNOWN) -> DecidingStatement:
    """Explain why a layer has no Allow: its statement that lacks least, or that there is none."""
    name = allows.layer.name
    if not allows.statements:
        documents = allows.layer.documents
        policy = documents[0].name if len(documents) == 1 else ""
        text = f"no statement of {name} allows {request.action}"
        return DecidingStatement(name, policy, None, -1, text)
    _, _, best = min(
        (*_distance(each, request, unknown), number)
        for number, each in enumerate(allows.statements)
    )
    statement = allows.statements[best]
    unmet = [each for each in whys(statement, request, unknown) if not each.holds]
    reasons = [str(each) for each in unmet]
    if not reaches(statement, request, unknown):
        reasons.insert(0, f"{request.resource} is not among its resources")
    text = f"would allow {request.action}, but {'; '.join(reasons)}"
    return _deciding(Hit(name, statement), text, unmet)


def _distance(statement: PolicyStatement, request: Request, unknown: Open) -> tuple[bool, int]:
    """Return how far an Allow is from applying: the resource first, then conditions."""
    unmet = sum(holds(each, request, unknown) is not True for each in statement.conditions)
    return not reaches(statement, request, unknown), unmet


def whys(statement: PolicyStatement, request: Request, unknown: Open = KNOWN) -> list[Why]:
    """Return what each condition of a statement asks for and found."""
    return [_why(each, request, unknown) for each in statement.conditions]


def _why(condition: Condition, request: Request, unknown: Open) -> Why:
    key = condition.key.lower()
    found = request.context.get(key)
    if found is not None and ("tag/" in key or "metadataproperties/" in key):
        shown: str | list[str] | None = NOT_SHOWN
    else:
        shown = list(found) if isinstance(found, tuple) else found
    return Why(
        condition.operator.name,
        condition.key,
        condition.values,
        shown,
        holds(condition, request, unknown),
        key not in unknown.values,
    )


def _target(request: Request, statement: PolicyStatement) -> str:
    everywhere = statement.resources.everything and not statement.not_resource
    return request.action if everywhere else f"{request.action} on {request.resource}"


def _deciding(hit: Hit, why: str, conditions: list[Why]) -> DecidingStatement:
    statement = hit.statement
    return DecidingStatement(
        hit.layer, statement.policy, statement.sid, statement.index, why, conditions
    )
