"""Statements as the lint looks at them: compiled, as written, and with the actions they reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from ...iam.conditions import Condition
from ...iam.document import read_document
from ...iam.errors import PolicyError
from ...iam.statement import PolicyStatement
from ..files import InputError
from . import facts
from .positions import Lines, Span, spans
from .reach import SERVICE, is_wild, may_reach, named_by, reached
from .records import Place, Region, StatementRef
from .sources import Content, Group, Source

MOST_STATEMENTS = 1000
MOST_ENTRIES = 2000
MOST_CLAUSES = 500
_RESOURCES, _ROLES = "arn:*:sagemaker:*:*:*", "arn:*:iam::*:role/*"
_PRINCIPALS = ("Principal", "NotPrincipal")


class Clause:
    """One condition: the operator and the key as written, and the condition compiled.

    ``family`` is the key under its present name, lower case; ``absent`` tells whether the
    condition holds for a request without the key; ``wanted`` is what identifies it among others.
    """

    def __init__(self, block: str, key: str, condition: Condition) -> None:
        self.block = block
        self.key = key
        self.condition = condition
        self.family = facts.normal(key)
        self.kind = facts.kind(key)
        self.absent = condition.test({})
        self.wanted = f"{condition.operator.name} {self.family} {sorted(condition.values)}"
        self._carriers = facts.carriers(key)

    def carried(self, actions: frozenset[str]) -> frozenset[str]:
        """Return those of some actions of which a call may have the key."""
        return actions if self._carriers is None else actions & self._carriers

    def missing(self, actions: frozenset[str]) -> frozenset[str]:
        """Return those of some actions of which no call has the key."""
        return frozenset() if self._carriers is None else actions - self._carriers


class Row:
    """A statement.

    ``actions`` are the SageMaker actions that it may be about, ``entries`` what its Action or
    NotAction lists; ``written`` is the statement as the document has it.
    """

    def __init__(
        self,
        document: str | None,
        statement: PolicyStatement,
        written: Mapping[str, Any],
        line: int | None,
        region: Region | None,
    ) -> None:
        self.document = document
        self.number = statement.index
        self.sid = statement.sid or None
        self.effect = statement.effect
        self.statement = statement
        self.written = written
        self.line = line
        self.region = region
        self.clauses = tuple(_clauses(written, statement))
        self.entries = _entries(written)
        self.actions = reached(statement, self.entries)
        # Whom a resource-based statement is about.
        self.principal = [written.get(name) for name in _PRINCIPALS]

    @property
    def ref(self) -> StatementRef:
        """The statement, as a finding names it."""
        return StatementRef(self.number, self.sid)

    @property
    def place(self) -> Place:
        """The statement, among those of the whole file."""
        return Place(self.document, self.number, self.sid)

    @cached_property
    def alive(self) -> frozenset[str]:
        """The actions for which the statement may apply: it wants no key that no call has."""
        wanting = (clause.missing(self.actions) for clause in self.clauses if not clause.absent)
        return self.actions.difference(*wanting)

    @cached_property
    def asking(self) -> frozenset[str]:
        """The actions of which the caller may fill in a key that the statement looks at."""
        request = (c.carried(self.actions) for c in self.clauses if c.kind == "request")
        return frozenset[str]().union(*request)

    @cached_property
    def literal(self) -> frozenset[str]:
        """The actions that the statement names in full."""
        return frozenset() if self.statement.not_action else self._named(wild=False)

    @cached_property
    def wild(self) -> frozenset[str]:
        """The actions that the statement names by a wildcard, or by NotAction."""
        return self.actions if self.statement.not_action else self._named(wild=True)

    def _named(self, *, wild: bool) -> frozenset[str]:
        named = (named_by(entry) for entry in self.entries if is_wild(entry) is wild)
        return frozenset[str]().union(*named) & self.actions

    def touches_sagemaker(self) -> bool:
        """Tell whether the statement can matter to a call of SageMaker."""
        if self.actions or self._passes_roles():
            return True
        unlisted = facts.unlisted_actions().values()
        named = any(self.statement.names(f"{SERVICE}{name}") for name in unlisted)
        return named and may_reach(self.statement, _RESOURCES)

    def _passes_roles(self) -> bool:
        context = {"iam:passedtoservice": "sagemaker.amazonaws.com"}
        if not self.statement.names("iam:PassRole") or not may_reach(self.statement, _ROLES):
            return False
        return all(
            each.condition.test(context)
            for each in self.clauses
            if each.key.lower() in context and each.condition.keys <= context.keys()
        )


class Rows(NamedTuple):
    """The statements of one document."""

    source: Source
    rows: list[Row]


def rows_of(file: str, content: Content) -> list[tuple[Group, list[Rows]]]:
    """Compile every statement of a file; InputError names what IAM would refuse, and its line."""
    sources = [source for group in content.groups for source in group.documents]
    _check_size(file, sources)
    lines, places = _places(content, sources)
    found = []
    for group in content.groups:
        documents = [
            Rows(source, list(_rows(file, source, lines, places))) for source in group.documents
        ]
        reaching = sum(bool(row.actions) for each in documents for row in each.rows)
        if reaching > MOST_STATEMENTS:
            raise InputError(
                f"{file}: {reaching} statements of one principal are about SageMaker, more than "
                f"{MOST_STATEMENTS}; lint them in parts"
            )
        found.append((group, documents))
    return found


def _check_size(file: str, sources: Iterable[Source]) -> None:
    for source in sources:
        statements = source.value["Statement"]
        if isinstance(statements, list) and len(statements) > MOST_STATEMENTS:
            raise InputError(
                f"{file}: {len(statements)} statements in one document, more than "
                f"{MOST_STATEMENTS}; lint them in parts"
            )


def _places(
    content: Content, sources: list[Source]
) -> tuple[Lines | None, Mapping[tuple[str | int, ...], Span]]:
    if content.text is None:
        return None, {}
    wanted = [s.path if s.embedded else (*s.path, "Statement") for s in sources]
    return Lines(content.text), spans(content.text, wanted)


def _rows(
    file: str,
    source: Source,
    lines: Lines | None,
    places: Mapping[tuple[str | int, ...], Span],
) -> Iterator[Row]:
    statements = source.value["Statement"]
    alone = isinstance(statements, Mapping)
    written = [statements] if alone else statements
    for index, compiled in enumerate(_compiled(file, source, lines, places)):
        raw = written[index]
        path = (*source.path, "Statement") if alone else (*source.path, "Statement", index)
        span = places.get(source.path if source.embedded else path)
        # Of a document inside a string only its beginning has a place.
        region = lines.region(span) if lines and span and not source.embedded else None
        line = lines.place(span.start)[0] if lines and span else None
        _check_bounds(file, index, _entries(raw), compiled)
        yield Row(source.name, compiled, raw, line, region)


def _compiled(
    file: str,
    source: Source,
    lines: Lines | None,
    places: Mapping[tuple[str | int, ...], Span],
) -> tuple[PolicyStatement, ...]:
    """Read a document strictly, but for whom its statements are about."""
    try:
        return read_document(_without_principals(source.value), source.name or "").statements
    except PolicyError as error:
        where = f"{file}: {error}"
        inside = error.path[:2]
        span = None if source.embedded else places.get((*source.path, *inside))
        if lines and span:
            where = f"{file}: line {lines.place(span.start)[0]}: {error}"
        raise InputError(where) from error


def _without_principals(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without its principals: the lint asks what is decided, not for whom."""
    statements = document["Statement"]

    def bare(statement: Any) -> Any:
        if not isinstance(statement, Mapping):
            return statement
        if any(not _is_principal(statement[name]) for name in _PRINCIPALS if name in statement):
            raise PolicyError("a principal is * or an object of strings and lists of strings")
        kept = {key: value for key, value in statement.items() if key not in _PRINCIPALS}
        if len(kept) < len(statement) and "Resource" not in kept and "NotResource" not in kept:
            # A role's trust policy names no resource: it is the role.
            kept["Resource"] = "*"
        return kept

    plain = [bare(each) for each in statements] if isinstance(statements, list) else statements
    return {**document, "Statement": bare(plain)}


def _is_principal(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return isinstance(value, str)
    lists = (each if isinstance(each, list) else [each] for each in value.values())
    return all(isinstance(each, str) for several in lists for each in several)


def _entries(raw: Mapping[str, Any]) -> tuple[str, ...]:
    found = raw.get("Action", raw.get("NotAction"))
    return tuple(found) if isinstance(found, list) else (str(found),)


def _check_bounds(
    file: str, index: int, entries: tuple[str, ...], compiled: PolicyStatement
) -> None:
    for number, most, what in (
        (len(entries), MOST_ENTRIES, "actions"),
        (len(compiled.written_resources), MOST_ENTRIES, "resources"),
        (len(compiled.conditions), MOST_CLAUSES, "conditions"),
    ):
        if number > most:
            raise InputError(f"{file}: statement {index} has {number} {what}, more than {most}")


def _clauses(raw: Mapping[str, Any], compiled: PolicyStatement) -> Iterator[Clause]:
    """Pair the compiled conditions with the operators and keys as they are written."""
    written = [(block, key) for block, keys in raw.get("Condition", {}).items() for key in keys]
    for (block, key), condition in zip(written, compiled.conditions, strict=True):
        yield Clause(block, key, condition)
