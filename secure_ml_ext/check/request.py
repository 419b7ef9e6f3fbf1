"""The check: one request in, one report out. Everything else becomes a request first."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, get_args

from msgspec.structs import replace

from ..iam import PolicyBundle
from ..inventory.masking import resource_name
from ..inventory.paths import (
    Path,
    absent,
    decided_later,
    expand,
    get,
    parse,
    render,
    undetermined,
)
from ..inventory.table import OperationFields, Reference, operations
from ..inventory.words import ControlName, State
from ..rules.baseline import Baseline, Breach, Outcome
from ..rules.config import Waiver
from ..rules.model import Rule
from ..rules.patch import Assignment, apply, build
from ..rules.profile import Profile
from .access import Asked
from .caller import Caller, Resolver
from .records import ControlState, Finding, Iam, Report, Subject, SubjectKind
from .repair import repair

_ORDER: Mapping[State, int] = {
    "na": 0,
    "pass": 1,
    "exempt": 2,
    "depends": 3,
    "warn": 4,
    "fail": 5,
}
_WEIGHT = {"error": 0, "warning": 1, "info": 2}
_CONTROLS: tuple[ControlName, ...] = get_args(ControlName)
_NO_PROFILE = Profile()
_UNEVALUATED = Iam()
_NOBODY = Caller()


class UnknownOperation(ValueError):
    """An operation that the field table does not have; the message names near ones."""


@lru_cache(maxsize=1)
def _builtin() -> Baseline:
    return Baseline()


def baseline_of(rules: Baseline | Iterable[Rule] | None) -> Baseline:
    """Return a compiled baseline; without rules the built-in one, compiled once per process."""
    if rules is None:
        return _builtin()
    return rules if isinstance(rules, Baseline) else Baseline(rules)


def entry_of(operation: str) -> OperationFields:
    """Return the field table's entry or raise ``UnknownOperation``, naming near operations."""
    entry = operations().get(operation)
    if entry is None:
        import difflib

        near = difflib.get_close_matches(str(operation), operations(), n=3, cutoff=0.5)
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise UnknownOperation(
            f"{operation!r} is no SageMaker operation that carries a security setting.{hint}"
        )
    return entry


def check_request(
    operation: str,
    params: Mapping[str, Any],
    *,
    profile: Profile | None = None,
    bundle: PolicyBundle | Mapping[str, Any] | None = None,
    rules: Baseline | Iterable[Rule] | None = None,
    caller: Caller | None = None,
    resolver: Resolver | None = None,
    waivers: Iterable[Waiver] = (),
    path: str | None = None,
    kind: SubjectKind = "request",
    where: str | None = None,
) -> Report:
    """Check one request against the baseline and return the report.

    ``operation`` is an API name (``CreateTrainingJob``), ``params`` the request as botocore
    is about to send it; it is read, never changed. ``profile`` gives the values for fixes and
    the approved sets, ``resolver`` follows references (a transform's model) and key aliases.
    With a ``bundle`` of policies the report says what IAM would decide for ``caller``; pass a
    ``PolicyBundle`` rather than its dictionary where many requests are checked. Raises
    ``UnknownOperation`` for operations outside the field table and ``PolicyError`` for a bundle
    that cannot be read.
    """
    if bundle is not None and not isinstance(bundle, PolicyBundle):
        bundle = PolicyBundle.from_dict(bundle)
    subject = check_subject(
        operation,
        params,
        profile=profile or _NO_PROFILE,
        baseline=baseline_of(rules),
        bundle=bundle,
        caller=caller,
        resolver=resolver,
        waivers=tuple(waivers),
        path=path,
        kind=kind,
        where=where,
    )
    return Report.of([subject])


def check_subject(
    operation: str,
    params: Mapping[str, Any],
    *,
    profile: Profile,
    baseline: Baseline,
    bundle: PolicyBundle | None = None,
    caller: Caller | None = None,
    resolver: Resolver | None = None,
    waivers: tuple[Waiver, ...] = (),
    path: str | None = None,
    kind: SubjectKind = "request",
    where: str | None = None,
    note: str | None = None,
) -> Subject:
    """Return the subject of one request; see ``check_request``."""
    entry = entry_of(operation)
    outcomes = _outcomes(operation, entry, params, profile, baseline, resolver)
    name = resource_name(operation, params)
    findings: list[Finding] = []
    waived: dict[int, Waiver] = {}
    today = datetime.date.today() if waivers else None  # noqa: DTZ011  a waiver ends where people are
    for index, outcome in enumerate(outcomes):
        breach = outcome.breach
        if breach is None:
            continue
        waiver = None
        if today is not None:
            waiver = next(
                (w for w in waivers if w.covers(breach.rule.id, operation, name, today)), None
            )
            if waiver is not None:
                waived[index] = waiver
        findings.append(_finding(outcome, breach, params, waiver))
    wishes = _mended(operation, params, outcomes, waived, profile, baseline)
    iam = _UNEVALUATED
    if bundle is not None:
        asked = Asked(operation, bundle, caller or _NOBODY, resolver)
        iam, wishes = repair(asked, params, wishes, profile, baseline)
    return Subject(
        path=path,
        kind=kind,
        operation=operation,
        name=name,
        where=where,
        controls=_states(outcomes, waived),
        findings=sorted(findings, key=lambda finding: _WEIGHT[finding.severity]),
        iam=iam,
        fix=build(params, wishes) if wishes else [],
        note=note,
    )


