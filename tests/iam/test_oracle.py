"""A part of ``make fuzz``: random cases on which an independent implementation must agree."""

from __future__ import annotations

import json
from collections import Counter

from .oracle import ask, differences, ours
from .random_cases import EVERYTHING
from .support import ACTION, RESOURCE, document, statement

CASES = 2000


def test_random_cases_are_decided_alike() -> None:
    found = [
        json.dumps({"case": case, "ours": mine, "oracle": theirs}, indent=1)
        for case, mine, theirs in differences(20261122, CASES)
    ]
    assert not found, "\n".join(found[:3])


def test_the_comparison_can_fail() -> None:
    """The oracle's answers are compared with ours, not with themselves."""
    deny = document(statement("Deny", Condition={"StringEquals": {"aws:username": "x"}}))
    case = {
        "bundle": {"identity": [EVERYTHING, deny], "scps": [[EVERYTHING], [deny, EVERYTHING]]},
        "action": ACTION,
        "resource": RESOURCE,
        "context": {"aws:username": "x"},
    }
    other = {**case, "context": {"aws:username": "y"}}
    first, second = ask([case, other])
    denies = [["identity", 1, 0], ["scp:1", 0, 0]]
    assert first == ours(case) == {"verdict": "explicitly-denied", "denies": denies}
    assert second == ours(other) == {"verdict": "allowed", "denies": []}


def test_the_cases_are_of_every_kind() -> None:
    import random

    from .random_cases import case

    rng = random.Random(1)
    verdicts = Counter(ours(case(rng))["verdict"] for _ in range(CASES))
    assert min(verdicts.values()) > CASES / 10
    assert set(verdicts) == {"allowed", "implicitly-denied", "explicitly-denied"}
