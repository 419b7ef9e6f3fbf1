"""Deciding where some keys, or some layers, are not known: every possibility, then three values.

Keys with candidates are tried out, all combinations up to a bound. What is left open (a key of
which nothing is known, or one beyond the bound) makes a condition neither true nor false (Kleene).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

from . import open_reasons
from .cases import Case, Choice, Open, layer_state, state
from .context import Uncertain
from .plan import Plan, Request
from .records import SOMETHING, Decision, Verdict

MOST_CASES = 256


class _Options(NamedTuple):
    """The keys to try out with their choices, and those that are left open."""

    keys: tuple[str, ...]
    choices: tuple[tuple[Choice, ...], ...]
    left: frozenset[str]


def decide(
    plan: Plan, unread: tuple[str, ...], request: Request, matter: Mapping[str, Uncertain]
) -> Decision:
    """Decide a request with uncertain keys ``matter`` and layers that could not be read."""
    options = _options(matter)
    cases = [_case(plan, unread, request, options, chosen) for chosen in product(*options.choices)]
    possible = frozenset[Verdict]().union(*(case.verdicts for case in cases))
    verdict = _overall(possible)
    asked = open_reasons.Asked(plan, unread, matter, options.keys, options.left)
    return Decision(verdict, partial(open_reasons.reasons, asked, cases, possible))


def _overall(possible: frozenset[Verdict]) -> Verdict:
    """Return the one verdict; a request denied either way is denied, the weaker way."""
    if len(possible) == 1:
        return next(iter(possible))
    return "depends" if "allowed" in possible else "implicitly-denied"


def _options(matter: Mapping[str, Uncertain]) -> _Options:
    """Choose the keys to try out, those with the fewest candidates first."""
    keys: list[str] = []
    choices: list[tuple[Choice, ...]] = []
    number = 1
    sizes = sorted((len(each.candidates) or 2, key) for key, each in matter.items())
    for size, key in sizes:
        if number * size > MOST_CASES:
            break
        number *= size
        keys.append(key)
        choices.append(matter[key].candidates or (None, SOMETHING))
    return _Options(tuple(keys), tuple(choices), frozenset(matter) - set(keys))


def _case(
    plan: Plan,
    unread: tuple[str, ...],
    request: Request,
    options: _Options,
    chosen: Sequence[Choice],
) -> Case:
    """Evaluate one combination."""
    context = dict(request.context)
    here = dict(zip(options.keys, chosen, strict=True))
    context.update((key, value) for key, value in here.items() if value is not None)
    unknown = {key for key, value in here.items() if value is SOMETHING}
    opened = Open(options.left | unknown, options.left)
    tried = Request(request.action, request.resource, context)
    denies = [(hit, state(hit.statement, tried, opened)) for hit in plan.denies]
    certain = [hit for hit, holds in denies if holds]
    maybe = [hit for hit, holds in denies if holds is None]
    layers = [(each, layer_state(each, tried, opened, unread)) for each in plan.allows]
    verdicts: set[Verdict] = {"explicitly-denied"} if certain or maybe else set()
    if not certain:
        states = {holds for _, holds in layers}
        if False in states or None in states:
            verdicts.add("implicitly-denied")
        if False not in states:
            verdicts.add("allowed")
            # What was not read may deny what all else allows.
            verdicts.update(("explicitly-denied",) if unread else ())
    return Case(here, tried, opened, frozenset(verdicts), certain, maybe, layers)
