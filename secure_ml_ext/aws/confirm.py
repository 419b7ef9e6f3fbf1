"""Asks IAM's policy simulator for a second opinion, and says where it differs from ours."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from ..iam import Decision, PolicyBundle, Undetermined, Verdict, evaluate
from ..iam.bundle import OWN_LAYERS
from . import clients, simulate
from .errors import to_problem
from .policies_read import RoleError, role_of
from .records import Problem
from .simulate import Answer, Matched, Text

MOST_CALLS = 8
_DEEPEST = 7  # levels that the simulator takes
_NO_SCPS = (
    "The installed botocore cannot hand service control policies to IAM's simulator; the "
    "comparison is without them. Update botocore."
)


class Confirmation(Struct, frozen=True):
    """What IAM's simulator says about one request.

    ``verdict`` is None where it could not be asked (``error``, typed) or was not (``skipped``,
    one sentence). ``ours`` is this product's verdict on the same policies. ``matched`` are the
    statements that decided there, ``disagreement`` one sentence, ``notes`` what the comparison
    leaves out, ``calls`` how often the simulator was asked.
    """

    verdict: Verdict | None = None
    ours: Verdict | None = None
    matched: list[Matched] = []
    disagreement: str | None = None
    error: Problem | None = None
    skipped: str | None = None
    notes: list[str] = []
    calls: int = 0


class _Question(NamedTuple):
    """The policies of one principal: ours compiled, and the simulator's parameters."""

    bundle: PolicyBundle
    texts: dict[str, list[Text]]
    params: dict[str, Any]
    notes: list[str]


def confirm(
    bundle: Mapping[str, Any],
    principal: str | None,
    action: str,
    resource: str,
    context: Mapping[str, Any],
    *,
    region: str | None = None,
    client: Any = None,
) -> Confirmation:
    """Ask ``iam:SimulateCustomPolicy`` about a request and compare with ``iam.evaluate``.

    ``bundle`` is the bundle as JSON types (``Loaded.data``); the other arguments are those of
    ``evaluate``. Each combination of candidates of the undetermined keys that matter is asked, up
    to 8. Never raises for what AWS answers; ContextError and PolicyError as ``evaluate`` and
    ``PolicyBundle.from_dict`` raise them.
    """
    PolicyBundle.from_dict(bundle)  # whatever is wrong with it is said the usual way
    where = region
    try:
        where = region or clients.default_region() or "us-east-1"  # IAM is global
        iam = client or clients.client("iam", where)
        takes_scps = _takes_scps(iam)
    except Exception as exc:
        return Confirmation(error=_problem(exc, where))
    question = _question(bundle, principal, takes_scps)
    if isinstance(question, str):
        return Confirmation(skipped=question)
    cases = _cases(question.bundle, action, context)
    if isinstance(cases, str):
        return Confirmation(skipped=cases, notes=question.notes)
    compared: list[tuple[Decision, Answer, str]] = []
    for chosen, when in cases:
        ours = evaluate(question.bundle, action, resource, chosen)
        try:
            theirs = _ask(iam, question, action, resource, chosen)
        except Exception as exc:
            return Confirmation(ours=ours.verdict, error=_problem(exc, where), notes=question.notes)
        compared.append((ours, theirs, when))
    return _confirmation(compared, question.notes)


def _confirmation(compared: list[tuple[Decision, Answer, str]], notes: list[str]) -> Confirmation:
    matched: dict[Matched, None] = {}
    for _, theirs, _ in compared:
        matched.update(dict.fromkeys(theirs.matched))
    differing = [each for each in compared if not _agrees(each[0], each[1])]
    return Confirmation(
        verdict=_overall([theirs.verdict for _, theirs, _ in compared]),
        ours=_overall([ours.verdict for ours, _, _ in compared]),
        matched=list(matched),
        disagreement=_sentence(*differing[0]) if differing else None,
        notes=notes,
        calls=len(compared),
    )


def _overall(verdicts: list[Verdict]) -> Verdict:
    found = set(verdicts)
    if len(found) == 1:
        return verdicts[0]
    return "depends" if "allowed" in found else "implicitly-denied"


def _agrees(ours: Decision, theirs: Answer) -> bool:
    """Tell whether both say the same.

    Whether a denial by the organisation is explicit the simulator does not document: there only
    the layer is compared.
    """
    denied = ours.verdict != "allowed"
    by_scps = [each.layer.startswith("scp:") for each in ours.statements]
    if theirs.by_organizations is False:
        return denied and any(by_scps)
    if theirs.by_organizations is True and denied and all(by_scps):
        return False
    return ours.verdict == theirs.verdict


def _sentence(ours: Decision, theirs: Answer, when: str) -> str:
    verdicts = {verdict: verdict.replace("-", " ") for verdict in (ours.verdict, theirs.verdict)}
    said = verdicts[theirs.verdict]
    if theirs.by_organizations is False:
        said += " by service control policies"
    elif theirs.matched:
        said += f" by {_names(theirs.matched)}"
    own = verdicts[ours.verdict]
    if ours.statements and ours.verdict != "allowed":
        own += f" by {_names(ours.statements)}"
    return f"IAM's simulator says {said}, this product says {own}{when}."


def _names(statements: list[Any]) -> str:
    """Name statements the way both sides do: layer, document, Sid or index."""
    names = [
        " ".join(
            part
            for part in (
                each.layer or "",
                each.policy,
                each.sid or ("" if each.index in (None, -1) else f"statement {each.index}"),
            )
            if part
        )
        for each in statements[:3]
    ]
    more = f" and {len(statements) - 3} more" if len(statements) > 3 else ""
    return ", ".join(names) + more


