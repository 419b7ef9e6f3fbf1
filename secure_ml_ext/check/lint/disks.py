"""Volume keys demanded of instance types whose local disks refuse one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...rules.model import has_local_disk, local_disk_families
from . import facts
from .group import Beside, covers
from .records import LintFinding, listed
from .report import found
from .rewrite import (
    Statement,
    copied,
    one_or_many,
    with_actions,
    with_condition,
    with_sid,
    without,
    written_values,
)
from .rows import Clause, Row

_SIZES = ("large", "xlarge")
_MOST_NAMED = 100
_WELL_KNOWN = ("g4dn", "g5", "p4d")
_KEY = "sagemaker:InstanceTypes"
_EXEMPT = "ForAllValues:StringNotLike"
_ONLY = "ForAllValues:StringLike"


def check(file: str, row: Row, beside: Beside) -> Iterator[LintFinding]:
    """Yield ``unsatisfiable-local-disk``."""
    volume = [clause for clause in row.clauses if clause.family == facts.VOLUME_KEY]
    if not volume:
        return
    types = [clause for clause in row.clauses if clause.family == facts.INSTANCE_TYPES]
    demanding = facts.refusing_actions() & _demanding(row, volume)
    open_: dict[str, set[str]] = {}
    exempt = False
    for family in local_disk_families() if demanding else ():
        caught, let_go = _caught(row, beside, demanding, types, _samples(family, types))
        exempt = exempt or let_go
        for action in caught:
            open_.setdefault(action, set()).add(family)
    if not open_:
        return
    families = facts.in_order(set[str]().union(*open_.values()))
    names = facts.in_order(open_)
    known = sorted(families, key=lambda family: family not in _WELL_KNOWN)
    shown = listed(_patterns(known), 3)
    does = (
        f"this Deny refuses {listed(names)} without one"
        if row.effect == "Deny"
        else f"no statement here allows {listed(names)} without one"
    )
    message = (
        f"Instance types with local disks ({shown}) refuse a volume key, and {does}{_hint(types)}."
    )
    correction = _exempted if row.effect == "Deny" else _allowed
    yield found(
        file,
        row,
        "unsatisfiable-local-disk",
        message,
        correction(row, frozenset(open_), families, volume, types),
        names,
        keys=facts.in_order(clause.key for clause in volume),
        # Whoever exempts some families knows the matter, and may not offer the others.
        severity="info" if exempt else None,
    )


def _hint(types: list[Clause]) -> str:
    """Name an exemption that exempts nothing: SageMaker's instance types begin with ``ml.``."""
    values = [value for clause in types for value in clause.condition.values]
    idle = [v for v in values if not v.startswith(("ml.", "m*", "*", "?", "$")) and "." in v]
    return f"; no instance type fits {listed(idle, 3)}, for all begin with ml" if idle else ""


def _demanding(row: Row, volume: list[Clause]) -> frozenset[str]:
    """Return the actions of which a call without a volume key fails, whatever else it has."""
    carried = frozenset[str]().union(*(clause.carried(row.alive) for clause in volume))
    if row.effect == "Allow":
        return frozenset[str]().union(
            *(clause.carried(row.alive) for clause in volume if not clause.absent)
        )
    for clause in row.clauses:
        known = clause.family in (facts.VOLUME_KEY, facts.INSTANCE_TYPES)
        if clause in volume and not clause.absent:
            carried -= clause.carried(carried)
        elif clause.kind == "request" and not known:
            carried = clause.missing(carried)
    return carried


def _samples(family: str, types: list[Clause]) -> list[str]:
    """Return instance types of a family, those that the statement itself names included."""
    own = (value for clause in types for value in clause.condition.values[:_MOST_NAMED])
    named = [v for v in own if v.startswith(f"ml.{family}.") and "*" not in v and "?" not in v]
    return [*(f"ml.{family}.{size}" for size in _SIZES), *named]


