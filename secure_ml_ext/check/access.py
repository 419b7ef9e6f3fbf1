"""Would IAM let this request live? The request, and the roles it passes, asked of a bundle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, product
from typing import Any, NamedTuple

from ..iam import Decision, PolicyBundle, evaluate
from ..iam.plan import Plan
from ..inventory.authorization import action_named, authorization
from ..inventory.masking import resource_name
from ..inventory.paths import absent, expand, get, parse
from .caller import Caller, Resolver, place_of
from .context import context
from .context_global import Sent
from .records import Iam, Statement, Verdict

PASS_ROLE = "iam:PassRole"  # noqa: S105  an action, no password
GRAVITY: Mapping[Verdict, int] = {
    "not-evaluated": 0,
    "allowed": 1,
    "depends": 2,
    "implicitly-denied": 3,
    "explicitly-denied": 4,
}
_MOST_RESOURCES = 16
_PLACEHOLDER = re.compile(r"\$\{\w+\}")
_WILD = re.compile(r"\$\{[^}]*\}|[*?]")


# What allows is left out: to put it into words takes longer than to decide.
_ALLOWED = Iam("allowed")


class Answer(NamedTuple):
    """What the bundle says about one action on one resource, and in which context."""

    action: str
    resource: str
    decision: Decision
    context: Mapping[str, Any]


class Asked(NamedTuple):
    """Who asks for what, of which policies; the parameters are given with each question."""

    operation: str
    bundle: PolicyBundle
    caller: Caller
    resolver: Resolver | None = None

    def plan(self, action: str) -> Plan:
        """Return the statements about an action."""
        return self.bundle.policies(principal_of(self.bundle, self.caller)).plan(action)


def answers(asked: Asked, params: Mapping[str, Any]) -> list[list[Answer]]:
    """Return what the bundle says about a request and about the roles that it passes.

    A list for each action, with one answer for each resource that it may be about. Where
    Region, account or name are not known and policies tell resources apart by them, there are
    several.
    """
    operation, bundle, caller, resolver = asked
    principal = principal_of(bundle, caller)
    sent = Sent(operation, params, caller, place_of(caller, params), principal, resolver)
    action = action_named(operation)
    found = [_ask(bundle, sent, f"sagemaker:{operation}", _templates(operation))]
    for pointer in action.roles if action is not None else ():
        for place in expand(params, parse(pointer)) if "*" in pointer else (parse(pointer),):
            role = get(params, place)
            if not absent(role):
                found.append(_pass_role(bundle, sent, role))
    return found


def principal_of(bundle: PolicyBundle, caller: Caller) -> str | None:
    """Return the principal's ARN as policies see it: the role, not its session."""
    arn = caller.role_arn
    if arn is None:
        known = bundle.principals
        return known[0] if len(known) == 1 else None
    return bundle.role_of(arn)


def _templates(operation: str) -> list[str]:
    """Return the forms of the ARNs that a call of the operation names."""
    action = action_named(operation)
    kinds = [] if action is None else action.resources or action.optional[:1]
    return [authorization().resources[kind].arn for kind in kinds] or ["*"]


def _ask(bundle: PolicyBundle, sent: Sent, action: str, templates: Sequence[str]) -> list[Answer]:
    """Ask about every resource that the call names; several of one kind are possibilities.

    A call that names two kinds (an endpoint and its configuration) needs both: the graver
    answers are kept.
    """
    plan = bundle.policies(sent.principal).plan(action)
    values = context(plan.keys, sent)
    best: list[Answer] = []
    for template in templates:
        found = [
            Answer(action, resource, evaluate(bundle, action, resource, values), values)
            for resource in _resources(template, sent, plan)
        ]
        if not best or _worst(found) > _worst(best):
            best = found
    return best


def _worst(found: Sequence[Answer]) -> int:
    return max(GRAVITY[answer.decision.verdict] for answer in found)


class _Form(NamedTuple):
    """The form of an ARN: its service, its type with the slash, and what follows."""

    service: str
    kind: str
    rest: str
    placeholders: tuple[str, ...]


@lru_cache(maxsize=256)
def _form(template: str) -> _Form | None:
    parts = template.split(":", 5)
    if len(parts) < 6:
        return None
    kind, slash, rest = parts[5].partition("/")
    return _Form(parts[2], kind + slash, rest, tuple(_PLACEHOLDER.findall(rest)))


def _resources(template: str, sent: Sent, plan: Plan) -> list[str]:
    """Return the ARNs that a resource may have; more than one where a part is not known.

    An unknown part is tried with what the policies themselves write there, and with a word
    that they do not write.
    """
    form = _form(template)
    if form is None:
        return [template]
    partition, region, account = sent.place.partition, sent.place.region, sent.place.account
    name = _name(form, sent)
    if region is not None and account is not None and name is not None:
        return [f"arn:{partition}:{form.service}:{region}:{account}:{form.kind}{name}"]
    known = (region, account, name)
    choices: list[list[str]] = [[each if each is not None else "unknown"] for each in known]
    for written in _written(plan):
        pieces = written.split(":", 5)
        if len(pieces) < 6:
            continue
        kind, _, rest = pieces[5].partition("/")
        own = (pieces[3], pieces[4], rest if kind == form.kind.rstrip("/") else "")
        for number, value in enumerate(known):
            literal = _WILD.sub("x", own[number])
            if value is None and own[number] not in ("", "*") and literal not in choices[number]:
                choices[number].append(literal)
    combined = islice(product(*choices), _MOST_RESOURCES)
    return [f"arn:{partition}:{form.service}:{r}:{a}:{form.kind}{n}" for r, a, n in combined]


