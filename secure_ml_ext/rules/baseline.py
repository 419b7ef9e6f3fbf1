"""Evaluates the baseline: every rule against every field it speaks about.

Rules are compiled once per operation into probes, functions of the request and the
profile; the guard calls them before every SageMaker call, so they read and never copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from msgspec import Struct

from ..inventory.paths import Path, absent, decided_later, expand, get, parse, render
from ..inventory.table import Field, operations
from ..inventory.words import ControlName, Severity, State
from .model import Rule, builtin_rules
from .patch import Assignment
from .profile import Profile


class MissingValue(Struct, frozen=True):
    """A profile value that a fix needs and nobody provided, with the places that were asked."""

    value: str
    looked: list[str]


class Breach(Struct, frozen=True):
    """A rule that the request breaks: where, what was expected, and the change that mends it."""

    rule: Rule
    severity: Severity
    message: str
    expected: Any = None
    actual: Any = None
    wishes: tuple[Assignment, ...] = ()
    missing: tuple[MissingValue, ...] = ()


class Outcome(Struct, frozen=True):
    """What one rule says about one field of the request."""

    control: ControlName
    state: State
    pointer: str
    note: str | None = None
    breach: Breach | None = None


class Ground(Struct, frozen=True):
    """The profile as the probes need it: the approved sets are made once, not per request."""

    profile: Profile
    subnets: frozenset[str]
    groups: frozenset[str]
    keys: frozenset[str]


class Locus(Struct, frozen=True):
    """A field compiled for look-ups, with the rule that speaks about it.

    ``path`` and ``passed`` are ready made for fields without ``*``, which most are.
    """

    rule: Rule
    field: Field
    anchor: Path
    rest: Path
    starred: bool
    update: bool
    unless: Path | None
    efs: bool
    path: Path
    passed: Outcome

    def breach(
        self,
        path: Path,
        message: str,
        *,
        expected: Any = None,
        actual: Any = None,
        wishes: tuple[Assignment, ...] = (),
        missing: tuple[MissingValue, ...] = (),
    ) -> Outcome:
        """Return the outcome of a broken rule."""
        # A rule that is off is not compiled.
        severity = cast(Severity, self.rule.severity)
        found = Breach(self.rule, severity, message, expected, actual, wishes, missing)
        state: State = "fail" if severity == "error" else "warn"
        return Outcome(self.rule.control, state, render(path), None, found)

    def says(self, state: State, path: Path, note: str | None = None) -> Outcome:
        """Return an outcome without a breach."""
        pointer = render(path) if self.starred else self.passed.pointer
        return Outcome(self.rule.control, state, pointer, note)

    def passes(self, path: Path) -> Outcome:
        """Return the outcome of a field that meets the rule."""
        return self.says("pass", path) if self.starred else self.passed


Probe = Callable[[Locus, Mapping[str, Any], Path, Any, Ground], Outcome]

# A structure that is there but switched off has nothing to protect.
_SWITCHES = ("EnableCapture", "EnableOnlineStore")


def wanted(profile: Profile, *names: str) -> tuple[dict[str, Any], tuple[MissingValue, ...]]:
    """Return the profile's values by name, and what is missing with where it was looked for."""
    found: dict[str, Any] = {}
    missing = []
    for name in names:
        value = profile.get(name)
        if absent(value):
            looked = profile.looked.get(name) or ["nowhere, no profile is loaded"]
            missing.append(MissingValue(name, list(looked)))
        else:
            found[name] = value
    return found, tuple(missing)


def unresolved(value: Any) -> bool:
    """Tell whether the value is decided later (a pipeline variable), not in this request."""
    return isinstance(value, dict) and bool(value)


def later(what: str, value: Any) -> str:
    """Return why a value is not known; a reader that knows says so in ``{"Unknown": reason}``."""
    reason = value.get("Unknown") if isinstance(value, dict) else None
    return f"{what} is not known: {reason}" if reason else f"{what} is decided later"


def _applies(locus: Locus, params: Mapping[str, Any], anchor: Path) -> str | None:
    """Return why the field is not asked for, or None when it is."""
    if locus.unless is not None:
        for path in expand(params, locus.unless):
            if not absent(get(params, path)):
                return f"decided by {render(path)}"
    if not anchor:
        return None
    parent = get(params, anchor)
    if not isinstance(parent, dict) or (not parent and not isinstance(anchor[-1], int)):
        return f"no {anchor[-1]} in the request"
    for switch in _SWITCHES:
        if parent.get(switch) is False:
            return f"{anchor[-1]} is switched off"
    if "Outputs" in parent and absent(parent["Outputs"]):
        return "no outputs in the request"
    return None


