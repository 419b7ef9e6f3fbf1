"""The reasons of a decision that is not certain: its outcomes, and the question that settles it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from . import explain
from .cases import Case, Choice
from .context import Uncertain
from .plan import Plan
from .records import SOMETHING, DecidingStatement, Outcome, Reasons, Verdict

_ORDER: tuple[Verdict, ...] = ("allowed", "implicitly-denied", "explicitly-denied")
_LAYERS = {
    "identity": "the identity policies",
    "boundary": "the permissions boundary",
    "session": "the session policy",
    "scps": "the service control policies",
}
_MOST_SHOWN = 3


class Asked(NamedTuple):
    """What was open when a request was decided."""

    plan: Plan
    unread: tuple[str, ...]
    matter: Mapping[str, Uncertain]
    keys: tuple[str, ...]
    left: frozenset[str]


def reasons(asked: Asked, cases: Sequence[Case], possible: frozenset[Verdict]) -> Reasons:
    """Give the statements, and where there are several verdicts, outcomes and question."""
    if possible == {"allowed"}:
        return explain.allowed(cases[0].request, asked.plan)
    deciding = _deciding(asked, cases)
    outcomes = [
        _outcome(verdict, asked, cases, deciding) for verdict in _ORDER if verdict in possible
    ]
    against = (each.statements for each in outcomes if each.verdict != "allowed")
    statements = _distinct(one for several in against for one in several)
    if len(possible) == 1:
        return Reasons(_always(next(iter(possible)), cases) or statements)
    return Reasons(statements, outcomes, _question(asked, cases, deciding))


def _outcome(
    verdict: Verdict, asked: Asked, cases: Sequence[Case], deciding: Sequence[str]
) -> Outcome:
    fitting = [case for case in cases if verdict in case.verdicts]
    whens = list(dict.fromkeys(_when(verdict, asked, case, deciding) for case in fitting))
    more = f" or {len(whens) - _MOST_SHOWN} more" if len(whens) > _MOST_SHOWN else ""
    found = _distinct(one for case in fitting for one in _statements(verdict, case))
    return Outcome(verdict, " or ".join(whens[:_MOST_SHOWN]) + more, found)


def _always(verdict: Verdict, cases: Sequence[Case]) -> list[DecidingStatement]:
    """Return the statements that decide in every case; what only may apply decides nothing then."""
    by_case = [_distinct(_statements(verdict, case)) for case in cases]
    names = [{(one.layer, one.policy, one.index) for one in several} for several in by_case]
    common = set.intersection(*names)
    return [one for one in by_case[0] if (one.layer, one.policy, one.index) in common]


def _statements(verdict: Verdict, case: Case) -> Iterable[DecidingStatement]:
    """Return the statements that make a verdict in one case."""
    if verdict == "explicitly-denied":
        for hit in case.denies or case.may_deny:
            yield explain.deny(case.request, hit, case.open)
    elif verdict == "implicitly-denied":
        for allows, holds in case.layers:
            if not holds:
                yield explain.nearest(case.request, allows, case.open)
    else:
        for allows, holds in case.layers:
            found = explain.allow(case.request, allows, case.open) if holds else None
            if found:
                yield found


def _when(verdict: Verdict, asked: Asked, case: Case, deciding: Sequence[str]) -> str:
    """Describe a case by the keys that decide."""
    parts = []
    for key in deciding:
        name = asked.matter[key].key
        if key in asked.left:
            parts.append(f"{name} is such")
        elif case.chosen[key] is SOMETHING:
            parts.append(f"{name} has {'such a' if len(case.verdicts) > 1 else 'a'} value")
        else:
            parts.append(f"{name} {_is(case.chosen[key])}")
    if asked.unread and len(case.verdicts) > 1:
        effect = "allow" if verdict == "allowed" else "do not allow"
        parts.append(f"{_unread(asked.unread)}, which could not be read, {effect} it")
    return " and ".join(parts) or "in any case"


def _deciding(asked: Asked, cases: Sequence[Case]) -> list[str]:
    """Return the uncertain keys that can change the verdict."""
    by_choice = {tuple(case.chosen.values()): case.verdicts for case in cases}
    found = set(_read_by_open(cases))
    for place, key in enumerate(asked.keys):
        groups: dict[tuple[Choice, ...], frozenset[Verdict]] = {}
        for chosen, verdicts in by_choice.items():
            others = (*chosen[:place], *chosen[place + 1 :])
            if groups.setdefault(others, verdicts) != verdicts:
                found.add(key)
                break
    return [key for key in asked.matter if key in found]


def _read_by_open(cases: Iterable[Case]) -> Iterable[str]:
    """Yield the unknown keys that statements read which neither apply nor do not."""
    for case in cases:
        if len(case.verdicts) == 1:
            continue
        statements = [hit.statement for hit in case.may_deny]
        for allows, holds in case.layers:
            if holds is None:
                statements += allows.statements
        for statement in statements:
            yield from statement.keys & case.open.values


def _question(asked: Asked, cases: Sequence[Case], deciding: Sequence[str]) -> str:
    open_layers = asked.unread and any(len(case.verdicts) > 1 for case in cases)
    if len(deciding) == 1 and not open_layers and asked.matter[deciding[0]].question:
        return str(asked.matter[deciding[0]].question)
    parts = [_ask(asked.matter[key]) for key in deciding]
    if open_layers:
        parts.append(f"do {_unread(asked.unread)}, which could not be read, allow this request")
    text = ", and ".join(parts)
    return f"{text[:1].upper()}{text[1:]}?"


def _ask(uncertain: Uncertain) -> str:
    if not uncertain.candidates:
        return f"what is {uncertain.key}, if this request has it"
    if uncertain.candidates == (SOMETHING,):
        return f"what is the value of {uncertain.key}"
    shown = [_named(each) for each in uncertain.candidates[: _MOST_SHOWN + 1]]
    more = " or something else" if len(uncertain.candidates) > len(shown) else ""
    return f"is {uncertain.key} {' or '.join(shown)}{more} in this request"


def _named(choice: Choice) -> str:
    if choice is None:
        return "absent"
    if choice is SOMETHING:
        return "of a certain value"
    return f'"{choice}"' if isinstance(choice, str) else f"[{', '.join(choice)}]"


def _is(choice: Choice) -> str:
    return f"is {_named(choice)}"


def _unread(layers: Sequence[str]) -> str:
    return " and ".join(_LAYERS.get(name, f"the policies of {name}") for name in layers)


def _distinct(statements: Iterable[DecidingStatement]) -> list[DecidingStatement]:
    found: dict[tuple[str, str, int], DecidingStatement] = {}
    for each in statements:
        found.setdefault((each.layer, each.policy, each.index), each)
    return list(found.values())
