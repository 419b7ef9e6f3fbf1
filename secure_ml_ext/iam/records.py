"""What an evaluation is asked with and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

Verdict = Literal["allowed", "implicitly-denied", "explicitly-denied", "depends"]
Value = str | list[str] | bool | int | float | None


# A candidate: the key is present, with a value nobody knows. A text, so that Null finds it.
SOMETHING: Final = "\N{REPLACEMENT CHARACTER}"


class Undetermined:
    """A context key whose value is not certain.

    ``candidates`` are what it may be: a string, a list of strings, None for absent, or
    ``SOMETHING``. Without candidates it may be anything or absent. ``question`` replaces the
    generated question, one sentence.
    """

    __slots__ = ("candidates", "question")

    def __init__(self, candidates: Sequence[Value] = (), question: str | None = None) -> None:
        self.candidates = tuple(candidates)
        self.question = question

    def __repr__(self) -> str:
        return f"Undetermined({self.candidates!r})"


class Why(Struct, frozen=True):
    """One condition of a statement: what it asks for and what the request has.

    ``found`` is None for an absent key; values of tags are not shown. ``holds`` is None where it
    cannot be told.
    """

    operator: str
    key: str
    wanted: list[str]
    found: str | list[str] | None
    holds: bool | None = True
    known: bool = True

    def __str__(self) -> str:
        return f"{self.key} {self._found()} ({self.operator} {_listed(self.wanted)})"

    def _found(self) -> str:
        if not self.known:
            return "is not known"
        if self.found is None:
            return "is absent"
        if isinstance(self.found, list):
            return f"has the values {_listed(self.found)}"
        return f"is {self.found}" if self.found else "is empty"


class DecidingStatement(Struct, frozen=True):
    """A statement that decided, and why.

    ``layer`` is identity, boundary, session or scp:0, scp:1, … from the root down. Where a layer
    has no Allow at all for the action, ``index`` is -1 and ``sid`` None: the layer decided.
    """

    layer: str
    policy: str
    sid: str | None
    index: int
    why: str
    conditions: list[Why] = []


class Outcome(Struct, frozen=True):
    """One of several possible verdicts, when it holds, and the statements that make it."""

    verdict: Verdict
    when: str
    statements: list[DecidingStatement] = []

    def __str__(self) -> str:
        return f"{self.verdict} if {self.when}"


class Reasons(Struct, frozen=True):
    """What stands behind a verdict."""

    statements: list[DecidingStatement] = []
    outcomes: list[Outcome] = []
    question: str | None = None


class Decision:
    """What IAM would decide about one request.

    ``verdict`` is ``allowed``, ``implicitly-denied``, ``explicitly-denied`` or ``depends``.
    ``statements`` are those that decided: all that deny; the nearest unmet Allow of each layer
    that lacks one; else the Allow of each layer. Where a value that is not certain changes the
    verdict, ``outcomes`` holds each possible one and ``question`` what would settle it; a
    request that is denied either way is ``implicitly-denied``. Reasons are put into words when
    first read.
    """

    __slots__ = ("_explain", "_reasons", "verdict")

    def __init__(self, verdict: Verdict, explain: Callable[[], Reasons]) -> None:
        self.verdict: Verdict = verdict
        self._explain = explain
        self._reasons: Reasons | None = None

    @property
    def reasons(self) -> Reasons:
        """Everything behind the verdict."""
        if self._reasons is None:
            self._reasons = self._explain()
        return self._reasons

    @property
    def statements(self) -> list[DecidingStatement]:
        """The statements that decided."""
        return self.reasons.statements

    @property
    def outcomes(self) -> list[Outcome]:
        """The possible verdicts, where there are several."""
        return self.reasons.outcomes

    @property
    def question(self) -> str | None:
        """The question whose answer would settle the verdict, one sentence."""
        return self.reasons.question

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as plain JSON types."""
        return {"verdict": self.verdict, **msgspec.to_builtins(self.reasons)}

    def __repr__(self) -> str:
        return f"Decision({self.verdict!r}, {self.statements!r})"


def _listed(values: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(value or '""' for value in values[:most])
    return shown + (f" … ({len(values)} in all)" if len(values) > most else "")
