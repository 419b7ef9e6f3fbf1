"""Changes to a request that satisfy both answers: IAM's and the baseline's.

The search starts from what the baseline needs. As long as a statement stands against the request
(a Deny that applies, an Allow that does not, one that may do either), it tries the values that
could turn that statement, from the profile and from the statement itself, and asks again. The
shortest set of changes wins. Where every way is barred, no request of this kind can pass: the
statements that bar it are named.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from ..iam.conditions import Condition
from ..iam.statement import PolicyStatement
from ..rules.baseline import Baseline
from ..rules.patch import Assignment, apply, build
from ..rules.profile import Profile
from .access import GRAVITY, Answer, Asked, answers, summary, verdict_of
from .proposals import Proposals
from .records import Iam, Verdict
from .text import statement_name

_MOST_TRIED = 300
_MOST_CHANGES = 8
_MOST_WAYS = 24
_DENIED = ("explicitly-denied", "implicitly-denied")


class _Against(NamedTuple):
    """A statement that stands against the request; ``uncertain``: that may do so."""

    name: str
    statement: PolicyStatement | None
    uncertain: bool


def repair(
    asked: Asked,
    params: Mapping[str, Any],
    wishes: list[Assignment],
    profile: Profile,
    baseline: Baseline,
) -> tuple[Iam, list[Assignment]]:
    """Return IAM's answer to the request as it is, and the changes that satisfy both answers.

    ``wishes`` are the changes that the baseline needs. Where none make IAM allow the request,
    those come back after which the least stands against it, and ``Iam.unsatisfiable`` names
    the statements that bar every way, unless a value is missing that only the user can give.
    """
    iam = summary(answers(asked, params))
    if iam.verdict == "allowed" and not wishes:
        return iam, wishes
    mended = _changed(params, wishes)
    breaches = _errors(asked, mended, profile, baseline)
    search = _Search(asked, params, Proposals(asked.operation, profile))
    for found in search.run(wishes):
        if _errors(asked, _changed(params, found), profile, baseline) <= breaches:
            if search.allows(found):
                return iam, found
            wishes = found
            break
        search.undecided = True  # what IAM wants, the baseline forbids
    if iam.verdict in _DENIED and search.barred:
        iam = replace(iam, unsatisfiable=sorted(search.barred))
    return iam, _harmless(asked, params, wishes, iam.verdict)


def _changed(params: Mapping[str, Any], wishes: Sequence[Assignment]) -> dict[str, Any]:
    return apply(params, build(params, wishes))


def _harmless(
    asked: Asked, params: Mapping[str, Any], wishes: list[Assignment], before: Verdict
) -> list[Assignment]:
    """Leave out what the baseline wants and IAM would punish: a fix must not make things worse."""
    kept: list[Assignment] = []
    if _bears(asked, params, wishes, before):
        return wishes
    for wish in wishes:
        tried = [*kept, wish]
        if _bears(asked, params, tried, before):
            kept = tried
    return kept


def _bears(
    asked: Asked, params: Mapping[str, Any], wishes: Sequence[Assignment], before: Verdict
) -> bool:
    return GRAVITY[verdict_of(answers(asked, _changed(params, wishes)))] <= GRAVITY[before]


def _errors(
    asked: Asked, params: Mapping[str, Any], profile: Profile, baseline: Baseline
) -> set[tuple[str, str]]:
    found = baseline.evaluate(asked.operation, params, profile)
    return {
        (each.breach.rule.id, each.pointer)
        for each in found
        if each.breach is not None and each.breach.severity == "error"
    }


class _Search:
    """Breadth first over sets of changes, those with the fewest first."""

    def __init__(self, asked: Asked, params: Mapping[str, Any], proposals: Proposals) -> None:
        self.asked = asked
        self.params = params
        self.proposals = proposals
        self.undecided = False
        self._ends: set[str] = set()
        self._allowed: list[list[Assignment]] = []

    @property
    def barred(self) -> set[str]:
        """The statements at which every way ended; empty where a way stayed open."""
        return set() if self.undecided or self.proposals.lacking else self._ends

    def allows(self, wishes: list[Assignment]) -> bool:
        """Tell whether IAM allows the request with these changes, as far as they were tried."""
        return any(wishes is each for each in self._allowed)

    def run(self, wishes: list[Assignment]) -> Iterator[list[Assignment]]:
        """Yield sets of changes with which IAM allows the request, then the next best ones."""
        waiting = deque([wishes])
        seen = {_mark(wishes)}
        others: list[tuple[tuple[int, int, int], list[Assignment]]] = []
        while waiting:
            current = waiting.popleft()
            changed = _changed(self.params, current)
            found = answers(self.asked, changed)
            verdict = verdict_of(found)
            if verdict == "allowed":
                self._allowed.append(current)
                yield current
                continue
            self.undecided |= verdict == "depends"
            standing = sum(len(one.decision.statements) for group in found for one in group)
            others.append(((GRAVITY[verdict], standing, len(current)), current))
            if len(others) >= _MOST_TRIED or len(current) - len(wishes) >= _MOST_CHANGES:
                self.undecided = True
                continue
            self._branch(current, changed, found, waiting, seen)
        yield from (each for _, each in sorted(others, key=lambda pair: pair[0]))

    def _branch(
        self,
        current: list[Assignment],
        changed: Mapping[str, Any],
        found: Sequence[Sequence[Answer]],
        waiting: deque[list[Assignment]],
        seen: set[frozenset[tuple[str, str]]],
    ) -> None:
        """Add what turns one of the statements that stand against the request.

        All of them have to be turned, so the first that can be will do; one that only may
        stand against it (its key is not known) is passed over.
        """
        for against in self._against(found):
            ways = list(self._ways(against, changed))
            if not ways and against.uncertain:
                self.undecided = True
                continue
            new = 0
            for way in ways:
                after = _joined(current, way)
                mark = _mark(after)
                if mark not in seen:
                    seen.add(mark)
                    waiting.append(after)
                    new += 1
            if not new:
                self._ends.add(against.name)
            return

    def _against(self, found: Sequence[Sequence[Answer]]) -> Iterator[_Against]:
        """Yield the statements that stand, or may stand, against the request."""
        for group in found:
            for answer in group:
                decision = answer.decision
                if decision.verdict == "allowed":
                    continue
                uncertain = decision.verdict == "depends"
                for each in decision.statements:
                    name = statement_name(each)
                    if each.index < 0:
                        name = f"{each.layer}: no statement allows {answer.action}"
                    statement = self._statement(answer.action, each.layer, each.policy, each.index)
                    yield _Against(name, statement, uncertain)

    def _statement(
        self, action: str, layer: str, policy: str, index: int
    ) -> PolicyStatement | None:
        plan = self.asked.plan(action)
        for hit in plan.denies:
            if (hit.layer, hit.statement.policy, hit.statement.index) == (layer, policy, index):
                return hit.statement
        for allows in plan.allows:
            for statement in allows.statements:
                own = (allows.layer.name, statement.policy, statement.index)
                if own == (layer, policy, index):
                    return statement
        return None

    def _ways(
        self, against: _Against, changed: Mapping[str, Any]
    ) -> Iterator[tuple[Assignment, ...]]:
        """Yield changes that may turn the statement: one condition of a Deny, all of an Allow."""
        statement = against.statement
        if statement is None:
            return
        if statement.effect == "Deny":
            for condition in statement.conditions:
                yield from self._turn(condition, False, changed)
            return
        options = [
            [(), *self._turn(condition, True, changed)] for condition in statement.conditions
        ]
        for number, choice in enumerate(product(*options)):
            if number >= _MOST_WAYS:
                self.undecided = True
                return
            way = tuple(wish for part in choice for wish in part)
            if way:
                yield way

    def _turn(
        self, condition: Condition, wanted: bool, changed: Mapping[str, Any]
    ) -> list[tuple[Assignment, ...]]:
        return list(self.proposals.of(condition, wanted, changed))


def _joined(current: Sequence[Assignment], way: Sequence[Assignment]) -> list[Assignment]:
    """Return the changes with those of a way; a structure given whole replaces what is in it."""
    chosen = {wish.path: wish for wish in (*current, *way)}
    last = {wish.path for wish in way}
    return [
        wish
        for path, wish in chosen.items()
        if path in last or not any(path[:cut] in last for cut in range(1, len(path)))
    ]


def _mark(wishes: Sequence[Assignment]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (str(wish.path), "" if wish.value is UNSET else repr(wish.value)) for wish in wishes
    )
