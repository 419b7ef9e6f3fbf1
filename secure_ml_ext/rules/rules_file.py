"""An organisation's own rules from a file: whole rules, or changes to the built-in ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from .config import Level, Waiver, overridden
from .model import Rule, RuleError, load_yaml, read_rules


def load_rules_file(path: str | Path, rules: Iterable[Rule]) -> tuple[list[Rule], list[Waiver]]:
    """Return the rules with those of a file, and the file's waivers.

    The file (YAML or JSON) is ``secure-ml/rules@1``, whose rules replace those with the same id
    and add the others, or ``secure-ml/config@1``, whose ``rules`` change severities and the like.
    Raises ``RuleError`` with file and place.
    """
    name = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise RuleError(f"{name}: cannot be read: {error.strerror}") from error
    content = load_yaml(data, name)
    if not isinstance(content, dict) or "schema" not in content:
        raise RuleError(f"{name}: no schema: write secure-ml/rules@1 or secure-ml/config@1")
    if content["schema"] == "secure-ml/rules@1":
        own = {rule.id: rule for rule in read_rules(data, name)}
        kept = [own.pop(rule.id, rule) for rule in rules]
        return [*kept, *own.values()], []
    try:
        level = msgspec.convert(content, Level)
    except msgspec.ValidationError as error:
        raise RuleError(f"{name}: {error}") from error
    known = list(rules)
    if unknown := sorted(set(level.rules) - {rule.id for rule in known}):
        raise RuleError(f"{name}: rules: there is no rule {unknown[0]!r}")
    return overridden(known, level.rules), list(level.waivers)
