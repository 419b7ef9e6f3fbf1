"""What one profile source says, and how sources are laid over each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..rules.profile import PROFILE_VALUES, ProfileValue
from .errors import to_problem
from .records import Problem, ProblemCode


@dataclass
class Gathered:
    """The values of one source, the places it asked, and what went wrong."""

    values: dict[str, ProfileValue] = field(default_factory=dict)
    looked: dict[str, list[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def put(self, name: str, value: Any, source: str) -> bool:
        """Keep a value unless it is missing; say whether it was there.

        None, ``""`` and ``[]`` are missing. The first value of a name is kept.
        """
        self.asked(name, source)
        usable = normalise(name, value)
        if usable is None:
            return False
        self.values.setdefault(name, ProfileValue(usable, source))
        return True

    def asked(self, name: str, place: str) -> None:
        """Note that ``place`` was asked for a value."""
        places = self.looked.setdefault(name, [])
        if place not in places:
            places.append(place)

    def asked_for_all(self, names: Iterable[str], place: str) -> None:
        """Note that ``place`` was asked for several values."""
        for name in names:
            self.asked(name, place)

    def problem(self, problem: Problem) -> None:
        """Keep a problem once."""
        if problem not in self.problems:
            self.problems.append(problem)


def normalise(name: str, value: Any) -> str | list[str] | None:
    """Return a value in the form the profile holds, or None when it is missing.

    Lists may be written comma separated; a single value may be a list of one.
    """
    takes_list = PROFILE_VALUES[name][1]
    parts: list[str] = []
    for part in value if isinstance(value, (list, tuple)) else [value]:
        if not isinstance(part, str):
            continue
        pieces = part.split(",") if takes_list else [part]
        parts += [piece.strip() for piece in pieces if piece.strip()]
    if not parts:
        return None
    return list(dict.fromkeys(parts)) if takes_list else parts[0]


def merge(sources: Iterable[Gathered]) -> Gathered:
    """Lay sources over each other: the first that has a value wins."""
    merged = Gathered()
    for source in sources:
        for name, value in source.values.items():
            merged.values.setdefault(name, value)
        for name, places in source.looked.items():
            for place in places:
                merged.asked(name, place)
        for problem in source.problems:
            merged.problem(problem)
    return merged


_EVERYWHERE: frozenset[ProblemCode] = frozenset(
    ("no-credentials", "expired-credentials", "no-region")
)
_SERVICE_WIDE: frozenset[ProblemCode] = frozenset(
    ("endpoint-unreachable", "region-unsupported", "throttled")
)


class Asker:
    """Calls AWS for the profile; a failure is kept as a problem and never raised.

    After a failure that concerns a whole service (unreachable, throttled) or every
    service (no credentials), further calls are not made.
    """

    def __init__(self, make_client: Callable[[str], Any], region: str | None) -> None:
        self._make_client = make_client
        self.region = region
        self.problems: list[Problem] = []
        self._off: set[str] = set()

    def ask(self, service: str, operation: str, method: str, **params: Any) -> dict[str, Any]:
        """Return the reply of one call, or ``{}``; see ``problems`` for why."""
        if service in self._off or "*" in self._off:
            return {}
        try:
            reply = getattr(self._make_client(service), method)(**params)
        except Exception as exc:
            problem = to_problem(exc, service=service, operation=operation, region=self.region)
            if problem not in self.problems:
                self.problems.append(problem)
            if problem.code in _EVERYWHERE:
                self._off.add("*")
            elif problem.code in _SERVICE_WIDE:
                self._off.add(service)
            return {}
        return reply if isinstance(reply, dict) else {}