def _at(
    probe: Probe, locus: Locus, params: Mapping[str, Any], anchor: Path, ground: Ground
) -> Outcome:
    path = anchor + locus.rest if locus.starred else locus.path
    value = get(params, path)
    if value is None and decided_later(params, path):
        return locus.says("depends", path, "it is decided later")
    if anchor or locus.unless is not None:
        reason = _applies(locus, params, anchor)
        if reason is not None:
            return locus.says("na", path, reason)
    if value is None and locus.field.also is not None:
        other = parse(locus.field.also)
        if not absent(get(params, other)):
            path, value = other, get(params, other)
    if locus.update and not anchor and absent(value):
        return locus.says("na", path, "unchanged by this update")
    outcome = probe(locus, params, path, value, ground)
    if outcome.breach is not None:
        reason = _open(locus, params, anchor)
        if reason is not None:
            return locus.says("depends", path, reason)
    return outcome


def _open(locus: Locus, params: Mapping[str, Any], anchor: Path) -> str | None:
    """Return what has yet to be decided before the field is asked for at all, or None."""
    if locus.unless is not None and decided_later(params, locus.unless):
        return f"{render(locus.unless)} is decided later"
    parent = get(params, anchor) if anchor else None
    if isinstance(parent, dict):
        for switch in _SWITCHES:
            if unresolved(parent.get(switch)):
                return f"{switch} is decided later"
    return None


class Baseline:
    """The rules that are in force, compiled per operation on first use.

    Evaluating is thread-safe: compiled probes are immutable, and compiling an operation
    twice gives the same result.
    """

    def __init__(self, rules: Iterable[Rule] | None = None) -> None:
        self.rules = tuple(builtin_rules() if rules is None else rules)
        self._compiled: dict[str, tuple[tuple[Probe, Locus], ...]] = {}
        self._ground: Ground | None = None

    def evaluate(
        self, operation: str, params: Mapping[str, Any], profile: Profile
    ) -> list[Outcome]:
        """Return what every rule says about the request, rule by rule and field by field.

        Unknown operations have no outcomes. Values of a wrong type count as absent:
        the request has not been validated when the guard sees it.
        """
        compiled = self._compiled.get(operation)
        if compiled is None:
            compiled = self._compiled[operation] = tuple(self._compile(operation))
        ground = self._ground
        if ground is None or ground.profile is not profile:
            from .probes import ground_of

            ground = self._ground = ground_of(profile)
        outcomes: list[Outcome] = []
        for probe, locus in compiled:
            if locus.starred:
                anchors = list(expand(params, locus.anchor))
                for anchor in anchors:
                    outcomes.append(_at(probe, locus, params, anchor, ground))
                if not anchors and decided_later(params, locus.anchor):
                    above = locus.anchor[: locus.anchor.index("*")]
                    outcomes.append(locus.says("depends", above, "it is decided later"))
            else:
                outcomes.append(_at(probe, locus, params, locus.anchor, ground))
        return outcomes

    def _compile(self, operation: str) -> Iterable[tuple[Probe, Locus]]:
        from .probes import probe_for

        entry = operations().get(operation)
        if entry is None:
            return
        for rule in self.rules:
            if rule.severity == "off" or not ({operation, "*"} & set(rule.operations)):
                continue
            fields = list(entry.fields)
            if rule.control == "tags":
                fields = [Field("tags", "word", "/Tags", "")]
            for field in fields:
                probe = probe_for(rule, field)
                if probe is None or (rule.pointers and field.pointer not in rule.pointers):
                    continue
                yield probe, self._locus(operation, rule, field)

    @staticmethod
    def _locus(operation: str, rule: Rule, field: Field) -> Locus:
        anchor = parse(field.anchor)
        path = parse(field.pointer)
        return Locus(
            rule=rule,
            field=field,
            anchor=anchor,
            rest=path[len(anchor) :],
            starred="*" in anchor,
            update=operation.startswith("Update"),
            unless=parse(rule.unless) if rule.unless else None,
            efs=operation == "CreateDomain",
            path=path,
            passed=Outcome(rule.control, "pass", field.pointer),
        )