def _ask(
    iam: Any, question: _Question, action: str, resource: str, context: Mapping[str, Any]
) -> Answer:
    pages = iam.get_paginator("simulate_custom_policy").paginate(
        **question.params,
        ActionNames=[action],
        ResourceArns=[resource],
        ContextEntries=list(simulate.entries(context)),
    )
    results = [result for page in pages for result in page.get("EvaluationResults") or []]
    if not results:
        raise LookupError("the simulator gave no result")
    return simulate.answer(results[0], resource, question.texts)


def _question(bundle: Mapping[str, Any], principal: str | None, scps: bool) -> _Question | str:
    """Return what to ask, or in one sentence why it cannot be asked."""
    arn, own = _own(bundle, principal)
    if own is None:
        return f"The bundle has no policies of {principal or 'one principal alone'}."
    layers = {layer: _texts(own.get(layer), layer) for layer in OWN_LAYERS}
    levels = [
        _texts(level, f"scp:{number}") for number, level in enumerate(bundle.get("scps") or [])
    ]
    if not layers["identity"]:
        return "The bundle has no identity policy, and the simulator needs one."
    if len(layers["boundary"]) > 1:
        return "The bundle has several boundary policies, and the simulator takes one."
    if len(levels) > _DEEPEST:
        return f"The bundle has {len(levels)} levels, and the simulator takes {_DEEPEST}."
    notes = [] if scps or not levels else [_NO_SCPS]
    levels = levels if scps else []
    unread = dict.fromkeys([*(bundle.get("unread") or []), *(own.get("unread") or [])])
    if unread:
        notes.append(f"Not read, and left out of the comparison: {', '.join(unread)}.")
    if layers["session"]:
        notes.append("The session policy is left out: the simulator takes none.")
    params: dict[str, Any] = {simulate.IDENTITY: [each.text for each in layers["identity"]]}
    if layers["boundary"]:
        params[simulate.BOUNDARY] = [each.text for each in layers["boundary"]]
    if levels:
        params[simulate.SCPS] = [
            {simulate.LEVEL: [each.text for each in level]} for level in levels
        ]
    caller = _caller(arn)
    if caller is not None:
        params["CallerArn"] = caller
    texts = {simulate.IDENTITY: layers["identity"], simulate.BOUNDARY: layers["boundary"]}
    ours: dict[str, Any] = {
        "identity": [_document(each) for each in layers["identity"]],
        "boundary": [_document(each) for each in layers["boundary"]] or None,
        "scps": [[_document(each) for each in level] for level in levels],
    }
    return _Question(PolicyBundle.from_dict(ours), texts, params, notes)


def _own(
    bundle: Mapping[str, Any], principal: str | None
) -> tuple[str | None, Mapping[str, Any] | None]:
    """Return the principal's entry, found as ``PolicyBundle`` finds it."""
    principals = bundle.get("principals")
    if not isinstance(principals, Mapping):
        return principal, bundle
    if not principal and len(principals) == 1:
        return next(iter(principals.items()))
    if principal in principals:
        return principal, principals[principal]
    for arn in principals:
        if principal and _same_role(arn, principal):
            return arn, principals[arn]
    return None, None


def _same_role(arn: str, principal: str) -> bool:
    try:
        one, other = role_of(arn), role_of(principal)
    except RoleError:
        return False
    return other.path is None and (one.account, one.name) == (other.account, other.name)


def _caller(arn: str | None) -> str | None:
    """Return what the simulator takes as caller: a role, no session of one."""
    try:
        return role_of(arn).arn if arn else None
    except RoleError:
        return arn if arn and ":user/" in arn else None


def _texts(documents: Any, label: str) -> list[Text]:
    if documents is None:
        return []
    listed = documents if isinstance(documents, list) else [documents]
    return [simulate.text_of(each, f"{label}[{number}]") for number, each in enumerate(listed)]


def _document(text: Text) -> dict[str, str]:
    return {"name": text.name, "document": text.text}


def _cases(
    bundle: PolicyBundle, action: str, context: Mapping[str, Any]
) -> Iterator[tuple[dict[str, Any], str]] | list[tuple[dict[str, Any], str]] | str:
    """Return the contexts to ask with, each with its words, or why they cannot be asked."""
    matter = bundle.policies(None).plan(action).keys
    known = {k: v for k, v in context.items() if not isinstance(v, Undetermined)}
    uncertain = {
        key: value
        for key, value in context.items()
        if isinstance(value, Undetermined) and key.lower() in matter
    }
    for key, value in uncertain.items():
        if not value.candidates:
            return f"{key} may have any value, and the simulator needs one."
    number = 1
    for value in uncertain.values():
        number *= len(value.candidates)
    if number > MOST_CALLS:
        return (
            f"{', '.join(uncertain)} may have {number} combinations of values; the simulator is "
            f"asked {MOST_CALLS} times at most."
        )
    cases = []
    for chosen in itertools.product(*(value.candidates for value in uncertain.values())):
        here = dict(zip(uncertain, chosen, strict=True))
        when = " and ".join(
            f"{key} is {'absent' if value is None else value}" for key, value in here.items()
        )
        cases.append(({**known, **here}, f" if {when}" if when else ""))
    return cases


def _takes_scps(iam: Any) -> bool:
    shape = iam.meta.service_model.operation_model("SimulateCustomPolicy").input_shape
    return simulate.SCPS in shape.members


def _problem(exc: Exception, region: str | None) -> Problem:
    problem = to_problem(exc, service="iam", operation="SimulateCustomPolicy", region=region)
    part = "jupyter secure-ml permissions"
    return Problem(
        problem.code,
        problem.message,
        problem.remedy.replace(part, f"{part} --part policy-confirm"),
        problem.action,
    )
