"""Patterns of ARNs: those of ``Resource`` and those of the Arn operators differ.

In ``Resource`` a ``*`` at the end of a segment may go beyond colons (AWS: "IAM JSON policy
elements: Resource"); the Arn operators check each of the six components separately (AWS:
"Condition operators").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .errors import PolicyError
from .glob import ANY, ANY_INSIDE, MANY, MANY_INSIDE, Matcher, Piece, join, matcher, pieces_of
from .variables import Context, Patterns, Template, Variable

SEGMENTS = 6


class ArnPattern(NamedTuple):
    """The six components of a pattern; those that match anything are left out."""

    parts: tuple[tuple[int, Matcher], ...]

    def matches(self, segments: list[str]) -> bool:
        """Tell whether the components of an ARN match, each by itself."""
        for number, match in self.parts:  # noqa: SIM110 - a loop costs half of all()
            if not match(segments[number]):
                return False
        return True


def arn_pattern(pieces: list[Piece]) -> ArnPattern | None:
    """Compile the value of an Arn operator; None for what is no ARN (five components at least)."""
    segments: list[list[Piece]] = [[]]
    for piece in pieces:
        if not isinstance(piece, str):
            segments[-1].append(piece)
            continue
        first, *others = piece.split(":", SEGMENTS - len(segments))
        segments[-1].append(first)
        segments.extend([other] for other in others)
    if len(segments) < SEGMENTS - 1:
        return None
    segments += [[]] * (SEGMENTS - len(segments))
    tidy = [join(piece for piece in segment if piece != "") for segment in segments]
    parts = [(n, matcher(part)) for n, part in enumerate(tidy) if part != [MANY]]
    return ArnPattern(tuple(parts))


def segments_of(value: str) -> list[str] | None:
    """Split an ARN into its six components; None for what is no ARN."""
    segments = value.split(":", SEGMENTS - 1)
    if len(segments) < SEGMENTS:
        if len(segments) < SEGMENTS - 1:
            return None
        segments.append("")
    segments[0] = segments[0].lower()
    return segments


Covers = Callable[[str, Context], bool]


class Resources:
    """The patterns of ``Resource`` or ``NotResource``.

    ``covers(resource, context)`` tells whether any matches; a variable without a value matches
    nothing. ``keys`` are the context keys that the variables read.
    """

    __slots__ = ("_exact", "_matchers", "_templates", "covers", "everything", "keys")

    def __init__(
        self,
        everything: bool,
        exact: frozenset[str],
        matchers: tuple[Matcher, ...],
        templates: list[Template],
    ) -> None:
        self.everything = everything
        self._exact = exact
        self._matchers = matchers
        self._templates = [Patterns(template, _bounded_matcher) for template in templates]
        self.keys = frozenset[str]().union(*(template.keys for template in templates))
        self.covers: Covers = self._covers
        if len(matchers) == 1 and not (everything or exact or templates):
            (only,) = matchers
            self.covers = lambda resource, context: only(resource)

    def fixed(self, resource: str) -> bool:
        """Tell whether a pattern without variables matches."""
        if self.everything or resource in self._exact:
            return True
        for match in self._matchers:  # noqa: SIM110 - a loop costs half of any()
            if match(resource):
                return True
        return False

    def _covers(self, resource: str, context: Context) -> bool:
        if self.fixed(resource):
            return True
        for template in self._templates:
            found = template.resolve(context)
            if found is not None and found[0](resource):
                return True
        return False


def resources(values: list[str | Template]) -> Resources:
    """Compile the values of ``Resource`` or ``NotResource``; PolicyError for what is no ARN."""
    everything = False
    exact, patterns, templates = [], [], []
    for value in values:
        text = value.text if isinstance(value, Template) else value
        if text and not text.strip("*"):
            everything = True
            continue
        _check_format(text)
        if isinstance(value, Template):
            if not _early_variable(value):
                templates.append(value)
            continue
        for pieces in _alternatives(pieces_of(value)):
            if len(pieces) == 1 and isinstance(pieces[0], str):
                exact.append(pieces[0])
            else:
                patterns.append(matcher(pieces))
    return Resources(everything, frozenset(exact), tuple(patterns), templates)


def _check_format(text: str) -> None:
    prefix, colon, _ = text.partition(":")
    if not colon or not matcher(pieces_of(prefix.lower()))("arn"):
        raise PolicyError("a resource must be an ARN or *")


def _early_variable(template: Template) -> bool:
    """Tell whether a variable stands before the fifth colon, where AWS replaces none."""
    colons = 0
    for part in template.parts:
        if isinstance(part, Variable):
            return colons < SEGMENTS - 1
        colons += part[0].count(":")
    return False


def _bounded_matcher(pieces: list[Piece]) -> Matcher:
    return matcher(_bounded(pieces)[0])


def _alternatives(pieces: list[Piece]) -> list[list[Piece]]:
    """Return what a pattern may mean.

    A short ARN is completed with ``*``, or its own ``*`` stands for what seems to be missing.
    """
    bounded, colons = _bounded(pieces)
    if colons >= SEGMENTS - 1 or bounded[-1] == MANY:
        return [bounded]
    completed = join([*bounded, ":", MANY])
    return [bounded, completed] if MANY in bounded else [completed]


def _bounded(pieces: list[Piece]) -> tuple[list[Piece], int]:
    """Keep wildcards inside their segments; return the pieces and how many colons they have.

    Behind the fifth colon, and for a ``*`` at the end of a segment, a colon is like any character.
    The names of the partition's prefix and of the service are read in any case.
    """
    bounded: list[Piece] = []
    colons = 0
    for number, piece in enumerate(pieces):
        if isinstance(piece, str):
            bounded.append(_lower(piece, colons))
            colons += piece.count(":")
            continue
        follower = pieces[number + 1] if number + 1 < len(pieces) else ":"
        free = colons >= SEGMENTS - 1 or (
            piece == MANY and isinstance(follower, str) and follower.startswith(":")
        )
        bounded.append(piece if free else {ANY: ANY_INSIDE, MANY: MANY_INSIDE}[piece])
    return join(bounded), colons


def _lower(text: str, colons: int) -> str:
    """Lower the case of the first and the third segment, where the text holds parts of them."""
    if text.islower() or colons > 2:
        return text
    segments = text.split(":")
    for number in (0, 2):
        if 0 <= number - colons < len(segments):
            segments[number - colons] = segments[number - colons].lower()
    return ":".join(segments)