def _written(plan: Plan) -> Iterator[str]:
    for hit in plan.denies:
        yield from hit.statement.written_resources
    for allows in plan.allows:
        for statement in allows.statements:
            yield from statement.written_resources


def _name(form: _Form, sent: Sent) -> str | None:
    """Return the part of the ARN after the type, as far as the request names it."""
    filled = form.rest
    for number, placeholder in enumerate(form.placeholders):
        word = placeholder[2:-1]
        value = sent.params.get(word)
        if value is None and number == len(form.placeholders) - 1 and not word.endswith("Id"):
            value = resource_name(sent.operation, sent.params)
        # The service chooses ids (of a domain, of a cluster): nobody knows them before.
        if not isinstance(value, str):
            return None
        filled = filled.replace(placeholder, value)
    return filled


def _pass_role(bundle: PolicyBundle, sent: Sent, role: Any) -> list[Answer]:
    """Ask whether the caller may pass a role to SageMaker."""
    plan = bundle.policies(sent.principal).plan(PASS_ROLE)
    values = context(
        frozenset(key for key in plan.keys if key.startswith("aws:")),
        sent._replace(params={}),
    )
    values["iam:PassedToService"] = "sagemaker.amazonaws.com"
    place = sent.place
    if isinstance(role, str) and role.startswith("arn:"):
        resources = [role]
    elif isinstance(role, str) and place.account is not None:
        resources = [f"arn:{place.partition}:iam::{place.account}:role/{role}"]
    else:
        template = "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"
        name = role if isinstance(role, str) else None
        resources = _unknown_role(template, name, sent, plan)
    return [
        Answer(PASS_ROLE, resource, evaluate(bundle, PASS_ROLE, resource, values), values)
        for resource in resources
    ]


def _unknown_role(template: str, name: str | None, sent: Sent, plan: Plan) -> list[str]:
    """Return the roles that may be passed, where which one is decided later."""
    account = sent.place.account or "unknown"
    found = [f"arn:{sent.place.partition}:iam::{account}:role/{name or 'unknown'}"]
    for written in _written(plan):
        if ":role/" in written and name is None:
            literal = _WILD.sub("x", written)
            if literal not in found and len(found) < _MOST_RESOURCES:
                found.append(literal)
    return found


def verdict_of(found: Sequence[Sequence[Answer]]) -> Verdict:
    """Return the gravest verdict of the answers."""
    return max((_combined(group) for group in found), key=GRAVITY.__getitem__)


def summary(found: Sequence[Sequence[Answer]]) -> Iam:
    """Return the gravest of the answers, with its statements, as the report has it.

    A request whose role may not be passed is denied.
    """
    verdict: Verdict = "allowed"
    chosen: list[Answer] = []
    for group in found:
        own = _combined(group)
        if not chosen or GRAVITY[own] > GRAVITY[verdict]:
            verdict, chosen = own, list(group)
    first = chosen[0]
    if len(chosen) > 1 and len({a.decision.verdict for a in chosen}) > 1:
        return _by_resource(verdict, chosen)
    decision = first.decision
    if verdict == "allowed":
        return _ALLOWED
    said = first.action if first.action == PASS_ROLE else ""
    return Iam(
        verdict=verdict,
        question=decision.question,
        outcomes=[str(outcome) for outcome in decision.outcomes],
        statements=_statements([first], said),
    )


def _combined(group: Sequence[Answer]) -> Verdict:
    """Return the verdict of several possibilities: the same everywhere, or it depends."""
    verdicts = {answer.decision.verdict for answer in group}
    if len(verdicts) == 1:
        return next(iter(verdicts))
    if "allowed" in verdicts or "depends" in verdicts:
        return "depends"
    return "implicitly-denied"


def _by_resource(verdict: Verdict, group: Sequence[Answer]) -> Iam:
    """Put into words that the answer differs with a part of the ARN that is not known."""
    outcomes = []
    for wanted in ("allowed", "depends", "implicitly-denied", "explicitly-denied"):
        names = [answer.resource for answer in group if answer.decision.verdict == wanted]
        if names:
            more = f" or {len(names) - 3} more" if len(names) > 3 else ""
            outcomes.append(f"{wanted} if the resource is {' or '.join(names[:3])}{more}")
    action = group[0].action
    what = "role is passed" if action == PASS_ROLE else "Region, account and name has the resource"
    against = [answer for answer in group if answer.decision.verdict != "allowed"]
    return Iam(
        verdict=verdict,
        question=f"Which {what} ({action})?",
        outcomes=outcomes,
        statements=_statements(against, action if action == PASS_ROLE else ""),
    )


def _statements(group: Sequence[Answer], action: str) -> list[Statement]:
    found: dict[tuple[str, str, int], Statement] = {}
    for answer in group:
        for each in answer.decision.statements:
            key = (each.layer, each.policy, each.index)
            if key not in found:
                why = each.why if not action or action in each.why else f"{action}: {each.why}"
                found[key] = Statement(each.layer, each.policy, each.sid, each.index, why)
    return list(found.values())
