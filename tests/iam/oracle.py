"""The comparison with ``@cloud-copilot/iam-simulate``: a development tool, asked over a pipe.

Where a page of AWS decides differently from it (docs/iam-semantics.md lists them), ``for_oracle``
rewrites the case so that the page's meaning is said in words on which both agree. Nothing is left
out of the comparison.
"""

from __future__ import annotations

import copy
import ipaddress
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from secure_ml_ext.iam import PolicyBundle, evaluate

from .random_cases import case as random_case

PLACE = Path(__file__).parents[1] / "oracle"
FULL = 100_000
BATCH = 5000
NEVER = "arn:never:never:never:never:never"
_VARIABLE = re.compile(r"\$\{([^},']+)\}")
Case = dict[str, Any]


def ask(cases: Iterable[Case]) -> Iterator[dict[str, Any]]:
    """Yield the oracle's answer to each case."""
    node = shutil.which("node") or shutil.which("nodejs")
    assert node, "Node.js is needed; `make` finds or installs one"
    lines = "\n".join(json.dumps(for_oracle(each)) for each in cases)
    done = subprocess.run(
        [node, PLACE / "oracle.mjs"], input=lines, capture_output=True, text=True, check=True
    )
    yield from map(json.loads, done.stdout.splitlines())


def ours(case: Case) -> dict[str, Any]:
    """Return our answer in the oracle's form."""
    bundle = PolicyBundle.from_dict(named(case["bundle"]))
    decision = evaluate(bundle, case["action"], case["resource"], case["context"])
    denies = []
    if decision.verdict == "explicitly-denied":
        denies = [[s.layer, int(s.policy), s.index] for s in decision.statements]
    return {"verdict": decision.verdict, "denies": denies}


def named(bundle: dict[str, Any]) -> dict[str, Any]:
    """Name each document by its number in its layer."""

    def layer(documents: list[Any]) -> list[Any]:
        return [{"name": str(n), "document": each} for n, each in enumerate(documents)]

    made = {key: layer(value) for key, value in bundle.items() if key != "scps"}
    return {**made, "scps": [layer(level) for level in bundle.get("scps", [])]}


def differences(seed: int, number: int) -> Iterator[tuple[Case, Any, Any]]:
    """Yield the random cases on which the two disagree, with both answers."""
    rng = random.Random(seed)
    cases = [random_case(rng) for _ in range(number)]
    answers = list(ask(cases))
    assert len(answers) == number
    for each, theirs in zip(cases, answers, strict=True):
        found = ours(each)
        if found != theirs:
            yield each, found, theirs


# ---------------------------------------------------------------- where AWS's pages decide


def for_oracle(case: Case) -> Case:
    """Return the case as the oracle has to be asked it."""
    made = copy.deepcopy(case)
    # An empty list is an absent key, and empty values do not count in a set.
    made["context"] = {
        key: [each for each in value if each] if isinstance(value, list) else value
        for key, value in case["context"].items()
        if value != []
    }
    known = {key.lower(): value for key, value in case["context"].items()}
    for document in _documents(made["bundle"]):
        statements = document["Statement"]
        for statement in statements if isinstance(statements, list) else [statements]:
            _resources(statement, made["resource"], known)
            for operator in list(statement.get("Condition", {})):
                _condition(statement["Condition"], operator, known)
    return made


def _documents(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key, value in bundle.items():
        for each in value:
            yield from each if key == "scps" else [each]


def _resources(statement: dict[str, Any], resource: str, known: dict[str, Any]) -> None:
    for element in ("Resource", "NotResource"):
        if element in statement:
            values = _listed(statement[element])
            statement[element] = [
                _any_type(_complete(_without_value(each, known)), resource) for each in values
            ]
    # The resource "*" is none of those that Resource or NotResource lists.
    if resource == "*" and "*" not in statement.get("Resource", ["*"]):
        statement.pop("NotAction", None)
        statement["Action"] = "never:never"
    if resource == "*" and "*" not in statement.get("NotResource", ["*"]):
        del statement["NotResource"]
        statement["Resource"] = "*"


def _complete(arn: str) -> str:
    """A short ARN is completed with ``*``."""
    missing = 5 - arn.count(":")
    return arn + ":*" * missing if arn != "*" and missing > 0 else arn


def _any_type(pattern: str, resource: str) -> str:
    """A wildcard in a resource's type is one like any other."""
    *head, last = pattern.split(":", 5)
    if not re.match(r"[^/:]*[*?][^/:]*[/:]", last.replace("${*}", "")) or "${" in last:
        return pattern
    glob = re.escape(last).replace(r"\*", ".*").replace(r"\?", ".")
    fits = re.fullmatch(glob, resource.split(":", 5)[-1])
    return ":".join([*head, "*" if fits else "never"])


def _without_value(text: str, known: dict[str, Any]) -> str:
    """A variable without a value equals nothing: neither does this."""
    for name in _VARIABLE.findall(text):
        if name not in "*?$" and not isinstance(known.get(name.lower()), str):
            return NEVER
    return text


def _condition(block: dict[str, Any], operator: str, known: dict[str, Any]) -> None:
    lower = operator.lower()
    keys = block[operator]
    if lower.endswith("null") and ":" in lower:
        # Null with a set operator is constant.
        del block[operator]
        if lower.startswith("forany"):
            block.setdefault("StringEquals", {})["never:there"] = "x"
        return
    for key in keys:
        values = list(_listed(keys[key]))
        if "string" in lower or "arn" in lower or "bool" in lower:
            values = [_without_value(str(_text(each)), known) for each in values]
        if "string" in lower and "like" not in lower:
            values = [re.sub(r"\$\{([*?$])\}", r"\1", each) for each in values]
        if "ipaddress" in lower:
            values = [each for value in values for each in _network(value)]
        if "date" in lower:
            values = [_date(each) for each in values]
        keys[key] = values


def _network(text: str) -> list[str]:
    """All of IPv4 in two halves, and addresses as ranges of one."""
    if text == "0.0.0.0/0":
        return ["0.0.0.0/1", "128.0.0.0/1"]
    try:
        return [str(ipaddress.ip_network(text))] if "/" not in text else [text]
    except ValueError:
        return [text]


def _date(text: str) -> str:
    """Epoch time is in seconds; four digits are a year."""
    if text.isdigit() and len(text) == 4:
        return f"{text}-01-01"
    if text.isdigit():
        return datetime.fromtimestamp(int(text), timezone.utc).isoformat()
    return text


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def main() -> int:
    """Compare: ``python -m tests.iam.oracle [cases] [seed]``; exit 1 on a difference.

    A run of 100,000 cases or more leaves its result in ``bench/results``.
    """
    number = int(sys.argv[1]) if len(sys.argv) > 1 else FULL
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**9)
    found = 0
    for start in range(0, number, BATCH):
        for case, mine, theirs in differences(seed + start, min(BATCH, number - start)):
            found += 1
            if found <= 5:
                print(json.dumps({"case": case, "ours": mine, "oracle": theirs}, indent=1))
    print(f"{number} cases, seed {seed}: {found} differences")
    if number >= FULL:
        _write({"cases": number, "seed": seed, "differences": found})
    return 1 if found else 0


def _write(result: dict[str, Any]) -> None:
    date = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    oracle = json.loads((PLACE / "package.json").read_text())["dependencies"]
    result = {"comparison": "iam", "date": date, "oracle": oracle, **result}
    place = Path(__file__).parents[2] / "bench" / "results" / f"iam-fuzz-{date[:10]}.json"
    place.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