def _finding(
    outcome: Outcome, breach: Breach, params: Mapping[str, Any], waiver: Waiver | None
) -> Finding:
    return Finding(
        rule=breach.rule.id,
        control=outcome.control,
        severity=breach.severity,
        pointer=outcome.pointer,
        message=breach.message,
        expected=breach.expected,
        actual=_shown(breach.actual),
        fix=build(params, breach.wishes) if breach.wishes else [],
        references=breach.rule.references,
        missing=list(breach.missing),
        waiver=waiver,
        why=breach.rule.why,
    )


def _shown(value: Any) -> Any:
    """Return a value as it may appear in a report: strings and lists of them, flags and numbers."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [item for item in value if isinstance(item, str)]
    return "…"


def _states(outcomes: list[Outcome], waived: Mapping[int, Waiver]) -> list[ControlState]:
    """Return the worst state of every control, in the vocabulary's order."""
    worst: dict[ControlName, ControlState] = {}
    for index, outcome in enumerate(outcomes):
        state, note = outcome.state, outcome.note
        if index in waived:
            waiver = waived[index]
            until = f" until {waiver.expires}" if waiver.expires else ""
            state, note = "exempt", f"waived{until}: {waiver.reason}"
        known = worst.get(outcome.control)
        if known is None or _ORDER[state] > _ORDER[known.state]:
            worst[outcome.control] = ControlState(outcome.control, state, outcome.pointer, note)
    return [worst[control] for control in _CONTROLS if control in worst]


def _mended(
    operation: str,
    params: Mapping[str, Any],
    outcomes: list[Outcome],
    waived: Mapping[int, Waiver],
    profile: Profile,
    baseline: Baseline,
) -> list[Assignment]:
    """Return the changes for all findings that may be mended without asking, checked together.

    What they do not mend in truth (the profile's own key is not approved, say) is left out, so
    that a fix that is offered always holds.
    """
    chosen = [
        (outcome.breach, outcome.pointer)
        for index, outcome in enumerate(outcomes)
        if outcome.breach is not None
        and outcome.breach.wishes
        and outcome.breach.rule.merged
        and index not in waived
    ]
    while chosen:
        wishes = [wish for breach, _ in chosen for wish in breach.wishes]
        after = baseline.evaluate(operation, apply(params, build(params, wishes)), profile)
        broken = {(o.breach.rule.id, o.pointer) for o in after if o.breach is not None}
        kept = [(b, p) for b, p in chosen if (b.rule.id, p) not in broken]
        if len(kept) == len(chosen):
            return wishes
        chosen = kept
    return []


def _outcomes(
    operation: str,
    entry: OperationFields,
    params: Mapping[str, Any],
    profile: Profile,
    baseline: Baseline,
    resolver: Resolver | None,
) -> list[Outcome]:
    """Return what the rules say about the request and about what it takes from elsewhere."""
    outcomes = baseline.evaluate(operation, params, profile)
    for reference in entry.references:
        for place in expand(params, parse(reference.pointer)):
            name = get(params, place)
            if undetermined(name) or (name is None and decided_later(params, place)):
                outcomes += _open(reference, place, "taken from what is decided later")
                continue
            if not isinstance(name, str) or absent(name):
                continue
            source, target = reference.target(params), None
            if resolver is not None and source is not None:
                target = resolver.request_of(source, name)
            if source is None or target is None:
                outcomes += _open(reference, place, f"taken from {name}, not looked up")
                continue
            # References do not run in circles: endpoint, configuration, model.
            found = _outcomes(source, entry_of(source), target, profile, baseline, resolver)
            outcomes += [_inherited(c, name, render(place), found) for c in reference.controls]
    return outcomes


def _open(reference: Reference, place: Path, note: str) -> list[Outcome]:
    """Return the outcomes of a reference that cannot be followed."""
    return [Outcome(control, "depends", render(place), note) for control in reference.controls]


def _inherited(control: ControlName, name: str, pointer: str, found: Iterable[Outcome]) -> Outcome:
    """Return the worst of the target's outcomes for a control, as said of this request.

    A breach stays a finding, without a fix: it is the target that has to change.
    """
    own = [outcome for outcome in found if outcome.control == control]
    if not own:
        return Outcome(control, "na", pointer, f"{name} has no such setting")
    worst = max(own, key=lambda outcome: _ORDER[outcome.state])
    breach = worst.breach
    if breach is not None:
        message = f"taken from {name}: {breach.message}"
        breach = replace(breach, message=message, wishes=(), missing=())
    note = f"taken from {name}" + (f": {worst.note}" if worst.note else "")
    return Outcome(control, worst.state, pointer, note, breach)