def _caught(
    row: Row, beside: Beside, actions: frozenset[str], types: list[Clause], samples: list[str]
) -> tuple[frozenset[str], bool]:
    """Return the actions for which no call with the family succeeds, and whether it is exempt.

    A Deny exempts a family when it lets some of its types go. Where other statements refuse all of
    them anyway, or another Allow serves one without a key, there is nothing to say.
    """
    reached = [sample for sample in samples if all(_holds(clause, sample) for clause in types)]
    exempt = row.effect == "Deny" and len(reached) < len(samples)
    if exempt or not reached:
        return frozenset(), exempt
    refused = [_refused(row, beside, sample) for sample in reached]
    caught = actions.difference(frozenset.intersection(*refused))
    if row.effect == "Allow":
        caught = caught.difference(*(_served(row, beside, sample) for sample in reached))
    return caught, False


def _refused(row: Row, beside: Beside, sample: str) -> frozenset[str]:
    """Return the actions for which another Deny refuses an instance type altogether."""
    others = (
        other.actions
        for other in beside.by_types
        if other is not row
        and all(_holds(clause, sample) for clause in other.clauses)
        and covers(other, row)
    )
    return frozenset[str]().union(*others)


def _served(row: Row, beside: Beside, sample: str) -> frozenset[str]:
    """Return the actions for which another Allow lets a type pass without a volume key."""
    others = (
        other.alive
        for other in beside.keyless
        if other is not row
        and all(_holds(c, sample) for c in other.clauses if c.family == facts.INSTANCE_TYPES)
    )
    return frozenset[str]().union(*others)


def _holds(clause: Clause, instance_type: str) -> bool:
    return clause.condition.test({facts.INSTANCE_TYPES: instance_type})


def _patterns(families: Iterable[str]) -> list[str]:
    return [f"ml.{family}.*" for family in families]


def _exempted(
    row: Row,
    affected: frozenset[str],
    families: list[str],
    volume: list[Clause],
    types: list[Clause],
) -> list[Statement] | Statement | None:
    """Return the Deny with those families exempt, and the Deny as it is for all other actions.

    ForAllValues: a request that mixes families may have no key either.
    """
    exempt: Statement | None = copied(row.written)
    listing = next((c for c in types if c.condition.operator.name == _EXEMPT), None)
    patterns = _patterns(families)
    if exempt and listing:
        values = written_values(row, listing)
        known = values if isinstance(values, list) else [values]
        exempt["Condition"][listing.block][listing.key] = [*known, *patterns]
    else:
        exempt = with_condition(exempt, _EXEMPT, _KEY, patterns)
    carrying = frozenset[str]().union(*(clause.carried(row.actions) for clause in volume))
    others = frozenset(
        action for action in row.actions - affected if action in carrying or action in row.literal
    )
    if others:
        exempt = exempt and with_actions(row, exempt, affected, others=False)
        exempt = exempt and with_sid(exempt, "LocalDisks")
    elif not row.actions <= affected:
        exempt = exempt and with_actions(row, exempt, affected, others=True)
    if exempt is None:
        return None
    rest = with_actions(row, copied(row.written), others, others=True) if others else None
    return one_or_many([exempt, rest])


def _allowed(
    row: Row,
    affected: frozenset[str],
    families: list[str],
    volume: list[Clause],
    types: list[Clause],
) -> list[Statement] | Statement | None:
    """Return the Allow, and one without the volume key for those families alone."""
    extra: Statement | None = with_actions(
        row, without(copied(row.written), volume), affected, others=False
    )
    listing = next((c for c in types if c.condition.operator.name == _ONLY), None)
    if extra and listing:
        values = written_values(row, listing)
        named = [v for v in (values if isinstance(values, list) else [values]) if has_local_disk(v)]
        extra["Condition"][listing.block][listing.key] = named or _patterns(families)
    else:
        extra = with_condition(extra, _ONLY, _KEY, _patterns(families))
    extra = with_condition(extra, "Null", _KEY, "false")
    if extra is None:
        return None
    return [copied(row.written), with_sid(extra, "LocalDisks")]
