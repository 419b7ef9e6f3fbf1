"""What must hold for any policies and any request."""

from __future__ import annotations

import copy
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from secure_ml_ext.iam import PolicyBundle, Undetermined, evaluate
from secure_ml_ext.iam.glob import matcher, pieces_of

from . import random_cases
from .support import ALLOW, document, statement

cases = st.builds(lambda seed: random_cases.case(random.Random(seed)), st.integers(0, 2**40))
seeds = st.integers(0, 2**40)
Case = dict[str, Any]


def verdict(case: Case, bundle: Any = None, context: Any = None) -> str:
    compiled = PolicyBundle.from_dict(bundle or case["bundle"])
    found = case["context"] if context is None else context
    return evaluate(compiled, case["action"], case["resource"], found).verdict


def layers(bundle: dict[str, Any]) -> list[list[Any]]:
    own = [bundle[name] for name in ("identity", "boundary", "session") if name in bundle]
    return [*own, *bundle.get("scps", [])]


@given(cases, seeds)
def test_adding_a_deny_never_allows(case: Case, seed: int) -> None:
    rng = random.Random(seed)
    deny = {**random_cases.statement(rng, variables=True), "Effect": "Deny"}
    more = copy.deepcopy(case["bundle"])
    rng.choice(layers(more)).append(document(deny))
    before, after = verdict(case), verdict(case, more)
    assert after in (before, "explicitly-denied")


@given(cases, seeds)
def test_adding_an_allow_never_denies(case: Case, seed: int) -> None:
    rng = random.Random(seed)
    allow = {**random_cases.statement(rng, variables=True), "Effect": "Allow"}
    more = copy.deepcopy(case["bundle"])
    rng.choice(layers(more)).append(document(allow))
    before, after = verdict(case), verdict(case, more)
    assert after == before or (before, after) == ("implicitly-denied", "allowed")


@given(cases, seeds)
def test_order_never_matters(case: Case, seed: int) -> None:
    rng = random.Random(seed)
    mixed = copy.deepcopy(case["bundle"])
    for layer in layers(mixed):
        rng.shuffle(layer)
        for each in layer:
            if isinstance(each["Statement"], list):
                rng.shuffle(each["Statement"])
    rng.shuffle(mixed.get("scps", []))
    assert verdict(case, mixed) == verdict(case)


@given(cases)
def test_an_scp_never_grants(case: Case) -> None:
    bundle = case["bundle"]
    without = {**bundle, "scps": []}
    if verdict(case, without) != "allowed":
        assert verdict(case) != "allowed"
    assert verdict(case, {**bundle, "identity": [], "scps": [[ALLOW]]}) != "allowed"


@given(cases)
def test_layers_only_take_away(case: Case) -> None:
    for name in ("boundary", "session", "scps"):
        less = {key: value for key, value in case["bundle"].items() if key != name}
        if verdict(case) == "allowed":
            assert verdict(case, less) == "allowed"


@given(cases)
def test_case_of_keys_and_actions_never_matters(case: Case) -> None:
    context = {key.swapcase(): value for key, value in case["context"].items()}
    swapped = {**case, "action": case["action"].swapcase()}
    assert verdict(swapped, context=context) == verdict(case)


@given(cases)
def test_a_deny_of_everything_denies_everything(case: Case) -> None:
    deny = document(statement("Deny"))
    bundle = {**case["bundle"], "scps": [*case["bundle"].get("scps", []), [deny]]}
    assert verdict(case, bundle) == "explicitly-denied"


@given(cases)
def test_statements_explain_the_verdict(case: Case) -> None:
    compiled = PolicyBundle.from_dict(case["bundle"])
    decision = evaluate(compiled, case["action"], case["resource"], case["context"])
    assert decision.statements
    for found in decision.statements:
        assert found.why
        if decision.verdict != "implicitly-denied":
            assert all(why.holds for why in found.conditions)


@settings(max_examples=200)
@given(cases, seeds)
def test_undetermined_is_what_its_candidates_are(case: Case, seed: int) -> None:
    """Trying the candidates one by one says the same as asking for all of them."""
    rng = random.Random(seed)
    context = dict(case["context"])
    keys = rng.sample(sorted(context), min(2, len(context)))
    other = random_cases.context(rng)
    candidates: dict[str, list[Any]] = {
        key: [context[key], None, *other.values()][: rng.randint(2, 4)] for key in keys
    }
    alone = [context]
    for key, values in candidates.items():
        alone = [{**each, key: value} for each in alone for value in values]
    possible = {verdict(case, context=each) for each in alone}
    open_ = {**context, **{key: Undetermined(values) for key, values in candidates.items()}}
    decision = evaluate(
        PolicyBundle.from_dict(case["bundle"]), case["action"], case["resource"], open_
    )
    if len(possible) == 1:
        assert {decision.verdict} == possible
        assert decision.question is None
    else:
        assert {each.verdict for each in decision.outcomes} == possible
        assert decision.verdict == ("depends" if "allowed" in possible else "implicitly-denied")
        assert decision.question
        assert decision.question.endswith("?")


@settings(max_examples=200)
@given(cases, seeds)
def test_knowing_nothing_rules_nothing_out(case: Case, seed: int) -> None:
    """With unknown keys the answer is never a verdict that some value would contradict."""
    rng = random.Random(seed)
    context = dict(case["context"])
    keys = rng.sample(sorted(context), min(3, len(context)))
    open_ = {**context, **{key: Undetermined() for key in keys}}
    blind = evaluate(
        PolicyBundle.from_dict(case["bundle"]), case["action"], case["resource"], open_
    )
    seen = verdict(case)
    outcomes = {each.verdict for each in blind.outcomes} or {blind.verdict}
    assert seen in outcomes


def reference(pattern: str, value: str) -> bool:
    """The textbook matrix of a pattern with * and ?."""
    row = [True] + [False] * len(value)
    for piece in pattern:
        if piece == "*":
            found = [row[0]]
            for before in row[1:]:
                found.append(before or found[-1])
        else:
            found = [False]
            found += [row[n] and piece in ("?", value[n]) for n in range(len(value))]
        row = found
    return row[-1]


@settings(max_examples=500)
@given(st.text("ab*?:", max_size=12), st.text("ab:", max_size=12))
def test_patterns_match_as_the_textbook_says(pattern: str, value: str) -> None:
    assert matcher(pieces_of(pattern))(value) is reference(pattern, value)
