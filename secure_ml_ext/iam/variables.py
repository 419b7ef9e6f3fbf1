"""Policy variables: ``${aws:PrincipalTag/team, 'default'}`` and the literal ``${*}``.

Only documents of version 2012-10-17 have them, in resources and in the values of String, Arn and
Bool operators. AWS: "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from .errors import PolicyError
from .glob import Piece, join, pieces_of

LITERAL = {"*": "*", "?": "?", "$": "$"}
_REMEMBERED = 16
Compiled = TypeVar("Compiled")
Context = Mapping[str, "str | tuple[str, ...]"]


class Variable(NamedTuple):
    """A reference to a context key (lower case) and its default, if any."""

    key: str
    default: str | None


class Template:
    """A policy string with variables: text (with wildcards), literal text, variables.

    ``parts`` holds ``(text, literal)`` pairs and variables; ``keys`` the context keys it reads,
    in lower case.
    """

    __slots__ = ("keys", "parts", "text", "variables")

    def __init__(self, text: str, parts: Sequence[tuple[str, bool] | Variable]) -> None:
        self.text = text
        self.parts = tuple(parts)
        self.variables = tuple(part for part in parts if isinstance(part, Variable))
        self.keys = frozenset(variable.key for variable in self.variables)

    def values(self, context: Context) -> tuple[str, ...] | None:
        """Return what the variables stand for, in order; None where one has no value."""
        found = []
        for variable in self.variables:
            text = value_of(variable, context)
            if text is None:
                return None
            found.append(text)
        return tuple(found)

    def resolve(self, context: Context) -> str | None:
        """Return the string with all variables replaced; None where one has no value."""
        found = self.values(context)
        if found is None:
            return None
        values = iter(found)
        return "".join(
            next(values) if isinstance(part, Variable) else part[0] for part in self.parts
        )

    def pieces(self, values: tuple[str, ...]) -> list[Piece]:
        """Return the pattern with the values of its variables, in order, as literal text."""
        found: list[Piece] = []
        remaining = iter(values)
        for part in self.parts:
            if isinstance(part, Variable):
                found.append(next(remaining))
            elif part[1]:
                found.append(part[0])
            else:
                found.extend(pieces_of(part[0]))
        return join(found)


class Patterns(Generic[Compiled]):
    """A template with what its pattern was compiled to, for the last values of its variables.

    The values of a principal hardly change between requests.
    """

    __slots__ = ("_compile", "_known", "template")

    def __init__(
        self, template: Template, compile_pieces: Callable[[list[Piece]], Compiled]
    ) -> None:
        self.template = template
        self._compile = compile_pieces
        self._known: dict[tuple[str, ...], tuple[Compiled]] = {}

    def resolve(self, context: Context) -> tuple[Compiled] | None:
        """Return the compiled pattern; None where a variable has no value."""
        values = self.template.values(context)
        if values is None:
            return None
        found = self._known.get(values)
        if found is None:
            found = (self._compile(self.template.pieces(values)),)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[values] = found
        return found


def value_of(variable: Variable, context: Context) -> str | None:
    """Return what a variable stands for: a single value, else its default, else None.

    A key with several values cannot be used as a variable, and one with an empty value has none.
    """
    value = context.get(variable.key)
    return value if isinstance(value, str) and value else variable.default


def template(text: str) -> str | Template:
    """Read the variables of a policy string; a string without any comes back as it is."""
    if "${" not in text:
        return text
    parts: list[tuple[str, bool] | Variable] = []
    at = 0
    while (start := text.find("${", at)) >= 0:
        if start > at:
            parts.append((text[at:start], False))
        part, at = _variable(text, start)
        parts.append(part)
    if at < len(text):
        parts.append((text[at:], False))
    return Template(text, parts)


def _variable(text: str, start: int) -> tuple[tuple[str, bool] | Variable, int]:
    """Read one variable that starts at ``start``; return it and where it ends."""
    end = text.find("}", start)
    quote = text.find("'", start)
    if end < 0:
        raise PolicyError("the policy variable has no closing brace", character=start)
    if not start < quote < end:
        name = text[start + 2 : end].strip()
        if not name:
            raise PolicyError("the policy variable is empty", character=start)
        if name in LITERAL:
            return (LITERAL[name], True), end + 1
        if "," in name:
            raise PolicyError(
                "the default of a policy variable must be in single quotes", character=start
            )
        return Variable(name.lower(), None), end + 1
    name, comma, _ = text[start + 2 : quote].rpartition(",")
    close = text.find("'}", quote + 1)
    if close < 0 or not comma or not name.strip():
        raise PolicyError(
            "a default is written ${key, 'default'}, in single quotes", character=start
        )
    return Variable(name.strip().lower(), text[quote + 1 : close]), close + 2
